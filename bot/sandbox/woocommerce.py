"""A stand-in for WooCommerce's REST API v3, as strict as the real one.

Routes under ``/woocommerce/wp-json/wc/v3``, so that a backend's `url` is the sandbox's with
``/woocommerce``. https://developer.woocommerce.com/docs/apis/rest-api/v3/orders/ and its
neighbours.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from actions.backends.contract import Money
from actions.backends.orders import CANCELLED
from bot.sandbox.faults import Faults
from bot.sandbox.shop_books import Back, Books, Mail, Sale

Json = dict[str, Any]

CHANNEL = "woocommerce"
KEY, SECRET = "ck_sandbox", "cs_sandbox"
_LOGIN = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
_STATUSES = (
    *("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"),
    *("trash", "any"),
)
_SHIPPING = {
    *("first_name", "last_name", "company", "address_1", "address_2", "city", "state"),
    *("postcode", "country", "phone"),
}
_TRACKING = "_wc_shipment_tracking_items"


class Woo:
    """The API of one shop.

    An order's id is its number. Tests set `hidden`, names of fields that orders come without.
    """

    def __init__(self, books: Books, faults: Faults) -> None:
        self.books = books
        self.hidden: frozenset[str] = frozenset()
        self._faults = faults

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes under /woocommerce."""
        base = "/woocommerce/wp-json/wc/v3"
        return [
            web.get(f"{base}/orders", self._wrapped("orders", self._list)),
            web.get(f"{base}/orders/{{id}}", self._wrapped("order", self._one)),
            web.put(f"{base}/orders/{{id}}", self._wrapped("change", self._change)),
            web.get(f"{base}/orders/{{id}}/refunds", self._wrapped("refunds", self._refunds)),
            web.post(f"{base}/orders/{{id}}/refunds", self._wrapped("refund", self._refund)),
            web.post(f"{base}/orders/{{id}}/notes", self._wrapped("note", self._note)),
            web.get(f"{base}/customers", self._wrapped("customers", self._customers)),
        ]

    def _wrapped(
        self, name: str, handle: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            # All of it is here before anything is made of it, even if its sender goes away.
            await request.read()

            async def allowed() -> web.Response:
                if request.headers.get("Authorization") != f"Basic {_LOGIN}":
                    message = "Sorry, you cannot list resources."
                    return _error(401, "woocommerce_rest_cannot_view", message)
                return await handle(request)

            return await self._faults.call(request, CHANNEL, name, allowed, _refuse)

        return handler

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        wrong = [name for name in query if name not in _LIST_PARAMS]
        page, size = query.get("page", "1"), query.get("per_page", "10")
        status = query.get("status", "any")
        if wrong or not page.isdigit() or not size.isdigit() or not 1 <= int(size) <= 100:
            return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page, page")
        if status not in _STATUSES:
            return _error(400, "rest_invalid_param", "Invalid parameter(s): status")
        search = query.get("search", "").lower()
        found = [
            sale
            for sale in self.books.newest()
            if status in ("any", _status(sale)) and search in f"{sale.number} {sale.email}"
        ]
        return _page(found, int(page), int(size), self._row)

    async def _one(self, request: web.Request) -> web.Response:
        sale = self._sale(request)
        if sale is None:
            return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return web.json_response(self._row(sale))

    async def _change(self, request: web.Request) -> web.Response:
        sale, body = self._sale(request), await _body(request)
        if sale is None:
            return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        shipping = body.get("shipping", {})
        if not isinstance(shipping, dict) or set(shipping) - _SHIPPING:
            return _error(400, "rest_invalid_param", "Invalid parameter(s): shipping")
        status = body.get("status")
        if status not in (None, *_STATUSES):
            return _error(400, "rest_invalid_param", "Invalid parameter(s): status")
        # WooCommerce lets any status follow any other.
        if status == "cancelled" and not self.books.cancel(sale):
            sale.stage = CANCELLED
        if shipping:
            now = {**_shipping(sale), **shipping}
            sale.address = type(sale.address)(
                name=f"{now['first_name']} {now['last_name']}".strip(),
                line1=now["address_1"],
                line2=now["address_2"],
                city=now["city"],
                region=now["state"],
                postcode=now["postcode"],
                country=now["country"],
            )
        for entry in body.get("meta_data", []):
            sale.meta[str(entry["key"])] = entry["value"]
        return web.json_response(self._row(sale))

    async def _refunds(self, request: web.Request) -> web.Response:
        sale = self._sale(request)
        if sale is None:
            return _error(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
        return web.json_response([_refund(sale, back) for back in reversed(sale.back)])

    async def _refund(self, request: web.Request) -> web.Response:
        sale, body = self._sale(request), await _body(request)
        if sale is None:
            return _error(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
        if not isinstance(body.get("amount"), str):
            return _error(400, "rest_invalid_param", "Invalid parameter(s): amount")
        amount = Money.read(body["amount"], sale.currency)
        if amount is None or amount.minor < 0:
            message = "Refund amount must be greater than zero."
            return _error(400, "woocommerce_rest_invalid_order_refund", message)
        back = self.books.refund(sale, amount.minor, str(body.get("reason") or ""))
        if back is None:
            # The status is WooCommerce's own choice.
            code = "woocommerce_rest_cannot_create_order_refund"
            return _error(500, code, "Invalid refund amount.")
        return web.json_response(_refund(sale, back), status=201)

    async def _note(self, request: web.Request) -> web.Response:
        sale, body = self._sale(request), await _body(request)
        if sale is None:
            return _error(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
        if not body.get("note"):
            return _error(400, "rest_missing_callback_param", "Missing parameter(s): note")
        if body.get("customer_note"):
            mail = Mail(sale.email, "A note has been added to your order", str(body["note"]))
            self.books.mails.append(mail)
        made = {"id": self.books.id(), "note": body["note"]}
        return web.json_response(
            {**made, "customer_note": bool(body.get("customer_note"))}, status=201
        )

    async def _customers(self, request: web.Request) -> web.Response:
        email = request.query.get("email", "").lower()
        found = [c for c in self.books.customers.values() if c.active and email in ("", c.email)]
        rows = []
        for customer in found:
            first, _, last = customer.name.rpartition(" ")
            row = {"id": customer.id, "email": customer.email, "billing": {"phone": ""}}
            rows.append({**row, "first_name": first, "last_name": last})
        return web.json_response(rows)

    def _sale(self, request: web.Request) -> Sale | None:
        return self.books.sales.get(request.match_info["id"])

    def _row(self, sale: Sale) -> Json:
        row = _row(sale)
        return {name: value for name, value in row.items() if name not in self.hidden}


_LIST_PARAMS = frozenset(
    {"page", "per_page", "search", "status", "customer", "orderby", "order", "after", "before"}
)


def _page(found: list[Sale], page: int, size: int, row: Callable[[Sale], Json]) -> web.Response:
    """https://developer.woocommerce.com/docs/apis/rest-api/#pagination."""
    pages = -(-len(found) // size)
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    rows = [row(sale) for sale in found[(page - 1) * size : page * size]]
    return web.json_response(rows, headers=headers)


def _status(sale: Sale) -> str:
    if sale.stage == CANCELLED:
        return "cancelled"
    # Packed is nothing that WooCommerce knows.
    return "completed" if sale.shipped else "processing"


def _row(sale: Sale) -> Json:
    """https://developer.woocommerce.com/docs/apis/rest-api/v3/orders/#order-properties."""
    meta = [
        {"id": n, "key": key, "value": value} for n, (key, value) in enumerate(sale.meta.items())
    ]
    if sale.tracking:
        item = {
            "tracking_provider": sale.carrier,
            "custom_tracking_provider": "",
            "custom_tracking_link": "",
            "tracking_number": sale.tracking,
            "date_shipped": str(int(sale.shipped.timestamp())) if sale.shipped else "",
        }
        meta.append({"id": 99, "key": _TRACKING, "value": [item]})
    return {
        "id": int(sale.number),
        "number": sale.number,
        "status": _status(sale),
        "currency": sale.currency,
        "date_created_gmt": _time(sale.placed),
        "date_paid_gmt": _time(sale.placed),
        "date_completed_gmt": _time(sale.shipped),
        "total": Money(sale.paid, sale.currency).plain(),
        "billing": {**_shipping(sale), "email": sale.email, "phone": ""},
        "shipping": _shipping(sale),
        "line_items": [{"id": n, "name": i[0], "quantity": i[1]} for n, i in enumerate(sale.items)],
        "refunds": [
            {
                "id": back.id,
                "reason": back.note,
                "total": f"-{Money(back.minor, sale.currency).plain()}",
            }
            for back in reversed(sale.back)
        ],
        "meta_data": meta,
    }


def _shipping(sale: Sale) -> dict[str, str]:
    first, _, last = sale.address.name.rpartition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "address_1": sale.address.line1,
        "address_2": sale.address.line2,
        "city": sale.address.city,
        "state": sale.address.region,
        "postcode": sale.address.postcode,
        "country": sale.address.country,
    }


def _refund(sale: Sale, back: Back) -> Json:
    amount = Money(back.minor, sale.currency).plain()
    return {
        "id": back.id,
        "date_created_gmt": _time(back.at),
        "amount": amount,
        "reason": back.note,
        "refunded_payment": back.paid,
        "meta_data": [],
    }


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict) or request.content_type != "application/json":
        code = json.dumps({"code": "rest_invalid_json", "message": "Invalid JSON body passed."})
        raise web.HTTPBadRequest(text=code, content_type="application/json")
    return body


def _time(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S}" if at is not None else None


def _error(status: int, code: str, message: str) -> web.Response:
    body = {"code": code, "message": message, "data": {"status": status}}
    return web.json_response(body, status=status)


def _refuse(status: int, retry_after: int) -> web.Response:
    if status == 429:
        # Hosts limit, not WooCommerce; this is what they answer.
        headers = {"Retry-After": str(retry_after)}
        return web.Response(status=429, text="Too Many Requests", headers=headers)
    return _error(status, "internal_server_error", "There has been a critical error.")
