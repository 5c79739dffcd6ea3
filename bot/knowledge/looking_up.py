"""A question looked up in the articles: as it stands, or together with the one before it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.knowledge.confidence import ENOUGH, confidence
from bot.knowledge.contract import CUSTOMERS, About, Hit
from bot.knowledge.followup import is_followup, joined
from bot.knowledge.model_words import PAST, told_by
from bot.llm import links
from bot.llm.contract import Ask, Said, Talks
from bot.llm.errors import LlmError
from bot.llm.grounding.lexicon import SMALL_WORDS
from bot.llm.orders import orders
from bot.llm.prompts import Prompt
from bot.llm.untrusted import harmless, mark, rule, wrap
from bot.store import StoreError

log = logging.getLogger(__name__)

#: Passages that a search gives.
_FOUND = 12
#: Of a question that a model has put together: characters more than all that was said, and
#: letters in which its words must be alike those.
_MORE, _STEM = 60, 4
_WORDS = re.compile(r"\w+")
_STANDALONE: dict[str, Any] = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}


class Searches(Protocol):
    """What answering needs of the knowledge base."""

    async def search(
        self,
        query: str,
        *,
        k: int = 5,
        language: str | None = None,
        product: str | None = None,
        audience: str = CUSTOMERS,
    ) -> list[Hit]:
        """See `bot.knowledge.library.Library.search`."""

    async def ready(self) -> None:
        """See `bot.knowledge.library.Library.ready`."""


class LookingUp:
    """Looks questions up. With `talks` a model may put one together that stands by itself."""

    def __init__(
        self, search: Searches, talks: Talks | None, prompts: Mapping[str, Prompt]
    ) -> None:
        self._search = search
        self._talks = talks
        self._prompts = prompts

    async def ready(self) -> None:
        """Have the articles loaded before the first question needs them."""
        await self._search.ready()

    async def look_up(
        self, question: str, about: About, why: list[str]
    ) -> tuple[str, str, list[Hit]]:
        """Return the question as it stands by itself, its base, and what was found for it.

        Questions that are only put together would grow with each one that follows: the
        next one leans on the first of them again.
        """
        if about.previous and is_followup(question, about.language):
            why.append("read together with the question before it")
            alone = await self._rewritten(question, about, why)
            if alone:
                return alone, alone, await self.found(alone, about)
            both = joined(about.previous, question)
            return both, about.previous, await self.found(both, about)
        hits = await self.found(question, about)
        if about.previous and confidence(hits) < ENOUGH:
            both = joined(about.previous, question)
            again = await self.found(both, about)
            if confidence(again) >= max(ENOUGH, confidence(hits)):
                why.append("found together with the question before it")
                return both, about.previous, again
        return question, question, hits

    async def found(self, question: str, about: About) -> list[Hit]:
        """Return passages in the customer's language, or in any where those are more likely."""
        hits = await self.searched(question, _FOUND, about.language)
        if confidence(hits) >= ENOUGH:
            return hits
        # Better an answer in the company's own language than none.
        anywhere = await self.searched(question, _FOUND)
        return anywhere if confidence(anywhere) > confidence(hits) else hits

    async def searched(self, query: str, k: int, language: str | None = None) -> list[Hit]:
        """Return what is found, but for passages that give orders to a model."""
        hits = await self._search.search(query, k=k, language=language)
        kept = [hit for hit in hits if not orders(f"{hit.passage.heading}\n{hit.passage.text}")]
        if len(kept) < len(hits):
            bad = {hit.passage.id for hit in hits} - {hit.passage.id for hit in kept}
            # Neither told to a model nor quoted: somebody has put it there.
            log.warning("passages that give orders to a model are left out: %s", sorted(bad))
        return kept

    async def _rewritten(self, question: str, about: About, why: list[str]) -> str:
        if self._talks is None:
            return ""
        past = "\n".join(f"{role}: {text}" for role, text in about.past[-PAST:])
        border, prompt = mark(), self._prompts["rewrite"]
        system = prompt.fill(
            turns=wrap("conversation", past or about.previous, border),
            question=wrap("message", question, border),
            language=about.language,
        )
        asked = (Said("system", f"{system}\n\n{rule(border)}"), Said("user", harmless(question)))
        ask = Ask(
            asked,
            about.conversation,
            "rewrite",
            prompt.tokens,
            _STANDALONE,
            known=about.known,
        )
        try:
            reply = await self._talks.ask(ask)
        except (LlmError, StoreError) as error:
            why.append(f"the question could not be rewritten: {type(error).__name__}")
            return ""
        told = told_by(reply).get("question")
        alone = told.strip() if isinstance(told, str) else ""
        if not _of_words(alone, [past, about.previous, question], about.language):
            why.append(f"{reply.model}: put words of its own into the question")
            return ""
        return alone


def _of_words(question: str, said: Sequence[str], language: str) -> bool:
    """Tell whether a question has no other words than the conversation it was made of.

    It is noted as the customer's, and what he asked may be said again to him.
    """
    known = " ".join(said).lower()
    if len(question) > len(known) + _MORE or links.links(question) != []:
        return False
    small = SMALL_WORDS["en"] | SMALL_WORDS.get(language, frozenset())
    stems = {word[:_STEM] for word in _WORDS.findall(known)}
    words = _WORDS.findall(question.lower())
    numbers = {word for word in words if any(c.isdigit() for c in word)}
    if not numbers.issubset(_WORDS.findall(known)):
        return False
    return all(word in small or word[:_STEM] in stems for word in words)
