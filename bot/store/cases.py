"""What a person is to see to."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import RawField, UtcField

OPEN, RESOLVED = "open", "resolved"


class Case(Document):
    """`_id` is the id of the inbound message that made it: a redone turn makes no second one.

    `topic` is what it is about (of ``data/escalation.yml``, or ``human`` when the customer
    asked for a person), `why` what led to it, `summary` one sentence with personal data masked.
    `resolution` is what an agent wrote when it was closed.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    status = StringField(default=OPEN, choices=(OPEN, RESOLVED))
    topic = StringField(required=True)
    priority = StringField(default="normal")
    why = StringField(default="")
    summary = StringField(default="")
    details = RawField()
    agent = StringField(default="")
    resolution = StringField(default="")
    at = UtcField(required=True)
    resolved = UtcField()

    meta = {
        "collection": "cases",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("status", "at"), ("conversation", "at")],
    }
