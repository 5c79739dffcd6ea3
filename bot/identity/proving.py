"""Is it really the owner of an account who writes? Shown by a code to an address on file.

The code goes to an address that the shop has of the account, never to one that somebody
types; who reads it there and types it here has proven that the account is his. That holds for
the customer at this address (`bot.store.customers.Customer`) and this account, for a
time: whoever has the address or the number next is another customer, and has proven nothing.

A code has six digits, lives ten minutes and is good for one message. Guessing is bounded, see
`bot.identity.guarding`; each guess counts before it is looked at, so that guesses made at once
do not slip through. So are codes that are sent, for they are mails in somebody's box. Done
again with the same `cause` (the id of the message), everything does and says the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.identity.doubting import believe
from bot.identity.guarding import (
    ACQUAINTED,
    DAY,
    DIGITS,
    LONG_DIGITS,
    PERIOD,
    guessed_at,
    guessed_enough,
    sent_enough,
    strained,
)
from bot.identity.meeting import customer_of
from bot.identity.people import Person
from bot.identity.phones import e164, phone_of
from bot.identity.reaching import MAIL, OnFile, Ways, hint, way_to
from bot.message import Address, clean, utcnow
from bot.store import AsyncStore
from bot.store.proofs import HELD, NOWHERE, QUEUED, Challenge, Proof, ProofTry

LIFE = timedelta(minutes=10)
# Codes that a mail server held back come late; one of the last few is as good as the newest.
_ALIVE = 3
# Of scrypt, as in `bot.identity.codes`.
_COST = 2**13
_MARK = re.compile(r"\s+")

Became = Literal["proven", "wrong", "none", "too often", "guarded"]


@dataclass(frozen=True)
class Asked:
    """What became of a wish for a code: ``sent`` to `hint` by `way`, with so many `digits`.

    ``too often`` is when the person has had too many, ``guarded`` when the account has, whoever
    asked for them, and ``no way`` when none can be sent.
    """

    became: Literal["sent", "too often", "guarded", "no way"]
    hint: str = ""
    way: str = ""
    digits: int = DIGITS


@dataclass(frozen=True)
class Words:
    """The designers' words of a code's message; ``{code}`` and ``{minutes}`` are filled in."""

    subject: str
    mail: str
    sms: str


def account_of(on_file: OnFile) -> str:
    """Return the digest by which an account is known here; "" for one without any address."""
    address = _MARK.sub("", on_file.mail).casefold() or e164(on_file.phone)
    return hashlib.sha256(f"account\n{address}".encode()).hexdigest()[:32] if address else ""


def by_channel(here: Address, on_file: OnFile, channels: tuple[str, ...]) -> bool:
    """Tell whether somebody writes from the very number that the account has on file.

    Only on `channels`: an SMS can be forged where the carriers let it.
    """
    number = phone_of(here) if here.channel in channels else ""
    return bool(number) and number == e164(on_file.phone)


async def proven(store: AsyncStore, here: Address, account: str) -> bool:
    """Tell whether the customer at an address has proven an account. Raises StoreDown."""
    if not account:
        return False
    customer, _ = await _who(store, here)
    found = await store.get(Proof, _digest(customer, account))
    return found is not None and found.until > utcnow()


async def proven_since(store: AsyncStore, here: Address) -> datetime | None:
    """Return since when the customer at an address has proven what is proven now, or None."""
    customer, _ = await _who(store, here)
    now = utcnow()
    alive = [row for row in await store.find(Proof, {"customer": customer}) if row.until > now]
    return min((row.since or row.at for row in alive), default=None)


async def challenge(
    store: AsyncStore,
    here: Address,
    on_file: OnFile,
    given: Ways,
    words: Words,
    cause: str,
    *,
    real: bool = True,
) -> Asked:
    """Have a code sent to an address on file, once a `cause`. Raises StoreDown.

    With `real` false, for an account that there is not, nothing is sent, and what is
    returned is the same: nobody learns that way who is a customer.
    """
    way, account = way_to(on_file, given), account_of(on_file)
    if not way or not account:
        return Asked("no way")
    to = on_file.mail.strip() if way == MAIL else e164(on_file.phone)
    customer, person = await _who(store, here)
    now = utcnow()
    await store.delete(Challenge, {"until": {"$lte": now - PERIOD}})
    strain = await strained(store, here.channel, now)
    digits = LONG_DIGITS if strain else DIGITS
    code = f"{secrets.randbelow(10**digits):0{digits}}"
    id_ = _digest(customer, account, cause)
    row = Challenge(
        id=id_,
        customer=customer,
        person=person,
        account=account,
        channel=here.channel,
        hashed=await _hashed(code, id_),
        digits=digits,
        made=now,
        until=now + LIFE,
        way=way if real else "",
        letter=_letter(to, way, words, code) if real else None,
        # Not to be sent before it has been counted.
        status=HELD,
        due=now,
    )
    await store.insert_new([row])
    mine = await store.get(Challenge, id_)
    if mine is None:
        return Asked("too often")
    if mine.status == HELD:
        stranger = not await _acquainted(store, customer, account)
        enough = await sent_enough(store, mine, stranger=stranger, strain=strain)
        if enough:
            await store.delete(Challenge, {"id": id_, "status": HELD})
            return Asked(enough)
        status = QUEUED if mine.way else NOWHERE
        await store.change(Challenge, {"id": id_, "status": HELD}, set={"status": status})
    return Asked("sent", hint(to), way, int(mine.digits))


async def check(
    store: AsyncStore, here: Address, account: str, code: str, cause: str, life: timedelta
) -> Became:
    """Try a code that was typed; ``none`` is when none is alive. Raises StoreDown.

    The proof holds for `life`. A code is used by the one message it was typed in.
    """
    customer, person = await _who(store, here)
    now = utcnow()
    # Of who has proven it before, what strangers guess is not held against him.
    mine = await _acquainted(store, customer, account)
    guess = ProofTry(
        id=_digest("try", customer, cause),
        person=person,
        account=_digest(account, customer) if mine else account,
        channel=here.channel,
        at=now,
    )
    await store.insert_new([guess])
    enough = await guessed_enough(store, guess)
    if enough:
        # Trying all the same does not make the waiting longer.
        await store.delete(ProofTry, {"id": guess.id})
        return enough
    await store.delete(ProofTry, {"at": {"$lt": now - DAY}})
    alive = await store.find(
        Challenge,
        {"customer": customer, "account": account, "until": {"$gt": now}},
        sort=("-until",),
        limit=_ALIVE,
    )
    short = [one for one in alive if one.digits < LONG_DIGITS]
    if short and await strained(store, here.channel, now) and await guessed_at(store, guess):
        alive = [one for one in alive if one not in short]
    found = None
    for one in alive:
        # All of them are looked at, so that the time it takes tells nothing.
        if hmac.compare_digest(await _hashed(code, str(one.id)), str(one.hashed)):
            found = one
    usable = found is not None and found.used_by in ("", cause)
    if found is None or not usable:
        if not alive:
            await store.delete(ProofTry, {"id": guess.id})
        return "wrong" if alive else "none"
    if not found.used_by:
        where = {"id": found.id, "used_by": "", "until": {"$gt": now}}
        if await store.change(Challenge, where, set={"used_by": cause}) is None:
            return "wrong"
    proof = Proof(
        id=_digest(customer, account),
        customer=customer,
        account=account,
        by=found.way,
        at=now,
        since=await _recognised(store, here, account, now),
        until=now + life,
    )
    await store.put(proof)
    await store.delete(ProofTry, {"id": guess.id})
    # The others are nothing any more.
    for one in alive:
        await store.change(Challenge, {"id": one.id, "used_by": ""}, set={"used_by": cause})
    await store.delete(Proof, {"until": {"$lte": now - ACQUAINTED}})
    return "proven"


async def forget(store: AsyncStore, here: Address) -> None:
    """Forget what the customer at an address has proven or was sent. Raises StoreDown."""
    customer, _ = await _who(store, here)
    await store.delete(Proof, {"customer": customer})
    rows = await store.find(Challenge, {"customer": customer})
    for row in rows:
        # Kept for the counts, with nothing in it that could still be typed or sent.
        await store.change(Challenge, {"id": row.id}, set={"used_by": "forgotten", "letter": None})


async def _recognised(store: AsyncStore, here: Address, account: str, now: datetime) -> datetime:
    """Return since when who has just shown an account has proven it, ending a doubt about him."""
    person = await customer_of(store, here)
    whose = {"customer": {"$in": [str(member.id) for member in person.members]}}
    before = [row for row in await store.find(Proof, whose) if row.account == account]
    since = min((row.since or row.at for row in before), default=now)
    await believe(store, [m for m in person.members if m.doubt and since < m.doubt])
    return since


async def _acquainted(store: AsyncStore, customer: str, account: str) -> bool:
    """Tell whether a customer has proven an account before, if only long ago."""
    return await store.get(Proof, _digest(customer, account)) is not None


async def _who(store: AsyncStore, here: Address) -> tuple[str, str]:
    """Return the customer at an address and the person he belongs to, as texts."""
    person = await customer_of(store, here)
    return str(_member(person, clean(here.key))), str(person.id)


def _member(person: Person, key: str) -> object:
    return next(m.id for m in person.members if m.address == key and not m.left_for)


def _letter(to: str, way: str, words: Words, code: str) -> dict[str, str]:
    minutes = str(int(LIFE.total_seconds() // 60))

    def filled(text: str) -> str:
        return text.replace("{code}", code).replace("{minutes}", minutes)

    if way == MAIL:
        return {"to": to, "subject": filled(words.subject), "body": filled(words.mail)}
    return {"to": to, "subject": "", "body": filled(words.sms)}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


async def _hashed(code: str, salt: str) -> str:
    digest = await asyncio.to_thread(
        hashlib.scrypt, code.encode(), salt=salt.encode(), n=_COST, r=8, p=1, dklen=24
    )
    return str(digest.hex())
