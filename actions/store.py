"""The store: when it is open, and the way to it."""

from __future__ import annotations

import os
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.message import utcnow

ZONE = ZoneInfo("Europe/London")
_WEEKDAY = time(9), time(18)
#: Opening and closing by weekday, Monday first; None is closed all day.
HOURS: tuple[tuple[time, time] | None, ...] = (*[_WEEKDAY] * 5, (time(10), time(16)), None)


def open_until(at: datetime) -> time | None:
    """Return when the store closes, in its own time, if it is open at `at`; else None."""
    there = at.astimezone(ZONE)
    today = HOURS[there.weekday()]
    if today and today[0] <= there.time() < today[1]:
        return today[1]
    return None


def picture(name: str) -> str | None:
    """Return the URL of a picture in ``bot/static``; None where customers cannot reach it."""
    url = os.environ.get("FRONTDESK_PUBLIC_URL", "").rstrip("/")
    return f"{url}/static/{name}" if url.startswith(("http://", "https://")) else None


class ActionOpeningHours(Action):
    """Says when the store is open, and whether it is now."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_opening_hours"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it, with a picture of the sign on the door."""
        closes = open_until(utcnow())
        if closes:
            dispatcher.utter_message(response="utter_opening_hours_open", closes=f"{closes:%H:%M}")
        else:
            dispatcher.utter_message(response="utter_opening_hours_closed")
        sign = picture("opening-hours.png")
        if sign:
            dispatcher.utter_message(image=sign)
        return []


class ActionStoreLocation(Action):
    """Says where the store is."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_store_location"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it, with a map."""
        dispatcher.utter_message(response="utter_store_location")
        plan = picture("store-map.png")
        if plan:
            dispatcher.utter_message(image=plan)
        return []
