"""What a shop's own API answers, read by the paths of its mapping."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from actions.backends.contract import (
    UNKNOWN,
    Account,
    Address,
    Item,
    Money,
    Parcel,
    ShopOrder,
)
from actions.backends.errors import Misconfigured
from actions.backends.rest_mapping import ApiMapping, Path_
from actions.backends.rest_paths import at

#: What an order may lack and be of use; named in `ShopOrder.missing` where a path is set.
_MAY_LACK = ("paid", "refunded", "name", "email", "placed")


class Reader:
    """Makes our values of JSON. `name` is the backend's."""

    def __init__(self, name: str, mapping: ApiMapping) -> None:
        self._name = name
        self._map = mapping

    def order(self, row: Any) -> ShopOrder:
        """Return an order. Raises Misconfigured for one without number or status."""
        found = {key: at(row, path) for key, path in self._map.order.items()}
        for key in ("number", "status"):
            if found.get(key) in (None, ""):
                raise Misconfigured(self._name, f"an order has nothing at order.{key}")
        number, status = str(found["number"]), self._stage(found["status"])
        currency = self._currency(row)
        paid = self._money(found.get("paid"), currency)
        refunded = _positive(self._money(found.get("refunded"), currency))
        items = at(row, self._map.items["each"]) if self._map.items else None
        parcels = at(row, self._map.parcels["each"]) if self._map.parcels else None
        address = self._address(row)
        missing = {key for key in _MAY_LACK if key in found and found[key] is None}
        missing |= {"paid"} if paid is None and "paid" in found else set()
        missing |= {"refunded"} if refunded is None and "refunded" in found else set()
        missing |= {"items"} if self._map.items and not isinstance(items, list) else set()
        missing |= {"parcels"} if self._map.parcels and not isinstance(parcels, list) else set()
        missing |= {"address"} if self._map.address and address is None else set()
        return ShopOrder(
            number=number,
            id=str(found.get("id") or number),
            status=status,
            placed=_at(found.get("placed")),
            items=tuple(self._item(item) for item in items or []),
            paid=paid,
            refunded=refunded,
            name=str(found.get("name") or ""),
            email=str(found.get("email") or "").lower(),
            phone=str(found.get("phone") or ""),
            address=address,
            parcels=tuple(
                self.parcel(parcel, number, self._map.parcels) for parcel in parcels or []
            ),
            missing=tuple(sorted(missing)),
        )

    def parcel(
        self, row: Any, number: str = "", paths: Mapping[str, Path_] | None = None
    ) -> Parcel:
        """Return a parcel, of an order's number where it does not say itself."""
        found = {k: at(row, path) for k, path in (paths or self._map.parcel).items()}
        return Parcel(
            order=str(found.get("order") or number),
            status=self._stage(found.get("status")),
            carrier=str(found.get("carrier") or ""),
            tracking=str(found.get("tracking") or ""),
            url=str(found.get("url") or ""),
            shipped=_at(found.get("shipped")),
            eta=_at(found.get("eta")),
            delivered=_at(found.get("delivered")),
        )

    def account(self, row: Any) -> Account | None:
        """Return an account, None for what is none."""
        found = {key: at(row, path) for key, path in self._map.account.items()}
        if not found.get("email"):
            return None
        return Account(
            id=str(found.get("id") or ""),
            email=str(found["email"]).lower(),
            name=str(found.get("name") or ""),
            phone=str(found.get("phone") or ""),
        )

    def refund(self, row: Any, sign: str, order: ShopOrder) -> Money | None:
        """Return what a refund gave back if it has that sign, else None."""
        key, amount = self._map.refund.get("key"), self._map.refund.get("amount")
        if key is None or amount is None or sign not in str(at(row, key) or ""):
            return None
        currency = order.paid.currency if order.paid is not None else ""
        return _positive(self._money(at(row, amount), currency))

    def _stage(self, value: Any) -> str:
        return self._map.statuses.get(str(value), UNKNOWN)

    def _currency(self, row: Any) -> str:
        where = self._map.currency
        return where if isinstance(where, str) else str(at(row, where) or "")

    def _money(self, value: Any, currency: str) -> Money | None:
        if value is None or not currency:
            return None
        if not self._map.minor:
            return Money.read(value, currency)
        try:
            return Money(int(str(value)), currency.upper())
        except ValueError:
            return None

    def _item(self, row: Any) -> Item:
        count = at(row, self._map.items.get("quantity", ())) if "quantity" in self._map.items else 1
        name = at(row, self._map.items["name"]) if "name" in self._map.items else ""
        try:
            return Item(str(name or ""), int(count))
        except (TypeError, ValueError):
            return Item(str(name or ""), 1)

    def _address(self, row: Any) -> Address | None:
        found = {key: at(row, path) for key, path in self._map.address.items()}
        if not any(found.values()):
            return None
        return Address(**{key: str(value or "") for key, value in found.items()})


def _positive(money: Money | None) -> Money | None:
    # Some write what was given back with a minus.
    return Money(abs(money.minor), money.currency) if money is not None else None


def _at(value: Any) -> datetime | None:
    """Return a time: ISO 8601, in UTC without a zone, or seconds since 1970."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, timezone.utc)
        made = datetime.fromisoformat(str(value).replace("Z", "+00:00")) if value else None
    except (ValueError, OverflowError, OSError):
        return None
    return made.replace(tzinfo=timezone.utc) if made is not None and made.tzinfo is None else made
