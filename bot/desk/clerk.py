"""Has the desk do what agents wish: in the order of a conversation, one deed of it at a time.

A pending deed is claimed by one process and done; the result is kept, who wished for it is
told, and only then it is no more pending. So whatever dies in between, another process goes on,
and a deed done again does nothing twice (`bot.desk.desk`).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from bot.desk.contract import Done
from bot.desk.deeds import Overtaken
from bot.desk.desk import UnknownDeed
from bot.message import utcnow
from bot.process import is_dead, me
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.deeds import DONE, PENDING, REFUSED, Deed
from connectors.errors import RetryLater

log = logging.getLogger(__name__)

_PAGE = 200
# One attempt, in seconds; a draft asks a model, a file is fetched. A claim is good for longer.
_ATTEMPT_SECONDS = 120.0
_CLAIM_SECONDS = 2 * _ATTEMPT_SECONDS
_ATTEMPTS = 8
# Words to the agent are given up before that: the deed is done, and others wait behind it.
_TELLINGS = 3
# A file, a provider or a model that is away or asks to wait must not hold up what else the agent
# wants: so often, and so long each time, in seconds.
_TRIES = 4
_LONGEST_WAIT = 10.0
_KEPT = timedelta(days=30)
_SWEEP_SECONDS = 3600.0

_NOT_NOW = "What this needs was not to be had in {} attempts. Try it again in a while."

Tell = Callable[[Deed, Done], Awaitable[None]]


class Performs(Protocol):
    """What a clerk needs of the desk."""

    async def perform(self, deed: Deed) -> Done:
        """See `bot.desk.desk.Desk.perform`."""


class Clerk(Rounds):
    """Does deeds for one worker process; any number may run against one store.

    `told` is called after each deed: there may be something to send, and somebody may be
    waiting for the result. `tells` tell the agent, by where the deed came from; they may be
    called twice for one deed.
    """

    def __init__(
        self,
        store: AsyncStore,
        desk: Performs,
        limits: Limits,
        told: Callable[[], None],
        tells: Mapping[str, Tell] | None = None,
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._desk = desk
        self._told = told
        self._tells = dict(tells or {})
        # Until when a conversation that cannot go on is left alone.
        self._resting: dict[str, float] = {}
        self._orphans_at = 0.0
        # Not all processes at once, and not at the start, when there is most to do.
        self._sweep_at = time.monotonic() + random.uniform(0.1, 1.0) * _SWEEP_SECONDS  # noqa: S311

    async def _round(self) -> None:
        now = time.monotonic()
        self._resting = {k: until for k, until in self._resting.items() if until > now}
        where = {"status": PENDING, "due": {"$lte": utcnow()}}
        for row in await self._store.find(Deed, where, sort=("due", "arrived"), limit=_PAGE):
            self._start(row)
        await self._find_orphans()
        await self._sweep()

    async def _find_orphans(self) -> None:
        """Take over what a dead process had claimed, long before its claim runs out."""
        if time.monotonic() < self._orphans_at or self._stopping:
            return
        self._orphans_at = time.monotonic() + self._limits.poll_seconds
        where = {"status": PENDING, "owner": {"$gt": ""}}
        for row in await self._store.find(Deed, where, limit=_PAGE):
            if _abandoned(row):
                self._start(row)

    async def _sweep(self) -> None:
        """Forget what was done long ago."""
        if time.monotonic() < self._sweep_at or self._stopping:
            return
        self._sweep_at = time.monotonic() + _SWEEP_SECONDS
        before = {"$lt": utcnow() - _KEPT}
        await self._store.delete(Deed, {"status": {"$in": [DONE, REFUSED]}, "at": before})

    def _start(self, row: Deed) -> None:
        # What is of no conversation waits for nothing.
        key = row.conversation or row.id
        full = len(self._serving) >= self._limits.conversations_at_once
        if full or self._stopping or key in self._serving or key in self._resting:
            return
        task = asyncio.create_task(self._serve(key, row), name=key)
        self._serving[key] = task

    async def _serve(self, key: str, row: Deed) -> None:
        went_on: bool | None = False
        try:
            while not self._stopping and (went_on := await self._next(row)):
                if not row.conversation:
                    break
        except StoreDown as error:
            log.error("%s: the store is down in the middle of it: %s", key, error)
            went_on = False
        except Exception:
            log.exception("%s: its deeds could not be done", key)
            went_on = False
        finally:
            if went_on is False:
                self._resting[key] = time.monotonic() + self._limits.poll_seconds
            del self._serving[key]
            self.wake.set()

    async def _next(self, of: Deed) -> bool | None:
        """Do the first pending deed; False when it must wait, None when there is none."""
        head = await self._head(of)
        if head is None:
            return None
        # Ours is one whose outcome did not reach the store.
        if not _abandoned(head) and head.due > utcnow():
            return False
        claimed = await self._change(
            head, owner=me(), due=_later(_CLAIM_SECONDS), attempts=head.attempts + 1
        )
        if claimed is None:
            return True
        if claimed.conversation and await self._beside(claimed):
            # One that came in between, of an earlier time: both step back, and try again.
            wait = self._limits.poll_seconds * random.uniform(0.1, 1.0)  # noqa: S311
            await self._change(claimed, owner="", due=_later(wait), attempts=head.attempts)
            return False
        return await self._do(claimed)

    async def _head(self, of: Deed) -> Deed | None:
        if not of.conversation:
            found = await self._store.get(Deed, of.id)
            return found if found is not None and found.status == PENDING else None
        where = {"conversation": of.conversation, "status": PENDING}
        heads = await self._store.find(Deed, where, sort=("arrived",), limit=1)
        return heads[0] if heads else None

    async def _beside(self, claimed: Deed) -> bool:
        """Tell whether another deed of the conversation is being done at this moment.

        Asked after the claim, of two processes that claim different deeds one sees the other.
        """
        where = {"conversation": claimed.conversation, "status": PENDING, "owner": {"$gt": ""}}
        return any(
            row.id != claimed.id and row.due > utcnow() and not _abandoned(row)
            for row in await self._store.find(Deed, where, limit=_PAGE)
        )

    async def _do(self, deed: Deed) -> bool:
        try:
            done = Done.decode(deed.result) if deed.result else await self._performed(deed)
        except Overtaken:
            return True
        except (StoreDown, RetryLater, asyncio.TimeoutError) as error:
            return await self._again(deed, error)
        except Exception as error:
            log.exception("%s: attempt %d failed", deed.id, deed.attempts)
            return await self._again(deed, error)
        tell = self._tells.get(deed.via)
        if tell is not None:
            # Kept first: to be told is no reason to be done again.
            kept = await self._change(deed, result=done.encode())
            if kept is None:
                return True
            deed = kept
            try:
                await asyncio.wait_for(tell(deed, done), _ATTEMPT_SECONDS)
            except StoreDown:
                raise
            except Exception as error:
                log.warning("%s: could not be told: %s", deed.id, type(error).__name__)
                if deed.attempts < _TELLINGS:
                    return await self._later(deed, error)
        await self._finish(deed, done)
        return True

    async def _performed(self, deed: Deed) -> Done:
        if deed.attempts > _ATTEMPTS:
            log.error("%s: given up, its processes died or hung", deed.id)
            return _given_up(deed.attempts - 1)
        try:
            return await asyncio.wait_for(self._desk.perform(deed), _ATTEMPT_SECONDS)
        except UnknownDeed as error:
            log.error("%s: %s", deed.id, error)
            return Done(False, "The desk does not know how to do that.")

    async def _again(self, deed: Deed, error: Exception) -> bool:
        if isinstance(error, RetryLater) and deed.attempts >= _TRIES:
            log.warning("%s: given up, it cannot be done now: %s", deed.id, type(error).__name__)
            await self._finish(deed, Done(False, _NOT_NOW.format(deed.attempts)))
            return True
        if deed.attempts >= _ATTEMPTS:
            log.error("%s: given up: %s", deed.id, type(error).__name__, exc_info=error)
            await self._finish(deed, _given_up(deed.attempts))
            return True
        return await self._later(deed, error)

    async def _later(self, deed: Deed, error: Exception) -> bool:
        limits = self._limits
        doubled = limits.retry_base_seconds * 2.0 ** max(deed.attempts - 1, 0)
        full = min(doubled, limits.retry_cap_seconds)
        asked = getattr(error, "after", None) or 0.0
        wait = max(full * random.uniform(0.5, 1.0), asked)  # noqa: S311
        if isinstance(error, RetryLater):
            wait = min(wait, _LONGEST_WAIT)
        log.info("%s: attempt %d, again in %.1f s", deed.id, deed.attempts, wait)
        await self._change(deed, owner="", due=_later(wait))
        return False

    async def _finish(self, deed: Deed, done: Done) -> None:
        status = DONE if done.ok else REFUSED
        await self._change(deed, status=status, owner="", result=done.encode())
        self._told()

    async def _change(self, row: Deed, **change: object) -> Deed | None:
        """Change a row if nobody did since it was read; `owner` and `due` tell."""
        where = {"id": row.id, "status": PENDING, "owner": row.owner, "due": row.due}
        return await self._store.change(Deed, where, set=change)


def _given_up(attempts: int) -> Done:
    text = f"This could not be done in {attempts} attempts; see what came of it before you go on."
    return Done(False, text)


def _abandoned(row: Deed) -> bool:
    """Tell whether a row was claimed and nobody is at work on it; not for those served here."""
    return bool(row.owner) and (row.owner == me() or is_dead(row.owner))


def _later(seconds: float) -> datetime:
    return utcnow() + timedelta(seconds=seconds)
