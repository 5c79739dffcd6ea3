"""What providers told the operator about an account."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.message import Notice as Told
from bot.message import clean
from bot.store.fields import UtcField


class Notice(Document):
    """`_id` is ``channel:account:provider's id``; see `bot.message.Notice`."""

    id = StringField(primary_key=True)
    channel = StringField(required=True)
    account = StringField(required=True)
    subject = StringField(required=True)
    text = StringField(required=True)
    level = StringField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "notices",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",), ("channel", "account", "at")],
    }


def to_notice(told: Told) -> Notice:
    """Return the document of a notice."""
    return Notice(
        id=clean(f"{told.channel}:{told.account}:{told.id}"),
        channel=told.channel,
        account=told.account,
        subject=clean(told.subject),
        text=clean(told.text) or clean(told.subject),
        level=told.level,
        at=told.at,
    )
