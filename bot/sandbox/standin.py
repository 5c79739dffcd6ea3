"""What every stand-in has: API routes, and ways to make its customers say something."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from aiohttp import web

from bot.message import Content, Media, Referral, utcnow
from bot.sandbox.delivery import Delivery
from bot.sandbox.errors import BadRequest
from bot.sandbox.faults import Faults
from bot.sandbox.ledger import Ledger
from bot.sandbox.media import MEDIA_PATH, File, MediaStore

#: What customers of some channel can do, see `StandIn.can`.
DEEDS = frozenset(
    {
        *("text", "choice", "location", "contact", "reaction", "edit", "deletion", "order"),
        *("image", "audio", "voice", "video", "document", "sticker"),
        *("start", "referral", "blocked", "unblocked", "opt_out", "opt_in", "moved"),
        *("reply", "album", "venue", "own_contact"),
    }
)


@dataclass(slots=True)
class World:
    """What the stand-ins share. URLs are without a trailing slash."""

    ledger: Ledger
    faults: Faults
    media: MediaStore
    delivery: Delivery
    gateway_url: str
    sandbox_url: str = ""

    def file(self, media: Media) -> File:
        """Return the bytes of a file a customer sends. Raises BadRequest when there are none.

        Its `url` is one that ``POST /control/files`` answered, whole or from its path on;
        `ref`, where it has no URL, is the file's id.
        """
        path = urlsplit(media.url).path
        id_ = path.removeprefix(MEDIA_PATH) if path.startswith(MEDIA_PATH) else media.ref
        file = self.media.get(id_) if id_ else None
        if file is None:
            raise BadRequest(f"there is no uploaded file {(media.url or media.ref)[:80]!r}")
        return file


@dataclass(frozen=True, slots=True)
class Said:
    """What a customer does on a phone: `content`, or `raw`, the provider's own object.

    `content` is of one of the kinds that come in, as `bot.message` has them:

    - `Text`; `Choice` (`payload` of a button or row, `of` the message that has it, "" for
      the newest that does); `Location` (with a name it is a venue); `Contact` (`own`: the
      customer's own number, as the channel's button shares it); `Order`;
    - `Media`: `type` says how it is sent, `url` is that of an uploaded file, see
      `World.file`, `caption` the words with it;
    - `Reaction` (`removed`, or no emoji: it is taken off) to the message `of`, the bot's or
      an own one; `Edit` and `Deletion` of an own message `of`;
    - `Event`: ``start`` and ``referral`` (`data` is the link's or button's word),
      ``blocked``, ``unblocked``, ``opt_out``, ``opt_in``, ``moved`` (`data` is the new user
      part; the phone goes on under it).

    The control API fills it in whatever way something was said, but for `raw`. The fields
    `text`, `payload` with `of`, `image` with `text`, `location`, `emoji` with `of`, `edit`
    with `of` and `event` (block, unblock) say the same of the oldest kinds and are filled
    in, too.

    `sent` is when the customer claims to have written it, by the phone's clock; None is now.
    `reply_to` is the id of the message it quotes. What is said in one `album` is sent as
    one where the channel can, else one by one. `referral` is how the customer came: the
    advertisement or link that opened the chat. `copies` deliveries of the webhook go out at
    once.
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
    content: Content | None = None
    sent: datetime | None = None
    reply_to: str = ""
    album: str = ""
    referral: Referral | None = None

    @property
    def at(self) -> datetime:
        """When it is claimed to have been written."""
        return self.sent or utcnow()


class StandIn(ABC):
    """One provider's API, for all accounts of its channel."""

    channel: ClassVar[str]
    #: What its customers can do; the page offers no more. Of `DEEDS`: a content kind, of
    #: media its type, of events the name; ``reply`` quotes, ``album`` is several files as
    #: one, ``venue`` a place with a name, ``own_contact`` the button that shares the number.
    can: ClassVar[frozenset[str]] = frozenset({"text", "choice", "image", "location"})
    #: Hours after a customer's last message in which free answers are taken, None for ever.
    window_hours: ClassVar[float | None] = None

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        """`accounts` as in credentials.yml. Raises KeyError, ValueError for a wrong one."""
        self.world = world

    @abstractmethod
    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the provider's API."""

    @abstractmethod
    def accounts(self) -> list[dict[str, str]]:
        """Return ``{account, name}`` of each, the name as customers see it.

        A channel where that matters adds ``number``, the address as customers see it.
        """

    @abstractmethod
    def say(self, said: Sequence[Said], together: bool) -> list[str]:
        """Let customers say something and return the provider's ids, one for each.

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
