"""Fetches what customers sent, once, and keeps it when it is what it was sent as.

A row is wanted until it is kept or refused. It is claimed by one process at a time; the
bytes are in the vault before the row says so, under a key that is the same at every attempt,
so that a process may die anywhere and another begins again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.media.names import safe_name
from bot.media.refs import PREFIX, key_in
from bot.media.seal import Seal
from bot.media.sniff import Kind, NotKept, sniff
from bot.media.vault import AsyncVault, NotInVault, VaultDown, key_of
from bot.message import Media, clean, decode, utcnow
from bot.process import is_dead, me
from bot.rounds import Rounds
from bot.settings import Limits
from bot.settings import Media as MediaSettings
from bot.store import AsyncStore, StoreDown
from bot.store.dead_letters import FETCH, DeadLetter, dead_id
from bot.store.files import KEPT, REFUSED, WANTED, StoredFile
from connectors.base import Connector, File
from connectors.errors import NoFile, RetryLater

log = logging.getLogger(__name__)

# Fetches at once for each account: a slow provider holds up none of the others, and each
# has a whole file in memory.
_AT_ONCE = 3
_PAGE = 50
# One attempt, in seconds: what a connector asks before it has a URL, the file itself, and
# the writing of it. A claim is good for longer.
_ATTEMPT_SECONDS = 180.0
_CLAIM_SECONDS = 2 * _ATTEMPT_SECONDS
_LONGEST_WAIT = 24 * 3600.0


class Keeper(Rounds):
    """Fetches and keeps for one worker process; any number may run against one store."""

    finish_seconds = 3.0

    def __init__(
        self,
        store: AsyncStore,
        vault: AsyncVault,
        connectors: Mapping[tuple[str, str], Connector],
        seal: Seal,
        settings: MediaSettings,
        limits: Limits,
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._vault = vault
        self._connectors = connectors
        self._seal = seal
        self._most = settings.max_bytes
        self._lifetime = timedelta(seconds=settings.give_up_seconds)
        self._busy: Counter[tuple[str, str]] = Counter()
        # Until when a row that could not be worked on is left alone.
        self._resting: dict[str, float] = {}
        self._orphans_at = 0.0
        # A file that kills its process takes those fetched beside it along. What dead
        # processes had in hand is taken over one at a time, so that the guilty is found.
        self._suspects = asyncio.Lock()

    async def _round(self) -> None:
        now = time.monotonic()
        self._resting = {k: until for k, until in self._resting.items() if until > now}
        for account in self._connectors:
            where = {
                "channel": account[0],
                "account": account[1],
                "status": WANTED,
                "due": {"$lte": utcnow()},
            }
            if self._busy[account] < _AT_ONCE and not self._stopping:
                for row in await self._store.find(StoredFile, where, sort=("due",), limit=_PAGE):
                    self._start(row)
        await self._find_orphans()

    async def _find_orphans(self) -> None:
        """Take over what a dead process had claimed, long before its claim runs out."""
        if time.monotonic() < self._orphans_at or self._stopping:
            return
        self._orphans_at = time.monotonic() + self._limits.poll_seconds
        where = {"status": WANTED, "owner": {"$gt": ""}}
        for row in await self._store.find(StoredFile, where, limit=_PAGE):
            if (row.channel, row.account) in self._connectors and _abandoned(row):
                self._start(row)

    def _start(self, row: StoredFile) -> None:
        account = row.channel, row.account
        idle = row.id not in self._serving and row.id not in self._resting
        if idle and self._busy[account] < _AT_ONCE and not self._stopping:
            self._busy[account] += 1
            self._serving[row.id] = asyncio.create_task(self._serve(row), name=row.id)

    async def _serve(self, row: StoredFile) -> None:
        try:
            async with contextlib.AsyncExitStack() as suspicion:
                if row.owner:
                    await suspicion.enter_async_context(self._suspects)
                await self._work_on(row)
        except StoreDown as error:
            log.error("%s: the store is down in the middle of it: %s", row.id, error)
            self._rest(row)
        except Exception:
            log.exception("%s: could not be worked on", row.id)
            self._rest(row)
        finally:
            self._busy[row.channel, row.account] -= 1
            del self._serving[row.id]
            self.wake.set()

    def _rest(self, row: StoredFile) -> None:
        self._resting[row.id] = time.monotonic() + self._limits.poll_seconds

    async def _work_on(self, row: StoredFile) -> None:
        claimed = await self._change(
            row,
            owner=me(),
            due=_later(_CLAIM_SECONDS),
            attempts=row.attempts + 1,
            # Ours is one whose outcome did not reach the store; any other fell over it.
            deaths=row.deaths + (row.owner not in ("", me())),
        )
        if claimed is None:
            return
        if claimed.deaths >= self._limits.turn_attempts:
            await self._give_up(claimed, f"{claimed.deaths} workers died while they fetched it")
            return
        try:
            await self._attempt(claimed)
        except asyncio.CancelledError:
            await self._change(claimed, owner="", due=utcnow())
            raise

    async def _attempt(self, row: StoredFile) -> None:
        try:
            kept = await asyncio.wait_for(self._keep(row), _ATTEMPT_SECONDS)
        except (NoFile, NotKept) as error:
            await self._refuse(row, str(error))
        except (RetryLater, VaultDown) as error:
            await self._retry(row, error)
        except asyncio.TimeoutError:
            await self._retry(row, RetryLater(f"not fetched and kept in {_ATTEMPT_SECONDS:g} s"))
        except StoreDown:
            raise
        except Exception as error:
            # A connector's bug, or one in the look at the file: it may be mended in time.
            log.exception("%s: could not be fetched", row.id)
            await self._retry(row, RetryLater(type(error).__name__))
        else:
            if await self._change(row, status=KEPT, owner="", reason="", **kept):
                log.info("%s: kept, %s of %d bytes", row.id, kept["mime"], kept["size"])

    async def _keep(self, row: StoredFile) -> dict[str, str | int]:
        """Fetch a file, look at it and put it into the vault; return what its row is to say."""
        media = decode(row.media)
        if not isinstance(media, Media):
            raise NoFile("what is wanted is no file")
        file = await self._fetch(row, media)
        if len(file.data) > self._most:
            raise NoFile(f"the file has {len(file.data)} bytes, {self._most} are allowed")
        name = media.filename or file.filename
        kind, key = await asyncio.to_thread(_look, file.data, media, name)
        await self._vault.put(key, file.data, kind.mime)
        return {
            "mime": kind.mime,
            "filename": safe_name(name, kind, media.type),
            "size": len(file.data),
            "sha256": key,
            "key": key,
        }

    async def _fetch(self, row: StoredFile, media: Media) -> File:
        if not media.ref.startswith(PREFIX):
            return await self._connectors[row.channel, row.account].fetch(media, self._most)
        key = key_in(self._seal, row.channel, row.account, media.ref)
        if not key:
            raise NoFile("its reference was not given out to this account")
        try:
            return File(await self._vault.get(key))
        except NotInVault:
            raise NoFile("it is not in the vault any more") from None

    async def _retry(self, row: StoredFile, error: Exception) -> None:
        now, end = utcnow(), row.at + self._lifetime
        if now >= end:
            await self._give_up(row, f"gave up after {row.attempts} attempts: {error}")
            return
        wait = max(self._backoff(row.attempts), _asked(error))
        # Once more at the very end, however long the last wait would be.
        due = min(_later(wait), end)
        log.info("%s: attempt %d: %s; again in %.1f s", row.id, row.attempts, error, wait)
        await self._change(row, owner="", due=due, reason=clean(str(error)))

    async def _give_up(self, row: StoredFile, reason: str) -> None:
        # The letter first: a crash in between must not hide the failure.
        letter = DeadLetter(
            id=dead_id(FETCH, row.id),
            stage=FETCH,
            channel=row.channel,
            account=row.account,
            ref=row.id,
            reason=clean(reason),
            at=utcnow(),
        )
        await self._store.put(letter)
        await self._refuse(row, reason)

    async def _refuse(self, row: StoredFile, reason: str) -> None:
        reason = clean(reason)
        log.warning("%s: not kept: %s", row.id, reason)
        await self._change(row, status=REFUSED, owner="", reason=reason)

    async def _change(self, row: StoredFile, **change: object) -> StoredFile | None:
        """Change a row if nobody did since it was read; `status` and `due` tell."""
        where = {"id": row.id, "status": row.status, "due": row.due}
        return await self._store.change(StoredFile, where, set=change)

    def _backoff(self, attempts: int) -> float:
        """Return seconds to wait: doubling, capped, with full jitter in the upper half."""
        limits = self._limits
        doubled = limits.retry_base_seconds * 2.0 ** min(max(attempts - 1, 0), 64)
        full = min(doubled, limits.retry_cap_seconds)
        return full * random.uniform(0.5, 1.0)  # noqa: S311


def _look(data: bytes, media: Media, name: str) -> tuple[Kind, str]:
    return sniff(data, media.type, name), key_of(data)


def _later(seconds: float) -> datetime:
    return utcnow() + timedelta(seconds=seconds)


def _abandoned(row: StoredFile) -> bool:
    """Tell whether a row was claimed and nobody is at work on it; not for those served here."""
    return row.owner == me() or is_dead(row.owner)


def _asked(error: Exception) -> float:
    """Return the seconds a provider asked us to wait, 0 when it named none or nonsense."""
    after = getattr(error, "after", None) or 0.0
    return min(after, _LONGEST_WAIT) if after > 0 else 0.0
