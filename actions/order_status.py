"""Where is my order? The form that asks for its number, and the answer."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC
from datetime import date, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.asking import OUT_OF_REACH, Guessing, find_order_for, say_out_of_reach
from actions.backends.contract import ShopOrder
from actions.backends.demo import seen
from actions.backends.orders import DELAYED, PACKED, PLACED, SHIPPED, Order
from actions.forms import Patient, resumed
from actions.handoff import handed
from actions.proving import Wanted, require
from actions.talked import ORDER, last_order, named, spoken
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


#: Who says so wants another order than the one that was spoken of last.
_ANOTHER = re.compile(r"\b(an?other|different)\b", re.IGNORECASE)


class TakesOrder(Patient, ABC):
    """For forms that ask for an order number: takes it only if there is such an order.

    What begins without a number is about the order that was spoken of last.
    """

    def extract_order_number(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the number that the form begins with: of the message, or of the last order."""
        if not self.begins(tracker) or self.goes_on(tracker):
            return {}
        said, before = named(tracker, "order_number"), last_order(tracker)
        if said:
            return {"order_number": said[0]} if len(said) == 1 else {}
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        if tracker.slots.get("order_number") or intent == "inform_order_number":
            # A number that is of no order is not that of the last one either.
            return {}
        text = str(tracker.latest_message.get("text") or "")
        return {"order_number": before} if before and not _ANOTHER.search(text) else {}

    async def validate_order_number(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the number alone, or None, having said why. Raises StoreDown.

        Where the shop cannot be asked it is taken: what comes after it says so.
        """
        if slot_value is None:
            # Forgotten for “the other order”: nothing was said that could be unclear.
            return {"order_number": None}
        if len(numbers_in(tracker.latest_message.get("text"))) > 1 and not self.goes_on(tracker):
            # Rasa fills the slot with the last of them. Which it is, the form asks.
            return {"order_number": None}
        number = read_number(slot_value)
        if number is None:
            dispatcher.utter_message(response="utter_order_number_unclear")
        else:
            not_there = await _not_there(tracker, number)
            if not_there:
                dispatcher.utter_message(response=not_there, number=number)
                number = None
        if number is None:
            return {"order_number": None}
        problem = tracker.slots.get("problem") if self.form_name() == "problem_form" else None
        told = spoken(number, form=self.form_name(), problem=problem)
        return {"order_number": number, ORDER: told}


class ValidateOrderForm(TakesOrder):
    """Checks what the form of an order's status asks for."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_order_form"


class ActionOrderStatus(Action):
    """Says where an order is.

    Anybody can type a number, so nothing personal is told: the stage, the days and how
    many things are in it, but no name, address, item or tracking number. A proof is asked
    for only where ``data/rules.yml`` wants one.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_order_status"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Look the order up and forget its number. Raises StoreDown."""
        number = str(tracker.get_slot("order_number"))
        try:
            order = await find_order_for(tracker, number)
        except Guessing:
            dispatcher.utter_message(response="utter_order_guesses")
            return [SlotSet("order_number", None), *resumed(tracker)]
        except OUT_OF_REACH as error:
            again = f'/order_status{{"order_number": "{number}"}}'
            say_out_of_reach(dispatcher, error, again)
            return [SlotSet("order_number", None), *resumed(tracker)]
        if order is None:
            dispatcher.utter_message(response="utter_order_not_found", number=number)
        else:
            wanted = Wanted(self.name(), "human", f"asks where order {number} is", number=number)
            standing = await require(dispatcher, tracker, domain, "order_status", wanted)
            if standing.events is not None:
                return standing.events
            if not standing.enough:
                dispatcher.utter_message(response="utter_handoff")
                why = standing.with_why(wanted.why)
                return [*handed(tracker, "human", why, "normal"), SlotSet("order_number", None)]
            dispatcher.utter_message(response=told(order), **facts(order))
        kept = SlotSet(ORDER, spoken(number, form="order_form"))
        return [SlotSet("order_number", None), kept, *resumed(tracker)]


async def _not_there(tracker: Tracker, number: str) -> str:
    """Return the response that says why an order number is not taken, "" when it may be one."""
    try:
        order = await find_order_for(tracker, number)
    except Guessing:
        return "utter_order_guesses"
    except OUT_OF_REACH:
        return ""
    return "" if order is not None else "utter_order_not_found"


def stage(order: Order | ShopOrder) -> str:
    """Return the order's status; ``overdue`` for one that should have arrived by now."""
    known = order if isinstance(order, ShopOrder) else seen(order)
    return late_or(known.status, expected(known))


def told(order: Order | ShopOrder) -> str:
    """Return the response that tells an order's stage, one without days where there are none."""
    known, now = order if isinstance(order, ShopOrder) else seen(order), stage(order)
    if now in (PLACED, PACKED, SHIPPED, DELAYED) and expected(known) is None:
        if now == SHIPPED and any(parcel.shipped for parcel in known.parcels):
            return "utter_order_left_undated"
        return f"utter_order_{now}_undated"
    return f"utter_order_{now}"


def late_or(status: str, eta: datetime | None) -> str:
    """Return a status, ``overdue`` for what should have arrived by now."""
    late = eta is not None and eta.date() < utcnow().date()
    return "overdue" if late and status in (SHIPPED, PACKED) else status


def facts(order: Order | ShopOrder) -> dict[str, str]:
    """Return what may be told of an order, in words, nothing of it personal."""
    known = order if isinstance(order, ShopOrder) else seen(order)
    pieces = sum(item.quantity for item in known.items)
    count = "1 item" if pieces == 1 else f"{pieces} items"
    carriers = [parcel.carrier for parcel in known.parcels if parcel.carrier]
    return {
        "number": known.number,
        "pieces": "its items I cannot see" if "items" in known.missing else count,
        "carrier": carriers[0] if carriers else "the carrier",
        "placed": day(known.placed),
        "shipped": day(max((p.shipped for p in known.parcels if p.shipped), default=None)),
        "eta": day(expected(known)),
        "delivered": day(known.delivered),
    }


def expected(order: ShopOrder) -> datetime | None:
    """Return the day of delivery as last announced, that of the last parcel."""
    return max((p.eta for p in order.parcels if p.eta), default=order.eta)


def day(at: datetime | None) -> str:
    """Return a day as people say it, ``Monday, 2 March``."""
    if at is None:
        return "a day not known yet"
    found: date = at.date()
    return f"{found:%A}, {found.day} {found:%B}"
