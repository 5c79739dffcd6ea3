"""Several things in one message: what can be told is told at once, the rest one after the other."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.asking import OUT_OF_REACH, find_order, log_out_of_reach
from actions.forms import begun_with
from actions.order_status import facts, numbers_in, stage
from actions.rules import load_rules
from actions.talked import ORDER, spoken

#: A topic's button, what it means, and the words by which it is known. More special ones first.
TOPICS: tuple[tuple[str, str, str], ...] = (
    ("Cancel an order", "/cancel_order", r"cancel"),
    ("Change the address", "/change_address", r"address"),
    ("Refund", "/refund_status", r"refund|money back"),
    ("Return something", "/return_item", r"return|send (it |something )?back"),
    ("Exchange", "/exchange_item", r"exchange|swap"),
    ("Invoice", "/invoice", r"invoice|receipt|bill\b"),
    ("Promo code", "/promo_code", r"promo|code|coupon|voucher"),
    ("Password", "/password_reset", r"password|log ?in|sign ?in"),
    ("Damaged item", "/delivery_damaged", r"broken|damaged|crack|smashed"),
    ("Payment problem", "/payment_problem", r"declined|payment|charged|card\b"),
    ("Ways to pay", "/payment_methods", r"klarna|paypal|(google|apple) pay|pay (with|by)"),
    ("In stock?", "/stock", r"in stock|available|do you (have|sell|stock)"),
    ("Late parcel", "/delivery_late", r"\blate\b|delay|overdue|hasn.?t (come|arrived)"),
    (
        "Track an order",
        "/order_status",
        r"where('?s| is| are) (my )?(orders?|parcel|package|#?\d{4,6}\b)|track|status",
    ),
    ("Opening hours", "/opening_hours", r"opening|hours|open\b|close"),
    ("Find the store", "/store_location", r"where .*(store|shop)|located|directions"),
    ("Delete my data", "/delete_data", r"delete"),
)
#: As many as every channel can show as buttons.
_MOST = 3
#: What is about an order: the word on its button beside the number, and the form that asks first
#: whether that is right.
_OF_ORDERS = {
    "/cancel_order": ("Cancel", "cancel_form"),
    "/change_address": ("New address for", "address_form"),
    "/return_item": ("Return", "return_form"),
    "/exchange_item": ("Exchange", "exchange_form"),
    "/refund_request": ("Refund", "refund_form"),
    "/invoice": ("Invoice", ""),
    "/order_status": ("Track", ""),
    "/delivery_late": ("Late:", ""),
    "/delivery_damaged": ("Damaged:", ""),
}
_STATUS, _STOCK, _REFUND = "/order_status", "/stock", "/refund_status"
_CLAUSE = re.compile(r"[,;.!?\n]+(?:\s|$)|\b(?:and|then|also|plus)\b|[&+]", re.IGNORECASE)
_ASKS = re.compile(r"\b(where|when|status)\b", re.IGNORECASE)
#: Characters of a payload that are words to be read again.
_WORDS = 60


@dataclass(frozen=True, slots=True)
class Wish:
    """One of several things, with the number of the order that it is about, "" for none."""

    title: str
    payload: str
    number: str = ""

    @property
    def button(self) -> dict[str, str]:
        """Return the button that says it."""
        if not self.number:
            return {"title": self.title, "payload": self.payload}
        word, _ = _OF_ORDERS[self.payload]
        entities = json.dumps({"order_number": self.number})
        return {"title": f"{word} {self.number}", "payload": f"{self.payload}{entities}"}


class ActionSeveral(Action):
    """Tells where the orders are that it is asked for, and takes what else is wanted in turn."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_several"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Tell what can be told, go on with the one thing that is left, or ask which is first."""
        found = wishes_in(str(tracker.latest_message.get("text") or ""))
        told = [wish for wish in found if wish.payload == _STATUS and wish.number]
        left = [wish for wish in found if wish not in told]
        within = (tracker.active_loop or {}).get("name")
        by_number = load_rules().identity.need("order_status") != "proof"
        if len(found) > 1 and len(left) < 2 and told[:_MOST] == told and by_number and not within:
            return await self._both(dispatcher, told, left)
        if len(found) < 2:
            dispatcher.utter_message(response="utter_one_at_a_time")
            return []
        buttons = [wish.button for wish in found[:_MOST]]
        dispatcher.utter_message(response="utter_which_first", buttons=buttons)
        return []

    async def _both(
        self, dispatcher: CollectingDispatcher, told: list[Wish], left: list[Wish]
    ) -> list[dict[str, Any]]:
        for wish in told:
            try:
                order = await find_order(wish.number)
            except OUT_OF_REACH as error:
                log_out_of_reach(error)
                buttons = [one.button for one in (*told, *left)][:_MOST]
                dispatcher.utter_message(response="utter_which_first", buttons=buttons)
                return []
            if order is None:
                dispatcher.utter_message(response="utter_order_not_found", number=wish.number)
            else:
                dispatcher.utter_message(response=f"utter_order_{stage(order)}", **facts(order))
        events = [SlotSet(ORDER, spoken(told[-1].number, form="order_form"))]
        for wish in left:
            _, form = _OF_ORDERS.get(wish.payload, ("", ""))
            if form and wish.number:
                return [*events, *begun_with(form, order_number=wish.number)]
            dispatcher.utter_message(response="utter_and_the_other", buttons=[wish.button])
        return events


def wishes_in(text: str) -> list[Wish]:
    """Return what a text asks for, in the order in which it comes, each with its own order.

    A number that comes alone is about what was said before it: “where are 1042 and 1046?”
    """
    found: list[Wish] = []
    for clause in _CLAUSE.split(text):
        numbers, topics = numbers_in(clause), topics_in(clause)
        if not topics and numbers and found and found[-1].number:
            topics = [(found[-1].title, found[-1].payload)]
        for title, payload in topics:
            if payload == _STOCK and len(clause) < _WORDS:
                payload = clause.strip()
            if payload == _REFUND and numbers and not _ASKS.search(clause):
                payload = "/refund_request"
            mine = numbers if payload in _OF_ORDERS else []
            found += [Wish(title, payload, number) for number in mine or [""]]
    return list(dict.fromkeys(found))


def topics_in(text: str) -> list[tuple[str, str]]:
    """Return title and payload of the topics in a text, in the order in which they come."""
    places = []
    for title, payload, words in TOPICS:
        found = re.search(words, text, re.IGNORECASE)
        if found:
            places.append((found.start(), title, payload))
    return [(title, payload) for _, title, payload in sorted(places)]
