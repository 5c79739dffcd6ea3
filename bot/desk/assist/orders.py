"""The orders that a conversation speaks of, and what may be told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.message import utcnow

if TYPE_CHECKING:
    from actions.backends.orders import Order

#: Orders of one conversation that are looked at, and numbers that are tried.
_ORDERS, _TRIED = 3, 12


async def orders_in(texts: Sequence[str]) -> list[Order]:
    """Return the orders whose numbers stand in texts, that of the last text first.

    A number that no order has is a year or a price. Raises StoreDown.
    """
    from actions.order_status import numbers_in

    numbers = [number for text in reversed(texts) for number in reversed(numbers_in(text))]
    tried = list(dict.fromkeys(numbers))[:_TRIED]
    return await asyncio.to_thread(_found, tried) if tried else []


def _found(numbers: Sequence[str]) -> list[Order]:
    from actions.backends import orders

    found = (orders().find(number) for number in numbers)
    return [order for order in found if order is not None][:_ORDERS]


def told(order: Order) -> str:
    """Return where an order is, in one line for an agent; nothing of it is personal."""
    from actions.order_status import facts, stage

    known, now = facts(order), stage(order)
    if order.delivered:
        when = f"on {known['delivered']}"
    elif order.eta and now != "cancelled":
        when = f"expected {known['eta']}"
    else:
        when = ""
    words = now.replace("_", " ")
    return f"Order {known['number']} ({known['pieces']}): {words}{', ' if when else ''}{when}"


def refundable(order: Order) -> tuple[int, str]:
    """Return the pence that an agent may give back of an order now, and why none.

    Raises SettingsInvalid when ``data/rules.yml`` is wrong.
    """
    from actions.rules import load_rules

    return load_rules().refunds.left(order, by_agent=True, at=utcnow())
