"""Codes by which customers show that they are the same person on two channels.

A code is made in one conversation and typed in another. It lives ten minutes, there is
one at a time for a conversation, and it is good for one use. Guessing is bounded by
wrong codes of a conversation, and, since anybody can open as many web chats as he
likes, by wrong codes of all of them since a code of six digits was made. After that it is of
no use, and for as long as the guessing goes on new ones have nine, which no number of guesses
ends: who guesses keeps nobody from it, and finds none in a thousand times as many.

Codes are stored hashed, so that nobody who sees the collection can type one. It is a
slow hash, for there are only a million codes; with a salt of this purpose, since a code
must be found by its hash alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bson import ObjectId

from bot.identity.errors import IdentityError, TooManyAddresses
from bot.identity.guarding import DIGITS, LONG_DIGITS
from bot.identity.meeting import customer_of
from bot.identity.people import Person, merge
from bot.message import Address, clean, utcnow
from bot.store import AsyncStore, Duplicate
from bot.store.customers import CUSTOMER, LinkCode, LinkTry, customer_id

LIFE = timedelta(minutes=10)
#: Wrong codes of one conversation in `PERIOD`, and of all since a code of `DIGITS` was made.
MOST_WRONG = 5
MOST_WRONG_IN_ALL = 10
PERIOD = timedelta(hours=1)
# How far the clocks of two hosts may be apart.
_CLOCKS = timedelta(seconds=1)
_SALT = b"frontdesk link code"
# Of scrypt: tens of milliseconds for a code, hours for all of them.
_COST = 2**13
_ATTEMPTS = 20
_CODE = re.compile(r"(?<!\d)([0-9]{3})[ -]?([0-9]{3})(?:[ -]?([0-9]{3}))?(?!\d)")

Became = Literal["linked", "wrong", "here", "too often", "too many"]


@dataclass(frozen=True)
class Linked:
    """What became of a typed code.

    ``linked``: the two are one, `other` is where the code was made. ``wrong``: no such
    code, or not any more. ``here``: it was made in this very conversation. ``too often``:
    the conversation has to wait before it may try again. ``too many``: one person would
    have too many addresses.
    """

    became: Became
    other: Address | None = None
    person: Person | None = None


class NoCode(IdentityError):
    """No code could be made; too many are alive."""


async def issue(store: AsyncStore, address: Address) -> str:
    """Make the code of a conversation; one it had before is dead. Raises NoCode, StoreDown."""
    key = clean(address.key)
    await customer_of(store, address)
    await store.delete(LinkCode, {"conversation": key})
    await store.delete(LinkCode, {"until": {"$lte": utcnow() - PERIOD}})
    recent = await store.count(LinkTry, {"at": {"$gte": utcnow() - LIFE}})
    digits = LONG_DIGITS if recent > MOST_WRONG_IN_ALL // 2 else DIGITS
    for _ in range(_ATTEMPTS):
        code = f"{secrets.randbelow(10**digits):0{digits}}"
        now = utcnow()
        hashed = await _hashed(code)
        made = LinkCode(id=hashed, conversation=key, made=now, until=now + LIFE)
        await store.delete(LinkCode, {"id": hashed, "until": {"$lte": now}})
        try:
            await store.insert(made)
        except Duplicate:
            continue
        return code
    raise NoCode(f"no free code in {_ATTEMPTS} attempts")


async def redeem(store: AsyncStore, address: Address, code: str) -> Linked:
    """Take a code that was typed at an address; see `Linked`. Raises StoreDown.

    The same may be done again after a crash: a code that was used here is good here.
    """
    key = clean(address.key)
    # Counted before it is looked at, so that no number of guesses made at once gets
    # through before the first of them counts.
    now = utcnow()
    guess = LinkTry(conversation=key, at=now)
    await store.insert(guess)
    tries = {"conversation": key, "at": {"$gte": now - PERIOD}}
    if await store.count(LinkTry, tries) > MOST_WRONG:
        # Trying all the same does not make the waiting longer.
        await store.delete(LinkTry, {"id": guess.id})
        return Linked("too often")
    await store.delete(LinkTry, {"at": {"$lt": now - PERIOD}})
    found = await _alive(store, code)
    if found is None:
        return Linked("wrong")
    if found.conversation == key:
        await store.delete(LinkTry, {"id": guess.id})
        return Linked("here")
    if found.used_by != key:
        where = {"id": found.id, "used_by": "", "until": {"$gt": now}}
        if await store.change(LinkCode, where, set={"used_by": key}) is None:
            return Linked("wrong")
    await store.delete(LinkTry, {"id": guess.id})
    other = Address.parse(found.conversation)
    here = await customer_of(store, address)
    there = await customer_of(store, other)
    try:
        await merge(store, _member(here, key), _member(there, other.key), CUSTOMER, "link code")
    except TooManyAddresses:
        return Linked("too many", other)
    return Linked("linked", other, await customer_of(store, address))


def read_code(text: str) -> str | None:
    """Return the code in a text, ``link 482913`` or ``482 913 105``; None without just one.

    Digits of any script count.
    """
    plain = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c
        for c in unicodedata.normalize("NFKC", text)
    )
    found = {a + b + c for a, b, c in _CODE.findall(plain)}
    return found.pop() if len(found) == 1 else None


async def _alive(store: AsyncStore, code: str) -> LinkCode | None:
    found = await store.get(LinkCode, await _hashed(code))
    if found is None or found.until <= utcnow():
        return None
    if len(code) == LONG_DIGITS:
        return found
    wrong = await store.count(LinkTry, {"at": {"$gte": found.made - _CLOCKS}})
    # This one is among them.
    return found if wrong <= MOST_WRONG_IN_ALL else None


def _member(person: Person, key: str) -> ObjectId:
    """Return the customer at an address; merges join those, so that undoing parts just them."""
    here: list[ObjectId] = [m.id for m in person.members if m.address == key and not m.left_for]
    return here[0] if here else customer_id(key)


async def _hashed(code: str) -> str:
    digest = await asyncio.to_thread(
        hashlib.scrypt, code.encode(), salt=_SALT, n=_COST, r=8, p=1, dklen=24
    )
    return str(digest.hex())
