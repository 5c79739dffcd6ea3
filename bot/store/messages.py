"""Every message in and out. Its pending rows are the inbox and the outbox."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField

#: direction "in"
PENDING, DONE = "pending", "done"
#: direction "out"; UNKNOWN is an attempt whose answer never came
QUEUED, SENDING, UNKNOWN = "queued", "sending", "unknown"
SENT, DELIVERED, READ, FAILED, DROPPED = "sent", "delivered", "read", "failed", "dropped"
#: What an outbox still has to do; the first of these in a conversation blocks the rest.
UNSENT = (QUEUED, SENDING, UNKNOWN)
#: A receipt only moves a message forwards along this line.
RECEIPT_ORDER = (SENT, DELIVERED, READ)


class Message(Document):
    """`_id` is ``channel:account:provider id`` for in, ``turn:n`` for out.

    `order` is the channel's own order for in, the place in the conversation for
    out; `arrived` breaks its ties, in microseconds since 1970. `due` is when a
    pending row may be worked on. `epoch` is the handoff epoch a reply was made in.
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
    owner = StringField(default="")
    turn = StringField()
    epoch = IntField(default=0)
    reason = StringField()
    receipts = RawField()

    meta = {
        "collection": "messages",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("direction", "status", "due", "arrived"),
            ("conversation", "direction", "status", "order", "arrived"),
            ("conversation", "arrived"),
            ("channel", "account", "provider_id"),
        ],
    }
