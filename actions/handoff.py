"""The customer asks for a person, and gets one."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.forms import cleared


def handed(tracker: Tracker, topic: str, why: str, priority: str) -> list[dict[str, Any]]:
    """Return the events by which a person takes over, see `bot.dialogue.contract.Handoff`.

    A form ends with it: who is being passed on must not be asked for an order number.
    """
    events = [
        SlotSet("handoff", {"topic": topic, "why": why, "priority": priority}),
        *cleared(tracker),
    ]
    if (tracker.active_loop or {}).get("name"):
        events += [ActiveLoop(None), SlotSet("requested_slot", None)]
    return events


class ActionHandoff(Action):
    """Gives the conversation to the team; the turn does the rest, see `bot.desk.handoff`."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_handoff"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say that a person takes over."""
        dispatcher.utter_message(response="utter_handoff")
        # Whose code did not come asks for a person about what the code was for.
        waits = tracker.slots.get("proof") or {}
        why = "; ".join(("asked for a person", *([waits["why"]] if waits.get("why") else [])))
        topic, priority = waits.get("topic") or "human", waits.get("priority") or "normal"
        return handed(tracker, topic, why, priority)
