from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bot.inbox import Inbox
from bot.message import Event, Inbound, utcnow
from bot.store import AsyncStore, Duplicate
from bot.store.conversations import Conversation
from bot.store.dead_letters import TURN, DeadLetter
from bot.store.messages import DONE, PENDING, Message
from bot.store.turns import Turn
from bot.store.wake import LocalBell
from bot.thinking import APOLOGY
from tests.kit.build import address, inbound
from tests.kit.channel import Echo, Provider
from tests.kit.processes import QUICK, Machine, Process
from tests.kit.waiting import until

Start = Callable[..., Process]


@pytest.fixture
async def start(machine: Machine, store: AsyncStore) -> AsyncIterator[Start]:
    """Start a process; all are stopped at the end."""
    running: list[Process] = []

    def begin(brain: Echo | None = None, provider: Provider | None = None, **options: Any):
        one = Process(machine, store, provider or Provider(), brain, **options)
        running.append(one)
        return one.start()

    yield begin
    for one in running:
        await one.stop()


@pytest.fixture
def accept(store: AsyncStore, tmp_path: Path) -> Callable[..., Any]:
    inbox = Inbox(store, LocalBell(tmp_path))
    return lambda *said: inbox.accept(said)


async def all_done(store: AsyncStore) -> bool:
    return not await store.count(Message, {"direction": "in", "status": PENDING})


async def turn_order(store: AsyncStore) -> list[str]:
    """The inbound ids in the order in which they were answered."""
    turns = await store.find(Turn, {"at": {"$lte": utcnow()}}, sort=("at",))
    return [t.id for t in turns]


@asynccontextmanager
async def leased_by(store: AsyncStore, owner: str, seconds: float) -> AsyncIterator[Conversation]:
    until_ = utcnow() + timedelta(seconds=seconds)
    held = Conversation(
        id=address().key, lease_owner=owner, lease_until=until_, lease_epoch=3, created=utcnow()
    )
    await store.insert(held)
    yield held


def gated() -> tuple[Echo, asyncio.Event]:
    """A brain that answers once the event is set."""
    gate = asyncio.Event()

    async def waits(said: Inbound, number: int) -> None:
        await gate.wait()

    return Echo(waits), gate


async def test_what_waits_in_the_inbox_is_answered_in_order(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    await accept(*(inbound(str(n), n=n) for n in range(12)))
    provider = Provider()
    start(provider=provider)
    await until(lambda: len(provider.taken) == 12)
    assert provider.said() == [f"{n + 1}: {n}" for n in range(12)]


async def test_the_channels_own_order_decides_where_there_is_one(start: Start, accept: Any) -> None:
    await accept(inbound("b", order=2), inbound("c", order=3), inbound("a", order=1))
    provider = Provider()
    start(provider=provider)
    await until(lambda: len(provider.taken) == 3)
    assert provider.said() == ["1: a", "2: b", "3: c"]


async def test_a_message_that_arrives_during_a_turn_needs_no_further_wake_up(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    brain, gate = gated()
    provider = Provider()
    # Nobody polls within this test: only the wake-ups count.
    process = start(brain, provider, limits=replace(QUICK, poll_seconds=600.0))
    await accept(inbound("a"))
    process.worker.wake.set()
    await until(lambda: brain.heard)
    await accept(inbound("b"))
    process.worker.wake.set()
    await asyncio.sleep(0.05)
    gate.set()
    await until(lambda: provider.said() == ["1: a", "2: b"])


async def test_conversations_are_answered_at_once_up_to_the_limit(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    brain, gate = gated()
    start(brain, limits=replace(QUICK, conversations_at_once=3))
    await accept(*(inbound("x", user=f"user{n}") for n in range(5)))
    await until(lambda: len(brain.heard) == 3)
    await asyncio.sleep(0.1)
    assert len(brain.heard) == 3
    gate.set()
    await until(lambda: len(brain.heard) == 5)


async def test_several_workers_share_conversations_without_doubling_one(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    provider = Provider()
    for _ in range(3):
        start(provider=provider)
    users = [f"user{n}" for n in range(8)]
    for n in range(5):
        await accept(*(inbound(str(n), user=user, n=n) for user in users))
    await until(lambda: len(provider.taken) >= 40)
    await until(lambda: all_done(store))
    for user in users:
        assert provider.said(user) == [f"{n + 1}: {n}" for n in range(5)]


async def test_who_writes_without_pause_waits_in_line_like_everybody(
    store: AsyncStore, start: Start, accept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker._BATCH", 5)
    await accept(*(inbound("flood", user="mallory", n=n) for n in range(40)))
    await accept(inbound("help", user="ann", n=1))
    flood = 40

    async def writes_more(said: Inbound, number: int) -> None:
        nonlocal flood
        if said.address.user == "mallory" and flood < 100:
            await accept(inbound("flood", user="mallory", n=flood))
            flood += 1

    start(Echo(writes_more), limits=replace(QUICK, conversations_at_once=1))
    await until(lambda: store.get(Turn, "line:shop:ann-1"))
    # Of mallory's, those that came before ann's, and the rest of the batch begun then.
    assert (await turn_order(store)).index("line:shop:ann-1") <= 45


async def test_the_lease_of_a_dead_worker_is_taken_at_once_and_counted(
    machine: Machine, store: AsyncStore, start: Start, accept: Any
) -> None:
    async with leased_by(store, "gone", seconds=3600):
        machine.dead.add("gone")
        await accept(inbound("a", n=1))
        start()
        await until(lambda: all_done(store))
    message = await store.get(Message, "line:shop:ann-1")
    assert message is not None
    assert (message.status, message.attempts) == (DONE, 1)


async def test_a_lease_of_someone_alive_is_respected_until_it_runs_out(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    async with leased_by(store, "far away", seconds=3600) as held:
        await accept(inbound("a", n=1), inbound("b", user="bob", n=1))
        start()
        await until(lambda: store.get(Turn, "line:shop:bob-1"))
        assert await store.get(Turn, "line:shop:ann-1") is None
        await store.change(
            Conversation,
            {"id": held.id, "lease_owner": "far away"},
            set={"lease_until": utcnow() - timedelta(seconds=1)},
        )
        await until(lambda: store.get(Turn, "line:shop:ann-1"))


async def test_a_lease_renewed_this_moment_is_not_taken(
    machine: Machine, store: AsyncStore, start: Start, accept: Any
) -> None:
    async with leased_by(store, "far away", seconds=-1) as held:
        process = Process(machine, store, Provider())
        change = store.change

        async def renewed_first(cls: Any, where: Any, **how: Any) -> Any:
            if where.get("lease_owner") == "far away":
                later = {"lease_until": utcnow() + timedelta(seconds=60)}
                await change(cls, {"id": held.id, "lease_owner": "far away"}, set=later)
            return await change(cls, where, **how)

        process.worker._store = type(
            "Racing", (), {"change": staticmethod(renewed_first), "get": staticmethod(store.get)}
        )()
        with machine.being("us"):
            assert await process.worker._lease(held.id, AsyncExitStack()) is None


async def test_a_worker_that_lost_its_lease_gives_up_its_turn(
    machine: Machine, store: AsyncStore, start: Start, accept: Any
) -> None:
    brain, gate = gated()
    provider = Provider()
    start(brain, provider, limits=replace(QUICK, lease_seconds=0.3))
    await accept(inbound("a", n=1))
    await until(lambda: brain.heard)
    # As another worker does once the lease has run out, say because we were suspended.
    await store.change(
        Conversation,
        {"id": address().key},
        set={"lease_owner": "other", "lease_until": utcnow() + timedelta(seconds=600)},
        inc={"lease_epoch": 1},
    )
    await asyncio.sleep(0.3)
    gate.set()
    await asyncio.sleep(0.2)
    assert await store.get(Turn, "line:shop:ann-1") is None
    machine.dead.add("other")
    await until(lambda: provider.said() == ["1: a"])


async def test_a_stalled_worker_that_wakes_up_late_doubles_nothing(
    machine: Machine, store: AsyncStore, start: Start, accept: Any
) -> None:
    brain, gate = gated()
    provider = Provider()
    stalled = start(brain, provider)
    await accept(inbound("a", n=1), inbound("b", n=2))
    await until(lambda: brain.heard)
    machine.dead.add(stalled.name)
    start(provider=provider)
    await until(lambda: len(provider.taken) == 2)
    gate.set()
    await asyncio.sleep(0.2)
    assert provider.said() == ["1: a", "2: b"]
    assert await store.count(Turn, {"conversation": address().key}) == 2


async def test_a_message_that_kills_its_worker_is_given_up_after_so_many(
    machine: Machine, store: AsyncStore, start: Start, accept: Any
) -> None:
    provider = Provider()
    alive: list[Process] = []

    async def deadly(said: Inbound, number: int) -> None:
        if said.content.text == "poison":  # type: ignore[union-attr]
            alive[-1].kill()
            await asyncio.Event().wait()

    await accept(inbound("poison", n=1), inbound("fine", n=2))
    for _ in range(QUICK.turn_attempts + 1):
        alive.append(start(Echo(deadly), provider))
        died = asyncio.create_task(alive[-1].died.wait())
        answered = asyncio.create_task(until(lambda: len(provider.taken) == 2))
        await asyncio.wait({died, answered}, return_when=asyncio.FIRST_COMPLETED)
        for task in (died, answered):
            task.cancel()
    assert provider.said() == [APOLOGY, "1: fine"]
    (letter,) = await store.find(DeadLetter, {"stage": TURN})
    assert letter.ref == "line:shop:ann-1"


async def test_a_message_that_kills_its_worker_takes_no_other_conversation_with_it(
    machine: Machine, store: AsyncStore, start: Start, accept: Any
) -> None:
    """Those that happened to be served beside it died as often, and are answered nevertheless."""
    provider = Provider()
    alive: list[Process] = []

    async def deadly(said: Inbound, number: int) -> None:
        if said.content.text == "poison":  # type: ignore[union-attr]
            await asyncio.sleep(0.02)
            alive[-1].kill()
        # Nobody is done before the poison has worked.
        await asyncio.sleep(0.05)

    users = [f"user{n}" for n in range(QUICK.conversations_at_once - 1)]
    await accept(inbound("poison", n=1), *(inbound("fine", user=user, n=1) for user in users))
    for _ in range(QUICK.turn_attempts + 1):
        alive.append(start(Echo(deadly), provider))
        died = asyncio.create_task(alive[-1].died.wait())
        answered = asyncio.create_task(until(lambda: len(provider.taken) == len(users) + 1))
        await asyncio.wait({died, answered}, return_when=asyncio.FIRST_COMPLETED)
        for task in (died, answered):
            task.cancel()
    assert provider.said() == [APOLOGY]
    assert [provider.said(user) for user in users] == [["1: fine"]] * len(users)


async def test_a_turn_that_fails_is_put_off_without_the_others_overtaking_it(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    await accept(inbound("a", n=1), inbound("b", n=2), inbound("c", user="bob", n=1))
    broken = await store.get(Message, "line:shop:ann-1")
    assert broken is not None
    content = broken.content
    await store.change(Message, {"id": broken.id}, set={"content": {"kind": "of a newer version"}})
    provider = Provider()
    start(provider=provider)
    await until(lambda: provider.said("bob") == ["1: c"])
    await until(lambda: _attempts(store, broken.id, 1))
    # The newer version is rolled out.
    await store.change(Message, {"id": broken.id}, set={"content": content})
    await until(lambda: provider.said("ann") == ["1: a", "2: b"])


async def _attempts(store: AsyncStore, id: str, least: int) -> bool:
    message = await store.get(Message, id)
    assert message is not None
    return message.attempts >= least


async def test_a_conversation_that_waits_is_not_leased_again_and_again(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    await accept(inbound("a", n=1), inbound("b", n=2))
    later = {"due": utcnow() + timedelta(seconds=3600)}
    await store.change(Message, {"id": "line:shop:ann-1"}, set=later)
    start()
    await until(lambda: store.get(Conversation, address().key))
    await asyncio.sleep(0.5)
    conversation = await store.get(Conversation, address().key)
    assert conversation is not None
    assert conversation.lease_epoch <= 3
    assert await store.count(Turn, {"conversation": address().key}) == 0


async def test_a_message_nobody_can_answer_or_apologise_for_ends_as_a_dead_letter(
    store: AsyncStore, start: Start, accept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accept(inbound("a", n=1), inbound("b", n=2))
    attempts = {"attempts": QUICK.turn_attempts * 2}
    await store.change(Message, {"id": "line:shop:ann-1"}, set=attempts)

    provider = Provider()
    process = Process(Machine(monkeypatch), store, provider)
    outbound = process.turns.deriving.outbound

    def fails(turn: Turn, message: Message) -> Any:
        if message.id.endswith("-1"):
            raise ZeroDivisionError
        return outbound(turn, message)

    monkeypatch.setattr(process.turns.deriving, "outbound", fails)
    process.start()
    try:
        await until(lambda: provider.said() == ["1: b"])
    finally:
        await process.stop()
    (letter,) = await store.find(DeadLetter, {"ref": "line:shop:ann-1"})
    assert "ZeroDivisionError" in letter.reason


async def test_stopping_finishes_the_turn_in_hand_and_begins_no_other(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    brain, gate = gated()
    process = start(brain)
    await accept(inbound("a", n=1), inbound("b", n=2))
    await until(lambda: brain.heard)
    stopping = asyncio.create_task(process.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    gate.set()
    await stopping
    assert await turn_order(store) == ["line:shop:ann-1"]
    conversation = await store.get(Conversation, address().key)
    assert conversation is not None
    assert conversation.lease_owner == ""
    assert conversation.last_in is not None


@pytest.mark.parametrize(("event", "opens"), [("blocked", False), ("start", True)])
async def test_what_the_provider_tells_opens_no_window(
    store: AsyncStore, start: Start, accept: Any, event: str, opens: bool
) -> None:
    process = start()
    await accept(inbound(Event(event), n=1))
    await until(lambda: all_done(store))
    await process.stop()
    conversation = await store.get(Conversation, address().key)
    assert conversation is not None
    assert (conversation.last_in is not None) == opens


async def test_a_store_that_goes_and_comes_back_is_outlived(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    provider = Provider()
    process = start(provider=provider)
    await accept(inbound("a"))
    await until(lambda: len(provider.taken) == 1)
    process.store.is_down = True
    await accept(inbound("b"))
    await asyncio.sleep(0.1)
    assert len(provider.taken) == 1
    process.store.is_down = False
    await until(lambda: provider.said() == ["1: a", "2: b"])


async def test_a_duplicate_that_nothing_explains_does_not_spin(
    store: AsyncStore, start: Start, accept: Any
) -> None:
    process = start()

    async def never(document: Any) -> None:
        if isinstance(document, Turn):
            raise Duplicate("some unique key")
        await store.insert(document)

    process.store.insert = never  # type: ignore[method-assign]
    await accept(inbound("a", n=1))
    process.worker.wake.set()
    await asyncio.sleep(0.5)
    conversation = await store.get(Conversation, address().key)
    assert conversation is not None
    assert conversation.lease_epoch <= 30
    del process.store.insert
    await until(lambda: store.get(Turn, "line:shop:ann-1"))


async def test_a_clock_set_back_loses_nothing(
    store: AsyncStore, start: Start, accept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider()
    await accept(inbound("a"))
    process = start(provider=provider)
    await until(lambda: provider.said() == ["1: a"])
    past = timedelta(hours=1)
    for module in ("worker", "turn", "outbox", "inbox", "store.messages"):
        monkeypatch.setattr(
            f"bot.{module}.utcnow", lambda: datetime.now(timezone.utc) - past, raising=False
        )
    await accept(inbound("b"), inbound("c"))
    process.worker.wake.set()
    await until(lambda: provider.said() == ["1: a", "2: b", "3: c"])
