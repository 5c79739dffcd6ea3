"""Questions that were not answered, or not well."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import RawField, UtcField

#: No article was found; what was said was not backed; the customer said it did not help.
UNANSWERED, UNSUPPORTED, RATED = "unanswered", "unsupported", "rated"


class Gap(Document):
    """`_id` is the inbound message's id: a redone turn makes no second one.

    `question` has personal data masked. `nearest` are ids of passages that were looked at.
    `closed` is when somebody wrote the article, or said that none is needed.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    why = StringField(required=True, choices=(UNANSWERED, UNSUPPORTED, RATED))
    question = StringField(required=True)
    language = StringField(default="")
    nearest = RawField()
    at = UtcField(required=True)
    closed = UtcField()

    meta = {
        "collection": "gaps",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("closed", "at"), ("conversation", "at")],
    }
