"""Sends what turns called for: in order for each address, once, and never silently not.

A row is queued, then sending (claimed by one process), then sent. When a process dies
or an answer is lost in between, nobody knows whether the provider took the message: the
row is then unknown, and is settled by asking the connector after its grace time, before
anything else of the conversation goes out.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.consent import allows, refused, unmet
from bot.message import Outbound, clean, utcnow
from bot.presence import unheard
from bot.process import is_dead, me
from bot.rate import LocalRate, Rate
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.consents import ALL, MARKETING
from bot.store.conversations import AGENT, Conversation
from bot.store.dead_letters import SEND, DeadLetter, lost
from bot.store.messages import (
    DONE,
    DROPPED,
    FAILED,
    PENDING,
    QUEUED,
    SENDING,
    SENT,
    UNKNOWN,
    UNSENT,
    Message,
)
from bot.window import REASON, hold, instead, is_open, outbound_of, release_before
from connectors.base import Connector
from connectors.errors import NoMarketing, OptedOut, Rejected, RetryLater, Unsure, WindowClosed

log = logging.getLogger(__name__)

_PAGE = 200
_PAGES = 20
# Deliveries at once for each account: a slow one holds up none of the others.
_AT_ONCE = 32
_KNOWN = 20
# Of the account's last messages in each direction; not each has an id worth knowing.
_LAST = 5
# How far the clocks of two hosts may be apart without a message seeming older than it is.
_CLOCKS = timedelta(seconds=1)
_WAIT_HERE = 0.5
# What a provider may ask us to wait at most, in seconds; more is taken for this.
_LONGEST_WAIT = 24 * 3600.0


class Outbox(Rounds):
    """Delivers for one worker process; any number may run against one store.

    `sent` is called after each delivery: web chat feeds wait for it. `rate` makes the
    rate of an account, by its name and messages a second.
    """

    def __init__(
        self,
        store: AsyncStore,
        connectors: Mapping[tuple[str, str], Connector],
        limits: Limits,
        sent: Callable[[], None],
        rate: Callable[[str, float], Rate] = lambda _, per_second: LocalRate(per_second),
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._connectors = connectors
        self._sent = sent
        self._rates = {
            key: rate(connector.name, connector.capabilities.rate)
            for key, connector in connectors.items()
        }
        self._busy: Counter[tuple[str, str]] = Counter()
        # Until when a conversation that cannot go on is left alone.
        self._resting: dict[str, float] = {}
        # What was taken by the provider while the store was down.
        self._taken: dict[str, str] = {}
        self._orphans_at = 0.0

    async def _round(self) -> None:
        await self._assign()
        await self._find_orphans()

    async def _assign(self) -> None:
        now = time.monotonic()
        self._resting = {k: until for k, until in self._resting.items() if until > now}
        for account in self._connectors:
            await self._assign_account(account)

    async def _assign_account(self, account: tuple[str, str]) -> None:
        where = {
            "direction": "out",
            "channel": account[0],
            "account": account[1],
            "status": {"$in": UNSENT},
            "due": {"$lte": utcnow()},
        }
        for page in range(_PAGES):
            if self._busy[account] >= _AT_ONCE:
                return
            rows = await self._store.find(
                Message, where, sort=("due", "arrived"), limit=_PAGE, skip=page * _PAGE
            )
            for row in rows:
                if self._busy[account] >= _AT_ONCE or self._stopping:
                    return
                if row.conversation not in self._serving and row.conversation not in self._resting:
                    self._start(row)
            if len(rows) < _PAGE:
                return

    async def _find_orphans(self) -> None:
        """Take over what a dead process had claimed, long before its claim runs out."""
        if time.monotonic() < self._orphans_at or self._stopping:
            return
        self._orphans_at = time.monotonic() + self._limits.poll_seconds
        claimed = await self._store.find(
            Message, {"direction": "out", "status": {"$in": (SENDING, UNKNOWN)}}, limit=_PAGE
        )
        for row in claimed:
            account = row.channel, row.account
            if (
                account in self._connectors
                and row.conversation not in self._serving
                and _abandoned(row)
            ):
                self._start(row)

    def _start(self, row: Message) -> None:
        conversation, account = row.conversation, (row.channel, row.account)
        self._busy[account] += 1
        task = asyncio.create_task(self._serve(conversation, account), name=conversation)
        self._serving[conversation] = task

    async def _serve(self, conversation: str, account: tuple[str, str]) -> None:
        went_on: bool | None = False
        try:
            while not self._stopping and (went_on := await self._next(conversation)):
                pass
        except StoreDown as error:
            log.error("%s: the store is down in the middle of it: %s", conversation, error)
        except Exception:
            log.exception("%s: could not be delivered to", conversation)
        finally:
            if went_on is not None:
                # Rows behind a head that must wait are due all the same: without a rest
                # they would be looked at again and again.
                self._resting[conversation] = time.monotonic() + self._limits.poll_seconds
            self._busy[account] -= 1
            del self._serving[conversation]
            self.wake.set()

    async def _next(self, conversation: str) -> bool | None:
        """Work on the first unsent row of a conversation.

        False when it must wait, None when there is none.
        """
        heads = await self._store.find(
            Message,
            {"conversation": conversation, "direction": "out", "status": {"$in": UNSENT}},
            sort=("order", "arrived"),
            limit=1,
        )
        if not heads:
            return None
        head = heads[0]
        connector = self._connectors[head.channel, head.account]
        if head.id in self._taken:
            await self._delivered(head, self._taken[head.id])
            return True
        if head.status == SENDING and _abandoned(head):
            await self._doubt(head, connector, "its sender died")
            return True
        if head.status == UNKNOWN and _abandoned(head):
            return await self._settle(head, connector)
        if head.due > utcnow():
            if not head.owner:
                # A claimed one is likely to be done with long before its claim runs out.
                await self._hold_back(head)
            return False
        if head.status == SENDING:
            await self._doubt(head, connector, "its sender fell silent")
            return True
        if head.status == UNKNOWN:
            return await self._settle(head, connector)
        return await self._send(head, connector)

    async def _send(self, head: Message, connector: Connector) -> bool:
        while wait := await self._rates[head.channel, head.account].take():
            if wait > _WAIT_HERE:
                # Not to be waited for here, or one slow account would hold up all others.
                await self._hold(head, wait)
                return False
            await asyncio.sleep(wait)
            if self._stopping:
                return False
        row = await self._change(
            head,
            status=SENDING,
            owner=me(),
            due=self._later(2 * self._limits.send_timeout_seconds),
            attempts=head.attempts + 1,
            tried=utcnow(),
        )
        if row is None:
            return True
        # Read after the claim: a takeover before this point drops the row, one after
        # it meets a message that is already on its way.
        held = await self._store.get(Conversation, row.conversation)
        taken_over = held is not None and (held.holder == AGENT or held.epoch != row.epoch)
        if row.turn and taken_over and not row.notice:
            await self._change(row, status=DROPPED, owner="", reason="an agent took over")
            return True
        if row.due < self._later(self._limits.send_timeout_seconds):
            # This process was suspended meanwhile. What is left of the claim is too short
            # for a request: another process may be about to send this row.
            await self._change(row, status=QUEUED, owner="", due=utcnow())
            return True
        outbound = outbound_of(row)
        who = held if held is not None else await unmet(self._store, row.conversation)
        if reason := allows(who, outbound.content, bool(row.notice)):
            await self._change(row, status=DROPPED, owner="", reason=reason)
            return True
        hours = connector.capabilities.window_hours
        if not await is_open(self._store, held, row, hours):
            beyond = instead(connector, outbound)
            if beyond is None or beyond.content != outbound.content:
                return await self._hold_until_open(row, beyond, hours)
            outbound = beyond
        elif hours is not None and await release_before(self._store, row, hours):
            # Theirs is the first turn.
            await self._change(row, status=QUEUED, owner="", due=utcnow())
            return True
        try:
            provider_id = await asyncio.wait_for(
                connector.send(outbound), self._limits.send_timeout_seconds
            )
        except RetryLater as error:
            return await self._retry(row, error)
        except WindowClosed:
            # The provider's clock counts, not ours.
            beyond = instead(connector, outbound)
            if beyond == outbound:
                await self._fail(row, REASON)
                return True
            if beyond is not None and beyond.content == outbound.content:
                # The same message, by a tag: a copy of it would be sent beside it.
                await self._change(row, status=QUEUED, owner="", due=utcnow(), tag=beyond.tag)
                return True
            return await self._hold_until_open(row, beyond, hours)
        except Rejected as error:
            if isinstance(error, OptedOut):
                scope = MARKETING if isinstance(error, NoMarketing) else ALL
                await refused(self._store, row, row.tried or utcnow(), scope=scope)
            reason = f"{error.code} {error}".strip()
            await self._fail(row, f"{type(error).__name__}: {reason}")
            return True
        except (Unsure, asyncio.TimeoutError) as error:
            await self._doubt(row, connector, str(error) or "no answer in time")
            return True
        except Exception as error:
            # A connector's bug; the request may have gone out before it.
            log.exception("%s: the connector failed", row.id)
            await self._doubt(row, connector, type(error).__name__)
            return True
        await self._delivered(row, provider_id)
        return True

    async def _settle(self, head: Message, connector: Connector) -> bool:
        """Find out what became of an attempt whose answer never came."""
        if connector.capabilities.settled_by_receipts:
            # While nobody listens, silence says nothing.
            after = head.tried or head.sent
            if wait := await unheard(self._store, self._grace(connector), after):
                log.info("%s: a receipt of it is waited for, %.1f s", head.id, wait)
                await self._change(head, owner="", due=self._later(wait))
                return False
        row = await self._change(
            head, owner=me(), due=self._later(2 * self._limits.send_timeout_seconds)
        )
        if row is None:
            return True
        ids = await self._known(row)
        try:
            provider_id = await asyncio.wait_for(
                connector.confirm(outbound_of(row), ids), self._limits.send_timeout_seconds
            )
        except Unsure as error:
            # A customer who gets an answer twice is better served than one who gets none.
            log.warning("%s: %s; sending it again", row.id, error)
            provider_id = None
        except (RetryLater, asyncio.TimeoutError) as error:
            if row.attempts >= self._limits.send_attempts:
                await self._fail(row, f"no certain answer in {row.attempts} attempts")
                return True
            wait = max(self._backoff(row.attempts), _asked(error))
            await self._change(row, owner="", due=self._later(wait), attempts=row.attempts + 1)
            return False
        except Rejected as error:
            await self._fail(row, f"not known whether it was sent, {type(error).__name__}: {error}")
            return True
        except Exception:
            log.exception("%s: the connector failed; sending it again", row.id)
            provider_id = None
        if provider_id is not None:
            log.info("%s: was taken after all", row.id)
            await self._delivered(row, provider_id)
            return True
        if row.attempts >= self._limits.send_attempts:
            await self._fail(row, f"no certain answer in {row.attempts} attempts")
            return True
        await self._change(row, status=QUEUED, owner="", due=utcnow())
        return True

    async def _known(self, row: Message) -> list[str]:
        """Return the provider's ids of messages that are older than the last attempt."""
        where = {"conversation": row.conversation, "arrived": {"$lt": row.arrived}}
        known = await self._store.find(Message, where, sort=("-arrived",), limit=_KNOWN)
        if row.tried is not None:
            before = {"due": {"$lt": row.tried - _CLOCKS}}
            account = {"channel": row.channel, "account": row.account}
            for direction, statuses in (("out", (SENT,)), ("in", (PENDING, DONE))):
                where = {"direction": direction, **account, "status": {"$in": statuses}, **before}
                known += await self._store.find(Message, where, sort=("-due",), limit=_LAST)
        return [k.provider_id for k in known if k.provider_id]

    async def _delivered(self, row: Message, provider_id: str) -> None:
        provider_id = clean(provider_id)
        self._taken[row.id] = provider_id
        now: Message | None = row
        while now is not None and now.status in UNSENT:
            sent = {"status": SENT, "provider_id": provider_id, "owner": "", "reason": ""}
            if await self._change(now, **sent, due=utcnow()):
                break
            # A receipt was faster and has moved the row on, or another process took us
            # for dead and doubts what we know.
            now = await self._store.get(Message, row.id)
        else:
            # The receipt may have brought no id.
            await self._store.change(
                Message, {"id": row.id, "provider_id": ""}, set={"provider_id": provider_id}
            )
        del self._taken[row.id]
        self._sent()

    async def _retry(self, row: Message, error: RetryLater) -> bool:
        if row.attempts >= self._limits.send_attempts:
            await self._fail(row, f"gave up after {row.attempts} attempts: {error}")
            return True
        wait = max(self._backoff(row.attempts), _asked(error))
        if error.after and not error.pair:
            await self._rates[row.channel, row.account].pause(_asked(error))
        log.info("%s: attempt %d: %s; again in %.1f s", row.id, row.attempts, error, wait)
        await self._change(
            row, status=QUEUED, owner="", due=self._later(wait), reason=clean(str(error))
        )
        return False

    async def _doubt(self, row: Message, connector: Connector, reason: str) -> None:
        wait = self._later(self._grace(connector))
        log.warning("%s: not known whether it was sent: %s", row.id, reason)
        await self._change(row, status=UNKNOWN, owner="", due=wait, reason=clean(reason))

    def _grace(self, connector: Connector) -> float:
        grace = self._limits.unsure_grace_seconds
        return connector.capabilities.grace if grace is None else grace

    async def _fail(self, row: Message, reason: str) -> None:
        log.error("%s: not delivered: %s", row.id, reason)
        letter = lost(SEND, row, reason)
        await self._store.put(letter)
        if await self._change(row, status=FAILED, owner="", reason=letter.reason) is None:
            now = await self._store.get(Message, row.id)
            if now is None or now.status != FAILED:
                # A receipt came meanwhile: it was delivered after all.
                await self._store.delete(DeadLetter, {"id": letter.id})

    async def _hold_until_open(
        self, row: Message, asking: Outbound | None, hours: float | None
    ) -> bool:
        """Hold a row for the customer, or the desk; those behind it go their own way."""
        log.warning("%s: held: %s", row.id, REASON)
        await hold(self._store, row, asking, hours)
        return True

    async def _hold(self, row: Message, seconds: float) -> None:
        await self._change(row, due=self._later(seconds))

    async def _hold_back(self, head: Message) -> None:
        """Let the rows behind a waiting head come due with it, not be looked at until then."""
        behind = await self._store.find(
            Message,
            {
                "conversation": head.conversation,
                "direction": "out",
                "status": QUEUED,
                "due": {"$lt": head.due},
            },
            limit=_PAGE,
        )
        for row in behind:
            await self._change(row, due=head.due)

    async def _change(self, row: Message, **change: object) -> Message | None:
        """Change a row if nobody did since it was read; `status` and `due` tell."""
        where = {"id": row.id, "status": row.status, "due": row.due}
        return await self._store.change(Message, where, set=change)

    def _backoff(self, attempts: int) -> float:
        """Return seconds to wait: doubling, capped, with full jitter in the upper half."""
        limits = self._limits
        doubled = limits.retry_base_seconds * 2.0 ** max(attempts - 1, 0)
        full = min(doubled, limits.retry_cap_seconds)
        return full * random.uniform(0.5, 1.0)  # noqa: S311

    @staticmethod
    def _later(seconds: float) -> datetime:
        return utcnow() + timedelta(seconds=seconds)


def _abandoned(row: Message) -> bool:
    """Tell whether a row was claimed and nobody is at work on it; not for those served here.

    A claim of our own is one whose outcome did not reach the store.
    """
    return row.owner == me() or is_dead(row.owner)


def _asked(error: Exception) -> float:
    """Return the seconds a provider asked us to wait, 0 when it named none or nonsense."""
    after = getattr(error, "after", None) or 0.0
    return min(after, _LONGEST_WAIT) if after > 0 else 0.0
