"""Something is wrong with what was ordered: late, lost, damaged, wrong, not all, or faulty."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.asking import OUT_OF_REACH, find_order, log_out_of_reach
from actions.backends.orders import CANCELLED, DELIVERED
from actions.forms import cleared, reason_of, take_words
from actions.handoff import handed
from actions.order_status import TakesOrder, facts, read_number, stage, told

LATE, LOST, FAULTY = "late", "lost", "faulty"
#: How a person reads what is wrong.
_WORDS = {
    LATE: "is late",
    LOST: "has not arrived, the customer says",
    "damaged": "arrived damaged",
    "wrong": "had a wrong item in it",
    "missing": "came incomplete",
    FAULTY: "has something in it that became faulty (warranty)",
}


class ValidateProblemForm(TakesOrder):
    """Takes an order, and what has happened where that is not said already."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_problem_form"

    async def required_slots(
        self,
        domain_slots: list[str],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[str]:
        """Leave the details out for a parcel that is not there: there are none."""
        if tracker.slots.get("problem") in (LATE, LOST):
            return [slot for slot in domain_slots if slot != "problem_details"]
        return domain_slots

    async def extract_problem_details(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what the first message tells at length."""
        return reason_of(self, tracker, "problem_details") if self.begins(tracker) else {}

    def validate_problem_details(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return what was told, or None when there is no word in it."""
        return {"problem_details": take_words(slot_value, dispatcher)}


class ActionReportProblem(Action):
    """Says what the stage of an order explains, and passes all else on to a person."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_report_problem"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Look at the order, answer or pass on. Raises StoreDown."""
        number = read_number(tracker.slots.get("order_number"))
        problem = str(tracker.slots.get("problem") or "")
        try:
            order = await find_order(number) if number else None
        except OUT_OF_REACH as error:
            log_out_of_reach(error)
            dispatcher.utter_message(response="utter_shop_wish_passed_on", number=number)
            return [*_passed_on(tracker, number, "not known"), SlotSet("order_number", None)]
        done = [SlotSet("order_number", None)]
        if order is None:
            dispatcher.utter_message(response="utter_order_not_found", number=number)
            return [*done, *cleared(tracker)]
        now = stage(order)
        not_there = problem in (LATE, LOST)
        if not_there and now not in ("overdue", DELIVERED):
            dispatcher.utter_message(response=told(order), **facts(order))
            if now != CANCELLED:
                dispatcher.utter_message(response="utter_not_overdue")
            return [*done, *cleared(tracker)]
        if problem == LATE and now == DELIVERED:
            dispatcher.utter_message(response="utter_order_delivered", **facts(order))
        dispatcher.utter_message(
            response="utter_search_passed_on" if not_there else "utter_problem_passed_on",
            number=number,
        )
        return [*_passed_on(tracker, number, now.replace("_", " ")), *done]


def _passed_on(tracker: Tracker, number: str | None, status: str) -> list[dict[str, Any]]:
    """Return the events by which a person gets what was told of a problem."""
    problem = str(tracker.slots.get("problem") or "")
    why = f"order {number} {_WORDS.get(problem, 'has a problem')}"
    details = tracker.slots.get("problem_details")
    if details:
        why += f": {details}"
    why += f" (status: {status})"
    return handed(tracker, "warranty" if problem == FAULTY else "delivery", why, "normal")
