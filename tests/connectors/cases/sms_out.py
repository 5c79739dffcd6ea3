"""What is sent, the very request to Twilio, what it may answer, and what follows.

Written from Twilio's documentation:
https://www.twilio.com/docs/messaging/api/message-resource,
https://www.twilio.com/docs/usage/twilios-response (errors),
https://www.twilio.com/docs/api/errors (their codes),
https://www.twilio.com/docs/glossary/what-sms-character-limit (segments),
https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding.
"""

from __future__ import annotations

from typing import Any

from bot.message import (
    Album,
    Ask,
    Card,
    Cards,
    Choices,
    Contact,
    Location,
    Media,
    Menu,
    Option,
    Products,
    Section,
    Template,
    Text,
)
from tests.connectors.cases.sms_in import ACCOUNT_SID, NUMBER, URL, USER, ref
from tests.connectors.table import Call, Out
from tests.kit.http import Answer, Garbage, Reset, Truncated

PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
SENT = [f"SM{n:032x}" for n in range(4)]
PICTURE = "https://shop.example.com/p.jpg"


def taken(n: int = 0, **values: Any) -> Answer:
    """Twilio's answer to a message it has queued."""
    made = {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": "…",
        "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
        "date_sent": None,
        "date_updated": "Thu, 24 Aug 2023 05:01:45 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": NUMBER,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "messaging_service_sid": None,
        "sid": SENT[n],
        "status": "queued",
        "subresource_uris": {"media": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/x/Media.json"},
        "to": USER,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{SENT[n]}.json",
        **values,
    }
    return Answer(made, status=201)


def refused(code: int, status: int = 400, message: str = "refused", **headers: str) -> Answer:
    """Twilio's body of an error."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Answer(body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def form(body: str | None, n: int = 0, **more: str) -> dict[str, str]:
    values = {
        "To": USER,
        "From": NUMBER,
        "StatusCallback": f"{URL}?ref={ref(f'turn:{n}')}",
        **more,
    }
    return values if body is None else {**values, "Body": body}


def call(body: str | None, n: int = 0, **more: str) -> Call:
    return Call("POST", PATH, form=form(body, n, **more))


def says(name: str, content: Any, *bodies: str) -> Out:
    """Words that become these bodies, each one request."""
    return Out(
        name,
        content,
        [call(body, n) for n, body in enumerate(bodies)],
        [taken(n) for n in range(len(bodies))],
        [f"sent {SENT[n]}" for n in range(len(bodies))],
    )


def fails(name: str, answer: Any, follows: str, reason: str = "") -> Out:
    """One text, Twilio's answer to it, and what follows."""
    return Out(name, Text("Hello"), [call("Hello")], [answer], [follows], reason=reason)


def never(name: str, content: Any, reason: str, to: str = "") -> Out:
    """What is not even sent."""
    return Out(name, content, [], [], ["failed"], reason=reason, to=to)


# An emoji made of three people, two joiners and their eight UCS-2 units.
FAMILY = "👩‍👩‍👧"
LINK = "https://shop.example.com/orders/0123456789"
YES_NO = (Option("Yes", "/yes"), Option("No", "/no"))


OUTBOUND: list[Out] = [
    # --- every limit of segments: ten of GSM-7 are 1530 septets, ten of UCS-2 670 units ---
    says("as many plain characters as ten segments hold", Text("a" * 1530), "a" * 1530),
    says("one plain character more", Text("a" * 1531), "a" * 1530, "a"),
    says("as many Chinese characters as ten segments hold", Text("漢" * 670), "漢" * 670),
    says("one Chinese character more", Text("漢" * 671), "漢" * 670, "漢"),
    says(
        "Chinese without any blank is cut after a sentence",
        Text("漢" * 399 + "。" + "字" * 300),
        "漢" * 399 + "。",
        "字" * 300,
    ),
    says(
        "an extension character that fills the last segment",
        Text("a" * 1528 + "€"),
        "a" * 1528 + "€",
    ),
    says("an extension character takes two septets", Text("a" * 1529 + "€"), "a" * 1529, "€"),
    says(
        # 152 and an escape would be cut in two: each segment of 153 holds 76 of them.
        "extension characters are not cut in two at the border of a segment",
        Text("€" * 761),
        "€" * 760,
        "€",
    ),
    says(
        "one emoji makes all of it UCS-2",
        Text("a" * 669 + "😀"),
        "a" * 669,
        "😀",
    ),
    says("an emoji that just fits", Text("a" * 668 + "😀"), "a" * 668 + "😀"),
    says(
        # 67 units hold 33 emoji of two units.
        "an emoji is not cut in two at the border of a segment",
        Text("😀" * 331),
        "😀" * 330,
        "😀",
    ),
    says("a family is not torn apart", Text("a" * 665 + FAMILY), "a" * 665, FAMILY),
    says(
        "an accent of its own stays with its letter",
        Text("漢" * 669 + "e\u0301"),
        "漢" * 669,
        "e\u0301",
    ),
    says(
        "a link is not cut",
        Text("a " * 750 + LINK),
        ("a " * 750).strip(),
        LINK,
    ),
    says(
        "a sentence is not cut in its middle when it need not be",
        Text("Hello there. " * 100 + "The end of it all is near. " * 10),
        ("Hello there. " * 100 + "The end of it all is near. " * 8).strip(),
        ("The end of it all is near. " * 2).strip(),
    ),
    says("Greek capitals and signs of GSM-7", Text("ΔΦΓΛΩ ñöà @£$ []{}"), "ΔΦΓΛΩ ñöà @£$ []{}"),
    says("signs of the form's own grammar", Text("a+b&c=d%20e"), "a+b&c=d%20e"),
    # --- the answers in the middle of a sequence ---
    Out(
        "too many requests in the middle of a sequence",
        Text("a" * 1531),
        [call("a" * 1530), call("a", 1)],
        [taken(), refused(20429, 429, "Too many requests", Retry_After="30")],
        [f"sent {SENT[0]}", "queued 30"],
    ),
    Out(
        "an opt-out in the middle of a sequence",
        Text("a" * 1531),
        [call("a" * 1530), call("a", 1)],
        [taken(), refused(21610)],
        [f"sent {SENT[0]}", "failed"],
    ),
    # --- kinds ---
    says(
        "light formatting is left out",
        Text("**Hi** _you_, see [us](https://x.example/)"),
        "Hi you, see us (https://x.example/)",
    ),
    says("choices are numbered", Choices("Sure?", YES_NO), "Sure?\n1. Yes\n2. No"),
    says(
        "choices with a link",
        Choices("Sure?", (*YES_NO, Option("Read", "", url="https://x.example/"))),
        "Sure?\nRead: https://x.example/\n1. Yes\n2. No",
    ),
    says(
        "a menu is numbered through its sections",
        Menu("Pick", (Section("Tea", (Option("Green", "/g", "3 EUR"),)), Section("Else", YES_NO))),
        "Pick\nTea:\n1. Green (3 EUR)\nElse:\n2. Yes\n3. No",
    ),
    says(
        "a location is a link every phone opens",
        Location(48.137154, 11.576124, "Shop", "Marienplatz 1"),
        "Shop, Marienplatz 1\nhttps://www.google.com/maps/search/?api=1&query=48.137154,11.576124",
    ),
    says(
        "a contact",
        Contact("Ada", ("+15550101",), ("ada@example.com",)),
        "Ada\n+15550101\nada@example.com",
    ),
    says(
        "a template is its words",
        Template("ready", "en", ("7",), text="Order 7 is ready"),
        "Order 7 is ready",
    ),
    says(
        "a question for a location is its words",
        Ask("Where are you?", "location"),
        "Where are you?",
    ),
    says("products are their words", Products("Have a look", items=("a", "b")), "Have a look"),
    Out(
        "a picture with words",
        Media("image", url=PICTURE, caption="Here"),
        [call("Here", MediaUrl=PICTURE)],
        [taken()],
        [f"sent {SENT[0]}"],
    ),
    Out(
        "a picture without words",
        Media("image", url=PICTURE),
        [call(None, MediaUrl=PICTURE)],
        [taken()],
        [f"sent {SENT[0]}"],
    ),
    Out(
        "a film, a PDF and a voice note are sent each by itself",
        Album(
            (
                Media("video", url="https://x.example/v.mp4"),
                Media("document", url="https://x.example/d.pdf", caption="the bill"),
                Media("voice", url="https://x.example/v.amr"),
            )
        ),
        [
            call(None, MediaUrl="https://x.example/v.mp4"),
            call("the bill", 1, MediaUrl="https://x.example/d.pdf"),
            call(None, 2, MediaUrl="https://x.example/v.amr"),
        ],
        [taken(0), taken(1), taken(2)],
        [f"sent {SENT[n]}" for n in range(3)],
    ),
    Out(
        "the words of a sound follow it",
        Media("audio", url="https://x.example/a.mp3", caption="Our song"),
        [call(None, MediaUrl="https://x.example/a.mp3"), call("Our song", 1)],
        [taken(0), taken(1)],
        [f"sent {SENT[0]}", f"sent {SENT[1]}"],
    ),
    Out(
        "a sticker, which MMS has not, is a picture",
        Media("sticker", url="https://x.example/s.webp"),
        [call(None, MediaUrl="https://x.example/s.webp")],
        [taken()],
        [f"sent {SENT[0]}"],
    ),
    Out(
        "a caption that is too long follows the picture",
        Media("image", url=PICTURE, caption="漢" * 671),
        [call(None, MediaUrl=PICTURE), call("漢" * 670, 1), call("漢", 2)],
        [taken(0), taken(1), taken(2)],
        [f"sent {SENT[n]}" for n in range(3)],
    ),
    Out(
        "a card is a picture with words and numbered options",
        Cards((Card("Tea", "Green", PICTURE, options=YES_NO),)),
        [call(None, MediaUrl=PICTURE), call("Tea\nGreen\n1. Yes\n2. No", 1)],
        [taken(0), taken(1)],
        [f"sent {SENT[0]}", f"sent {SENT[1]}"],
    ),
    Out(
        "a short code may be written to, Twilio will say",
        Text("Hello"),
        [Call("POST", PATH, form={**form("Hello"), "To": "729725"})],
        [refused(21265)],
        ["failed"],
        reason="AddressGone: 21265 a short code cannot get messages",
        to="729725",
    ),
    # --- what Twilio would refuse ---
    never("an answer to a name", Text("Hello"), "AddressGone", to="My Bank"),
    never("a file known by an id alone", Media("image", ref="ME1"), "no http or https link"),
    never("a file of this machine", Media("image", url="file:///etc/passwd"), "no http"),
    never("words of signs that are none", Text("\x00"), "the message is empty"),
    # --- Twilio's answers ---
    fails("the customer has sent STOP", refused(21610), "failed", "OptedOut: 21610"),
    fails("no such number", refused(21211), "failed", "AddressGone: 21211"),
    fails("not a mobile number", refused(21614), "failed", "AddressGone: 21614"),
    fails("a landline", refused(21635), "failed", "AddressGone: 21635"),
    fails(
        "the country is switched off", refused(21408, 403), "failed", "Rejected: 21408 messages to"
    ),
    fails("no way to this number", refused(21612), "failed", "Rejected: 21612"),
    fails(
        "a trial account to a stranger", refused(21608), "failed", "verified in Twilio's console"
    ),
    fails(
        "an error nobody has heard of, with the customer's number in it",
        refused(29999, 400, f"The 'To' number {USER} is odd"),
        "failed",
        "Rejected: 29999 The 'To' number … is odd",
    ),
    fails("a wrong auth token", refused(20003, 401, "Authenticate"), "queued 60", "check them"),
    fails("401 without a body", Answer(b"", status=401), "queued 60"),
    fails("the account is suspended", refused(20005, 403), "queued 60", "not active"),
    fails("an account SID that Twilio does not know", refused(20404, 404), "queued 60"),
    fails("a sender that is not ours", refused(21660), "queued 60", "check from and account_sid"),
    fails(
        "a status callback Twilio does not take", refused(21609), "queued 60", "check public_url"
    ),
    fails("a Messaging Service without numbers", refused(21703), "queued 60"),
    fails("too many requests without a time", refused(20429, 429), "queued 1"),
    fails("429 by a proxy, with a time", Answer(b"slow", 429, {"Retry-After": "7"}), "queued 7"),
    fails("the sender's queue is full", refused(21611, 429), "queued 300"),
    fails("the day's messages are used up", refused(63038, 429), "queued 3600"),
    fails("Twilio is not available", refused(20503, 503), "queued 1"),
    fails("503 by somebody else leaves it open", Answer(b"<html>", 503), "unknown"),
    fails("an internal error leaves it open", refused(20500, 500), "unknown"),
    fails("a gateway's timeout leaves it open", Answer(b"", 504), "unknown"),
    fails("404 by somebody else", Answer(b"<html>", 404), "queued 60", "check api_url"),
    fails(
        "a redirection is not followed",
        Answer(b"", 307, {"Location": "https://x.example/"}),
        "queued 60",
    ),
    fails("the connection is reset after the request", Reset(), "unknown"),
    fails("an answer that is no HTTP", Garbage(), "unknown"),
    fails("an answer that breaks off", Truncated(), "unknown"),
    fails("a success that is no JSON", Answer(b"OK", 201), "unknown"),
    fails("a success that is a list", Answer([1], 201), "unknown"),
    fails("a success without an id", Answer({"status": "queued"}, 201), "unknown"),
    fails("a success with an id that is a number", taken(sid=7), "unknown"),
    fails("a success with a date that is none", taken(date_created=[1]), "unknown"),
    fails(
        "a success of another version of the API",
        taken(status="levitating", new={"a": 1}),
        f"sent {SENT[0]}",
    ),
]
