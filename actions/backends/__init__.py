"""What actions ask: one module a backend, each opened when first used."""

from __future__ import annotations

import os
import threading

from actions.backends.orders import OrdersBackend
from actions.backends.payments import PaymentsBackend
from actions.backends.products import ProductsBackend
from actions.backends.returns import ReturnsBackend
from bot.store import open_store

_DEFAULT_STORE = "sqlite:var/bot.db"

_lock = threading.Lock()
_orders: dict[tuple[int, str], OrdersBackend] = {}
_payments: dict[tuple[int, str], PaymentsBackend] = {}
_products: dict[tuple[int, str], ProductsBackend] = {}
_returns: dict[tuple[int, str], ReturnsBackend] = {}


def orders() -> OrdersBackend:
    """Return the orders of the store that ``FRONTDESK_STORE_URL`` names.

    Opened once a process and URL; connections do not survive a fork. On the embedded
    store an empty collection gets the demonstration orders; a MongoDB is somebody's real
    one. Raises ValueError for another scheme, StoreDown when the store cannot be reached;
    the next call tries again.
    """
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _orders:
            backend = OrdersBackend(open_store(url))
            backend.prepare()
            if url.startswith("sqlite:"):
                backend.seed()
            _orders[key] = backend
        return _orders[key]


def payments() -> PaymentsBackend:
    """Return what gives money back, in the store that ``FRONTDESK_STORE_URL`` names.

    Opened as `orders` is, and with the same errors.
    """
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _payments:
            backend = PaymentsBackend(open_store(url))
            backend.prepare()
            _payments[key] = backend
        return _payments[key]


def products() -> ProductsBackend:
    """Return what the shop sells, in the store that ``FRONTDESK_STORE_URL`` names.

    Opened and, on the embedded store, filled as `orders` is, and with the same errors.
    """
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _products:
            backend = ProductsBackend(open_store(url))
            backend.prepare()
            if url.startswith("sqlite:"):
                backend.seed()
            _products[key] = backend
        return _products[key]


def returns() -> ReturnsBackend:
    """Return what customers send back, in the store that ``FRONTDESK_STORE_URL`` names.

    Opened as `orders` is, and with the same errors.
    """
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _returns:
            backend = ReturnsBackend(open_store(url))
            backend.prepare()
            _returns[key] = backend
        return _returns[key]
