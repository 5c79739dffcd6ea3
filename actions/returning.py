"""Sending things back, for money or for the same in another colour or size."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.asking import OUT_OF_REACH, find_order, log_out_of_reach
from actions.backends import returns
from actions.backends.contract import ShopOrder
from actions.backends.orders import CANCELLED, DELIVERED
from actions.backends.returns import BACK, EXCHANGE
from actions.forms import cleared, reason_of, take_words
from actions.handoff import handed
from actions.order_status import TakesOrder, read_number
from actions.proving import Wanted, cause_of, require
from bot.message import utcnow

#: Days after delivery: for money back, and for a gift card after that.
_DAYS, _LATE_DAYS = 30, 45


class _TakesWords:
    """For forms that ask for something in the customer's own words."""

    def _words(self, slot: str, value: Any, dispatcher: CollectingDispatcher) -> dict[str, Any]:
        return {slot: take_words(value, dispatcher)}


class ValidateReturnForm(TakesOrder, _TakesWords):
    """Takes an order, and what of it comes back only where it can."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_return_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[str]:
        """Ask no more of who cannot return anything of the order. Raises StoreDown."""
        return await _worth_asking(tracker, domain_slots)

    def validate_return_item(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what is to come back, as typed."""
        return self._words("return_item", value, dispatcher)

    async def extract_return_reason(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a reason that is told at once, or that ends a form elsewhere."""
        return reason_of(self, tracker, "return_reason")

    def validate_return_reason(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return why, as typed."""
        return self._words("return_reason", value, dispatcher)


class ValidateExchangeForm(TakesOrder, _TakesWords):
    """Takes an order, and what is wanted instead only where it can be had."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_exchange_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[str]:
        """Ask no more of who cannot exchange anything of the order. Raises StoreDown."""
        return await _worth_asking(tracker, domain_slots)

    def validate_exchange_for(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what is wanted, as typed."""
        return self._words("exchange_for", value, dispatcher)


class ActionRegisterReturn(Action):
    """Notes a return for the team, who send the label to the address that the order has."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_register_return"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Note it and pass it on, or say why it cannot be. Raises StoreDown."""
        what = str(tracker.slots.get("return_item") or "")
        why = str(tracker.slots.get("return_reason") or "")
        return await _noted(dispatcher, tracker, domain, BACK, what, why)


class ActionRegisterExchange(Action):
    """Notes an exchange for the team."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_register_exchange"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Note it and pass it on, or say why it cannot be. Raises StoreDown."""
        wanted = str(tracker.slots.get("exchange_for") or "")
        return await _noted(dispatcher, tracker, domain, EXCHANGE, wanted, "")


async def _noted(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: dict[str, Any],
    kind: str,
    what: str,
    why: str,
) -> list[dict[str, Any]]:
    number = read_number(tracker.slots.get("order_number"))
    topic = "return" if kind == BACK else "exchange"
    try:
        order = await find_order(number) if number else None
    except OUT_OF_REACH as error:
        log_out_of_reach(error)
        dispatcher.utter_message(response="utter_shop_wish_passed_on", number=number)
        told = f"{topic} of order {number}: {what}{'; because: ' if why else ''}{why}"
        told += "; the shop could not be asked about it"
        return [*handed(tracker, topic, told, "normal"), SlotSet("order_number", None)]
    against = _against(order, kind)
    if number is None or against:
        dispatcher.utter_message(response=against or "utter_order_not_found", number=number)
        return [SlotSet("order_number", None), *cleared(tracker)]
    action = "action_register_return" if kind == BACK else "action_register_exchange"
    asked = f"{topic} of something of order {number}: {what}"
    wanted = Wanted(action, topic, asked, number=number)
    standing = await require(dispatcher, tracker, domain, topic, wanted)
    if standing.events is not None:
        return standing.events
    noted = returns().register(cause_of(tracker), number, kind, what, why)
    response = standing.response(f"utter_{topic}_noted")
    if kind == BACK and _age(order) > _DAYS:
        response = "utter_return_noted_late"
    dispatcher.utter_message(response=response, number=number, reference=noted.reference)
    told = f"return {noted.reference}: {what}; because: {why}"
    if kind == EXCHANGE:
        told = f"exchange {noted.reference}: wants {what}"
    events = handed(tracker, topic, standing.with_why(told), "normal")
    return [*events, SlotSet("order_number", None)]


def _against(order: ShopOrder | None, kind: str) -> str:
    """Return the response that says why nothing of an order can come back, "" when it can."""
    if order is None:
        return "utter_order_not_found"
    if order.status == CANCELLED:
        return "utter_order_cancelled_already"
    if order.ruled(utcnow())[0] != DELIVERED:
        return "utter_return_not_yet"
    most = _LATE_DAYS if kind == BACK else _DAYS
    return "utter_return_too_late" if _age(order) > most else ""


def _age(order: ShopOrder | None) -> int:
    """Return the days since an order was delivered, 0 where that is not known."""
    delivered = order.ruled(utcnow())[1] if order is not None else None
    return int((utcnow() - delivered).days) if delivered is not None else 0


async def _worth_asking(tracker: Tracker, slots: list[str]) -> list[str]:
    number = read_number(tracker.slots.get("order_number"))
    try:
        order = await find_order(number) if number else None
    except OUT_OF_REACH:
        return slots
    kind = EXCHANGE if "exchange_for" in slots else BACK
    if order is not None and _against(order, kind):
        return [slot for slot in slots if slot == "order_number"]
    return slots
