"""Telegram: private chats with a bot, by webhook or long polling.

Facts come from https://core.telegram.org/bots/api unless another page is named.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import itertools
import json
import logging
import math
import random
import re
import unicodedata
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
from telegram import (
    Audio,
    Bot,
    CallbackQuery,
    ChatMemberUpdated,
    Document,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageReactionUpdated,
    PhotoSize,
    ReactionTypeEmoji,
    Sticker,
    Update,
    User,
    Video,
    Voice,
)
from telegram.constants import MessageType
from telegram.error import TelegramError
from telegram.helpers import effective_message_type
from telegram.request import HTTPXRequest

from bot.message import (
    Address,
    Choice,
    Choices,
    Contact,
    Content,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    MediaType,
    Option,
    Outbound,
    Profile,
    Reaction,
    Text,
    Unsupported,
    clean,
)
from connectors.base import Arrived, Capabilities, Connector, Host, Request
from connectors.errors import (
    AddressGone,
    BadSignature,
    ConnectorError,
    OptedOut,
    Rejected,
    RetryLater,
    Unreadable,
    Unsure,
)

log = logging.getLogger(__name__)

CAPABILITIES = Capabilities(
    kinds_in=frozenset(
        {"text", "choice", "media", "location", "contact", "reaction", "edit", "event"}
        | {"unsupported"}
    ),
    kinds_out=frozenset({"text", "choices", "media", "location", "contact"}),
    # https://core.telegram.org/bots/api#sendmessage, in UTF-16 units as entities are:
    # https://core.telegram.org/api/entities#entity-length
    text_limit=4096,
    text_unit="utf16",
    # https://core.telegram.org/bots/api#sendphoto
    caption_limit=1024,
    # Not documented; more are refused with "reply markup is too long".
    buttons=100,
    # Not documented; a phone shows about forty characters in a full row and cuts the rest.
    button_title=64,
    # https://core.telegram.org/bots/api#inlinekeyboardbutton, in bytes. Longer payloads
    # may be sent all the same, see `_callback_data`.
    payload_limit=64,
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    rate=30.0,
    # There are no status webhooks to wait for; this is how long a request whose answer
    # was lost may still be at work, a photo by URL being the slowest.
    grace=10.0,
)

#: https://core.telegram.org/bots/api#update. Reactions come only when asked for by name.
ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "callback_query",
    "message_reaction",
    "my_chat_member",
)

#: Messages a customer writes that nothing here can use. What PTB knows beside these is a
#: service message (a pin, a new photo of the chat), which nobody answers.
UNUSED = (
    MessageType.POLL,
    MessageType.DICE,
    MessageType.GAME,
    MessageType.STORY,
    MessageType.LIVE_PHOTO,
    MessageType.PAID_MEDIA,
    MessageType.CHECKLIST,
    MessageType.INVOICE,
    MessageType.GIVEAWAY,
    MessageType.PASSPORT_DATA,
    MessageType.WEB_APP_DATA,
)

#: What `effective_message_type` may name although it only decorates a message.
DECORATIONS = (
    MessageType.EFFECT_ID,
    MessageType.BUSINESS_CONNECTION_ID,
    MessageType.REPLY_TO_STORY,
    MessageType.SENDER_BUSINESS_BOT,
)

#: Errors of the Bot API by code and a part of the description in lower case, first match
#: wins. The texts are not documented; they are collected in
#: https://github.com/TelegramBotAPI/errors and in the server's source,
#: https://github.com/tdlib/telegram-bot-api.
REFUSALS: tuple[tuple[int, str, type[Rejected]], ...] = (
    (403, "blocked by the user", OptedOut),
    (403, "can't initiate conversation", OptedOut),
    (403, "user is deactivated", AddressGone),
    (403, "can't send messages to bots", AddressGone),
    (400, "chat not found", AddressGone),
    (400, "user not found", AddressGone),
    (400, "peer_id_invalid", AddressGone),
)

#: Failures of the transport before any byte of the request was sent.
UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)

#: Answers to an edit of a message that is there with the very content, and of one that is
#: not there, is the customer's, or is ours with another kind of content.
SAME = "message is not modified"
NOT_OURS = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message to edit",
    "there is no caption in the message to edit",
)

# Private chats of a bot share one counter of message ids, so the id of a message whose
# answer was lost lies as far above the newest known one as the bot had messages in all
# its chats meanwhile. Forty probes are done in a few seconds and within the edit limits.
PROBES = 40

# Seconds. The answer to a send is awaited a little less than the outbox waits for it.
CONNECT_TIMEOUT = 5.0
WRITE_TIMEOUT = 10.0
READ_TIMEOUT = 15.0
POOL_TIMEOUT = 5.0
POLL_TIMEOUT = 25
TOKEN_PAUSE = 60.0
BACKOFF_FIRST = 1.0
BACKOFF_LIMIT = 60.0

CONNECTIONS = 64
WEBHOOK_CONNECTIONS = 40
ANSWERS_AT_ONCE = 100

# How often an update is offered to the store before it is put among the dead letters.
STORE_ATTEMPTS = 6

_SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (the header's name)
_REFERENCE = re.compile(r"#\d+")
_URL = re.compile(r"https?://\S+", re.I)
_T = TypeVar("_T")

#: The method that sends a type of media and the value that stands for a file id. An id is
#: never passed as a plain string: PTB uploads the local file of that name when there is one.
SENDERS: Mapping[MediaType, tuple[str, Callable[[str], Any]]] = {
    "image": ("photo", lambda ref: PhotoSize(ref, "", 0, 0)),
    "audio": ("audio", lambda ref: Audio(ref, "", 0)),
    "voice": ("voice", lambda ref: Voice(ref, "", 0)),
    "video": ("video", lambda ref: Video(ref, "", 0, 0, 0)),
    "document": ("document", lambda ref: Document(ref, "")),
    "sticker": ("sticker", lambda ref: Sticker(ref, "", 0, 0, False, False, Sticker.REGULAR)),
}


@dataclass(frozen=True)
class TelegramAccount:
    """One bot. `api_url` replaces ``https://api.telegram.org``.

    Raises ValueError for a token that cannot be part of a URL, a webhook without
    `secret_token`, a `secret_token` Telegram does not take
    (https://core.telegram.org/bots/api#setwebhook), and an `api_url` that is none.
    """

    account: str
    token: str = field(repr=False, metadata={"secret": True})
    secret_token: str = field(default="", repr=False, metadata={"secret": True})
    mode: Literal["webhook", "polling"] = "webhook"
    api_url: str = field(default="", metadata={"schemes": ("http", "https")})

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w:-]+", self.token, re.A):
            raise ValueError("token must look like 123456:ABC-DEF, as BotFather gives it")
        if self.mode == "webhook" and not self.secret_token:
            raise ValueError("secret_token is missing; only mode: polling goes without it")
        if not re.fullmatch(r"[\w-]{0,256}", self.secret_token, re.A):
            raise ValueError(
                "secret_token may have 256 characters at most, of A-Z, a-z, 0-9, _ and -"
            )
        if self.api_url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", self.api_url):
            raise ValueError("api_url must be like http://127.0.0.1:8081, without a query")


class _Failed(TelegramError):
    """Carries a named failure through PTB, which hands its own kind of errors on untouched."""

    def __init__(self, error: ConnectorError) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class _Conflict(RetryLater):
    """Somebody else polls this bot, or a webhook is set (409)."""


class _Wire(HTTPXRequest):
    """PTB's transport with the error map of this file.

    PTB folds a status, a refused connection and a lost answer into few errors, too few
    to tell what was surely not sent.
    """

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Do one request; raises `_Failed` unless the Bot API says ``ok``."""
        try:
            status, body = await super().do_request(*args, **kwargs)
        except Exception as error:
            failure = _transport_failure(error.__cause__ or error)
        else:
            answer = _json_object(body)
            if 200 <= status < 300 and answer is not None and answer.get("ok") is True:
                return status, body
            failure = _api_failure(status, answer)
        # Outside of the except clause, so that no error with the request, hence the URL
        # and the token in it, hangs on to this one.
        raise _Failed(failure)


class _Bot(Bot):
    """PTB's Bot, whose repr would show the token."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Bot[token=***]"

    async def raw_updates(self, offset: int | None) -> Any:
        """Poll for updates as they came: one that PTB cannot read must not spoil the rest."""
        return await self._post(
            "getUpdates",
            {
                "offset": offset,
                "timeout": POLL_TIMEOUT,
                "allowed_updates": list(ALLOWED_UPDATES),
            },
            read_timeout=POLL_TIMEOUT + READ_TIMEOUT,
        )


class _WithoutToken(logging.Filter):
    """Cuts the token from the URLs httpx logs at INFO."""

    _token = re.compile(r"(/bot)[^/\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._token.sub(r"\1***", record.getMessage()), ()
        return True


class _NoParameters(logging.Filter):
    """Drops what PTB logs at DEBUG: URLs with the token, customers' words, the secret token."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


# Filters of a logger see a record before any handler does, whoever configures logging.
logging.getLogger("httpx").addFilter(_WithoutToken())
logging.getLogger("telegram.Bot").addFilter(_NoParameters())


class Telegram(Connector):
    """One Telegram bot; see https://core.telegram.org/bots/api.

    Provider ids: ``chat.message`` of messages both ways, ``chat.message.e<date>.<update>``
    of edits, ``cb.<id>`` of pressed buttons, ``u.<update>`` of all else. `order` is the
    update's id, which grows with one exception: after a week without updates Telegram
    goes on from a random number.
    """

    channel: ClassVar[str] = "telegram"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    Account: ClassVar[type] = TelegramAccount
    account: TelegramAccount

    def __init__(self, account: TelegramAccount) -> None:
        super().__init__(account)
        base = account.api_url.rstrip("/") or "https://api.telegram.org"
        # The long poll has a pool of its own, so that it never waits for the sends.
        self._wires = (_wire(base, CONNECTIONS), _wire(base, 1))
        self._bot = _Bot(
            account.token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._wires[0],
            get_updates_request=self._wires[1],
        )
        self._answers: set[asyncio.Task[None]] = set()

    # -- in

    async def receive(self, request: Request) -> list[Arrived]:
        """Verify the secret token, then read the one update of the request.

        Groups and channels are left out. A pressed button is answered in the background,
        for until then it shows a spinner. Raises BadSignature, also when no secret token
        is set, and Unreadable.
        """
        given = request.headers.get(_SECRET_HEADER, "")
        secret = self.account.secret_token
        if not secret or not hmac.compare_digest(
            given.encode("utf-8", "surrogatepass"), secret.encode()
        ):
            raise BadSignature("the secret token of the webhook is missing or wrong")
        try:
            # NaN and Infinity are no JSON, and no store takes them.
            raw = json.loads(request.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            reason = type(error).__name__
        else:
            arrived = self._read(raw)
            self._answer_buttons(arrived)
            return list(arrived)
        raise Unreadable(f"the body is not JSON ({reason})")

    def vouch(self, request: Request) -> Request:
        """Return `request` with the secret token Telegram would have sent."""
        return replace(
            request, headers={**request.headers, _SECRET_HEADER: self.account.secret_token}
        )

    def _read(self, raw: object) -> list[Inbound]:
        """Read one update; shared by webhook and polling. Raises Unreadable alone."""
        if not isinstance(raw, dict):
            raise Unreadable(f"an update is a JSON object, not {type(raw).__name__}")
        update_id = _whole(raw.get("update_id"), "update_id")
        kind = next((k for k in ALLOWED_UPDATES if k in raw), None)
        if kind is None:
            return []
        try:
            update = Update.de_json({"update_id": update_id, kind: raw[kind]})
            return self._translate(update)
        except Unreadable as error:
            reason = str(error)
        except Exception as error:
            # PTB takes fields on trust: a wrong shape ends in whatever error its use
            # raises, here or, as it checks no types, later in this file. The message of
            # such an error may quote the customer, its type does not.
            reason = f"{type(error).__name__} in {kind}"
        raise Unreadable(f"update {update_id}: {reason}")

    def _translate(self, update: Update) -> list[Inbound]:
        if update.message:
            return self._message(update.message, update.update_id)
        if update.edited_message:
            return self._edit(update.edited_message, update.update_id)
        if update.callback_query:
            return self._button(update.callback_query, update.update_id)
        if update.message_reaction:
            return self._reactions(update.message_reaction, update.update_id)
        if update.my_chat_member:
            return self._membership(update.my_chat_member, update.update_id)
        # The kind's value was null or empty, which Telegram never sends.
        raise Unreadable("it is empty")

    def _inbound(
        self,
        chat: int,
        provider_id: str,
        content: Content,
        order: int,
        user: User | None,
        sent: datetime | None = None,
    ) -> Inbound:
        profile = Profile(
            name=" ".join(
                part
                for part in (
                    _text(user and user.first_name, "first_name"),
                    _text(user and user.last_name, "last_name"),
                )
                if part
            ),
            username=_text(user and user.username, "username"),
            language=_text(user and user.language_code, "language_code"),
        )
        address = Address(self.channel, self.account.account, str(chat))
        found = Inbound(address, provider_id, content, order=order, profile=profile)
        return found if sent is None else replace(found, sent=sent)

    def _message(self, message: Message, update_id: int) -> list[Inbound]:
        if message.chat.type != "private":
            return []
        content = _content(message)
        if content is None:
            return []
        chat = _whole(message.chat.id, "chat.id")
        return [
            self._inbound(
                chat,
                f"{chat}.{_whole(message.message_id, 'message_id')}",
                content,
                update_id,
                message.from_user,
                message.date,
            )
        ]

    def _edit(self, message: Message, update_id: int) -> list[Inbound]:
        if message.chat.type != "private":
            return []
        # A live location is edited at every step of the customer; only words count here.
        words = message.text if message.text is not None else message.caption
        if words is None:
            return []
        chat = _whole(message.chat.id, "chat.id")
        of = f"{chat}.{_whole(message.message_id, 'message_id')}"
        edited = message.edit_date or message.date
        # The date is in whole seconds, in which a message can be edited twice.
        provider_id = f"{of}.e{int(edited.timestamp())}.{update_id}"
        content = Edit(of=of, text=_text(words, "text"))
        return [self._inbound(chat, provider_id, content, update_id, message.from_user, edited)]

    def _button(self, query: CallbackQuery, update_id: int) -> list[Inbound]:
        message = query.message
        # Buttons of inline mode come without a message, and we send none of them.
        if message is None or message.chat.type != "private":
            return []
        chat = _whole(message.chat.id, "chat.id")
        of = f"{chat}.{_whole(message.message_id, 'message_id')}"
        data = _text(query.data, "data")
        content: Content = Choice(payload=data, title=_title(message, data), of=of)
        if query.data is None:
            content = Unsupported("callback_game")
        provider_id = f"cb.{_text(query.id, 'id')}"
        # A press has no time of its own; the message's is when the buttons were sent.
        return [self._inbound(chat, provider_id, content, update_id, query.from_user)]

    def _reactions(self, changed: MessageReactionUpdated, update_id: int) -> list[Inbound]:
        if changed.chat.type != "private":
            return []
        chat = _whole(changed.chat.id, "chat.id")
        of = f"{chat}.{_whole(changed.message_id, 'message_id')}"
        added = [r for r in changed.new_reaction if r not in changed.old_reaction]
        removed = [r for r in changed.old_reaction if r not in changed.new_reaction]
        # Choosing another emoji takes the old one off; only the new one tells something.
        return [
            self._inbound(
                chat,
                f"u.{update_id}" + (f".{n}" if n else ""),
                Reaction(
                    of=of,
                    # Custom emoji and paid stars have no character.
                    emoji=_text(r.emoji, "emoji") if isinstance(r, ReactionTypeEmoji) else "",
                    removed=not added,
                ),
                update_id,
                changed.user,
                changed.date,
            )
            for n, r in enumerate(added or removed)
        ]

    def _membership(self, changed: ChatMemberUpdated, update_id: int) -> list[Inbound]:
        if changed.chat.type != "private":
            return []
        # In a private chat this comes only when the customer blocks or unblocks the bot.
        name = {"kicked": "blocked", "member": "unblocked"}.get(changed.new_chat_member.status)
        if name is None:
            return []
        chat = _whole(changed.chat.id, "chat.id")
        return [
            self._inbound(
                chat, f"u.{update_id}", Event(name), update_id, changed.from_user, changed.date
            )
        ]

    def _answer_buttons(self, arrived: Sequence[Inbound]) -> None:
        """Stop the spinner on pressed buttons, without making anyone wait for it.

        https://core.telegram.org/bots/api#answercallbackquery
        """
        for inbound in arrived:
            if inbound.provider_id.startswith("cb.") and len(self._answers) < ANSWERS_AT_ONCE:
                task = asyncio.create_task(self._answer(inbound.provider_id[len("cb.") :]))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _answer(self, query: str) -> None:
        try:
            await _call(self._bot.answer_callback_query(query))
        except ConnectorError as error:
            # A spinner ends by itself after a while, and old queries cannot be answered.
            log.debug("%s: a pressed button was not answered: %s", self.name, error)

    # -- out

    async def send(self, outbound: Outbound) -> str:
        """Send one message by one request; words are plain, without a parse mode.

        Returns ``chat.message``. A payload too long for a button is replaced by ``#n``,
        see `_callback_data`. Raises RetryLater, Unsure, Rejected, OptedOut, AddressGone.
        """
        chat = _chat(outbound.address)
        sent = await _call(self._send(chat, outbound.content))
        # PTB hands a bare true on, although these methods always answer the message.
        if not isinstance(sent, Message) or not isinstance(sent.message_id, int):
            raise Unsure("Telegram said ok and named no message")
        return f"{chat}.{sent.message_id}"

    def _send(self, chat: int, content: Content) -> Awaitable[Message]:
        """Return the request for `content`, not begun. Raises Rejected."""
        if isinstance(content, Text):
            return self._bot.send_message(chat, clean(content.text))
        if isinstance(content, Choices):
            return self._bot.send_message(
                chat, clean(content.text), reply_markup=_keyboard(content.options)
            )
        if isinstance(content, Location):
            if not (content.name or content.address):
                return self._bot.send_location(chat, content.latitude, content.longitude)
            return self._bot.send_venue(
                chat,
                content.latitude,
                content.longitude,
                title=clean(content.name or content.address),
                address=clean(content.address or content.name),
            )
        if isinstance(content, Contact):
            if not content.phones:
                raise Rejected("a contact without a phone number cannot be sent on Telegram")
            return self._bot.send_contact(chat, clean(content.phones[0]), clean(content.name))
        if isinstance(content, Media):
            method, handle = SENDERS[content.type]
            if content.url and not _URL.fullmatch(content.url):
                raise Rejected("media is sent by an http(s) URL or by Telegram's file id")
            if not content.url and not content.ref:
                raise Rejected("media has neither a URL nor a file id")
            parameters: dict[str, Any] = {method: content.url or handle(clean(content.ref))}
            if content.type == "sticker" and content.caption:
                raise Rejected("a sticker takes no caption on Telegram")
            if content.caption:
                parameters["caption"] = clean(content.caption)
            request: Awaitable[Message] = getattr(self._bot, f"send_{method}")(chat, **parameters)
            return request
        raise Rejected(f"a {content.kind} cannot be sent on Telegram")

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        """Tell whether a message of unknown outcome was taken, by probing for it.

        Telegram neither lists what a bot sent nor takes an idempotency key. But an edit
        of a message to the very content it has is refused with "message is not modified",
        which nobody sees, and an edit of a message that is not there, or is the
        customer's, with another error. Message ids of all private chats of a bot come
        from one counter, so `PROBES` ids above the newest known one, of whichever private
        chat, are tried. The conversation has one attempt under way at most and everything
        older is known, so a message of the bot found up there is the one asked for; hence
        an edit that succeeds, because Telegram changed something about the content, is a
        find, too.

        The limits: a bot that had more than `PROBES` messages in all its chats between the
        newest known one and the attempt is told None although the message may be there,
        and so sends it twice; somebody else who sends by the same token may see a message
        of his changed.

        Raises Unsure when no known id gives a place to begin, or Telegram's answer is not
        understood; RetryLater when it does not answer (probing again is harmless).
        """
        chat = _chat(outbound.address)
        begin = max((_place(k, chat) for k in known), default=0)
        if not begin:
            raise Unsure("no message of the chat is known whose id could be a place to begin")
        for candidate in range(begin + 1, begin + 1 + PROBES):
            try:
                if await self._is_there(chat, candidate, outbound.content):
                    return f"{chat}.{candidate}"
            except (OptedOut, AddressGone):
                # The send, tried again, meets the same refusal and tells the customer's wish.
                return None
        return None

    async def _is_there(self, chat: int, message: int, content: Content) -> bool:
        try:
            await _call(self._probe(chat, message, content))
        except (OptedOut, AddressGone):
            raise
        except Rejected as error:
            said = str(error).lower()
            if SAME in said:
                return True
            if any(known in said for known in NOT_OURS):
                return False
            reason = str(error)
        except Unsure as error:
            raise RetryLater(f"a probe for the message had no answer: {error}") from None
        else:
            log.warning("%s: a probe changed message %s.%s", self.name, chat, message)
            return True
        raise Unsure(f"a probe for the message was refused: {reason}")

    def _probe(self, chat: int, message: int, content: Content) -> Awaitable[Message | bool]:
        """Return the edit that changes nothing when `message` holds `content`, not begun."""
        if isinstance(content, (Text, Choices)):
            markup = _keyboard(content.options) if isinstance(content, Choices) else None
            return self._bot.edit_message_text(
                clean(content.text), chat_id=chat, message_id=message, reply_markup=markup
            )
        if isinstance(content, Media) and content.type != "sticker":
            return self._bot.edit_message_caption(chat, message, caption=clean(content.caption))
        # Stickers, places and contacts hold no words; none of ours has buttons either.
        return self._bot.edit_message_reply_markup(chat, message)

    async def typing(self, address: Address) -> None:
        """Show "typing…" for five seconds or until the next message. Raises ConnectorError.

        https://core.telegram.org/bots/api#sendchataction
        """
        await _call(self._bot.send_chat_action(_chat(address), "typing"))

    async def identity(self) -> str:
        """Return the bot's username, name and id, by getMe. Raises ConnectorError."""
        me = await _call(self._bot.get_me())
        return f"@{me.username} ({me.full_name}), id {me.id}"

    # -- connections of its own

    async def run(self, host: Host) -> None:
        """Set the webhook and return, or poll until cancelled."""
        if self.account.mode == "polling":
            await self._insist("deleteWebhook", self._bot.delete_webhook)
            await self._poll(host)
        elif host.webhook_url:
            await self._insist("setWebhook", lambda: self._set_webhook(host.webhook_url))
            log.info("%s: Telegram delivers to %s", self.name, host.webhook_url)
        else:
            log.warning(
                "%s: no server.public_url is set, so Telegram is not told where to deliver;"
                " set it, or mode: polling",
                self.name,
            )

    def _set_webhook(self, url: str) -> Coroutine[Any, Any, bool]:
        return self._bot.set_webhook(
            url,
            max_connections=WEBHOOK_CONNECTIONS,
            allowed_updates=list(ALLOWED_UPDATES),
            secret_token=self.account.secret_token,
        )

    async def _insist(self, name: str, call: Callable[[], Awaitable[bool]]) -> None:
        """Make a call until it succeeds."""
        for attempt in itertools.count():
            try:
                await _call(call())
                return
            except ConnectorError as error:
                log.error("%s: %s failed: %s", self.name, name, error)
                await asyncio.sleep(_pause(attempt, getattr(error, "after", None)))

    async def _poll(self, host: Host) -> None:
        """Fetch updates and confirm them, by the next offset, only once they are stored."""
        offset: int | None = None
        failures = 0
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                updates = await _call(self._bot.raw_updates(offset))
                if not isinstance(updates, list):
                    raise RetryLater("getUpdates answered no list")
            except ConnectorError as error:
                log.error("%s: polling failed: %s", self.name, error)
                await asyncio.sleep(_pause(failures, getattr(error, "after", None)))
                failures += 1
                if isinstance(error, _Conflict):
                    await self._insist("deleteWebhook", self._bot.delete_webhook)
                continue
            failures = 0
            for raw in updates:
                await self._take(raw, host)
            numbers = [n for n in map(_update_number, updates) if n is not None]
            # An empty answer means that all is confirmed; without an offset the next
            # poll begins at the oldest update, even if Telegram has chosen a new random
            # number below the last one, as it does after a week of silence.
            offset = max(numbers) + 1 if numbers else None
            if not numbers and clock() - began < BACKOFF_FIRST:
                # Not Telegram's way, which waits; a server that does not must not be flooded.
                await asyncio.sleep(BACKOFF_FIRST)

    async def _take(self, raw: object, host: Host) -> None:
        """Store one update, or put it among the dead letters, before returning.

        An update that is refused while dead letters are accepted is at fault itself and
        must not hold up the ones after it; when both fail the store is at fault.
        """
        arrived: list[Inbound] = []
        refused = ""
        body = json.dumps(raw).encode()
        try:
            arrived = self._read(raw)
        except Unreadable as error:
            refused = str(error)
        for attempt in itertools.count():
            try:
                if refused:
                    await host.unreadable(body, refused)
                elif arrived:
                    await host.accept(arrived)
                break
            # The store's own errors are none of a connector's business (it may not import
            # them), and whatever they are the update must not be confirmed.
            except Exception as error:
                failed = type(error).__name__
                log.error("%s: an update could not be stored: %s", self.name, failed)
                if not refused and attempt + 1 >= STORE_ATTEMPTS:
                    try:
                        await host.unreadable(body, f"the store refused it ({failed})")
                        return
                    except Exception:
                        log.error("%s: nor could a dead letter", self.name)
                await asyncio.sleep(_pause(attempt))
        self._answer_buttons(arrived)

    async def close(self) -> None:
        """Release connections; button answers still under way are given up."""
        for task in tuple(self._answers):
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        for wire in self._wires:
            await wire.shutdown()


# -- reading an update


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _whole(value: object, name: str) -> int:
    """Return `value` when it is an integer any store takes; raises Unreadable."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    raise Unreadable(f"{name} is no 64-bit integer")


def _text(value: object, name: str) -> str:
    """Return `value`, cleaned, "" for None; raises Unreadable for anything but a string."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    raise Unreadable(f"{name} is no text")


def _degrees(value: object, most: int, name: str) -> float:
    """Return an angle between -`most` and `most`; raises Unreadable."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        angle = float(value)
        if math.isfinite(angle) and abs(angle) <= most:
            return angle
    raise Unreadable(f"{name} is no angle")


def _update_number(raw: object) -> int | None:
    value = raw.get("update_id") if isinstance(raw, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _content(message: Message) -> Content | None:
    """Translate what a message holds, None for a service message. Raises Unreadable."""
    if message.text is not None:
        words = _text(message.text, "text")
        # https://core.telegram.org/bots/features#deep-linking
        start = re.fullmatch(r"/start(?:@\w+)?(?:\s+(.*))?", words, re.S)
        return Event("start", data=(start[1] or "").strip()) if start else Text(words)
    if message.photo:
        # All sizes of one photo.
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return _media("image", largest, message)
    # Before the document, which an animation has too, for old clients.
    if message.animation:
        return _media("video", message.animation, message)
    if message.document:
        return _media("document", message.document, message)
    if message.voice:
        return _media("voice", message.voice, message)
    if message.audio:
        return _media("audio", message.audio, message)
    if message.video or message.video_note:
        return _media("video", message.video or message.video_note, message)
    if message.sticker:
        return _media("sticker", message.sticker, message)
    # Before the location, which a venue has too.
    if message.venue:
        place, venue = message.venue.location, message.venue
        return Location(
            _degrees(place.latitude, 90, "latitude"),
            _degrees(place.longitude, 180, "longitude"),
            name=_text(venue.title, "title"),
            address=_text(venue.address, "address"),
        )
    if message.location:
        place = message.location
        return Location(
            _degrees(place.latitude, 90, "latitude"), _degrees(place.longitude, 180, "longitude")
        )
    if message.contact:
        card = message.contact
        names = (_text(card.first_name, "first_name"), _text(card.last_name, "last_name"))
        phone = _text(card.phone_number, "phone_number")
        return Contact(name=" ".join(filter(None, names)), phones=(phone,) if phone else ())
    for kind in UNUSED:
        if getattr(message, kind, None):
            return Unsupported(str(kind.value))
    if effective_message_type(message) not in (None, *DECORATIONS):
        return None
    # Kinds newer than PTB are kept by their name; some the Bot API itself leaves blank.
    return Unsupported(_text(next(iter(message.api_kwargs), "unknown"), "kind")[:64])


def _media(type: MediaType, file: Any, message: Message) -> Media:
    return Media(
        type,
        ref=_text(file.file_id, "file_id"),
        mime=_text(getattr(file, "mime_type", None), "mime_type"),
        caption=_text(message.caption, "caption"),
        filename=_text(getattr(file, "file_name", None), "file_name"),
        size=_whole(file.file_size or 0, "file_size"),
    )


def _title(message: Any, data: str) -> str:
    """Return the text of the button that was pressed, "" when the message is too old to tell."""
    markup = getattr(message, "reply_markup", None)
    for row in markup.inline_keyboard if markup else ():
        for button in row:
            if button.callback_data == data:
                return _text(button.text, "text")
    return ""


# -- writing a request


def _chat(address: Address) -> int:
    """Return the chat's id; raises AddressGone, as a name ("@channel") is never a customer."""
    if not re.fullmatch(r"[1-9][0-9]{0,17}", address.user):
        raise AddressGone("the address is no id of a private chat")
    return int(address.user)


def _place(provider_id: str, chat: int) -> int:
    """Return the message's id if it counts for `chat`, 0 for other things.

    All private chats of a bot, whose ids are above zero, share one counter; every other
    chat has its own.
    """
    found = re.fullmatch(r"(-?[0-9]{1,18})\.([0-9]{1,18})", provider_id)
    if not found:
        return 0
    shared = chat > 0 and int(found[1]) > 0
    return int(found[2]) if shared or int(found[1]) == chat else 0


def _callback_data(index: int, payload: str) -> str:
    """Return what a button carries: the payload, or ``#index`` when that cannot be.

    Telegram takes 1 to 64 bytes. The `Choice` that comes back from any other payload has
    the payload ``#n``: the n-th option, counted from 0, of the message it names in `of`.
    A payload that looks like a reference is sent as one, so that each is what it seems.
    """
    data = clean(payload)
    if 1 <= len(data.encode()) <= CAPABILITIES.payload_limit and not _REFERENCE.fullmatch(data):
        return data
    return f"#{index}"


def _keyboard(options: Sequence[Option]) -> InlineKeyboardMarkup | None:
    """Lay buttons out: three in a row when all titles are short, two, or one.

    https://core.telegram.org/bots/api#inlinekeyboardmarkup
    """
    if not options:
        return None
    buttons = [
        InlineKeyboardButton(
            clean(option.title), callback_data=_callback_data(index, option.payload)
        )
        for index, option in enumerate(options)
    ]
    longest = max(_width(button.text) for button in buttons)
    most = 3 if longest <= 9 else 2 if longest <= 16 else 1
    rows = math.ceil(len(buttons) / most)
    # Four buttons are better as two and two than as three and one.
    each = math.ceil(len(buttons) / rows)
    return InlineKeyboardMarkup(
        [buttons[begin : begin + each] for begin in range(0, len(buttons), each)]
    )


def _width(text: str) -> int:
    """Return how many columns `text` takes; Chinese characters and emoji take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


# -- doing it


def _wire(base: str, connections: int) -> _Wire:
    host = urlsplit(base).hostname or ""
    return _Wire(
        connection_pool_size=connections,
        connect_timeout=CONNECT_TIMEOUT,
        write_timeout=WRITE_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        pool_timeout=POOL_TIMEOUT,
        # A proxy named in the environment is the way to Telegram, never to this machine.
        httpx_kwargs={"trust_env": not _is_loopback(host)},
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _call(request: Awaitable[_T]) -> _T:
    """Await a request of PTB; raises ConnectorError alone."""
    failure: ConnectorError
    try:
        return await request
    except _Failed as failed:
        failure = failed.error
    except Exception as error:
        # It said ok, but with a result PTB cannot read.
        failure = Unsure(f"Telegram's answer was not understood ({type(error).__name__})")
    # Outside of the except clauses: PTB's and httpx's errors hold the URL with the token.
    raise failure


def _pause(attempt: int, after: float | None = None) -> float:
    """Return seconds to wait after a failure: Telegram's word, or doubling, with jitter."""
    backoff: float = min(BACKOFF_LIMIT, BACKOFF_FIRST * 2 ** min(attempt, 16))
    return max(after or 0.0, backoff * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _transport_failure(cause: BaseException) -> ConnectorError:
    """Name what happened on the way. No texts but the system's: others may hold the URL."""
    name = type(cause).__name__
    if isinstance(cause, httpx.ConnectError):
        return RetryLater(f"Telegram cannot be reached: {cause}")
    if isinstance(cause, UNSENT):
        return RetryLater(f"Telegram cannot be reached ({name})")
    return Unsure(f"Telegram did not answer ({name})")


def _api_failure(status: int, answer: dict[str, Any] | None) -> ConnectorError:
    """Apply the error map to an answer that is not ``ok``.

    https://core.telegram.org/bots/api#making-requests and #responseparameters
    """
    if answer is None or not isinstance(answer.get("ok"), bool):
        reason = f"{status} with a body that is not the Bot API's"
        if status == 429:
            return RetryLater(reason)
        if 300 <= status < 500:
            # A proxy or a wrong api_url: Telegram never saw the request.
            return RetryLater(f"{reason}; check api_url", TOKEN_PAUSE)
        return Unsure(reason)
    code = status
    if 200 <= status < 300 and isinstance(answer.get("error_code"), int):
        code = answer["error_code"]
    said = clean(str(answer.get("description", "")))[:300]
    reason = f"{code} {said}".rstrip()
    if code == 429:
        parameters = answer.get("parameters")
        after = parameters.get("retry_after") if isinstance(parameters, dict) else None
        if isinstance(after, (int, float)) and 0 <= after <= 24 * 3600:
            return RetryLater(reason, float(after))
        return RetryLater(reason)
    if code in (401, 404):
        # An operator's mistake must not cost the customers their messages. Telegram says
        # 404 to a token that is no token.
        return RetryLater(f"{reason}: the bot's token is not accepted, check it", TOKEN_PAUSE)
    if code == 409:
        return _Conflict(f"{reason} (another process polls this bot, or a webhook is set)")
    if code in (502, 504) or code < 400:
        return Unsure(reason)
    if code >= 500:
        # In the Bot API's own words: it did not do it.
        return RetryLater(reason)
    for known_code, part, kind in REFUSALS:
        if code == known_code and part in said.lower():
            return kind(reason, str(code))
    return Rejected(reason, str(code))
