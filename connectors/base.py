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

from bot.message import Address, Content, Inbound, Outbound, Receipt
from connectors.errors import Unsure

Arrived = Inbound | Receipt


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
    """What a connector answers to a verification handshake."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do. Lengths are counted in `text_unit`; times are in seconds.

    `list_rows` is how many options a native list takes beyond `buttons`, 0 without
    lists; `choices_text_limit` the length of a question with options where it differs
    from `text_limit`, else 0.

    `rate` is how many messages a second one account may send. `grace` is how long
    after an attempt of unknown outcome the provider's own word (a status webhook that
    names our id) may still come; after it `Connector.confirm` is asked.
    """

    kinds_in: frozenset[str]
    kinds_out: frozenset[str]
    text_limit: int
    text_unit: Literal["characters", "utf16"]
    caption_limit: int
    buttons: int
    button_title: int
    payload_limit: int
    rate: float
    grace: float
    window_hours: float | None = None
    list_rows: int = 0
    choices_text_limit: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One outbound message as the feed of a web chat shows it. `order` grows by conversation."""

    id: str
    order: int
    content: Content
    at: datetime


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

    async def typing(self, address: Address) -> None:
        """Show the customer that an answer is being written, where the channel can."""
        return None

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
