"""Finds out what the card of a case is to show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from bot.desk.clock import clock
from bot.desk.contract import Person
from bot.desk.openings import opening_of
from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.slack.blocks import Card
from bot.desk.timeline import words
from bot.desk.tool_lines import tool_lines
from bot.identity import NoSuchCustomer, person
from bot.identity import Person as Customer
from bot.memory.contract import KINDS, MATTER
from bot.memory.keeping import recall
from bot.message import Address
from bot.perception.contract import PRIORITIES, Perception
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.journal import Entry
from bot.store.messages import DROPPED, FAILED, Message
from bot.store.turns import Turn

_TURNS = 3
_MESSAGES = 60
_EARLIER = 50
_DID = 3
_TOOLS = 2
_SHORT = 160
_ORDERS = 4
# What the bot said in the turn that made the case comes a moment after it.
_SAME_TURN = 5_000_000
_CHANNELS = {
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "messenger": "Messenger",
    "sms": "SMS",
    "webchat": "web chat",
}
# 4 to 6 digits, as the confirmation mail has them, where the customer calls them an order.
_ORDER = re.compile(r"(?:\border\b\D{0,20}|#)(\d{4,6})(?!\d)", re.IGNORECASE)
#: Keys of `Case.details` that are shown as the order, not as a fact of its own.
_ORDER_KEYS = ("order", "order_number", "orders")
_FACTS = 3


async def card_of(
    store: AsyncStore, case: Case, people: People, routing: Routing, open_cases: Sequence[Case]
) -> Card:
    """Return the card of a case; `open_cases` are those of its conversation."""
    key = str(case.conversation)
    address = Address.parse(key)
    held = await store.get(Conversation, key)
    turns = await store.find(Turn, {"conversation": key}, sort=("-seq",), limit=_TURNS)
    rows = await store.find(Message, {"conversation": key}, sort=("-arrived",), limit=_MESSAGES)
    seen = next((Perception.decode(t.perception) for t in turns if t.perception), None)
    others = [row for row in open_cases if row.id != case.id]
    earlier = await _earlier(store, case, held)
    priority = highest([case, *others]) if case.status == OPEN else str(case.priority)
    holder = held.agent if held is not None and held.holder == AGENT else ""
    return Card(
        conversation=key,
        who=await name_of(store, held, rows),
        channel=_CHANNELS.get(address.channel, address.channel),
        account=address.account,
        language=_language(str(case.language or (held.language if held else "") or "")),
        wish=str(case.summary or ""),
        mood=mood_in_words(seen),
        why=str(case.why or ""),
        topic=str(case.topic),
        priority=priority,
        did=tuple([*await tool_lines(store, case, _TOOLS), *_did(case, rows)][:_DID]),
        orders=_orders(case, rows, turns),
        facts=_facts(case),
        previous=len(earlier),
        last=str(earlier[0].resolution or "") if earlier else "",
        holder=await who(store, people, holder),
        assignee=await who(store, people, str(case.agent or "")),
        waiting=held is not None and held.holder == WAITING,
        status=str(case.status),
        deadline=await _deadline(store, case, held, rows, routing),
        also=tuple(f"{c.topic}, {c.priority}: {c.summary or c.why or ''}" for c in others),
        resolution=str(case.resolution or ""),
        closed_by=await _closed_by(store, people, case),
        rating=int(case.rating or 0),
        memory=await _memory(store, held),
    )


async def who(store: AsyncStore, people: People, id: str) -> Person | None:
    """Return the agent with an id under the last name that is known; None for ""."""
    if not id:
        return None
    known = people.by_id(id)
    if known.name != id:
        return known
    last = await store.find(Entry, {"agent": id}, sort=("-at",), limit=1)
    name = str(last[0].name or "") if last else ""
    return people.by_id(id, name or ("A colleague" if known.slack else id))


async def name_of(
    store: AsyncStore, held: Conversation | None, rows: Sequence[Message] = ()
) -> str:
    """Return the customer's name; `rows` are messages, the newest first. "" if not known."""
    known = await _person(store, held)
    if known is not None and known.name:
        return known.name
    profiles = [held.profile if held is not None else None]
    profiles += [row.profile for row in rows if row.direction == "in"]
    return next((str(p["name"]) for p in profiles if p and p.get("name")), "")


async def _person(store: AsyncStore, held: Conversation | None) -> Customer | None:
    if held is None or not held.customer:
        return None
    try:
        return await person(store, ObjectId(held.customer))
    except (NoSuchCustomer, InvalidId):
        return None


async def _memory(store: AsyncStore, held: Conversation | None) -> tuple[str, ...]:
    """Return what is known of the customer; open cases stand on the card anyway."""
    known = await _person(store, held)
    if known is None:
        return ()
    found = await recall(store, known)
    return tuple(one.line for kind in KINDS if kind != MATTER for one in found.of(kind))


def highest(cases: Sequence[Case]) -> str:
    """Return the highest priority of several cases."""
    known = [str(c.priority) for c in cases if c.priority in PRIORITIES]
    return max(known, key=PRIORITIES.index, default="normal")


def mood_in_words(seen: Perception | None) -> str:
    """Return how the customer feels, in words; "" when nobody has looked."""
    if seen is None:
        return ""
    if seen.frustrated:
        word = "frustrated"
    else:
        steps = ((-0.5, "angry"), (-0.15, "unhappy"), (0.25, "neutral"), (2.0, "friendly"))
        word = next(word for most, word in steps if seen.mood < most)
    return f"{word}, in a hurry" if seen.urgency >= 0.5 else word


def _did(case: Case, rows: Sequence[Message]) -> tuple[str, ...]:
    """Return the bot's last answers up to the case, the oldest first."""
    end = int(case.at.timestamp() * 1_000_000) + _SAME_TURN
    said = [
        row
        for row in rows
        if row.direction == "out" and not row.agent and row.arrived <= end and row.status != DROPPED
    ]
    lines = []
    for row in reversed(said[:_DID]):
        text = " ".join(words(dict(row.content)).split())
        short = text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
        lines.append(f"said: {short}" + (" (not delivered)" if row.status == FAILED else ""))
    return tuple(lines)


def _orders(case: Case, rows: Sequence[Message], turns: Sequence[Turn]) -> tuple[str, ...]:
    details = case.details or {}
    found = [str(details[name]) for name in _ORDER_KEYS if details.get(name)]
    slots: dict[str, Any] = ((turns[0].state or {}).get("slots") or {}) if turns else {}
    if slots.get("order_number"):
        found.append(str(slots["order_number"]))
    for row in rows:
        if row.direction == "in":
            found += _ORDER.findall(words(dict(row.content)))
    return tuple(dict.fromkeys(found))[:_ORDERS]


def _facts(case: Case) -> tuple[tuple[str, str], ...]:
    plain = [
        (name.replace("_", " ").capitalize(), str(value))
        for name, value in (case.details or {}).items()
        if name not in _ORDER_KEYS and isinstance(value, (str, int, float)) and value != ""
    ]
    return tuple(plain[:_FACTS])


async def _earlier(store: AsyncStore, case: Case, held: Conversation | None) -> list[Case]:
    """Return the same person's resolved cases, the one resolved last first."""
    known = await _person(store, held)
    addresses = {str(case.conversation), *(known.addresses if known is not None else ())}
    rows = await store.find(
        Case,
        {"conversation": {"$in": sorted(addresses)}, "status": RESOLVED},
        sort=("-at",),
        limit=_EARLIER,
    )
    mine = [r for r in rows if r.id != case.id and not r.part_of and r.at <= case.at]
    return sorted(mine, key=lambda r: r.resolved or r.at, reverse=True)


async def _deadline(
    store: AsyncStore,
    case: Case,
    held: Conversation | None,
    rows: Sequence[Message],
    routing: Routing,
) -> datetime | None:
    """Return by when the customer is to be answered, None when no answer is owed."""
    if case.status != OPEN or held is None or held.holder == BOT:
        return None
    opening = await opening_of(store, case)
    found = clock(case, held, rows, opening=opening, routing=routing)
    return found.due if found is not None else None


async def _closed_by(store: AsyncStore, people: People, case: Case) -> str:
    """Return who closed it: a name of an agent, or the word that stands there."""
    by = str(case.closed_by or "")
    known = await who(store, people, by) if by else None
    return known.name if known is not None else ""


def _language(code: str) -> str:
    if not code:
        return ""
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(code, sep="-" if "-" in code else "_").get_display_name("en")
    except (UnknownLocaleError, ValueError):
        return code
    return str(name or code)
