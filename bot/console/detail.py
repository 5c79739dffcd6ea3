"""One conversation as plain values: its lines, the customer, the cases, what may be done."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.console.lists import LAST, iso, name_of, standing
from bot.console.names import Names
from bot.desk.routing import Routing
from bot.desk.timeline import Line, timeline
from bot.desk.tool_lines import tool_lines
from bot.identity.people import gather
from bot.media.links import link
from bot.media.seal import Seal
from bot.memory.contract import KINDS, MATTER
from bot.memory.keeping import customer_at, recall
from bot.message import Address, Media, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, Case
from bot.store.conversations import Conversation
from bot.store.customers import Customer
from bot.store.files import KEPT, StoredFile
from bot.store.journal import Entry
from bot.store.memory import Fact
from bot.store.messages import Message
from bot.store.reviews import SHOWN, Review
from bot.store.turns import Turn
from bot.window import opens
from connectors import connector_class

_CASES = 20
_ADDRESSES = 20
# A link is good for one to two of these, in seconds: so that it is the same at most looks,
# and browsers need not load a picture again.
_LINK_SECONDS = 3600
_MARKED = 30
# What the bot did with its tools for a case, in lines.
_DID = 3


class Details:
    """Reads conversations. `base` is where the gateway is reached, for the links of our own."""

    def __init__(
        self,
        store: AsyncStore,
        names: Names,
        routing: Routing,
        seal: Seal,
        base: str,
    ) -> None:
        self._store = store
        self._names = names
        self._routing = routing
        self._seal = seal
        self._base = base.rstrip("/")

    async def read(self, id: str, after: int = 0) -> dict[str, Any] | None:
        """Return a conversation, its lines after `after` (see `timeline`); None without one."""
        held = await self._store.get(Conversation, id)
        if held is None:
            return None
        lines = await timeline(self._store, id, after=after)
        last = await self._store.find(Message, {"conversation": id}, sort=("-arrived",), limit=LAST)
        person = await self._customer(held)
        where = {"conversation": {"$in": person["addresses"]}}
        cases = await self._store.find(Case, where, sort=("-at",), limit=_CASES)
        mine = [case for case in cases if case.conversation == id]
        opened = [c for c in reversed(mine) if c.status == OPEN]
        case = next((c for c in opened if not c.part_of), opened[0] if opened else None)
        since, due = await standing(self._store, held, case, last, self._routing)
        drafts = await self._store.find(Review, {"conversation": id}, sort=("-at",), limit=1)
        address = Address.parse(id)
        return {
            "id": id,
            "name": person["name"] or name_of(held, last),
            "channel": address.channel,
            "account": address.account,
            "holder": held.holder,
            "agent": held.agent or "",
            "agent_name": await self._names.of(held.agent or ""),
            "epoch": held.epoch,
            "opted_out": held.opted_out or "",
            "since": iso(since),
            "due": iso(due),
            "window": self._window(held, last),
            "memory": await self._memory(id),
            "customer": {**person, "address": address.user, "met": iso(held.created)},
            "seen": await self._seen(held),
            "case": await self._case(case) if case else None,
            "parts": [await self._case(c) for c in opened if c is not case],
            "before": [await self._case(c) for c in cases if c.status != OPEN],
            "draft": _draft(drafts[0]) if drafts and drafts[0].outcome == SHOWN else None,
            "lines": [await self._line(line, id) for line in lines],
        }

    async def mark(self, id: str) -> tuple[Any, ...]:
        """Return what differs whenever a conversation looks different."""
        store, where = self._store, {"conversation": id}
        held = await store.get(Conversation, id)
        rows = await store.find(Message, where, sort=("-arrived",), limit=_MARKED)
        entries = await store.find(Entry, where, sort=("-arrived",), limit=1)
        cases = await store.find(Case, where, sort=("-at",), limit=3)
        drafts = await store.find(Review, where, sort=("-at",), limit=1)
        files = await store.find(StoredFile, where, sort=("-at",), limit=5)
        facts = await store.find(Fact, where, sort=("-at",), limit=1)
        return (
            (held.holder, held.agent, held.epoch, held.opted_out, held.language) if held else None,
            tuple((row.id, row.status) for row in rows),
            tuple(entry.id for entry in entries),
            tuple((c.id, c.status, c.priority, c.agent, c.rating) for c in cases),
            tuple((d.id, d.outcome) for d in drafts),
            tuple((f.id, f.status) for f in files),
            tuple((str(f.id), f.at) for f in facts),
        )

    async def _customer(self, held: Conversation) -> dict[str, Any]:
        """Return who it is, on all channels that are known to be the same person's."""
        where = {"customer": held.customer}
        own = (
            [held]
            if not held.customer
            else await self._store.find(Conversation, where, sort=("-last_in",), limit=_ADDRESSES)
        )
        addresses = list(dict.fromkeys([held.id, *(row.id for row in own)]))
        known = await self._store.find(Customer, {"address": {"$in": addresses}})
        here = [row for row in known if not row.left_for]
        here.sort(key=lambda row: (row.address != held.id, row.created))
        return {
            "name": next((str(row.name) for row in here if row.name), ""),
            "language": next((str(row.language) for row in here if row.language), ""),
            "phones": list(dict.fromkeys(str(row.phone) for row in here if row.phone)),
            "addresses": addresses,
        }

    async def _memory(self, id: str) -> list[dict[str, Any]]:
        """Return what is known of the customer, over all addresses."""
        member = await customer_at(self._store, id)
        if member is None:
            return []
        found = await recall(self._store, await gather(self._store, member))
        return [one.plain() for kind in KINDS if kind != MATTER for one in found.of(kind)]

    async def _seen(self, held: Conversation) -> dict[str, Any]:
        turns = await self._store.find(Turn, {"conversation": held.id}, sort=("-seq",), limit=1)
        seen: Mapping[str, Any] = (turns[0].perception or {}) if turns else {}
        return {
            "language": str(held.language or seen.get("language") or ""),
            "mood": seen.get("mood"),
            "urgency": seen.get("urgency"),
            "frustrated": bool(seen.get("frustrated")),
        }

    def _window(self, held: Conversation, last: list[Message]) -> dict[str, Any]:
        try:
            hours = connector_class(Address.parse(held.id).channel).capabilities.window_hours
        except KeyError:
            hours = None
        if hours is None:
            return {"open": True, "closes": ""}
        times = [row.sent for row in last if row.direction == "in" and opens(row)]
        # The conversation may know less than the messages, see `bot.window`.
        newest = max((t for t in (*times, held.last_in) if t is not None), default=None)
        closes = newest + timedelta(hours=hours) if newest is not None else None
        return {"open": closes is not None and closes > utcnow(), "closes": iso(closes)}

    async def _case(self, case: Case) -> dict[str, Any]:
        return {
            "id": case.id,
            "conversation": case.conversation,
            "status": case.status,
            "topic": case.topic,
            "priority": case.priority,
            "why": case.why or "",
            "did": list(await tool_lines(self._store, case, _DID)),
            "summary": case.summary or "",
            "agent": case.agent or "",
            "agent_name": await self._names.of(case.agent or ""),
            "resolution": case.resolution or "",
            "at": iso(case.at),
            "resolved": iso(case.resolved),
            "opened": int(case.opened or 1),
            "rating": int(case.rating or 0),
        }

    async def _line(self, line: Line, conversation: str) -> dict[str, Any]:
        return {
            "id": line.id,
            "at": iso(line.at),
            "arrived": line.arrived,
            "who": line.who,
            "name": line.name,
            "kind": line.kind,
            "text": line.text,
            "translated": line.translated,
            "status": line.status,
            "reason": line.reason,
            "of": line.of,
            "provider": line.provider_id,
            "agent": line.agent,
            "via": line.via,
            "about": str(line.content.get("name") or "") if line.who == "desk" else "",
            "deed": _deed_of(line, conversation),
            "files": [self._file(file) for file in await self._files(line)] or self._own(line),
            "options": _options(line.content) if line.who != "desk" else [],
        }

    async def _files(self, line: Line) -> Sequence[StoredFile]:
        if line.who == "agent" and line.content.get("kind") == Media.kind:
            # The link that the provider got may have expired; the file is kept here.
            return await self._store.find(StoredFile, {"message": line.id})
        return line.files

    def _file(self, file: StoredFile) -> dict[str, Any]:
        url = ""
        if file.status == KEPT:
            now = time.time()
            end = (math.ceil(now / _LINK_SECONDS) + 1) * _LINK_SECONDS
            url = link(self._seal, "", file, end + 0.5 - now)
        return {
            "url": url,
            "type": file.type,
            "mime": file.mime or "",
            "name": file.filename or "",
            "size": int(file.size or 0),
            "status": file.status,
            "reason": file.reason or "",
        }

    def _own(self, line: Line) -> list[dict[str, Any]]:
        """Return the file of a message to the customer; from here it is shown, others linked."""
        content = line.content
        if line.who not in ("bot", "agent") or content.get("kind") != Media.kind:
            return []
        url = str(content.get("url") or "")
        if self._base and url.startswith(f"{self._base}/"):
            url = url[len(self._base) :]
        return [
            {
                "url": url,
                "type": str(content.get("type") or ""),
                "mime": str(content.get("mime") or ""),
                "name": str(content.get("filename") or ""),
                "size": int(content.get("size") or 0),
                "status": KEPT,
                "reason": "",
            }
        ]


def _options(content: Mapping[str, Any]) -> list[str]:
    """Return the titles of a message's buttons and rows."""
    parts = [content, *(content.get("sections") or ()), *(content.get("cards") or ())]
    found = [option for part in parts for option in (part.get("options") or ())]
    return [str(option.get("title") or "") for option in found]


def _draft(review: Review) -> dict[str, Any]:
    return {
        "review": review.id,
        "question": review.question or "",
        "text": review.draft or "",
        "sources": list(review.sources or ()),
        "how": review.how or "",
        "agent": review.agent,
        "at": iso(review.at),
    }


def _deed_of(line: Line, conversation: str) -> str:
    """Return the deed that said a line in the console, by which it can be changed; "" for none."""
    said, noted = f"{conversation}:agent:console:", "note:console:"
    if line.who == "agent" and line.id.startswith(said):
        return line.id[len(said) - len("console:") :].rpartition(":")[0]
    return line.id[len("note:") :] if line.id.startswith(noted) else ""
