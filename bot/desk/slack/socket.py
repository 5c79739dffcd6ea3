"""Slack's Socket Mode: events over a connection that we open, for who has no public address.

https://docs.slack.dev/apis/events-api/using-socket-mode. The SDK's own client asks again and
again for one and the same address when it could not connect there, but an address is good for
one connection; therefore this one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from bot.ending import end
from bot.settings import SlackAccount

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_HEARTBEAT = 10.0
_TIMEOUT = 15.0
# A connection that Slack is about to close still takes answers for about ten seconds.
_DRAIN = 8.0
_LASTED = 60.0
# One that ends sooner, in seconds, is no reason to open the next at once.
_SHORT = 5.0

#: Takes an envelope's type, payload and headers, and returns what to acknowledge it with,
#: None for not to acknowledge it.
Handle = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any] | None]]


class _CannotOpen(Exception):
    """Slack gives no address; `after` is in seconds where Slack named a time."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class Socket:
    """One account's connection, begun anew whenever it ends."""

    def __init__(self, account: SlackAccount, handle: Handle, pause: float = _FIRST_PAUSE) -> None:
        self._account = account
        self._handle = handle
        self._first_pause = pause
        self._at_work: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keep a connection until cancelled; nothing else ends it."""
        import aiohttp

        pause = self._first_pause
        async with aiohttp.ClientSession() as session:
            try:
                while True:
                    began = time.monotonic()
                    after = 0.0
                    try:
                        asked = await self._once(session)
                        if asked and time.monotonic() - began > _SHORT:
                            pause = self._first_pause
                            continue
                    except _CannotOpen as error:
                        after = error.after
                        log.error("slack %s: no connection: %s", self._name, error)
                    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
                        log.warning(
                            "slack %s: the connection failed: %s", self._name, type(error).__name__
                        )
                    except Exception:
                        log.exception("slack %s: the connection failed", self._name)
                    if time.monotonic() - began > _LASTED:
                        pause = self._first_pause
                    await asyncio.sleep(max(after, pause * random.uniform(0.5, 1.0)))  # noqa: S311
                    pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                await end(*self._at_work)

    async def _once(self, session: aiohttp.ClientSession) -> bool:
        """Serve one connection; True when Slack asked us to open the next at once."""
        url = await self._address(session)
        socket = await asyncio.wait_for(
            session.ws_connect(url, heartbeat=_HEARTBEAT, max_msg_size=16 * 1024 * 1024), _TIMEOUT
        )
        log.info("slack %s: connected", self._name)
        answering: set[asyncio.Task[None]] = set()
        try:
            async for message in socket:
                envelope = _envelope(message.data)
                if envelope.get("type") == "disconnect":
                    reason = str(envelope.get("reason") or "")
                    log.info("slack %s: asked to connect anew: %s", self._name, reason[:40])
                    return reason != "link_disabled"
                if envelope.get("envelope_id"):
                    task = asyncio.create_task(self._answer(socket, envelope))
                    for tasks in (answering, self._at_work):
                        tasks.add(task)
                        task.add_done_callback(tasks.discard)
            return False
        finally:
            task = asyncio.create_task(_finish(socket, answering))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

    async def _address(self, session: aiohttp.ClientSession) -> str:
        """See https://docs.slack.dev/reference/methods/apps.connections.open."""
        import aiohttp

        base = (self._account.api_url or "https://slack.com").rstrip("/")
        headers = {"Authorization": f"Bearer {self._account.app_token}"}
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        url = f"{base}/api/apps.connections.open"
        async with session.post(url, headers=headers, timeout=timeout) as answer:
            try:
                after = float(answer.headers.get("Retry-After") or 0)
                said = await answer.json(content_type=None)
                if said.get("ok"):
                    return str(said["url"])
                reason = str(said.get("error") or answer.status)
            except (ValueError, AttributeError, KeyError):
                reason = f"an answer with status {answer.status}"
                after = 0.0
        raise _CannotOpen(f"apps.connections.open: {reason}", min(max(after, 0.0), 300.0))

    async def _answer(
        self, socket: aiohttp.ClientWebSocketResponse[bool], envelope: Mapping[str, Any]
    ) -> None:
        try:
            payload = await self._handle(envelope)
            if payload is None:
                return
            answer: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
            if payload:
                answer["payload"] = payload
            await socket.send_str(json.dumps(answer))
        except (ConnectionError, OSError) as error:
            # Not acknowledged: Slack sends it again, and we know it then.
            log.info("slack %s: gone before the answer: %s", self._name, type(error).__name__)
        except Exception:
            log.exception("slack %s: an envelope failed", self._name)

    @property
    def _name(self) -> str:
        return self._account.account


async def _finish(
    socket: aiohttp.ClientWebSocketResponse[bool], answering: set[asyncio.Task[None]]
) -> None:
    """Close a connection when what came by it is answered."""
    try:
        if answering:
            await asyncio.wait(set(answering), timeout=_DRAIN)
    finally:
        await socket.close()


def _envelope(data: object) -> Mapping[str, Any]:
    if not isinstance(data, str):
        return {}
    try:
        envelope = json.loads(data)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}
