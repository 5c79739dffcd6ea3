"""A language model is asked whether a message is a sensitive matter."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.llm.contract import Ask, Said, Talks
from bot.llm.errors import LlmError
from bot.llm.prompts import Prompt
from bot.store import StoreError

log = logging.getLogger(__name__)

_SCHEMA = {
    "type": "object",
    "properties": {"topic": {"type": ["string", "null"]}, "why": {"type": "string"}},
    "required": ["topic", "why"],
    "additionalProperties": False,
}


def classifier(
    talks: Talks, prompt: Prompt, topics: Mapping[str, str], language: str
) -> Callable[[str, str, Sequence[str]], Awaitable[str | None]]:
    """Return what tells the topic of a text, None for none of `topics`.

    It is called with the text, its conversation, and the customer's names, which no third
    party's model is to see. A model that does not answer has found
    nothing: patterns and intents have been looked at before it.
    """
    listed = "\n".join(f"- {name}: {about}" for name, about in topics.items())
    system = Said("system", prompt.fill(topics=listed, language=language))

    async def classify(text: str, conversation: str, known: Sequence[str]) -> str | None:
        ask = Ask(
            (system, Said("user", text)),
            conversation,
            "sensitive",
            prompt.tokens,
            _SCHEMA,
            known=tuple(known),
        )
        try:
            reply = await talks.ask(ask)
            topic = json.loads(reply.text).get("topic")
        except (LlmError, StoreError, ValueError, AttributeError) as error:
            log.warning("no model told whether a message is sensitive: %s", type(error).__name__)
            return None
        return topic if isinstance(topic, str) and topic in topics else None

    return classify
