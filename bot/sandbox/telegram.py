"""A stand-in for the Telegram Bot API: https://core.telegram.org/bots/api.

Error texts are those of Telegram's own server, https://github.com/tdlib/telegram-bot-api.
Entities are kept and shown; a parse_mode is accepted and not interpreted. A URL of a file
is not fetched, the page shows it; the sandbox speaks to nobody but the gateway.

A customer is a number; ``number/topic`` writes in a topic of the private chat.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from aiohttp import web
from telegram.constants import ReactionEmoji

from bot.message import (
    Choice,
    Choices,
    Contact,
    Content,
    Edit,
    Event,
    Location,
    Media,
    MediaType,
    Option,
    Reaction,
    Text,
    decode,
    encode,
)
from bot.sandbox import formatting
from bot.sandbox.delivery import Job, Push
from bot.sandbox.errors import BadRequest
from bot.sandbox.ledger import Entry
from bot.sandbox.media import File, dimensions
from bot.sandbox.standin import Said, StandIn, World

TEXT_LIMIT = 4096  # sendMessage: "1-4096 characters after entities parsing"
CAPTION_LIMIT = 1024  # sendPhoto
CALLBACK_DATA_LIMIT = 64  # InlineKeyboardButton: "1-64 bytes"
PHOTO_BYTES = 10 * 1024 * 1024  # https://core.telegram.org/bots/api#sending-files
FILE_BYTES = 50 * 1024 * 1024
DOWNLOAD_BYTES = 20 * 1024 * 1024  # getFile
POLL_LIMIT = 50  # seconds; the server cuts longer polls
KEEP_UPDATES = 10_000

# setWebhook: "1-256 characters. Only characters A-Z, a-z, 0-9, _ and - are allowed."
_SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ACTIONS = {
    "typing",
    "choose_sticker",
    "find_location",
    *(
        f"{verb}_{what}"
        for verb in ("record", "upload")
        for what in ("video", "voice", "video_note")
    ),
    *("upload_photo", "upload_document"),
}
# By default all but these are sent: https://core.telegram.org/bots/api#setwebhook
_NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
_FILE_KINDS = ("photo", "document", "video", "audio", "voice", "animation", "sticker")
_TYPES: dict[str, MediaType] = {
    "photo": "image",
    "animation": "video",
    "document": "document",
    "video": "video",
    "audio": "audio",
    "voice": "voice",
    "sticker": "sticker",
}
# ReactionTypeEmoji lists them; the selectors that make a sign an emoji do not count.
_REACTIONS = {emoji.value.replace("\ufe0f", "") for emoji in ReactionEmoji}

Json = dict[str, Any]


class ApiError(Exception):
    """An error the API answers with: code and description as Telegram's."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def _bad(reason: str) -> ApiError:
    return ApiError(400, f"Bad Request: {reason}")


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(slots=True)
class _Chat:
    id: int
    name: str
    blocked: bool = False
    topics: set[int] = field(default_factory=set)

    def user(self) -> Json:
        first, _, last = self.name.partition(" ")
        user: Json = {"id": self.id, "is_bot": False, "first_name": first, "language_code": "en"}
        return {**user, "last_name": last} if last else user

    def plain(self) -> Json:
        first, _, last = self.name.partition(" ")
        chat: Json = {"id": self.id, "first_name": first, "type": "private"}
        return {**chat, "last_name": last} if last else chat


@dataclass(slots=True)
class _Update:
    id: int
    kind: str
    chat: int
    body: bytes
    entry: Entry | None
    copies: int = 1
    pushed: bool = False


@dataclass(slots=True)
class _Bot:
    account: str
    token: str = field(repr=False)
    url: str = ""
    secret_token: str = field(default="", repr=False)
    allowed: list[str] | None = None
    max_connections: int = 40
    last_error: tuple[int, str] | None = None
    chats: dict[int, _Chat] = field(default_factory=dict)
    updates: dict[int, _Update] = field(default_factory=dict)
    callbacks: dict[str, Entry] = field(default_factory=dict)
    albums: dict[tuple[str, str], str] = field(default_factory=dict)
    # One counter for all private chats of a bot, as the real one has.
    last_message: int = field(default_factory=lambda: secrets.randbelow(900) + 100)
    last_update: int = field(default_factory=lambda: secrets.randbelow(10**8) + 10**8)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    poll: int = 0
    polling: bool = False
    ended_by: str = ""

    @property
    def me(self) -> Json:
        return {
            "id": int(self.token.split(":", 1)[0]),
            "is_bot": True,
            "first_name": f"Frontdesk {self.account}",
            "username": f"frontdesk_{re.sub('[^a-z0-9_]', '_', self.account.lower())}_bot",
        }

    def wants(self, kind: str) -> bool:
        if not self.allowed:
            return kind not in _NOT_BY_DEFAULT
        return kind in self.allowed


class _Params:
    """The parameters of one call, from query, JSON, form or multipart alike."""

    def __init__(self, values: Mapping[str, Any], files: Mapping[str, tuple[str, bytes]]) -> None:
        self._values = values
        self.files = files

    @classmethod
    async def read(cls, request: web.Request) -> _Params:
        values: dict[str, Any] = dict(request.query)
        files: dict[str, tuple[str, bytes]] = {}
        if request.method == "POST":
            if request.content_type == "application/json":
                try:
                    body = await request.json()
                except ValueError as error:
                    raise _bad("can't parse JSON object") from error
                if not isinstance(body, dict):
                    raise _bad("object expected")
                values.update(body)
            else:
                for name, value in (await request.post()).items():
                    if isinstance(value, web.FileField):
                        data = await asyncio.to_thread(value.file.read)
                        files[name] = (value.filename, data)
                    else:
                        values[name] = value
        return cls(values, files)

    def text(self, name: str) -> str:
        value = self._values.get(name, "")
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else "" if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        try:
            return int(self.text(name) or default)
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "1", "yes")

    def structure(self, name: str, what: str) -> Any:
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise _bad(f"can't parse {what} JSON object") from error


class Telegram(StandIn):
    """The Bot API of every Telegram account in the sandbox's credentials."""

    channel: ClassVar[str] = "telegram"
    can: ClassVar[frozenset[str]] = frozenset(
        {"text", "choice", "location", "venue", "contact", "own_contact", "reaction", "edit"}
        | {"image", "audio", "voice", "video", "document", "sticker", "album", "reply"}
        | {"start", "blocked", "unblocked"}
    )

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(world, accounts)
        self._bots = {str(a["account"]): _Bot(str(a["account"]), str(a["token"])) for a in accounts}
        for name, bot in self._bots.items():
            if not bot.token.partition(":")[0].isdigit():
                raise ValueError(f"a bot's token, digits and a colon first ({name})")
        self._by_token = {bot.token: bot for bot in self._bots.values()}
        for account in accounts:
            # As if the operator had called setWebhook. A connector that polls deletes it.
            if account.get("mode", "webhook") == "webhook":
                bot = self._bots[str(account["account"])]
                bot.url = self.webhook_url(bot.account)
                bot.secret_token = str(account.get("secret_token", ""))
        self._methods: dict[str, Callable[[_Bot, _Params], Awaitable[Any]]] = {
            "getme": self._get_me,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "getupdates": self._get_updates,
            "sendmessage": self._send_message,
            "sendlocation": self._send_location,
            "sendvenue": self._send_venue,
            "sendcontact": self._send_contact,
            "sendchataction": self._send_chat_action,
            "answercallbackquery": self._answer_callback_query,
            "editmessagetext": self._edit_message_text,
            "editmessagecaption": self._edit_message_caption,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "deletemessage": self._delete_message,
            "setmessagereaction": self._set_message_reaction,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            **{f"send{kind}": self._sender(kind) for kind in _FILE_KINDS},
        }

    # -- HTTP ---------------------------------------------------------------------

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the Bot API's routes."""
        return [
            web.route("*", "/telegram/bot{token:[^/]+}/{method}", self._call),
            web.get("/telegram/file/bot{token:[^/]+}/{path:.+}", self._download),
        ]

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"].lower()

        async def handle() -> web.Response:
            try:
                bot = self._bot_of(request)
                call = self._methods.get(method)
                if call is None:
                    raise ApiError(404, "Not Found")
                if request.method not in ("GET", "POST"):
                    raise ApiError(405, "Method Not Allowed")
                result = await call(bot, await _Params.read(request))
            except ApiError as error:
                return _error(error.code, error.description)
            if isinstance(result, tuple):
                return _json({"ok": True, "result": result[0], "description": result[1]})
            return _json({"ok": True, "result": result})

        return await self.world.faults.call(request, self.channel, method, handle, _refuse)

    def _bot_of(self, request: web.Request) -> _Bot:
        token = request.match_info["token"]
        bot = next(
            (
                b
                for t, b in self._by_token.items()
                if secrets.compare_digest(_utf8(t), _utf8(token))
            ),
            None,
        )
        if bot is None:
            raise ApiError(401, "Unauthorized")
        return bot

    async def _download(self, request: web.Request) -> web.Response:
        try:
            self._bot_of(request)
        except ApiError as error:
            return _error(error.code, error.description)
        id_ = request.match_info["path"].rpartition("/")[2].partition(".")[0]
        file = self.world.media.get(id_)
        if file is None:
            return _error(404, "Not Found")
        return web.Response(body=file.data, content_type="application/octet-stream")

    # -- updates ------------------------------------------------------------------

    def _enqueue(
        self, bot: _Bot, kind: str, chat: int, content: Json, entry: Entry | None, copies: int = 1
    ) -> None:
        if not bot.wants(kind):
            return
        self.world.delivery.room(1)
        if len(bot.updates) >= KEEP_UPDATES:
            # Telegram keeps what nobody fetches for a day, here it is a number.
            del bot.updates[next(iter(bot.updates))]
        bot.last_update += 1
        body = json.dumps({"update_id": bot.last_update, kind: content}).encode()
        update = _Update(bot.last_update, kind, chat, body, entry, copies)
        bot.updates[update.id] = update
        bot.arrived.set()
        self._push(bot, update)

    def _push(self, bot: _Bot, update: _Update) -> None:
        if not bot.url or update.pushed:
            return
        update.pushed = True

        def request() -> Push | None:
            if not bot.url or update.id not in bot.updates:
                update.pushed = False
                return None
            headers = {"Content-Type": "application/json"}
            if bot.secret_token:
                headers["X-Telegram-Bot-Api-Secret-Token"] = bot.secret_token
            return Push(bot.url, headers, update.body)

        def done() -> None:
            self._taken(bot, update)

        def failed(reason: str) -> None:
            bot.last_error = (int(time.time()), reason)

        # Updates of one chat go in order, chats beside each other, as Telegram's queues do.
        self.world.delivery.push(
            f"telegram:{bot.account}:{update.chat}",
            Job(request, done, failed, copies=update.copies),
        )

    def _taken(self, bot: _Bot, update: _Update) -> None:
        bot.updates.pop(update.id, None)
        if update.entry is not None:
            self.world.ledger.settle(update.entry, "delivered")

    async def _get_updates(self, bot: _Bot, params: _Params) -> list[Json]:
        if bot.url:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        # A second poll ends the first.
        bot.poll += 1
        mine = bot.poll
        bot.ended_by = "other getUpdates request; make sure that only one bot instance is running"
        bot.arrived.set()
        allowed = params.structure("allowed_updates", "allowed updates")
        if isinstance(allowed, list):
            bot.allowed = [str(kind) for kind in allowed]
        offset = params.integer("offset")
        limit = min(100, max(1, params.integer("limit", 100)))
        if offset > 0:
            for update in [u for u in bot.updates.values() if u.id < offset]:
                self._taken(bot, update)
        elif offset < 0:
            for update in list(bot.updates.values())[:offset]:
                self._taken(bot, update)
        wait = min(POLL_LIMIT, max(0, params.integer("timeout")))
        deadline = asyncio.get_running_loop().time() + wait
        bot.polling = True
        try:
            while True:
                if bot.poll != mine:
                    raise ApiError(409, f"Conflict: terminated by {bot.ended_by}")
                left = deadline - asyncio.get_running_loop().time()
                if bot.updates or left <= 0:
                    return [json.loads(u.body) for u in list(bot.updates.values())[:limit]]
                bot.arrived.clear()
                try:
                    await asyncio.wait_for(bot.arrived.wait(), left)
                except asyncio.TimeoutError:
                    continue
        finally:
            if bot.poll == mine:
                bot.polling = False

    async def _set_webhook(self, bot: _Bot, params: _Params) -> Any:
        url = params.text("url")
        if not url:
            return await self._delete_webhook(bot, params)
        parts = urlsplit(url)
        known = {urlsplit(self.world.gateway_url).hostname, "127.0.0.1", "localhost", "::1"}
        if parts.scheme not in ("http", "https") or parts.hostname not in known:
            # Telegram takes any public HTTPS address; the sandbox pushes to this machine alone.
            raise _bad("bad webhook: the sandbox pushes to the gateway on this machine only")
        secret = params.text("secret_token")
        if len(secret) > 256:
            raise _bad("secret token is too long")
        if secret and not _SECRET_TOKEN.fullmatch(secret):
            raise _bad("secret token contains unallowed characters")
        same = url == bot.url and secret == bot.secret_token
        bot.url, bot.secret_token = url, secret
        bot.max_connections = min(100, max(1, params.integer("max_connections", 40)))
        allowed = params.structure("allowed_updates", "allowed updates")
        if isinstance(allowed, list):
            bot.allowed = [str(kind) for kind in allowed]
        if bot.polling:
            bot.poll += 1
            bot.ended_by = "setWebhook request"
            bot.arrived.set()
        if params.flag("drop_pending_updates"):
            bot.updates.clear()
        for update in list(bot.updates.values()):
            self._push(bot, update)
        return True, "Webhook is already set" if same else "Webhook was set"

    async def _delete_webhook(self, bot: _Bot, params: _Params) -> Any:
        had = bool(bot.url)
        bot.url = bot.secret_token = ""
        if params.flag("drop_pending_updates"):
            bot.updates.clear()
        return True, "Webhook was deleted" if had else "Webhook is already deleted"

    async def _get_webhook_info(self, bot: _Bot, params: _Params) -> Json:
        info: Json = {
            "url": bot.url,
            "has_custom_certificate": False,
            "pending_update_count": len(bot.updates),
        }
        if bot.last_error:
            info["last_error_date"], info["last_error_message"] = bot.last_error
        if bot.url:
            info["max_connections"] = bot.max_connections
            info["ip_address"] = "127.0.0.1"
        if bot.allowed:
            info["allowed_updates"] = bot.allowed
        return info

    # -- sending ------------------------------------------------------------------

    async def _get_me(self, bot: _Bot, params: _Params) -> Json:
        return {
            **bot.me,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _chat(self, bot: _Bot, params: _Params) -> _Chat:
        given = params.text("chat_id")
        if not given:
            raise _bad("chat_id is empty")
        try:
            chat = bot.chats.get(int(given))
        except ValueError:
            chat = None
        # A bot cannot begin: a chat exists once its customer has written.
        if chat is None:
            raise _bad("chat not found")
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat

    def _user(self, chat: _Chat, params: _Params) -> str:
        """Return the phone a message goes to: the customer's, in a topic of its own if named."""
        topic = params.integer("message_thread_id")
        if not topic:
            return str(chat.id)
        if topic not in chat.topics:
            raise _bad("message thread not found")
        return f"{chat.id}/{topic}"

    def _sent(self, bot: _Bot, chat: _Chat, params: _Params, content: Json, entry: Entry) -> Json:
        """Number, keep and return a message of the bot."""
        markup = _markup(params)
        user = self._user(chat, params)
        reply = params.structure("reply_parameters", "reply parameters")
        replied = str(reply.get("message_id", "")) if isinstance(reply, dict) else ""
        replied = replied or params.text("reply_to_message_id")
        bot.last_message += 1
        message: Json = {
            "message_id": bot.last_message,
            "from": bot.me,
            "chat": chat.plain(),
            "date": int(time.time()),
            **_in_topic(user),
            **content,
        }
        if "inline_keyboard" in markup:
            message["reply_markup"] = markup
        entry.id = str(bot.last_message)
        entry.account, entry.user = bot.account, user
        entry.quote = replied
        entry.native = message
        entry.keyboard = _keyboard(markup)
        _show(entry)
        self.world.ledger.add(entry)
        return message

    async def _send_message(self, bot: _Bot, params: _Params) -> Json:
        chat = self._chat(bot, params)
        content = _words(params, "text", "entities")
        return self._sent(bot, chat, params, content, _entry("text"))

    async def _send_location(self, bot: _Bot, params: _Params) -> Json:
        chat = self._chat(bot, params)
        content = {"location": _position(params)}
        return self._sent(bot, chat, params, content, _entry("location"))

    async def _send_venue(self, bot: _Bot, params: _Params) -> Json:
        chat = self._chat(bot, params)
        place = _position(params)
        venue = {
            "location": place,
            "title": params.text("title"),
            "address": params.text("address"),
        }
        content = {"location": place, "venue": venue}
        return self._sent(bot, chat, params, content, _entry("venue"))

    async def _send_contact(self, bot: _Bot, params: _Params) -> Json:
        chat = self._chat(bot, params)
        contact = {}
        for name in ("phone_number", "first_name"):
            contact[name] = params.text(name)
            if not contact[name]:
                raise _bad(f'parameter "{name}" is required')
        return self._sent(bot, chat, params, {"contact": contact}, _entry("contact"))

    def _sender(self, kind: str) -> Callable[[_Bot, _Params], Awaitable[Json]]:
        async def send(bot: _Bot, params: _Params) -> Json:
            chat = self._chat(bot, params)
            caption = _words(params, "caption", "caption_entities")
            content, entry = self._file(kind, params)
            if kind != "sticker":
                content |= caption
            return self._sent(bot, chat, params, content, entry)

        return send

    def _file(self, kind: str, params: _Params) -> tuple[Json, Entry]:
        """Take the file of a call: uploaded, a file_id, or a URL."""
        given = params.text(kind)
        upload = params.files.get(given.removeprefix("attach://") if given else kind)
        if upload is not None:
            name, data = upload
            if not data:
                raise _bad("file must be non-empty")
            if len(data) > (PHOTO_BYTES if kind == "photo" else FILE_BYTES):
                raise ApiError(413, "Request Entity Too Large")
            file = self.world.media.put(data, name)
            if kind == "photo" and not file.mime.startswith("image/"):
                raise _bad("IMAGE_PROCESS_FAILED")
        elif not given:
            raise _bad(f"there is no {kind} in the request")
        else:
            known = self.world.media.get(given)
            if known is None:
                parts = urlsplit(given)
                if not parts.scheme:
                    raise _bad("wrong file identifier/HTTP URL specified")
                if parts.scheme not in ("http", "https") or not parts.hostname:
                    raise _bad("wrong HTTP URL specified")
                return self._linked(kind, given)
            file = known
        return {kind: _file_object(kind, file)}, _entry(kind, content=_media(kind, file, file.url))

    def _linked(self, kind: str, url: str) -> tuple[Json, Entry]:
        """A file by URL: Telegram would fetch it; its size and measures stay unknown here."""
        name = urlsplit(url).path.rpartition("/")[2]
        unknown = File(secrets.token_urlsafe(24), b"", "application/octet-stream", "bin", name)
        return {kind: _file_object(kind, unknown)}, _entry(kind, content=_media(kind, unknown, url))

    async def _send_chat_action(self, bot: _Bot, params: _Params) -> bool:
        chat = self._chat(bot, params)
        if params.text("action") not in _ACTIONS:
            raise _bad("wrong parameter action in request")
        self.world.ledger.typing(self.channel, bot.account, self._user(chat, params))
        return True

    async def _answer_callback_query(self, bot: _Bot, params: _Params) -> bool:
        entry = bot.callbacks.pop(params.text("callback_query_id"), None)
        if entry is None:
            raise _bad("query is too old and response timeout expired or query ID is invalid")
        self.world.ledger.settle(entry, "read")
        if params.text("text"):
            words = params.text("text")[:200]
            self.world.ledger.toast(self.channel, bot.account, entry.user, words)
        return True

    # -- editing ------------------------------------------------------------------

    def _to_edit(self, bot: _Bot, params: _Params) -> Entry:
        entry = self._message(bot, params, "edit")
        # Nor can one with a reply keyboard: can_edit_message in https://github.com/tdlib/td.
        if entry.direction != "out" or entry.keyboard:
            raise _bad("message can't be edited")
        return entry

    def _message(self, bot: _Bot, params: _Params, purpose: str) -> Entry:
        chat = self._chat(bot, params)
        if not params.text("message_id"):
            raise _bad("message identifier is not specified")
        entry = self.world.ledger.get(
            self.channel, bot.account, str(params.integer("message_id", -1))
        )
        if entry is None or entry.deleted or entry.user.partition("/")[0] != str(chat.id):
            raise _bad(f"message to {purpose} not found")
        return entry

    def _edited(
        self, entry: Entry, changes: Json, params: _Params, gone: Sequence[str] = ()
    ) -> Json:
        """Change a message; what is left out of an edit, the keyboard too, is taken off."""
        message = {k: v for k, v in entry.native.items() if k not in ("reply_markup", *gone)}
        markup = _markup(params)
        if markup and "inline_keyboard" not in markup:
            raise _bad("object expected as reply markup")
        message.update(changes)
        if markup.get("inline_keyboard"):
            message["reply_markup"] = markup
        if message == {k: v for k, v in entry.native.items() if k != "edit_date"}:
            raise _bad(
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
        message["edit_date"] = int(time.time())
        entry.native = message
        _show(entry)
        if changes:
            self.world.ledger.edit(entry, decode(entry.content), entry.styled)
        else:
            # Clients do not call a message edited whose buttons alone have changed.
            self.world.ledger.changed(entry)
        return message

    async def _edit_message_text(self, bot: _Bot, params: _Params) -> Json:
        words = _words(params, "text", "entities")
        entry = self._to_edit(bot, params)
        if "text" not in entry.native:
            raise _bad("there is no text in the message to edit")
        return self._edited(entry, words, params, ("text", "entities", "edit_date"))

    async def _edit_message_caption(self, bot: _Bot, params: _Params) -> Json:
        caption = _words(params, "caption", "caption_entities")
        entry = self._to_edit(bot, params)
        if not any(kind in entry.native for kind in _FILE_KINDS if kind != "sticker"):
            raise _bad("there is no caption in the message to edit")
        gone = ("caption", "caption_entities", "edit_date")
        return self._edited(entry, caption, params, gone)

    async def _edit_message_reply_markup(self, bot: _Bot, params: _Params) -> Json:
        return self._edited(self._to_edit(bot, params), {}, params, ("edit_date",))

    async def _delete_message(self, bot: _Bot, params: _Params) -> bool:
        entry = self._message(bot, params, "delete")
        self.world.ledger.delete(entry)
        return True

    async def _set_message_reaction(self, bot: _Bot, params: _Params) -> bool:
        entry = self._message(bot, params, "react")
        given = params.structure("reaction", "reaction types") or []
        if not isinstance(given, list) or not all(isinstance(r, dict) for r in given):
            raise _bad("can't parse reaction types JSON object")
        emoji = str(given[0].get("emoji", "")) if given else ""
        # "Bots can set up to one reaction per message"; custom emoji need to be there already.
        if len(given) > 1 or (given and emoji.replace("\ufe0f", "") not in _REACTIONS):
            raise _bad("REACTION_INVALID")
        self.world.ledger.react(entry, "out", emoji)
        return True

    async def _get_file(self, bot: _Bot, params: _Params) -> Json:
        id_ = params.text("file_id")
        if not id_:
            raise _bad("file_id not specified")
        file = self.world.media.get(id_)
        if file is None:
            raise _bad("wrong file_id or the file is temporarily unavailable")
        if len(file.data) > DOWNLOAD_BYTES:
            raise _bad("file is too big")
        folder = "photos" if file.mime.startswith("image/") else "documents"
        return {**_file_id(file), "file_path": f"{folder}/{file.id}.{file.extension}"}

    async def _get_chat(self, bot: _Bot, params: _Params) -> Json:
        chat = self._chat(bot, params)
        # ChatFullInfo has two more required fields.
        return {**chat.plain(), "accent_color_id": 0, "max_reaction_count": 11}

    # -- the customers ------------------------------------------------------------

    def accounts(self) -> list[dict[str, str]]:
        """Return the bots by account and name."""
        return [{"account": b.account, "name": b.me["first_name"]} for b in self._bots.values()]

    def _account(self, account: str) -> _Bot:
        bot = self._bots.get(account)
        if bot is None:
            raise BadRequest(f"no telegram account {account!r} in the sandbox")
        return bot

    def say(self, said: Sequence[Said], together: bool) -> list[str]:
        """Let customers say something; each is one update. Raises BadRequest, Overfull."""
        if together:
            raise BadRequest("Telegram sends one update a request")
        self.world.delivery.room(len(said))
        return [self._say(one) for one in said]

    def _say(self, said: Said) -> str:
        bot = self._account(said.account)
        number, slash, topic = said.user.partition("/")
        id_ = self.number(number)
        chat = bot.chats.setdefault(id_, _Chat(id_, said.name))
        chat.name = said.name
        if slash:
            chat.topics.add(self.number(topic))
        content = said.content
        if isinstance(content, Event) and content.name in ("blocked", "unblocked"):
            return self._membership(bot, chat, said, content)
        if chat.blocked:
            raise BadRequest("this customer has blocked the bot; unblock it first")
        if said.raw is not None:
            if len(said.raw) != 1:
                raise BadRequest("raw is an update without its id: one field, its kind")
            kind, update = next(iter(said.raw.items()))
            self._enqueue(bot, kind, id_, update, None, said.copies)
            return str(bot.last_update)
        if isinstance(content, Choice):
            return self._press(bot, chat, said, content)
        if isinstance(content, Edit):
            return self._edit(bot, chat, said, content)
        if isinstance(content, Reaction):
            return self._react(bot, chat, said, content)
        if isinstance(content, Event) and content.name == "start":
            # https://core.telegram.org/bots/features#deep-linking: the button sends a command.
            word = content.data or (said.referral.ref if said.referral else "")
            content = Text(f"/start {word}".strip())
        elif said.referral is not None:
            raise BadRequest("customers of Telegram come by a link that starts the bot")
        if content is None:
            raise BadRequest("nothing is said")
        return self._write(bot, chat, said, content)

    def _write(self, bot: _Bot, chat: _Chat, said: Said, content: Content) -> str:
        """Let a customer send a message of its own."""
        native = self._native(chat, content)
        quoted = self._quoted(bot, said)
        album = self._album(bot, said, content)
        bot.last_message += 1
        message: Json = {
            "message_id": bot.last_message,
            "from": chat.user(),
            "chat": chat.plain(),
            "date": int(said.at.timestamp()),
            **_in_topic(said.user),
            **native,
        }
        if quoted is not None:
            # "The Message object in this field will not contain further reply_to_message."
            message["reply_to_message"] = {
                k: v for k, v in quoted.items() if k != "reply_to_message"
            }
        if album:
            message["media_group_id"] = album
        entry = _entry(
            next(kind for kind in (*native, "text") if kind not in ("caption", "entities")),
            direction="in",
            content=encode(content),
            quote=said.reply_to,
            album=album,
            status="pending",
            native=message,
            at=said.at,
        )
        entry.id, entry.account, entry.user = str(bot.last_message), bot.account, said.user
        if said.referral is not None:
            entry.referral = {"source": said.referral.source, "ref": said.referral.ref}
        self.world.ledger.add(entry)
        self._enqueue(bot, "message", chat.id, message, entry, said.copies)
        return entry.id

    def _native(self, chat: _Chat, content: Content) -> Json:
        """Return the fields of the message that holds `content`. Raises BadRequest."""
        if isinstance(content, Text):
            found: Json = {"text": content.text}
            command = re.match(r"/[A-Za-z0-9_]{1,32}(@\w+)?", content.text)
            if command:
                length = _utf16(command[0])
                found["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
            return found
        if isinstance(content, Media):
            return self._sent_file(content)
        if isinstance(content, Location):
            place = {"latitude": content.latitude, "longitude": content.longitude}
            if not (content.name or content.address):
                return {"location": place}
            venue = {"location": place, "title": content.name, "address": content.address}
            return {"location": place, "venue": venue}
        if isinstance(content, Contact):
            return {"contact": _contact_card(chat, content)}
        raise BadRequest(f"customers of Telegram send bots no {content.kind}")

    def _sent_file(self, content: Media) -> Json:
        file = self.world.file(content)
        if content.filename:
            file = replace(file, filename=content.filename)
        kinds = {type_: kind for kind, type_ in _TYPES.items() if kind != "animation"}
        kind = kinds[content.type]
        found: Json = {kind: _file_object(kind, file)}
        if content.type == "image" and file.mime == "image/gif":
            # Telegram's apps make animations of them; #message: "document will also be set".
            found = {k: _file_object(k, file) for k in ("animation", "document")}
        if content.caption and content.type != "sticker":
            found["caption"] = content.caption
        return found

    def _quoted(self, bot: _Bot, said: Said) -> Json | None:
        if not said.reply_to:
            return None
        return self.world.ledger.own(self.channel, bot.account, said.user, said.reply_to).native

    def _album(self, bot: _Bot, said: Said, content: Content) -> str:
        """Return the id of the media group, "" for none: the same for the same album."""
        if not said.album:
            return ""
        if not isinstance(content, Media) or content.type in ("voice", "sticker"):
            raise BadRequest("an album is of pictures, videos, documents or music")
        if len(bot.albums) >= KEEP_UPDATES:
            del bot.albums[next(iter(bot.albums))]
        new = str(secrets.randbelow(9 * 10**16) + 10**16)
        return bot.albums.setdefault((said.user, said.album), new)

    def _press(self, bot: _Bot, chat: _Chat, said: Said, choice: Choice) -> str:
        entry, option = self.world.ledger.pressable(
            self.channel, bot.account, said.user, choice.payload, choice.of
        )
        query = str(secrets.randbelow(9 * 10**17) + 10**17)
        pressed = Choice(option.payload, option.title, entry.id)
        press = _entry("choice", content=encode(pressed), direction="in", status="pending")
        press.id, press.account, press.user = query, bot.account, said.user
        press.text, press.payload, press.quote = option.title, option.payload, entry.id
        self.world.ledger.add(press)
        if len(bot.callbacks) >= KEEP_UPDATES:
            del bot.callbacks[next(iter(bot.callbacks))]
        bot.callbacks[query] = press
        content = {
            "id": query,
            "from": chat.user(),
            "message": entry.native,
            "chat_instance": str(bot.me["id"] * 31 + chat.id),
            "data": option.payload,
        }
        self._enqueue(bot, "callback_query", chat.id, content, press, said.copies)
        return query

    def _edit(self, bot: _Bot, chat: _Chat, said: Said, edit: Edit) -> str:
        entry = self.world.ledger.own(self.channel, bot.account, said.user, edit.of)
        content = decode(entry.content) if entry.content else None
        if entry.direction != "in" or not isinstance(content, (Text, Media)):
            raise BadRequest("customers edit the words of their own messages only")
        name = "text" if isinstance(content, Text) else "caption"
        entry.native = {**entry.native, name: edit.text, "edit_date": int(said.at.timestamp())}
        entry.native.pop("entities", None)
        if isinstance(content, Text):
            content = replace(content, text=edit.text)
        else:
            content = replace(content, caption=edit.text)
        self.world.ledger.edit(entry, content)
        self._enqueue(bot, "edited_message", chat.id, entry.native, None, said.copies)
        return entry.id

    def _react(self, bot: _Bot, chat: _Chat, said: Said, reaction: Reaction) -> str:
        entry = self.world.ledger.own(self.channel, bot.account, said.user, reaction.of)
        old = entry.reactions.get("in", "")
        new = "" if reaction.removed else reaction.emoji
        self.world.ledger.react(entry, "in", new)
        content = {
            "chat": chat.plain(),
            "message_id": int(entry.id),
            "user": chat.user(),
            "date": int(said.at.timestamp()),
            "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
            "new_reaction": [{"type": "emoji", "emoji": new}] if new else [],
        }
        self._enqueue(bot, "message_reaction", chat.id, content, None, said.copies)
        return entry.id

    def _membership(self, bot: _Bot, chat: _Chat, said: Said, event: Event) -> str:
        chat.blocked = event.name == "blocked"
        states: list[Json] = [
            {"user": bot.me, "status": "member"},
            {"user": bot.me, "status": "kicked", "until_date": 0},
        ]
        content = {
            "chat": chat.plain(),
            "from": chat.user(),
            "date": int(said.at.timestamp()),
            "old_chat_member": states[not chat.blocked],
            "new_chat_member": states[chat.blocked],
        }
        line = _entry("event", direction="in", content=encode(event), silent=True, at=said.at)
        line.id, line.account = f"u{bot.last_update + 1}", bot.account
        line.user, line.text = str(chat.id), event.name
        self.world.ledger.add(line)
        self._enqueue(bot, "my_chat_member", chat.id, content, None, said.copies)
        return str(bot.last_update)

    def look(self, account: str, user: str) -> None:
        """Mark the bot's messages read; Telegram tells bots nothing of it."""
        for entry in self.world.ledger.select(self.channel, account, user):
            if entry.direction == "out":
                self.world.ledger.settle(entry, "read")

    def sign(self, account: str, body: bytes, signature: str) -> dict[str, str]:
        """Return the secret token's header, right, wrong or not at all."""
        bot = self._account(account)
        if signature == "none":
            return {}
        token = bot.secret_token if signature == "right" else secrets.token_urlsafe(24)
        return {"X-Telegram-Bot-Api-Secret-Token": token}


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _json(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _error(code: int, description: str) -> web.Response:
    return _json({"ok": False, "error_code": code, "description": description}, code)


def _refuse(status: int, retry_after: int) -> web.Response:
    """Answer a fault. https://core.telegram.org/bots/api#responseparameters."""
    if status != 429:
        return _error(status, "Internal Server Error")
    body = {
        "ok": False,
        "error_code": 429,
        "description": f"Too Many Requests: retry after {retry_after}",
        "parameters": {"retry_after": retry_after},
    }
    return _json(body, 429, {"Retry-After": str(retry_after)})


def _entry(kind: str, **values: Any) -> Entry:
    values.setdefault("direction", "out")
    return Entry(channel="telegram", account="", user="", id="", kind=kind, **values)


def _in_topic(user: str) -> Json:
    topic = user.partition("/")[2]
    return {"message_thread_id": int(topic), "is_topic_message": True} if topic else {}


def _words(params: _Params, name: str, entities: str) -> Json:
    """Check a text or caption with its entities, and return the fields of the message."""
    text = params.text(name)
    if name == "text" and not text.strip():
        raise _bad("message text is empty")
    if _utf16(text) > (TEXT_LIMIT if name == "text" else CAPTION_LIMIT):
        raise _bad("message is too long" if name == "text" else "message caption is too long")
    found: Json = {name: text} if text else {}
    given = params.structure(entities, "message entities")
    if not given:
        return found
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise _bad("can't parse entities: expected an Array of objects")
    for one in given:
        if one.get("type") == "text_link":
            reason = _bad_link(str(one.get("url") or ""), ("http", "https", "tg"))
            if reason:
                raise _bad(f"Wrong message entity: {reason}")
    return {**found, entities: given}


def _bad_link(url: str, schemes: Sequence[str]) -> str:
    """Say why a URL is refused, as LinkManager::check_link of https://github.com/tdlib/td does."""
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        return "Unsupported URL protocol"
    if parts.scheme != "tg" and "." not in (parts.hostname or ""):
        return "Wrong HTTP URL"
    return ""


def _position(params: _Params) -> Json:
    place: Json = {}
    for name, most in (("latitude", 90), ("longitude", 180)):
        given = params.text(name)
        if not given:
            raise _bad(f"{name} is empty")
        try:
            place[name] = float(given)
        except ValueError as error:
            raise _bad(f"can't parse {name} as Float") from error
        if not abs(place[name]) <= most:
            raise _bad("wrong geo-position specified")
    return place


def _contact_card(chat: _Chat, contact: Contact) -> Json:
    """Return a contact as the customer's app sends it.

    Telegram itself adds whose number it is; here only the customer's own is known.
    """
    if not contact.phones:
        raise BadRequest("a contact of Telegram has a phone number")
    first, _, last = contact.name.partition(" ")
    card: Json = {"phone_number": contact.phones[0], "first_name": first}
    if last:
        card["last_name"] = last
    if contact.own:
        card["user_id"] = chat.id
    if contact.emails or contact.phones[1:]:
        told = [f"TEL:{phone}" for phone in contact.phones]
        told += [f"EMAIL:{address}" for address in contact.emails]
        lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{contact.name}", *told, "END:VCARD"]
        card["vcard"] = "\n".join(lines)
    return card


def _show(entry: Entry) -> None:
    """Fill in what the page shows of a message of the bot, from the message itself."""
    message = entry.native
    markup = message.get("reply_markup", {})
    entry.buttons = _buttons(markup)
    options = tuple(
        Option(b["title"], b.get("payload", ""), url=b.get("url", ""))
        for row in entry.buttons
        for b in row
    )
    caption, words = str(message.get("caption", "")), str(message.get("text", ""))
    content: Content
    if "venue" in message:
        venue = message["venue"]
        content = Location(**venue["location"], name=venue["title"], address=venue["address"])
    elif "location" in message:
        content = Location(**message["location"])
    elif "contact" in message:
        card = message["contact"]
        content = Contact(card["first_name"], (card["phone_number"],))
    elif "text" in message:
        content = Choices(words, options) if options else Text(words)
    else:
        shown = decode(entry.content)
        content = replace(shown, caption=caption) if isinstance(shown, Media) else shown
    entry.content, entry.text = encode(content), words or caption
    entry.styled = {}
    for name, text in (("text", words), ("caption", caption)):
        given = message.get("entities" if name == "text" else "caption_entities")
        if given:
            entry.styled[name] = formatting.shown(*formatting.entities(text, given))


def _markup(params: _Params) -> Json:
    """Check reply_markup and return it in the form messages carry; {} without one."""
    given = params.structure("reply_markup", "reply keyboard markup")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _bad("object expected as reply markup")
    rows = given.get("inline_keyboard")
    if rows is None:
        return given
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise _bad('field "inline_keyboard" must be an Array of Arrays')
    for row in rows:
        for button in row:
            _check_button(button)
    return {"inline_keyboard": [row for row in rows if row]}


def _check_button(button: Any) -> None:
    if not isinstance(button, dict):
        raise _bad("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    if not str(button.get("text") or "").strip():
        raise _bad("can't parse inline keyboard button: Text must be non-empty")
    if "url" in button:
        reason = _bad_link(str(button["url"]), ("http", "https", "tg"))
        if reason:
            raise _bad(f"inline keyboard button URL '{button['url']}' is invalid: {reason}")
    elif "callback_data" in button:
        if not 1 <= len(_utf8(str(button["callback_data"]))) <= CALLBACK_DATA_LIMIT:
            raise _bad("BUTTON_DATA_INVALID")
    elif len(button) == 1:
        raise _bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )


def _buttons(markup: Json) -> list[list[dict[str, Any]]]:
    """Return the inline buttons as the page draws them."""
    return [
        [
            {"title": str(b["text"]), "url": str(b["url"])}
            if "url" in b
            else {"title": str(b["text"]), "payload": str(b.get("callback_data", ""))}
            for b in row
        ]
        for row in markup.get("inline_keyboard", [])
    ]


def _keyboard(markup: Json) -> list[list[dict[str, Any]]] | None:
    """Return the reply keyboard as the page draws it, [] where it is taken away.

    https://core.telegram.org/bots/api#replykeyboardmarkup
    """
    if markup.get("remove_keyboard"):
        return []
    if "keyboard" not in markup:
        return None
    rows = []
    for row in markup["keyboard"]:
        buttons = [b if isinstance(b, dict) else {"text": b} for b in row]
        rows.append([_reply_button(button) for button in buttons])
    return rows


def _reply_button(button: Json) -> dict[str, Any]:
    title = str(button.get("text", ""))
    if button.get("request_location"):
        return {"title": title, "ask": "location"}
    if button.get("request_contact"):
        return {"title": title, "ask": "phone"}
    return {"title": title, "text": title}


def _file_id(file: File) -> Json:
    return {
        "file_id": file.id,
        "file_unique_id": file.sha256[:16],
        "file_size": len(file.data),
    }


def _media(kind: str, file: File, url: str) -> Json:
    """Return the content of a message with a file; what is moved by itself is a video."""
    type_ = _TYPES[kind]
    if kind == "animation" and file.mime.startswith("image/"):
        type_ = "image"
    size = len(file.data)
    mime = file.mime if size else ""
    return encode(Media(type_, url=url, mime=mime, filename=file.filename, size=size))


def _file_object(kind: str, file: File) -> Any:
    """Return a file in the shape of its kind; a photo is a list of sizes, here one."""
    width, height = dimensions(file.data) or (0, 0)
    base = _file_id(file)
    if kind == "photo":
        return [{**base, "width": width, "height": height}]
    if kind in ("video", "animation"):
        base |= {"width": width, "height": height, "duration": 0}
    elif kind in ("audio", "voice"):
        base |= {"duration": 0}
    elif kind == "sticker":
        flags = {"is_animated": False, "is_video": False, "type": "regular"}
        base |= {"width": width, "height": height, **flags}
    if kind != "sticker":
        base |= {"mime_type": file.mime}
    if file.filename and kind not in ("sticker", "voice"):
        base |= {"file_name": file.filename}
    return base
