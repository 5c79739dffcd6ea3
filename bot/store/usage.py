"""What live traffic used, counted from turns: by ten minutes today, by days before."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import RawField, UtcField

SLICE, DAY = "slice", "day"
#: The `_id` of the one mark there is.
MARK = "mark"


class Usage(Document):
    """`_id` is ``day:2026-11-25`` or ``slice:2026-11-25T14:20``, both UTC.

    `rows` are `bot.insight.tally` 's. It is derived: with this and the mark deleted, it is counted
    again from the turns.
    """

    id = StringField(primary_key=True)
    span = StringField(required=True, choices=(SLICE, DAY))
    day = StringField(required=True)
    at = UtcField(required=True)
    rows = RawField()

    meta = {
        "collection": "usage",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("span", "day"), ("at",)],
    }


class UsageMark(Document):
    """One row, `_id` `MARK`: turns before `upto` are counted.

    `owner` is the worker that counts on, until `until`; two that do so at once count alike.
    """

    id = StringField(primary_key=True)
    upto = UtcField(required=True)
    owner = StringField(default="")
    until = UtcField(required=True)

    meta = {
        "collection": "usage_mark",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("upto", "owner", "until")],
    }
