"""The shop's orders, as the bot may see them."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from mongoengine import Document, IntField, StringField

from bot.message import utcnow
from bot.store import Store
from bot.store.fields import RawField, UtcField

PLACED, PACKED, SHIPPED, OUT = "placed", "packed", "shipped", "out_for_delivery"
DELIVERED, DELAYED, CANCELLED = "delivered", "delayed", "cancelled"


class Order(Document):
    """`_id` is the order number as printed in the confirmation mail, four to six digits.

    `items` are dictionaries of ``name`` and ``quantity``. `eta` is the day of delivery
    as last announced, `shipped` and `delivered` are None before they happen.

    Money is in pence. `total` is what was paid, 0 when it is not known. `refunded` is what has
    been given back of it, None for an order that knows nothing of refunds; `refunds` says to
    what it was given, dictionaries of ``id`` (of a `Refund`) and ``pence``. `cancelled_by` is what
    caused it to be cancelled, a deed's id.

    `email` is the customer's, in small letters, `phone` his number as E.164, and `address`
    where it goes, the fields of an `actions.backends.contract.Address`.
    """

    id = StringField(primary_key=True)
    customer = StringField(required=True)
    items = RawField(required=True)
    status = StringField(
        required=True, choices=(PLACED, PACKED, SHIPPED, OUT, DELIVERED, DELAYED, CANCELLED)
    )
    placed = UtcField(required=True)
    eta = UtcField()
    shipped = UtcField()
    delivered = UtcField()
    carrier = StringField(default="")
    tracking = StringField(default="")
    total = IntField(default=0)
    refunded = IntField()
    refunds = RawField()
    cancelled_by = StringField(default="")
    currency = StringField(default="GBP")
    email = StringField(default="")
    phone = StringField(default="")
    address = RawField()

    meta = {
        "collection": "orders",
        "auto_create_index": False,
        "index_background": False,
        # `refunded` and `status` are compared when changed, see `actions.backends.payments`.
        "indexes": [
            ("placed",),
            ("refunded",),
            ("status",),
            ("tracking",),
            ("email", "placed"),
        ],
    }

    @property
    def pieces(self) -> int:
        """How many things were ordered, over all items."""
        return sum(int(item["quantity"]) for item in self.items)


class OrdersBackend:
    """Finds orders in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prepare(self) -> None:
        """Create the collection where it is missing. Raises StoreDown."""
        self._store.ensure(Order)

    def find(self, number: str) -> Order | None:
        """Return the order of that number, None without one. Raises StoreDown."""
        return self._store.get(Order, number)

    def cancel(self, cause: str, number: str) -> str:
        """Cancel an order that is not packed yet; return why it was not done, "" when it was.

        Called again with the same `cause` it says the same again. Raises StoreDown; whether it
        was cancelled then is told by calling it again.
        """
        done = self._store.change(
            Order,
            {"id": number, "status": PLACED},
            set={"status": CANCELLED, "cancelled_by": cause},
        )
        if done is not None:
            return ""
        order = self.find(number)
        if order is None:
            return "there is no such order"
        if order.status == CANCELLED:
            return "" if order.cancelled_by == cause else "it was cancelled before"
        return (
            f"it is {str(order.status).replace('_', ' ')}, and can be cancelled until it is packed"
        )

    def seed(self) -> int:
        """Insert demonstration orders if there are none at all; return how many were inserted."""
        if self._store.count(Order, {}):
            return 0
        return sum(self._store.insert_new(demonstration()))


def _mail_of(customer: str) -> str:
    """Return the mail address of a demonstration customer: ``amara.osei@example.com``."""
    plain = unicodedata.normalize("NFKD", customer).encode("ascii", "ignore").decode()
    return ".".join(re.findall(r"[a-z]+", plain.replace("'", "").lower())) + "@example.com"


def _phone_of(number: str) -> str:
    """Return the phone number of a demonstration customer: one of those set aside for fiction."""
    return f"+447700900{int(number) % 1000:03d}"


def _address_of(number: str, customer: str) -> dict[str, str]:
    return {
        "name": customer,
        "line1": f"{int(number) % 90 + 1} Orchard Road",
        "city": "Larkfield",
        "postcode": "ME20 6TX",
        "country": "GB",
    }


def demonstration() -> list[Order]:
    """Orders in every stage, with days around today."""
    now = utcnow().replace(hour=10, minute=0, second=0, microsecond=0)

    def order(
        number: str,
        customer: str,
        items: dict[str, int],
        status: str,
        placed: int,
        total: int,
        *,
        eta: int | None = None,
        shipped: int | None = None,
        delivered: int | None = None,
        carrier: str = "",
        tracking: str = "",
    ) -> Order:
        def day(days: int | None) -> object:
            return None if days is None else now + timedelta(days=days)

        return Order(
            id=number,
            customer=customer,
            items=[{"name": name, "quantity": n} for name, n in items.items()],
            status=status,
            placed=day(placed),
            eta=day(eta),
            shipped=day(shipped),
            delivered=day(delivered),
            carrier=carrier,
            tracking=tracking,
            total=total,
            email=_mail_of(customer),
            phone=_phone_of(number),
            address=_address_of(number, customer),
        )

    dhl, ups, post = "DHL", "UPS", "Royal Mail"
    return [
        order(
            "1042",
            "Amara Osei",
            {"Oak desk lamp": 1, "LED bulb": 2},
            SHIPPED,
            -4,
            5897,
            eta=2,
            shipped=-1,
            carrier=dhl,
            tracking="JD014600003812",
        ),
        order("1043", "Tom Lindqvist", {"Linen curtain": 4}, PACKED, -2, 11600, eta=4),
        order(
            "1044",
            "Mei Tanaka",
            {"Stoneware mug": 6},
            DELIVERED,
            -12,
            7200,
            eta=-7,
            shipped=-10,
            delivered=-7,
            carrier=post,
            tracking="RM88213377GB",
        ),
        order(
            "1045",
            "Lucía Romero",
            {"Wool throw": 1},
            OUT,
            -5,
            6450,
            eta=0,
            shipped=-2,
            carrier=ups,
            tracking="1Z999AA10123456784",
        ),
        order(
            "1046",
            "Pavel Novák",
            {"Walnut shelf": 2, "Bracket": 4},
            DELAYED,
            -11,
            13880,
            eta=5,
            shipped=-7,
            carrier=dhl,
            tracking="JD014600003901",
        ),
        order("1047", "Grace Adeyemi", {"Beeswax candle": 12}, PLACED, 0, 4740, eta=6),
        order("1048", "Jonas Weber", {"Enamel kettle": 1}, CANCELLED, -9, 3995),
        order(
            "1049",
            "Priya Nair",
            {"Jute rug": 1},
            SHIPPED,
            -6,
            18900,
            eta=1,
            shipped=-3,
            carrier=ups,
            tracking="1Z999AA10123459921",
        ),
        order("1050", "Sam O'Neill", {"Garden bench": 1}, PLACED, -1, 24900, eta=9),
        order(
            "1051",
            "Fatima Zahra",
            {"Glass vase": 2},
            DELIVERED,
            -20,
            4350,
            eta=-15,
            shipped=-18,
            delivered=-16,
            carrier=post,
            tracking="RM88201145GB",
        ),
        order("1052", "Elif Demir", {"Cushion cover": 3}, PACKED, -3, 5385, eta=3),
        order(
            "20417",
            "Larkfield School",
            {"Folding chair": 40},
            SHIPPED,
            -8,
            159600,
            eta=3,
            shipped=-1,
            carrier=dhl,
            tracking="JD014600004410",
        ),
    ]
