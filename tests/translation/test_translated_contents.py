"""Every word that customers read is changed, and nothing that machines read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.dialogue.heard import Words, heard
from bot.message import (
    Album,
    Ask,
    Card,
    Cards,
    Choice,
    Choices,
    Contact,
    Location,
    Media,
    Menu,
    Option,
    Order,
    OrderItem,
    Products,
    Section,
    Sensed,
    Template,
    Text,
)
from bot.translation.contents import changed, with_words, words_in

OPTION = Option("a title", "/pay", "about it", "https://a.example")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Text("text", (OPTION,)), ["text", "a title", "about it"]),
        (Choices("text", (OPTION,)), ["text", "a title", "about it"]),
        (
            Menu("text", (Section("section", (OPTION,)),), "open"),
            ["text", "section", "a title", "about it", "open"],
        ),
        (
            Cards((Card("card", "words", "https://a.example/p.png", "", (OPTION,)),)),
            ["card", "words", "a title", "about it"],
        ),
        (Products("text", "47", ("mug",), "header"), ["text", "header"]),
        (Ask("text", "location"), ["text"]),
        (Media("image", url="https://a.example/p.png", caption="words"), ["words"]),
        (Media("image", url="https://a.example/p.png"), []),
        (Location(1.0, 2.0, "Larkfield Goods", "14 Mill Lane"), []),
        (Contact("Larkfield Goods", ("+44",)), []),
        (Template("order_update", "en", ("1042",), text="Your order"), []),
    ],
)
def test_words_of_every_kind(content, words) -> None:
    assert words_in(content) == words
    shouted = changed(content, str.upper)
    assert words_in(shouted) == [word.upper() for word in words]
    assert changed(shouted, str.lower) == content


def test_a_customers_content_gets_other_words() -> None:
    assert with_words(Text("olá"), "hello") == Text("hello")
    photo = Media("image", ref="x", caption="olá")
    assert with_words(photo, "hello").caption == "hello"
    album = with_words(Album((photo, photo)), "hello")
    assert album.caption == "hello"
    # Words of a recording are not heard once more in the other language.
    voice = Media("voice", ref="v", sensed=(Sensed("spoken", "olá", "m", sure=False),))
    said = with_words(voice, "hello")
    assert (heard(said), said.sensed[0].words, said.sensed[0].sure) == (
        Words("hello"),
        "hello",
        False,
    )
    both = with_words(replace(voice, caption="bom dia"), "good morning\nhello")
    assert heard(both) == Words("good morning\nhello")
    assert heard(with_words(Album((photo, voice)), "hello")) == Words("hello")
    order = Order((OrderItem("mug", 1),), note="olá")
    assert with_words(order, "hello").note == "hello"
    assert with_words(Choice("olá", "Olá"), "hello") == Choice("hello", "Olá")
    assert with_words(Location(1.0, 2.0), "hello") == Location(1.0, 2.0)
