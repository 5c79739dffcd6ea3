"""The embedded store: one SQLite file, shared by the processes of one machine.

A collection is a table: `_id`, a column for every indexed field, and the document
whole, as BSON, in `_doc`. The columns are there to be searched; what is read back is
always `_doc`. The file must be on a local disk: neither SQLite's shared memory nor
flock() works reliably on network file systems.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import bson
from bson.errors import BSONError
from mongoengine import Document

from bot.store import query
from bot.store.contract import Where
from bot.store.errors import Duplicate, StoreDown, StoreError
from bot.store.query import CODEC, Condition, Index, Packed, Plan
from bot.store.turnstile import Turnstile

D = TypeVar("D", bound=Document)

#: Seconds to wait for a lock held by a program outside the turnstile (the sqlite3
#: shell, a backup) before the store counts as down.
_BUSY = 10.0
#: Seconds `close` waits for a call under way.
_CLOSING = 3.0
#: How often the log is tried to be emptied, each time for as long as `_BUSY`.
_EMPTYING = 3
#: Documents deleted or re-indexed at a time.
_BATCH = 500
#: The log is cut back to this many bytes when it has been checkpointed.
_LOG_LIMIT = 64 * 1024 * 1024

#: SQLite's words for what may pass: https://www.sqlite.org/rescode.html
#: (Python 3.10 does not hand out the codes themselves.)
_PASSING = re.compile(
    r"disk is full|readonly|locked|busy|unable to open|disk I/O error|no such (table|column)"
    r"|schema has changed|interrupted"
)
_DAMAGED = re.compile(r"malformed|not a database|unsupported file format")

_COMPARISONS = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _clause(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    """A WHERE clause and its parameters."""
    terms, values = [], []
    for condition in conditions:
        column, operator, value = _quoted(condition.field), condition.operator, condition.value
        if operator in ("$eq", "$ne") and value is None:
            terms.append(f"{column} IS {'NOT ' if operator == '$ne' else ''}NULL")
        elif operator == "$in":
            present = [query.scalar(v) for v in value if v is not None]
            term = f"{column} IN ({','.join('?' * len(present))})"
            terms.append(f"({term} OR {column} IS NULL)" if None in value else term)
            values += present
        else:
            # IS NOT finds rows without a value too, as MongoDB's $ne does.
            sign = {"$eq": "=", "$ne": "IS NOT"}.get(operator) or _COMPARISONS[operator]
            terms.append(f"{column} {sign} ?")
            values.append(query.scalar(value))
    return (" WHERE " + " AND ".join(terms) if terms else ""), values


def _order(order: query.Order) -> str:
    # NULL sorts first, as a missing field does in MongoDB.
    terms = [f"{_quoted(field)}{' DESC' if direction < 0 else ''}" for field, direction in order]
    return " ORDER BY " + ", ".join(terms) if terms else ""


def _wanted_indexes(plan: Plan) -> dict[str, str]:
    """The SQLite indexes of a plan: name to statement.

    To MongoDB a missing field is a value like any other, so that two documents
    without it break a unique index; to SQLite NULLs all differ. A unique index on a
    field that may be missing is therefore put on an expression with a stand-in no
    document can hold, and a plain one beside it serves the queries.
    """
    wanted = {}

    def add(index: Index, *, unique: bool, columns: Sequence[str]) -> None:
        name = f"{plan.collection}:{index.name}{':unique' if unique else ''}"
        wanted[name] = (
            f"CREATE {'UNIQUE ' if unique else ''}INDEX {_quoted(name)}"
            f" ON {_quoted(plan.collection)} ({', '.join(columns)})"
        )

    for index in plan.indexes:
        columns = [f"{_quoted(f)}{' DESC' if d < 0 else ''}" for f, d in index.fields]
        always_there = all(f == "_id" or f in plan.required for f, _ in index.fields)
        if not index.unique or not always_there:
            add(index, unique=False, columns=columns)
        if index.unique and not always_there:
            columns = [f"ifnull({_quoted(f)}, x'')" for f, _ in index.fields]
        if index.unique:
            add(index, unique=True, columns=columns)
    return wanted


class _Connection:
    """One thread's connection, and what it knows of the tables."""

    def __init__(self, path: Path) -> None:
        # The lock, not the thread check of the sqlite3 module, keeps `close` from
        # pulling the connection away under a call of another thread.
        self.using = threading.Lock()
        self.db = sqlite3.connect(
            str(path), timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        self.closed = False
        self.file = os.stat(path)
        self.prepared: set[type[Document]] = set()
        self._columns: dict[str, tuple[str, ...]] = {}
        self._schema = -1

    def close(self) -> None:
        """Close it; whoever holds it sees `closed`."""
        self.closed = True
        with suppress(sqlite3.Error):
            self.db.close()

    def columns(self, collection: str) -> tuple[str, ...]:
        """The indexed fields of a table, as they are in the file.

        They can be more than our classes know, when a newer version has been at work
        on the file or still is. Its columns are filled all the same, or it would miss
        our documents for good.
        """
        if collection not in self._columns:
            rows = self.db.execute(f"PRAGMA table_info({_quoted(collection)})").fetchall()
            self._columns[collection] = tuple(r[1] for r in rows if r[1] not in ("_id", "_doc"))
        return self._columns[collection]

    def refresh(self) -> None:
        """Forget the columns when another process has changed the schema."""
        (schema,) = self.db.execute("PRAGMA schema_version").fetchone()
        if schema != self._schema:
            self._schema = schema
            self._columns.clear()

    def insert(self, collection: str, packed: Packed, *, replace: bool = False) -> None:
        columns = self.columns(collection)
        names = [_quoted(n) for n in ("_id", *columns, "_doc")]
        statement = (
            f"INSERT INTO {_quoted(collection)} ({', '.join(names)})"  # noqa: S608
            f" VALUES ({','.join('?' * len(names))})"
        )
        if replace:
            updates = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
            statement += f' ON CONFLICT ("_id") DO UPDATE SET {updates}'
        values = [query.scalar(packed.son.get(column)) for column in columns]
        self.db.execute(statement, (query.scalar(packed.id), *values, packed.blob))

    def update(
        self, collection: str, row: int, old: Mapping[str, Any], new: Mapping[str, Any], blob: bytes
    ) -> None:
        # Only what differs is named: SQLite rewrites every index of a column it is told to set.
        changes: dict[str, Any] = {"_doc": blob}
        for column in self.columns(collection):
            if old.get(column) != new.get(column):
                changes[column] = query.scalar(new.get(column))
        assignments = ", ".join(f"{_quoted(column)} = ?" for column in changes)
        self.db.execute(
            f"UPDATE {_quoted(collection)} SET {assignments} WHERE rowid = ?",  # noqa: S608
            (*changes.values(), row),
        )


class SqliteStore:
    """A `Store` in the SQLite file `path`; its directory is made at the first use.

    Every acknowledged write is on the disk (WAL, synchronous=FULL). Reads never wait
    for writes. Writers queue in a `Turnstile`, in ``<path>.lock`` and ``<path>.next``.
    Whatever goes wrong with the file is met anew at each call, so that the store works
    again as soon as the file does.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(os.path.abspath(path))
        if not Path(path).name:
            raise ValueError("the store needs the path of a file: sqlite:var/bot.db")
        self._closed = False
        self._found = False
        self._start()
        with _registering:
            _stores.add(self)

    def __repr__(self) -> str:
        return f"SqliteStore({str(self._path)!r})"

    def _start(self) -> None:
        self._local = threading.local()
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._turnstile = Turnstile(self._path)

    # The contract, in its order.

    def ensure(self, *documents: type[Document]) -> None:
        """See `Store.ensure`. Raises Duplicate when a new unique index does not hold."""
        with self._guarded() as connection:
            for cls in documents:
                self._prepare(connection, cls)

    def insert(self, document: Document) -> None:
        """See `Store.insert`."""
        packed = query.pack(document)
        with self._writing(type(document)) as (connection, collection):
            connection.insert(collection, packed)

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
                    f'SELECT 1 FROM {_quoted(collection)} WHERE "_id" = ?',  # noqa: S608
                    (query.scalar(one.id),),
                ).fetchone()
                new.append(found is None)
                if found is None:
                    connection.insert(collection, one)
        return new

    def put(self, document: Document) -> None:
        """See `Store.put`."""
        packed = query.pack(document)
        with self._writing(type(document)) as (connection, collection):
            connection.insert(collection, packed, replace=True)

    def get(self, cls: type[D], id: Any) -> D | None:
        """See `Store.get`."""
        id = query.identity(cls, id)
        if id is None:
            return None
        with self._reading(cls) as (connection, collection):
            row = connection.db.execute(
                f'SELECT "_doc" FROM {_quoted(collection)} WHERE "_id" = ?',  # noqa: S608
                (query.scalar(id),),
            ).fetchone()
        return None if row is None else query.unpack(cls, self._decoded(collection, row[0]))

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
        clause, values = _clause(query.conditions(cls, where))
        order = _order(query.order(cls, sort))
        query.window(limit, skip)
        with self._reading(cls) as (connection, collection):
            rows = connection.db.execute(
                f'SELECT "_doc" FROM {_quoted(collection)}{clause}{order} LIMIT ? OFFSET ?',  # noqa: S608
                (*values, limit or -1, skip),
            ).fetchall()
        return [query.unpack(cls, self._decoded(collection, row[0])) for row in rows]

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
        clause, values = _clause(conditions)
        with self._reading(cls) as (connection, collection):
            found = connection.db.execute(
                f"SELECT 1 FROM {_quoted(collection)}{clause} LIMIT 1",  # noqa: S608
                values,
            ).fetchone()
        return None if found is None else self._change(cls, conditions, order, change)

    def count(self, cls: type[Document], where: Where) -> int:
        """See `Store.count`."""
        clause, values = _clause(query.conditions(cls, where))
        with self._reading(cls) as (connection, collection):
            (count,) = connection.db.execute(
                f"SELECT count(*) FROM {_quoted(collection)}{clause}",  # noqa: S608
                values,
            ).fetchone()
        return int(count)

    def delete(self, cls: type[Document], where: Where) -> int:
        """See `Store.delete`. Works in batches, so that writers get in between."""
        clause, values = _clause(query.conditions(cls, where))
        deleted = 0
        while True:
            with self._writing(cls) as (connection, collection):
                table = _quoted(collection)
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
        with self._guarded() as connection, self._turnstile:
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
        self._closed = True
        with _registering:
            connections = list(self._connections)
        for connection in connections:
            # A call that hangs in the system is left to the end of the process.
            if connection.using.acquire(timeout=_CLOSING):
                connection.close()
                connection.using.release()
        self._turnstile.close(_CLOSING)

    # One call: a connection, the schema, the turn, and the names of what fails.

    @contextmanager
    def _guarded(self) -> Iterator[_Connection]:
        """Hand out this thread's connection; name what goes wrong, and drop it then."""
        connection = None
        try:
            while True:
                if self._closed:
                    raise StoreError(f"{self._path} has been closed")
                connection = self._connection()
                connection.using.acquire()
                if not connection.closed:
                    break
                # Closed for a fork or for good, between the two lines above.
                connection.using.release()
            try:
                yield connection
            finally:
                connection.using.release()
        except sqlite3.IntegrityError as error:
            # SQLite names the columns and never the values, which are customers'.
            raise Duplicate(str(error)) from error
        except sqlite3.Error as error:
            self._drop(connection)
            if _PASSING.search(str(error)):
                raise StoreDown(f"{self._path}: {error}") from error
            if _DAMAGED.search(str(error)):
                raise StoreError(f"{self._path} is damaged, restore it: {error}") from error
            raise StoreError(f"{self._path}: {error}") from error
        except OSError as error:
            raise StoreDown(f"{error.filename or self._path}: {error.strerror}") from error

    @contextmanager
    def _reading(self, cls: type[Document]) -> Iterator[tuple[_Connection, str]]:
        with self._guarded() as connection:
            self._prepare(connection, cls)
            yield connection, query.plan(cls).collection

    @contextmanager
    def _writing(self, *classes: type[Document]) -> Iterator[tuple[_Connection, str]]:
        with self._guarded() as connection:
            for cls in classes:
                self._prepare(connection, cls)
            with self._transaction(connection):
                yield connection, query.plan(classes[0]).collection if classes else ""

    @contextmanager
    def _transaction(self, connection: _Connection) -> Iterator[None]:
        """Take the turn to write, and commit at the end or roll back."""
        with self._turnstile:
            try:
                connection.db.execute("BEGIN IMMEDIATE")
                connection.refresh()
                yield
                connection.db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if connection.db.in_transaction:
                        connection.db.execute("ROLLBACK")
                raise

    def _connection(self) -> _Connection:
        """This thread's connection, opened anew when the file is no longer the same.

        Raises OSError when the file cannot be reached. One that was there and is gone
        is not made again while this process lives: on a volume that was unmounted
        under us, what we acknowledged would be hidden once it comes back.
        """
        connection: _Connection | None = getattr(self._local, "connection", None)
        try:
            file = os.stat(self._path)
        except FileNotFoundError:
            if self._found:
                raise
            self._create()
        else:
            if connection is not None and not connection.closed:
                if os.path.samestat(file, connection.file):
                    return connection
                self._drop(connection)
        with _registering:  # not while another thread forks
            return self._open()

    def _create(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._turnstile, suppress(FileExistsError):
            # SQLite gives its -wal and -shm files the same mode. Customers' words are in
            # all three. Never open a file that SQLite has open: to close it again would
            # take SQLite's locks away. https://www.sqlite.org/howtocorrupt.html#_posix
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            os.close(os.open(self._path, flags, 0o600))

    def _open(self) -> _Connection:
        connection = _Connection(self._path)
        try:
            self._configure(connection.db)
        except BaseException:
            connection.close()
            raise
        self._found = True
        self._local.connection = connection
        self._connections.add(connection)
        return connection

    def _configure(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            with self._turnstile:
                (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise StoreDown(f"{self._path}: its file system cannot hold a write-ahead log")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
        # Sorted rows are customers' words too, and do not belong in a temporary directory.
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA cache_size = -8000")

    def _drop(self, connection: _Connection | None) -> None:
        """Close a connection that failed, so that the next call opens another."""
        self._local.connection = None
        if connection is not None:
            with _registering:
                self._connections.discard(connection)
            connection.close()

    def _change(
        self,
        cls: type[D],
        conditions: Sequence[Condition],
        order: query.Order,
        change: query.Change,
    ) -> D | None:
        clause, values = _clause(conditions)
        with self._writing(cls) as (connection, collection):
            table = _quoted(collection)
            # The inner query finds the row in the index alone, without carrying
            # documents through a sort.
            row = connection.db.execute(
                f'SELECT rowid, "_doc" FROM {table} WHERE rowid ='  # noqa: S608
                f" (SELECT rowid FROM {table}{clause}{_order(order)} LIMIT 1)",
                values,
            ).fetchone()
            if row is None:
                return None
            old = self._decoded(collection, row[1])
            new = change.apply(old)
            connection.update(collection, row[0], old, new, query.encode(cls, new))
        return query.unpack(cls, new)

    def _decoded(self, collection: str, blob: bytes) -> dict[str, Any]:
        try:
            return bson.decode(blob, codec_options=CODEC)
        except BSONError as error:
            message = f"{self._path} is damaged, restore it: a document of {collection}: {error}"
            raise StoreError(message) from error

    def _prepare(self, connection: _Connection, cls: type[Document]) -> None:
        """Make the table, columns and indexes of a class where they are missing."""
        if cls in connection.prepared:
            return
        plan = query.plan(cls)
        if self._missing(connection, plan) is not None:
            with self._transaction(connection):
                missing = self._missing(connection, plan)
                if missing is not None:
                    self._build(connection, plan, *missing)
        connection.prepared.add(cls)

    def _missing(
        self, connection: _Connection, plan: Plan
    ) -> tuple[bool, list[str], list[str]] | None:
        """What a table lacks: itself, columns, indexes; None when it lacks nothing."""
        rows = connection.db.execute(f"PRAGMA table_info({_quoted(plan.collection)})")
        there = {row[1] for row in rows}
        rows = connection.db.execute(
            "SELECT name FROM sqlite_master WHERE tbl_name = ? AND type = 'index'",
            (plan.collection,),
        )
        named = {row[0] for row in rows}
        columns = sorted(plan.indexed - {"_id"} - there)
        indexes = [sql for name, sql in _wanted_indexes(plan).items() if name not in named]
        return (not there, columns, indexes) if not there or columns or indexes else None

    def _build(
        self,
        connection: _Connection,
        plan: Plan,
        new: bool,
        columns: list[str],
        indexes: list[str],
    ) -> None:
        db, table = connection.db, _quoted(plan.collection)
        if new:
            # No column has a type: SQLite would convert values to it. The document comes
            # last, so that the columns are found without reading through it.
            names = ['"_id" PRIMARY KEY NOT NULL', *map(_quoted, columns), '"_doc" NOT NULL']
            db.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        else:
            for column in columns:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {_quoted(column)}")
            if columns:
                self._backfill(db, plan.collection, columns)
        for statement in indexes:
            db.execute(statement)

    def _backfill(self, db: sqlite3.Connection, collection: str, columns: list[str]) -> None:
        """Fill new columns from the documents that are there already."""
        table, last = _quoted(collection), -1
        assignments = ", ".join(f"{_quoted(column)} = ?" for column in columns)
        while True:
            rows = db.execute(
                f'SELECT rowid, "_doc" FROM {table}'  # noqa: S608
                f" WHERE rowid > ? ORDER BY rowid LIMIT {_BATCH}",
                (last,),
            ).fetchall()
            if not rows:
                return
            filled = []
            for row, blob in rows:
                son = self._decoded(collection, blob)
                filled.append((*(query.scalar(son.get(column)) for column in columns), row))
            db.executemany(
                f"UPDATE {table} SET {assignments} WHERE rowid = ?",  # noqa: S608
                filled,
            )
            last = rows[-1][0]

    def _before_fork(self) -> None:
        for connection in list(self._connections):
            if connection.using.acquire(timeout=_CLOSING):
                connection.close()
                connection.using.release()
            else:
                _stuck.append(connection)

    def _after_fork(self) -> None:
        self._turnstile.abandon()
        self._start()


# SQLite keeps its locks by process, and notes of them in memory, which a child inherits
# though it has not the locks: neither a connection made before a fork nor one made after
# it to the same file is safe in the child (https://www.sqlite.org/howtocorrupt.html#_fork).
# So all are closed before a fork, and both sides open theirs again when they need them.
# A child may not keep the lock files open either: a flock() lasts until every copy of
# its descriptor is closed.
_stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
_registering = threading.RLock()
#: Connections in a call that hangs; a child must not even close them, so it keeps them.
_stuck: list[_Connection] = []


def _before_fork() -> None:
    _registering.acquire()
    for store in list(_stores):
        store._before_fork()


def _after_fork_in_parent() -> None:
    _stuck.clear()
    _registering.release()


def _after_fork_in_child() -> None:
    for store in list(_stores):
        store._after_fork()
    _registering.release()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
