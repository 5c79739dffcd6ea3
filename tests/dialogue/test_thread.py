from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

from bot.dialogue.contract import Outcome
from bot.dialogue.thread import BrainStuck, BrainThread
from bot.message import Address, Inbound, Text
from tests.kit.waiting import PATIENCE


class Slow:
    """A brain that computes until it is let go, without letting go itself."""

    model_id = "slow"
    closed = False

    def __init__(self) -> None:
        self.go = threading.Event()

    async def take(self, said: Inbound, state: dict[str, Any] | None, hints: Any = None) -> Outcome:
        assert self.go.wait(PATIENCE)
        return Outcome([], [said.content], {}, {}, None)

    def close(self) -> None:
        self.closed = True


def say(text: str) -> Inbound:
    return Inbound(Address("telegram", "shop", "1"), "1", Text(text))


async def test_this_loop_goes_on_while_the_brain_computes() -> None:
    slow = Slow()
    brain = BrainThread(lambda: slow)
    await brain.start()
    turn = asyncio.create_task(brain.take(say("hello"), None))
    for _ in range(5):
        await asyncio.sleep(0.01)
        assert not turn.done()
    slow.go.set()
    assert (await turn).replies == [Text("hello")]
    brain.close()


async def test_what_loading_raises_is_raised_by_start() -> None:
    def load() -> Slow:
        raise FileNotFoundError("no model")

    brain = BrainThread(load)
    with pytest.raises(FileNotFoundError, match="no model"):
        await brain.start()
    brain.close()


async def test_a_brain_that_never_comes_back_is_noticed() -> None:
    slow = Slow()
    brain = BrainThread(lambda: slow)
    await brain.start()
    # Much for a thread that only has to be given its turn.
    watching = asyncio.create_task(brain.watch(1.0))
    await asyncio.sleep(0.5)
    assert not watching.done()
    stuck = asyncio.create_task(brain.take(say("hello"), None))
    with pytest.raises(BrainStuck):
        await watching
    slow.go.set()
    await stuck
    brain.close()


async def test_threads_take_short_turns_while_a_brain_is_loaded_and_only_then() -> None:
    usual, seen = sys.getswitchinterval(), []

    def broken() -> Slow:
        seen.append(sys.getswitchinterval())
        raise ValueError("cannot be loaded")

    slow = Slow()
    slow.go.set()
    thread = BrainThread(lambda: slow)
    await thread.start()
    with pytest.raises(ValueError, match="cannot be loaded"):
        await thread.replace(broken)
    assert seen[0] < usual / 5
    assert sys.getswitchinterval() == usual
    assert (await thread.take(say("hello"), None)).replies == [Text("hello")]
    thread.close()
