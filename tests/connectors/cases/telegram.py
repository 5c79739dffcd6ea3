"""Tables for the Telegram connector: updates as Telegram sends them, requests as it takes them.

Updates are shaped as https://core.telegram.org/bots/api#update and the types below it say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from bot.message import (
    Choice,
    Choices,
    Contact,
    Content,
    Edit,
    Event,
    Location,
    Media,
    Option,
    Reaction,
    Text,
    Typing,
    Unsupported,
)
from connectors.errors import AddressGone, OptedOut, Rejected, RetryLater, Unsure
from tests.kit.http import Answer, Garbage, Hang, Reset, Step, Truncated

CHAT = {"id": 4711, "first_name": "Ada", "last_name": "L", "username": "ada", "type": "private"}
USER = {
    "id": 4711,
    "is_bot": False,
    "first_name": "Ada",
    "last_name": "L",
    "username": "ada",
    "language_code": "en-GB",
}
GROUP = {"id": -100200300, "title": "Friends of the shop", "type": "supergroup"}
DATE = 1_760_000_000
FILE = {"file_id": "AgAC-f1", "file_unique_id": "u1", "file_size": 5000}


def message(**content: Any) -> dict[str, Any]:
    """A private message with `content`."""
    return {"message_id": 12, "from": USER, "chat": CHAT, "date": DATE, **content}


def update(number: int = 900, /, **kind: Any) -> dict[str, Any]:
    return {"update_id": number, **kind}


def said(text: str, number: int = 900) -> dict[str, Any]:
    """An update with a text message; its message id follows from `number`."""
    return update(number, message={**message(text=text), "message_id": number - 888})


def size(width: int, file_id: str) -> dict[str, Any]:
    return {**FILE, "file_id": file_id, "width": width, "height": width}


def keyboard(*rows: list[tuple[str, str]]) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": t, "callback_data": d} for t, d in row] for row in rows]}


def pressed(data: str | None = "track", **message_fields: Any) -> dict[str, Any]:
    """A callback query of a button of message 10."""
    query = {
        "id": "99887766",
        "from": USER,
        "chat_instance": "-1",
        "message": {
            "message_id": 10,
            "from": {"id": 1, "is_bot": True, "first_name": "Shop"},
            "chat": CHAT,
            "date": DATE,
            "text": "What next?",
            "reply_markup": keyboard([("Track it", "track"), ("Return it", "#1")]),
            **message_fields,
        },
    }
    return query if data is None else {**query, "data": data}


def member(status: str, old: str, **fields: Any) -> dict[str, Any]:
    bot = {"id": 1, "is_bot": True, "first_name": "Shop"}
    new = {"user": bot, "status": status, **fields}
    if status == "kicked":
        new["until_date"] = 0
    previous = {"user": bot, "status": old, **({"until_date": 0} if old == "kicked" else {})}
    return {
        "chat": CHAT,
        "from": USER,
        "date": DATE,
        "old_chat_member": previous,
        "new_chat_member": new,
    }


def reacted(old: list[Any], new: list[Any], **fields: Any) -> dict[str, Any]:
    return {
        "chat": CHAT,
        "message_id": 10,
        "user": USER,
        "date": DATE,
        "old_reaction": old,
        "new_reaction": new,
        **fields,
    }


def emoji(character: str) -> dict[str, str]:
    return {"type": "emoji", "emoji": character}


@dataclass(frozen=True)
class Incoming:
    """What is made of one update: (provider id, content) pairs, none where it is ignored."""

    label: str
    update: dict[str, Any]
    expected: list[tuple[str, Content]]


THIS = "4711.12"

INCOMING = [
    Incoming("text", update(message=message(text="Hello")), [(THIS, Text("Hello"))]),
    Incoming("empty text", update(message=message(text="")), [(THIS, Text(""))]),
    Incoming(
        "text with a NUL and a lone surrogate",
        update(message=message(text="a\x00b\ud800c")),
        [(THIS, Text("ab\ufffdc"))],
    ),
    Incoming(
        "100 kB of emoji",
        update(message=message(text="🦊" * 25_000)),
        [(THIS, Text("🦊" * 25_000))],
    ),
    Incoming(
        "text with entities is kept as it reads",
        update(
            message=message(
                text="see example.com", entities=[{"type": "url", "offset": 4, "length": 11}]
            )
        ),
        [(THIS, Text("see example.com"))],
    ),
    Incoming(
        "a reply",
        update(message=message(text="yes", reply_to_message=message(text="sure?"))),
        [(THIS, Text("yes"))],
    ),
    Incoming(
        "a forwarded message",
        update(
            message=message(
                text="look",
                forward_origin={"type": "hidden_user", "sender_user_name": "X", "date": DATE},
            )
        ),
        [(THIS, Text("look"))],
    ),
    Incoming(
        "a field newer than the library",
        update(message=message(text="hi", shiny_new_field={"a": 1})),
        [(THIS, Text("hi"))],
    ),
    Incoming("/start", update(message=message(text="/start")), [(THIS, Event("start"))]),
    Incoming(
        "/start by a deep link",
        update(message=message(text="/start order-77_x")),
        [(THIS, Event("start", data="order-77_x"))],
    ),
    Incoming(
        "/start with the bot's name",
        update(message=message(text="/start@shop_bot ref")),
        [(THIS, Event("start", data="ref"))],
    ),
    Incoming(
        "a command that only begins like /start",
        update(message=message(text="/started late")),
        [(THIS, Text("/started late"))],
    ),
    Incoming(
        "other commands are text", update(message=message(text="/help")), [(THIS, Text("/help"))]
    ),
    Incoming(
        "photo: the largest size",
        update(message=message(photo=[size(90, "s"), size(1280, "l"), size(320, "m")])),
        [(THIS, Media("image", ref="l", size=5000))],
    ),
    Incoming(
        "photo with caption",
        update(message=message(photo=[size(90, "s")], caption="broken\x00")),
        [(THIS, Media("image", ref="s", size=5000, caption="broken"))],
    ),
    Incoming(
        "photo of unknown size",
        update(message=message(photo=[{**size(90, "s"), "file_size": None}])),
        [(THIS, Media("image", ref="s"))],
    ),
    Incoming(
        "one picture of an album",
        update(message=message(photo=[size(90, "s")], media_group_id="77")),
        [(THIS, Media("image", ref="s", size=5000))],
    ),
    Incoming(
        "voice",
        update(message=message(voice={**FILE, "duration": 3, "mime_type": "audio/ogg"})),
        [(THIS, Media("voice", ref="AgAC-f1", mime="audio/ogg", size=5000))],
    ),
    Incoming(
        "audio",
        update(
            message=message(
                audio={**FILE, "duration": 3, "mime_type": "audio/mpeg", "file_name": "a.mp3"}
            )
        ),
        [(THIS, Media("audio", ref="AgAC-f1", mime="audio/mpeg", filename="a.mp3", size=5000))],
    ),
    Incoming(
        "video",
        update(
            message=message(
                video={**FILE, "width": 1, "height": 1, "duration": 3, "mime_type": "video/mp4"},
                caption="see",
            )
        ),
        [(THIS, Media("video", ref="AgAC-f1", mime="video/mp4", caption="see", size=5000))],
    ),
    Incoming(
        "video larger than 2 GiB",
        update(
            message=message(
                video={**FILE, "width": 1, "height": 1, "duration": 3, "file_size": 2**32}
            )
        ),
        [(THIS, Media("video", ref="AgAC-f1", size=2**32))],
    ),
    Incoming(
        "round video",
        update(message=message(video_note={**FILE, "length": 240, "duration": 3})),
        [(THIS, Media("video", ref="AgAC-f1", size=5000))],
    ),
    Incoming(
        "animation, which comes with a document too",
        update(
            message=message(
                animation={**FILE, "file_id": "anim", "width": 1, "height": 1, "duration": 1},
                document={**FILE, "file_id": "doc"},
            )
        ),
        [(THIS, Media("video", ref="anim", size=5000))],
    ),
    Incoming(
        "document",
        update(
            message=message(
                document={**FILE, "mime_type": "application/pdf", "file_name": "bill.pdf"},
                caption="the bill",
            )
        ),
        [
            (
                THIS,
                Media(
                    "document",
                    ref="AgAC-f1",
                    mime="application/pdf",
                    filename="bill.pdf",
                    caption="the bill",
                    size=5000,
                ),
            )
        ],
    ),
    Incoming(
        "sticker",
        update(
            message=message(
                sticker={
                    **FILE,
                    "type": "regular",
                    "width": 512,
                    "height": 512,
                    "is_animated": False,
                    "is_video": False,
                    "emoji": "👍",
                }
            )
        ),
        [(THIS, Media("sticker", ref="AgAC-f1", size=5000))],
    ),
    Incoming(
        "location",
        update(message=message(location={"latitude": 52.5, "longitude": -13.4})),
        [(THIS, Location(52.5, -13.4))],
    ),
    Incoming(
        "location at whole degrees",
        update(message=message(location={"latitude": 0, "longitude": 180})),
        [(THIS, Location(0.0, 180.0))],
    ),
    Incoming(
        "venue, which comes with a location too",
        update(
            message=message(
                location={"latitude": 1.5, "longitude": 2.5},
                venue={
                    "location": {"latitude": 1.5, "longitude": 2.5},
                    "title": "Depot",
                    "address": "Quay 1",
                },
            )
        ),
        [(THIS, Location(1.5, 2.5, name="Depot", address="Quay 1"))],
    ),
    Incoming(
        "contact",
        update(
            message=message(
                contact={"phone_number": "+4930", "first_name": "Ann", "last_name": "B"}
            )
        ),
        [(THIS, Contact("Ann B", phones=("+4930",)))],
    ),
    Incoming(
        "poll",
        update(
            message=message(
                poll={
                    "id": "1",
                    "question": "?",
                    "options": [],
                    "total_voter_count": 0,
                    "is_closed": False,
                    "is_anonymous": True,
                    "type": "regular",
                    "allows_multiple_answers": False,
                    "allows_revoting": False,
                    "members_only": False,
                }
            )
        ),
        [(THIS, Unsupported("poll"))],
    ),
    Incoming(
        "dice",
        update(message=message(dice={"emoji": "🎲", "value": 4})),
        [(THIS, Unsupported("dice"))],
    ),
    Incoming(
        "dice with an effect",
        update(message=message(dice={"emoji": "🎲", "value": 4}, effect_id="5")),
        [(THIS, Unsupported("dice"))],
    ),
    Incoming(
        "game",
        update(message=message(game={"title": "g", "description": "d", "photo": [size(1, "p")]})),
        [(THIS, Unsupported("game"))],
    ),
    Incoming(
        "story",
        update(message=message(story={"chat": CHAT, "id": 3})),
        [(THIS, Unsupported("story"))],
    ),
    Incoming(
        "a kind newer than the library",
        update(message=message(hologram={"file_id": "h"})),
        [(THIS, Unsupported("hologram"))],
    ),
    Incoming(
        "a message the Bot API leaves blank",
        update(message=message()),
        [(THIS, Unsupported("unknown"))],
    ),
    Incoming(
        "a pinned message is nobody's question",
        update(message=message(pinned_message=message(text="x"))),
        [],
    ),
    Incoming(
        "a changed deletion timer is nobody's question",
        update(
            message=message(message_auto_delete_timer_changed={"message_auto_delete_time": 86400})
        ),
        [],
    ),
    Incoming("a group", update(message={**message(text="hi"), "chat": GROUP}), []),
    Incoming(
        "an old-style group",
        update(message={**message(text="hi"), "chat": {**GROUP, "type": "group"}}),
        [],
    ),
    Incoming(
        "a channel post",
        update(channel_post={**message(text="hi"), "chat": {**GROUP, "type": "channel"}}),
        [],
    ),
    Incoming("an edit in a group", update(edited_message={**message(text="x"), "chat": GROUP}), []),
    Incoming(
        "an edit",
        update(edited_message=message(text="I mean 12", edit_date=DATE + 60)),
        [(f"{THIS}.e{DATE + 60}.900", Edit(of=THIS, text="I mean 12"))],
    ),
    Incoming(
        "an edited caption",
        update(edited_message=message(photo=[size(9, "s")], caption="front", edit_date=DATE + 60)),
        [(f"{THIS}.e{DATE + 60}.900", Edit(of=THIS, text="front"))],
    ),
    Incoming(
        "a step of a live location",
        update(
            edited_message=message(
                location={"latitude": 1, "longitude": 2, "live_period": 60}, edit_date=DATE + 9
            )
        ),
        [],
    ),
    Incoming(
        "a pressed button",
        update(callback_query=pressed()),
        [("cb.99887766", Choice("track", title="Track it", of="4711.10"))],
    ),
    Incoming(
        "a pressed button whose payload was too long",
        update(callback_query=pressed("#1")),
        [("cb.99887766", Choice("#1", title="Return it", of="4711.10"))],
    ),
    Incoming(
        "a pressed button that is not in the message any more",
        update(callback_query=pressed("gone")),
        [("cb.99887766", Choice("gone", of="4711.10"))],
    ),
    Incoming(
        "a button of a message too old for Telegram to show",
        update(
            callback_query={
                **pressed(),
                "message": {"chat": CHAT, "message_id": 10, "date": 0},
            }
        ),
        [("cb.99887766", Choice("track", of="4711.10"))],
    ),
    Incoming(
        "a button of inline mode",
        update(callback_query={"id": "5", "from": USER, "chat_instance": "1", "data": "x"}),
        [],
    ),
    Incoming(
        "a button press without its sender",
        update(callback_query={k: v for k, v in pressed().items() if k != "from"}),
        [("cb.99887766", Choice("track", title="Track it", of="4711.10"))],
    ),
    Incoming("a button in a group", update(callback_query=pressed(chat=GROUP)), []),
    Incoming(
        "a game's button",
        update(callback_query={**pressed(None), "game_short_name": "g"}),
        [("cb.99887766", Unsupported("callback_game"))],
    ),
    Incoming(
        "a reaction",
        update(message_reaction=reacted([], [emoji("👍")])),
        [("u.900", Reaction(of="4711.10", emoji="👍"))],
    ),
    Incoming(
        "a reaction instead of another",
        update(message_reaction=reacted([emoji("👍")], [emoji("❤")])),
        [("u.900", Reaction(of="4711.10", emoji="❤"))],
    ),
    Incoming(
        "a reaction taken off",
        update(message_reaction=reacted([emoji("👍")], [])),
        [("u.900", Reaction(of="4711.10", emoji="👍", removed=True))],
    ),
    Incoming(
        "two reactions at once",
        update(message_reaction=reacted([], [emoji("👍"), emoji("🔥")])),
        [
            ("u.900", Reaction(of="4711.10", emoji="👍")),
            ("u.900.1", Reaction(of="4711.10", emoji="🔥")),
        ],
    ),
    Incoming(
        "a reaction by a custom emoji",
        update(message_reaction=reacted([], [{"type": "custom_emoji", "custom_emoji_id": "1"}])),
        [("u.900", Reaction(of="4711.10"))],
    ),
    Incoming("a reaction in a group", update(message_reaction=reacted([], [], chat=GROUP)), []),
    Incoming(
        "the customer blocks the bot",
        update(my_chat_member=member("kicked", "member")),
        [("u.900", Event("blocked"))],
    ),
    Incoming(
        "the customer unblocks the bot",
        update(my_chat_member=member("member", "kicked")),
        [("u.900", Event("unblocked"))],
    ),
    Incoming(
        "the bot joins a group",
        update(my_chat_member={**member("member", "left"), "chat": GROUP}),
        [],
    ),
    Incoming("another membership", update(my_chat_member=member("left", "member")), []),
    Incoming(
        "an inline query",
        update(inline_query={"id": "1", "from": USER, "query": "", "offset": ""}),
        [],
    ),
    Incoming("a kind of update newer than the library", update(telepathy={"of": "Ada"}), []),
    Incoming("an update of nothing", update(), []),
]

#: Bodies that are Telegram's by signature and cannot be understood.
UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "half a JSON": b'{"update_id": 1, "message"',
    "no UTF-8": b"\xff\xfe\x00{",
    "a list": b"[]",
    "a string": b'"update"',
    "null": b"null",
    "NaN": b'{"update_id": NaN}',
    "deep nesting": b'{"update_id": 1, "message": ' + b"[" * 100_000,
    "deep replies": (
        b'{"update_id":1,"message":'
        + b'{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"reply_to_message":' * 600
        + b"{}"
        + b"}" * 600
        + b"}"
    ),
    **{
        label: json.dumps(shape).encode()
        for label, shape in {
            "no update id": {"message": message(text="x")},
            "an update id that is text": {"update_id": "1", "message": message(text="x")},
            "an update id that is true": {"update_id": True, "message": message(text="x")},
            "an update id beyond 64 bits": update(2**64, message=message(text="x")),
            "a message that is null": update(message=None),
            "a message that is a list": update(message=[1]),
            "a message that is text": update(message="hi"),
            "a message without chat": update(message={"message_id": 1, "date": DATE}),
            "a chat that is a number": update(message={**message(text="x"), "chat": 5}),
            "a chat id that is text": update(
                message={**message(text="x"), "chat": {**CHAT, "id": "4711"}}
            ),
            "a message id beyond 64 bits": update(
                message={**message(text="x"), "message_id": 10**400}
            ),
            "a date beyond the calendar": update(message={**message(text="x"), "date": 10**18}),
            "a date that is text": update(message={**message(text="x"), "date": "today"}),
            "text that is a number": update(message=message(text=5)),
            "text that is an object": update(message=message(text={"a": "b"})),
            "a name that is a list": update(
                message={**message(text="x"), "from": {**USER, "first_name": ["Ada"]}}
            ),
            "a photo without sizes": update(message=message(photo=[{}])),
            "a photo whose width is text": update(
                message=message(photo=[{**size(1, "a"), "width": "1"}, size(2, "b")])
            ),
            "a file size beyond 64 bits": update(
                message=message(document={**FILE, "file_size": 2**70})
            ),
            "a latitude beyond the pole": update(
                message=message(location={"latitude": 91, "longitude": 0})
            ),
            "a latitude that is text": update(
                message=message(location={"latitude": "52", "longitude": 0})
            ),
            "an edit that is a number": update(edited_message=7),
            "a button press with data that is a list": update(
                callback_query={**pressed(), "data": ["track"]}
            ),
            "reactions that are no list": update(message_reaction=reacted([], 5)),  # type: ignore[arg-type]
            "a membership without status": update(
                my_chat_member={**member("member", "kicked"), "new_chat_member": {}}
            ),
        }.items()
    },
}


@dataclass(frozen=True)
class Outgoing:
    """The one request that `content` becomes; `answer` is the message Telegram returns."""

    label: str
    content: Content
    method: str
    form: dict[str, Any] = field(default_factory=dict)


LONG = "confirm:" + "x" * 57
FITS = "é" * 32

OUTGOING = [
    Outgoing("text", Text("Hello"), "sendMessage", {"text": "Hello"}),
    Outgoing(
        "text that looks like markup goes out as it is",
        Text("*a* _b_ <b>c</b> [d](e)"),
        "sendMessage",
        {"text": "*a* _b_ <b>c</b> [d](e)"},
    ),
    Outgoing("emoji", Text("🦊 да 你好"), "sendMessage", {"text": "🦊 да 你好"}),
    Outgoing("NUL and lone surrogates", Text("a\x00b\ud800"), "sendMessage", {"text": "ab\ufffd"}),
    Outgoing("text of the full length", Text("x" * 4096), "sendMessage", {"text": "x" * 4096}),
    Outgoing(
        "two short buttons in a row",
        Choices("Sure?", (Option("Yes", "y"), Option("No", "n"))),
        "sendMessage",
        {"text": "Sure?", "reply_markup": keyboard([("Yes", "y"), ("No", "n")])},
    ),
    Outgoing(
        "four short buttons, two and two",
        Choices("?", tuple(Option(t, t) for t in "abcd")),
        "sendMessage",
        {
            "text": "?",
            "reply_markup": keyboard([("a", "a"), ("b", "b")], [("c", "c"), ("d", "d")]),
        },
    ),
    Outgoing(
        "long titles one in a row",
        Choices("?", (Option("Track my last order", "t"), Option("No", "n"))),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("Track my last order", "t")], [("No", "n")])},
    ),
    Outgoing(
        "wide characters count twice",
        Choices("?", (Option("查询我的最近订单", "t"), Option("退货", "r"), Option("人工", "h"))),
        "sendMessage",
        {
            "text": "?",
            "reply_markup": keyboard([("查询我的最近订单", "t"), ("退货", "r")], [("人工", "h")]),
        },
    ),
    Outgoing(
        "a payload of 64 bytes fits, a longer one becomes a reference",
        Choices("?", (Option("A", FITS), Option("B", FITS + "e"), Option("C", LONG))),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("A", FITS), ("B", "#1"), ("C", "#2")])},
    ),
    Outgoing(
        "a payload that looks like a reference, or is empty, becomes one",
        Choices("?", (Option("A", "#7"), Option("B", ""), Option("C", "#x"))),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("A", "#0"), ("B", "#1"), ("C", "#x")])},
    ),
    Outgoing("a question without options", Choices("?", ()), "sendMessage", {"text": "?"}),
    Outgoing(
        "image by URL",
        Media("image", url="https://cdn.example.com/a.png?x=1", caption="this one"),
        "sendPhoto",
        {"photo": "https://cdn.example.com/a.png?x=1", "caption": "this one"},
    ),
    Outgoing("image by file id", Media("image", ref="AgAC_-1"), "sendPhoto", {"photo": "AgAC_-1"}),
    Outgoing(
        "a file id that is the name of a file here stays an id",
        Media("document", ref="README"),
        "sendDocument",
        {"document": "README"},
    ),
    Outgoing("voice", Media("voice", ref="v"), "sendVoice", {"voice": "v"}),
    Outgoing("audio", Media("audio", ref="a"), "sendAudio", {"audio": "a"}),
    Outgoing(
        "video",
        Media("video", ref="v", caption="how to"),
        "sendVideo",
        {"video": "v", "caption": "how to"},
    ),
    Outgoing(
        "document",
        Media("document", url="http://example.com/bill.pdf", filename="bill.pdf"),
        "sendDocument",
        {"document": "http://example.com/bill.pdf"},
    ),
    Outgoing("sticker", Media("sticker", ref="s"), "sendSticker", {"sticker": "s"}),
    Outgoing(
        "location",
        Location(52.5, -13.25),
        "sendLocation",
        {"latitude": "52.5", "longitude": "-13.25"},
    ),
    Outgoing(
        "location at zero", Location(0, 0), "sendLocation", {"latitude": "0", "longitude": "0"}
    ),
    Outgoing(
        "location with a name",
        Location(1.5, 2.5, name="Depot", address="Quay 1"),
        "sendVenue",
        {"latitude": "1.5", "longitude": "2.5", "title": "Depot", "address": "Quay 1"},
    ),
    Outgoing(
        "location with a name alone",
        Location(1.5, 2.5, name="Depot"),
        "sendVenue",
        {"latitude": "1.5", "longitude": "2.5", "title": "Depot", "address": "Depot"},
    ),
    Outgoing(
        "contact",
        Contact("Ann", phones=("+4930", "+4931")),
        "sendContact",
        {"phone_number": "+4930", "first_name": "Ann"},
    ),
]

#: What is refused before any request is made.
UNSENDABLE: dict[str, Content] = {
    "a file of this machine": Media("image", url="file:///etc/passwd"),
    "a path of this machine": Media("image", url="/etc/passwd"),
    "media of nothing": Media("image"),
    "a sticker with a caption": Media("sticker", ref="s", caption="x"),
    "a contact without phone": Contact("Ann"),
    "an event": Event("start"),
    "typing": Typing(),
}


def refusal(code: int, description: str, **parameters: Any) -> Answer:
    """An answer of the Bot API that is not ok."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return Answer(body, status=code)


@dataclass(frozen=True)
class Failure:
    """The named failure that a provider's behaviour becomes; the reason holds `reason`."""

    label: str
    step: Step
    error: type[Exception]
    reason: str = ""
    after: float | None = None
    code: str = ""


FAILURES = [
    Failure(
        "flood control",
        refusal(429, "Too Many Requests: retry after 7", retry_after=7),
        RetryLater,
        "429 Too Many Requests",
        after=7.0,
    ),
    Failure("flood control without a time", refusal(429, "Too Many Requests"), RetryLater, "429"),
    Failure(
        "flood control with an absurd time",
        refusal(429, "Too Many Requests", retry_after="soon"),
        RetryLater,
    ),
    Failure("flood control by a proxy", Answer("slow down", status=429), RetryLater, "429"),
    Failure("an error of the Bot API", refusal(500, "Internal Server Error"), RetryLater, "500"),
    Failure("the Bot API restarts", refusal(503, "Service Unavailable"), RetryLater, "503"),
    Failure("an error of a proxy", Answer("<h1>oops</h1>", status=500), Unsure, "500"),
    Failure("bad gateway", refusal(502, "Bad Gateway"), Unsure, "502"),
    Failure("bad gateway of a proxy", Answer("<h1>502</h1>", status=502), Unsure, "502"),
    Failure("gateway timeout", refusal(504, "Gateway Timeout"), Unsure, "504"),
    Failure("no answer in time", Hang(), Unsure, "ReadTimeout"),
    Failure("connection reset", Reset(), Unsure, "did not answer"),
    Failure("connection reset in the answer", Truncated(), Unsure, "did not answer"),
    Failure("an answer that is no HTTP", Garbage(), Unsure, "RemoteProtocolError"),
    Failure("200 that is no JSON", Answer("<html>log in</html>"), Unsure, "not the Bot API"),
    Failure("200 that is JSON of another kind", Answer([1]), Unsure, "not the Bot API"),
    Failure("200 without a message", Answer({"ok": True, "result": True}), Unsure, "no message"),
    Failure(
        "200 with half a message",
        Answer({"ok": True, "result": {"message_id": 5}}),
        Unsure,
        "understood",
    ),
    Failure(
        "200 that says no",
        Answer({"ok": False, "error_code": 403, "description": "bot was blocked by the user"}),
        OptedOut,
        "403",
        code="403",
    ),
    Failure(
        "blocked by the customer",
        refusal(403, "Forbidden: bot was blocked by the user"),
        OptedOut,
        "403 Forbidden: bot was blocked by the user",
        code="403",
    ),
    Failure(
        "never talked to by the customer",
        refusal(403, "Forbidden: bot can't initiate conversation with a user"),
        OptedOut,
        code="403",
    ),
    Failure(
        "a deleted account",
        refusal(403, "Forbidden: user is deactivated"),
        AddressGone,
        code="403",
    ),
    Failure(
        "another bot",
        refusal(403, "Forbidden: bot can't send messages to bots"),
        AddressGone,
        code="403",
    ),
    Failure("no such chat", refusal(400, "Bad Request: chat not found"), AddressGone, code="400"),
    Failure("another 403", refusal(403, "Forbidden: something new"), Rejected, code="403"),
    Failure(
        "too long",
        refusal(400, "Bad Request: message is too long"),
        Rejected,
        "400 Bad Request: message is too long",
        code="400",
    ),
    Failure(
        "migrated group",
        refusal(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=-1001,
        ),
        Rejected,
        code="400",
    ),
    Failure("too large", refusal(413, "Request Entity Too Large"), Rejected, code="413"),
    Failure("a revoked token", refusal(401, "Unauthorized"), RetryLater, "check it", after=60.0),
    Failure("a malformed token", refusal(404, "Not Found"), RetryLater, "check it", after=60.0),
    Failure(
        "a proxy that wants a login",
        Answer("who are you?", status=407),
        RetryLater,
        "check api_url",
        after=60.0,
    ),
    Failure(
        "a redirect",
        Answer("", status=302, headers={"location": "https://example.com/"}),
        RetryLater,
        "check api_url",
        after=60.0,
    ),
]
