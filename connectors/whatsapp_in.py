"""Reads WhatsApp's webhooks: every entry, change, message and status of a request.

pywa's webhook types are not used: they read the first message of the first change
alone, trust every type, and know no business-scoped user ids. The pages are those below
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
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
from connectors import meta_in, whatsapp_notices
from connectors.meta_in import (
    EPOCH,
    ID,
    MALFORMED,
    WORD_LIMIT,
    Malformed,
    an_object,
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
PREFERENCE = "preference:"

# `from` is the wa_id, a phone number in digits. Customers with a username may come with
# a business-scoped user id alone: two letters of country, a period, letters and digits.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
PHONE = re.compile(r"[0-9]{1,20}")
_SCOPED = re.compile(r"[A-Za-z]{2}\.[A-Za-z0-9.]{1,140}")
_FLOW_LIMIT = 4000
_NOBODY = Profile()


def is_user(value: Any) -> bool:
    """Tell whether this can be the user part of an address."""
    return isinstance(value, str) and bool(PHONE.fullmatch(value) or _SCOPED.fullmatch(value))


# --- messages, one reader a type: messages/text, messages/image, … ---


def _text(message: dict[str, Any]) -> Content:
    return Text(string(an_object(message.get("text"), "text"), "body"))


def _of(message: dict[str, Any]) -> str:
    context = message.get("context")
    return "" if context is None else optional(an_object(context, "context"), "id")


def _interactive(message: dict[str, Any]) -> Content:
    interactive = an_object(message.get("interactive"), "interactive")
    kind = string(interactive, "type")
    if kind == "nfm_reply":
        return _flow(an_object(interactive.get(kind), kind))
    if kind not in ("button_reply", "list_reply"):
        return Unsupported(kind[:WORD_LIMIT])
    reply = an_object(interactive.get(kind), kind)
    return Choice(string(reply, "id"), optional(reply, "title"), _of(message))


def _flow(reply: dict[str, Any]) -> Content:
    """Read a filled-in form (a flow, an address) as lines of ``field: value``.

    Forms are built in Meta's own editor and sent by templates; whoever answers, bot or
    agent, is to see what the customer entered. The token names our side of it, not theirs.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/reference/responsemsgwebhook
    """
    lines = []
    try:
        entered = json.loads(optional(reply, "response_json") or "{}")
        for key, value in an_object(entered, "response_json").items():
            if key != "flow_token" and value not in (None, "", [], {}):
                lines.append(f"{key}: {value if isinstance(value, str) else json.dumps(value)}")
    except (ValueError, RecursionError):
        raise Malformed("response_json is not JSON") from None
    text = clean("\n".join(lines))[:_FLOW_LIMIT]
    return Text(text) if text.strip() else Unsupported("nfm_reply")


def _button(message: dict[str, Any]) -> Content:
    button = an_object(message.get("button"), "button")
    title = optional(button, "text")
    payload = optional(button, "payload") or title
    if not payload:
        raise Malformed("button has neither payload nor text")
    return Choice(payload, title, _of(message))


def _media(kind: MediaType) -> Callable[[dict[str, Any]], Content]:
    def read(message: dict[str, Any]) -> Content:
        word = "audio" if kind == "voice" and "voice" not in message else kind
        media = an_object(message.get(word), word)
        return Media(
            # A voice note is an audio with a flag.
            "voice" if kind == "audio" and media.get("voice") is True else kind,
            ref=string(media, "id"),
            mime=optional(media, "mime_type"),
            caption=optional(media, "caption"),
            filename=optional(media, "filename"),
        )

    return read


def _location(message: dict[str, Any]) -> Content:
    place = an_object(message.get("location"), "location")
    return Location(
        float(number(place, "latitude", -90.0, 90.0)),
        float(number(place, "longitude", -180.0, 180.0)),
        optional(place, "name"),
        optional(place, "address"),
    )


def _contacts(message: dict[str, Any]) -> Content:
    """Read contact cards. Several sent as one message become one card with all of them.

    One message gets one answer, not one for each card.
    """
    names: list[str] = []
    phones: list[str] = []
    emails: list[str] = []
    for item in items(message.get("contacts"), "contacts"):
        card = an_object(item, "contact")
        name = an_object(card.get("name") or {}, "name")
        parts = (optional(name, "first_name"), optional(name, "last_name"))
        names.append(optional(name, "formatted_name") or " ".join(filter(None, parts)))
        for phone in items(card.get("phones") or [], "phones"):
            found = an_object(phone, "phone")
            phones.append(optional(found, "phone") or optional(found, "wa_id"))
        for email in items(card.get("emails") or [], "emails"):
            emails.append(optional(an_object(email, "email"), "email"))
    given = tuple(filter(None, phones))
    # Meta vouches for `from`, not for what stands on a card.
    own = len(given) == 1 and re.sub(r"\D", "", given[0]) == message.get("from")
    return Contact(", ".join(filter(None, names)), given, tuple(filter(None, emails)), own)


def _reaction(message: dict[str, Any]) -> Content:
    reaction = an_object(message.get("reaction"), "reaction")
    emoji = optional(reaction, "emoji")
    return Reaction(string(reaction, "message_id"), emoji, removed=not emoji)


def _edit(message: dict[str, Any]) -> Content:
    edit = an_object(message.get("edit"), "edit")
    changed = an_object(edit.get("message"), "message")
    kind = string(changed, "type")
    part = an_object(changed.get(kind), kind[:WORD_LIMIT])
    text = string(part, "body") if kind == "text" else optional(part, "caption")
    return Edit(string(edit, "original_message_id"), text)


def _revoke(message: dict[str, Any]) -> Content:
    revoke = an_object(message.get("revoke"), "revoke")
    return Deletion(string(revoke, "original_message_id"))


def _order(message: dict[str, Any]) -> Content:
    order = an_object(message.get("order"), "order")
    lines = []
    for item in items(order.get("product_items"), "product_items"):
        line = an_object(item, "product item")
        lines.append(
            OrderItem(
                string(line, "product_retailer_id"),
                quantity(line),
                price(line, "item_price"),
                optional(line, "currency"),
            )
        )
    return Order(tuple(lines), optional(order, "catalog_id"), optional(order, "text"))


def _unsupported(message: dict[str, Any]) -> Content:
    """Read what Meta cannot pass on; newer webhooks name the kind, as ``poll_creation``."""
    inner = message.get("unsupported")
    word = loose(inner, "type", WORD_LIMIT) if isinstance(inner, dict) else ""
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
    system = an_object(message.get("system"), "system")
    if string(system, "type") not in MOVED:
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
    if isinstance(content, Choice) or not isinstance(of, str) or not ID.fullmatch(of):
        return ""
    return of


def _referral(message: dict[str, Any]) -> Referral | None:
    """Return the advertisement or post that led here, or the product that is asked about.

    messages/text: both come with any type of message, and none is lost over them.
    """
    found = message.get("referral")
    if isinstance(found, dict):
        made = Referral(
            loose(found, "source_type", WORD_LIMIT) or "ad",
            loose(found, "source_id"),
            loose(found, "source_url"),
            loose(found, "headline"),
            loose(found, "ctwa_clid"),
        )
        if made.ref or made.url or made.click:
            return made
    context = message.get("context")
    product = context.get("referred_product") if isinstance(context, dict) else None
    if isinstance(product, dict) and (ref := loose(product, "product_retailer_id")):
        return Referral("product", ref)
    return None


class Batch(meta_in.Batch):
    """What one webhook request holds for the number `phone_id`."""

    def __init__(self, account: str, phone_id: str) -> None:
        super().__init__(account, "whatsapp_business_account")
        self._phone_id = phone_id

    def _entry(self, item: Any, where: str) -> None:
        entry = an_object(item, "it")
        self._each(
            entry.get("changes"),
            f"{where}, change",
            lambda change, at: self._change(change, at, entry),
        )

    def _change(self, item: Any, where: str, entry: dict[str, Any]) -> None:
        change = an_object(item, "it")
        field = string(change, "field")
        if field in whatsapp_notices.FIELDS:
            value = an_object(change.get("value"), "value")
            at = time(entry.get("time")) or utcnow()
            self.parsed.append(whatsapp_notices.notice(self._account, entry, field, value, at))
        # Meta sends whatever else the app is subscribed to (echoes, history, calls, groups)
        # to the same URL.
        if field not in ("messages", "user_preferences"):
            return
        value = an_object(change.get("value"), "value")
        phone_id = an_object(value.get("metadata"), "metadata").get("phone_number_id")
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
        message = an_object(item, "it")
        # A group has many readers and one thread; a bot made for one customer stays silent.
        if message.get("group_id"):
            return
        provider_id = message.get("id")
        if not isinstance(provider_id, str) or not ID.fullmatch(provider_id):
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
        kind = clean(word)[:WORD_LIMIT] if isinstance(word, str) and word else "unknown"
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
        preference = an_object(item, "it")
        if preference.get("category") != "marketing_messages":
            return
        name = PREFERENCES.get(string(preference, "value"))
        if name is None:
            return
        user = preference.get("wa_id") or preference.get("user_id")
        if not isinstance(user, str) or not is_user(user):
            raise Malformed("no usable customer")
        stamp = preference.get("timestamp")
        # Without a time every delivery is another event: one too many does no harm, one
        # taken for a redelivery of an earlier stop would.
        seconds = int(((time(stamp) or utcnow()) - EPOCH).total_seconds())
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
        sent = time(timestamp)
        self._take(
            Inbound(
                Address("whatsapp", self._account, user),
                provider_id,
                content,
                sent=sent or utcnow(),
                order=int((sent - EPOCH).total_seconds()) if sent else 0,
                profile=profile,
                reply_to=reply_to,
                referral=referral,
            )
        )

    def _status(self, item: Any, where: str) -> None:
        status = an_object(item, "it")
        word = string(status, "status")
        if status.get("recipient_type") == "group":
            return
        if word not in STATUSES:
            log.debug("whatsapp:%s: a status that is no receipt is left out", self._account)
            return
        provider_id = string(status, "id")
        if not provider_id:
            raise Malformed("no usable id")
        code, reason = _failure(status.get("errors"))
        self.parsed.append(
            Receipt(
                "whatsapp",
                self._account,
                provider_id,
                STATUSES[word],
                at=time(status.get("timestamp")) or utcnow(),
                ref=optional(status, "biz_opaque_callback_data"),
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
        known = Profile(name=loose(profile, "name"), username=loose(profile, "username"))
        if isinstance(contact.get("wa_id"), str):
            found[contact["wa_id"]] = replace(known, signs=_signs(contact))
        if isinstance(contact.get("user_id"), str):
            # Nobody else ever has it.
            found[contact["user_id"]] = known
    return found


def _signs(contact: dict[str, Any]) -> tuple[str, ...]:
    """Return by what another account or device shows at the same number.

    A business-scoped user id is one account's; the hash of the identity key is there if the
    number's identity change check is on.
    """
    told = (("account", contact.get("user_id")), ("device", contact.get("identity_key_hash")))
    return tuple(
        f"{kind}:{value}" for kind, value in told if isinstance(value, str) and 0 < len(value) < 200
    )


def _pricing(pricing: Any) -> dict[str, str]:
    """Return what a message cost, as text: its category, type, model, and if it is billed."""
    if not isinstance(pricing, dict):
        return {}
    names = {"category": "category", "type": "type", "pricing_model": "model"}
    found = {name: loose(pricing, key, WORD_LIMIT) for key, name in names.items()}
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
        title = loose(error, "title") or loose(error, "message")
        data = error.get("error_data")
        details = loose(data, "details") if isinstance(data, dict) else ""
        said = ": ".join(dict.fromkeys(filter(None, (title, details))))
        plain = "" if code is None else REASONS.get(code, "")
        codes.append("" if code is None else str(code))
        lines.append(f"{plain} ({said})" if plain and said else plain or said)
    return next(filter(None, codes), ""), "; ".join(filter(None, lines))[:500]


def _code(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        return None
    return value
