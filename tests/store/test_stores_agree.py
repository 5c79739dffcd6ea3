"""Random operations have the same outcome on SQLite as on mongoengine over mongomock."""

from __future__ import annotations

import itertools
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import mongomock
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store.contract import Store
from bot.store.mongo import MongoStore
from bot.store.sqlite import SqliteStore
from tests.kit.samples import Sample

_databases = itertools.count()

# Few values, so that they meet; the odd ones are where engines differ.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(["", "a", "B", "aa", "é", "🙂", "a\x00", "10", "9"]),
    "number": st.sampled_from([-(2**62), -1, 0, 1, 2, 2**53 + 1, 2**62]),
    "ratio": st.sampled_from([-1.5, -0.0, 0.0, 1.0, 1.5, 1e300, float("inf"), float("-inf")]),
    "flag": st.booleans(),
    "when": st.datetimes(
        min_value=datetime(1900, 1, 1),
        max_value=datetime(2100, 1, 1),
        timezones=st.just(timezone.utc),
    )
    | st.sampled_from([datetime(1970, 1, 1, tzinfo=timezone.utc)]),
    "ref": st.sampled_from([ObjectId(f"{n:012}".encode()) for n in range(3)]),
    "kept": st.sampled_from(["x", "y"]),
    "email": st.sampled_from(["1@example.com", "2@example.com"]),
    "room": st.sampled_from(["r", "s"]),
    "seat": st.integers(0, 2),
}
IDS = st.sampled_from(["a", "b", "c", "d", "e"])
UNINDEXED = st.sampled_from([{}, {"x.y": [1, {"$z": None}]}, [1, "a"], None])

INDEXED = sorted(VALUES)
NUMBERS = ["number", "ratio", "seat"]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    fields = draw(st.lists(st.sampled_from(INDEXED), unique=True))
    values = {field: draw(VALUES[field]) for field in fields}
    # Without these most inserts would break a unique key by lacking it.
    values.setdefault("email", draw(IDS) + "@example.com")
    values.setdefault("room", draw(IDS))
    return {**values, "id": draw(IDS), "raw": draw(UNINDEXED)}


@st.composite
def conditions(draw: st.DrawFn, field: str) -> Any:
    values = IDS if field == "id" else VALUES[field]
    kind = draw(st.sampled_from(["plain", "none", "$in", "$ne", "range", "between"]))
    if kind == "plain":
        return draw(values)
    if kind == "none":
        return draw(st.sampled_from([None, {"$eq": None}, {"$ne": None}]))
    if kind == "$in":
        return {"$in": draw(st.lists(values | st.none(), max_size=3))}
    if kind == "$ne":
        return {"$ne": draw(values)}
    if kind == "between":
        return {"$gte": draw(values), "$lt": draw(values)}
    return {draw(st.sampled_from(["$lt", "$lte", "$gt", "$gte"])): draw(values)}


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    fields = draw(st.lists(st.sampled_from([*INDEXED, "id"]), unique=True, max_size=2))
    return {field: draw(conditions(field)) for field in fields}


@st.composite
def sorts(draw: st.DrawFn) -> list[str]:
    """Sorts that end with the id, for ties come in any order."""
    fields = draw(st.lists(st.sampled_from(INDEXED), unique=True, max_size=2))
    return [draw(st.sampled_from(["", "-"])) + field for field in [*fields, "id"]]


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    change: dict[str, Any] = {}
    for field in draw(st.lists(st.sampled_from(INDEXED), unique=True, min_size=1, max_size=3)):
        ways = ["set", "unset", "max"] + (["inc"] if field in NUMBERS else [])
        way = draw(st.sampled_from(ways))
        if way == "unset":
            change.setdefault("unset", []).append(field)
        elif way == "inc":
            change.setdefault("inc", {})[field] = draw(st.integers(-3, 3))
        else:
            value = VALUES[field] | st.none() if way == "set" else VALUES[field]
            change.setdefault(way, {})[field] = draw(value)
    return change


OPERATIONS = st.one_of(
    st.tuples(st.just("insert"), documents()),
    st.tuples(st.just("insert_new"), st.lists(documents(), min_size=1, max_size=3)),
    st.tuples(st.just("put"), documents()),
    st.tuples(st.just("get"), IDS),
    st.tuples(st.just("find"), filters(), sorts(), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("count"), filters()),
    st.tuples(st.just("delete"), filters()),
    st.tuples(st.just("change"), IDS, filters(), changes()),
    st.tuples(st.just("claim"), filters(), sorts(), changes()),
)


def plain(found: Any) -> Any:
    return found.to_mongo().to_dict() if isinstance(found, Sample) else found


def outcome(store: Store, operation: tuple[Any, ...]) -> Any:
    """What an operation returns, or the name of what it raises."""
    verb, *arguments = operation
    try:
        if verb in ("insert", "put"):
            return getattr(store, verb)(Sample(**arguments[0]))
        if verb == "insert_new":
            # One after the other: of a batch that fails SQLite keeps nothing, MongoDB a part.
            return [store.insert_new([Sample(**fields)]) for fields in arguments[0]]
        if verb == "get":
            return plain(store.get(Sample, arguments[0]))
        if verb == "find":
            where, sort, limit, skip = arguments
            return [plain(s) for s in store.find(Sample, where, sort=sort, limit=limit, skip=skip)]
        if verb == "change":
            id, where, change = arguments
            return plain(store.change(Sample, {**where, "id": id}, **change))
        if verb == "claim":
            where, sort, change = arguments
            change = {"set": change.get("set", {}), "inc": change.get("inc")}
            return plain(store.claim(Sample, where, sort=sort, **change))
        return getattr(store, verb)(Sample, *arguments)
    except Exception as error:
        return type(error).__name__


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(OPERATIONS, min_size=3, max_size=25))
def test_the_stores_agree(operations: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        sqlite = SqliteStore(Path(directory) / "bot.db")
        mongo = MongoStore(
            f"mongodb://mock/agree{next(_databases)}", client_class=mongomock.MongoClient
        )
        try:
            for store in (sqlite, mongo):
                store.ensure(Sample)
            for operation in operations:
                assert outcome(sqlite, operation) == outcome(mongo, operation), operation
            everything = ("find", {}, ["id"], 0, 0)
            assert outcome(sqlite, everything) == outcome(mongo, everything)
        finally:
            sqlite.close()
            mongo.close()
