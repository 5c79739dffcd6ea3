"""The named failures of identity."""

from __future__ import annotations


class IdentityError(Exception):
    """Base of what keeps customers from being joined or parted; the text says why."""


class NoSuchCustomer(IdentityError):
    """There is no customer of that id or address."""


class NoSuchMerge(IdentityError):
    """There is no merge of that id."""


class TooManyAddresses(IdentityError):
    """One person would have more addresses than anybody has."""
