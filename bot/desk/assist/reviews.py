"""What agents made of the drafts that they were shown."""

from __future__ import annotations

from bot.message import clean, utcnow
from bot.store import AsyncStore
from bot.store.reviews import DISCARDED, EDITED, SENT, SHOWN, Review


async def decide(store: AsyncStore, review: str, agent: str, text: str) -> Review | None:
    """Note that `agent` sent `text` in place of a draft; None when there is no such review.

    The outcome is SENT when nothing but spaces differs from the draft, else EDITED. What
    was decided first stays so, and is returned.
    """
    row = await store.get(Review, review)
    if row is None:
        return None
    said = clean(text)
    same = said.split() == str(row.draft).split()
    return await _settled(store, row, agent, SENT if same else EDITED, said)


async def discard(store: AsyncStore, review: str, agent: str) -> Review | None:
    """Note that `agent` wants nothing of a draft; None when there is no such review."""
    row = await store.get(Review, review)
    return None if row is None else await _settled(store, row, agent, DISCARDED, "")


async def _settled(
    store: AsyncStore, row: Review, agent: str, outcome: str, said: str
) -> Review | None:
    if row.outcome != SHOWN:
        return row
    done = await store.change(
        Review,
        {"id": row.id, "outcome": SHOWN},
        set={"outcome": outcome, "sent": said, "agent": agent, "decided": utcnow()},
    )
    return done or await store.get(Review, row.id)
