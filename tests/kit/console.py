"""The console as it is served: gateway's routes, store, desk and clerk, in one loop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.console import Console
from bot.desk.assist.canned import load_canned
from bot.desk.assist.opening import open_assist
from bot.desk.clerk import Clerk
from bot.desk.clock import micro
from bot.desk.console_files import ConsoleFiles
from bot.desk.desk import Desk
from bot.desk.people import People
from bot.desk.routing_file import load_routing
from bot.desk.templates_file import load_templates
from bot.media.seal import Seal
from bot.media.shelf import Shelf
from bot.media.vault import AsyncVault, open_vault
from bot.message import Content, Text, encode, utcnow
from bot.settings import ConsoleAccount, Media, Settings
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import WAITING, Conversation
from bot.store.customers import Customer, customer_id
from bot.store.messages import SENT, Message, arrival, queued
from connectors import connector_class
from tests.kit.settings import settings_in

PASSWORD = "correct horse battery"
ACCOUNTS = (
    ConsoleAccount("anna", PASSWORD, "Anna Keller", "U0ANNA"),
    ConsoleAccount("ben", "staple of another one", "Ben Okafor"),
)
KEY = "whatsapp:shop:447700900123"


def settings_of(folder: Path, **given: Any) -> Settings:
    """Settings with two agents."""
    return settings_in(folder, console=ACCOUNTS, media=Media(dir=str(folder / "media")), **given)


@dataclass
class Served:
    """A console that runs. `url` is the gateway's."""

    url: str
    store: AsyncStore
    console: Console
    seal: Seal
    settings: Settings
    clerk: Clerk | None
    rung: list[str] = field(default_factory=list)


@asynccontextmanager
async def serving(
    store: AsyncStore, settings: Settings, *, clerk: bool = True, root: Path = Path()
) -> AsyncIterator[Served]:
    """Serve the console; without a `clerk` no deed is ever done. `root` is the designers'."""
    seal = Seal.of(settings)
    people = People(settings.console)
    routing = load_routing()
    vault = AsyncVault(open_vault(settings))
    files = ConsoleFiles(vault, seal, settings.media.max_bytes)
    rung: list[str] = []
    at_work: Clerk | None = None

    def ring(topic: str) -> None:
        rung.append(topic)
        if at_work is not None:
            at_work.wake.set()

    templates = load_templates()
    console = Console(
        store,
        settings,
        people,
        routing,
        ring,
        seal,
        files=files,
        canned=load_canned(),
        templates=templates,
        root=root,
    )
    app = web.Application(client_max_size=settings.server.body_limit)
    app.add_routes(console.routes())
    shelf = Shelf(store, vault, seal, settings.media.max_bytes)
    app.add_routes([web.get("/media/{handle}", shelf.get)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    tasks: set[asyncio.Task[None]] = set()
    if clerk:
        desk = Desk(
            store,
            routing=routing,
            people=people,
            capabilities=lambda channel: connector_class(channel).capabilities,
            helps=open_assist(settings, store, people=people),
            fetches={"console": files},
            seal=seal,
            vault=vault,
            public_url=url,
            templates=templates,
        )

        def told() -> None:
            task = asyncio.ensure_future(console.changed())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        at_work = Clerk(store, desk, settings.limits, told)
        tasks.add(asyncio.create_task(at_work.run()))
    try:
        yield Served(url, store, console, seal, settings, at_work, rung)
    finally:
        if at_work is not None:
            await at_work.stop()
        await asyncio.gather(*tasks)
        await console.close()
        await runner.cleanup()


class Browser:
    """What the page does, without a page."""

    def __init__(self, session: aiohttp.ClientSession, served: Served) -> None:
        self.session = session
        self.url = served.url
        self.headers = {"Origin": served.url}

    async def post(self, path: str, value: Any, **headers: str) -> tuple[int, Any]:
        """Post JSON and return the status and the answer."""
        async with self.session.post(
            f"{self.url}/console{path}", json=value, headers={**self.headers, **headers}
        ) as answer:
            return answer.status, await answer.json()

    async def get(self, name: str, **query: str) -> tuple[int, Any]:
        """Get of the API and return the status and the answer."""
        async with self.session.get(f"{self.url}/console/api/{name}", params=query) as answer:
            return answer.status, await answer.json()

    async def login(self, account: str = "anna", password: str = PASSWORD) -> int:
        """Log in and return the status."""
        status, _ = await self.post("/login", {"account": account, "password": password})
        return status

    async def deed(self, kind: str, conversation: str = KEY, **what: Any) -> dict[str, Any]:
        """Have a deed done and return its result."""
        asked = {"id": str(uuid.uuid4()), "kind": kind, "conversation": conversation, **what}
        status, told = await self.post("/api/deed", asked)
        assert status == 200, told
        result: dict[str, Any] = told["result"]
        return result


@asynccontextmanager
async def browsing(
    served: Served, account: str = "", password: str = PASSWORD
) -> AsyncIterator[Browser]:
    """A browser of its own, logged in when there is an `account`."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        browser = Browser(session, served)
        if account:
            assert await browser.login(account, password) == 200
        yield browser


async def waits(
    store: AsyncStore,
    key: str = KEY,
    *,
    name: str = "Amara Osei",
    said: tuple[str, ...] = ("The kettle leaks, I want a person.",),
    minutes: int = 5,
    **case: Any,
) -> Case:
    """A customer who waits for a person, and what was said until then."""
    at = utcnow() - timedelta(minutes=minutes)
    person = Customer(
        id=customer_id(key), address=key, name=name, language="en", created=at, generation=0
    )
    held = Conversation(
        id=key,
        holder=WAITING,
        lease_until=at,
        created=at,
        last_in=at,
        customer=str(person.id),
        profile={"name": name},
    )
    rows = [heard(text, key, n, at=at, name=name) for n, text in enumerate(said)]
    fields = {"topic": "human", "priority": "normal", "why": "asked for a person", **case}
    made = Case(id=rows[0].id, conversation=key, summary=said[0][:200], at=at, **fields)
    await store.insert_new([person])
    await store.insert_new([held])
    await store.insert_new(rows)
    await store.insert_new([made])
    return made


def heard(
    said: str | Content, key: str = KEY, n: int = 0, *, at: Any = None, name: str = "Amara Osei"
) -> Message:
    """A customer's message."""
    channel, account, _ = key.split(":", 2)
    # Cut to milliseconds, the time would come before what was just said.
    arrived = micro(at) + n if at else arrival()
    at = at or utcnow()
    return Message(
        id=f"{key}:in-{n}",
        direction="in",
        conversation=key,
        channel=channel,
        account=account,
        provider_id=f"in-{n}",
        status="done",
        content=encode(Text(said) if isinstance(said, str) else said),
        profile={"name": name},
        arrived=arrived,
        sent=at,
        due=at,
    )


def said(
    text: str | Content, key: str = KEY, n: int = 0, *, status: str = SENT, agent: str = ""
) -> Message:
    """A message to the customer, the bot's without an `agent`."""
    content = Text(text) if isinstance(text, str) else text
    row = queued(f"{key}:out-{n}", key, content, order=1000 + n, agent=agent)
    row.status = status
    return row
