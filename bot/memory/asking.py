"""What is known before a person is forgotten: who it is, what was begun, what stands open."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from bot.identity import Person
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, Case
from bot.store.customers import PROVIDER, Customer
from bot.store.memory import ASKED, GONE, Forgetting, forgetting_id
from bot.store.messages import arrival
from bot.store.steps import PENDING as UNDONE
from bot.store.steps import Undertaking

_PAGE = 200


async def ask(store: AsyncStore, found: Person, *, by: str) -> Forgetting:
    """Note that a person is to be forgotten; asking again changes nothing."""
    now = utcnow()
    members = []
    for member in found.members:
        one: dict[str, Any] = {"customer": str(member.id), "address": str(member.address)}
        until = await given_up(store, member, found)
        members.append({**one, "until": until} if until else one)
    # Who writes again after it was done is met later, and another one.
    who = sorted(f"{member.id} {member.created.isoformat()}" for member in found.members)
    row = Forgetting(
        id=forgetting_id("\n".join(who)),
        status=ASKED,
        by=by,
        members=members,
        held={},
        done=[],
        counts={},
        cutoff=arrival(),
        at=now,
        due=now,
    )
    (new,) = await store.insert_new([row])
    return row if new else (await store.get(Forgetting, row.id) or row)


async def given_up(store: AsyncStore, member: Customer, found: Person) -> int:
    """Return when an address became somebody else's, 0 while it is this customer's."""
    if not member.left_for:
        return 0
    later = {"address": member.address, "generation": {"$gt": member.generation or 0}}
    next_one = await store.find(Customer, later, sort=("generation",), limit=1)
    if not next_one:
        return 0
    left = [m.at for m in found.merges if m.by == PROVIDER and member.id in (m.one, m.other)]
    return int(min([*left, next_one[0].created]).timestamp() * 1_000_000)


async def begun(store: AsyncStore, who: str) -> ObjectId | None:
    """Return the forgetting that was begun of an address or of a customer's id, and not ended.

    One of which but the end is missing does not tell any more whose it is: it may be his.
    """
    where = {"status": {"$in": [ASKED, GONE]}}
    rows = await store.find(Forgetting, where, sort=("due",))
    his = [
        row.id
        for row in rows
        if any(who in (one["customer"], one["address"]) for one in row.members or [])
    ]
    ended = [row.id for row in rows if row.status == GONE]
    return next(iter([*his, *ended]), None)


async def unfinished(store: AsyncStore, found: Person) -> list[Undertaking]:
    """Return what a person has said yes to and the shop has not answered yet."""
    addresses = [str(m.address) for m in found.members]
    rows = await store.find(Undertaking, {"conversation": {"$in": addresses}}, sort=("at",))
    return [row for row in rows if row.status == UNDONE]


async def open_matters(store: AsyncStore, found: Person) -> list[Case]:
    """Return the open cases of a person: what a person of the team must see to first."""
    addresses = [str(m.address) for m in found.members]
    rows = await store.find(Case, {"conversation": {"$in": addresses}}, sort=("-at",), limit=_PAGE)
    return [case for case in rows if case.status == OPEN]
