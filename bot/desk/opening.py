"""The watch of one process, made from the settings."""

from __future__ import annotations

from pathlib import Path

from bot.desk.routing import Routing
from bot.desk.watch import Watch
from bot.llm.client import open_llm
from bot.llm.prompts import load_prompt
from bot.perception.asking import classifier
from bot.perception.escalation_file import load_escalation
from bot.perception.perceiving import Perceiver
from bot.settings import Settings
from bot.store import AsyncStore


def open_watch(
    settings: Settings, store: AsyncStore, routing: Routing, root: Path = Path()
) -> Watch:
    """Return what looks at each message. Raises SettingsInvalid, PromptInvalid."""
    escalation = load_escalation(root / "data" / "escalation.yml")
    classify = None
    if escalation.llm == "every" and settings.llm:
        classify = classifier(
            open_llm(settings, store),
            load_prompt("sensitive", root / "data" / "prompts"),
            escalation.topics,
            settings.perception.languages[0],
        )
    perceiver = Perceiver(settings.perception, escalation)
    return Watch(perceiver, escalation, classify, routing)
