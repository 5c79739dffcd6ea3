"""The customer does not want an order any more. It can be cancelled until it is packed."""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.agents import acting, outcome
from actions.backends import orders
from actions.backends.errors import BackendError, NotPossible
from actions.backends.opening import shop
from actions.backends.orders import CANCELLED, PLACED
from actions.forms import Patient, cleared
from actions.handoff import handed
from actions.order_status import TakesOrder, read_number
from actions.proving import Wanted, cause_of, require


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
    """Cancels an order for an agent, or for a customer who has proven that it is his.

    The wish of one who cannot prove it is passed on: anybody can type a number.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_cancel_order"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Cancel it, pass it on, or say why it is too late. Raises StoreDown."""
        number = read_number(tracker.slots.get("order_number"))
        agent = acting(tracker)
        if agent is not None:
            if number is None:
                return [outcome(False, "the order number cannot be read")]
            against = await asyncio.to_thread(orders().cancel, agent.deed, number)
            if against:
                return [outcome(False, against)]
            dispatcher.utter_message(response="utter_cancel_done", number=number)
            return [outcome(True)]
        done = [SlotSet("order_number", None), *cleared(tracker)]
        order = await asyncio.to_thread(orders().find, number) if number else None
        if not tracker.slots.get("confirmed"):
            dispatcher.utter_message(response="utter_cancel_kept", number=number)
            return done
        if order is None:
            dispatcher.utter_message(response="utter_order_not_found", number=number)
            return done
        status = str(order.status)
        if status == PLACED:
            why = f"wants order {number} cancelled; it is not packed yet"
            wanted = Wanted(self.name(), "cancel", why, "high", str(number))
            standing = await require(dispatcher, tracker, domain, "cancel", wanted)
            if standing.events is not None:
                return standing.events
            became = await _cancelled(tracker, str(number)) if standing.enough else ""
            if became == CANCELLED:
                dispatcher.utter_message(response="utter_cancel_done", number=number)
                return done
            if not became:
                dispatcher.utter_message(response="utter_cancel_passed_on", number=number)
                events = handed(tracker, "cancel", standing.with_why(why), "high")
                return [*events, SlotSet("order_number", None)]
            status = became
        response = "utter_cancel_already" if status == CANCELLED else "utter_cancel_too_late"
        dispatcher.utter_message(response=response, number=number)
        return done


async def _cancelled(tracker: Tracker, number: str) -> str:
    """Cancel an order, once a message; "" when a person has to see to it, else what it is."""
    try:
        await (await shop()).cancel(cause_of(tracker), number)
    except NotPossible:
        return "too late"
    except BackendError:
        return ""
    return CANCELLED
