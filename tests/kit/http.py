"""A stand-in for a provider's HTTP API on loopback: records what it is asked, answers as told.

    async with provider([Answer({"ok": True}), Reset()]) as server:
        connector = make_connector(api_url=server.url)
        ...
    assert [r.path for r in server.requests] == ["/messages", "/messages"]

The script is either a list of steps, one for each request in order, or a function
(plain or async) from a `Recorded` request to a step. With a list the context ends in
AssertionError when a request came that no step was left for, or when a step was never
asked for: a test thereby says exactly how many requests there are.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from tests.kit.ports import free_port
from tests.kit.waiting import PATIENCE


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON; raises ValueError when it is not."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body read as application/x-www-form-urlencoded."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


@dataclass(frozen=True)
class Answer:
    """Answer with `body`: bytes and str go out as they are, anything else as JSON.

    `delay` is in seconds.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass(frozen=True)
class Reset:
    """Take the request, then reset the TCP connection (RST) without a word."""


@dataclass(frozen=True)
class Hang:
    """Take the request and stay silent until the server closes: the client's read times out."""


@dataclass(frozen=True)
class Garbage:
    """Answer bytes that are no HTTP, then close."""

    data: bytes = b"no such protocol\r\n\r\n"


@dataclass(frozen=True)
class Truncated:
    """Begin a 200 with a Content-Length of 1000, send `data` alone, then reset."""

    data: bytes = b'{"ok":'


Step = Answer | Reset | Hang | Garbage | Truncated


def patience(request: pytest.FixtureRequest) -> float:
    """Seconds to wait for an answer: few where a parameter of the test hangs.

    Elsewhere there is an answer, and on a busy machine it takes its time.
    """
    called = getattr(request.node, "callspec", None)
    return 0.3 if called is not None and repr(Hang()) in repr(called.params) else PATIENCE


Script = Sequence[Step] | Callable[[Recorded], Step | Awaitable[Step]]


class Provider:
    """The running server: `url` to point the connector at, `requests` as they came."""

    def __init__(self, script: Script) -> None:
        self.url = ""
        self.requests: list[Recorded] = []
        self.unexpected: list[Recorded] = []
        self._answer = script if callable(script) else None
        self._steps: list[Step] = [] if callable(script) else list(script)
        self._closing = asyncio.Event()
        self._changed = asyncio.Condition()

    async def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Recorded]:
        """Return the requests once there are `count`; raises asyncio.TimeoutError."""

        async def reached() -> None:
            async with self._changed:
                await self._changed.wait_for(lambda: len(self.requests) >= count)

        await asyncio.wait_for(reached(), timeout)
        return self.requests

    def check(self) -> None:
        """Raise AssertionError when more or fewer requests came than the list of steps says."""
        asked = [f"{r.method} {r.path}" for r in self.requests]
        assert not self.unexpected, f"more requests than steps, in all: {asked}"
        assert not self._steps, f"steps never asked for: {self._steps}; requests: {asked}"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        recorded = Recorded(
            request.method,
            request.path,
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        async with self._changed:
            self.requests.append(recorded)
            self._changed.notify_all()
        if self._answer is not None:
            step = self._answer(recorded)
            if inspect.isawaitable(step):
                step = await step
        elif self._steps:
            step = self._steps.pop(0)
        else:
            self.unexpected.append(recorded)
            return web.Response(status=418, text="the test has no step for this request")
        return await self._perform(step, request)

    async def _perform(self, step: Step, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return web.Response()
        if isinstance(step, Answer):
            if step.delay:
                await asyncio.wait(
                    [asyncio.ensure_future(self._closing.wait())], timeout=step.delay
                )
            if isinstance(step.body, bytes):
                return web.Response(status=step.status, body=step.body, headers=step.headers)
            text = step.body if isinstance(step.body, str) else json.dumps(step.body)
            kind = "text/plain" if isinstance(step.body, str) else "application/json"
            return web.Response(
                status=step.status, text=text, headers=step.headers, content_type=kind
            )
        if isinstance(step, Hang):
            await self._closing.wait()
        elif isinstance(step, Garbage):
            transport.write(step.data)
            transport.close()
        else:
            if isinstance(step, Truncated):
                head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
                transport.write(head + step.data)
            # A linger time of zero makes the close an RST instead of an orderly FIN.
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response()


@asynccontextmanager
async def provider(script: Script = ()) -> AsyncIterator[Provider]:
    """Run a `Provider` on a free loopback port; on a clean exit `Provider.check` is applied."""
    server = Provider(script)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        server.url = f"http://127.0.0.1:{port}"
        yield server
        server.check()
    finally:
        server._closing.set()
        await runner.cleanup()


def closed_url() -> str:
    """Return a loopback URL nobody listens on: connecting to it is refused."""
    return f"http://127.0.0.1:{free_port()}"
