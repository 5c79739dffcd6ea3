from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.inbox import Inbox
from bot.message import Receipt, Text, decode, utcnow
from bot.store import AsyncStore, StoreDown
from bot.store.dead_letters import RECEIVE, SEND, DeadLetter, lost
from bot.store.messages import (
    DELIVERED,
    DROPPED,
    FAILED,
    HELD,
    PENDING,
    QUEUED,
    READ,
    SENDING,
    SENT,
    UNKNOWN,
    Message,
)
from bot.store.wake import Bells, LocalBell
from tests.kit.build import address, inbound, receipt, row
from tests.kit.processes import Failing


@pytest.fixture
async def bells(tmp_path: Path) -> AsyncIterator[Bells]:
    heard = LocalBell(tmp_path / "wake", {"in", "out", "sent"})
    await heard.open()
    yield heard
    await heard.close()


@pytest.fixture
def inbox(store: AsyncStore, bells: Bells) -> Inbox:
    return Inbox(store, bells)


async def one(store: AsyncStore, id: str) -> Message:
    found = await store.get(Message, id)
    assert found is not None
    return found


async def test_a_message_is_stored_pending_and_rings_the_workers(
    inbox: Inbox, store: AsyncStore, bells: Bells
) -> None:
    said = inbound("hello", n=1)
    assert await inbox.accept([said]) == 1
    kept = await one(store, said.id)
    assert (kept.status, kept.conversation) == (PENDING, address().key)
    assert decode(kept.content) == Text("hello")
    assert await bells.wait(1) == {"in"}


async def test_a_redelivered_message_is_left_as_it_is_and_rings_nobody(
    inbox: Inbox, store: AsyncStore, bells: Bells
) -> None:
    assert await inbox.accept([inbound("first", n=1)]) == 1
    await bells.wait(1)
    assert await inbox.accept([inbound("second", n=1), inbound("new", n=2)]) == 1
    assert await bells.wait(1) == {"in"}
    assert await inbox.accept([inbound("third", n=1)]) == 0
    assert await bells.wait(0.05) == set()
    assert decode((await one(store, inbound(n=1).id)).content) == Text("first")


async def test_the_same_message_twice_in_one_request_is_stored_once(
    inbox: Inbox, store: AsyncStore
) -> None:
    assert await inbox.accept([inbound("a", n=1), inbound("a", n=1), inbound("b", n=2)]) == 2
    assert await store.count(Message, {"direction": "in"}) == 2


async def test_concurrent_deliveries_of_one_message_store_it_once(
    inbox: Inbox, store: AsyncStore
) -> None:
    fresh = await asyncio.gather(*(inbox.accept([inbound("a", n=1)]) for _ in range(8)))
    assert sorted(fresh) == [0] * 7 + [1]


async def test_a_batch_keeps_its_order(inbox: Inbox, store: AsyncStore) -> None:
    await inbox.accept([inbound(str(n), n=n) for n in range(20)])
    where = {"conversation": address().key, "direction": "in", "status": PENDING}
    rows = await store.find(Message, where, sort=("order", "arrived"))
    assert [decode(r.content) for r in rows] == [Text(str(n)) for n in range(20)]


async def test_a_store_that_is_down_is_said_so(store: AsyncStore, bells: Bells) -> None:
    broken = Inbox(Failing(store, at=1), bells)  # type: ignore[arg-type]
    with pytest.raises(StoreDown):
        await broken.accept([inbound(n=1)])
    assert await broken.accept([inbound(n=1)]) == 1


async def test_what_no_store_can_hold_is_cleaned(inbox: Inbox, store: AsyncStore) -> None:
    said = inbound("a\x00b\ud800c", user="u\ud800", n=1)
    await inbox.accept([said])
    assert decode((await one(store, said.id.replace("\ud800", "\ufffd"))).content) == Text(
        "ab\ufffdc"
    )


@pytest.mark.parametrize(
    ("old", "news", "new"),
    [
        (QUEUED, "sent", SENT),
        (SENDING, "sent", SENT),
        (SENDING, "failed", FAILED),
        (UNKNOWN, "delivered", DELIVERED),
        (SENT, "delivered", DELIVERED),
        (SENT, "read", READ),
        (SENT, "failed", FAILED),
        (SENT, "sent", SENT),
        (DELIVERED, "sent", DELIVERED),
        (DELIVERED, "failed", DELIVERED),
        (READ, "delivered", READ),
        (READ, "sent", READ),
        (FAILED, "delivered", DELIVERED),
        (FAILED, "failed", FAILED),
        (DROPPED, "sent", SENT),
        (DROPPED, "failed", DROPPED),
        (HELD, "delivered", DELIVERED),
        (HELD, "failed", HELD),
    ],
)
async def test_a_receipt_moves_a_message_forwards_only(
    inbox: Inbox, store: AsyncStore, old: str, news: str, new: str
) -> None:
    sent = row(status=old)
    await store.insert(sent)
    await inbox.accept([receipt(news, of=sent.id)])
    assert (await one(store, sent.id)).status == new


async def test_a_receipt_finds_its_message_by_the_providers_id(
    inbox: Inbox, store: AsyncStore
) -> None:
    sent = row(status=SENT, provider_id="p7")
    # An inbound message may have the same id, where the provider counts both together.
    await inbox.accept([inbound(n=1)])
    await store.change(Message, {"id": inbound(n=1).id}, set={"provider_id": "p7"})
    await store.insert(sent)
    await inbox.accept([receipt("read", provider_id="p7")])
    kept = await one(store, sent.id)
    assert kept.status == READ
    assert set(kept.receipts) == {"read"}


async def test_a_receipt_of_another_account_or_of_nothing_changes_nothing(
    inbox: Inbox, store: AsyncStore
) -> None:
    sent = row(status=SENT, provider_id="p7")
    await store.insert(sent)
    said = inbound(n=1)
    await inbox.accept([said])
    await inbox.accept(
        [
            receipt("read", of=sent.id, provider_id="p7", account="other"),
            receipt("read", of="nothing", provider_id="p8"),
            receipt("failed", of=said.id),
        ]
    )
    assert (await one(store, sent.id)).status == SENT
    assert (await one(store, said.id)).status == PENDING


async def test_a_failure_is_a_dead_letter_even_if_the_store_fails_in_between(
    store: AsyncStore, bells: Bells
) -> None:
    sent = row(status=SENT)
    await store.insert(sent)
    failed = receipt("failed", of=sent.id, reason="131026 undeliverable")
    calls = 0
    while (await one(store, sent.id)).status != FAILED:
        calls += 1
        with pytest.raises(StoreDown):
            await Inbox(Failing(store, at=calls, applied=True), bells).accept([failed])  # type: ignore[arg-type]
    (letter,) = await store.find(DeadLetter, {"stage": SEND})
    assert (letter.ref, letter.reason) == (sent.id, "131026 undeliverable")


async def test_what_was_held_and_arrived_after_all_is_no_dead_letter(
    inbox: Inbox, store: AsyncStore
) -> None:
    sent = row(status=HELD)
    await store.insert(sent)
    await store.put(lost(SEND, sent, "WindowClosed"))
    await inbox.accept([receipt("failed", of=sent.id)])
    assert await store.count(DeadLetter, {}) == 1
    await inbox.accept([receipt("read", of=sent.id)])
    assert await store.count(DeadLetter, {}) == 0


async def test_a_late_failure_of_an_attempt_that_was_followed_by_another_is_ignored(
    inbox: Inbox, store: AsyncStore
) -> None:
    sent = row(status=SENT, provider_id="second")
    await store.insert(sent)
    await inbox.accept([receipt("failed", of=sent.id, provider_id="first")])
    assert (await one(store, sent.id)).status == SENT
    assert await store.count(DeadLetter, {}) == 0


async def test_a_receipt_that_settles_a_doubt_lets_the_rows_behind_go(
    inbox: Inbox, store: AsyncStore, bells: Bells
) -> None:
    doubted = row("first", n=1, status=UNKNOWN, attempts=1, due_in=60)
    held, retried = row("second", n=2, due_in=60), row("third", n=3, due_in=60, attempts=2)
    for message in (doubted, held, retried):
        await store.insert(message)
    await inbox.accept([receipt("sent", of=doubted.id, provider_id="p1")])
    assert (await one(store, doubted.id)).provider_id == "p1"
    assert (await one(store, held.id)).due <= utcnow()
    # This one waits for its provider, not for the row before it.
    assert (await one(store, retried.id)).due > utcnow() + timedelta(seconds=30)
    assert await bells.wait(1) >= {"out"}


async def test_an_unreadable_request_is_kept_whole_and_once(
    inbox: Inbox, store: AsyncStore
) -> None:
    body = b"\xff\x00 not json"
    for _ in range(3):
        await inbox.dead("line", "shop", body, "why \ud800", {"content-type": "text/\udcff"})
    (letter,) = await store.find(DeadLetter, {})
    assert (letter.stage, bytes(letter.body), letter.reason) == (RECEIVE, body, "why \ufffd")


async def test_a_watermark_is_a_receipt_of_all_before_it_and_of_no_other(
    store: AsyncStore, inbox: Inbox
) -> None:
    now = utcnow()
    at = {n: now + timedelta(seconds=10 * n) for n in range(4)}
    rows = [row(str(n), n=n, status=SENT, provider_id=f"p{n}", tried=at[n]) for n in range(4)]
    rows.append(row("other", user="bob", n=9, status=SENT, tried=at[0]))
    rows.append(row("waiting", n=7, status=UNKNOWN, tried=at[0]))
    await store.insert_new(rows)
    for _ in range(2):
        read = Receipt("line", "shop", "", "read", until=at[2], address=address())
        await inbox.accept([read])
    kept = [await store.get(Message, r.id) for r in rows]
    statuses = [r.status for r in kept if r is not None]
    assert statuses == ["read", "read", "read", "sent", "sent", "unknown"]
    assert [r.provider_id for r in kept if r is not None][:4] == ["p0", "p1", "p2", "p3"]
