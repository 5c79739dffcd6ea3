"""Requests that nobody could read, and in which an address stands all the same."""

from __future__ import annotations

import re

from bot.message import Address
from bot.store import AsyncStore
from bot.store.dead_letters import RECEIVE, DeadLetter

_PAGE = 200


async def unread_letters(store: AsyncStore, address: str) -> list[DeadLetter]:
    """Return the requests that could not be read and in which an address stands."""
    parsed = Address.parse(address)
    user = re.escape(parsed.user.lstrip("+").encode())
    # Not as a part of somebody else's number.
    edge = rb"[0-9]" if parsed.user.lstrip("+").isdigit() else rb"\w"
    told = re.compile(rb"(?<!" + edge + rb")" + user + rb"(?!" + edge + rb")")
    mine: list[DeadLetter] = []
    skip = 0
    while True:
        # A page at a time: each has a whole request in it.
        letters = await store.find(
            DeadLetter, {"stage": RECEIVE}, sort=("at",), limit=_PAGE, skip=skip
        )
        mine += [
            one
            for one in letters
            if one.channel == parsed.channel
            and one.account == parsed.account
            and told.search(bytes(one.body or b""))
        ]
        if len(letters) < _PAGE:
            return mine
        skip += _PAGE
