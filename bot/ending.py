"""Ending what runs beside, for certain."""

from __future__ import annotations

import asyncio
from typing import Any

# Long enough for what a task does when it is told to end, a second time would break that off.
_AGAIN = 1.0


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they are over; what they raise is theirs.

    They are cancelled as often as it takes. Until Python 3.12 `asyncio.wait_for`, and the time
    limits of drivers that are built alike, may take a cancellation for their own time's end, or
    drop it for a result of the same instant. The task would go on then, and who waits for its end
    would wait for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
