"""Translators over the sandbox's chat models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bot.llm.client import Llm
from bot.llm.prompts import load_prompt
from bot.settings import Budget
from bot.store import AsyncStore
from bot.translation.by_model import ModelEngine
from bot.translation.contract import Job
from bot.translation.opening import Telling
from bot.translation.remembering import Remembered
from bot.translation.translator import Translator
from tests.kit.chat import Server

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
DOMAIN = Path(__file__).parents[2] / "domain.yml"
#: One for all tests: it has no state but what it has loaded.
TELLS = Telling(LANGUAGES)


def responses() -> dict[str, list[dict[str, Any]]]:
    """Return the bot's own responses."""
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(DOMAIN.read_text("utf-8"))["responses"]
    return found


def translating(
    server: Server,
    manner: str = "honest",
    store: AsyncStore | None = None,
    budget: Budget | None = None,
) -> Translator:
    """Return a translator whose model has a manner; with a `store` it keeps and counts."""
    talks = Llm([server.model(manner)], budget or Budget(conversation_tokens=0), store)
    engine = ModelEngine(talks, load_prompt("translate"), manner, LANGUAGES)
    return Translator(engine, TELLS, Remembered(store) if store else None)


class Nothing:
    """Tells no language: for an engine of made-up words."""

    def clearly(self, text: str) -> str:
        """See `bot.translation.verifying.Tells`."""
        return ""

    def betrays(self, text: str, source: str, target: str) -> bool:
        """See `bot.translation.verifying.Tells`."""
        return False

    def means(self, text: str) -> bool:
        """See `bot.translation.verifying.Tells`."""
        return False


class Backwards:
    """An engine that spells each word backwards, and its own work the right way again.

    What it finds that is no letter it leaves as it is, `spoil` does to each text what else is
    to be done.
    """

    name = "backwards"

    def __init__(self, repairs: bool = False, spoil: Any = lambda text, attempt: text) -> None:
        self.repairs = repairs
        self.spoil = spoil
        self.asked: list[list[str]] = []

    def can(self, source: str, target: str) -> bool:
        """See `Engine`."""
        return {source, target} <= {"en", "xx"}

    def token(self, number: int, taken: str) -> str:
        """See `Engine`."""
        return f"⟦{number}⟧"

    async def translate(
        self, texts: Sequence[str], source: str, target: str, job: Job
    ) -> list[str]:
        """See `Engine`."""
        self.asked.append(list(texts))
        return [self.spoil(backwards(text), len(self.asked)) for text in texts]

    async def close(self) -> None:
        """See `Engine`."""


class Table(Backwards):
    """An engine that knows these texts, and spells all others backwards."""

    name = "table"

    def __init__(self, known: dict[str, str]) -> None:
        super().__init__()
        self._known = known

    def can(self, source: str, target: str) -> bool:
        """See `Engine`."""
        return True

    async def translate(
        self, texts: Sequence[str], source: str, target: str, job: Job
    ) -> list[str]:
        """See `Engine`."""
        return [self._known.get(text) or backwards(text) for text in texts]


def backwards(text: str) -> str:
    """Return a text with the letters of each word turned round."""
    made, word = "", ""
    for c in f"{text}\0":
        if c.isalpha():
            word = c + word
        else:
            made, word = made + word + c, ""
    return made[:-1]
