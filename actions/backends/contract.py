"""The one protocol of shops: orders, shipments, accounts and payments.

Every effect takes a `key`, the id of the turn or deed that causes it, and can be done again
with the same key: it then changes nothing and gives the same answer, with `again` set. Of one
key the first call decides; what later ones ask is not looked at.

Every method may raise what `actions.backends.errors` has: `BackendDown`, `Unauthorised`,
`Misconfigured`; effects `NotFound`, `NotPossible`, `Ambiguous`; lookups `NotFound`. StoreDown
is of the bot's own store, without which no turn is committed anyway.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol

from actions.backends.orders import CANCELLED, DELAYED, DELIVERED, OUT, PACKED, PLACED, SHIPPED

#: The stages of an order. UNKNOWN is one of a backend's own that the mapping does not name.
UNKNOWN = "unknown"
STAGES = (PLACED, PACKED, SHIPPED, OUT, DELIVERED, DELAYED, CANCELLED, UNKNOWN)
#: Those in which an order can still be cancelled, or sent somewhere else.
CHANGEABLE = (PLACED,)

# https://en.wikipedia.org/wiki/ISO_4217: all others have two decimals.
_NONE = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI")
_DECIMALS = {
    **dict.fromkeys((*_NONE, "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_NAMESPACE = uuid.UUID("6d0ff2bc-4b63-5f52-9d40-0a3f1c1c2f6e")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (pence, cents, whole yen) of an ISO 4217 currency."""

    minor: int
    currency: str

    @classmethod
    def read(cls, text: object, currency: str) -> Money | None:
        """Read an amount in major units, ``12.5`` or ``"12.50"``; None for no such amount.

        None, too, for more decimals than the currency has: it would have to be rounded.
        """
        places = _DECIMALS.get(currency.upper(), 2)
        try:
            minor = Decimal(str(text).strip()).scaleb(places)
            if not minor.is_finite() or minor != minor.to_integral_value():
                return None
        except (InvalidOperation, ValueError):
            return None
        return cls(int(minor), currency.upper())

    def plain(self) -> str:
        """Return it in major units without the currency, ``12.50``, as APIs take it."""
        places = _DECIMALS.get(self.currency, 2)
        return f"{Decimal(self.minor).scaleb(-places):.{places}f}"

    def hundredths(self) -> int:
        """Return it in hundredths of the currency, as rules have amounts, rounded down."""
        return int(self.minor * 100 // 10 ** _DECIMALS.get(self.currency, 2))


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was ordered."""

    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes. `country` is ISO 3166-1 alpha-2; "" is not known or not given."""

    name: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment of an order. `status` is of `STAGES`; None and "" are not known."""

    order: str
    status: str
    carrier: str = ""
    tracking: str = ""
    url: str = ""
    shipped: datetime | None = None
    eta: datetime | None = None
    delivered: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """An order as a backend knows it.

    `number` is what customers have, `id` the backend's own. `paid` is what was paid,
    `refunded` what was given back of it, `eta` the day of delivery where it is known before there
    is a parcel. `arrived_by` is from when on an order that was sent counts as delivered, in a shop
    that does not tell of arrivals; customers are not told so. `missing` names what the backend
    should have told and did not, or not in full, as in ``("parcels",)``: what is not in those
    fields may be.
    """

    number: str
    id: str
    status: str
    placed: datetime | None = None
    items: tuple[Item, ...] = ()
    paid: Money | None = None
    refunded: Money | None = None
    name: str = ""
    email: str = ""
    phone: str = ""
    address: Address | None = None
    parcels: tuple[Parcel, ...] = ()
    eta: datetime | None = None
    arrived_by: datetime | None = None
    missing: tuple[str, ...] = ()

    @property
    def delivered(self) -> datetime | None:
        """When the last of it arrived; None before all of it has."""
        days = [parcel.delivered for parcel in self.parcels]
        return max((day for day in days if day), default=None) if all(days) else None

    def ruled(self, at: datetime) -> tuple[str, datetime | None]:
        """Return the stage by which rules go at a time, and since when it was delivered.

        Where that is not told it is counted from the day of the order: never longer than it was.
        """
        if self.status == SHIPPED and self.arrived_by is not None and at >= self.arrived_by:
            return DELIVERED, self.arrived_by
        if self.status == DELIVERED:
            return DELIVERED, self.delivered or self.placed
        return self.status, self.delivered

    @property
    def left(self) -> Money | None:
        """What is left to give back; None when that is not known."""
        if self.paid is None or self.refunded is None:
            return None
        return Money(max(self.paid.minor - self.refunded.minor, 0), self.paid.currency)


@dataclass(frozen=True, slots=True)
class Account:
    """A customer as the shop knows him. `id` is the backend's own."""

    id: str
    email: str
    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """An effect that has taken place.

    `again`: an earlier call with this key did it. `pending`: the backend has accepted it and
    is still at it.
    """

    key: str
    again: bool = False
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money that was given back. `money` and `order` are those of the first call with the key."""

    key: str
    order: str
    money: Money
    again: bool = False


def allowed(order: ShopOrder) -> str:
    """Forbid nothing."""
    return ""


class Orders(Protocol):
    """Orders."""

    async def find(self, number: str) -> ShopOrder:
        """Return the order of a number. Raises NotFound."""

    async def of_customer(self, email: str, limit: int = 20) -> list[ShopOrder]:
        """Return a customer's orders, newest first, at most `limit`; [] without any."""

    async def cancel(self, key: str, number: str, why: str = "") -> Done:
        """Cancel an order. Gives no money back. Raises NotFound, NotPossible, Ambiguous."""

    async def change_address(self, key: str, number: str, address: Address) -> Done:
        """Send an order somewhere else. Raises NotFound, NotPossible, Ambiguous."""


class Shipments(Protocol):
    """Parcels."""

    async def of_order(self, number: str) -> tuple[Parcel, ...]:
        """Return an order's parcels, () before anything was sent. Raises NotFound."""

    async def track(self, tracking: str) -> Parcel:
        """Return the parcel of a carrier's number. Raises NotFound."""


class Accounts(Protocol):
    """Customers' accounts, and mails to the addresses on file."""

    async def account(self, email: str) -> Account:
        """Return the account of a mail address. Raises NotFound."""

    async def reset_password(self, key: str, email: str) -> Done:
        """Mail a link for a new password to the account's address. Raises NotFound, NotPossible."""

    async def send_code(self, key: str, email: str, code: str, minutes: int) -> Done:
        """Mail a one-time code, valid for `minutes`, to the account's address.

        Never to an address that is not on file. Raises NotFound, NotPossible.
        """


class Payments(Protocol):
    """Money back."""

    async def refund(
        self,
        key: str,
        number: str,
        money: Money,
        why: str = "",
        forbids: Callable[[ShopOrder], str] = allowed,
        by: str = "",
    ) -> Refunded:
        """Give money of an order back, never more than is left of what was paid.

        `forbids` says of the order why it may not be, "" when it may; it is not asked about
        a key whose money has been given back. `by` is the agent who does it, for the shop's
        own notes, "" for the customer. Raises NotFound, NotPossible with its words,
        Ambiguous.
        """


class Shop(Orders, Shipments, Accounts, Payments, Protocol):
    """All of it. `name` is shown, as in ``shopify at shop.example``."""

    name: str

    async def ask(self) -> str:
        """Return who answers, in words, changing nothing: for ``bot check --online``."""

    async def close(self) -> None:
        """Let connections go. Closing twice is no error."""


def mark(verb: str, key: str) -> str:
    """Return the UUID by which a backend knows an effect again: the same for the same key.

    Keys hold addresses of customers, which are nothing for a shop's notes.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{verb}:{key}"))


def too_late(order: ShopOrder, verb: str) -> str:
    """Return why an order cannot be changed any more, "" when it can. `verb` as in cancelled."""
    if order.status in CHANGEABLE:
        return ""
    if order.status == CANCELLED:
        return "it was cancelled before"
    if order.status == UNKNOWN:
        return "its stage is not known"
    return f"it is {order.status.replace('_', ' ')}, and can be {verb} until it is packed"


def over(order: ShopOrder, money: Money) -> str:
    """Return why an amount of an order cannot be given back, "" when it can."""
    left = order.left
    if order.paid is None or left is None or order.paid.minor <= 0:
        return "what was paid for it is not known"
    if money.currency != order.paid.currency:
        return f"it was paid in {order.paid.currency}, not in {money.currency}"
    if money.minor <= 0:
        return "the amount is nothing"
    if money.minor > left.minor:
        return f"{money.plain()} is more than the {left.plain()} {left.currency} that are left"
    return ""


def same_place(one: Address | None, other: Address) -> bool:
    """Tell whether an order goes to an address; what that does not give does not count."""
    if one is None:
        return False
    region, country = other.region or one.region, other.country or one.country
    return one == replace(other, name=other.name or one.name, region=region, country=country)


def completed(address: Address, order: ShopOrder) -> Address:
    """Return a new address with what people do not say and an order's has: whose, which country."""
    known = order.address or Address()
    name = address.name or known.name or order.name
    return replace(address, name=name, country=address.country or known.country)


def same_number(name: str, number: str) -> bool:
    """Tell whether an order's name is that number: shops may put words around it, ``#1042-EU``."""
    return name.lstrip("#") == number or re.findall(r"[0-9]+", name) == [number]
