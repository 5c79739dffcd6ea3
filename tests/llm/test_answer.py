from __future__ import annotations

import pytest

from bot.llm.answer import as_schema, each_text, spoken, texts_in
from bot.llm.engine import Unusable
from tests.kit.chat import SCHEMA

GOOD = '{"answer": "a", "cites": [1], "enough": true, "escalate": null}'


@pytest.mark.parametrize(
    "text",
    [GOOD, f"```json\n{GOOD}\n```", f"Sure {{here}}:\n{GOOD}\nAnything else?", f"\n\n{GOOD}"],
)
def test_the_object_is_found(text):
    assert as_schema(text, SCHEMA)["cites"] == [1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        (GOOD[:-1], "no JSON object"),
        ("{" * 5000, "no JSON object"),
        ('{"answer": "a"}', "'required'"),
        (GOOD.replace("[1]", '["secret"]'), "'type' at 'cites'"),
        (GOOD.replace('"answer"', '"secret": 1, "answer"'), "'additionalProperties'"),
    ],
)
def test_what_does_not_follow_the_schema_is_unusable_and_not_quoted(text, says):
    with pytest.raises(Unusable, match=says) as failed:
        as_schema(text, SCHEMA)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<think>a\nb</think> Yes.", "Yes."),
        ("<think>never ends", ""),
        ("It is <think>not</think> so.", "It is <think>not</think> so."),
    ],
)
def test_thoughts_before_an_answer_are_no_answer(text, rest):
    assert spoken(text) == rest


def test_texts_of_a_value_are_met_in_one_order():
    value = {"a": ["x", 1, {"b": "y"}], "c": "z"}
    assert texts_in(value) == ["x", "y", "z"]
    assert each_text(value, str.upper) == {"a": ["X", 1, {"b": "Y"}], "c": "Z"}
