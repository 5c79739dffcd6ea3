"""One row of a channel's table, run the whole way: gateway to store, or outbox to provider.

A channel's tables are ``INBOUND: list[In]`` and ``OUTBOUND: list[Out]`` in
``tests/connectors/cases/{channel}_in.py`` and ``{channel}_out.py``. Requests of `In` go
through the real gateway and inbox into a real store; contents of `Out` through the
renderer and the real outbox to a scripted provider over HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.gateway import Gateway
from bot.inbox import Inbox
from bot.message import Address, Content, Inbound, Notice, Text, encode, utcnow
from bot.outbox import Outbox
from bot.settings import Limits
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.dead_letters import DeadLetter
from bot.store.messages import QUEUED, SENDING, UNSENT, Message, arrival, from_message
from bot.store.notices import Notice as StoredNotice
from connectors.base import Connector, Request
from connectors.render import render
from tests.kit.http import Recorded, Step, provider
from tests.kit.stores import store_in
from tests.kit.waiting import until


class _Silence:
    """Bells that nobody hears."""

    def ring(self, topic: str) -> None:
        return None


@dataclass(frozen=True)
class In:
    """One request and all that must come of it.

    `arrived` are the messages and notices that must be in the store, in order, and
    nothing else; of a message everything is compared but `sent` (give `sent=True` to
    compare it too) and `order` (`ordered=True`). `outbox` are rows that were sent
    before, by our id, with their provider id; `moved` is each one's status afterwards,
    or (status, code). `dead` is a part of the reason of the one dead letter there must
    be, "" for none. `times` is how often the same request is delivered.
    """

    name: str
    request: Request
    arrived: Sequence[Inbound | Notice] = ()
    outbox: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str | tuple[str, str]] = field(default_factory=dict)
    dead: str = ""
    status: int = 200
    times: int = 1
    sent: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class Call:
    """One request the provider must get. `json` or `form` is compared whole when given."""

    method: str
    path: str
    json: Any = None
    form: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Out:
    """One content, the very requests it becomes, and what follows of the provider's answers.

    `follows` is each row's end, in order: ``sent ID``, ``queued`` (tried again later;
    ``queued 30`` in about so many seconds), ``unknown``, ``failed`` (with a dead letter
    whose reason holds `reason`), ``held``. `last_in_hours` is how long ago the customer
    wrote.
    """

    name: str
    content: Content
    calls: Sequence[Call]
    answers: Sequence[Step]
    follows: Sequence[str]
    reason: str = ""
    to: str = ""
    agent: str = ""
    last_in_hours: float = 0.1


async def run_in(case: In, connector: Connector, path: Path) -> None:
    """Run one inbound case; raises AssertionError."""
    store = store_in(path)
    try:
        await _given(store, connector, case.outbox)
        key = connector.channel, connector.account.account
        gateway = Gateway(store, Inbox(store, _Silence()), {key: connector}, body_limit=2**20)  # type: ignore[arg-type]
        for _ in range(case.times):
            answer = await gateway._take(connector, case.request)
            assert answer.status == case.status, f"{case.name}: answered {answer.status}"
        await _check_stored(case, store)
    finally:
        await connector.close()
        await store.close()


async def _given(store: AsyncStore, connector: Connector, outbox: Mapping[str, str]) -> None:
    for n, (id, provider_id) in enumerate(outbox.items()):
        row = _row(id, Address(connector.channel, connector.account.account, "x"), _HELLO, n)
        row.status, row.provider_id = "sent", provider_id
        await store.insert(row)


async def _check_stored(case: In, store: AsyncStore) -> None:
    rows = await store.find(Message, {"direction": "in"}, sort=("arrived",))
    wanted = [a for a in case.arrived if isinstance(a, Inbound)]
    found = [from_message(row) for row in rows]
    assert [_like(f, case) for f in found] == [_like(w, case) for w in wanted], case.name
    assert all(row.status == "pending" for row in rows)
    for id, end in case.moved.items():
        row = await store.get(Message, id)
        assert row is not None
        got: Any = row.status if isinstance(end, str) else (row.status, row.code)
        assert got == end, f"{case.name}: {id} is {got}"
    for id in case.outbox.keys() - case.moved.keys():
        row = await store.get(Message, id)
        assert row is not None
        assert row.status == "sent", f"{case.name}: {id} moved"
    failed = [i for i, e in case.moved.items() if (e if isinstance(e, str) else e[0]) == "failed"]
    letters = await store.find(DeadLetter, {}, sort=("at",))
    reasons = [x.reason for x in letters if x.stage == "receive"]
    assert len(letters) - len(reasons) == len(failed), case.name
    assert len(reasons) == bool(case.dead), f"{case.name}: dead letters: {reasons}"
    if case.dead:
        assert case.dead in reasons[0], f"{case.name}: {reasons}"
    notices = [a for a in case.arrived if isinstance(a, Notice)]
    kept = await store.find(StoredNotice, {}, sort=("at",))
    assert sorted((n.subject, n.text, n.level) for n in kept) == sorted(
        (n.subject, n.text, n.level) for n in notices
    ), case.name


def _like(inbound: Inbound, case: In) -> Inbound:
    fixed = utcnow().replace(year=2000, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    like = inbound if case.sent else replace(inbound, sent=fixed)
    return like if case.ordered else replace(like, order=0)


_HELLO = Text("hello")


def _row(id: str, address: Address, content: Content, n: int, agent: str = "") -> Message:
    now = utcnow()
    return Message(
        id=id,
        direction="out",
        conversation=address.key,
        channel=address.channel,
        account=address.account,
        status=QUEUED,
        content=encode(content),
        order=1000 + n,
        arrived=arrival(),
        sent=now,
        due=now,
        agent=agent,
    )


async def run_out(case: Out, connect: Callable[[str], Connector], to: str, path: Path) -> None:
    """Run one outbound case against a scripted provider; raises AssertionError."""
    store = store_in(path)
    async with provider(list(case.answers)) as server:
        connector = connect(server.url)
        account = connector.account.account
        address = Address(connector.channel, account, case.to or to)
        now = utcnow()
        wrote = now - timedelta(hours=case.last_in_hours)
        await store.insert(
            Conversation(id=address.key, created=wrote, lease_until=wrote, last_in=wrote)
        )
        parts = render(case.content, connector.capabilities)
        rows = [_row(f"turn:{n}", address, p, n, case.agent) for n, p in enumerate(parts)]
        await store.insert_new(rows)
        limits = Limits(send_attempts=3, poll_seconds=0.02, send_timeout_seconds=5.0)
        outbox = Outbox(store, {(connector.channel, account): connector}, limits, lambda: None)
        running = asyncio.create_task(outbox.run())
        try:
            await until(lambda: _settled(store, [r.id for r in rows]))
        finally:
            await outbox.stop()
            await running
            await connector.close()
        _check_calls(case, server.requests)
        await _check_follows(case, store, [r.id for r in rows])
    await store.close()


async def _settled(store: AsyncStore, ids: Sequence[str]) -> bool:
    """Tell whether each row had its first attempt, or waits behind one that had."""
    for id in ids:
        row = await store.get(Message, id)
        assert row is not None
        if row.status == SENDING or (row.status == QUEUED and not row.attempts):
            return False
        if row.status in UNSENT:
            return True
    return True


def _check_calls(case: Out, requests: Sequence[Recorded]) -> None:
    got = [f"{r.method} {r.path}" for r in requests]
    assert got == [f"{c.method} {c.path}" for c in case.calls], f"{case.name}: {got}"
    for call, request in zip(case.calls, requests, strict=True):
        if call.json is not None:
            assert request.json == call.json, f"{case.name}: {request.json}"
        if call.form is not None:
            assert request.form == call.form, f"{case.name}: {request.form}"
        for name, value in call.headers.items():
            assert request.headers.get(name) == value, f"{case.name}: {name}"
        for name, value in call.query.items():
            assert request.query.get(name) == value, f"{case.name}: {name}"


async def _check_follows(case: Out, store: AsyncStore, ids: Sequence[str]) -> None:
    ends = []
    for id, wanted in zip(ids, case.follows, strict=True):
        row = await store.get(Message, id)
        assert row is not None
        said, _, detail = wanted.partition(" ")
        end = row.status
        if said == "queued" and detail and row.status == "queued":
            wait = (row.due - utcnow()).total_seconds()
            assert abs(wait - float(detail)) < 3, f"{case.name}: waits {wait} s"
            end = wanted
        elif said == "sent" and detail:
            end = f"{row.status} {row.provider_id}"
        ends.append(end)
    assert ends == list(case.follows), f"{case.name}: {ends}"
    letters = await store.find(DeadLetter, {}, sort=("at",))
    assert len(letters) == sum(f in ("failed", "held") for f in case.follows), case.name
    if case.reason:
        row = await store.get(Message, ids[0])
        assert row is not None
        told = [*(x.reason for x in letters), row.reason or ""]
        assert any(case.reason in t for t in told), f"{case.name}: {told}"
