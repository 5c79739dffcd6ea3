"""Which addresses are one person, and joining and parting them.

A person is what undone merges do not part: all customers that `Merge` documents connect,
directly or over others. The one met first lends the person its id. Nothing but the
merges says so, hence nothing else has to be changed with them at once: inserting one is
the commit of a merge, dating its end the commit of undoing it. What conversations hold
of it (`Conversation.customer`) is written afterwards, and again by whoever finds it wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from bson import ObjectId

from bot.identity.errors import NoSuchCustomer, NoSuchMerge, TooManyAddresses
from bot.message import clean, utcnow
from bot.store import AsyncStore, Duplicate
from bot.store.conversations import Conversation
from bot.store.customers import Customer, Merge, merge_id

log = logging.getLogger(__name__)

#: Addresses one person may have.
MOST_ADDRESSES = 50
_PAGE = 200


@dataclass(frozen=True)
class Person:
    """One customer across channels.

    `members` are the customers at each address, the one met first before the others;
    `merges` those that join them.
    """

    members: tuple[Customer, ...]
    merges: tuple[Merge, ...] = ()

    @property
    def id(self) -> str:
        """What `Conversation.customer` holds: the id of the member met first."""
        return str(self.members[0].id)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Keys of the addresses where the person is to be met, without those given up."""
        return tuple(str(m.address) for m in self.members if not m.left_for)

    @property
    def phones(self) -> tuple[str, ...]:
        """Proven phone numbers, E.164."""
        return tuple(dict.fromkeys(str(m.phone) for m in self.members if m.phone))

    @property
    def name(self) -> str:
        """The name on the channel where the person was met first and has one."""
        return next((str(m.name) for m in self.members if m.name), "")

    @property
    def tier(self) -> str:
        """What kind of customer it is, by the same rule."""
        return next((str(m.tier) for m in self.members if m.tier), "")

    @property
    def language(self) -> str:
        """The language, BCP 47, by the same rule."""
        return next((str(m.language) for m in self.members if m.language), "")

    def has(self, id: ObjectId) -> bool:
        """Tell whether the customer `id` is a member."""
        return any(m.id == id for m in self.members)


async def person(store: AsyncStore, id: ObjectId) -> Person:
    """Return the person that the customer `id` belongs to. Raises NoSuchCustomer."""
    member = await store.get(Customer, id)
    if member is None:
        raise NoSuchCustomer(f"there is no customer {id}")
    return await gather(store, member)


async def gather(store: AsyncStore, member: Customer) -> Person:
    """Return the person that a customer, read just now, belongs to."""
    members = {member.id: member}
    merges: dict[ObjectId, Merge] = {}
    edge = [member.id] if member.joined else []
    while edge:
        found: list[Merge] = []
        for side in ("one", "other"):
            found += await store.find(Merge, {side: {"$in": edge}, "undone_at": None})
        merges.update({m.id: m for m in found})
        ends = {end for m in found for end in (m.one, m.other)} - members.keys()
        new = await store.find(Customer, {"id": {"$in": sorted(ends)}}) if ends else []
        members.update({m.id: m for m in new})
        edge = [m.id for m in new]
    first = sorted(members.values(), key=_met)
    return Person(tuple(first), tuple(sorted(merges.values(), key=lambda m: (m.at, m.id))))


def _met(member: Customer) -> tuple[object, ...]:
    return member.created, member.id


async def merge(store: AsyncStore, one: ObjectId, other: ObjectId, by: str, why: str) -> Merge:
    """Make the persons of two customers one, and return the merge that says so.

    `by` is one of `bot.store.customers`'s CUSTOMER, AGENT, PHONE and PROVIDER, `why` for
    people. Two that are one already stay so, whichever merge it was that joined them. It
    may be repeated at any time. Raises NoSuchCustomer, TooManyAddresses.
    """
    first, second = await person(store, one), await person(store, other)
    if first.has(other):
        joined = _between(first.merges, one, other)
        await _spread(store, [joined], [one])
        return joined
    size = len(first.members) + len(second.members)
    if size > MOST_ADDRESSES:
        raise TooManyAddresses(f"they would have {size} addresses, more than {MOST_ADDRESSES}")
    kept, gone = sorted((first, second), key=lambda p: _met(p.members[0]))
    # Before the merge, never after: who is not marked is not asked for merges at all.
    for id in (one, other):
        await store.change(Customer, {"id": id}, set={"joined": True})
    lesser, greater = sorted((one, other))
    found = await _merges_of(store, lesser, greater)
    active = [m for m in found if m.undone_at is None]
    if active:
        # Made since we looked.
        await _spread(store, active, [one])
        return active[0]
    made = Merge(
        id=merge_id(one, other, len(found)),
        one=lesser,
        other=greater,
        by=by,
        why=clean(why),
        kept=kept.id,
        addresses=list(gone.addresses),
        at=utcnow(),
    )
    try:
        await store.insert(made)
    except Duplicate:
        # Somebody else had the same idea at the same time.
        made = await store.get(Merge, made.id) or made
    await _spread(store, [made], [one])
    return made


async def undo(store: AsyncStore, id: ObjectId, by: str) -> Merge:
    """Undo a merge: each side is who it was, with what came to it meanwhile.

    Others may still hold the two together, see `merges` of the `Person` they are.
    Undoing twice is undoing once. Raises NoSuchMerge.
    """
    undone = await store.change(
        Merge,
        {"id": id, "undone_at": None},
        set={"undone_at": utcnow(), "undone_by": clean(by), "settled": False},
    )
    undone = undone or await store.get(Merge, id)
    if undone is None:
        raise NoSuchMerge(f"there is no merge {id}")
    await _spread(store, [undone], [undone.one, undone.other])
    return undone


async def apart(store: AsyncStore, one: ObjectId, other: ObjectId) -> bool:
    """Tell whether somebody has parted two customers who had been joined."""
    first, second = sorted((one, other))
    return any(m.undone_at for m in await _merges_of(store, first, second))


async def settle(store: AsyncStore) -> int:
    """Finish what workers that died left of merges; return how many there were."""
    left = await store.find(Merge, {"settled": False}, sort=("at",), limit=_PAGE)
    for one in left:
        await _spread(store, [one], [one.one, one.other])
    return len(left)


async def tell(store: AsyncStore, member: ObjectId) -> Person | None:
    """Write into the conversations of a customer's person whose they are.

    Somebody may join or part the same people meanwhile. Whoever has written looks again,
    and so the last to write has written what is true. None when the customer is gone.
    """
    told: tuple[object, ...] = ()
    while True:
        try:
            now = await person(store, member)
        except NoSuchCustomer:
            return None
        state = (now.id, now.addresses)
        if state == told:
            return now
        for talk in await store.find(Conversation, {"id": {"$in": now.addresses}}):
            if talk.customer != now.id:
                await store.change(Conversation, {"id": talk.id}, set={"customer": now.id})
        told = state


async def _spread(store: AsyncStore, merges: Iterable[Merge], members: Iterable[ObjectId]) -> None:
    unsettled = [m for m in merges if not m.settled]
    if not unsettled:
        return
    for member in members:
        await tell(store, member)
    for one in unsettled:
        # Not if it was undone, or settled, meanwhile.
        where = {"id": one.id, "settled": False, "undone_at": one.undone_at}
        await store.change(Merge, where, set={"settled": True})


async def _merges_of(store: AsyncStore, one: ObjectId, other: ObjectId) -> list[Merge]:
    return await store.find(Merge, {"one": one, "other": other})


def _between(merges: Iterable[Merge], one: ObjectId, other: ObjectId) -> Merge:
    """Return the merge of the two themselves, else the newest of those that connect them."""
    pair = {one, other}
    newest = list(merges)
    direct = [m for m in newest if {m.one, m.other} == pair]
    return (direct or newest)[-1]
