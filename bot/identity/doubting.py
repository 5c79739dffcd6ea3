"""Is it still who he was? Phone numbers are given to new people, and nobody tells us.

Signs of it are a long silence, a shorter one after which WhatsApp tells another name, and another
WhatsApp account or device at the same number
(https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids;
``identity_key_hash`` of the messages webhook, where the identity change check is on). Then it is in
doubt since when: what was known of the number before is nobody's to hear, and the number alone
proves nothing. A code for an account that was proven before the doubt ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.identity.people import MOST_ADDRESSES
from bot.identity.phones import phone_of
from bot.message import Address, Profile, clean
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.customers import Customer

#: A number is given to somebody else after six weeks at the soonest, as a rule after three months.
#: Whoever has the same full name as before may be silent for longer, with another one less long.
SILENCE = timedelta(days=60)
LONG_SILENCE = timedelta(days=365)
SHORT_SILENCE = timedelta(days=14)


async def look(
    store: AsyncStore,
    here: Address,
    profile: Profile,
    at: datetime,
    last: datetime | None,
    shows: str = "",
) -> None:
    """Note a doubt that a message from `here` raises, before anything else is made of it.

    `at` is when it was written, `last` when one from there was before, `shows` the number that
    it shows as the sender's own, where the address is none. It may be done again, as long as
    nothing else of the message has been. Raises StoreDown.
    """
    number = phone_of(here) or shows
    recent = last is not None and at - last < SHORT_SILENCE
    if not number or (recent and not profile.signs):
        return
    known = await _with(store, number)
    why = _another(profile.signs, [c for c in known if c.address == clean(here.key)])
    if not why and not recent and known:
        talks = await store.find(Conversation, {"id": {"$in": [str(c.address) for c in known]}})
        lasts = [talk.last_in for talk in talks if talk.last_in]
        # Of one silence there is one doubt.
        if lasts and not any(c.doubt and c.doubt >= max(lasts) for c in known):
            names = [str(c.name) for c in known if c.name]
            why = _silent(at - max(lasts), profile.name, names)
    if why:
        await _set(store, known, at, why)


async def doubted(store: AsyncStore, customer: object) -> Customer | None:
    """Return a customer (its id) if it is in doubt whether it is still him."""
    found = await store.get(Customer, customer)
    return found if found is not None and found.doubt else None


async def believe(store: AsyncStore, customers: Iterable[Customer]) -> None:
    """End the doubt about customers, and about all who have the same number. Raises StoreDown."""
    for one in customers:
        if one.doubt:
            same = await _with(store, str(one.phone)) if one.phone else [one]
            await _set(store, [one, *same], None, "")


async def _with(store: AsyncStore, number: str) -> list[Customer]:
    same = await store.find(Customer, {"phone": number}, sort=("created",), limit=MOST_ADDRESSES)
    return [one for one in same if not one.left_for]


async def _set(
    store: AsyncStore, customers: Sequence[Customer], at: datetime | None, why: str
) -> None:
    for one in customers:
        await store.change(Customer, {"id": one.id}, set={"doubt": at, "doubt_why": why})


def _another(signs: Sequence[str], known: Sequence[Customer]) -> str:
    """Tell whether the provider says that it is another account or device."""
    now = dict(sign.split(":", 1) for sign in signs)
    for one in known:
        before = dict(sign.split(":", 1) for sign in one.signs or ())
        changed = [kind for kind in now if before.get(kind, now[kind]) != now[kind]]
        if changed:
            return f"WhatsApp says that it is another {changed[0]} at the same number"
    return ""


def _silent(silence: timedelta, name: str, names: Sequence[str]) -> str:
    now = _words(name)
    other = bool(now and names) and not any(now & _words(one) for one in names)
    if other and silence >= SHORT_SILENCE:
        return f"another name, after a silence of {silence.days} days"
    same = len(now) > 1 and any(now == _words(one) for one in names)
    if silence >= (LONG_SILENCE if same else SILENCE):
        return f"a silence of {silence.days} days"
    return ""


def _words(name: str) -> frozenset[str]:
    return frozenset(word for word in name.casefold().split() if any(map(str.isalpha, word)))
