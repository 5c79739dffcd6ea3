"""Messages from which the bot may learn: a designer's inbox."""

from __future__ import annotations

from mongoengine import Document, FloatField, IntField, StringField

from bot.lesson_words import OPEN, STATUSES
from bot.store.fields import RawField, UtcField


class Lesson(Document):
    """`_id` is the inbound message's id, as the turn's.

    `text` is what was said, without personal data; `marks` the entities found in it, dictionaries
    of `bot.learning.contract.Mark`. `intent` and `confidence` are what was understood, `ranking`
    a list of ``[intent, confidence]``. `reasons` and `status` are of `bot.lesson_words`, the
    former ``{reason: detail}``; `reason` has all of them, the strongest first, with spaces
    between. `alike` is the same for texts that differ in nothing that matters; `weight` orders
    the inbox, the largest first, and is 0 for an open one that stands behind another of the same
    `alike`. `decided` is the designer's `Decided` as a dictionary, `file` and `line` where it was
    written.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    seq = IntField(default=0)
    at = UtcField(required=True)
    language = StringField(default="")
    text = StringField(default="")
    marks = RawField()
    intent = StringField(default="")
    confidence = FloatField(default=0.0)
    ranking = RawField()
    reasons = RawField()
    reason = StringField(default="")
    alike = StringField(default="")
    weight = IntField(default=0)
    model = StringField(default="")
    status = StringField(default=OPEN, choices=STATUSES)
    decided = RawField()
    decided_by = StringField(default="")
    decided_at = UtcField()
    file = StringField(default="")
    line = IntField(default=0)

    meta = {
        "collection": "lessons",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("status", "weight", "at"),
            ("status", "reason", "weight", "at"),
            ("alike", "status"),
            ("conversation", "seq"),
            ("at",),
        ],
    }


class Gathered(Document):
    """How far turns have been looked through; there is one, `TURNS`.

    All turns up to `at` have been. Nobody looks again before `until`.
    """

    id = StringField(primary_key=True)
    at = UtcField(required=True)
    until = UtcField(required=True)

    meta = {
        "collection": "gathered",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("until",)],
    }


TURNS = "turns"
