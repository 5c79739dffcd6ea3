"""The senses that the settings describe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.llm.budget import Purse
from bot.llm.client import open_llm
from bot.llm.prompts import load_prompt
from bot.media.vault import AsyncVault
from bot.senses.contract import Sense
from bot.senses.ears import Ears, Engine
from bot.senses.endpoint import Endpoint
from bot.senses.eyes import Eyes
from bot.senses.reading import Senses
from bot.senses.whisper import Whisper
from bot.settings import Settings
from bot.store import AsyncStore


def open_senses(
    settings: Settings,
    store: AsyncStore,
    vault: AsyncVault,
    fetch: Callable[[], None] = lambda: None,
    root: Path = Path(),
) -> Senses | None:
    """Return what is configured to see and hear, None when nothing is; nothing connects yet.

    Raises EngineMissing, PromptInvalid.
    """
    eyes, ears = _eyes(settings, store, root), _ears(settings, store)
    if eyes is None and ears is None:
        return None
    return Senses(store, vault, eyes, ears, wait_seconds=settings.media.wait_seconds, fetch=fetch)


def _eyes(settings: Settings, store: AsyncStore, root: Path) -> Sense | None:
    models = tuple(entry for entry in settings.llm if entry.vision)
    if not models:
        return None
    talks = open_llm(replace(settings, llm=models), store)
    prompt = load_prompt("picture", root / "data" / "prompts")
    company = settings.knowledge.company or "a shop"
    return Eyes(talks, prompt, company, settings.perception.languages[0])


def _ears(settings: Settings, store: AsyncStore) -> Sense | None:
    told = settings.transcription
    if told.engine == "none":
        return None
    engine: Engine = Endpoint(told) if told.engine == "endpoint" else Whisper(told)
    return Ears(engine, told, Purse(settings.budget, store))
