"""Slack's window on the sandbox's page, and an app that takes what is done in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import credentials
from bot.sandbox.server import Sandbox

SUPPORT = "C0DESK"
LEGAL = "C0LEGAL"
ANNA = "U0ANNA"
BEN = "U0BEN"

Json = dict[str, Any]


def words(text: str) -> Json:
    """A plain text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    """A text object with marks."""
    return {"type": "mrkdwn", "text": text}


def button(text: str, action_id: str, **more: Any) -> Json:
    """A button of a card."""
    return {"type": "button", "text": words(text), "action_id": action_id, "value": "case", **more}


@dataclass
class App:
    """An app by Socket Mode: keeps what it gets, and answers submissions with `answers`."""

    web: AsyncWebClient
    #: What a press of a button ``draft`` opens.
    view: Json = field(default_factory=dict)
    answers: list[Json] = field(default_factory=list)
    got: list[Json] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        payload = dict(request.payload)
        kind = payload.get("type")
        answer = self.answers.pop(0) if kind == "view_submission" and self.answers else None
        if kind == "block_actions" and payload["actions"][0]["action_id"] == "draft":
            await self.web.views_open(trigger_id=payload["trigger_id"], view=self.view)
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))
        told = payload.get("event") or {"type": request.type, **payload}
        # What the app itself posts comes back to it, too.
        if "bot_id" not in told:
            self.got.append(told)
            self.arrived.set()

    async def take(self, kind: str, **of: Any) -> Json:
        """Wait for the newest event or interaction of a kind and return it, once."""
        while True:
            for payload in self.got:
                if payload.get("type") == kind and of.items() <= payload.items():
                    self.got.remove(payload)
                    return payload
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 10)


@dataclass
class SlackPage:
    """The page with Slack's window on it, and the app behind."""

    page: Page
    app: App
    window: Locator

    @property
    def flip(self) -> Locator:
        """The button that opens and closes the window."""
        return self.page.get_by_role("banner").get_by_role("button", name="Slack", exact=True)

    @property
    def thread(self) -> Locator:
        return self.window.get_by_role("complementary", name="Thread")

    @property
    def channel(self) -> Locator:
        return self.window.get_by_role("log", name="Messages")

    @property
    def modal(self) -> Locator:
        return self.window.get_by_role("dialog")

    async def post(self, text: str, channel: str = SUPPORT, **more: Any) -> str:
        """Post as the app and return the message's ts."""
        answer = await self.app.web.chat_postMessage(channel=channel, text=text, **more)
        return str(answer["ts"])

    async def card(self, **more: Any) -> str:
        """Post to the channel as the app, open the thread of it, and return its ts."""
        ts = await self.post("Amara Osei needs a person", **more)
        await self.open(ts)
        return ts

    async def open(self, ts: str) -> None:
        """Open the thread of a message of the channel."""
        card = self.message(ts, self.channel)
        await card.hover()
        await card.get_by_role("button", name="Open the thread").click()
        await expect(self.message(ts, self.thread)).to_be_visible()

    async def settle(self) -> None:
        """Be who and where one begins, with nothing left to take."""
        await self.be("Anna Keller")
        channels = self.window.get_by_role("navigation", name="Channels")
        await channels.get_by_role("button", name="#support", exact=True).click()
        self.app.answers.clear()
        self.app.got.clear()

    def message(self, ts: str, where: Locator | None = None) -> Locator:
        return (where or self.window).locator(f'article[data-ts="{ts}"]')

    async def be(self, name: str) -> None:
        await self.window.get_by_label("You are").select_option(label=name)


async def _gateway() -> web.AppRunner:
    """A gateway that is up and has a web chat with nothing in it."""
    script = 'customElements.define("support-chat", class extends HTMLElement {});'

    async def health(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def widget(request: web.Request) -> web.Response:
        return web.Response(text=script, content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/healthz", health)
    app.router.add_get("/widget.js", widget)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


@asynccontextmanager
async def slack_page(browser: Browser, var: Path) -> AsyncIterator[SlackPage]:
    """The page of a sandbox of its own, of which nothing may go wrong unseen."""
    gateway = await _gateway()
    gateway_url = f"http://127.0.0.1:{gateway.addresses[0][1]}"
    path = credentials.ensure(var, gateway_url, "http://127.0.0.1:8090")
    account = credentials.load(path)["slack"][0]
    sandbox = Sandbox(path, gateway_url, port=0)
    url = await sandbox.start()
    app = App(AsyncWebClient(account["bot_token"], base_url=f"{url}/slack/api/"))
    socket = SocketModeClient(account["app_token"], web_client=app.web)
    socket.socket_mode_request_listeners.append(app.hear)
    await socket.connect()
    page = await browser.new_page(viewport={"width": 1600, "height": 1000}, locale="en-GB")
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # A press the sandbox refuses is told on the page.
        if message.type == "error" and "status of 400" not in message.text:
            errors.append(message.text)

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", heard)
    await page.goto(url)
    await expect(page.locator("#gateway")).to_have_text("gateway up")
    try:
        yield SlackPage(page, app, page.get_by_role("region", name="Slack", exact=True))
        assert errors == []
    finally:
        await page.close()
        await socket.close()
        await sandbox.close()
        await gateway.cleanup()
