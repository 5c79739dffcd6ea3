"""The description of the API of `bot.sandbox.rest_shop` (OpenAPI 3.0)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def _text(**more: Any) -> Json:
    return {"type": "string", **more}


_NUMBER = {"type": "integer"}
_NO = {"name": "no", "in": "path", "required": True, "schema": _text()}
_KEY = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": _text()}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _list(of: str) -> Json:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}


def _operation(id_: str, answer: Json, *parameters: Json, body: Json | None = None) -> Json:
    made: Json = {
        "operationId": id_,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {"schema": answer}}}
        },
    }
    if body is not None:
        content = {"application/json": {"schema": body}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "query", "required": required, "schema": _text()}


_PAGE = _object(data=_list("Order"), next=_text(nullable=True))
_CODE = {"name": "code", "in": "path", "required": True, "schema": _text()}
_REASON = _object(reason=_text())
_REFUND = {
    **_object(cents=_NUMBER, currency=_text(), reference=_text()),
    "required": ["cents", "currency"],
}
_MAIL = {**_object(to=_text(), template=_text(), code=_text()), "required": ["to", "template"]}

OPENAPI: Json = {
    "openapi": "3.0.3",
    "info": {"title": "A shop's own API", "version": "1"},
    "paths": {
        "/orders": {
            "get": _operation(
                "listOrders",
                _PAGE,
                _query("email", required=True),
                _query("limit"),
                _query("cursor"),
            )
        },
        "/orders/{no}": {"get": _operation("getOrder", _ref("Order"), _NO)},
        "/orders/{no}/parcels": {
            "get": _operation("listParcels", _object(parcels=_list("Parcel")), _NO)
        },
        "/parcels/{code}": {"get": _operation("getParcel", _ref("Parcel"), _CODE)},
        "/orders/{no}/cancel": {
            "post": _operation("cancelOrder", _ref("Order"), _NO, _KEY, body=_REASON)
        },
        "/orders/{no}/address": {
            "put": _operation("setAddress", _ref("Order"), _NO, _KEY, body=_ref("Address"))
        },
        "/orders/{no}/refunds": {
            "get": _operation("listRefunds", _object(refunds=_list("Refund")), _NO),
            "post": _operation("refundOrder", _ref("Refund"), _NO, _KEY, body=_REFUND),
        },
        "/customers": {
            "get": _operation(
                "findCustomer", _object(data=_list("Customer")), _query("email", required=True)
            )
        },
        "/mails": {
            "post": _operation("sendMail", _object(queued={"type": "boolean"}), _KEY, body=_MAIL)
        },
    },
    "components": {
        "schemas": {
            "Order": _object(
                no=_text(),
                uid=_text(),
                state=_text(enum=["OPEN", "PICKED", "IN_TRANSIT", "OUT", "DONE", "LATE", "VOID"]),
                created=_text(format="date-time"),
                money=_object(paidCents=_NUMBER, refundedCents=_NUMBER, currency=_text()),
                customer=_object(label=_text(), mail=_text()),
                ship=_ref("Address"),
                lines={"type": "array", "items": _object(title=_text(), count=_NUMBER)},
            ),
            "Address": {
                **_object(
                    recipient=_text(),
                    street=_text(),
                    extra=_text(),
                    town=_text(),
                    area=_text(),
                    zip=_text(),
                    country=_text(),
                ),
                "required": ["street"],
            },
            "Parcel": _object(
                order=_text(),
                state=_text(),
                carrier=_text(),
                code=_text(),
                sent=_text(format="date-time", nullable=True),
                expected=_text(format="date-time", nullable=True),
                arrived=_text(format="date-time", nullable=True),
            ),
            "Refund": _object(cents=_NUMBER, reference=_text()),
            "Customer": _object(key=_text(), mail=_text(), label=_text()),
        }
    },
}
