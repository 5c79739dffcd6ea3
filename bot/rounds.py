"""A loop that serves conversations: woken by a ring, and once every poll as a net."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from bot.settings import Limits
from bot.store import StoreDown

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 10.0


class Rounds(ABC):
    """Looks for conversations that have work and serves several of them at once.

    What is in hand at `stop` gets `finish_seconds`, None for as long as it takes. What is cut off
    then must be such that another process takes it up.
    """

    finish_seconds: ClassVar[float | None] = None

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self.wake = asyncio.Event()
        # What waited while nobody was running is looked for at once.
        self.wake.set()

    @abstractmethod
    async def _round(self) -> None:
        """Find conversations that have work and begin to serve them."""

    async def run(self) -> None:
        """Go round until `stop`. A store that is down is waited for, not died of."""
        pause = self._limits.poll_seconds
        while not self._stopping:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.wake.wait(), pause)
            self.wake.clear()
            try:
                await self._round()
                pause = self._limits.poll_seconds
            except StoreDown as error:
                log.error("the store is down, trying again: %s", error)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def stop(self) -> None:
        """Begin nothing new; return when what is in hand is recorded, or left to others."""
        self._stopping = True
        self.wake.set()
        if self.finish_seconds is not None and self._serving:
            await asyncio.wait(self._serving.values(), timeout=self.finish_seconds)
            for task in list(self._serving.values()):
                task.cancel()
        while self._serving:
            await asyncio.wait(self._serving.values())
