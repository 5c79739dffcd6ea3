"""What the mapping of a shop's own API says: which operation gives what, and where in its answer.

It is read from a file by `actions.backends.rest_mapping_file`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actions.backends.rest_openapi import Operation
from actions.backends.rest_paths import Step

Path_ = tuple[Step, ...]

#: The parts of an address.
ADDRESS = ("name", "line1", "line2", "city", "region", "postcode", "country")
#: What can be asked, and what its `send` and `body` may say in braces.
CALLS: Mapping[str, tuple[str, ...]] = {
    "find": ("number",),
    "of_customer": ("email",),
    "cancel": ("number", "id", "key", "why"),
    "change_address": ("number", "id", "key", *ADDRESS),
    "parcels": ("number", "id"),
    "track": ("tracking",),
    "account": ("email",),
    "reset_password": ("email", "id", "key"),
    "send_code": ("email", "id", "key", "code", "minutes"),
    "refund": ("number", "id", "key", "why", "by", "amount", "minor", "currency"),
    "refunds": ("number", "id"),
}
#: Those that are answered with a list.
LISTS = ("of_customer", "parcels", "refunds")


@dataclass(frozen=True, slots=True)
class Call:
    """How one thing is asked. `at` is where it is in the answer, of a list where that is."""

    operation: Operation
    send: Mapping[str, Any]
    body: Any = None
    at: Path_ = ()


@dataclass(frozen=True, slots=True)
class Pages:
    """How lists go on: by a `cursor` in the answer, by page or offset; `style` "" not at all."""

    style: str = ""
    parameter: str = ""
    cursor: Path_ = ()
    size_parameter: str = ""
    size: int = 50


@dataclass(frozen=True, slots=True)
class ApiMapping:
    """The file, read. Paths are into one order, one parcel and so on."""

    headers: Mapping[str, str] = field(repr=False)
    idempotency: str
    minor: bool
    currency: Path_ | str
    statuses: Mapping[str, str]
    pages: Pages
    order: Mapping[str, Path_]
    address: Mapping[str, Path_]
    items: Mapping[str, Path_]
    parcels: Mapping[str, Path_]
    parcel: Mapping[str, Path_]
    account: Mapping[str, Path_]
    refund: Mapping[str, Path_]
    calls: Mapping[str, Call]
