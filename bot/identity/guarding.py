"""How often codes may be sent and guessed at, and what changes while somebody attacks.

Each bound is of one person or of one account, so that whoever uses it up takes it from nobody
else. What all do together on a channel shuts nobody out: it makes the codes longer, and what
was sent before it good for one guess. The arithmetic is in ``docs/identity.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.store import AsyncStore
from bot.store.proofs import Challenge, ProofTry

#: Digits of a code, and of one that is made while a channel is under strain.
DIGITS, LONG_DIGITS = 6, 9
PERIOD, DAY = timedelta(hours=1), timedelta(days=1)
#: Wrong codes of a person, and for an account whoever types them: in `PERIOD`, and in a day.
MOST_WRONG, MOST_WRONG_OF_ACCOUNT, MOST_WRONG_OF_ACCOUNT_A_DAY = 5, 10, 20
#: Codes sent to a person, and to an account, in `PERIOD`.
MOST_CODES, MOST_CODES_OF_ACCOUNT = 5, 5
#: So many wrong codes in a day, or codes sent in `PERIOD`, are what a channel's honest customers
#: need. Beyond it a channel is under strain, and strangers have so many codes sent to an account.
CALM_WRONG, CALM_CODES, STRAINED_CODES_OF_ACCOUNT = 100, 300, 2
#: For so long somebody who has proven an account is no stranger to it.
ACQUAINTED = timedelta(days=365)

Enough = Literal["", "too often", "guarded"]


async def strained(store: AsyncStore, channel: str, now: datetime) -> bool:
    """Tell whether there is more guessing on a channel than honest customers do."""
    guesses = {"channel": channel, "at": {"$gte": now - DAY}}
    if await store.count(ProofTry, guesses) > CALM_WRONG:
        return True
    codes = {"channel": channel, "made": {"$gte": now - PERIOD}}
    return await store.count(Challenge, codes) > CALM_CODES


async def guessed_enough(store: AsyncStore, guess: ProofTry) -> Enough:
    """Tell whether a guess that has been counted is one too many.

    ``too often`` is by the person's own, ``guarded`` by all that were made at the account.
    """
    hour, day = {"at": {"$gte": guess.at - PERIOD}}, {"at": {"$gte": guess.at - DAY}}
    bounds: Sequence[tuple[Mapping[str, Any], int, Enough]] = (
        ({"person": guess.person, **hour}, MOST_WRONG, "too often"),
        ({"account": guess.account, **hour}, MOST_WRONG_OF_ACCOUNT, "guarded"),
        ({"account": guess.account, **day}, MOST_WRONG_OF_ACCOUNT_A_DAY, "guarded"),
    )
    for where, most, enough in bounds:
        if await store.count(ProofTry, where) > most:
            return enough
    return ""


async def sent_enough(store: AsyncStore, row: Challenge, *, stranger: bool, strain: bool) -> Enough:
    """Tell whether a code that has been counted is one too many; see `guessed_enough`.

    What strangers have sent to an account is not held against who has proven it before.
    """
    since = {"made": {"$gte": row.made - PERIOD}}
    if await store.count(Challenge, {"person": row.person, **since}) > MOST_CODES:
        return "too often"
    most = STRAINED_CODES_OF_ACCOUNT if strain else MOST_CODES_OF_ACCOUNT
    if stranger and await store.count(Challenge, {"account": row.account, **since}) > most:
        return "guarded"
    return ""


async def guessed_at(store: AsyncStore, guess: ProofTry) -> bool:
    """Tell whether there has been another guess at the account of one within `PERIOD`."""
    since = {"account": guess.account, "at": {"$gte": guess.at - PERIOD}}
    return await store.count(ProofTry, since) > 1
