"""Messenger's webhooks, and what must come of each in the store.

Written from the pages below
https://developers.facebook.com/documentation/business-messaging/messenger-platform :

- webhooks/webhook-events and its pages: messages, message-edits, message-reactions,
  message-echoes, message-deliveries, message-reads, messaging_postbacks,
  messaging_referrals, messaging_optins, messaging_account_linking,
  messaging_policy_enforcement, messaging_handovers, response_feedback, send_cart, standby
- send-messages/quick-replies, send-messages/utility-messages, send-messages/sticker-api
- https://developers.facebook.com/docs/graph-api/webhooks/getting-started (signatures)
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.message import (
    Address,
    Choice,
    Contact,
    Content,
    Deletion,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    Notice,
    Order,
    OrderItem,
    Reaction,
    Referral,
    Text,
    Unsupported,
)
from connectors.base import Request
from tests.connectors.table import In

Json = dict[str, Any]

PAGE = "682498171943165"
OTHER_PAGE = "102290129340398"
USER = "1254459154682919"
SECRET = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
TOKEN = "EAAGtokenOfThePage"
VERIFY = "a word agreed on"
STAMP = 1458692752478
SENT_AT = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=STAMP)
MID = "m_AG5Hz2Uq7tuwNEhXfYYKj8mJEM"
OUT = {"t-1:0": "m_OUT"}
IMAGE = "https://scontent.xx.fbcdn.net/v/t1.15752-9/1.jpg?_nc_cat=1"
CLIP = "https://cdn.fbsbx.com/v/t59.3654-21/audioclip-1458692752478.mp4?oh=1"
FILE = "https://cdn.fbsbx.com/v/t59.2708-21/Rechnung%20M%C3%A4rz.pdf/1/Rechnung%20M%C3%A4rz.pdf"
PAGE_URL = "https://youtu.be/bbo_fZAjIhg"


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def hook(body: Any, **headers: str) -> Request:
    """A request; bytes go as they are. Any header given replaces the signature."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {k.replace("_", "-"): v for k, v in headers.items()}
    signed = given or {"x-hub-signature-256": signature(raw)}
    return Request("POST", "/webhooks/messenger/page", headers=signed, body=raw)


def webhook(*entries: Json) -> Json:
    return {"object": "page", "entry": list(entries)}


def entry(*events: Any, page: str = PAGE) -> Json:
    return {"id": page, "time": STAMP + 300, "messaging": list(events)}


def one(*events: Any) -> Json:
    """A webhook of one entry."""
    return webhook(entry(*events))


def event(user: str = USER, page: str = PAGE, stamp: Any = STAMP, **said: Any) -> Json:
    return {"sender": {"id": user}, "recipient": {"id": page}, "timestamp": stamp, **said}


def message(mid: Any = MID, user: str = USER, stamp: Any = STAMP, **said: Any) -> Json:
    return event(user, stamp=stamp, message={"mid": mid, **said})


def text(words: Any = "hello, world!", mid: Any = MID, **more: Any) -> Json:
    return message(mid, text=words, **more)


def attached(*attachments: Any, **more: Any) -> Json:
    return message(attachments=list(attachments), **more)


def file(kind: str, url: Any, **more: Any) -> Json:
    return {"type": kind, "payload": {"url": url, **more}}


def echo(mid: str = "m_OUT", page: str = PAGE, **said: Any) -> Json:
    return {
        "sender": {"id": page},
        "recipient": {"id": USER},
        "timestamp": STAMP,
        "message": {"is_echo": True, "app_id": 1517776481860111, "mid": mid, **said},
    }


def delivered(*mids: Any, watermark: Any = STAMP) -> Json:
    found = {"mids": list(mids)} if mids else {}
    return {
        "sender": {"id": USER},
        "recipient": {"id": PAGE},
        "delivery": {**found, "watermark": watermark},
    }


def got(content: Content, id: str = MID, user: str = USER, **more: Any) -> Inbound:
    return Inbound(Address("messenger", "page", user), id, content, **more)


def made(kind: str, said: Any, stamp: Any = STAMP, user: str = USER) -> str:
    """The id of an event that has none: its kind, its customer, its time and what it says."""
    digest = hashlib.sha256(json.dumps([stamp, said], sort_keys=True).encode()).hexdigest()
    return f"{kind}:{user}:{digest[:32]}"


def happened(kind: str, key: str, said: Json, content: Content, **more: Any) -> dict[str, Any]:
    """A request of one event without an id, and what arrives of it."""
    return {
        "request": hook(one(event(**{key: said}))),
        "arrived": [got(content, made(kind, said), **more)],
    }


def malformed(mid: str = MID) -> Inbound:
    return got(Unsupported("malformed:message"), f"malformed:{mid}")


RAW = json.dumps(one(text("Grüße 漢字 👍")), ensure_ascii=False, indent=1).encode()
GOOD = text("good", mid="m_GOOD")
THE_GOOD = got(Text("good"), "m_GOOD")

HOSTILE = [
    In(
        "a batch of several entries and events",
        hook(
            webhook(
                entry(text("1", "m_1"), text("2", "m_2", user="77")),
                entry(delivered("m_OUT"), text("3", "m_3")),
            )
        ),
        [got(Text("1"), "m_1"), got(Text("2"), "m_2", "77"), got(Text("3"), "m_3")],
        outbox=OUT,
        moved={"t-1:0": "delivered"},
    ),
    In(
        "the same request delivered three times is stored once",
        hook(one(text("1", "m_1"), text("2", "m_2"))),
        [got(Text("1"), "m_1"), got(Text("2"), "m_2")],
        times=3,
    ),
    In(
        "the same message twice in one batch",
        hook(webhook(entry(text(), text()), entry(text()))),
        [got(Text("hello, world!"))],
    ),
    In(
        "a malformed request delivered twice is one dead letter",
        hook(one(event(message={"text": "x"}), GOOD)),
        [THE_GOOD],
        dead="no usable mid",
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
        "a signature in capital letters is the same number",
        hook(RAW, x_hub_signature_256="sha256=" + signature(RAW)[7:].upper()),
        [got(Text("Grüße 漢字 👍"))],
    ),
    In("a body that is no JSON", hook(b"{'object': 'page'}"), dead="not JSON"),
    In("a body that is no UTF-8", hook(b'{"object": "\xff"}'), dead="not JSON in UTF-8"),
    In("a body nested deeper than can be read", hook(b"[" * 100_000), dead="not JSON"),
    In("a body that is a list", hook([one(text())]), dead="object is not page"),
    In(
        "a webhook of Instagram's",
        hook({"object": "instagram", "entry": [entry(text())]}),
        dead="object is not page",
    ),
    In("an entry that is no array", hook({"object": "page", "entry": {}}), dead="not an array"),
    In(
        "events that are no array cost no other entry",
        hook(webhook({"id": PAGE, "messaging": "x"}, entry(GOOD))),
        [THE_GOOD],
        dead="entry 0, event is not an array",
    ),
    In("an entry without any events", hook(webhook({"id": PAGE})), dead="it holds no events"),
    In(
        "an entry of no Page",
        hook(webhook({"messaging": [text()]}, entry(GOOD))),
        [THE_GOOD],
        dead="no usable id of the Page",
    ),
    In(
        "events of another Page in the batch are left out",
        hook(
            webhook(
                entry(event(page=OTHER_PAGE, message={"mid": "m_1", "text": "x"}), page=OTHER_PAGE),
                entry(GOOD),
            )
        ),
        [THE_GOOD],
    ),
    In(
        "an event for another Page within our entry is left out",
        hook(one(event(page=OTHER_PAGE, message={"mid": "m_1", "text": "x"}), GOOD)),
        [THE_GOOD],
    ),
    In(
        "what is in the standby channel is another app's",
        hook(webhook({"id": PAGE, "time": STAMP, "standby": [text()]}, entry(GOOD))),
        [THE_GOOD],
    ),
    In(
        "a sender with letters",
        hook(one(text(user="../x"), GOOD)),
        [THE_GOOD],
        dead="no usable sender",
    ),
    In("a sender that is no object", hook(one({**text(), "sender": 5})), dead="no usable sender"),
    In("a recipient that is no object", hook(one({**text(), "recipient": []})), dead="recipient"),
    In("an event that is a number", hook(one(5, GOOD)), [THE_GOOD], dead="it is not an object"),
    In(
        "a message that is a string",
        hook(one(event(message="hello"), GOOD)),
        [THE_GOOD],
        dead="message is not an object",
    ),
    In(
        "a text that is an object still gets its customer an answer",
        hook(one(text({"x": 1}), GOOD)),
        [malformed(), THE_GOOD],
        dead="text is not a string",
    ),
    In(
        "attachments that are an object",
        hook(one(message(attachments={"type": "image"}))),
        [malformed()],
        dead="attachments is not an array",
    ),
    In(
        "an attachment without a type",
        hook(one(attached({"payload": {"url": IMAGE}}))),
        [malformed()],
        dead="type is not a string",
    ),
    In(
        "a picture whose URL is a number",
        hook(one(attached(file("image", 5)))),
        [malformed()],
        dead="url is not a string",
    ),
    In(
        "a picture whose URL is of this machine's disk",
        hook(one(attached(file("image", "file:///etc/passwd")))),
        [malformed()],
        dead="url is none",
    ),
    In(
        "a document whose URL no parser takes",
        hook(one(attached(file("file", "https://[::1/x.pdf")))),
        [malformed()],
        dead="url is none",
    ),
    In(
        "a quick reply whose payload is a list",
        hook(one(text("Red", quick_reply={"payload": []}))),
        [malformed()],
        dead="payload is not a string",
    ),
    In(
        "a malformed event among good ones",
        hook(
            webhook(
                entry(GOOD), entry(event(reaction={"action": "react"})), entry(text("2", "m_2"))
            )
        ),
        [THE_GOOD, got(Text("2"), "m_2")],
        dead="entry 1, event 0: no usable mid",
    ),
    In(
        "more problems than are shown",
        hook(one(*range(8))),
        dead="and 3 more",
    ),
    In(
        "characters no store takes",
        hook(one(text("a\x00b\ud83dc"))),
        [got(Text("ab\ufffdc"))],
    ),
    In(
        "a time that is no time is the time of arrival",
        hook(one(text(stamp="soon"))),
        [got(Text("hello, world!"))],
    ),
    In(
        "a time of another millennium holds no window open",
        hook(one(text(stamp=99_999_999_999_999))),
        [got(Text("hello, world!"))],
        ordered=True,
    ),
    In(
        "a message's time in milliseconds is when it was sent, and its place",
        hook(one(text())),
        [got(Text("hello, world!"), sent=SENT_AT.replace(microsecond=478_000), order=STAMP)],
        sent=True,
        ordered=True,
    ),
    In(
        "a time in seconds, as a string",
        hook(one(event(stamp="1527459824", postback={"mid": MID, "title": "Hi", "payload": "/x"}))),
        [
            got(
                Choice("/x", "Hi"),
                sent=datetime(2018, 5, 27, 22, 23, 44, tzinfo=timezone.utc),
                order=1_527_459_824_000,
            )
        ],
        sent=True,
        ordered=True,
    ),
]

MESSAGES = [
    In("a text", hook(one(text("hello 👋🏽"))), [got(Text("hello 👋🏽"))]),
    In(
        "a text with a command is what was written",
        hook(one(text("find flights from SFO", commands=[{"name": "flights"}]))),
        [got(Text("find flights from SFO"))],
    ),
    In(
        "a reply quotes a message",
        hook(one(text("that one", reply_to={"mid": "m_OUT", "is_self_reply": False}))),
        [got(Text("that one"), reply_to="m_OUT")],
    ),
    In(
        "a reply to nothing usable is a text",
        hook(one(text("that one", reply_to={"mid": {"x": 1}}))),
        [got(Text("that one"))],
    ),
    In(
        "a quick reply is a choice of the last question",
        hook(one(text("Red", quick_reply={"payload": "/color{red}"}))),
        [got(Choice("/color{red}", "Red"))],
    ),
    In(
        "a phone number by quick reply is a contact, which Meta does not vouch for",
        hook(one(text("+14155550100", quick_reply={"payload": "+14155550100"}))),
        [got(Contact("", ("+14155550100",)))],
    ),
    In(
        "a phone number by quick reply without words",
        hook(one(message(quick_reply={"payload": "+14155550100"}))),
        [got(Contact("", ("+14155550100",)))],
    ),
    In(
        "an address of mail by quick reply",
        hook(one(text("ben@example.com", quick_reply={"payload": "ben@example.com"}))),
        [got(Contact("", (), ("ben@example.com",)))],
    ),
    In(
        "a quick reply of ours whose payload is a number stays a choice",
        hook(one(text("Call Ben", quick_reply={"payload": "+14155550100"}))),
        [got(Choice("+14155550100", "Call Ben"))],
    ),
    In("an image", hook(one(attached(file("image", IMAGE)))), [got(Media("image", url=IMAGE))]),
    In(
        "what Messenger records is a voice note",
        hook(one(attached(file("audio", CLIP)))),
        [got(Media("voice", url=CLIP))],
    ),
    In(
        "a video",
        hook(one(attached(file("video", "https://video.xx.fbcdn.net/v/1.mp4")))),
        [got(Media("video", url="https://video.xx.fbcdn.net/v/1.mp4"))],
    ),
    In(
        "a file has its name from the URL",
        hook(one(attached(file("file", FILE)))),
        [got(Media("document", url=FILE, filename="Rechnung März.pdf"))],
    ),
    In(
        "words with an image are its caption",
        hook(one(attached(file("image", IMAGE), text="this one is broken"))),
        [got(Media("image", url=IMAGE, caption="this one is broken"))],
    ),
    In(
        "several images in one message are an album",
        hook(
            one(
                attached(
                    file("image", IMAGE), file("image", IMAGE + "2"), file("video", IMAGE + "3")
                )
            )
        ),
        [
            got(Media("image", url=IMAGE), f"{MID}.0", album=MID),
            got(Media("image", url=IMAGE + "2"), f"{MID}.1", album=MID),
            got(Media("video", url=IMAGE + "3"), f"{MID}.2", album=MID),
        ],
    ),
    In(
        "words with several images are on the first",
        hook(one(attached(file("image", IMAGE), file("image", IMAGE + "2"), text="both"))),
        [
            got(Media("image", url=IMAGE, caption="both"), f"{MID}.0", album=MID),
            got(Media("image", url=IMAGE + "2"), f"{MID}.1", album=MID),
        ],
    ),
    In(
        "an album delivered twice is stored once",
        hook(one(attached(file("image", IMAGE), file("image", IMAGE + "2")))),
        [
            got(Media("image", url=IMAGE), f"{MID}.0", album=MID),
            got(Media("image", url=IMAGE + "2"), f"{MID}.1", album=MID),
        ],
        times=2,
    ),
    In(
        "a sticker",
        hook(one(attached(file("sticker", IMAGE, sticker_id=842488328414943)))),
        [got(Media("sticker", url=IMAGE))],
    ),
    In(
        "a sticker that comes as an image, too, is one",
        hook(
            one(
                attached(file("sticker", IMAGE, sticker_id="842488328414943"), file("image", IMAGE))
            )
        ),
        [got(Media("sticker", url=IMAGE))],
    ),
    In(
        "a sticker of older webhooks is an image with its id",
        hook(one(attached(file("image", IMAGE, sticker_id=842488328414943)))),
        [got(Media("sticker", url=IMAGE))],
    ),
    In(
        "the thumb beside the composer is a thumb",
        hook(one(attached(file("sticker", IMAGE, sticker_id=369239263222822)))),
        [got(Text("👍"))],
    ),
    In(
        "a place, of old clients",
        hook(
            one(
                attached(
                    {
                        "type": "location",
                        "title": "Ben's Location",
                        "payload": {"coordinates": {"lat": 52.5, "long": 13.4}},
                    }
                )
            )
        ),
        [got(Location(52.5, 13.4, "Ben's Location"))],
    ),
    In(
        "a place off the globe",
        hook(
            one(attached({"type": "location", "payload": {"coordinates": {"lat": 91, "long": 0}}}))
        ),
        [malformed()],
        dead="lat is out of range",
    ),
    In(
        "a link with its preview is the words alone",
        hook(one(attached(file("fallback", PAGE_URL, title="TAHITI"), text=f"here: {PAGE_URL}"))),
        [got(Text(f"here: {PAGE_URL}"))],
    ),
    In(
        "something shared with words that name no link",
        hook(one(attached(file("fallback", PAGE_URL), text="what do you say?"))),
        [got(Text(f"what do you say?\n{PAGE_URL}"))],
    ),
    In(
        "something shared without words is its link",
        hook(one(attached({"type": "fallback", "title": "T", "url": PAGE_URL, "payload": None}))),
        [got(Text(PAGE_URL))],
    ),
    In(
        "something shared that Meta does not pass on",
        hook(one(attached({"type": "fallback", "payload": None}))),
        [got(Unsupported("fallback"))],
    ),
    In(
        "a post that was shared",
        hook(one(attached(file("ig_post", "https://www.instagram.com/p/1", title="T", id=1)))),
        [got(Text("https://www.instagram.com/p/1"))],
    ),
    In(
        "a reel that was shared",
        hook(one(attached(file("reel", "https://fb.watch/1", reel_video_id=1)))),
        [got(Text("https://fb.watch/1"))],
    ),
    In(
        "goods of the shop that were shared are named",
        hook(
            one(
                attached(
                    {
                        "type": "template",
                        "payload": {
                            "product": {
                                "elements": [
                                    {"id": "1", "title": "Hat", "subtitle": "$40"},
                                    {"id": "2", "title": "Coat"},
                                ]
                            }
                        },
                    }
                )
            )
        ),
        [got(Text("Hat, $40\nCoat"))],
    ),
    In(
        "a template that a customer forwards",
        hook(one(attached({"type": "template", "payload": {"template_type": "generic"}}))),
        [got(Unsupported("template"))],
    ),
    In(
        "a request for an appointment",
        hook(
            one(
                attached(
                    {
                        "type": "appointment_booking",
                        "payload": {"booking_id": "1", "status": "requested"},
                    }
                )
            )
        ),
        [got(Unsupported("appointment_booking"))],
    ),
    In(
        "a kind of attachment of next year",
        hook(one(attached({"type": "hologram", "payload": {"depth": 3}}))),
        [got(Unsupported("hologram"))],
    ),
    In(
        "an image and something unknown beside it",
        hook(one(attached(file("image", IMAGE), {"type": "hologram"}))),
        [
            got(Media("image", url=IMAGE), f"{MID}.0"),
            got(Unsupported("hologram"), f"{MID}.1"),
        ],
    ),
    In("a message with its mid alone", hook(one(message())), [got(Unsupported("empty"))]),
    In(
        "a message that Meta says it cannot pass on",
        hook(one(message(is_unsupported=True))),
        [got(Unsupported("unsupported"))],
    ),
    In(
        "a message that was unsent",
        hook(one(message(is_deleted=True))),
        [got(Deletion(MID), f"deletion:{MID}")],
    ),
    In(
        "an unsent message whose flag is a string",
        hook(one(message(is_deleted="true"))),
        [got(Deletion(MID), f"deletion:{MID}")],
    ),
    In(
        "two edits of one message",
        hook(
            one(
                event(message_edit={"mid": MID, "text": "two", "num_edit": 1}),
                event(message_edit={"mid": MID, "text": "three", "num_edit": "2"}),
            )
        ),
        [
            got(Edit(MID, "two"), f"edit:{MID}:1"),
            got(Edit(MID, "three"), f"edit:{MID}:2"),
        ],
    ),
    In(
        "a reaction, taken off again",
        hook(
            one(
                event(
                    reaction={"reaction": "love", "emoji": "❤️", "action": "react", "mid": "m_OUT"}
                ),
                event(
                    stamp=STAMP + 1,
                    reaction={
                        "reaction": "love",
                        "emoji": "❤️",
                        "action": "unreact",
                        "mid": "m_OUT",
                    },
                ),
            )
        ),
        [
            got(
                Reaction("m_OUT", "❤️"),
                made(
                    "reaction",
                    {"reaction": "love", "emoji": "❤️", "action": "react", "mid": "m_OUT"},
                ),
            ),
            got(
                Reaction("m_OUT", "❤️", removed=True),
                made(
                    "reaction",
                    {"reaction": "love", "emoji": "❤️", "action": "unreact", "mid": "m_OUT"},
                    STAMP + 1,
                ),
            ),
        ],
    ),
    In(
        "a thumb that is named and not drawn",
        **happened(
            "reaction",
            "reaction",
            {"reaction": "like", "action": "react", "mid": "m_OUT"},
            Reaction("m_OUT", "👍"),
        ),
    ),
    In(
        "a cart",
        **happened(
            "order",
            "order",
            {
                "products": [
                    {
                        "id": 123,
                        "retailer_id": "hat",
                        "name": "Hat",
                        "unit_price": 11,
                        "currency": "THB",
                        "quantity": 1,
                    },
                    {"id": 456, "name": "Coat", "unit_price": 22.5, "quantity": 2},
                ],
                "note": "by noon",
            },
            Order(
                (OrderItem("hat", 1, "11.00", "THB"), OrderItem("456", 2, "22.50")),
                note="by noon",
            ),
        ),
    ),
    In(
        "a cart with half a coat",
        hook(one(event(order={"products": [{"id": 1, "quantity": 0.5}]}), GOOD)),
        [THE_GOOD],
        dead="quantity is out of range",
    ),
]

CAME = [
    In(
        "a button of a card or template",
        hook(one(event(postback={"mid": MID, "title": "Track order", "payload": "/track_order"}))),
        [got(Choice("/track_order", "Track order"))],
    ),
    In(
        "an ice breaker without a payload is its words",
        hook(one(event(postback={"mid": MID, "title": "Where are you?"}))),
        [got(Choice("Where are you?", "Where are you?"))],
    ),
    In(
        "a postback of nothing",
        hook(one(event(postback={"mid": MID}), GOOD)),
        [THE_GOOD],
        dead="neither payload nor title",
    ),
    In(
        "Get Started is a start",
        hook(one(event(postback={"mid": MID, "title": "Get Started", "payload": "GET_STARTED"}))),
        [got(Event("start"))],
    ),
    In(
        "Get Started after a link brings the link's word",
        hook(
            one(
                event(
                    postback={
                        "mid": MID,
                        "title": "Get Started",
                        "payload": "GET_STARTED",
                        "referral": {
                            "ref": "summer_sale",
                            "source": "SHORTLINK",
                            "type": "OPEN_THREAD",
                        },
                    }
                )
            )
        ),
        [got(Event("start", "summer_sale"), referral=Referral("link", "summer_sale"))],
    ),
    In(
        "a postback of an old client has no mid",
        **happened(
            "postback",
            "postback",
            {"title": "Yes", "payload": "/affirm"},
            Choice("/affirm", "Yes"),
        ),
        times=2,
    ),
    In(
        "a press by a visitor of a plugin, who cannot be written to",
        hook(
            one(
                {
                    "sender": {"user_ref": "r-1"},
                    "recipient": {"id": PAGE},
                    "timestamp": STAMP,
                    "postback": {"title": "Yes", "payload": "/affirm"},
                },
                GOOD,
            )
        ),
        [THE_GOOD],
    ),
    In(
        "an event in the form of a change",
        hook(
            webhook(
                {
                    "id": PAGE,
                    "time": STAMP,
                    "changes": [
                        {
                            "field": "messaging_postbacks",
                            "value": event(
                                postback={"mid": MID, "title": "Yes", "payload": "/affirm"}
                            ),
                        },
                        {"field": "feed", "value": {"item": "post"}},
                    ],
                }
            )
        ),
        [got(Choice("/affirm", "Yes"))],
    ),
    In(
        "a known customer follows an m.me link",
        **happened(
            "referral",
            "referral",
            {"ref": "order_1", "source": "SHORTLINK", "type": "OPEN_THREAD"},
            Event("referral", "order_1"),
            referral=Referral("link", "order_1"),
        ),
        times=2,
    ),
    In(
        "a known customer follows an advertisement",
        **happened(
            "referral",
            "referral",
            {
                "ad_id": "6045246247433",
                "source": "ADS",
                "type": "OPEN_THREAD",
                "ads_context_data": {"ad_title": "Hats", "post_id": "1"},
            },
            Event("referral", "6045246247433"),
            referral=Referral("ad", "6045246247433", title="Hats"),
        ),
    ),
    In(
        "a text that came by an advertisement",
        hook(
            one(
                text(
                    "how much?",
                    referral={
                        "ref": "hats",
                        "ad_id": 1,
                        "source": "ADS",
                        "type": "OPEN_THREAD",
                        "ads_context_data": {"ad_title": "Hats"},
                    },
                )
            )
        ),
        [got(Text("how much?"), referral=Referral("ad", "hats", title="Hats"))],
    ),
    In(
        "a text from the page of a product",
        hook(one(text("in blue?", referral={"product": {"id": "p-1"}}))),
        [got(Text("in blue?"), referral=Referral("product", "p-1"))],
    ),
    In(
        "a referral that is nonsense costs no message",
        hook(one(text("hi", referral=[1, 2]))),
        [got(Text("hi"))],
    ),
    In(
        "a site's Send to Messenger button",
        **happened(
            "optin",
            "optin",
            {"ref": "checkout"},
            Event("start", "checkout"),
            referral=Referral("plugin", "checkout"),
        ),
    ),
    In(
        "a site's checkbox names nobody who can be written to",
        hook(
            one(
                {
                    "recipient": {"id": PAGE},
                    "timestamp": STAMP,
                    "optin": {"ref": "x", "user_ref": "r-1"},
                },
                GOOD,
            )
        ),
        [THE_GOOD],
    ),
    In(
        "marketing messages are wanted",
        **happened(
            "optin",
            "optin",
            {
                "type": "notification_messages",
                "payload": "x",
                "notification_messages_token": "1",
                "user_token_status": "NOT_REFRESHED",
            },
            Event("opt_in", "marketing"),
        ),
    ),
    In(
        "marketing messages are stopped",
        **happened(
            "optin",
            "optin",
            {
                "type": "notification_messages",
                "notification_messages_status": "STOP_NOTIFICATIONS",
            },
            Event("opt_out", "marketing"),
        ),
    ),
    In(
        "marketing messages are resumed, as the page spells it",
        **happened(
            "optin",
            "optin",
            {
                "type": "notification_messages",
                "notification_messages_status": "RESUME NOTIFICATIONS",
            },
            Event("opt_in", "marketing"),
        ),
    ),
    In(
        "another sort of opt-in is left out",
        hook(one(event(optin={"type": "one_time_notif_req", "payload": "x"}), GOOD)),
        [THE_GOOD],
    ),
    In(
        "linked accounts, handovers, games and feedback are left out",
        hook(
            one(
                event(account_linking={"status": "linked", "authorization_code": "x"}),
                event(pass_thread_control={"new_owner_app_id": "1", "metadata": "x"}),
                event(take_thread_control={"previous_owner_app_id": "1"}),
                event(request_thread_control={"requested_owner_app_id": 1}),
                {
                    "recipient": {"id": PAGE},
                    "timestamp": STAMP,
                    "app_roles": {"1": ["primary_receiver"]},
                },
                event(response_feedback={"feedback": "Good response", "mid": "m_OUT"}),
                event(game_play={"game_id": "1"}),
                event(messaging_feedback={"feedback_screens": []}),
                GOOD,
            )
        ),
        [THE_GOOD],
        outbox=OUT,
    ),
]

RECEIPTS = [
    In(
        "deliveries by mid, some of them unknown",
        hook(one(delivered("m_OUT", "m_NOBODY"))),
        outbox={**OUT, "t-1:1": "m_OTHER"},
        moved={"t-1:0": "delivered"},
    ),
    In(
        "a delivery of nothing usable",
        hook(one(delivered(5), GOOD)),
        [THE_GOOD],
        outbox=OUT,
        dead="no usable mid",
    ),
    In(
        "a delivery without mids moves no other customer's messages",
        hook(one(delivered())),
        outbox=OUT,
    ),
    In(
        "a read mark moves no other customer's messages",
        hook(one(event(read={"watermark": STAMP}))),
        outbox=OUT,
    ),
    In(
        "a read mark without a time",
        hook(one(event(read={"watermark": "now"}), GOOD)),
        [THE_GOOD],
        outbox=OUT,
        dead="watermark is no time",
    ),
    In(
        "an echo after the delivery moves nothing back",
        hook(one(delivered("m_OUT"), echo(text="hi", metadata="t-1:0"))),
        outbox=OUT,
        moved={"t-1:0": "delivered"},
    ),
    In(
        "echoes of a person in the inbox and of another app are no messages",
        hook(
            one(
                echo("m_1", text="Hello, Ben here"),
                echo("m_2", text="hi", metadata="the other app's"),
                echo("m_3", attachments=[{"type": "fallback", "payload": None}]),
                GOOD,
            )
        ),
        [THE_GOOD],
        outbox=OUT,
    ),
    In(
        "an echo of another Page",
        hook(one(echo("m_9", page=OTHER_PAGE, metadata="t-1:0"), GOOD)),
        [THE_GOOD],
        outbox=OUT,
    ),
]


def notice(subject: str, text: str, level: Any) -> Notice:
    return Notice("messenger", "page", "", subject, text, level)


def template(**value: Any) -> Json:
    change = {"field": "message_template_status_update", "value": value}
    return webhook({"id": PAGE, "time": STAMP, "changes": [change]})


def policy(**told: str) -> Json:
    return one({"recipient": {"id": PAGE}, "timestamp": STAMP, "policy_enforcement": told})


NOTICES = [
    In(
        "the Page is blocked for breaking a policy",
        hook(policy(action="block", reason="Spam.")),
        [notice("The Page was blocked from sending messages", "Spam.", "error")],
        times=2,
    ),
    In(
        "the Page is free again",
        hook(policy(action="unblock")),
        [notice("The Page may send messages again", "The Page may send messages again", "info")],
    ),
    In(
        "a template is rejected",
        hook(
            template(
                event="REJECTED",
                message_template_name="come_back",
                message_template_language="en",
                message_template_id=1,
                reason="TAG_SHOULD_BE_MARKETING",
            )
        ),
        [
            notice(
                "Template come_back (en) is rejected",
                "Meta's reason: TAG_SHOULD_BE_MARKETING",
                "error",
            )
        ],
    ),
    In(
        "a template is approved",
        hook(template(event="APPROVED", message_template_name="come_back", reason="NONE")),
        [notice("Template come_back is approved", "Template come_back is approved", "info")],
    ),
]

INBOUND: list[In] = [*HOSTILE, *MESSAGES, *CAME, *RECEIPTS, *NOTICES]
