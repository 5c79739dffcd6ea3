"""Asking the shop from an action, and saying honestly when it cannot be asked."""

from __future__ import annotations

import logging
from typing import Any

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


def say_out_of_reach(dispatcher: CollectingDispatcher, error: BackendError, again: str) -> None:
    """Say that the shop cannot be asked now; `again` is the payload that asks the same again."""
    log_out_of_reach(error)
    buttons: list[dict[str, Any]] = [{"title": "Try again", "payload": again}, dict(_PERSON)]
    dispatcher.utter_message(response="utter_shop_out_of_reach", buttons=buttons)


def log_out_of_reach(error: BackendError) -> None:
    """Have operators know of it: as an error where they have to do something."""
    log.log(logging.WARNING if isinstance(error, BackendDown) else logging.ERROR, "%s", error)
