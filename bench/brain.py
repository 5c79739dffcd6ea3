"""Measure the brain: ``python -m bench.brain [--short] [--against MODEL]``.

Prints what a message costs late in a conversation beside early in it, for the brain and for
stock Rasa (its own agent, dask, in-memory tracker store) on the same model, and how long each
takes until it answers. That both answer the same is shown by `bench.equal`.

MODEL is one of the configuration that `rasa init` gives, trained from the same data:
``rasa train --config bench/stock.yml --fixed-model-name stock --out models/stock``. With it,
the same is done for neural policies, and our configuration is compared with it.

Times are of the processor, for the machine is shared; ratios hold better than milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.shop import open_shop
from bot.dialogue.preload import preload
from bot.dialogue.training import train

if TYPE_CHECKING:
    from bot.dialogue.brain import Brain
    from tests.kit.talk import Stock

LAST, STOCK_LAST, SHORT = 1000, 200, 42
#: Conversations measured; message 10 comes once in each.
ROUNDS, STOCK_ROUNDS = 6, 3
TALK = ("hi", "what are your hours?", "where is order 1042", "yes", "help", "asdf qwer", "thanks")

Say = Callable[[str, str], Awaitable[None]]


async def course(say: Say, last: int, user: str) -> list[float]:
    """Hold one conversation of `last` messages; return seconds for each."""
    took = []
    for n in range(last):
        began = time.process_time()
        await say(TALK[n % len(TALK)], user)
        took.append(time.process_time() - began)
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


def typical(courses: list[list[float]]) -> float:
    """Return milliseconds of a message in the first turns of a conversation, all kinds alike."""
    kinds = [[c[n] for c in courses for n in range(kind, len(c), len(TALK))] for kind in range(7)]
    return statistics.fmean(statistics.median(kind) for kind in kinds) * 1e3


async def measure(against: Path | None, short: bool) -> None:
    """Print it all; `short`, without long conversations."""
    from bot.dialogue.brain import Brain
    from tests.kit.talk import Stock

    model = train(Path(), Path("models"))
    # Stock first: loading a brain makes Rasa check the schema of actions only once.
    stock = Stock(model)
    rasa = await _stock_courses(stock, *((2, SHORT) if short else (STOCK_ROUNDS, STOCK_LAST)))
    neural = Stock(against) if against else None
    neural_rasa = await _stock_courses(neural, 2, SHORT) if neural else []

    brain = Brain.load(model)
    long = await _courses(brain, *((4, SHORT) if short else (ROUNDS, LAST)))
    if not short:
        _long(long, rasa)
    ours, theirs = typical([c[:SHORT] for c in long]), typical([c[:SHORT] for c in rasa])
    print(f"same model: stock {theirs:.2f} ms, brain {ours:.2f} ms", end="")
    print(f", stock / brain {theirs / ours:.1f} (goal 2.5)", flush=True)
    if against and neural:
        own = Brain.load(against)
        through = typical(await _courses(own, 2, SHORT))
        runner = own._processor.graph_runner
        print(f"stock's configuration: stock {typical(neural_rasa):.2f} ms", end="")
        print(f", the same model through the brain {through:.2f} ms", end="")
        print(f" (policies asked {runner.asked} times, spared {runner.spared})")
        print(f"stock's configuration in stock / ours: {typical(neural_rasa) / ours:.1f} (goal 5)")
        _ready("stock's configuration", against)
    _ready("our configuration", model)


def _long(long: list[list[float]], rasa: list[list[float]]) -> None:
    """Print what a message costs late in a conversation beside early in it."""
    early, late = at(long, 10, 1), at(long, LAST - len(TALK), 10)
    early_rasa, late_rasa = at(rasa, 10, 1), at(rasa, STOCK_LAST - len(TALK), 1)
    print(f"brain: message 10 {early:.1f} ms, message {LAST} {late:.1f} ms", end="")
    print(f", ratio {late / early:.2f} (goal 1.2)")
    print(f"stock: message 10 {early_rasa:.1f} ms, message {STOCK_LAST} {late_rasa:.1f} ms", end="")
    print(f", ratio {late_rasa / early_rasa:.2f}")


async def _stock_courses(stock: Stock, rounds: int, last: int) -> list[list[float]]:
    async def say(text: str, user: str) -> None:
        await stock.take(text, user)

    await course(say, 30, "warm")
    return [await course(say, last, f"stock{n}") for n in range(rounds)]


async def _courses(brain: Brain, rounds: int, last: int) -> list[list[float]]:
    from tests.kit.talk import Conversation

    talks: dict[str, Conversation] = {}

    async def say(text: str, user: str) -> None:
        await talks.setdefault(user, Conversation(brain, user=user)).say(text)

    await course(say, 30, "warm")
    return [await course(say, last, f"ours{n}") for n in range(rounds)]


def _ready(named: str, model: Path) -> None:
    """Print seconds until each answers, in processes of their own."""
    seconds = {}
    for what in ("stock", "brain"):
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "bench.ready", what, str(model)],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ).stdout
        seconds[what] = json.loads(told.splitlines()[-1])
    after = {what: s["load"][1] + s["answer"][1] for what, s in seconds.items()}
    cold = sum(cpu for _, cpu in seconds["stock"].values())
    print(
        f"{named}, until the first answer: stock {after['stock']:.2f} s after its imports", end=""
    )
    print(f", brain {after['brain']:.2f} s, stock / brain {after['stock'] / after['brain']:.1f}")
    print(f"  a process of stock from nothing {cold:.1f} s; a worker, forked with the", end="")
    print(
        f" imports done, {after['brain']:.2f} s: {cold / after['brain']:.1f} (goal 2)", flush=True
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="a model of bench/stock.yml")
    parser.add_argument("--short", action="store_true", help="without long conversations")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        preload()
        open_shop(Path(directory))
        asyncio.run(measure(chosen.against, chosen.short))
