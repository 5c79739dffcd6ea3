"""A language model translates: texts are material to it, whatever they ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.llm.contract import Ask, Said, Talks
from bot.llm.errors import LlmError
from bot.llm.prompts import Prompt
from bot.llm.untrusted import mark, rule, wrap
from bot.store import StoreError
from bot.translation.contract import EngineFailed, Job

#: Tokens of an answer: two for three bytes of what is translated, and the frame.
_OF_A_BYTE, _FRAME = 2 / 3, 80


class ModelEngine:
    """Implements `Engine` with the language models of the settings.

    `languages` are those it is trusted with.
    """

    repairs = True

    def __init__(self, talks: Talks, prompt: Prompt, name: str, languages: Sequence[str]) -> None:
        self._talks = talks
        self._prompt = prompt
        self._languages = frozenset(languages)
        self._name = f"llm:{name}"

    @property
    def name(self) -> str:
        """See `Engine`."""
        return self._name

    def can(self, source: str, target: str) -> bool:
        """See `Engine`."""
        return self._talks.available and {source, target} <= self._languages

    def token(self, number: int, taken: str) -> str:
        """See `Engine`: brackets that nobody types."""
        return f"⟦{number}⟧"

    async def translate(
        self, texts: Sequence[str], source: str, target: str, job: Job
    ) -> list[str]:
        """See `Engine`. One call; the answer has as many texts, or it failed."""
        try:
            reply = await self._talks.ask(self._ask(texts, source, target, job))
            told = json.loads(reply.text)["texts"]
        except (LlmError, StoreError) as error:
            raise EngineFailed(f"{self._name}: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise EngineFailed(f"{self._name}: its answer is not what was asked for") from error
        if not isinstance(told, list) or len(told) != len(texts):
            raise EngineFailed(f"{self._name}: its answer has not as many texts")
        return [str(text) for text in told]

    async def close(self) -> None:
        """See `Engine`."""
        await self._talks.close()

    def _ask(self, texts: Sequence[str], source: str, target: str, job: Job) -> Ask:
        fixed = job.purpose == "fixed"
        seed = "\n".join([source, target, job.wrong, *texts]) if fixed else ""
        border = mark(seed)
        system = self._prompt.fill(
            source=source,
            target=target,
            wrong=f"An earlier attempt was refused: {job.wrong}." if job.wrong else "",
        )
        kind = "message" if job.purpose == "hear" else "article"
        material = "\n".join(
            # Whole, for nobody would see what is cut off from it.
            wrap(kind, text, border, name=f"text {n}", most=len(text))
            for n, text in enumerate(texts, 1)
        )
        size = sum(len(text.encode()) for text in texts)
        return Ask(
            (Said("system", f"{system}\n\n{rule(border)}"), Said("user", material)),
            job.conversation,
            "translate",
            tokens=min(self._prompt.tokens, int(size * _OF_A_BYTE) + _FRAME + 12 * len(texts)),
            schema=_schema(len(texts)),
            cacheable=fixed,
            known=() if fixed else job.known,
        )


def _schema(count: int) -> dict[str, Any]:
    texts = {
        "type": "array",
        "items": {"type": "string"},
        "minItems": count,
        "maxItems": count,
    }
    return {
        "type": "object",
        "properties": {"texts": texts},
        "required": ["texts"],
        "additionalProperties": False,
    }
