"""“What?” to something that the bot has said: it is said in other words."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher


class ActionSayAgain(Action):
    """Explains what is asked for, within a form, and else how one talks to the bot.

    Within a form ``utter_explain_SLOT`` is said where designers wrote one. The form asks again
    after it.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_say_again"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it."""
        if not (tracker.active_loop or {}).get("name"):
            dispatcher.utter_message(response="utter_explain")
            return []
        own = f"utter_explain_{tracker.slots.get('requested_slot')}"
        response = own if own in (domain.get("responses") or {}) else "utter_explain_form"
        hint = str((tracker.slots.get("proof") or {}).get("hint") or "")
        dispatcher.utter_message(response=response, hint=hint)
        return []
