"""The customer asks for a person, and gets one."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher


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
        handoff = {"topic": "human", "why": "asked for a person", "priority": "normal"}
        return [SlotSet("handoff", handoff)]
