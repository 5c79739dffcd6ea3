"""The shops of the sandbox: one shop's books behind three APIs.

====== ======================= =========================================================
GET    /control/shops          ``{sales: [...], mails: [...]}``: what the shop knows
POST   /control/shops          ``{shop, hidden}``: fields that its API leaves out from now on
====== ======================= =========================================================

Faults of ``/control/faults`` name the shop as the channel, and as the method an operation.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from bot.sandbox import asked, rest_shop, shopify, woocommerce
from bot.sandbox.faults import Faults
from bot.sandbox.rest_shop import RestShop
from bot.sandbox.shop_books import Books
from bot.sandbox.shopify import Shopify
from bot.sandbox.woocommerce import Woo

#: The names of the APIs, for faults.
CHANNELS = (shopify.CHANNEL, woocommerce.CHANNEL, rest_shop.CHANNEL)


class Shops:
    """All three, over the same `books`."""

    def __init__(self, faults: Faults) -> None:
        self.books = Books()
        self.shopify = Shopify(self.books, faults)
        self.woocommerce = Woo(self.books, faults)
        self.rest = RestShop(self.books, faults)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of all, and the control's."""
        return [
            *self.shopify.routes(),
            *self.woocommerce.routes(),
            *self.rest.routes(),
            web.get("/control/shops", self._show),
            web.post("/control/shops", asked.json_only(self._hide)),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        def plain(value: Any) -> str:
            return str(value)

        import json

        body = {
            "sales": [asdict(sale) for sale in self.books.newest()],
            "mails": [asdict(mail) for mail in self.books.mails],
        }
        return web.json_response(body, dumps=lambda b: json.dumps(b, default=plain))

    async def _hide(self, request: web.Request) -> web.Response:
        data = await asked.body(request)
        shops: dict[str, Any] = {
            shopify.CHANNEL: self.shopify,
            woocommerce.CHANNEL: self.woocommerce,
            rest_shop.CHANNEL: self.rest,
        }
        shop = shops.get(str(data.get("shop")))
        if shop is None:
            return web.json_response(
                {"error": f"shop must be one of {', '.join(shops)}"}, status=400
            )
        shop.hidden = frozenset(map(str, data.get("hidden") or ()))
        return web.json_response({})
