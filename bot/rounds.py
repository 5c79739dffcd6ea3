"""A loop that serves conversations: woken by a ring, and once every poll as a net."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod

from bot.settings import Limits
from bot.store import StoreDown

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 10.0


class Rounds(ABC):
    """Looks for conversations that have work and serves several of them at once."""

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
        """Begin nothing new; return when what is in hand is recorded."""
        self._stopping = True
        self.wake.set()
        while self._serving:
            await asyncio.wait(self._serving.values())
