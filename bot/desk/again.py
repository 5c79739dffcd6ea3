"""A customer writes again after his case was closed: is it that case once more?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.desk.routing import Routing
from bot.store import AsyncStore
from bot.store.cases import OPEN, Case


async def last_closed(
    store: AsyncStore, routing: Routing, conversation: str, now: datetime
) -> Case | None:
    """Return the conversation's last case if it was closed so lately that it may be meant again."""
    where = {"conversation": conversation}
    found = await store.find(Case, where, sort=("-at",), limit=20)
    if any(case.status == OPEN for case in found):
        return None
    closed = [case for case in found if case.resolved is not None and not case.part_of]
    last = max(closed, key=lambda case: case.resolved, default=None)
    if last is None or now - last.resolved > routing.reopen_within:
        return None
    return last


def mark(case: Case) -> dict[str, Any]:
    """Return how a turn's decision names the case it opens again, so that it does so once."""
    return {"case": case.id, "opened": int(case.opened or 1)}
