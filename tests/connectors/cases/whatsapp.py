"""What Meta sends and what is to come of it; what is sent and what Meta may answer.

The payloads follow the examples of
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
and the answers those of .../whatsapp/support/error-codes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from bot.message import (
    Address,
    Choice,
    Choices,
    Contact,
    Content,
    Deletion,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    Option,
    Profile,
    Reaction,
    Receipt,
    Text,
    Typing,
    Unsupported,
)
from connectors.errors import (
    ConnectorError,
    OptedOut,
    Rejected,
    RetryLater,
    Unsure,
    WindowClosed,
)
from tests.kit.http import Answer, Garbage, Hang, Reset, Step, Truncated

PHONE_ID = "106540352242922"
OTHER_PHONE_ID = "999"
USER = "16505551234"
SCOPED = "US.13491208655302741918"
TIMESTAMP = "1749416383"
AT = datetime(2025, 6, 8, 20, 59, 43, tzinfo=timezone.utc)
SHEENA = Profile(name="Sheena Nelson")

Json = dict[str, Any]


# --- builders ---


def message(type_: Any = "text", /, id: Any = "wamid.A", **fields: Any) -> Json:
    """A message from Sheena; a field set to ... is left out."""
    made = {"from": USER, "id": id, "timestamp": TIMESTAMP, "type": type_, **fields}
    return {name: value for name, value in made.items() if value is not ...}


def text(body: Any = "Hello", **fields: Any) -> Json:
    return message("text", text={"body": body}, **fields)


def status(word: Any = "delivered", **fields: Any) -> Json:
    made = {
        "id": "wamid.OUT",
        "status": word,
        "timestamp": TIMESTAMP,
        "recipient_id": USER,
        "biz_opaque_callback_data": "t-1:0",
        **fields,
    }
    return {name: value for name, value in made.items() if value is not ...}


def change(
    *messages: Any, statuses: Any = None, phone_id: Any = PHONE_ID, **fields: Any
) -> dict[str, Any]:
    value: Json = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": phone_id},
        "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": USER}],
    }
    if messages:
        value["messages"] = list(messages)
    if statuses is not None:
        value["statuses"] = statuses
    value.update(fields)
    value = {name: v for name, v in value.items() if v is not ...}
    return {"field": "messages", "value": value}


def entry(*changes: Any) -> Json:
    return {"id": "102290129340398", "changes": list(changes)}


def webhook(*entries: Any) -> Json:
    return {"object": "whatsapp_business_account", "entry": list(entries)}


def one(*messages: Any, **fields: Any) -> Json:
    """A webhook of a single entry with a single change."""
    return webhook(entry(change(*messages, **fields)))


def got(
    content: Content,
    id: str = "wamid.A",
    user: str = USER,
    profile: Profile = SHEENA,
    sent: datetime = AT,
    order: int = int(TIMESTAMP),
) -> Inbound:
    return Inbound(Address("whatsapp", "shop", user), id, content, sent, order, profile)


def receipt(word: Any = "delivered", reason: str = "", ref: str = "t-1:0") -> Receipt:
    return Receipt("whatsapp", "shop", "wamid.OUT", word, AT, ref, reason)


CONTEXT = {"from": "15550783881", "id": "wamid.ASKED"}
MEDIA = {"id": "2754859441498128", "mime_type": "image/jpeg", "sha256": "SHA"}


# --- in: all of it understood ---

INBOUND: dict[str, tuple[Any, list[Inbound | Receipt]]] = {
    "every entry, change, message and status of a batch": (
        webhook(
            entry(
                change(text("1", id="wamid.1"), text("2", id="wamid.2")),
                change(statuses=[status("sent"), status("read")]),
            ),
            entry(change(text("3", id="wamid.3"), statuses=[status("delivered")])),
        ),
        [
            got(Text("1"), "wamid.1"),
            got(Text("2"), "wamid.2"),
            receipt("sent"),
            receipt("read"),
            got(Text("3"), "wamid.3"),
            receipt("delivered"),
        ],
    ),
    "a message twice in one batch is one": (
        webhook(entry(change(text()), change(text())), entry(change(text()))),
        [got(Text("Hello"))],
    ),
    "another phone number of the same account is not ours": (
        webhook(
            entry(
                change(text("theirs"), phone_id=OTHER_PHONE_ID),
                change(text("ours")),
                change(statuses=[status()], phone_id=OTHER_PHONE_ID),
            )
        ),
        [got(Text("ours"))],
    ),
    "malformed items of another phone number are not ours either": (
        webhook(entry(change({}, 5, None, phone_id=OTHER_PHONE_ID), change(text()))),
        [got(Text("Hello"))],
    ),
    "a phone number id as a number": (one(text(), phone_id=int(PHONE_ID)), [got(Text("Hello"))]),
    "fields other than messages": (
        webhook(
            entry(
                {"field": "message_template_status_update", "value": {"event": "APPROVED"}},
                {"field": "smb_message_echoes", "value": change(text())["value"]},
                {"field": "account_update", "value": "anything"},
                change(text()),
            )
        ),
        [got(Text("Hello"))],
    ),
    "a group message": (
        one(text(group_id="G1"), text("hi", id="wamid.B")),
        [got(Text("hi"), "wamid.B")],
    ),
    "a group's status": (one(statuses=[status(recipient_type="group"), status()]), [receipt()]),
    "a status to one customer": (one(statuses=[status(recipient_type="individual")]), [receipt()]),
    "errors of the account": (
        one(errors=[{"code": 130429, "title": "Rate limit hit"}, "what", None]),
        [],
    ),
    "nothing at all": (webhook(), []),
    "a change with nothing in it": (one(), []),
    # text and its hostile forms
    "text": (
        one(text("Does it come in another color?")),
        [got(Text("Does it come in another color?"))],
    ),
    "text in many scripts": (
        one(text("عربي 漢字 ไทย 👩‍👩‍👧")),
        [got(Text("عربي 漢字 ไทย 👩‍👩‍👧"))],
    ),
    "empty text": (one(text("")), [got(Text(""))]),
    "NUL in text": (one(text("a\x00b")), [got(Text("ab"))]),
    "a lone surrogate in text": (
        json.dumps(one(text("a?b"))).replace("a?b", "a\\ud83db").encode(),
        [got(Text("a�b"))],
    ),
    "100 kB of emoji": (one(text("👍" * 25_000)), [got(Text("👍" * 25_000))]),
    "text with an ad's referral": (
        one(text(referral={"source_url": "https://fb.me/1", "source_type": "ad"})),
        [got(Text("Hello"))],
    ),
    "text with fields unknown today": (one(text(new=[{"x": 1}])), [got(Text("Hello"))]),
    # clocks
    "a timestamp as a number": (one(text(timestamp=int(TIMESTAMP))), [got(Text("Hello"))]),
    "a timestamp in milliseconds": (one(text(timestamp=TIMESTAMP + "000")), [got(Text("Hello"))]),
    "a timestamp of 1970": (
        one(text(timestamp="0")),
        [got(Text("Hello"), sent=datetime(1970, 1, 1, tzinfo=timezone.utc), order=0)],
    ),
    # who
    "no contacts": (one(text(), contacts=...), [got(Text("Hello"), profile=Profile())]),
    "contacts of another customer": (
        one(text(), contacts=[{"profile": {"name": "Eve"}, "wa_id": "1"}]),
        [got(Text("Hello"), profile=Profile())],
    ),
    "contacts of no known shape": (
        one(text(), contacts=[None, 5, {"wa_id": USER}, {"profile": [], "wa_id": USER}]),
        [got(Text("Hello"), profile=Profile())],
    ),
    "a name that is no text": (
        one(text(), contacts=[{"profile": {"name": 5, "username": "sheena"}, "wa_id": USER}]),
        [got(Text("Hello"), profile=Profile(username="sheena"))],
    ),
    "two customers in one change": (
        one(
            text(),
            text("hi", id="wamid.B", **{"from": "447700900000"}),
            contacts=[
                {"profile": {"name": "Bo"}, "wa_id": "447700900000"},
                {"profile": {"name": "Sheena Nelson"}, "wa_id": USER},
            ],
        ),
        [
            got(Text("Hello")),
            got(Text("hi"), "wamid.B", "447700900000", Profile(name="Bo")),
        ],
    ),
    "a customer with a username and no number": (
        one(
            text(from_user_id=SCOPED, **{"from": ...}),
            contacts=[{"profile": {"name": "Kim", "username": "kim"}, "user_id": SCOPED}],
        ),
        [got(Text("Hello"), user=SCOPED, profile=Profile(name="Kim", username="kim"))],
    ),
    "a customer with a username and a number": (
        one(text(from_user_id=SCOPED)),
        [got(Text("Hello"))],
    ),
    # choices
    "a button": (
        one(
            message(
                "interactive",
                context=CONTEXT,
                interactive={
                    "type": "button_reply",
                    "button_reply": {"id": "/cancel", "title": "Cancel"},
                },
            )
        ),
        [got(Choice("/cancel", "Cancel", "wamid.ASKED"))],
    ),
    "a list row": (
        one(
            message(
                "interactive",
                context=CONTEXT,
                interactive={
                    "type": "list_reply",
                    "list_reply": {"id": "express", "title": "Express", "description": "1 day"},
                },
            )
        ),
        [got(Choice("express", "Express", "wamid.ASKED"))],
    ),
    "a button without its context": (
        one(
            message(
                "interactive",
                interactive={"type": "button_reply", "button_reply": {"id": "a", "title": "A"}},
            )
        ),
        [got(Choice("a", "A"))],
    ),
    "a template's quick reply": (
        one(message("button", context=CONTEXT, button={"payload": "stop", "text": "Stop"})),
        [got(Choice("stop", "Stop", "wamid.ASKED"))],
    ),
    "a template's quick reply without payload": (
        one(message("button", context=CONTEXT, button={"text": "Stop"})),
        [got(Choice("Stop", "Stop", "wamid.ASKED"))],
    ),
    "a flow's answer": (
        one(
            message(
                "interactive",
                interactive={"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}},
            )
        ),
        [got(Unsupported("nfm_reply"))],
    ),
    # media
    "an image": (
        one(message("image", image={**MEDIA, "caption": "Taj Mahal"})),
        [got(Media("image", ref="2754859441498128", mime="image/jpeg", caption="Taj Mahal"))],
    ),
    "an image with Meta's own link, which is not public": (
        one(message("image", image={**MEDIA, "url": "https://lookaside.fbsbx.com/x"})),
        [got(Media("image", ref="2754859441498128", mime="image/jpeg"))],
    ),
    "an image with null for a caption": (
        one(message("image", image={**MEDIA, "caption": None})),
        [got(Media("image", ref="2754859441498128", mime="image/jpeg"))],
    ),
    "an audio file": (
        one(message("audio", audio={"id": "7", "mime_type": "audio/mpeg", "voice": False})),
        [got(Media("audio", ref="7", mime="audio/mpeg"))],
    ),
    "a voice note": (
        one(
            message(
                "audio", audio={"id": "7", "mime_type": "audio/ogg; codecs=opus", "voice": True}
            )
        ),
        [got(Media("voice", ref="7", mime="audio/ogg; codecs=opus"))],
    ),
    "a voice note of the old form": (
        one(message("voice", voice={"id": "7", "mime_type": "audio/ogg"})),
        [got(Media("voice", ref="7", mime="audio/ogg"))],
    ),
    "a video": (
        one(message("video", video={"id": "7", "mime_type": "video/mp4", "caption": "look"})),
        [got(Media("video", ref="7", mime="video/mp4", caption="look"))],
    ),
    "a document": (
        one(
            message(
                "document",
                document={"id": "7", "mime_type": "application/pdf", "filename": "a.pdf"},
            )
        ),
        [got(Media("document", ref="7", mime="application/pdf", filename="a.pdf"))],
    ),
    "a sticker": (
        one(message("sticker", sticker={"id": "7", "mime_type": "image/webp", "animated": False})),
        [got(Media("sticker", ref="7", mime="image/webp"))],
    ),
    # the rest
    "a location": (
        one(
            message(
                "location",
                location={
                    "latitude": 37.44,
                    "longitude": -122.16,
                    "name": "Philz",
                    "address": "101 Forest Ave",
                    "url": "https://philz.example",
                },
            )
        ),
        [got(Location(37.44, -122.16, "Philz", "101 Forest Ave"))],
    ),
    "a bare location in whole degrees": (
        one(message("location", location={"latitude": 0, "longitude": 180})),
        [got(Location(0.0, 180.0))],
    ),
    "a contact": (
        one(
            message(
                "contacts",
                contacts=[
                    {
                        "name": {"formatted_name": "Barbara Johnson", "first_name": "Barbara"},
                        "phones": [{"phone": "+1 650-555-9999", "wa_id": "16505559999"}],
                        "emails": [{"email": "b@example.com", "type": "Home"}],
                        "org": {"company": "Lucky Shrub"},
                    }
                ],
            )
        ),
        [got(Contact("Barbara Johnson", ("+1 650-555-9999",), ("b@example.com",)))],
    ),
    "several contacts get one answer": (
        one(
            message(
                "contacts",
                contacts=[
                    {"name": {"first_name": "Ann", "last_name": "Lee"}, "phones": [{"wa_id": "1"}]},
                    {"name": {"formatted_name": "Bo"}, "phones": [{"phone": "+2"}], "emails": []},
                ],
            )
        ),
        [got(Contact("Ann Lee, Bo", ("1", "+2")))],
    ),
    "a reaction": (
        one(message("reaction", reaction={"message_id": "wamid.OUT", "emoji": "👍"})),
        [got(Reaction("wamid.OUT", "👍"))],
    ),
    "a reaction taken off, empty": (
        one(message("reaction", reaction={"message_id": "wamid.OUT", "emoji": ""})),
        [got(Reaction("wamid.OUT", removed=True))],
    ),
    "a reaction taken off, without emoji": (
        one(message("reaction", reaction={"message_id": "wamid.OUT"})),
        [got(Reaction("wamid.OUT", removed=True))],
    ),
    "an edited text": (
        one(
            message(
                "edit",
                edit={
                    "original_message_id": "wamid.0",
                    "message": {"type": "text", "text": {"body": "two"}},
                },
            )
        ),
        [got(Edit("wamid.0", "two"))],
    ),
    "an edited caption": (
        one(
            message(
                "edit",
                edit={
                    "original_message_id": "wamid.0",
                    "message": {"type": "image", "image": {"id": "7", "caption": "two"}},
                },
            )
        ),
        [got(Edit("wamid.0", "two"))],
    ),
    "a message taken back": (
        one(message("revoke", revoke={"original_message_id": "wamid.0"})),
        [got(Deletion("wamid.0"))],
    ),
    "a chat opened for the first time": (one(message("request_welcome")), [got(Event("start"))]),
    "an order": (
        one(message("order", order={"catalog_id": "1", "product_items": []})),
        [got(Unsupported("order"))],
    ),
    "a changed number": (
        one(
            message(
                "system",
                system={"body": "Sheena changed", "wa_id": "1", "type": "user_changed_number"},
            ),
            contacts=...,
        ),
        [got(Unsupported("system"), profile=Profile())],
    ),
    "what Meta cannot pass on": (
        one(
            message(
                "unsupported",
                errors=[{"code": 131051, "title": "Message type unknown"}],
                unsupported={"type": "poll_creation"},
            )
        ),
        [got(Unsupported("poll_creation"))],
    ),
    "what Meta cannot pass on, without its kind": (
        one(message("unsupported", errors=[{"code": 131051, "title": "Message type unknown"}])),
        [got(Unsupported("unsupported"))],
    ),
    "a type of tomorrow": (one(message("hologram", hologram={})), [got(Unsupported("hologram"))]),
    "a type of endless length": (one(message("x" * 5000)), [got(Unsupported("x" * 64))]),
    "the type unknown": (one(message("unknown")), [got(Unsupported("unknown"))]),
    # statuses
    "sent": (one(statuses=[status("sent", pricing={"billable": False})]), [receipt("sent")]),
    "delivered": (one(statuses=[status("delivered")]), [receipt("delivered")]),
    "read": (one(statuses=[status("read")]), [receipt("read")]),
    "a voice message played was read": (one(statuses=[status("played")]), [receipt("read")]),
    "failed, with its reason": (
        one(
            statuses=[
                status(
                    "failed",
                    errors=[
                        {
                            "code": 131026,
                            "title": "Message undeliverable",
                            "message": "Message undeliverable",
                            "error_data": {"details": "Receiver is incapable"},
                        }
                    ],
                )
            ]
        ),
        [receipt("failed", "131026 Message undeliverable: Receiver is incapable")],
    ),
    "failed for two reasons": (
        one(
            statuses=[
                status("failed", errors=[{"code": 1, "title": "A"}, {"code": 2, "message": "B"}])
            ]
        ),
        [receipt("failed", "1 A; 2 B")],
    ),
    "failed for no known reason": (
        one(statuses=[status("failed", errors=[5, None, {}])]),
        [receipt("failed")],
    ),
    "a status of a message sent elsewhere": (
        one(statuses=[status(biz_opaque_callback_data=...)]),
        [receipt(ref="")],
    ),
    "statuses that are no receipts": (
        one(statuses=[status("deleted"), status("warning"), status("tomorrow"), status()]),
        [receipt()],
    ),
}


# --- in: a part that is not understood. What was read beside it, and a word of the reason ---

GOOD = text("good", id="wamid.GOOD")
THE_GOOD = got(Text("good"), "wamid.GOOD")


def stand_in(kind: str, id: str = "malformed:wamid.A") -> Inbound:
    return got(Unsupported(f"malformed:{kind}"), id)


UNREADABLE: dict[str, tuple[Any, list[Inbound | Receipt], str]] = {
    "no body": (b"", [], "not JSON"),
    "no JSON": (b"payload=%7B%7D", [], "not JSON"),
    "cut JSON": (json.dumps(one(text())).encode()[:-5], [], "not JSON"),
    "JSON in UTF-16": (json.dumps(one(text())).encode("utf-16"), [], "not JSON"),
    "bytes that are no UTF-8": (b'{"object": "\xff"}', [], "not JSON"),
    "nested too deep": (b"[" * 200_000 + b"]" * 200_000, [], "not JSON"),
    "a number of 10,000 digits": (b'{"object": ' + b"9" * 10_000 + b"}", [], "JSON"),
    "null": (b"null", [], "object"),
    "true": (b"true", [], "object"),
    "a number": (b"17", [], "object"),
    "a string": (b'"whatsapp_business_account"', [], "object"),
    "an array": (b"[]", [], "object"),
    "an empty object": (b"{}", [], "object"),
    "an object of another product": ({"object": "page", "entry": []}, [], "object"),
    "no entry": ({"object": "whatsapp_business_account"}, [], "entry is not an array"),
    "entry is an object": ({"object": "whatsapp_business_account", "entry": {}}, [], "entry"),
    "an entry that is none": (webhook(5, entry(change(GOOD))), [THE_GOOD], "entry 0"),
    "changes missing": (webhook({"id": "1"}, entry(change(GOOD))), [THE_GOOD], "entry 0, change"),
    "a change that is none": (webhook(entry(None, change(GOOD))), [THE_GOOD], "change 0"),
    "a change without field": (
        webhook(entry({"value": {}}, change(GOOD))),
        [THE_GOOD],
        "field is not a string",
    ),
    "a change without value": (
        webhook(entry({"field": "messages"}, change(GOOD))),
        [THE_GOOD],
        "value is not an object",
    ),
    "no metadata, so nobody's": (
        webhook(entry(change(text(), metadata=...), change(GOOD))),
        [THE_GOOD],
        "metadata",
    ),
    "a phone number id of no known shape": (
        webhook(entry(change(text(), phone_id=[PHONE_ID]), change(GOOD))),
        [THE_GOOD],
        "phone_number_id",
    ),
    "messages is an object": (
        webhook(entry(change(messages={"0": text()}), change(GOOD))),
        [THE_GOOD],
        "message is not an array",
    ),
    "a message that is none": (one(None, GOOD, "x"), [THE_GOOD], "message 0"),
    "a message without id": (one(text(id=...), GOOD), [THE_GOOD], "no usable id"),
    "a message with an empty id": (one(text(id=""), GOOD), [THE_GOOD], "no usable id"),
    "a message with a number for an id": (one(text(id=5), GOOD), [THE_GOOD], "no usable id"),
    "a message with NUL in its id": (one(text(id="a\x00"), GOOD), [THE_GOOD], "no usable id"),
    "a message from nobody": (one(text(**{"from": ...}), GOOD), [THE_GOOD], "no usable sender"),
    "a message from no number": (
        one(text(**{"from": "a:b"}), GOOD),
        [THE_GOOD],
        "no usable sender",
    ),
    "a message from other digits": (
        one(text(**{"from": "١٢٣"}), GOOD),
        [THE_GOOD],
        "no usable sender",
    ),
    "a message from an array": (
        one(text(**{"from": [USER]}), GOOD),
        [THE_GOOD],
        "no usable sender",
    ),
    "no type": (one(message(...), GOOD), [stand_in("unknown"), THE_GOOD], "type is not a string"),
    "a type that is no text": (one(message({}), GOOD), [stand_in("unknown"), THE_GOOD], "type"),
    "text without text": (one(message("text"), GOOD), [stand_in("text"), THE_GOOD], "text is not"),
    "text without body": (
        one(message("text", text={}), GOOD),
        [stand_in("text"), THE_GOOD],
        "body",
    ),
    "text with a number": (one(text(5), GOOD), [stand_in("text"), THE_GOOD], "message 0 (text)"),
    "an image without id": (
        one(message("image", image={"mime_type": "image/png"}), GOOD),
        [stand_in("image"), THE_GOOD],
        "id is not a string",
    ),
    "a caption that is no text": (
        one(message("image", image={**MEDIA, "caption": ["x"]}), GOOD),
        [stand_in("image"), THE_GOOD],
        "caption",
    ),
    "an interactive without its reply": (
        one(message("interactive", interactive={"type": "list_reply"}), GOOD),
        [stand_in("interactive"), THE_GOOD],
        "list_reply",
    ),
    "a button with a context of no known shape": (
        one(
            message(
                "interactive",
                context="wamid.ASKED",
                interactive={"type": "button_reply", "button_reply": {"id": "a", "title": "A"}},
            )
        ),
        [stand_in("interactive")],
        "context",
    ),
    "a quick reply with nothing in it": (
        one(message("button", button={})),
        [stand_in("button")],
        "button",
    ),
    "a location off the Earth": (
        one(message("location", location={"latitude": 91, "longitude": 0})),
        [stand_in("location")],
        "latitude is out of range",
    ),
    "a location that is not a number": (
        one(message("location", location={"latitude": float("nan"), "longitude": 0})),
        [stand_in("location")],
        "latitude is out of range",
    ),
    "a location of 400 digits": (
        one(message("location", location={"latitude": 0, "longitude": 10**400})),
        [stand_in("location")],
        "longitude is out of range",
    ),
    "a location of true and false": (
        one(message("location", location={"latitude": True, "longitude": False})),
        [stand_in("location")],
        "latitude is not a number",
    ),
    "contacts that are none": (
        one(message("contacts", contacts={})),
        [stand_in("contacts")],
        "contacts",
    ),
    "a contact's phones that are none": (
        one(message("contacts", contacts=[{"phones": ["+1"]}])),
        [stand_in("contacts")],
        "phone is not an object",
    ),
    "a reaction to nothing": (
        one(message("reaction", reaction={"emoji": "👍"})),
        [stand_in("reaction")],
        "message_id",
    ),
    "an edit of nothing": (one(message("edit", edit={})), [stand_in("edit")], "message"),
    "statuses is an object": (
        one(GOOD, statuses={}),
        [THE_GOOD],
        "status is not an array",
    ),
    "a status that is none": (
        one(GOOD, statuses=["sent", status()]),
        [THE_GOOD, receipt()],
        "status 0",
    ),
    "a status without id": (
        one(statuses=[status(id=...), status()]),
        [receipt()],
        "id is not a string",
    ),
    "a status without status": (one(statuses=[status(...), status()]), [receipt()], "status"),
    "a status whose own data is no text": (
        one(statuses=[status(biz_opaque_callback_data=5), status()]),
        [receipt()],
        "biz_opaque_callback_data",
    ),
    "many malformed at once": (one(*[{}] * 50, GOOD), [THE_GOOD], "and 45 more"),
}


# --- out ---

LINK = "https://shop.example.com/a.jpg"


def options(count: int, **last: str) -> tuple[Option, ...]:
    """`count` options; `last` replaces fields of the last one."""
    made = [{"title": f"Option {n}", "payload": f"/pick {n}"} for n in range(count)]
    made[-1].update(last)
    return tuple(Option(**o) for o in made)


def buttons(count: int) -> list[Json]:
    replies = [{"id": f"/pick {n}", "title": f"Option {n}"} for n in range(count)]
    return [{"type": "reply", "reply": reply} for reply in replies]


def rows(count: int) -> list[Json]:
    return [{"id": f"/pick {n}", "title": f"Option {n}"} for n in range(count)]


OUTBOUND: dict[str, tuple[Content, str, Any]] = {
    "text": (Text("Hello"), "text", {"body": "Hello", "preview_url": False}),
    "text with a link": (Text(f"See {LINK}"), "text", {"body": f"See {LINK}", "preview_url": True}),
    "text as long as may be": (
        Text("👍" * 4096),
        "text",
        {"body": "👍" * 4096, "preview_url": False},
    ),
    "text in many scripts": (
        Text("عربي 漢字 👩‍👩‍👧\n\"'\\"),
        "text",
        {"body": "عربي 漢字 👩‍👩‍👧\n\"'\\", "preview_url": False},
    ),
    "text no provider takes": (Text("a\x00\ud83d"), "text", {"body": "a�", "preview_url": False}),
    "one button": (
        Choices("Sure?", options(1)),
        "interactive",
        {"type": "button", "body": {"text": "Sure?"}, "action": {"buttons": buttons(1)}},
    ),
    "three buttons": (
        Choices("Which?", options(3)),
        "interactive",
        {"type": "button", "body": {"text": "Which?"}, "action": {"buttons": buttons(3)}},
    ),
    "a button as long as may be": (
        Choices("q" * 1024, options(1, title="t" * 20, payload="p" * 256)),
        "interactive",
        {
            "type": "button",
            "body": {"text": "q" * 1024},
            "action": {
                "buttons": [{"type": "reply", "reply": {"id": "p" * 256, "title": "t" * 20}}]
            },
        },
    ),
    "four options are a list": (
        Choices("Which?", options(4)),
        "interactive",
        {
            "type": "list",
            "body": {"text": "Which?"},
            "action": {"button": "☰", "sections": [{"rows": rows(4)}]},
        },
    ),
    "ten rows, the last as long as may be": (
        Choices("Which?", options(10, title="t" * 24, payload="p" * 200, description="d" * 72)),
        "interactive",
        {
            "type": "list",
            "body": {"text": "Which?"},
            "action": {
                "button": "☰",
                "sections": [
                    {
                        "rows": [
                            *rows(9),
                            {"id": "p" * 200, "title": "t" * 24, "description": "d" * 72},
                        ]
                    }
                ],
            },
        },
    ),
    "rows of one title, different payloads": (
        Choices("Which?", options(4, title="Option 0")),
        "interactive",
        {
            "type": "list",
            "body": {"text": "Which?"},
            "action": {
                "button": "☰",
                "sections": [{"rows": [*rows(3), {"id": "/pick 3", "title": "Option 0"}]}],
            },
        },
    ),
    "an image by link": (
        Media("image", url=LINK, caption="Look"),
        "image",
        {"link": LINK, "caption": "Look"},
    ),
    "an image by id": (Media("image", ref="275"), "image", {"id": "275"}),
    "a link goes before a foreign id": (
        Media("image", url=LINK, ref="275"),
        "image",
        {"link": LINK},
    ),
    "a video": (
        Media("video", url=LINK, caption="x" * 1024),
        "video",
        {"link": LINK, "caption": "x" * 1024},
    ),
    "an audio file": (Media("audio", url=LINK), "audio", {"link": LINK}),
    "a voice note": (Media("voice", url=LINK), "audio", {"link": LINK, "voice": True}),
    "a document": (
        Media("document", url=LINK, filename="bill.pdf", caption="Your bill"),
        "document",
        {"link": LINK, "filename": "bill.pdf", "caption": "Your bill"},
    ),
    "a sticker": (Media("sticker", url=LINK), "sticker", {"link": LINK}),
    "a location": (
        Location(52.5, 13.4, "Shop", "Main St 1"),
        "location",
        {"latitude": 52.5, "longitude": 13.4, "name": "Shop", "address": "Main St 1"},
    ),
    "a bare location": (
        Location(-90.0, 180.0),
        "location",
        {"latitude": -90.0, "longitude": 180.0},
    ),
    "a contact": (
        Contact("Support", ("+1555",), ("help@example.com",)),
        "contacts",
        [
            {
                "name": {"formatted_name": "Support", "first_name": "Support"},
                "phones": [{"phone": "+1555"}],
                "emails": [{"email": "help@example.com"}],
            }
        ],
    ),
    "a reaction": (
        Reaction("wamid.IN", "👍"),
        "reaction",
        {"message_id": "wamid.IN", "emoji": "👍"},
    ),
    "a reaction taken off": (
        Reaction("wamid.IN", "👍", removed=True),
        "reaction",
        {"message_id": "wamid.IN", "emoji": ""},
    ),
}

# Refused before Meta is asked, and why.
REFUSED: dict[str, tuple[Content, str]] = {
    "empty text": (Text(""), "the text is empty"),
    "text of white space": (Text(" \n\x00"), "the text is empty"),
    "text too long": (Text("x" * 4097), "4097 characters, WhatsApp takes 4096"),
    "no options": (Choices("Which?", ()), "0 options"),
    "eleven options": (Choices("Which?", options(11)), "11 options"),
    "no question": (Choices("", options(2)), "the question is empty"),
    "a question too long": (Choices("q" * 1025, options(2)), "1025 characters"),
    "a button's title too long": (Choices("?", options(2, title="t" * 21)), "takes 20"),
    "a button without title": (Choices("?", options(2, title="")), "title is empty"),
    "a button without payload": (Choices("?", options(2, payload="")), "payload is empty"),
    "a button's payload too long": (Choices("?", options(2, payload="p" * 257)), "takes 256"),
    "a payload with a space at its end": (Choices("?", options(2, payload="p ")), "space"),
    "two buttons of one title": (Choices("?", options(2, title="Option 0")), "alike"),
    "two buttons of one payload": (Choices("?", options(2, payload="/pick 0")), "alike"),
    "two rows of one payload": (Choices("?", options(5, payload="/pick 0")), "alike"),
    "a row's title too long": (Choices("?", options(4, title="t" * 25)), "takes 24"),
    "a row's payload too long": (Choices("?", options(4, payload="p" * 201)), "takes 200"),
    "a row's description too long": (Choices("?", options(4, description="d" * 73)), "takes 72"),
    "media without source": (Media("image"), "neither a link nor an id"),
    "media from a file": (Media("image", url="file:///etc/passwd"), "no http"),
    "a caption too long": (Media("image", url=LINK, caption="x" * 1025), "takes 1024"),
    "a caption with audio": (Media("audio", url=LINK, caption="x"), "no caption"),
    "a caption with a voice note": (Media("voice", url=LINK, caption="x"), "no caption"),
    "a caption with a sticker": (Media("sticker", url=LINK, caption="x"), "no caption"),
    "a location off the Earth": (Location(91.0, 0.0), "not on Earth"),
    "a location that is not a number": (Location(float("nan"), 0.0), "not on Earth"),
    "a contact without name or number": (Contact(""), "name is empty"),
    "a reaction to nothing": (Reaction("", "👍"), "is empty"),
    "a choice, which only customers make": (Choice("a"), "cannot send choice"),
    "typing": (Typing(), "cannot send typing"),
}


# --- what Meta may answer ---


def graph_error(code: Any, status: int = 400, **fields: Any) -> Answer:
    headers = fields.pop("headers", {})
    error = {
        "message": f"(#{code}) What went wrong",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "The details"},
        "fbtrace_id": "A1",
        **fields,
    }
    return Answer({"error": error}, status, headers)


@dataclass(frozen=True)
class Fails:
    """`step` ends in `error`, exactly that type."""

    step: Step
    error: type[ConnectorError]
    code: str | None = None
    after: float | None = None
    words: tuple[str, ...] = field(default=())


FAILURES: dict[str, Fails] = {
    # throttled or down: certainly not taken
    **{
        f"code {code}": Fails(graph_error(code), RetryLater, words=(str(code), "The details"))
        for code in (1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131057)
    },
    "the pair rate has its own time": Fails(graph_error(131056), RetryLater, after=6.0),
    "Retry-After goes before our time": Fails(
        graph_error(131056, headers={"Retry-After": "30"}), RetryLater, after=30.0
    ),
    "429 with seconds": Fails(
        Answer("slow down", 429, {"Retry-After": "7"}), RetryLater, after=7.0
    ),
    "429 of Graph, unknown code": Fails(
        graph_error(999, 429, headers={"Retry-After": "7"}), RetryLater, after=7.0
    ),
    "429 with a past date": Fails(
        Answer("", 429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), RetryLater, after=0.0
    ),
    "429 with years": Fails(
        Answer("", 429, {"Retry-After": "999999999"}), RetryLater, after=86400.0
    ),
    "429 with a negative time": Fails(Answer("", 429, {"Retry-After": "-5"}), RetryLater),
    "429 with nonsense": Fails(Answer("", 429, {"Retry-After": "soon"}), RetryLater),
    "429 without time": Fails(Answer("", 429), RetryLater),
    "500 of Graph": Fails(graph_error(131000, 500), RetryLater),
    "500 of Graph, unknown code": Fails(graph_error(999, 500), RetryLater),
    "503 of Graph": Fails(graph_error(2, 503), RetryLater),
    "503 of a gateway": Fails(Answer("<html>", 503, {"Retry-After": "9"}), RetryLater, after=9.0),
    "an error Meta calls transient": Fails(graph_error(999, is_transient=True), RetryLater),
    # the operator's: messages wait
    **{
        f"code {code}": Fails(graph_error(code, status), RetryLater, after=60.0, words=(word,))
        for code, status, word in (
            (0, 401, "token"),
            (3, 500, "permission"),
            (10, 403, "permission"),
            (33, 400, "phone_id"),
            (190, 401, "token has expired"),
            (200, 403, "permission"),
            (299, 403, "permission"),
            (368, 403, "policy"),
            (131005, 403, "permission"),
            (131031, 403, "locked"),
            (131042, 400, "payment"),
            (133010, 400, "not registered"),
        )
    },
    "a phone id the token cannot see": Fails(
        graph_error(100, error_subcode=33), RetryLater, after=60.0, words=("phone_id",)
    ),
    "401 of Graph, unknown code": Fails(
        graph_error(999, 401), RetryLater, after=60.0, words=("token",)
    ),
    "404 of some other server": Fails(
        Answer("<h1>Not Found</h1>", 404), RetryLater, after=60.0, words=("api_url",)
    ),
    "403 of a proxy in JSON": Fails(
        Answer({"error": "blocked"}, 403), RetryLater, after=60.0, words=("proxies",)
    ),
    "400 with an error of no known shape": Fails(
        Answer({"error": {"code": "what"}}, 400), RetryLater, after=60.0, words=("api_url",)
    ),
    "400 in an array": Fails(Answer([1], 400), RetryLater, after=60.0),
    "a redirect is not followed": Fails(
        Answer("", 302, {"Location": "/elsewhere"}), RetryLater, after=60.0, words=("302",)
    ),
    # never
    "the 24 hours are over": Fails(graph_error(131047), WindowClosed, "131047"),
    "marketing stopped": Fails(graph_error(131050), OptedOut, "131050"),
    "undeliverable": Fails(graph_error(131026), Rejected, "131026"),
    "an invalid parameter": Fails(graph_error(100), Rejected, "100", words=("#100", "The details")),
    "a parameter's value": Fails(graph_error(131009), Rejected, "131009"),
    "not on the test number's list": Fails(graph_error(131030), Rejected, "131030"),
    "a code of tomorrow": Fails(graph_error(999999), Rejected, "999999"),
    "an error with 200": Fails(graph_error(131047, 200), WindowClosed, "131047"),
    "an error of few words": Fails(Answer({"error": {"code": 100}}, 400), Rejected, "100"),
    "an error with odd fields": Fails(
        graph_error(100, message=None, error_data="x", error_subcode="y"), Rejected, "100"
    ),
    # nobody knows
    "200 that is not JSON": Fails(Answer("OK"), Unsure),
    "200 with nothing": Fails(Answer(b""), Unsure),
    "200 in an array": Fails(Answer([]), Unsure),
    "200 without messages": Fails(Answer({"messaging_product": "whatsapp"}), Unsure),
    "200 with no message": Fails(Answer({"messages": []}), Unsure),
    "200 with a message of no known shape": Fails(Answer({"messages": ["wamid.X"]}), Unsure),
    "200 with an empty id": Fails(Answer({"messages": [{"id": ""}]}), Unsure),
    "200 nested too deep": Fails(Answer(b"[" * 100_000, 200), Unsure),
    "500 of a gateway": Fails(Answer("Internal Server Error", 500), Unsure),
    "502": Fails(Answer("<html>Bad Gateway", 502), Unsure),
    "502 in Graph's form": Fails(graph_error(2, 502), Unsure),
    "504": Fails(graph_error(2, 504), Unsure),
    "a reset": Fails(Reset(), Unsure),
    "no HTTP": Fails(Garbage(), Unsure),
    "half an answer": Fails(Truncated(), Unsure),
    "silence": Fails(Hang(), Unsure),
}
