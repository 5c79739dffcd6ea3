"""The question how it was, put by native buttons, and its answer."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from bot.desk.journal import note_down
from bot.desk.routing import Routing
from bot.message import RATE, Choice, Choices, Content, Option, utcnow
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.journal import RATED, Entry

_MOST = 5
_STAR = "★"
# For so long a customer may think better of it.
_SECOND_THOUGHTS = timedelta(days=1)


def question(routing: Routing, language: str, case: str) -> Choices:
    """Return the question about a case; its text is "" when the routing file has none."""
    # One star first: where buttons become numbered lines the number is the rating.
    options = tuple(
        Option(_STAR * stars, RATE + json.dumps({"case": case, "stars": stars}))
        for stars in range(1, _MOST + 1)
    )
    return Choices(routing.says("rating", language), options)


def read(content: Content) -> tuple[str, int] | None:
    """Return the case and the stars, 1 to 5, of a customer's answer; None for anything else."""
    if not isinstance(content, Choice) or not content.payload.startswith(RATE):
        return None
    try:
        said = json.loads(content.payload[len(RATE) :])
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    case, stars = said.get("case"), said.get("stars")
    if not isinstance(case, str) or not case or isinstance(stars, bool):
        return None
    return (case, stars) if isinstance(stars, int) and 1 <= stars <= _MOST else None


async def record(
    store: AsyncStore, conversation: str, case: str, stars: int, *, by: str, name: str = ""
) -> bool:
    """Keep a customer's rating of a case; `by` is the id of the message that gave it.

    False when it does not count: the case is of another conversation, or was rated more than
    a day ago and not closed again since. The same message counts once, a later one instead of it.
    """
    found = await store.get(Case, case)
    if found is None or found.conversation != conversation or not 1 <= stars <= _MOST:
        return False
    now = utcnow()
    if await store.get(Entry, f"rated:{by}") is not None:
        return True
    before = _rated(found)
    if before is not None and now - before > _SECOND_THOUGHTS:
        return False
    # What is overwritten keeps its time, or second thoughts would have no end.
    first = before or now
    await store.change(Case, {"id": case}, set={"rating": stars, "rated_at": first})
    await note_down(
        store,
        f"rated:{by}",
        RATED,
        conversation,
        case=case,
        name=name,
        text=_STAR * stars,
        details={"stars": stars},
    )
    return True


def _rated(case: Case) -> datetime | None:
    """Return when a case was rated; None when it was not since it was closed."""
    if not case.rating or case.rated_at is None:
        return None
    if case.resolved is not None and case.rated_at < case.resolved:
        return None
    at: datetime = case.rated_at
    return at
