"""Drafts that were shown to agents, and what they made of them."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import RawField, UtcField

SHOWN, SENT, EDITED, DISCARDED = "shown", "sent", "edited", "discarded"


class Review(Document):
    """`_id` is the id of the deed that asked for it.

    `question` is what the draft answers, `draft` its text and `sources` the articles it
    rests on, a list of ``{article, title, url}``; `how` is `Answer.how`. `sent` is what the
    agent sent in the end, "" for nothing yet; `outcome` is one of the constants above.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    case = StringField(default="")
    agent = StringField(required=True)
    question = StringField(default="")
    draft = StringField(default="")
    sources = RawField()
    how = StringField(default="")
    outcome = StringField(default=SHOWN, choices=(SHOWN, SENT, EDITED, DISCARDED))
    sent = StringField(default="")
    at = UtcField(required=True)
    decided = UtcField()

    meta = {
        "collection": "reviews",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("conversation", "at"), ("outcome", "at")],
    }
