"""Reads Messenger's webhooks: every entry and every event of a request.

The pages are those below
https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
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
from connectors import meta_in
from connectors.meta_in import (
    EPOCH,
    ID,
    LOOSE_LIMIT,
    MALFORMED,
    WORD_LIMIT,
    Level,
    Malformed,
    an_object,
    digest,
    items,
    loose,
    number,
    optional,
    price,
    quantity,
    string,
    time,
)

log = logging.getLogger(__name__)

#: What `provider_id` begins with where Meta gives an event no id of its own.
REACTION, EDIT, DELETION = "reaction:", "edit:", "deletion:"
REFERRAL, OPTIN, POSTBACK, ORDER = "referral:", "optin:", "postback:", "order:"

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
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
_LINK = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_NAME_LIMIT = 255


def is_user(value: Any) -> bool:
    """Tell whether this is a Page-scoped id."""
    return isinstance(value, str) and bool(_PSID.fullmatch(value))


def _loose(holder: Any, key: str, limit: int = LOOSE_LIMIT) -> str:
    """Return a text that no message is to be lost over, or a number as one; "" for all else.

    Ids are strings on one page and numbers on the next.
    """
    value = holder.get(key) if isinstance(holder, Mapping) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        return str(value)[:limit]
    return loose(holder, key, limit)


def _mid(holder: Mapping[str, Any]) -> str:
    mid = holder.get("mid")
    if not isinstance(mid, str) or not ID.fullmatch(mid):
        raise Malformed("no usable mid")
    return mid


def _true(value: Any) -> bool:
    # Some of Meta's webhooks write flags as strings.
    return value is True or value == "true"


# --- messages ---


def _contents(message: dict[str, Any]) -> list[Content]:
    """Return what a message says: words, a press, or one content for each attachment."""
    text = optional(message, "text")
    if message.get("quick_reply") is not None:
        return [_quick_reply(an_object(message["quick_reply"], "quick_reply"), text)]
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
    payload = string(reply, "payload")
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
    found = [an_object(a, "attachment") for a in items(message["attachments"], "attachments")]
    kinds = [string(item, "type") for item in found]
    # In a transition, until 30 August 2026 by the page, a sticker comes as an image, too.
    twice = "image" if "sticker" in kinds else ""
    return [_attachment(k, item) for k, item in zip(kinds, found, strict=True) if k != twice]


def _attachment(kind: str, item: dict[str, Any]) -> Content:
    inner = item.get("payload")
    payload: dict[str, Any] = {} if inner is None else an_object(inner, "payload")
    if kind in _FILES:
        return _file(_FILES[kind], payload)
    if kind == "location":
        place = an_object(payload.get("coordinates"), "coordinates")
        return Location(
            float(number(place, "lat", -90.0, 90.0)),
            float(number(place, "long", -180.0, 180.0)),
            _loose(item, "title"),
        )
    if kind in _SHARED:
        # Before version 6.0 these stood beside the payload, not in it.
        url = _loose(payload, "url") or _loose(item, "url")
        return Text(url) if url else Unsupported(kind)
    if kind == "template" and payload.get("product") is not None:
        return _products(an_object(payload["product"], "product"))
    return Unsupported(clean(kind)[:WORD_LIMIT] or "empty")


def _file(type_: MediaType, payload: dict[str, Any]) -> Content:
    if _loose(payload, "sticker_id") in map(str, _LIKES):
        return Text("👍")
    url = string(payload, "url")
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
    for item in items(product.get("elements"), "elements"):
        element = an_object(item, "element")
        parts = (_loose(element, "title"), _loose(element, "subtitle"))
        lines.append(", ".join(filter(None, parts)))
    text = "\n".join(filter(None, lines))
    return Text(text) if text else Unsupported("product")


def _order(order: dict[str, Any]) -> Content:
    """Read a cart, send_cart."""
    lines = []
    for item in items(order.get("products"), "products"):
        line = an_object(item, "product")
        many = quantity(line)
        product = _loose(line, "retailer_id") or _loose(line, "id")
        if not product:
            raise Malformed("a product has no id")
        currency = optional(line, "currency")
        lines.append(OrderItem(product, many, price(line, "unit_price"), currency))
    return Order(tuple(lines), note=optional(order, "note"))


def _reaction(reaction: dict[str, Any]) -> Content:
    action = string(reaction, "action")
    if action not in ("react", "unreact"):
        raise Malformed("action is neither react nor unreact")
    emoji = optional(reaction, "emoji") or _EMOJI.get(optional(reaction, "reaction"), "")
    return Reaction(_mid(reaction), emoji, removed=action == "unreact")


def _referral(value: Any) -> Referral | None:
    """Return the link, advertisement or product that led here; never an obstacle."""
    if not isinstance(value, dict):
        return None
    if (product := _loose(value.get("product"), "id")) and not _loose(value, "source"):
        return Referral("product", product)
    source = _loose(value, "source", WORD_LIMIT)
    ad = value.get("ads_context_data")
    made = Referral(
        _SOURCES.get(source, source.lower() or "link"),
        _loose(value, "ref") or _loose(value, "ad_id"),
        _loose(value, "referer_uri"),
        _loose(ad, "ad_title"),
    )
    return made if made.ref or made.url or made.title else None


class Batch(meta_in.Batch):
    """What one webhook request holds for the Page `page_id`.

    `get_started` is the payload that the Page's Get Started button sends.
    """

    def __init__(self, account: str, page_id: str, get_started: str) -> None:
        super().__init__(account, "page")
        self._page_id = page_id
        self._get_started = get_started

    def _entry(self, item: Any, where: str) -> None:
        entry = an_object(item, "it")
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
        change = an_object(item, "it")
        field = string(change, "field")
        if field == "message_template_status_update":
            self._template(entry, an_object(change.get("value"), "value"))
        elif field.startswith(("messages", "message_", "messaging_", "send_cart")):
            self._event(change.get("value"), where)

    def _event(self, item: Any, where: str) -> None:
        event = an_object(item, "it")
        message = event.get("message")
        if isinstance(message, dict) and _true(message.get("is_echo")):
            self._echo(event, message)
            return
        if not self._is_ours(an_object(event.get("recipient"), "recipient")):
            return
        if "policy_enforcement" in event:
            self._policy(event, an_object(event["policy_enforcement"], "policy_enforcement"))
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
        self._READERS[known[0]](self, event, an_object(event[known[0]], known[0]), where)

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
        for count, content in enumerate(contents):
            self._add(
                event,
                f"{mid}.{count}" if several else mid,
                content,
                reply_to=quoted if ID.fullmatch(quoted) else "",
                album=mid if files else "",
                referral=_referral(message.get("referral")),
            )

    def _postback(self, event: dict[str, Any], postback: dict[str, Any], where: str) -> None:
        title, payload = optional(postback, "title"), optional(postback, "payload")
        mid = postback.get("mid")
        if not isinstance(mid, str) or not ID.fullmatch(mid):
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
        self._add(event, f"{EDIT}{mid}:{number}", Edit(mid, string(edit, "text")))

    def _reacted(self, event: dict[str, Any], reaction: dict[str, Any], where: str) -> None:
        self._add(event, self._made(REACTION, event, reaction), _reaction(reaction))

    def _ordered(self, event: dict[str, Any], order: dict[str, Any], where: str) -> None:
        self._add(event, self._made(ORDER, event, order), _order(order))

    def _optin(self, event: dict[str, Any], optin: dict[str, Any], where: str) -> None:
        """Read that a customer chose about marketing messages, or came by a site's button."""
        made = self._made(OPTIN, event, optin)
        if optin.get("type") == "notification_messages":
            status = optional(optin, "notification_messages_status").replace(" ", "_")
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
        if not self._is_ours(an_object(event.get("sender"), "sender")):
            return
        ref = _loose(message, "metadata", 1000)
        if ref:
            self.parsed.append(
                Receipt(
                    "messenger",
                    self._account,
                    _mid(message),
                    "sent",
                    at=time(event.get("timestamp")) or utcnow(),
                    ref=ref,
                )
            )

    def _delivery(self, event: dict[str, Any], delivery: dict[str, Any], where: str) -> None:
        mids = delivery.get("mids")
        if not mids:
            # "Field may not be present": then the watermark alone tells.
            self._until(event, delivery, "delivered")
            return
        at = time(delivery.get("watermark")) or utcnow()
        for mid in items(mids, "mids"):
            found = _mid({"mid": mid})
            self.parsed.append(Receipt("messenger", self._account, found, "delivered", at=at))

    def _read(self, event: dict[str, Any], read: dict[str, Any], where: str) -> None:
        self._until(event, read, "read")

    def _until(self, event: dict[str, Any], mark: dict[str, Any], status: ReceiptStatus) -> None:
        until = time(mark.get("watermark"))
        if until is None:
            raise Malformed("watermark is no time")
        self.parsed.append(
            Receipt(
                "messenger",
                self._account,
                "",
                status,
                at=time(event.get("timestamp")) or until,
                until=until,
                address=self._address(event),
            )
        )

    # -- notices

    def _policy(self, event: dict[str, Any], told: dict[str, Any]) -> None:
        action = string(told, "action")
        subject, level = _POLICY.get(action, ("Meta acted on a policy", "warning"))
        reason = _loose(told, "reason") or subject
        self._tell("policy", event, told, subject, reason, level, event.get("timestamp"))

    def _template(self, entry: dict[str, Any], told: dict[str, Any]) -> None:
        name = _loose(told, "message_template_name", WORD_LIMIT) or "without a name"
        language = _loose(told, "message_template_language", WORD_LIMIT)
        event = _loose(told, "event", WORD_LIMIT)
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
        id = f"{kind}:{digest(stamp, told)}"
        at = time(stamp) or utcnow()
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
        sent = time(event.get("timestamp"))
        return 0 if sent is None else int((sent - EPOCH) / timedelta(milliseconds=1))

    def _made(self, kind: str, event: dict[str, Any], said: dict[str, Any]) -> str:
        """Return an id for an event without one, the same in every redelivery."""
        user = _loose(event.get("sender"), "id")
        # Without a time every delivery is another event: one too many does no harm, one
        # taken for a redelivery of an earlier stop would.
        stamp = self._stamp(event) or utcnow().isoformat()
        return f"{kind}{user}:{digest(stamp, said)}"

    def _add(
        self,
        event: dict[str, Any],
        provider_id: str,
        content: Content,
        reply_to: str = "",
        album: str = "",
        referral: Referral | None = None,
    ) -> None:
        self._take(
            Inbound(
                self._address(event),
                provider_id,
                content,
                sent=time(event.get("timestamp")) or utcnow(),
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
