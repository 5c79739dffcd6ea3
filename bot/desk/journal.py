"""Writing the journal, and reading a conversation as agents see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.message import clean, utcnow
from bot.store import AsyncStore
from bot.store.journal import Entry
from bot.store.messages import arrival


async def note_down(
    store: AsyncStore,
    id: str,
    kind: str,
    conversation: str,
    *,
    case: str = "",
    agent: str = "",
    name: str = "",
    via: str = "rule",
    text: str = "",
    details: Mapping[str, Any] | None = None,
) -> bool:
    """Write an entry of the journal, see `bot.store.journal`; False when it is there already."""
    (new,) = await store.insert_new(
        [
            Entry(
                id=id,
                kind=kind,
                conversation=conversation,
                case=case,
                agent=agent,
                name=name,
                via=via,
                text=clean(text),
                details=dict(details or {}),
                at=utcnow(),
                arrived=arrival(),
            )
        ]
    )
    return new
