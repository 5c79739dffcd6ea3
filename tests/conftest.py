"""What many tests stand on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest

from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.sqlite import SqliteStore
from tests.kit.processes import Machine

# CI tells whether a change broke something, not whether today's dice found something old;
# everywhere else the dice are thrown anew each time.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")



@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[AsyncStore]:
    """A real store in a directory of the test's own."""
    opened = AsyncStore(SqliteStore(tmp_path / "bot.db"), DOCUMENTS)
    yield opened
    await opened.close()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine that a test's processes run on."""
    return Machine(monkeypatch)
