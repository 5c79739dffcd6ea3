"""Several things in one message: one is taken after the other, and which first is asked."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

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
    ("In stock?", "/stock", r"in stock|available|do you (have|sell|stock)"),
    ("Late parcel", "/delivery_late", r"\blate\b|delay|overdue|hasn.?t (come|arrived)"),
    (
        "Track an order",
        "/order_status",
        r"where('?s| is) (my )?(order|parcel|package|#?\d{4,6}\b)|track|status",
    ),
    ("Opening hours", "/opening_hours", r"opening|hours|open\b|close"),
    ("Find the store", "/store_location", r"where .*(store|shop)|located|directions"),
    ("Delete my data", "/delete_data", r"delete"),
)
#: As many as every channel can show as buttons.
_MOST = 3


class ActionSeveral(Action):
    """Says that one thing is taken after the other, and offers those it has recognised."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_several"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Ask which comes first."""
        found = topics_in(str(tracker.latest_message.get("text") or ""))
        if len(found) < 2:
            dispatcher.utter_message(response="utter_one_at_a_time")
            return []
        buttons = [{"title": title, "payload": payload} for title, payload in found[:_MOST]]
        dispatcher.utter_message(response="utter_which_first", buttons=buttons)
        return []


def topics_in(text: str) -> list[tuple[str, str]]:
    """Return title and payload of the topics in a text, in the order in which they come."""
    places = []
    for title, payload, words in TOPICS:
        found = re.search(words, text, re.IGNORECASE)
        if found:
            places.append((found.start(), title, payload))
    return [(title, payload) for _, title, payload in sorted(places)]
