"""Web chat: a WebSocket at ``/chat/{account}`` and the widget at ``/widget.js``.

Every frame is one JSON object in a text frame. From the visitor:

- ``hello`` {token: str | null, after: int, language: str} comes first. `after` is the
  order of the last message the page has;
- ``send`` {id, text}, ``choose`` {id, payload, title, of}, ``image`` {id, data: a data
  URL}. `id` is the page's own and is the same in every attempt;
- ``delivered`` and ``seen`` {id}: the message `id` and all that came before it.

To the visitor:

- ``welcome`` {token, title};
- ``message`` {id, order, at, content}: `content` as `bot.message.encode` writes it;
- ``ack`` {id}: stored. ``retry`` {id, after}: not stored, send it again after `after`
  seconds. ``refused`` {id, reason}: will never be taken; `reason` is one of `REFUSALS`;
- ``error`` {reason}: a frame that makes no sense; after several the connection ends.

A visitor is whoever holds the token, 192 random bits made here and kept by the page.
The conversation's user id is a hash of it, so that what stands in stores and logs
opens nothing, and no key has to be shared between gateways or survive a restart.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import logging
import re
import secrets
import time
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from bot.message import (
    Address,
    Choice,
    Content,
    Inbound,
    Media,
    Outbound,
    Profile,
    Receipt,
    ReceiptStatus,
    Text,
    clean,
    encode,
)
from connectors.base import Arrived, Capabilities, Connector, Host, Request
from connectors.errors import BadSignature

log = logging.getLogger(__name__)

WIDGET = Path(__file__).with_name("webchat_widget.js")

#: Reasons of a ``refused`` frame; the widget has words for each.
REFUSALS = ("empty", "too_long", "not_an_image", "image_too_big")

# What a visitor may send. Lengths are in characters, sizes in bytes.
TEXT_LIMIT = 4000
IMAGE_LIMIT = 512 * 1024
PAYLOAD_LIMIT = 1024
TITLE_LIMIT = 200
FRAME_LIMIT = 1024 * 1024

# Rates are (messages at once, messages a second).
VISITOR_RATE = (20, 2.0)
PEER_RATE = (200, 20.0)

CONNECTIONS_PER_VISITOR = 10
CONNECTIONS_PER_PEER = 100
CONNECTIONS = 10_000

# Times are in seconds.
HELLO_TIME = 10.0
HEARTBEAT = 25.0
CLOSE_TIME = 2.0
STORE_RETRY = 2.0
FEED_RETRY = 1.0

MALFORMED_FRAMES = 5
IGNORED_RETRIES = 100
REMEMBERED_SHOWN = 1000
REMEMBERED_RATES = 20_000

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
_DATA_URL = re.compile(r"data:image/[a-z+.-]{1,20};base64,")

# First bytes of what every browser shows in an <img>. SVG is left out: it can hold scripts.
_IMAGES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.S), "image/webp"),
)

_RECEIPTS: dict[str, ReceiptStatus] = {"delivered": "delivered", "seen": "read"}


class _Malformed(Exception):
    """A frame outside the protocol. The text is shown to its sender."""


class _Refused(Exception):
    """A message that will never be taken; the text is one of `REFUSALS`."""


@dataclass(frozen=True, slots=True)
class WebChatAccount:
    """One web chat.

    `origins` are the sites whose pages may embed it, as ``https://shop.example.com``;
    empty allows the gateway's own origin and loopback. Raises ValueError for anything
    that is not an origin, a wildcard among them.
    """

    account: str
    origins: tuple[str, ...] = ()
    title: str = "Support"
    api_url: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "origins", tuple(_origin(o) for o in self.origins))


class WebChat(Connector):
    """The connector of one web chat account, with the connections its visitors hold."""

    channel = "webchat"
    Account = WebChatAccount
    capabilities: ClassVar[Capabilities] = Capabilities(
        kinds_in=frozenset({"text", "choice", "media"}),
        kinds_out=frozenset({"text", "choices", "media", "location", "contact"}),
        text_limit=8000,
        text_unit="characters",
        caption_limit=4000,
        buttons=20,
        button_title=80,
        payload_limit=PAYLOAD_LIMIT,
        # Sending only makes visible what the store already holds: nothing to spare.
        rate=1000.0,
        grace=0.0,
    )

    def __init__(self, account: WebChatAccount) -> None:
        super().__init__(account)
        self._sessions: set[_Session] = set()
        self._visitors: Counter[str] = Counter()
        self._peers: Counter[str] = Counter()
        self._rates = _Rates()
        self._closing = False

    def routes(self, host: Host) -> list[web.AbstractRouteDef]:
        """Return the WebSocket's route and the widget's."""

        async def chat(request: web.Request) -> web.StreamResponse:
            return await self._chat(request, host)

        return [
            web.get(f"/chat/{self.account.account}", chat, allow_head=False),
            web.get("/widget.js", _widget),
        ]

    async def receive(self, request: Request) -> list[Arrived]:
        """Refuse: nobody but a forger posts to a webhook that no provider was given."""
        raise BadSignature("web chat has no webhook")

    async def send(self, outbound: Outbound) -> str:
        """Make a message visible, which it is once the store calls it sent: feeds read there."""
        return outbound.id

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        """Confirm every attempt: `send` cannot fail half-way."""
        return outbound.id

    async def identity(self) -> str:
        """Return what the account serves, and to whom."""
        pages = ", ".join(self.account.origins) or "this gateway's own pages and loopback"
        return f"web chat “{self.account.title}” at /chat/{self.account.account} for {pages}"

    async def close(self) -> None:
        """Take no more connections and end those there are (1001, the widget reconnects)."""
        self._closing = True
        ends = (s.end(WSCloseCode.GOING_AWAY, b"restarting") for s in tuple(self._sessions))
        await asyncio.gather(*ends, return_exceptions=True)

    async def _chat(self, request: web.Request, host: Host) -> web.StreamResponse:
        if not self._allowed(request, host):
            # Without this any page could open a chat in its visitors' name (cross-site
            # WebSocket hijacking); a missing Origin is no browser, or one that hides it.
            raise web.HTTPForbidden(text="this page may not use the chat; see `origins`\n")
        peer = _peer(request)
        if self._closing or len(self._sessions) >= CONNECTIONS:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        if peer and self._peers[peer] >= CONNECTIONS_PER_PEER:
            raise web.HTTPTooManyRequests(headers={"Retry-After": "30"})
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT,
            timeout=CLOSE_TIME,
            max_msg_size=FRAME_LIMIT,
            # Frames are small; deflate would cost 300 kB of memory a connection.
            compress=False,
        )
        session = _Session(self, host, socket, peer)
        self._sessions.add(session)
        self._peers[peer] += 1
        try:
            await socket.prepare(request)
            await session.run()
        finally:
            self._sessions.discard(session)
            _less(self._peers, peer)
        return socket

    def _allowed(self, request: web.Request, host: Host) -> bool:
        try:
            origin = _origin(request.headers.get("Origin", ""))
        except ValueError:
            return False
        if self.account.origins:
            return origin in self.account.origins
        # A proxy that ends TLS changes the scheme, and some rewrite Host: therefore the
        # host alone is compared, and the configured public URL counts as our own too.
        own = {_authority(f"http://{request.host}"), _authority(host.webhook_url)}
        return _authority(origin) in own - {""} or _is_loopback(urlsplit(origin).hostname or "")

    def enter(self, user: str) -> bool:
        """Count one more connection of a visitor; False when there are too many."""
        if self._visitors[user] >= CONNECTIONS_PER_VISITOR:
            return False
        self._visitors[user] += 1
        return True

    def leave(self, user: str) -> None:
        """Count one connection less."""
        _less(self._visitors, user)

    def wait(self, user: str, peer: str) -> float:
        """Return 0 when a message may be taken now, else after how many seconds."""
        rates = {f"visitor {user}": VISITOR_RATE}
        if peer:
            rates[f"peer {peer}"] = PEER_RATE
        return self._rates.take(rates)


class _Session:
    """One connection of one visitor."""

    def __init__(self, chat: WebChat, host: Host, socket: web.WebSocketResponse, peer: str):
        self._chat = chat
        self._host = host
        self._socket = socket
        self._peer = peer
        self._address = Address(chat.channel, chat.account.account, "")
        self._profile = Profile()
        self._malformed = 0
        self._hasty = 0
        # What this connection was shown and has not read: id -> delivered already.
        self._shown: OrderedDict[str, bool] = OrderedDict()

    async def end(self, code: int, reason: bytes) -> None:
        """Close the connection in order."""
        await self._socket.close(code=code, message=reason)

    async def run(self) -> None:
        """Serve the connection until it ends."""
        try:
            hello = await asyncio.wait_for(self._next(), HELLO_TIME)
            if hello is None:
                return
            token, after = self._greet(hello)
        except asyncio.TimeoutError:
            return await self.end(WSCloseCode.POLICY_VIOLATION, b"no hello in time")
        except _Malformed as error:
            await self._say({"type": "error", "reason": str(error)})
            return await self.end(WSCloseCode.POLICY_VIOLATION, b"no valid hello")
        user = self._address.user
        if not self._chat.enter(user):
            return await self.end(WSCloseCode.TRY_AGAIN_LATER, b"too many connections")
        feed: asyncio.Task[None] | None = None
        try:
            title = self._chat.account.title
            await self._say({"type": "welcome", "token": token, "title": title})
            feed = asyncio.create_task(self._feed(after))
            await self._read()
        finally:
            self._chat.leave(user)
            if feed is not None:
                feed.cancel()
                with suppress(asyncio.CancelledError):
                    await feed

    def _greet(self, hello: Mapping[str, Any]) -> tuple[str, int]:
        """Take the hello frame; return the visitor's token and where the feed goes on."""
        if hello.get("type") != "hello":
            raise _Malformed("the first frame must be hello")
        after = hello.get("after", 0)
        if type(after) is not int or not 0 <= after < 2**63:
            raise _Malformed("after must be the order of a message")
        token = hello.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            # Also for a token of another shape: whatever it is, it is not a visitor's.
            token, after = secrets.token_urlsafe(24), 0
        user = hashlib.sha256(token.encode()).hexdigest()[:32]
        self._address = Address(self._chat.channel, self._chat.account.account, user)
        language = hello.get("language")
        if isinstance(language, str) and _LANGUAGE.fullmatch(language):
            self._profile = Profile(language=language)
        return token, after

    async def _read(self) -> None:
        while self._malformed < MALFORMED_FRAMES and self._hasty < IGNORED_RETRIES:
            try:
                frame = await self._next()
                if frame is None:
                    return
                await self._take(frame)
            except _Malformed as error:
                self._malformed += 1
                await self._say({"type": "error", "reason": str(error)})
        await self.end(WSCloseCode.POLICY_VIOLATION, b"outside the protocol")

    async def _next(self) -> Mapping[str, Any] | None:
        """Return the next frame, None at the end of the connection. Raises _Malformed."""
        received = await self._socket.receive()
        if received.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
            return None
        if received.type is WSMsgType.ERROR:
            return None
        if received.type is not WSMsgType.TEXT:
            raise _Malformed("frames are text")
        try:
            frame = json.loads(received.data)
        except (ValueError, RecursionError):
            # RecursionError: a megabyte of opening brackets.
            raise _Malformed("frames are JSON") from None
        if not isinstance(frame, dict):
            raise _Malformed("frames are JSON objects")
        return frame

    async def _take(self, frame: Mapping[str, Any]) -> None:
        kind = frame.get("type")
        if kind in ("delivered", "seen"):
            return await self._receipt(_string(frame, "id"), _RECEIPTS[kind])
        read = _READERS.get(kind) if isinstance(kind, str) else None
        if read is None:
            raise _Malformed("unknown type of frame")
        id = _string(frame, "id")
        if not _CLIENT_ID.fullmatch(id):
            raise _Malformed("id must be 8 to 64 letters, digits or hyphens")
        wait = self._chat.wait(self._address.user, self._peer)
        if wait:
            self._hasty += 1
            return await self._say({"type": "retry", "id": id, "after": round(wait, 1)})
        try:
            content = read(frame)
        except _Refused as refusal:
            return await self._say({"type": "refused", "id": id, "reason": str(refusal)})
        # The visitor is part of the id: one page's ids cannot hide another's messages.
        inbound = Inbound(
            self._address, f"{self._address.user}.{id}", content, profile=self._profile
        )
        try:
            await self._host.accept([inbound])
        except Exception as error:
            # Whatever went wrong, it was not stored; the page keeps it and tries again.
            log.warning("%s: a message was not stored: %r", self._chat.name, error)
            return await self._say({"type": "retry", "id": id, "after": STORE_RETRY})
        self._hasty = 0
        await self._say({"type": "ack", "id": id})

    async def _receipt(self, id: str, status: ReceiptStatus) -> None:
        """Record that the message `id` and those before it arrived or were read.

        Only messages this connection was shown count: nobody can touch another's.
        """
        if id not in self._shown:
            return
        upto = []
        for shown, delivered in self._shown.items():
            if status == "read" or not delivered:
                upto.append(shown)
            if shown == id:
                break
        address = self._address
        receipts = [
            Receipt(address.channel, address.account, shown, status, ref=shown) for shown in upto
        ]
        if not receipts:
            return
        try:
            await self._host.accept(receipts)
        except Exception as error:
            log.warning("%s: %d receipts were not stored: %r", self._chat.name, len(upto), error)
            return
        for shown in upto:
            if status == "read":
                self._shown.pop(shown, None)
            elif shown in self._shown:
                self._shown[shown] = True

    async def _feed(self, after: int) -> None:
        """Show what is sent to the visitor, from `after` on, until cancelled."""
        while not self._socket.closed:
            try:
                async with aclosing(cast(Any, self._host.feed(self._address, after))) as feed:
                    async for sent in feed:
                        self._shown[sent.id] = False
                        if len(self._shown) > REMEMBERED_SHOWN:
                            self._shown.popitem(last=False)
                        await self._socket.send_json(
                            {
                                "type": "message",
                                "id": sent.id,
                                "order": sent.order,
                                "at": sent.at.isoformat(),
                                "content": encode(sent.content),
                            }
                        )
                        after = sent.order
            except ConnectionError:
                return
            except Exception as error:
                log.warning("%s: a feed broke and is begun anew: %r", self._chat.name, error)
            await asyncio.sleep(FEED_RETRY)

    async def _say(self, frame: Mapping[str, Any]) -> None:
        """Send a frame. One that comes too late for the visitor is no error."""
        with suppress(ConnectionError):
            await self._socket.send_json(frame)


class _Rates:
    """Token buckets by key. The least recently used are forgotten: by then they are full."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, rates: Mapping[str, tuple[int, float]]) -> float:
        """Take one from every bucket and return 0; or, taking none, the seconds to wait."""
        now = time.monotonic()
        left: dict[str, float] = {}
        wait = 0.0
        for key, (size, speed) in rates.items():
            tokens, then = self._buckets.get(key, (float(size), now))
            left[key] = min(float(size), tokens + (now - then) * speed)
            if left[key] < 1:
                wait = max(wait, (1 - left[key]) / speed, 0.1)
        for key, tokens in left.items():
            self._buckets[key] = (tokens if wait else tokens - 1, now)
            self._buckets.move_to_end(key)
        while len(self._buckets) > REMEMBERED_RATES:
            self._buckets.popitem(last=False)
        return wait


def _string(frame: Mapping[str, Any], name: str) -> str:
    value = frame.get(name)
    if not isinstance(value, str):
        raise _Malformed(f"{name} must be a string")
    return value


def _words(text: str, limit: int) -> str:
    """Return `text` cleaned. Raises _Refused when it is too long or shows nothing."""
    text = clean(text)
    if len(text) > limit:
        raise _Refused("too_long")
    # Separators, controls and invisible formatting. Not str.isprintable: that holds emoji
    # newer than this Python for unprintable.
    if all(unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc", "Cf") for c in text):
        raise _Refused("empty")
    return text


def _text(frame: Mapping[str, Any]) -> Content:
    return Text(_words(_string(frame, "text"), TEXT_LIMIT))


def _choice(frame: Mapping[str, Any]) -> Content:
    title, of = (_string(frame, name) if name in frame else "" for name in ("title", "of"))
    if len(title) > TITLE_LIMIT or len(of) > PAYLOAD_LIMIT:
        raise _Refused("too_long")
    return Choice(_words(_string(frame, "payload"), PAYLOAD_LIMIT), title, of)


def _image(frame: Mapping[str, Any]) -> Content:
    url = _string(frame, "data")
    start = _DATA_URL.match(url)
    if start is None:
        raise _Refused("not_an_image")
    try:
        data = base64.b64decode(url[start.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise _Refused("not_an_image") from None
    if len(data) > IMAGE_LIMIT:
        raise _Refused("image_too_big")
    # The bytes say what it is, not the sender.
    mime = next((mime for magic, mime in _IMAGES if magic.match(data)), "")
    if not mime:
        raise _Refused("not_an_image")
    url = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    return Media("image", url=url, mime=mime, size=len(data))


_READERS = {"send": _text, "choose": _choice, "image": _image}


def _origin(text: str) -> str:
    """Return an origin in the form browsers send it. Raises ValueError for anything else."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    plain = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in text)
    if parts.scheme not in ("http", "https") or not host or "*" in host or not plain:
        raise ValueError(f"{text!r} is not an origin such as https://shop.example.com")
    return f"{parts.scheme}://{_authority(text)}"


def _authority(url: str) -> str:
    """Return ``host`` or ``host:port`` of a URL, without a default port; "" without a host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError:
        return ""
    if ":" in host:
        host = f"[{host}]"
    return host if port in (None, 80, 443) else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _peer(request: web.Request) -> str:
    """Return whom to count connections and messages against, "" when that is unknown.

    A proxy on this host or network appends the address it saw to X-Forwarded-For, so
    only the last entry is its word; from elsewhere the header is anybody's and is
    ignored. A private peer without it may stand for everyone (a proxy, Docker's
    bridge) and is not counted. An IPv6 customer owns a /64 at least.
    """
    try:
        address = ip_address(request.remote or "")
        if not address.is_global:
            forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
            address = ip_address(forwarded.rpartition(",")[2].strip())
    except ValueError:
        return ""
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.version == 6:
        return str(ip_network((address, 64), strict=False))
    return str(address)


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


async def _widget(request: web.Request) -> web.StreamResponse:
    """Serve the widget to any site; FileResponse adds validators and answers 304."""
    return web.FileResponse(
        WIDGET,
        headers={
            "Content-Type": "text/javascript; charset=utf-8",
            "Cache-Control": "public, max-age=300",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )
