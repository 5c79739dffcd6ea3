"""WhatsApp's webhooks, and what must come of each in the store.

Written from the pages below
https://developers.facebook.com/documentation/business-messaging/whatsapp :

- webhooks/reference/messages and its pages (text, image, interactive, order, system,
  status, group, unsupported, …), webhooks/reference/user_preferences
- webhooks/reference/message_template_status_update, message_template_quality_update,
  phone_number_quality_update, account_update, account_alerts, business_capability_update
- business-scoped-user-ids, catalogs/receive-responses, support/error-codes
- https://developers.facebook.com/docs/graph-api/webhooks/getting-started (signatures)
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Literal

from bot.message import (
    Choice,
    Contact,
    Deletion,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    Notice,
    Order,
    OrderItem,
    Profile,
    Reaction,
    Referral,
    Text,
    Unsupported,
)
from tests.connectors.cases.whatsapp import (
    CONTEXT,
    GOOD,
    MEDIA,
    OTHER_PHONE_ID,
    PHONE_ID,
    SCOPED,
    SHEENA,
    THE_GOOD,
    TIMESTAMP,
    USER,
    Json,
    change,
    entry,
    got,
    hook,
    message,
    one,
    signature,
    stand_in,
    status,
    text,
    webhook,
)
from tests.connectors.table import In

NOBODY = Profile()
RAW = json.dumps(one(text("Grüße 漢字 👍")), ensure_ascii=False, indent=1).encode()
OUT = {"t-1:0": "wamid.OUT"}


def error(code: Any, title: str = "") -> Json:
    return {"code": code, "title": title, "message": title}


# --- hostile: batches, redeliveries, signatures, statuses out of order ---

HOSTILE = [
    In(
        "a batch of several entries, changes, messages and statuses",
        hook(
            webhook(
                entry(
                    change(text("1", id="wamid.1"), text("2", id="wamid.2")),
                    change(statuses=[status("sent"), status("delivered")]),
                ),
                entry(change(text("3", id="wamid.3"), statuses=[status("read")])),
            )
        ),
        [got(Text("1"), "wamid.1"), got(Text("2"), "wamid.2"), got(Text("3"), "wamid.3")],
        outbox=OUT,
        moved={"t-1:0": "read"},
    ),
    In(
        "the same request delivered three times is stored once",
        hook(one(text("1", id="wamid.1"), text("2", id="wamid.2"))),
        [got(Text("1"), "wamid.1"), got(Text("2"), "wamid.2")],
        times=3,
    ),
    In(
        "a malformed request delivered twice is one dead letter",
        hook(one({}, GOOD)),
        [THE_GOOD],
        dead="no usable id",
        times=2,
    ),
    In(
        "a signature over a body in raw multi-byte characters",
        hook(RAW),
        [got(Text("Grüße 漢字 👍"))],
    ),
    In(
        "a signature over the same JSON, written otherwise",
        hook(RAW, x_hub_signature_256=signature(json.dumps(json.loads(RAW)).encode())),
        status=403,
    ),
    In("no signature", hook(one(text()), x_nothing="1"), status=403),
    In(
        "a signature of another app's secret",
        hook(RAW, x_hub_signature_256=signature(RAW, "another")),
        status=403,
    ),
    In("a signature by SHA-1 alone", hook(RAW, x_hub_signature="sha1=" + "0" * 40), status=403),
    In(
        "read before delivered before sent",
        hook(one(statuses=[status("read"), status("delivered"), status("sent")])),
        outbox=OUT,
        moved={"t-1:0": "read"},
    ),
    In(
        "failed after delivered changes nothing",
        hook(one(statuses=[status("delivered"), status("failed", errors=[error(131026)])])),
        outbox=OUT,
        moved={"t-1:0": "delivered"},
    ),
    In(
        "failed, with Meta's code",
        hook(one(statuses=[status("failed", errors=[error(131049, "Not delivered")])])),
        outbox=OUT,
        moved={"t-1:0": ("failed", "131049")},
    ),
    In(
        "a status without our id finds the message by Meta's",
        hook(one(statuses=[status(biz_opaque_callback_data=...)])),
        outbox=OUT,
        moved={"t-1:0": "delivered"},
    ),
    In(
        "a status with our id finds the message before its answer is known",
        hook(one(statuses=[status("sent", id="wamid.NEW"), status("delivered", id="wamid.NEW")])),
        outbox={"t-1:0": ""},
        moved={"t-1:0": "delivered"},
    ),
    In(
        "statuses of messages nobody knows",
        hook(one(statuses=[status(id="wamid.X", biz_opaque_callback_data="other:0")])),
        outbox=OUT,
    ),
    In(
        "a group's status is not one customer's",
        hook(one(statuses=[status("read", recipient_type="group")])),
        outbox=OUT,
    ),
    In(
        "statuses that are no receipts",
        hook(one(statuses=[status("deleted"), status("warning"), status("tomorrow")])),
        outbox=OUT,
    ),
    In(
        "a status with a price of no known shape still counts",
        hook(one(statuses=[status(pricing=[5], conversation="x", errors={})])),
        outbox=OUT,
        moved={"t-1:0": "delivered"},
    ),
    In(
        "a malformed status among good ones",
        hook(one(GOOD, statuses=["sent", status(id=...), status(), status(...)])),
        [THE_GOOD],
        outbox=OUT,
        moved={"t-1:0": "delivered"},
        dead="status 0: it is not an object",
    ),
    In(
        "a status whose own data is no text",
        hook(one(statuses=[status(biz_opaque_callback_data=5), status("read")])),
        outbox=OUT,
        moved={"t-1:0": "read"},
        dead="biz_opaque_callback_data",
    ),
    In(
        "another number's status is not ours",
        hook(webhook(entry(change(statuses=[status("read")], phone_id=OTHER_PHONE_ID)))),
        outbox=OUT,
    ),
]


# --- a part that is not understood costs nothing else ---

UNREADABLE = [
    In("no body", hook(b""), [], dead="not JSON"),
    In("no JSON", hook(b"payload=%7B%7D"), [], dead="not JSON"),
    In("cut JSON", hook(json.dumps(one(text())).encode()[:-5]), [], dead="not JSON"),
    In("JSON in UTF-16", hook(json.dumps(one(text())).encode("utf-16")), [], dead="not JSON"),
    In("bytes that are no UTF-8", hook(b'{"object": "\xff"}'), [], dead="not JSON"),
    In("nested too deep", hook(b"[" * 200_000 + b"]" * 200_000), [], dead="not JSON"),
    In("a number of 10,000 digits", hook(b'{"object": ' + b"9" * 10_000 + b"}"), [], dead="JSON"),
    In("null", hook(b"null"), [], dead="object"),
    In("true", hook(b"true"), [], dead="object"),
    In("a number", hook(b"17"), [], dead="object"),
    In("a string", hook(b'"whatsapp_business_account"'), [], dead="object"),
    In("an array", hook(b"[]"), [], dead="object"),
    In("an empty object", hook(b"{}"), [], dead="object"),
    In("an object of another product", hook({"object": "page", "entry": []}), [], dead="object"),
    In("no entry", hook({"object": "whatsapp_business_account"}), [], dead="entry is not an array"),
    In(
        "entry is an object",
        hook({"object": "whatsapp_business_account", "entry": {}}),
        [],
        dead="entry",
    ),
    In("an entry that is none", hook(webhook(5, entry(change(GOOD)))), [THE_GOOD], dead="entry 0"),
    In(
        "changes missing",
        hook(webhook({"id": "1"}, entry(change(GOOD)))),
        [THE_GOOD],
        dead="entry 0, change",
    ),
    In(
        "a change that is none",
        hook(webhook(entry(None, change(GOOD)))),
        [THE_GOOD],
        dead="change 0",
    ),
    In(
        "a change without field",
        hook(webhook(entry({"value": {}}, change(GOOD)))),
        [THE_GOOD],
        dead="field is not a string",
    ),
    In(
        "a change without value",
        hook(webhook(entry({"field": "messages"}, change(GOOD)))),
        [THE_GOOD],
        dead="value is not an object",
    ),
    In(
        "no metadata, so nobody's",
        hook(webhook(entry(change(text(), metadata=...), change(GOOD)))),
        [THE_GOOD],
        dead="metadata",
    ),
    In(
        "a phone number id of no known shape",
        hook(webhook(entry(change(text(), phone_id=[PHONE_ID]), change(GOOD)))),
        [THE_GOOD],
        dead="phone_number_id",
    ),
    In(
        "messages is an object",
        hook(webhook(entry(change(messages={"0": text()}), change(GOOD)))),
        [THE_GOOD],
        dead="message is not an array",
    ),
    In("a message that is none", hook(one(None, GOOD, "x")), [THE_GOOD], dead="message 0"),
    In("a message without id", hook(one(text(id=...), GOOD)), [THE_GOOD], dead="no usable id"),
    In("a message with an empty id", hook(one(text(id=""), GOOD)), [THE_GOOD], dead="no usable id"),
    In(
        "a message with a number for an id",
        hook(one(text(id=5), GOOD)),
        [THE_GOOD],
        dead="no usable id",
    ),
    In(
        "a message with NUL in its id",
        hook(one(text(id="a\x00"), GOOD)),
        [THE_GOOD],
        dead="no usable id",
    ),
    In(
        "a message from nobody",
        hook(one(text(**{"from": ...}), GOOD)),
        [THE_GOOD],
        dead="no usable sender",
    ),
    In(
        "a message from no number",
        hook(one(text(**{"from": "a:b"}), GOOD)),
        [THE_GOOD],
        dead="no usable sender",
    ),
    In(
        "a message from other digits",
        hook(one(text(**{"from": "١٢٣"}), GOOD)),
        [THE_GOOD],
        dead="no usable sender",
    ),
    In(
        "a message from an array",
        hook(one(text(**{"from": [USER]}), GOOD)),
        [THE_GOOD],
        dead="no usable sender",
    ),
    In(
        "no type",
        hook(one(message(...), GOOD)),
        [stand_in("unknown"), THE_GOOD],
        dead="type is not a string",
    ),
    In(
        "a type that is no text",
        hook(one(message({}), GOOD)),
        [stand_in("unknown"), THE_GOOD],
        dead="type",
    ),
    In(
        "text without text",
        hook(one(message("text"), GOOD)),
        [stand_in("text"), THE_GOOD],
        dead="text is not",
    ),
    In(
        "text without body",
        hook(one(message("text", text={}), GOOD)),
        [stand_in("text"), THE_GOOD],
        dead="body",
    ),
    In(
        "text with a number",
        hook(one(text(5), GOOD)),
        [stand_in("text"), THE_GOOD],
        dead="message 0 (text)",
    ),
    In(
        "an image without id",
        hook(one(message("image", image={"mime_type": "image/png"}), GOOD)),
        [stand_in("image"), THE_GOOD],
        dead="id is not a string",
    ),
    In(
        "a caption that is no text",
        hook(one(message("image", image={**MEDIA, "caption": ["x"]}), GOOD)),
        [stand_in("image"), THE_GOOD],
        dead="caption",
    ),
    In(
        "an interactive without its reply",
        hook(one(message("interactive", interactive={"type": "list_reply"}), GOOD)),
        [stand_in("interactive"), THE_GOOD],
        dead="list_reply",
    ),
    In(
        "a button with a context of no known shape",
        hook(
            one(
                message(
                    "interactive",
                    context="wamid.ASKED",
                    interactive={"type": "button_reply", "button_reply": {"id": "a", "title": "A"}},
                )
            )
        ),
        [stand_in("interactive")],
        dead="context",
    ),
    In(
        "a quick reply with nothing in it",
        hook(one(message("button", button={}))),
        [stand_in("button")],
        dead="button",
    ),
    In(
        "a location off the Earth",
        hook(one(message("location", location={"latitude": 91, "longitude": 0}))),
        [stand_in("location")],
        dead="latitude is out of range",
    ),
    In(
        "a location that is not a number",
        hook(one(message("location", location={"latitude": float("nan"), "longitude": 0}))),
        [stand_in("location")],
        dead="latitude is out of range",
    ),
    In(
        "a location of 400 digits",
        hook(one(message("location", location={"latitude": 0, "longitude": 10**400}))),
        [stand_in("location")],
        dead="longitude is out of range",
    ),
    In(
        "a location of true and false",
        hook(one(message("location", location={"latitude": True, "longitude": False}))),
        [stand_in("location")],
        dead="latitude is not a number",
    ),
    In(
        "contacts that are none",
        hook(one(message("contacts", contacts={}))),
        [stand_in("contacts")],
        dead="contacts",
    ),
    In(
        "a contact's phones that are none",
        hook(one(message("contacts", contacts=[{"phones": ["+1"]}]))),
        [stand_in("contacts")],
        dead="phone is not an object",
    ),
    In(
        "a reaction to nothing",
        hook(one(message("reaction", reaction={"emoji": "👍"}))),
        [stand_in("reaction")],
        dead="message_id",
    ),
    In(
        "an edit of nothing",
        hook(one(message("edit", edit={}))),
        [stand_in("edit")],
        dead="message",
    ),
    In(
        "statuses is an object",
        hook(one(GOOD, statuses={})),
        [THE_GOOD],
        dead="status is not an array",
    ),
    In("many malformed at once", hook(one(*[{}] * 50, GOOD)), [THE_GOOD], dead="and 45 more"),
]


# --- messages ---

MESSAGES = [
    In(
        "a message twice in one batch is one",
        hook(webhook(entry(change(text()), change(text())), entry(change(text())))),
        [got(Text("Hello"))],
    ),
    In(
        "another phone number of the same account is not ours",
        hook(
            webhook(
                entry(
                    change(text("theirs"), phone_id=OTHER_PHONE_ID),
                    change(text("ours")),
                    change(statuses=[status()], phone_id=OTHER_PHONE_ID),
                )
            )
        ),
        [got(Text("ours"))],
    ),
    In(
        "malformed items of another phone number are not ours either",
        hook(webhook(entry(change({}, 5, None, phone_id=OTHER_PHONE_ID), change(text())))),
        [got(Text("Hello"))],
    ),
    In(
        "a phone number id as a number",
        hook(one(text(), phone_id=int(PHONE_ID))),
        [got(Text("Hello"))],
    ),
    In(
        "a group message",
        hook(one(text(group_id="G1"), text("hi", id="wamid.B"))),
        [got(Text("hi"), "wamid.B")],
    ),
    In(
        "errors of the account",
        hook(one(errors=[{"code": 130429, "title": "Rate limit hit"}, "what", None])),
        [],
    ),
    In("nothing at all", hook(webhook()), []),
    In("a change with nothing in it", hook(one()), []),
    In(
        "text",
        hook(one(text("Does it come in another color?"))),
        [got(Text("Does it come in another color?"))],
    ),
    In(
        "text in many scripts",
        hook(one(text("عربي 漢字 ไทย 👩‍👩‍👧"))),
        [got(Text("عربي 漢字 ไทย 👩‍👩‍👧"))],
    ),
    In("empty text", hook(one(text(""))), [got(Text(""))]),
    In("NUL in text", hook(one(text("a\x00b"))), [got(Text("ab"))]),
    In(
        "a lone surrogate in text",
        hook(json.dumps(one(text("a?b"))).replace("a?b", "a\\ud83db").encode()),
        [got(Text("a�b"))],
    ),
    In("100 kB of emoji", hook(one(text("👍" * 25_000))), [got(Text("👍" * 25_000))]),
    In("text with fields unknown today", hook(one(text(new=[{"x": 1}]))), [got(Text("Hello"))]),
    In("a timestamp as a number", hook(one(text(timestamp=int(TIMESTAMP)))), [got(Text("Hello"))]),
    In(
        "a timestamp in milliseconds",
        hook(one(text(timestamp=TIMESTAMP + "000"))),
        [got(Text("Hello"))],
    ),
    In(
        "a timestamp of 1970",
        hook(one(text(timestamp="0"))),
        [got(Text("Hello"), sent=datetime(1970, 1, 1, tzinfo=timezone.utc), order=0)],
    ),
    In("no contacts", hook(one(text(), contacts=...)), [got(Text("Hello"), profile=Profile())]),
    In(
        "contacts of another customer",
        hook(one(text(), contacts=[{"profile": {"name": "Eve"}, "wa_id": "1"}])),
        [got(Text("Hello"), profile=Profile())],
    ),
    In(
        "contacts of no known shape",
        hook(one(text(), contacts=[None, 5, {"wa_id": USER}, {"profile": [], "wa_id": USER}])),
        [got(Text("Hello"), profile=Profile())],
    ),
    In(
        "a name that is no text",
        hook(one(text(), contacts=[{"profile": {"name": 5, "username": "sheena"}, "wa_id": USER}])),
        [got(Text("Hello"), profile=Profile(username="sheena"))],
    ),
    In(
        "two customers in one change",
        hook(
            one(
                text(),
                text("hi", id="wamid.B", **{"from": "447700900000"}),
                contacts=[
                    {"profile": {"name": "Bo"}, "wa_id": "447700900000"},
                    {"profile": {"name": "Sheena Nelson"}, "wa_id": USER},
                ],
            )
        ),
        [
            got(Text("Hello")),
            got(Text("hi"), "wamid.B", "447700900000", Profile(name="Bo")),
        ],
    ),
    In(
        "a customer with a username and no number",
        hook(
            one(
                text(from_user_id=SCOPED, **{"from": ...}),
                contacts=[{"profile": {"name": "Kim", "username": "kim"}, "user_id": SCOPED}],
            )
        ),
        [got(Text("Hello"), user=SCOPED, profile=Profile(name="Kim", username="kim"))],
    ),
    In(
        "another account or device at the same number shows",
        hook(
            one(
                text(),
                contacts=[
                    {
                        "profile": {"name": "Kim"},
                        "wa_id": USER,
                        "user_id": SCOPED,
                        "identity_key_hash": "DF2lS5v2W6x=",
                    }
                ],
            )
        ),
        [
            got(
                Text("Hello"),
                profile=Profile(name="Kim", signs=(f"account:{SCOPED}", "device:DF2lS5v2W6x=")),
            )
        ],
    ),
    In(
        "a customer with a username and a number",
        hook(one(text(from_user_id=SCOPED))),
        [got(Text("Hello"))],
    ),
    In(
        "a button",
        hook(
            one(
                message(
                    "interactive",
                    context=CONTEXT,
                    interactive={
                        "type": "button_reply",
                        "button_reply": {"id": "/cancel", "title": "Cancel"},
                    },
                )
            )
        ),
        [got(Choice("/cancel", "Cancel", "wamid.ASKED"))],
    ),
    In(
        "a list row",
        hook(
            one(
                message(
                    "interactive",
                    context=CONTEXT,
                    interactive={
                        "type": "list_reply",
                        "list_reply": {"id": "express", "title": "Express", "description": "1 day"},
                    },
                )
            )
        ),
        [got(Choice("express", "Express", "wamid.ASKED"))],
    ),
    In(
        "a button without its context",
        hook(
            one(
                message(
                    "interactive",
                    interactive={"type": "button_reply", "button_reply": {"id": "a", "title": "A"}},
                )
            )
        ),
        [got(Choice("a", "A"))],
    ),
    In(
        "a template's quick reply",
        hook(one(message("button", context=CONTEXT, button={"payload": "stop", "text": "Stop"}))),
        [got(Choice("stop", "Stop", "wamid.ASKED"))],
    ),
    In(
        "a template's quick reply without payload",
        hook(one(message("button", context=CONTEXT, button={"text": "Stop"}))),
        [got(Choice("Stop", "Stop", "wamid.ASKED"))],
    ),
    In(
        "a flow's answer",
        hook(
            one(
                message(
                    "interactive",
                    interactive={"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}},
                )
            )
        ),
        [got(Unsupported("nfm_reply"))],
    ),
    In(
        "an image",
        hook(one(message("image", image={**MEDIA, "caption": "Taj Mahal"}))),
        [got(Media("image", ref="2754859441498128", mime="image/jpeg", caption="Taj Mahal"))],
    ),
    In(
        "an image with Meta's own link, which is not public",
        hook(one(message("image", image={**MEDIA, "url": "https://lookaside.fbsbx.com/x"}))),
        [got(Media("image", ref="2754859441498128", mime="image/jpeg"))],
    ),
    In(
        "an image with null for a caption",
        hook(one(message("image", image={**MEDIA, "caption": None}))),
        [got(Media("image", ref="2754859441498128", mime="image/jpeg"))],
    ),
    In(
        "an audio file",
        hook(one(message("audio", audio={"id": "7", "mime_type": "audio/mpeg", "voice": False}))),
        [got(Media("audio", ref="7", mime="audio/mpeg"))],
    ),
    In(
        "a voice note",
        hook(
            one(
                message(
                    "audio", audio={"id": "7", "mime_type": "audio/ogg; codecs=opus", "voice": True}
                )
            )
        ),
        [got(Media("voice", ref="7", mime="audio/ogg; codecs=opus"))],
    ),
    In(
        "a voice note of the old form",
        hook(one(message("voice", voice={"id": "7", "mime_type": "audio/ogg"}))),
        [got(Media("voice", ref="7", mime="audio/ogg"))],
    ),
    In(
        "a video",
        hook(one(message("video", video={"id": "7", "mime_type": "video/mp4", "caption": "look"}))),
        [got(Media("video", ref="7", mime="video/mp4", caption="look"))],
    ),
    In(
        "a document",
        hook(
            one(
                message(
                    "document",
                    document={"id": "7", "mime_type": "application/pdf", "filename": "a.pdf"},
                )
            )
        ),
        [got(Media("document", ref="7", mime="application/pdf", filename="a.pdf"))],
    ),
    In(
        "a sticker",
        hook(
            one(
                message(
                    "sticker", sticker={"id": "7", "mime_type": "image/webp", "animated": False}
                )
            )
        ),
        [got(Media("sticker", ref="7", mime="image/webp"))],
    ),
    In(
        "a location",
        hook(
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
            )
        ),
        [got(Location(37.44, -122.16, "Philz", "101 Forest Ave"))],
    ),
    In(
        "a bare location in whole degrees",
        hook(one(message("location", location={"latitude": 0, "longitude": 180}))),
        [got(Location(0.0, 180.0))],
    ),
    In(
        "a contact",
        hook(
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
            )
        ),
        [got(Contact("Barbara Johnson", ("+1 650-555-9999",), ("b@example.com",)))],
    ),
    In(
        "several contacts get one answer",
        hook(
            one(
                message(
                    "contacts",
                    contacts=[
                        {
                            "name": {"first_name": "Ann", "last_name": "Lee"},
                            "phones": [{"wa_id": "1"}],
                        },
                        {
                            "name": {"formatted_name": "Bo"},
                            "phones": [{"phone": "+2"}],
                            "emails": [],
                        },
                    ],
                )
            )
        ),
        [got(Contact("Ann Lee, Bo", ("1", "+2")))],
    ),
    In(
        "a reaction",
        hook(one(message("reaction", reaction={"message_id": "wamid.OUT", "emoji": "👍"}))),
        [got(Reaction("wamid.OUT", "👍"))],
    ),
    In(
        "a reaction taken off, empty",
        hook(one(message("reaction", reaction={"message_id": "wamid.OUT", "emoji": ""}))),
        [got(Reaction("wamid.OUT", removed=True))],
    ),
    In(
        "a reaction taken off, without emoji",
        hook(one(message("reaction", reaction={"message_id": "wamid.OUT"}))),
        [got(Reaction("wamid.OUT", removed=True))],
    ),
    In(
        "an edited text",
        hook(
            one(
                message(
                    "edit",
                    edit={
                        "original_message_id": "wamid.0",
                        "message": {"type": "text", "text": {"body": "two"}},
                    },
                )
            )
        ),
        [got(Edit("wamid.0", "two"))],
    ),
    In(
        "an edited caption",
        hook(
            one(
                message(
                    "edit",
                    edit={
                        "original_message_id": "wamid.0",
                        "message": {"type": "image", "image": {"id": "7", "caption": "two"}},
                    },
                )
            )
        ),
        [got(Edit("wamid.0", "two"))],
    ),
    In(
        "a message taken back",
        hook(one(message("revoke", revoke={"original_message_id": "wamid.0"}))),
        [got(Deletion("wamid.0"))],
    ),
    In(
        "a chat opened for the first time",
        hook(one(message("request_welcome"))),
        [got(Event("start"))],
    ),
    In(
        "what Meta cannot pass on",
        hook(
            one(
                message(
                    "unsupported",
                    errors=[{"code": 131051, "title": "Message type unknown"}],
                    unsupported={"type": "poll_creation"},
                )
            )
        ),
        [got(Unsupported("poll_creation"))],
    ),
    In(
        "what Meta cannot pass on, without its kind",
        hook(
            one(message("unsupported", errors=[{"code": 131051, "title": "Message type unknown"}]))
        ),
        [got(Unsupported("unsupported"))],
    ),
    In(
        "a type of tomorrow",
        hook(one(message("hologram", hologram={}))),
        [got(Unsupported("hologram"))],
    ),
    In("a type of endless length", hook(one(message("x" * 5000))), [got(Unsupported("x" * 64))]),
    In("the type unknown", hook(one(message("unknown"))), [got(Unsupported("unknown"))]),
    In(
        "fields of other products on the same URL",
        hook(
            webhook(
                entry(
                    {"field": "smb_message_echoes", "value": change(text())["value"]},
                    {"field": "history", "value": "anything"},
                    {"field": "calls", "value": None},
                    change(text()),
                )
            )
        ),
        [got(Text("Hello"))],
    ),
    In(
        "the time and order of a message are Meta's",
        hook(one(text())),
        [got(Text("Hello"))],
        sent=True,
        ordered=True,
    ),
]


# --- replies, advertisements, products ---

AD = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "body": "Summer succulents are here!",
    "headline": "Chat with us",
    "media_type": "image",
    "image_url": "https://scontent.example.com/t45",
    "ctwa_clid": "Aff-n8ZT",
    "welcome_message": {"text": "Hi there!"},
}
CAME = Referral("ad", "120226305854810726", "https://fb.me/3cr4Wqqkv", "Chat with us", "Aff-n8ZT")
ABOUT = {**CONTEXT, "referred_product": {"catalog_id": "1948", "product_retailer_id": "di9"}}

CONTEXTS = [
    In(
        "a text that quotes a message",
        hook(one(text(context=CONTEXT))),
        [got(Text("Hello"), reply_to="wamid.ASKED")],
    ),
    In(
        "a picture that quotes a message",
        hook(one(message("image", image=MEDIA, context=CONTEXT))),
        [
            got(
                Media("image", ref="2754859441498128", mime="image/jpeg"),
                reply_to="wamid.ASKED",
            )
        ],
    ),
    In(
        "a location that answers our question for it",
        hook(one(message("location", location={"latitude": 1, "longitude": 2}, context=CONTEXT))),
        [got(Location(1.0, 2.0), reply_to="wamid.ASKED")],
    ),
    In(
        "a forwarded text quotes nothing",
        hook(one(text(context={"forwarded": True}))),
        [got(Text("Hello"))],
    ),
    *(
        In(f"a text is not lost over {what}", hook(one(text(context=bad))), [got(Text("Hello"))])
        for what, bad in (
            ("a context that is a list", [CONTEXT]),
            ("a context whose id is a number", {"id": 5}),
            ("a context whose id holds a line break", {"id": "wamid\n"}),
            ("a context whose product is a text", {"referred_product": "di9"}),
        )
    ),
    In(
        "a text from an advertisement",
        hook(one(text("More?", referral=AD))),
        [got(Text("More?"), referral=CAME)],
    ),
    In(
        "a text from an advertisement in a status, which has no click",
        hook(one(text(referral={k: v for k, v in AD.items() if k != "ctwa_clid"}))),
        [got(Text("Hello"), referral=replace(CAME, click=""))],
    ),
    In(
        "a voice note from a post",
        hook(
            one(
                message(
                    "audio",
                    audio={"id": "7", "mime_type": "audio/ogg", "voice": True},
                    referral={"source_type": "post", "source_id": "9", "headline": "New"},
                )
            )
        ),
        [got(Media("voice", ref="7", mime="audio/ogg"), referral=Referral("post", "9", "", "New"))],
    ),
    In(
        "a first contact from an advertisement",
        hook(one(message("request_welcome", referral=AD))),
        [got(Event("start"), referral=CAME)],
    ),
    *(
        In(f"a text is not lost over {what}", hook(one(text(referral=bad))), [got(Text("Hello"))])
        for what, bad in (
            ("a referral that is a list", [AD]),
            ("a referral of numbers", {"source_id": 1, "source_url": 2, "ctwa_clid": None}),
            ("an empty referral", {}),
        )
    ),
    In(
        "a question about a product of the catalogue",
        hook(one(text("Still there?", context=ABOUT))),
        [
            got(
                Text("Still there?"),
                reply_to="wamid.ASKED",
                referral=Referral("product", "di9"),
            )
        ],
    ),
    In(
        "a malformed message keeps what it quotes and where it came from",
        hook(one(message("image", image=5, context=CONTEXT, referral=AD))),
        [replace(stand_in("image"), reply_to="wamid.ASKED", referral=CAME)],
        dead="image is not an object",
    ),
]


# --- orders ---


def order(*items: Any, **fields: Any) -> Json:
    return message(
        "order", order={"catalog_id": "194836987003835", "product_items": list(items), **fields}
    )


def item(**fields: Any) -> Json:
    made = {"product_retailer_id": "di9", "quantity": 2, "item_price": 30, "currency": "USD"}
    return {k: v for k, v in {**made, **fields}.items() if v is not ...}


def ordered(*items: OrderItem, note: str = "") -> Inbound:
    return got(Order(items, "194836987003835", note))


ORDERS = [
    In(
        "an order of two products, with a note",
        hook(
            one(
                order(
                    item(),
                    item(product_retailer_id="nqr", quantity=1, item_price=7.99),
                    text="Love these!",
                )
            )
        ),
        [
            ordered(
                OrderItem("di9", 2, "30.00", "USD"),
                OrderItem("nqr", 1, "7.99", "USD"),
                note="Love these!",
            )
        ],
    ),
    In(
        "a price of three decimals stays whole",
        hook(one(order(item(item_price=1.234, currency="KWD")))),
        [ordered(OrderItem("di9", 2, "1.234", "KWD"))],
    ),
    In(
        "a price of one decimal has two",
        hook(one(order(item(item_price=9.9)))),
        [ordered(OrderItem("di9", 2, "9.90", "USD"))],
    ),
    In(
        "an order without prices",
        hook(one(order(item(item_price=..., currency=...)))),
        [ordered(OrderItem("di9", 2))],
    ),
    In("an empty cart", hook(one(order())), [ordered()]),
    In(
        "a quantity written as a float",
        hook(one(order(item(quantity=2.0)))),
        [ordered(OrderItem("di9", 2, "30.00", "USD"))],
    ),
    *(
        In(f"an order with {what}", hook(one(order(bad))), [stand_in("order")], dead=reason)
        for what, bad, reason in (
            ("an item that is none", "di9", "product item is not an object"),
            ("a product that is a number", item(product_retailer_id=5), "product_retailer_id"),
            ("a quantity of none", item(quantity=0), "quantity is out of range"),
            ("half a piece", item(quantity=1.5), "quantity is not whole"),
            ("a quantity in words", item(quantity="two"), "quantity is not a number"),
            ("a quantity of true", item(quantity=True), "quantity is not a number"),
            ("a price that is no number", item(item_price=float("nan")), "item_price"),
            ("a price below nothing", item(item_price=-1), "item_price is out of range"),
            ("a currency that is none", item(currency=7), "currency is not a string"),
        )
    ),
    In(
        "an order whose items are none",
        hook(one(message("order", order={"product_items": {}}))),
        [stand_in("order")],
        dead="product_items is not an array",
    ),
]


# --- new numbers and ids ---


def system(kind: Any = "user_changed_number", /, **fields: Any) -> Json:
    body = {"body": "User Sheena changed", "type": kind, **fields}
    return one(message("system", system=body), contacts=...)


MOVES = [
    In(
        "a customer with a new number",
        hook(system(wa_id="12195555358")),
        [got(Event("moved", "12195555358"), profile=NOBODY)],
    ),
    In(
        "a customer with a new number, as older versions said it",
        hook(system("customer_changed_number", new_wa_id="12195555358", wa_id=USER)),
        [got(Event("moved", "12195555358"), profile=NOBODY)],
    ),
    In(
        "a customer with a new number and a new id is known by the number",
        hook(system(wa_id="12195555358", user_id="US.2", previous_user_id="US.1")),
        [got(Event("moved", "12195555358"), profile=NOBODY)],
    ),
    In(
        "a customer with a new id and no number",
        hook(
            one(
                message(
                    "system",
                    system={
                        "type": "user_changed_user_id",
                        "previous_user_id": SCOPED,
                        "user_id": "US.2",
                    },
                    **{"from": ...},
                ),
                contacts=...,
            )
        ),
        [got(Event("moved", "US.2"), user=SCOPED, profile=NOBODY)],
    ),
    In(
        "a customer with a new id, the old one in the message",
        hook(
            one(
                message(
                    "system",
                    system={"type": "user_changed_user_id", "user_id": "US.2"},
                    from_user_id=SCOPED,
                    **{"from": ...},
                )
            )
        ),
        [got(Event("moved", "US.2"), user=SCOPED, profile=NOBODY)],
    ),
    In("a customer who moved nowhere", hook(system(wa_id=USER))),
    In("a changed security code is nobody's question", hook(system("customer_identity_changed"))),
    In(
        "a new number delivered twice",
        hook(system(wa_id="1")),
        [got(Event("moved", "1"), profile=NOBODY)],
        times=2,
    ),
    *(
        In(f"a move {what}", hook(body), dead=reason)
        for what, body, reason in (
            ("that names nobody", system(), "neither the numbers nor the ids"),
            ("to a number that is none", system(wa_id="+1 219"), "neither the numbers"),
            ("to a list", system(wa_id=["1"]), "neither the numbers"),
            ("of no kind", system(5), "type is not a string"),
            ("without its object", one(message("system")), "system is not an object"),
        )
    ),
]


# --- marketing stopped and resumed ---


def preference(value: Any = "stop", **fields: Any) -> Json:
    made = {
        "wa_id": USER,
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(TIMESTAMP),
        **fields,
    }
    return {k: v for k, v in made.items() if v is not ...}


def preferences(*items: Any, **fields: Any) -> Json:
    made = change(**fields)
    made["field"] = "user_preferences"
    made["value"]["user_preferences"] = list(items)
    return made


def chose(name: str, user: str = USER, seconds: str = TIMESTAMP) -> Inbound:
    profile = SHEENA if user == USER else NOBODY
    id = f"preference:{user}:{name}:{seconds}"
    return got(Event(name, "marketing"), id, user, profile)


PREFERENCES = [
    In(
        "marketing messages stopped",
        hook(webhook(entry(preferences(preference())))),
        [chose("opt_out")],
        sent=True,
        ordered=True,
    ),
    In(
        "marketing messages resumed",
        hook(webhook(entry(preferences(preference("resume"))))),
        [chose("opt_in")],
    ),
    In(
        "the same stop delivered twice, and once more in one request",
        hook(webhook(entry(preferences(preference(), preference())))),
        [chose("opt_out")],
        times=2,
    ),
    In(
        "stopped, resumed and stopped again are three",
        hook(
            webhook(
                entry(
                    preferences(
                        preference(),
                        preference("resume", timestamp=int(TIMESTAMP) + 5),
                        preference(timestamp=int(TIMESTAMP) + 9),
                    )
                )
            )
        ),
        [
            chose("opt_out"),
            chose("opt_in", seconds=str(int(TIMESTAMP) + 5)),
            chose("opt_out", seconds=str(int(TIMESTAMP) + 9)),
        ],
    ),
    In(
        "a customer without number stops marketing messages",
        hook(webhook(entry(preferences(preference(wa_id=..., user_id=SCOPED))))),
        [chose("opt_out", SCOPED)],
    ),
    In(
        "preferences of another number, another category, another choice",
        hook(
            webhook(
                entry(
                    preferences(preference(), phone_id=OTHER_PHONE_ID),
                    preferences(preference(category="calls"), preference("perhaps")),
                )
            )
        ),
    ),
    *(
        In(
            f"a preference {what} beside a good one",
            hook(webhook(entry(preferences(bad, preference())))),
            [chose("opt_out")],
            dead=reason,
        )
        for what, bad, reason in (
            ("that is none", "stop", "preference 0: it is not an object"),
            ("of nobody", preference(wa_id=...), "no usable customer"),
            ("of a number that is none", preference(wa_id=5), "no usable customer"),
            ("without its choice", preference(...), "value is not a string"),
        )
    ),
    In(
        "preferences that are no list",
        hook(webhook(entry({**preferences(), "value": change()["value"]}))),
        dead="preference is not an array",
    ),
]


# --- forms, cards and what else customers send ---


def form(response: Any, **fields: Any) -> Json:
    reply = {"name": "flow", "body": "Sent", "response_json": response, **fields}
    return message("interactive", interactive={"type": "nfm_reply", "nfm_reply": reply})


OTHERS = [
    In(
        "a filled-in form is what was entered",
        hook(
            one(form(json.dumps({"flow_token": "t", "size": "M", "days": ["Mon"], "gift": True})))
        ),
        [got(Text('size: M\ndays: ["Mon"]\ngift: true'))],
    ),
    In(
        "a form with nothing entered",
        hook(one(form(json.dumps({"flow_token": "t", "size": "", "days": []})))),
        [got(Unsupported("nfm_reply"))],
    ),
    *(
        In(f"a form {what}", hook(one(form(bad))), [stand_in("interactive")], dead="response_json")
        for what, bad in (
            ("whose answer is no JSON", "{"),
            ("whose answer is a list", "[1]"),
            ("whose answer is nested too deep", "[" * 100_000),
            ("whose answer is an object", {"size": "M"}),
        )
    ),
    In(
        "the answer to a request for calls",
        hook(one(message("interactive", interactive={"type": "call_permission_reply", "x": {}}))),
        [got(Unsupported("call_permission_reply"))],
    ),
    In(
        "the customer's own number on a card",
        hook(
            one(
                message(
                    "contacts",
                    contacts=[
                        {
                            "name": {"formatted_name": "Sheena"},
                            "phones": [{"phone": "+1 650-555-1234", "wa_id": USER}],
                        }
                    ],
                )
            )
        ),
        [got(Contact("Sheena", ("+1 650-555-1234",), own=True))],
    ),
    In(
        "a card that claims the customer's id for another number is not the customer's",
        hook(
            one(
                message(
                    "contacts",
                    contacts=[{"name": {}, "phones": [{"phone": "+1 999", "wa_id": USER}]}],
                )
            )
        ),
        [got(Contact("", ("+1 999",)))],
    ),
    In(
        "a picture alone, from a customer without name or number",
        hook(
            one(
                message("image", image={"id": "7"}, from_user_id=SCOPED, **{"from": ...}),
                contacts=...,
            )
        ),
        [got(Media("image", ref="7"), user=SCOPED, profile=NOBODY)],
    ),
]


# --- what the operator is told ---


def told(field: str, value: Any, time: Any = int(TIMESTAMP), **fields: Any) -> Json:
    made = {"id": "102290129340398", "time": time, "changes": [{"field": field, "value": value}]}
    return {**made, **fields}


def template(event: Any, **fields: Any) -> Json:
    return told(
        "message_template_status_update",
        {
            "event": event,
            "message_template_id": 1689556908129832,
            "message_template_name": "order_confirmation",
            "message_template_language": "en-US",
            "reason": "NONE",
            **fields,
        },
    )


def quality(score: Any, before: Any = "GREEN") -> Json:
    return told(
        "message_template_quality_update",
        {
            "previous_quality_score": before,
            "new_quality_score": score,
            "message_template_id": 806312974732579,
            "message_template_name": "welcome",
            "message_template_language": "de",
        },
    )


def says(subject: str, words: str, level: Literal["info", "warning", "error"]) -> Notice:
    return Notice("whatsapp", "shop", "any", subject, words, level)


BANS: tuple[tuple[str, str, Literal["info", "error"]], ...] = (
    ("DISABLE", "The account was disabled", "error"),
    ("SCHEDULE_FOR_DISABLE", "The account will be disabled", "error"),
    ("REINSTATE", "The account was reinstated", "info"),
)
ORDER_TEMPLATE = "Template order_confirmation (en-US)"
NOTICES = [
    In(
        "a template approved",
        hook(webhook(template("APPROVED"))),
        [says(f"{ORDER_TEMPLATE} is approved", "It can be sent now.", "info")],
    ),
    In(
        "a template rejected, and what to do",
        hook(
            webhook(
                template(
                    "REJECTED",
                    reason="INVALID_FORMAT",
                    rejection_info={
                        "reason": "Parameters stand next to each other.",
                        "recommendation": "Separate them with text",
                    },
                )
            )
        ),
        [
            says(
                f"{ORDER_TEMPLATE} is rejected",
                "It cannot be sent; edit it or appeal. Meta's reason: invalid format. "
                "Parameters stand next to each other. Separate them with text.",
                "error",
            )
        ],
    ),
    In(
        "a template paused",
        hook(
            webhook(
                template(
                    "PAUSED", other_info={"title": "FIRST_PAUSE", "description": "For 3 hours"}
                )
            )
        ),
        [
            says(
                f"{ORDER_TEMPLATE} is paused",
                "Messages with it fail until Meta resumes it. For 3 hours.",
                "error",
            )
        ],
    ),
    In(
        "a template flagged, delivered twice",
        hook(webhook(template("FLAGGED", reason=None))),
        [
            says(
                f"{ORDER_TEMPLATE} is flagged",
                "Customers complained of it; Meta may disable it.",
                "warning",
            )
        ],
        times=2,
    ),
    In(
        "two templates of one second are two notices",
        hook(webhook(template("DELETED"), template("DELETED", message_template_language="pt_BR"))),
        [
            says(f"{ORDER_TEMPLATE} is deleted", "It cannot be sent any more.", "warning"),
            says(
                "Template order_confirmation (pt_BR) is deleted",
                "It cannot be sent any more.",
                "warning",
            ),
        ],
    ),
    In(
        "a template's state of tomorrow",
        hook(webhook(template("FROZEN_SOLID"))),
        [says(f"{ORDER_TEMPLATE} is frozen solid", f"{ORDER_TEMPLATE} is frozen solid", "warning")],
    ),
    In(
        "a template with wrong types in every field",
        hook(
            webhook(
                told(
                    "message_template_status_update",
                    {
                        "event": ["APPROVED"],
                        "message_template_id": {},
                        "message_template_name": 5.5,
                        "message_template_language": None,
                        "reason": {},
                        "rejection_info": "x",
                        "other_info": [],
                    },
                    time="never",
                    id=None,
                )
            )
        ),
        [
            says(
                "Template without a name is changed",
                "Template without a name is changed",
                "warning",
            )
        ],
    ),
    In(
        "a template's quality falls",
        hook(webhook(quality("RED", "YELLOW"))),
        [
            says(
                "Template welcome (de): quality low",
                "The quality of this template is low now, it was medium. Meta pauses, then "
                "disables templates that customers block or report.",
                "error",
            )
        ],
    ),
    In(
        "a template's quality is medium",
        hook(webhook(quality("YELLOW"))),
        [
            says(
                "Template welcome (de): quality medium",
                "The quality of this template is medium now, it was high. Meta pauses, then "
                "disables templates that customers block or report.",
                "warning",
            )
        ],
    ),
    In(
        "a template's quality recovers",
        hook(webhook(quality("GREEN", "UNKNOWN"))),
        [
            says(
                "Template welcome (de): quality high",
                "The quality of this template is high now, it was not rated yet.",
                "info",
            )
        ],
    ),
    In(
        "a number's throughput grows",
        hook(
            webhook(
                told(
                    "phone_number_quality_update",
                    {
                        "display_phone_number": "15550783881",
                        "event": "THROUGHPUT_UPGRADE",
                        "max_daily_conversations_per_business": "TIER_UNLIMITED",
                    },
                )
            )
        ),
        [
            says(
                "Number 15550783881 may send more messages a second",
                "The number 15550783881 may send more messages a second. Its limit is unlimited.",
                "info",
            )
        ],
    ),
    In(
        "a number is downgraded",
        hook(
            webhook(
                told(
                    "phone_number_quality_update",
                    {
                        "display_phone_number": "15550783881",
                        "event": "DOWNGRADE",
                        "old_limit": "TIER_10K",
                        "current_limit": "TIER_2K",
                    },
                )
            )
        ),
        [
            says(
                "Number 15550783881 may write to fewer customers",
                "The number 15550783881 may write to fewer customers. Its limit is 2,000 "
                "customers a day, it was 10,000 customers a day.",
                "warning",
            )
        ],
    ),
    In(
        "the account is restricted, in two ways",
        hook(
            webhook(
                told(
                    "account_update",
                    {
                        "event": "ACCOUNT_RESTRICTION",
                        "restriction_info": [
                            {
                                "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING",
                                "expiration": 1641330498,
                                "remediation": "Review your messaging practices",
                            },
                            {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"},
                            "what",
                        ],
                    },
                )
            )
        ),
        [
            says(
                "The account is restricted",
                "Restricted biz initiated messaging. Review your messaging practices. "
                "Restricted add phone number action.",
                "error",
            )
        ],
    ),
    In(
        "the account broke a policy",
        hook(
            webhook(
                told(
                    "account_update",
                    {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}},
                )
            )
        ),
        [says("The account broke a policy", "Violation: adult.", "error")],
    ),
    *(
        In(
            f"the account's ban: {state}",
            hook(
                webhook(
                    told(
                        "account_update",
                        {
                            "event": "DISABLED_UPDATE",
                            "ban_info": {
                                "waba_ban_state": state,
                                "waba_ban_date": "April 17, 2025",
                            },
                        },
                    )
                )
            ),
            [says(subject, "Date: April 17, 2025.", level)],
        )
        for state, subject, level in BANS
    ),
    In(
        "the account's connection was removed",
        hook(
            webhook(
                told(
                    "account_update",
                    {
                        "event": "PARTNER_REMOVED",
                        "waba_info": {"waba_id": "9"},
                        "disconnection_info": {"reason": "PRIMARY_INACTIVITY"},
                    },
                )
            )
        ),
        [
            says(
                "The account is not shared with the partner any more",
                "Reason: primary inactivity.",
                "error",
            )
        ],
    ),
    In(
        "an account event of tomorrow",
        hook(webhook(told("account_update", {"event": "ACCOUNT_TURNED_BLUE"}))),
        [says("Account: account turned blue", "Account: account turned blue", "warning")],
    ),
    In(
        "a critical alert",
        hook(
            webhook(
                told(
                    "account_alerts",
                    {
                        "entity_type": "BUSINESS",
                        "entity_id": "5069",
                        "alert_info": {
                            "alert_severity": "CRITICAL",
                            "alert_status": "ACTIVE",
                            "alert_type": "OBA_REJECTED",
                            "alert_description": "Edit the display name.",
                        },
                    },
                )
            )
        ),
        [says("Account alert: oba rejected", "Edit the display name.", "error")],
    ),
    In(
        "an alert of the older form",
        hook(
            webhook(
                told(
                    "account_alerts",
                    {"alert_severity": "INFORMATIONAL", "alert_type": "OBA_APPROVED"},
                )
            )
        ),
        [says("Account alert: oba approved", "Account alert: oba approved.", "info")],
    ),
    In(
        "what the business may do",
        hook(
            webhook(
                told(
                    "business_capability_update",
                    {
                        "max_daily_conversations_per_business": 2000,
                        "max_phone_numbers_per_waba": 25,
                    },
                )
            )
        ),
        [
            says(
                "What the business may do has changed",
                "The business may begin conversations with: 2000 customers a day. It may have "
                "25 phone numbers.",
                "info",
            )
        ],
    ),
    In(
        "a notice beside a message of another number and one of ours",
        hook(
            webhook(
                template("APPROVED"),
                entry(change(text("theirs"), phone_id=OTHER_PHONE_ID), change(GOOD)),
            )
        ),
        [says(f"{ORDER_TEMPLATE} is approved", "It can be sent now.", "info"), THE_GOOD],
    ),
    In(
        "a notice that is none beside a message",
        hook(webhook(told("account_update", "anything"), entry(change(GOOD)))),
        [THE_GOOD],
        dead="value is not an object",
    ),
]


INBOUND = [
    *HOSTILE,
    *UNREADABLE,
    *MESSAGES,
    *CONTEXTS,
    *ORDERS,
    *MOVES,
    *PREFERENCES,
    *OTHERS,
    *NOTICES,
]
