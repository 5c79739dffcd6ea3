"""Actions of the small shop that fail, each in its own way."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

#: Lets the actions that hang go on, so that no thread outlives the tests.
RELEASE = threading.Event()
#: How many actions of a kind that waits for others are under way at once, at most.
MEETING: list[int] = []


class Greets(Action):
    """Not one that fails: a conversation begins with it."""

    def name(self) -> str:
        return "action_greet"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Any:
        dispatcher.utter_message(response="utter_greet")
        return []


class AsksNumber(Action):
    """Not one that fails: the form asks by it."""

    def name(self) -> str:
        return "action_ask_order_number"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Any:
        dispatcher.utter_message(response="utter_ask_order_number")
        return []


class Raises(Action):
    def name(self) -> str:
        return "action_opening_hours"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Any:
        dispatcher.utter_message(text="never to be sent")
        text = tracker.latest_message["text"]
        raise ValueError(f"cannot read {text}, password=hunter2")


class ReturnsNonsense(Action):
    def name(self) -> str:
        return "action_store_location"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Any:
        text = tracker.latest_message["text"]
        if "bus" in text:
            return ["nonsense"]
        if "map" in text:
            return [{"event": "slot", "name": 7}]
        if "address" in text:
            dispatcher.utter_message(image="/not/a/url")
            return []
        return 42


class Hangs(Action):
    def name(self) -> str:
        return "action_order_status"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Any:
        if tracker.get_slot("order_number") == "7777":
            await asyncio.sleep(20)
        MEETING.append(MEETING[-1] + 1 if MEETING else 1)
        await asyncio.sleep(0.05)
        MEETING.append(MEETING[-1] - 1)
        dispatcher.utter_message(text=f"order {tracker.get_slot('order_number')}")
        return [SlotSet("order_number", None)]


class HangsInAThread(FormValidationAction):
    def name(self) -> str:
        return "validate_order_form"

    def validate_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> dict[str, Any]:
        if value == "6666":
            raise LookupError(f"no {value}")
        if value == "5555":
            RELEASE.wait(20)
        if value == "4444":
            tracker.slots["order_number"] = "changed in place"
            tracker.events.clear()
            domain["forms"].clear()
        return {"order_number": value}
