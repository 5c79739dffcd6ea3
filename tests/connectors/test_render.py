from __future__ import annotations

from dataclasses import replace

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.message import Choices, Contact, Content, Location, Media, Option, Text, Typing
from connectors.base import Capabilities
from connectors.render import characters, render, shorten, split, utf16

CAN = Capabilities(
    kinds_in=frozenset(),
    kinds_out=frozenset({"text", "choices", "media", "location"}),
    text_limit=40,
    text_unit="characters",
    caption_limit=10,
    buttons=3,
    button_title=8,
    payload_limit=64,
    rate=1.0,
    grace=1.0,
    list_rows=5,
)
PLAIN = replace(CAN, kinds_out=frozenset({"text"}), buttons=0, list_rows=0)

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
FLAG = "🇩🇪"
WAVE = "👋🏽"
ACCENTED = "e\u0301"
HANGUL = "\u1112\u1161\u11ab"
WHOLE = [FAMILY, FLAG, WAVE, ACCENTED, HANGUL, "한", "漢", "\r\n", "ก็", "👩\u200d🚀"]


def words(contents: list[Content]) -> list[str]:
    assert all(isinstance(c, Text) for c in contents)
    return [c.text for c in contents]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("short", 10, ["short"]),
        ("exactly 10", 10, ["exactly 10"]),
        ("", 10, []),
        ("  \n ", 10, []),
        # Paragraphs before sentences before words, where they use half of the room.
        ("One. Two.\n\nThree. Four.", 16, ["One. Two.", "Three. Four."]),
        ("One two. Three four five.", 20, ["One two. Three four", "five."]),
        ("One two three. Four five.", 18, ["One two three.", "Four five."]),
        ("A. bcdefgh ijklmnop", 12, ["A. bcdefgh", "ijklmnop"]),
        # A word that ends where the room does is not sent on to the next part.
        ("12345 7890 next", 10, ["12345 7890", "next"]),
        ("abcdefghijklmno", 6, ["abcdef", "ghijkl", "mno"]),
        # A point is not the end of a sentence.
        ("It costs about 3.14159", 17, ["It costs about", "3.14159"]),
        ('He said "no." And left.', 16, ['He said "no."', "And left."]),
        # Languages without blanks.
        ("今日は晴れです。明日は雨です。", 10, ["今日は晴れです。", "明日は雨です。"]),
        ("我们明天早上九点开门", 4, ["我们明天", "早上九点", "开门"]),
        ("「はい。」と言った。そして帰った。", 12, ["「はい。」と言った。", "そして帰った。"]),
    ],
)
def test_text_is_cut_at_the_best_border(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit, characters) == parts


@pytest.mark.parametrize("whole", WHOLE, ids=ascii)
@pytest.mark.parametrize("count", [characters, utf16])
def test_what_is_seen_as_one_character_is_not_cut(whole: str, count) -> None:  # type: ignore[no-untyped-def]
    text = "ab" + whole * 9
    parts = split(text, count(whole) + 3, count)
    assert "".join(parts) == text.strip()
    for part in parts:
        assert count(part) <= count(whole) + 3
        assert part.removeprefix("ab").replace(whole, "").strip() == ""


def test_surrogate_pairs_count_twice_where_the_channel_counts_utf16() -> None:
    assert (characters("a😀"), utf16("a😀"), utf16("漢é")) == (2, 3, 2)
    assert split("😀" * 10, 5, utf16) == ["😀😀"] * 5
    assert split("😀" * 10, 5, characters) == ["😀" * 5] * 2


def test_a_character_longer_than_the_limit_is_cut_all_the_same() -> None:
    zalgo = "a" + "\u0301" * 25
    parts = split(zalgo, 10, characters)
    assert "".join(parts) == zalgo
    assert max(map(len, parts)) <= 10


@pytest.mark.parametrize(
    "link", ["https://shop.example.com/a?b=1.2", "http://例え.jp/パス", "www.example.com/x/y/z"]
)
def test_a_link_that_fits_into_one_part_stays_whole(link: str) -> None:
    for lead in range(1, 40):
        parts = split(f"{'x' * lead} {link} and more words", 36, characters)
        assert any(link in part for part in parts), (lead, parts)
        parts = split(f"{'漢' * lead}{link} and", 36, characters)
        assert any(link in part for part in parts), (lead, parts)


def test_a_link_longer_than_a_part_is_cut_and_nothing_lost() -> None:
    link = "https://example.com/" + "abcdefghij" * 9
    assert "".join(split(link, 40, characters)) == link


TEXTS = st.text(
    st.sampled_from([*"ab. \n,!。、漢かé😀", "\u200d", "\ufe0f", "\u0301", "🏽", "🇩", "\t", "\r"]),
    max_size=120,
)


@given(TEXTS, st.integers(4, 30), st.sampled_from([characters, utf16]))
@settings(max_examples=300, deadline=None)
def test_nothing_but_white_space_at_the_cuts_is_lost(text: str, limit: int, count) -> None:  # type: ignore[no-untyped-def]
    parts = split(text, limit, count)
    assert all(0 < count(part) <= limit for part in parts)
    assert regex.sub(r"\s", "", "".join(parts)) == regex.sub(r"\s", "", text)
    left = text.strip()
    for part in parts:
        assert left.startswith(part)
        left = left[len(part) :].lstrip()
    assert left == ""


@pytest.mark.parametrize(
    "text",
    ["\n" * 20_000, " \n" * 10_000 + "x", "a" * 30_000, "\n" + " " * 20_000 + "x", ". " * 9000],
)
def test_no_text_takes_for_ever(text: str) -> None:
    parts = split("y" + text + "y", 4096, characters)
    assert max(map(len, parts)) <= 4096


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        (f"a{FAMILY}{FAMILY}", 9, f"a{FAMILY}…"),
        (f"ab{FLAG}{FLAG}", 5, f"ab{FLAG}…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
    ],
)
def test_a_title_is_shortened_with_an_ellipsis(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


def choices(*titles: str, text: str = "Which?") -> Choices:
    return Choices(text, tuple(Option(t, f"/{n}") for n, t in enumerate(titles)))


def test_options_the_channel_has_room_for_stay_native() -> None:
    for titles in ("abc", "abcde"):
        (one,) = render(choices(*titles), CAN)
        assert one == choices(*titles)


@pytest.mark.parametrize("can", [PLAIN, replace(CAN, list_rows=0)])
def test_where_there_are_no_buttons_or_too_few_the_options_are_numbered(
    can: Capabilities,
) -> None:
    assert words(render(choices("Ja", "Nein", "Weiß", "?"), can)) == [
        "Which?\n1. Ja\n2. Nein\n3. Weiß\n4. ?"
    ]


def test_a_long_question_goes_before_its_buttons() -> None:
    *before, last = render(choices("Yes", text="word " * 14 + "right?"), CAN)
    assert words(before) == [("word " * 8).strip()]
    assert isinstance(last, Choices)
    assert last.text == "word " * 6 + "right?"
    assert last.options == choices("Yes").options


def test_a_question_with_buttons_may_have_a_limit_of_its_own() -> None:
    can = replace(CAN, choices_text_limit=12)
    *before, last = render(choices("Yes", text="one two three four"), can)
    assert words(before) == ["one two"]
    assert isinstance(last, Choices)
    assert last.text == "three four"


def test_long_titles_are_shortened_and_their_payloads_kept() -> None:
    (one,) = render(choices("Order status", "No"), CAN)
    assert isinstance(one, Choices)
    assert [(o.title, o.payload) for o in one.options] == [("Order s…", "/0"), ("No", "/1")]


def test_titles_that_shortening_would_make_alike_still_differ() -> None:
    (one,) = render(choices("My order in Bonn", "My order in Rome"), CAN)
    assert isinstance(one, Choices)
    titles = [o.title for o in one.options]
    assert len(set(titles)) == 2
    assert all(len(t) <= 8 for t in titles)


def test_a_question_without_options_is_text_and_one_without_words_keeps_its_buttons() -> None:
    assert render(Choices("Well?", ()), CAN) == [Text("Well?")]
    (one,) = render(choices("a", text=" "), CAN)
    assert isinstance(one, Choices)
    assert one.text.strip()


def test_a_picture_keeps_a_caption_that_fits_and_sends_a_longer_one_after_it() -> None:
    short = Media("image", url="https://x/y.png", caption="short")
    long = replace(short, caption="too long for a caption")
    assert render(short, CAN) == [short]
    assert render(long, CAN) == [replace(long, caption=""), Text("too long for a caption")]
    voice = replace(short, type="voice")
    assert render(voice, CAN) == [replace(voice, caption=""), Text("short")]


def test_where_there_is_no_media_its_caption_and_link_are_text() -> None:
    picture = Media("image", url="https://x/y.png", caption="Look")
    assert words(render(picture, PLAIN)) == ["Look\nhttps://x/y.png"]


def test_what_has_no_native_form_becomes_text() -> None:
    place = Location(52.5, 13.4, name="Shop", address="Street 1")
    assert render(place, CAN) == [place]
    assert words(render(place, PLAIN)) == ["Shop, Street 1\n52.500000, 13.400000"]
    card = Contact("Ann", ("+1",), ("a@b.c",))
    assert words(render(card, PLAIN)) == ["Ann\n+1\na@b.c"]
    assert render(Typing(), PLAIN) == []


def test_an_empty_text_is_no_message() -> None:
    assert render(Text(" \n "), CAN) == []
