"""Measure the brain: ``python -m bench.brain [CONVERSATIONS]``, some minutes.

Prints what a message costs late in a conversation beside early in it, for the brain and
for stock Rasa (its own agent, dask, in-memory tracker store) on the same model, and then
compares CONVERSATIONS random conversations (default 20, of 100 messages) with stock's,
event for event. Ratios hold better than milliseconds: the machine is shared.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.dialogue.preload import preload
from bot.dialogue.training import train

LAST, STOCK_LAST = 1000, 200
#: Conversations measured; message 10 comes once in each.
ROUNDS, STOCK_ROUNDS = 6, 3
TALK = ("hi", "what are your hours?", "where is order 1042", "yes", "help", "asdf qwer", "thanks")

Say = Callable[[str, str], Awaitable[None]]


async def course(say: Say, last: int, user: str) -> list[float]:
    """Hold one conversation of `last` messages; return seconds for each."""
    took = []
    for n in range(last):
        began = time.perf_counter()
        await say(TALK[n % len(TALK)], user)
        took.append(time.perf_counter() - began)
    return took


def at(courses: list[list[float]], mark: int, times: int) -> float:
    """Return milliseconds of a message about `mark`, over `times` runs through the talk.

    The kinds of messages cost differently: their medians are averaged, so that the same
    ones are compared wherever the mark is.
    """
    begin = mark // len(TALK) * len(TALK) - (times - 1) * len(TALK)
    kinds = [
        [c[begin + turn * len(TALK) + kind] for c in courses for turn in range(times)]
        for kind in range(len(TALK))
    ]
    return statistics.fmean(statistics.median(kind) for kind in kinds) * 1e3


async def measure() -> None:
    """Print the costs of messages."""
    from bot.dialogue.brain import Brain
    from tests.kit.talk import Conversation, Stock

    model = train(Path(), Path("models"))
    # Stock first: loading a brain makes Rasa check the schema of actions only once.
    began = time.perf_counter()
    stock = Stock(model)
    loaded_stock = time.perf_counter() - began

    async def theirs(text: str, user: str) -> None:
        await stock.take(text, user)

    await course(theirs, 30, "warm")
    rasa = [await course(theirs, STOCK_LAST, f"stock{n}") for n in range(STOCK_ROUNDS)]

    began = time.perf_counter()
    brain = Brain.load(model)
    loaded = time.perf_counter() - began
    talks: dict[str, Conversation] = {}

    async def ours(text: str, user: str) -> None:
        await talks.setdefault(user, Conversation(brain, user=user)).say(text)

    await course(ours, 30, "warm")
    long = [await course(ours, LAST, f"ours{n}") for n in range(ROUNDS)]

    early, late = at(long, 10, 1), at(long, LAST - len(TALK), 10)
    early_rasa, late_rasa = at(rasa, 10, 1), at(rasa, STOCK_LAST - len(TALK), 1)
    print(f"load, after the imports: brain {loaded:.2f} s, stock {loaded_stock:.2f} s")
    print(f"brain: message 10 {early:.1f} ms, message {LAST} {late:.1f} ms", end="")
    print(f", ratio {late / early:.2f} (goal 1.2)")
    print(f"stock: message 10 {early_rasa:.1f} ms, message {STOCK_LAST} {late_rasa:.1f} ms", end="")
    print(f", ratio {late_rasa / early_rasa:.2f}")
    print(f"stock / brain: message 10 {early_rasa / early:.1f}", end="")
    print(f", message {STOCK_LAST} {late_rasa / at(long, STOCK_LAST, 3):.1f}")
    await _equal(brain, stock, int(sys.argv[1]) if len(sys.argv) > 1 else 20)


async def _equal(brain: object, stock: object, conversations: int) -> None:
    from tests.kit.talk import SAID, compare

    messages = different = 0
    for seed in range(conversations):
        pick = random.Random(f"bench{seed}")
        said: list[str] = []
        while len(said) < 100:
            one = pick.choices(list(SAID), list(SAID.values()))[0]
            times = pick.choice((1, 1, 1, 1, 1, 1, 1, 4, 12))
            # Going back further than is carried is the one thing that differs.
            said += [one] * (1 if one == "/back" else times)
        found = await compare(brain, stock, said, f"equal{seed}")  # type: ignore[arg-type]
        messages, different = messages + len(said), different + len(found)
        for difference in found[:1]:
            print(difference)
    print(f"equal to stock: {conversations} conversations, {messages} messages", end="")
    print(f", {different} answered differently")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        os.environ["FRONTDESK_STORE_URL"] = f"sqlite:{directory}/bench.db"
        preload()
        asyncio.run(measure())
