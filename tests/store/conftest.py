"""The stores a test of the contract runs against."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import mongomock
import pymongo
import pytest

from bot.store.contract import Store
from bot.store.mongo import MongoStore
from bot.store.sqlite import SqliteStore
from tests.kit.samples import Named, Numbered, Sample


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
