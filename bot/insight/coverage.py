"""What live traffic used in the last days, and what of the files it never used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bot.dialogue.checking import names
from bot.dialogue.checking.finding import Place
from bot.dialogue.why.matching import Sources, sources_of
from bot.insight import tally as t
from bot.insight.counting import Counting
from bot.insight.rollup import day_of
from bot.insight.tally import Tally
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.usage import DAY, MARK, SLICE, Usage, UsageMark

#: Days that may be asked for.
SPANS = (1, 7, 30)
# What no worker has counted yet is counted for the asker: not more turns than this, and not anew
# within so many seconds.
_TAIL, _FRESH = 500, 10.0
_LAGS = timedelta(minutes=30)


class Coverage:
    """Coverage for one process. `root` is the project's folder."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._store = store
        self._root = root
        self._counting = Counting(store, root)
        self._tail: tuple[float, datetime, Tally, bool] | None = None
        self._one = asyncio.Lock()

    async def read(self, days: int) -> dict[str, Any]:
        """Return what was used today and the `days` before it but one, as plain values.

        Of intents, rules, stories, responses, forms and actions: ``{name, count, last, place,
        known}``, `last` in milliseconds since 1970, `place` ``file:line``; of intents also `mean`
        confidence and `low`, see `bot.insight.tally`. `counted` is up to when all is counted,
        None when no worker ever did, and `behind` that workers still count what was before. `blind`
        are messages counted by workers without the files, whose rules and stories nobody knows.
        Raises StoreDown.
        """
        now = utcnow()
        since = day_of(now - timedelta(days=days - 1))
        # First the pieces: one that is gone by then is in the day's row.
        rows = await self._store.find(Usage, {"span": SLICE, "day": {"$gte": since}})
        whole = await self._store.find(Usage, {"span": DAY, "day": {"$gte": since}})
        closed = {one.day for one in whole}
        rows = [*whole, *(one for one in rows if one.day not in closed)]
        mark = await self._store.get(UsageMark, MARK)
        begin = _midnight(since)
        tail, behind = Tally(), False
        if mark is None or now - mark.upto < _LAGS:
            tail, behind = await self._uncounted(max(begin, mark.upto) if mark else begin)
        else:
            behind = True
        sources = await asyncio.to_thread(sources_of, self._root)
        told = await asyncio.to_thread(_told, rows, tail, sources, day_of(now))
        return {
            "days": days,
            "since": since,
            "counted": _ms(mark.upto) if mark else None,
            "behind": behind,
            "files": bool(sources.told or sources.domain.intents),
            **told,
        }

    async def _uncounted(self, begin: datetime) -> tuple[Tally, bool]:
        async with self._one:
            kept = self._tail
            if kept and kept[1] == begin and time.monotonic() < kept[0] + _FRESH:
                return kept[2], kept[3]
            end = utcnow() + timedelta(minutes=1)
            tally, done = await self._counting.count(begin, end, _TAIL)
            self._tail = (time.monotonic(), begin, tally, done >= _TAIL)
            return tally, done >= _TAIL


def _told(rows: Iterable[Usage], tail: Tally, sources: Sources, today: str) -> dict[str, Any]:
    total = Tally()
    days: dict[str, Tally] = {}
    for one in rows:
        days.setdefault(one.day, Tally()).merge(one.rows or ())
    days.setdefault(today, Tally()).merge(tail.rows())
    for part in days.values():
        total.merge(part.rows())
    domain = sources.domain
    actions = total.of(t.ACTION)
    told = {
        kind: {one.name: one.at for one in sources.told if one.kind == kind}
        for kind in (t.RULE, t.STORY)
    }
    forms = {name: form.at for name, form in domain.forms.items()}
    # A response is what was said, a form's validation runs with its form, and what is Rasa's own
    # stands in no file.
    passed = {*forms, *domain.responses, *names.ACTIONS, *(f"validate_{name}" for name in forms)}
    own = {name: at for name, at in domain.actions.items() if name not in passed}
    did = {
        name: numbers
        for name, numbers in actions.items()
        if name not in passed and not name.startswith("utter_")
    }
    return {
        "turns": _count(total, t.TURNS),
        "conversations": _count(total, t.NEW),
        "blind": _count(total, t.BLIND),
        "by": _shares(total, t.BY),
        "languages": _shares(total, t.LANGUAGE),
        "channels": _shares(total, t.CHANNEL),
        "daily": [
            [day, _count(one, t.TURNS), one.found.get((t.BY, t.HANDED), [0])[0]]
            for day, one in sorted(days.items())
        ],
        "intents": _listed(total.of(t.INTENT), domain.intents),
        "rules": _listed(total.of(t.RULE), told[t.RULE]),
        "stories": _listed(total.of(t.STORY), told[t.STORY]),
        "responses": _listed(total.of(t.RESPONSE), domain.responses),
        "forms": _listed({n: v for n, v in actions.items() if n in forms}, forms),
        "actions": _listed(did, own),
    }


def _listed(used: Mapping[str, list[int]], known: Mapping[str, Place]) -> list[dict[str, Any]]:
    """Return what was used or is in the files, what was used most first."""
    found = []
    for name in {*used, *known}:
        count, last, written, sure, low = used.get(name, [0] * 5)
        at = known.get(name)
        found.append(
            {
                "name": name,
                "count": count,
                "last": last,
                "mean": round(sure / written / 1000, 3) if written else None,
                "written": written,
                "low": low,
                "place": f"{at.file}:{at.line}" if at else "",
                "known": at is not None,
            }
        )
    return sorted(found, key=lambda one: (-int(str(one["count"])), str(one["name"])))


def _shares(total: Tally, kind: str) -> list[list[Any]]:
    counted = [[name, numbers[t.COUNT]] for name, numbers in total.of(kind).items()]
    return sorted(counted, key=lambda one: (-one[1], one[0]))


def _count(one: Tally, kind: str) -> int:
    return one.found.get((kind, ""), [0])[t.COUNT]


def _midnight(day: str) -> datetime:
    return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=timezone.utc)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
