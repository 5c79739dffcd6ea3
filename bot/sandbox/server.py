"""The sandbox process: stand-ins, control API and page on one loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.ending import end
from bot.sandbox.control import Control
from bot.sandbox.credentials import load
from bot.sandbox.delivery import Delivery
from bot.sandbox.errors import BadCredentials
from bot.sandbox.faults import Faults
from bot.sandbox.goods import CATALOG, GOODS
from bot.sandbox.guard import Guard, check_loopback
from bot.sandbox.ledger import Ledger
from bot.sandbox.llm import ChatModels
from bot.sandbox.media import MediaStore
from bot.sandbox.messenger import Messenger
from bot.sandbox.shops import CHANNELS as SHOPS
from bot.sandbox.shops import Shops
from bot.sandbox.slack import Slack
from bot.sandbox.slack_api import CHANNEL as SLACK
from bot.sandbox.sms import Sms
from bot.sandbox.smtp import Smtp
from bot.sandbox.standin import StandIn, World
from bot.sandbox.telegram import Telegram
from bot.sandbox.whatsapp import WhatsApp

logger = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8090
#: In the order in which the phones stand.
STAND_INS: tuple[type[StandIn], ...] = (Telegram, WhatsApp, Messenger, Sms)

_PAGE = Path(__file__).with_name("page")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
# The largest file, a document on WhatsApp, has 100 MB.
_BODY_LIMIT = 101 * 1024 * 1024
_PROBE_SECONDS = 1.0
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=3)


class Sandbox:
    """The sandbox. `start` binds and returns its URL, `close` ends it; port 0 takes any free.

    With a `listener` it is there that it listens, and not at `port`.
    """

    def __init__(
        self,
        credentials: Path,
        gateway_url: str,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        mail_port: int = 0,
        listener: socket.socket | None = None,
    ) -> None:
        """Raises NotLoopback, BadCredentials."""
        check_loopback(host)
        self._host = host
        self._port = port
        self._listener = listener
        self._guard = Guard()
        ledger = Ledger()
        self._world = World(
            ledger=ledger,
            faults=Faults(lambda: self._world.ledger.tell({"event": "state", **self.state()})),
            media=MediaStore(),
            delivery=Delivery(),
            gateway_url=gateway_url.rstrip("/"),
        )
        self._gateway_up = False
        accounts = load(credentials)
        self._webchat = [str(a.get("account", "")) for a in accounts.get("webchat", [])]
        self._stand_ins: dict[str, StandIn] = {}
        for stand_in in STAND_INS:
            try:
                made = stand_in(self._world, accounts.get(stand_in.channel, []))
            except (KeyError, ValueError) as error:
                raise BadCredentials(
                    f"{credentials.name}: a {stand_in.channel} account lacks {error}"
                ) from None
            self._stand_ins[stand_in.channel] = made
        try:
            self.slack = Slack(self._world, accounts.get(SLACK, []))
        except (KeyError, ValueError) as error:
            raise BadCredentials(f"{credentials.name}: a slack account lacks {error}") from None
        self.models = ChatModels()
        self.mail = Smtp(ledger.tell)
        self._mail_port = mail_port
        #: What mails are sent by, ``smtp://127.0.0.1:…``; "" before `start`.
        self.mail_url = ""
        self.shops = Shops(self._world.faults)
        self._runner: web.AppRunner | None = None
        self._probe_task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens; "" before `start`."""
        return self._world.sandbox_url

    def state(self) -> dict[str, Any]:
        """Return what the page starts with."""
        return {
            "gateway_url": self._world.gateway_url,
            "gateway_up": self._gateway_up,
            "waiting": self._world.delivery.waiting,
            "faults": self._world.faults.plain(),
            "catalog": CATALOG,
            "goods": [good.plain() for good in GOODS.values()],
            "channels": {
                channel: {"can": sorted(s.can), "window_hours": s.window_hours}
                for channel, s in self._stand_ins.items()
            },
            "accounts": {
                **{channel: s.accounts() for channel, s in self._stand_ins.items()},
                "webchat": [{"account": name, "name": name} for name in self._webchat],
            },
            "slack": self.slack.plain(),
            "mails": list(self.mail.mails),
            "console": {"url": f"{self._world.gateway_url}/console"},
        }

    async def start(self) -> str:
        """Bind, begin to push webhooks, and return the page's URL. Raises OSError."""
        # Shutdown must not wait for the page's socket or a long poll.
        app = web.Application(middlewares=[self._guard.middleware], client_max_size=_BODY_LIMIT)
        for stand_in in self._stand_ins.values():
            app.add_routes(stand_in.routes())
        app.add_routes(Control(self._world, self._stand_ins, self.state, (SLACK, *SHOPS)).routes())
        app.add_routes(self.slack.routes())
        app.add_routes(self.models.routes())
        app.add_routes(self.shops.routes())
        app.router.add_get("/", self._index)
        app.router.add_get("/page/{name}", self._static)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site: web.BaseSite
        if self._listener is None:
            site = web.TCPSite(self._runner, self._host, self._port)
        else:
            site = web.SockSite(self._runner, self._listener)
        await site.start()
        port = self._runner.addresses[0][1]
        self._guard.bound(self._host, port)
        name = f"[{self._host}]" if ":" in self._host else self._host
        self._world.sandbox_url = f"http://{name}:{port}"
        mail_port = await self.mail.start(self._host, self._mail_port)
        self.mail_url = f"smtp://{name}:{mail_port}"
        await self._world.delivery.start()
        for stand_in in self._stand_ins.values():
            await stand_in.start()
        self._probe_task = asyncio.create_task(self._probe())
        return self.url

    async def close(self) -> None:
        """Stop listening and drop everything."""
        if self._probe_task is not None:
            await end(self._probe_task)
        for stand_in in self._stand_ins.values():
            await stand_in.close()
        await self.slack.close()
        await self.mail.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._world.delivery.close()

    async def _probe(self) -> None:
        """Tell the page whether the gateway answers."""
        while True:
            up = False
            with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError, OSError):
                async with self._world.delivery.session.get(
                    f"{self._world.gateway_url}/healthz", timeout=_PROBE_TIMEOUT
                ) as answer:
                    up = answer.status < 500
            if up != self._gateway_up:
                self._gateway_up = up
                self._world.ledger.tell({"event": "state", **self.state()})
            await asyncio.sleep(_PROBE_SECONDS)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        if f"http://{request.host}" != self.url:
            # The gateway lets the widget connect from one origin only.
            raise web.HTTPFound(f"{self.url}/")
        return self._file("index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in {path.name for path in _PAGE.iterdir() if path.suffix in _TYPES}:
            raise web.HTTPNotFound
        return self._file(name)

    def _file(self, name: str) -> web.Response:
        gateway = self._world.gateway_url
        socket = gateway.replace("http", "ws", 1)
        policy = (
            f"default-src 'self'; script-src 'self' {gateway}; "
            f"connect-src 'self' {self.url.replace('http', 'ws', 1)} {gateway} {socket}; "
            # Pictures are where the bot says; the phones of customers load them from there, too.
            "img-src 'self' data: blob: http: https:; media-src 'self' blob: http: https:; "
            "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        path = _PAGE / name
        return web.Response(
            body=path.read_bytes(),
            content_type=_TYPES[path.suffix],
            charset="utf-8",
            headers={
                "Content-Security-Policy": policy,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-cache",
            },
        )


async def serve(
    *,
    credentials: Path,
    gateway_url: str,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    mail_port: int = 0,
    listener: socket.socket | None = None,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Run the sandbox until cancelled.

    `credentials` is the file of `bot.sandbox.credentials.ensure`. `ready` is called with
    the page's URL once it can be opened. Raises NotLoopback, BadCredentials, OSError when
    a port is taken.
    """
    sandbox = Sandbox(credentials, gateway_url, host, port, mail_port, listener)
    try:
        ready(await sandbox.start())
        await asyncio.Event().wait()
    finally:
        await sandbox.close()
