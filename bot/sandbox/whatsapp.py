"""A stand-in for WhatsApp's Cloud API (Meta's Graph API).

Requests: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
Webhooks: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
Errors: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from aiohttp import web

from bot.ending import end
from bot.message import (
    Choice,
    Contact,
    Content,
    Deletion,
    Edit,
    Event,
    Location,
    Media,
    Order,
    Reaction,
    Text,
    encode,
)
from bot.sandbox.delivery import Job, Push
from bot.sandbox.errors import BadRequest
from bot.sandbox.goods import CATALOG, GOODS
from bot.sandbox.ledger import Entry
from bot.sandbox.media import File
from bot.sandbox.meta import verify
from bot.sandbox.standin import Said, StandIn, World
from bot.sandbox.whatsapp_sent import TYPES, GraphError, invalid, read, required, title

OPAQUE_LIMIT = 512
WINDOW_SECONDS = 24 * 3600
# Seconds; business-phone-numbers/media.
MEDIA_URL_SECONDS = 300.0
# To one customer: a message every 6 seconds, or a burst that uses up what comes later.
# https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits
PAIR_SECONDS = 6.0
PAIR_BURST = 45

# How long the phone takes to show a message, seconds.
_DELIVERED_AFTER = 0.1
_KEEP_URLS = 1000

Json = dict[str, Any]


def _unknown(id_: str, method: str) -> GraphError:
    return GraphError(
        100,
        message=(
            f"Unsupported {method.lower()} request. Object with ID '{id_}' does not exist, cannot "
            "be loaded due to missing permissions, or does not support this operation"
        ),
        subcode=33,
    )


@dataclass(slots=True)
class _Number:
    """A business phone number."""

    account: str
    phone_id: str
    token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    # When each customer claims to have written last, Unix time.
    last_heard: dict[str, float] = field(init=False, default_factory=dict)
    # Who stopped marketing messages.
    stopped: set[str] = field(init=False, default_factory=set)
    # How many messages each customer may get at once, as of a time.
    pairs: dict[str, tuple[float, float]] = field(init=False, default_factory=dict)
    media: set[str] = field(init=False, default_factory=set)
    # Addresses of files: which one, and until when (`time.monotonic`).
    urls: dict[str, tuple[str, float]] = field(init=False, default_factory=dict)
    verified: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    @property
    def display(self) -> str:
        # 555-01xx is set aside for fiction.
        return f"1555010{int(self.phone_id[-4:]) % 10_000:04d}"

    @property
    def name(self) -> str:
        return f"Frontdesk {self.account}"

    def pair(self, user: str) -> bool:
        """Take one message off what a customer may get now; whether there was one."""
        now = time.monotonic()
        left, since = self.pairs.get(user, (float(PAIR_BURST), now))
        left = min(float(PAIR_BURST), left + (now - since) / PAIR_SECONDS)
        self.pairs[user] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class WhatsApp(StandIn):
    """The Cloud API of every WhatsApp account in the sandbox's credentials."""

    channel: ClassVar[str] = "whatsapp"
    can: ClassVar[frozenset[str]] = frozenset(
        {
            *("text", "choice", "location", "venue", "contact", "reaction", "edit", "deletion"),
            *("image", "audio", "voice", "video", "document", "sticker", "order", "reply"),
            *("start", "referral", "opt_out", "opt_in", "moved"),
        }
    )
    window_hours: ClassVar[float | None] = WINDOW_SECONDS / 3600

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(world, accounts)
        keys = ("account", "phone_id", "token", "app_secret", "verify_token")
        numbers = [_Number(**{key: str(a[key]) for key in keys}) for a in accounts]
        self._numbers = {number.account: number for number in numbers}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to verify each account's webhook with the gateway."""
        for number in self._numbers.values():
            self._tasks.append(asyncio.create_task(self._verify(number)))

    async def close(self) -> None:
        """Stop verifying."""
        await end(*self._tasks)

    async def _verify(self, number: _Number) -> None:
        await verify(self.world.delivery, self.webhook_url(number.account), number.verify_token)
        number.verified.set()

    # -- HTTP ---------------------------------------------------------------------

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the Graph API's routes."""
        base = r"/whatsapp/{version:v\d+(?:\.\d+)?}/{id:\d+}"
        return [
            web.post(f"{base}/messages", self._messages),
            web.post(f"{base}/media", self._upload),
            web.get(base, self._object),
            web.delete(base, self._delete),
            web.get("/whatsapp/attachments/{token}", self._download),
        ]

    async def _answer(self, request: web.Request, method: str, work: Any) -> web.Response:
        async def handle() -> web.Response:
            try:
                number = self._authorized(request)
                result = await work(request, number)
            except GraphError as error:
                headers = {}
                if error.status == 401:
                    reason = error.body["message"]
                    headers["WWW-Authenticate"] = (
                        f'OAuth "Facebook Platform" "invalid_token" "{reason}"'
                    )
                return web.json_response(
                    {"error": error.body}, status=error.status, headers=headers
                )
            if isinstance(result, web.Response):
                return result
            return web.json_response(result)

        return await self.world.faults.call(request, self.channel, method, handle, _refuse)

    def _authorized(self, request: web.Request) -> _Number:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise GraphError(0, message="Authentication Error", status=401)
        given = token.strip().encode("utf-8", "surrogatepass")
        for number in self._numbers.values():
            if hmac.compare_digest(number.token.encode(), given):
                return number
        message = "Invalid OAuth access token - Cannot parse access token"
        raise GraphError(190, message=message, status=401)

    def _own(self, request: web.Request, number: _Number) -> None:
        if request.match_info["id"] != number.phone_id:
            raise _unknown(request.match_info["id"], request.method)

    async def _messages(self, request: web.Request) -> web.Response:
        return await self._answer(request, "messages", self._post_message)

    async def _upload(self, request: web.Request) -> web.Response:
        return await self._answer(request, "media", self._post_media)

    async def _object(self, request: web.Request) -> web.Response:
        return await self._answer(request, "object", self._get_object)

    async def _delete(self, request: web.Request) -> web.Response:
        return await self._answer(request, "media", self._delete_media)

    async def _download(self, request: web.Request) -> web.Response:
        return await self._answer(request, "download", self._get_bytes)

    # -- media --------------------------------------------------------------------

    async def _post_media(self, request: web.Request, number: _Number) -> Json:
        self._own(request, number)
        form = await request.post()
        if form.get("messaging_product") != "whatsapp":
            raise required("messaging_product")
        upload = form.get("file")
        if not isinstance(upload, web.FileField):
            raise required("file")
        data = await asyncio.to_thread(upload.file.read)
        if not data:
            raise GraphError(100, "The file is empty")
        file = self.world.media.put(data, upload.filename, numeric=True)
        number.media.add(file.id)
        return {"id": file.id}

    async def _get_object(self, request: web.Request, number: _Number) -> Json:
        id_ = request.match_info["id"]
        if id_ == number.phone_id:
            return {
                "verified_name": number.name,
                "code_verification_status": "VERIFIED",
                "display_phone_number": f"+{number.display}",
                "quality_rating": "GREEN",
                "platform_type": "CLOUD_API",
                "throughput": {"level": "STANDARD"},
                "id": number.phone_id,
            }
        file = self._file(number, id_)
        if file is None or request.query.get("phone_number_id", number.phone_id) != number.phone_id:
            raise _unknown(id_, "GET")
        token = secrets.token_urlsafe(16)
        number.urls[token] = (file.id, time.monotonic() + MEDIA_URL_SECONDS)
        while len(number.urls) > _KEEP_URLS:
            del number.urls[next(iter(number.urls))]
        return {
            "messaging_product": "whatsapp",
            "url": f"{self.world.sandbox_url}/whatsapp/attachments/{token}",
            "mime_type": file.mime,
            "sha256": file.sha256,
            "file_size": len(file.data),
            "id": file.id,
        }

    async def _delete_media(self, request: web.Request, number: _Number) -> Json:
        id_ = request.match_info["id"]
        if id_ not in number.media or not self.world.media.drop(id_):
            raise _unknown(id_, "DELETE")
        number.media.discard(id_)
        return {"success": True}

    async def _get_bytes(self, request: web.Request, number: _Number) -> web.Response:
        id_, until = number.urls.get(request.match_info["token"], ("", 0.0))
        file = self._file(number, id_)
        if file is None or time.monotonic() > until:
            return web.Response(status=404)
        return web.Response(body=file.data, content_type=file.mime)

    def _file(self, number: _Number, id_: str) -> File | None:
        return self.world.media.get(id_) if id_ in number.media else None

    # -- messages -----------------------------------------------------------------

    async def _post_message(self, request: web.Request, number: _Number) -> Json:
        self._own(request, number)
        try:
            body = await request.json()
        except ValueError as error:
            raise GraphError(100, "The request body is not JSON") from error
        if not isinstance(body, dict):
            raise GraphError(100, "The request body must be an object")
        if body.get("messaging_product") != "whatsapp":
            raise required("messaging_product")
        if body.get("status") is not None:
            return self._read(number, body)
        to = body.get("to")
        if not to or not isinstance(to, str):
            raise required("to")
        user = "".join(c for c in to if c.isascii() and c.isdigit())
        if not 5 <= len(user) <= 15:
            raise GraphError(100, "Invalid parameter: to is not a phone number")
        kind = body.get("type", "text")
        if kind not in TYPES:
            known = ", ".join(t.upper() for t in TYPES)
            raise GraphError(
                100, message=f'(#100) Param type must be one of {{{known}}} - got "{kind}".'
            )
        opaque = body.get("biz_opaque_callback_data")
        if opaque is not None and (not isinstance(opaque, str) or len(opaque) > OPAQUE_LIMIT):
            raise GraphError(
                100, f"biz_opaque_callback_data must be a string of at most {OPAQUE_LIMIT}"
            )
        content = body.get(kind)
        if not isinstance(content, dict) and kind != "contacts":
            raise required(kind)
        wamid = _wamid(user)
        if kind == "reaction":
            reaction = self._reaction(number, user, content)
            self._take(number, user, wamid, opaque, "service", reaction, lambda code: None)
        else:
            entry = self._outbound(number, user, wamid, body)
            self._take(
                number,
                user,
                wamid,
                opaque,
                entry.native["category"],
                lambda: self._show(entry),
                lambda code: self.world.ledger.miss(entry, _DETAILS[code], str(code)),
            )
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": user}],
            "messages": [{"id": wamid}],
        }

    def _take(
        self,
        number: _Number,
        user: str,
        wamid: str,
        opaque: str | None,
        category: str,
        show: Callable[[], None],
        miss: Callable[[int], None],
    ) -> None:
        """Deliver a message that was found right. Raises GraphError when it comes too fast.

        What cannot be delivered is taken all the same: that it failed is said by webhook.
        """
        if not number.pair(user):
            raise GraphError(131056)
        template = category != "service"
        if time.time() - number.last_heard.get(user, 0.0) > WINDOW_SECONDS and not template:
            miss(131047)
            self._status(number, user, wamid, "failed", opaque, code=131047)
        elif category == "marketing" and user in number.stopped:
            miss(131050)
            self._status(number, user, wamid, "failed", opaque, code=131050)
        else:
            show()
            self._status(number, user, wamid, "sent", opaque, category)
            self._status(number, user, wamid, "delivered", opaque, category, delay=_DELIVERED_AFTER)

    def _show(self, entry: Entry) -> None:
        self.world.ledger.add(entry)
        asyncio.get_running_loop().call_later(
            _DELIVERED_AFTER, self.world.ledger.settle, entry, "delivered"
        )

    def _read(self, number: _Number, body: Json) -> Json:
        """Mark a customer's message, and all before it, read; show that the bot is typing."""
        if body["status"] != "read":
            raise GraphError(100, "status must be read")
        entry = self.world.ledger.get(
            self.channel, number.account, str(body.get("message_id") or "")
        )
        if entry is None or entry.direction != "in":
            raise GraphError(100, "Invalid parameter: message_id is not a received message")
        for older in self.world.ledger.select(self.channel, number.account, entry.user):
            if older.direction == "in" and older.seq <= entry.seq:
                self.world.ledger.settle(older, "read")
        indicator = body.get("typing_indicator")
        if indicator is not None:
            if not isinstance(indicator, dict) or indicator.get("type") != "text":
                raise GraphError(100, "typing_indicator['type'] must be text")
            self.world.ledger.typing(self.channel, number.account, entry.user)
        return {"success": True}

    def _reaction(self, number: _Number, user: str, content: Any) -> Callable[[], None]:
        of = content.get("message_id")
        if not of:
            raise required("reaction['message_id']")
        entry = self.world.ledger.get(self.channel, number.account, str(of))
        if entry is None or entry.user != user:
            raise invalid("Message to react to is not found")
        emoji = str(content.get("emoji") or "")
        return lambda: self.world.ledger.react(entry, "out", emoji)

    def _outbound(self, number: _Number, user: str, wamid: str, body: Json) -> Entry:
        """Check a message and return it as the phone shows it. Raises GraphError."""
        kind = body.get("type", "text")
        shown = read(kind, body[kind], lambda id_: self._file(number, id_))
        entry = Entry(self.channel, number.account, user, wamid, "out", shown.content.kind)
        entry.content, entry.status = encode(shown.content), "sent"
        entry.buttons, entry.styled = shown.buttons, shown.styled
        entry.header, entry.footer = shown.header, shown.footer
        context = body.get("context")
        if isinstance(context, dict):
            entry.quote = str(context.get("message_id", ""))
        entry.native = {
            "opaque": body.get("biz_opaque_callback_data"),
            "category": shown.category,
            "reply": shown.reply,
        }
        return entry

    # -- webhooks -----------------------------------------------------------------

    def _status(
        self,
        number: _Number,
        user: str,
        wamid: str,
        status: str,
        opaque: str | None,
        category: str = "service",
        *,
        code: int = 0,
        delay: float = 0.0,
    ) -> None:
        """Push a status webhook; `code` is the reason of one that failed.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
        """
        now = int(time.time())
        value: Json = {
            "id": wamid,
            "status": status,
            "timestamp": str(now),
            "recipient_id": user,
        }
        if opaque is not None:
            value["biz_opaque_callback_data"] = opaque
        if status in ("sent", "delivered"):
            # Only with sent, and one of delivered or read; the expiration only with sent.
            digest = hashlib.sha256(f"{number.phone_id}:{user}".encode()).hexdigest()[:32]
            conversation: Json = {"id": digest, "origin": {"type": category}}
            if status == "sent":
                conversation["expiration_timestamp"] = str(now + WINDOW_SECONDS)
            value["conversation"] = conversation
            value["pricing"] = self._pricing(number, user, category)
        if status == "failed":
            value["errors"] = [
                {
                    "code": code,
                    "title": title(code),
                    "message": title(code),
                    "error_data": {"details": _DETAILS[code]},
                    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/"
                    "error-codes/",
                }
            ]
        self._push(number, f"{user}:status", [("messages", {"statuses": [value]})], [], delay=delay)

    def _pricing(self, number: _Number, user: str, category: str) -> Json:
        """Return what a message costs: free within the window, but for marketing and codes.

        https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
        """
        is_open = time.time() - number.last_heard.get(user, 0.0) <= WINDOW_SECONDS
        free = category == "service" or (category == "utility" and is_open)
        return {
            "billable": not free,
            "pricing_model": "PMP",
            "type": "free_customer_service" if free else "regular",
            "category": category,
        }

    def _push(
        self,
        number: _Number,
        key: str,
        values: Sequence[tuple[str, Json]],
        entries: list[Entry],
        *,
        delay: float = 0.0,
        copies: int = 1,
    ) -> None:
        """Push one webhook with a change for each of `values`, a field and its value."""
        metadata = {"display_phone_number": number.display, "phone_number_id": number.phone_id}
        base = {"messaging_product": "whatsapp", "metadata": metadata}
        changes = [{"value": {**base, **value}, "field": field} for field, value in values]
        envelope = {
            "object": "whatsapp_business_account",
            "entry": [{"id": f"9{number.phone_id}", "changes": changes}],
        }
        # Like Meta's, the body is ASCII with escapes, and the signature is over these bytes.
        body = json.dumps(envelope).encode("ascii")
        headers = {"Content-Type": "application/json", **self.sign(number.account, body, "right")}
        push = Push(self.webhook_url(number.account), headers, body)

        async def ready() -> None:
            await number.verified.wait()

        def done() -> None:
            for entry in entries:
                self.world.ledger.settle(entry, "delivered")

        self.world.delivery.push(
            f"whatsapp:{number.account}:{key}",
            Job(lambda: push, done, ready=ready, delay=delay, copies=copies),
        )

    def sign(self, account: str, body: bytes, signature: str) -> dict[str, str]:
        """Return X-Hub-Signature-256, right, wrong or not at all."""
        number = self._account(account)
        if signature == "none":
            return {}
        secret = number.app_secret if signature == "right" else secrets.token_hex(16)
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={digest}"}

    # -- the customers ------------------------------------------------------------

    def accounts(self) -> list[dict[str, str]]:
        """Return the business numbers by account, name and number."""
        return [
            {"account": n.account, "name": n.name, "number": f"+{n.display}"}
            for n in self._numbers.values()
        ]

    def _account(self, account: str) -> _Number:
        number = self._numbers.get(account)
        if number is None:
            raise BadRequest(f"no whatsapp account {account!r} in the sandbox")
        return number

    def say(self, said: Sequence[Said], together: bool) -> list[str]:
        """Let customers say something, in one webhook or one each. Raises BadRequest, Overfull."""
        self.world.delivery.room(len(said))
        for one in said:
            self._account(one.account)
            self.number(one.user)
        if together and len({one.account for one in said}) > 1:
            raise BadRequest("a batch is of one account")
        made = [self._made(self._account(one.account), one) for one in said]
        if together:
            entries = [m.entry for m in made if m.entry is not None]
            first = said[0]
            number = self._account(first.account)
            self._push(number, first.user, _joined(made), entries, copies=first.copies)
        else:
            for one, m in zip(said, made, strict=True):
                entries = [m.entry] if m.entry else []
                number = self._account(one.account)
                self._push(number, one.user, [m.change], entries, copies=one.copies)
        return [m.id for m in made]

    def _made(self, number: _Number, said: Said) -> _Made:
        """Do what a customer does, and return its webhook and what the phone shows of it."""
        content = said.content
        message: Json = {
            "from": said.user,
            "id": _wamid(said.user),
            "timestamp": str(int(said.at.timestamp())),
        }
        contacts = [{"profile": {"name": said.name}, "wa_id": said.user}]
        made = _Made(message["id"], said.user, ("messages", {"contacts": contacts}))
        if content is None:
            message |= said.raw or {}
            made.id = str(message["id"])
        elif isinstance(content, Event) and content.name in _PREFERENCES:
            return self._prefer(number, said, content.name, made)
        else:
            message |= self._body(number, said, content, made)
        if isinstance(content, Event) and content.name == "moved":
            # Meta says so itself, and of nobody in particular.
            made.change = ("messages", {"messages": [message]})
        else:
            made.change[1]["messages"] = [message]
            number.last_heard[said.user] = said.at.timestamp()
            self._came_from(number, said, message)
        if made.entry is not None:
            made.entry.quote = made.entry.quote or said.reply_to
            made.entry.referral = asdict(said.referral) if said.referral else None
            made.entry.at = said.at
            self.world.ledger.add(made.entry)
        return made

    def _came_from(self, number: _Number, said: Said, message: Json) -> None:
        """Put into a message what it quotes and where the customer came from."""
        if said.reply_to and "context" not in message:
            self.world.ledger.own(self.channel, number.account, said.user, said.reply_to)
            message["context"] = {"from": number.display, "id": said.reply_to}
        if said.referral is not None:
            came = said.referral
            message["referral"] = {
                "source_type": came.source,
                "source_id": came.ref,
                "source_url": came.url,
                "headline": came.title,
                **({"ctwa_clid": came.click} if came.click else {}),
            }

    def _prefer(self, number: _Number, said: Said, name: str, made: _Made) -> _Made:
        """Stop or resume marketing messages."""
        value = _PREFERENCES[name]
        (number.stopped.add if value == "stop" else number.stopped.discard)(said.user)
        item = {
            "wa_id": said.user,
            "detail": f"User requested to {value} marketing messages",
            "category": "marketing_messages",
            "value": value,
            "timestamp": int(said.at.timestamp()),
        }
        made.change = ("user_preferences", {**made.change[1], "user_preferences": [item]})
        made.entry = self._entry(number, said, made.id, Event(name, "marketing"), silent=True)
        self.world.ledger.add(made.entry)
        return made

    def _entry(
        self, number: _Number, said: Said, id_: str, content: Content, *, silent: bool = False
    ) -> Entry:
        entry = Entry(self.channel, number.account, said.user, id_, "in", content.kind)
        entry.content, entry.status, entry.silent = encode(content), "pending", silent
        return entry

    def _body(self, number: _Number, said: Said, content: Content, made: _Made) -> Json:
        """Return the type and the part of a customer's message that says what it is.

        webhooks/reference/messages and the pages below it. Raises BadRequest.
        """
        ledger = self.world.ledger
        of = (self.channel, number.account, said.user)
        if isinstance(content, Text):
            made.entry = self._entry(number, said, made.id, content)
            return {"type": "text", "text": {"body": content.text}}
        if isinstance(content, Choice):
            return self._press(number, said, content, made)
        if isinstance(content, Media):
            return self._attached(number, said, content, made)
        if isinstance(content, (Location, Contact, Order)):
            made.entry = self._entry(number, said, made.id, content)
            return _PLAIN[type(content)](content)
        if isinstance(content, Reaction):
            emoji = "" if content.removed else content.emoji
            ledger.react(ledger.own(*of, content.of), "in", emoji)
            word = {"emoji": emoji} if emoji else {}
            return {"type": "reaction", "reaction": {"message_id": content.of, **word}}
        if isinstance(content, (Edit, Deletion)):
            entry = ledger.own(*of, content.of)
            if entry.direction != "in":
                raise BadRequest("only an own message can be changed")
            if isinstance(content, Deletion):
                ledger.delete(entry)
                return {"type": "revoke", "revoke": {"original_message_id": content.of}}
            return {"type": "edit", "edit": self._edited(entry, content)}
        if isinstance(content, Event) and content.name == "start":
            made.entry = self._entry(number, said, made.id, content, silent=True)
            return {"type": "request_welcome"}
        if isinstance(content, Event) and content.name == "moved":
            return self._move(number, said, content, made)
        raise BadRequest("WhatsApp tells businesses nothing of that")

    def _edited(self, entry: Entry, edit: Edit) -> Json:
        shown = entry.plain()["content"]
        if shown["kind"] == "text":
            changed: Json = {"type": "text", "text": {"body": edit.text}}
            self.world.ledger.edit(entry, Text(edit.text))
        elif shown["kind"] == "media" and shown["type"] in _CAPTIONED:
            changed = {"type": shown["type"], shown["type"]: {"caption": edit.text}}
            media = {k: v for k, v in shown.items() if k != "kind"}
            self.world.ledger.edit(entry, Media(**{**media, "caption": edit.text}))
        else:
            raise BadRequest("only words can be changed")
        return {"original_message_id": edit.of, "message": changed}

    def _move(self, number: _Number, said: Said, content: Event, made: _Made) -> Json:
        """Give a customer another number; the phone goes on under it."""
        self.number(content.data)
        ledger, account = self.world.ledger, number.account
        if content.data == said.user:
            raise BadRequest("that is the number the customer has")
        ledger.move(self.channel, account, said.user, content.data)
        if said.user in number.last_heard:
            number.last_heard[content.data] = number.last_heard.pop(said.user)
        if said.user in number.stopped:
            number.stopped.remove(said.user)
            number.stopped.add(content.data)
        renamed = replace(said, user=content.data)
        made.entry = self._entry(number, renamed, made.id, content, silent=True)
        words = f"User {said.name} changed from {said.user} to {content.data}"
        system = {"body": words, "wa_id": content.data, "type": "user_changed_number"}
        return {"type": "system", "system": system}

    def _attached(self, number: _Number, said: Said, media: Media, made: _Made) -> Json:
        given = self.world.file(media)
        # The bytes lie with Meta under an id of its own.
        file = self.world.media.put(given.data, media.filename or given.filename, numeric=True)
        number.media.add(file.id)
        mime = media.mime or file.mime
        kind = "audio" if media.type == "voice" else media.type
        if media.type == "voice" and mime == "audio/ogg":
            mime = "audio/ogg; codecs=opus"
        # Meta's sha256 of a webhook is base64, that of the media endpoint hexadecimal.
        digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        body: Json = {"mime_type": mime, "sha256": digest, "id": file.id}
        if kind == "audio":
            body["voice"] = media.type == "voice"
        if kind == "sticker":
            body["animated"] = False
        if kind == "document":
            body["filename"] = file.filename or f"file.{file.extension}"
        if media.caption and kind in _CAPTIONED:
            body["caption"] = media.caption
        shown = replace(media, url=file.url, ref="", mime=mime, size=len(file.data))
        made.entry = self._entry(number, said, made.id, shown)
        return {"type": kind, kind: body}

    def _press(self, number: _Number, said: Said, choice: Choice, made: _Made) -> Json:
        shown, option = self.world.ledger.pressable(
            self.channel, number.account, said.user, choice.payload, choice.of
        )
        pressed = Choice(option.payload, option.title, shown.id)
        made.entry = self._entry(number, said, made.id, pressed)
        made.entry.quote = shown.id
        context = {"from": number.display, "id": shown.id}
        kind = str(shown.native.get("reply"))
        if kind == "button":
            button = {"payload": option.payload, "text": option.title}
            return {"context": context, "type": "button", "button": button}
        reply = {"id": option.payload, "title": option.title}
        if option.description:
            reply["description"] = option.description
        return {
            "context": context,
            "type": "interactive",
            "interactive": {"type": kind, kind: reply},
        }

    def look(self, account: str, user: str) -> None:
        """Mark the bot's messages read and tell the gateway so."""
        number = self._account(account)
        for entry in self.world.ledger.select(self.channel, account, user):
            if entry.direction == "out" and self.world.ledger.settle(entry, "read"):
                opaque, category = entry.native.get("opaque"), entry.native.get("category", "")
                self._status(number, user, entry.id, "read", opaque, category)


@dataclass(slots=True)
class _Made:
    """What came of a customer's deed: its id, its change of a webhook, and its entry."""

    id: str
    user: str
    change: tuple[str, Json]
    entry: Entry | None = None


def _joined(made: Sequence[_Made]) -> list[tuple[str, Json]]:
    """Return one change for each customer and field, in the order of their first deed."""
    changes: dict[tuple[str, str], Json] = {}
    for one in made:
        field_, value = one.change
        # A move comes alone: it has no contacts, unlike all other messages.
        key = (one.user if "contacts" in value else one.id, field_)
        if key not in changes:
            changes[key] = value
            continue
        for name in ("messages", "user_preferences"):
            changes[key].setdefault(name, []).extend(value.get(name, []))
            if not changes[key][name]:
                del changes[key][name]
    return [(field_, value) for (_, field_), value in changes.items()]


_PREFERENCES = {"opt_out": "stop", "opt_in": "resume"}
_CAPTIONED = ("image", "video", "document")
_DETAILS = {
    131047: "Message failed to send because more than 24 hours have passed since the customer "
    "last replied to this number.",
    131050: "Unable to deliver the message. This recipient has chosen to stop receiving marketing "
    "messages on WhatsApp from your business",
}


def _place(place: Location) -> Json:
    named = {"name": place.name, "address": place.address}
    body = {"latitude": place.latitude, "longitude": place.longitude}
    return {"type": "location", "location": {**body, **{k: v for k, v in named.items() if v}}}


def _card(contact: Contact) -> Json:
    first, _, last = contact.name.partition(" ")
    name = {"formatted_name": contact.name, "first_name": first}
    card: Json = {"name": {**name, **({"last_name": last} if last else {})}}
    if contact.phones:
        card["phones"] = [
            {"phone": p, "wa_id": "".join(c for c in p if c.isdigit()), "type": "CELL"}
            for p in contact.phones
        ]
    if contact.emails:
        card["emails"] = [{"email": email, "type": "HOME"} for email in contact.emails]
    return {"type": "contacts", "contacts": [card]}


def _cart(order: Order) -> Json:
    items = []
    for item in order.items:
        good = GOODS.get(item.product)
        price = item.price or (good.price if good else "0")
        try:
            amount = float(price)
        except ValueError:
            raise BadRequest(f"{price!r} is no price") from None
        items.append(
            {
                "product_retailer_id": item.product,
                "quantity": item.quantity,
                "item_price": amount,
                "currency": item.currency or (good.currency if good else "EUR"),
            }
        )
    body: Json = {"catalog_id": order.catalog or CATALOG, "product_items": items}
    return {"type": "order", "order": {**body, **({"text": order.note} if order.note else {})}}


_PLAIN: dict[type, Callable[[Any], Json]] = {Location: _place, Contact: _card, Order: _cart}


def _wamid(user: str) -> str:
    raw = (
        b"\x1c\x18" + bytes([len(user)]) + user.encode() + b"\x15\x02\x00" + secrets.token_bytes(16)
    )
    return "wamid." + base64.b64encode(raw).decode()


def _refuse(status: int, retry_after: int) -> web.Response:
    code = 130429 if status == 429 else 131000
    error = GraphError(code, "Message failed to send" if status == 429 else "", status=status)
    headers = {"Retry-After": str(retry_after)} if status == 429 else {}
    return web.json_response({"error": error.body}, status=status, headers=headers)
