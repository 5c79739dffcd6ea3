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
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web

from bot.sandbox.delivery import FIRST_DELAY, LAST_DELAY, Job, Push
from bot.sandbox.errors import BadRequest
from bot.sandbox.ledger import Entry
from bot.sandbox.standin import Said, StandIn, World

logger = logging.getLogger(__name__)

# Characters. messages/text-messages, messages/interactive-reply-buttons-messages,
# messages/interactive-list-messages, messages/image-messages of the Cloud API guides.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
BODY_LIMIT = 1024
LIST_BODY_LIMIT = 4096
FOOTER_LIMIT = 60
HEADER_LIMIT = 60
BUTTONS = 3
BUTTON_TITLE = 20
BUTTON_ID = 256
ROWS = 10
ROW_TITLE = 24
ROW_DESCRIPTION = 72
ROW_ID = 200
OPAQUE_LIMIT = 512
WINDOW_SECONDS = 24 * 3600
MEDIA_BYTES = 100 * 1024 * 1024

_MEDIA = ("image", "video", "audio", "document", "sticker")
_TYPES = (*_MEDIA, "text", "interactive", "location", "contacts", "reaction", "template")
# How long the phone takes to show a message, seconds.
_DELIVERED_AFTER = 0.1

_TITLES = {
    0: "AuthException",
    100: "Invalid parameter",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131047: "Re-engagement message",
    132001: "Template name does not exist in the translation",
}

Json = dict[str, Any]


class GraphError(Exception):
    """An error the API answers with. `details` says what is wrong, `message` replaces the title."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        status: int = 400,
        message: str = "",
        subcode: int = 0,
    ) -> None:
        super().__init__(details or message)
        self.status = status
        self.body: Json = {
            "message": message or f"(#{code}) {_TITLES[code]}",
            "type": "OAuthException" if not subcode else "GraphMethodException",
            "code": code,
        }
        if details:
            self.body["error_data"] = {"messaging_product": "whatsapp", "details": details}
        if subcode:
            self.body["error_subcode"] = subcode
        self.body["fbtrace_id"] = secrets.token_urlsafe(17)


def _unknown(id_: str, method: str) -> GraphError:
    return GraphError(
        100,
        message=(
            f"Unsupported {method.lower()} request. Object with ID '{id_}' does not exist, cannot "
            "be loaded due to missing permissions, or does not support this operation"
        ),
        subcode=33,
    )


def _required(name: str) -> GraphError:
    return GraphError(100, message=f"(#100) The parameter {name} is required.")


def _invalid(details: str) -> GraphError:
    return GraphError(131009, details)


def _length(what: str, value: Any, least: int, most: int) -> str:
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise _invalid(f"{what} length invalid. Min length: {least}, Max length: {most}")
    return value


@dataclass(slots=True)
class _Number:
    """A business phone number."""

    account: str
    phone_id: str
    token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    last_heard: dict[str, float] = field(init=False, default_factory=dict)
    media: set[str] = field(init=False, default_factory=set)
    verified: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    @property
    def display(self) -> str:
        # 555-01xx is set aside for fiction.
        return f"1555010{int(self.phone_id[-4:]) % 10_000:04d}"

    @property
    def name(self) -> str:
        return f"Frontdesk {self.account}"


class WhatsApp(StandIn):
    """The Cloud API of every WhatsApp account in the sandbox's credentials."""

    channel: ClassVar[str] = "whatsapp"

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(world, accounts)
        keys = ("account", "phone_id", "token", "app_secret", "verify_token")
        numbers = [_Number(**{key: str(a[key]) for key in keys}) for a in accounts]
        self._numbers = {number.account: number for number in numbers}
        self._by_phone = {number.phone_id: number for number in numbers}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to verify each account's webhook with the gateway."""
        for number in self._numbers.values():
            self._tasks.append(asyncio.create_task(self._verify(number)))

    async def close(self) -> None:
        """Stop verifying."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _verify(self, number: _Number) -> None:
        """Do Meta's handshake until the gateway answers with the challenge.

        https://developers.facebook.com/docs/graph-api/webhooks/getting-started
        """
        delay = FIRST_DELAY
        while True:
            challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
            query = urlencode(
                {
                    "hub.mode": "subscribe",
                    "hub.challenge": challenge,
                    "hub.verify_token": number.verify_token,
                }
            )
            try:
                url = f"{self.webhook_url(number.account)}?{query}"
                async with self.world.delivery.session.get(url, allow_redirects=False) as answer:
                    if answer.status == 200 and (await answer.text()).strip() == challenge:
                        number.verified.set()
                        return
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
                logger.debug("sandbox: the gateway cannot be reached yet")
            await asyncio.sleep(delay)
            delay = min(LAST_DELAY, delay * 2)

    # -- HTTP ---------------------------------------------------------------------

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the Graph API's routes."""
        base = r"/whatsapp/{version:v\d+(?:\.\d+)?}/{id:\d+}"
        return [
            web.post(f"{base}/messages", self._messages),
            web.post(f"{base}/media", self._upload),
            web.get(base, self._object),
            web.delete(base, self._delete),
            web.get("/whatsapp/attachments/{id}", self._download),
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
            raise _required("messaging_product")
        upload = form.get("file")
        if not isinstance(upload, web.FileField):
            raise _required("file")
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
        file = self.world.media.get(id_) if id_ in number.media else None
        if file is None:
            raise _unknown(id_, "GET")
        return {
            "messaging_product": "whatsapp",
            "url": f"{self.world.sandbox_url}/whatsapp/attachments/{file.id}",
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
        id_ = request.match_info["id"]
        file = self.world.media.get(id_) if id_ in number.media else None
        if file is None:
            return web.Response(status=404)
        return web.Response(body=file.data, content_type=file.mime)

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
            raise _required("messaging_product")
        if body.get("status") is not None:
            return self._read(number, body)
        to = body.get("to")
        if not to or not isinstance(to, str):
            raise _required("to")
        user = "".join(c for c in to if c.isascii() and c.isdigit())
        if not 5 <= len(user) <= 15:
            raise GraphError(100, "Invalid parameter: to is not a phone number")
        kind = body.get("type", "text")
        if kind not in _TYPES:
            known = ", ".join(t.upper() for t in _TYPES)
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
            raise _required(kind)
        wamid = _wamid(user)
        if kind == "reaction":
            entry = self._reaction(number, user, content)
        else:
            entry = self._outbound(number, kind, content)
            entry.id, entry.account, entry.user = wamid, number.account, user
            context = body.get("context")
            if isinstance(context, dict):
                entry.quote = str(context.get("message_id", ""))
            entry.native = {"opaque": opaque, "statuses": []}
        if time.time() - number.last_heard.get(user, 0.0) > WINDOW_SECONDS and kind != "template":
            # The API takes the message; that it failed is said by webhook.
            self._status(number, user, wamid, "failed", opaque)
        else:
            if kind != "reaction":
                self.world.ledger.add(entry)
            self._status(number, user, wamid, "sent", opaque)
            self._status(number, user, wamid, "delivered", opaque, delay=_DELIVERED_AFTER)
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": user}],
            "messages": [{"id": wamid}],
        }

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
            if older.direction == "in" and older.seq <= entry.seq and older.status != "read":
                older.status = "read"
                self.world.ledger.changed(older)
        indicator = body.get("typing_indicator")
        if indicator is not None:
            if not isinstance(indicator, dict) or indicator.get("type") != "text":
                raise GraphError(100, "typing_indicator['type'] must be text")
            self.world.ledger.tell(
                {
                    "event": "typing",
                    "channel": self.channel,
                    "account": number.account,
                    "user": entry.user,
                }
            )
        return {"success": True}

    def _reaction(self, number: _Number, user: str, content: Any) -> Entry:
        of = content.get("message_id")
        if not of:
            raise _required("reaction['message_id']")
        entry = self.world.ledger.get(self.channel, number.account, str(of))
        if entry is None or entry.user != user:
            raise _invalid("Message to react to is not found")
        entry.reaction = str(content.get("emoji") or "")
        self.world.ledger.changed(entry)
        return entry

    def _outbound(self, number: _Number, kind: str, content: Any) -> Entry:
        """Check a message and return it as the phone shows it."""
        entry = Entry(self.channel, "", "", "", "out", kind)
        if kind == "text":
            text = content.get("body")
            if not text or not isinstance(text, str):
                raise _required("text['body']")
            if len(text) > TEXT_LIMIT:
                raise GraphError(
                    100,
                    message=(
                        f"(#100) Param text['body'] must be at most {TEXT_LIMIT} characters long."
                    ),
                )
            entry.text = text
        elif kind in _MEDIA:
            self._attach(number, kind, content, entry)
        elif kind == "interactive":
            self._interactive(number, content, entry)
        elif kind == "location":
            try:
                place = {k: float(content[k]) for k in ("latitude", "longitude")}
            except (KeyError, TypeError, ValueError) as error:
                raise _required("location['latitude'] and location['longitude']") from error
            entry.location = {**place, "name": str(content.get("name") or "")}
        elif kind == "contacts":
            if not isinstance(content, list) or not content:
                raise _required("contacts")
            names = [
                str(c.get("name", {}).get("formatted_name", ""))
                for c in content
                if isinstance(c, dict) and isinstance(c.get("name"), dict)
            ]
            if len(names) != len(content) or not all(names):
                raise _required("contacts['name']['formatted_name']")
            entry.text = ", ".join(names)
        else:
            # Templates live in Meta's business manager; the sandbox has none.
            name = content.get("name")
            raise GraphError(132001, f"template name ({name}) does not exist", status=404)
        return entry

    def _attach(self, number: _Number, kind: str, content: Json, entry: Entry) -> None:
        link, id_ = content.get("link"), content.get("id")
        if bool(link) == bool(id_):
            raise GraphError(
                100, message=f"(#100) Exactly one of {kind}['id'] and {kind}['link'] is required."
            )
        caption = content.get("caption") or ""
        if caption and kind in ("audio", "sticker"):
            raise GraphError(100, f'Unexpected key "caption" on param "{kind}"')
        if len(caption) > CAPTION_LIMIT:
            raise _invalid(f"Caption length invalid. Max length: {CAPTION_LIMIT}")
        entry.text = caption
        name = str(content.get("filename") or kind)
        if link:
            parts = urlsplit(str(link))
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise GraphError(100, message=f"(#100) Param {kind}['link'] is not a valid URL.")
            url, size = str(link), 0
        else:
            file = self.world.media.get(str(id_)) if str(id_) in number.media else None
            if file is None:
                raise GraphError(
                    100,
                    message=(
                        f"(#100) Param {kind}['id'] is not a valid whatsapp business account media "
                        "attachment ID"
                    ),
                )
            url, size = f"/control/media/{file.id}", len(file.data)
        if kind in ("image", "sticker"):
            entry.image = url
        else:
            entry.file = {"name": name, "url": url, "size": size}

    def _interactive(self, number: _Number, content: Json, entry: Entry) -> None:
        kind = content.get("type")
        action, body = content.get("action"), content.get("body")
        if kind not in ("button", "list", "cta_url"):
            raise _invalid("Interactive type must be one of button, list, cta_url")
        if not isinstance(action, dict):
            raise _required("interactive['action']")
        text = body.get("text") if isinstance(body, dict) else None
        most = LIST_BODY_LIMIT if kind == "list" else BODY_LIMIT
        entry.text = _length("Interactive body text", text, 1, most)
        footer = content.get("footer")
        if isinstance(footer, dict):
            entry.footer = _length("Footer text", footer.get("text"), 1, FOOTER_LIMIT)
        header = content.get("header")
        if isinstance(header, dict):
            self._header(number, header, entry)
        if kind == "button":
            entry.buttons = _reply_buttons(action.get("buttons"))
        elif kind == "list":
            entry.menu = _list(action)
        else:
            parameters = action.get("parameters")
            if not isinstance(parameters, dict):
                raise _required("interactive['action']['parameters']")
            title = _length("Button title", parameters.get("display_text"), 1, BUTTON_TITLE)
            url = str(parameters.get("url") or "")
            if urlsplit(url).scheme not in ("http", "https"):
                raise _invalid("url is not a valid URL")
            entry.buttons = [[{"title": title, "url": url}]]

    def _header(self, number: _Number, header: Json, entry: Entry) -> None:
        kind = header.get("type")
        if kind == "text":
            entry.header = _length("Header text", header.get("text"), 1, HEADER_LIMIT)
        elif kind in ("image", "video", "document") and isinstance(header.get(kind), dict):
            text = entry.text
            self._attach(number, kind, header[kind], entry)
            entry.text = text
        else:
            raise _invalid("Header type must be one of text, image, video, document")

    # -- webhooks -----------------------------------------------------------------

    def _status(
        self,
        number: _Number,
        user: str,
        wamid: str,
        status: str,
        opaque: str | None,
        delay: float = 0.0,
    ) -> None:
        """Push a status webhook.

        https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples
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
            conversation: Json = {"id": digest, "origin": {"type": "service"}}
            if status == "sent":
                conversation["expiration_timestamp"] = str(now + WINDOW_SECONDS)
            value["conversation"] = conversation
            value["pricing"] = {
                "billable": False,
                "pricing_model": "PMP",
                "type": "free_customer_service",
                "category": "service",
            }
        if status == "failed":
            value["errors"] = [
                {
                    "code": 131047,
                    "title": _TITLES[131047],
                    "message": _TITLES[131047],
                    "error_data": {
                        "details": "Message failed to send because more than 24 hours have passed "
                        "since the customer last replied to this number."
                    },
                    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/"
                    "error-codes/",
                }
            ]
        self._push(number, f"{user}:status", [{"statuses": [value]}], [], delay=delay)

    def _push(
        self,
        number: _Number,
        key: str,
        values: list[Json],
        entries: list[Entry],
        *,
        delay: float = 0.0,
        copies: int = 1,
    ) -> None:
        metadata = {"display_phone_number": number.display, "phone_number_id": number.phone_id}
        base = {"messaging_product": "whatsapp", "metadata": metadata}
        changes = [{"value": {**base, **value}, "field": "messages"} for value in values]
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
                if entry.status == "pending":
                    entry.status = "delivered"
                    self.world.ledger.changed(entry)

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
        """Return the business numbers by account and name."""
        return [{"account": n.account, "name": n.name} for n in self._numbers.values()]

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
        made = [(one, *self._message(self._account(one.account), one)) for one in said]
        if together:
            # One change a customer, all in one request, in the order of their first message.
            values: dict[str, Json] = {}
            for one, message, _ in made:
                value = values.setdefault(one.user, {**self._contact(one), "messages": []})
                value["messages"].append(message)
            first = said[0]
            entries = [entry for _, _, entry in made if entry is not None]
            self._push(
                self._account(first.account),
                first.user,
                list(values.values()),
                entries,
                copies=first.copies,
            )
        else:
            for one, message, entry in made:
                value = {**self._contact(one), "messages": [message]}
                self._push(
                    self._account(one.account),
                    one.user,
                    [value],
                    [entry] if entry else [],
                    copies=one.copies,
                )
        return [str(message["id"]) for _, message, _ in made]

    def _contact(self, said: Said) -> Json:
        return {"contacts": [{"profile": {"name": said.name}, "wa_id": said.user}]}

    def _message(self, number: _Number, said: Said) -> tuple[Json, Entry | None]:
        """Return a customer's message as webhooks carry it, and as the phone shows it."""
        if said.event or said.edit is not None:
            raise BadRequest("WhatsApp tells businesses nothing of that")
        message: Json = {
            "from": said.user,
            "id": _wamid(said.user),
            "timestamp": str(int(time.time())),
        }
        entry: Entry | None = Entry(
            self.channel, number.account, said.user, message["id"], "in", "text", said.text
        )
        if said.raw is not None:
            message = {**message, **said.raw}
            entry = None
        elif said.payload is not None:
            self._press(number, said, message, entry)
        elif said.emoji is not None:
            reacted = self.world.ledger.get(self.channel, number.account, said.of)
            if reacted is None or reacted.user != said.user:
                raise BadRequest(f"no message {said.of!r} on this phone")
            reacted.reaction = said.emoji
            self.world.ledger.changed(reacted)
            reaction = {"message_id": said.of, **({"emoji": said.emoji} if said.emoji else {})}
            message |= {"type": "reaction", "reaction": reaction}
            entry = None
        elif said.image is not None:
            file = self.world.media.put(said.image, numeric=True)
            number.media.add(file.id)
            # Meta's sha256 of a webhook is base64, that of the media endpoint hexadecimal.
            digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
            image = {"mime_type": file.mime, "sha256": digest, "id": file.id}
            message |= {"type": "image", "image": image}
            if said.text:
                image["caption"] = said.text
            if entry is not None:
                entry.kind, entry.image = "image", f"/control/media/{file.id}"
        elif said.location is not None:
            place = dict(zip(("latitude", "longitude"), said.location, strict=True))
            message |= {"type": "location", "location": place}
            if entry is not None:
                entry.kind, entry.location = "location", place
        else:
            message |= {"type": "text", "text": {"body": said.text}}
        number.last_heard[said.user] = time.time()
        if entry is not None:
            entry.status = "pending"
            self.world.ledger.add(entry)
        return message, entry

    def _press(self, number: _Number, said: Said, message: Json, entry: Entry | None) -> None:
        for shown in reversed(self.world.ledger.select(self.channel, number.account, said.user)):
            if shown.direction != "out" or (said.of and shown.id != said.of):
                continue
            for button in (b for row in shown.buttons for b in row):
                if button.get("payload") == said.payload:
                    reply = {"id": said.payload, "title": button["title"]}
                    break
            else:
                rows = [r for s in (shown.menu or {}).get("sections", []) for r in s["rows"]]
                row = next((r for r in rows if r["id"] == said.payload), None)
                if row is None:
                    continue
                reply = {k: row[k] for k in ("id", "title", "description") if row.get(k)}
            kind = "list_reply" if shown.menu else "button_reply"
            message |= {
                "context": {"from": number.display, "id": shown.id},
                "type": "interactive",
                "interactive": {"type": kind, kind: reply},
            }
            if entry is not None:
                entry.kind, entry.text = "choice", str(reply["title"])
                entry.payload, entry.quote = said.payload or "", shown.id
            return
        raise BadRequest("no message on this phone has such a button")

    def look(self, account: str, user: str) -> None:
        """Mark the bot's messages read and tell the gateway so."""
        number = self._account(account)
        for entry in self.world.ledger.select(self.channel, account, user):
            if entry.direction == "out" and entry.status != "read":
                entry.status = "read"
                self.world.ledger.changed(entry)
                self._status(number, user, entry.id, "read", entry.native.get("opaque"))


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


def _reply_buttons(given: Any) -> list[list[dict[str, str]]]:
    if not isinstance(given, list) or not 1 <= len(given) <= BUTTONS:
        raise _invalid(f"Invalid buttons count. Min allowed buttons: 1, Max: {BUTTONS}")
    buttons = []
    for button in given:
        reply = button.get("reply") if isinstance(button, dict) else None
        if not isinstance(reply, dict) or button.get("type") != "reply":
            raise _invalid("Button type must be reply")
        title = _length("Button title", reply.get("title"), 1, BUTTON_TITLE)
        payload = _length("Button reply id", reply.get("id"), 1, BUTTON_ID)
        if payload != payload.strip():
            raise _invalid("Button reply id must not have leading or trailing spaces")
        buttons.append([{"title": title, "payload": payload}])
    for key in ("title", "payload"):
        if len({row[0][key] for row in buttons}) != len(buttons):
            raise _invalid(f"Duplicated {key.replace('payload', 'id')} of reply buttons")
    return buttons


def _list(action: Json) -> Json:
    label = _length("List button text", action.get("button"), 1, BUTTON_TITLE)
    given = action.get("sections")
    if not isinstance(given, list) or not 1 <= len(given) <= ROWS:
        raise _invalid(f"Invalid sections count. Min: 1, Max: {ROWS}")
    sections: list[Json] = []
    for section in given:
        if not isinstance(section, dict) or not isinstance(section.get("rows"), list):
            raise _required("interactive['action']['sections']['rows']")
        title = section.get("title") or ""
        if title or len(given) > 1:
            _length("Section title", title, 1, ROW_TITLE)
        rows = []
        for row in section["rows"]:
            if not isinstance(row, dict):
                raise _invalid("Row must be an object")
            rows.append(
                {
                    "id": _length("Row id", row.get("id"), 1, ROW_ID),
                    "title": _length("Row title", row.get("title"), 1, ROW_TITLE),
                    "description": _length(
                        "Row description", row.get("description") or "", 0, ROW_DESCRIPTION
                    ),
                }
            )
        sections.append({"title": title, "rows": rows})
    ids = [row["id"] for section in sections for row in section["rows"]]
    if not 1 <= len(ids) <= ROWS:
        raise _invalid(f"Total row count exceeds max allowed count: {ROWS}")
    if len(set(ids)) != len(ids):
        raise _invalid("Duplicated row id")
    return {"label": label, "sections": sections}
