"""Matters of policy: the article that answers just this question, else the matter in short."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import ActionAnswer


class ActionTopic(ActionAnswer):
    """Answers from the articles; where none answers well, says ``utter_about_INTENT``."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_topic"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say the answer or the summary."""
        intent = (tracker.latest_message.get("intent") or {}).get("name")
        summary = f"utter_about_{intent}"
        said = CollectingDispatcher()
        events = await self.from_articles(said, tracker, domain)
        found = next((e["value"] for e in events if e.get("name") == "answered"), None) or {}
        handed = any(e.get("name") == "handoff" for e in events) and not found
        if handed or found.get("how") in ("model", "quote"):
            dispatcher.messages.extend(said.messages)
            return events
        if summary not in (domain.get("responses") or {}):
            dispatcher.messages.extend(said.messages)
            return events
        dispatcher.utter_message(response=summary)
        return [SlotSet("answered", None)]
