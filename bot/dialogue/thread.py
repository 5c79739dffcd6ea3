"""The brain in a thread and event loop of its own.

A model computes for milliseconds without letting go; leases, sending and web chats of
the same process must go on meanwhile.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from bot.dialogue.contract import Hints, Outcome
from bot.dialogue.live import LiveWords
from bot.message import Inbound

# Seconds after which a thread that computes lets another one go on, while a model is loaded; 5 ms
# otherwise. A message needs the interpreter some hundred times, and waits that long each time.
_SHORT_TURN = 0.0005


class BrainStuck(Exception):
    """The brain's thread is busy with something that does not end."""


class Takes(Protocol):
    """The part of `Brain` that is used here."""

    @property
    def model_id(self) -> str:
        """See `bot.dialogue.brain.Brain.model_id`."""

    async def take(
        self, said: Inbound, state: dict[str, Any] | None, hints: Hints | None = None
    ) -> Outcome:
        """See `bot.dialogue.brain.Brain.take`."""

    def speak(self, words: LiveWords | None) -> bool:
        """See `bot.dialogue.brain.Brain.speak`."""

    def close(self) -> None:
        """See `bot.dialogue.brain.Brain.close`."""


class BrainThread:
    """Runs a brain elsewhere; `take` may be awaited from any loop."""

    def __init__(self, load: Callable[[], Takes]) -> None:
        self._load = load
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="brain", daemon=True)
        self._brain: Takes
        # Turns in hand, by the brain that has them: one that was replaced is closed with
        # its last turn.
        self._turns: Counter[int] = Counter()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def start(self) -> None:
        """Load the brain, in its thread. Raises what loading raises; then try again or close."""
        if not self._thread.is_alive():
            self._thread.start()

        async def load() -> Takes:
            return self._load()

        future = asyncio.run_coroutine_threadsafe(load(), self._loop)
        self._brain = await asyncio.wrap_future(future)

    @property
    def model_id(self) -> str:
        """See `Brain.model_id`."""
        return self._brain.model_id

    async def take(
        self, said: Inbound, state: dict[str, Any] | None, hints: Hints | None = None
    ) -> Outcome:
        """See `Brain.take`. Cancelling it cancels the turn in the brain's loop."""
        future = asyncio.run_coroutine_threadsafe(self._take(said, state, hints), self._loop)
        return await asyncio.wrap_future(future)

    async def _take(
        self, said: Inbound, state: dict[str, Any] | None, hints: Hints | None
    ) -> Outcome:
        brain = self._brain
        self._turns[id(brain)] += 1
        try:
            return await brain.take(said, state, hints)
        finally:
            self._turns[id(brain)] -= 1
            if brain is not self._brain:
                self._let_go(brain)

    async def replace(self, load: Callable[[], Takes]) -> None:
        """Load another brain while this one goes on answering, then put it in its place.

        Turns in hand end with the brain they began with, those that begin afterwards get
        the new one. It is loaded in a thread of its own but runs in this one's loop, which
        what actions hold open (clients, locks) belongs to. Raises what loading raises; the
        old brain then stays.
        """
        with _short_turns():
            brain = await asyncio.to_thread(load)

        async def swap() -> None:
            old, self._brain = self._brain, brain
            self._let_go(old)

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(swap(), self._loop))

    def _let_go(self, brain: Takes) -> None:
        if self._turns[id(brain)] == 0:
            del self._turns[id(brain)]
            brain.close()

    async def speak(self, words: LiveWords | None) -> bool:
        """See `Brain.speak`. Turns in hand end with the words they began with."""

        async def speak() -> bool:
            return self._brain.speak(words)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(speak(), self._loop))

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the brain's loop, where actions run; what it raises is lost."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    async def watch(self, seconds: float) -> None:
        """Raise BrainStuck when the thread does not get to anything else for `seconds`.

        A computation that never ends cannot be cancelled; only a new process helps.
        """
        while True:
            beat = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop)
            try:
                await asyncio.wait_for(asyncio.wrap_future(beat), seconds)
            except asyncio.TimeoutError:
                raise BrainStuck(f"the brain is stuck for {seconds:g} s") from None
            await asyncio.sleep(seconds / 4)

    def close(self) -> None:
        """Close the brain and end the thread."""
        if hasattr(self, "_brain"):
            self._brain.close()
        self._loop.call_soon_threadsafe(self._loop.stop)


@contextmanager
def _short_turns() -> Iterator[None]:
    kept = sys.getswitchinterval()
    sys.setswitchinterval(_SHORT_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(kept)
