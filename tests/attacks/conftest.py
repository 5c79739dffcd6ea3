"""The stage on which attacks are played; the models are served once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.harness import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()
