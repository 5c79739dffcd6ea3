"""What a designer has changed in the bot's words since its model was trained."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import RawField, UtcField

#: The `_id` of the one row there is.
LIVE = "responses"


class LiveResponses(Document):
    """One row, `_id` `LIVE`, written whole by ``bot watch`` and read by every worker.

    `responses` is that section of the domain, `rest` identifies all else in it, `digest` the
    responses. `at` is before the files were read.
    """

    id = StringField(primary_key=True)
    responses = RawField(required=True)
    rest = StringField(required=True)
    digest = StringField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "live_responses",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("digest",)],
    }
