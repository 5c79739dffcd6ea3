"""Waiting for something to become true, with a generous end."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 30.0


async def until(true: Callable[[], Any], *, timeout: float = PATIENCE, pause: float = 0.005) -> Any:
    """Return what `true` (plain or async) gives once that is truthy; AssertionError in the end.

    `pause` is the seconds from one look to the next, more where looking takes others' time.
    """
    end = time.monotonic() + timeout
    while True:
        found = true()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, f"did not become true in {timeout:g} s"
        await asyncio.sleep(pause)
