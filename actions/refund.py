"""Money back within the rules of ``data/rules.yml``; for now an agent's to give."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.agents import acting, outcome
from actions.backends import payments
from actions.backends.payments import PAID
from actions.handoff import handed
from actions.money import pounds, read_pence
from actions.order_status import read_number
from actions.rules import load_rules


class ActionRefund(Action):
    """Gives back the slot ``amount`` of the order in ``order_number``, once a deed.

    A customer is passed on to a person: who he is has not been proven.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_refund"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Refund and say so in words for the customer. Raises StoreDown, SettingsInvalid."""
        agent = acting(tracker)
        if agent is None:
            dispatcher.utter_message(response="utter_handoff")
            number = read_number(tracker.slots.get("order_number"))
            reason = tracker.slots.get("refund_reason")
            why = f"wants a refund of order {number}" if number else "a refund needs a person"
            if reason:
                why += f": {reason}"
            passed_on = handed(tracker, "refund", why, "normal")
            return [*passed_on, SlotSet("order_number", None)]
        number = read_number(tracker.slots.get("order_number"))
        pence = read_pence(tracker.slots.get("amount"))
        if number is None or pence is None:
            missing = "order number" if number is None else "amount"
            return [outcome(False, f"the {missing} cannot be read")]
        done = payments().refund(
            agent.deed,
            number,
            pence,
            load_rules().refunds,
            agent=agent.id,
            why=str(tracker.slots.get("reason") or ""),
        )
        if done.status != PAID:
            return [outcome(False, str(done.against))]
        told = {"number": str(done.order), "amount": pounds(done.pence)}
        dispatcher.utter_message(response=_in(domain, "utter_refund_done", tracker), **told)
        return [outcome(True)]


def _in(domain: dict[str, Any], response: str, tracker: Tracker) -> str:
    """Return the response in the customer's language where designers wrote one."""
    seen = (tracker.latest_message.get("metadata") or {}).get("perception") or {}
    own = f"{response}_{seen.get('language') or 'en'}"
    return own if own in (domain.get("responses") or {}) else response
