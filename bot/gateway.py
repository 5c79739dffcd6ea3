"""The door to the internet: webhooks and web chats in, each acknowledged once it is stored."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from aiohttp import web
from prometheus_client import generate_latest

from bot import metrics
from bot.ending import end
from bot.inbox import Inbox
from bot.media.shelf import Shelf
from bot.message import Address, clean, decode, utcnow
from bot.presence import still_said
from bot.store import AsyncStore, StoreDown, StoreError
from bot.store.messages import DELIVERED, READ, SENT, Message
from connectors.base import Arrived, Connector, Request, Sent
from connectors.errors import BadSignature, NoFile, Unreadable

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
_VISIBLE = (SENT, DELIVERED, READ)
_PAGE = 100
# Feeds look into the store by themselves this often, in seconds: a lost wake-up
# delays a message, it does not lose it.
_FEED_POLL = 5.0
# A provider sends its body at once; who takes longer, in seconds, only holds a connection.
_BODY_SECONDS = 30.0


class Gateway:
    """The web application of one gateway process. Without a `shelf` it keeps no uploads.

    `beside` are the routes of who else uses its address: the desk.
    """

    def __init__(
        self,
        store: AsyncStore,
        inbox: Inbox,
        connectors: Mapping[tuple[str, str], Connector],
        *,
        body_limit: int,
        public_url: str = "",
        shelf: Shelf | None = None,
        beside: Sequence[web.AbstractRouteDef] = (),
    ) -> None:
        self._store = store
        self.inbox = inbox
        self.shelf = shelf
        self._connectors = connectors
        self._public_url = public_url.rstrip("/")
        self._feeds: dict[str, set[asyncio.Event]] = {}
        self._sent_since = utcnow()
        self._running: list[asyncio.Task[None]] = []
        self.app = web.Application(client_max_size=body_limit)
        # Before the channels' webhooks, one of which matches any name.
        self.app.add_routes(beside)
        self.app.add_routes(
            [
                web.get("/webhooks/{channel}/{account}", self._handshake),
                web.post("/webhooks/{channel}/{account}", self._receive),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        if shelf is not None:
            self.app.add_routes([web.get("/media/{handle}", shelf.get)])
        if STATIC.is_dir():
            self.app.router.add_static("/static", STATIC)
        own = set()
        for connector in connectors.values():
            for route in connector.routes(self.host(connector)):
                # Several accounts of a channel share some, such as the widget's.
                key = getattr(route, "method", ""), getattr(route, "path", "")
                if key not in own:
                    own.add(key)
                    self.app.add_routes([route])
        self.app.on_startup.append(self._start)
        # At shutdown, not at cleanup: aiohttp waits in between for the sockets that
        # closing the connectors ends.
        self.app.on_shutdown.append(self._stop)

    def host(self, connector: Connector) -> GatewayHost:
        """Return what is lent to a connector."""
        url = ""
        if self._public_url:
            path = f"/webhooks/{connector.channel}/{connector.account.account}"
            url = self._public_url + path
        return GatewayHost(self, connector, url)

    async def _start(self, app: web.Application) -> None:
        for connector in self._connectors.values():
            task = asyncio.create_task(self._run(connector), name=connector.name)
            self._running.append(task)

    async def _stop(self, app: web.Application) -> None:
        await end(*self._running)
        for connector in self._connectors.values():
            await connector.close()

    async def _run(self, connector: Connector) -> None:
        """Keep a connector's own connection going whatever becomes of it."""
        pause = 1.0
        while True:
            began = time.monotonic()
            try:
                await connector.run(self.host(connector))
                return
            except Exception:
                log.exception("%s: its connection failed, beginning again", connector.name)
            if time.monotonic() - began > 60:
                pause = 1.0
            await asyncio.sleep(pause)
            pause = min(pause * 2, 60.0)

    def _connector(self, request: web.Request) -> Connector:
        key = request.match_info["channel"], request.match_info["account"]
        connector = self._connectors.get(key)
        if connector is None:
            raise web.HTTPNotFound(text="no such account")
        return connector

    async def _handshake(self, request: web.Request) -> web.Response:
        connector = self._connector(request)
        try:
            answer = await connector.handshake(await neutral(request))
        except BadSignature as error:
            log.warning("%s: refused a handshake: %s", connector.name, error)
            return web.Response(status=403, text="bad signature")
        return web.Response(
            status=answer.status, text=answer.body, content_type=answer.content_type
        )

    async def _receive(self, request: web.Request) -> web.Response:
        began = time.perf_counter()
        connector = self._connector(request)
        try:
            return await self._take(connector, await neutral(request))
        finally:
            seconds = time.perf_counter() - began
            metrics.acknowledged.labels(connector.channel).observe(seconds)

    async def _take(self, connector: Connector, request: Request) -> web.Response:
        channel, account = connector.channel, connector.account.account
        try:
            try:
                arrived = await connector.receive(request)
                if not arrived:
                    metrics.received.labels(channel, account, "nothing").inc()
                await self.inbox.accept(arrived)
            except BadSignature as error:
                metrics.received.labels(channel, account, "refused").inc()
                log.warning("%s: refused a request: %s", connector.name, error)
                return web.Response(status=403, text="bad signature")
            except Unreadable as error:
                # What of a batch could be read is answered; the whole is kept to be replayed.
                await self.inbox.accept(error.parsed)
                await self._dead(connector, request, str(error))
            except StoreError:
                raise
            except Exception as error:
                log.exception("%s: the connector failed on a request", connector.name)
                await self._dead(connector, request, f"{type(error).__name__} in the connector")
        except StoreDown as error:
            log.error("%s: the store is down: %s", connector.name, error)
            return web.Response(
                status=503, text="the store is down, send it again", headers={"Retry-After": "1"}
            )
        taken = connector.taken
        return web.Response(status=taken.status, text=taken.body, content_type=taken.content_type)

    async def _dead(self, connector: Connector, request: Request, reason: str) -> None:
        await self.inbox.dead(
            connector.channel,
            connector.account.account,
            request.body,
            reason,
            headers={"content-type": request.headers.get("content-type", "")},
            query=request.query,
        )

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _readyz(self, request: web.Request) -> web.Response:
        try:
            await asyncio.wait_for(self._store.ping(), 5)
            await asyncio.wait_for(still_said(self._store), 5)
        except (StoreError, asyncio.TimeoutError) as error:
            why = str(error) or "nothing in 5 s"
            return web.Response(status=503, text=f"the store does not answer: {why}")
        return web.Response(text="ready")

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.REGISTRY), content_type="text/plain")

    async def announce(self) -> None:
        """Wake the feeds of the conversations to which something was sent lately."""
        if not self._feeds:
            self._sent_since = utcnow()
            return
        # Two seconds of overlap for clocks and commits that are not quite in order.
        since = self._sent_since - timedelta(seconds=2)
        self._sent_since = utcnow()
        channels = sorted({Address.parse(key).channel for key in self._feeds})
        where = {
            "direction": "out",
            "channel": {"$in": channels},
            "status": SENT,
            "due": {"$gte": since},
        }
        try:
            rows = await self._store.find(Message, where, sort=("-due",), limit=1000)
        except StoreDown as error:
            log.error("the store is down, web chats wait: %s", error)
            return
        for key in {row.conversation for row in rows}:
            for event in self._feeds.get(key, ()):
                event.set()

    async def feed(self, address: Address, after: int) -> AsyncIterator[Sent]:
        """See `connectors.base.Host.feed`."""
        key = clean(address.key)
        event = asyncio.Event()
        self._feeds.setdefault(key, set()).add(event)
        try:
            while True:
                event.clear()
                for row in await self._visible(key, after):
                    after = row.order
                    event.set()
                    try:
                        content = decode(row.content)
                    except (ValueError, TypeError, KeyError):
                        # Written by another version; the rest must not wait for it.
                        log.exception("%s: is not readable, left out", row.id)
                        continue
                    yield Sent(row.id, row.order, content, row.sent, row.agent or "")
                if not event.is_set():
                    # Not wait_for, see `bot.ending`: a page that goes as a message comes.
                    waiting = asyncio.ensure_future(event.wait())
                    try:
                        await asyncio.wait({waiting}, timeout=_FEED_POLL)
                    finally:
                        waiting.cancel()
        finally:
            self._feeds[key].discard(event)
            if not self._feeds[key]:
                del self._feeds[key]

    async def _visible(self, key: str, after: int) -> list[Message]:
        where = {
            "conversation": key,
            "direction": "out",
            "status": {"$in": _VISIBLE},
            "order": {"$gt": after},
        }
        try:
            return await self._store.find(Message, where, sort=("order",), limit=_PAGE)
        except StoreDown as error:
            log.error("the store is down, a web chat waits: %s", error)
            return []


class GatewayHost:
    """`connectors.base.Host` for one account."""

    def __init__(self, gateway: Gateway, connector: Connector, webhook_url: str) -> None:
        self._gateway = gateway
        self._connector = connector
        self.webhook_url = webhook_url

    async def accept(self, arrived: Sequence[Arrived]) -> None:
        """See `connectors.base.Host.accept`."""
        await self._gateway.inbox.accept(arrived)

    async def unreadable(self, body: bytes, reason: str) -> None:
        """See `connectors.base.Host.unreadable`."""
        account = self._connector.account.account
        await self._gateway.inbox.dead(self._connector.channel, account, body, reason)

    async def keep(self, data: bytes, mime: str, filename: str) -> str:
        """See `connectors.base.Host.keep`. Raises NoFile for what is not to be kept at all."""
        if self._gateway.shelf is None:
            raise NoFile("this gateway keeps no files")
        connector = self._connector
        return await self._gateway.shelf.keep(
            connector.channel, connector.account.account, data, mime, filename
        )

    def feed(self, address: Address, after: int) -> AsyncIterator[Sent]:
        """See `connectors.base.Host.feed`."""
        return self._gateway.feed(address, after)


async def neutral(request: web.Request) -> Request:
    """Return an aiohttp request as the connectors know it.

    Raises HTTPRequestEntityTooLarge (413) when the body is over the limit,
    HTTPRequestTimeout when it does not come, and HTTPBadRequest when it ends early or
    its encoding is broken.
    """
    try:
        body = await asyncio.wait_for(request.read(), _BODY_SECONDS)
    except web.HTTPException:
        raise
    except asyncio.TimeoutError:
        raise web.HTTPRequestTimeout(text="the body did not come") from None
    except Exception as error:
        raise web.HTTPBadRequest(text=f"the body cannot be read: {type(error).__name__}") from None
    return Request(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
