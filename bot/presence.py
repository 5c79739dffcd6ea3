"""Gateways say that they listen, so that silence of a provider can be told from our deafness."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from bot.message import utcnow
from bot.process import is_dead, me
from bot.store import AsyncStore, StoreError
from bot.store.presence import Listening

log = logging.getLogger(__name__)

_EVERY = timedelta(seconds=1)
# A gateway that said nothing for so long was away: suspended, dead, or without its store. On
# another host only this tells, and the clocks of hosts differ by a few seconds.
_AWAY = timedelta(seconds=5)
# How long an attempt waits for a gateway: where none was seen all the while, and where some
# were but none is there. They die young, or their clock is far off.
_NONE, _SOME = timedelta(minutes=10), timedelta(hours=1)
_FRESH = 100


async def say_so(store: AsyncStore) -> None:
    """Say that this process listens, until cancelled; a store that is down ends what was said."""
    since = last = utcnow()
    swept = False
    while True:
        try:
            if not swept:
                await store.delete(Listening, {"at": {"$lt": last - 2 * _NONE}})
                swept = True
            now = utcnow()
            if not timedelta() <= now - last <= _AWAY:
                since = now
            await store.put(Listening(id=me(), since=since, at=now))
            last = now
        except StoreError as error:
            log.error("cannot say that this gateway listens: %s", error)
        except Exception:
            log.exception("cannot say that this gateway listens")
        await asyncio.sleep(_EVERY.total_seconds())


async def still_said(store: AsyncStore) -> None:
    """Make up for what `say_so` of this process could not say lately. Raises StoreDown.

    A store whose disk is full still reads, and takes nothing.
    """
    said, now = await store.get(Listening, me()), utcnow()
    if said is not None and now - said.at > _AWAY:
        await store.put(Listening(id=me(), since=now, at=now))


async def unheard(store: AsyncStore, seconds: float, since: datetime) -> float:
    """Return how long to wait, in seconds, until what was said after `since` must have come.

    0 when a gateway has listened without a break for `seconds` until now, and when none is
    there to be waited for any longer.
    """
    now = utcnow()
    where = {"at": {"$gte": now - _NONE}}
    rows = await store.find(Listening, where, sort=("-at",), limit=_FRESH)
    there = [r for r in rows if r.at >= now - _AWAY and not is_dead(r.id)]
    # By the gateway's clock alone: ours may be another.
    longest = max((r.at - r.since for r in there), default=timedelta()).total_seconds()
    if longest >= seconds:
        return 0.0
    if not there and since < now - (_SOME if rows else _NONE):
        log.warning("no gateway listens since %s: no receipt is waited for any longer", since)
        return 0.0
    # The last that it says may be a moment old.
    return seconds - longest + (_EVERY.total_seconds() if there else 0.0)
