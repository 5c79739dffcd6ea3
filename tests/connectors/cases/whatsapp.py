"""How Meta's requests and answers are built for the tables, and the tables of single calls.

The payloads follow the examples of
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
and the answers those of .../whatsapp/support/error-codes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from bot.message import (
    Address,
    Ask,
    Card,
    Cards,
    Choice,
    Choices,
    Contact,
    Content,
    Inbound,
    Location,
    Media,
    Menu,
    Option,
    Products,
    Profile,
    Reaction,
    Receipt,
    Referral,
    Section,
    Template,
    Text,
    Typing,
    Unsupported,
)
from connectors.base import Request
from connectors.errors import (
    ConnectorError,
    NoMarketing,
    Rejected,
    RetryLater,
    Unsure,
    WindowClosed,
)
from connectors.whatsapp import WhatsApp
from tests.kit.http import Answer, Garbage, Hang, Reset, Step, Truncated

TOKEN = "EAAJtoken0SECRET"
APP_SECRET = "app0SECRET"
VERIFY = "verify0SECRET"

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
    reply_to: str = "",
    referral: Referral | None = None,
) -> Inbound:
    address = Address("whatsapp", "shop", user)
    return Inbound(address, id, content, sent, order, profile, reply_to, "", referral)


def receipt(
    word: Any = "delivered",
    reason: str = "",
    ref: str = "t-1:0",
    code: str = "",
    details: Mapping[str, str] | None = None,
) -> Receipt:
    return Receipt("whatsapp", "shop", "wamid.OUT", word, AT, ref, reason, code, details or {})


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def hook(body: Any, **headers: str) -> Request:
    """A signed webhook request; `headers` with underscores replace the signature."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = given or {"x-hub-signature-256": signature(raw)}
    return Request("POST", "/webhooks/whatsapp/shop", headers=signed, body=raw)


def connector(api_url: str = "", **fields: str) -> WhatsApp:
    values = {
        "account": "shop",
        "phone_id": PHONE_ID,
        "token": TOKEN,
        "app_secret": APP_SECRET,
        "verify_token": VERIFY,
        "api_url": api_url,
        **fields,
    }
    return WhatsApp(WhatsApp.Account(**values))


CONTEXT = {"from": "15550783881", "id": "wamid.ASKED"}
MEDIA = {"id": "2754859441498128", "mime_type": "image/jpeg", "sha256": "SHA"}


# --- statuses, and every word of the receipts they become ---

RECEIPTS: dict[str, tuple[Json, Receipt]] = {
    "sent, with its price": (
        status(
            "sent",
            conversation={"id": "8f84", "origin": {"type": "marketing"}},
            pricing={
                "billable": True,
                "pricing_model": "PMP",
                "type": "regular",
                "category": "marketing",
            },
        ),
        receipt(
            "sent",
            details={
                "category": "marketing",
                "type": "regular",
                "model": "PMP",
                "billable": "true",
            },
        ),
    ),
    "delivered, and free": (
        status(
            "delivered",
            pricing={"billable": False, "type": "free_customer_service", "category": "service"},
        ),
        receipt(
            "delivered",
            details={"category": "service", "type": "free_customer_service", "billable": "false"},
        ),
    ),
    "a price of no known shape": (
        status("delivered", pricing={"billable": "no", "category": 5, "type": [], "new": {}}),
        receipt("delivered"),
    ),
    "a price that is none": (status("read", pricing=["PMP"]), receipt("read")),
    "a voice message played was read": (status("played"), receipt("read")),
    "to one customer": (status(recipient_type="individual"), receipt()),
    "a timestamp in milliseconds": (status(timestamp=TIMESTAMP + "000"), receipt()),
    "of a message sent elsewhere": (status(biz_opaque_callback_data=...), receipt(ref="")),
    "failed, in plain words": (
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
        ),
        receipt(
            "failed",
            "it cannot be delivered: no WhatsApp at this number, an old app, or terms not "
            "accepted (Message undeliverable: Receiver is incapable)",
            code="131026",
        ),
    ),
    "failed in Meta's words alone": (
        status("failed", errors=[{"code": 135000, "title": "Generic user error"}]),
        receipt("failed", "Generic user error", code="135000"),
    ),
    "failed with a code alone": (
        status("failed", errors=[{"code": 131050}]),
        receipt("failed", "the customer stopped marketing messages", code="131050"),
    ),
    "failed for two reasons": (
        status("failed", errors=[{"code": 1, "title": "A"}, {"code": 2, "message": "B"}]),
        receipt("failed", "A; B", code="1"),
    ),
    "failed, the title said twice": (
        status("failed", errors=[{"code": 1, "title": "A", "error_data": {"details": "A"}}]),
        receipt("failed", "A", code="1"),
    ),
    "failed for no known reason": (
        status("failed", errors=[5, None, {}, {"code": True, "title": 7}]),
        receipt("failed"),
    ),
    "failed with an endless reason": (
        status("failed", errors=[{"code": 10**30, "title": "x" * 5000}]),
        receipt("failed", "x" * 500),
    ),
}


# --- in: a part that is not understood ---

GOOD = text("good", id="wamid.GOOD")
THE_GOOD = got(Text("good"), "wamid.GOOD")


def stand_in(kind: str, id: str = "malformed:wamid.A") -> Inbound:
    return got(Unsupported(f"malformed:{kind}"), id)


# --- out ---

TAKEN = Answer({"messaging_product": "whatsapp", "messages": [{"id": "wamid.SENT"}]})
LINK = "https://shop.example.com/a.jpg"


def options(count: int, **last: str) -> tuple[Option, ...]:
    """`count` options; `last` replaces fields of the last one."""
    made = [{"title": f"Option {n}", "payload": f"/pick {n}"} for n in range(count)]
    made[-1].update(last)
    return tuple(Option(**o) for o in made)


def menu(count: int, text: str = "Which?", section: str = "", **last: str) -> Menu:
    return Menu(text, (Section(section, options(count, **last) if count else ()),))


def buttons(count: int) -> list[Json]:
    replies = [{"id": f"/pick {n}", "title": f"Option {n}"} for n in range(count)]
    return [{"type": "reply", "reply": reply} for reply in replies]


def rows(count: int) -> list[Json]:
    return [{"id": f"/pick {n}", "title": f"Option {n}"} for n in range(count)]


# Refused before Meta is asked, and why.
REFUSED: dict[str, tuple[Content, str]] = {
    "empty text": (Text(""), "the text is empty"),
    "text of white space": (Text(" \n\x00"), "the text is empty"),
    "text too long": (Text("x" * 4097), "4097 characters, WhatsApp takes 4096"),
    "no options": (Choices("Which?", ()), "0 options"),
    "four options": (Choices("Which?", options(4)), "4 options"),
    "a link beside a button": (Choices("?", (Option("A", "", url=LINK), *options(1))), "alone"),
    "a link to a file": (Choices("?", (Option("A", "", url="file:///etc/passwd"),)), "no http"),
    "a menu without rows": (menu(0), "0 rows"),
    "a menu of eleven rows": (menu(11), "11 rows"),
    "a menu without a question": (menu(2, text=""), "the question is empty"),
    "a menu's question too long": (menu(2, text="q" * 4097), "takes 4096"),
    "a section's title too long": (menu(2, section="s" * 25), "takes 24"),
    "a row that opens a page": (menu(2, url=LINK), "opens no page"),
    "no cards": (Cards(()), "0 cards"),
    "eleven cards": (Cards((Card("C", image=LINK, options=options(1)),) * 11), "11 cards"),
    "cards of different buttons": (
        Cards((Card("A", options=options(1)), Card("B", options=options(2)))),
        "equally many",
    ),
    "cards side by side without buttons": (Cards((Card("A"), Card("B"))), "need a button"),
    "cards side by side without pictures": (
        Cards((Card("A", options=options(1)), Card("B", options=options(1)))),
        "the picture's address",
    ),
    "cards side by side with two links": (
        Cards((Card("A", image=LINK, options=(Option("L", "", url=LINK),) * 2),) * 2),
        "alone",
    ),
    "a card's text too long": (
        Cards((Card("A", "x" * 160, LINK, options=options(1)),) * 2),
        "takes 160",
    ),
    "a card with four buttons": (Cards((Card("A", options=options(4)),)), "4 options"),
    "a template without a name": (Template("", "en"), "the template's name is empty"),
    "a template without a language": (Template("hello", ""), "the template's language is empty"),
    "a template with a picture from a file": (Template("a", "en", header="/etc/x"), "no http"),
    "a template's button without payload": (Template("a", "en", buttons=("",)), "payload is empty"),
    "products of no catalogue": (Products("Look", items=("a",)), "the catalogue's id is empty"),
    "a product without an id": (Products("Look", "C", ("",)), "a product's id is empty"),
    "products without words": (Products("", "C", ("a",)), "the text is empty"),
    "a request for the place without words": (Ask("", "location"), "the question is empty"),
    "no question": (Choices("", options(2)), "the question is empty"),
    "a question too long": (Choices("q" * 1025, options(2)), "1025 characters"),
    "a button's title too long": (Choices("?", options(2, title="t" * 21)), "takes 20"),
    "a button without title": (Choices("?", options(2, title="")), "title is empty"),
    "a button without payload": (Choices("?", options(2, payload="")), "payload is empty"),
    "a button's payload too long": (Choices("?", options(2, payload="p" * 257)), "takes 256"),
    "a payload with a space at its end": (Choices("?", options(2, payload="p ")), "space"),
    "two buttons of one title": (Choices("?", options(2, title="Option 0")), "alike"),
    "two buttons of one payload": (Choices("?", options(2, payload="/pick 0")), "alike"),
    "two rows of one payload": (menu(5, payload="/pick 0"), "alike"),
    "a row's title too long": (menu(4, title="t" * 25), "takes 24"),
    "a row's payload too long": (menu(4, payload="p" * 201), "takes 200"),
    "a row's description too long": (menu(4, description="d" * 73), "takes 72"),
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
    "marketing stopped": Fails(graph_error(131050), NoMarketing, "131050"),
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
