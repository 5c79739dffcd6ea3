"""What the designers' pages say in the query of a request."""

from __future__ import annotations

from aiohttp import web

from bot.console.guard import Refused
from bot.message import clean

_LONGEST = 1000


def name_of(request: web.Request, key: str) -> str:
    """Return a name or an id, "" for none. Raises Refused when it is none."""
    value = clean(request.query.get(key, "")).strip()
    if len(value) > _LONGEST:
        raise Refused(400, f"{key}: is longer than {_LONGEST} characters")
    return value


def number_of(request: web.Request, key: str) -> int:
    """Return a whole number, 0 for none. Raises Refused."""
    value = request.query.get(key, "0")
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise Refused(400, f"{key}: should be a whole number")
    return int(value)
