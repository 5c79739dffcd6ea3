"""A tour of what the customer's channel can show: one message of each kind."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.store import picture
from bot.message import Reaction, encode

#: Responses of the domain, in the order of the tour. Those that need a file are given its
#: URL as ``{file}`` and that of the folder as ``{files}``, or left out where customers
#: cannot reach any.
STOPS: tuple[tuple[str, str], ...] = (
    ("utter_tour_text", ""),
    ("utter_tour_image", "mug-blue.png"),
    ("utter_tour_audio", "jingle.mp3"),
    ("utter_tour_voice", "greeting.ogg"),
    ("utter_tour_video", "parcel.mp4"),
    ("utter_tour_document", "returns.pdf"),
    ("utter_tour_sticker", "smile.webp"),
    ("utter_tour_location", ""),
    ("utter_tour_contact", ""),
    ("utter_tour_cards", "mug-blue.png"),
    ("utter_tour_template", ""),
    ("utter_tour_products", ""),
    ("utter_tour_ask_location", ""),
    ("utter_tour_link", ""),
    ("utter_tour_menu", ""),
    ("utter_tour_buttons", ""),
)


class ActionTour(Action):
    """Sends one message of each kind; channels show what they have no form for as text."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_tour"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it all, and put a heart on the message that asked for it."""
        asked = str(tracker.latest_message.get("message_id") or "").split(":", 2)
        if len(asked) == 3:
            dispatcher.utter_message(json_message=encode(Reaction(asked[2], "❤")))
        for response, file in STOPS:
            url = picture(file) if file else ""
            if url is not None:
                files = url.rsplit("/", 1)[0]
                dispatcher.utter_message(response=response, file=url, files=files)
        return []
