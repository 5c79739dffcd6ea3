"""What the readers of Meta's webhooks have in common: the batch, and its JSON's values.

A request holds entries, these hold events or changes, and these hold messages:
https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

from bot.message import Inbound, clean, utcnow
from connectors.base import Arrived
from connectors.errors import Unreadable

Level = Literal["info", "warning", "error"]

#: What `provider_id` begins with for a message that could not be read.
MALFORMED = "malformed:"
#: Meta's id of a message, `ID.fullmatch`.
ID = re.compile(r"[!-~]{1,512}")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: Characters of a word (a type, a status, a language) that people are shown.
WORD_LIMIT = 64
#: Characters of a text that no message is to be lost over.
LOOSE_LIMIT = 2000

_STAMP = re.compile(r"[0-9]{1,14}")
# Less than this, a time in milliseconds would be before 2001.
_MILLISECONDS = 10**12
_AHEAD = timedelta(days=1)
_MOST_OF_ONE = 10**6
_HIGHEST_PRICE = 10**12
_PROBLEMS_SHOWN = 5


class Malformed(Exception):
    """An item is not as documented. The text says where, never what was found there."""


def an_object(value: Any, what: str) -> dict[str, Any]:
    """Return an object. Raises Malformed for all else, which names it as `what`."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    return value


def items(value: Any, what: str) -> list[Any]:
    """Return an array. Raises Malformed for all else, which names it as `what`."""
    if not isinstance(value, list):
        raise Malformed(f"{what} is not an array")
    return value


def string(holder: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`, cleaned. Raises Malformed when there is none."""
    value = holder.get(key)
    if not isinstance(value, str):
        raise Malformed(f"{key} is not a string")
    return clean(value)


def optional(holder: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`, "" where it is left out or null. Raises Malformed."""
    return "" if holder.get(key) is None else string(holder, key)


def loose(holder: Any, key: str, limit: int = LOOSE_LIMIT) -> str:
    """Return a text that no message is to be lost over: "" when it is none."""
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return clean(value)[:limit] if isinstance(value, str) else ""


def number(holder: Mapping[str, Any], key: str, least: float, most: float) -> float:
    """Return the number under `key`. Raises Malformed, also outside of `least` to `most`."""
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Malformed(f"{key} is not a number")
    if not least <= value <= most:
        raise Malformed(f"{key} is out of range")
    return value


def quantity(line: Mapping[str, Any]) -> int:
    """Return how many of one product are ordered. Raises Malformed."""
    value = number(line, "quantity", 1, _MOST_OF_ONE)
    if value != int(value):
        raise Malformed("quantity is not whole")
    return int(value)


def price(line: Mapping[str, Any], key: str) -> str:
    """Return a price with two decimals at least, "" without one. Raises Malformed.

    Some currencies have three.
    """
    if line.get(key) is None:
        return ""
    value = Decimal(str(number(line, key, 0, _HIGHEST_PRICE)))
    exponent = value.as_tuple().exponent
    few = isinstance(exponent, int) and exponent > -2
    return f"{value:.2f}" if few else f"{value:f}"


def time(value: Any) -> datetime | None:
    """Read a Unix time, as a string or number; None for what cannot be one.

    Each channel has seconds in some webhooks and milliseconds in others; they are told
    apart by their size. A message is not lost over its clock: then the time of arrival is
    taken.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    # Python refuses to write a number of thousands of digits out.
    text = str(value) if whole and 0 <= value < 10**14 else value
    if not isinstance(text, str) or not _STAMP.fullmatch(text):
        return None
    stamp = int(text)
    since = timedelta(milliseconds=stamp if stamp >= _MILLISECONDS else stamp * 1000)
    # A time in the far future would hold the reply window open for ever; some of them no
    # `datetime` can hold.
    return EPOCH + since if since <= utcnow() + _AHEAD - EPOCH else None


def digest(*said: Any) -> str:
    """Return 32 hexadecimal digits that JSON values make, the same in every redelivery."""
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Batch(ABC):
    """What one webhook request holds: `parsed` in its order, and `problems` for people.

    `product` is what its ``object`` must be: whose webhook it is.
    """

    def __init__(self, account: str, product: str) -> None:
        self._account = account
        self._product = product
        self._seen: set[str] = set()
        self.parsed: list[Arrived] = []
        self.problems: list[str] = []

    def received(self, data: bytes) -> list[Arrived]:
        """Read a request's body, which must be verified before.

        When an item is malformed, Unreadable carries all others in `parsed`.
        Raises Unreadable.
        """
        try:
            body = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            # A ValueError's text may quote the body.
            raise Unreadable("the body is not JSON in UTF-8") from None
        try:
            self._body(body)
        except RecursionError:
            self.problems.append("nested too deep")
        if self.problems:
            more = len(self.problems) - _PROBLEMS_SHOWN
            shown = "; ".join(self.problems[:_PROBLEMS_SHOWN])
            raise Unreadable(shown + (f"; and {more} more" if more > 0 else ""), self.parsed)
        return self.parsed

    def _body(self, body: Any) -> None:
        if not isinstance(body, dict) or body.get("object") != self._product:
            self.problems.append(f"object is not {self._product}")
            return
        self._each(body.get("entry"), "entry", self._entry)

    @abstractmethod
    def _entry(self, item: Any, where: str) -> None:
        """Read one entry. Raises Malformed."""

    def _each(self, value: Any, where: str, read: Callable[[Any, str], None]) -> None:
        """Read each item of an array; a malformed one is noted and does not stop the rest."""
        if not isinstance(value, list):
            self.problems.append(f"{where} is not an array")
            return
        for count, item in enumerate(value):
            try:
                read(item, f"{where} {count}")
            except Malformed as malformed:
                self.problems.append(f"{where} {count}: {malformed}")

    def _take(self, inbound: Inbound) -> None:
        """Keep a message, but not a second time."""
        if inbound.provider_id not in self._seen:
            self._seen.add(inbound.provider_id)
            self.parsed.append(inbound)
