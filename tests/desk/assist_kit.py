"""A conversation as it stands in the store, and what is asked of the assist about it."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from bot.message import Address, Content, Inbound, Profile, Text, utcnow
from bot.store import AsyncStore
from bot.store.cases import RESOLVED, Case
from bot.store.conversations import Conversation
from bot.store.deeds import Deed
from bot.store.messages import DELIVERED, DONE, arrival, queued, to_message
from bot.store.turns import Turn

_numbers = itertools.count(1)


class Talk:
    """A customer's conversation, `ago` in the past."""

    def __init__(
        self,
        store: AsyncStore,
        user: str = "mei",
        *,
        name: str = "Mei Tanaka",
        channel: str = "telegram",
        ago: timedelta = timedelta(0),
    ) -> None:
        self.store = store
        self.address = Address(channel, "shop", user)
        self.key = self.address.key
        self.name = name
        self.ago = ago

    async def begin(self, language: str = "en") -> Talk:
        now = utcnow()
        row = Conversation(id=self.key, lease_until=now, created=now, language=language)
        await self.store.insert(row)
        return self

    async def customer(self, said: str | Content, intent: str = "") -> str:
        """What the customer wrote; with an `intent` the bot took a turn of it. Its provider id."""
        n = next(_numbers)
        content = Text(said) if isinstance(said, str) else said
        row = to_message(Inbound(self.address, f"p{n}", content, profile=Profile(name=self.name)))
        row.status = DONE
        row.arrived = self._at()
        await self.store.insert(row)
        if intent:
            turn = Turn(id=row.id, conversation=self.key, seq=n, at=utcnow())
            turn.parse = {"intent": intent}
            await self.store.insert(turn)
        return f"p{n}"

    async def bot(self, text: str, agent: str = "") -> None:
        row = queued(f"{self.key}:{next(_numbers)}", self.key, Text(text), order=0, agent=agent)
        row.status = DELIVERED
        row.arrived = self._at()
        await self.store.insert(row)

    async def agent(self, text: str) -> None:
        await self.bot(text, "Anna Keller")

    async def case(self, summary: str, topic: str = "human", **fields: Any) -> Case:
        """A case of it, opened when it began."""
        at = fields.pop("at", utcnow() - self.ago - timedelta(seconds=30))
        case = Case(
            id=f"{self.key}:c{next(_numbers)}",
            conversation=self.key,
            topic=topic,
            summary=summary,
            at=at,
            **fields,
        )
        await self.store.insert(case)
        return case

    async def resolved(
        self, summary: str, resolution: str, topic: str = "human", **more: Any
    ) -> Case:
        when = utcnow() - self.ago + timedelta(seconds=30)
        fields = {"status": RESOLVED, "resolution": resolution, "agent": "anna", **more}
        return await self.case(summary, topic, resolved=when, **fields)

    def deed(self, kind: str, **fields: Any) -> Deed:
        """What Anna wants done."""
        id = fields.pop("id", f"console:{next(_numbers)}")
        now: datetime = utcnow()
        values = {"agent": "anna", "name": "Anna Keller", "via": "console", **fields}
        return Deed(
            id=id, kind=kind, conversation=self.key, at=now, arrived=arrival(), due=now, **values
        )

    def _at(self) -> int:
        return arrival() - int(self.ago.total_seconds() * 1_000_000)
