"""An order as Shopify's GraphQL Admin API tells of it.

https://shopify.dev/docs/api/admin-graphql/latest/objects/Order
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actions.backends.contract import Money
from actions.backends.orders import CANCELLED, DELAYED, DELIVERED, OUT, PACKED, PLACED
from bot.sandbox.shop_books import Sale

Json = dict[str, Any]

_FULFILMENT = {PLACED: "UNFULFILLED", PACKED: "IN_PROGRESS", CANCELLED: "UNFULFILLED"}
_DISPLAY = {OUT: "OUT_FOR_DELIVERY", DELIVERED: "DELIVERED", DELAYED: "DELAYED"}


def payment(sale: Sale) -> str:
    """Return the id of the transaction by which it was paid."""
    return f"gid://shopify/OrderTransaction/{sale.id + 5_000_000}"


def _bag(minor: int, currency: str) -> Json:
    amount = {"amount": Money(minor, currency).plain(), "currencyCode": currency}
    return {"presentmentMoney": amount, "shopMoney": amount}


def order(sale: Sale) -> Json:
    """Return all of an order; what was not asked for is left out later."""
    names = {
        "name": sale.address.name,
        "address1": sale.address.line1,
        "address2": sale.address.line2 or None,
        "city": sale.address.city,
        "province": sale.address.region or None,
        "zip": sale.address.postcode,
        "countryCodeV2": sale.address.country,
    }
    back = sum(one.minor for one in sale.back)
    given = [
        {
            "id": f"gid://shopify/OrderTransaction/{one.id}",
            "kind": "REFUND",
            "status": "SUCCESS",
            "gateway": "shopify_payments",
            "parentTransaction": {"id": payment(sale)},
            "amountSet": _bag(one.minor, sale.currency),
        }
        for one in sale.back
    ]
    sold = {
        "id": payment(sale),
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "parentTransaction": None,
        "amountSet": _bag(sale.paid, sale.currency),
    }
    return {
        "id": f"gid://shopify/Order/{sale.id}",
        "name": f"#{sale.number}",
        "createdAt": _time(sale.placed),
        "cancelledAt": _time(sale.cancelled),
        "displayFulfillmentStatus": _FULFILMENT.get(sale.stage, "FULFILLED"),
        "email": sale.email,
        "phone": None,
        "totalReceivedSet": _bag(sale.paid, sale.currency),
        "totalRefundedSet": _bag(back, sale.currency),
        "cancellation": {"staffNote": sale.staff_note} if sale.cancelled else None,
        "shippingAddress": names,
        "lineItems": {
            "nodes": [{"title": name, "quantity": n} for name, n in sale.items],
            "pageInfo": {"hasNextPage": False, "endCursor": None},
        },
        "fulfillments": [_fulfillment(sale)] if sale.shipped else [],
        "refunds": [
            {
                "id": f"gid://shopify/Refund/{one.id}",
                "note": one.note,
                "totalRefundedSet": _bag(one.minor, sale.currency),
            }
            for one in sale.back
        ],
        "transactions": [sold, *given],
    }


def _fulfillment(sale: Sale) -> Json:
    return {
        "displayStatus": _DISPLAY.get(sale.stage, "IN_TRANSIT"),
        "createdAt": _time(sale.shipped),
        "inTransitAt": _time(sale.shipped),
        "deliveredAt": _time(sale.delivered),
        "estimatedDeliveryAt": _time(sale.eta),
        "trackingInfo": [{"company": sale.carrier, "number": sale.tracking, "url": None}],
    }


def _time(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at is not None else None
