"""The stores a test runs against, and a document class with every kind of field."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import mongomock
import pymongo
import pytest
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

from bot.store.contract import Store
from bot.store.fields import RawField, UtcField
from bot.store.mongo import MongoStore
from bot.store.sqlite import SqliteStore

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


@pytest.fixture
def database() -> str:
    """The name of a database no other test uses."""
    return f"frontdesk_test_{uuid.uuid4().hex[:12]}"


@pytest.fixture(params=["sqlite", "mongomock", "mongodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Iterator[Store]:
    made: Store
    if request.param == "sqlite":
        made = SqliteStore(tmp_path / "bot.db")
    elif request.param == "mongomock":
        made = MongoStore(f"mongodb://mock/{database}", client_class=mongomock.MongoClient)
    else:
        uri = os.environ.get("MONGODB_URI")
        if not uri:
            pytest.skip("MONGODB_URI names no MongoDB server to run the contract against")
        host, _, options = uri.partition("?")
        base = "/".join(host.split("/")[:3])
        made = MongoStore(f"{base}/{database}" + (f"?{options}" if options else ""))
    made.ensure(Sample, Numbered, Named)
    yield made
    made.close()
    if request.param == "mongodb":
        with pymongo.MongoClient(os.environ["MONGODB_URI"]) as client:
            client.drop_database(database)
