"""What language models have cost."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import UtcField


class Spending(Document):
    """`_id` is ``day:2026-11-25`` (UTC) or ``conversation:KEY:2026-11-25``.

    `micros` is money in millionths of the settings' currency.
    """

    id = StringField(primary_key=True)
    tokens = IntField(default=0)
    micros = IntField(default=0)
    at = UtcField(required=True)

    meta = {
        "collection": "spending",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",)],
    }
