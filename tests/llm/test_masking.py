from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.llm.masking import Found, Masker, redact
from bot.llm.masking.finds import KINDS, Find, apart
from tests.kit.dice import examples
from tests.llm.cases.masking import HARMLESS, NAMES, PERSONAL

MASKER = Masker()
MARK = re.compile(r"\{(" + "|".join(KINDS) + r"):([^{}]*)\}")


def read(row: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text of a row, and what is to be masked in it, in order."""
    return MARK.sub(r"\2", row), [(m[1], m[2]) for m in MARK.finditer(row)]


def masked(text: str, known: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    found = MASKER.mask([text], known).found
    assert all(f.text == 0 for f in found)
    return [(f.kind, text[f.start : f.end]) for f in found]


@pytest.mark.parametrize("row", PERSONAL)
def test_it_is_masked_and_nothing_else_is(row: str) -> None:
    text, expected = read(row)
    assert masked(text) == expected
    hidden = MASKER.mask([text])
    assert hidden.restore(hidden.texts[0]) == text
    for value in [value for kind, value in expected if kind != "TEXT"]:
        assert value not in hidden.texts[0]


@pytest.mark.parametrize("text", HARMLESS)
def test_it_is_not_personal(text: str) -> None:
    assert masked(text) == []
    assert MASKER.mask([text]).texts == [text]


@pytest.mark.parametrize(("row", "known"), NAMES)
def test_known_strings_are_masked_as_whole_words(row: str, known: tuple[str, ...]) -> None:
    text, expected = read(row)
    assert masked(text, known) == expected


def test_the_same_value_has_the_same_placeholder_in_all_texts() -> None:
    hidden = MASKER.mask(["a@x.com b@x.com", "b@x.com", "nothing"])
    assert hidden.texts == ["[EMAIL_1] [EMAIL_2]", "[EMAIL_2]", "nothing"]
    assert hidden.found == (
        Found("EMAIL", 0, 7, 0),
        Found("EMAIL", 8, 15, 0),
        Found("EMAIL", 0, 7, 1),
    )


@pytest.mark.parametrize(
    "said",
    [
        "[EMAIL_1]",
        "[email_1]",
        "[ Email_1 ]",
        "[EMAIL 1]",
        "[EMAIL-1]",
        r"\[EMAIL\_1\]",
        "[EMAIL_01]",
    ],
)
def test_a_placeholder_may_come_back_changed(said: str) -> None:
    hidden = MASKER.mask(["I am ann@example.com"])
    assert hidden.restore(f"Hello {said}!") == "Hello ann@example.com!"


def test_an_unknown_placeholder_stays() -> None:
    assert MASKER.mask(["a@x.com"]).restore("[EMAIL_2] [CARD_1]") == "[EMAIL_2] [CARD_1]"


def test_a_typed_placeholder_never_becomes_somebodys_data() -> None:
    hidden = MASKER.mask(["my mail is ann@example.com", "print [EMAIL_1] and [email 1]"])
    assert hidden.restore(hidden.texts[1]) == "print [EMAIL_1] and [email 1]"


def test_restoring_does_not_expand_twice() -> None:
    # The address holds what would be another's placeholder.
    hidden = MASKER.mask(["[EMAIL_1]", "ann@example.com"])
    once = hidden.restore(hidden.texts[0])
    assert once == "[EMAIL_1]"
    assert hidden.restore(hidden.texts[0] + hidden.texts[1]) == "[EMAIL_1]ann@example.com"


def test_the_repr_shows_nothing_personal() -> None:
    assert "ann@" not in repr(MASKER.mask(["ann@example.com"]))


def test_what_is_spared_stays() -> None:
    masker = Masker(spare=("help@larkfield.example", "+44 20 7946 0123", "14 Mill Lane, Larkfield"))
    text = "help@larkfield.example, +44 (20) 7946-0123, 14 mill lane, larkfield or x@y.com"
    assert masker.mask(["help@larkfield.example", "+44 (20) 7946-0123"]).found == ()
    assert "x@y.com" not in masker.mask([text]).texts[0]
    assert "help@larkfield.example" in masker.mask([text]).texts[0]


PIECES = st.sampled_from(
    [
        "ann@example.com",
        "4111 1111 1111 1111",
        "07911 123456",
        "+44 20 7946 0123",
        "[EMAIL_1]",
        "[card 2]",
        "[",
        "]",
        "\\",
        "_1]",
        "[EMAIL",
        "14 Mill Lane",
        "DE89370400440532013000",
        "Ann",
        "\u200b",
        " ",
        "１",
        "\n",
        "AB123456C",
        "::1",
        "12345",
        "ﬁ",
        "İ",
    ]
)
WILD = st.one_of(
    st.text(max_size=80), st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=8).map("".join)
)


@settings(max_examples=examples(150), deadline=None)
@given(texts=st.lists(WILD, min_size=1, max_size=3))
@example(texts=["\\[EMAIL_1\\]", "a@b.com"])
@example(texts=["\\a@b.com\\]"])
@example(texts=["[EMAIL_a@b.com]"])
def test_restoring_gives_back_any_text(texts: list[str]) -> None:
    hidden = MASKER.mask(texts, ["Ann"])
    assert [hidden.restore(text) for text in hidden.texts] == texts
    for f in hidden.found:
        assert 0 <= f.start < f.end <= len(texts[f.text])


@settings(max_examples=examples(100), deadline=None)
@given(before=st.text(max_size=10), after=st.text(max_size=10))
def test_a_card_is_found_among_any_letters(before: str, after: str) -> None:
    text = f"{before}\n 4111 1111 1111 1111 \n{after}"
    assert "4111 1111 1111 1111" not in MASKER.mask([text]).texts[0]


def test_redacting_is_for_good_and_leaves_streets_unless_asked() -> None:
    text = "Ann, 14 Mill Lane, ann@example.com, 4111111111111111, [EMAIL_1]"
    assert redact(text) == "Ann, 14 Mill Lane, [email], [card], [EMAIL_1]"
    assert redact(text, ["Ann"], full=True) == "[name], [address], [email], [card], [EMAIL_1]"


def test_redacting_needs_no_spacy() -> None:
    code = (
        "import sys; from bot.llm.masking import redact, Masker\n"
        "redact('ann@example.com, 14 Mill Lane, 07911 123456'); Masker()\n"
        "print('spacy' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_of_two_that_overlap_the_surer_is_kept_and_the_rest_stays_covered() -> None:
    assert apart([Find("ADDRESS", 0, 20), Find("PHONE", 5, 10), Find("CARD", 8, 12)]) == [
        Find("ADDRESS", 0, 5),
        Find("PHONE", 5, 8),
        Find("CARD", 8, 12),
        Find("ADDRESS", 12, 20),
    ]
