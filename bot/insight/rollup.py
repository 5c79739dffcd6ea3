"""Counts what traffic used, ten minutes at a time, in whichever worker comes first.

A piece is counted once it is over, whole and from the turns alone, so that a worker that dies in
the middle of it, or two that count it at once, change nothing. Days that are over become one row.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from bot.insight.counting import Counting
from bot.insight.tally import Tally
from bot.message import utcnow
from bot.process import is_dead, me
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.turns import Turn
from bot.store.usage import DAY, MARK, SLICE, Usage, UsageMark

log = logging.getLogger(__name__)

PIECE = timedelta(minutes=10)
#: A turn is in the store at most so long after its time: its insert, and clocks that differ.
GRACE = timedelta(minutes=2)
#: How much of what was before is counted when nothing was counted yet; how long counts are kept.
BACK, KEEP = timedelta(days=31), timedelta(days=400)
_LEASE = timedelta(minutes=2)
_FREE = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SHORTEST = 0.2


class Rollup(Rounds):
    """Counts for one worker process; any number may do so at once.

    `pace` is how many seconds lie between two looks when nothing is to be counted.
    """

    def __init__(
        self, store: AsyncStore, limits: Limits, root: Path = Path(), *, pace: float = 30.0
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._counting = Counting(store, root)
        self._pace = pace
        self._next = 0.0

    async def _round(self) -> None:
        began = time.monotonic()
        if began < self._next:
            return
        self._next = began + self._pace
        try:
            while await self.look() and not self._stopping:
                # Customers' messages go first: as long a rest as there was work.
                took = time.monotonic() - began
                if took >= _SHORTEST:
                    self._next = time.monotonic() + took
                    return
        except StoreDown:
            raise
        except Exception:
            log.exception("what traffic used could not be counted")

    async def look(self, now: datetime | None = None) -> bool:
        """Count the next piece that is over; tell whether another may be. Raises StoreDown."""
        now = now or utcnow()
        mark = await self._store.get(UsageMark, MARK)
        if mark is None:
            await self._store.insert_new([UsageMark(id=MARK, upto=piece(now - BACK), until=_FREE)])
            mark = await self._store.get(UsageMark, MARK)
        end = piece(now - GRACE)
        if mark is None or mark.upto >= end or not await self._claim(mark, now):
            return False
        first = await self._store.find(
            Turn, {"at": {"$gte": mark.upto, "$lt": end}}, sort=("at",), limit=1
        )
        begin = piece(first[0].at) if first else end
        upto = begin
        if begin < end:
            upto = begin + PIECE
            tally, _ = await self._counting.count(begin, upto)
            await self._store.put(
                Usage(
                    id=f"{SLICE}:{begin:%Y-%m-%dT%H:%M}",
                    span=SLICE,
                    day=day_of(begin),
                    at=begin,
                    rows=tally.rows(),
                )
            )
        for day in sorted({day_of(mark.upto), day_of(begin)} - {day_of(upto)}):
            await self._close(day)
        await self._store.change(
            UsageMark, {"id": MARK, "upto": mark.upto}, set={"upto": upto, "owner": ""}
        )
        return upto < end

    async def _claim(self, mark: UsageMark, now: datetime) -> bool:
        if mark.owner and mark.owner != me() and mark.until > now and not is_dead(mark.owner):
            return False
        where = {"id": MARK, "upto": mark.upto, "owner": mark.owner, "until": mark.until}
        taken = await self._store.change(
            UsageMark, where, set={"owner": me(), "until": now + _LEASE}
        )
        return taken is not None

    async def _close(self, day: str) -> None:
        """Make one row of a day that is over.

        The row is made once, and before its pieces go: whoever sees pieces missing finds it there.
        """
        id = f"{DAY}:{day}"
        if await self._store.get(Usage, id) is None:
            pieces = await self._store.find(Usage, {"span": SLICE, "day": day})
            if not pieces:
                return
            tally = Tally(row for one in pieces for row in one.rows or ())
            at = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=timezone.utc)
            made = Usage(id=id, span=DAY, day=day, at=at, rows=tally.rows())
            await self._store.insert_new([made])
        await self._store.delete(Usage, {"span": SLICE, "day": day})
        await self._store.delete(Usage, {"at": {"$lt": utcnow() - KEEP}})


def piece(at: datetime) -> datetime:
    """Return the beginning of the ten minutes that a time is in."""
    return at.replace(minute=at.minute // 10 * 10, second=0, microsecond=0)


def day_of(at: datetime) -> str:
    """Return a time's day in UTC."""
    return f"{at.astimezone(timezone.utc):%Y-%m-%d}"
