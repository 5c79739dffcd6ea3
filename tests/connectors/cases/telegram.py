"""What the tables of Telegram are made of, and what its connector refuses.

Updates are shaped as https://core.telegram.org/bots/api#update and the types below it say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.message import (
    Card,
    Cards,
    Choices,
    Contact,
    Content,
    Event,
    Media,
    Option,
    Reaction,
    Typing,
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


#: What is refused before any request is made.
UNSENDABLE: dict[str, Content] = {
    "a file of this machine": Media("image", url="file:///etc/passwd"),
    "a path of this machine": Media("image", url="/etc/passwd"),
    "media of nothing": Media("image"),
    "a sticker with a caption": Media("sticker", ref="s", caption="x"),
    "a contact without phone": Contact("Ann"),
    "an event": Event("start"),
    "two cards at once": Cards((Card("a"), Card("b"))),
    "a card with a picture of this machine": Cards((Card("a", image="/etc/passwd"),)),
    "a button that opens a page of no full name": Choices(
        "?", (Option("A", "", url="http://localhost/"),)
    ),
    "a button that opens a program": Choices("?", (Option("A", "", url="javascript:alert(1)"),)),
    "a reaction on a message of another chat": Reaction("4712.10", "👍"),
    "a reaction on no message": Reaction("cb.10", "👍"),
    "an emoji that is no reaction": Reaction("4711.10", "🚲"),
    "a reaction of no emoji": Reaction("4711.10"),
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
        AddressGone,
        code="400",
    ),
    Failure(
        "kicked from a group",
        refusal(403, "Forbidden: bot was kicked from the supergroup chat"),
        AddressGone,
        code="403",
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
