"""The orders that a conversation speaks of, and what may be told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.message import utcnow

if TYPE_CHECKING:
    from actions.backends.contract import ShopOrder

#: Orders of one conversation that are looked at, and numbers that are tried.
_ORDERS, _TRIED = 3, 12


async def orders_in(texts: Sequence[str]) -> list[ShopOrder]:
    """Return the orders whose numbers stand in texts, that of the last text first.

    A number that no order has is a year or a price. A shop that cannot be asked has none for
    now. Raises StoreDown.
    """
    from actions.asking import OUT_OF_REACH, find_order, log_out_of_reach
    from actions.order_status import numbers_in

    numbers = [number for text in reversed(texts) for number in reversed(numbers_in(text))]
    tried = list(dict.fromkeys(numbers))[:_TRIED]
    found: list[ShopOrder] = []
    for number in tried:
        try:
            order = await find_order(number)
        except OUT_OF_REACH as error:
            log_out_of_reach(error)
            break
        found += [order] if order is not None else []
        if len(found) == _ORDERS:
            break
    return found


def told(order: ShopOrder) -> str:
    """Return where an order is, in one line for an agent; nothing of it is personal."""
    from actions.order_status import expected, facts, stage

    known, now = facts(order), stage(order)
    if order.delivered:
        when = f"on {known['delivered']}"
    elif expected(order) and now != "cancelled":
        when = f"expected {known['eta']}"
    else:
        when = ""
    words = now.replace("_", " ")
    return f"Order {known['number']} ({known['pieces']}): {words}{', ' if when else ''}{when}"


def refundable(order: ShopOrder) -> tuple[int, str]:
    """Return the pence that an agent may give back of an order now, and why none.

    Raises SettingsInvalid when ``data/rules.yml`` is wrong.
    """
    from actions.resolving.judging import as_ruled
    from actions.rules import load_rules

    return load_rules().refunds.left(as_ruled(order), by_agent=True, at=utcnow())
