"""The clerk: deeds in order, one of a conversation at a time, once, whatever dies."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

import bot.outbox
from bot.desk.clerk import Clerk
from bot.desk.contract import Done
from bot.desk.deeds import Overtaken, wish
from bot.message import Text, decode, utcnow
from bot.store import AsyncStore, StoreDown
from bot.store.conversations import AGENT, Conversation
from bot.store.deeds import DONE, PENDING, REFUSED, Deed
from bot.store.journal import NOTE, Entry
from bot.store.messages import arrival
from connectors.errors import RetryLater
from tests.kit.at_desk import KEY, deed, desk_of, held, journal, out, talk, to_customer
from tests.kit.build import address
from tests.kit.processes import QUICK, Failing, Machine
from tests.kit.waiting import until

Employ = Callable[..., Clerk]


class Recorder:
    """A desk that writes down what it does and when; `hook` is awaited in the middle of it."""

    def __init__(self, hook: Callable[[Deed], Any] | None = None) -> None:
        self.hook = hook
        self.log: list[str] = []
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_of_all = 0

    async def perform(self, wanted: Deed) -> Done:
        key = wanted.conversation
        self.at_once[key] += 1
        self.most[key] = max(self.most[key], self.at_once[key])
        self.most_of_all = max(self.most_of_all, self.at_once.total())
        try:
            self.log.append(wanted.id)
            await asyncio.sleep(random.uniform(0, 0.004))
            if self.hook is not None:
                self.hook(wanted)
            return Done(True, "Done.")
        finally:
            self.at_once[key] -= 1


@pytest.fixture
async def employ(
    machine: Machine, store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Employ]:
    """Let a clerk of a process of its own begin; all are stopped at the end."""
    monkeypatch.setattr("bot.desk.clerk.me", bot.outbox.me)
    monkeypatch.setattr("bot.desk.clerk.is_dead", machine.dead.__contains__)
    running: list[tuple[Clerk, asyncio.Task[None]]] = []

    def begin(
        desk: Any, name: str = "us", through: Any = None, told: Any = None, **tells: Any
    ) -> Clerk:
        with machine.being(name):
            clerk = Clerk(through or store, desk, QUICK, told or (lambda: None), tells)
            running.append((clerk, asyncio.create_task(clerk.run())))
        return clerk

    yield begin
    for clerk, task in running:
        await clerk.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def of(store: AsyncStore, id: str) -> Deed:
    found = await store.get(Deed, id)
    assert found is not None
    return found


async def all_done(store: AsyncStore) -> bool:
    return not await store.count(Deed, {"status": PENDING})


async def test_deeds_of_a_conversation_are_done_in_order_and_never_two_at_once(
    store: AsyncStore, employ: Employ
) -> None:
    rows = [
        deed("note", id=f"{user}-{n}", conversation=address(f"u{user}").key)
        for n in range(12)
        for user in range(4)
    ]
    await store.insert_new(rows)
    desk = Recorder()
    for name in ("one", "two", "three"):
        employ(desk, name)
    await until(lambda: all_done(store))
    for user in range(4):
        mine = [id for id in desk.log if id.startswith(f"{user}-")]
        assert mine == [f"{user}-{n}" for n in range(12)]
    assert set(desk.most.values()) == {1}
    assert desk.most_of_all > 1


async def test_a_deed_is_wished_for_once_however_often_it_is_delivered(
    store: AsyncStore, employ: Employ
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    first = deed("write", "anna", "Hello", id="slack:Ev1", via="slack")
    assert await wish(store, first)
    employ(desk_of(store))
    await until(lambda: all_done(store))
    # Slack delivers an event again when its answer was late.
    assert not await wish(store, deed("write", "anna", "Hello", id="slack:Ev1", via="slack"))
    await asyncio.sleep(0.05)
    assert await to_customer(store) == [Text("Hello")]
    assert (await of(store, "slack:Ev1")).status == DONE


async def test_what_cannot_be_done_now_is_done_later_and_the_next_waits_for_it(
    store: AsyncStore, employ: Employ
) -> None:
    errors = [RetryLater("busy", 0.01), StoreDown("down"), ZeroDivisionError()]

    def breaks(wanted: Deed) -> None:
        if wanted.id == "a" and errors:
            raise errors.pop(0)

    desk = Recorder(breaks)
    await store.insert_new([deed("note", id="a"), deed("note", id="b")])
    employ(desk)
    await until(lambda: all_done(store))
    assert desk.log == ["a", "a", "a", "a", "b"]


async def test_what_never_works_is_refused_honestly_and_the_next_is_done(
    store: AsyncStore, employ: Employ, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(wanted: Deed) -> None:
        if wanted.id == "a":
            raise ZeroDivisionError

    desk = Recorder(breaks)
    await store.insert_new([deed("note", id="a"), deed("note", id="b")])
    told: list[str] = []
    employ(desk, told=lambda: told.append("told"))
    await until(lambda: all_done(store))
    assert desk.log == ["a"] * 8 + ["b"]
    refused = await of(store, "a")
    assert refused.status == REFUSED
    assert "8 attempts" in Done.decode(refused.result).text
    assert "ZeroDivisionError" in caplog.text
    assert len(told) == 2


async def test_what_cannot_be_had_now_holds_nobody_up_for_long(
    store: AsyncStore, employ: Employ, caplog: pytest.LogCaptureFixture
) -> None:
    def away(wanted: Deed) -> None:
        if wanted.id == "a":
            raise RetryLater("files.slack.com asks to wait", 600.0)

    desk = Recorder(away)
    await store.insert_new([deed("say", id="a"), deed("say", id="b")])
    employ(desk)
    for n in range(1, 4):
        await until(lambda n=n: _put_off(store, "a", n))
        waits = (await of(store, "a")).due - utcnow()
        assert timedelta(seconds=8) < waits <= timedelta(seconds=10)
        await store.change(Deed, {"id": "a"}, set={"due": utcnow()})
    await until(lambda: all_done(store))
    assert desk.log == ["a"] * 4 + ["b"]
    refused = await of(store, "a")
    assert refused.status == REFUSED
    assert "4 attempts" in Done.decode(refused.result).text


async def _put_off(store: AsyncStore, id: str, attempts: int) -> bool:
    row = await of(store, id)
    return bool(row.attempts == attempts and not row.owner)


async def test_what_kills_its_process_each_time_is_given_up(
    store: AsyncStore, employ: Employ
) -> None:
    wanted = deed("note", id="a")
    wanted.attempts = 8
    await store.insert(wanted)
    desk = Recorder()
    employ(desk)
    await until(lambda: all_done(store))
    assert desk.log == []
    assert (await of(store, "a")).status == REFUSED


async def test_a_kind_that_is_not_known_is_refused_at_once(
    store: AsyncStore, employ: Employ
) -> None:
    await store.insert(deed("dance", id="a"))
    employ(desk_of(store))
    await until(lambda: all_done(store))
    refused = await of(store, "a")
    assert (refused.status, refused.attempts) == (REFUSED, 1)


async def test_the_agent_is_told_before_the_deed_is_no_more_pending(
    store: AsyncStore, employ: Employ
) -> None:
    await talk(store, holder=AGENT, agent="ben")
    await store.insert(deed("take", "anna", id="a", via="slack"))
    seen: list[tuple[str, str]] = []

    async def tell(wanted: Deed, done: Done) -> None:
        seen.append((done.text, (await of(store, wanted.id)).status))

    employ(desk_of(store), slack=tell)
    await until(lambda: all_done(store))
    assert seen == [("Ben Okafor has this conversation.", PENDING)]
    kept = await of(store, "a")
    assert (kept.status, kept.result["text"]) == (REFUSED, seen[0][0])


async def test_an_agent_who_cannot_be_told_holds_nobody_up_and_nothing_is_done_again(
    store: AsyncStore, employ: Employ
) -> None:
    tried = []

    async def tell(wanted: Deed, done: Done) -> None:
        tried.append(wanted.id)
        raise RetryLater("too many requests")

    desk = Recorder()
    await store.insert_new([deed("note", id="a", via="slack"), deed("note", id="b")])
    employ(desk, slack=tell)
    await until(lambda: all_done(store))
    assert tried == ["a"] * 3
    assert desk.log == ["a", "b"]
    assert (await of(store, "a")).status == DONE


async def test_what_a_dead_process_had_in_hand_is_taken_over_at_once(
    store: AsyncStore, employ: Employ, machine: Machine
) -> None:
    for id, owner in (("a", "dead"), ("b", "alive")):
        wanted = deed("note", id=id, conversation=address(id).key)
        wanted.owner, wanted.due = owner, utcnow() + timedelta(minutes=5)
        await store.insert(wanted)
    machine.dead.add("dead")
    desk = Recorder()
    employ(desk)
    await until(lambda: desk.log)
    await asyncio.sleep(0.1)
    assert desk.log == ["a"]
    await store.change(Deed, {"id": "b"}, set={"due": utcnow()})
    await until(lambda: all_done(store))
    assert desk.log == ["a", "b"]


async def test_an_earlier_deed_that_arrives_late_is_not_done_beside_the_one_in_hand(
    store: AsyncStore, employ: Employ
) -> None:
    earlier = deed("note", id="early")
    claimed = deed("note", id="claimed")
    claimed.owner, claimed.due = "alive", utcnow() + timedelta(minutes=5)
    await store.insert_new([claimed, earlier])
    desk = Recorder()
    employ(desk)
    await asyncio.sleep(0.15)
    assert desk.log == []
    await store.change(Deed, {"id": "claimed"}, set={"status": DONE})
    await until(lambda: all_done(store))
    assert desk.log == ["early"]


async def test_who_was_suspended_until_another_took_over_settles_nothing(
    store: AsyncStore, employ: Employ
) -> None:
    """Of two processes at one deed only who has the claim decides note or message."""
    await talk(store, holder=AGENT, agent="anna")
    await wish(store, deed("write", "anna", "for the customer", id="a"))
    stale = await of(store, "a")
    await store.change(Conversation, {"id": KEY}, set={"agent": "ben"})
    clerk = employ(desk_of(store))
    await until(lambda: all_done(store))
    await clerk.stop()
    await store.change(Conversation, {"id": KEY}, set={"agent": "anna"})
    with pytest.raises(Overtaken):
        await desk_of(store).perform(stale)
    # Nor while the other is still at it.
    await wish(store, deed("write", "anna", "and this", id="b"))
    stale = await of(store, "b")
    in_hand = {"owner": "alive", "due": utcnow() + timedelta(minutes=5)}
    await store.change(Deed, {"id": "b"}, set=in_hand)
    with pytest.raises(Overtaken):
        await desk_of(store).perform(stale)
    assert await out(store) == []
    assert [entry.kind for entry in await journal(store)] == [NOTE]


async def test_what_was_done_long_ago_is_forgotten(store: AsyncStore, employ: Employ) -> None:
    for id, days, status in (("old", 31, DONE), ("new", 29, REFUSED)):
        row = deed("note", id=id)
        row.at, row.status = utcnow() - timedelta(days=days), status
        await store.insert(row)
    clerk = employ(Recorder())
    clerk._sweep_at = 0.0
    clerk.wake.set()
    await until(lambda: _counted(store, 1))
    assert (await of(store, "new")).id == "new"


async def _counted(store: AsyncStore, count: int) -> bool:
    return await store.count(Deed, {}) == count


SCRIPT = (
    ("take", "anna", ""),
    ("write", "anna", "Hello, Anna here."),
    ("write", "anna", "// he lies"),
)


@pytest.mark.parametrize("what", ["down", "kill"])
async def test_whatever_call_of_a_clerk_breaks_the_customer_gets_each_once_and_no_note(
    store: AsyncStore, employ: Employ, machine: Machine, what: str
) -> None:
    async def run(user: str, at: int, applied: bool) -> int:
        key = address(user).key
        await talk(store, user)
        rows = [
            deed(kind, agent, text, id=f"{user}-{n}", conversation=key)
            for n, (kind, agent, text) in enumerate(SCRIPT)
        ]
        for row in rows:
            row.arrived = arrival()
        await store.insert_new(rows)
        died = asyncio.Event()

        def killed() -> None:
            machine.dead.add(f"first {user}")
            died.set()

        failing = Failing(store, at=at, what=what, applied=applied, killed=killed)
        first = employ(desk_of(failing), f"first {user}", failing)
        dying = asyncio.create_task(died.wait())
        finished = asyncio.create_task(until(lambda: _finished(store, key)))
        await asyncio.wait({dying, finished}, return_when=asyncio.FIRST_COMPLETED)
        if not finished.done():
            first._stopping = True
            for task in list(first._serving.values()):
                task.cancel()
            last = employ(desk_of(store), f"second {user}")
            await finished
            await last.stop()
        dying.cancel()
        await finished
        await first.stop()
        said = [decode(row.content) for row in await out(store, key)]
        where = (at, applied)
        assert said == [Text("Hello, Anna here.")], where
        notes = await store.find(Entry, {"conversation": key}, sort=("arrived",))
        assert [n.text for n in notes if n.kind == NOTE] == ["he lies"], where
        assert (await held(store, key)).epoch == 1, where
        return failing.calls

    calls = await run("whole", 0, False)
    assert calls > 20
    for at in range(1, calls, 2):
        await run(f"u{at}", at, applied=at % 4 == 1)


async def _finished(store: AsyncStore, key: str) -> bool:
    return not await store.count(Deed, {"conversation": key, "status": PENDING})
