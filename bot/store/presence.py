"""Which gateways listen: receipts come through them, and through nobody else."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import UtcField


class Listening(Document):
    """`_id` is the gateway's `bot.process.me`.

    It has been able to store what comes from `since` until `at`, both by its own clock.
    """

    id = StringField(primary_key=True)
    since = UtcField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "listening",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",)],
    }
