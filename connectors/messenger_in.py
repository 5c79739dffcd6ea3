"""Reads Messenger's webhooks: every entry and every event of a request.

The pages are those below
https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

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
    Notice,
    Order,
    OrderItem,
    Reaction,
    Receipt,
    ReceiptStatus,
    Referral,
    Text,
    Unsupported,
    clean,
    utcnow,
)
from connectors.base import Arrived

log = logging.getLogger(__name__)

#: What `provider_id` begins with where Meta gives an event no id of its own.
REACTION, EDIT, DELETION = "reaction:", "edit:", "deletion:"
REFERRAL, OPTIN, POSTBACK, ORDER = "referral:", "optin:", "postback:", "order:"
MALFORMED = "malformed:"

# messages: the attachments that are files. Messenger records sound itself, other sound
# comes as a file.
_FILES: dict[str, MediaType] = {
    "image": "image",
    "audio": "voice",
    "video": "video",
    "file": "document",
    "sticker": "sticker",
}
# Posts, films and pages that were shared: what they hold is behind a link.
_SHARED = ("fallback", "share", "post", "ig_post", "reel", "ig_reel")
# The thumb beside the composer is a sticker. The page names the first; the others are
# what it becomes when it is held longer.
_LIKES = (369239263222822, 369239343222814, 369239383222810)

# message_reactions, for clients that name the feeling without the emoji.
_EMOJI = {
    "like": "👍",
    "dislike": "👎",
    "love": "❤️",
    "smile": "😆",
    "wow": "😮",
    "sad": "😢",
    "angry": "😠",
}

# messaging_optins. The page writes them with a space, webhooks with an underscore.
_SWITCHES = {"STOP_NOTIFICATIONS": "opt_out", "RESUME_NOTIFICATIONS": "opt_in"}

# messaging_referrals; `Referral` has words of its own for these.
_SOURCES = {"ADS": "ad", "SHORTLINK": "link", "SHORT-URL": "link"}

Level = Literal["info", "warning", "error"]

# messaging_policy_enforcement
_POLICY: dict[str, tuple[str, Level]] = {
    "warning": ("The Page was warned for breaking a policy", "warning"),
    "block": ("The Page was blocked from sending messages", "error"),
    "unblock": ("The Page may send messages again", "info"),
}
# .../send-messages/utility-messages
_TEMPLATES: dict[str, tuple[str, Level]] = {
    "APPROVED": ("approved", "info"),
    "PENDING": ("under review", "info"),
    "PAUSED": ("paused", "error"),
    "REJECTED": ("rejected", "error"),
    "DISABLED": ("disabled", "error"),
    "DELETED": ("deleted", "warning"),
}

_PSID = re.compile(r"[0-9]{1,32}")
_ID = re.compile(r"[!-~]{1,512}")
_DIGITS = re.compile(r"[0-9]{1,14}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
_LINK = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_WORD_LIMIT = 64
_NAME_LIMIT = 255
_LOOSE_LIMIT = 2000
_MOST_OF_ONE = 10**6
_HIGHEST_PRICE = 10**12
_AHEAD = timedelta(days=1)


class Malformed(Exception):
    """An item is not as documented. The text says where, never what was found there."""


def is_user(value: Any) -> bool:
    """Tell whether this is a Page-scoped id."""
    return isinstance(value, str) and bool(_PSID.fullmatch(value))


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


def _loose(holder: Any, key: str, limit: int = _LOOSE_LIMIT) -> str:
    """Return a text that no message is to be lost over: "" when it is none."""
    value = holder.get(key) if isinstance(holder, Mapping) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        # Ids are strings on one page and numbers on the next.
        value = str(value)
    return clean(value)[:limit] if isinstance(value, str) else ""


def _number(holder: Mapping[str, Any], key: str, least: float, most: float) -> float:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed(f"{key} is not a number")
    if not least <= value <= most:
        raise Malformed(f"{key} is out of range")
    return value


def _mid(holder: Mapping[str, Any]) -> str:
    mid = holder.get("mid")
    if not isinstance(mid, str) or not _ID.fullmatch(mid):
        raise Malformed("no usable mid")
    return mid


def _true(value: Any) -> bool:
    # Some of Meta's webhooks write flags as strings.
    return value is True or value == "true"


def _time(value: Any) -> datetime | None:
    """Read a Unix time in milliseconds, or in seconds; None for what cannot be one.

    A message is not lost over its clock: then the time of arrival is taken.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    text = str(value) if whole and 0 <= value < 10**14 else value
    if not isinstance(text, str) or not _DIGITS.fullmatch(text):
        return None
    stamp = int(text)
    # messaging_postbacks has seconds where all others have milliseconds.
    at = _EPOCH + timedelta(milliseconds=stamp if stamp >= 10**11 else stamp * 1000)
    # A time in the far future would hold the reply window open for ever.
    return at if at <= utcnow() + _AHEAD else None


# --- messages ---


def _contents(message: dict[str, Any]) -> list[Content]:
    """Return what a message says: words, a press, or one content for each attachment."""
    text = _optional(message, "text")
    if message.get("quick_reply") is not None:
        return [_quick_reply(_object(message["quick_reply"], "quick_reply"), text)]
    found = _attachments(message)
    lines = [text] if text else []
    if not _LINK.search(text):
        # Else what was shared is the preview of a link that the customer wrote.
        lines += [content.text for content in found if isinstance(content, Text)]
    words = "\n".join(lines)
    contents: list[Content] = [content for content in found if not isinstance(content, Text)]
    files = [content for content in contents if isinstance(content, Media)]
    if files and words:
        # Messenger has no captions; people still write words to a picture.
        contents[contents.index(files[0])] = replace(files[0], caption=words)
        return contents
    if words:
        return [Text(words), *(c for c in contents if not isinstance(c, Unsupported))]
    if contents:
        return contents
    if _true(message.get("is_unsupported")):
        return [Unsupported("unsupported")]
    # An avatar, a poll, whatever Meta does not pass on comes with its mid alone.
    return [Unsupported("empty")]


def _quick_reply(reply: dict[str, Any], text: str) -> Content:
    """Read a press on a quick reply, or the number or address that one has sent.

    Those come as the payload. They are what the profile says, and Meta does not say that
    it vouches for it: https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/quick-replies
    """
    payload = _string(reply, "payload")
    # The words are the same, or left out; a button's title would be other than its payload.
    if text in ("", payload):
        if _PHONE.fullmatch(payload):
            return Contact("", (payload,))
        if _MAIL.fullmatch(payload):
            return Contact("", (), (payload,))
    # It does not say which message had it: they vanish with the next one, see `Choice.of`.
    return Choice(payload, text)


def _attachments(message: dict[str, Any]) -> list[Content]:
    if message.get("attachments") is None:
        return []
    items = [_object(a, "attachment") for a in _items(message["attachments"], "attachments")]
    kinds = [_string(item, "type") for item in items]
    # In a transition, until 30 August 2026 by the page, a sticker comes as an image, too.
    twice = "image" if "sticker" in kinds else ""
    return [_attachment(k, item) for k, item in zip(kinds, items, strict=True) if k != twice]


def _attachment(kind: str, item: dict[str, Any]) -> Content:
    inner = item.get("payload")
    payload: dict[str, Any] = {} if inner is None else _object(inner, "payload")
    if kind in _FILES:
        return _file(_FILES[kind], payload)
    if kind == "location":
        place = _object(payload.get("coordinates"), "coordinates")
        return Location(
            float(_number(place, "lat", -90.0, 90.0)),
            float(_number(place, "long", -180.0, 180.0)),
            _loose(item, "title"),
        )
    if kind in _SHARED:
        # Before version 6.0 these stood beside the payload, not in it.
        url = _loose(payload, "url") or _loose(item, "url")
        return Text(url) if url else Unsupported(kind)
    if kind == "template" and payload.get("product") is not None:
        return _products(_object(payload["product"], "product"))
    return Unsupported(clean(kind)[:_WORD_LIMIT] or "empty")


def _file(type_: MediaType, payload: dict[str, Any]) -> Content:
    if _loose(payload, "sticker_id") in map(str, _LIKES):
        return Text("👍")
    url = _string(payload, "url")
    if not _LINK.match(url):
        raise Malformed("url is none")
    if payload.get("sticker_id") is not None:
        type_ = "sticker"
    return Media(type_, url=url, filename=_filename(url) if type_ == "document" else "")


def _filename(url: str) -> str:
    """Return the last part of a URL's path, which is what Meta calls the file."""
    try:
        last = urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        raise Malformed("url is none") from None
    return clean(unquote(last, errors="replace"))[:_NAME_LIMIT]


def _products(product: dict[str, Any]) -> Content:
    """Read the goods that the customer shared, a line each."""
    lines = []
    for item in _items(product.get("elements"), "elements"):
        element = _object(item, "element")
        parts = (_loose(element, "title"), _loose(element, "subtitle"))
        lines.append(", ".join(filter(None, parts)))
    text = "\n".join(filter(None, lines))
    return Text(text) if text else Unsupported("product")


def _order(order: dict[str, Any]) -> Content:
    """Read a cart, send_cart."""
    items = []
    for item in _items(order.get("products"), "products"):
        line = _object(item, "product")
        quantity = _number(line, "quantity", 1, _MOST_OF_ONE)
        if quantity != int(quantity):
            raise Malformed("quantity is not whole")
        product = _loose(line, "retailer_id") or _loose(line, "id")
        if not product:
            raise Malformed("a product has no id")
        items.append(OrderItem(product, int(quantity), _price(line), _optional(line, "currency")))
    return Order(tuple(items), note=_optional(order, "note"))


def _price(line: dict[str, Any]) -> str:
    """Return a price with two decimals at least; some currencies have three."""
    if line.get("unit_price") is None:
        return ""
    price = Decimal(str(_number(line, "unit_price", 0, _HIGHEST_PRICE)))
    exponent = price.as_tuple().exponent
    few = isinstance(exponent, int) and exponent > -2
    return f"{price:.2f}" if few else f"{price:f}"


def _reaction(reaction: dict[str, Any]) -> Content:
    action = _string(reaction, "action")
    if action not in ("react", "unreact"):
        raise Malformed("action is neither react nor unreact")
    emoji = _optional(reaction, "emoji") or _EMOJI.get(_optional(reaction, "reaction"), "")
    return Reaction(_mid(reaction), emoji, removed=action == "unreact")


def _referral(value: Any) -> Referral | None:
    """Return the link, advertisement or product that led here; never an obstacle."""
    if not isinstance(value, dict):
        return None
    if (product := _loose(value.get("product"), "id")) and not _loose(value, "source"):
        return Referral("product", product)
    source = _loose(value, "source", _WORD_LIMIT)
    ad = value.get("ads_context_data")
    made = Referral(
        _SOURCES.get(source, source.lower() or "link"),
        _loose(value, "ref") or _loose(value, "ad_id"),
        _loose(value, "referer_uri"),
        _loose(ad, "ad_title"),
    )
    return made if made.ref or made.url or made.title else None


class Batch:
    """What one webhook request holds: `parsed` in its order, and `problems` for people.

    `get_started` is the payload that the Page's Get Started button sends.
    """

    def __init__(self, account: str, page_id: str, get_started: str) -> None:
        self._account = account
        self._page_id = page_id
        self._get_started = get_started
        self._seen: set[str] = set()
        self.parsed: list[Arrived] = []
        self.problems: list[str] = []

    def read(self, body: Any) -> None:
        """Read a request's whole body."""
        if not isinstance(body, dict) or body.get("object") != "page":
            self.problems.append("object is not page")
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
        if not self._is_ours(entry):
            return
        # What is in `standby` is another app's to answer.
        if entry.get("messaging") is not None:
            self._each(entry["messaging"], f"{where}, event", self._event)
        if entry.get("changes") is not None:
            self._each(
                entry["changes"],
                f"{where}, change",
                lambda change, at: self._change(change, at, entry),
            )
        if not entry.keys() & {"messaging", "changes", "standby"}:
            raise Malformed("it holds no events")

    def _change(self, item: Any, where: str, entry: dict[str, Any]) -> None:
        """Read a change: of the Page, or an event that comes in this form.

        messaging_postbacks shows it, and so does the test button of the app dashboard.
        """
        change = _object(item, "it")
        field = _string(change, "field")
        if field == "message_template_status_update":
            self._template(entry, _object(change.get("value"), "value"))
        elif field.startswith(("messages", "message_", "messaging_", "send_cart")):
            self._event(change.get("value"), where)

    def _event(self, item: Any, where: str) -> None:
        event = _object(item, "it")
        message = event.get("message")
        if isinstance(message, dict) and _true(message.get("is_echo")):
            self._echo(event, message)
            return
        if not self._is_ours(_object(event.get("recipient"), "recipient")):
            return
        if "policy_enforcement" in event:
            self._policy(event, _object(event["policy_enforcement"], "policy_enforcement"))
            return
        known = [name for name in self._READERS if event.get(name) is not None]
        if not known:
            # Handovers, linked accounts, games, feedback on an answer: nothing to be said.
            log.debug("messenger:%s: an event that nobody answers is left out", self._account)
            return
        sender = event.get("sender")
        user = _loose(sender, "id")
        if not user and any(_loose(of, "user_ref") for of in (sender, event.get("optin"))):
            # A visitor of a web site's plugin, who cannot be written to by this name.
            return
        if not is_user(user):
            raise Malformed("no usable sender")
        self._READERS[known[0]](self, event, _object(event[known[0]], known[0]), where)

    # -- messages

    def _message(self, event: dict[str, Any], message: dict[str, Any], where: str) -> None:
        mid = _mid(message)
        if _true(message.get("is_deleted")):
            self._add(event, f"{DELETION}{mid}", Deletion(mid))
            return
        try:
            contents = _contents(message)
        except Malformed as malformed:
            self.problems.append(f"{where} (message): {malformed}")
            # The mid stays free, so that a replay of the dead letter after the fix is not
            # taken for a redelivery.
            self._add(event, f"{MALFORMED}{mid}", Unsupported("malformed:message"))
            return
        answered = message.get("reply_to")
        quoted = _loose(answered, "mid", 512)
        several = len(contents) > 1
        files = several and all(isinstance(content, Media) for content in contents)
        for number, content in enumerate(contents):
            self._add(
                event,
                f"{mid}.{number}" if several else mid,
                content,
                reply_to=quoted if _ID.fullmatch(quoted) else "",
                album=mid if files else "",
                referral=_referral(message.get("referral")),
            )

    def _postback(self, event: dict[str, Any], postback: dict[str, Any], where: str) -> None:
        title, payload = _optional(postback, "title"), _optional(postback, "payload")
        mid = postback.get("mid")
        if not isinstance(mid, str) or not _ID.fullmatch(mid):
            mid = self._made(POSTBACK, event, postback)
        referral = _referral(postback.get("referral"))
        content: Content
        if payload and payload == self._get_started:
            content = Event("start", referral.ref if referral else "")
        elif payload or title:
            content = Choice(payload or title, title)
        else:
            raise Malformed("a postback has neither payload nor title")
        self._add(event, mid, content, referral=referral)

    def _came(self, event: dict[str, Any], referral: dict[str, Any], where: str) -> None:
        found = _referral(referral)
        content = Event("referral", found.ref if found else "")
        self._add(event, self._made(REFERRAL, event, referral), content, referral=found)

    def _edit(self, event: dict[str, Any], edit: dict[str, Any], where: str) -> None:
        mid = _mid(edit)
        count = _loose(edit, "num_edit", 8)
        number = count if count.isdigit() else str(self._stamp(event))
        self._add(event, f"{EDIT}{mid}:{number}", Edit(mid, _string(edit, "text")))

    def _reacted(self, event: dict[str, Any], reaction: dict[str, Any], where: str) -> None:
        self._add(event, self._made(REACTION, event, reaction), _reaction(reaction))

    def _ordered(self, event: dict[str, Any], order: dict[str, Any], where: str) -> None:
        self._add(event, self._made(ORDER, event, order), _order(order))

    def _optin(self, event: dict[str, Any], optin: dict[str, Any], where: str) -> None:
        """Read that a customer chose about marketing messages, or came by a site's button."""
        made = self._made(OPTIN, event, optin)
        if optin.get("type") == "notification_messages":
            status = _optional(optin, "notification_messages_status").replace(" ", "_")
            self._add(event, made, Event(_SWITCHES.get(status, "opt_in"), "marketing"))
        elif optin.get("type") is None:
            ref = _loose(optin, "ref")
            referral = Referral("plugin", ref) if ref else None
            self._add(event, made, Event("start", ref), referral=referral)

    # -- receipts

    def _echo(self, event: dict[str, Any], message: dict[str, Any]) -> None:
        """Take the echo of a message of ours for the word that it was sent.

        message_echoes: those of other apps and of people in the Page's inbox have other
        metadata, or none.
        """
        if not self._is_ours(_object(event.get("sender"), "sender")):
            return
        ref = _loose(message, "metadata", 1000)
        if ref:
            self.parsed.append(
                Receipt(
                    "messenger",
                    self._account,
                    _mid(message),
                    "sent",
                    at=_time(event.get("timestamp")) or utcnow(),
                    ref=ref,
                )
            )

    def _delivery(self, event: dict[str, Any], delivery: dict[str, Any], where: str) -> None:
        mids = delivery.get("mids")
        if not mids:
            # "Field may not be present": then the watermark alone tells.
            self._until(event, delivery, "delivered")
            return
        at = _time(delivery.get("watermark")) or utcnow()
        for mid in _items(mids, "mids"):
            found = _mid({"mid": mid})
            self.parsed.append(Receipt("messenger", self._account, found, "delivered", at=at))

    def _read(self, event: dict[str, Any], read: dict[str, Any], where: str) -> None:
        self._until(event, read, "read")

    def _until(self, event: dict[str, Any], mark: dict[str, Any], status: ReceiptStatus) -> None:
        until = _time(mark.get("watermark"))
        if until is None:
            raise Malformed("watermark is no time")
        self.parsed.append(
            Receipt(
                "messenger",
                self._account,
                "",
                status,
                at=_time(event.get("timestamp")) or until,
                until=until,
                address=self._address(event),
            )
        )

    # -- notices

    def _policy(self, event: dict[str, Any], told: dict[str, Any]) -> None:
        action = _string(told, "action")
        subject, level = _POLICY.get(action, ("Meta acted on a policy", "warning"))
        reason = _loose(told, "reason") or subject
        self._tell("policy", event, told, subject, reason, level, event.get("timestamp"))

    def _template(self, entry: dict[str, Any], told: dict[str, Any]) -> None:
        name = _loose(told, "message_template_name", _WORD_LIMIT) or "without a name"
        language = _loose(told, "message_template_language", _WORD_LIMIT)
        event = _loose(told, "event", _WORD_LIMIT)
        done, level = _TEMPLATES.get(event, (event.replace("_", " ").lower(), "warning"))
        subject = f"Template {name}{f' ({language})' if language else ''} is {done or 'changed'}"
        reason = _loose(told, "reason")
        text = subject if reason in ("", "NONE") else f"Meta's reason: {reason}"
        self._tell("template", entry, told, subject, text, level, entry.get("time"))

    def _tell(
        self,
        kind: str,
        holder: dict[str, Any],
        told: dict[str, Any],
        subject: str,
        text: str,
        level: Level,
        stamp: Any,
    ) -> None:
        id = f"{kind}:{_hash(stamp, told)}"
        at = _time(stamp) or utcnow()
        self.parsed.append(Notice("messenger", self._account, id, subject, text, level, at))

    # -- what all have

    def _is_ours(self, holder: dict[str, Any]) -> bool:
        id = _loose(holder, "id")
        if not id:
            raise Malformed("no usable id of the Page")
        return id == self._page_id

    def _address(self, event: dict[str, Any]) -> Address:
        return Address("messenger", self._account, _loose(event.get("sender"), "id"))

    def _stamp(self, event: dict[str, Any]) -> int:
        sent = _time(event.get("timestamp"))
        return 0 if sent is None else int((sent - _EPOCH) / timedelta(milliseconds=1))

    def _made(self, kind: str, event: dict[str, Any], said: dict[str, Any]) -> str:
        """Return an id for an event without one, the same in every redelivery."""
        user = _loose(event.get("sender"), "id")
        # Without a time every delivery is another event: one too many does no harm, one
        # taken for a redelivery of an earlier stop would.
        stamp = self._stamp(event) or utcnow().isoformat()
        return f"{kind}{user}:{_hash(stamp, said)}"

    def _add(
        self,
        event: dict[str, Any],
        provider_id: str,
        content: Content,
        reply_to: str = "",
        album: str = "",
        referral: Referral | None = None,
    ) -> None:
        if provider_id in self._seen:
            return
        self._seen.add(provider_id)
        self.parsed.append(
            Inbound(
                self._address(event),
                provider_id,
                content,
                sent=_time(event.get("timestamp")) or utcnow(),
                order=self._stamp(event),
                reply_to=reply_to,
                album=album,
                referral=referral,
            )
        )

    #: By the key that an event has, in the order of what counts where it has several.
    _READERS: dict[str, Callable[[Batch, dict[str, Any], dict[str, Any], str], None]] = {
        "message": _message,
        "postback": _postback,
        "message_edit": _edit,
        "reaction": _reacted,
        "order": _ordered,
        "optin": _optin,
        "referral": _came,
        "delivery": _delivery,
        "read": _read,
    }


def _hash(stamp: Any, said: Mapping[str, Any]) -> str:
    text = json.dumps([stamp, said], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
