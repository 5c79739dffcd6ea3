"""A `connectors.base.Host` in memory, and a gateway of real HTTP around connectors.

    host = MemoryHost()
    async with gateway(host, connector) as url:
        ...
    assert [i.content for i in host.inbound] == [Text("hello")]

The host keeps what the contract promises: a message is stored once by its id, `accept`
raises StoreDown while `down` is set and then has stored nothing, and feeds never end,
grow and never skip. It outlives gateways, as a store does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from bot.media.sniff import NotKept, sniff
from bot.message import (
    Address,
    Content,
    Inbound,
    MediaType,
    Outbound,
    Receipt,
    decode,
    encode,
    utcnow,
)
from bot.store import StoreDown
from connectors.base import Arrived, Connector, Sent
from connectors.errors import NoFile

Answer = Callable[[Inbound], Sequence[Content]]


class MemoryHost:
    """`inbound` is every stored message in order of arrival, `receipts` every receipt.

    `kept` is every file by its ref: (bytes, MIME type, name).

    `answer`, when set, is asked for the replies to each new message, which are then
    sent. `attempts` counts calls of `accept` with a message, stored or not.
    """

    webhook_url = ""

    def __init__(self, answer: Answer | None = None) -> None:
        self.inbound: list[Inbound] = []
        self.receipts: list[Receipt] = []
        self.unread: list[tuple[bytes, str]] = []
        self.kept: dict[str, tuple[bytes, str, str]] = {}
        self.attempts = 0
        self.down = False
        self.answer = answer
        self._sent: dict[str, list[Sent]] = {}
        self._ids: set[str] = set()
        self._changed = asyncio.Condition()

    async def accept(self, arrived: Sequence[Arrived]) -> None:
        """Store new messages and receipts. Raises StoreDown while `down`."""
        self.attempts += any(isinstance(a, Inbound) for a in arrived)
        await asyncio.sleep(0)
        if self.down:
            raise StoreDown("the test holds the store down")
        for one in arrived:
            if isinstance(one, Receipt):
                self.receipts.append(one)
            elif one.id not in self._ids:
                self._ids.add(one.id)
                # What a real store keeps is what the encoding keeps.
                decode(encode(one.content))
                self.inbound.append(one)
                for n, content in enumerate(self.answer(one) if self.answer else ()):
                    await self.send(one.address, content, id=f"{one.id}:{n}")
        async with self._changed:
            self._changed.notify_all()

    async def unreadable(self, body: bytes, reason: str) -> None:
        """Keep a dead letter."""
        self.unread.append((body, reason))

    async def keep(self, data: bytes, mime: str, filename: str) -> str:
        """Keep a file. Raises StoreDown while `down`, NoFile for what is not to be kept."""
        if self.down:
            raise StoreDown("the test holds the store down")
        family = mime.partition("/")[0]
        type: MediaType = "document"
        if family in ("image", "audio", "video"):
            type = cast(MediaType, family)
        try:
            sniff(data, type, filename)
        except NotKept as error:
            raise NoFile(str(error)) from None
        ref = f"kept:{hashlib.sha256(data).hexdigest()}"
        self.kept[ref] = data, mime, filename
        return ref

    async def send(
        self, address: Address, content: Content, *, id: str = "", agent: str = ""
    ) -> Outbound:
        """Send one message to `address`: every feed of it shows it."""
        rows = self._sent.setdefault(address.key, [])
        outbound = Outbound(id or f"test:{address.user}:{len(rows)}", address, content, agent=agent)
        async with self._changed:
            rows.append(Sent(outbound.id, len(rows) + 1, content, utcnow(), agent))
            self._changed.notify_all()
        return outbound

    async def feed(self, address: Address, after: int) -> AsyncIterator[Sent]:
        """Yield what is sent to `address` above `after`, for ever."""
        while True:
            async with self._changed:
                while not (waiting := self.sent(address, after)):
                    await self._changed.wait()
            for sent in waiting:
                yield sent
                after = sent.order

    def sent(self, address: Address, after: int = 0) -> list[Sent]:
        """Return what was sent to `address` above `after`."""
        return [s for s in self._sent.get(address.key, []) if s.order > after]

    async def until(self, true: Callable[[], bool], timeout: float = 20.0) -> None:
        """Wait until something is true of what was stored; raises asyncio.TimeoutError."""

        async def reached() -> None:
            async with self._changed:
                await self._changed.wait_for(true)

        await asyncio.wait_for(reached(), timeout)


@asynccontextmanager
async def gateway(
    host: MemoryHost,
    *connectors: Connector,
    port: int = 0,
    routes: Sequence[web.AbstractRouteDef] = (),
) -> AsyncIterator[str]:
    """Serve the connectors' own routes on loopback and yield the URL; close them at the end.

    `port` 0 takes a free one. `routes` are added, for pages that embed a widget.
    """
    app = web.Application()
    for connector in connectors:
        app.add_routes(connector.routes(host))
    app.add_routes(routes)

    async def close(app: web.Application) -> None:
        for connector in connectors:
            await connector.close()

    # Connections must end before the server waits for their handlers to return.
    app.on_shutdown.append(close)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
