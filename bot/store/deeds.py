"""What agents want done. Its pending rows are the desk's inbox."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField

#: To be done; done; not to be done, `result` says why.
PENDING, DONE, REFUSED = "pending", "done", "refused"


class Deed(Document):
    """`_id` is the same in every redelivery: ``slack:…`` of the event, ``console:…`` of the page.

    `kind` and what `args` hold are in `bot.desk.contract`. `agent` is who wants it (an id
    of `bot.desk.people`), `name` how that person is shown, if it is known. `conversation` is
    "" only where finding one is what is wanted. `files` are what came with it, as the
    channel of the agent describes them. `arrived` orders a conversation's deeds, in
    microseconds since 1970. `result` is a `bot.desk.contract.Done` as plain values.
    """

    id = StringField(primary_key=True)
    kind = StringField(required=True)
    conversation = StringField(default="")
    agent = StringField(required=True)
    name = StringField(default="")
    via = StringField(required=True, choices=("slack", "console", "cli"))
    text = StringField(default="")
    args = RawField()
    files = RawField()
    at = UtcField(required=True)
    arrived = IntField(required=True)
    status = StringField(default=PENDING, choices=(PENDING, DONE, REFUSED))
    result = RawField()
    due = UtcField(required=True)
    attempts = IntField(default=0)
    owner = StringField(default="")

    meta = {
        "collection": "deeds",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("status", "due", "arrived"),
            ("conversation", "status", "arrived"),
            ("status", "owner"),
            ("status", "at"),
        ],
    }
