"""What all forms have in common: patience, an end, and nothing left behind."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Any, ClassVar

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.memory import memory_of
from actions.talked import ORDER as LAST_ORDER
from actions.talked import last, named
from actions.texts import asks, changed_mind, read_words, told_already
from bot.memory.contract import ORDER
from bot.message import utcnow

#: What forms fill, beside the order number: forgotten when they are done with.
FILLED = (
    "confirmed",
    "new_address",
    "postcode",
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
    # The form that one of `ASIDE` came into.
    "interrupted",
)
#: Forms that only tell something: what came before them goes on after them.
ASIDE = ("order_form", "stock_form")
#: After so many answers in a row that could not be taken, a person is offered.
PATIENCE = 2
#: Other orders that are offered by their numbers.
_OFFERED = 3
#: “The other order” is one that was asked about so long ago at most.
_OF_LATE = timedelta(days=1)
_THE_OTHER = re.compile(r"\bother\b", re.IGNORECASE)
_PERSON = {"title": "Talk to a person", "payload": "/human"}


def cleared(tracker: Tracker, *more: str) -> list[dict[str, Any]]:
    """Return the events that forget what forms have filled, and slots that are named."""
    return [SlotSet(name, None) for name in (*FILLED, *more) if tracker.slots.get(name) is not None]


def take_words(value: object, dispatcher: CollectingDispatcher) -> str | None:
    """Return what was told in the customer's own words, or None, having said what is wrong."""
    told = None if asks(value) else read_words(value)
    if told is None:
        later = asks(value)
        dispatcher.utter_message(response="utter_ask_later" if later else "utter_words_unclear")
    return told


def reason_of(form: Patient, tracker: Tracker, slot: str) -> dict[str, Any]:
    """Return the answer to a slot that asks why, where it is not read by the slot's mappings.

    That is “changed my mind”, and what is told at length in the message that begins the form.
    """
    text = tracker.latest_message.get("text")
    if form.begins(tracker) and not tracker.slots.get(slot):
        told = told_already(text)
        return {slot: told} if told else {}
    wanted = tracker.slots.get("requested_slot") == slot
    return {slot: text} if wanted and changed_mind(text) else {}


def offer_person(dispatcher: CollectingDispatcher) -> None:
    """Put the button for a person to the last message."""
    buttons = dispatcher.messages[-1].get("buttons") or []
    dispatcher.messages[-1]["buttons"] = [*buttons, dict(_PERSON)]


def begun_with(form: str, **slots: Any) -> list[dict[str, Any]]:
    """Return the events by which a form begins with these answers, whatever the message names."""
    given = [SlotSet(name, value) for name, value in slots.items()]
    by = {"form": form, "kept": slots, "goes_on": True}
    return [SlotSet("interrupted", by), *given, FollowupAction(form)]


def resumed(tracker: Tracker) -> list[dict[str, Any]]:
    """Return the events by which the form goes on that was interrupted, none without one."""
    by = tracker.slots.get("interrupted")
    return begun_with(by["form"], **by["kept"]) if by else []


class Patient(FormValidationAction, ABC):
    """A form's validation that offers a person when it does not get what it asks for.

    A form that begins within another either only tells something (`ASIDE`), and the other goes
    on after it, or is what the customer wants instead, and the other's answers are forgotten.
    """

    #: Slots that are taken when they are said and never asked for: Rasa wants each slot that a
    #: form's mappings fill among the form's own.
    unasked: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def name(self) -> str:
        """Return the action's name in the domain."""

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[str]:
        """Return what is to be asked for."""
        return [slot for slot in domain_slots if slot not in self.unasked]

    async def get_validation_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what is taken, with the count of attempts at what is not."""
        begins = self._begins(tracker, domain)
        events = await self._taken(dispatcher, tracker, domain)
        return [*begins, *events]

    def begins(self, tracker: Tracker) -> bool:
        """Tell whether the form begins with this message."""
        return self._before(tracker) is not None

    def _before(self, tracker: Tracker) -> str | None:
        """Return the form that this one began within, "" for none; None where it goes on."""
        begun = False
        for event in reversed(tracker.events):
            if event.get("event") == "active_loop":
                if begun:
                    return str(event.get("name") or "")
                if event.get("name") != self.form_name():
                    return None
                begun = True
            elif event.get("event") == "user" and not begun:
                return None
        return "" if begun else None

    def goes_on(self, tracker: Tracker) -> bool:
        """Tell whether the form begins with what an action has given it."""
        by = tracker.slots.get("interrupted") or {}
        return bool(by.get("goes_on") and by.get("form") == self.form_name())

    def _begins(self, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        before = self._before(tracker)
        if before is None:
            return []
        asked = (domain.get("forms") or {}).get(before, {}).get("required_slots", [])
        if not before or before in ASIDE:
            return [SlotSet("interrupted", None)]
        if self.form_name() in ASIDE:
            # By now the slot may have the number that this form is about.
            mine = tracker.slots.get(LAST_ORDER) or {}
            kept = {"order_number": mine["value"]} if mine.get("form") == before else {}
            return [SlotSet("interrupted", {"form": before, "kept": kept})]
        taken = {*self.domain_slots(domain), "order_number"}
        left = [*asked, "interrupted", *(["proof"] if before == "proof_form" else [])]
        return [SlotSet(name, None) for name in left if name not in taken]

    async def _taken(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        wanted = tracker.slots.get("requested_slot")
        said = wanted in tracker.slots_to_validate()
        events: list[dict[str, Any]] = await super().get_validation_events(
            dispatcher, tracker, domain
        )
        if not said or self.begins(tracker):
            return events
        before = tracker.slots.get("attempts") or {}
        if any(e.get("name") == wanted and e.get("value") is not None for e in events):
            return [*events, SlotSet("attempts", None)] if before else events
        number = 1 + (int(before["number"]) if before.get("slot") == wanted else 0)
        if number >= PATIENCE and dispatcher.messages:
            offer_person(dispatcher)
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
        within = (tracker.active_loop or {}).get("name")
        before = last(tracker, LAST_ORDER)
        form = None if within else before.get("form")
        # The same is done with the other order.
        again = [SlotSet("problem", before["problem"])] if form and before.get("problem") else []
        if named(tracker, "order_number"):
            return [*again, FollowupAction(form)] if form else []
        now = tracker.slots.get("order_number") or before.get("value")
        known = [
            one.value
            for one in memory_of(tracker).of(ORDER)
            if one.value != now and utcnow() - one.at < _OF_LATE
        ]
        # “Another one” may be any, “the other one” of two is not.
        the = _THE_OTHER.search(str(tracker.latest_message.get("text") or ""))
        if len(known) == 1 and now and the:
            if within:
                return [SlotSet("order_number", known[0])]
            return [*again, *begun_with(form or "order_form", order_number=known[0])]
        # What is read as if it had been written: the button is the number.
        buttons = [{"title": number, "payload": number} for number in known[:_OFFERED]]
        dispatcher.utter_message(response="utter_other_order", buttons=buttons)
        forgotten = [SlotSet("order_number", None), SlotSet(LAST_ORDER, None), *again]
        return [*forgotten, FollowupAction(form)] if form else forgotten
