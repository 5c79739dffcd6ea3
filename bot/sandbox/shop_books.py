"""The books of the sandbox's shop, which its three APIs show each in its own way."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime

from actions.backends.contract import Address
from actions.backends.orders import CANCELLED, PLACED, demonstration
from bot.message import utcnow

#: An order's number in the books is what customers have; ids are something else.
_FIRST_ID = 450_789_000


@dataclass(slots=True)
class Back:
    """Money given back: pence, and what the API that did it wrote beside it.

    Until it is `paid` it is written down, and the payment's gateway may still refuse it.
    """

    id: int
    minor: int
    note: str
    at: datetime
    paid: bool = True


@dataclass(slots=True)
class Sale:
    """An order. `stage` is of `actions.backends.contract.STAGES`; `paid` in pence."""

    number: str
    id: int
    name: str
    email: str
    items: tuple[tuple[str, int], ...]
    stage: str
    placed: datetime
    paid: int
    address: Address
    currency: str = "GBP"
    carrier: str = ""
    tracking: str = ""
    shipped: datetime | None = None
    eta: datetime | None = None
    delivered: datetime | None = None
    cancelled: datetime | None = None
    staff_note: str = ""
    meta: dict[str, object] = field(default_factory=dict)
    back: list[Back] = field(default_factory=list)
    #: Whether its payment's gateway can give money back by itself.
    refundable: bool = True

    @property
    def left(self) -> int:
        """Pence that have not been given back."""
        return self.paid - sum(back.minor for back in self.back)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the shop has sent."""

    to: str
    subject: str
    body: str


@dataclass(slots=True)
class Customer:
    """A customer with an account; `active` when it has a password."""

    id: int
    name: str
    email: str
    active: bool = False


class Books:
    """What the shop knows. `mails` and each sale's `back` are what tests look at."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_ID)
        self.mails: list[Mail] = []
        self.sales: dict[str, Sale] = {}
        self.customers: dict[str, Customer] = {}
        for row in demonstration():
            sale = Sale(
                number=str(row.id),
                id=self.id(),
                name=str(row.customer),
                email=str(row.email),
                items=tuple((str(i["name"]), int(i["quantity"])) for i in row.items),
                stage=str(row.status),
                placed=_at(row.placed) or utcnow(),
                paid=int(row.total),
                address=Address(**row.address),
                carrier=str(row.carrier),
                tracking=str(row.tracking),
                shipped=_at(row.shipped),
                eta=_at(row.eta),
                delivered=_at(row.delivered),
                cancelled=utcnow() if row.status == CANCELLED else None,
            )
            self.sales[sale.number] = sale
            self.customers[sale.email] = Customer(self.id(), sale.name, sale.email)

    def id(self) -> int:
        """Return an id that nothing has yet."""
        return next(self._ids)

    def newest(self) -> list[Sale]:
        """Return all sales, newest first."""
        return sorted(self.sales.values(), key=lambda s: (s.placed, s.id), reverse=True)

    def by_id(self, id_: int) -> Sale | None:
        """Return the sale of an id."""
        return next((s for s in self.sales.values() if s.id == id_), None)

    def cancel(self, sale: Sale, note: str = "") -> bool:
        """Cancel a sale that is not packed yet, and tell whether it could be."""
        if sale.stage != PLACED:
            return False
        sale.stage, sale.cancelled, sale.staff_note = CANCELLED, utcnow(), note
        self.mails.append(Mail(sale.email, "Your order is cancelled", sale.number))
        return True

    def refund(self, sale: Sale, minor: int, note: str) -> Back | None:
        """Give pence back, None when there are not so many left."""
        if not 0 < minor <= sale.left or not sale.refundable:
            return None
        back = Back(self.id(), minor, note, utcnow())
        sale.back.append(back)
        return back


def _at(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
