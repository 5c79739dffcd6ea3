"""Leases conversations, one worker to each, and takes their pending messages in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.attention import Attention
from bot.consent import kept_out
from bot.folding import due
from bot.message import utcnow
from bot.process import is_dead, me
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, Duplicate, StoreDown
from bot.store.conversations import BOT, Conversation
from bot.store.dead_letters import TURN, lost
from bot.store.messages import DONE, PENDING, Message
from bot.store.turns import Turn
from bot.turn import Overtaken, Turns
from bot.window import opens

log = logging.getLogger(__name__)

_FREE = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PAGE = 200
_PAGES = 50
_BATCH = 50
# How long a conversation that another worker holds is left alone, in seconds.
_LEAVE_ALONE = 0.5
_LONGEST_ALONE = 5.0


class Worker(Rounds):
    """Answers what the inbox holds, several conversations at once, until told to stop.

    `answered` is called after each turn: there may be something to send. `attention`
    shows customers that their message was read and is being answered.
    """

    def __init__(
        self,
        store: AsyncStore,
        turns: Turns,
        limits: Limits,
        answered: Callable[[], None],
        attention: Attention | None = None,
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._turns = turns
        self._answered = answered
        self._attention = attention or Attention({})
        self._elsewhere: dict[str, float] = {}
        # A message that kills its worker takes all conversations served beside it along.
        # Those are taken over one at a time, so that only the guilty one meets it again.
        self._suspects = asyncio.Lock()

    async def _round(self) -> None:
        now = time.monotonic()
        self._elsewhere = {k: until for k, until in self._elsewhere.items() if until > now}
        where = {"direction": "in", "status": PENDING, "due": {"$lte": utcnow()}}
        for page in range(_PAGES):
            if len(self._serving) >= self._limits.conversations_at_once or self._stopping:
                return
            rows = await self._store.find(
                Message, where, sort=("due", "arrived"), limit=_PAGE, skip=page * _PAGE
            )
            for row in rows:
                if len(self._serving) >= self._limits.conversations_at_once or self._stopping:
                    return
                key = row.conversation
                if key not in self._serving and key not in self._elsewhere:
                    self._serving[key] = asyncio.create_task(self._serve(key), name=key)
            if len(rows) < _PAGE:
                return

    async def _serve(self, key: str) -> None:
        try:
            async with contextlib.AsyncExitStack() as suspicion:
                leased = await self._lease(key, suspicion)
                if leased is None:
                    self._elsewhere[key] = time.monotonic() + _LEAVE_ALONE
                    return
                lease, recovered = leased
                try:
                    await self._drain_leased(lease, recovered, suspicion)
                finally:
                    await self._release(lease)
        except StoreDown as error:
            log.error("%s: the store is down in the middle of it: %s", key, error)
            self._elsewhere[key] = time.monotonic() + _LEAVE_ALONE
        except Overtaken:
            log.warning("%s: another worker took a turn of it, beginning again", key)
            self._elsewhere[key] = time.monotonic() + _LEAVE_ALONE
        except Exception:
            log.exception("%s: could not be served", key)
            self._elsewhere[key] = time.monotonic() + 5
        finally:
            del self._serving[key]
            self.wake.set()

    async def _lease(
        self, key: str, suspicion: contextlib.AsyncExitStack
    ) -> tuple[Conversation, bool] | None:
        """Lease a conversation; tell also whether its last worker died holding it.

        In that case the lock of the suspects is taken first and left to `suspicion`.
        """
        free = {"id": key, "lease_owner": ""}
        lease = await self._store.change(
            Conversation, free, set=self._mine(), inc={"lease_epoch": 1}
        )
        if lease is not None:
            return lease, False
        held = await self._store.get(Conversation, key)
        if held is None:
            # Somebody may have been here, said STOP and been forgotten.
            out = await kept_out(self._store, key)
            lease = Conversation(id=key, created=utcnow(), lease_epoch=1, **self._mine(), **out)
            try:
                await self._store.insert(lease)
            except Duplicate:
                return None
            return lease, False
        # Only this task serves the conversation in this process, so a lease of our
        # own is one whose release did not reach the store.
        own = held.lease_owner == me()
        if not own and held.lease_until > utcnow() and not is_dead(held.lease_owner):
            return None
        if not own:
            await suspicion.enter_async_context(self._suspects)
        where = {
            "id": key,
            "lease_owner": held.lease_owner,
            "lease_epoch": held.lease_epoch,
            # Not if it was renewed this moment.
            "lease_until": held.lease_until,
        }
        lease = await self._store.change(
            Conversation, where, set=self._mine(), inc={"lease_epoch": 1}
        )
        return None if lease is None else (lease, not own)

    def _mine(self) -> dict[str, Any]:
        until = utcnow() + timedelta(seconds=self._limits.lease_seconds)
        return {"lease_owner": me(), "lease_until": until}

    async def _release(self, lease: Conversation) -> None:
        await self._store.change(
            Conversation,
            {"id": lease.id, "lease_owner": me(), "lease_epoch": lease.lease_epoch},
            set={"lease_owner": "", "lease_until": _FREE},
            max={"last_in": lease.last_in} if lease.last_in else None,
        )

    async def _drain_leased(
        self, lease: Conversation, recovered: bool, suspicion: contextlib.AsyncExitStack
    ) -> None:
        drain = asyncio.create_task(self._drain(lease, recovered, suspicion))
        keep = asyncio.create_task(self._keep(lease))
        try:
            await asyncio.wait({drain, keep}, return_when=asyncio.FIRST_COMPLETED)
            if not drain.done():
                log.warning("%s: the lease was lost", lease.id)
                drain.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await drain
        finally:
            keep.cancel()
            await asyncio.gather(keep, return_exceptions=True)

    async def _keep(self, lease: Conversation) -> None:
        """Renew the lease; return when it is lost."""
        mine = {"id": lease.id, "lease_owner": me(), "lease_epoch": lease.lease_epoch}
        until = lease.lease_until
        while utcnow() < until:
            await asyncio.sleep(self._limits.lease_seconds / 3)
            renewed = utcnow() + timedelta(seconds=self._limits.lease_seconds)
            try:
                if await self._store.change(Conversation, mine, set={"lease_until": renewed}):
                    until = renewed
                else:
                    return
            except StoreDown as error:
                log.error("%s: the lease could not be renewed: %s", lease.id, error)

    async def _drain(
        self, lease: Conversation, recovered: bool, suspicion: contextlib.AsyncExitStack
    ) -> None:
        """Take what is pending, at most a batch: who writes without pause waits in line too."""
        where = {"conversation": lease.id, "direction": "in", "status": PENDING}
        rows = await self._store.find(Message, where, sort=("order", "arrived"), limit=_BATCH)
        done: set[str] = set()
        for place, row in enumerate(rows):
            if self._stopping:
                return
            if row.id in done:
                continue
            left = [r for r in rows[place:] if r.id not in done]
            wait = (due(left) - utcnow()).total_seconds()
            if wait > 0:
                # The rows behind it are due all the same: without this they would be
                # looked at again and again.
                self._elsewhere[lease.id] = time.monotonic() + min(wait, _LONGEST_ALONE)
                return
            now_held = await self._store.get(Conversation, lease.id)
            if now_held is None or now_held.lease_epoch != lease.lease_epoch:
                return
            if recovered:
                row = await self._counted(row)
                recovered = False
            turn = await self._take(row, now_held, left[1:])
            if turn is None:
                return
            done.update(turn.folded or [])
            # The worker has survived the message that its predecessor may have died of.
            await suspicion.aclose()
            if opens(row):
                lease.last_in = max(lease.last_in or row.sent, row.sent)

    async def _take(self, row: Message, lease: Conversation, behind: list[Message]) -> Turn | None:
        """Take one turn; None when it failed and the conversation must wait for it."""
        hopeless = ""
        if row.attempts >= self._limits.turn_attempts:
            hopeless = f"{row.attempts} workers died or failed on this message"
        try:
            async with contextlib.AsyncExitStack() as attentive:
                # An agent's own reading is for the agent to show.
                if lease.holder == BOT and not lease.opted_out:
                    await attentive.enter_async_context(self._attention.to(row))
                turn = await self._turns.take(row, lease, behind=behind, hopeless=hopeless)
        except (StoreDown, Overtaken):
            raise
        except Exception as error:
            log.exception("%s: the turn failed", row.id)
            await self._postpone(row, error)
            return None
        self._answered()
        return turn

    async def _counted(self, row: Message) -> Message:
        """Count an attempt that a worker did not survive."""
        counted = await self._store.change(
            Message, {"id": row.id, "status": PENDING}, inc={"attempts": 1}
        )
        return counted or row

    async def _postpone(self, row: Message, error: Exception) -> None:
        """Try again later; a message that fails even without the brain is given up."""
        if row.attempts < self._limits.turn_attempts * 2:
            later = utcnow() + timedelta(seconds=min(2.0**row.attempts, 60.0))
            await self._store.change(
                Message,
                {"id": row.id, "status": PENDING},
                set={"due": later},
                inc={"attempts": 1},
            )
            return
        reason = f"{type(error).__name__} in {row.attempts} attempts"
        await self._store.put(lost(TURN, row, reason))
        await self._store.change(Message, {"id": row.id, "status": PENDING}, set={"status": DONE})
