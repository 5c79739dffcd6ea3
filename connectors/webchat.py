"""Web chat: a WebSocket at ``/chat/{account}``, files beside it, the widget at ``/widget.js``.

Every frame is one JSON object in a text frame. From the visitor:

- ``hello`` {token: str | null, after: int, language?: str, page?: str, page_title?: str}
  comes first. `after` is the order of the last message the page has; `page` is the URL the
  chat is on, of which only the path and what tells where the visitor came from is kept;
- ``send`` {id, text}, ``choose`` {id, payload, title, of}, ``location`` {id, latitude,
  longitude}, ``contact`` {id, name, phones, emails}, ``image`` {id, data: a data URL, for
  clients that cannot post}. `id` is the page's own and is the same in every attempt; each
  may have `reply_to`, the message it quotes;
- ``edit`` {id, of, text} and ``delete`` {id, of} of an own message, ``react`` {id, of,
  emoji, removed} on any;
- ``delivered`` and ``seen`` {id}: the message `id` and all that came before it.

To the visitor:

- ``welcome`` {token, title};
- ``message`` {id, order, at, content, styled, answers?, agent?}: `content` as
  `bot.message.encode` writes it. `styled` has, for its ``text`` and ``caption`` where they
  are formatted, {words, marks: [{start, end, style, url}]} as `connectors.markup.entities`
  reads them, offsets in code points. `answers` is the visitor's own message it is the
  answer to, `agent` the person who wrote it;
- ``ack`` {id}: stored. ``retry`` {id, after}: not stored, send it again after `after`
  seconds. ``refused`` {id, reason}: will never be taken; `reason` is one of `REFUSALS`;
- ``error`` {reason, id?}: a frame that makes no sense; after several the connection ends.

A visitor's own messages are named by his ids, the bot's by theirs; these hold a colon.

A file is posted to ``/chat/{account}/files``: the file is the body, ``Authorization:
Bearer TOKEN`` is the visitor's and ``X-Chat-Message`` the percent-encoded frame ``file``
{id, filename, voice, reply_to}. The answer's body is the frame that answers it.

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
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import regex
from aiohttp import ETag, WSCloseCode, WSMsgType, web

from bot.message import (
    Address,
    Choice,
    Contact,
    Content,
    Deletion,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    MediaType,
    Outbound,
    Profile,
    Reaction,
    Receipt,
    ReceiptStatus,
    Referral,
    Text,
    clean,
    encode,
    plain,
)
from connectors.base import Arrived, Capabilities, Connector, Files, Host, Request, Sent
from connectors.errors import BadSignature, NoFile
from connectors.markup import entities

log = logging.getLogger(__name__)

WIDGET = Path(__file__).with_name("webchat_widget")

#: Reasons of a ``refused`` frame; the widget has words for each.
REFUSALS = ("empty", "too_long", "not_an_image", "too_big", "wrong_type", "not_a_phone")

# What a visitor may send. Lengths are in characters, sizes in bytes.
TEXT_LIMIT = 4000
IMAGE_LIMIT = 512 * 1024
FILE_LIMIT = 10 * 1024 * 1024
NAME_LIMIT = 120
PAYLOAD_LIMIT = 1024
TITLE_LIMIT = 200
CARD_LINES = 5
PAGE_LIMIT = 2048
FRAME_LIMIT = 1024 * 1024

# Rates are (messages at once, messages a second).
VISITOR_RATE = (20, 2.0)
PEER_RATE = (200, 20.0)
VISITOR_FILE_RATE = (10, 0.2)
PEER_FILE_RATE = (50, 1.0)

CONNECTIONS_PER_VISITOR = 10
CONNECTIONS_PER_PEER = 100
CONNECTIONS = 10_000
UPLOADS_PER_PEER = 10
UPLOADS = 50

# Times are in seconds.
HELLO_TIME = 10.0
HEARTBEAT = 25.0
CLOSE_TIME = 2.0
STORE_RETRY = 2.0
FEED_RETRY = 1.0
UPLOAD_TIME = 180.0
UPLOAD_RETRY = 5.0

MALFORMED_FRAMES = 5
IGNORED_RETRIES = 100
REMEMBERED_SHOWN = 1000
REMEMBERED_RATES = 20_000

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
_DATA_URL = re.compile(r"data:(image/[a-z+.-]{1,20});base64,")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}[0-9]")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
# One emoji, whatever it is made of: not letters or digits, which are graphemes too.
_EMOJI = regex.compile(r"(?=.*[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3])\X", regex.S)
# What tells how a visitor came, and what the click is called by those who sell it.
_CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")
_CLICKS = ("gclid", "msclkid", "fbclid")

_RECEIPTS: dict[str, ReceiptStatus] = {"delivered": "delivered", "seen": "read"}


class _Malformed(Exception):
    """A frame outside the protocol. The text is shown to its sender, with the frame's id."""

    def __init__(self, reason: str, id: str = "") -> None:
        super().__init__(reason)
        self.id = id


class _Refused(Exception):
    """A message that will never be taken; the text is one of `REFUSALS`."""


class _Answered(Exception):
    """A file that was not taken, or not yet: HTTP status and frame of the answer."""

    def __init__(self, status: int, frame: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {frame}")
        self.status = status
        self.frame = frame


@dataclass(frozen=True, slots=True)
class WebChatAccount:
    """One web chat.

    `origins` are the sites whose pages may embed it, as ``https://shop.example.com``;
    empty allows the gateway's own origin and loopback. With `greet` a new visitor who opens
    the chat is an ``Event("start")``, so that the bot speaks first. Raises ValueError for
    anything that is not an origin, a wildcard among them.
    """

    account: str
    origins: tuple[str, ...] = ()
    title: str = "Support"
    greet: bool = False
    api_url: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "origins", tuple(_origin(o) for o in self.origins))


# Files go to the visitor's browser by their URL: it decides what it can show.
_FILES = {
    "image": Files(("image/jpeg", "image/png", "image/gif", "image/webp"), 50 * 1024 * 1024),
    "sticker": Files(("image/webp", "image/png", "image/gif"), 10 * 1024 * 1024),
    "audio": Files(
        ("audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/aac"),
        100 * 1024 * 1024,
    ),
    "voice": Files(
        ("audio/ogg", "audio/mp4", "audio/mpeg", "audio/webm", "audio/wav"), 100 * 1024 * 1024
    ),
    "video": Files(("video/mp4", "video/webm", "video/ogg", "video/quicktime"), 500 * 1024 * 1024),
    "document": Files((), 500 * 1024 * 1024),
}


class WebChat(Connector):
    """The connector of one web chat account, with the connections its visitors hold."""

    channel = "webchat"
    Account = WebChatAccount
    capabilities: ClassVar[Capabilities] = Capabilities(
        kinds_in=frozenset(
            {
                "text",
                "choice",
                "media",
                "location",
                "contact",
                "reaction",
                "edit",
                "deletion",
                "event",
            }
        ),
        # A template and products are their words here: there is nobody to approve or sell them.
        kinds_out=frozenset(
            {"text", "choices", "menu", "cards", "ask", "media", "location", "contact"}
            | {"reaction", "edit", "deletion"}
        ),
        text_limit=8000,
        text_unit="characters",
        caption_limit=4000,
        buttons=20,
        button_title=80,
        payload_limit=PAYLOAD_LIMIT,
        list_rows=50,
        row_title=80,
        row_description=200,
        markup="entities",
        link_buttons="any",
        cards=10,
        card_buttons=5,
        card_title=120,
        card_text=400,
        files=cast(Any, _FILES),
        receipts=frozenset({"delivered", "read"}),
        # Sending only makes visible what the store already holds: nothing to spare.
        rate=1000.0,
        grace=0.0,
        # Worker processes reach no socket. The widget shows the dots by itself, from the
        # ack of a message, which says that it is being answered, to the answer; and its own
        # messages as read once they were answered.
        typing_seconds=0.0,
        seen=False,
    )

    def __init__(self, account: WebChatAccount) -> None:
        super().__init__(account)
        self._sessions: set[_Session] = set()
        self._visitors: Counter[str] = Counter()
        self._peers: Counter[str] = Counter()
        self._uploads: Counter[str] = Counter()
        self._rates = _Rates()
        self._closing = False

    def routes(self, host: Host) -> list[web.AbstractRouteDef]:
        """Return the routes of the WebSocket, of files and of the widget."""

        async def chat(request: web.Request) -> web.StreamResponse:
            return await self._chat(request, host)

        async def files(request: web.Request) -> web.Response:
            return await self._file(request, host)

        path = f"/chat/{self.account.account}"
        return [
            web.get(path, chat, allow_head=False),
            web.post(f"{path}/files", files),
            web.options(f"{path}/files", files),
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
        session = _Session(self, host, socket, request.headers["Origin"], peer)
        self._sessions.add(session)
        self._peers[peer] += 1
        try:
            await socket.prepare(request)
            await session.run()
        finally:
            self._sessions.discard(session)
            _less(self._peers, peer)
        return socket

    async def _file(self, request: web.Request, host: Host) -> web.Response:
        """Take a file, or answer what a browser asks before it posts one."""
        if not self._allowed(request, host):
            raise web.HTTPForbidden(text="this page may not use the chat; see `origins`\n")
        # The origin was just compared with those that may; it gets no cookies, for we have none.
        headers = {"Access-Control-Allow-Origin": request.headers["Origin"], "Vary": "Origin"}
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = "POST"
            headers["Access-Control-Allow-Headers"] = "authorization, content-type, x-chat-message"
            headers["Access-Control-Max-Age"] = "600"
            return web.Response(status=204, headers=headers)
        try:
            id = await self._take_file(request, host)
            return web.json_response({"type": "ack", "id": id}, headers=headers)
        except _Answered as answer:
            return web.json_response(answer.frame, status=answer.status, headers=headers)

    async def _take_file(self, request: web.Request, host: Host) -> str:
        """Store a posted file and its message; return the message's id. Raises _Answered."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
            raise _Answered(401, {"type": "error", "reason": "no visitor's token"})
        try:
            frame = _frame(unquote(request.headers.get("X-Chat-Message", "")))
            if frame.get("type") != "file":
                raise _Malformed("type must be file")
            id = _client_id(frame, "id")
            name = _string(frame, "filename") if "filename" in frame else ""
            reply_to = _reply_to(frame, user_of(token))
            voice = frame.get("voice", False)
            if type(voice) is not bool:
                raise _Malformed("voice must be true or false")
        except _Malformed as error:
            raise _Answered(400, {"type": "error", "reason": str(error)}) from None
        except _Refused as error:
            refused = {"type": "refused", "id": id, "reason": str(error)}
            raise _Answered(422, refused) from None
        user, peer = user_of(token), _peer(request)
        wait = self.wait_file(user, peer)
        if wait or self._closing:
            retry = {"type": "retry", "id": id, "after": round(wait, 1) or UPLOAD_RETRY}
            raise _Answered(429 if wait else 503, retry)
        data = await self._body(request, id, peer)
        if not data:
            raise _Answered(422, {"type": "refused", "id": id, "reason": "empty"})
        media = _media(request.content_type, name, len(data), voice=voice)
        address = Address(self.channel, self.account.account, user)
        try:
            media = await kept(host, media, data)
            await host.accept([Inbound(address, f"{user}.{id}", media, reply_to=reply_to)])
        except NoFile as error:
            log.info("%s: a file was refused: %s", self.name, error)
            refused = {"type": "refused", "id": id, "reason": "wrong_type"}
            raise _Answered(415, refused) from None
        except Exception as error:
            log.warning("%s: a file was not stored: %r", self.name, error)
            retry = {"type": "retry", "id": id, "after": STORE_RETRY}
            raise _Answered(503, retry) from None
        return id

    async def _body(self, request: web.Request, id: str, peer: str) -> bytes:
        """Return the body as it comes, up to `FILE_LIMIT`. Raises _Answered."""
        too_big = _Answered(413, {"type": "refused", "id": id, "reason": "too_big"})
        if (request.content_length or 0) > FILE_LIMIT:
            raise too_big
        many = self._uploads.total() >= UPLOADS
        if many or (peer and self._uploads[peer] >= UPLOADS_PER_PEER):
            raise _Answered(429, {"type": "retry", "id": id, "after": UPLOAD_RETRY})
        data = bytearray()

        async def read() -> None:
            async for chunk in request.content.iter_any():
                data.extend(chunk)
                if len(data) > FILE_LIMIT:
                    raise too_big

        self._uploads[peer] += 1
        try:
            await asyncio.wait_for(read(), UPLOAD_TIME)
        except _Answered:
            raise
        except asyncio.TimeoutError:
            raise _Answered(408, {"type": "retry", "id": id, "after": UPLOAD_RETRY}) from None
        except Exception as error:
            # It broke off, or its encoding is broken.
            log.info("%s: a file did not come whole: %s", self.name, type(error).__name__)
            raise _Answered(400, {"type": "retry", "id": id, "after": UPLOAD_RETRY}) from None
        finally:
            _less(self._uploads, peer)
        return bytes(data)

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

    def wait_file(self, user: str, peer: str) -> float:
        """Return 0 when a file may be taken now, else after how many seconds."""
        rates = {f"files of visitor {user}": VISITOR_FILE_RATE}
        if peer:
            rates[f"files of peer {peer}"] = PEER_FILE_RATE
        return self._rates.take(rates)


class _Session:
    """One connection of one visitor."""

    def __init__(
        self, chat: WebChat, host: Host, socket: web.WebSocketResponse, origin: str, peer: str
    ):
        self._chat = chat
        self._origin = origin
        self._host = host
        self._socket = socket
        self._peer = peer
        self._address = Address(chat.channel, chat.account.account, "")
        self._profile = Profile()
        # How the visitor came to this page, until his first message here was stored.
        self._referral: Referral | None = None
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
            if self._chat.account.greet and not after:
                await self._start()
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
        user = user_of(token)
        self._address = Address(self._chat.channel, self._chat.account.account, user)
        self._referral = _referral(hello, self._origin)
        language = hello.get("language")
        if isinstance(language, str) and _LANGUAGE.fullmatch(language):
            self._profile = Profile(language=language)
        return token, after

    async def _start(self) -> None:
        """Tell that a new visitor opened the chat: once, whatever the page says again.

        One who has got a message has an `after`; until then it is told at each hello,
        under the same id, so that a store which is down loses no greeting.
        """
        user = self._address.user
        if self._chat.wait(user, self._peer):
            return
        start = Inbound(
            self._address,
            f"{user}.start",
            Event("start"),
            profile=self._profile,
            referral=self._referral,
        )
        try:
            await self._host.accept([start])
        except Exception as error:
            log.warning("%s: a visitor's start was not stored: %r", self._chat.name, error)

    async def _read(self) -> None:
        while self._malformed < MALFORMED_FRAMES and self._hasty < IGNORED_RETRIES:
            try:
                frame = await self._next()
                if frame is None:
                    return
                await self._take(frame)
            except _Malformed as error:
                self._malformed += 1
                about = {"id": error.id} if error.id else {}
                await self._say({"type": "error", "reason": str(error), **about})
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
        return _frame(received.data)

    async def _take(self, frame: Mapping[str, Any]) -> None:
        kind = frame.get("type")
        if kind in ("delivered", "seen"):
            return await self._receipt(_string(frame, "id"), _RECEIPTS[kind])
        read = _READERS.get(kind) if isinstance(kind, str) else None
        id = _client_id(frame, "id")
        if read is None:
            raise _Malformed("unknown type of frame", id)
        user = self._address.user
        wait = self._chat.wait(user, self._peer)
        if wait:
            self._hasty += 1
            return await self._say({"type": "retry", "id": id, "after": round(wait, 1)})
        try:
            content, data = read(frame, user)
            reply_to = _reply_to(frame, user)
        except _Refused as refusal:
            return await self._say({"type": "refused", "id": id, "reason": str(refusal)})
        except _Malformed as error:
            raise _Malformed(str(error), id) from None
        try:
            if isinstance(content, Media):
                content = await kept(self._host, content, data)
            # The visitor is part of the id: one page's ids cannot hide another's messages.
            inbound = Inbound(
                self._address,
                f"{user}.{id}",
                content,
                profile=self._profile,
                reply_to=reply_to,
                referral=self._referral,
            )
            await self._host.accept([inbound])
        except NoFile:
            refused = {"type": "refused", "id": id, "reason": "not_an_image"}
            return await self._say(refused)
        except Exception as error:
            # Whatever went wrong, it was not stored; the page keeps it and tries again.
            log.warning("%s: a message was not stored: %r", self._chat.name, error)
            return await self._say({"type": "retry", "id": id, "after": STORE_RETRY})
        self._hasty = 0
        self._referral = None
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
                        await self._socket.send_json(_message(sent, self._address))
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


def user_of(token: str) -> str:
    """Return the user id of whoever holds the token."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


async def kept(host: Host, media: Media, data: bytes) -> Media:
    """Keep a file and return `media` with the reference to it.

    Raises NoFile when its content is not what it is said to be, or nothing to be kept.
    """
    ref = await host.keep(data, media.mime, media.filename)
    return replace(media, ref=ref)


def _media(mime: str, name: str, size: int, *, voice: bool = False) -> Media:
    """Return a file as its sender describes it; whoever keeps it looks at its content."""
    mime = mime.strip().lower()
    family = mime.partition("/")[0]
    type: MediaType = "document"
    if family in ("image", "audio", "video"):
        type = "voice" if voice and family == "audio" else cast(MediaType, family)
    return Media(type, mime=mime, filename=_filename(name), size=size)


def _filename(name: str) -> str:
    """Return the last part of a path, without what can climb or mislead; "" without any."""
    name = re.split(r"[/\\]", clean(name))[-1]
    # Controls, and the signs that turn "gpj.exe" round to look like "exe.jpg".
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp"))
    name = name.strip(" .")
    if len(name) <= NAME_LIMIT:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:NAME_LIMIT]
    return stem[: NAME_LIMIT - len(ending) - 1] + dot + ending


def _message(sent: Sent, address: Address) -> dict[str, Any]:
    """Return the frame that shows a message to the visitor at `address`."""
    own = f"{address.user}."
    content = sent.content
    if isinstance(content, Reaction):
        # The page knows its messages by its own ids.
        content = replace(content, of=content.of.removeprefix(own))
    frame: dict[str, Any] = {
        "type": "message",
        "id": sent.id,
        "order": sent.order,
        "at": sent.at.isoformat(),
        "content": encode(content),
        "styled": _styled(content),
    }
    # A reply's id is its turn's, which is that of the message answered, and a number.
    answered = sent.id.rpartition(":")[0]
    mine = f"{address.channel}:{address.account}:{own}"
    if answered.startswith(mine) and _CLIENT_ID.fullmatch(answered[len(mine) :]):
        frame["answers"] = answered[len(mine) :]
    if sent.agent:
        frame["agent"] = sent.agent
    return frame


def _styled(content: Content) -> dict[str, Any]:
    """Return words and marks of each text with formatting, by its field."""
    texts = {name: getattr(content, name, "") for name in ("text", "caption")}
    styled = {}
    for name, text in texts.items():
        words, marks = entities(text)
        if marks or words != text:
            styled[name] = {"words": words, "marks": plain(marks)}
    return styled


def _frame(text: str) -> Mapping[str, Any]:
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        # RecursionError: a megabyte of opening brackets.
        raise _Malformed("frames are JSON") from None
    if not isinstance(frame, dict):
        raise _Malformed("frames are JSON objects")
    return frame


def _string(frame: Mapping[str, Any], name: str) -> str:
    value = frame.get(name)
    if not isinstance(value, str):
        raise _Malformed(f"{name} must be a string")
    return value


def _client_id(frame: Mapping[str, Any], name: str) -> str:
    id = _string(frame, name)
    if not _CLIENT_ID.fullmatch(id):
        raise _Malformed(f"{name} must be 8 to 64 letters, digits or hyphens")
    return id


def _named(id: str, user: str) -> str:
    """Return the provider id of a message the page names; nobody's but its own and the bot's."""
    if len(id) > PAYLOAD_LIMIT:
        raise _Refused("too_long")
    if _CLIENT_ID.fullmatch(id):
        return f"{user}.{id}"
    if ":" not in id:
        raise _Malformed("no message has such an id")
    return clean(id)


def _reply_to(frame: Mapping[str, Any], user: str) -> str:
    return _named(_string(frame, "reply_to"), user) if "reply_to" in frame else ""


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


# The content of a frame and, where that is a file, its bytes.
_Read: TypeAlias = "tuple[Content, bytes]"


def _text(frame: Mapping[str, Any], user: str) -> _Read:
    return Text(_words(_string(frame, "text"), TEXT_LIMIT)), b""


def _choice(frame: Mapping[str, Any], user: str) -> _Read:
    title, of = (_string(frame, name) if name in frame else "" for name in ("title", "of"))
    if len(title) > TITLE_LIMIT or len(of) > PAYLOAD_LIMIT:
        raise _Refused("too_long")
    return Choice(_words(_string(frame, "payload"), PAYLOAD_LIMIT), title, of), b""


def _location(frame: Mapping[str, Any], user: str) -> _Read:
    return Location(_degrees(frame, "latitude", 90), _degrees(frame, "longitude", 180)), b""


def _degrees(frame: Mapping[str, Any], name: str, most: int) -> float:
    value = frame.get(name)
    # Compared before it is made a float: JSON has integers that are too big for one, and NaN.
    if type(value) not in (int, float) or not -most <= cast(float, value) <= most:
        raise _Malformed(f"{name} must be a number of degrees")
    return round(float(cast(float, value)), 7)


def _contact(frame: Mapping[str, Any], user: str) -> _Read:
    name = clean(_string(frame, "name")) if "name" in frame else ""
    if len(name) > TITLE_LIMIT:
        raise _Refused("too_long")
    phones, emails = (_lines(frame, each) for each in ("phones", "emails"))
    if not phones and not emails:
        raise _Refused("empty")
    if not all(map(_PHONE.fullmatch, phones)) or not all(map(_EMAIL.fullmatch, emails)):
        raise _Refused("not_a_phone")
    # Not `own`: nobody has checked that the number is the visitor's.
    return Contact(name, phones, emails), b""


def _lines(frame: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = frame.get(name, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise _Malformed(f"{name} must be a list of strings")
    if len(value) > CARD_LINES:
        raise _Refused("too_long")
    return tuple(clean(v).strip() for v in value)


def _reaction(frame: Mapping[str, Any], user: str) -> _Read:
    removed = frame.get("removed", False)
    if type(removed) is not bool:
        raise _Malformed("removed must be true or false")
    emoji = _string(frame, "emoji")
    if len(emoji) > 32 or not _EMOJI.fullmatch(emoji):
        raise _Malformed("emoji must be one emoji")
    return Reaction(_named(_string(frame, "of"), user), emoji, removed), b""


def _edit(frame: Mapping[str, Any], user: str) -> _Read:
    # Always among the visitor's own: whatever id is named, it is made his.
    of = f"{user}.{_client_id(frame, 'of')}"
    return Edit(of, _words(_string(frame, "text"), TEXT_LIMIT)), b""


def _deletion(frame: Mapping[str, Any], user: str) -> _Read:
    return Deletion(f"{user}.{_client_id(frame, 'of')}"), b""


def _image(frame: Mapping[str, Any], user: str) -> _Read:
    url = _string(frame, "data")
    start = _DATA_URL.match(url)
    if start is None:
        raise _Refused("not_an_image")
    try:
        data = base64.b64decode(url[start.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise _Refused("not_an_image") from None
    if len(data) > IMAGE_LIMIT:
        raise _Refused("too_big")
    if not data:
        raise _Refused("not_an_image")
    return _media(start[1], "", len(data)), data


_READERS = {
    "send": _text,
    "choose": _choice,
    "location": _location,
    "contact": _contact,
    "react": _reaction,
    "edit": _edit,
    "delete": _deletion,
    "image": _image,
}


def _referral(hello: Mapping[str, Any], origin: str) -> Referral | None:
    """Return which page the visitor is on and what brought him there, None if it is not said.

    A page can only speak of itself. Of its query nothing is kept but the campaign: there
    may be secrets in the rest.
    """
    page, title = hello.get("page"), hello.get("page_title")
    if not isinstance(page, str) or not 0 < len(page) <= PAGE_LIMIT:
        return None
    try:
        parts = urlsplit(clean(page))
        if _origin(f"{parts.scheme}://{parts.netloc}") != _origin(origin):
            return None
        query = dict(parse_qsl(parts.query, max_num_fields=100))
    except ValueError:
        return None
    title = clean(title)[:TITLE_LIMIT] if isinstance(title, str) else ""
    return Referral(
        "page",
        ref=urlencode({name: query[name] for name in _CAMPAIGN if name in query}),
        url=f"{_origin(origin)}{parts.path}",
        title=title,
        click=next((query[name] for name in _CLICKS if name in query), ""),
    )


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


# In the order in which they need each other.
_SCRIPTS = ("words", "tools", "files", "transcript", "line", "drawing", "chat")


@lru_cache
def widget() -> tuple[str, str]:
    """Return the widget's script, one file made of its parts, and its hash."""
    style = json.dumps((WIDGET / "style.css").read_text(encoding="utf-8"), ensure_ascii=False)
    parts = [(WIDGET / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    begin = '(() => {\n"use strict";\nif (customElements.get("support-chat")) return;\n'
    script = f"{begin}const STYLE = {style};\n" + "\n".join(parts) + "})();\n"
    return script, hashlib.sha256(script.encode()).hexdigest()[:32]


async def _widget(request: web.Request) -> web.StreamResponse:
    """Serve the widget to any site, with a validator and compressed."""
    script, tag = widget()
    response = web.Response(
        text=script,
        content_type="text/javascript",
        charset="utf-8",
        headers={
            "Cache-Control": "public, max-age=300",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        },
    )
    # Weak: its bytes differ with the compression.
    response.etag = ETag(tag, is_weak=True)
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers={"ETag": response.headers["ETag"]})
    response.enable_compression()
    return response
