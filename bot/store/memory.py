"""What is known of customers, and what is left of those who were forgotten."""

from __future__ import annotations

import hashlib

from bson import ObjectId
from mongoengine import Document, IntField, ObjectIdField, StringField

from bot.store.fields import RawField, UtcField

#: Kinds of facts.
FACT, PREFERENCE, ORDER, SUMMARY = "fact", "preference", "order", "summary"
#: Who says so.
RULE, MODEL, AGENT, CUSTOMER = "rule", "model", "agent", "customer"

#: Of a forgetting: to be done; all is gone but for traces in the store's files; done.
ASKED, GONE, FORGOTTEN = "asked", "gone", "forgotten"


class Fact(Document):
    """One thing known of who writes from an address.

    `_id` is made of customer, kind and key, so that what contradicts it replaces it.
    `customer` is the id of the `Customer` of the address, never of the person: parting two
    who had been joined parts what is known of them. `about` says in words what `value` is.
    `source` is the id of the turn, deed or case it comes from, `at` when it was said. After
    `until` it is not true any more. An empty `value` is one that somebody took away: what was
    said before `at` does not bring it back.
    """

    id = ObjectIdField(primary_key=True)
    customer = ObjectIdField(required=True)
    conversation = StringField(required=True)
    kind = StringField(required=True, choices=(FACT, PREFERENCE, ORDER, SUMMARY))
    key = StringField(required=True)
    about = StringField(default="")
    value = StringField(default="")
    source = StringField(default="")
    by = StringField(default=RULE, choices=(RULE, MODEL, AGENT, CUSTOMER))
    at = UtcField(required=True)
    until = UtcField(required=True)

    meta = {
        "collection": "facts",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("customer", "at"), ("conversation", "at"), ("until",), ("at",)],
    }


class Quiet(Document):
    """A conversation that is to be summed up once it is quiet; `_id` is its key.

    `seq` is the last turn that was taken, `upto` the last that is summed up.
    """

    id = StringField(primary_key=True)
    seq = IntField(required=True)
    upto = IntField(default=0)
    due = UtcField(required=True)
    attempts = IntField(default=0)

    meta = {
        "collection": "quiet",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("due",), ("seq",)],
    }


class Forgetting(Document):
    """A customer is to be forgotten. Once it is done it says only that, by whom, and when.

    `members` are what is to be forgotten, a dictionary for each address: ``customer``,
    ``address`` and, of one that somebody else has by now, ``until`` (Unix microseconds).
    `cutoff` is when it was asked for, in microseconds since 1970: what customers write
    later is not touched. `done` are the addresses that are finished, ``left`` in `counts`
    what could not be deleted in Slack. `owner` is the process at work on it until `due`.
    """

    id = ObjectIdField(primary_key=True, default=ObjectId)
    status = StringField(required=True, choices=(ASKED, GONE, FORGOTTEN))
    by = StringField(default="")
    members = RawField()
    held = RawField()
    done = RawField()
    counts = RawField()
    cutoff = IntField(default=0)
    at = UtcField(required=True)
    finished = UtcField()
    owner = StringField(default="")
    due = UtcField(required=True)

    meta = {
        "collection": "forgettings",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("status", "due"), ("owner", "due"), ("at",)],
    }


def fact_id(customer: ObjectId, kind: str, key: str) -> ObjectId:
    """Return the `_id` of what is known of a customer under a key."""
    told = f"fact\n{customer}\n{kind}\n{key}"
    return ObjectId(hashlib.sha256(told.encode()).digest()[:12])


def forgetting_id(who: str) -> ObjectId:
    """Return the `_id` of the forgetting of somebody, which does not tell who."""
    return ObjectId(hashlib.sha256(f"forgetting\n{who}".encode()).digest()[:12])
