"""The contract of a connector: a table of what the channel can do, and three verbs.

A connector translates. It imports `bot.message`, this module, `connectors.errors`
and its provider's library, never the store: it can be read, tested and written
without the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from aiohttp import web

from bot.message import (
    Address,
    Content,
    Deletion,
    Edit,
    Inbound,
    Media,
    MediaType,
    Notice,
    Outbound,
    Receipt,
)
from connectors.errors import NoFile, Unsure

Arrived = Inbound | Receipt | Notice


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, free of any web framework. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What a provider is answered: a verification handshake, or a request that was taken."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Files:
    """Which files of one type a channel takes: MIME types, and bytes of one at most."""

    mimes: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True)
class File:
    """A customer's file as the provider gave it. `mime` is its word, not to be believed."""

    data: bytes
    mime: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do. Lengths are counted in `text_unit`; times are in seconds.

    `text_unit` "sms" counts segments, see `connectors.lengths`. `markup` is how light
    formatting is written, see `connectors.markup`.

    `buttons` is how many options a question takes, `link_buttons` whether some of them
    may open pages: none, one that is alone, or any. `list_rows` is how many rows a native
    list takes, 0 without lists; `choices_text_limit` the length of a question with
    options where it differs from `text_limit`, else 0. `linked_buttons` is how many options
    a question takes when some open pages, where that is fewer than `buttons`, else 0:
    further pages are named in its words, within `text_limit`. `cards` is how many cards stand
    side by side, 0 without cards; each has at most `card_buttons`, and titles and texts
    of `card_title` and `card_text` characters. `cards_alike` says that those side by side
    must each have a picture, no `url`, and as many buttons of one sort as the others.
    `contact_phone` says that a contact must have a number.

    `files` are what media may be sent, by type; a type that is missing is not sent.

    `rate` is how many messages a second one account may send. `grace` is how long
    after an attempt of unknown outcome the provider's own word (a status webhook that
    names our id) may still come; after it `Connector.confirm` is asked.
    `settled_by_receipts` says that `confirm` knows nothing else: it is asked only once a
    gateway, through which that word comes, has listened for the whole grace.

    `seen` says that read marks can be set; a typing indicator lasts `typing_seconds`, 0
    without one. `receipts` are the steps that the provider reports.
    """

    kinds_in: frozenset[str]
    kinds_out: frozenset[str]
    text_limit: int
    text_unit: Literal["characters", "utf16", "sms"]
    caption_limit: int
    buttons: int
    button_title: int
    payload_limit: int
    rate: float
    grace: float
    settled_by_receipts: bool = False
    window_hours: float | None = None
    list_rows: int = 0
    row_title: int = 24
    row_description: int = 72
    choices_text_limit: int = 0
    markup: Literal["none", "whatsapp", "entities"] = "none"
    link_buttons: Literal["none", "alone", "any"] = "none"
    linked_buttons: int = 0
    cards: int = 0
    card_buttons: int = 0
    card_title: int = 80
    card_text: int = 80
    cards_alike: bool = False
    contact_phone: bool = False
    files: Mapping[MediaType, Files] = field(default_factory=dict)
    seen: bool = False
    typing_seconds: float = 0.0
    receipts: frozenset[str] = frozenset()

    @property
    def edits(self) -> bool:
        """Whether the words of a message that was sent can be changed, by sending an `Edit`."""
        return Edit.kind in self.kinds_out

    @property
    def deletes(self) -> bool:
        """Whether a message that was sent can be taken back, by sending a `Deletion`."""
        return Deletion.kind in self.kinds_out


@dataclass(frozen=True, slots=True)
class Sent:
    """One outbound message as the feed of a web chat shows it. `order` grows by conversation.

    `agent` is the name of the person who wrote it, "" for the bot.
    """

    id: str
    order: int
    content: Content
    at: datetime
    agent: str = ""


class Host(Protocol):
    """What the gateway lends a connector that keeps connections of its own.

    `webhook_url` is the public URL of the account's webhook, "" where no
    ``server.public_url`` is set.
    """

    webhook_url: str

    async def accept(self, arrived: Sequence[Arrived]) -> None:
        """Store what arrived. Only after it returns may the provider be told so.

        Raises `bot.store.StoreDown` when nothing could be stored.
        """

    async def unreadable(self, body: bytes, reason: str) -> None:
        """Keep what could not be parsed whole, as a dead letter."""

    async def keep(self, data: bytes, mime: str, filename: str) -> str:
        """Keep a customer's file that came with no URL; return what `Media.ref` is to be.

        `mime` is the sender's word: what he calls an image, sound or video must be one. The
        same bytes may be kept again. Raises NoFile when it is not to be kept,
        `bot.store.StoreDown` when it cannot be kept now.
        """

    def feed(self, address: Address, after: int) -> AsyncIterator[Sent]:
        """Yield what is sent to `address` with an order above `after`, waiting for more."""


class Connector(ABC):
    """One account of one channel.

    `Account` is a frozen dataclass of the account's fields in credentials.yml; a
    field without default is required; ``metadata={"secret": True}`` marks what must
    never be shown. It always has ``account: str`` and ``api_url: str = ""``.
    """

    channel: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    Account: ClassVar[type]
    #: What the provider is answered once a request is stored; some read more into it.
    taken: ClassVar[Response] = Response(200, "ok")

    def __init__(self, account: Any) -> None:
        self.account = account

    @property
    def name(self) -> str:
        """``channel:account``, for logs and metrics."""
        return f"{self.channel}:{self.account.account}"

    def routes(self, host: Host) -> list[web.AbstractRouteDef]:
        """Routes beside the webhook ``/webhooks/{channel}/{account}``; none by default."""
        return []

    async def handshake(self, request: Request) -> Response:
        """Answer the provider's GET on the webhook; 405 where it has no such thing."""
        return Response(405, "this channel has no verification handshake")

    @abstractmethod
    async def receive(self, request: Request) -> list[Arrived]:
        """Verify the request, then parse every entry of it.

        Raises BadSignature, Unreadable. Kinds nobody answers (a channel post, a
        pinned message) are left out; unknown kinds of customer messages become
        `Unsupported`.
        """

    @abstractmethod
    async def send(self, outbound: Outbound) -> str:
        """Send one message by one request and return the provider's id of it.

        Raises RetryLater, Unsure, Rejected and its kinds.
        """

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        """Tell whether a message of unknown outcome was taken.

        `known` are provider ids of messages, both ways, that are older than the last
        attempt: the conversation's, newest first, and the account's last ones, whosever
        they are. Returns the provider's id when it was taken, None when it was not.
        Raises Unsure when the provider cannot tell, RetryLater when it does not answer
        now.
        """
        raise Unsure(f"{self.channel} cannot tell whether a message was sent")

    def vouch(self, request: Request) -> Request:
        """Return `request` with the proof of origin that is not stored with dead letters.

        Used to replay a request whose origin was proven when it came.
        """
        return request

    def beyond_window(self, outbound: Outbound) -> Outbound | None:
        """Return what may be sent outside of the answering window, None for nothing.

        The same message with a tag that the account may use, or a template that asks the
        customer to write again (the message itself then waits until he does).
        """
        return None

    async def typing(self, address: Address, of: str = "") -> None:
        """Show the customer that an answer is being written, where the channel can.

        `of` is the provider id of the newest message that is being answered. Raises
        ConnectorError.
        """
        return None

    async def seen(self, address: Address, of: str) -> None:
        """Mark the customer's message `of`, and those before it, as read. Raises ConnectorError."""
        return None

    async def fetch(self, media: Media, most: int) -> File:
        """Return a customer's file of at most `most` bytes.

        No URL a customer can choose is asked but through `connectors.fetching`. Raises
        NoFile (gone, too big, not allowed), RetryLater.
        """
        raise NoFile(f"{self.channel} gives no files")

    async def run(self, host: Host) -> None:
        """Keep a connection of its own (polling, sockets) until cancelled; none by default."""
        return None

    @abstractmethod
    async def identity(self) -> str:
        """Ask the provider who this account is, by its cheapest call.

        Returns a line for people. Raises ConnectorError with the provider's reason.
        """

    async def close(self) -> None:
        """Release connections."""
        return None
