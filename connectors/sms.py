"""SMS and MMS through Twilio's Programmable Messaging.

What SMS has not is not missing here: no edits, deletions, reactions, read marks, typing or
buttons. Options are written out as numbered lines and answered by typing.

In Twilio's console the number's (or Messaging Service's) webhook for incoming messages is
``{public_url}/webhooks/sms/{account}`` by HTTP POST. Twilio asks a second time only when it
could not connect; with ``#rc=5&rp=all`` after the URL it also does so when the answer was an
error, as it is while the store is down:
https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

import httpx
from multidict import MultiDict
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response as TwilioResponse  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from bot.message import (
    Address,
    Content,
    Event,
    Inbound,
    Media,
    MediaType,
    Outbound,
    Receipt,
    ReceiptStatus,
    Text,
    Unsupported,
    clean,
    utcnow,
)
from connectors import markup
from connectors.base import (
    Arrived,
    Capabilities,
    Connector,
    File,
    Files,
    Request,
    Response,
)
from connectors.errors import (
    AddressGone,
    BadSignature,
    ConnectorError,
    NoFile,
    OptedOut,
    Rejected,
    RetryLater,
    Unreadable,
    Unsure,
)
from connectors.fetching import fetch
from connectors.http import is_loopback, retry_after

log = logging.getLogger(__name__)

API_URL = "https://api.twilio.com"

#: Characters of a body: https://www.twilio.com/docs/api/errors/21658
BODY_LIMIT = 1600
#: Ten segments hold 1530 characters of GSM-7 and 670 of UCS-2, see `connectors.lengths`.
#: Carriers cut or drop longer chains before they reach Twilio's own limit.
SEGMENT_LIMIT = 10
_MEGABYTE = 1_000_000

CAPABILITIES = Capabilities(
    kinds_in=frozenset({"text", "media", "event"}),
    kinds_out=frozenset({"text", "media"}),
    text_limit=SEGMENT_LIMIT,
    text_unit="sms",
    caption_limit=SEGMENT_LIMIT,
    buttons=0,
    button_title=0,
    payload_limit=0,
    # Of a number of the USA; what an account really may is `SmsAccount.rate`.
    rate=1.0,
    # A "queued" or "accepted" status comes within a second or two of the request. After
    # this Twilio's own list of messages is asked, see `confirm`.
    grace=10.0,
    # https://www.twilio.com/docs/messaging/guides/accepted-mime-types. Twilio fits these
    # pictures to the phone; all else goes as it is, and carriers take 600 kB of it:
    # https://help.twilio.com/articles/360018832773
    files={
        "image": Files(("image/jpeg", "image/png", "image/gif"), 5 * _MEGABYTE),
        "audio": Files(
            ("audio/mpeg", "audio/mp4", "audio/ogg", "audio/amr", "audio/3gpp"), 600_000
        ),
        "voice": Files(
            ("audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/3gpp"), 600_000
        ),
        "video": Files(("video/mp4", "video/3gpp", "video/quicktime"), 600_000),
        "document": Files(
            ("application/pdf", "text/vcard", "text/x-vcard", "text/csv", "text/calendar"), 600_000
        ),
    },
    receipts=frozenset({"sent", "delivered", "failed"}),
)

#: https://www.twilio.com/docs/messaging/api/message-resource#message-status-values. What
#: Twilio has queued it has taken, which is what "sent" means here; None says nothing.
STATUSES: Mapping[str, ReceiptStatus | None] = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": None,
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
#: Statuses of messages to us.
_INCOMING = ("received", "receiving")

#: Advanced Opt-Out, a feature of Messaging Services. Twilio has answered the customer:
#: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out. Without the feature the
#: keywords come as any text does.
OPT_OUT_TYPES: Mapping[str, str] = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}

#: https://www.twilio.com/docs/api/errors/21610
OPTED_OUT = "21610"

#: Plain words for codes, https://www.twilio.com/docs/api/errors: of answers to a request
#: (20xxx, 21xxx) and of messages that failed later (30xxx, 63xxx).
REASONS: Mapping[str, str] = {
    "20003": "the account SID and auth token are not accepted; check them",
    "20005": "the Twilio account is not active",
    "20008": "these are test credentials, which cannot do that",
    "20404": "Twilio does not know this account or message",
    "20429": "too many requests to Twilio at once",
    "20500": "Twilio had an internal error",
    "20503": "Twilio is not available",
    "21211": "this is no phone number that can get messages",
    "21212": "the sender is no number or name that Twilio takes; check from",
    "21217": "this number does not look like a phone number",
    "21265": "a short code cannot get messages",
    "21266": "sender and recipient are the same number",
    "21267": "trial accounts cannot send under a name",
    "21268": "premium and information numbers cannot get messages",
    "21408": "messages to this country are switched off in Twilio's geographic permissions",
    "21601": "the sender's number cannot send messages; check from",
    "21602": "the message is empty",
    "21603": "the sender is missing; check from",
    "21604": "the recipient is missing",
    "21606": "the sender's number is not the account's, or not for this country; check from",
    "21608": "a trial account can only write to numbers verified in Twilio's console",
    "21609": "Twilio does not take the status callback's URL; check public_url",
    OPTED_OUT: "the customer has sent STOP",
    "21611": "the sender's queue at Twilio is full",
    "21612": "Twilio has no way from this sender to this number",
    "21614": "this is not a mobile number",
    "21617": "the message is longer than 1600 characters",
    "21619": "the message is empty",
    "21620": "Twilio cannot get the file: its URL is wrong",
    "21623": "the message has more than ten files",
    "21635": "this is a landline, which cannot get messages",
    "21658": "the message is longer than Twilio takes",
    "21659": "the sender is no number of Twilio's, or a short code of another country; check from",
    "21660": "the sender's number belongs to another Twilio account; check from and account_sid",
    "21661": "the sender's number cannot send messages; check from",
    "21701": "the Messaging Service does not exist; check messaging_service_sid",
    "21703": "the Messaging Service has no numbers",
    "21704": "the Messaging Service has no numbers",
    "21705": "the Messaging Service does not exist; check messaging_service_sid",
    "30001": "the sender's queue at Twilio was full",
    "30002": "the Twilio account is suspended",
    "30003": "the phone could not be reached: switched off or without a network",
    "30004": "the message was blocked by the customer or the carrier",
    "30005": "there is no phone with this number any more",
    "30006": "this is a landline, or its carrier cannot be reached",
    "30007": "the message was filtered as unwanted by Twilio or the carrier",
    "30008": "the carrier gave no reason",
    "30009": "a part of an incoming message is missing",
    "30010": "the message would have cost more than the maximum that is set",
    "30011": "MMS is not possible to this number's carrier",
    "30012": "the time the message may live was too short",
    "30013": "the time the message may live was too long",
    "30017": "the carrier's network is overloaded",
    "30018": "the destination's carrier needs senders to be registered beforehand",
    "30019": "the file is too big for the customer's carrier",
    "30021": "Twilio had an internal error",
    "30022": "more messages than the registered US campaign allows",
    "30023": "the daily number of messages that T-Mobile allows is used up",
    "30024": "the sender is not yet provisioned by the carrier",
    "30027": "the daily number of messages that T-Mobile allows is used up",
    "30032": "the toll-free number is not verified",
    "30033": "the US campaign of this number is suspended",
    "30034": "the number is not registered for messages to the USA (A2P 10DLC)",
    "30035": "the number's registration for messages to the USA is not complete",
    "30036": "the message waited in Twilio's queue for longer than it may live",
    "30038": "messages with one-time passwords are filtered here",
    "30039": "the message seems to be a machine's and was stopped, so as not to go round for ever",
    "60728": "the account's hourly number of messages is used up",
    "63003": "Twilio's channel does not know the recipient",
    "63005": "Twilio's channel did not take the content",
    "63007": "Twilio finds no sender for this channel",
    "63012": "Twilio's channel had an internal error",
    "63013": "the message breaks a policy of Twilio's channel",
    "63017": "more messages a second than Twilio allows one account",
    "63018": "the rate limit of Twilio's channel is used up",
    "63019": "Twilio could not get the file",
    "63021": "the content is not valid for Twilio's channel",
    "63023": "Twilio's channel reported an error without a reason",
    "63024": "Twilio's channel does not take this recipient",
    "63036": "this number is not on Twilio's channel",
    "63038": "the account's daily number of messages is used up",
}

#: What becomes of a refused request. The customer's number or consent is at fault:
FINAL: Mapping[str, type[Rejected]] = {
    "21211": AddressGone,
    "21217": AddressGone,
    "21265": AddressGone,
    "21268": AddressGone,
    OPTED_OUT: OptedOut,
    "21614": AddressGone,
    "21635": AddressGone,
}
#: The account is at fault, not the message: messages wait until an operator has put it right,
#: for a rotated token or an unpaid bill must not drop what customers are owed.
OPERATOR = frozenset(
    {"20003", "20005", "20008", "20404", "21212", "21267", "21601", "21603", "21606", "21609"}
    | {"21659", "21660", "21661", "21701", "21703", "21704", "21705", "30002"}
)
#: Too much at once. Seconds to wait where Twilio names none; a day's limit takes longer.
OVERLOADED: Mapping[str, float | None] = {
    "20429": None,
    "20503": None,
    "21611": 300.0,
    "30001": 300.0,
    "30022": 60.0,
    "60728": 600.0,
    "63017": None,
    "63018": 60.0,
    "63038": 3600.0,
}
OPERATOR_WAIT = 60.0

# Seconds. Connecting and reading together stay under the outbox's own 20, so that a refused
# connection is known as one and not as unknown outcome.
TIMEOUT = httpx.Timeout(connect=5.0, write=5.0, read=12.0, pool=2.0)

# How far back `confirm` looks where no message of the conversation is known.
_LOOK_BACK = timedelta(hours=24)
_PAGE = 100
#: What a trial account's messages begin with.
_TRIAL = "Sent from your Twilio trial account - "

_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
# https://help.twilio.com/articles/223181348: not of digits alone.
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
# Names that write to us are the carrier's to choose; Twilio's other channels have a prefix.
_SENDER_NAME = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f:]{1,64}")
_TOLL_FREE = re.compile(r"\+18(00|33|44|55|66|77|88)[0-9]{7}")
_SID = re.compile(r"[A-Za-z0-9]{1,64}")
_MEDIA_URL = re.compile(r"MediaUrl([0-9]{1,2})")
_HTTP = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_RETRIES = "#rc=5&rp=all"
_DIGITS = re.compile(r"\+?[0-9]{6,}")
# What Smart Encoding, a switch of Messaging Services, writes in the 7-bit alphabet:
# https://www.twilio.com/docs/messaging/services#smart-encoding
_SMART = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})


@dataclass(frozen=True)
class SmsAccount:
    """One sender: a number, a short code, a name, or a Messaging Service that chooses one.

    `sender` is ``from`` in credentials.yml: a number in E.164 (``+15550100``), a short
    code, or up to eleven letters, digits and spaces. To a name nobody can reply, and it
    sends no MMS. With `messaging_service_sid` it is left to Twilio who sends.

    `public_url` is how Twilio reaches the gateway; it signs that URL. `mms` says whether the
    sender takes files, by default numbers of the USA, Canada and Australia, short codes and
    services: https://help.twilio.com/articles/223179808. Elsewhere a file goes as a link.
    `messages_per_second` is what the sender may, see `rate`. `api_url` replaces
    https://api.twilio.com, for a region's too.

    Raises ValueError for what Twilio would not take.
    """

    account: str
    account_sid: str
    auth_token: str = field(repr=False, metadata={"secret": True})
    public_url: str
    sender: str = field(default="", metadata={"key": "from"})
    messaging_service_sid: str = ""
    mms: bool | None = None
    messages_per_second: float | None = field(default=None, metadata={"above": 0, "most": 1000})
    api_url: str = field(default="", metadata={"schemes": ("http", "https")})

    def __post_init__(self) -> None:
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}", self.account_sid):
            raise ValueError("account_sid must be AC and 32 hexadecimal digits")
        if not self.auth_token:
            raise ValueError("auth_token is empty; nothing could be verified")
        if self.messaging_service_sid:
            if not re.fullmatch(r"MG[0-9a-fA-F]{32}", self.messaging_service_sid):
                raise ValueError("messaging_service_sid must be MG and 32 hexadecimal digits")
        elif not self.sender:
            raise ValueError("from is missing; only messaging_service_sid goes without it")
        if self.sender and not any(
            kind.fullmatch(self.sender) for kind in (_NUMBER, _SHORT_CODE, _NAME)
        ):
            raise ValueError(
                "from must be a number like +15550100, a short code, or a name of at most "
                "11 letters, digits and spaces"
            )
        if self.mms and not self.messaging_service_sid and self.is_name:
            raise ValueError("mms is not possible from a name, only from a number")
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", self.public_url):
            raise ValueError("public_url must be like https://bot.example.com, without a query")
        # https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
        if "_" in (urlsplit(self.public_url).hostname or ""):
            raise ValueError("public_url has an underscore in its host, which Twilio does not take")
        if self.api_url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", self.api_url):
            raise ValueError("api_url must be like http://127.0.0.1:8090/sms, without a query")

    @property
    def is_name(self) -> bool:
        """Whether the sender is a name, which cannot be replied to."""
        return bool(self.sender) and not (
            _NUMBER.fullmatch(self.sender) or _SHORT_CODE.fullmatch(self.sender)
        )

    @property
    def takes_files(self) -> bool:
        """Whether the sender may send MMS."""
        if self.mms is not None:
            return self.mms
        if self.messaging_service_sid:
            return True
        return self.sender.startswith(("+1", "+61")) or bool(_SHORT_CODE.fullmatch(self.sender))

    @property
    def rate(self) -> float:
        """Messages a second.

        Twilio would take more and queue it for ten hours, but what waits with us can still be
        withdrawn, and conversations do not wait for each other in one long line:
        https://help.twilio.com/articles/115002943027. Its limits are of segments.
        """
        if self.messages_per_second is not None:
            return self.messages_per_second
        if self.messaging_service_sid:
            return 10.0
        if _SHORT_CODE.fullmatch(self.sender):
            return 100.0
        if _TOLL_FREE.fullmatch(self.sender):
            return 3.0
        return 1.0 if self.sender.startswith("+1") else 10.0


class Sms(Connector):
    """One sender of a Twilio account.

    Provider ids are Twilio's: ``SM…``, ``MM…``; the files of one MMS are ``MM….0``, ``MM….1``.
    """

    channel: ClassVar[str] = "sms"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    Account: ClassVar[type] = SmsAccount
    #: An empty instruction. Text would be sent to the customer as a reply:
    #: https://www.twilio.com/docs/messaging/twiml#twilio-understands-mime-types
    taken: ClassVar[Response] = Response(200, "<Response/>", "text/xml")
    account: SmsAccount

    def __init__(self, account: SmsAccount) -> None:
        super().__init__(account)
        # The limit is the sender's; all else is the channel's.
        self.capabilities = replace(CAPABILITIES, rate=account.rate)  # type: ignore[misc]
        self._validator = RequestValidator(account.auth_token)
        self._wire = _Wire(account)
        self._client = Client(
            account.account_sid,
            account.auth_token,
            http_client=self._wire,
            # Else edge and region would come from the environment, past `api_url`.
            environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
        )

    # -- in: https://www.twilio.com/docs/messaging/guides/webhook-request

    async def receive(self, request: Request) -> list[Arrived]:
        """Verify the signature, then read the one message or status of the request.

        Messages of Twilio's other channels (``whatsapp:``, ``rcs:``) are left out, and
        statuses that say nothing of the delivery. Raises BadSignature, Unreadable.
        """
        form = self._verified(request)
        word = form.get("MessageStatus") or form.get("SmsStatus") or ""
        if word and word not in _INCOMING:
            return self._status(form, word, request)
        return self._message(form)

    def _verified(self, request: Request) -> MultiDict[str]:
        """Return the form's fields when the request is Twilio's. Raises BadSignature.

        https://www.twilio.com/docs/usage/webhooks/webhooks-security
        """
        given = request.headers.get("x-twilio-signature", "")
        if not given:
            raise BadSignature("X-Twilio-Signature is missing")
        try:
            form = _form(request.body)
            if any(self._validator.validate(url, form, given) for url in self._urls(request)):
                return form
        except ValueError:
            # Lone surrogates, or far too many fields: nothing that Twilio ever signed.
            raise BadSignature("the body is no form in UTF-8") from None
        raise BadSignature("X-Twilio-Signature does not match; is public_url what Twilio calls?")

    def _urls(self, request: Request) -> Iterator[str]:
        """Give the URLs Twilio may have signed, the usual one first.

        A proxy may change scheme, host and port, never the rest. The query came decoded,
        and Twilio signs it as it was written in the console or by us, so it is tried in each
        way of writing it; what follows a ``#`` is not sent, but may be signed.
        """
        base = self.account.public_url.rstrip("/") + quote(request.path, safe="/:@!$&'()*+,;=~")
        queries = [""]
        if request.query:
            pairs = list(request.query.items())
            plain = "&".join(f"{name}={value}" for name, value in pairs)
            ways = (urlencode(pairs, quote_via=quote), urlencode(pairs, quote_via=quote_plus))
            queries = [f"?{query}" for query in dict.fromkeys((*ways, plain))]
        for query in queries:
            yield base + query
            yield base + query + _RETRIES

    def vouch(self, request: Request) -> Request:
        """Return `request` signed anew with the present auth token."""
        url = next(self._urls(request))
        try:
            signature = self._validator.compute_signature(url, _form(request.body))
        except ValueError:
            return request
        return replace(request, headers={**request.headers, "x-twilio-signature": signature})

    def _message(self, form: MultiDict[str]) -> list[Arrived]:
        sender = clean(form.get("From", "")).strip()
        if re.match(r"[a-z]+:", sender):
            log.debug("%s: a message of another of Twilio's channels is left out", self.name)
            return []
        sid = form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid") or ""
        if not _SID.fullmatch(sid):
            raise Unreadable("MessageSid is missing or none")
        if not _SENDER_NAME.fullmatch(sender):
            raise Unreadable("From is neither a number nor a name")
        address = Address("sms", self.account.account, sender)
        event = OPT_OUT_TYPES.get(form.get("OptOutType", "").upper())
        if event is not None:
            return [Inbound(address, sid, Event(event, data="answered"))]
        body = clean(form.get("Body", ""))
        files, wrong = _files(form)
        if wrong:
            # Its own id stays free, so that a replay of the dead letter after a fix is not
            # taken for a redelivery.
            sid = f"malformed:{sid}"
            known = self._said(address, sid, body, files) if files or body else []
            lost = Inbound(address, sid, Unsupported("malformed:mms"))
            raise Unreadable(wrong, known or [lost])
        if not files and "Body" not in form:
            raise Unreadable("it has neither a Body nor files")
        return list(self._said(address, sid, body, files))

    def _said(self, address: Address, sid: str, body: str, files: list[Media]) -> list[Inbound]:
        """Return a text, a file with the text as its caption, or several as an album."""
        if not files:
            return [Inbound(address, sid, Text(body))]
        files = [replace(files[0], caption=body), *files[1:]]
        if len(files) == 1:
            return [Inbound(address, sid, files[0])]
        return [Inbound(address, f"{sid}.{n}", file, album=sid) for n, file in enumerate(files)]

    # https://www.twilio.com/docs/messaging/guides/track-outbound-message-status

    def _status(self, form: MultiDict[str], word: str, request: Request) -> list[Arrived]:
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        if not _SID.fullmatch(sid):
            raise Unreadable("a status without MessageSid")
        status = STATUSES.get(word)
        if status is None:
            log.debug("%s: a status that is no receipt is left out", self.name)
            return []
        code = form.get("ErrorCode", "").strip()
        reason = ""
        if status == "failed":
            said = clean(form.get("ErrorMessage", "")).strip()[:300]
            reason = REASONS.get(code) or said or f"Twilio says {word} without a reason"
        else:
            code = ""
        details = {"status": word}
        # As the carrier wrote it, YYMMDDhhmm; nobody says of which time zone.
        if form.get("RawDlrDoneDate"):
            details["carrier_done"] = clean(form["RawDlrDoneDate"])[:32]
        receipt = Receipt(
            "sms",
            self.account.account,
            sid,
            status,
            ref=_read_ref(request.query.get("ref", "")),
            reason=reason,
            code=clean(code)[:16],
            details=details,
        )
        customer = clean(form.get("To", "")).strip()
        if code != OPTED_OUT or not _SENDER_NAME.fullmatch(customer):
            return [receipt]
        # A messaging service takes a message first and finds the STOP then.
        address = Address("sms", self.account.account, customer)
        stopped = Inbound(address, f"{sid}.{OPTED_OUT}", Event("opt_out", data="answered"))
        return [receipt, stopped]

    # -- out: https://www.twilio.com/docs/messaging/api/message-resource

    async def send(self, outbound: Outbound) -> str:
        """Send one SMS or MMS and return Twilio's id of it.

        The status callback's URL carries `outbound.id`, so that each status names it.
        """
        to = outbound.address.user
        if not (_NUMBER.fullmatch(to) or _SHORT_CODE.fullmatch(to)):
            raise AddressGone("the customer wrote under a name, which cannot be replied to")
        values = self._values(outbound.content)
        sender = (
            {"messaging_service_sid": self.account.messaging_service_sid}
            if self.account.messaging_service_sid
            else {"from_": self.account.sender}
        )
        failure: ConnectorError
        try:
            sent = await self._client.messages.create_async(
                to=to, status_callback=self._callback(outbound.id), **sender, **values
            )
            sid = sent.sid
            if isinstance(sid, str) and _SID.fullmatch(sid):
                return sid
            failure = Unsure("Twilio took the message without giving an id")
        except ConnectorError as error:
            failure = error
        except Exception as error:
            failure = Unsure(f"Twilio's answer was not understood ({type(error).__name__})")
        # Outside of the except clauses: a library's error may hold the request.
        raise failure

    def _callback(self, id: str) -> str:
        path = f"/webhooks/sms/{self.account.account}"
        return f"{self.account.public_url.rstrip('/')}{path}?ref={_write_ref(id)}"

    def _values(self, content: Content) -> dict[str, Any]:
        """Return what a request says. Raises Rejected for what Twilio would refuse."""
        if isinstance(content, Text):
            return {"body": _fits(markup.plain(content.text))}
        if isinstance(content, Media):
            return self._media(content)
        raise Rejected(f"SMS cannot send {content.kind}")

    def _media(self, media: Media) -> dict[str, Any]:
        if not _HTTP.match(media.url):
            raise Rejected("the file has no http or https link, which Twilio would get it by")
        words = markup.plain(media.caption)
        if not self.account.takes_files:
            return {"body": _fits("\n".join(filter(None, (words, media.url))))}
        values: dict[str, Any] = {"media_url": [clean(media.url)]}
        if words.strip():
            values["body"] = _fits(words)
        return values

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        """Look for a message of unknown outcome in Twilio's list of messages to the customer.

        It was taken when there is one with the same words that is not older than the
        newest known message of the conversation, and is none of the known ones. Where
        nothing is known of the conversation, one of the last day counts. Two messages with
        the same words are told apart by that order, for the outbox sends one at a time.
        """
        try:
            values = self._values(outbound.content)
            sent = await self._client.messages.list_async(
                to=outbound.address.user,
                **({} if self.account.messaging_service_sid else {"from_": self.account.sender}),
                limit=_PAGE,
                page_size=_PAGE,
            )
            ids = {id.partition(".")[0] for id in known}
            ours = [m for m in sent if m.sid not in ids and _is_ours(m, values)]
            if not ours:
                return None
            since = await self._since(known, {m.sid: m.date_created for m in sent})
            ours = [m for m in ours if m.date_created is not None and m.date_created >= since]
            return str(max(ours, key=lambda m: m.date_created).sid) if ours else None
        except ConnectorError:
            raise
        except Exception as error:
            reason = f"Twilio's list of messages was not understood ({type(error).__name__})"
        raise Unsure(reason)

    async def _since(self, known: Sequence[str], listed: Mapping[str, Any]) -> datetime:
        """Return when the newest known message of the conversation was made."""
        ids = [id.partition(".")[0] for id in known]
        dates = [listed[id] for id in ids if listed.get(id) is not None]
        # The newest of the conversation comes first, and may be the customer's.
        for id in ids[:1]:
            if id in listed or not _SID.fullmatch(id):
                continue
            try:
                made = (await self._client.messages(id).fetch_async()).date_created
            except Rejected:
                # Deleted at Twilio, as some do for privacy.
                continue
            if made is not None:
                dates.append(made)
        return max(dates) if dates else utcnow() - _LOOK_BACK

    async def fetch(self, media: Media, most: int) -> File:
        """Return a file of an MMS: https://www.twilio.com/docs/messaging/api/media-resource.

        Twilio redirects to where it keeps the bytes, which is told no credentials.
        """
        if not media.url:
            raise NoFile("the file has no URL")
        own = any(_same_origin(media.url, url) for url in (API_URL, self.account.api_url) if url)
        return await fetch(
            media.url,
            most=most,
            auth=(self.account.account_sid, self.account.auth_token) if own else None,
            trusted=self.account.api_url,
            name=media.filename,
        )

    async def identity(self) -> str:
        """Return the Twilio account's name and the sender. Raises ConnectorError.

        https://www.twilio.com/docs/iam/api/account
        """
        failure: ConnectorError
        try:
            account = await self._client.api.v2010.accounts(self.account.account_sid).fetch_async()
            name, status = clean(str(account.friendly_name or "")), account.status
            if status in (None, "active"):
                sender = self.account.messaging_service_sid or self.account.sender
                return f"{name} {sender}".strip()
            failure = ConnectorError(f"the Twilio account is {clean(str(status))}")
        except ConnectorError as error:
            failure = error
        except Exception as error:
            failure = ConnectorError(f"Twilio's answer was not understood ({type(error).__name__})")
        raise failure

    async def close(self) -> None:
        """Close the connections to Twilio."""
        await self._wire.close()


# -- reading a request


def _form(body: bytes) -> MultiDict[str]:
    """Return the fields of a form. Raises ValueError for what is none."""
    pairs = parse_qsl(
        body.decode("utf-8"), keep_blank_values=True, max_num_fields=1000, errors="strict"
    )
    return MultiDict(pairs)


def _files(form: MultiDict[str]) -> tuple[list[Media], str]:
    """Return the files of an MMS in order, and what is wrong with them, "" for nothing."""
    numbers = sorted(int(m[1]) for m in map(_MEDIA_URL.fullmatch, dict.fromkeys(form)) if m)
    files, problems = [], 0
    for n in numbers:
        url = form.get(f"MediaUrl{n}", "")
        mime = clean(form.get(f"MediaContentType{n}", "")).partition(";")[0].strip().lower()
        if mime == "application/smil":
            # How phones lay an MMS out; it holds nothing to see.
            continue
        if _HTTP.match(url):
            files.append(Media(_media_type(mime), url=clean(url), mime=mime))
        else:
            problems += 1
    count = form.get("NumMedia", "")
    said = int(count) if re.fullmatch(r"[0-9]{1,3}", count) else 0
    if problems or said > len(numbers):
        return files, f"of {max(said, len(numbers))} files {len(files)} have a URL"
    return files, ""


def _media_type(mime: str) -> MediaType:
    if mime.startswith("image/"):
        return "image"
    if mime.startswith("video/"):
        return "video"
    # A codec for speech alone: what a phone's recorder makes.
    if mime.startswith("audio/amr"):
        return "voice"
    return "audio" if mime.startswith("audio/") else "document"


def _write_ref(id: str) -> str:
    """Return an id of ours in letters that no URL needs to escape.

    Twilio has been seen to sign a query before and to send it after escaping it:
    https://github.com/twilio/twilio-node/pull/621
    """
    return base64.urlsafe_b64encode(clean(id).encode()).decode().rstrip("=")


def _read_ref(ref: str) -> str:
    """Return the id of ours in a callback, "" for what is none."""
    try:
        decoded = base64.b64decode(ref + "=" * (-len(ref) % 4), altchars="-_", validate=True)
        return clean(decoded.decode())
    except (ValueError, binascii.Error):
        return ""


# -- writing a request


def _fits(text: str) -> str:
    text = clean(text).strip()
    if not text:
        raise Rejected("the message is empty")
    if len(text) > BODY_LIMIT:
        raise Rejected(f"the message has {len(text)} characters, Twilio takes {BODY_LIMIT}")
    return text


def _is_ours(message: Any, values: Mapping[str, Any]) -> bool:
    """Tell whether a message of Twilio's list says what a request of ours did."""
    if not str(message.direction or "").startswith("outbound"):
        return False
    if (str(message.num_media or "0") != "0") != ("media_url" in values):
        return False
    said, wanted = _folded(message.body or ""), _folded(values.get("body", ""))
    # Where bodies are redacted nobody is told the words:
    # https://www.twilio.com/docs/api/errors/23006
    return said in (wanted, _folded(_TRIAL + wanted), "")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_SMART)).strip()


def _same_origin(one: str, other: str) -> bool:
    try:
        a, b = urlsplit(one), urlsplit(other)
        return (a.scheme, a.hostname, a.port) == (b.scheme, b.hostname, b.port)
    except ValueError:
        return False


class _Wire(AsyncHttpClient):
    """The transport of twilio's client: to `api_url`, every outcome a failure by our names.

    The library's own logs URLs with customers' numbers, and tells no lost answer from a
    request that never went out.
    """

    def __init__(self, account: SmsAccount) -> None:
        super().__init__(log, is_async=True)
        self._base = account.api_url.rstrip("/") or API_URL
        self._secret = account.auth_token
        # Proxies from the environment are for the way to Twilio, never for this machine.
        self._session = httpx.AsyncClient(timeout=TIMEOUT, trust_env=not is_loopback(self._base))

    async def close(self) -> None:
        await self._session.aclose()

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> TwilioResponse:
        """Do one request. Raises a ConnectorError unless Twilio answered it with an object."""
        if not url.startswith(f"{API_URL}/"):
            # Where a list's next page is, the answer says: nobody else gets the token.
            raise ConnectorError("an answer of Twilio led elsewhere")
        lost: type[ConnectorError] = Unsure if method.upper() == "POST" else RetryLater
        failure: ConnectorError
        try:
            answer = await self._session.request(
                method,
                self._base + url.removeprefix(API_URL),
                params=dict(params) if params else None,
                data=dict(data) if data else None,
                headers=dict(headers or {}),
                auth=auth,
            )
            return self._read(answer, lost)
        except ConnectorError as error:
            failure = error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as e:
            failure = RetryLater(f"Twilio could not be reached ({type(e).__name__})")
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as e:
            reason = f"the request could not be made ({type(e).__name__}); check api_url"
            failure = RetryLater(reason, OPERATOR_WAIT)
        except httpx.HTTPError as e:
            failure = lost(f"no answer came from Twilio ({type(e).__name__})")
        # Outside of the except clauses: httpx's errors hold the request with the token.
        raise failure

    def _read(self, answer: httpx.Response, lost: type[ConnectorError]) -> TwilioResponse:
        status = answer.status_code
        body = _json_object(answer.content)
        if status < 300:
            if body is None:
                raise lost("Twilio answered with what is no JSON object")
            return TwilioResponse(status, json.dumps(body), answer.headers)
        after = retry_after(answer.headers.get("retry-after", ""))
        code = str(body["code"]) if body and isinstance(body.get("code"), int) else ""
        said = clean(str(body.get("message") or "")) if body else ""
        raise self._failure(status, code, said, after, lost)

    def _failure(
        self, status: int, code: str, said: str, after: float | None, lost: type[ConnectorError]
    ) -> ConnectorError:
        """Apply the error map to an answer: https://www.twilio.com/docs/usage/twilios-response."""
        # Twilio's words may quote a customer's number, and who knows, the token.
        said = _DIGITS.sub("…", said.replace(self._secret, "***"))[:300]
        plain = REASONS.get(code) or said or "no reason given"
        reason = f"{code or status} {plain}"
        if code in FINAL:
            return FINAL[code](plain, code)
        if code in OPERATOR or status == 401:
            if status == 404 and lost is not Unsure:
                # What was asked for is not there; the account is.
                return Rejected(plain, code)
            return RetryLater(f"{reason} (operator)", after or OPERATOR_WAIT)
        if status == 429 or code in OVERLOADED:
            return RetryLater(reason, after or OVERLOADED.get(code))
        if status >= 500:
            # It may have been taken before something broke; `confirm` will tell.
            return lost(reason)
        if not code:
            # A proxy or a wrong api_url: Twilio never saw the request.
            return RetryLater(
                f"answered {status}, but not by Twilio; check api_url and proxies",
                after or OPERATOR_WAIT,
            )
        return Rejected(plain, code)


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
