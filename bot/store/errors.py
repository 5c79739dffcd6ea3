"""The named failures of a store."""

from __future__ import annotations


class StoreError(Exception):
    """Base of all store failures."""


class StoreDown(StoreError):
    """The store cannot be reached or written to right now; the same call may work later."""


class Duplicate(StoreError):
    """A document with this `_id` or unique key is there already."""


class Unindexed(StoreError):
    """A filter or sort names a field that no index of the document covers.

    An unindexed query would work in a test and scan a production collection.
    """
