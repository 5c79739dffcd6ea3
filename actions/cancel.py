"""The customer does not want an order any more. It can be cancelled until it is packed."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.agents import acting, outcome
from actions.asking import OUT_OF_REACH, find_order, log_out_of_reach
from actions.backends.errors import Ambiguous, NotFound, NotPossible
from actions.backends.opening import shop
from actions.backends.orders import CANCELLED, PLACED
from actions.forms import cleared
from actions.handoff import handed
from actions.order_status import TakesOrder, read_number
from actions.proving import Wanted, cause_of, require
from actions.talked import named

_DONE = "done"


class ValidateCancelForm(TakesOrder):
    """Checks which order it is; whether it is that one is asked before anything is done."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_cancel_form"

    async def validate_confirmed(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the yes or no as it is; “no, 1047” is another order. Raises StoreDown."""
        said = named(tracker, "order_number")
        if slot_value is False and len(said) == 1:
            other = await self.validate_order_number(said[0], dispatcher, tracker, domain)
            return {"confirmed": None, **other}
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
        """Cancel it, pass it on, or say why it is too late.

        Raises StoreDown, and Ambiguous when nobody can tell an agent what became of it.
        """
        number = read_number(tracker.slots.get("order_number"))
        agent = acting(tracker)
        if agent is not None:
            if number is None:
                return [outcome(False, "the order number cannot be read")]
            against = await _cancel(agent.deed, number)
            if against:
                return [outcome(False, against)]
            dispatcher.utter_message(response="utter_cancel_done", number=number)
            return [outcome(True)]
        done = [SlotSet("order_number", None), *cleared(tracker)]
        if not tracker.slots.get("confirmed"):
            dispatcher.utter_message(response="utter_cancel_kept", number=number)
            return done
        try:
            order = await find_order(number) if number else None
        except OUT_OF_REACH as error:
            # Whatever its stage is, that it is wanted must not be forgotten.
            log_out_of_reach(error)
            dispatcher.utter_message(response="utter_shop_wish_passed_on", number=number)
            why = f"wants order {number} cancelled; the shop could not be asked about it"
            return [*handed(tracker, "cancel", why, "high"), SlotSet("order_number", None)]
        if order is None:
            dispatcher.utter_message(response="utter_order_not_found", number=number)
            return done
        if order.status == PLACED:
            why = f"wants order {number} cancelled; it is not packed yet"
            wanted = Wanted(self.name(), "cancel", why, "high", str(number))
            standing = await require(dispatcher, tracker, domain, "cancel", wanted)
            if standing.events is not None:
                return standing.events
            became = await _cancelled(tracker, str(number)) if standing.enough else ""
            if became == _DONE:
                dispatcher.utter_message(response="utter_cancel_done", number=number)
                return done
            if not became:
                dispatcher.utter_message(response="utter_cancel_passed_on", number=number)
                events = handed(tracker, "cancel", standing.with_why(why), "high")
                return [*events, SlotSet("order_number", None)]
        response = "utter_cancel_too_late"
        if order.status == CANCELLED:
            # Perhaps by this very message, done before. To one that is cancelled it does nothing.
            again = await _cancelled(tracker, str(number)) == _DONE
            response = "utter_cancel_done" if again else "utter_cancel_already"
        dispatcher.utter_message(response=response, number=number)
        return done


async def _cancelled(tracker: Tracker, number: str) -> str:
    """Cancel an order for a customer, once a message; "" when a person has to see to it."""
    try:
        done = await (await shop()).cancel(cause_of(tracker), number)
    except NotPossible:
        return "too late"
    except (NotFound, Ambiguous, *OUT_OF_REACH) as error:
        log_out_of_reach(error)
        return ""
    # What the shop is still at may come to nothing.
    return "" if done.pending else _DONE


async def _cancel(deed: str, number: str) -> str:
    """Return why an order was not cancelled, "" when it was."""
    try:
        done = await (await shop()).cancel(deed, number)
    except NotPossible as error:
        return error.reason
    except (NotFound, *OUT_OF_REACH) as error:
        return str(error)
    return "the shop has taken it on and is still at it, look in a minute" if done.pending else ""
