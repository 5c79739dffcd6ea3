"""How fast one account may send."""

from __future__ import annotations

import time

# What adding up fractions of seconds may lack to a whole token.
_NEARLY = 1e-6


class Rate:
    """A token bucket: `per_second` on average, a second's worth at once.

    `pause` holds everything back, for when the provider says that it is too much.
    """

    def __init__(self, per_second: float) -> None:
        if not per_second > 0:
            raise ValueError(f"a rate of {per_second} messages a second sends nothing")
        self._per_second = per_second
        self._tokens = max(per_second, 1.0)
        self._filled = time.monotonic()
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Let nothing through for `seconds`."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def take(self) -> float:
        """Take a token: 0.0 when one more message may go now, else in how many seconds to ask."""
        now = time.monotonic()
        room = max(self._per_second, 1.0)
        self._tokens = min(room, self._tokens + (now - self._filled) * self._per_second)
        self._filled = now
        if self._paused_until > now:
            return self._paused_until - now
        if self._tokens > 1 - _NEARLY:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._per_second
