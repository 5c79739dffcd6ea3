"""Collections as tables: made where they are missing, widened and filled, and written to."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bson
from bson.errors import BSONError
from mongoengine import Document

from bot.store import query
from bot.store.errors import StoreError
from bot.store.query import CODEC, Packed, Plan
from bot.store.sql import index_statements, quoted

#: Documents re-indexed at a time.
_BATCH = 500


def decoded(collection: str, blob: bytes, path: Path) -> dict[str, Any]:
    """Return a document of the file `path`. Raises StoreError."""
    try:
        return bson.decode(blob, codec_options=CODEC)
    except BSONError as error:
        message = f"{path} is damaged, restore it: a document of {collection}: {error}"
        raise StoreError(message) from error


class Tables:
    """The tables of a file, as one connection knows them.

    `prepared` are the classes whose tables have all that they need.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self.prepared: set[type[Document]] = set()
        self._columns: dict[str, tuple[str, ...]] = {}
        self._schema = -1

    def columns(self, collection: str) -> tuple[str, ...]:
        """Return the indexed fields of a table, as they are in the file.

        They can be more than our classes know, when a newer version has been at work
        on the file or still is. Its columns are filled all the same, or it would miss
        our documents for good.
        """
        if collection not in self._columns:
            rows = self._db.execute(f"PRAGMA table_info({quoted(collection)})").fetchall()
            self._columns[collection] = tuple(r[1] for r in rows if r[1] not in ("_id", "_doc"))
        return self._columns[collection]

    def refresh(self) -> None:
        """Forget the columns when another process has changed the schema."""
        (schema,) = self._db.execute("PRAGMA schema_version").fetchone()
        if schema != self._schema:
            self._schema = schema
            self._columns.clear()

    def insert(self, collection: str, packed: Packed, *, replace: bool = False) -> None:
        """Add a row; with `replace` in the place of one that is there."""
        columns = self.columns(collection)
        names = [quoted(n) for n in ("_id", *columns, "_doc")]
        statement = (
            f"INSERT INTO {quoted(collection)} ({', '.join(names)})"  # noqa: S608
            f" VALUES ({','.join('?' * len(names))})"
        )
        if replace:
            updates = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
            statement += f' ON CONFLICT ("_id") DO UPDATE SET {updates}'
        values = [query.scalar(packed.son.get(column)) for column in columns]
        self._db.execute(statement, (query.scalar(packed.id), *values, packed.blob))

    def update(
        self, collection: str, row: int, old: Mapping[str, Any], new: Mapping[str, Any], blob: bytes
    ) -> None:
        """Change a row, whose document was `old` and is `new`, `blob` when encoded."""
        # Only what differs is named: SQLite rewrites every index of a column it is told to set.
        changes: dict[str, Any] = {"_doc": blob}
        for column in self.columns(collection):
            if old.get(column) != new.get(column):
                changes[column] = query.scalar(new.get(column))
        assignments = ", ".join(f"{quoted(column)} = ?" for column in changes)
        self._db.execute(
            f"UPDATE {quoted(collection)} SET {assignments} WHERE rowid = ?",  # noqa: S608
            (*changes.values(), row),
        )

    def missing(self, plan: Plan) -> tuple[bool, list[str], list[str]] | None:
        """Return what a table lacks: itself, columns, indexes; None when it lacks nothing."""
        rows = self._db.execute(f"PRAGMA table_info({quoted(plan.collection)})")
        there = {row[1] for row in rows}
        rows = self._db.execute(
            "SELECT name FROM sqlite_master WHERE tbl_name = ? AND type = 'index'",
            (plan.collection,),
        )
        named = {row[0] for row in rows}
        columns = sorted(plan.indexed - {"_id"} - there)
        indexes = [sql for name, sql in index_statements(plan).items() if name not in named]
        return (not there, columns, indexes) if not there or columns or indexes else None

    def build(self, plan: Plan, new: bool, columns: list[str], indexes: list[str]) -> None:
        """Make what is missing, in the transaction that there is."""
        db, table = self._db, quoted(plan.collection)
        if new:
            # No column has a type: SQLite would convert values to it. The document comes
            # last, so that the columns are found without reading through it.
            names = ['"_id" PRIMARY KEY NOT NULL', *map(quoted, columns), '"_doc" NOT NULL']
            db.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        else:
            for column in columns:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(column)}")
            if columns:
                self._backfill(plan.collection, columns)
        for statement in indexes:
            db.execute(statement)

    def _backfill(self, collection: str, columns: list[str]) -> None:
        """Fill new columns from the documents that are there already."""
        table, last = quoted(collection), -1
        assignments = ", ".join(f"{quoted(column)} = ?" for column in columns)
        while True:
            rows = self._db.execute(
                f'SELECT rowid, "_doc" FROM {table}'  # noqa: S608
                f" WHERE rowid > ? ORDER BY rowid LIMIT {_BATCH}",
                (last,),
            ).fetchall()
            if not rows:
                return
            filled = []
            for row, blob in rows:
                son = decoded(collection, blob, self._path)
                filled.append((*(query.scalar(son.get(column)) for column in columns), row))
            self._db.executemany(
                f"UPDATE {table} SET {assignments} WHERE rowid = ?",  # noqa: S608
                filled,
            )
            last = rows[-1][0]
