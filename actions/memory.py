"""What actions know of the customer: `bot.memory`, as the turn found it."""

from __future__ import annotations

import os
import threading

from rasa_sdk import Tracker

from bot.identity import Person, customer_of
from bot.memory.contract import Memory
from bot.message import Address
from bot.store import AsyncStore, open_store
from bot.store.documents import DOCUMENTS

_DEFAULT_STORE = "sqlite:var/bot.db"

_lock = threading.Lock()
_stores: dict[tuple[int, str], AsyncStore] = {}


def memory_of(tracker: Tracker) -> Memory:
    """Return what is known of who wrote the last message."""
    metadata = tracker.latest_message.get("metadata") or {}
    return Memory.decode(metadata.get("memory"))


def store() -> AsyncStore:
    """Return the store that ``FRONTDESK_STORE_URL`` names, opened once a process and URL."""
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _stores:
            _stores[key] = AsyncStore(open_store(url), DOCUMENTS, threads=1)
        return _stores[key]


async def person_of(tracker: Tracker) -> Person | None:
    """Return who writes, None outside of our channels (``rasa shell``). Raises StoreDown."""
    try:
        here = Address.parse(str(tracker.sender_id))
    except ValueError:
        return None
    return await customer_of(store(), here)
