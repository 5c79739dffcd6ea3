"""A worker's model follows the one that the store says is in use."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.dialogue.brain import Brain, newest
from bot.dialogue.errors import ModelError
from bot.dialogue.promoting import Models, name_of
from bot.dialogue.thread import BrainThread
from bot.store import StoreError
from bot.store.models import ModelInUse

log = logging.getLogger(__name__)

#: Seconds between two looks at the store; a bell makes it sooner.
_POLL = 3.0
_LOCK = ".loading"
_TURN = 0.05
# How many models a worker tries at its start.
_TRIES = 3


class Follower:
    """Loads the model in use at the start, and each one that is promoted later.

    `model` is the setting: a directory keeps what was fetched, a file is always used as it
    is. `load` makes a brain of a file.
    """

    def __init__(self, models: Models, model: Path, load: Callable[[Path], Brain]) -> None:
        self._models = models
        self._model = model
        self._load = load
        self._epoch = 0
        self.name = ""
        self.brain = BrainThread(lambda: self._load(self._first))
        self._first = model
        self.wake = asyncio.Event()

    async def start(self) -> None:
        """Load the model in use or, when it cannot be, the one before it.

        Without any in the store it is the newest file in the directory. Raises what loading
        that raises.
        """
        pointer, names = await self._wanted()
        for name in names:
            try:
                self._first = await self._models.fetch(name, self._model)
                await self.brain.start()
            except ModelError as error:
                log.error("model %s cannot be loaded: %s", name, error)
                await self._record(name, error)
                refused = True
            except (StoreError, OSError) as error:
                # Passing: `run` fetches it as soon as it can be had.
                log.error("model %s cannot be fetched: %s", name, error)
                refused = False
            else:
                self.name = name
                refused = True
            if name == names[0] and refused and pointer is not None:
                self._epoch = pointer.epoch
            if self.name:
                return
        self._first = newest(self._model)
        await self.brain.start()
        self.name = name_of(self._first)

    async def run(self) -> None:
        """Take up what is promoted, until cancelled."""
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.wake.wait(), _POLL)
            self.wake.clear()
            try:
                await self.look()
            except (StoreError, OSError) as error:
                log.warning("the model in use cannot be had now: %s", error)

    async def look(self) -> bool:
        """Take up the model in use if it is another one; tell whether that was done.

        One that cannot be loaded is refused once: the same promotion is not tried again.
        """
        if self._model.is_file():
            return False
        pointer = await self._models.in_use()
        if pointer is None or pointer.epoch == self._epoch:
            return False
        if pointer.model == self.name:
            self._epoch = pointer.epoch
            return False
        began = time.monotonic()
        try:
            path = await self._models.fetch(pointer.model, self._model)
            async with _alone(self._model):
                await self.brain.replace(lambda: self._load(path))
        except ModelError as error:
            log.error("model %s is refused, %s goes on: %s", pointer.model, self.name, error)
            self._epoch = pointer.epoch
            await self._record(pointer.model, error)
            return False
        self._epoch = pointer.epoch
        seconds = time.monotonic() - began
        log.info("model %s instead of %s, after %.1f s", pointer.model, self.name, seconds)
        self.name = pointer.model
        return True

    async def _wanted(self) -> tuple[ModelInUse | None, list[str]]:
        """Return what points at the model in use, and the names to try, that one first."""
        if self._model.is_file():
            return None, []
        try:
            pointer = await self._models.in_use()
        except StoreError as error:
            log.error("the model in use cannot be looked up, taking the newest file: %s", error)
            return None, []
        if pointer is None:
            return None, []
        return pointer, [pointer.model, *reversed(pointer.before or [])][:_TRIES]

    async def _record(self, name: str, error: Exception) -> None:
        with contextlib.suppress(StoreError):
            await self._models.failed(name, str(error)[:500])


@asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """Load one at a time on this host: workers share its processors and its memory."""
    with (folder / _LOCK).open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_TURN)
        yield
