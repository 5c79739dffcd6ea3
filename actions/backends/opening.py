"""Opening the shop that the settings name: one, or one a part."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from actions.backends import demo
from actions.backends.contract import (
    Account,
    Address,
    Done,
    Money,
    Parcel,
    Refunded,
    Shop,
    ShopOrder,
    allowed,
)
from actions.backends.http import Pace
from actions.backends.rest_mapping_file import load_mapping
from bot.settings import Backend, load_backends
from bot.store import AsyncStore, open_store

_DEFAULT_STORE = "sqlite:var/bot.db"
_PARTS = ("orders", "shipments", "accounts", "payments")

_lock = threading.Lock()
_configured: Mapping[str, Backend] | None = None
_opened: dict[tuple[int, str], tuple[Shop, AsyncStore]] = {}


def configure(backends: Mapping[str, Backend]) -> None:
    """Set what `shop` opens. A process that does not has endpoints.yml read at the first use."""
    global _configured
    with _lock:
        _configured = backends
        _opened.clear()


async def shop() -> Shop:
    """Return the shop, opened once a process and store.

    The store is the one that ``FRONTDESK_STORE_URL`` names; connections do not survive a
    fork. Raises SettingsInvalid for endpoints.yml or a mapping that is wrong, StoreDown.
    """
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        there, backends = _opened.get(key), _configured
    if there is not None:
        return there[0]
    if backends is None:
        backends = load_backends()
    store = AsyncStore(open_store(url), demo.DOCUMENTS, threads=2)
    made = await opened(backends, store, seed=url.startswith("sqlite:"))
    with _lock:
        # Of several turns that come first at once, one opens it.
        kept = _opened.setdefault(key, (made, store))
    if kept[1] is not store:
        await store.close()
    return kept[0]


async def close() -> None:
    """Let go of this process's connections to the shop; it is opened anew when asked for."""
    with _lock:
        mine = [key for key in _opened if key[0] == os.getpid()]
        shops = [_opened.pop(key) for key in mine]
    for one, store in shops:
        await one.close()
        await store.close()


async def opened(backends: Mapping[str, Backend], store: AsyncStore, *, seed: bool = False) -> Shop:
    """Return the shop of these settings. `store` has been given `demo.DOCUMENTS`.

    With `seed` an empty demonstration shop gets its orders. Raises SettingsInvalid, StoreDown.
    """
    whole = backends.get("shop", Backend("demo"))
    made: dict[Backend, Shop] = {}
    for backend in (whole, *(backends[part] for part in _PARTS if part in backends)):
        if backend not in made:
            made[backend] = await _open(backend, store, seed=seed)
    if len(made) == 1:
        return made[whole]
    return Parts(*(made[backends.get(part, whole)] for part in _PARTS))


async def _open(backend: Backend, store: AsyncStore, *, seed: bool) -> Shop:
    if backend.kind == "demo":
        return await demo.opened(store, seed=seed)
    pace = Pace(attempt=backend.timeout_seconds, call=backend.call_seconds, at_once=backend.at_once)
    if backend.kind == "shopify":
        from actions.backends.shopify import VERSION, ShopifyShop

        version = backend.version or VERSION
        return ShopifyShop(backend.url, backend.token, store, version=version, pace=pace)
    if backend.kind == "woocommerce":
        from actions.backends.woocommerce import DELIVERED_AFTER, WooShop

        after = backend.delivered_after_days
        after = DELIVERED_AFTER if after is None else after
        keys = backend.key, backend.secret
        return WooShop(backend.url, *keys, store, pace=pace, delivered_after=after)
    from actions.backends.rest import RestBackend

    return RestBackend(backend.url, load_mapping(Path(backend.mapping)), store, pace=pace)


class Parts:
    """A shop whose parts are in several places; implements `contract.Shop`."""

    def __init__(self, orders: Shop, shipments: Shop, accounts: Shop, payments: Shop) -> None:
        self._orders, self._shipments = orders, shipments
        self._accounts, self._payments = accounts, payments
        self.name = ", ".join(one.name for one in self._all())

    async def find(self, number: str) -> ShopOrder:
        """See `Orders`."""
        return await self._orders.find(number)

    async def of_customer(self, email: str, limit: int = 20) -> list[ShopOrder]:
        """See `Orders`."""
        return await self._orders.of_customer(email, limit)

    async def cancel(self, key: str, number: str, why: str = "") -> Done:
        """See `Orders`."""
        return await self._orders.cancel(key, number, why)

    async def change_address(self, key: str, number: str, address: Address) -> Done:
        """See `Orders`."""
        return await self._orders.change_address(key, number, address)

    async def of_order(self, number: str) -> tuple[Parcel, ...]:
        """See `Shipments`."""
        return await self._shipments.of_order(number)

    async def track(self, tracking: str) -> Parcel:
        """See `Shipments`."""
        return await self._shipments.track(tracking)

    async def account(self, email: str) -> Account:
        """See `Accounts`."""
        return await self._accounts.account(email)

    async def reset_password(self, key: str, email: str) -> Done:
        """See `Accounts`."""
        return await self._accounts.reset_password(key, email)

    async def send_code(self, key: str, email: str, code: str, minutes: int) -> Done:
        """See `Accounts`."""
        return await self._accounts.send_code(key, email, code, minutes)

    async def refund(
        self,
        key: str,
        number: str,
        money: Money,
        why: str = "",
        forbids: Callable[[ShopOrder], str] = allowed,
        by: str = "",
    ) -> Refunded:
        """See `Payments`."""
        return await self._payments.refund(key, number, money, why, forbids, by)

    async def ask(self) -> str:
        """See `Shop`."""
        return "; ".join([await one.ask() for one in self._all()])

    async def close(self) -> None:
        """See `Shop`."""
        for one in self._all():
            await one.close()

    def _all(self) -> list[Shop]:
        parts = (self._orders, self._shipments, self._accounts, self._payments)
        return list({id(one): one for one in parts}.values())
