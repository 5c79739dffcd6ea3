"""Entities are written as Rasa has them, and what it would misread is refused."""

from __future__ import annotations

import pytest

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Place
from bot.learning.contract import Mark, NotAllowed
from bot.learning.markup import annotated, trimmed

DOMAIN = Domain(entities={name: Place("domain.yml", 1) for name in ("city", "count")})


def test_an_entity_is_written_as_shortly_as_it_can_be() -> None:
    text = "from LA to Rome"
    assert annotated(text, [Mark(5, 7, "city")], DOMAIN) == "from [LA](city) to Rome"
    marks = [Mark(5, 7, "city", "Los Angeles", "from", "1"), Mark(11, 15, "city", "Rome")]
    assert annotated(text, marks, DOMAIN) == (
        'from [LA]{"entity": "city", "role": "from", "group": "1", "value": "Los Angeles"}'
        " to [Rome](city)"
    )
    known = {"la": "Los Angeles"}
    assert annotated(text, [Mark(5, 7, "city", "Los Angeles")], DOMAIN, known) == (
        "from [LA](city) to Rome"
    )


@pytest.mark.parametrize(
    ("text", "marks", "what"),
    [
        ("", [], "is empty"),
        ("a\nb", [], "one line"),
        ("a\tb", [], "one line"),
        ("a\x00b", [], "cannot stand in YAML"),
        ("ab", [Mark(0, 3, "city")], "not within the text"),
        ("abc", [Mark(0, 2, "city"), Mark(1, 3, "city")], "overlaps"),
        ("abc", [Mark(0, 2, "citty")], "did you mean city"),
        ("see [a](city)", [], "square brackets"),
        ("see [a", [], "square brackets"),
        ("in [x] y", [Mark(3, 6, "city")], "square brackets"),
        ("abc", [Mark(0, 1, "city", "a}b")], "square brackets"),
    ],
)
def test_what_cannot_be_written_is_refused(text: str, marks: list[Mark], what: str) -> None:
    with pytest.raises(NotAllowed, match=what):
        annotated(text, marks, DOMAIN)


def test_space_around_a_text_goes_and_marks_follow() -> None:
    assert trimmed("  from LA ", [Mark(7, 9, "city")]) == ("from LA", (Mark(5, 7, "city"),))
