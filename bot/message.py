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


#: How the payload begins of an option that is a rating in stars.
RATE = "/rate_agent"


@dataclass(frozen=True, slots=True)
class Option:
    """One button or list row: what the customer sees, and what it means to the bot.

    With a `url` it opens a page instead, and has no payload.
    """

    title: str
    payload: str
    description: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Words. Out: light Markdown, see `connectors.markup`; in: as the customer wrote them.

    `options` are those written out as numbered lines, for a typed answer to mean them.
    """

    kind: ClassVar[str] = "text"
    text: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """Out: a question with buttons. The renderer makes it a list, or numbered text."""

    kind: ClassVar[str] = "choices"
    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a menu."""

    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Menu:
    """Out: a question with a list that opens. `button` opens it, "" for the channel's own word."""

    kind: ClassVar[str] = "menu"
    text: str
    sections: tuple[Section, ...]
    button: str = ""

    @property
    def options(self) -> tuple[Option, ...]:
        """All rows of all sections, in order."""
        return tuple(o for section in self.sections for o in section.options)


@dataclass(frozen=True, slots=True)
class Card:
    """A picture with words and buttons. `image` and `url` (of a tap on it) are http(s) URLs."""

    title: str
    text: str = ""
    image: str = ""
    url: str = ""
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Cards:
    """Out: one card, or several side by side (a carousel)."""

    kind: ClassVar[str] = "cards"
    cards: tuple[Card, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """All buttons of all cards, in order."""
        return tuple(o for card in self.cards for o in card.options)


@dataclass(frozen=True, slots=True)
class Template:
    """Out: a message the provider has approved beforehand.

    `parameters` fill the body's places in order, `header` is an image's URL, `buttons`
    are the payloads of its quick replies. `text` is what it says, for people and for
    channels without templates. `language` is the provider's code ("en", "pt_BR").
    """

    kind: ClassVar[str] = "template"
    name: str
    language: str
    parameters: tuple[str, ...] = ()
    header: str = ""
    buttons: tuple[str, ...] = ()
    category: Literal["utility", "marketing", "authentication"] = "utility"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Products:
    """Out: products of a catalogue the provider knows, by their ids there.

    One shows it whole, several make a list titled `header`, none the whole catalogue.
    """

    kind: ClassVar[str] = "products"
    text: str
    catalog: str = ""
    items: tuple[str, ...] = ()
    header: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Out: a question that the channel's own button answers: where are you, what is your number."""

    kind: ClassVar[str] = "ask"
    text: str
    wanted: Literal["location", "phone"]


@dataclass(frozen=True, slots=True)
class Choice:
    """In: a button or list row was chosen. `of` is the provider id of the message that had it."""

    kind: ClassVar[str] = "choice"
    payload: str
    title: str = ""
    of: str = ""


MediaType = Literal["image", "audio", "voice", "video", "document", "sticker"]


@dataclass(frozen=True, slots=True)
class Sensed:
    """What a model made of a file; never more than its word.

    Of a recording (``spoken``) `words` are what the customer said. Of a picture (``seen``)
    they are the model's, and so are `written` (what stands in it), `numbers` (of orders) and
    `damage` (something is broken). `by` is the model. Without words `failed` says why: one of
    ``late``, ``refused``, ``size``, ``long``, ``format``, ``down``, ``budget``, ``unclear``.
    """

    kind: Literal["spoken", "seen"]
    words: str = ""
    by: str = ""
    sure: bool = True
    written: str = ""
    numbers: tuple[str, ...] = ()
    damage: bool = False
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A file. `url` when it is public, `ref` when only the provider's id is known.

    `size` is in bytes, 0 when unknown. `sensed` is what a model made of one that a customer
    sent, () or one.
    """

    kind: ClassVar[str] = "media"
    type: MediaType
    url: str = ""
    ref: str = ""
    mime: str = ""
    caption: str = ""
    filename: str = ""
    size: int = 0
    sensed: tuple[Sensed, ...] = ()

    @property
    def spoken(self) -> str:
        """The words that a model has heard in it, "" for none."""
        return "".join(s.words for s in self.sensed if s.kind == "spoken")


@dataclass(frozen=True, slots=True)
class Album:
    """In: files the customer sent as one. Connectors send them singly, see `Inbound.album`."""

    kind: ClassVar[str] = "album"
    items: tuple[Media, ...]

    @property
    def caption(self) -> str:
        """The words that came with the files, a line each."""
        return "\n".join(item.caption for item in self.items if item.caption)


@dataclass(frozen=True, slots=True)
class OrderItem:
    """A line of an order. `price` is of one piece, as "9.90"; `currency` is its ISO 4217 code."""

    product: str
    quantity: int
    price: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """In: the customer sent a cart from the channel's own shop."""

    kind: ClassVar[str] = "order"
    items: tuple[OrderItem, ...]
    catalog: str = ""
    note: str = ""


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
    """A contact card. `own` says that the provider vouches it is the sender's own number."""

    kind: ClassVar[str] = "contact"
    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji put on (or, with `removed`, taken off) the message `of`."""

    kind: ClassVar[str] = "reaction"
    of: str
    emoji: str = ""
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """The message `of` was changed to `text` by its author; `of_file`: the words with a file.

    In it is the customer's; out `of` is the provider's id of a message of ours.
    """

    kind: ClassVar[str] = "edit"
    of: str
    text: str
    of_file: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """The message `of` was taken back by its author; see `Edit`."""

    kind: ClassVar[str] = "deletion"
    of: str


@dataclass(frozen=True, slots=True)
class Event:
    """In: something happened that is not a message. `name` is one of `EVENTS`.

    ``start``: the chat was opened, `data` is the deep link's or button's word.
    ``referral``: an existing customer followed a link or an advertisement, `data` its word.
    ``blocked``, ``unblocked``: the customer did that to the bot.
    ``opt_out``, ``opt_in``: the provider's own switch; `data` is ``marketing`` when it is
    of these alone, and ``answered`` when the provider has told the customer so itself.
    ``moved``: the customer has a new address on this account, `data` is its user part.
    ``help``: the customer asked who writes and how to stop; `data` is ``answered`` when the
    provider has told that itself.
    """

    kind: ClassVar[str] = "event"
    name: str
    data: str = ""


EVENTS = ("start", "referral", "blocked", "unblocked", "opt_out", "opt_in", "moved", "help")


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
    | Menu
    | Cards
    | Template
    | Products
    | Ask
    | Choice
    | Media
    | Album
    | Order
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
        Menu,
        Cards,
        Template,
        Products,
        Ask,
        Choice,
        Media,
        Album,
        Order,
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

#: What the tuples of a kind hold, where that is not text.
_PARTS: dict[tuple[type, str], type] = {
    (Text, "options"): Option,
    (Choices, "options"): Option,
    (Menu, "sections"): Section,
    (Section, "options"): Option,
    (Cards, "cards"): Card,
    (Card, "options"): Option,
    (Album, "items"): Media,
    (Media, "sensed"): Sensed,
    (Order, "items"): OrderItem,
}


def plain(value: Any) -> Any:
    """Return a value of this vocabulary as plain data; strings are cleaned."""
    if isinstance(value, str):
        return clean(value)
    if is_dataclass(value) and not isinstance(value, type):
        # Tuples that may be left out and are empty are left out.
        named = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: plain(v) for f, v in named if v != () or f.default != ()}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value


def encode(content: Content) -> dict[str, Any]:
    """Return `content` as a plain dictionary with its ``kind``; strings are cleaned."""
    return {"kind": content.kind, **plain(content)}


def decode(data: Mapping[str, Any]) -> Content:
    """Read a content dictionary back.

    Raises ValueError for an unknown kind, TypeError for fields the kind lacks.
    """
    kind = _KINDS.get(data.get("kind", ""))
    if kind is None:
        raise ValueError(f"unknown content kind {data.get('kind')!r}, known: {', '.join(_KINDS)}")
    content: Content = _build(kind, {k: v for k, v in data.items() if k != "kind"})
    return content


def _build(kind: type, values: Mapping[str, Any]) -> Any:
    built = dict(values)
    for name, value in values.items():
        if isinstance(value, (list, tuple)):
            part = _PARTS.get((kind, name))
            built[name] = tuple(_build(part, v) if part else v for v in value)
    return kind(**built)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the provider says of the customer; every field may be empty. `language` is BCP 47.

    `signs` are what changes when somebody else, or another phone, writes from the same address:
    ``account:US.13491208655302741918``, ``device:DF2lS5v2W6x=``.
    """

    name: str = ""
    username: str = ""
    language: str = ""
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Referral:
    """How the customer came: `source` is the provider's word (``ad``, ``link``, ``post``).

    `ref` is the word we put into the link, or the advertisement's id; `click` the
    provider's id of the click, for advertisers.
    """

    source: str
    ref: str = ""
    url: str = ""
    title: str = ""
    click: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message from a customer.

    `provider_id` is unique within the account and the same in every redelivery.
    `order` is the channel's own order within the account, any integer that grows;
    0 where it has none, then arrival decides. `sent` is the provider's time.
    `reply_to` is the provider id of the message it quotes. Messages with the same
    `album` follow each other within a second or two and are answered as one.
    """

    address: Address
    provider_id: str
    content: Content
    sent: datetime = field(default_factory=utcnow)
    order: int = 0
    profile: Profile = Profile()
    reply_to: str = ""
    album: str = ""
    referral: Referral | None = None

    @property
    def id(self) -> str:
        """``channel:account:provider_id``, the `_id` it is stored by."""
        return f"{self.address.channel}:{self.address.account}:{clean(self.provider_id)}"


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message to a customer: exactly one request to the provider.

    `id` is ``turn:n``; connectors hand it to providers that echo such a reference.
    `tag` is the provider's word for why it may be sent outside of the answering window.
    `agent` is the name of the person who wrote it, "" for the bot.
    """

    id: str
    address: Address
    content: Content
    tag: str = ""
    agent: str = ""


ReceiptStatus = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider says became of an outbound message.

    `provider_id` is the provider's id of it; `ref` is our own id where the
    provider echoes it, which settles an attempt whose answer was lost. Of a failure
    `code` is the provider's and `reason` plain words. `details` are what else it tells
    that an operator may want (the price's category), as text.

    With `until` it is of all messages to `address` up to then, and has no provider id.
    """

    channel: str
    account: str
    provider_id: str
    status: ReceiptStatus
    at: datetime = field(default_factory=utcnow)
    ref: str = ""
    reason: str = ""
    code: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    until: datetime | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What the provider tells the operator about the account: a template paused, quality fallen.

    `id` is the same in every redelivery.
    """

    channel: str
    account: str
    id: str
    subject: str
    text: str
    level: Literal["info", "warning", "error"] = "warning"
    at: datetime = field(default_factory=utcnow)
