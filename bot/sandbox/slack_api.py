"""The Web API of the sandbox's Slack over HTTP: tokens, methods, faults.

https://docs.slack.dev/apis/web-api and https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.slack_call import Call, SlackError
from bot.sandbox.slack_chat import Chat
from bot.sandbox.slack_files import Files
from bot.sandbox.slack_links import Links
from bot.sandbox.slack_sender import Sender

Json = dict[str, Any]
Method = Callable[[Call], Awaitable[Json]]

CHANNEL = "slack"
_CONNECT = "apps.connections.open"
_SCOPES = (
    "channels:history,channels:join,channels:read,chat:write,chat:write.customize,commands,"
    "files:read,files:write,im:history,im:write,reactions:read,reactions:write,users:read"
)


class Api:
    """Answers the app. `tokens` are its bot token and its app-level token, "" for none."""

    def __init__(
        self,
        faults: Faults,
        tokens: tuple[str, str],
        methods: Mapping[str, Method],
        sender: Sender,
        chat: Chat,
        files: Files,
        links: Links,
    ) -> None:
        self._faults = faults
        self._bot_token, self._app_token = tokens
        self._methods = methods
        self._sender = sender
        self._chat = chat
        self._files = files
        self._links = links

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes under /slack."""
        return [
            web.route("*", "/slack/api/{method}", self._call),
            web.get("/slack/link/", self._sender.link),
            web.post("/slack/upload/v1/{key}", self._upload),
            web.get("/slack/files/{id}/{name}", self._download),
            web.get("/slack/files/{id}/download/{name}", self._download),
            web.post("/slack/response/{key:.+}", self._respond),
        ]

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]

        async def handle() -> web.Response:
            try:
                call = await Call.read(request)
                if name == _CONNECT:
                    return self._connect(call, request.method)
                self._allow(call.token, self._bot_token, self._app_token)
                method = self._methods.get(name)
                if method is None:
                    raise SlackError("unknown_method", req_method=name)
                answer = {"ok": True, **await method(call)}
            except SlackError as error:
                answer = error.answer
            return web.json_response(answer, headers={"X-OAuth-Scopes": _SCOPES})

        return await self._faults.call(request, CHANNEL, name, handle, _refuse)

    def _connect(self, call: Call, verb: str) -> web.Response:
        if verb != "POST":
            raise SlackError("insecure_request")
        # "Passing it as a POST parameter will result in an error": apps.connections.open.
        self._allow(call.header_token, self._app_token, self._bot_token)
        return web.json_response({"ok": True, "url": self._sender.ticket()})

    def _allow(self, given: str, right: str, of_other_kind: str) -> None:
        if not given:
            raise SlackError("not_authed")
        if _same(given, of_other_kind):
            raise SlackError("not_allowed_token_type")
        if not _same(given, right):
            raise SlackError("invalid_auth")

    async def _upload(self, request: web.Request) -> web.Response:
        return await self._faults.call(
            request, CHANNEL, "upload", lambda: self._files.upload(request), _refuse
        )

    async def _download(self, request: web.Request) -> web.Response:
        # A token in the query does not open files.
        token = Call({}, request.headers.get("Authorization", "")).token

        async def handle() -> web.Response:
            allowed = _same(token, self._bot_token)
            return self._files.download(request.match_info["id"], allowed=allowed)

        return await self._faults.call(request, CHANNEL, "download", handle, _refuse)

    async def _respond(self, request: web.Request) -> web.Response:
        async def handle() -> web.Response:
            try:
                call = await Call.read(request)
                self._chat.respond(self._links.respond(request.match_info["key"]), call)
            except SlackError as error:
                status = 404 if error.name.endswith("_url") else 200
                return web.json_response(error.answer, status=status)
            return web.json_response({"ok": True})

        return await self._faults.call(request, CHANNEL, "response", handle, _refuse)


def _same(given: str, right: str) -> bool:
    return bool(right) and secrets.compare_digest(
        given.encode("utf-8", "surrogatepass"), right.encode()
    )


def _refuse(status: int, retry_after: int) -> web.Response:
    if status == 429:
        body = {"ok": False, "error": "ratelimited"}
        return web.json_response(body, status=429, headers={"Retry-After": str(retry_after)})
    return web.json_response({"ok": False, "error": "internal_error"}, status=status)
