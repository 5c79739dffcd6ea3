"""What the bot made of one inbound message. Its insert is the commit of the turn."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField


class Turn(Document):
    """`_id` is the inbound message's id.

    `seq` counts a conversation's turns from 1 and is unique in it, so that two turns
    can never build on the same state, whatever became of a lease. `state` is the
    dialogue's state after the turn; `replies` are encoded contents. `heard` is what the
    message was taken to say, `folded` are the ids of messages that were a part of it.
    `perception` is `bot.perception` 's, encoded; None where nobody looked. `model` is the name
    of the model that was asked, "" for none.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    seq = IntField(required=True)
    at = UtcField(required=True)
    events = RawField()
    replies = RawField()
    parse = RawField()
    decision = RawField()
    state = RawField()
    heard = RawField()
    perception = RawField()
    folded = RawField()
    epoch = IntField(default=0)
    took_ms = IntField(default=0)
    model = StringField(default="")

    meta = {
        "collection": "turns",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            {"fields": ("conversation", "seq"), "unique": True},
            ("at",),
        ],
    }
