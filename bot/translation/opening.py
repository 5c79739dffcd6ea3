"""The translator of one process, made from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.llm.client import open_llm
from bot.llm.prompts import PROMPTS, load_prompt
from bot.perception.language import Languages, has_lexicon
from bot.perception.lexicon import lexicon, split
from bot.settings import Settings
from bot.store import AsyncStore
from bot.translation.by_model import ModelEngine
from bot.translation.contract import Engine
from bot.translation.marian import MarianEngine, pairs_of
from bot.translation.remembering import Remembered
from bot.translation.translator import Translator


class Telling:
    """Tells the language of a text among those that customers write in."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._languages = Languages(languages)

    def clearly(self, text: str) -> str:
        """See `bot.translation.verifying.Tells`."""
        found = self._languages.guess(text)
        return found.language if found.clear else ""

    def betrays(self, text: str, source: str, target: str) -> bool:
        """See `bot.translation.verifying.Tells`."""
        if not has_lexicon(source):
            return False
        own = lexicon(source)
        others = lexicon(target).tells if has_lexicon(target) else frozenset()
        found = {word for word in split(text) if word in own.tells - others - own.neutral}
        # Some of a language's commonest words are another's, too, of which nothing is known.
        return len(found) > (0 if has_lexicon(target) else 1)

    def means(self, text: str) -> bool:
        """See `bot.translation.verifying.Tells`."""
        neutral = lexicon(self._languages.languages[0]).neutral
        return any(c.isalpha() for word in split(text) if word not in neutral for c in word)


def open_translator(
    settings: Settings, store: AsyncStore | None, root: Path = Path()
) -> Translator | None:
    """Return what translates, None where nothing is set up for it.

    Models are loaded, and endpoints asked, at the first text. Raises PromptInvalid.
    """
    engine: Engine
    languages = settings.perception.languages
    if settings.translation.engine == "marian" and settings.translation.models:
        engine = MarianEngine(pairs_of(settings.translation.models))
    elif settings.translation.engine == "llm" and settings.llm:
        prompt = load_prompt("translate", root / PROMPTS)
        engine = ModelEngine(open_llm(settings, store), prompt, settings.llm[0].model, languages)
    else:
        return None
    remembered = None if store is None else Remembered(store)
    return Translator(engine, Telling(languages), remembered)
