"""Documents for the store's tests: one class with every kind of field, and builders of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from bson import ObjectId
from mongoengine import (
    BinaryField,
    BooleanField,
    Document,
    FloatField,
    IntField,
    ObjectIdField,
    StringField,
)

from bot.store.fields import RawField, UtcField

NOON = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Sample(Document):
    """Every kind of field, indexed and not, with unique keys that may be missing."""

    id = StringField(primary_key=True)
    text = StringField()
    number = IntField()
    ratio = FloatField()
    flag = BooleanField()
    when = UtcField()
    ref = ObjectIdField()
    kept = StringField(db_field="k")
    raw = RawField()
    data = BinaryField()
    unindexed = StringField()
    color = StringField(choices=("red", "green"))
    must = StringField(required=True, default="there")
    email = StringField(unique=True)
    room = StringField()
    seat = IntField()

    meta = {
        "collection": "samples",
        "auto_create_index": False,
        "indexes": [
            "text",
            ("number", "-when"),
            "ratio",
            "flag",
            "when",
            "ref",
            "kept",
            {"fields": ("room", "seat"), "unique": True},
        ],
    }


def sample(id: str, **fields: Any) -> Sample:
    """A sample whose unique keys are its own, unless told otherwise."""
    fields = {"email": f"{id}@example.com", "room": id, **fields}
    return Sample(id=id, **fields)


class Numbered(Document):
    id = IntField(primary_key=True)
    text = StringField()
    meta = {"collection": "numbered", "auto_create_index": False, "indexes": ["text"]}


class Named(Document):
    id = ObjectIdField(primary_key=True, default=ObjectId)
    text = StringField()
    meta = {"collection": "named", "auto_create_index": False, "indexes": ["text"]}


def ids(documents: list[Any]) -> list[Any]:
    return [document.id for document in documents]
