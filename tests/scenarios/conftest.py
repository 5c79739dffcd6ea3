"""One model, trained from the project's own data, and one brain for all scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports TensorFlow: see bot.dialogue.preload.
import skops.io  # noqa: F401

from bot.desk.routing_file import load_routing
from bot.desk.watch import Watch
from bot.dialogue.preload import preload
from bot.dialogue.training import train
from bot.perception.escalation_file import load_escalation
from bot.perception.perceiving import Perceiver
from bot.settings import Perception
from tests.kit.stage import Company

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def company() -> Iterator[Company]:
    """The brain with all that the company's files say."""
    model = train(ROOT, ROOT / "models")
    preload()
    # The first question to a model would have to wait for it.
    import openai  # noqa: F401

    from bot.dialogue.brain import Brain

    brains: dict[frozenset[str], Brain] = {}

    def load(resolves: frozenset[str]) -> Brain:
        if resolves not in brains:
            brains[resolves] = Brain.load(model, action_seconds=30.0, resolves=resolves)
        return brains[resolves]

    escalation = load_escalation(ROOT / "data" / "escalation.yml")
    watch = Watch(
        Perceiver(Perception(), escalation),
        escalation,
        None,
        load_routing(ROOT / "data" / "routing.yml"),
    )
    yield Company.of(load, watch, ROOT)
    for brain in brains.values():
        brain.close()
