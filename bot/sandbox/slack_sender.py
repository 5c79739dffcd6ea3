"""How the sandbox's Slack reaches the app: by Socket Mode while it is connected, else by HTTP.

https://docs.slack.dev/apis/events-api/using-socket-mode,
https://docs.slack.dev/apis/events-api (retries) and
https://docs.slack.dev/authentication/verifying-requests-from-slack. As Slack does, events
are sent again up to three times, only sooner; what a person does is sent once, and fails
before that person's eyes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import time
import uuid
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bot.ending import end
from bot.sandbox.faults import reset
from bot.sandbox.slack_objects import APP
from bot.sandbox.standin import World

logger = logging.getLogger(__name__)

Json = dict[str, Any]
Kind = Literal["events_api", "interactive", "slash_commands"]

RETRIES = 3
_TICKETS = 100
_TICKET_SECONDS = 30.0
_WAITING = 2_000
_SOCKETS = 10
_REASONS = {"timeout": "http_timeout", "error": "http_error", "unreachable": "connection_failed"}


class NotTaken(Exception):
    """The app did not acknowledge; the text is ``timeout``, ``error`` or ``unreachable``."""


class Sender:
    """Sends to one app. `ack_seconds` is how long it may take, `delays` before each retry."""

    def __init__(self, world: World, account: str, signing_secret: str) -> None:
        self.ack_seconds = 3.0
        self.delays = (0.2, 2.0, 10.0)
        self._world = world
        self._account = account
        self._secret = signing_secret.encode()
        self._tickets: OrderedDict[str, float] = OrderedDict()
        self._sockets: list[web.WebSocketResponse] = []
        self._requests: dict[web.WebSocketResponse, web.Request] = {}
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()

    @property
    def connections(self) -> int:
        """How many sockets the app has open."""
        return len(self._sockets)

    # -- Socket Mode --------------------------------------------------------------

    def ticket(self) -> str:
        """Return the URL of a new socket, good for half a minute and one connection."""
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = time.monotonic() + _TICKET_SECONDS
        while len(self._tickets) > _TICKETS:
            self._tickets.popitem(last=False)
        base = self._world.sandbox_url.replace("http", "ws", 1)
        return f"{base}/slack/link/?{urlencode({'ticket': ticket, 'app_id': APP})}"

    async def link(self, request: web.Request) -> web.StreamResponse:
        """Serve the socket of a ticket."""
        until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if until < time.monotonic() or len(self._sockets) >= _SOCKETS:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=401)
        socket = web.WebSocketResponse(heartbeat=20, timeout=0.5)
        await socket.prepare(request)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._sockets) + 1,
                "debug_info": _debug(18_060),
                "connection_info": {"app_id": APP},
            }
        )
        self._sockets.append(socket)
        self._requests[socket] = request
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            self._retire(socket)
            del self._requests[socket]
        return socket

    def _acknowledged(self, text: str) -> None:
        try:
            ack = json.loads(text)
            waiting = self._acks.get(str(ack["envelope_id"]))
        except (ValueError, KeyError, TypeError):
            logger.warning("sandbox: Slack got an acknowledgement that is none")
            return
        payload = ack.get("payload")
        if waiting is not None and not waiting.done():
            waiting.set_result(payload if isinstance(payload, dict) else {})

    async def disconnect(self, reason: str) -> int:
        """Tell the app to connect anew and return how many sockets were told.

        `reason` is ``warning``, ``refresh_requested`` or ``link_disabled``; but for the
        first the sockets get nothing more and are closed a moment later.
        """
        told = list(self._sockets)
        for socket in told:
            await self._say(
                socket, {"type": "disconnect", "reason": reason, "debug_info": _debug(0)}
            )
            if reason != "warning":
                self._retire(socket)
                self._start(_closed_later(socket))
        return len(told)

    def cut(self) -> int:
        """Break the app's connections without a word and return how many there were."""
        cut = list(self._sockets)
        for socket in cut:
            self._retire(socket)
            reset(self._requests[socket])
        return len(cut)

    def _retire(self, socket: web.WebSocketResponse) -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)

    async def _say(self, socket: web.WebSocketResponse, message: Json) -> bool:
        try:
            await socket.send_json(message)
        except (ConnectionError, RuntimeError, aiohttp.ClientError):
            self._retire(socket)
            return False
        return True

    # -- sending ------------------------------------------------------------------

    def event(self, body: Json, copies: int = 1) -> None:
        """Send an event in the background, again while it is not taken."""
        if len(self._tasks) >= _WAITING:
            logger.warning("sandbox: Slack drops an event, for too many wait for the app")
            return
        for _ in range(copies):
            self._start(self._deliver(body))

    async def ask(self, kind: Kind, body: Json) -> Json:
        """Send what a person does and return what the app answers. Raises NotTaken."""
        return await self._attempt(kind, body, 0, "")

    async def close(self) -> None:
        """Close every socket and give up what is under way."""
        await end(*self._tasks)
        for socket in list(self._sockets):
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, body: Json) -> None:
        reason = ""
        for retry in range(RETRIES + 1):
            try:
                await self._attempt("events_api", body, retry, reason)
            except NotTaken as error:
                reason = str(error)
            else:
                return
            if reason == "refused" or retry == RETRIES:
                return
            # After three seconds without an answer Slack does not wait any longer.
            await asyncio.sleep(0 if reason == "timeout" else self.delays[retry])

    async def _attempt(self, kind: Kind, body: Json, retry: int, reason: str) -> Json:
        while self._sockets:
            # Each in its turn, as Slack spreads them over an app's connections.
            socket = self._sockets.pop(0)
            self._sockets.append(socket)
            envelope: Json = {
                "envelope_id": str(uuid.uuid4()),
                "type": kind,
                "payload": body,
                "accepts_response_payload": kind != "events_api",
            }
            if kind == "events_api":
                envelope |= {"retry_attempt": retry, "retry_reason": reason}
            ack: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
            self._acks[envelope["envelope_id"]] = ack
            try:
                if await self._say(socket, envelope):
                    return await asyncio.wait_for(ack, self.ack_seconds)
            except asyncio.TimeoutError:
                raise NotTaken("timeout") from None
            finally:
                del self._acks[envelope["envelope_id"]]
        if kind == "events_api":
            async with self._in_order:
                return await self._post(kind, body, retry, reason)
        return await self._post(kind, body, retry, reason)

    async def _post(self, kind: Kind, body: Json, retry: int, reason: str) -> Json:
        if kind == "events_api":
            data, mime = json.dumps(body).encode(), "application/json"
        else:
            form = {"payload": json.dumps(body)} if kind == "interactive" else body
            data, mime = urlencode(form).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": mime, **self.signed(data)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": _REASONS[reason]}
        url = f"{self._world.gateway_url}/webhooks/slack/{self._account}"
        timeout = aiohttp.ClientTimeout(total=self.ack_seconds)
        try:
            async with self._world.delivery.session.post(
                url, data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                text = await answer.text(errors="replace")
        except asyncio.TimeoutError:
            raise NotTaken("timeout") from None
        except (aiohttp.ClientError, OSError):
            raise NotTaken("unreachable") from None
        if answer.status != 200:
            stop = answer.headers.get("X-Slack-No-Retry") == "1"
            raise NotTaken("refused" if stop else "error")
        return _answer(text)

    def signed(self, body: bytes, at: int | None = None) -> dict[str, str]:
        """Return the headers that sign a body, now or `at` seconds since 1970."""
        stamp = str(int(time.time()) if at is None else at)
        signed = hmac.new(self._secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
        return {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signed.hexdigest()}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }


def _answer(text: str) -> Json:
    """Return an answer to what a person did: an object, or words for that person."""
    try:
        made = json.loads(text)
    except ValueError:
        return {"text": text} if text.strip() else {}
    return made if isinstance(made, dict) else {}


def _debug(seconds: int) -> Json:
    return {
        "host": f"applink-{secrets.token_hex(4)}",
        "build_number": 1,
        "approximate_connection_time": seconds,
    }


async def _closed_later(socket: web.WebSocketResponse) -> None:
    # What was sent before may still be acknowledged.
    await asyncio.sleep(1.0)
    await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
