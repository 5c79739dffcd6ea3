from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import pytest

from bot.dialogue.contract import Outcome
from bot.dialogue.thread import BrainStuck, BrainThread
from bot.message import Address, Inbound, Text


class Slow:
    """A brain that computes for as long as the text says, in seconds, without letting go."""

    model_id = "slow"
    closed = False

    async def take(self, said: Inbound, state: dict[str, Any] | None, hints: Any = None) -> Outcome:
        assert isinstance(said.content, Text)
        time.sleep(float(said.content.text))
        return Outcome([], [said.content], {}, {}, None)

    def close(self) -> None:
        self.closed = True


def say(text: str) -> Inbound:
    return Inbound(Address("telegram", "shop", "1"), "1", Text(text))


async def test_this_loop_goes_on_while_the_brain_computes() -> None:
    brain = BrainThread(Slow)
    await brain.start()
    turn = asyncio.create_task(brain.take(say("0.3"), None))
    ticks = 0
    while not turn.done():
        await asyncio.sleep(0.01)
        ticks += 1
    brain.close()
    assert (await turn).replies == [Text("0.3")]
    assert ticks > 5


async def test_what_loading_raises_is_raised_by_start() -> None:
    def load() -> Slow:
        raise FileNotFoundError("no model")

    brain = BrainThread(load)
    with pytest.raises(FileNotFoundError, match="no model"):
        await brain.start()
    brain.close()


async def test_a_brain_that_never_comes_back_is_noticed() -> None:
    brain = BrainThread(Slow)
    await brain.start()
    watching = asyncio.create_task(brain.watch(0.2))
    await asyncio.sleep(0.5)
    assert not watching.done()
    stuck = asyncio.create_task(brain.take(say("1.5"), None))
    with pytest.raises(BrainStuck):
        await watching
    await stuck
    brain.close()


async def test_threads_take_short_turns_while_a_brain_is_loaded_and_only_then() -> None:
    usual, seen = sys.getswitchinterval(), []

    def broken() -> Slow:
        seen.append(sys.getswitchinterval())
        raise ValueError("cannot be loaded")

    thread = BrainThread(Slow)
    await thread.start()
    with pytest.raises(ValueError, match="cannot be loaded"):
        await thread.replace(broken)
    assert seen[0] < usual / 5
    assert sys.getswitchinterval() == usual
    assert (await thread.take(say("0"), None)).replies == [Text("0")]
    thread.close()
