"""What actions ask: one module a backend, each opened when first used."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from actions.backends.orders import OrdersBackend
from actions.backends.payments import PaymentsBackend
from actions.backends.products import ProductsBackend
from actions.backends.returns import ReturnsBackend
from bot.store import Store, open_store

_DEFAULT_STORE = "sqlite:var/bot.db"


class _Backend(Protocol):
    def __init__(self, store: Store) -> None: ...

    def prepare(self) -> None: ...


class _Seeded(_Backend, Protocol):
    def seed(self) -> int: ...


_Any = TypeVar("_Any", bound=_Backend)
_AnySeeded = TypeVar("_AnySeeded", bound=_Seeded)
_lock = threading.Lock()
_open: dict[tuple[int, str, type], _Backend] = {}


def orders() -> OrdersBackend:
    """Return the orders of the store that ``FRONTDESK_STORE_URL`` names.

    Opened once a process and URL; connections do not survive a fork. On the embedded
    store an empty collection gets the demonstration orders; a MongoDB is somebody's real
    one. Raises ValueError for another scheme, StoreDown when the store cannot be reached;
    the next call tries again.
    """
    return _seeded(OrdersBackend)


def payments() -> PaymentsBackend:
    """Return what gives money back, in the store that ``FRONTDESK_STORE_URL`` names.

    Opened as `orders` is, and with the same errors.
    """
    return _opened(PaymentsBackend)


def products() -> ProductsBackend:
    """Return what the shop sells, in the store that ``FRONTDESK_STORE_URL`` names.

    Opened and, on the embedded store, filled as `orders` is, and with the same errors.
    """
    return _seeded(ProductsBackend)


def returns() -> ReturnsBackend:
    """Return what customers send back, in the store that ``FRONTDESK_STORE_URL`` names.

    Opened as `orders` is, and with the same errors.
    """
    return _opened(ReturnsBackend)


def _seeded(kind: type[_AnySeeded]) -> _AnySeeded:
    return _opened(kind, lambda backend: backend.seed() if _url().startswith("sqlite:") else 0)


def _opened(kind: type[_Any], fill: Callable[[_Any], object] = lambda _: None) -> _Any:
    key = os.getpid(), _url(), kind
    with _lock:
        backend = _open.get(key)
        if not isinstance(backend, kind):
            backend = kind(open_store(_url()))
            backend.prepare()
            fill(backend)
            _open[key] = backend
        return backend


def _url() -> str:
    return os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
