"""Questions that were not answered, put together, and how people answered them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.knowledge.clusters import group
from bot.knowledge.importing.cases import agent_messages, nameless
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import RESOLVED, Case
from bot.store.gaps import Gap
from bot.store.messages import Message

#: For how long after a question what people write is taken to be about it.
ANSWERED_WITHIN = timedelta(days=7)
#: A row for each text, of length 1: lists, or an array of numpy.
Vectors = Any
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """Gaps that are one question; `question` is the one most like all others.

    `customers` counts conversations, `why` the reasons of `bot.store.gaps`, `languages` are
    the commonest first. `since` and `last` are when it was asked first and last.
    """

    question: str
    count: int
    customers: int
    languages: tuple[str, ...]
    since: datetime
    last: datetime
    why: Mapping[str, int]
    members: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """How people answered one gap: what they wrote, and what they noted when they closed it.

    Personal data are masked.
    """

    gap: str
    said: tuple[str, ...]
    noted: str = ""


async def open_gaps(store: AsyncStore, limit: int = _MOST) -> list[Gap]:
    """Return the gaps that nobody has closed, the newest first. Raises StoreDown."""
    return await store.find(Gap, {"closed": None}, sort=("-at",), limit=limit)


def cluster(gaps: Sequence[Gap], vectors: Vectors | None = None) -> list[Cluster]:
    """Put gaps together that are one question, the most asked first.

    `vectors` are unit embeddings, one a gap, in their order; without them words and letters
    are compared, within a language. The order of `gaps` does not matter.
    """
    order = sorted(range(len(gaps)), key=lambda n: (gaps[n].at, gaps[n].id))
    rows = [gaps[n] for n in order]
    groups = group(
        [row.question for row in rows],
        None if vectors is None else [vectors[n] for n in order],
        [row.language or "" for row in rows],
    )
    return [_cluster([rows[n] for n in members]) for members in groups]


def _cluster(rows: list[Gap]) -> Cluster:
    languages = Counter(row.language for row in rows if row.language)
    return Cluster(
        question=rows[0].question,
        count=len(rows),
        customers=len({row.conversation for row in rows}),
        languages=tuple(sorted(languages, key=lambda code: (-languages[code], code))),
        since=min(row.at for row in rows),
        last=max(row.at for row in rows),
        why=dict(sorted(Counter(row.why for row in rows).items())),
        members=tuple(rows),
    )


async def close(store: AsyncStore, cluster: Cluster) -> int:
    """Close the gaps of a cluster; return how many were still open. Raises StoreDown."""
    now = utcnow()
    closed = 0
    for row in cluster.members:
        where = {"id": row.id, "closed": None}
        closed += await store.change(Gap, where, set={"closed": now}) is not None
    return closed


async def resolutions(
    store: AsyncStore, gaps: Sequence[Gap], redact: Callable[[str], str]
) -> list[Resolution]:
    """Return how people answered these gaps, those that nobody answered left out.

    `redact` masks personal data; the customer's name is masked beside. Raises StoreDown.
    """
    found = []
    for gap in gaps:
        asked = await store.get(Message, gap.id)
        began = asked.arrived if asked is not None else _micros(gap.at)
        end = began + _micros(ANSWERED_WITHIN)
        after = await store.find(
            Gap, {"conversation": gap.conversation, "at": {"$gt": gap.at}}, sort=("at",), limit=1
        )
        if after:
            # What comes after the customer's next question is about that one.
            end = min(end, _micros(after[0].at))
        said = await agent_messages(store, gap.conversation, began, end)
        noted = await _noted(store, gap, end)
        name = str((asked.profile or {}).get("name") or "") if asked is not None else ""

        def clean(text: str, name: str = name) -> str:
            return redact(nameless(text, name))

        if said or noted:
            found.append(Resolution(gap.id, tuple(map(clean, said)), clean(noted)))
    return found


async def _noted(store: AsyncStore, gap: Gap, end: int) -> str:
    where = {"conversation": gap.conversation, "at": {"$gte": gap.at}}
    for case in await store.find(Case, where, sort=("at",), limit=5):
        if case.status == RESOLVED and case.resolution and _micros(case.at) <= end:
            return str(case.resolution)
    return ""


def _micros(when: datetime | timedelta) -> int:
    seconds = when.timestamp() if isinstance(when, datetime) else when.total_seconds()
    return round(seconds * 1_000_000)
