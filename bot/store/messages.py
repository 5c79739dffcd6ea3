"""Every message in and out. Its pending rows are the inbox and the outbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mongoengine import BooleanField, Document, IntField, StringField

from bot.message import (
    Address,
    Content,
    Inbound,
    Profile,
    Referral,
    clean,
    decode,
    encode,
    plain,
    utcnow,
)
from bot.store.fields import RawField, UtcField

#: direction "in"
PENDING, DONE = "pending", "done"
#: direction "out"; UNKNOWN is an attempt whose answer never came
QUEUED, SENDING, UNKNOWN = "queued", "sending", "unknown"
SENT, DELIVERED, READ, FAILED, DROPPED = "sent", "delivered", "read", "failed", "dropped"
#: What an outbox still has to do; the first of these in a conversation blocks the rest.
UNSENT = (QUEUED, SENDING, UNKNOWN)
#: Not sent because the provider's answering window is closed; goes on when it opens.
HELD = "held"
#: A receipt only moves a message forwards along this line.
RECEIPT_ORDER = (SENT, DELIVERED, READ)


class Message(Document):
    """`_id` is ``channel:account:provider id`` for in, ``turn:n`` for out.

    `order` is the channel's own order for in, the place in the conversation for
    out; `arrived` breaks its ties, in microseconds since 1970. `due` is when a
    pending row may be worked on, `tried` when it was last given to the provider.
    `epoch` is the handoff epoch a reply was made in. `code` and `details` are a receipt's.
    A `notice` is what the law wants said even to who has opted out. `translated` is what it
    says in the company's language, "" where it is in that.
    """

    id = StringField(primary_key=True)
    direction = StringField(required=True, choices=("in", "out"))
    conversation = StringField(required=True)
    channel = StringField(required=True)
    account = StringField(required=True)
    provider_id = StringField(default="")
    status = StringField(required=True)
    content = RawField(required=True)
    profile = RawField()
    order = IntField(default=0)
    arrived = IntField(required=True)
    sent = UtcField(required=True)
    due = UtcField(required=True)
    attempts = IntField(default=0)
    tried = UtcField()
    owner = StringField(default="")
    turn = StringField()
    epoch = IntField(default=0)
    reason = StringField()
    receipts = RawField()
    code = StringField(default="")
    details = RawField()
    reply_to = StringField(default="")
    album = StringField(default="")
    referral = RawField()
    tag = StringField(default="")
    agent = StringField(default="")
    notice = BooleanField(default=False)
    translated = StringField(default="")

    meta = {
        "collection": "messages",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("direction", "status", "due", "arrived"),
            ("direction", "channel", "account", "status", "due", "arrived"),
            ("conversation", "direction", "status", "order", "arrived"),
            ("conversation", "arrived"),
            ("channel", "account", "provider_id"),
        ],
    }


#: How long after one part of an album the next may still come.
ALBUM_TIME = timedelta(seconds=1.2)

_arrival_lock = threading.Lock()
_last_arrival = 0


def arrival() -> int:
    """Return the time in microseconds since 1970, larger at each call in this process."""
    global _last_arrival
    with _arrival_lock:
        _last_arrival = max(time.time_ns() // 1000, _last_arrival + 1)
        return _last_arrival


def to_message(inbound: Inbound) -> Message:
    """Return the pending row of a message that arrived now."""
    now = utcnow()
    return Message(
        id=inbound.id,
        direction="in",
        conversation=clean(inbound.address.key),
        channel=inbound.address.channel,
        account=inbound.address.account,
        provider_id=clean(inbound.provider_id),
        status=PENDING,
        content=encode(inbound.content),
        profile=plain(inbound.profile),
        reply_to=clean(inbound.reply_to),
        album=clean(inbound.album),
        referral=plain(inbound.referral) if inbound.referral else None,
        order=inbound.order,
        arrived=arrival(),
        sent=inbound.sent,
        # Later parts of an album come by requests of their own.
        due=now + ALBUM_TIME if inbound.album else now,
    )


def queued(id: str, conversation: str, content: Content, *, order: int, **more: Any) -> Message:
    """Return a row of the outbox that is to be sent now; `more` are further fields."""
    address = Address.parse(conversation)
    now = utcnow()
    return Message(
        id=id,
        direction="out",
        conversation=conversation,
        channel=address.channel,
        account=address.account,
        status=QUEUED,
        content=encode(content),
        order=order,
        arrived=arrival(),
        sent=now,
        due=now,
        **more,
    )


def from_message(message: Message) -> Inbound:
    """Read an inbound back from its row."""
    return Inbound(
        address=Address.parse(message.conversation),
        provider_id=message.provider_id,
        content=decode(message.content),
        sent=message.sent,
        order=message.order,
        profile=_profile(message.profile or {}),
        reply_to=message.reply_to or "",
        album=message.album or "",
        referral=Referral(**message.referral) if message.referral else None,
    )


def _profile(plain: Mapping[str, Any]) -> Profile:
    return Profile(**{**plain, "signs": tuple(plain.get("signs") or ())})
