"""What runs beside ends when it is told to, though it loses the word at first."""

from __future__ import annotations

import asyncio

from bot.ending import end
from tests.kit.waiting import PATIENCE


async def test_a_task_that_loses_its_cancellation_ends_nevertheless(monkeypatch) -> None:
    monkeypatch.setattr("bot.ending._AGAIN", 0.01)
    lost = 0

    async def goes_on() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    async def breaks() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("on the way out")

    tasks = [asyncio.create_task(goes_on()), asyncio.create_task(breaks())]
    await asyncio.sleep(0)
    await asyncio.wait_for(end(*tasks), PATIENCE)
    assert all(task.done() for task in tasks)
    await end()
