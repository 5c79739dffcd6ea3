"""A sandbox on a free port, and a gateway of the tests' own that writes down what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from bot.sandbox import credentials
from bot.sandbox.server import Sandbox
from tests.kit.browser import chromium
from tests.kit.waiting import until


@dataclass
class Received:
    """One request the gateway got."""

    channel: str
    headers: dict[str, str]
    raw: bytes
    json: Any
    status: int


@dataclass
class Gateway:
    """A gateway that answers webhooks with what `answers` says, 200 once it is empty."""

    url: str = ""
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    handshakes: list[int] = field(default_factory=list)
    decide: Callable[[Any], int] = lambda body: 200
    act: Callable[[Received], Awaitable[None]] | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def webhook(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = None
        if raw[:1] in (b"{", b"["):
            body = await request.json()
        status = self.answers.pop(0) if self.answers else self.decide(body)
        received = Received(request.match_info["channel"], dict(request.headers), raw, body, status)
        self.got.append(received)
        self.arrived.set()
        if status == 200 and self.act:
            task = asyncio.create_task(self.act(received))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return web.Response(status=status, text="said the gateway")

    async def handshake(self, request: web.Request) -> web.Response:
        query, channel = request.query, request.match_info["channel"]
        right = query.get("hub.verify_token") == self.accounts[channel]["verify_token"]
        told = self.handshakes if channel == "whatsapp" else []
        status = told.pop(0) if told else 200 if right else 403
        return web.Response(status=status, text=query["hub.challenge"] if status == 200 else "no")

    async def taken(self, number: int, **of: Any) -> list[Received]:
        """Wait until `number` requests of that kind were answered 200, and return them."""

        def matching() -> list[Received]:
            return [
                r
                for r in self.got
                if r.status == 200 and all(getattr(r, k) == v for k, v in of.items())
            ]

        while len(matching()) < number:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 20)
        return matching()


async def widget(request: web.Request) -> web.Response:
    """A web chat for pages whose web chat is not what is tested."""
    script = 'customElements.define("support-chat", class extends HTMLElement {});'
    return web.Response(text=script, content_type="text/javascript")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    made = Gateway()
    app = web.Application()
    app.router.add_post("/webhooks/{channel}/{account}", made.webhook)
    app.router.add_get("/webhooks/{channel}/{account}", made.handshake)
    app.router.add_get("/healthz", lambda request: web.Response(text="ok"))
    app.router.add_get("/widget.js", widget)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@dataclass
class Events:
    """What a page hears."""

    socket: aiohttp.ClientWebSocketResponse
    state: dict[str, Any]

    async def next(self) -> dict[str, Any]:
        """Return the next event but those of the state, which comes whenever the sandbox first
        reaches the gateway."""
        while (event := await self.socket.receive_json(timeout=10))["event"] == "state":
            continue
        return event


@dataclass
class Phones:
    """A running sandbox and its control API."""

    sandbox: Sandbox
    url: str
    accounts: dict[str, dict[str, Any]]
    http: aiohttp.ClientSession

    @property
    def telegram(self) -> dict[str, Any]:
        return self.accounts["telegram"]

    @property
    def whatsapp(self) -> dict[str, Any]:
        return self.accounts["whatsapp"]

    async def post(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        async with self.http.post(f"{self.url}/control/{path}", json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def say(self, channel: str, user: str, text: str | None = None, **more: Any) -> str:
        body = {"channel": channel, "user": user, **({"text": text} if text else {}), **more}
        return (await self.post("say", **body))["id"]

    async def messages(self, **query: str) -> list[dict[str, Any]]:
        async with self.http.get(f"{self.url}/control/messages", params=query) as answer:
            return (await answer.json())["messages"]

    async def message(self, id_: str) -> dict[str, Any]:
        return next(m for m in await self.messages() if m["id"] == id_)

    async def until(self, wanted: Callable[[list[dict[str, Any]]], Any], **query: str) -> Any:
        """Wait until `wanted` is true of the messages, and return what it gave."""

        async def become() -> Any:
            return wanted(await self.messages(**query))

        return await until(become, pause=0.025)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[Events]:
        """What the page hears from now on; `state` is what it began with."""
        async with self.http.ws_connect(f"{self.url}/control/events") as socket:
            yield Events(socket, await socket.receive_json(timeout=10))

    async def fault(self, channel: str, kind: str, **more: Any) -> None:
        await self.post("faults", channel=channel, kind=kind, **more)


@pytest.fixture
async def phones(gateway: Gateway, tmp_path: Path) -> AsyncIterator[Phones]:
    # The port is known only once bound; the stand-ins take their accounts from the file.
    path = credentials.ensure(tmp_path / "var", gateway.url, "http://127.0.0.1:8090")
    accounts = {channel: found[0] for channel, found in credentials.load(path).items()}
    gateway.accounts = accounts
    sandbox = Sandbox(path, gateway.url, port=0)
    url = await sandbox.start()
    async with aiohttp.ClientSession() as http:
        yield Phones(sandbox, url, accounts, http)
    await sandbox.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


@asynccontextmanager
async def opened(browser: Browser, url: str) -> AsyncIterator[Page]:
    """The page of a sandbox, of which nothing may go wrong unseen."""
    made = await browser.new_page(viewport={"width": 1280, "height": 860}, locale="en-GB")
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))

    def heard(message: ConsoleMessage) -> None:
        # That something cannot be done is an answer like another, which the page shows.
        if message.type == "error" and "status of 400" not in message.text:
            errors.append(message.text)

    made.on("console", heard)
    await made.goto(url)
    await expect(made.locator("#gateway")).to_have_text("gateway up")
    yield made
    assert errors == []


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000030802000000368849d6"
    "0000001049444154789c6350683800440c28140052f50841075810260000000049454e44ae426082"
)


@pytest.fixture
def png() -> bytes:
    """A picture two pixels wide and three high."""
    return PNG
