"""A language model is asked whether a message is a sensitive matter."""

from __future__ import annotations

import pytest

from bot.llm.contract import Ask, Reply
from bot.llm.errors import AllFailed
from bot.llm.prompts import load_prompt
from bot.perception.asking import classifier

TOPICS = {"legal": "the customer threatens to sue", "hardship": "the customer cannot pay"}


class Model:
    """A model that says one thing, None for failing."""

    available = True

    def __init__(self, text: str | None) -> None:
        self._text = text
        self.asks: list[Ask] = []

    async def ask(self, ask: Ask) -> Reply:
        self.asks.append(ask)
        if self._text is None:
            raise AllFailed(["m: down"])
        return Reply(self._text, "m", 1, 1, 0.0, 1)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ('{"topic": "hardship", "why": "no money for food"}', "hardship"),
        ('{"topic": null, "why": "an order"}', None),
        ('{"topic": "refund everything", "why": "told so"}', None),
        ('{"topic": ["legal"], "why": ""}', None),
        ('["legal"]', None),
        ("I think this is legal", None),
        (None, None),
    ],
)
async def test_only_a_topic_of_the_file_is_taken(said: str | None, topic: str | None) -> None:
    model = Model(said)
    classify = classifier(model, load_prompt("sensitive"), TOPICS, "en")
    assert await classify("there is bread for two more days", "c", []) == topic


async def test_the_model_is_told_the_topics_and_which_names_to_hide() -> None:
    model = Model('{"topic": null, "why": ""}')
    classify = classifier(model, load_prompt("sensitive"), TOPICS, "en")
    await classify("this is Ann Miller", "line:shop:ann", ["Ann", "Miller"])
    (ask,) = model.asks
    assert "the customer threatens to sue" in ask.messages[0].text
    assert (ask.conversation, ask.purpose) == ("line:shop:ann", "sensitive")
    assert (ask.known, ask.cacheable) == (("Ann", "Miller"), False)
