"""One conversation, and every call to the store going wrong in turn.

Whatever the k-th call is, and whether it takes effect before it fails: at the end each
message has been answered exactly once, in order.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from bot.inbox import Inbox
from bot.store import AsyncStore
from bot.store.messages import DONE, SENT, UNSENT, Message
from bot.store.turns import Turn
from bot.store.wake import LocalBell
from tests.kit.build import address, inbound
from tests.kit.channel import Break, Echo, Later, Lose, Provider, Take
from tests.kit.processes import QUICK, Machine, Process
from tests.kit.stores import store_in
from tests.kit.waiting import until

SAID = [f"message {n}" for n in range(1, 6)]
ANSWERS = [f"{n}: {text}" for n, text in enumerate(SAID, 1)]
AT_ONCE = 12


class Round:
    """One conversation worked through with one fault."""

    def __init__(self, machine: Machine, directory: Path, at: int, what: str, applied: bool):
        self.machine, self.at, self.what, self.applied = machine, at, what, applied
        self.directory = directory / f"{what}-{applied}-{at}"
        self.provider = Provider()
        self.calls = 0

    def __str__(self) -> str:
        when = "after" if self.applied else "before"
        return f"{self.what} {when} call {self.at}"

    async def run(self) -> None:
        self.directory.mkdir()
        store = store_in(self.directory)
        try:
            bells = LocalBell(self.directory)
            await Inbox(store, bells).accept([inbound(t, n=n) for n, t in enumerate(SAID)])
            await self._work(store)
            await self._check(store)
        finally:
            await store.close()

    async def _work(self, store: AsyncStore) -> None:
        def process(at: int) -> Process:
            return Process(
                self.machine,
                store,
                self.provider,
                Echo(),
                at=at,
                what=self.what,
                applied=self.applied,
            )

        first = process(self.at).start()
        running = [first]
        try:
            while True:
                done = asyncio.create_task(until(lambda: _answered(store), pause=0.03))
                died = asyncio.create_task(first.died.wait())
                await asyncio.wait({done, died}, return_when=asyncio.FIRST_COMPLETED)
                died.cancel()
                if done.done():
                    done.result()
                    break
                done.cancel()
                await first.stop()
                first = process(0).start()
                running.append(first)
        finally:
            for one in running:
                await one.stop()
        self.calls = running[0].store.calls

    async def _check(self, store: AsyncStore) -> None:
        assert self.provider.said() == ANSWERS, str(self)
        rows = await store.find(Message, {"conversation": address().key}, sort=("arrived",))
        assert {r.status for r in rows if r.direction == "in"} == {DONE}, str(self)
        out = sorted((r for r in rows if r.direction == "out"), key=lambda r: r.order)
        assert [(r.status, r.provider_id) for r in out] == [
            (SENT, f"p{n}") for n in range(1, len(SAID) + 1)
        ], str(self)
        turns = await store.find(Turn, {"conversation": address().key}, sort=("seq",))
        assert [t.seq for t in turns] == [1, 2, 3, 4, 5], str(self)


@pytest.mark.parametrize("what", ["down", "kill"])
@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
async def test_no_failed_call_loses_doubles_or_reorders_an_answer(
    machine: Machine, tmp_path: Path, what: str, applied: bool
) -> None:
    undisturbed = Round(machine, tmp_path, 0, what, applied)
    await undisturbed.run()
    assert undisturbed.calls > len(SAID) * 8

    gate = asyncio.Semaphore(AT_ONCE)

    async def one(at: int) -> None:
        async with gate:
            await Round(machine, tmp_path, at, what, applied).run()

    # Every other one: after a call is before the next, and both are tried.
    await asyncio.gather(*(one(at) for at in range(1, undisturbed.calls + 1, 2)))


@pytest.mark.parametrize("seed", range(8))
async def test_many_faults_at_once_lose_double_and_reorder_nothing(
    machine: Machine, tmp_path: Path, store: AsyncStore, seed: int
) -> None:
    """Two processes, each failing or dying at random, and a provider in a bad mood."""
    dice = random.Random(seed)
    mood = [Take(), Take(), Later(), Lose(taken=True), Lose(taken=False), Break(taken=True)]
    provider = Provider(*(dice.choice(mood) for _ in range(20)))
    users = [f"user{n}" for n in range(4)]
    inbox = Inbox(store, LocalBell(tmp_path))

    def process(last: bool = False) -> Process:
        return Process(
            machine,
            store,
            provider,
            Echo(),
            at=0 if last else dice.randint(1, 60),
            what=dice.choice(["kill", "down"]),
            applied=dice.random() < 0.5,
            limits=replace(QUICK, send_attempts=100, turn_attempts=100),
        ).start()

    everyone = [process(), process()]
    try:
        for text in SAID:
            await inbox.accept([inbound(text, user=user, n=SAID.index(text)) for user in users])
            await asyncio.sleep(dice.uniform(0, 0.1))
            for _ in range(dice.randint(0, 2)):
                everyone.append(process())
                dice.choice(everyone).kill()
        everyone.append(process(last=True))
        await until(lambda: _answered(store), pause=0.03)
    finally:
        for one in everyone:
            await one.stop()
    for user in users:
        assert provider.said(user) == ANSWERS


async def _answered(store: AsyncStore) -> bool:
    pending = await store.count(Message, {"direction": "in", "status": "pending"})
    where = {"direction": "out", "status": {"$in": UNSENT}}
    return not pending and not await store.count(Message, where)
