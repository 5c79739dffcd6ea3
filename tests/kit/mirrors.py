"""Slack's mirror for tests: any number of them on one store, and what is in the store."""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.desk.routing import Route
from bot.desk.slack.client import SlackClient
from bot.desk.slack.mirror import Mirror
from bot.media.folder import FolderVault
from bot.media.vault import AsyncVault
from bot.message import Content, Inbound, Text, encode, utcnow
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import WAITING, Conversation
from bot.store.messages import DELIVERED, READ, SENT, Message, arrival, to_message
from bot.store.slack import SlackPost
from tests.kit.at_desk import PEOPLE, routing
from tests.kit.build import address
from tests.kit.channel import CAN
from tests.kit.processes import QUICK
from tests.kit.slack import Posted, Slack
from tests.kit.waiting import until

KEY = address().key
REPORTS = replace(CAN, receipts=frozenset({SENT, DELIVERED, READ}))
LIMITS = replace(QUICK, lease_seconds=0.5)
ROUTING = replace(routing(), routes=(Route("all"),), rate=False)


class Runs:
    """Mirrors that run, each as a process of its own, until they are killed."""

    def __init__(self, store: AsyncStore, server: Slack, tmp: Path, dead: set[str]) -> None:
        self.store, self.server, self.dead = store, server, dead
        self.vault = AsyncVault(FolderVault(tmp / "media"))
        self._all: list[tuple[Mirror, SlackClient, asyncio.Task[None]]] = []

    def start(self, name: str = "one", *, through: Any = None, **options: Any) -> Mirror:
        account = self.server.account()
        client = SlackClient(account, timeout=options.pop("timeout", 0.3))
        given = {
            "pace": 0.0,
            "vault": self.vault,
            "can": {"line": REPORTS},
            "routing": ROUTING,
            **options,
        }
        routes = given.pop("routing")
        mirror = Mirror(
            through or self.store, {"desk": client}, [account], routes, PEOPLE, LIMITS, **given
        )
        process_name.set(name)
        self._all.append((mirror, client, asyncio.create_task(mirror.run(), name=name)))
        return mirror

    async def kill(self, mirror: Mirror, name: str) -> None:
        """End a process without a word; the others find out that it is dead."""
        self.dead.add(name)
        for at, (one, client, task) in enumerate(self._all):
            if one is mirror:
                tasks = [task, *mirror._serving.values()]
                for each in tasks:
                    each.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await client.close()
                del self._all[at]
                return

    async def close(self) -> None:
        for mirror, client, task in self._all:
            mirror._stopping = True
            tasks = [task, *mirror._serving.values()]
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await client.close()


process_name: contextvars.ContextVar[str] = contextvars.ContextVar("process", default="test")


# What is in the store.


async def says(
    store: AsyncStore, content: str | Content, n: int, user: str = "ann", **more: Any
) -> Message:
    said = Text(content) if isinstance(content, str) else content
    row = to_message(Inbound(address(user), f"{user}-{n}", said, utcnow(), **more))
    row.profile = {"name": "Amara"}
    await store.insert(row)
    return row


async def answers(
    store: AsyncStore, text: str, n: int | str, agent: str = "", status: str = SENT, id: str = ""
) -> Message:
    now = utcnow()
    row = Message(
        id=id or f"{KEY}-out:{n}",
        direction="out",
        conversation=KEY,
        channel="line",
        account="shop",
        provider_id=f"out-{n}",
        status=status,
        content=encode(Text(text)),
        arrived=arrival(),
        sent=now,
        due=now,
        agent=agent,
    )
    await store.insert(row)
    return row


async def a_case(
    store: AsyncStore, n: int = 1, user: str = "ann", wish: str = "my mug broke", **more: Any
) -> Case:
    """A customer who asked for a person, and waits."""
    row = await says(store, wish, n, user)
    now = utcnow()
    await store.insert_new(
        [Conversation(id=row.conversation, holder=WAITING, lease_until=now, created=now)]
    )
    values = {"topic": "human", "summary": wish, "why": "asked for a person", "at": now}
    case = Case(id=row.id, conversation=row.conversation, **{**values, **more})
    await store.insert(case)
    return case


async def root(server: Slack, channel: str = "C1") -> Posted:
    return (await until(lambda: server.roots(channel)))[-1]


def texts(server: Slack, channel: str = "C1") -> list[str]:
    """What the last thread shows, without what is around the words."""
    roots = server.roots(channel)
    return [m.text for m in server.thread(roots[-1], channel)] if roots else []


async def shows(server: Slack, *parts: str) -> None:
    """Wait until the last thread shows just these posts, in this order."""

    def true() -> bool:
        found = texts(server)
        return len(found) == len(parts) and all(p in t for p, t in zip(parts, found, strict=True))

    try:
        await until(true)
    except AssertionError:
        raise AssertionError(f"{texts(server)} instead of {parts}") from None


async def quiet(store: AsyncStore, mirror: Mirror) -> None:
    """Wait until there is nothing left to do."""

    async def true() -> bool:
        if mirror._serving or mirror._wanting:
            return False
        posts = await store.find(SlackPost, {"status": {"$in": ("queued", "sending", "unknown")}})
        return not posts

    await until(true)


class Skip:
    """Breaks the requests of these numbers, from 1, to post a message."""

    def __init__(self, server: Slack) -> None:
        self.plan: dict[int, Any] = {}
        self._server, self._count = server, 0
        server.before = self._before

    async def _before(self, method: str, args: dict[str, Any]) -> None:
        if method == "chat.postMessage":
            self._count += 1
            if self._count in self.plan:
                self._server.faults.append((method, self.plan.pop(self._count)))
