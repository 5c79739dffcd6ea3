"""The vocabulary every room shares: addresses, messages in and out, receipts.

A connector translates between a provider's requests and these values; nothing
else in the code knows a provider's formats. All values are immutable and turn
into plain dictionaries (``encode``) that any store can keep, and back
(``decode``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar, Literal

_UNSTORABLE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` without what no store or provider accepts.

    Lone surrogates become U+FFFD (they cannot be encoded as UTF-8), NUL
    characters are dropped.
    """
    return _UNSTORABLE.sub("\ufffd", text).replace("\x00", "")


def utcnow() -> datetime:
    """Return the present time, aware, in UTC, cut to milliseconds as stores keep it."""
    now = datetime.now(timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class Address:
    """One customer on one account of one channel; the key of a conversation."""

    channel: str
    account: str
    user: str

    @property
    def key(self) -> str:
        """``channel:account:user``, the `_id` of the conversation."""
        return f"{self.channel}:{self.account}:{self.user}"

    @classmethod
    def parse(cls, key: str) -> Address:
        """Read a key back; the user part may itself hold colons.

        Raises ValueError when `key` has fewer than three parts.
        """
        channel, account, user = key.split(":", 2)
        return cls(channel, account, user)


@dataclass(frozen=True, slots=True)
class Option:
    """One button or list row: what the customer sees, and what it means to the bot."""

    title: str
    payload: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Words. Out: light Markdown (``*bold*``, ``_italic_``, links) is not interpreted yet."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Out: a question with buttons. The renderer makes it numbered text where none exist."""

    kind: ClassVar[str] = "choices"
    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """In: a button or list row was chosen. `of` is the provider id of the message that had it."""

    kind: ClassVar[str] = "choice"
    payload: str
    title: str = ""
    of: str = ""


MediaType = Literal["image", "audio", "voice", "video", "document", "sticker"]


@dataclass(frozen=True, slots=True)
class Media:
    """A file. `url` when it is public, `ref` when only the provider's id is known.

    `size` is in bytes, 0 when unknown.
    """

    kind: ClassVar[str] = "media"
    type: MediaType
    url: str = ""
    ref: str = ""
    mime: str = ""
    caption: str = ""
    filename: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Location:
    """A place; degrees north and east."""

    kind: ClassVar[str] = "location"
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact card."""

    kind: ClassVar[str] = "contact"
    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji put on (or, with `removed`, taken off) the message `of`."""

    kind: ClassVar[str] = "reaction"
    of: str
    emoji: str = ""
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """In: the customer changed the message `of` to `text`."""

    kind: ClassVar[str] = "edit"
    of: str
    text: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """In: the customer took the message `of` back."""

    kind: ClassVar[str] = "deletion"
    of: str


@dataclass(frozen=True, slots=True)
class Event:
    """In: something happened that is not a message: ``start``, ``blocked``, ``unblocked``..."""

    kind: ClassVar[str] = "event"
    name: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """In: a kind of message the connector does not know; `type` is the provider's word for it."""

    kind: ClassVar[str] = "unsupported"
    type: str


@dataclass(frozen=True, slots=True)
class Typing:
    """Out: show that an answer is being written. Never stored."""

    kind: ClassVar[str] = "typing"


Content = (
    Text
    | Choices
    | Choice
    | Media
    | Location
    | Contact
    | Reaction
    | Edit
    | Deletion
    | Event
    | Unsupported
    | Typing
)

_KINDS: dict[str, type] = {
    c.kind: c
    for c in (
        Text,
        Choices,
        Choice,
        Media,
        Location,
        Contact,
        Reaction,
        Edit,
        Deletion,
        Event,
        Unsupported,
        Typing,
    )
}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value


def encode(content: Content) -> dict[str, Any]:
    """Return `content` as a plain dictionary with its ``kind``; strings are cleaned."""
    return {"kind": content.kind, **_plain(content)}


def decode(data: Mapping[str, Any]) -> Content:
    """Read a content dictionary back.

    Raises ValueError for an unknown kind, TypeError for fields the kind lacks.
    """
    kind = _KINDS.get(data.get("kind", ""))
    if kind is None:
        raise ValueError(f"unknown content kind {data.get('kind')!r}, known: {', '.join(_KINDS)}")
    values = {k: v for k, v in data.items() if k != "kind"}
    if kind is Choices:
        values["options"] = tuple(Option(**o) for o in values["options"])
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = tuple(value)
    content: Content = kind(**values)
    return content


@dataclass(frozen=True, slots=True)
class Profile:
    """What the provider says of the customer; every field may be empty. `language` is BCP 47."""

    name: str = ""
    username: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message from a customer.

    `provider_id` is unique within the account and the same in every redelivery.
    `order` is the channel's own order within the account, any integer that grows;
    0 where it has none, then arrival decides. `sent` is the provider's time.
    """

    address: Address
    provider_id: str
    content: Content
    sent: datetime = field(default_factory=utcnow)
    order: int = 0
    profile: Profile = Profile()

    @property
    def id(self) -> str:
        """``channel:account:provider_id``, the `_id` it is stored by."""
        return f"{self.address.channel}:{self.address.account}:{clean(self.provider_id)}"


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message to a customer: exactly one request to the provider.

    `id` is ``turn:n``; connectors hand it to providers that echo such a reference.
    """

    id: str
    address: Address
    content: Content


ReceiptStatus = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider says became of an outbound message.

    `provider_id` is the provider's id of it; `ref` is our own id where the
    provider echoes it, which settles an attempt whose answer was lost.
    """

    channel: str
    account: str
    provider_id: str
    status: ReceiptStatus
    at: datetime = field(default_factory=utcnow)
    ref: str = ""
    reason: str = ""
