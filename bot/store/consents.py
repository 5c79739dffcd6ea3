"""Who wants messages and who does not: a ledger that is only ever added to."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.store.fields import UtcField

IN, OUT = "in", "out"
ALL, MARKETING = "all", "marketing"
#: How it became known: a word like STOP, the provider's own switch, the customer blocked
#: us, the provider refused a message, somebody at the desk, an operator, a new address.
KEYWORD, PROVIDER, BLOCKED, REFUSED = "keyword", "provider", "blocked", "refused"
AGENT, COMMAND, MOVED = "agent", "command", "moved"


class Consent(Document):
    """One change. `_id` is the inbound message's id, or ``send:`` and the outbound one's.

    Consent is given and withdrawn for an address, the conversation's; `customer` is who
    was known to be there then, "" for nobody yet. `word` is what was written, `at` when.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    customer = StringField(default="")
    state = StringField(required=True, choices=(IN, OUT))
    scope = StringField(required=True, choices=(ALL, MARKETING))
    how = StringField(
        required=True, choices=(KEYWORD, PROVIDER, BLOCKED, REFUSED, AGENT, COMMAND, MOVED)
    )
    word = StringField(default="")
    at = UtcField(required=True)

    meta = {
        "collection": "consents",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("conversation", "at"), ("at",)],
    }


class OptOut(Document):
    """Somebody who was forgotten had opted out, and is not to be written to for all that.

    `_id` is a keyed hash of the address (`bot.consent.forgotten`), which nobody can read back.
    The rest is what `Conversation` has of it.
    """

    id = StringField(primary_key=True)
    scope = StringField(required=True, choices=(ALL, MARKETING))
    how = StringField(default="")
    at = UtcField(required=True)

    meta = {
        "collection": "optouts",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",)],
    }


class OptOutKey(Document):
    """The key of those hashes; there is one, made when it is first needed."""

    id = StringField(primary_key=True)
    key = StringField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "optout_keys",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",)],
    }
