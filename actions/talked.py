"""What “it” is: the order, or the product, that was spoken of last.

“Why is it so late?” names no number, and needs none right after it was told where the order is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet

from bot.message import utcnow

#: The slots that hold it.
ORDER, PRODUCT = "last_order", "last_product"
#: After so long without a word of it, nobody is sure what “it” was.
_PAUSE = timedelta(hours=1)


def spoken(value: str, **more: Any) -> dict[str, Any]:
    """Return what a slot holds of something spoken of now; `more` is what was wanted of it."""
    return {**more, "value": value, "at": utcnow().isoformat(timespec="seconds")}


def last(tracker: Tracker, slot: str) -> dict[str, Any]:
    """Return what was spoken of last, empty without anything or after a long pause."""
    told = tracker.slots.get(slot)
    if not told or utcnow() - datetime.fromisoformat(told["at"]) > _PAUSE:
        return {}
    return dict(told)


def last_order(tracker: Tracker) -> str:
    """Return the number of the order spoken of last, "" for none."""
    return str(last(tracker, ORDER).get("value") or "")


def of_product(name: str) -> dict[str, Any]:
    """Return the event that notes that a product is spoken of."""
    event: dict[str, Any] = SlotSet(PRODUCT, spoken(name))
    return event


def named(tracker: Tracker, entity: str) -> list[str]:
    """Return the values of an entity in the last message, each once, in order."""
    found = tracker.latest_message.get("entities") or []
    return list(dict.fromkeys(str(e["value"]) for e in found if e.get("entity") == entity))
