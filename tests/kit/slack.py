"""Slack's Web API on loopback: keeps channels and threads, refuses what Block Kit would.

    async with slack() as server:
        client = SlackClient(server.account())
    assert server.said("C1") == [...]

`faults` are used up in order, each by the next request to its method: what becomes of one is
answered instead of, or after, doing it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.settings import SlackAccount
from tests.kit.blockkit import MOST, problems, total

TOKEN = "xoxb-of-the-tests"


@dataclass(frozen=True)
class Limit:
    """429 with Retry-After, in seconds."""

    after: float = 1.0


@dataclass(frozen=True)
class Status:
    """An HTTP status with a body that is no JSON; with `taken` it was done first."""

    status: int = 500
    taken: bool = False


@dataclass(frozen=True)
class Drop:
    """The connection is reset without an answer; with `taken` it was done first."""

    taken: bool


@dataclass(frozen=True)
class No:
    """``ok: false`` with an error's name."""

    error: str


@dataclass(frozen=True)
class Hang:
    """No answer while the server lives; with `taken` it was done first."""

    taken: bool = False


Fault = Limit | Status | Drop | No | Hang


@dataclass
class Posted:
    """A message there is. `thread` is "" for one in the channel itself."""

    ts: str
    thread: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    reactions: list[str] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    broadcast: bool = False
    tombstone: bool = False

    def shown(self, metadata: bool) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "message", "ts": self.ts, "text": self.text}
        if self.thread:
            told["thread_ts"] = self.thread
        if self.tombstone:
            told |= {"subtype": "tombstone", "text": "This message was deleted."}
        if self.files:
            told["files"] = self.files
        if metadata and self.metadata:
            told["metadata"] = self.metadata
        return told


class Slack:
    """The server. `calls` are (method, arguments) as they arrived, `channels` what is there,
    `whispers` what was shown to one person alone.

    `before` is awaited at each request, with the method and its arguments. With `strays` a reply
    to what is gone is put into the channel itself, as Slack does in some cases.
    """

    def __init__(self) -> None:
        self.url = ""
        self.channels: dict[str, list[Posted]] = {"C1": [], "C2": []}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[tuple[str, Fault]] = []
        self.uploads: dict[str, bytes] = {}
        self.whispers: list[dict[str, Any]] = []
        self.before: Callable[[str, dict[str, Any]], Awaitable[None]] | None = None
        self.down = False
        self.strays = False
        self._number = 0
        self._closing = asyncio.Event()

    def account(self, name: str = "desk", channel: str = "C1") -> SlackAccount:
        return SlackAccount(name, TOKEN, "secret", channel, api_url=self.url)

    def said(self, channel: str = "C1", thread: str = "") -> list[str]:
        """The texts in a thread, or of the messages in the channel itself."""
        return [m.text for m in self.channels[channel] if m.thread == thread and not m.tombstone]

    def roots(self, channel: str = "C1") -> list[Posted]:
        return [m for m in self.channels[channel] if not m.thread and not m.tombstone]

    def thread(self, root: Posted, channel: str = "C1") -> list[Posted]:
        return [m for m in self.channels[channel] if m.thread == root.ts]

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [args for name, args in self.calls if name == method]

    def delete(self, ts: str, channel: str = "C1") -> None:
        """Do as somebody who deletes a message: one with replies leaves a tombstone."""
        found = next(m for m in self.channels[channel] if m.ts == ts)
        if any(m.thread == ts for m in self.channels[channel]):
            found.tombstone = True
        else:
            self.channels[channel].remove(found)

    # The methods. Each returns its answer, or the name of an error.

    def _next_ts(self) -> str:
        self._number += 1
        return f"{time.time():.6f}"[:-3] + f"{self._number:03d}"

    def _find(self, args: dict[str, Any], name: str = "ts") -> Posted | None:
        there = self.channels.get(str(args.get("channel")), [])
        return next((m for m in there if m.ts == args.get(name) and not m.tombstone), None)

    def do_chat_postMessage(self, args: dict[str, Any]) -> dict[str, Any] | str:
        if args["channel"] not in self.channels:
            return "channel_not_found"
        if not args.get("text") and not args.get("blocks"):
            return "no_text"
        if len(args.get("text") or "") > 40000:
            return "msg_too_long"
        if error := _wrong(args):
            return error
        root = next(
            (m for m in self.channels[args["channel"]] if m.ts == args.get("thread_ts")), None
        )
        stray = self.strays and (root is None or root.tombstone)
        posted = Posted(
            self._next_ts(),
            # Slack takes replies to messages that are gone.
            "" if stray else args.get("thread_ts") or "",
            args.get("text") or "",
            args.get("blocks") or [],
            args.get("metadata"),
            broadcast=bool(args.get("reply_broadcast")),
        )
        self.channels[args["channel"]].append(posted)
        return {"channel": args["channel"], "ts": posted.ts, "message": posted.shown(False)}

    def do_chat_update(self, args: dict[str, Any]) -> dict[str, Any] | str:
        found = self._find(args)
        if found is None:
            return "message_not_found"
        if error := _wrong(args):
            return error
        found.text, found.blocks = args["text"], args.get("blocks") or []
        return {"ts": found.ts}

    def do_chat_postEphemeral(self, args: dict[str, Any]) -> dict[str, Any] | str:
        if args["channel"] not in self.channels:
            return "channel_not_found"
        if error := _wrong(args):
            return error
        self.whispers.append(args)
        return {"message_ts": self._next_ts()}

    def do_chat_delete(self, args: dict[str, Any]) -> dict[str, Any] | str:
        found = self._find(args)
        if found is None:
            return "message_not_found"
        self.delete(found.ts, args["channel"])
        return {"ts": found.ts}

    def do_reactions_add(self, args: dict[str, Any]) -> dict[str, Any] | str:
        found = self._find(args, "timestamp")
        if found is None:
            return "message_not_found"
        if args["name"] in found.reactions:
            return "already_reacted"
        found.reactions.append(args["name"])
        return {}

    def _page(self, args: dict[str, Any], rows: list[Posted]) -> dict[str, Any]:
        size, start = min(int(args.get("limit") or 100), 3), int(args.get("cursor") or 0)
        since = float(args.get("oldest") or 0)
        rows = [m for m in rows if float(m.ts) >= since or m.ts == args.get("ts")]
        metadata = str(args.get("include_all_metadata")).lower() in ("1", "true")
        more = start + size < len(rows)
        return {
            "messages": [m.shown(metadata) for m in rows[start : start + size]],
            "response_metadata": {"next_cursor": str(start + size) if more else ""},
        }

    def do_conversations_replies(self, args: dict[str, Any]) -> dict[str, Any] | str:
        there = self.channels.get(str(args["channel"]), [])
        rows = [m for m in there if args["ts"] in (m.ts, m.thread)]
        if not any(m.ts == args["ts"] for m in rows):
            return "thread_not_found"
        return self._page(args, rows)

    def do_conversations_history(self, args: dict[str, Any]) -> dict[str, Any] | str:
        if args["channel"] not in self.channels:
            return "channel_not_found"
        rows = [m for m in self.channels[args["channel"]] if not m.thread or m.broadcast]
        return self._page(args, rows[::-1])

    def do_chat_getPermalink(self, args: dict[str, Any]) -> dict[str, Any] | str:
        if self._find(args, "message_ts") is None:
            return "message_not_found"
        ts = args["message_ts"].replace(".", "")
        return {"permalink": f"https://shop.slack.com/archives/{args['channel']}/p{ts}"}

    def do_files_getUploadURLExternal(self, args: dict[str, Any]) -> dict[str, Any] | str:
        self._number += 1
        id = f"F{self._number:04d}"
        return {"upload_url": f"{self.url}/upload/{id}", "file_id": id}

    def do_files_completeUploadExternal(self, args: dict[str, Any]) -> dict[str, Any] | str:
        files = args["files"]
        files = json.loads(files) if isinstance(files, str) else files
        if any(file["id"] not in self.uploads for file in files):
            return "file_not_found"
        posted = Posted(self._next_ts(), args.get("thread_ts") or "", "", files=files)
        self.channels[args["channel_id"]].append(posted)
        return {"files": files}

    def do_users_info(self, args: dict[str, Any]) -> dict[str, Any] | str:
        return {"user": {"id": args["user"], "real_name": "Anna"}}

    # HTTP.

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.content_type == "application/json":
            args = await request.json()
        else:
            args = {**request.query, **(await request.post())}
        args = {name: value for name, value in args.items() if value is not None}
        self.calls.append((method, args))
        if self.before is not None:
            await self.before(method, args)
        if self.down:
            return self._reset(request)
        fault = self._fault(method)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if isinstance(fault, Limit):
            headers = {"Retry-After": f"{fault.after:g}"}
            answer = {"ok": False, "error": "ratelimited"}
            return web.json_response(answer, status=429, headers=headers)
        if isinstance(fault, No):
            return web.json_response({"ok": False, "error": fault.error})
        if fault is not None and not fault.taken:
            return await self._fail(request, fault)
        do = getattr(self, f"do_{method.replace('.', '_')}", None)
        answer = do(args) if do is not None else "unknown_method"
        if fault is not None:
            return await self._fail(request, fault)
        if isinstance(answer, str):
            return web.json_response({"ok": False, "error": answer})
        return web.json_response({"ok": True, **answer})

    def _fault(self, method: str) -> Fault | None:
        for at, (name, fault) in enumerate(self.faults):
            if name in (method, "*"):
                del self.faults[at]
                return fault
        return None

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if isinstance(fault, Status):
            return web.Response(status=fault.status, text="<html>oops</html>")
        if isinstance(fault, Hang):
            await self._closing.wait()
        return self._reset(request)

    @staticmethod
    def _reset(request: web.Request) -> web.Response:
        transport = request.transport
        if transport is None:
            return web.Response()
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return web.Response()

    async def _upload(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        self.uploads[request.match_info["id"]] = await request.read()
        return web.Response(text="OK")

    async def _download(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPFound("/login")
        return web.Response(body=b"picture", content_type="image/png")


def _wrong(args: dict[str, Any]) -> str:
    blocks = args.get("blocks") or []
    if total(blocks) > MOST:
        return "msg_blocks_too_long"
    return "invalid_blocks" if problems(blocks) else ""


@asynccontextmanager
async def slack() -> AsyncIterator[Slack]:
    """Run a `Slack` on a free loopback port."""
    server = Slack()
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_route("*", "/api/{method}", server._handle)
    app.router.add_post("/upload/{id}", server._upload)
    app.router.add_get("/files/{name}", server._download)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        server._closing.set()
        await runner.cleanup()
