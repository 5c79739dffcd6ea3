"""What Shopify is asked, and what its answers mean.

The shapes: https://shopify.dev/docs/api/admin-graphql/latest/objects/Order, /Fulfillment,
/OrderTransaction, /Refund; the mutations' pages are named at each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.backends.contract import UNKNOWN, Address, Item, Money, Parcel, ShopOrder
from actions.backends.orders import CANCELLED, DELAYED, DELIVERED, OUT, PACKED, PLACED, SHIPPED

_MONEY = "presentmentMoney { amount currencyCode }"
#: One request may cost 1000 points, about one for each object that it may give
#: (https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits).
ORDERS = f"""query orders($first: Int!, $query: String, $after: String, $refunds: Boolean!) {{
  orders(first: $first, query: $query, after: $after, sortKey: CREATED_AT, reverse: true) {{
    nodes {{
      id name createdAt cancelledAt displayFulfillmentStatus email phone
      totalReceivedSet {{ {_MONEY} }}
      totalRefundedSet {{ {_MONEY} }}
      cancellation {{ staffNote }}
      shippingAddress {{ name address1 address2 city province zip countryCodeV2 }}
      lineItems(first: 20) {{ nodes {{ title quantity }} pageInfo {{ hasNextPage }} }}
      fulfillments(first: 5) {{
        displayStatus createdAt inTransitAt deliveredAt estimatedDeliveryAt
        trackingInfo(first: 2) {{ company number url }}
      }}
      refunds(first: 20) @include(if: $refunds) {{ id note totalRefundedSet {{ {_MONEY} }} }}
      transactions(first: 20) @include(if: $refunds) {{
        id kind status gateway parentTransaction {{ id }} amountSet {{ {_MONEY} }}
      }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
#: https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderCancel
CANCEL = """mutation orderCancel($orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!,
    $refundMethod: OrderCancelRefundMethodInput, $notifyCustomer: Boolean, $staffNote: String) {
  orderCancel(orderId: $orderId, reason: $reason, restock: $restock, refundMethod: $refundMethod,
      notifyCustomer: $notifyCustomer, staffNote: $staffNote) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}"""
#: https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderUpdate
UPDATE = """mutation orderUpdate($input: OrderInput!) {
  orderUpdate(input: $input) { order { id } userErrors { field message } }
}"""
#: https://shopify.dev/docs/api/admin-graphql/latest/mutations/refundCreate
REFUND = """mutation refundCreate($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id }
    userErrors { field message }
  }
}"""
#: https://shopify.dev/docs/api/admin-graphql/latest/queries/customerByIdentifier
CUSTOMER = """query customer($identifier: CustomerIdentifierInput!) {
  customerByIdentifier(identifier: $identifier) {
    id displayName state
    defaultEmailAddress { emailAddress }
    defaultPhoneNumber { phoneNumber }
  }
}"""
#: https://shopify.dev/docs/api/admin-graphql/latest/mutations/customerSendAccountInviteEmail
INVITE = """mutation customerSendAccountInviteEmail($customerId: ID!) {
  customerSendAccountInviteEmail(customerId: $customerId) {
    customer { id }
    userErrors { code field message }
  }
}"""
#: https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderInvoiceSend
INVOICE = """mutation orderInvoiceSend($id: ID!, $email: EmailInput) {
  orderInvoiceSend(id: $id, email: $email) { order { id } userErrors { code field message } }
}"""
#: Refunds of an order that are looked at, see `ORDERS`.
MOST_REFUNDS = 20
SHOP = "query shop { shop { name currencyCode } }"

# https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFulfillmentStatus
_BEFORE = {
    "UNFULFILLED": PLACED,
    "OPEN": PLACED,
    "ON_HOLD": PLACED,
    "SCHEDULED": PLACED,
    "IN_PROGRESS": PACKED,
    "PENDING_FULFILLMENT": PACKED,
    "REQUEST_DECLINED": PLACED,
    "FULFILLED": SHIPPED,
    "PARTIALLY_FULFILLED": SHIPPED,
}
# https://shopify.dev/docs/api/admin-graphql/latest/enums/FulfillmentDisplayStatus
_PARCEL = {
    "LABEL_PRINTED": PACKED,
    "LABEL_PURCHASED": PACKED,
    "READY_FOR_PICKUP": PACKED,
    "SUBMITTED": PACKED,
    "CONFIRMED": SHIPPED,
    "FULFILLED": SHIPPED,
    "MARKED_AS_FULFILLED": SHIPPED,
    "CARRIER_PICKED_UP": SHIPPED,
    "IN_TRANSIT": SHIPPED,
    "OUT_FOR_DELIVERY": OUT,
    "ATTEMPTED_DELIVERY": DELAYED,
    "DELAYED": DELAYED,
    "FAILURE": DELAYED,
    "NOT_DELIVERED": DELAYED,
    "DELIVERED": DELIVERED,
    "PICKED_UP": DELIVERED,
}
_GONE = ("CANCELED", "LABEL_VOIDED")
#: An order is as far as the parcel that is least far.
_FAR = (DELAYED, PACKED, SHIPPED, OUT, DELIVERED)

#: Which of our fields an answer without one of Shopify's does not know.
_FIELDS = {
    "fulfillments": "parcels",
    "lineItems": "items",
    "shippingAddress": "address",
    "email": "email",
    "phone": "phone",
    "totalReceivedSet": "paid",
    "totalRefundedSet": "refunded",
}


@dataclass(frozen=True, slots=True)
class Parent:
    """A payment, and how much of it, in minor units, has not been given back."""

    id: str
    gateway: str
    left: int


def order(node: Mapping[str, Any], refused: tuple[str, ...] = ()) -> ShopOrder:
    """Return an order of the API's. `refused` are fields that it would not tell."""
    number = str(node.get("name") or "").lstrip("#")
    parcels = tuple(
        _parcel(number, f)
        for f in node.get("fulfillments") or []
        if f and f.get("displayStatus") not in _GONE
    )
    missing = {_FIELDS[name] for name in refused if name in _FIELDS}
    missing |= {ours for theirs, ours in _FIELDS.items() if theirs not in node}
    paid, refunded = money(node.get("totalReceivedSet")), money(node.get("totalRefundedSet"))
    missing |= {name for name, value in (("paid", paid), ("refunded", refunded)) if value is None}
    lines = node.get("lineItems") or {}
    if (lines.get("pageInfo") or {}).get("hasNextPage"):
        missing.add("items")
    return ShopOrder(
        number=number,
        id=str(node.get("id") or ""),
        status=_status(node, parcels),
        placed=_at(node.get("createdAt")),
        items=tuple(Item(str(i["title"]), int(i["quantity"])) for i in lines.get("nodes") or []),
        paid=paid,
        refunded=refunded,
        name=str((node.get("shippingAddress") or {}).get("name") or ""),
        email=str(node.get("email") or "").lower(),
        phone=str(node.get("phone") or ""),
        address=_address(node.get("shippingAddress")),
        parcels=parcels,
        missing=tuple(sorted(missing)),
    )


def money(bag: Any) -> Money | None:
    """Return the amount of a MoneyBag in the customer's currency, None without one."""
    found = (bag or {}).get("presentmentMoney") or {}
    return Money.read(found.get("amount"), str(found.get("currencyCode") or ""))


def parents(node: Mapping[str, Any], currency: str) -> list[Parent]:
    """Return the payments of an order that money can go back to."""
    made = []
    transactions = [t for t in node.get("transactions") or [] if t]
    for paid in transactions:
        amount = money(paid.get("amountSet"))
        fits = paid.get("kind") in ("SALE", "CAPTURE") and paid.get("status") == "SUCCESS"
        if not fits or amount is None or amount.currency != currency:
            continue
        back = sum(
            given.minor
            for t in transactions
            if t.get("kind") == "REFUND"
            and t.get("status") in ("SUCCESS", "PENDING")
            and (t.get("parentTransaction") or {}).get("id") == paid["id"]
            and (given := money(t.get("amountSet"))) is not None
        )
        made.append(Parent(str(paid["id"]), str(paid.get("gateway") or ""), amount.minor - back))
    return made


def _status(node: Mapping[str, Any], parcels: tuple[Parcel, ...]) -> str:
    if node.get("cancelledAt"):
        return CANCELLED
    if parcels:
        return min((p.status for p in parcels), key=lambda s: _FAR.index(s) if s in _FAR else 9)
    return _BEFORE.get(str(node.get("displayFulfillmentStatus")), UNKNOWN)


def _parcel(number: str, node: Mapping[str, Any]) -> Parcel:
    infos = node.get("trackingInfo") or []
    tracked: Mapping[str, Any] = next((t for t in infos if t and t.get("number")), {})
    return Parcel(
        order=number,
        status=_PARCEL.get(str(node.get("displayStatus")), UNKNOWN),
        carrier=str(tracked.get("company") or ""),
        tracking=str(tracked.get("number") or ""),
        url=str(tracked.get("url") or ""),
        shipped=_at(node.get("inTransitAt")) or _at(node.get("createdAt")),
        eta=_at(node.get("estimatedDeliveryAt")),
        delivered=_at(node.get("deliveredAt")),
    )


def _address(node: Any) -> Address | None:
    if not node:
        return None
    return Address(
        name=str(node.get("name") or ""),
        line1=str(node.get("address1") or ""),
        line2=str(node.get("address2") or ""),
        city=str(node.get("city") or ""),
        region=str(node.get("province") or ""),
        postcode=str(node.get("zip") or ""),
        country=str(node.get("countryCodeV2") or ""),
    )


def _at(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
