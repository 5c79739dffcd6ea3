"""The control API: what the page, and tests, do on the phones.

====== ======================= =========================================================
POST   /control/say            ``{channel, account?, user, name?}`` and what is said: see
                               `bot.sandbox.standin.Said`; ``image`` is a data URL,
                               ``count`` says it so many times, ``batch`` is a list of
                               these in one webhook request. Answers ``{id, ids}``.
POST   /control/read           ``{channel, account?, user}``: the customer looks
GET    /control/messages       ``?channel&account&user``: ``{messages: […]}`` in order
DELETE /control/messages       forgets them
GET    /control/media/{id}     a file on a phone
GET    /control/faults         the faults in force
POST   /control/faults         see `bot.sandbox.faults.Fault`
DELETE /control/faults         ``?channel&kind`` lifts them
POST   /control/raw            ``{channel, account?, body, signature?: right|wrong|none}``:
                               posts any body to the gateway and answers
                               ``{status, body}``; a body that is no string goes as JSON
GET    /control/state          accounts, faults, gateway URL and whether it is up
GET    /control/events         WebSocket of changes
====== ======================= =========================================================
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from bot.sandbox.credentials import ACCOUNT
from bot.sandbox.delivery import Push
from bot.sandbox.errors import BadRequest, Overfull
from bot.sandbox.faults import Fault
from bot.sandbox.media import kind_of
from bot.sandbox.standin import Said, StandIn, World

_IMAGE_BYTES = 10 * 1024 * 1024
_COUNT = 1_000
_WHAT = ("text", "payload", "image", "location", "emoji", "edit", "event", "raw")

Handler = Callable[[web.Request], Any]


class Control:
    """The control API over all stand-ins. `state` gives what the page starts with."""

    def __init__(
        self,
        world: World,
        stand_ins: Mapping[str, StandIn],
        state: Callable[[], dict[str, Any]],
    ) -> None:
        self.world = world
        self._stand_ins = stand_ins
        self._state = state

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes under /control."""
        return [
            web.post("/control/say", _json_only(self._say)),
            web.post("/control/read", _json_only(self._read)),
            web.get("/control/messages", self._messages),
            web.delete("/control/messages", self._forget),
            web.get("/control/media/{id}", self._media),
            web.get("/control/faults", self._faults),
            web.post("/control/faults", _json_only(self._fault)),
            web.delete("/control/faults", self._lift),
            web.post("/control/raw", _json_only(self._raw)),
            web.get("/control/state", self._get_state),
            web.get("/control/events", self._events),
        ]

    def _stand_in(self, data: Mapping[str, Any]) -> StandIn:
        stand_in = self._stand_ins.get(str(data.get("channel", "")))
        if stand_in is None:
            raise BadRequest(f"channel must be one of {', '.join(self._stand_ins)}")
        return stand_in

    async def _say(self, request: web.Request) -> web.Response:
        data = await _body(request)
        stand_in = self._stand_in(data)
        batch = data.get("batch")
        if batch is not None:
            if not isinstance(batch, list) or not 1 <= len(batch) <= _COUNT:
                raise BadRequest(f"batch must be a list of 1 to {_COUNT}")
            if not all(isinstance(one, dict) for one in batch):
                raise BadRequest("each of the batch must be an object")
            said = [_said({**data, **one}) for one in batch]
        else:
            said = [_said(data)] * _whole(data, "count", 1, _COUNT)
        ids = stand_in.say(said, batch is not None)
        return web.json_response({"id": ids[0], "ids": ids})

    async def _read(self, request: web.Request) -> web.Response:
        data = await _body(request)
        self._stand_in(data).look(_account(data), _text(data, "user"))
        return web.json_response({})

    async def _messages(self, request: web.Request) -> web.Response:
        entries = self.world.ledger.select(*_selection(request))
        return web.json_response({"messages": [entry.plain() for entry in entries]})

    async def _forget(self, request: web.Request) -> web.Response:
        return web.json_response({"cleared": self.world.ledger.clear(*_selection(request))})

    async def _media(self, request: web.Request) -> web.Response:
        file = self.world.media.get(request.match_info["id"])
        if file is None:
            raise web.HTTPNotFound
        headers = {
            # Whatever was sent, the browser must not run it in this origin.
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        if not file.mime.startswith("image/"):
            headers["Content-Disposition"] = "attachment"
        return web.Response(body=file.data, content_type=file.mime, headers=headers)

    async def _faults(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": self.world.faults.plain()})

    async def _fault(self, request: web.Request) -> web.Response:
        fault = Fault.parse(await _body(request), tuple(self._stand_ins))
        self.world.faults.add(fault)
        return await self._faults(request)

    async def _lift(self, request: web.Request) -> web.Response:
        self.world.faults.clear(request.query.get("channel", ""), request.query.get("kind", ""))
        return await self._faults(request)

    async def _raw(self, request: web.Request) -> web.Response:
        data = await _body(request)
        stand_in = self._stand_in(data)
        signature = str(data.get("signature", "right"))
        if signature not in ("right", "wrong", "none"):
            raise BadRequest("signature must be right, wrong or none")
        given = data.get("body", "")
        # Lone surrogates, which JSON can spell, go out as the bytes a careless peer would send.
        body = (given if isinstance(given, str) else json.dumps(given)).encode(
            "utf-8", "surrogatepass"
        )
        account = _account(data)
        headers = {
            "Content-Type": "application/json",
            **stand_in.sign(account, body, signature),
        }
        push = Push(stand_in.webhook_url(account), headers, body)
        try:
            status, text = await self.world.delivery.post(push)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            reason = f"no answer from the gateway: {type(error).__name__}"
            return web.json_response({"error": reason}, status=502)
        return web.json_response({"status": status, "body": text})

    async def _get_state(self, request: web.Request) -> web.Response:
        return web.json_response(self._state())

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        with self.world.ledger.listen() as queue:
            await socket.send_json({"event": "state", **self._state()})
            sender = asyncio.create_task(_forward(queue, socket))
            try:
                # Nothing is expected from the page; reading answers its close and pings.
                async for _ in socket:
                    continue
            finally:
                sender.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await sender
        return socket


async def _forward(
    queue: asyncio.Queue[dict[str, Any] | None], socket: web.WebSocketResponse
) -> None:
    while True:
        event = await queue.get()
        if event is None:
            await socket.close(code=1013, message=b"too slow")
            return
        await socket.send_json(event)


def _json_only(handler: Handler) -> Handler:
    """Refuse other content types: a form of another web site cannot send JSON as such."""

    async def checked(request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return web.json_response({"error": "send application/json"}, status=415)
        try:
            response: web.StreamResponse = await handler(request)
        except BadRequest as error:
            return web.json_response({"error": str(error)}, status=400)
        except Overfull as error:
            return web.json_response({"error": str(error)}, status=503)
        return response

    return checked


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        data = await request.json()
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(data, dict):
        raise BadRequest("the body must be an object")
    return data


def _selection(request: web.Request) -> tuple[str, str, str]:
    query = request.query
    return query.get("channel", ""), query.get("account", ""), query.get("user", "")


def _text(data: Mapping[str, Any], key: str, default: str = "") -> str:
    value = data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadRequest(f"{key} must be a string")
    return str(value)


def _account(data: Mapping[str, Any]) -> str:
    return _text(data, "account", ACCOUNT)


def _whole(data: Mapping[str, Any], key: str, least: int, most: int) -> int:
    value = data.get(key, least)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadRequest(f"{key} must be an integer from {least} to {most}")
    return value


def _said(data: Mapping[str, Any]) -> Said:
    what = [key for key in _WHAT if data.get(key) is not None]
    # The caption of an image is its text.
    if len(what) != 1 and what != ["text", "image"]:
        raise BadRequest(f"say one of {', '.join(_WHAT)}; text may go with image")
    user = _text(data, "user")
    if not user:
        raise BadRequest("user is missing")
    raw = data.get("raw")
    if raw is not None and not isinstance(raw, dict):
        raise BadRequest("raw must be an object")
    text = _text(data, "text")
    if what == ["text"] and not text:
        raise BadRequest("text is empty")
    optional = {k: _text(data, k) for k in ("payload", "emoji", "edit") if data.get(k) is not None}
    return Said(
        account=_account(data),
        user=user,
        name=_text(data, "name", "Customer"),
        text=text,
        of=_text(data, "of"),
        image=_image(data.get("image")),
        location=_location(data.get("location")),
        event=_text(data, "event"),
        raw=raw,
        copies=_whole(data, "copies", 1, 100),
        **optional,
    )


def _image(given: Any) -> bytes | None:
    """Read a data URL of a picture."""
    if given is None:
        return None
    head, _, encoded = given.partition(",") if isinstance(given, str) else ("", "", "")
    if not head.startswith("data:") or not head.endswith(";base64"):
        raise BadRequest("image must be a base64 data URL")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("image is not base64") from error
    if not kind_of(data)[0].startswith("image/"):
        raise BadRequest("image must be a PNG, JPEG, GIF or WebP")
    if len(data) > _IMAGE_BYTES:
        raise BadRequest("image must be at most 10 MiB")
    return data


def _location(given: Any) -> tuple[float, float] | None:
    if given is None:
        return None
    try:
        latitude, longitude = (float(given[k]) for k in ("latitude", "longitude"))
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("location must have latitude and longitude") from error
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise BadRequest("latitude must be within 90, longitude within 180 degrees")
    return latitude, longitude
