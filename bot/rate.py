"""How fast one account may send: within one process, or shared by all that use one Redis."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# What adding up fractions of seconds may lack to a whole token.
_NEARLY = 1e-6
# Redis is asked within this time, in seconds, or not at all.
_PATIENCE = 1.0
# Seconds for which a Redis that failed is not asked again.
_LEAVE_ALONE = 5.0

# A generic cell rate algorithm by Redis' own clock, so that hosts need not agree on the
# time. The key holds when the bucket is full again; ARGV: seconds between two messages,
# seconds of burst, seconds of pause asked for. Answers how long to wait.
_TAKE = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local full = tonumber(redis.call('GET', KEYS[1]) or '0')
local interval, burst, pause = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wait = 0
if pause > 0 then
  full = math.max(full, now + pause + burst - interval)
else
  full = math.max(full, now)
  wait = full - (now + burst - interval)
  if wait > 0.000001 then return tostring(wait) end
  wait = 0
  full = full + interval
end
redis.call('SET', KEYS[1], string.format('%.6f', full), 'PX',
  math.ceil((full - now + 1) * 1000))
return tostring(wait)
"""


class Rate(Protocol):
    """What the outbox asks before it sends for one account."""

    async def pause(self, seconds: float) -> None:
        """Let nothing through for `seconds`."""

    async def take(self) -> float:
        """Take a token: 0.0 when one more message may go now, else in how many seconds to ask."""


class LocalRate:
    """A token bucket: `per_second` on average, a second's worth at once."""

    def __init__(self, per_second: float) -> None:
        if not per_second > 0:
            raise ValueError(f"a rate of {per_second} messages a second sends nothing")
        self._per_second = per_second
        self._tokens = max(per_second, 1.0)
        self._filled = time.monotonic()
        self._paused_until = 0.0

    async def pause(self, seconds: float) -> None:
        """See `Rate`."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    async def take(self) -> float:
        """See `Rate`."""
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


class SharedRate:
    """The same for all processes that use one Redis; alone while Redis is away."""

    def __init__(self, redis: Redis, name: str, per_second: float, alone: LocalRate) -> None:
        self._take = redis.register_script(_TAKE)
        self._key = f"frontdesk:rate:{name}"
        self._interval = 1 / per_second
        self._burst = max(1.0, self._interval)
        self._alone = alone
        self._away_until = 0.0

    async def pause(self, seconds: float) -> None:
        """See `Rate`."""
        await self._alone.pause(seconds)
        await self._ask(seconds)

    async def take(self) -> float:
        """See `Rate`."""
        wait = await self._ask(0.0)
        return await self._alone.take() if wait is None else wait

    async def _ask(self, pause: float) -> float | None:
        if time.monotonic() < self._away_until:
            return None
        try:
            wait = await self._take(keys=[self._key], args=[self._interval, self._burst, pause])
            return float(wait)
        except (RedisError, OSError, ValueError) as error:
            self._away_until = time.monotonic() + _LEAVE_ALONE
            name = type(error).__name__
            log.warning("%s: redis is away (%s), the rate is not shared", self._key, name)
            return None


def rates(redis_url: str, processes: int) -> Callable[[str, float], Rate]:
    """Return what makes the rate of an account, by its name and messages a second.

    Without Redis each of the `processes` of this host gets its share, so that together
    they keep the limit.
    """
    if not redis_url:
        return lambda name, per_second: LocalRate(per_second / processes)
    redis: Redis = Redis.from_url(
        redis_url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
    )
    return lambda name, per_second: SharedRate(
        redis, name, per_second, LocalRate(per_second / processes)
    )
