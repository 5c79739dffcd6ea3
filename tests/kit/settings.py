"""Settings of a test's own: everything by default, in its directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.settings import (
    Budget,
    Desk,
    Knowledge,
    Limits,
    Media,
    Perception,
    Redis,
    Sandbox,
    Server,
    Settings,
    Store,
    Worker,
)


def settings_in(directory: Path, **given: Any) -> Settings:
    """Return settings whose store is in `directory`; `given` replaces defaults."""
    defaults: dict[str, Any] = {
        "store": Store(f"sqlite:{directory / 'bot.db'}"),
        "redis": Redis(),
        "llm": (),
        "budget": Budget(),
        "knowledge": Knowledge(),
        "perception": Perception(),
        "desk": Desk(),
        "media": Media(),
        "server": Server(),
        "sandbox": Sandbox(),
        "worker": Worker(),
        "limits": Limits(),
        "channels": {},
        "var": directory,
        "model": "models",
    }
    return Settings(**{**defaults, **given})
