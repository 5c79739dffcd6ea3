"""Remembering and recalling: bounded, the newest counts, and of a person over all addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bson import ObjectId

from bot.identity import Person
from bot.identity.doubting import believe
from bot.llm.masking import Masker
from bot.llm.orders import orders
from bot.memory.contract import LONGEST, LONGEST_SUMMARY, MATTER, MOST, Known, Memory, NotRemembered
from bot.message import Address, clean, utcnow
from bot.perception.escalation import Escalation
from bot.perception.patterns import Index, plain
from bot.store import AsyncStore
from bot.store.cases import OPEN, Case
from bot.store.consents import ALL
from bot.store.conversations import Conversation
from bot.store.customers import Customer, customer_id
from bot.store.memory import AGENT, FACT, ORDER, RULE, SUMMARY, Fact, fact_id

#: The key by which people at the desk read that somebody may be another, and end that.
DOUBT = "doubt"

_MATTERS = 5
_ORDERS = 6
# Kinds of `bot.llm.masking`: what pays, or identifies at an office.
_NEVER = frozenset({"CARD", "IBAN", "ID"})


async def customer_at(store: AsyncStore, conversation: str) -> Customer | None:
    """Return the customer that writes from an address now, None before the first turn."""
    first = await store.get(Customer, customer_id(conversation))
    if first is None or not first.left_for:
        return first
    rows = await store.find(
        Customer, {"address": clean(conversation)}, sort=("-generation",), limit=1
    )
    return rows[0] if rows and not rows[0].left_for else None


def why_not(value: str, escalation: Escalation | None, never: Index | None = None) -> str:
    """Return why a value is never to be remembered, "" when it may be.

    Payment data and identity numbers by their check digits, sensitive matters by the
    patterns of ``data/escalation.yml``, health and the like by those of ``data/memory.yml``
    (`never`). What gives orders to a language model would do so in every prompt.
    """
    found = Masker(streets=False).mask([value]).found
    if any(one.kind in _NEVER for one in found):
        return "it holds payment data or a number of identity"
    if escalation is not None and escalation.match(value, "") is not None:
        return "it is a sensitive matter"
    if never is not None and any(True for _ in never.matches(plain(value))):
        return "it is about health, belief or something else that is nobody's business"
    if orders(value):
        return "it speaks to a language model"
    return ""


async def remember(
    store: AsyncStore,
    conversation: str,
    *,
    kind: str,
    key: str,
    about: str,
    value: str,
    source: str,
    by: str,
    at: datetime,
    days: int,
    escalation: Escalation | None = None,
    never: Index | None = None,
) -> bool:
    """Keep a fact of who writes from an address; False when something newer is known.

    An empty `value` takes it away. Doing it again changes nothing. Raises NotRemembered for
    what may not be kept: sensitive matters, payment data, whoever has opted out.
    """
    who = await customer_at(store, conversation)
    if who is None:
        raise NotRemembered("nobody is known at that address")
    value = " ".join(clean(value).split())
    if value:
        talk = await store.get(Conversation, conversation)
        if talk is not None and talk.opted_out == ALL:
            raise NotRemembered("the customer has opted out")
        reason = why_not(f"{about}: {value}", escalation, never)
        if reason:
            raise NotRemembered(reason)
    most = LONGEST_SUMMARY if kind == SUMMARY else LONGEST
    if len(value) > most:
        raise NotRemembered(f"it has {len(value)} characters, {most} are allowed")
    fields = {
        "value": value,
        "about": clean(about),
        "source": source,
        "by": by,
        "at": at,
        "until": at + timedelta(days=days),
    }
    fact = Fact(
        id=fact_id(who.id, kind, key),
        customer=who.id,
        conversation=conversation,
        kind=kind,
        key=key,
        **fields,
    )
    (new,) = await store.insert_new([fact])
    if not new:
        older = {"id": fact.id, "at": {"$lt": at}}
        if await store.change(Fact, older, set=fields) is None:
            return False
    now_there = await customer_at(store, conversation)
    if now_there is None or now_there.created != who.created:
        # He was forgotten meanwhile: this would be all that is left of him.
        await store.delete(Fact, {"id": fact.id, "at": at})
        return False
    await _bound(store, who.id)
    return True


async def _bound(store: AsyncStore, customer: ObjectId) -> None:
    """Let go of what is too much, the oldest first, and of what has run out."""
    rows = await store.find(Fact, {"customer": customer}, sort=("-at",))
    now = utcnow()
    orders = [row for row in rows if row.kind == ORDER and row.until > now][_ORDERS:]
    gone = [row for row in rows if row.until <= now or row in orders]
    gone += [row for row in rows if row not in gone][MOST:]
    for row in gone:
        await store.delete(Fact, {"id": row.id, "at": row.at})


async def recall(store: AsyncStore, found: Person, *, here: str = "") -> Memory:
    """Return what is known of a person, over all addresses; `here` is where he writes now.

    Nothing is known of who has opted out of everything everywhere. While it is in doubt whether
    he is still who he was (`bot.identity.doubting`), he is told nothing of what was known
    before, and the others nothing of what has come since; without `here`, for people at the desk,
    all is told, and the doubt. Raises StoreDown.
    """
    members = {m.id: m for m in found.members}
    sees = _Sight.of(found, here)
    rows = await store.find(Fact, {"customer": {"$in": list(members)}}, sort=("-at",))
    addresses = [str(m.address) for m in found.members if not m.left_for]
    talks = await store.find(Conversation, {"id": {"$in": addresses}})
    if talks and all(talk.opted_out == ALL for talk in talks):
        return Memory()
    now = utcnow()
    seen: set[tuple[str, str]] = set()
    known: list[Known] = []
    for row in rows:
        if not sees.may(members[row.customer], row.at):
            continue
        # The newest of several addresses counts, also where it takes something away. What
        # conversations were about does not contradict: each has its own summary.
        name = (str(row.kind), str(row.key))
        if name in seen:
            continue
        seen.add(name)
        if row.value and row.until > now:
            known.append(_known(row))
    cases = await store.find(
        Case, {"conversation": {"$in": addresses}, "at": {"$lte": now}}, sort=("-at",), limit=50
    )
    at = {str(m.address): m for m in found.members if not m.left_for}
    cases = [one for one in cases if sees.may(at[str(one.conversation)], one.at)]
    matters = [case for case in cases if case.status == OPEN and not case.part_of][:_MATTERS]
    known += [_matter(case) for case in matters]
    known.sort(key=lambda one: one.at, reverse=True)
    lasts = [t.last_in for t in talks if t.last_in and sees.may(at[str(t.id)], t.last_in)]
    told = () if here else tuple(_doubt(m) for m in found.members if m.doubt)[:1]
    return Memory((*told, *known[:MOST]), max(lasts, default=None))


@dataclass(frozen=True, slots=True)
class _Sight:
    """What who writes from an address may be told. `since` is when the doubt about him began."""

    all: bool = False
    since: datetime | None = None

    @classmethod
    def of(cls, found: Person, here: str) -> _Sight:
        mine = [m for m in found.members if m.address == here and not m.left_for]
        return cls(not here, mine[0].doubt if mine else None)

    def may(self, member: Customer, at: datetime) -> bool:
        """Tell whether he may hear of what was said by a member at a time."""
        if self.all:
            return True
        if self.since is not None:
            return member.doubt is not None and at >= self.since
        return member.doubt is None or at < member.doubt


def _doubt(member: Customer) -> Known:
    about, why = "May be somebody else by now", str(member.doubt_why)
    return Known(
        FACT,
        DOUBT,
        about,
        why,
        "",
        RULE,
        member.doubt,
        Address.parse(str(member.address)).channel,
    )


def _known(row: Fact) -> Known:
    return Known(
        str(row.kind),
        str(row.key),
        str(row.about or row.key),
        str(row.value),
        str(row.source or ""),
        str(row.by),
        row.at,
        Address.parse(str(row.conversation)).channel,
    )


def _matter(case: Case) -> Known:
    said = " ".join(str(case.summary or case.why or case.topic).split())[:LONGEST]
    channel = Address.parse(str(case.conversation)).channel
    about = "Open matter"
    return Known(MATTER, str(case.id), about, said, str(case.id), "rule", case.at, channel)


async def unset(
    store: AsyncStore, found: Person, keys: Sequence[str], *, by: str, source: str
) -> list[str]:
    """Take facts away, by their keys; return those that were known.

    They stay away until something newer is said: a turn that is derived again does not
    bring them back. With no `keys` all are taken.
    """
    members = [m.id for m in found.members]
    rows = await store.find(Fact, {"customer": {"$in": members}})
    now = utcnow()
    taken = []
    doubts = [member for member in found.members if member.doubt]
    if by == AGENT and DOUBT in keys and doubts:
        # Who knows that it is him has said so.
        await believe(store, doubts)
        taken.append(DOUBT)
    for row in rows:
        if row.value and (not keys or row.key in keys):
            empty = {"value": "", "at": now, "by": by, "source": source, "about": ""}
            await store.change(Fact, {"id": row.id, "at": row.at}, set=empty)
            taken.append(str(row.key))
    return list(dict.fromkeys(taken))
