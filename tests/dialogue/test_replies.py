from __future__ import annotations

from typing import Any

import pytest

from bot.dialogue.preload import preload

preload()

from bot.dialogue.replies import InvalidReply, Replies, contents  # noqa: E402
from bot.message import (  # noqa: E402
    Card,
    Cards,
    Choices,
    Content,
    Location,
    Media,
    Menu,
    Option,
    Section,
    Template,
    Text,
    encode,
)

YES = {"title": "Yes", "payload": "/affirm"}
PICTURE = "https://shop.example/a.png"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "hello"}, [Text("hello")]),
        ({"text": " two\n\nparagraphs "}, [Text("two\n\nparagraphs")]),
        ({"text": "sure?", "buttons": [YES]}, [Choices("sure?", (Option("Yes", "/affirm"),))]),
        (
            {"text": "sure?", "quick_replies": [YES]},
            [Choices("sure?", (Option("Yes", "/affirm"),))],
        ),
        ({"image": PICTURE}, [Media("image", url=PICTURE)]),
        ({"text": "look", "image": PICTURE}, [Text("look"), Media("image", url=PICTURE)]),
        ({"attachment": "http://a.example/x"}, [Media("document", url="http://a.example/x")]),
        (
            {"attachment": {"type": "video", "payload": {"src": "https://a.example/v"}}},
            [Media("video", url="https://a.example/v")],
        ),
        ({"custom": encode(Location(1, 2.5, "here"))}, [Location(1, 2.5, "here")]),
        ({"text": "map", "custom": encode(Location(1, 2))}, [Text("map"), Location(1, 2)]),
        (
            {"text": "more", "buttons": [{"type": "web_url", "title": "A", "url": PICTURE}]},
            [Choices("more", (Option("A", "", url=PICTURE),))],
        ),
        (
            {
                "elements": [
                    {
                        "title": "Mug",
                        "subtitle": "Blue",
                        "image_url": PICTURE,
                        "default_action": {"type": "web_url", "url": "https://shop.example/"},
                        "buttons": [YES],
                    }
                ]
            },
            [
                Cards(
                    (
                        Card(
                            "Mug",
                            "Blue",
                            PICTURE,
                            "https://shop.example/",
                            (Option("Yes", "/affirm"),),
                        ),
                    )
                )
            ],
        ),
        (
            {"custom": encode(Menu("Which?", (Section("A", (Option("x", "/x"),)),)))},
            [Menu("Which?", (Section("A", (Option("x", "/x"),)),))],
        ),
        ({"custom": encode(Template("hi", "en", ("Ann",)))}, [Template("hi", "en", ("Ann",))]),
        ({"text": None, "buttons": None, "image": None}, []),
        ({"text": "  "}, []),
    ],
)
def test_an_utterance_is_these_contents(message: dict[str, Any], expected: list[Content]) -> None:
    assert contents(message) == expected


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"text": 7}, "text"),
        ({"buttons": [YES]}, "buttons"),
        ({"text": "a", "buttons": [{"title": "no payload"}]}, "buttons"),
        ({"text": "a", "buttons": ["Yes"]}, "buttons"),
        ({"text": "a", "buttons": [{"type": "web_url", "title": "A", "url": "x"}]}, "buttons"),
        ({"elements": 3}, "elements"),
        ({"elements": [{"subtitle": "no title"}]}, "elements"),
        ({"elements": [{"title": "a", "image_url": "javascript:1"}]}, "elements"),
        ({"elements": [{"title": "a", "buttons": [{"title": "b"}]}]}, "buttons"),
        ({"custom": {"kind": "menu", "text": "a", "sections": 3}}, "custom.sections"),
        (
            {"custom": {"kind": "menu", "text": "a", "sections": [{"title": 3, "options": []}]}},
            "custom.sections.title",
        ),
        (
            {"custom": {"kind": "cards", "cards": [{"title": "a", "image": "/x.png"}]}},
            "custom.cards.image",
        ),
        ({"custom": {"kind": "ask", "text": "a", "wanted": "money"}}, "custom.wanted"),
        ({"custom": {"kind": "location", "latitude": True, "longitude": 1}}, "custom.latitude"),
        ({"image": "/static/a.png"}, "image"),
        ({"image": "javascript:alert(1)"}, "image"),
        ({"image": "file:///etc/passwd"}, "image"),
        ({"attachment": {"type": "spell"}}, "attachment"),
        ({"attachment": {"type": "file", "payload": 3}}, "attachment"),
        ({"attachment": 3}, "attachment"),
        ({"custom": {"kind": "spell"}}, "custom"),
        ({"custom": {"kind": "location", "latitude": 1}}, "custom"),
        ({"custom": {"kind": "location", "latitude": "1", "longitude": 2}}, "custom.latitude"),
        ({"custom": {"kind": "text", "text": 5}}, "custom.text"),
        ({"custom": {"kind": "choices", "text": "a", "options": [1]}}, "custom"),
        ({"custom": {"kind": "deletion", "of": "m"}}, "custom"),
        ({"custom": {"kind": "media", "type": "image", "ref": "x"}}, "custom"),
        ({"custom": "text"}, "custom"),
        ({"custom": [1]}, "custom"),
    ],
)
def test_what_cannot_be_sent_is_named(message: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidReply, match=f"^{field}: "):
        contents(message)


async def test_utterances_come_out_in_order() -> None:
    replies = Replies("telegram")
    for n in range(3):
        await replies.send_response("u", {"text": str(n)})
    assert replies.contents == [Text("0"), Text("1"), Text("2")]
    assert replies.name() == "telegram"
