"""What a person is to see to."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField

OPEN, RESOLVED = "open", "resolved"


class Case(Document):
    """`_id` is the id of the inbound message that made it: a redone turn makes no second one.

    `topic` is what it is about (of ``data/escalation.yml``, or ``human`` when the customer
    asked for a person), `why` what led to it, `summary` one sentence with personal data masked.
    `details` are further facts for the agent. Of several open cases of a conversation the
    oldest is the one that agents see; the others have its id in `part_of`.

    `agent` is the id of who it is assigned to, `to` the name of its route in
    ``data/routing.yml``. `resolution` is what an agent wrote when it was closed, `closed_by`
    who or what closed it. `opened` counts how often it was opened, from 1. `rating` is the
    customer's, 1 to 5, 0 for none.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    status = StringField(default=OPEN, choices=(OPEN, RESOLVED))
    topic = StringField(required=True)
    priority = StringField(default="normal")
    why = StringField(default="")
    summary = StringField(default="")
    details = RawField()
    language = StringField(default="")
    part_of = StringField(default="")
    to = StringField(default="")
    agent = StringField(default="")
    resolution = StringField(default="")
    closed_by = StringField(default="")
    at = UtcField(required=True)
    resolved = UtcField()
    opened = IntField(default=1)
    rating = IntField(default=0)
    rated_at = UtcField()

    meta = {
        "collection": "cases",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("status", "at"),
            ("status", "resolved"),
            ("conversation", "at"),
            ("topic", "status", "resolved"),
        ],
    }
