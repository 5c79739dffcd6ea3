"""Reads WhatsApp's webhooks: every entry, change, message and status of a request.

pywa's webhook types are not used: they read the first message of the first change
alone, trust every type, and know no business-scoped user ids. The pages are those below
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
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
    MediaType,
    Order,
    OrderItem,
    Profile,
    Reaction,
    Receipt,
    ReceiptStatus,
    Referral,
    Text,
    Unsupported,
    clean,
    utcnow,
)
from connectors import whatsapp_notices
from connectors.base import Arrived

log = logging.getLogger(__name__)

# messages/status. A voice message played was also read. "deleted" and "warning" come from
# older versions and say nothing of the delivery.
STATUSES: dict[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}

# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
# Why a message that was taken failed later, where Meta's own title leaves people guessing.
REASONS: dict[int, str] = {
    130472: "Meta withheld this marketing message: the customer is part of an experiment",
    131026: "it cannot be delivered: no WhatsApp at this number, an old app, or terms not accepted",
    131042: "the account has a payment problem, see Meta Business billing",
    131047: "more than 24 hours have passed since the customer last wrote",
    131048: "too many messages of this number were blocked or reported as spam",
    131049: "Meta withheld this marketing message: the customer gets too many of them",
    131050: "the customer stopped marketing messages",
    131052: "the customer's file could not be downloaded",
    131053: "the file could not be uploaded: its type or size is not supported",
    131056: "too many messages to this customer in a short time",
    132015: "the template is paused for low quality",
    132016: "the template is disabled for low quality",
}

# messages/system. The second word of each is what older versions of the API say.
MOVED = ("user_changed_number", "customer_changed_number", "user_changed_user_id")

# user_preferences
PREFERENCES = {"stop": "opt_out", "resume": "opt_in"}

# What `provider_id` begins with where Meta gives no message id of that name.
MALFORMED, PREFERENCE = "malformed:", "preference:"

# `from` is the wa_id, a phone number in digits. Customers with a username may come with
# a business-scoped user id alone: two letters of country, a period, letters and digits.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
PHONE = re.compile(r"[0-9]{1,20}")
_SCOPED = re.compile(r"[A-Za-z]{2}\.[A-Za-z0-9.]{1,140}")
_ID = re.compile(r"[!-~]{1,512}")
_SECONDS = re.compile(r"[0-9]{1,13}")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MOST_OF_ONE = 10**6
_HIGHEST_PRICE = 10**12
_WORD_LIMIT = 64
_FLOW_LIMIT = 4000
_NOBODY = Profile()


class Malformed(Exception):
    """An item is not as documented. The text says where, never what was found there."""


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    return value


def _items(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed(f"{what} is not an array")
    return value


def _string(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    if not isinstance(value, str):
        raise Malformed(f"{key} is not a string")
    return clean(value)


def _optional(holder: Mapping[str, Any], key: str) -> str:
    return "" if holder.get(key) is None else _string(holder, key)


def _loose(holder: Mapping[str, Any], key: str, limit: int = 2000) -> str:
    """Return a text that no message is to be lost over: "" when it is none."""
    value = holder.get(key)
    return clean(value)[:limit] if isinstance(value, str) else ""


def _number(holder: Mapping[str, Any], key: str, least: float, most: float) -> float:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed(f"{key} is not a number")
    if not least <= value <= most:
        raise Malformed(f"{key} is out of range")
    return value


def is_user(value: Any) -> bool:
    """Tell whether this can be the user part of an address."""
    return isinstance(value, str) and bool(PHONE.fullmatch(value) or _SCOPED.fullmatch(value))


def _time(value: Any) -> datetime | None:
    """Read a Unix time in seconds, as a string or number; None for what cannot be one.

    A message is not lost over its clock: then the time of arrival is taken.
    """
    whole = isinstance(value, int) and value is not True
    text = str(value) if whole and abs(value) < 10**13 else value
    if not isinstance(text, str) or not _SECONDS.fullmatch(text):
        return None
    seconds = int(text)
    if seconds >= 1_000_000_000_000:
        # Meta has been seen to send milliseconds.
        seconds //= 1000
    at = _EPOCH + timedelta(seconds=seconds)
    # A time in the far future would hold the reply window open for ever.
    return at if at <= utcnow() + timedelta(days=1) else None


# --- messages, one reader a type: messages/text, messages/image, … ---


def _text(message: dict[str, Any]) -> Content:
    return Text(_string(_object(message.get("text"), "text"), "body"))


def _of(message: dict[str, Any]) -> str:
    context = message.get("context")
    return "" if context is None else _optional(_object(context, "context"), "id")


def _interactive(message: dict[str, Any]) -> Content:
    interactive = _object(message.get("interactive"), "interactive")
    kind = _string(interactive, "type")
    if kind == "nfm_reply":
        return _flow(_object(interactive.get(kind), kind))
    if kind not in ("button_reply", "list_reply"):
        return Unsupported(kind[:_WORD_LIMIT])
    reply = _object(interactive.get(kind), kind)
    return Choice(_string(reply, "id"), _optional(reply, "title"), _of(message))


def _flow(reply: dict[str, Any]) -> Content:
    """Read a filled-in form (a flow, an address) as lines of ``field: value``.

    Forms are built in Meta's own editor and sent by templates; whoever answers, bot or
    agent, is to see what the customer entered. The token names our side of it, not theirs.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/reference/responsemsgwebhook
    """
    lines = []
    try:
        entered = json.loads(_optional(reply, "response_json") or "{}")
        for key, value in _object(entered, "response_json").items():
            if key != "flow_token" and value not in (None, "", [], {}):
                lines.append(f"{key}: {value if isinstance(value, str) else json.dumps(value)}")
    except (ValueError, RecursionError):
        raise Malformed("response_json is not JSON") from None
    text = clean("\n".join(lines))[:_FLOW_LIMIT]
    return Text(text) if text.strip() else Unsupported("nfm_reply")


def _button(message: dict[str, Any]) -> Content:
    button = _object(message.get("button"), "button")
    title = _optional(button, "text")
    payload = _optional(button, "payload") or title
    if not payload:
        raise Malformed("button has neither payload nor text")
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
        float(_number(place, "latitude", -90.0, 90.0)),
        float(_number(place, "longitude", -180.0, 180.0)),
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
    given = tuple(filter(None, phones))
    # Meta vouches for `from`, not for what stands on a card.
    own = len(given) == 1 and re.sub(r"\D", "", given[0]) == message.get("from")
    return Contact(", ".join(filter(None, names)), given, tuple(filter(None, emails)), own)


def _reaction(message: dict[str, Any]) -> Content:
    reaction = _object(message.get("reaction"), "reaction")
    emoji = _optional(reaction, "emoji")
    return Reaction(_string(reaction, "message_id"), emoji, removed=not emoji)


def _edit(message: dict[str, Any]) -> Content:
    edit = _object(message.get("edit"), "edit")
    changed = _object(edit.get("message"), "message")
    kind = _string(changed, "type")
    part = _object(changed.get(kind), kind[:_WORD_LIMIT])
    text = _string(part, "body") if kind == "text" else _optional(part, "caption")
    return Edit(_string(edit, "original_message_id"), text)


def _revoke(message: dict[str, Any]) -> Content:
    revoke = _object(message.get("revoke"), "revoke")
    return Deletion(_string(revoke, "original_message_id"))


def _order(message: dict[str, Any]) -> Content:
    order = _object(message.get("order"), "order")
    items = []
    for item in _items(order.get("product_items"), "product_items"):
        line = _object(item, "product item")
        quantity = _number(line, "quantity", 1, _MOST_OF_ONE)
        if quantity != int(quantity):
            raise Malformed("quantity is not whole")
        items.append(
            OrderItem(
                _string(line, "product_retailer_id"),
                int(quantity),
                _price(line),
                _optional(line, "currency"),
            )
        )
    return Order(tuple(items), _optional(order, "catalog_id"), _optional(order, "text"))


def _price(line: dict[str, Any]) -> str:
    """Return a price with two decimals at least; some currencies have three."""
    if line.get("item_price") is None:
        return ""
    price = Decimal(str(_number(line, "item_price", 0, _HIGHEST_PRICE)))
    exponent = price.as_tuple().exponent
    few = isinstance(exponent, int) and exponent > -2
    return f"{price:.2f}" if few else f"{price:f}"


def _unsupported(message: dict[str, Any]) -> Content:
    """Read what Meta cannot pass on; newer webhooks name the kind, as ``poll_creation``."""
    inner = message.get("unsupported")
    word = _loose(inner, "type", _WORD_LIMIT) if isinstance(inner, dict) else ""
    return Unsupported(word or "unsupported")


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
    "order": _order,
    # The customer opened the chat for the first time.
    "request_welcome": lambda message: Event("start"),
    "unsupported": _unsupported,
}


def _moved(message: dict[str, Any]) -> tuple[str, Event] | None:
    """Return the old user part and the event of a changed number or id.

    None for system messages that nobody answers (a changed identity key). A changed
    number is told with both numbers; where they are not shared, with both ids.
    """
    system = _object(message.get("system"), "system")
    if _string(system, "type") not in MOVED:
        return None
    pairs = (
        (message.get("from"), system.get("new_wa_id") or system.get("wa_id")),
        (system.get("previous_user_id") or message.get("from_user_id"), system.get("user_id")),
    )
    for old, new in pairs:
        if isinstance(old, str) and isinstance(new, str) and is_user(old) and is_user(new):
            return None if old == new else (old, Event("moved", new))
    raise Malformed("neither the numbers nor the ids are told")


def _reply_to(message: dict[str, Any], content: Content) -> str:
    """Return what the message quotes. A choice names its question itself, see `Choice.of`."""
    context = message.get("context")
    of = context.get("id") if isinstance(context, dict) else None
    if isinstance(content, Choice) or not isinstance(of, str) or not _ID.fullmatch(of):
        return ""
    return of


def _referral(message: dict[str, Any]) -> Referral | None:
    """Return the advertisement or post that led here, or the product that is asked about.

    messages/text: both come with any type of message, and none is lost over them.
    """
    found = message.get("referral")
    if isinstance(found, dict):
        made = Referral(
            _loose(found, "source_type", _WORD_LIMIT) or "ad",
            _loose(found, "source_id"),
            _loose(found, "source_url"),
            _loose(found, "headline"),
            _loose(found, "ctwa_clid"),
        )
        if made.ref or made.url or made.click:
            return made
    context = message.get("context")
    product = context.get("referred_product") if isinstance(context, dict) else None
    if isinstance(product, dict) and (ref := _loose(product, "product_retailer_id")):
        return Referral("product", ref)
    return None


class Batch:
    """What one webhook request holds: `parsed` in its order, and `problems` for people."""

    def __init__(self, account: str, phone_id: str) -> None:
        self._account = account
        self._phone_id = phone_id
        self._seen: set[str] = set()
        self.parsed: list[Arrived] = []
        self.problems: list[str] = []

    def read(self, body: Any) -> None:
        """Read a request's whole body."""
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
            except Malformed as malformed:
                self.problems.append(f"{where} {number}: {malformed}")

    def _entry(self, item: Any, where: str) -> None:
        entry = _object(item, "it")
        self._each(
            entry.get("changes"),
            f"{where}, change",
            lambda change, at: self._change(change, at, entry),
        )

    def _change(self, item: Any, where: str, entry: dict[str, Any]) -> None:
        change = _object(item, "it")
        field = _string(change, "field")
        if field in whatsapp_notices.FIELDS:
            value = _object(change.get("value"), "value")
            at = _time(entry.get("time")) or utcnow()
            self.parsed.append(whatsapp_notices.notice(self._account, entry, field, value, at))
        # Meta sends whatever else the app is subscribed to (echoes, history, calls, groups)
        # to the same URL.
        if field not in ("messages", "user_preferences"):
            return
        value = _object(change.get("value"), "value")
        phone_id = _object(value.get("metadata"), "metadata").get("phone_number_id")
        if isinstance(phone_id, bool) or not isinstance(phone_id, (str, int)):
            raise Malformed("phone_number_id is not a string")
        if str(phone_id) != self._phone_id:
            return
        profiles = _profiles(value.get("contacts"))
        if field == "user_preferences":
            self._each(
                value.get("user_preferences"),
                f"{where}, preference",
                lambda preference, _: self._preference(preference, profiles),
            )
            return
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
            code, reason = _failure(value["errors"])
            log.warning("whatsapp:%s: Meta reports %s %s", self._account, code, reason)

    def _message(self, item: Any, where: str, profiles: dict[str, Profile]) -> None:
        message = _object(item, "it")
        # A group has many readers and one thread; a bot made for one customer stays silent.
        if message.get("group_id"):
            return
        provider_id = message.get("id")
        if not isinstance(provider_id, str) or not _ID.fullmatch(provider_id):
            raise Malformed("no usable id")
        word = message.get("type")
        if word == "system":
            moved = _moved(message)
            if moved is not None:
                self._add(moved[0], provider_id, moved[1], message.get("timestamp"))
            return
        user = message.get("from") or message.get("from_user_id")
        if not isinstance(user, str) or not is_user(user):
            raise Malformed("no usable sender")
        kind = clean(word)[:_WORD_LIMIT] if isinstance(word, str) and word else "unknown"
        content: Content
        try:
            if kind == "unknown" and word != "unknown":
                raise Malformed("type is not a string")
            content = _READERS[kind](message) if kind in _READERS else Unsupported(kind)
        except Malformed as malformed:
            self.problems.append(f"{where} ({kind}): {malformed}")
            content = Unsupported(f"malformed:{kind}")
            # The message's own id stays free, so that a replay of the dead letter after
            # the fix is not taken for a redelivery.
            provider_id = f"{MALFORMED}{provider_id}"
        self._add(
            user,
            provider_id,
            content,
            message.get("timestamp"),
            profiles.get(user, _NOBODY),
            _reply_to(message, content),
            _referral(message),
        )

    def _preference(self, item: Any, profiles: dict[str, Profile]) -> None:
        """Read that a customer stopped or resumed marketing messages.

        It is no message and has no id: the customer, the choice and its time make one.
        """
        preference = _object(item, "it")
        if preference.get("category") != "marketing_messages":
            return
        name = PREFERENCES.get(_string(preference, "value"))
        if name is None:
            return
        user = preference.get("wa_id") or preference.get("user_id")
        if not isinstance(user, str) or not is_user(user):
            raise Malformed("no usable customer")
        stamp = preference.get("timestamp")
        # Without a time every delivery is another event: one too many does no harm, one
        # taken for a redelivery of an earlier stop would.
        seconds = int(((_time(stamp) or utcnow()) - _EPOCH).total_seconds())
        provider_id = f"{PREFERENCE}{user}:{name}:{seconds}"
        self._add(user, provider_id, Event(name, "marketing"), stamp, profiles.get(user, _NOBODY))

    def _add(
        self,
        user: str,
        provider_id: str,
        content: Content,
        timestamp: Any,
        profile: Profile = _NOBODY,
        reply_to: str = "",
        referral: Referral | None = None,
    ) -> None:
        if provider_id in self._seen:
            return
        self._seen.add(provider_id)
        sent = _time(timestamp)
        self.parsed.append(
            Inbound(
                Address("whatsapp", self._account, user),
                provider_id,
                content,
                sent=sent or utcnow(),
                order=int((sent - _EPOCH).total_seconds()) if sent else 0,
                profile=profile,
                reply_to=reply_to,
                referral=referral,
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
            raise Malformed("no usable id")
        code, reason = _failure(status.get("errors"))
        self.parsed.append(
            Receipt(
                "whatsapp",
                self._account,
                provider_id,
                STATUSES[word],
                at=_time(status.get("timestamp")) or utcnow(),
                ref=_optional(status, "biz_opaque_callback_data"),
                reason=reason,
                code=code,
                details=_pricing(status.get("pricing")),
            )
        )


def _profiles(contacts: Any) -> dict[str, Profile]:
    """Return the profiles by wa_id and by business-scoped user id; never an obstacle."""
    found: dict[str, Profile] = {}
    for contact in contacts if isinstance(contacts, list) else ():
        profile = contact.get("profile") if isinstance(contact, dict) else None
        if not isinstance(profile, dict):
            continue
        known = Profile(name=_loose(profile, "name"), username=_loose(profile, "username"))
        for key in ("wa_id", "user_id"):
            if isinstance(contact.get(key), str):
                found[contact[key]] = known
    return found


def _pricing(pricing: Any) -> dict[str, str]:
    """Return what a message cost, as text: its category, type, model, and if it is billed."""
    if not isinstance(pricing, dict):
        return {}
    names = {"category": "category", "type": "type", "pricing_model": "model"}
    found = {name: _loose(pricing, key, _WORD_LIMIT) for key, name in names.items()}
    if isinstance(pricing.get("billable"), bool):
        found["billable"] = "true" if pricing["billable"] else "false"
    return {name: value for name, value in found.items() if value}


def _failure(errors: Any) -> tuple[str, str]:
    """Return the code of the first error, and all of them in words; "" without any."""
    codes, lines = [], []
    for error in errors if isinstance(errors, list) else ():
        if not isinstance(error, dict):
            continue
        code = _code(error.get("code"))
        title = _loose(error, "title") or _loose(error, "message")
        data = error.get("error_data")
        details = _loose(data, "details") if isinstance(data, dict) else ""
        said = ": ".join(dict.fromkeys(filter(None, (title, details))))
        plain = "" if code is None else REASONS.get(code, "")
        codes.append("" if code is None else str(code))
        lines.append(f"{plain} ({said})" if plain and said else plain or said)
    return next(filter(None, codes), ""), "; ".join(filter(None, lines))[:500]


def _code(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        return None
    return value
