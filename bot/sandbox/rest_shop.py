"""A shop with an API of its own kind, as many companies have one: what a mapping is for.

Routes under ``/shop/v1``; ``GET /shop/openapi.json`` describes them. It knows the header
``Idempotency-Key``, as in https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/,
and pages by cursor.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.rest_shop_openapi import OPENAPI
from bot.sandbox.shop_books import Books, Mail, Sale

Json = dict[str, Any]

CHANNEL = "shop"
TOKEN = "shop-sandbox-token"  # noqa: S105
_STATES = {
    "placed": "OPEN",
    "packed": "PICKED",
    "shipped": "IN_TRANSIT",
    "out_for_delivery": "OUT",
    "delivered": "DONE",
    "delayed": "LATE",
    "cancelled": "VOID",
}
_ADDRESS = {"recipient", "street", "extra", "town", "area", "zip", "country"}


class RestShop:
    """The API. Tests set `hidden`, names of fields that orders come without."""

    def __init__(self, books: Books, faults: Faults) -> None:
        self.books = books
        self.hidden: frozenset[str] = frozenset()
        self._faults = faults
        self._answers: dict[str, tuple[str, int, Json]] = {}
        self._at_work: set[str] = set()

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes under /shop."""
        v1 = "/shop/v1"
        return [
            web.get("/shop/openapi.json", self._openapi),
            web.get(f"{v1}/orders", self._wrapped("listOrders", self._list)),
            web.get(f"{v1}/orders/{{no}}", self._wrapped("getOrder", self._one)),
            web.get(f"{v1}/orders/{{no}}/parcels", self._wrapped("listParcels", self._parcels)),
            web.get(f"{v1}/parcels/{{code}}", self._wrapped("getParcel", self._parcel)),
            web.post(f"{v1}/orders/{{no}}/cancel", self._wrapped("cancelOrder", self._cancel)),
            web.put(f"{v1}/orders/{{no}}/address", self._wrapped("setAddress", self._address)),
            web.get(f"{v1}/orders/{{no}}/refunds", self._wrapped("listRefunds", self._refunds)),
            web.post(f"{v1}/orders/{{no}}/refunds", self._wrapped("refundOrder", self._refund)),
            web.get(f"{v1}/customers", self._wrapped("findCustomer", self._customer)),
            web.post(f"{v1}/mails", self._wrapped("sendMail", self._mail)),
        ]

    async def _openapi(self, request: web.Request) -> web.Response:
        return web.json_response(OPENAPI)

    def _wrapped(
        self, name: str, handle: Callable[[web.Request, Json], Awaitable[tuple[int, Any]]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            # All of it is here before anything is made of it, even if its sender goes away.
            await request.read()

            async def allowed() -> web.Response:
                if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return _error(401, "unauthorised")
                body: Json = {}
                if request.method in ("POST", "PUT"):
                    try:
                        body = json.loads(await request.read())
                    except ValueError:
                        return _error(400, "no_json")
                return await self._once(request, body, handle)

            key = request.headers.get("Idempotency-Key", "")
            if key in self._at_work:
                return _error(409, "in_progress")
            self._at_work |= {key} if key else set()
            try:
                return await self._faults.call(request, CHANNEL, name, allowed, _refuse)
            finally:
                self._at_work.discard(key)

        return handler

    async def _once(
        self,
        request: web.Request,
        body: Json,
        handle: Callable[[web.Request, Json], Awaitable[tuple[int, Any]]],
    ) -> web.Response:
        """Answer a key that is known with what was answered first."""
        key = request.headers.get("Idempotency-Key", "")
        print_ = f"{request.method} {request.path} {json.dumps(body, sort_keys=True)}"
        if key in self._answers and request.method != "GET":
            first, status, answer = self._answers[key]
            return (
                web.json_response(answer, status=status)
                if first == print_
                else _error(422, "key_reused")
            )
        status, answer = await handle(request, body)
        if key and status < 400:
            self._answers[key] = (print_, status, answer)
        return web.json_response(answer, status=status)

    async def _list(self, request: web.Request, body: Json) -> tuple[int, Any]:
        email, size = request.query.get("email", "").lower(), request.query.get("limit", "20")
        if not email or not size.isdigit() or not 1 <= int(size) <= 50:
            return 400, {"error": "bad_parameter"}
        found = [sale for sale in self.books.newest() if sale.email == email]
        start = int(request.query.get("cursor", "0") or 0)
        page = found[start : start + int(size)]
        end = start + len(page)
        cursor = str(end) if end < len(found) else None
        return 200, {"data": [self._row(sale) for sale in page], "next": cursor}

    async def _one(self, request: web.Request, body: Json) -> tuple[int, Any]:
        sale = self._sale(request)
        return (200, self._row(sale)) if sale is not None else _MISSING

    async def _parcels(self, request: web.Request, body: Json) -> tuple[int, Any]:
        sale = self._sale(request)
        if sale is None:
            return _MISSING
        return 200, {"parcels": [_parcel(sale)] if sale.shipped else []}

    async def _parcel(self, request: web.Request, body: Json) -> tuple[int, Any]:
        code = request.match_info["code"]
        found = next((s for s in self.books.sales.values() if s.tracking == code), None)
        return (200, _parcel(found)) if found is not None else _MISSING

    async def _cancel(self, request: web.Request, body: Json) -> tuple[int, Any]:
        sale = self._sale(request)
        if sale is None:
            return _MISSING
        if not self.books.cancel(sale, str(body.get("reason", ""))):
            return 409, {"error": "too_late"}
        return 200, self._row(sale)

    async def _address(self, request: web.Request, body: Json) -> tuple[int, Any]:
        sale = self._sale(request)
        if sale is None:
            return _MISSING
        if set(body) - _ADDRESS or not body.get("street"):
            return 422, {"error": "bad_address"}
        if sale.stage != "placed":
            return 409, {"error": "too_late"}
        sale.address = type(sale.address)(
            name=body.get("recipient", ""),
            line1=body["street"],
            line2=body.get("extra", ""),
            city=body.get("town", ""),
            region=body.get("area", ""),
            postcode=body.get("zip", ""),
            country=body.get("country", ""),
        )
        return 200, self._row(sale)

    async def _refunds(self, request: web.Request, body: Json) -> tuple[int, Any]:
        sale = self._sale(request)
        if sale is None:
            return _MISSING
        return 200, {"refunds": [{"cents": b.minor, "reference": b.note} for b in sale.back]}

    async def _refund(self, request: web.Request, body: Json) -> tuple[int, Any]:
        sale = self._sale(request)
        if sale is None:
            return _MISSING
        if not isinstance(body.get("cents"), int) or body.get("currency") != sale.currency:
            return 422, {"error": "bad_amount"}
        back = self.books.refund(sale, body["cents"], str(body.get("reference", "")))
        if back is None:
            return 409, {"error": "too_much"}
        return 201, {"cents": back.minor, "reference": back.note}

    async def _customer(self, request: web.Request, body: Json) -> tuple[int, Any]:
        found = self.books.customers.get(request.query.get("email", "").lower())
        if found is None:
            return 200, {"data": []}
        return 200, {"data": [{"key": str(found.id), "mail": found.email, "label": found.name}]}

    async def _mail(self, request: web.Request, body: Json) -> tuple[int, Any]:
        to = self.books.customers.get(str(body.get("to", "")))
        if to is None or body.get("template") not in ("reset", "code"):
            return 422, {"error": "bad_mail"}
        said = f"{body.get('code', '')}"
        self.books.mails.append(Mail(to.email, str(body["template"]), said))
        return 202, {"queued": True}

    def _sale(self, request: web.Request) -> Sale | None:
        return self.books.sales.get(request.match_info["no"])

    def _row(self, sale: Sale) -> Json:
        row = {
            "no": sale.number,
            "uid": str(sale.id),
            "state": _STATES[sale.stage],
            "created": _time(sale.placed),
            "money": {
                "paidCents": sale.paid,
                "refundedCents": sum(back.minor for back in sale.back),
                "currency": sale.currency,
            },
            "customer": {"label": sale.name, "mail": sale.email},
            "ship": {
                "recipient": sale.address.name,
                "street": sale.address.line1,
                "extra": sale.address.line2,
                "town": sale.address.city,
                "area": sale.address.region,
                "zip": sale.address.postcode,
                "country": sale.address.country,
            },
            "lines": [{"title": name, "count": count} for name, count in sale.items],
        }
        return {name: value for name, value in row.items() if name not in self.hidden}


_MISSING = (404, {"error": "not_found"})


def _parcel(sale: Sale) -> Json:
    return {
        "order": sale.number,
        "state": _STATES[sale.stage],
        "carrier": sale.carrier,
        "code": sale.tracking,
        "sent": _time(sale.shipped),
        "expected": _time(sale.eta),
        "arrived": _time(sale.delivered),
    }


def _time(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S}+00:00" if at is not None else None


def _error(status: int, code: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": code}, status=status, headers=headers)


def _refuse(status: int, retry_after: int) -> web.Response:
    headers = {"Retry-After": str(retry_after)} if status == 429 else None
    return _error(status, "busy" if status == 429 else "internal", headers)
