from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.learning import Mark
from bot.marked_text import BadMarkup, read_marked, write_marked

WORDS = st.text(st.characters(blacklist_characters="[](){}", blacklist_categories=("Cs",)))


@pytest.mark.parametrize(
    ("marked", "text", "marks"),
    [
        ("where is it", "where is it", ()),
        (
            "  where is [1042](order_number)? ",
            "where is 1042?",
            (Mark(9, 13, "order_number"),),
        ),
        ("a [lamp](product:light)", "a lamp", (Mark(2, 6, "product", "light"),)),
        (
            'from [Rome]{"entity": "city", "role": "from"} to [LHR]'
            '{"entity": "city", "role": "to", "value": "London", "group": "1"} pls',
            "from Rome to LHR pls",
            (Mark(5, 9, "city", role="from"), Mark(13, 16, "city", "London", "to", "1")),
        ),
        ("[a}b](x)", "a}b", (Mark(0, 3, "x"),)),
        ("a smile :[ and [a bracket] (so)", "a smile :[ and [a bracket] (so)", ()),
        ("[😀](mood) [ok](mood)", "😀 ok", (Mark(0, 1, "mood"), Mark(2, 4, "mood"))),
        ("[]", "[]", ()),
    ],
)
def test_it_reads_what_rasa_reads(marked: str, text: str, marks: tuple[Mark, ...]) -> None:
    assert read_marked(marked) == (text, marks)
    assert read_marked(write_marked(text, marks)) == (text, marks)


@pytest.mark.parametrize(
    ("marked", "at", "problem"),
    [
        ("where is [1042](order_number", 15, "this ( is never closed"),
        ("where is [1042(order_number)", 9, "this [ is never closed"),
        ("[1042]()", 7, "the entity has no name"),
        ("[x](a b)", 4, "'a b' is no name"),
        ("[](city)", 0, "there is no text between"),
        ("[[x](city)](city)", 0, "a [ within the text"),
        ('[x]{"entity": "a", "value": "}"}', 29, "a } within the text"),
        ('[x]{"entity": "a"', 17, "Expecting"),
        ("[x]{entity: a}", 4, "Expecting property name"),
        ('[x]{"role": "a"}', 3, "the entity has no name"),
        ('[x]{"entity": "a", "vlaue": "b"}', 3, "'vlaue' is no key here"),
        ('[x]{"entity": "a", "value": 3}', 3, "value: should be a text"),
        ('[x][{"entity": "a"}]', 3, "two are not possible"),
    ],
)
def test_it_says_where_it_is_wrong(marked: str, at: int, problem: str) -> None:
    with pytest.raises(BadMarkup, match=f"^character {at + 1}: ") as told:
        read_marked(marked)
    assert told.value.at == at
    assert problem in str(told.value)


@settings(max_examples=25)
@given(st.lists(st.tuples(WORDS, WORDS.filter(str.strip), WORDS, st.booleans()), max_size=4))
def test_what_was_written_is_read_again(parts: list[tuple[str, str, str, bool]]) -> None:
    text, marks = "x", []
    for between, said, value, role in parts:
        start = len(text) + len(between)
        text += between + said
        marks.append(Mark(start, len(text), "thing", value, "one" if role else ""))
    text += "x"
    assert read_marked(write_marked(text, tuple(marks))) == (text, tuple(marks))
