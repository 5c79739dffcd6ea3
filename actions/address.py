"""The parcel is to go somewhere else. That can be changed until the order is packed."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.asking import OUT_OF_REACH, find_order, log_out_of_reach
from actions.backends.orders import CANCELLED, DELIVERED, PLACED
from actions.forms import cleared
from actions.handoff import handed
from actions.memory import memory_of
from actions.order_status import TakesOrder, read_number
from actions.proving import Wanted, require
from actions.remembered import memory_shown
from actions.texts import asks, read_address, read_postcode, short
from bot.memory.contract import FACT

#: What a yes stands for, and what the button says that offers the address of last time.
_SAME = "same"
#: What the slot `postcode` holds of an address that has none.
_NONE = "none"
_HAS_NONE = re.compile(r"\b(none|no (post|zip) ?codes?|without)\b", re.IGNORECASE)
_NOT_KNOWN = re.compile(r"\b(no|nope|not|\w+n['’]?t|nothing|unknown|forgot\w*)\b", re.IGNORECASE)
#: Said when a postcode is asked for, these may be one, or why there is none.
_MAY_BE = frozenset(
    [
        "inform_address",
        "inform_order_number",
        "inform_phone",
        "inform_link_code",
        "inform_product",
        "track_parcel",
        "nlu_fallback",
        "out_of_scope",
    ]
)
_AS_LAST_TIME = re.compile(r"\b(same|usual|last time|before|remember)\b", re.IGNORECASE)


def remembered(tracker: Tracker) -> str:
    """Return the address of last time, "" when none is known."""
    return next((one.value for one in memory_of(tracker).of(FACT, "address")), "")


class ValidateAddressForm(TakesOrder):
    """Takes an order, and an address only for one that is not packed yet."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_address_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[str]:
        """Leave the address out where it could not be changed. Raises StoreDown."""
        number = read_number(tracker.slots.get("order_number"))
        try:
            order = await find_order(number) if number else None
        except OUT_OF_REACH:
            order = None
        if order is not None and order.status != PLACED:
            return [slot for slot in domain_slots if slot not in ("new_address", "postcode")]
        address = tracker.slots.get("new_address")
        if address and not read_postcode(address, number):
            return domain_slots
        return [slot for slot in domain_slots if slot != "postcode"]

    async def extract_postcode(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what is said to the question for it; it is asked for once."""
        if tracker.slots.get("requested_slot") != "postcode" or self.begins(tracker):
            return {}
        text = short(tracker.latest_message.get("text"))
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        if read_postcode(text):
            return {"postcode": text}
        # Who does not know it says so in words that would end a form elsewhere.
        unknown = intent in ("deny", "stop") and _NOT_KNOWN.search(text)
        if unknown or _HAS_NONE.search(text):
            return {"postcode": _NONE}
        return {"postcode": text} if intent in _MAY_BE else {}

    def validate_postcode(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return it, and the address with it; a whole address takes the place of the first.

        What is no postcode ends the asking as well: there are countries without.
        """
        code, whole = read_postcode(slot_value), read_address(slot_value)
        before = str(tracker.slots.get("new_address"))
        address = whole or (f"{before} {code}" if code else before)
        return {"postcode": code or _NONE, "new_address": address}

    def validate_new_address(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the address as typed, or None, having said what is missing."""
        if asks(slot_value):
            dispatcher.utter_message(response="utter_ask_later")
            return {"new_address": None}
        address = read_address(slot_value)
        if address is None and _AS_LAST_TIME.search(str(slot_value)):
            address = remembered(tracker) or None
            if address is None and slot_value == _SAME:
                dispatcher.utter_message(response="utter_go_on")
                return {"new_address": None}
        if address is None:
            dispatcher.utter_message(response="utter_address_unclear")
        return {"new_address": address}


class ActionAskNewAddress(Action):
    """Asks for the address, and offers that of last time where one is known.

    It is shown as the rules want it; that it is the customer's own is proven before it is used.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_ask_new_address"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Ask. Raises StoreDown."""
        shown = (await memory_shown(tracker)).of(FACT, "address")
        before, number = (shown[0].value if shown else ""), tracker.slots.get("order_number")
        again, wanted = "utter_ask_new_address_again", "utter_new_address_wanted"
        response = again if before else wanted
        dispatcher.utter_message(response=response, address=before, number=number)
        return []


class ActionChangeAddress(Action):
    """Passes a new address on to a person, who knows whether it is proven whose order it is."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_change_address"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Pass it on, or say what can still be done. Raises StoreDown."""
        number = read_number(tracker.slots.get("order_number"))
        try:
            order = await find_order(number) if number else None
        except OUT_OF_REACH as error:
            log_out_of_reach(error)
            dispatcher.utter_message(response="utter_shop_wish_passed_on", number=number)
            why = _wanted(number, tracker) + "; the shop could not be asked about it"
            return [*handed(tracker, "address", why, "high"), SlotSet("order_number", None)]
        if order is not None and order.status == PLACED:
            why = _wanted(number, tracker)
            wanted = Wanted(self.name(), "address", why, "high", str(number))
            standing = await require(dispatcher, tracker, domain, "change_address", wanted)
            if standing.events is not None:
                return standing.events
            response = standing.response("utter_address_passed_on")
            dispatcher.utter_message(response=response, number=number)
            events = handed(tracker, "address", standing.with_why(why), "high")
            return [*events, SlotSet("order_number", None)]
        said = {DELIVERED: "utter_address_delivered", CANCELLED: "utter_order_cancelled_already"}
        status = order.status if order is not None else ""
        response = said.get(status, "utter_address_too_late")
        dispatcher.utter_message(response=response, number=number)
        return [SlotSet("order_number", None), *cleared(tracker)]


def _wanted(number: str | None, tracker: Tracker) -> str:
    """Return what the desk reads of it."""
    why = f"wants order {number} delivered to: “{tracker.slots.get('new_address')}”"
    return f"{why} (has no postcode)" if tracker.slots.get("postcode") == _NONE else why
