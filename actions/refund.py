"""Money back within the rules of ``data/rules.yml``; in a form's words, an agent's to give."""

from __future__ import annotations

import asyncio
from functools import partial
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
from actions.proving import Wanted, require
from actions.rules import load_rules


class ActionRefund(Action):
    """Gives back the slot ``amount`` of the order in ``order_number``, once a deed.

    A customer is passed on to a person, who knows whether it is proven who he is.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_refund"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Refund and say so in words for the customer. Raises StoreDown, SettingsInvalid."""
        agent = acting(tracker)
        if agent is None:
            number = read_number(tracker.slots.get("order_number"))
            reason = tracker.slots.get("refund_reason")
            why = f"wants a refund of order {number}" if number else "a refund needs a person"
            if reason:
                why += f": {reason}"
            if number:
                wanted = Wanted(self.name(), "refund", why, number=number)
                standing = await require(dispatcher, tracker, domain, "refund", wanted)
                if standing.events is not None:
                    return standing.events
                why = standing.with_why(why)
            dispatcher.utter_message(response="utter_handoff")
            passed_on = handed(tracker, "refund", why, "normal")
            return [*passed_on, SlotSet("order_number", None)]
        number = read_number(tracker.slots.get("order_number"))
        pence = read_pence(tracker.slots.get("amount"))
        if number is None or pence is None:
            missing = "order number" if number is None else "amount"
            return [outcome(False, f"the {missing} cannot be read")]
        refund = partial(
            payments().refund,
            agent.deed,
            number,
            pence,
            load_rules().refunds,
            agent=agent.id,
            why=str(tracker.slots.get("reason") or ""),
        )
        done = await asyncio.to_thread(refund)
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
