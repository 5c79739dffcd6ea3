"""The customer does not want an order any more. It can be cancelled until it is packed."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.agents import acting, outcome
from actions.backends import orders
from actions.backends.orders import CANCELLED, PLACED
from actions.forms import Patient, cleared
from actions.handoff import handed
from actions.order_status import TakesOrder, read_number


class ValidateCancelForm(TakesOrder, Patient):
    """Checks which order it is; whether it is that one is asked before anything is done."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_cancel_form"

    def validate_confirmed(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the yes or no as it is."""
        return {"confirmed": slot_value}


class ActionCancelOrder(Action):
    """Cancels an order for an agent; a customer's wish is passed on to one.

    Who the customer is has not been proven, and anybody can type a number.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_cancel_order"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Cancel it, pass it on, or say why it is too late. Raises StoreDown."""
        number = read_number(tracker.slots.get("order_number"))
        agent = acting(tracker)
        if agent is not None:
            if number is None:
                return [outcome(False, "the order number cannot be read")]
            against = orders().cancel(agent.deed, number)
            if against:
                return [outcome(False, against)]
            dispatcher.utter_message(response="utter_cancel_done", number=number)
            return [outcome(True)]
        done = [SlotSet("order_number", None), *cleared(tracker)]
        order = orders().find(number) if number else None
        if not tracker.slots.get("confirmed"):
            dispatcher.utter_message(response="utter_cancel_kept", number=number)
            return done
        if order is None:
            dispatcher.utter_message(response="utter_order_not_found", number=number)
            return done
        if order.status == PLACED:
            dispatcher.utter_message(response="utter_cancel_passed_on", number=number)
            why = f"wants order {number} cancelled; it is not packed yet"
            return [*handed(tracker, "cancel", why, "high"), SlotSet("order_number", None)]
        response = "utter_cancel_already" if order.status == CANCELLED else "utter_cancel_too_late"
        dispatcher.utter_message(response=response, number=number)
        return done
