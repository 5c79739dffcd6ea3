"""Finding a conversation: by its key or number, and by words of the latest ones.

What is searched is what the indexes lead to: the last messages of the whole shop, so that
the price does not grow with its past.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.desk.contract import Done
from bot.desk.means import Means
from bot.desk.timeline import words
from bot.message import Address, clean
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.customers import Customer
from bot.store.deeds import Deed
from bot.store.messages import DELIVERED, DONE, PENDING, READ, SENT, Message

#: Conversations in an answer.
MOST = 20
# Messages looked at, of each direction and status.
_LOOKED_AT = 400
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{5,20}")
_LAST = 200


@dataclass
class _Met:
    """A conversation as its latest messages show it."""

    at: datetime
    arrived: int
    last: str
    name: str = ""
    said: list[str] = field(default_factory=list)


async def find(means: Means, deed: Deed) -> Done:
    """Find conversations, the one with the newest message first; all recent ones without words."""
    wanted = clean(deed.text or "").casefold().split()
    met = await _recent(means.store)
    keys = [key for key, one in met.items() if _matches(key, one, wanted)]
    for key in await _named(means.store, (deed.text or "").strip()):
        if key not in keys:
            keys.append(key)
            met.setdefault(key, await _alone(means.store, key))
    keys.sort(key=lambda key: met[key].arrived, reverse=True)
    found = []
    for key in keys:
        held = await means.store.get(Conversation, key)
        if held is not None:
            found.append(await _shown(means, held, met[key]))
        if len(found) == MOST:
            break
    many = f"{len(found)} conversation{'' if len(found) == 1 else 's'}"
    return Done(True, f"{many} found.", data={"conversations": found})


async def _recent(store: AsyncStore) -> dict[str, _Met]:
    rows: list[Message] = []
    for direction, statuses in (("in", (PENDING, DONE)), ("out", (SENT, DELIVERED, READ))):
        for status in statuses:
            where = {"direction": direction, "status": status}
            rows += await store.find(Message, where, sort=("-due",), limit=_LOOKED_AT)
    met: dict[str, _Met] = {}
    for row in sorted(rows, key=lambda row: row.arrived, reverse=True):
        _see(met, row)
    return met


def _see(met: dict[str, _Met], row: Message) -> None:
    said = words(dict(row.content or {}))
    one = met.setdefault(row.conversation, _Met(row.sent, row.arrived, said))
    one.said.append(said)
    one.name = one.name or str((row.profile or {}).get("name") or "")


def _matches(key: str, one: _Met, wanted: list[str]) -> bool:
    within = "\n".join([key, one.name, *one.said]).casefold()
    return all(word in within for word in wanted)


async def _named(store: AsyncStore, text: str) -> list[str]:
    """Return the conversations of which `text` is the key, or the customer's number."""
    if text.count(":") >= 2:
        return [text]
    if not _PHONE.fullmatch(text):
        return []
    number = "+" + re.sub(r"\D", "", text)
    customers = await store.find(Customer, {"phone": number}, sort=("created",), limit=MOST)
    return [customer.address for customer in customers]


async def _alone(store: AsyncStore, key: str) -> _Met:
    met: dict[str, _Met] = {}
    where = {"conversation": key}
    for row in await store.find(Message, where, sort=("-arrived",), limit=MOST):
        _see(met, row)
    return met.get(key) or _Met(datetime.fromtimestamp(0).astimezone(), 0, "")


async def _shown(means: Means, held: Conversation, one: _Met) -> dict[str, Any]:
    return {
        "id": held.id,
        "name": str((held.profile or {}).get("name") or "") or one.name,
        "channel": Address.parse(held.id).channel,
        "holder": str(held.holder),
        "agent": await means.name(held.agent) if held.agent else "",
        "last": one.last[:_LAST],
        "at": one.at.isoformat() if one.arrived else "",
    }
