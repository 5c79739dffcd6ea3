"""What Twilio sends, and what is to come of it.

Written from Twilio's documentation:
https://www.twilio.com/docs/messaging/guides/webhook-request (incoming messages),
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status (statuses),
https://www.twilio.com/docs/usage/webhooks/webhooks-security (signatures),
https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides,
https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out,
https://www.twilio.com/docs/messaging/guides/accepted-mime-types,
https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from bot.message import Address, Content, Event, Inbound, Media, Text, Unsupported
from connectors.base import Request
from tests.connectors.table import In

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
TOKEN = "12345secretAUTHtoken"
PUBLIC_URL = "https://bot.example.com"
PATH = "/webhooks/sms/shop"
URL = PUBLIC_URL + PATH
SID = "SM" + "a" * 32
MMS = "MM" + "b" * 32
OUT = "SM" + "c" * 32
USER = "+14017122661"
NUMBER = "+15558675310"
MEDIA = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{MMS}/Media/ME"

Pairs = Sequence[tuple[str, str]]


def signature(url: str, pairs: Pairs, token: str = TOKEN) -> str:
    """Sign as Twilio says it does: the URL, then each name with its value, sorted."""
    words = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(
        hmac.new(token.encode(), words.encode(), hashlib.sha1).digest()
    ).decode()


def post(
    pairs: Pairs,
    *,
    query: Mapping[str, str] | None = None,
    url: str | None = None,
    body: bytes | None = None,
    sign: str | None = None,
    path: str = PATH,
    **headers: str,
) -> Request:
    """A webhook request. `url` is what Twilio signs, `sign` replaces its signature."""
    raw = urlencode(pairs, quote_via=quote).encode() if body is None else body
    asked = dict(query or {})
    signed = url or PUBLIC_URL + path + (f"?{urlencode(asked)}" if asked else "")
    given = signature(signed, pairs) if sign is None else sign
    return Request(
        "POST",
        path,
        asked,
        {
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "host": "10.0.0.7:8080",
            **({"x-twilio-signature": given} if given else {}),
            **headers,
        },
        raw,
    )


def fields(**values: str | None) -> list[tuple[str, str]]:
    """The fields of an incoming message; None leaves one out."""
    made: dict[str, str | None] = {
        "ToCountry": "US",
        "ToState": "CA",
        "SmsMessageSid": SID,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": SID,
        "FromState": "RI",
        "SmsStatus": "received",
        "FromCity": "PROVIDENCE",
        "Body": "Ahoy",
        "FromCountry": "US",
        "To": NUMBER,
        "NumSegments": "1",
        "MessageSid": SID,
        "AccountSid": ACCOUNT_SID,
        "From": USER,
        "ApiVersion": "2010-04-01",
        **values,
    }
    return [(name, value) for name, value in made.items() if value is not None]


def message(**values: str | None) -> Request:
    return post(fields(**values))


def mms(*mimes: str, body: str | None = "", **values: str | None) -> Request:
    made: dict[str, str | None] = {
        "NumMedia": str(len(mimes)),
        "Body": body,
        "MessageSid": MMS,
        "SmsSid": MMS,
        "SmsMessageSid": MMS,
    }
    for n, mime in enumerate(mimes):
        made |= {f"MediaUrl{n}": f"{MEDIA}{n}", f"MediaContentType{n}": mime}
    return message(**{**made, **values})


def got(content: Content, id: str = SID, user: str = USER, album: str = "") -> Inbound:
    return Inbound(Address("sms", "shop", user), id, content, album=album)


def ref(id: str) -> str:
    return base64.urlsafe_b64encode(id.encode()).decode().rstrip("=")


def status(word: str | None, id: str = "turn:0", **values: str | None) -> Request:
    made: dict[str, str | None] = {
        "SmsSid": OUT,
        "SmsStatus": word,
        "MessageStatus": word,
        "To": USER,
        "MessageSid": OUT,
        "AccountSid": ACCOUNT_SID,
        "From": NUMBER,
        "ApiVersion": "2010-04-01",
        **values,
    }
    pairs = [(name, value) for name, value in made.items() if value is not None]
    return post(pairs, query={"ref": ref(id)} if id else None)


def replaced(raw: bytes, old: bytes, new: bytes) -> bytes:
    assert old in raw
    return raw.replace(old, new)


SENT = {"turn:0": OUT}
FAMILY = "👩‍👩‍👧"
SCRIPTS = "عربي 漢字 ไทย ñandú Ωmega 👩‍👩‍👧"
TWICE = [*fields(), ("OtherRecipients", "+15550101"), ("OtherRecipients", "+15550100")]
SAME = [*fields(), ("Label", "a"), ("Label", "a")]
SPACED = fields(Body="one two+three&four=five%20six")


INBOUND: list[In] = [
    # --- the hostile ones first ---
    In(
        "a picture without any words",
        mms("image/jpeg"),
        [got(Media("image", url=f"{MEDIA}0", mime="image/jpeg"), MMS)],
    ),
    In(
        "a picture in a request without a Body field",
        mms("image/png", body=None),
        [got(Media("image", url=f"{MEDIA}0", mime="image/png"), MMS)],
    ),
    In(
        "several pictures are one album, the words with the first",
        mms("image/jpeg", "image/gif", "video/mp4", body="look"),
        [
            got(
                Media("image", url=f"{MEDIA}0", mime="image/jpeg", caption="look"),
                f"{MMS}.0",
                album=MMS,
            ),
            got(Media("image", url=f"{MEDIA}1", mime="image/gif"), f"{MMS}.1", album=MMS),
            got(Media("video", url=f"{MEDIA}2", mime="video/mp4"), f"{MMS}.2", album=MMS),
        ],
    ),
    In(
        "an album delivered twice is stored once",
        mms("image/jpeg", "image/jpeg"),
        [
            got(Media("image", url=f"{MEDIA}{n}", mime="image/jpeg"), f"{MMS}.{n}", album=MMS)
            for n in range(2)
        ],
        times=2,
    ),
    In(
        "ten files of one message",
        mms(*["image/jpeg"] * 10),
        [
            got(Media("image", url=f"{MEDIA}{n}", mime="image/jpeg"), f"{MMS}.{n}", album=MMS)
            for n in range(10)
        ],
    ),
    In(
        "the signature of a body in many scripts",
        message(Body=SCRIPTS),
        [got(Text(SCRIPTS))],
    ),
    In(
        "a body in raw UTF-8, not escaped",
        post(
            fields(Body=SCRIPTS),
            body=replaced(
                urlencode(fields(Body="@@"), quote_via=quote).encode(), b"%40%40", SCRIPTS.encode()
            ),
        ),
        [got(Text(SCRIPTS))],
    ),
    In(
        "signs of the form's own grammar in the words",
        post(SPACED),
        [got(Text("one two+three&four=five%20six"))],
    ),
    In(
        "spaces written as plus signs",
        post(SPACED, body=urlencode(SPACED).encode()),
        [got(Text("one two+three&four=five%20six"))],
    ),
    In("a field given twice with two values", post(TWICE), [got(Text("Ahoy"))]),
    In("a field given twice with one value is signed once", post(SAME), [got(Text("Ahoy"))]),
    In(
        "Twilio signed the URL with its default port",
        post(fields(), url=f"https://bot.example.com:443{PATH}"),
        [got(Text("Ahoy"))],
    ),
    In(
        "Twilio signed the URL with the retries that were asked for in it",
        post(fields(), url=f"{URL}#rc=5&rp=all"),
        [got(Text("Ahoy"))],
    ),
    In(
        "a webhook URL with a query",
        post(fields(), query={"shop": "7", "a": "b"}),
        [got(Text("Ahoy"))],
    ),
    In(
        "a query with a space written %20 was signed as it was written",
        post(fields(), query={"q": "a b"}, url=f"{URL}?q=a%20b"),
        [got(Text("Ahoy"))],
    ),
    In(
        "a query with a space written + was signed as it was written",
        post(fields(), query={"q": "a b"}, url=f"{URL}?q=a+b"),
        [got(Text("Ahoy"))],
    ),
    In(
        "a query was signed before it was escaped",
        post(fields(), query={"who": "sip:me@example.com"}, url=f"{URL}?who=sip:me@example.com"),
        [got(Text("Ahoy"))],
    ),
    In(
        "a field nobody has heard of is signed like the others",
        message(AddOns='{"status":"successful","results":{}}', NewIn2031="é"),
        [got(Text("Ahoy"))],
    ),
    In("empty fields are signed by their names", message(Body=""), [got(Text(""))]),
    # --- proof of origin ---
    In("no signature", post(fields(), sign=""), status=403),
    In("a wrong signature", post(fields(), sign="A" * 27 + "="), status=403),
    In("a signature in letters that are none", post(fields(), sign="é" * 28), status=403),
    In(
        "a signature by another token",
        post(fields(), sign=signature(URL, fields(), "another")),
        status=403,
    ),
    In(
        "a signature by an empty token",
        post(fields(), sign=signature(URL, fields(), "")),
        status=403,
    ),
    In(
        "a signature for another account's path",
        post(fields(), url=f"{PUBLIC_URL}/webhooks/sms/other"),
        status=403,
    ),
    In(
        "a signature for the host that the proxy asked",
        post(fields(), url=f"http://10.0.0.7:8080{PATH}"),
        status=403,
    ),
    In(
        "a signature for another port",
        post(fields(), url=f"https://bot.example.com:8443{PATH}"),
        status=403,
    ),
    In(
        "words changed on the way",
        post(fields(), body=urlencode(fields(Body="Pay me")).encode()),
        status=403,
    ),
    In(
        "a field added on the way",
        post(fields(), body=urlencode([*fields(), ("OptOutType", "STOP")]).encode()),
        status=403,
    ),
    In(
        "a signed body, but with another query",
        post(fields(), query={"ref": "x"}, url=URL),
        status=403,
    ),
    In("a body that is not UTF-8", post(fields(), body=b"Body=\xff\xfe"), status=403),
    In("a field that is not UTF-8", post(fields(), body=b"Body=%ff%fe"), status=403),
    In(
        "JSON with its hash in the query is for other products",
        post([], query={"bodySHA256": hashlib.sha256(b"{}").hexdigest()}, body=b"{}"),
        status=403,
    ),
    # --- signed, but not as documented ---
    In("an empty form", post([]), dead="MessageSid is missing"),
    In(
        "a message without an id",
        message(MessageSid=None, SmsSid=None, SmsMessageSid=None),
        dead="MessageSid is missing",
    ),
    In("an id with a line break", message(MessageSid="SM\n1"), dead="MessageSid is missing"),
    In("an id of a thousand letters", message(MessageSid="S" * 1000), dead="MessageSid is missing"),
    In("a message without a sender", message(From=None), dead="From is neither"),
    In("a sender of blanks", message(From="  "), dead="From is neither"),
    In("a sender with a control sign", message(From="+1555\x00\x07"), dead="From is neither"),
    In("neither words nor files", message(Body=None), dead="neither a Body nor files"),
    In(
        "fewer files than are said to be there",
        mms("image/jpeg", NumMedia="2", body="two"),
        [
            got(
                Media("image", url=f"{MEDIA}0", mime="image/jpeg", caption="two"),
                f"malformed:{MMS}",
            )
        ],
        dead="of 2 files 1 have a URL",
    ),
    In(
        "words with a file that has no URL",
        message(NumMedia="1", Body="see"),
        [got(Text("see"), f"malformed:{SID}")],
        dead="of 1 files 0 have a URL",
    ),
    In(
        "a file alone that has no URL is not met with silence",
        message(NumMedia="1", Body=""),
        [got(Unsupported("malformed:mms"), f"malformed:{SID}")],
        dead="of 1 files 0 have a URL",
    ),
    In(
        "a file whose URL is of this machine's disk",
        mms("image/jpeg", MediaUrl0="file:///etc/passwd"),
        [got(Unsupported("malformed:mms"), f"malformed:{MMS}")],
        dead="of 1 files 0 have a URL",
    ),
    In(
        "a status without an id",
        status("sent", MessageSid=None, SmsSid=None),
        dead="without MessageSid",
    ),
    # --- senders ---
    In("words", message(), [got(Text("Ahoy"))]),
    In("the same message three times", message(), [got(Text("Ahoy"))], times=3),
    In("the old name of the id", message(MessageSid=None), [got(Text("Ahoy"))]),
    In("a short code writes", message(From="729725"), [got(Text("Ahoy"), user="729725")]),
    In("a name writes", message(From="My Bank"), [got(Text("Ahoy"), user="My Bank")]),
    In("a WhatsApp message of the same Twilio account", message(From=f"whatsapp:{USER}")),
    In("an RCS message of the same Twilio account", message(From=f"rcs:{USER}")),
    In("a Messenger message of the same Twilio account", message(From="messenger:1234")),
    # --- words ---
    In("a family of emoji", message(Body=FAMILY), [got(Text(FAMILY))]),
    In("a NUL among the words", message(Body="a\x00b"), [got(Text("ab"))]),
    In("a long message that was joined", message(Body="x" * 1600), [got(Text("x" * 1600))]),
    In("line breaks and blanks are kept", message(Body=" a\r\nb\n "), [got(Text(" a\r\nb\n "))]),
    # --- Advanced Opt-Out ---
    In(
        "Twilio has opted the customer out and told him",
        message(Body="STOP", OptOutType="STOP"),
        [got(Event("opt_out", data="answered"))],
    ),
    In(
        "Twilio has taken the customer back",
        message(Body="START", OptOutType="START"),
        [got(Event("opt_in", data="answered"))],
    ),
    In(
        "Twilio has answered a cry for help",
        message(Body="INFO", OptOutType="HELP"),
        [got(Event("help", data="answered"))],
    ),
    In(
        "a keyword of another language is Twilio's business",
        message(Body="ARRÊT", OptOutType="STOP"),
        [got(Event("opt_out", data="answered"))],
    ),
    In("STOP where Advanced Opt-Out is off is words", message(Body="STOP"), [got(Text("STOP"))]),
    In("an unknown kind of opt-out is words", message(OptOutType="PAUSE"), [got(Text("Ahoy"))]),
    # --- files ---
    In(
        "a number of files that is none",
        mms("image/jpeg", NumMedia="many"),
        [got(Media("image", url=f"{MEDIA}0", mime="image/jpeg"), MMS)],
    ),
    In(
        "a layout of the phone's is no file",
        mms("application/smil", "image/jpeg", body="hi"),
        [got(Media("image", url=f"{MEDIA}1", mime="image/jpeg", caption="hi"), MMS)],
    ),
    In(
        "a contact card is a document, for only its address is known",
        mms("text/x-vcard"),
        [got(Media("document", url=f"{MEDIA}0", mime="text/x-vcard"), MMS)],
    ),
    In(
        "what a phone's recorder makes is a voice note",
        mms("audio/amr"),
        [got(Media("voice", url=f"{MEDIA}0", mime="audio/amr"), MMS)],
    ),
    In("music", mms("audio/mpeg"), [got(Media("audio", url=f"{MEDIA}0", mime="audio/mpeg"), MMS)]),
    In("a film", mms("video/3gpp"), [got(Media("video", url=f"{MEDIA}0", mime="video/3gpp"), MMS)]),
    In(
        "a PDF with words",
        mms("application/pdf", body="my bill"),
        [got(Media("document", url=f"{MEDIA}0", mime="application/pdf", caption="my bill"), MMS)],
    ),
    In(
        "a type with parameters in capitals",
        mms("Image/JPEG; name=a.jpg"),
        [got(Media("image", url=f"{MEDIA}0", mime="image/jpeg"), MMS)],
    ),
    In(
        "a file without a type",
        mms("image/jpeg", MediaContentType0=None),
        [got(Media("document", url=f"{MEDIA}0"), MMS)],
    ),
    In(
        "files numbered with a gap",
        mms("image/jpeg", MediaUrl2=f"{MEDIA}2", MediaContentType2="image/png", NumMedia="2"),
        [
            got(Media("image", url=f"{MEDIA}0", mime="image/jpeg"), f"{MMS}.0", album=MMS),
            got(Media("image", url=f"{MEDIA}2", mime="image/png"), f"{MMS}.1", album=MMS),
        ],
    ),
    # --- statuses ---
    In("delivered", status("delivered"), outbox=SENT, moved={"turn:0": "delivered"}),
    In("delivered twice", status("delivered"), outbox=SENT, moved={"turn:0": "delivered"}, times=2),
    In(
        "a status finds its message by our id when Twilio's is not known yet",
        status("delivered"),
        outbox={"turn:0": ""},
        moved={"turn:0": "delivered"},
    ),
    In(
        "a status without our id finds its message by Twilio's",
        status("delivered", id=""),
        outbox=SENT,
        moved={"turn:0": "delivered"},
    ),
    In(
        "our id with everything an id may hold",
        status("delivered", id="sms:shop:SM1/ä?&=+ %:0"),
        outbox={"sms:shop:SM1/ä?&=+ %:0": ""},
        moved={"sms:shop:SM1/ä?&=+ %:0": "delivered"},
    ),
    In(
        "a reference that is none",
        post([("MessageSid", OUT), ("MessageStatus", "delivered")], query={"ref": "=not=base64="}),
        outbox=SENT,
        moved={"turn:0": "delivered"},
    ),
    In(
        "a reference that is not UTF-8",
        post([("MessageSid", OUT), ("MessageStatus", "delivered")], query={"ref": "__79"}),
        outbox=SENT,
        moved={"turn:0": "delivered"},
    ),
    In("a status of a message that is not ours", status("delivered", id="turn:9")),
    In("read", status("read"), outbox=SENT, moved={"turn:0": "read"}),
    In("queued says nothing new", status("queued"), outbox=SENT),
    In("accepted by a Messaging Service says nothing new", status("accepted"), outbox=SENT),
    In("sending says nothing new", status("sending"), outbox=SENT),
    In("sent says nothing new", status("sent"), outbox=SENT),
    In(
        "undelivered, with the carrier's code",
        status("undelivered", ErrorCode="30003"),
        outbox=SENT,
        moved={"turn:0": ("failed", "30003")},
    ),
    In(
        "failed, filtered as unwanted",
        status("failed", ErrorCode="30007"),
        outbox=SENT,
        moved={"turn:0": ("failed", "30007")},
    ),
    In(
        "failed, for the customer had sent STOP to the Messaging Service",
        status("failed", ErrorCode="21610"),
        arrived=[got(Event("opt_out", data="answered"), f"{OUT}.21610")],
        outbox=SENT,
        moved={"turn:0": ("failed", "21610")},
    ),
    In("failed without a code", status("failed"), outbox=SENT, moved={"turn:0": ("failed", "")}),
    In(
        "failed twice is one dead letter",
        status("failed", ErrorCode="30005"),
        outbox=SENT,
        moved={"turn:0": ("failed", "30005")},
        times=2,
    ),
    In("canceled", status("canceled"), outbox=SENT, moved={"turn:0": ("failed", "")}),
    In("delivered in part says nothing that counts", status("partially_delivered"), outbox=SENT),
    In("a status nobody has heard of", status("evaporated"), outbox=SENT),
    In(
        "the old name of the status",
        status("delivered", MessageStatus=None),
        outbox=SENT,
        moved={"turn:0": "delivered"},
    ),
    In(
        "a code with a success is none",
        status("delivered", ErrorCode="30003"),
        outbox=SENT,
        moved={"turn:0": ("delivered", "")},
    ),
    In(
        "a WhatsApp status of the same Twilio account moves nothing of ours",
        status("delivered", id="", MessageSid="SM" + "d" * 32, To=f"whatsapp:{USER}"),
        outbox=SENT,
    ),
]
