"""One-time codes that prove whose account somebody speaks of, and what they have proven."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store.fields import RawField, UtcField

#: A challenge that is not counted yet, is to be sent, is with a sender, has been handed to the
#: mail server (nobody knows whether it was taken), is sent, could not be sent, goes nowhere.
HELD, QUEUED, SENDING, HANDING, SENT, FAILED, NOWHERE = (
    "held",
    "queued",
    "sending",
    "handing",
    "sent",
    "failed",
    "nowhere",
)
UNSENT = (HELD, QUEUED, SENDING)
#: Whose a code or a guess is that still counts when who it was has been forgotten.
NOBODY = "nobody"


class Challenge(Document):
    """A code that was asked for; `_id` is made of who asked, for what, and the message it was in.

    `customer` is the `Customer` of the address it was asked at, `person` whom that belongs to,
    `account` a digest, see `bot.identity.proving.account_of`. The code, of `digits`, is stored
    hashed; it stands in `letter` (``to``, ``subject``, ``body``) until it is sent, and no longer.
    `way` is "mail", "sms" or "" for one that goes nowhere. `used_by` is the message it was
    typed in.
    """

    id = StringField(primary_key=True)
    customer = StringField(required=True)
    person = StringField(required=True)
    account = StringField(required=True)
    channel = StringField(default="")
    hashed = StringField(required=True)
    digits = IntField(default=6)
    made = UtcField(required=True)
    until = UtcField(required=True)
    used_by = StringField(default="")
    way = StringField(default="")
    letter = RawField()
    status = StringField(required=True)
    due = UtcField(required=True)
    attempts = IntField(default=0)
    owner = StringField(default="")
    reason = StringField(default="")

    meta = {
        "collection": "challenges",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("customer", "account", "until"),
            ("person", "made"),
            ("account", "made"),
            ("channel", "made"),
            ("made",),
            ("status", "due"),
            ("due",),
            ("until", "used_by"),
        ],
    }


class ProofTry(Document):
    """A wrong code; `_id` is a digest of the message it was typed in. Kept while it counts.

    `account` is the account's, or, of who has proven it before, a digest of that and of him.
    """

    id = StringField(primary_key=True)
    person = StringField(required=True)
    account = StringField(required=True)
    channel = StringField(default="")
    at = UtcField(required=True)

    meta = {
        "collection": "proof_tries",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("person", "at"), ("account", "at"), ("channel", "at"), ("at",)],
    }


class Proof(Document):
    """The customer at an address has proven that an account is his, until then.

    `_id` is made of both; `by` is the way the code went, `since` when he has proven it first.
    Afterwards it is kept for a while, and tells that he is no stranger to it.
    """

    id = StringField(primary_key=True)
    customer = StringField(required=True)
    account = StringField(required=True)
    by = StringField(default="")
    at = UtcField(required=True)
    since = UtcField()
    until = UtcField(required=True)

    meta = {
        "collection": "proofs",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("customer",), ("until",)],
    }


class Miss(Document):
    """An order number that a person has asked for and that there is not; `_id` is a digest of both.

    Kept while it counts: whoever tries many numbers is looking for other people's.
    """

    id = StringField(primary_key=True)
    person = StringField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "misses",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("person", "at"), ("at",)],
    }


#: What is kept of it all.
PROOFS: tuple[type[Document], ...] = (Challenge, ProofTry, Proof, Miss)
