"""Translations of the bot's own words, kept so that an ordinary reply costs no model call."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import UtcField


class Kept(Document):
    """`_id` is a hash of engine, languages and text: other words are another row.

    Never of what one customer wrote. `used` is roughly when it was last asked for.
    """

    id = StringField(primary_key=True)
    pair = StringField(required=True)
    text = StringField(required=True)
    used = UtcField(required=True)

    meta = {
        "collection": "translations",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("used",)],
    }
