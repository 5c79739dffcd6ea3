"""The store for production: MongoDB through mongoengine, or what speaks its protocol.

The documents' classes are the schema; queries and changes are the plain subset that
`bot.store.query` checks. MongoDB 5.0 or later, for keys with dots and dollars within
a document: https://www.mongodb.com/docs/manual/core/dot-dollar-considerations/
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote

import mongoengine
import pymongo
from mongoengine import Document
from mongoengine.connection import ConnectionFailure as EngineConnectionFailure
from pymongo import IndexModel, ReturnDocument
from pymongo import errors as pymongo_errors
from pymongo.collection import Collection
from pymongo.uri_parser import parse_uri

from bot.store import query
from bot.store.contract import Where
from bot.store.errors import Duplicate, StoreDown, StoreError
from bot.store.query import Condition

D = TypeVar("D", bound=Document)

#: The database when the url names none.
_DATABASE = "frontdesk"
#: Milliseconds, where the url does not say otherwise. A webhook's sender waits some
#: ten seconds before it gives up, so the 503 must come sooner than that.
_TIMEOUTS = {"serverSelectionTimeoutMS": 3000, "connectTimeoutMS": 3000, "socketTimeoutMS": 20000}

#: Failures of a server that is there but cannot do it now, besides those pymongo has
#: classes for: no authentication, no right, time exceeded, changes of primary, shutting
#: down, no disk space. https://www.mongodb.com/docs/manual/reference/error-codes/
_PASSING = frozenset(
    {6, 7, 13, 18, 50, 63, 64, 89, 91, 133, 134, 150, 189, 262, 9001}
    | {10107, 11600, 11602, 13388, 13435, 13436, 14031}
)
_USERINFO = re.compile(r"(?<=://).*(?=@)")
_aliases = itertools.count(1)


def _filter(conditions: Sequence[Condition]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for condition in conditions:
        found.setdefault(condition.field, {})[condition.operator] = condition.value
    return found


def _update(change: query.Change) -> dict[str, Any]:
    parts = {
        "$set": change.set,
        "$unset": dict.fromkeys(change.unset, ""),
        "$inc": change.inc,
        "$max": change.max,
    }
    return {operator: fields for operator, fields in parts.items() if fields}


class MongoStore:
    """A `Store` in the database that `url` names, ``frontdesk`` when it names none.

    Connects at the first use. Writes are acknowledged by a majority of the replica
    set and its journals, whatever the url says; reads ask the primary. Raises
    ValueError for a url that is none. `client_class` takes mongomock's in tests.
    """

    def __init__(self, url: str, *, client_class: type = pymongo.MongoClient) -> None:
        self._url = url
        self._secrets = _secrets(url)
        self._client_class = client_class
        self._alias = f"frontdesk-{next(_aliases)}"
        self._connecting = threading.Lock()
        self._database: Any = None
        self._closed = False
        try:
            # Naming the hosts of mongodb+srv asks the DNS, which can be down; later, then.
            options = parse_uri(url)["options"] if url.startswith("mongodb://") else {}
        except (pymongo_errors.PyMongoError, ValueError):
            # What was taken for a host or a port may be the second half of a password.
            raise ValueError(
                "the store's url is no mongodb:// url;"
                " user and password must be percent-encoded (RFC 3986)"
            ) from None
        named = {name.lower(): value for name, value in options.items()}
        if str(named.get("readpreference", "primary")).lower() != "primary":
            raise ValueError("the store's url: readPreference must be primary, or be left out")

    def __repr__(self) -> str:
        return f"MongoStore({_USERINFO.sub('***', self._url)!r})"

    # The contract, in its order.

    def ensure(self, *documents: type[Document]) -> None:
        """See `Store.ensure`. Raises Duplicate when a new unique index does not hold."""
        with self._guarded():
            for cls in documents:
                models = [
                    IndexModel(list(index.fields), name=index.name, unique=index.unique)
                    for index in query.plan(cls).indexes
                ]
                if models:
                    self._collection(cls).create_indexes(models)

    def insert(self, document: Document) -> None:
        """See `Store.insert`."""
        packed = query.pack(document)
        with self._guarded():
            self._collection(type(document)).insert_one(packed.son)

    def insert_new(self, documents: Sequence[Document]) -> list[bool]:
        """See `Store.insert_new`. Raises Duplicate for a unique index other than `_id`.

        What came before a failure stays inserted, so the call can be repeated.
        """
        packed = [(type(document), query.pack(document)) for document in documents]
        new: list[bool] = []
        with self._guarded():
            for cls, group in itertools.groupby(packed, key=lambda one: one[0]):
                new += self._insert_group(self._collection(cls), [one for _, one in group])
        return new

    def put(self, document: Document) -> None:
        """See `Store.put`."""
        packed = query.pack(document)
        with self._guarded():
            collection = self._collection(type(document))
            try:
                collection.replace_one({"_id": packed.id}, packed.son, upsert=True)
            except pymongo_errors.DuplicateKeyError:
                # Of two that insert at the same time one fails, and then replaces.
                if collection.replace_one({"_id": packed.id}, packed.son).matched_count == 0:
                    raise

    def get(self, cls: type[D], id: Any) -> D | None:
        """See `Store.get`."""
        id = query.identity(cls, id)
        if id is None:
            return None
        with self._guarded():
            son = self._collection(cls).find_one({"_id": id})
        return None if son is None else query.unpack(cls, son)

    def find(
        self,
        cls: type[D],
        where: Where,
        *,
        sort: Sequence[str] = (),
        limit: int = 0,
        skip: int = 0,
    ) -> list[D]:
        """See `Store.find`."""
        conditions, order = query.conditions(cls, where), query.order(cls, sort)
        query.window(limit, skip)
        with self._guarded():
            cursor = self._collection(cls).find(_filter(conditions), skip=skip, limit=limit)
            if order:
                cursor = cursor.sort(order)
            return [query.unpack(cls, son) for son in cursor]

    def change(
        self,
        cls: type[D],
        where: Where,
        *,
        set: Mapping[str, Any] | None = None,
        unset: Sequence[str] = (),
        inc: Mapping[str, int] | None = None,
        max: Mapping[str, Any] | None = None,
    ) -> D | None:
        """See `Store.change`."""
        conditions = query.conditions(cls, where)
        return self._change(cls, conditions, [], query.change(cls, set, unset, inc, max))

    def claim(
        self,
        cls: type[D],
        where: Where,
        *,
        sort: Sequence[str],
        set: Mapping[str, Any],
        inc: Mapping[str, int] | None = None,
    ) -> D | None:
        """See `Store.claim`."""
        conditions, order = query.conditions(cls, where), query.order(cls, sort)
        return self._change(cls, conditions, order, query.change(cls, set, (), inc, None))

    def count(self, cls: type[Document], where: Where) -> int:
        """See `Store.count`."""
        conditions = query.conditions(cls, where)
        with self._guarded():
            return int(self._collection(cls).count_documents(_filter(conditions)))

    def delete(self, cls: type[Document], where: Where) -> int:
        """See `Store.delete`."""
        conditions = query.conditions(cls, where)
        with self._guarded():
            return int(self._collection(cls).delete_many(_filter(conditions)).deleted_count)

    def scrub(self) -> None:
        """See `Store.scrub`: nothing of it is ours to do."""

    def ping(self) -> None:
        """See `Store.ping`."""
        with self._guarded():
            self._connected().client.admin.command("ping")

    def close(self) -> None:
        """See `Store.close`. Later calls raise StoreError."""
        with self._connecting:
            self._closed, self._database = True, None
            mongoengine.disconnect(self._alias)

    # One call: the connection, and the names of what fails.

    def _connected(self) -> Any:
        with self._connecting:
            if self._closed:
                raise StoreError("the store has been closed")
            if self._database is None:
                stated = self._url.lower()
                timeouts = {k: v for k, v in _TIMEOUTS.items() if k.lower() not in stated}
                mongoengine.connect(
                    _DATABASE,
                    alias=self._alias,
                    host=self._url,
                    mongo_client_class=self._client_class,
                    tz_aware=True,
                    uuidRepresentation="standard",
                    w="majority",
                    journal=True,
                    **timeouts,
                )
                self._database = mongoengine.connection.get_db(self._alias)
            return self._database

    def _collection(self, cls: type[Document]) -> Collection[dict[str, Any]]:
        collection: Collection[dict[str, Any]] = self._connected()[query.plan(cls).collection]
        return collection

    def _change(
        self,
        cls: type[D],
        conditions: Sequence[Condition],
        order: query.Order,
        change: query.Change,
    ) -> D | None:
        with self._guarded():
            son = self._collection(cls).find_one_and_update(
                _filter(conditions),
                _update(change),
                sort=order or None,
                return_document=ReturnDocument.AFTER,
            )
        return None if son is None else query.unpack(cls, son)

    def _insert_group(
        self, collection: Collection[dict[str, Any]], packed: Sequence[query.Packed]
    ) -> list[bool]:
        """Insert in order, in as few requests as there are duplicates to step over."""
        new: list[bool] = []
        while len(new) < len(packed):
            try:
                collection.insert_many([one.son for one in packed[len(new) :]], ordered=True)
            except pymongo_errors.BulkWriteError as error:
                failed = (error.details or {}).get("writeErrors") or [{}]
                if failed[0].get("code") != 11000:
                    raise
                new += [True] * failed[0]["index"]
                # Servers differ in how they name the key; what counts is if ours is there.
                if collection.find_one({"_id": packed[len(new)].id}, {"_id": 1}) is None:
                    raise
                new.append(False)
            else:
                new += [True] * (len(packed) - len(new))
        return new

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        # The causes are left out of the traceback: pymongo's texts can hold the values
        # of a duplicate key, which are customers', or parts of the url.
        try:
            yield
        except pymongo_errors.BulkWriteError as error:
            details = error.details or {}
            codes = {e.get("code") for e in details.get("writeErrors", ())}
            if 11000 in codes:
                raise Duplicate(_key(details["writeErrors"][0])) from None
            if details.get("writeConcernErrors") or codes & _PASSING:
                raise StoreDown("the write was not acknowledged by a majority") from None
            raise StoreError(f"bulk write failed: codes {sorted(map(str, codes))}") from None
        except (
            pymongo_errors.ConnectionFailure,
            pymongo_errors.WTimeoutError,
            pymongo_errors.WriteConcernError,
            pymongo_errors.ConfigurationError,
            EngineConnectionFailure,
        ) as error:
            raise StoreDown(self._redacted(error)) from None
        except pymongo_errors.OperationFailure as error:
            if error.code == 11000:
                raise Duplicate(_key(error.details or {})) from None
            if error.code in _PASSING or error.has_error_label("RetryableWriteError"):
                raise StoreDown(self._redacted(error)) from None
            raise StoreError(self._redacted(error)) from None
        except pymongo_errors.PyMongoError as error:
            raise StoreError(self._redacted(error)) from None

    def _redacted(self, error: Exception) -> str:
        # What follows is the driver's view of every server, over several lines.
        text = f"{type(error).__name__}: {error}".split(", Timeout: ")[0]
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _key(details: Mapping[str, Any]) -> str:
    """Name the fields of a broken unique index, without their values."""
    fields = ", ".join(details.get("keyPattern") or ()) or "a unique key"
    return f"another document has the same {fields}"


def _secrets(url: str) -> list[str]:
    """Whatever of a url must not be shown, longest first: user, password, both, unquoted too."""
    found = _USERINFO.search(url)
    if found is None:
        return []
    parts = [found[0], *found[0].split(":", 1)[1:], *re.split(r"[:@]", found[0])]
    secrets = {secret for part in parts for secret in (part, unquote(part)) if len(secret) > 2}
    return sorted(secrets, key=len, reverse=True)
