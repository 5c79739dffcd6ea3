"""What could not be parsed, processed or sent: whole, and replayable."""

from __future__ import annotations

import hashlib

from bson import ObjectId
from mongoengine import BinaryField, Document, ObjectIdField, StringField

from bot.message import clean, utcnow
from bot.store.fields import RawField, UtcField
from bot.store.messages import Message

RECEIVE, TURN, SEND, FETCH = "receive", "turn", "send", "fetch"


class DeadLetter(Document):
    """`stage` says where it failed; `ref` is the message's id, "" when none was parsed.

    Of the stage fetch `ref` is the id of a `bot.store.files.StoredFile`.

    `body`, `headers` and `query` are a request's, for the stage receive.
    """

    id = ObjectIdField(primary_key=True, default=ObjectId)
    stage = StringField(required=True, choices=(RECEIVE, TURN, SEND, FETCH))
    channel = StringField(required=True)
    account = StringField(required=True)
    ref = StringField(default="")
    reason = StringField(required=True)
    detail = StringField()
    body = BinaryField()
    headers = RawField()
    query = RawField()
    at = UtcField(required=True)
    replayed = UtcField()

    meta = {
        "collection": "dead_letters",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",), ("stage", "at"), ("ref",)],
    }


def dead_id(*parts: str) -> ObjectId:
    """Return an `_id` that is the same for the same failure, so that it is kept once."""
    return ObjectId(hashlib.sha256("\n".join(parts).encode()).digest()[:12])


def lost(stage: str, row: Message, reason: str, **more: str) -> DeadLetter:
    """Return the letter of a message that could not be answered or sent, one for each stage."""
    return DeadLetter(
        id=dead_id(stage, row.id),
        stage=stage,
        channel=row.channel,
        account=row.account,
        ref=row.id,
        reason=clean(reason),
        at=utcnow(),
        **more,
    )
