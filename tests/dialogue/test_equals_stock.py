"""A brain answers as stock Rasa does on the same model, event for event.

A sample: ``python -m bench.brain --against MODEL`` compares all stories and a thousand talks.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.dialogue.brain import Brain
from tests.kit.stories import stories
from tests.kit.talk import SAID, Stock, compare


@pytest.fixture(scope="module")
def stock(model: Path, brain: Brain) -> Stock:
    return Stock(model)


@pytest.mark.parametrize("seed", range(2))
async def test_random_conversations(brain: Brain, stock: Stock, seed: int) -> None:
    pick = random.Random(seed)
    messages = pick.choices(list(SAID), list(SAID.values()), k=30)
    assert await compare(brain, stock, messages, f"random{seed}") == []


@pytest.mark.parametrize("message", ["thanks", "9999", "no"])
async def test_the_same_said_over_and_over(brain: Brain, stock: Stock, message: str) -> None:
    """What leaves no trace, or collapses, must neither push the past out nor add up."""
    messages = ["hi", "where is my order?", *[message] * 25, "1042", "yes", "help", "yes"]
    assert await compare(brain, stock, messages, f"again {message}") == []


async def test_the_stories(brain: Brain, stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    # Both are to make the same code.
    monkeypatch.setattr("bot.identity.codes.secrets.randbelow", lambda most: 7)
    for n, story in enumerate(random.Random(len(stories())).sample(stories(), 15)):
        said = [turn.text for turn in story.turns]
        assert await compare(brain, stock, said, f"story{n}") == [], story.name
