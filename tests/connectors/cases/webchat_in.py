"""What a visitor's page may say, and what becomes of it.

The protocol is ours: the docstring of `connectors.webchat`. Of the browser's part,
coordinates are as https://www.w3.org/TR/geolocation/ gives them, emoji are graphemes of
https://www.unicode.org/reports/tr51/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.message import (
    Choice,
    Contact,
    Content,
    Deletion,
    Edit,
    Location,
    Reaction,
    Text,
)

#: Stands for the visitor's user id.
ME = "@me@"


@dataclass(frozen=True)
class Said:
    """One frame, and what must be stored of it or answered instead.

    `id` is ``message-0001`` unless the frame says another. `answer` is the type of the
    answering frame, `reason` a part of its reason. With `stored` None nothing is.
    """

    name: str
    frame: Mapping[str, Any]
    stored: Content | None = None
    reply_to: str = ""
    answer: str = "ack"
    reason: str = ""


def _refused(name: str, reason: str, /, **frame: Any) -> Said:
    return Said(name, frame, answer="refused", reason=reason)


def _malformed(name: str, reason: str, /, **frame: Any) -> Said:
    return Said(name, frame, answer="error", reason=reason)


_OTHER = "webchat:site:0123456789abcdef0123456789abcdef.message-0001:0"
_FAMILY = "👩\u200d👩\u200d👧"

INBOUND = [
    # Hostile ones first.
    Said(
        "an edit that names another visitor's message is of one's own of that id",
        {"type": "edit", "of": "message-0009", "text": "I never said that"},
        Edit(f"{ME}.message-0009", "I never said that"),
    ),
    _malformed(
        "an edit cannot name a message by its full id",
        "of must be",
        type="edit",
        of="0123456789abcdef0123456789abcdef.message-0001",
        text="x",
    ),
    _malformed(
        "an edit cannot name the bot's message", "of must be", type="edit", of="turn:0", text="x"
    ),
    _malformed("a deletion cannot name the bot's message", "of must be", type="delete", of=_OTHER),
    _malformed(
        "a deletion cannot leave the visitor's ids by a path",
        "of must be",
        type="delete",
        of="../message-0001",
    ),
    _malformed("a deletion of nothing", "of must be a string", type="delete"),
    Said(
        "a reaction on an unknown message is kept as that and touches nothing else",
        {"type": "react", "of": _OTHER, "emoji": "👍"},
        Reaction(_OTHER, "👍"),
    ),
    _malformed(
        "a reaction on what has no id of a message", "no message", type="react", of="x", emoji="👍"
    ),
    _malformed(
        "a reaction with words", "one emoji", type="react", of="turn:0", emoji="you are stupid"
    ),
    _malformed("a reaction with a letter", "one emoji", type="react", of="turn:0", emoji="a"),
    _malformed("a reaction with a digit", "one emoji", type="react", of="turn:0", emoji="1"),
    _malformed("a reaction with nothing", "one emoji", type="react", of="turn:0", emoji=""),
    _malformed("a reaction with two emoji", "one emoji", type="react", of="turn:0", emoji="👍👍"),
    _malformed(
        "a reaction of many joiners",
        "one emoji",
        type="react",
        of="turn:0",
        emoji="\u200d".join(["👩"] * 40),
    ),
    _malformed(
        "a reaction that says whether it is removed by a number",
        "true or false",
        type="react",
        of="turn:0",
        emoji="👍",
        removed=1,
    ),
    _refused(
        "a reaction on an id of kilobytes", "too_long", type="react", of=":" * 1025, emoji="👍"
    ),
    _malformed("a latitude that is text", "latitude", type="location", latitude="1", longitude=2),
    _malformed("a latitude that is true", "latitude", type="location", latitude=True, longitude=2),
    _malformed(
        "a latitude beyond the pole", "latitude", type="location", latitude=90.1, longitude=2
    ),
    _malformed("a longitude once round", "longitude", type="location", latitude=1, longitude=-181),
    _malformed(
        "a latitude that is no number",
        "latitude",
        type="location",
        latitude=float("nan"),
        longitude=2,
    ),
    _malformed(
        "an endless longitude",
        "longitude",
        type="location",
        latitude=1,
        longitude=float("-inf"),
    ),
    _malformed(
        "a latitude too great for a float",
        "latitude",
        type="location",
        latitude=10**400,
        longitude=2,
    ),
    _malformed("a place without a longitude", "longitude", type="location", latitude=1),
    _refused("a contact of nothing", "empty", type="contact", name="Ada"),
    _refused("a phone number of letters", "not_a_phone", type="contact", phones=["call me"]),
    _refused(
        "a phone number that is a command",
        "not_a_phone",
        type="contact",
        phones=["+43 1 234;postd=99"],
    ),
    _refused(
        "a phone number with a line break", "not_a_phone", type="contact", phones=["+431\n23456"]
    ),
    _refused("too short a phone number", "not_a_phone", type="contact", phones=["+1 2"]),
    _refused(
        "a mail address of words", "not_a_phone", type="contact", emails=["ada at example com"]
    ),
    _refused("six numbers", "too_long", type="contact", phones=["+43123456"] * 6),
    _refused("an endless name", "too_long", type="contact", name="x" * 201, phones=["+43123456"]),
    _malformed("phones that are one text", "phones", type="contact", phones="+43123456"),
    _malformed("phones that are numbers", "phones", type="contact", phones=[43123456]),
    _malformed("emails that are an object", "emails", type="contact", emails={"a": "b@c"}),
    _malformed("a contact's name that is a list", "name", type="contact", name=[], phones=[]),
    _malformed(
        "a quote of something that is no message", "no message", type="send", text="x", reply_to="x"
    ),
    _malformed("a quote that is a number", "reply_to must be", type="send", text="x", reply_to=7),
    _malformed("a quote that is null", "reply_to must be", type="send", text="x", reply_to=None),
    _refused("a quote of kilobytes", "too_long", type="send", text="x", reply_to="a:" + "x" * 1023),
    _refused("an edit to nothing", "empty", type="edit", of="message-0009", text=" \n"),
    _refused("an edit to too much", "too_long", type="edit", of="message-0009", text="x" * 4001),
    _malformed("an edit without words", "text", type="edit", of="message-0009"),
    _malformed("a file in a frame", "unknown type", type="file", filename="a.pdf"),
    _malformed("an unknown type is answered with its id", "unknown type", type="album"),
    _malformed("a hello in the middle", "unknown type", type="hello", token=None),
    # What pages say.
    Said("a text", {"type": "send", "text": "Hello"}, Text("Hello")),
    Said(
        "light formatting of a visitor stays as he wrote it",
        {"type": "send", "text": "**not** _ours_ [x](https://a.example)"},
        Text("**not** _ours_ [x](https://a.example)"),
    ),
    Said(
        "a text that answers the bot's message",
        {"type": "send", "text": "that one", "reply_to": "webchat:site:u.message-0009:0"},
        Text("that one"),
        reply_to="webchat:site:u.message-0009:0",
    ),
    Said(
        "a text that answers an own message",
        {"type": "send", "text": "still true", "reply_to": "message-0009"},
        Text("still true"),
        reply_to=f"{ME}.message-0009",
    ),
    Said(
        "a button",
        {"type": "choose", "payload": "/yes", "title": "Yes", "of": "turn:0"},
        Choice("/yes", "Yes", "turn:0"),
    ),
    Said("a button without title or message", {"type": "choose", "payload": "/a"}, Choice("/a")),
    Said(
        "where he is",
        {"type": "location", "latitude": 48.2082, "longitude": 16.3738},
        Location(48.2082, 16.3738),
    ),
    Said(
        "at the edge of the map, in whole numbers",
        {"type": "location", "latitude": -90, "longitude": 180},
        Location(-90.0, 180.0),
    ),
    Said(
        "a place no more exact than a hand",
        {"type": "location", "latitude": 48.20820000000123, "longitude": 16.3738},
        Location(48.2082, 16.3738),
    ),
    Said(
        "his telephone number, for which nobody vouches",
        {"type": "contact", "phones": [" +43 (0)1 234-56 "]},
        Contact("", ("+43 (0)1 234-56",)),
    ),
    Said(
        "a whole contact",
        {"type": "contact", "name": "Ada", "phones": ["01 23456"], "emails": ["ada@example.com"]},
        Contact("Ada", ("01 23456",), ("ada@example.com",)),
    ),
    Said(
        "own: true is not for a page to say",
        {"type": "contact", "phones": ["+43123456"], "own": True},
        Contact("", ("+43123456",)),
    ),
    Said(
        "a thumb for the bot's message",
        {"type": "react", "of": "turn:0", "emoji": "👍"},
        Reaction("turn:0", "👍"),
    ),
    Said(
        "a thumb taken off again",
        {"type": "react", "of": "turn:0", "emoji": "👍", "removed": True},
        Reaction("turn:0", "👍", removed=True),
    ),
    Said(
        "a heart, which is a sign and a selector",
        {"type": "react", "of": "turn:0", "emoji": "❤️"},
        Reaction("turn:0", "❤️"),
    ),
    Said(
        "a family, which is one emoji of five code points",
        {"type": "react", "of": "turn:0", "emoji": _FAMILY},
        Reaction("turn:0", _FAMILY),
    ),
    Said(
        "a hand of a colour",
        {"type": "react", "of": "turn:0", "emoji": "👍🏽"},
        Reaction("turn:0", "👍🏽"),
    ),
    Said(
        "a flag, which is two letters",
        {"type": "react", "of": "turn:0", "emoji": "🇦🇹"},
        Reaction("turn:0", "🇦🇹"),
    ),
    Said(
        "a key, which is a digit with a frame",
        {"type": "react", "of": "turn:0", "emoji": "1️⃣"},
        Reaction("turn:0", "1️⃣"),
    ),
    Said(
        "a reaction on an own message",
        {"type": "react", "of": "message-0009", "emoji": "😂"},
        Reaction(f"{ME}.message-0009", "😂"),
    ),
    Said(
        "an edit",
        {"type": "edit", "of": "message-0009", "text": "I meant blue"},
        Edit(f"{ME}.message-0009", "I meant blue"),
    ),
    Said("a deletion", {"type": "delete", "of": "message-0009"}, Deletion(f"{ME}.message-0009")),
    Said(
        "what a frame has too much is left out",
        {"type": "send", "text": "x", "order": 5, "profile": {"name": "root"}, "content": {}},
        Text("x"),
    ),
]
