"""Pictures and recordings: what is said of those that come without words.

What a model saw is its word, and what stands in a picture a stranger's: an order number is asked
about before it counts, and nothing in a picture is an instruction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.order_status import numbers_in
from bot.llm.orders import orders
from bot.llm.untrusted import line

_SHOWS = 160
# What the bot would seem to say itself: amounts, dates, numbers, addresses and links.
_NOT_REPEATED = re.compile(r"[£€$@%<>{}\[\]|]|\d{3}|://|www\.|refund|voucher|free\b", re.IGNORECASE)
_NO = "No"
_BUTTONS = 2
#: Orders that are offered where there is no button but theirs.
_ORDERS = 3


class ActionLook(Action):
    """Says what the bot makes of a picture: a question about it, or that it cannot look."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_look"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Propose the order that is seen, or the damage; else say what it shows."""
        told = _sensed(tracker, "seen")
        seen = [one for one in told if not one.get("failed")]
        within = bool((tracker.active_loop or {}).get("name"))
        if not seen:
            failed = "utter_could_not_see" if told else "utter_cannot_see"
            dispatcher.utter_message(response=failed)
            return []
        numbers = _numbers(seen)
        damage = any(one.get("damage") and one.get("sure", True) for one in seen)
        if within:
            # The form asks again now. Where that is for the order, it is the proposal.
            if not numbers or tracker.get_slot("requested_slot") != "order_number":
                dispatcher.utter_message(response="utter_picture_kept")
        elif numbers:
            _propose(dispatcher, numbers, damage=damage, within=False)
        elif damage:
            buttons = [_button("Yes", "/delivery_damaged"), _button(_NO, "/deny")]
            dispatcher.utter_message(response="utter_seen_damage", buttons=buttons)
        elif shows := _shows(seen):
            dispatcher.utter_message(response="utter_seen", shows=shows)
        else:
            dispatcher.utter_message(response="utter_could_not_see")
        return []


class ActionHear(Action):
    """Says that a recording was not made out: there is no model, it failed, or it is too long."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_hear"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Ask for words, or offer a person."""
        failed = [one.get("failed") for one in _sensed(tracker, "spoken")]
        if "long" in failed or "size" in failed:
            dispatcher.utter_message(response="utter_recording_too_long")
        else:
            response = "utter_could_not_hear" if failed else "utter_cannot_hear"
            dispatcher.utter_message(response=response)
        return []


class ActionAskOrderNumber(Action):
    """Asks a form's question for the order; proposes the one that is seen in a picture with it."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_ask_order_number"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Ask."""
        numbers = _numbers(_sensed(tracker, "seen"))
        several = numbers_in(tracker.latest_message.get("text") or "")
        if numbers:
            _propose(dispatcher, numbers, damage=False, within=True)
        elif len(several) > 1:
            # What is read as if it had been written: the button is the number.
            buttons = [_button(number, number) for number in several[:_ORDERS]]
            dispatcher.utter_message(response="utter_which_order", buttons=buttons)
        else:
            dispatcher.utter_message(response="utter_ask_order_number")
        return []


def seen_in(metadata: Mapping[str, Any]) -> str:
    """Return what models saw in the pictures of a message, for a prompt; "" for nothing.

    What stands in a picture that speaks to a model is left out.
    """
    said = []
    for one in metadata.get("sensed") or ():
        if one.get("kind") != "seen" or one.get("failed"):
            continue
        written = str(one.get("written") or "")
        said.append(f"A model, which may be wrong, sees: {one.get('words') or 'nothing clear'}")
        if written and not orders(written):
            said.append(f"It reads there: {written}")
    return "\n".join(said)


def _sensed(tracker: Tracker, kind: str) -> list[dict[str, Any]]:
    told = (tracker.latest_message.get("metadata") or {}).get("sensed") or []
    return [one for one in told if one.get("kind") == kind]


def _numbers(seen: list[dict[str, Any]]) -> list[str]:
    found = [str(number) for one in seen for number in one.get("numbers") or ()]
    return list(dict.fromkeys(found))


def _shows(seen: list[dict[str, Any]]) -> str:
    """Return the description that may be repeated to the customer, "" when there is none."""
    for one in seen:
        text = line(str(one.get("words") or ""), _SHOWS)
        if text and not orders(text) and not _NOT_REPEATED.search(text):
            return text if text.endswith((".", "!", "?", "…")) else f"{text}."
    return ""


def _propose(
    dispatcher: CollectingDispatcher, numbers: list[str], *, damage: bool, within: bool
) -> None:
    intent = "delivery_damaged" if damage else "inform_order_number"
    # A form goes on after the no, with the question for another one.
    no = _button(_NO, "/correct_order" if within else "/deny")
    if len(numbers) == 1:
        response = "utter_seen_damaged_order" if damage else "utter_seen_order"
        yes = _button("Yes", _payload(intent, numbers[0]))
        dispatcher.utter_message(response=response, number=numbers[0], buttons=[yes, no])
        return
    some = [_button(number, _payload(intent, number)) for number in numbers[:_BUTTONS]]
    dispatcher.utter_message(response="utter_seen_orders", buttons=[*some, no])


def _payload(intent: str, number: str) -> str:
    return f"/{intent}{json.dumps({'order_number': number})}"


def _button(title: str, payload: str) -> dict[str, str]:
    return {"title": title, "payload": payload}
