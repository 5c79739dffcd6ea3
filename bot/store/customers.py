"""Who is who: customers as the channels show them, and what joined several into one person.

Every address has a `Customer` of its own, and nothing ever takes it away. A `Merge` says
that two of them are the same person, so the addresses of a person are those that merges
connect. Its insert is all there is to merging, and undoing it is one change: no address
can get lost on the way, and the order in which workers do it does not matter.
"""

from __future__ import annotations

import hashlib

from bson import ObjectId
from mongoengine import BooleanField, Document, IntField, ObjectIdField, StringField

from bot.message import clean
from bot.store.fields import RawField, UtcField

#: Who says that two customers are one: themselves, a person at the desk, the same phone
#: number on two channels, or a provider that knows of a new address.
CUSTOMER, AGENT, PHONE, PROVIDER = "customer", "agent", "phone", "provider"


class Customer(Document):
    """One address. `_id` is made of it, so that two workers who meet it at once make one.

    `phone` is E.164 and proven: the address itself, or the sender's own contact card.
    `tier` is what an operator calls such a customer, ``gold``, for routing.
    `matched` says that others with that number have been looked for, `joined` that there
    is or was a merge. An address that was given up has the key of the new one in
    `left_for`; whoever writes from it later is somebody else, of the next `generation`.
    `signs` are the newest of the channel's profile; since `doubt` it is in doubt that it is still
    the same person, see `bot.identity.doubting`.
    """

    id = ObjectIdField(primary_key=True)
    address = StringField(required=True)
    generation = IntField(default=0)
    name = StringField(default="")
    language = StringField(default="")
    phone = StringField(default="")
    tier = StringField(default="")
    matched = BooleanField(default=False)
    joined = BooleanField(default=False)
    left_for = StringField(default="")
    signs = RawField()
    doubt = UtcField()
    doubt_why = StringField(default="")
    created = UtcField(required=True)

    meta = {
        "collection": "customers",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("phone", "created"), ("address", "generation")],
    }


class Merge(Document):
    """Two customers are one person, until `undone_at`.

    `addresses` are those that came under another id by it, `kept` is the id they came
    under. `settled` says that every conversation has been told.
    """

    id = ObjectIdField(primary_key=True)
    one = ObjectIdField(required=True)
    other = ObjectIdField(required=True)
    by = StringField(required=True, choices=(CUSTOMER, AGENT, PHONE, PROVIDER))
    why = StringField(default="")
    kept = StringField(default="")
    addresses = RawField()
    at = UtcField(required=True)
    undone_at = UtcField()
    undone_by = StringField(default="")
    settled = BooleanField(default=False)

    meta = {
        "collection": "merges",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [
            ("one", "undone_at"),
            ("other", "undone_at"),
            ("settled", "at"),
            ("at",),
        ],
    }


class LinkCode(Document):
    """`_id` is the hash of a code that proves, typed elsewhere, who asked for it.

    `used_by` is the conversation it was typed in.
    """

    id = StringField(primary_key=True)
    conversation = StringField(required=True)
    made = UtcField(required=True)
    until = UtcField(required=True)
    used_by = StringField(default="")

    meta = {
        "collection": "link_codes",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("conversation", "made"), ("until", "used_by")],
    }


class LinkTry(Document):
    """A wrong code, typed in a conversation; kept for as long as it counts."""

    id = ObjectIdField(primary_key=True, default=ObjectId)
    conversation = StringField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "link_tries",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("conversation", "at"), ("at",)],
    }


def customer_id(address: str, generation: int = 0) -> ObjectId:
    """Return the `_id` of the customer at an address (its key)."""
    told = f"{clean(address)}\n{generation}" if generation else clean(address)
    return ObjectId(hashlib.sha256(told.encode()).digest()[:12])


def merge_id(one: ObjectId, other: ObjectId, n: int) -> ObjectId:
    """Return the `_id` of the `n`-th merge (from 0) of two customers, in either order."""
    first, second = sorted((one, other))
    return ObjectId(hashlib.sha256(f"{first}\n{second}\n{n}".encode()).digest()[:12])
