"""Slack on loopback for the tests of the door: its Web API, Socket Mode, and signed requests.

The shapes are those of docs.slack.dev (Events API, interaction payloads, slash commands).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, BOT, BOT_ID, APP = "T0LARK", "U0BOT", "B0BOT", "A0DESK"
DESK = "C0DESK"


def signed(body: str | bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The two headers; see docs.slack.dev/authentication/verifying-requests-from-slack."""
    body = body.encode() if isinstance(body, str) else body
    stamp = str(int(time.time() if at is None else at))
    base = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def callback(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The envelope of the Events API around an event."""
    return {
        "token": "XXYYZZ",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{event.get('event_ts', '')}",
        "event_time": 1515449522,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-eyJldCI6Im1lc3NhZ2UifQ",
        **more,
    }


def message(text: str, ts: str, thread: str = "", **more: Any) -> dict[str, Any]:
    """A message event of a person in the desk's channel."""
    event = {
        "user": "U0ANNA",
        "type": "message",
        "ts": ts,
        "client_msg_id": "a1b2c3d4",
        "text": text,
        "team": TEAM,
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": []}],
        "channel": DESK,
        "event_ts": ts,
        "channel_type": "channel",
    }
    if thread:
        event |= {"thread_ts": thread, "parent_user_id": BOT}
    return {**event, **more}


def changed(before: dict[str, Any], **now: Any) -> dict[str, Any]:
    """The event of a message that is otherwise now."""
    inner = {k: v for k, v in before.items() if k not in ("channel", "event_ts", "channel_type")}
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": {**inner, **now, "source_team": TEAM, "user_team": TEAM},
        "previous_message": inner,
        "channel": DESK,
        "hidden": True,
        "ts": "1700000900.000100",
        "event_ts": "1700000900.000100",
        "channel_type": "channel",
    }


def deleted(before: dict[str, Any]) -> dict[str, Any]:
    """The event of a message that was deleted."""
    inner = {k: v for k, v in before.items() if k not in ("channel", "event_ts", "channel_type")}
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": inner,
        "channel": DESK,
        "hidden": True,
        "deleted_ts": before["ts"],
        "ts": "1700000901.000100",
        "event_ts": "1700000901.000100",
        "channel_type": "channel",
    }


def press(action: dict[str, Any], thread: str, trigger: str, **more: Any) -> dict[str, Any]:
    """A block_actions payload of a button or menu on the card."""
    return {
        "type": "block_actions",
        "user": {"id": "U0ANNA", "username": "anna", "name": "anna", "team_id": TEAM},
        "api_app_id": APP,
        "token": "XXYYZZ",
        "container": {
            "type": "message",
            "message_ts": thread,
            "channel_id": DESK,
            "is_ephemeral": False,
        },
        "trigger_id": trigger,
        "team": {"id": TEAM, "domain": "larkfield"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": DESK, "name": "desk"},
        "message": {"bot_id": BOT_ID, "type": "message", "text": "card", "user": BOT, "ts": thread},
        "state": {"values": {}},
        "response_url": "https://hooks.slack.com/actions/T0LARK/1/x",
        "actions": [{"action_ts": "1700000500.100000", **action}],
        **more,
    }


def form_body(payload: dict[str, Any]) -> str:
    """An interaction payload as it is posted."""
    return urlencode({"payload": json.dumps(payload)})


class SlackApi:
    """Answers Web API calls, `answers` first; keeps them in `calls`; serves Socket Mode."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.sockets: list[web.WebSocketResponse] = []
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.tokens: list[str] = []

    def called(self, method: str) -> list[dict[str, Any]]:
        """Return the arguments of the calls of a method."""
        return [args for name, args in self.calls if name == method]

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        raw = await request.text()
        args: dict[str, Any] = json.loads(raw) if raw.startswith("{") else {}
        args = (
            args
            or dict(request.query)
            or {name: str(value) for name, value in (await request.post()).items()}
        )
        self.calls.append((method, args))
        self.tokens.append(request.headers.get("Authorization", ""))
        answer = self.answers.get(method)
        if callable(answer):
            answer = answer(args)
        if answer is None:
            answer = self._usual(method, args)
        status = answer.pop("status", 200) if isinstance(answer, dict) else 200
        return web.json_response(answer, status=status)

    def _usual(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        if method == "auth.test":
            return {"ok": True, "team_id": TEAM, "user_id": BOT, "bot_id": BOT_ID, "user": "desk"}
        if method == "users.info":
            names = {"U0BEN": "Ben Okafor", "U0ZOE": "Zoe Marsh"}
            name = names.get(str(args["user"]))
            if name is None:
                return {"ok": False, "error": "user_not_found"}
            profile = {"real_name": name, "display_name": name}
            return {"ok": True, "user": {"id": args["user"], "team_id": TEAM, "profile": profile}}
        if method == "conversations.members":
            return {"ok": True, "members": ["U0ZOE", BOT], "response_metadata": {"next_cursor": ""}}
        if method == "apps.connections.open":
            return {"ok": True, "url": self.url.replace("http", "ws") + f"/link/{len(self.calls)}"}
        return {"ok": True, "ts": "1700000999.000100"}

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1})
        async for said in socket:
            await self.received.put(json.loads(said.data))
        return socket

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[SlackApi]:
        """Listen on a free port of loopback."""
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/link/{n}", self._link)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            for socket in self.sockets:
                await socket.close()
            await runner.cleanup()
