"""What Slack shows of the desk: a thread for each case, and every message we put there."""

from __future__ import annotations

from mongoengine import BooleanField, Document, IntField, StringField

from bot.store.fields import RawField, UtcField

#: Of a post: to be posted; claimed; an attempt whose answer never came; there; given up.
QUEUED, SENDING, UNKNOWN, POSTED, FAILED = "queued", "sending", "unknown", "posted", "failed"


class SlackThread(Document):
    """`_id` is ``account:case id``. `ts` is the card's, "" before it is posted.

    `card` is a hash of what the card shows. `upto` is the `arrived` of the last message or
    journal entry for which there is a post. `lost` counts how often somebody deleted it in
    Slack and it was begun anew. Over a thread that is `closed` nothing new is looked for.
    `owner` and `until` are the lease of the process that serves it.
    """

    id = StringField(primary_key=True)
    case = StringField(required=True)
    conversation = StringField(required=True)
    account = StringField(required=True)
    channel = StringField(required=True)
    ts = StringField(default="")
    card = StringField(default="")
    upto = IntField(default=0)
    lost = IntField(default=0)
    closed = BooleanField(default=False)
    at = UtcField(required=True)
    owner = StringField(default="")
    until = UtcField(required=True)
    due = UtcField(required=True)

    meta = {
        "collection": "slack_threads",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("closed", "due"),
            ("channel", "ts"),
            ("conversation", "at"),
            ("case",),
        ],
    }


class SlackPost(Document):
    """One message in a thread. `_id` is ``thread id:what it shows``; never made twice.

    `order` is its place in the thread. `body` are the arguments of Slack's method, without
    channel and thread. `shows` is the id of the message, entry or file it shows. `ts` is
    Slack's name of it once it is posted; of a message that an agent wrote in Slack it is
    there from the beginning. `ticks` are the reactions that it has from us.
    """

    id = StringField(primary_key=True)
    thread = StringField(required=True)
    order = IntField(required=True)
    kind = StringField(default="post")
    shows = StringField(default="")
    body = RawField()
    status = StringField(default=QUEUED)
    ts = StringField(default="")
    ticks = RawField()
    attempts = IntField(default=0)
    tried = UtcField()
    due = UtcField(required=True)
    reason = StringField(default="")

    meta = {
        "collection": "slack_posts",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("thread", "status", "order"),
            ("thread", "order"),
            ("shows",),
            ("ts",),
        ],
    }
