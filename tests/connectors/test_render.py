from __future__ import annotations

from dataclasses import replace

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.message import (
    Album,
    Ask,
    Card,
    Cards,
    Choices,
    Contact,
    Content,
    Location,
    Media,
    Menu,
    Option,
    Products,
    Reaction,
    Section,
    Template,
    Text,
    Typing,
)
from connectors import markup
from connectors.base import Capabilities, Files
from connectors.lengths import characters, segments, utf16
from connectors.render import render, shorten, split, split_marked
from tests.kit.dice import examples

CAN = Capabilities(
    kinds_in=frozenset(),
    kinds_out=frozenset({"text", "choices", "menu", "media", "location"}),
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
@settings(max_examples=examples(300), deadline=None)
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
    ids=["lines", "blank lines", "one word", "a late word", "points"],
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
    assert render(choices(*"abc"), CAN) == [choices(*"abc")]
    more = choices(*"abcde")
    assert render(more, CAN) == [Menu("Which?", (Section("", more.options),))]


@pytest.mark.parametrize("can", [PLAIN, replace(CAN, list_rows=0)])
def test_where_there_are_no_buttons_or_too_few_the_options_are_numbered(
    can: Capabilities,
) -> None:
    asked = choices("Ja", "Nein", "Weiß", "?")
    (one,) = render(asked, can)
    # The options stay with the text, so that a typed "2" can mean the second.
    assert one == Text("Which?\n1. Ja\n2. Nein\n3. Weiß\n4. ?", asked.options)


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
    link = "https://www.google.com/maps/search/?api=1&query=52.500000,13.400000"
    wide = replace(PLAIN, text_limit=200)
    assert words(render(place, wide)) == [f"Shop, Street 1\n{link}"]
    card = Contact("Ann", ("+1",), ("a@b.c",))
    assert words(render(card, PLAIN)) == ["Ann\n+1\na@b.c"]
    assert render(Typing(), PLAIN) == []
    assert render(Template("hi", "en", text="Hi there"), PLAIN) == [Text("Hi there")]
    assert render(Products("Our shoes", items=("a", "b")), PLAIN) == [Text("Our shoes")]
    assert render(Ask("Where are you?", "location"), PLAIN) == [Text("Where are you?")]
    # But for an ornament, which would be in the way as a message.
    assert render(Reaction("m1", "👍"), PLAIN) == []
    pictures = tuple(Media("image", url=f"https://x/{n}.png") for n in range(3))
    assert render(Album(pictures), CAN) == list(pictures)


def test_an_empty_text_is_no_message() -> None:
    assert render(Text(" \n "), CAN) == []


@pytest.mark.parametrize("kind", ["none", "whatsapp", "entities"])
def test_a_text_that_the_channel_writes_as_nothing_is_no_message(kind: str) -> None:
    can = replace(CAN, markup=kind)
    assert render(Text("[](https://x.example)"), can) == []
    assert render(Choices("[](https://x.example)", (Option("Yes", "/yes"),)), can) == [
        Choices("…", (Option("Yes", "/yes"),))
    ]


# -- menus, links, cards

ROWS = (
    Section("Fruit", (Option("Apple", "/a", "red"), Option("Pear", "/p"))),
    Section("Nuts", (Option("Hazel", "/h"),)),
)


def test_a_menu_becomes_buttons_where_lists_are_missing_and_numbers_where_these_are() -> None:
    menu = Menu("What?", ROWS, "Look")
    assert render(menu, CAN) == [menu]
    no_lists = replace(CAN, kinds_out=CAN.kinds_out - {"menu"})
    assert render(menu, no_lists) == [Choices("What?", menu.options)]
    (one,) = render(menu, replace(no_lists, buttons=2, text_limit=100))
    assert one == Text("What?\nFruit:\n1. Apple (red)\n2. Pear\nNuts:\n3. Hazel", menu.options)


def test_rows_and_their_descriptions_are_shortened() -> None:
    long = Menu("?", (Section("s" * 30, (Option("t" * 30, "/t", "d" * 90),)),))
    (one,) = render(long, CAN)
    assert isinstance(one, Menu)
    (section,) = one.sections
    lengths = [len(section.title), *(len(v) for o in section.options for v in (o.title,))]
    assert lengths == [24, 24]
    assert len(section.options[0].description) == 72


def test_numbered_options_too_long_for_one_message_stay_with_the_last_part() -> None:
    asked = choices(*(f"option number {n}" for n in range(9)))
    *before, last = render(asked, PLAIN)
    assert before
    assert all(isinstance(b, Text) and not b.options for b in before)
    assert isinstance(last, Text)
    assert last.options == asked.options


LINKED = Choices("More?", (Option("Page", "", url="https://x.example"), Option("No", "/no")))


def test_a_button_that_opens_a_page_is_a_link_where_there_is_no_such_button() -> None:
    assert render(LINKED, replace(CAN, link_buttons="any")) == [LINKED]
    told = Choices("More?\nPage: https://x.example", (Option("No", "/no"),))
    for kind in ("none", "alone"):
        assert render(LINKED, replace(CAN, link_buttons=kind)) == [told]
    alone = replace(LINKED, options=LINKED.options[:1])
    assert render(alone, replace(CAN, link_buttons="alone")) == [alone]
    assert render(alone, CAN) == [Text("More?\nPage: https://x.example")]


CARD = Card("Mug", "Blue", "https://x/m.png", options=(Option("Buy", "/buy"),))


def test_pages_for_which_there_is_no_button_are_named_by_the_channel_or_before_it() -> None:
    can = replace(CAN, link_buttons="any", linked_buttons=1, text_limit=60)
    pages = tuple(Option(word, "", url="https://x.example") for word in ("Page", "Shop"))
    short = Choices("More?", pages)
    assert render(short, can) == [short]
    long = replace(short, text="a" * 32)
    assert words(render(long, can)) == [
        f"{'a' * 32}\nPage: https://x.example",
        "Shop: https://x.example",
    ]
    # A channel with room for all of them keeps them, however long the question.
    roomy = replace(can, linked_buttons=0)
    assert render(long, roomy) == [long]


def test_a_request_for_a_place_ends_in_its_button() -> None:
    can = replace(CAN, kinds_out=CAN.kinds_out | {"ask"})
    assert render(Ask(f"{'a' * 40} where?", "location"), can) == [
        Text("a" * 40),
        Ask("where?", "location"),
    ]
    assert render(Ask(" ", "location"), can) == [Ask("…", "location")]


def test_a_button_without_words_has_some() -> None:
    (one,) = render(choices(" ", "b"), CAN)
    assert isinstance(one, Choices)
    assert [o.title for o in one.options] == ["…", "b"]
    (one,) = render(choices("", " "), CAN)
    assert isinstance(one, Choices)
    assert len({o.title.strip() for o in one.options} - {""}) == 2


def test_cards_are_dealt_in_packs_the_channel_takes() -> None:
    can = replace(CAN, kinds_out=CAN.kinds_out | {"cards"}, cards=2, card_buttons=1)
    cards = Cards((CARD,) * 5)
    assert [len(c.cards) for c in render(cards, can)] == [2, 2, 1]  # type: ignore[union-attr]
    # One of nothing is none.
    assert render(Cards((CARD, Card(""))), can) == [Cards((CARD,))]
    assert render(Cards((Card(""),)), can) == []


def test_a_card_that_has_no_native_form_is_a_picture_and_its_words() -> None:
    apart = [Media("image", url="https://x/m.png"), Choices("**Mug**\nBlue", CARD.options)]
    assert render(Cards((CARD,)), CAN) == apart
    too_long = replace(CAN, kinds_out=CAN.kinds_out | {"cards"}, cards=2, card_title=2)
    assert render(Cards((CARD,)), too_long) == apart
    bare = replace(CARD, options=())
    wide = replace(CAN, caption_limit=99)
    assert render(Cards((bare,)), wide) == [
        Media("image", url="https://x/m.png", caption="**Mug**\nBlue")
    ]


def test_a_type_of_file_the_channel_does_not_take_is_a_link() -> None:
    can = replace(CAN, files={"image": Files(("image/png",), 1000)})
    video = Media("video", url="https://x/v.mp4", caption="Look")
    assert render(video, can) == [Text("Look\nhttps://x/v.mp4")]
    sticker = Media("sticker", url="https://x/s.webp")
    assert render(sticker, can) == [replace(sticker, type="image")]


# -- formatting and its length


def test_the_length_of_a_text_is_that_of_what_the_channel_writes() -> None:
    bold = "**" + "a" * 38 + "**"
    assert render(Text(bold), CAN) == [Text(bold)]
    assert render(Text(bold), replace(CAN, markup="entities")) == [Text(bold)]
    assert render(Text(bold), replace(CAN, markup="whatsapp")) == [Text(bold)]
    longer = "**" + "a" * 39 + "**"
    assert render(Text(longer), replace(CAN, markup="entities")) == [Text(longer)]
    assert len(render(Text(longer), replace(CAN, markup="whatsapp"))) == 2


def test_a_style_that_is_cut_goes_on_in_the_next_part() -> None:
    can = replace(CAN, markup="whatsapp", text_limit=20)
    parts = split_marked("**one two three four five six**", 20, can)
    assert parts == ["**one two three four**", "**five six**"]
    assert [markup.whatsapp(p) for p in parts] == ["*one two three four*", "*five six*"]


SIGNS = [*"ab .\n_*~`[](:/漢😀", "**", "https://x.y/"]
MARKED = st.lists(st.sampled_from(SIGNS), max_size=60).map("".join)


@given(MARKED, st.integers(12, 40), st.sampled_from(["none", "whatsapp", "entities"]))
@settings(max_examples=examples(400), deadline=None)
def test_no_formatting_makes_a_part_too_long_or_loses_a_word(
    text: str, limit: int, how: str
) -> None:
    can = replace(CAN, markup=how)  # type: ignore[arg-type]
    parts = split_marked(text, limit, can)
    for part in parts:
        # A link that is written out may itself be longer than the limit.
        if "](" not in text:
            assert len(markup.WRITERS[how](part)) <= limit
    shown = "".join(markup.entities(part)[0] for part in parts)
    assert regex.sub(r"\s", "", shown) == regex.sub(r"\s", "", markup.entities(text.strip())[0])


# -- SMS

SMS = replace(PLAIN, text_unit="sms", text_limit=2)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # A septet is left over in each part: an extension character takes two.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("漢" * 70, 1),
        ("漢" * 71, 2),
        ("漢" * 134, 2),
        ("漢" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("a" * 69 + "漢", 1),
        ("a" * 159 + "漢", 3),
    ],
    ids=lambda value: str(value)[:12] if isinstance(value, str) else str(value),
)
def test_segments_are_counted_as_they_are_billed(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    "text",
    ["a" * 900, "漢" * 400, "😀" * 300, "é€" * 300, "word " * 200],
    ids=["gsm", "ucs", "emoji", "extension", "words"],
)
def test_sms_is_cut_by_segments_and_nothing_lost(text: str) -> None:
    parts = words(render(Text(text), SMS))
    assert all(0 < segments(p) <= 2 for p in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    # No part is much emptier than it must be.
    assert len(parts) <= segments(text) // 2 + 2


def test_one_emoji_halves_the_room() -> None:
    plain = words(render(Text("a" * 300), SMS))
    assert len(plain) == 1
    with_emoji = words(render(Text("a" * 299 + "😀"), SMS))
    assert len(with_emoji) == 2
    assert segments(with_emoji[0]) <= 2
