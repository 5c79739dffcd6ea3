"""A circuit breaker: what fails again and again is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Consecutive failures after which it opens.
FAILURES = 3
#: Seconds for which it is open at first; doubled by each probe that fails, up to the cap.
PAUSE_SECONDS = 10.0
CAP_SECONDS = 300.0


class Breaker:
    """Closed lets all through, open none; after its pause one call may probe.

    Who was let through tells how it went, by exactly one of `succeeded`, `failed`, `pause` and
    `abandoned`. `clock` gives seconds that only go forwards.
    """

    def __init__(
        self,
        failures: int = FAILURES,
        pause_seconds: float = PAUSE_SECONDS,
        cap_seconds: float = CAP_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures
        self._first_pause = pause_seconds
        self._cap = cap_seconds
        self._clock = clock
        self._failures = 0
        self._pause = pause_seconds
        self._open_until: float | None = None
        self._probing = False

    @property
    def wait(self) -> float:
        """Seconds until a call may go through, 0.0 when one may now or a probe is under way."""
        if self._open_until is None:
            return 0.0
        return max(0.0, self._open_until - self._clock())

    def enter(self) -> bool:
        """Tell whether a call may go through; the first after a pause is the probe."""
        if self._open_until is None:
            return True
        if self._probing or self._clock() < self._open_until:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Close: it answered."""
        self._failures = 0
        self._pause = self._first_pause
        self._open_until = None
        self._probing = False

    def failed(self, after: float | None = None) -> None:
        """Count a failure. `after` is in how many seconds it asked to be tried again."""
        self._failures += 1
        if after is not None:
            self.pause(min(after, self._cap))
        elif self._probing:
            self._pause = min(self._pause * 2, self._cap)
            self.pause(self._pause)
        elif self._failures >= self._most:
            self.pause(self._pause)

    def pause(self, seconds: float) -> None:
        """Open for so long, whatever was before; a longer pause is not cut short."""
        until = self._clock() + seconds
        self._open_until = until if self._open_until is None else max(self._open_until, until)
        self._probing = False

    def abandoned(self) -> None:
        """Take note that the call ended without showing anything about the endpoint."""
        self._probing = False
