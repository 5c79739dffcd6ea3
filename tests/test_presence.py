"""Where receipts alone tell, silence counts only while a gateway listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import presence
from bot.inbox import Inbox
from bot.message import Receipt, utcnow
from bot.outbox import Outbox
from bot.presence import say_so
from bot.process import me
from bot.store import AsyncStore
from bot.store.messages import DELIVERED, SENT, UNKNOWN, Message
from bot.store.presence import Listening
from bot.store.wake import LocalBell
from tests.kit.build import row
from tests.kit.channel import Line
from tests.kit.processes import QUICK, Failing, Machine
from tests.kit.stores import KINDS, store_of_kind
from tests.kit.waiting import until

#: Alive as long as this test runs; elsewhere; died on this machine.
HERE, ELSEWHERE, DEAD = me(), "elsewhere/1/1", me() + "0"
GRACE = 5.0
MINUTE = 60.0

Sending = Callable[[float], Line]


@pytest.fixture
async def sending(machine: Machine, store: AsyncStore) -> AsyncIterator[Sending]:
    """Start the outbox of a line that only receipts settle, and give the line."""
    running: list[tuple[Outbox, asyncio.Task[None]]] = []

    def begin(grace: float) -> Line:
        line = Line(settled_by_receipts=True)
        limits = replace(QUICK, unsure_grace_seconds=grace)
        outbox = Outbox(store, {("line", "shop"): line}, limits, lambda: None)
        running.append((outbox, asyncio.create_task(outbox.run())))
        return line

    yield begin
    for outbox, task in running:
        await outbox.stop()
        await task


def doubted(ago: float = GRACE) -> Message:
    tried = utcnow() - timedelta(seconds=ago)
    return row("a", n=1, status=UNKNOWN, attempts=1, tried=tried, due_in=-0.01)


def seen(id: str, up: float, ago: float = 0.0) -> Listening:
    at = utcnow() - timedelta(seconds=ago)
    return Listening(id=id, since=at - timedelta(seconds=up), at=at)


async def of(store: AsyncStore, message: Message) -> Message:
    found = await store.get(Message, message.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("gateways", "tried", "again"),
    [
        ([(HERE, 5.5)], 5, True),
        ([(ELSEWHERE, 5.5, 1)], 5, True),
        ([(HERE, 1), (ELSEWHERE, 6)], 5, True),
        ([], 5, False),
        ([(HERE, 4)], 5, False),
        ([(HERE, 4), (ELSEWHERE, 4)], 5, False),
        ([(DEAD, 600)], 5, False),
        ([(ELSEWHERE, 600, 6)], 5, False),
        ([], 9 * MINUTE, False),
        ([], 11 * MINUTE, True),
        ([(ELSEWHERE, 600, 11 * MINUTE)], 11 * MINUTE, True),
        ([(DEAD, 3)], 11 * MINUTE, False),
        ([(DEAD, 3)], 61 * MINUTE, True),
        ([(HERE, 3)], 61 * MINUTE, False),
    ],
)
async def test_no_word_means_not_taken_once_somebody_listened_for_the_whole_grace(
    store: AsyncStore, sending: Sending, gateways: list[Any], tried: float, again: bool
) -> None:
    for gateway in gateways:
        await store.put(seen(*gateway))
    message = doubted(tried)
    await store.insert_new([message, row("b", n=2)])
    line = sending(GRACE)
    if again:
        await until(lambda: len(line.provider.said()) == 2)
        assert line.provider.said() == ["a", "b"]
        return

    async def put_off() -> bool:
        return bool((await of(store, message)).due > utcnow())

    await until(put_off)
    kept = await of(store, message)
    assert (kept.status, kept.attempts, kept.owner) == (UNKNOWN, 1, "")
    assert kept.due <= utcnow() + timedelta(seconds=GRACE)
    assert (line.provider.attempts, line.provider.asked) == ([], [])


async def test_one_that_is_put_off_is_sent_again_when_a_gateway_has_listened_in_vain(
    store: AsyncStore, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_EVERY", timedelta(seconds=0.01))
    message = doubted()
    await store.insert_new([message])
    line = sending(0.1)

    async def put_off() -> bool:
        return bool((await of(store, message)).due > message.due)

    await until(put_off)
    began = utcnow()
    gateway = asyncio.create_task(say_so(store))
    await until(line.provider.said)
    assert utcnow() - began >= timedelta(seconds=0.1)
    gateway.cancel()


async def test_a_receipt_while_it_is_put_off_settles_it_and_lets_the_next_go(
    store: AsyncStore, sending: Sending, tmp_path: Path
) -> None:
    message, behind = doubted(), row("b", n=2)
    await store.insert_new([message, behind])
    line = sending(GRACE)

    async def both_wait() -> bool:
        return all([(await of(store, m)).due > utcnow() for m in (message, behind)])

    await until(both_wait)
    inbox = Inbox(store, LocalBell(tmp_path / "wake"))
    await inbox.accept([Receipt("line", "shop", "p-1", "delivered", ref=message.id)])
    await until(line.provider.said)
    assert line.provider.attempts == [behind.id]
    assert (await of(store, message)).status == DELIVERED
    assert (await of(store, behind)).status == SENT


@pytest.mark.parametrize("kind", KINDS)
async def test_a_gateway_says_that_it_listens_and_begins_anew_after_a_break(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_EVERY", timedelta(seconds=0.01))
    monkeypatch.setattr(presence, "_AWAY", timedelta(seconds=0.2))
    store = store_of_kind(kind, tmp_path, [Listening])
    await store.put(seen(ELSEWHERE, 10, ago=3600))
    await store.put(seen(DEAD, 10, ago=60))
    failing = Failing(store)
    began = utcnow() - timedelta(milliseconds=1)
    gateway = asyncio.create_task(say_so(failing))  # type: ignore[arg-type]

    async def heard() -> Listening | None:
        return await store.get(Listening, HERE)

    async def goes_on() -> Any:
        now = await heard()
        return now and now.at - now.since > timedelta(seconds=0.05) and now

    first = await until(goes_on)
    assert first.since >= began
    assert {r.id for r in await store.find(Listening, {})} == {HERE, DEAD}
    failing.is_down = True
    await asyncio.sleep(0.25)
    last = await heard()
    failing.is_down = False

    async def again() -> Any:
        now = await heard()
        return now and last and now.at > last.at and now

    assert (await until(again)).since > last.at  # type: ignore[union-attr]
    gateway.cancel()
    await store.close()
