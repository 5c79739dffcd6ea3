"""What happened at the desk beside messages: takeovers, notes, reminders, ratings. The audit."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField

#: An agent's words that no customer sees.
NOTE = "note"
#: Who has the conversation.
OPENED, REOPENED, TAKEN, ASSIGNED, RETURNED, RESOLVED = (
    "opened",
    "reopened",
    "taken",
    "assigned",
    "returned",
    "resolved",
)
#: A rule closed it, a deadline is over, the customer rated, a draft was shown, an action was run.
CLOSED, REMINDED, RATED, DRAFTED, ACTED = "closed", "reminded", "rated", "drafted", "acted"
#: What a customer wrote, in the company's language.
TRANSLATED = "translated"
#: A message to the customer was changed or taken back, or could not be.
EDITED, DELETED = "edited", "deleted"
#: A model has made a customer's file into words.
SENSED = "sensed"


class Entry(Document):
    """`_id` is made of what caused it, so that writing it again changes nothing.

    `text` is for agents. `agent` is the id of who did it and `name` how he is shown, "" for a
    rule; `via` is ``slack``, ``console``, ``cli`` or ``rule``. `arrived` orders it among
    the messages of the conversation, in microseconds since 1970. `details` are plain values:
    of an action its name, arguments and result, of a reminder its stage.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    case = StringField(default="")
    kind = StringField(required=True)
    agent = StringField(default="")
    name = StringField(default="")
    via = StringField(default="rule")
    text = StringField(default="")
    details = RawField()
    at = UtcField(required=True)
    arrived = IntField(required=True)

    meta = {
        "collection": "journal",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("conversation", "arrived"), ("case", "kind"), ("agent", "at")],
    }
