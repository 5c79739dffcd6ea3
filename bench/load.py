"""A provider and its customers, as light as can be: what is measured is the bot."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

#: Bots that customers are spread over: Telegram lets one send thirty messages a second.
ACCOUNTS = 8
SECRET = "bench-secret"
#: What a customer says, over and over; the store has order 1042.
SCRIPT = ("hello", "what are your opening hours?", "where is my order 1042?", "thank you")


@dataclass
class Provider:
    """Telegram's Bot API reduced to taking messages; it tells which chat got one."""

    port: int
    got: dict[str, asyncio.Queue[float]] = field(default_factory=lambda: defaultdict(asyncio.Queue))
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on loopback."""
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._call)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def close(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _call(self, request: web.Request) -> web.Response:
        if not request.match_info["method"].startswith("send"):
            return web.json_response({"ok": True, "result": True})
        data = await request.post()
        chat = int(str(data["chat_id"]))
        if request.match_info["method"] != "sendChatAction":
            self.got[str(chat)].put_nowait(time.perf_counter())
        result = {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private"},
            "text": "",
        }
        return web.json_response({"ok": True, "result": result})


class Customers:
    """Posts updates to the gateway as Telegram does."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = f"{url}/webhooks/telegram"
        self._session = session
        self._updates = itertools.count(1)

    async def say(self, chat: int, text: str) -> float:
        """Post one message; return the seconds until it was acknowledged."""
        n = next(self._updates)
        update = {
            "update_id": n,
            "message": {
                "message_id": 1_000_000 + n,
                "date": int(time.time()),
                "chat": {"id": chat, "type": "private", "first_name": "B"},
                "from": {"id": chat, "is_bot": False, "first_name": "B"},
                "text": text,
            },
        }
        began = time.perf_counter()
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        url = f"{self._url}/{account_of(chat)}"
        async with self._session.post(url, json=update, headers=headers) as answer:
            await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"the gateway answered {answer.status}")
        return time.perf_counter() - began


def account_of(chat: int) -> str:
    """Return the account that a chat writes to."""
    return f"bench{chat % ACCOUNTS}"


def percentile(values: list[float], part: float) -> float:
    """Return the value below which `part` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
