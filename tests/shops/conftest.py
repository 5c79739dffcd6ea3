from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.shops import Place, place


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Place]:
    """The stand-ins, and a store."""
    async with place(tmp_path) as made:
        yield made
