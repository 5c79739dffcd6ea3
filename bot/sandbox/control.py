"""The control API: what the page, and tests, do on the phones.

====== ======================= =========================================================
POST   /control/say            ``{channel, account?, user, name?}`` and what is said: see
                               below. ``count`` says it so many times, ``batch`` is a list
                               of these in one webhook request, with ``together`` false in
                               one each. Answers ``{id, ids}``.
POST   /control/files          the body is a file, sent as ``application/octet-stream``;
                               ``?name`` is what it is called. Answers ``{id, url, type,
                               mime, size, filename}``, of which the bytes decide
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
GET    /control/state          accounts, faults, gateway URL and whether it is up, what
                               customers of each channel can do, the shop's goods
GET    /control/events         WebSocket of changes
====== ======================= =========================================================

What is said is one of:

- ``content``: a content of `bot.message` as it is encoded, ``{"kind": "media", "type":
  "voice", "url": "/control/media/…"}``; the kinds are those of `Said`;
- ``raw``, the provider's own object;
- ``text``; ``payload`` with ``of``; ``image``, a data URL, with ``text``; ``location``
  {latitude, longitude}; ``emoji`` with ``of``; ``edit`` with ``of``; ``event`` (block,
  unblock): short forms of the commonest contents.

With it may go ``sent`` (ISO 8601 with a zone: when the customer claims to have written
it), ``reply_to``, ``album``, ``referral`` {source, ref, url, title, click} and ``copies``.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from bot.message import (
    EVENTS,
    Choice,
    Contact,
    Content,
    Deletion,
    Edit,
    Event,
    Location,
    Media,
    Order,
    OrderItem,
    Reaction,
    Referral,
    Text,
    decode,
    utcnow,
)
from bot.sandbox import asked
from bot.sandbox.credentials import ACCOUNT
from bot.sandbox.delivery import Push
from bot.sandbox.errors import BadRequest
from bot.sandbox.faults import Fault
from bot.sandbox.media import kind_of
from bot.sandbox.standin import DEEDS, Said, StandIn, World

_IMAGE_BYTES = 10 * 1024 * 1024
_COUNT = 1_000
_WHAT = ("text", "payload", "image", "location", "emoji", "edit", "event", "raw", "content")
_INBOUND = (
    *(Text, Choice, Media, Location, Contact, Reaction, Edit, Deletion, Order),
    Event,
)
# What the fields of each kind are.
_EXAMPLES: dict[type, Any] = {
    Text: Text(""),
    Choice: Choice(""),
    Media: Media("image"),
    Location: Location(0.0, 0.0),
    Contact: Contact(""),
    Reaction: Reaction(""),
    Edit: Edit("", ""),
    Deletion: Deletion(""),
    Order: Order(()),
    OrderItem: OrderItem("", 1),
    Event: Event(""),
}
_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list",
}
_MEDIA_TYPES = ("image", "audio", "voice", "video", "document", "sticker")
_DEGREES = ("latitude", "longitude")
_EVENTS = {"block": "blocked", "unblock": "unblocked"}
# A clock that is years off would only be refused later, and with less clear words.
_CLOCK = timedelta(days=366)
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")


class Control:
    """The control API over all stand-ins. `state` gives what the page starts with.

    `others` are the names of APIs that can have faults and are no channel's.
    """

    def __init__(
        self,
        world: World,
        stand_ins: Mapping[str, StandIn],
        state: Callable[[], dict[str, Any]],
        others: Sequence[str] = (),
    ) -> None:
        self.world = world
        self._stand_ins = stand_ins
        self._state = state
        self._others = others

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes under /control."""
        return [
            web.post("/control/say", asked.json_only(self._say)),
            web.post("/control/files", asked.bytes_only(self._upload)),
            web.post("/control/read", asked.json_only(self._read)),
            web.get("/control/messages", self._messages),
            web.delete("/control/messages", self._forget),
            web.get("/control/media/{id}", self._media),
            web.get("/control/faults", self._faults),
            web.post("/control/faults", asked.json_only(self._fault)),
            web.delete("/control/faults", self._lift),
            web.post("/control/raw", asked.json_only(self._raw)),
            web.get("/control/state", self._get_state),
            web.get("/control/events", self._events),
        ]

    def _stand_in(self, data: Mapping[str, Any]) -> StandIn:
        stand_in = self._stand_ins.get(str(data.get("channel", "")))
        if stand_in is None:
            raise BadRequest(f"channel must be one of {', '.join(self._stand_ins)}")
        return stand_in

    async def _say(self, request: web.Request) -> web.Response:
        data = await asked.body(request)
        stand_in = self._stand_in(data)
        batch = data.get("batch")
        if batch is not None:
            if not isinstance(batch, list) or not 1 <= len(batch) <= _COUNT:
                raise BadRequest(f"batch must be a list of 1 to {_COUNT}")
            if not all(isinstance(one, dict) for one in batch):
                raise BadRequest("each of the batch must be an object")
            said = [self._said({**data, **one}) for one in batch]
        else:
            said = [self._said(data)] * asked.whole(data, "count", 1, _COUNT)
        ids = stand_in.say(said, batch is not None and data.get("together") is not False)
        return web.json_response({"id": ids[0], "ids": ids})

    def _said(self, data: Mapping[str, Any]) -> Said:
        """Read what a customer does. Raises BadRequest naming the wrong field."""
        what = [key for key in _WHAT if data.get(key) is not None]
        # The caption of an image is its text.
        if len(what) != 1 and what != ["text", "image"]:
            raise BadRequest(f"say one of {', '.join(_WHAT)}; text may go with image")
        user = asked.text(data, "user")
        if not user:
            raise BadRequest("user is missing")
        raw = data.get("raw")
        if raw is not None and not isinstance(raw, dict):
            raise BadRequest("raw must be an object")
        content = None if raw is not None else self._content(what[-1], data)
        return Said(
            account=_account(data),
            user=user,
            name=asked.text(data, "name", "Customer"),
            raw=raw,
            copies=asked.whole(data, "copies", 1, 100),
            content=content,
            sent=_sent(data.get("sent")),
            reply_to=asked.text(data, "reply_to"),
            album=asked.text(data, "album"),
            referral=_referral(data.get("referral")),
            **self._short(content),
        )

    def _content(self, what: str, data: Mapping[str, Any]) -> Content:
        """Return what is said in the vocabulary, whichever way it was."""
        if what == "content":
            return _decoded(data["content"])
        of = asked.text(data, "of")
        if what == "text":
            text = asked.text(data, "text")
            if not text:
                raise BadRequest("text is empty")
            return Text(text)
        if what == "payload":
            return Choice(asked.text(data, "payload"), of=of)
        if what == "image":
            file = self.world.media.put(_image(data["image"]))
            size = len(file.data)
            return Media(
                "image", url=file.url, mime=file.mime, caption=asked.text(data, "text"), size=size
            )
        if what == "location":
            return Location(*_location(data["location"]))
        if what == "emoji":
            emoji = asked.text(data, "emoji")
            return Reaction(of, emoji, removed=not emoji)
        if what == "edit":
            return Edit(of, asked.text(data, "edit"))
        name = asked.text(data, "event")
        if name not in _EVENTS:
            raise BadRequest("event must be block or unblock")
        return Event(_EVENTS[name])

    def _short(self, content: Content | None) -> dict[str, Any]:
        """Return the short forms of a content, as far as there are any."""
        if isinstance(content, Text):
            return {"text": content.text}
        if isinstance(content, Choice):
            return {"payload": content.payload, "of": content.of}
        if isinstance(content, Media) and content.type == "image":
            return {"image": self.world.file(content).data, "text": content.caption}
        if isinstance(content, Location):
            return {"location": (content.latitude, content.longitude)}
        if isinstance(content, Reaction):
            return {"emoji": "" if content.removed else content.emoji, "of": content.of}
        if isinstance(content, Edit):
            return {"edit": content.text, "of": content.of}
        if isinstance(content, Event):
            words = {new: old for old, new in _EVENTS.items()}
            return {"event": words.get(content.name, content.name)}
        return {}

    async def _upload(self, request: web.Request) -> web.Response:
        data = await asked.upload(request)
        file = self.world.media.put(data, request.query.get("name", "")[:200])
        return web.json_response(
            {
                "id": file.id,
                "url": file.url,
                "type": file.type,
                "mime": file.mime,
                "size": len(file.data),
                "filename": file.filename,
            }
        )

    async def _read(self, request: web.Request) -> web.Response:
        data = await asked.body(request)
        self._stand_in(data).look(_account(data), asked.text(data, "user"))
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
        headers = {**asked.HARMLESS, "Accept-Ranges": "bytes"}
        if not file.mime.startswith(("image/", "audio/", "video/")):
            headers["Content-Disposition"] = "attachment"
        # Players ask for parts, and cannot go back in what they cannot ask for.
        part = _RANGE.fullmatch(request.headers.get("Range", ""))
        first = int(part[1]) if part else len(file.data)
        last = min(int((part and part[2]) or len(file.data)), len(file.data) - 1)
        if first > last:
            return web.Response(body=file.data, content_type=file.mime, headers=headers)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(file.data)}"
        body = file.data[first : last + 1]
        return web.Response(status=206, body=body, content_type=file.mime, headers=headers)

    async def _faults(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": self.world.faults.plain()})

    async def _fault(self, request: web.Request) -> web.Response:
        fault = Fault.parse(await asked.body(request), (*self._stand_ins, *self._others))
        self.world.faults.add(fault)
        return await self._faults(request)

    async def _lift(self, request: web.Request) -> web.Response:
        self.world.faults.clear(request.query.get("channel", ""), request.query.get("kind", ""))
        return await self._faults(request)

    async def _raw(self, request: web.Request) -> web.Response:
        data = await asked.body(request)
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


def _selection(request: web.Request) -> tuple[str, str, str]:
    query = request.query
    return query.get("channel", ""), query.get("account", ""), query.get("user", "")


def _account(data: Mapping[str, Any]) -> str:
    return asked.text(data, "account", ACCOUNT)


def _decoded(given: Any) -> Content:
    """Read an encoded content that a customer can send, every field of it."""
    if not isinstance(given, dict):
        raise BadRequest("content must be an object")
    # A whole number of degrees is one, too.
    given = {k: float(v) if type(v) is int and k in _DEGREES else v for k, v in given.items()}
    try:
        content = decode(given)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadRequest(f"content cannot be read: {error}") from None
    if not isinstance(content, _INBOUND):
        kinds = ", ".join(c.kind for c in _INBOUND)
        raise BadRequest(f"customers do not send {content.kind}, but {kinds}")
    _check(content)
    if isinstance(content, Text) and not content.text:
        raise BadRequest("text is empty")
    if isinstance(content, Media) and content.type not in _MEDIA_TYPES:
        raise BadRequest(f"content's type must be one of {', '.join(_MEDIA_TYPES)}")
    if isinstance(content, Location):
        _location({"latitude": content.latitude, "longitude": content.longitude})
    if isinstance(content, Event) and content.name not in DEEDS.intersection(EVENTS):
        raise BadRequest(f"customers do not do {content.name[:40]!r}")
    if isinstance(content, Order) and not content.items:
        raise BadRequest("an order has at least one item")
    return content


def _check(value: Any) -> None:
    """Raise BadRequest for a field that holds what its kind does not."""
    for field in fields(value):
        held = getattr(value, field.name)
        wanted = type(getattr(_EXAMPLES[type(value)], field.name))
        # True is an int in Python, and no quantity.
        if not isinstance(held, wanted) or (wanted is int and isinstance(held, bool)):
            raise BadRequest(f"content's {field.name} must be {_WORDS[wanted.__name__]}")
        for part in held if wanted is tuple else ():
            if type(part) in _EXAMPLES:
                _check(part)
            elif not isinstance(part, str):
                raise BadRequest(f"content's {field.name} must be a list of strings")


def _sent(given: Any) -> datetime | None:
    if given is None:
        return None
    try:
        sent = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except ValueError:
        raise BadRequest("sent must be a time of ISO 8601") from None
    if sent.tzinfo is None:
        raise BadRequest("sent must have a time zone")
    if abs(sent - utcnow()) > _CLOCK:
        raise BadRequest("sent must be within a year of now")
    return sent


def _referral(given: Any) -> Referral | None:
    if given is None:
        return None
    names = {field.name for field in fields(Referral)}
    if (
        not isinstance(given, dict)
        or not {"source"} <= set(given) <= names
        or not all(isinstance(value, str) for value in given.values())
    ):
        raise BadRequest(f"referral must be of strings: {', '.join(sorted(names))}")
    return Referral(**given)


def _image(given: Any) -> bytes:
    """Read a data URL of a picture."""
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


def _location(given: Any) -> tuple[float, float]:
    try:
        latitude, longitude = (float(given[k]) for k in ("latitude", "longitude"))
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("location must have latitude and longitude") from error
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise BadRequest("latitude must be within 90, longitude within 180 degrees")
    return latitude, longitude
