"""How often a password may be tried: each failure makes the next wait longer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# Failures are forgotten after this long without one, in seconds.
_MEMORY = 900.0
_MOST_KEYS = 10_000


@dataclass
class _Failures:
    count: int
    last: float


class Tries:
    """Failures by key. The first `free` cost nothing, then 1 s, 2 s, 4 s up to `longest`."""

    def __init__(
        self, free: int, longest: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = free
        self._longest = longest
        self._now = now
        self._failed: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, key: str) -> float:
        """Return how many seconds must pass before `key` may try again, 0 for none."""
        failed = self._failed.get(key)
        if failed is None:
            return 0.0
        since = self._now() - failed.last
        if since > _MEMORY:
            del self._failed[key]
            return 0.0
        over = failed.count - self._free
        pause = min(2.0 ** min(over, 30), self._longest) if over >= 0 else 0.0
        return max(0.0, pause - since)

    def failed(self, key: str) -> None:
        """Count a failure. Begin with it: what is tried at the same time must not be free."""
        before = self._failed.pop(key, None)
        self._failed[key] = _Failures(before.count + 1 if before else 1, self._now())
        while len(self._failed) > _MOST_KEYS:
            self._failed.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget what failed."""
        self._failed.pop(key, None)
