"""Worker processes that can be killed at any call to the store, within one test.

A killed process runs no further: whatever it still tries, each call to the store or the
provider ends its task. The others find out as they would on a machine, for `is_dead` of
its name is true from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from bot.message import Outbound
from bot.outbox import Outbox
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.turn import Turns
from bot.worker import Worker
from tests.kit.channel import Echo, Line, Provider

QUICK = Limits(
    turn_seconds=5.0,
    lease_seconds=5.0,
    poll_seconds=0.02,
    send_timeout_seconds=5.0,
    retry_base_seconds=0.01,
    retry_cap_seconds=0.02,
    unsure_grace_seconds=0.01,
)

_name: contextvars.ContextVar[str] = contextvars.ContextVar("process", default="the test")
_numbers = itertools.count(1)
_VERBS = (
    "insert",
    "insert_new",
    "put",
    "get",
    "find",
    "change",
    "claim",
    "count",
    "delete",
    "ping",
)


class Machine:
    """Knows which of the test's processes are dead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dead: set[str] = set()
        for module in ("bot.worker", "bot.outbox"):
            monkeypatch.setattr(f"{module}.me", _name.get)
            monkeypatch.setattr(f"{module}.is_dead", self.dead.__contains__)
        # A conversation that is left alone after a failure is so for half a second.
        monkeypatch.setattr("bot.worker._LEAVE_ALONE", 0.02)

    @contextlib.contextmanager
    def being(self, name: str) -> Any:
        """Let what the body does, and the tasks it begins, be done by the process `name`."""
        token = _name.set(name)
        try:
            yield
        finally:
            _name.reset(token)


class Failing:
    """An `AsyncStore` whose `at`-th call (from 1) goes wrong.

    ``down`` raises StoreDown, ``kill`` calls `killed`; with `applied` the call takes
    effect first. `every` makes each further call of that number fail too.
    """

    def __init__(
        self,
        store: AsyncStore,
        *,
        at: int = 0,
        what: str = "down",
        applied: bool = False,
        killed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._at, self._what, self._applied, self._killed = at, what, applied, killed
        self.calls = 0
        self.is_down = False
        self.alive = True

    def __getattr__(self, name: str) -> Any:
        if name not in _VERBS:
            return getattr(self._store, name)
        verb = getattr(self._store, name)

        async def call(*args: Any, **options: Any) -> Any:
            self.check()
            if self.is_down:
                raise StoreDown("the test holds the store down")
            self.calls += 1
            if self.calls != self._at:
                found = await verb(*args, **options)
                self.check()
                return found
            if self._applied:
                with contextlib.suppress(Exception):
                    await verb(*args, **options)
            if self._what == "kill":
                self.alive = False
                self._killed()
                self.check()
            raise StoreDown(f"the test breaks call {self._at}, {name}")

        return call

    def check(self) -> None:
        """Go no further in a process that was killed."""
        if not self.alive:
            raise asyncio.CancelledError


class Process:
    """A worker process: `Worker` and `Outbox` on one store, with one connector."""

    def __init__(
        self,
        machine: Machine,
        store: AsyncStore,
        provider: Provider,
        brain: Any = None,
        *,
        limits: Limits = QUICK,
        at: int = 0,
        what: str = "down",
        applied: bool = False,
    ) -> None:
        self.name = f"process {next(_numbers)}"
        self.died = asyncio.Event()
        self._machine = machine
        self.store = Failing(store, at=at, what=what, applied=applied, killed=self.kill)
        self.line = _Mortal(provider, self.store)
        accounts = {("line", "shop"): self.line}
        store_ = self.store
        self.brain = brain or Echo()
        self.turns = Turns(
            store_,  # type: ignore[arg-type]
            self.brain,
            lambda channel: Line.capabilities,
            turn_seconds=limits.turn_seconds,
        )
        self.outbox = Outbox(store_, accounts, limits, lambda: None)  # type: ignore[arg-type]
        self.worker = Worker(store_, self.turns, limits, self.outbox.wake.set)  # type: ignore[arg-type]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, *, answer: bool = True, send: bool = True) -> Process:
        with self._machine.being(self.name):
            if answer:
                self._tasks.append(asyncio.create_task(self.worker.run()))
            if send:
                self._tasks.append(asyncio.create_task(self.outbox.run()))
        return self

    def kill(self) -> None:
        """As kill -9: nothing that was under way has any further effect."""
        self.store.alive = False
        self._machine.dead.add(self.name)
        self.died.set()
        for task in self._all():
            task.cancel()

    async def stop(self) -> None:
        """End it as SIGTERM does; a killed one is only swept away."""
        if self.store.alive:
            with self._machine.being(self.name):
                await asyncio.gather(self.worker.stop(), self.outbox.stop())
        for task in self._all():
            task.cancel()
        failed = await asyncio.gather(*self._all(), return_exceptions=True)
        for error in failed:
            if isinstance(error, Exception):
                raise error

    def _all(self) -> list[asyncio.Task[None]]:
        return [*self._tasks, *self.worker._serving.values(), *self.outbox._serving.values()]


class _Mortal(Line):
    """A `Line` in a process that may be killed: then it sends nothing more."""

    def __init__(self, provider: Provider, store: Failing) -> None:
        super().__init__(provider)
        self._store = store

    async def send(self, outbound: Outbound) -> str:
        self._store.check()
        return await super().send(outbound)
