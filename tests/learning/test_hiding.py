"""Examples stay sentences with their entities, and have nothing personal in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.learning.contract import Mark
from bot.learning.hiding import Hider, personal


def hidden(text: str, *known: str) -> str:
    return Hider(known, "seed").hide(text).text


@pytest.mark.parametrize(
    ("text", "gone", "stays"),
    [
        ("my mail is ann.b@gmail.com ok", ["ann", "gmail"], ["my mail is ", "@example.com ok"]),
        ("ring me on 07911 654321 please", ["654321"], ["ring me on 07700 900", "please"]),
        ("ring +44 7911 654321", ["654321"], ["ring +44 7700 900"]),
        ("where is order #77042?", ["77042"], ["where is order #", "?"]),
        ("my card 4111 1111 1111 1111 was declined", ["4111", "1111"], ["my card was declined"]),
        ("pay to DE89 3704 0044 0532 0130 00, ok", ["DE89", "0532"], ["pay to , ok"]),
        ("send it to 12 Baker Street please", ["Baker"], ["send it to ", " please"]),
        ("I'm Tom Lindqvist and it is late", ["Tom", "Lindqvist"], ["I'm ", " and it is late"]),
        ("my name is peter and it is late", ["peter"], ["my name is ", " and it is late"]),
        ("it is late\n\nRegards, Petra Weber", ["Petra", "Weber"], ["it is late Regards, "]),
        ("is Mrs Schmidt in today", ["Schmidt"], ["is Mrs ", " in today"]),
        ("see https://x.example/o?mail=a@b.c now", ["?mail"], ["see https://example.com now"]),
        ("I am @tom_l on there", ["tom_l"], ["I am @", "on there"]),
        ("parcel JD000123456789012 is lost", ["000123456789012"], ["parcel JD", " is lost"]),
        ("i was born 03/04/1985, am i old enough", ["1985"], ["am i old enough"]),
        ("my voucher XK72-PLQ9381M fails", ["9381"], ["my voucher XK", "fails"]),
    ],
)
def test_values_get_stand_ins_and_the_sentence_stays(
    text: str, gone: list[str], stays: list[str]
) -> None:
    new = hidden(text, "Tom", "Lindqvist")
    for part in gone:
        assert part not in new
    for part in stays:
        assert part in new


@pytest.mark.parametrize(
    "text",
    ["how much is a 30x40 rug", "it is 49.99 pounds", "open on 24/12?", "in 2023 i ordered a lamp"],
)
def test_what_is_not_personal_stays_as_it_is(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    "text", ["1042", "#77042", "👍", "?!", "ann@gmail.com", "+44 7911 123456", "a"]
)
def test_a_text_of_nothing_else_is_bare(text: str) -> None:
    assert Hider().hide(text).bare


def test_words_and_other_scripts_are_not_bare() -> None:
    assert not Hider().hide("order 77042").bare
    assert not Hider().hide("谢").bare


def test_the_same_value_is_hidden_alike_in_a_conversation_and_others_differ() -> None:
    hider = Hider((), "c1")
    first = hider.hide("order 77042").text
    assert hider.hide("i said 77042").text == first.replace("order", "i said")
    assert hider.hide("order 77043").text != first
    assert hider.value("77042") == first.removeprefix("order ")


def test_values_of_slots_follow_their_words() -> None:
    hider = Hider()
    said = hider.hide("call 07911 123456", [Mark(5, 17, "phone")]).text
    digits = said.removeprefix("call 0").replace(" ", "")
    assert hider.value("+447911123456") == f"+44{digits}"
    parcel = hider.hide("jd 0001 2345 6789 0123", [Mark(0, 22, "tracking_number")]).text
    assert hider.value("JD0001234567890123") == parcel.replace(" ", "").upper()


def test_square_brackets_that_rasa_would_take_for_entities_become_round() -> None:
    assert hidden("see [this](link) and [that") == "see (this)(link) and (that"


_PERSONAL = ("ann.b@gmail.com", "07911 654321", "77042", "4111 1111 1111 1111", "Lindqvist")
_PLAIN = st.text(st.sampled_from("abcdé ?!,日 \n[]{}"), max_size=12)


@given(st.lists(st.tuples(_PLAIN, st.sampled_from(_PERSONAL)), max_size=5), _PLAIN)
def test_marks_are_where_they_belong_and_nothing_personal_is_left(
    parts: list[tuple[str, str]], end: str
) -> None:
    text, marks, kept = "", [], []
    for n, (plain, value) in enumerate(parts):
        text += f"{plain} {value} "
        start = len(text) - len(value) - 1
        marks.append(Mark(start, start + len(value), f"v{n}"))
        text += f"q{n} "
        marks.append(Mark(len(text) - 3, len(text) - 1, f"k{n}"))
        kept.append(f"q{n}")
    text += end
    new = Hider(("Lindqvist",), "s").hide(text, marks)
    for value in _PERSONAL:
        assert value not in new.text
    assert "  " not in new.text
    assert "\n" not in new.text
    last = 0
    words = {}
    for mark in new.marks:
        assert last <= mark.start < mark.end <= len(new.text)
        last = mark.end
        words[mark.entity] = new.text[mark.start : mark.end]
    # What is not personal is marked as before, and only what was left out has lost its mark.
    assert [words[f"k{n}"] for n in range(len(parts))] == kept
    for n, (_, value) in enumerate(parts):
        assert (f"v{n}" in words) == (value != "4111 1111 1111 1111")
        if value == "ann.b@gmail.com":
            assert words[f"v{n}"].endswith("@example.com")
        elif value in ("77042", "07911 654321"):
            assert len(words[f"v{n}"]) == len(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to ann@gmail.com", "a mail address"),
        ("call 07911 654321", "a phone number"),
        ("card 4111 1111 1111 1111", "the number of a payment card"),
        ("write to sam@example.com or joe@field.example, 07700 900123, order 1042", ""),
    ],
)
def test_what_a_designer_writes_is_looked_at_again(text: str, kind: str) -> None:
    assert personal(text) == kind
