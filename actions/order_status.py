"""Where is my order? The form that asks for its number, and the answer."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.backends import orders
from actions.backends.orders import Order
from actions.forms import Patient
from bot.message import utcnow

_NUMBER = re.compile(r"(?<!\d)[0-9]{4,6}(?!\d)")


def read_number(text: object) -> str | None:
    """Return the order number in `text`: ``1042``, ``#1042``, ``order no. 1042``.

    Digits of any script count. None without a number, and with several different ones:
    guessing would tell a customer about another order.
    """
    found = numbers_in(text)
    return found[0] if len(found) == 1 else None


def numbers_in(text: object) -> list[str]:
    """Return all that may be order numbers in `text`, each once, in order."""
    return list(dict.fromkeys(_NUMBER.findall(_digits(str(text)))))


def _digits(text: str) -> str:
    """Return `text` with digits of any script as those of ASCII."""
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c
        for c in unicodedata.normalize("NFKC", text)
    )


class TakesOrder:
    """For forms that ask for an order number: takes it only if there is such an order."""

    def validate_order_number(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the number alone, or None, having said why. Raises StoreDown."""
        if slot_value is None:
            # Forgotten for “the other order”: nothing was said that could be unclear.
            return {"order_number": None}
        number = read_number(slot_value)
        text = str(tracker.latest_message.get("text") or "")
        if number in _NUMBER.findall(_digits(text)) and read_number(text) is None:
            # Of several numbers in a message, Rasa fills the slot with the last.
            number = None
        if number is None:
            dispatcher.utter_message(response="utter_order_number_unclear")
        elif orders().find(number) is None:
            dispatcher.utter_message(response="utter_order_not_found", number=number)
            number = None
        return {"order_number": number}


class ValidateOrderForm(TakesOrder, Patient):
    """Checks what the form of an order's status asks for."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_order_form"


class ActionOrderStatus(Action):
    """Says where an order is.

    Anybody can type a number, so nothing personal is told: the stage, the days and how
    many things are in it, but no name, address, item or tracking number. Who asks is
    not checked here; that is a matter of its own.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_order_status"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Look the order up and forget its number. Raises StoreDown."""
        number = str(tracker.get_slot("order_number"))
        order = orders().find(number)
        if order is None:
            dispatcher.utter_message(response="utter_order_not_found", number=number)
        else:
            dispatcher.utter_message(response=f"utter_order_{stage(order)}", **facts(order))
        return [SlotSet("order_number", None)]


def stage(order: Order) -> str:
    """Return the order's status; ``overdue`` for one that should have arrived by now."""
    if order.eta and order.eta.date() < utcnow().date() and order.status in ("shipped", "packed"):
        return "overdue"
    return str(order.status)


def facts(order: Order) -> dict[str, str]:
    """Return what may be told of an order, in words, nothing of it personal."""
    return {
        "number": str(order.id),
        "pieces": "1 item" if order.pieces == 1 else f"{order.pieces} items",
        "carrier": order.carrier or "the carrier",
        "placed": _day(order.placed),
        "shipped": _day(order.shipped),
        "eta": _day(order.eta),
        "delivered": _day(order.delivered),
    }


def _day(at: Any) -> str:
    if at is None:
        return "a day not known yet"
    day: date = at.date()
    return f"{day:%A}, {day.day} {day:%B}"
