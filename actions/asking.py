"""Asking the shop from an action, and saying honestly when it cannot be asked."""

from __future__ import annotations

import logging
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.backends.contract import ShopOrder
from actions.backends.errors import (
    BackendDown,
    BackendError,
    Misconfigured,
    NotFound,
    Unauthorised,
)
from actions.backends.opening import shop
from bot.identity.looking import missed, missed_enough

log = logging.getLogger(__name__)

#: What a customer is told of in the same words: the shop cannot be asked now.
OUT_OF_REACH = (BackendDown, Unauthorised, Misconfigured)
_PERSON = {"title": "Talk to a person", "payload": "/human"}


async def find_order(number: str) -> ShopOrder | None:
    """Return the order of a number, None without one. Raises `OUT_OF_REACH`, StoreDown."""
    try:
        return await (await shop()).find(number)
    except NotFound:
        return None


class Guessing(Exception):
    """Who asks has asked for as many order numbers that there are not as anybody may."""


async def find_order_for(tracker: Tracker, number: str) -> ShopOrder | None:
    """Return the order of a number that a customer has said, None without one.

    Raises Guessing, before it is looked for; and what `find_order` raises.
    """
    # Not at import: that file has what needs this one.
    from actions.proving import address_of, store

    here = address_of(tracker)
    if here is not None and await missed_enough(store(), here):
        raise Guessing
    order = await find_order(number)
    if order is None and here is not None:
        await missed(store(), here, number)
    return order


def say_out_of_reach(dispatcher: CollectingDispatcher, error: BackendError, again: str) -> None:
    """Say that the shop cannot be asked now; `again` is the payload that asks the same again."""
    log_out_of_reach(error)
    buttons: list[dict[str, Any]] = [{"title": "Try again", "payload": again}, dict(_PERSON)]
    dispatcher.utter_message(response="utter_shop_out_of_reach", buttons=buttons)


def log_out_of_reach(error: BackendError) -> None:
    """Have operators know of it: as an error where they have to do something."""
    log.log(logging.WARNING if isinstance(error, BackendDown) else logging.ERROR, "%s", error)
