"""Telegram: chats with a bot, private ones and, where set, groups; by webhook or long polling.

Facts come from https://core.telegram.org/bots/api unless another page is named.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import itertools
import json
import logging
import math
import random
import re
import ssl
import time
import unicodedata
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import quote

import httpx
from telegram import (
    Animation,
    Audio,
    Bot,
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    Document,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    MaybeInaccessibleMessage,
    Message,
    MessageEntity,
    MessageReactionUpdated,
    PhotoSize,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    Sticker,
    Update,
    User,
    Video,
    Voice,
)
from telegram.constants import MessageType, ReactionEmoji
from telegram.error import TelegramError
from telegram.helpers import effective_message_type
from telegram.request import HTTPXRequest

from bot.message import (
    Address,
    Ask,
    Card,
    Cards,
    Choice,
    Choices,
    Contact,
    Content,
    Deletion,
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
    Referral,
    Text,
    Unsupported,
    clean,
)
from connectors import fetching
from connectors.base import Arrived, Capabilities, Connector, File, Files, Host, Request
from connectors.errors import (
    AddressGone,
    BadSignature,
    ConnectorError,
    NoFile,
    OptedOut,
    Rejected,
    RetryLater,
    Unreadable,
    Unsure,
)
from connectors.http import is_loopback
from connectors.telegram_words import card_words, is_link, styled

log = logging.getLogger(__name__)

# https://core.telegram.org/bots/api#sending-files: what Telegram fetches by a URL. A file
# id has no limits; nothing is uploaded.
PHOTO_BYTES = 5 * 1024 * 1024
FILE_BYTES = 20 * 1024 * 1024
#: https://core.telegram.org/bots/api#getfile
DOWNLOAD_BYTES = 20 * 1024 * 1024

CAPABILITIES = Capabilities(
    # Telegram tells bots of no deletions.
    kinds_in=frozenset(
        {"text", "choice", "media", "location", "contact", "reaction", "edit", "event"}
        | {"unsupported"}
    ),
    # Telegram has no lists; a menu becomes buttons below each other.
    kinds_out=frozenset(
        {"text", "choices", "cards", "ask", "media", "location", "contact", "reaction"}
        | {"edit", "deletion"}
    ),
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
    # Words go with `entities`, never with a parse mode, whose escapes a text could break.
    markup="entities",
    link_buttons="any",
    # https://core.telegram.org/bots/api#sendcontact: phone_number is required.
    contact_phone=True,
    # A card is a photo with a caption and a keyboard; there is no carousel. Title and text
    # fit into a caption even if every character takes two units.
    cards=1,
    card_buttons=100,
    card_title=64,
    card_text=400,
    files={
        # #sendphoto, and #sendanimation for a GIF, which as a photo would stand still.
        "image": Files(("image/jpeg", "image/png", "image/webp", "image/gif"), PHOTO_BYTES),
        # #sendaudio: "in the .MP3 or .M4A format".
        "audio": Files(("audio/mpeg", "audio/mp4", "audio/x-m4a"), FILE_BYTES),
        # #sending-files: by URL "the file must have the type audio/ogg and be no more than
        # 1MB in size"; larger ones come as files.
        "voice": Files(("audio/ogg",), 1024 * 1024),
        # #sendvideo
        "video": Files(("video/mp4",), FILE_BYTES),
        # #sending-files: "sending by URL will currently only work for .PDF and .ZIP files".
        "document": Files(("application/pdf", "application/zip"), FILE_BYTES),
        # #sendsticker: "video and animated stickers can't be sent via an HTTP URL".
        "sticker": Files(("image/webp",), FILE_BYTES),
    },
    # #sendchataction: "for 5 seconds or less".
    typing_seconds=5.0,
    # Nothing: a bot is told neither of delivery nor of reading, and can mark nothing read
    # but in the chats of a business account.
    receipts=frozenset(),
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
    (403, "bot was kicked", AddressGone),
    (403, "bot is not a member", AddressGone),
    (403, "group chat was deleted", AddressGone),
    # The group's new address comes as an event of its own.
    (400, "group chat was upgraded to a supergroup", AddressGone),
    # The topic was deleted.
    (400, "message thread not found", AddressGone),
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
# Of a group the bot sees only a part, but all that is said there counts for its limit of
# twenty messages a minute: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
PROBES = 40
GROUP_PROBES = 15

# Ids of supergroups are below this, each with a counter of its own; private chats and basic
# groups share the account's: https://core.telegram.org/api/bots/ids and
# https://core.telegram.org/api/updates#message-related-event-sequences
SUPERGROUPS = -(10**12)

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
# How many questions are remembered as answered, so that their keyboards change once.
CHOSEN = 1000

# How often an update is offered to the store before it is put among the dead letters.
STORE_ATTEMPTS = 6

_SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (the header's name)
# What stands for a payload that cannot be carried, and (alone) what a chosen option carries.
_REFERENCE = re.compile(r"#\d*")
_DONE = "#"
_MARK = "✓"
_OUTSIDE = ("left", "kicked")
_MESSAGE = re.compile(r"(-?[0-9]{1,18})\.([0-9]{1,18})")
_USER = re.compile(r"(-?[1-9][0-9]{0,17})(?:/([1-9][0-9]{0,17}))?")
_URL = re.compile(r"https?://\S+", re.I)
_GIF = re.compile(r"[^?#]*\.gif(?:[?#].*)?", re.I)
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
ANIMATION: tuple[str, Callable[[str], Any]] = (
    "animation",
    lambda ref: Animation(ref, "", 0, 0, 0),
)

# Skin tones, and the selectors that make a sign an emoji or not.
_VARIANTS = re.compile("[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f]")
#: https://core.telegram.org/bots/api#reactiontypeemoji, by the emoji without variants.
REACTIONS = {_VARIANTS.sub("", emoji.value): emoji.value for emoji in ReactionEmoji}

#: https://core.telegram.org/stickers
_STICKERS = {"animated": "application/x-tgsticker", "video": "video/webm", "": "image/webp"}


@dataclass(frozen=True)
class TelegramAccount:
    """One bot. `api_url` replaces ``https://api.telegram.org``.

    With `groups` it also answers in groups, where it is spoken to. `location_button` and
    `phone_button` are what the buttons say that share these, in the customers' language.

    Raises ValueError for a token that cannot be part of a URL, a webhook without
    `secret_token`, a `secret_token` Telegram does not take
    (https://core.telegram.org/bots/api#setwebhook), and an `api_url` that is none.
    """

    account: str
    token: str = field(repr=False, metadata={"secret": True})
    secret_token: str = field(default="", repr=False, metadata={"secret": True})
    mode: Literal["webhook", "polling"] = "webhook"
    groups: bool = False
    location_button: str = "📍 Send my location"
    phone_button: str = "📱 Send my number"
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
        if not (self.location_button.strip() and self.phone_button.strip()):
            raise ValueError("location_button and phone_button are the words on buttons")


class _Failed(TelegramError):
    """Carries a named failure through PTB, which hands its own kind of errors on untouched."""

    def __init__(self, error: ConnectorError) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class _Conflict(RetryLater):
    """Somebody else polls this bot, or a webhook is set (409)."""


class _TooMany(RetryLater):
    """Flood control (429), which does not say whether it is of a chat or of the bot."""


@dataclass(frozen=True, slots=True)
class _Press:
    """A pressed button to be answered. `left` is the keyboard its message keeps, None for all."""

    query: str
    chat: int
    message: int
    left: InlineKeyboardMarkup | None


@dataclass(frozen=True, slots=True)
class _Me:
    """The bot as groups know it."""

    id: int
    username: str


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

    async def file_path(self, file_id: str) -> Any:
        """Ask where a file is, as the Bot API says it: PTB would add the token, or read a disk."""
        return await self._post("getFile", {"file_id": file_id})


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
    of edits, ``cb.<id>`` of pressed buttons, ``u.<update>`` of all else that comes, and
    ``chat.message.r`` of our reactions. `order` is the update's id, which grows with one
    exception: after a week without updates Telegram goes on from a random number.

    The user of an address is the chat's id, and ``chat/topic`` in a topic, of a group or of
    a private chat. Reactions come without their topic and count for the chat itself.
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
        self._files = f"{base}/file/bot{account.token}"
        self._answers: set[asyncio.Task[None]] = set()
        # Questions whose keyboards were changed, the oldest first.
        self._chosen: dict[tuple[int, int], None] = {}
        # Until when (monotonic) a private chat must be left alone.
        self._floods: dict[int, float] = {}
        self._me: _Me | None = None

    # -- in

    async def receive(self, request: Request) -> list[Arrived]:
        """Verify the secret token, then read the one update of the request.

        Channels are left out, and groups unless the account takes them. A pressed button
        is answered in the background, for until then it shows a spinner; then its keyboard
        shows what was chosen. Raises BadSignature, also when no secret token is set, and
        Unreadable.
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
            arrived, press = await self._read(raw)
            self._answer_button(press)
            return list(arrived)
        raise Unreadable(f"the body is not JSON ({reason})")

    def vouch(self, request: Request) -> Request:
        """Return `request` with the secret token Telegram would have sent."""
        return replace(
            request, headers={**request.headers, _SECRET_HEADER: self.account.secret_token}
        )

    async def _read(self, raw: object) -> tuple[list[Inbound], _Press | None]:
        """Read one update; shared by webhook and polling. Raises Unreadable alone."""
        if not isinstance(raw, dict):
            raise Unreadable(f"an update is a JSON object, not {type(raw).__name__}")
        update_id = _whole(raw.get("update_id"), "update_id")
        kind = next((k for k in ALLOWED_UPDATES if k in raw), None)
        if kind is None:
            return [], None
        try:
            update = Update.de_json({"update_id": update_id, kind: raw[kind]})
            if self.account.groups and self._me is None and _is_group(update.effective_chat):
                await self._introduce()
            return self._translate(update)
        except Unreadable as error:
            reason = str(error)
        except ConnectorError as error:
            reason = f"who the bot is in groups is not known: {error}"
        except Exception as error:
            # PTB takes fields on trust: a wrong shape ends in whatever error its use
            # raises, here or, as it checks no types, later in this file. The message of
            # such an error may quote the customer, its type does not.
            reason = f"{type(error).__name__} in {kind}"
        raise Unreadable(f"update {update_id}: {reason}")

    def _translate(self, update: Update) -> tuple[list[Inbound], _Press | None]:
        if update.callback_query:
            return self._button(update.callback_query, update.update_id)
        if update.message:
            return self._message(update.message, update.update_id), None
        if update.edited_message:
            return self._edit(update.edited_message, update.update_id), None
        if update.message_reaction:
            return self._reactions(update.message_reaction, update.update_id), None
        if update.my_chat_member:
            return self._membership(update.my_chat_member, update.update_id), None
        # The kind's value was null or empty, which Telegram never sends.
        raise Unreadable("it is empty")

    def _inbound(
        self,
        user: str,
        provider_id: str,
        content: Content,
        order: int,
        by: User | None,
        sent: datetime | None = None,
    ) -> Inbound:
        """Return a message of the chat or topic `user`, written `by` somebody."""
        profile = Profile(
            name=" ".join(
                part
                for part in (
                    _text(by and by.first_name, "first_name"),
                    _text(by and by.last_name, "last_name"),
                )
                if part
            ),
            username=_text(by and by.username, "username"),
            language=_text(by and by.language_code, "language_code"),
        )
        address = Address(self.channel, self.account.account, user)
        found = Inbound(address, provider_id, content, order=order, profile=profile)
        return found if sent is None else replace(found, sent=sent)

    def _taken(self, chat: Chat) -> bool:
        """Tell whether the account answers in a chat of this kind."""
        return chat.type == "private" or (self.account.groups and _is_group(chat))

    def _message(self, message: Message, update_id: int) -> list[Inbound]:
        if not self._taken(message.chat) or message.business_connection_id:
            return []
        moved = message.migrate_to_chat_id
        if moved is not None:
            content: Content | None = Event("moved", data=str(_whole(moved, "migrate_to_chat_id")))
        elif self._is_for_us(message):
            content = self._without_name(message, _content(message))
        else:
            return []
        if content is None:
            return []
        chat = _whole(message.chat.id, "chat.id")
        inbound = self._inbound(
            _user(message),
            f"{chat}.{_whole(message.message_id, 'message_id')}",
            content,
            update_id,
            message.from_user,
            message.date,
        )
        word = content.data if isinstance(content, Event) and content.name == "start" else ""
        return [
            replace(
                inbound,
                reply_to=_quoted(message),
                album=_text(message.media_group_id, "media_group_id"),
                # https://core.telegram.org/bots/features#deep-linking
                referral=Referral("link", ref=word) if word else None,
            )
        ]

    def _is_for_us(self, message: Message) -> bool:
        """Tell whether the bot is spoken to: always in private, in groups by a command, by its
        name, or by an answer to what it said.

        https://core.telegram.org/bots/features#privacy-mode; without it, or as administrator,
        a bot gets all that is said.
        """
        if message.chat.type == "private":
            return True
        me, by = self._me, message.from_user
        # Who writes as the group or as a channel has a bot for a name.
        if me is None or (by is not None and by.is_bot and message.sender_chat is None):
            return False
        replied = message.reply_to_message if _quoted(message) else None
        if replied is not None and replied.from_user is not None and replied.from_user.id == me.id:
            return True
        kinds: list[str | None] = [
            MessageEntity.MENTION,
            MessageEntity.TEXT_MENTION,
            MessageEntity.BOT_COMMAND,
        ]
        if message.text:
            found = message.parse_entities(kinds)
        else:
            found = message.parse_caption_entities(kinds) if message.caption else {}
        for entity, words in found.items():
            name = words.lower().partition("@")[2]
            if entity.type == MessageEntity.TEXT_MENTION:
                if entity.user is not None and entity.user.id == me.id:
                    return True
            elif entity.type == MessageEntity.MENTION:
                if name == me.username.lower():
                    return True
            elif entity.offset == 0 and name in ("", me.username.lower()):
                return True
        return False

    def _without_name(self, message: Message, content: Content | None) -> Content | None:
        """Take the bot's name off what was said in a group: it addresses, it says nothing."""
        if self._me is None or message.chat.type == "private":
            return content
        name = re.escape(self._me.username)

        def cut(words: str) -> str:
            words = re.sub(rf"^(/\w+)@{name}\b", r"\1", words, flags=re.I)
            return re.sub(rf"^@{name}\b[\s,:;.!-]*", "", words, flags=re.I) or words

        if isinstance(content, Text):
            return replace(content, text=cut(content.text))
        if isinstance(content, Media):
            return replace(content, caption=cut(content.caption))
        return content

    async def _introduce(self) -> None:
        """Learn the bot's id and name. Raises ConnectorError."""
        me = await _call(self._bot.get_me())
        self._me = _Me(me.id, me.username or "")

    def _edit(self, message: Message, update_id: int) -> list[Inbound]:
        if not self._taken(message.chat) or message.business_connection_id:
            return []
        # A live location is edited at every step of the customer; only words count here.
        words = message.text if message.text is not None else message.caption
        if words is None or not self._is_for_us(message):
            return []
        said = self._without_name(message, Text(_text(words, "text")))
        of = f"{_whole(message.chat.id, 'chat.id')}.{_whole(message.message_id, 'message_id')}"
        edited = message.edit_date or message.date
        # The date is in whole seconds, in which a message can be edited twice.
        provider_id = f"{of}.e{int(edited.timestamp())}.{update_id}"
        content = Edit(of=of, text=said.text if isinstance(said, Text) else "")
        user = _user(message)
        return [self._inbound(user, provider_id, content, update_id, message.from_user, edited)]

    def _button(self, query: CallbackQuery, update_id: int) -> tuple[list[Inbound], _Press | None]:
        message = query.message
        # Buttons of inline mode come without a message, and we send none of them.
        if message is None or not self._taken(message.chat):
            return [], None
        chat = _whole(message.chat.id, "chat.id")
        number = _whole(message.message_id, "message_id")
        of = f"{chat}.{number}"
        data = _text(query.data, "data")
        press = _Press(_text(query.id, "id"), chat, number, _left(message, data))
        if data == _DONE:
            # The option that was chosen before, pressed again.
            return [], press
        content: Content = Choice(payload=data, title=_title(message, data), of=of)
        if query.data is None:
            content = Unsupported("callback_game")
        # A press has no time of its own; the message's is when the buttons were sent.
        inbound = self._inbound(
            _user(message), f"cb.{press.query}", content, update_id, query.from_user
        )
        return [inbound], press

    def _reactions(self, changed: MessageReactionUpdated, update_id: int) -> list[Inbound]:
        # In groups anybody reacts to anything; that speaks to nobody.
        if changed.chat.type != "private":
            return []
        chat = _whole(changed.chat.id, "chat.id")
        of = f"{chat}.{_whole(changed.message_id, 'message_id')}"
        added = [r for r in changed.new_reaction if r not in changed.old_reaction]
        removed = [r for r in changed.old_reaction if r not in changed.new_reaction]
        # Choosing another emoji takes the old one off; only the new one tells something.
        return [
            self._inbound(
                str(chat),
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
        if not self._taken(changed.chat):
            return []
        old, new = changed.old_chat_member.status, changed.new_chat_member.status
        if changed.chat.type == "private":
            # In a private chat this comes only when the customer blocks or unblocks the bot.
            name = {"kicked": "blocked", "member": "unblocked"}.get(new)
        else:
            was, now = old in _OUTSIDE, new in _OUTSIDE
            name = None if was == now else "blocked" if now else "unblocked"
        if name is None:
            return []
        user = str(_whole(changed.chat.id, "chat.id"))
        return [
            self._inbound(
                user, f"u.{update_id}", Event(name), update_id, changed.from_user, changed.date
            )
        ]

    def _answer_button(self, press: _Press | None) -> None:
        """Stop the spinner on a pressed button, without making anyone wait for it.

        https://core.telegram.org/bots/api#answercallbackquery
        """
        if press is None or len(self._answers) >= ANSWERS_AT_ONCE:
            return
        task = asyncio.create_task(self._answer(press))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, press: _Press) -> None:
        try:
            await _call(self._bot.answer_callback_query(press.query))
        except ConnectorError as error:
            # A spinner ends by itself after a while, and old queries cannot be answered.
            log.debug("%s: a pressed button was not answered: %s", self.name, error)
        question = press.chat, press.message
        if press.left is None or question in self._chosen:
            return
        # Before the request: a second press, or the same one delivered again, may be close
        # behind, and the customer is to see what was chosen first.
        self._chosen[question] = None
        if len(self._chosen) > CHOSEN:
            del self._chosen[next(iter(self._chosen))]
        try:
            await _call(self._bot.edit_message_reply_markup(*question, reply_markup=press.left))
        except ConnectorError as error:
            log.debug("%s: a keyboard was not changed: %s", self.name, error)

    # -- out

    async def send(self, outbound: Outbound) -> str:
        """Send one message by one request; words go with entities, without a parse mode.

        Returns ``chat.message``, and for what is done to that message ``chat.message.r`` (a
        reaction), ``.edit`` or ``.deletion``; what is done already is no error. A
        payload too long for a button is replaced by ``#n``, see `_callback_data`. Raises
        RetryLater, Unsure, Rejected, OptedOut, AddressGone.
        """
        chat, topic = self._place(outbound.address)
        failure: ConnectorError
        sent: Message | bool
        try:
            sent = await _call(self._send(chat, topic, outbound.content))
        except _TooMany as error:
            failure = self._too_many(chat, error)
        except Rejected as error:
            if not _is_done(outbound.content, str(error)):
                raise
            return f"{getattr(outbound.content, 'of', '')}.{outbound.content.kind}"
        else:
            content = outbound.content
            if isinstance(content, Reaction) and sent is True:
                return f"{content.of}.r"
            if isinstance(content, (Edit, Deletion)):
                # No message of its own, and no other may be taken for it.
                return f"{content.of}.{content.kind}"
            if isinstance(sent, Message) and isinstance(sent.message_id, int):
                return f"{chat}.{sent.message_id}"
            # PTB hands a bare true on, although these methods always answer the message.
            failure = Unsure("Telegram said ok and named no message")
        raise failure

    def _place(self, address: Address) -> tuple[int, int | None]:
        """Return the ids of the chat and, in one, of the topic. Raises AddressGone.

        A name ("@channel") is never a customer.
        """
        found = _USER.fullmatch(address.user) if address.user.isascii() else None
        if found is None or (int(found[1]) < 0 and not self.account.groups):
            raise AddressGone("the address is no id of a chat that this account answers in")
        return int(found[1]), int(found[2]) if found[2] else None

    def _too_many(self, chat: int, error: _TooMany) -> RetryLater:
        """Say whom flood control is about, which Telegram does not.

        https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this names
        three limits: one message a second in a chat, twenty a minute in a group, thirty a
        second in all, which the outbox keeps. So it is the chat, above all a group, until a
        second private chat is refused within the time of the first: then it is the bot.
        """
        now = time.monotonic()
        self._floods = {c: until for c, until in self._floods.items() if until > now}
        alone = not self._floods.keys() - {chat}
        if chat > 0:
            self._floods[chat] = now + (error.after or 1.0)
        return RetryLater(str(error), error.after, pair=chat < 0 or alone)

    def _send(self, chat: int, topic: int | None, content: Content) -> Awaitable[Message | bool]:
        """Return the request for `content`, not begun. Raises Rejected."""
        to: dict[str, Any] = {"chat_id": chat, "message_thread_id": topic}
        if isinstance(content, (Text, Choices)):
            options = content.options if isinstance(content, Choices) else ()
            words, marks = styled(content.text, CAPABILITIES.text_limit)
            return self._bot.send_message(
                **to, text=words, entities=marks, reply_markup=_keyboard(options)
            )
        if isinstance(content, Ask):
            words, marks = styled(content.text, CAPABILITIES.text_limit)
            return self._bot.send_message(
                **to, text=words, entities=marks, reply_markup=self._sharing(chat, content)
            )
        if isinstance(content, Cards):
            card = _only(content)
            words, marks = card_words(card)
            keyboard = _keyboard(card.options)
            if not card.image:
                return self._bot.send_message(
                    **to, text=words, entities=marks, reply_markup=keyboard
                )
            return self._bot.send_photo(
                **to,
                photo=_checked(card.image),
                caption=words or None,
                caption_entities=marks,
                reply_markup=keyboard,
            )
        if isinstance(content, Location):
            if not (content.name or content.address):
                return self._bot.send_location(
                    **to, latitude=content.latitude, longitude=content.longitude
                )
            return self._bot.send_venue(
                **to,
                latitude=content.latitude,
                longitude=content.longitude,
                title=clean(content.name or content.address),
                address=clean(content.address or content.name),
            )
        if isinstance(content, Contact):
            if not content.phones:
                raise Rejected("a contact without a phone number cannot be sent on Telegram")
            return self._bot.send_contact(
                **to, phone_number=clean(content.phones[0]), first_name=clean(content.name)
            )
        if isinstance(content, Media):
            return self._send_media(to, content)
        if isinstance(content, Reaction):
            return self._react(chat, content)
        if isinstance(content, (Edit, Deletion)):
            return self._change(chat, content)
        raise Rejected(f"a {content.kind} cannot be sent on Telegram")

    def _send_media(self, to: dict[str, Any], content: Media) -> Awaitable[Message]:
        method, handle = ANIMATION if _is_gif(content) else SENDERS[content.type]
        if not content.url and not content.ref:
            raise Rejected("media has neither a URL nor a file id")
        if content.type == "sticker" and content.caption:
            raise Rejected("a sticker takes no caption on Telegram")
        file = _checked(content.url) if content.url else handle(clean(content.ref))
        parameters = {**to, method: file}
        if content.caption:
            words, marks = styled(content.caption, CAPABILITIES.caption_limit)
            parameters |= {"caption": words, "caption_entities": marks}
        request: Awaitable[Message] = getattr(self._bot, f"send_{method}")(**parameters)
        return request

    def _sharing(self, chat: int, content: Ask) -> ReplyKeyboardMarkup | None:
        """Return the keyboard that shares a place or a number; it goes once it was used.

        https://core.telegram.org/bots/api#keyboardbutton: "available in private chats only".
        """
        if chat < 0:
            return None
        if content.wanted == "location":
            button = KeyboardButton(self.account.location_button, request_location=True)
        else:
            button = KeyboardButton(self.account.phone_button, request_contact=True)
        return ReplyKeyboardMarkup([[button]], resize_keyboard=True, one_time_keyboard=True)

    def _react(self, chat: int, content: Reaction) -> Awaitable[bool]:
        """Return the request that sets a reaction, or takes ours off. Raises Rejected.

        https://core.telegram.org/bots/api#setmessagereaction
        """
        found = _MESSAGE.fullmatch(content.of)
        if found is None or int(found[1]) != chat:
            raise Rejected("a reaction goes on a message of the same chat")
        emoji = REACTIONS.get(_VARIANTS.sub("", content.emoji))
        if emoji is None and not content.removed:
            raise Rejected("the emoji is none of those Telegram takes for reactions")
        reaction = [] if content.removed or emoji is None else [ReactionTypeEmoji(emoji)]
        return self._bot.set_message_reaction(chat, int(found[2]), reaction)

    def _change(self, chat: int, content: Edit | Deletion) -> Awaitable[Message | bool]:
        """Return the request that changes a message of ours or takes it back. Raises Rejected.

        https://core.telegram.org/bots/api#editmessagetext, #deletemessage: "can only be deleted
        if it was sent less than 48 hours ago".
        """
        found = _MESSAGE.fullmatch(content.of)
        if found is None or int(found[1]) != chat:
            raise Rejected("only a message of the same chat can be changed")
        at: dict[str, Any] = {"chat_id": chat, "message_id": int(found[2])}
        if isinstance(content, Deletion):
            return self._bot.delete_message(**at)
        if content.of_file:
            words, marks = styled(content.text, CAPABILITIES.caption_limit)
            return self._bot.edit_message_caption(**at, caption=words, caption_entities=marks)
        words, marks = styled(content.text, CAPABILITIES.text_limit)
        return self._bot.edit_message_text(words, **at, entities=marks)

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
        of his changed; and a keyboard that shows a choice already shows all options again.

        Raises Unsure when no known id gives a place to begin, Telegram's answer is not
        understood, or the message is one that cannot be edited; RetryLater when it does not
        answer (probing again is harmless).
        """
        chat, _ = self._place(outbound.address)
        if isinstance(outbound.content, (Reaction, Edit, Deletion)):
            # Done twice it is done once.
            return None
        if isinstance(outbound.content, Ask) and chat > 0:
            raise Unsure("a message with a reply keyboard can be neither edited nor found")
        begin = max((_number(k, chat) for k in known), default=0)
        if not begin:
            raise Unsure("no message of the chat is known whose id could be a place to begin")
        probes = PROBES if chat > 0 else GROUP_PROBES
        for candidate in range(begin + 1, begin + 1 + probes):
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
        at: dict[str, Any] = {"chat_id": chat, "message_id": message}
        card = _only(content) if isinstance(content, Cards) else None
        if isinstance(content, (Text, Choices, Ask)):
            words, marks = styled(content.text, CAPABILITIES.text_limit)
            options = content.options if isinstance(content, Choices) else ()
        elif card is not None:
            words, marks = card_words(card)
            options = card.options
        elif isinstance(content, Media) and content.type != "sticker":
            words, marks = styled(content.caption, CAPABILITIES.caption_limit)
            return self._bot.edit_message_caption(**at, caption=words, caption_entities=marks)
        else:
            # Stickers, places and contacts hold no words; none of ours has buttons either.
            return self._bot.edit_message_reply_markup(**at)
        keyboard = _keyboard(options)
        if card is not None and card.image:
            return self._bot.edit_message_caption(
                **at, caption=words, caption_entities=marks, reply_markup=keyboard
            )
        return self._bot.edit_message_text(words, **at, entities=marks, reply_markup=keyboard)

    async def typing(self, address: Address, of: str = "") -> None:
        """Show "typing…" for five seconds or until the next message. Raises ConnectorError.

        https://core.telegram.org/bots/api#sendchataction
        """
        chat, topic = self._place(address)
        await _call(self._bot.send_chat_action(chat, "typing", message_thread_id=topic))

    async def fetch(self, media: Media, most: int) -> File:
        """Return a customer's file: where it is, by getFile, then the file itself.

        https://core.telegram.org/bots/api#getfile: bots get files of up to 20 MB; the link
        is good for an hour, so it is asked for each time. Raises NoFile, RetryLater.
        """
        most = min(most, DOWNLOAD_BYTES)
        if media.size > most:
            raise NoFile(f"the file has {media.size} bytes, {most} are allowed")
        if not media.ref:
            raise NoFile("the file has no id")
        path = await self._path(clean(media.ref))
        found = await fetching.fetch(
            f"{self._files}/{quote(path)}",
            most=most,
            trusted=self.account.api_url,
            name=media.filename or path.rpartition("/")[2],
        )
        # The server says application/octet-stream to everything.
        return replace(found, mime=media.mime or found.mime)

    async def _path(self, file_id: str) -> str:
        """Return a file's path below the bot's files. Raises NoFile, RetryLater."""
        failure: ConnectorError
        try:
            said = await _call(self._bot.file_path(file_id))
        except Unsure as error:
            # Asking twice is harmless.
            failure = RetryLater(str(error))
        except Rejected as error:
            # One and the same text for a file that is gone and for trouble of the servers.
            passing = "temporarily unavailable" in str(error)
            failure = (RetryLater if passing else NoFile)(f"Telegram gives no file: {error}")
        else:
            path = said.get("file_path") if isinstance(said, dict) else None
            if isinstance(path, str) and path and not path.startswith("/"):
                return path
            # https://core.telegram.org/bots/api#using-a-local-bot-api-server: with --local it
            # names a place on its own disk.
            failure = NoFile("the Bot API names no path the file could be fetched by")
        raise failure

    async def identity(self) -> str:
        """Return the bot's username, name and id, by getMe. Raises ConnectorError."""
        me = await _call(self._bot.get_me())
        self._me = _Me(me.id, me.username or "")
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
        press: _Press | None = None
        refused = ""
        body = json.dumps(raw).encode()
        try:
            arrived, press = await self._read(raw)
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
        self._answer_button(press)

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


def _is_group(chat: Chat | None) -> bool:
    return chat is not None and chat.type in ("group", "supergroup")


def _user(message: MaybeInaccessibleMessage) -> str:
    """Return the user part of the address a message came from: the chat, or ``chat/topic``.

    A message too old for Telegram to show has no topic any more.
    """
    chat = _whole(message.chat.id, "chat.id")
    topic = getattr(message, "message_thread_id", None)
    # Threads of answers have such an id, too, and are no topics.
    if topic is None or not getattr(message, "is_topic_message", None):
        return str(chat)
    if _whole(topic, "message_thread_id") < 1:
        raise Unreadable("message_thread_id is not above zero")
    return f"{chat}/{topic}"


def _quoted(message: Message) -> str:
    """Return the id of the message that is answered, "" for none.

    All that is said in a topic answers the message that opened it; that quotes nothing.
    """
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created:
        return ""
    if message.is_topic_message and replied.message_id == message.message_thread_id:
        return ""
    return f"{_whole(replied.chat.id, 'chat.id')}.{_whole(replied.message_id, 'message_id')}"


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
        moving = "animated" if message.sticker.is_animated else ""
        moving = "video" if message.sticker.is_video else moving
        return replace(_media("sticker", message.sticker, message), mime=_STICKERS[moving])
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
        return _contact(message, message.contact)
    if message.web_app_data:
        # Its button's page can be opened, and answer, as the customer likes: words, no payload.
        return Text(_text(message.web_app_data.data, "data"))
    for kind in UNUSED:
        if getattr(message, kind, None):
            return Unsupported(str(kind.value))
    if effective_message_type(message) not in (None, *DECORATIONS):
        return None
    # Kinds newer than PTB are kept by their name; some the Bot API itself leaves blank.
    return Unsupported(_text(next(iter(message.api_kwargs), "unknown"), "kind")[:64])


_VCARD = re.compile(
    r"^(?:\w+\.)?(TEL|EMAIL)\b[^:\r\n]*:(?:tel:|mailto:)?([^\r\n]+)\r?$", re.I | re.M
)


def _contact(message: Message, card: Any) -> Contact:
    """Read a contact card; its vCard may tell further numbers and addresses.

    https://core.telegram.org/bots/api#contact. Telegram itself finds out whose number it is
    when the card is sent. A forwarded one is of that time, and the number may be another's
    by now; one by a bot is what the bot says.
    """
    names = (_text(card.first_name, "first_name"), _text(card.last_name, "last_name"))
    name = " ".join(filter(None, names))
    phone = _text(card.phone_number, "phone_number")
    own = (
        card.user_id is not None
        and message.from_user is not None
        and card.user_id == message.from_user.id
        and message.chat.type == "private"
        and message.forward_origin is None
        and message.via_bot is None
    )
    if own and phone:
        # It is of international form, with or without the sign for it.
        return Contact(name, (phone if phone.startswith("+") else f"+{phone}",), own=True)
    told = [(kind.upper(), value.strip()) for kind, value in _VCARD.findall(_text(card.vcard, ""))]
    phones = [phone, *(value for kind, value in told if kind == "TEL")]
    # The first is usually in the vCard again, written with blanks and dashes.
    alike = {re.sub(r"\D", "", p): p for p in reversed(phones) if p}
    return Contact(
        name,
        tuple(reversed(alike.values())),
        tuple(dict.fromkeys(value for kind, value in told if kind == "EMAIL")),
    )


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
    return next((text for text, carried, _ in _buttons(message) if carried == data), "")


def _left(message: Any, data: str) -> InlineKeyboardMarkup | None:
    """Return the keyboard that shows what was chosen: it alone, marked, and the links.

    None when it is to stay as it is: the option is not in it, or was chosen already.
    """
    buttons = _buttons(message)
    title = next((text for text, carried, _ in buttons if carried == data), "")
    if not title or data == _DONE:
        return None
    chosen = InlineKeyboardButton(f"{_MARK} {title}", callback_data=_DONE)
    links = [InlineKeyboardButton(text, url=url) for text, _, url in buttons if url]
    return InlineKeyboardMarkup([[button] for button in (chosen, *links)])


def _buttons(message: Any) -> list[tuple[str, str, str]]:
    """Return the text, callback data and URL of a message's inline buttons."""
    keyboard = getattr(message, "reply_markup", None)
    return [
        (
            _text(button.text, "text"),
            _text(button.callback_data, "callback_data"),
            _text(button.url, "url"),
        )
        for row in (keyboard.inline_keyboard if keyboard else ())
        for button in row
    ]


# -- writing a request


def _is_done(content: Content, refusal: str) -> bool:
    """Tell whether a change was refused because it had been made before."""
    said = refusal.lower()
    if isinstance(content, Edit):
        return SAME in said
    return isinstance(content, Deletion) and "message to delete not found" in said


def _number(provider_id: str, chat: int) -> int:
    """Return the message's id if it counts for `chat`, 0 for other things.

    Private chats and basic groups share one counter; a supergroup has its own.
    """
    found = _MESSAGE.fullmatch(provider_id)
    if not found:
        return 0
    shared = chat > SUPERGROUPS and int(found[1]) > SUPERGROUPS
    return int(found[2]) if shared or int(found[1]) == chat else 0


def _checked(url: str) -> str:
    """Return the URL of a file; raises Rejected, also for what PTB would take for a local file."""
    if not _URL.fullmatch(url):
        raise Rejected("media is sent by an http(s) URL or by Telegram's file id")
    return url


def _is_gif(content: Media) -> bool:
    if content.type != "image":
        return False
    return content.mime == "image/gif" or bool(_GIF.fullmatch(content.url))


def _only(content: Cards) -> Card:
    if len(content.cards) != 1:
        raise Rejected("Telegram shows one card at a time")
    return content.cards[0]


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
    buttons = [_as_button(index, option) for index, option in enumerate(options)]
    longest = max(_width(button.text) for button in buttons)
    most = 3 if longest <= 9 else 2 if longest <= 16 else 1
    rows = math.ceil(len(buttons) / most)
    # Four buttons are better as two and two than as three and one.
    each = math.ceil(len(buttons) / rows)
    return InlineKeyboardMarkup(
        [buttons[begin : begin + each] for begin in range(0, len(buttons), each)]
    )


def _as_button(index: int, option: Option) -> InlineKeyboardButton:
    """Return the button of the option `index`. Raises Rejected for a page that is none."""
    title = clean(option.title)
    if not option.url:
        return InlineKeyboardButton(title, callback_data=_callback_data(index, option.payload))
    if not is_link(option.url):
        raise Rejected("a button opens http(s) pages of a host with a full name")
    return InlineKeyboardButton(title, url=clean(option.url))


def _width(text: str) -> int:
    """Return how many columns `text` takes; Chinese characters and emoji take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


# -- doing it


def _wire(base: str, connections: int) -> _Wire:
    return _Wire(
        connection_pool_size=connections,
        connect_timeout=CONNECT_TIMEOUT,
        write_timeout=WRITE_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        pool_timeout=POOL_TIMEOUT,
        # A proxy named in the environment is the way to Telegram, never to this machine.
        httpx_kwargs={"trust_env": not is_loopback(base), "verify": _trust()},
    )


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return whom to trust; reading it takes long enough to be shared by all accounts."""
    return httpx.create_ssl_context()


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
            return _TooMany(reason)
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
            return _TooMany(reason, float(after))
        return _TooMany(reason)
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
