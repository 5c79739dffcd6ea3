"""What WooCommerce's orders mean (https://developer.woocommerce.com/docs/apis/rest-api/v3/orders/)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from actions.backends.contract import UNKNOWN, Address, Item, Money, Parcel, ShopOrder
from actions.backends.orders import CANCELLED, DELIVERED, OUT, PACKED, PLACED, SHIPPED

#: Where the extension Shipment Tracking keeps parcels
#: (https://woocommerce.com/document/shipment-tracking/).
TRACKING = "_wc_shipment_tracking_items"
CANCELLED_BY = "_frontdesk_cancelled_by"

# https://developer.woocommerce.com/docs/apis/rest-api/v3/orders/: the statuses; whether an
# order has been packed is not among them. "completed" is fulfilled, with nothing more to do
# (https://woocommerce.com/document/managing-orders/order-statuses/), which shops set as they
# send it; the last row is what extensions for shipping add.
_STATUS = {
    "pending": PLACED,
    "on-hold": PLACED,
    "processing": PLACED,
    "completed": SHIPPED,
    "cancelled": CANCELLED,
    "failed": CANCELLED,
    "trash": CANCELLED,
    **{"packed": PACKED, "shipped": SHIPPED, "partial-shipped": SHIPPED, "in-transit": SHIPPED},
    **{"out-for-delivery": OUT, "delivered": DELIVERED},
}
#: Which of our fields an order without one of WooCommerce's does not know.
_FIELDS = {
    "line_items": "items",
    "shipping": "address",
    "billing": "email",
    "total": "paid",
    "refunds": "refunded",
    "meta_data": "parcels",
}


def order(row: Mapping[str, Any], delivered_after: int = 0) -> ShopOrder:
    """Return an order of the API's.

    So many days after it was completed it counts as delivered, 0 for never.
    """
    number = str(row.get("number") or row.get("id") or "")
    currency = str(row.get("currency") or "")
    billing = row.get("billing") or {}
    paid = Money.read(row.get("total"), currency)
    if paid is not None and not row.get("date_paid_gmt", True):
        paid = Money(0, paid.currency)
    parts = [Money.read(r.get("total"), currency) for r in row.get("refunds") or []]
    known = "refunds" in row and all(part is not None for part in parts)
    back = sum(abs(part.minor) for part in parts if part is not None)
    status = _status(row)
    parcels = _parcels(number, row, status)
    missing = {ours for theirs, ours in _FIELDS.items() if theirs not in row}
    missing |= {"paid"} if paid is None else set()
    return ShopOrder(
        number=number,
        id=str(row.get("id") or ""),
        status=status,
        placed=_at(row.get("date_created_gmt")),
        items=tuple(
            Item(str(i.get("name") or ""), int(i.get("quantity") or 0))
            for i in row.get("line_items") or []
        ),
        paid=paid,
        refunded=Money(back, currency.upper()) if known else None,
        name=_name(billing),
        email=str(billing.get("email") or "").lower(),
        phone=str(billing.get("phone") or ""),
        address=_address(row.get("shipping")),
        parcels=parcels,
        arrived_by=_arrived_by(row, delivered_after),
        missing=tuple(sorted(missing)),
    )


def refund_of(row: Mapping[str, Any], sign: str) -> Money | None:
    """Return what a refund with that sign in its reason gave back, None without one."""
    for refund in row.get("refunds") or []:
        if sign in str(refund.get("reason") or ""):
            given = Money.read(refund.get("total"), str(row.get("currency") or ""))
            if given is not None:
                return Money(abs(given.minor), given.currency)
    return None


def meta(row: Mapping[str, Any], key: str) -> Any:
    """Return the value of an order's meta data, None without one."""
    found = [m.get("value") for m in row.get("meta_data") or [] if m.get("key") == key]
    return found[-1] if found else None


def shipping(address: Address) -> dict[str, str]:
    """Return an address as the API takes it."""
    first, _, last = address.name.rpartition(" ")
    given = {
        "first_name": first,
        "last_name": last,
        "address_1": address.line1,
        "address_2": address.line2,
        "city": address.city,
        "state": address.region,
        "postcode": address.postcode,
        "country": address.country,
    }
    # The second line of the old address is not one of the new.
    return {name: value for name, value in given.items() if value or name == "address_2"}


def _status(row: Mapping[str, Any]) -> str:
    if row.get("status") == "refunded":
        # All money was given back, before or after it was sent.
        return SHIPPED if row.get("date_completed_gmt") else CANCELLED
    return _STATUS.get(str(row.get("status")), UNKNOWN)


def _arrived_by(row: Mapping[str, Any], days: int) -> datetime | None:
    done = _at(row.get("date_completed_gmt")) if row.get("status") == "completed" else None
    return done + timedelta(days=days) if done is not None and days else None


def _parcels(number: str, row: Mapping[str, Any], status: str) -> tuple[Parcel, ...]:
    items = meta(row, TRACKING)
    return tuple(
        Parcel(
            order=number,
            status=status if status != PLACED else SHIPPED,
            carrier=str(
                item.get("tracking_provider") or item.get("custom_tracking_provider") or ""
            ),
            tracking=str(item.get("tracking_number") or ""),
            url=str(item.get("custom_tracking_link") or ""),
            shipped=_day(item.get("date_shipped")) or _at(row.get("date_completed_gmt")),
        )
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict)
    )


def _name(person: Mapping[str, Any]) -> str:
    return f"{person.get('first_name') or ''} {person.get('last_name') or ''}".strip()


def _address(row: Any) -> Address | None:
    if not isinstance(row, dict) or not row.get("address_1"):
        return None
    return Address(
        name=_name(row),
        line1=str(row.get("address_1") or ""),
        line2=str(row.get("address_2") or ""),
        city=str(row.get("city") or ""),
        region=str(row.get("state") or ""),
        postcode=str(row.get("postcode") or ""),
        country=str(row.get("country") or ""),
    )


def _at(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    # Those that end in _gmt have no zone.
    return at.replace(tzinfo=timezone.utc) if at is not None and at.tzinfo is None else at


def _day(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(value), timezone.utc) if value else None
    except (TypeError, ValueError, OverflowError, OSError):
        return _at(value)
