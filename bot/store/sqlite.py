"""The embedded store: one SQLite file, shared by the processes of one machine.

A collection is a table: `_id`, a column for every indexed field, and the document
whole, as BSON, in `_doc`. The columns are there to be searched; what is read back is
always `_doc`. The file must be on a local disk: neither SQLite's shared memory nor
flock() works reliably on network file systems.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mongoengine import Document

from bot.store import query
from bot.store.contract import Where
from bot.store.errors import StoreDown
from bot.store.query import Condition
from bot.store.sql import order_by, quoted, where_clause
from bot.store.sqlite_connections import Connection, Connections
from bot.store.sqlite_tables import decoded

D = TypeVar("D", bound=Document)

#: How often the log is tried to be emptied, each time for as long as a lock is waited for.
_EMPTYING = 3
#: Documents deleted at a time.
_BATCH = 500


class SqliteStore:
    """A `Store` in the SQLite file `path`; its directory is made at the first use.

    Every acknowledged write is on the disk (WAL, synchronous=FULL). Reads never wait
    for writes. Whatever goes wrong with the file is met anew at each call, so that the
    store works again as soon as the file does.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(os.path.abspath(path))
        if not Path(path).name:
            raise ValueError("the store needs the path of a file: sqlite:var/bot.db")
        self._connections = Connections(self._path)

    def __repr__(self) -> str:
        return f"SqliteStore({str(self._path)!r})"

    # The contract, in its order.

    def ensure(self, *documents: type[Document]) -> None:
        """See `Store.ensure`. Raises Duplicate when a new unique index does not hold."""
        with self._connections.guarded() as connection:
            for cls in documents:
                self._prepare(connection, cls)

    def insert(self, document: Document) -> None:
        """See `Store.insert`."""
        packed = query.pack(document)
        with self._writing(type(document)) as (connection, collection):
            connection.tables.insert(collection, packed)

    def insert_new(self, documents: Sequence[Document]) -> list[bool]:
        """See `Store.insert_new`. Raises Duplicate for a unique index other than `_id`."""
        if not documents:
            return []
        packed = [(type(document), query.pack(document)) for document in documents]
        new = []
        with self._writing(*dict(packed)) as (connection, _):
            for cls, one in packed:
                collection = query.plan(cls).collection
                found = connection.db.execute(
                    f'SELECT 1 FROM {quoted(collection)} WHERE "_id" = ?',  # noqa: S608
                    (query.scalar(one.id),),
                ).fetchone()
                new.append(found is None)
                if found is None:
                    connection.tables.insert(collection, one)
        return new

    def put(self, document: Document) -> None:
        """See `Store.put`."""
        packed = query.pack(document)
        with self._writing(type(document)) as (connection, collection):
            connection.tables.insert(collection, packed, replace=True)

    def get(self, cls: type[D], id: Any) -> D | None:
        """See `Store.get`."""
        id = query.identity(cls, id)
        if id is None:
            return None
        with self._reading(cls) as (connection, collection):
            row = connection.db.execute(
                f'SELECT "_doc" FROM {quoted(collection)} WHERE "_id" = ?',  # noqa: S608
                (query.scalar(id),),
            ).fetchone()
        return None if row is None else query.unpack(cls, decoded(collection, row[0], self._path))

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
        clause, values = where_clause(query.conditions(cls, where))
        order = order_by(query.order(cls, sort))
        query.window(limit, skip)
        with self._reading(cls) as (connection, collection):
            rows = connection.db.execute(
                f'SELECT "_doc" FROM {quoted(collection)}{clause}{order} LIMIT ? OFFSET ?',  # noqa: S608
                (*values, limit or -1, skip),
            ).fetchall()
        return [query.unpack(cls, decoded(collection, row[0], self._path)) for row in rows]

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
        conditions = query.conditions(cls, where)
        change = query.change(cls, set, (), inc, None)
        order = query.order(cls, sort)
        # Mostly there is nothing to claim, which can be seen without queueing.
        clause, values = where_clause(conditions)
        with self._reading(cls) as (connection, collection):
            found = connection.db.execute(
                f"SELECT 1 FROM {quoted(collection)}{clause} LIMIT 1",  # noqa: S608
                values,
            ).fetchone()
        return None if found is None else self._change(cls, conditions, order, change)

    def count(self, cls: type[Document], where: Where) -> int:
        """See `Store.count`."""
        clause, values = where_clause(query.conditions(cls, where))
        with self._reading(cls) as (connection, collection):
            (count,) = connection.db.execute(
                f"SELECT count(*) FROM {quoted(collection)}{clause}",  # noqa: S608
                values,
            ).fetchone()
        return int(count)

    def delete(self, cls: type[Document], where: Where) -> int:
        """See `Store.delete`. Works in batches, so that writers get in between."""
        clause, values = where_clause(query.conditions(cls, where))
        deleted = 0
        while True:
            with self._writing(cls) as (connection, collection):
                table = quoted(collection)
                batch = connection.db.execute(
                    f"DELETE FROM {table} WHERE rowid IN"  # noqa: S608
                    f" (SELECT rowid FROM {table}{clause} LIMIT {_BATCH})",
                    values,
                ).rowcount
            deleted += batch
            if batch < _BATCH:
                return deleted

    def scrub(self) -> None:
        """See `Store.scrub`. Writers wait for as long as it takes to write the file anew.

        SQLite leaves deleted bytes in free pages, in the free room of others, and in the
        log, until something else comes to stand there: https://www.sqlite.org/lang_vacuum.html
        and https://www.sqlite.org/pragma.html#pragma_wal_checkpoint.
        """
        with self._connections.guarded() as connection, self._connections.turnstile:
            connection.db.execute("VACUUM")
            # A reader in the middle of it holds the log; one of ours is gone in milliseconds.
            for _ in range(_EMPTYING):
                row = connection.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if row[0] == 0:
                    return
            raise StoreDown(f"{self._path}: somebody reads it all the time, its log stays as it is")

    def ping(self) -> None:
        """See `Store.ping`. Answers once a write could be begun."""
        with self._writing():
            pass

    def close(self) -> None:
        """See `Store.close`. Calls under way are let finish; later ones raise StoreError."""
        self._connections.close()

    # One call: a connection, the tables, the turn to write.

    @contextmanager
    def _reading(self, cls: type[Document]) -> Iterator[tuple[Connection, str]]:
        with self._connections.guarded() as connection:
            self._prepare(connection, cls)
            yield connection, query.plan(cls).collection

    @contextmanager
    def _writing(self, *classes: type[Document]) -> Iterator[tuple[Connection, str]]:
        with self._connections.guarded() as connection:
            for cls in classes:
                self._prepare(connection, cls)
            with self._connections.transaction(connection):
                yield connection, query.plan(classes[0]).collection if classes else ""

    def _change(
        self,
        cls: type[D],
        conditions: Sequence[Condition],
        order: query.Order,
        change: query.Change,
    ) -> D | None:
        clause, values = where_clause(conditions)
        with self._writing(cls) as (connection, collection):
            table = quoted(collection)
            # The inner query finds the row in the index alone, without carrying
            # documents through a sort.
            row = connection.db.execute(
                f'SELECT rowid, "_doc" FROM {table} WHERE rowid ='  # noqa: S608
                f" (SELECT rowid FROM {table}{clause}{order_by(order)} LIMIT 1)",
                values,
            ).fetchone()
            if row is None:
                return None
            old = decoded(collection, row[1], self._path)
            new = change.apply(old)
            connection.tables.update(collection, row[0], old, new, query.encode(cls, new))
        return query.unpack(cls, new)

    def _prepare(self, connection: Connection, cls: type[Document]) -> None:
        """Make the table, columns and indexes of a class where they are missing."""
        if cls in connection.tables.prepared:
            return
        plan = query.plan(cls)
        if connection.tables.missing(plan) is not None:
            with self._connections.transaction(connection):
                missing = connection.tables.missing(plan)
                if missing is not None:
                    connection.tables.build(plan, *missing)
        connection.tables.prepared.add(cls)
