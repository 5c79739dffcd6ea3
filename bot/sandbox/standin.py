"""What every stand-in has: API routes, and ways to make its customers say something."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from bot.sandbox.delivery import Delivery
from bot.sandbox.errors import BadRequest
from bot.sandbox.faults import Faults
from bot.sandbox.ledger import Ledger
from bot.sandbox.media import MediaStore


@dataclass(slots=True)
class World:
    """What the stand-ins share. URLs are without a trailing slash."""

    ledger: Ledger
    faults: Faults
    media: MediaStore
    delivery: Delivery
    gateway_url: str
    sandbox_url: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a customer does on a phone; exactly one kind of it.

    text; `payload` of a button, `of` the message that has it; `image` with `text` as
    caption; `location` (latitude, longitude in degrees); `emoji` put on the message
    `of`; `edit` of an own message `of` to that text; an `event` (block, unblock); or
    `raw`, the provider's own object. `copies` deliveries of the webhook go out at once.
    """

    account: str
    user: str
    name: str = "Customer"
    text: str = ""
    payload: str | None = None
    of: str = ""
    image: bytes | None = None
    location: tuple[float, float] | None = None
    emoji: str | None = None
    edit: str | None = None
    event: str = ""
    raw: Mapping[str, Any] | None = None
    copies: int = 1


class StandIn(ABC):
    """One provider's API, for all accounts of its channel."""

    channel: ClassVar[str]

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        """`accounts` as in credentials.yml. Raises KeyError, ValueError for a wrong one."""
        self.world = world

    @abstractmethod
    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the provider's API."""

    @abstractmethod
    def accounts(self) -> list[dict[str, str]]:
        """Return ``{account, name}`` of each, the name as customers see it."""

    @abstractmethod
    def say(self, said: Sequence[Said], together: bool) -> list[str]:
        """Let customers say something and return the provider's ids.

        `together` puts all of it into one webhook request. Raises BadRequest for what
        the channel cannot do, Overfull.
        """

    @abstractmethod
    def look(self, account: str, user: str) -> None:
        """A customer looks at the phone: what the bot sent is now read."""

    @abstractmethod
    def sign(self, account: str, body: bytes, signature: str) -> dict[str, str]:
        """Return the headers of a webhook with a right, wrong or no signature."""

    async def start(self) -> None:
        """Begin background work."""
        return None

    async def close(self) -> None:
        """End background work."""
        return None

    def webhook_url(self, account: str) -> str:
        """The gateway's webhook of an account."""
        return f"{self.world.gateway_url}/webhooks/{self.channel}/{account}"

    def number(self, user: str) -> int:
        """Read a user id that the provider knows as a number. Raises BadRequest."""
        if not user.isascii() or not user.isdigit() or not 0 < int(user) < 2**52:
            raise BadRequest(f"users of {self.channel} are numbers, not {user[:40]!r}")
        return int(user)
