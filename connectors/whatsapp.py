"""WhatsApp through Meta's Cloud API: webhooks in, the Graph API out.

pywa gives the Graph client and the shapes of buttons and list rows. Its webhook types
are not used: they read the first message of the first change alone, trust every type,
and know no business-scoped user ids.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

import httpx
from pywa_async.api import GraphAPIAsync  # type: ignore[import-untyped]
from pywa_async.types import Button, SectionRow  # type: ignore[import-untyped]

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
    MediaType,
    Outbound,
    Profile,
    Reaction,
    Receipt,
    ReceiptStatus,
    Text,
    Unsupported,
    clean,
    utcnow,
)
from connectors.base import Arrived, Capabilities, Connector, Request, Response
from connectors.errors import (
    BadSignature,
    ConnectorError,
    OptedOut,
    Rejected,
    RetryLater,
    Unreadable,
    Unsure,
    WindowClosed,
)

log = logging.getLogger(__name__)

DOCS = "https://developers.facebook.com/documentation/business-messaging/whatsapp"
GRAPH_URL = "https://graph.facebook.com"
GRAPH_VERSION = 24.0

# Seconds. Meta answers in well under one. Connecting and reading together stay under the
# outbox's own 20, so that a refused connection is known as one and not as unknown outcome.
TIMEOUT = httpx.Timeout(connect=5.0, write=5.0, read=12.0, pool=2.0)

# Text: {DOCS}/messages/text-messages. Captions: {DOCS}/messages/image-messages.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

# Buttons: {DOCS}/messages/interactive-reply-buttons-messages
BODY_LIMIT = 1024
BUTTONS = 3
BUTTON_TITLE = 20
BUTTON_ID = 256

# Lists: {DOCS}/messages/interactive-list-messages
ROWS = 10
ROW_TITLE = 24
ROW_DESCRIPTION = 72
ROW_ID = 200
# What opens the list. The connector does not know the customer's language.
LIST_BUTTON = "☰"

# {DOCS}/reference/whatsapp-business-phone-number/message-api
CALLBACK_DATA_LIMIT = 512

# {DOCS}/webhooks/reference/messages/status. A voice message played was also read. "deleted"
# and "warning" come from older versions and say nothing of the delivery.
STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}

# {DOCS}/support/error-codes, for the answer to a request. Meta asks to go by `code`,
# not by the HTTP status or the subcode.
OVERLOADED: dict[int, float | None] = {
    1: None,  # unknown, "possible server error"
    2: None,  # temporary, down or overloaded
    4: None,  # the app's hourly calls
    80007: None,  # the WhatsApp Business Account's calls
    130429: None,  # the phone number's throughput
    131000: None,  # something went wrong
    131016: None,  # service unavailable
    131048: None,  # too many earlier messages were blocked or flagged as spam
    131056: 6.0,  # pair rate: one message every 6 seconds to the same user
    131057: None,  # the account is in maintenance, as for a throughput upgrade
    133004: None,  # server temporarily unavailable
}
# The account is at fault, not the message: messages wait until an operator has put it
# right, for a rotated token or an unpaid bill must not drop what customers are owed.
OPERATOR: dict[int, str] = {
    0: "the token is not valid (expired, or the app was blocked); set a new one",
    3: "the token's app lacks the capability or permission",
    10: "the token's permission was not granted or was removed",
    33: "this business phone number does not exist any more; check phone_id",
    190: "the token has expired; set a new one",
    368: "the account is blocked for a policy violation, see WhatsApp Manager",
    131005: "the token's permission was not granted or was removed",
    131031: "the account is locked, see WhatsApp Manager",
    131037: "the phone number's display name is not approved yet",
    131042: "the account has a payment problem, see Meta Business billing",
    131045: "the phone number is not registered correctly",
    133010: "the phone number is not registered",
    **{code: "the token lacks a permission or it was removed" for code in range(200, 300)},
}
OPERATOR_WAIT = 60.0
# Code 100 with this subcode: the phone number id is unknown or not the token's.
# https://developers.facebook.com/docs/graph-api/guides/error-handling
UNKNOWN_OBJECT = (100, 33)
# 131026, undeliverable, is not AddressGone: its page names, beside a number without
# WhatsApp, old app versions and terms not yet accepted, and all of these pass.
FINAL: dict[int, type[Rejected]] = {
    131047: WindowClosed,  # over 24 hours since the customer last wrote
    131050: OptedOut,  # the customer stopped marketing messages
}

# `from` is the wa_id, a phone number in digits. Customers with a username may come with
# a business-scoped user id alone: two letters of country, a period, letters and digits.
# {DOCS}/business-scoped-user-ids
_PHONE = re.compile(r"[0-9]{1,20}")
_SCOPED = re.compile(r"[A-Za-z]{2}\.[A-Za-z0-9.]{1,140}")
_ID = re.compile(r"[!-~]{1,512}")
_SIGNATURE = re.compile(r"sha256=([0-9A-Fa-f]{64})")
_SECONDS = re.compile(r"[0-9]{1,13}")
_LINK = re.compile(r"https?://\S", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class WhatsAppAccount:
    """One business phone number.

    `phone_id` is Meta's id of it, not the number. `token` is a system user's access
    token, `app_secret` the app's (it signs the webhooks), `verify_token` the word
    agreed on for the handshake. `api_url` replaces https://graph.facebook.com.
    """

    account: str
    phone_id: str
    token: str = field(repr=False, metadata={"secret": True})
    app_secret: str = field(repr=False, metadata={"secret": True})
    verify_token: str = field(repr=False, metadata={"secret": True})
    api_url: str = ""


class WhatsApp(Connector):
    """One phone number of the WhatsApp Cloud API."""

    channel: ClassVar[str] = "whatsapp"
    Account: ClassVar[type] = WhatsAppAccount
    capabilities: ClassVar[Capabilities] = Capabilities(
        kinds_in=frozenset(
            {
                "text",
                "choice",
                "media",
                "location",
                "contact",
                "reaction",
                "edit",
                "deletion",
                "event",
                "unsupported",
            }
        ),
        kinds_out=frozenset({"text", "choices", "media", "location", "contact", "reaction"}),
        text_limit=TEXT_LIMIT,
        text_unit="characters",
        caption_limit=CAPTION_LIMIT,
        buttons=BUTTONS,
        button_title=BUTTON_TITLE,
        # A button takes 256, a list row 200: what fits both can be sent as either.
        payload_limit=ROW_ID,
        # {DOCS}/throughput
        rate=80.0,
        grace=20.0,
        # {DOCS}/messages/send-messages#customer-service-windows
        window_hours=24.0,
        list_rows=ROWS,
        choices_text_limit=BODY_LIMIT,
    )

    def __init__(self, account: WhatsAppAccount) -> None:
        super().__init__(account)
        self._graph = _Graph(account.token, account.api_url)

    async def handshake(self, request: Request) -> Response:
        """Answer Meta's verification of the webhook URL: 200 with the challenge, else 403.

        https://developers.facebook.com/docs/graph-api/webhooks/getting-started
        """
        query = request.query
        wanted = self.account.verify_token.encode("utf-8", "surrogatepass")
        given = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
        proven = bool(wanted) and hmac.compare_digest(wanted, given)
        if not (proven and query.get("hub.mode") == "subscribe" and query.get("hub.challenge")):
            return Response(403, "the verification token does not match")
        return Response(200, query["hub.challenge"])

    async def receive(self, request: Request) -> list[Arrived]:
        """Verify the signature, then read every message and status of every change.

        Changes of other phone numbers, groups, and fields other than ``messages`` are
        left out. When an item is malformed, Unreadable carries all others in `parsed`,
        and for a malformed message whose id and sender are known an ``Unsupported``
        with the type ``malformed:<type>``, so that its customer is not left in silence.
        Raises BadSignature, Unreadable.
        """
        self._verify(request)
        try:
            body = json.loads(request.body.decode("utf-8"))
        except (ValueError, RecursionError):
            # A ValueError's text may quote the body.
            raise Unreadable("the body is not JSON in UTF-8") from None
        batch = _Batch(self.account.account, self.account.phone_id)
        batch.read(body)
        if batch.problems:
            more = len(batch.problems) - 5
            shown = "; ".join(batch.problems[:5]) + (f"; and {more} more" if more > 0 else "")
            raise Unreadable(shown, batch.parsed)
        return batch.parsed

    def _verify(self, request: Request) -> None:
        """Check ``X-Hub-Signature-256``: an HMAC of the body's very bytes.

        https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
        """
        if not self.account.app_secret:
            raise BadSignature("app_secret is not set, so no request can be verified")
        found = _SIGNATURE.fullmatch(request.headers.get("x-hub-signature-256", ""))
        if found is None:
            raise BadSignature("X-Hub-Signature-256 is missing or malformed")
        if not hmac.compare_digest(self._digest(request.body), bytes.fromhex(found.group(1))):
            raise BadSignature("X-Hub-Signature-256 does not match the body")

    def _digest(self, body: bytes) -> bytes:
        return hmac.new(self.account.app_secret.encode("utf-8"), body, hashlib.sha256).digest()

    def vouch(self, request: Request) -> Request:
        """Return `request` signed anew with the present app_secret."""
        signature = f"sha256={self._digest(request.body).hex()}"
        return replace(request, headers={**request.headers, "x-hub-signature-256": signature})

    async def send(self, outbound: Outbound) -> str:
        """Send one message and return its wamid.

        `outbound.id` goes along as ``biz_opaque_callback_data``, which every status of
        the message carries back.
        """
        if len(outbound.id) > CALLBACK_DATA_LIMIT:
            raise Rejected(f"the message's id has over {CALLBACK_DATA_LIMIT} characters")
        if not _is_user(outbound.address.user):
            raise Rejected("the address is neither a phone number in digits nor a user id")
        kind, body = _request(outbound.content)
        answer = await self._graph.send_message(
            sender=self.account.phone_id,
            to=outbound.address.user,
            typ=kind,
            msg=body,
            biz_opaque_callback_data=outbound.id,
        )
        messages = answer.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        wamid = first.get("id") if isinstance(first, dict) else None
        if not isinstance(wamid, str) or not wamid:
            raise Unsure("Meta answered 200 without a message id")
        return wamid

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        """Return None: a message still unknown after `capabilities.grace` was not taken.

        Meta has no look-up of sent messages. But a message that was taken gets a ``sent``
        status within seconds (or ``failed``), even when the customer's phone is off, and
        each status names our id in ``biz_opaque_callback_data``. Such a receipt settles
        the message before this is asked.

        The limit: if Meta's webhooks are late by more than the grace, or do not reach us
        at all in that time, a message that was taken is sent a second time.
        """
        return None

    async def identity(self) -> str:
        """Return the verified name and the number. Raises ConnectorError.

        https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account-to-number-current-status
        """
        answer = await self._graph.get_business_phone_number(
            self.account.phone_id, fields=("display_phone_number", "verified_name")
        )
        parts = [answer.get("verified_name"), answer.get("display_phone_number")]
        found = " ".join(clean(p) for p in parts if isinstance(p, str) and p)
        if not found:
            raise ConnectorError("Meta answered 200 without the number's name; check api_url")
        return found

    async def close(self) -> None:
        """Close the connections to Meta."""
        await self._graph.close()


# --- in: {DOCS}/webhooks/reference/messages and the pages below it ---


class _Malformed(Exception):
    """An item is not as documented. The text says where, never what was found there."""


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Malformed(f"{what} is not an object")
    return value


def _items(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Malformed(f"{what} is not an array")
    return value


def _string(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    if not isinstance(value, str):
        raise _Malformed(f"{key} is not a string")
    return clean(value)


def _optional(holder: Mapping[str, Any], key: str) -> str:
    return "" if holder.get(key) is None else _string(holder, key)


def _degrees(holder: Mapping[str, Any], key: str, most: float) -> float:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Malformed(f"{key} is not a number")
    if not -most <= value <= most:
        raise _Malformed(f"{key} is out of range")
    return float(value)


def _is_user(value: Any) -> bool:
    return isinstance(value, str) and bool(_PHONE.fullmatch(value) or _SCOPED.fullmatch(value))


def _time(value: Any) -> datetime | None:
    """Read a Unix time in seconds, as a string; None for what cannot be one.

    A message is not lost over its clock: then the time of arrival is taken.
    """
    text = str(value) if isinstance(value, int) and value is not True else value
    if not isinstance(text, str) or not _SECONDS.fullmatch(text):
        return None
    seconds = int(text)
    if seconds >= 1_000_000_000_000:
        # Meta has been seen to send milliseconds.
        seconds //= 1000
    at = _EPOCH + timedelta(seconds=seconds)
    # A time in the far future would hold the reply window open for ever.
    return at if at <= utcnow() + timedelta(days=1) else None


def _text(message: dict[str, Any]) -> Content:
    return Text(_string(_object(message.get("text"), "text"), "body"))


def _of(message: dict[str, Any]) -> str:
    context = message.get("context")
    return "" if context is None else _optional(_object(context, "context"), "id")


def _interactive(message: dict[str, Any]) -> Content:
    interactive = _object(message.get("interactive"), "interactive")
    kind = _string(interactive, "type")
    if kind not in ("button_reply", "list_reply"):
        return Unsupported(kind[:64])
    reply = _object(interactive.get(kind), kind)
    return Choice(_string(reply, "id"), _optional(reply, "title"), _of(message))


def _button(message: dict[str, Any]) -> Content:
    button = _object(message.get("button"), "button")
    title = _optional(button, "text")
    payload = _optional(button, "payload") or title
    if not payload:
        raise _Malformed("button has neither payload nor text")
    return Choice(payload, title, _of(message))


def _media(kind: MediaType) -> Callable[[dict[str, Any]], Content]:
    def read(message: dict[str, Any]) -> Content:
        word = "audio" if kind == "voice" and "voice" not in message else kind
        media = _object(message.get(word), word)
        return Media(
            # A voice note is an audio with a flag.
            "voice" if kind == "audio" and media.get("voice") is True else kind,
            ref=_string(media, "id"),
            mime=_optional(media, "mime_type"),
            caption=_optional(media, "caption"),
            filename=_optional(media, "filename"),
        )

    return read


def _location(message: dict[str, Any]) -> Content:
    place = _object(message.get("location"), "location")
    return Location(
        _degrees(place, "latitude", 90.0),
        _degrees(place, "longitude", 180.0),
        _optional(place, "name"),
        _optional(place, "address"),
    )


def _contacts(message: dict[str, Any]) -> Content:
    """Read contact cards. Several sent as one message become one card with all of them.

    One message gets one answer, not one for each card.
    """
    names: list[str] = []
    phones: list[str] = []
    emails: list[str] = []
    for item in _items(message.get("contacts"), "contacts"):
        card = _object(item, "contact")
        name = _object(card.get("name") or {}, "name")
        parts = (_optional(name, "first_name"), _optional(name, "last_name"))
        names.append(_optional(name, "formatted_name") or " ".join(filter(None, parts)))
        for phone in _items(card.get("phones") or [], "phones"):
            found = _object(phone, "phone")
            phones.append(_optional(found, "phone") or _optional(found, "wa_id"))
        for email in _items(card.get("emails") or [], "emails"):
            emails.append(_optional(_object(email, "email"), "email"))
    return Contact(
        ", ".join(filter(None, names)), tuple(filter(None, phones)), tuple(filter(None, emails))
    )


def _reaction(message: dict[str, Any]) -> Content:
    reaction = _object(message.get("reaction"), "reaction")
    emoji = _optional(reaction, "emoji")
    return Reaction(_string(reaction, "message_id"), emoji, removed=not emoji)


def _edit(message: dict[str, Any]) -> Content:
    edit = _object(message.get("edit"), "edit")
    changed = _object(edit.get("message"), "message")
    kind = _string(changed, "type")
    part = _object(changed.get(kind), kind[:64])
    text = _string(part, "body") if kind == "text" else _optional(part, "caption")
    return Edit(_string(edit, "original_message_id"), text)


def _revoke(message: dict[str, Any]) -> Content:
    revoke = _object(message.get("revoke"), "revoke")
    return Deletion(_string(revoke, "original_message_id"))


def _unsupported(message: dict[str, Any]) -> Content:
    """Read what Meta cannot pass on; newer webhooks name the kind, as ``poll_creation``."""
    inner = message.get("unsupported")
    word = inner.get("type") if isinstance(inner, dict) else None
    return Unsupported(clean(word)[:64] if isinstance(word, str) and word else "unsupported")


_READERS: dict[str, Callable[[dict[str, Any]], Content]] = {
    "text": _text,
    "interactive": _interactive,
    "button": _button,
    "image": _media("image"),
    "audio": _media("audio"),
    "voice": _media("voice"),
    "video": _media("video"),
    "document": _media("document"),
    "sticker": _media("sticker"),
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    # The customer opened the chat for the first time.
    "request_welcome": lambda message: Event("start"),
    "unsupported": _unsupported,
}


class _Batch:
    """What one webhook request holds: `parsed` in its order, and `problems` for people."""

    def __init__(self, account: str, phone_id: str) -> None:
        self._account = account
        self._phone_id = phone_id
        self._seen: set[str] = set()
        self.parsed: list[Arrived] = []
        self.problems: list[str] = []

    def read(self, body: Any) -> None:
        if not isinstance(body, dict) or body.get("object") != "whatsapp_business_account":
            self.problems.append("object is not whatsapp_business_account")
            return
        self._each(body.get("entry"), "entry", self._entry)

    def _each(self, value: Any, where: str, read: Callable[[Any, str], None]) -> None:
        """Read each item of an array; a malformed one is noted and does not stop the rest."""
        if not isinstance(value, list):
            self.problems.append(f"{where} is not an array")
            return
        for number, item in enumerate(value):
            try:
                read(item, f"{where} {number}")
            except _Malformed as malformed:
                self.problems.append(f"{where} {number}: {malformed}")

    def _entry(self, item: Any, where: str) -> None:
        entry = _object(item, "it")
        self._each(entry.get("changes"), f"{where}, change", self._change)

    def _change(self, item: Any, where: str) -> None:
        change = _object(item, "it")
        # Meta sends whatever else the app is subscribed to (reviews of templates, echoes,
        # history, calls) to the same URL.
        if _string(change, "field") != "messages":
            return
        value = _object(change.get("value"), "value")
        phone_id = _object(value.get("metadata"), "metadata").get("phone_number_id")
        if not isinstance(phone_id, (str, int)):
            raise _Malformed("phone_number_id is not a string")
        if str(phone_id) != self._phone_id:
            return
        profiles = _profiles(value.get("contacts"))
        if value.get("messages") is not None:
            self._each(
                value["messages"],
                f"{where}, message",
                lambda message, at: self._message(message, at, profiles),
            )
        if value.get("statuses") is not None:
            self._each(value["statuses"], f"{where}, status", self._status)
        if value.get("errors"):
            # Of the account, not of a message: nobody to answer, but an operator to tell.
            log.warning("whatsapp:%s: Meta reports %s", self._account, _reason(value["errors"]))

    def _message(self, item: Any, where: str, profiles: dict[str, Profile]) -> None:
        message = _object(item, "it")
        if message.get("group_id"):
            return
        provider_id = message.get("id")
        if not isinstance(provider_id, str) or not _ID.fullmatch(provider_id):
            raise _Malformed("no usable id")
        user = message.get("from") or message.get("from_user_id")
        if not isinstance(user, str) or not _is_user(user):
            raise _Malformed("no usable sender")
        word = message.get("type")
        kind = clean(word)[:64] if isinstance(word, str) and word else "unknown"
        content: Content
        try:
            if kind == "unknown" and word != "unknown":
                raise _Malformed("type is not a string")
            content = _READERS[kind](message) if kind in _READERS else Unsupported(kind)
        except _Malformed as malformed:
            self.problems.append(f"{where} ({kind}): {malformed}")
            content = Unsupported(f"malformed:{kind}")
            # The message's own id stays free, so that a replay of the dead letter after
            # the fix is not taken for a redelivery.
            provider_id = f"malformed:{provider_id}"
        if provider_id in self._seen:
            return
        self._seen.add(provider_id)
        sent = _time(message.get("timestamp"))
        self.parsed.append(
            Inbound(
                Address("whatsapp", self._account, user),
                provider_id,
                content,
                sent=sent or utcnow(),
                order=int((sent - _EPOCH).total_seconds()) if sent else 0,
                profile=profiles.get(user, Profile()),
            )
        )

    def _status(self, item: Any, where: str) -> None:
        status = _object(item, "it")
        word = _string(status, "status")
        if status.get("recipient_type") == "group":
            return
        if word not in STATUSES:
            log.debug("whatsapp:%s: a status that is no receipt is left out", self._account)
            return
        provider_id = _string(status, "id")
        if not provider_id:
            raise _Malformed("no usable id")
        self.parsed.append(
            Receipt(
                "whatsapp",
                self._account,
                provider_id,
                STATUSES[word],
                at=_time(status.get("timestamp")) or utcnow(),
                ref=_optional(status, "biz_opaque_callback_data"),
                reason=_reason(status.get("errors")),
            )
        )


def _profiles(contacts: Any) -> dict[str, Profile]:
    """Return the profiles by wa_id and by business-scoped user id; never an obstacle."""
    found: dict[str, Profile] = {}
    for contact in contacts if isinstance(contacts, list) else ():
        profile = contact.get("profile") if isinstance(contact, dict) else None
        if not isinstance(profile, dict):
            continue
        name, username = profile.get("name"), profile.get("username")
        known = Profile(
            name=clean(name) if isinstance(name, str) else "",
            username=clean(username) if isinstance(username, str) else "",
        )
        for key in ("wa_id", "user_id"):
            if isinstance(contact.get(key), str):
                found[contact[key]] = known
    return found


def _reason(errors: Any) -> str:
    """Return webhook errors as ``code title: details``; "" without any."""
    lines = []
    for error in errors if isinstance(errors, list) else ():
        if not isinstance(error, dict):
            continue
        title = error.get("title") or error.get("message")
        data = error.get("error_data")
        details = data.get("details") if isinstance(data, dict) else None
        line = " ".join(str(part) for part in (error.get("code"), title) if part is not None)
        lines.append(f"{line}: {details}" if details and details != title else line)
    return clean("; ".join(lines))[:500]


# --- out: {DOCS}/messages/send-messages ---


def _fits(text: str, limit: int, what: str) -> str:
    """Return `text` cleaned; raises Rejected when it is empty or longer than `limit`."""
    text = clean(text)
    if not text.strip():
        raise Rejected(f"{what} is empty")
    if len(text) > limit:
        raise Rejected(f"{what} has {len(text)} characters, WhatsApp takes {limit}")
    return text


def _request(content: Content) -> tuple[str, Any]:
    """Return the type and the body of a request. Raises Rejected for what Meta would refuse."""
    if isinstance(content, Text):
        text = _fits(content.text, TEXT_LIMIT, "the text")
        return "text", {"body": text, "preview_url": bool(_LINK.search(text))}
    if isinstance(content, Choices):
        return "interactive", _choices_request(content)
    if isinstance(content, Media):
        return _media_request(content)
    if isinstance(content, Location):
        return "location", _location_request(content)
    if isinstance(content, Contact):
        name = _fits(content.name or ", ".join(content.phones), TEXT_LIMIT, "the contact's name")
        card: dict[str, Any] = {"name": {"formatted_name": name, "first_name": name}}
        if content.phones:
            card["phones"] = [{"phone": clean(phone)} for phone in content.phones]
        if content.emails:
            card["emails"] = [{"email": clean(email)} for email in content.emails]
        return "contacts", [card]
    if isinstance(content, Reaction):
        emoji = "" if content.removed else clean(content.emoji)
        of = _fits(content.of, CALLBACK_DATA_LIMIT, "the id of the message reacted to")
        return "reaction", {"message_id": of, "emoji": emoji}
    raise Rejected(f"WhatsApp cannot send {content.kind}")


def _choices_request(choices: Choices) -> dict[str, Any]:
    body = {"text": _fits(choices.text, BODY_LIMIT, "the question")}
    options = choices.options
    if not options or len(options) > ROWS:
        raise Rejected(f"{len(options)} options, WhatsApp takes 1 to {ROWS}")
    native = len(options) <= BUTTONS
    title_limit, id_limit = (BUTTON_TITLE, BUTTON_ID) if native else (ROW_TITLE, ROW_ID)
    titles = [_fits(o.title, title_limit, "an option's title") for o in options]
    ids = [_fits(o.payload, id_limit, "an option's payload") for o in options]
    if any(i != i.strip() for i in ids):
        raise Rejected("an option's payload begins or ends with a space")
    if len(set(ids)) < len(ids) or (native and len(set(titles)) < len(titles)):
        raise Rejected("two options are alike, WhatsApp wants each to be different")
    pairs = zip(titles, ids, strict=True)
    if native:
        buttons = [Button(title, payload).to_dict() for title, payload in pairs]
        return {"type": "button", "body": body, "action": {"buttons": buttons}}
    rows = []
    for (title, payload), option in zip(pairs, options, strict=True):
        about = clean(option.description)
        if len(about) > ROW_DESCRIPTION:
            raise Rejected(
                f"an option's description has {len(about)} characters, "
                f"WhatsApp takes {ROW_DESCRIPTION}"
            )
        rows.append(SectionRow(title, payload, about or None).to_dict())
    # pywa's Section always has a title, but a single section needs none.
    action = {"button": LIST_BUTTON, "sections": [{"rows": rows}]}
    return {"type": "list", "body": body, "action": action}


def _media_request(media: Media) -> tuple[str, dict[str, Any]]:
    kind = "audio" if media.type == "voice" else media.type
    body: dict[str, Any]
    if media.url:
        if not _LINK.match(media.url):
            raise Rejected("the media's address is no http or https link")
        body = {"link": clean(media.url)}
    elif media.ref:
        body = {"id": clean(media.ref)}
    else:
        raise Rejected("the media has neither a link nor an id")
    if media.type == "voice":
        body["voice"] = True
    if media.caption:
        if kind in ("audio", "sticker"):
            raise Rejected(f"WhatsApp shows no caption with {kind}")
        body["caption"] = _fits(media.caption, CAPTION_LIMIT, "the caption")
    if kind == "document" and media.filename:
        body["filename"] = clean(media.filename)
    return kind, body


def _location_request(place: Location) -> dict[str, Any]:
    if not (-90.0 <= place.latitude <= 90.0 and -180.0 <= place.longitude <= 180.0):
        raise Rejected("the location is not on Earth")
    body: dict[str, Any] = {"latitude": place.latitude, "longitude": place.longitude}
    if place.name:
        body["name"] = clean(place.name)
    if place.address:
        body["address"] = clean(place.address)
    return body


class _Graph(GraphAPIAsync):
    """pywa's client of the Graph API, with every outcome as one of our named failures.

    pywa's own `_make_request` logs message texts, and fails with KeyError or ValueError
    on an error that is not Graph's (a proxy's page, a gateway timeout).
    """

    def __init__(self, token: str, api_url: str) -> None:
        # Proxies from the environment are for the way to Meta, never for this machine.
        session = httpx.AsyncClient(timeout=TIMEOUT, trust_env=not _is_loopback(api_url))
        super().__init__(token=token, session=session, api_version=GRAPH_VERSION)
        if api_url:
            session.base_url = f"{api_url.rstrip('/')}/v{GRAPH_VERSION}"
        self._token = token

    async def close(self) -> None:
        await self._session.aclose()

    async def _make_request(
        self, method: str, endpoint: str, log_kwargs: bool = True, **kwargs: Any
    ) -> dict[str, Any]:
        body = kwargs.get("json")
        if isinstance(body, dict) and "to" in body and not _PHONE.fullmatch(body["to"]):
            # pywa knows phone numbers alone; a business-scoped user id goes in `recipient`.
            body["recipient"] = body.pop("to")
        try:
            answer = await self._session.request(method=method, url=endpoint, **kwargs)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as e:
            raise RetryLater(f"Meta could not be reached ({type(e).__name__})") from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as e:
            # Its text may quote the Authorization header.
            reason = f"the request could not be made ({type(e).__name__}); check token and api_url"
            raise RetryLater(reason, OPERATOR_WAIT) from None
        except httpx.HTTPError as e:
            raise Unsure(f"no answer came from Meta ({type(e).__name__})") from None
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        """Return the answer of a success; raises a named failure for all else."""
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        error = body.get("error") if isinstance(body, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        status = answer.status_code
        if isinstance(error, dict) and isinstance(code, int) and status not in (502, 504):
            self._fail(answer, code, error)
        if status < 300:
            if isinstance(body, dict):
                return body
            raise Unsure("Meta answered 200 with what is not JSON")
        after = _retry_after(answer)
        if status in (408, 429, 503):
            raise RetryLater(f"Meta answered {status}", after)
        if status >= 500:
            # From a gateway in front of Graph, which may have passed the message on.
            raise Unsure(f"Meta answered {status} without saying what became of the message")
        raise RetryLater(
            f"answered {status}, but not by the Graph API; check api_url and proxies",
            after or OPERATOR_WAIT,
        )

    def _fail(self, answer: httpx.Response, code: int, error: dict[str, Any]) -> NoReturn:
        reason = self._explain(code, error)
        after = _retry_after(answer)
        operator = OPERATOR.get(code)
        if (code, error.get("error_subcode")) == UNKNOWN_OBJECT:
            operator = OPERATOR[33]
        elif operator is None and answer.status_code == 401:
            operator = OPERATOR[190]
        if operator is not None:
            raise RetryLater(f"{operator}: {reason}", after or OPERATOR_WAIT)
        if code in OVERLOADED:
            raise RetryLater(reason, after or OVERLOADED[code])
        if code in FINAL:
            raise FINAL[code](reason, str(code))
        status = answer.status_code
        if status == 429 or status >= 500 or error.get("is_transient") is True:
            raise RetryLater(reason, after)
        raise Rejected(reason, str(code))

    def _explain(self, code: int, error: dict[str, Any]) -> str:
        """Return ``code message: details``, without the token, which Meta may quote."""
        data = error.get("error_data")
        details = data.get("details") if isinstance(data, dict) else None
        text = f"{code} {error.get('message', '')}" + (f": {details}" if details else "")
        return clean(text).replace(self._token or "\0", "***")[:500]


def _retry_after(answer: httpx.Response) -> float | None:
    """Read ``Retry-After``, seconds or a date (RFC 9110, 10.2.3); None when there is none.

    At most a day: nobody is served by waiting longer.
    """
    value = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        seconds = float(value)
    else:
        try:
            at = parsedate_to_datetime(value)
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=timezone.utc)
        seconds = max(0.0, math.ceil((at - utcnow()).total_seconds()))
    return min(seconds, 86400.0)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
