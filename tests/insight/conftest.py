"""Small projects that are read as designers write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.insight.designed import Designed, Designs

Project = Callable[..., Designed]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write files by their paths ("__" for "/") and read them."""

    def write(**files: str) -> Designed:
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".yml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return Designs(tmp_path).read()

    return write
