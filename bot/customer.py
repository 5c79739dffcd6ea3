"""``bot customer``: who is who across channels, what joined them, and what they agreed to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from bson import ObjectId

from bot import customer_data, serve
from bot.identity import IdentityError, NoSuchCustomer, Person, merge, person, settle, undo
from bot.learn_words import plain
from bot.message import clean
from bot.settings import Settings
from bot.store import AsyncStore, StoreError
from bot.store.consents import Consent
from bot.store.conversations import Conversation
from bot.store.customers import AGENT, Customer, Merge

_CONSENTS = 50


async def customer(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot customer VERB``; return 0, or 1 when it could not be done."""
    store = serve.store_of(settings)
    try:
        await settle(store)
        if args.verb == "show":
            return await _show(store, args.who)
        if args.verb == "merge":
            return await _merge(store, args.who, args.other, args.why)
        if args.verb in customer_data.VERBS:
            try:
                found = await person(store, await _member(store, args.who))
            except NoSuchCustomer:
                half = await customer_data.half_forgotten(store, args)
                if half is None:
                    raise
                return await customer_data.finish(settings, store, half)
            return await customer_data.do(args, settings, store, found)
        if args.verb == "tier":
            return await _tier(store, args.who, args.tier)
        if args.verb == "undo":
            return await _undo(store, args.merge)
        return await _links(store, args.who, args.limit)
    except (StoreError, IdentityError) as error:
        print(f"the store: {error}" if isinstance(error, StoreError) else error, file=sys.stderr)
        return 1
    finally:
        await store.close()


async def _member(store: AsyncStore, who: str) -> ObjectId:
    """Return the id of the customer that an id or an address names. Raises NoSuchCustomer."""
    if ":" in who:
        where = {"address": clean(who)}
        found = await store.find(Customer, where, sort=("-generation",), limit=1)
        if found:
            id: ObjectId = found[0].id
            return id
        raise NoSuchCustomer(f"{who}: nobody has written from that address")
    if not ObjectId.is_valid(who):
        raise NoSuchCustomer(f"{who}: is neither an address (channel:account:user) nor an id")
    return ObjectId(who)


async def _show(store: AsyncStore, who: str) -> int:
    found = await person(store, await _member(store, who))
    print(f"customer  {found.id}")
    for name, value in (("name", found.name), ("language", found.language), ("tier", found.tier)):
        if value:
            print(f"{name:9} {plain(str(value))}")
    for phone in found.phones:
        print(f"phone     {phone}")
    print(f"since     {_when(found.members[0].created)}")
    print("\naddresses")
    for member in found.members:
        talk = await store.get(Conversation, member.address)
        print(f"  {plain(member.address)}  {_state(member, talk)}")
    if found.merges:
        print("\njoined by")
        for one in found.merges:
            print(f"  {_told(one)}")
    known = await customer_data.memory_lines(store, found)
    if known:
        print("\nremembered")
        for line in known:
            print(f"  {plain(line)}")
    lines = await _consents(store, found)
    if lines:
        print("\nconsent")
        for line in lines:
            print(f"  {line}")
    return 0


def _state(member: Customer, talk: Conversation | None) -> str:
    said = []
    if member.left_for:
        said.append(f"given up for {member.left_for}")
    if talk is not None and talk.last_in:
        said.append(f"last wrote {_when(talk.last_in)}")
    if talk is not None and talk.opted_out and not member.left_for:
        said.append(f"opted out ({talk.opted_out}) since {_when(talk.consent_at)}")
    return ", ".join(said) or "has not been answered yet"


async def _consents(store: AsyncStore, found: Person) -> list[str]:
    where = {"conversation": {"$in": [m.address for m in found.members]}}
    entries = await store.find(Consent, where, sort=("-at",), limit=_CONSENTS)
    return [
        f"{_when(entry.at)}  {entry.state:3} {entry.scope:9} {entry.how:8} "
        f"{entry.conversation}{f'  {entry.word!r}' if entry.word else ''}"
        for entry in entries
    ]


async def _tier(store: AsyncStore, who: str, tier: str) -> int:
    found = await person(store, await _member(store, who))
    for member in found.members:
        await store.change(Customer, {"id": member.id}, set={"tier": clean(tier)})
    print(f"{found.id}: {tier or 'no tier'}")
    return 0


async def _merge(store: AsyncStore, who: str, other: str, why: str) -> int:
    one, two = await _member(store, who), await _member(store, other)
    if one == two:
        raise IdentityError("they are the same customer")
    together = (await person(store, one)).has(two)
    made = await merge(store, one, two, AGENT, why)
    print(f"they are one already, by {_told(made)}" if together else _told(made))
    return 0


async def _undo(store: AsyncStore, id: str) -> int:
    if not ObjectId.is_valid(id):
        raise IdentityError(f"{id}: is no id of a merge; `bot customer links` shows them")
    undone = await undo(store, ObjectId(id), AGENT)
    print(_told(undone))
    still = await person(store, undone.one)
    if still.has(undone.other):
        print("\nThey are still one customer, by")
        for one in still.merges:
            print(f"  {_told(one)}")
    return 0


async def _links(store: AsyncStore, who: str | None, limit: int) -> int:
    if who:
        members: Sequence[ObjectId] = [
            m.id for m in (await person(store, await _member(store, who))).members
        ]
        sides = ("one", "other")
        both = [await store.find(Merge, {s: {"$in": list(members)}}) for s in sides]
        unique = {m.id: m for found in both for m in found}
        merges = sorted(unique.values(), key=lambda m: m.at, reverse=True)[:limit]
    else:
        merges = await store.find(Merge, {}, sort=("-at",), limit=limit)
    for one in merges:
        print(_told(one))
    if not merges:
        print("no customers have been joined")
    return 0


def _told(one: Merge) -> str:
    moved = ", ".join(one.addresses or ()) or "nothing"
    undone = f"; undone {_when(one.undone_at)} by {one.undone_by}" if one.undone_at else ""
    why = f" ({plain(str(one.why))})" if one.why else ""
    return f"{one.id}  {_when(one.at)}  by {one.by}{why}: {moved} to {one.kept}{undone}"


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
