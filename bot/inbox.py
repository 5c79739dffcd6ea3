"""What arrives is stored here, once, before the provider is told that it was taken."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot import metrics
from bot.message import Inbound, Notice, Receipt, clean, utcnow
from bot.store import AsyncStore
from bot.store.dead_letters import RECEIVE, SEND, DeadLetter, dead_id, lost
from bot.store.messages import (
    DELIVERED,
    DROPPED,
    FAILED,
    HELD,
    QUEUED,
    RECEIPT_ORDER,
    SENT,
    UNKNOWN,
    UNSENT,
    Message,
    to_message,
)
from bot.store.notices import to_notice
from bot.store.wake import Bells

log = logging.getLogger(__name__)

_BEHIND = 200
# How far a provider's clock may be behind ours.
_CLOCKS = timedelta(seconds=1)


class Inbox:
    """Stores what connectors parsed."""

    def __init__(self, store: AsyncStore, bells: Bells) -> None:
        self._store = store
        self._bells = bells

    async def accept(self, arrived: Sequence[Inbound | Receipt | Notice]) -> int:
        """Store the messages of one request by one insert, then its receipts.

        Returns how many messages were new; a redelivered one is a duplicate key and
        is left as it is. Raises StoreDown: then the provider must not be told 200.
        """
        inbound = [a for a in arrived if isinstance(a, Inbound)]
        fresh = 0
        if inbound:
            new = await self._store.insert_new([to_message(i) for i in inbound])
            fresh = sum(new)
            for message, is_new in zip(inbound, new, strict=True):
                what = "message" if is_new else "duplicate"
                address = message.address
                metrics.received.labels(address.channel, address.account, what).inc()
            if fresh:
                self._bells.ring("in")
        for one in arrived:
            if isinstance(one, Receipt) and one.until is not None:
                await self._receipts_until(one)
            elif isinstance(one, Receipt):
                await self._receipt(one)
            elif isinstance(one, Notice):
                await self._notice(one)
        return fresh

    async def dead(
        self,
        channel: str,
        account: str,
        body: bytes,
        reason: str,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> None:
        """Keep a request that could not be parsed, once however often it is redelivered."""
        metrics.received.labels(channel, account, "dead").inc()
        reason = clean(reason) or "unreadable"
        log.warning("%s:%s: unreadable request kept as a dead letter: %s", channel, account, reason)
        await self._store.put(
            DeadLetter(
                id=dead_id(RECEIVE, channel, account, hashlib.sha256(body).hexdigest()),
                stage=RECEIVE,
                channel=channel,
                account=account,
                reason=reason,
                body=body,
                headers={clean(k): clean(v) for k, v in (headers or {}).items()},
                query={clean(k): clean(v) for k, v in (query or {}).items()},
                at=utcnow(),
            )
        )

    async def _notice(self, told: Notice) -> None:
        """Keep and log what the provider tells the operator, once."""
        (new,) = await self._store.insert_new([to_notice(told)])
        if new:
            metrics.notices.labels(told.channel, told.account, told.level).inc()
            level = logging.getLevelName(told.level.upper())
            log.log(level, "%s:%s: %s: %s", told.channel, told.account, told.subject, told.text)

    async def _receipt(self, receipt: Receipt) -> None:
        metrics.received.labels(receipt.channel, receipt.account, "receipt").inc()
        row = await self._row_of(receipt)
        while row is not None and _moves(row.status, receipt.status):
            if receipt.status == FAILED:
                if _earlier(row, receipt):
                    return
                # Before the change, so that a crash in between cannot hide the failure.
                await self._failed(row, receipt.reason)
            change: dict[str, Any] = {
                "status": receipt.status,
                "receipts": {**(row.receipts or {}), receipt.status: receipt.at},
                "due": utcnow(),
                "owner": "",
            }
            if receipt.provider_id:
                change["provider_id"] = clean(receipt.provider_id)
            if receipt.status == FAILED:
                change["reason"] = clean(receipt.reason)
                change["code"] = clean(receipt.code)
            elif row.status == FAILED:
                change |= {"reason": "", "code": ""}
            if receipt.details:
                told = {clean(k): clean(v) for k, v in receipt.details.items()}
                change["details"] = {**(row.details or {}), **told}
            where = {"id": row.id, "status": row.status}
            changed = await self._store.change(Message, where, set=change)
            if changed is None:
                letter = dead_id(SEND, row.id)
                row = await self._store.get(Message, row.id)
                if receipt.status == FAILED and (row is None or row.status not in (FAILED, HELD)):
                    await self._store.delete(DeadLetter, {"id": letter})
                continue
            if row.status in (FAILED, HELD):
                # It arrived after all: nothing is left to be done about it.
                await self._store.delete(DeadLetter, {"id": dead_id(SEND, row.id)})
            if row.status in UNSENT:
                if row.status == UNKNOWN:
                    await self._let_follow(row)
                self._bells.ring("out")
                self._bells.ring("sent")
            return

    async def _receipts_until(self, receipt: Receipt) -> None:
        """Take a watermark for a receipt of each message before it."""
        if receipt.address is None or receipt.until is None:
            return
        where = {
            "conversation": clean(receipt.address.key),
            "direction": "out",
            "status": {"$in": (SENT, DELIVERED)},
        }
        rows = await self._store.find(Message, where, sort=("-order", "-arrived"), limit=_BEHIND)
        for row in rows:
            if row.tried is not None and row.tried <= receipt.until + _CLOCKS:
                one = replace(receipt, until=None, ref=row.id, provider_id="")
                await self._receipt(one)

    async def _let_follow(self, row: Message) -> None:
        """Let the rows that waited for `row` to be settled go now; see `Outbox`."""
        where = {
            "conversation": row.conversation,
            "direction": "out",
            "status": QUEUED,
            "due": {"$gt": utcnow()},
        }
        for behind in await self._store.find(Message, where, limit=_BEHIND):
            if not behind.attempts:
                same = {"id": behind.id, "status": QUEUED, "due": behind.due}
                await self._store.change(Message, same, set={"due": utcnow()})

    async def _row_of(self, receipt: Receipt) -> Message | None:
        if receipt.ref:
            row = await self._store.get(Message, clean(receipt.ref))
            if (
                row is not None
                and row.direction == "out"
                and (row.channel, row.account) == (receipt.channel, receipt.account)
            ):
                return row
        where = {
            "channel": receipt.channel,
            "account": receipt.account,
            "provider_id": clean(receipt.provider_id),
        }
        found = await self._store.find(Message, where, limit=2)
        return next((r for r in found if r.direction == "out"), None)

    async def _failed(self, row: Message, reason: str) -> None:
        log.warning("%s: the provider could not deliver it: %s", row.id, reason)
        await self._store.put(lost(SEND, row, reason or "failed, no reason given"))


def _earlier(row: Message, receipt: Receipt) -> bool:
    """Tell whether a failure is of an attempt that was followed by a successful one."""
    known, said = row.provider_id, clean(receipt.provider_id)
    return row.status not in UNSENT and bool(known and said) and known != said


def _moves(old: str, new: str) -> bool:
    """Tell whether a receipt moves a message forwards; nothing moves it back.

    A failure counts until delivery: Meta accepts a message and fails it later. A
    receipt also settles a message whose attempt was given up as failed, dropped or held
    too early: the provider knows better.
    """
    if old in UNSENT:
        return True
    if new == FAILED:
        return old == SENT
    if old in (FAILED, DROPPED, HELD):
        return True
    return RECEIPT_ORDER.index(new) > RECEIPT_ORDER.index(old)
