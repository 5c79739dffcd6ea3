"""One model, trained from the project's own data, and one brain for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports TensorFlow: see bot.dialogue.preload.
import skops.io  # noqa: F401

from bench.answers.shelf import Shelf
from bot.dialogue.preload import preload
from bot.dialogue.training import train
from bot.knowledge.answering import Answering
from bot.knowledge.contract import Sheet
from bot.knowledge.service import provide
from bot.llm.prompts import load_prompts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def model() -> Path:
    return train(ROOT, ROOT / "models")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The environment that a worker gives its actions, over a store of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        where = tmp_path_factory.mktemp("shop")
        patch.setenv("FRONTDESK_STORE_URL", f"sqlite:{where / 'bot.db'}")
        patch.setenv("FRONTDESK_PUBLIC_URL", "https://shop.example")
        # The shop's real articles, searched by words, and no language model.
        shelf = Shelf.of(ROOT / "data" / "knowledge")
        provide(
            Answering(
                shelf, None, load_prompts(ROOT / "data" / "prompts"), Sheet("Larkfield Goods")
            )
        )
        yield


@pytest.fixture(scope="session")
def brain(model: Path, shop: None) -> Iterator[object]:
    preload()
    from bot.dialogue.brain import Brain

    loaded = Brain.load(model)
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def failing(model: Path, shop: None) -> Iterator[object]:
    """A brain whose actions fail, see `tests.kit.failing_actions`."""
    preload()
    from bot.dialogue.brain import Brain
    from tests.kit.failing_actions import RELEASE

    loaded = Brain.load(model, actions="tests.kit.failing_actions", action_seconds=1.0)
    yield loaded
    RELEASE.set()
    loaded.close()
