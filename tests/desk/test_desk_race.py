"""Fifty agents press Take over in the same instant, while the bot is talking."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bot.outbox
from bot.desk.clerk import Clerk
from bot.desk.contract import Done
from bot.desk.deeds import wish
from bot.message import Text, utcnow
from bot.outbox import Outbox
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import AGENT, Conversation
from bot.store.deeds import DONE, PENDING, REFUSED, Deed
from bot.store.documents import DOCUMENTS
from bot.store.journal import TAKEN
from bot.store.messages import DROPPED, QUEUED, SENT, UNSENT, Message
from bot.store.sqlite import SqliteStore
from tests.kit.at_desk import KEY, deed, desk_of, held, journal, talk
from tests.kit.build import row
from tests.kit.channel import Line, Provider
from tests.kit.processes import QUICK, Machine
from tests.kit.waiting import PATIENCE, until

AGENTS = [f"slack:U{n:02}" for n in range(50)]
COMPOSED = 60


class Elsewhere:
    """A loop in a thread of its own, with a connection of its own to the one file."""

    def __init__(self, path: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.store = AsyncStore(SqliteStore(path), DOCUMENTS)

    def run(self, coroutine: Any) -> asyncio.Future[Any]:
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self.loop))

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self.store.close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Elsewhere]]:
    """Two processes, but for their names."""
    places = [Elsewhere(tmp_path / "bot.db") for _ in range(2)]
    yield places
    for place in places:
        place.end()


class Watched:
    """A store for the outbox that writes down who had the conversation at each look."""

    def __init__(self, store: AsyncStore, log: list[str]) -> None:
        self._store = store
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def get(self, cls: Any, id: Any) -> Any:
        found = await self._store.get(cls, id)
        if cls is Conversation:
            self._log.append(f"{found.holder} has it")
        return found


class Talking:
    """A bot that has composed many replies, and the outbox that is sending them."""

    def __init__(self, store: AsyncStore) -> None:
        self.log: list[str] = []
        self._store = store
        self.provider = Provider()
        self.provider.on_send = self._send
        self.begun = asyncio.Event()
        watched: Any = Watched(store, self.log)
        lines = {("line", "shop"): Line(self.provider)}
        limits = replace(QUICK, send_timeout_seconds=PATIENCE)
        self.outbox = Outbox(watched, lines, limits, lambda: None)

    async def _send(self, _: Any) -> None:
        self.log.append("sent")
        sent = self.log.count("sent")
        if sent == 3:
            self.begun.set()
        if sent == COMPOSED // 2:
            # Where the agents are slow, it would else be done before any of them.
            await until(self._is_taken)
        await asyncio.sleep(0.002)

    async def _is_taken(self) -> bool:
        return (await held(self._store)).holder == AGENT

    async def check(self, store: AsyncStore) -> None:
        """All that went out had been looked at while nobody had taken it; the rest is dropped."""
        seen = self.log.index(f"{AGENT} has it")
        assert "sent" not in self.log[seen:]
        assert self.log.count("sent") <= self.log.count("bot has it")
        rows = await store.find(Message, {"conversation": KEY, "direction": "out"})
        statuses = [r.status for r in rows if r.turn]
        assert set(statuses) == {SENT, DROPPED}
        assert len(statuses) == COMPOSED
        assert statuses.count(SENT) == self.log.count("sent") < COMPOSED


@pytest.fixture
async def talking(store: AsyncStore, machine: Machine) -> Any:
    await talk(store)
    composed = [row(f"reply {n}", n=n, turn=f"t{n}") for n in range(COMPOSED)]
    await store.insert_new(composed)
    bot_talks = Talking(store)
    with machine.being("the outbox"):
        task = asyncio.create_task(bot_talks.outbox.run())
    await bot_talks.begun.wait()
    yield bot_talks
    await bot_talks.outbox.stop()
    await task


async def quiet(store: AsyncStore) -> bool:
    where = {"direction": "out", "status": {"$in": UNSENT}}
    return not await store.count(Message, where)


async def has_one_holder(store: AsyncStore, results: list[Done]) -> str:
    """Return the id of the one who has it; the others were all told that he does."""
    now = await held(store)
    assert (now.holder, now.epoch) == (AGENT, 1)
    won = [done for done in results if done.ok]
    assert len(won) == 1
    lost = {done.text for done in results if not done.ok}
    assert lost == {f"Agent {AGENTS.index(now.agent)} has this conversation."}
    taken = [entry for entry in await journal(store) if entry.kind == TAKEN]
    assert [entry.agent for entry in taken] == [now.agent]
    cases = await store.find(Case, {"conversation": KEY}, sort=("at",))
    assert [case.agent for case in cases] == [now.agent]
    return str(now.agent)


def takes() -> list[Deed]:
    rows = []
    for n, agent in enumerate(AGENTS):
        wanted = deed("take", agent, id=f"slack:take-{n}", via="slack")
        wanted.name = f"Agent {n}"
        rows.append(wanted)
    return rows


async def test_of_fifty_takeovers_through_two_clerks_one_gets_it_and_the_bot_falls_silent(
    store: AsyncStore,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    talking: Talking,
    two: list[Elsewhere],
) -> None:
    monkeypatch.setattr("bot.desk.clerk.me", bot.outbox.me)
    monkeypatch.setattr("bot.desk.clerk.is_dead", machine.dead.__contains__)
    clerks: dict[str, Clerk] = {}

    async def work(name: str, place: Elsewhere, ready: Callable[[], None]) -> None:
        with machine.being(name):
            clerk = Clerk(place.store, desk_of(place.store), QUICK, talking.outbox.wake.set)
        clerks[name] = clerk
        ready()
        with machine.being(name):
            await clerk.run()

    rows = takes()
    # Half of them are delivered twice, to both processes at once.
    wishes = [two[n % 2].run(wish(two[n % 2].store, r)) for n, r in enumerate(rows)]
    again = [
        two[n % 2].run(wish(two[n % 2].store, r))
        for n, r in enumerate(takes())
        if n < len(rows) // 2
    ]
    assert sum(await asyncio.gather(*wishes, *again)) == len(rows)
    running = [
        place.run(work(name, place, lambda: None))
        for name, place in zip(("one", "two"), two, strict=True)
    ]
    await until(lambda: _all_done(store))
    await until(lambda: quiet(store))
    for name, place in zip(("one", "two"), two, strict=True):
        await place.run(clerks[name].stop())
    await asyncio.gather(*running)

    done = await store.find(Deed, {"status": {"$in": [DONE, REFUSED]}})
    winner = await has_one_holder(store, [Done.decode(d.result) for d in done])
    await talking.check(store)
    # And his words go out, behind what the bot had said.
    mine = deed("write", winner, "Hello, a person here.", via="slack")
    assert (await desk_of(store).perform(mine)).ok
    talking.outbox.wake.set()
    await until(lambda: quiet(store))
    assert talking.provider.said()[-1] == "Hello, a person here."


async def test_fifty_takeovers_in_the_very_same_instant(
    store: AsyncStore, talking: Talking, two: list[Elsewhere]
) -> None:
    """Without clerks, which would have one wait for the other."""
    rows = takes()
    await store.insert_new(rows)
    desks = [desk_of(place.store) for place in two]
    tries = [two[n % 2].run(desks[n % 2].perform(wanted)) for n, wanted in enumerate(rows)]
    results = await asyncio.gather(*tries)
    await until(lambda: quiet(store))
    now = await held(store)
    assert (now.holder, now.epoch) == (AGENT, 1)
    assert [rows[n].agent for n, done in enumerate(results) if done.ok] == [now.agent]
    assert all(" has this conversation." in done.text for done in results if not done.ok)
    await talking.check(store)


@pytest.mark.parametrize("kind", ["back", "resolve"])
async def test_the_bots_goodbye_is_dropped_when_somebody_takes_over_before_it_goes(
    store: AsyncStore, machine: Machine, kind: str
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    case = Case(id="case", conversation=KEY, topic="human", at=utcnow())
    await store.insert(case)
    desk = desk_of(store)
    await store.insert(row(status=SENT, agent="Anna Keller"))
    assert (await desk.perform(deed(kind, "anna", "done"))).ok
    assert await store.count(Message, {"conversation": KEY, "status": QUEUED}) == 1
    assert (await desk.perform(deed("take", "ben"))).ok
    provider = Provider()
    with machine.being("the outbox"):
        lines = {("line", "shop"): Line(provider)}
        outbox = Outbox(store, lines, QUICK, lambda: None)
        task = asyncio.create_task(outbox.run())
    await until(lambda: quiet(store))
    await outbox.stop()
    await task
    assert provider.taken == []


async def test_words_of_the_agent_then_of_the_bot_arrive_in_that_order(
    store: AsyncStore, machine: Machine
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    desk = desk_of(store)
    provider = Provider()
    with machine.being("the outbox"):
        outbox = Outbox(store, {("line", "shop"): Line(provider)}, QUICK, lambda: None)
        task = asyncio.create_task(outbox.run())
    assert (await desk.perform(deed("say", "anna", "All is settled."))).ok
    assert (await desk.perform(deed("back", "anna"))).ok
    outbox.wake.set()
    await until(lambda: quiet(store))
    await outbox.stop()
    await task
    told = desk.means.routing.says("returned", "en")
    assert [o.content for o in provider.taken] == [Text("All is settled."), Text(told)]
    assert [o.agent for o in provider.taken] == ["Anna Keller", ""]


async def _all_done(store: AsyncStore) -> bool:
    return not await store.count(Deed, {"status": PENDING})
