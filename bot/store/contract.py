"""What every store does: the plain subset of DESIGN, and not a verb more.

Filters are ``{field: value}`` (equality; None also finds documents without the
field) or ``{field: {"$in": [...]}}``, ``$lt``, ``$lte``, ``$gt``, ``$gte``, ``$ne``.
Every field of a filter or sort must be `_id` (written ``id``) or be in an index of
the document, else `Unindexed` is raised. Sorts are field names, ``-`` for descending.
Every method may raise `StoreDown`. All of it may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from mongoengine import Document

D = TypeVar("D", bound=Document)
Where = Mapping[str, Any]


class Store(Protocol):
    """One database of documents."""

    def ensure(self, *documents: type[Document]) -> None:
        """Create the collections and indexes of `documents` where they are missing."""

    def insert(self, document: Document) -> None:
        """Insert a new document. Raises `Duplicate`; mongoengine's ValidationError before."""

    def insert_new(self, documents: Sequence[Document]) -> list[bool]:
        """Insert those that are not there yet, in order; tell for each whether it was new.

        On SQLite all or none are durable when it returns or raises `StoreDown`.
        """

    def put(self, document: Document) -> None:
        """Insert the document, or replace the one with its `_id`."""

    def get(self, cls: type[D], id: Any) -> D | None:
        """Return the document with this `_id`, None without one."""

    def find(
        self,
        cls: type[D],
        where: Where,
        *,
        sort: Sequence[str] = (),
        limit: int = 0,
        skip: int = 0,
    ) -> list[D]:
        """Return the matching documents; `limit` 0 is no limit."""

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
        """Compare and set: change one document that matches, atomically.

        Returns it as it is afterwards, None when nothing matched. Raises `Duplicate`
        when the change would break a unique index.
        """

    def claim(
        self,
        cls: type[D],
        where: Where,
        *,
        sort: Sequence[str],
        set: Mapping[str, Any],
        inc: Mapping[str, int] | None = None,
    ) -> D | None:
        """As `change`, on the first match in the order of `sort`: how a job is taken."""

    def count(self, cls: type[Document], where: Where) -> int:
        """Return how many documents match."""

    def delete(self, cls: type[Document], where: Where) -> int:
        """Delete all that match and return how many. An empty filter deletes all."""

    def scrub(self) -> None:
        """Leave no trace of what was deleted in files of ours.

        MongoDB keeps its own: there pages are overwritten as they are used again.
        """

    def ping(self) -> None:
        """Return when the store answers."""

    def close(self) -> None:
        """Release connections. Closing twice is no error."""
