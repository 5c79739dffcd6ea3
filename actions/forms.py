"""What all forms have in common: patience, an end, and nothing left behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.memory import memory_of
from bot.memory.contract import ORDER

#: What forms fill, beside the order number: forgotten when they are done with.
FILLED = (
    "confirmed",
    "new_address",
    "return_item",
    "return_reason",
    "exchange_for",
    "refund_reason",
    "refund_amount",
    "problem",
    "problem_details",
    "email",
    "data_wish",
    "complaint",
    "contact",
    "attempts",
    # What waits for a proof, see actions/proving.py.
    "proof",
    "proof_code",
)
#: After so many answers in a row that could not be taken, a person is offered.
_PATIENCE = 2
#: Other orders that are offered by their numbers.
_OFFERED = 3
_PERSON = {"title": "Talk to a person", "payload": "/human"}


def cleared(tracker: Tracker, *more: str) -> list[dict[str, Any]]:
    """Return the events that forget what forms have filled, and slots that are named."""
    return [SlotSet(name, None) for name in (*FILLED, *more) if tracker.slots.get(name) is not None]


class Patient(FormValidationAction, ABC):
    """A form's validation that offers a person when it does not get what it asks for."""

    @abstractmethod
    def name(self) -> str:
        """Return the action's name in the domain."""

    async def get_validation_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what is taken, with the count of attempts at what is not."""
        wanted = tracker.slots.get("requested_slot")
        said = wanted in tracker.slots_to_validate()
        events: list[dict[str, Any]] = await super().get_validation_events(
            dispatcher, tracker, domain
        )
        if not said:
            return events
        before = tracker.slots.get("attempts") or {}
        if any(e.get("name") == wanted and e.get("value") is not None for e in events):
            return [*events, SlotSet("attempts", None)] if before else events
        number = 1 + (int(before["number"]) if before.get("slot") == wanted else 0)
        if number >= _PATIENCE and dispatcher.messages:
            buttons = dispatcher.messages[-1].get("buttons") or []
            dispatcher.messages[-1]["buttons"] = [*buttons, dict(_PERSON)]
        return [*events, SlotSet("attempts", {"slot": wanted, "number": number})]


class ActionLeaveForm(Action):
    """The customer would rather not: what was asked for is forgotten."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_leave_form"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say that it is stopped, or goodbye."""
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        response = "utter_goodbye" if intent == "goodbye" else "utter_form_stopped"
        dispatcher.utter_message(response=response)
        return cleared(tracker, "order_number")


class ActionOtherOrder(Action):
    """“No, the other order”: what was not said anew is forgotten, and asked for again."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_other_order"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say so, unless the other number came with it."""
        entities = tracker.latest_message.get("entities") or []
        if any(entity.get("entity") == "order_number" for entity in entities):
            return []
        now = tracker.slots.get("order_number")
        known = [one.value for one in memory_of(tracker).of(ORDER) if one.value != now]
        # What is read as if it had been written: the button is the number.
        buttons = [{"title": number, "payload": number} for number in known[:_OFFERED]]
        dispatcher.utter_message(response="utter_other_order", buttons=buttons)
        return [SlotSet("order_number", None)]
