"""What is known of the message at hand, for everything that resolves it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mongoengine import Document
from rasa_sdk import Tracker

from actions.proving import cause_of
from actions.resolving.spoken import Spoken
from actions.rules import Rules, load_rules
from bot.llm.masking import parts_of_name
from bot.message import Address
from bot.store import AsyncStore, open_store
from bot.store.cases import Case
from bot.store.steps import Allowance, Step, Undertaking

_DEFAULT_STORE = "sqlite:var/bot.db"
_DOCUMENTS: tuple[type[Document], ...] = (Allowance, Case, Step, Undertaking)
#: Messages of the customer in which what he named still counts.
_SAID = 8
#: Hex digits of a name.
_ID = 12

_lock = threading.Lock()
_stores: dict[tuple[int, str], AsyncStore] = {}


def store() -> AsyncStore:
    """Return the store that ``FRONTDESK_STORE_URL`` names, opened once a process and URL."""
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _stores:
            _stores[key] = AsyncStore(open_store(url), _DOCUMENTS, threads=1)
        return _stores[key]


@dataclass(frozen=True)
class Matter:
    """A message: `turn` is its id, `at` when it came in seconds since 1970."""

    tracker: Tracker
    domain: Mapping[str, Any]
    conversation: str
    turn: str
    at: float
    language: str
    channel: str
    spoken: Spoken
    rules: Rules
    known: tuple[str, ...] = ()

    def response(self, name: str) -> str:
        """Return a response's name in the customer's language where designers wrote one."""
        own = f"{name}_{self.language}"
        return own if own in (self.domain.get("responses") or {}) else name

    def words(self, name: str, values: Mapping[str, str]) -> str:
        """Return the text of a response, for the model and for what is said later."""
        variants = (self.domain.get("responses") or {}).get(self.response(name)) or [{}]
        fitting = [one for one in variants if one.get("channel") in (None, self.channel)]
        text = str((fitting or variants)[0].get("text") or "")
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", value)
        return text


def matter_of(tracker: Tracker, domain: Mapping[str, Any]) -> Matter:
    """Return what is known of the message that an action runs for. Raises SettingsInvalid."""
    metadata = tracker.latest_message.get("metadata") or {}
    seen = metadata.get("perception") or {}
    said = [
        str(event.get("text") or "")
        for event in tracker.events
        if event.get("event") == "user" and not str(event.get("text") or "").startswith("/")
    ]
    last = str(tracker.latest_message.get("text") or "")
    if last and not last.startswith("/") and (not said or said[-1] != last):
        said.append(last)
    stamps = [e.get("timestamp") for e in tracker.events if e.get("event") == "user"]
    try:
        channel = Address.parse(str(tracker.sender_id)).channel
    except ValueError:
        channel = ""
    return Matter(
        tracker,
        domain,
        str(tracker.sender_id),
        cause_of(tracker),
        float(next((stamp for stamp in reversed(stamps) if stamp), None) or 0.0),
        str(seen.get("language") or "en"),
        channel,
        Spoken(said[-_SAID:]),
        load_rules(),
        parts_of_name(metadata.get("name")),
    )


def digest(*parts: object) -> str:
    """Return a short name for something, the same for the same."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_ID]
