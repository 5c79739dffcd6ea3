"""``bot chat``: a customer's phone in a terminal, over the web chat of the running gateway."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
from ruamel.yaml import YAML

from bot import serve
from bot.message import (
    Ask,
    Cards,
    Choices,
    Contact,
    Content,
    Location,
    Media,
    Menu,
    Option,
    Reaction,
    Text,
    decode,
)
from bot.settings import Settings

_NO_GATEWAY = "no gateway answers at {url}; start it with `bot run`"
_RECONNECT_SECONDS = 1.0

Socket: TypeAlias = "aiohttp.ClientWebSocketResponse[bool]"


class Terminal:
    """One customer: the token that is its identity, what it was offered, what is not yet taken."""

    def __init__(self, url: str, account: str, origin: str, token_file: Path) -> None:
        self._url = f"{url}/chat/{account}"
        self._origin = origin
        self._token_file = token_file
        self._after = 0
        self._offer: tuple[str, tuple[Option, ...]] = ("", ())
        self._unsent: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._socket: Socket | None = None

    async def run(self, lines: asyncio.Queue[str | None]) -> int:
        """Talk until the end of the input; reconnect when the gateway goes away."""
        typing = asyncio.create_task(self._type(lines))
        async with aiohttp.ClientSession() as session:
            first = True
            while not typing.done():
                try:
                    headers = {"Origin": self._origin}
                    async with session.ws_connect(self._url, headers=headers) as socket:
                        first = False
                        await self._talk(socket, typing)
                except aiohttp.WSServerHandshakeError as error:
                    print(f"the gateway refused: {error.status} {error.message}", file=sys.stderr)
                    typing.cancel()
                    return 1
                except aiohttp.ClientError:
                    if first:
                        typing.cancel()
                        print(_NO_GATEWAY.format(url=self._url), file=sys.stderr)
                        return 1
                    await asyncio.sleep(_RECONNECT_SECONDS)
        return 0

    async def _talk(self, socket: Socket, typing: asyncio.Task[None]) -> None:
        token = None
        with contextlib.suppress(FileNotFoundError):
            token = self._token_file.read_text().strip()
        await socket.send_json({"type": "hello", "token": token, "after": self._after})
        self._socket = socket
        reading = asyncio.create_task(self._read(socket))
        try:
            await asyncio.wait({reading, typing}, return_when=asyncio.FIRST_COMPLETED)
            if typing.done():
                # Piped input ends before its answers have come.
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reading, 3.0)
        finally:
            self._socket = None
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, socket: Socket) -> None:
        async for received in socket:
            if received.type is not aiohttp.WSMsgType.TEXT:
                return
            frame = json.loads(received.data)
            kind = frame.get("type")
            if kind == "welcome":
                self._keep_token(frame["token"])
                for waiting in list(self._unsent.values()):
                    await socket.send_json(waiting)
            elif kind == "message":
                self._after = max(self._after, frame["order"])
                self._show(frame["id"], decode(frame["content"]))
                await socket.send_json({"type": "seen", "id": frame["id"]})
            elif kind == "ack":
                self._unsent.pop(frame["id"], None)
            elif kind == "retry":
                await asyncio.sleep(frame["after"])
                if frame["id"] in self._unsent:
                    await socket.send_json(self._unsent[frame["id"]])
            elif kind == "refused":
                self._unsent.pop(frame["id"], None)
                print(f"  (not taken: {frame['reason']})", flush=True)

    def _keep_token(self, token: str) -> None:
        # The token is the customer's identity, so nobody else may read it.
        self._token_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token)

    def _show(self, id: str, content: Content) -> None:
        if isinstance(content, (Choices, Menu, Cards)):
            self._offer = id, tuple(o for o in content.options if not o.url)
        for line in _lines(content):
            print(f"bot> {line}", flush=True)

    async def _type(self, lines: asyncio.Queue[str | None]) -> None:
        while (line := await lines.get()) is not None:
            text = line.strip()
            if not text:
                continue
            frame = self._frame(text)
            self._unsent[frame["id"]] = frame
            if self._socket is not None:
                with contextlib.suppress(ConnectionError):
                    await self._socket.send_json(frame)

    def _frame(self, text: str) -> dict[str, Any]:
        of, options = self._offer
        if text.isdecimal() and 0 < int(text) <= len(options):
            option = options[int(text) - 1]
            self._offer = "", ()
            return {
                "type": "choose",
                "id": str(uuid.uuid4()),
                "payload": option.payload,
                "title": option.title,
                "of": of,
            }
        return {"type": "send", "id": str(uuid.uuid4()), "text": text}


def _lines(content: Content) -> list[str]:
    if isinstance(content, Text):
        return content.text.splitlines()
    if isinstance(content, (Choices, Menu)):
        return [*content.text.splitlines(), *_numbered(content.options)]
    if isinstance(content, Cards):
        cards = [f"[card] {' · '.join(filter(None, (c.title, c.text)))}" for c in content.cards]
        return [*cards, *_numbered(content.options)]
    if isinstance(content, Ask):
        return content.text.splitlines()
    if isinstance(content, Reaction):
        return [f"[reaction] {content.emoji}"]
    if isinstance(content, Media):
        return [*content.caption.splitlines(), f"[{content.type}] {content.url}"]
    if isinstance(content, Location):
        return [f"[place] {content.name} {content.latitude:.5f}, {content.longitude:.5f}"]
    if isinstance(content, Contact):
        return [f"[contact] {content.name} {' '.join(content.phones)}"]
    return [f"[{content.kind}]"]


def _numbered(options: Sequence[Option]) -> list[str]:
    """Return lines that offer options: those to choose by their number, then the pages."""
    chosen = [o for o in options if not o.url]
    lines = [f"  {n}. {o.title}" for n, o in enumerate(chosen, 1)]
    return [*lines, *(f"  {o.title}: {o.url}" for o in options if o.url)]


async def chat(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot chat`` until the end of the input; return the exit status."""
    url = (args.url or serve.address_of(settings)).rstrip("/")
    account, origin = _webchat(settings, args.account, url)
    token_file = settings.var / "chat" / f"{account}.token"
    if args.new:
        token_file.unlink(missing_ok=True)
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    # A daemon: a read of the terminal cannot be cancelled, and must not keep us alive.
    threading.Thread(target=read, name="stdin", daemon=True).start()
    print(f"connected to {url}; end with Ctrl-D", flush=True)
    return await Terminal(url, account, origin, token_file).run(lines)


def _webchat(settings: Settings, wanted: str | None, url: str) -> tuple[str, str]:
    """Return the account to talk to and an origin that it allows.

    Without accounts `bot run` uses the sandbox's, which it wrote below var.
    """
    accounts = [(a.account, a.origins) for a in settings.channels.get("webchat", ())]
    sandbox = settings.var / "sandbox" / "credentials.yml"
    if not accounts and sandbox.exists():
        found = YAML(typ="safe").load(sandbox.read_text()) or {}
        accounts = [(a["account"], a.get("origins", ())) for a in found.get("webchat", ())]
    for name, origins in accounts:
        if wanted in (None, name):
            return name, origins[0] if origins else url
    return wanted or "demo", url
