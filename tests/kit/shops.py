"""A shop of every kind, over its stand-in on loopback, with the same orders in each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aiohttp import web

from actions.backends import demo
from actions.backends.contract import Shop
from actions.backends.demo import DemoShop, Mail
from actions.backends.http import Pace
from actions.backends.orders import Order
from actions.backends.rest import RestBackend
from actions.backends.rest_mapping import ApiMapping
from actions.backends.rest_mapping_file import load_mapping
from actions.backends.shopify import ShopifyShop
from actions.backends.woocommerce import WooShop
from bot.sandbox import rest_shop, shopify, woocommerce
from bot.sandbox.faults import Fault, Faults
from bot.sandbox.shops import Shops
from bot.store import AsyncStore, open_store

KINDS = ("demo", "shopify", "woocommerce", "rest")
#: Those that are asked over HTTP.
REMOTE = KINDS[1:]
#: Times of tests, in seconds. A shop that answers has all the time that a busy machine takes.
QUICK = Pace(attempt=5.0, call=15.0, attempts=3, pause=0.01, at_once=4)
MAPPING = Path("docs/backends/shop.mapping.yml")
_CHANNELS = {"shopify": "shopify", "woocommerce": "woocommerce", "rest": "shop"}


@dataclass
class Place:
    """Where shops are: the stand-ins, their faults, and the bot's store."""

    url: str
    shops: Shops
    faults: Faults
    store: AsyncStore

    def shop(
        self, kind: str, *, pace: Pace = QUICK, token: str = "", settled: float = 30.0
    ) -> Shop:
        """Return a backend of that kind, as a process of its own would have it."""
        if kind == "demo":
            return DemoShop(self.store)
        if kind == "shopify":
            secret = token or shopify.TOKEN
            return ShopifyShop(
                f"{self.url}/shopify", secret, self.store, pace=pace, settled=settled
            )
        if kind == "woocommerce":
            secret = token or woocommerce.SECRET
            url = f"{self.url}/woocommerce"
            return WooShop(url, woocommerce.KEY, secret, self.store, pace=pace, settled=settled)
        mapping = _mapping(token or rest_shop.TOKEN)
        url = f"{self.url}/shop/v1"
        return RestBackend(url, mapping, self.store, pace=pace, settled=settled)

    def fault(self, kind: str, fault: str, **more: object) -> None:
        """Have the stand-in of a kind fail so, see `Fault`."""
        self.faults.add(Fault(_CHANNELS[kind], fault, **more))  # type: ignore[arg-type]

    async def given_back(self, kind: str, number: str) -> list[int]:
        """Return the pence of each refund that an order's shop has paid."""
        if kind == "demo":
            order = await self.store.get(Order, number)
            return [int(part["pence"]) for part in (order.refunds if order else None) or []]
        return [back.minor for back in self.shops.books.sales[number].back]

    async def mails(self, kind: str) -> list[tuple[str, str]]:
        """Return to whom the shop has mailed what."""
        if kind == "demo":
            return [(str(m.to), str(m.body)) for m in await self.store.find(Mail, {})]
        return [(mail.to, mail.body) for mail in self.shops.books.mails]


@lru_cache
def _mapping(token: str) -> ApiMapping:
    return load_mapping(MAPPING, {"SHOP_TOKEN": token})


@asynccontextmanager
async def place(directory: Path) -> AsyncIterator[Place]:
    """Run the stand-ins, and a store with the demonstration orders."""
    store = AsyncStore(open_store(f"sqlite:{directory / 'bot.db'}"), demo.DOCUMENTS)
    await demo.opened(store, seed=True)
    faults = Faults()
    shops = Shops(faults)
    app = web.Application()
    app.add_routes(shops.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield Place(url, shops, faults, store)
    finally:
        await runner.cleanup()
        await store.close()
