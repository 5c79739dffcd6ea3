"""Webhooks to the gateway: in order for each conversation, again and again until taken.

This is what Telegram and Meta do, only faster: they wait seconds to hours between
attempts, here it is 0.1 to 2 seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from bot.ending import end
from bot.sandbox.errors import Overfull

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.1
LAST_DELAY = 2.0
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Push:
    """One webhook request."""

    url: str
    headers: dict[str, str]
    body: bytes


async def _ready() -> None:
    return None


@dataclass(slots=True)
class Job:
    """A webhook to deliver.

    `request` is asked before every attempt and gives None once the webhook is no longer
    wanted. `ready` is awaited before the first attempt, which is made `delay` seconds
    after the job's turn came. `copies` requests are sent at once, as when a provider
    redelivers; all must be taken. `failed` hears the reason of each failed attempt.
    """

    request: Callable[[], Push | None]
    done: Callable[[], None] = lambda: None
    failed: Callable[[str], None] = lambda reason: None
    ready: Callable[[], Awaitable[None]] = _ready
    delay: float = 0.0
    copies: int = 1


class Delivery:
    """Delivers jobs: those of one key one after another, those of different keys at once."""

    def __init__(self, connections: int = 40, first: float = FIRST_DELAY) -> None:
        self._queues: dict[str, deque[Job]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._connections = asyncio.Semaphore(connections)
        self._first = first
        self._session: aiohttp.ClientSession | None = None
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many webhooks the gateway has not taken yet."""
        return self._waiting

    async def start(self) -> None:
        """Open the HTTP client."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def close(self) -> None:
        """Give up everything undelivered and close the HTTP client."""
        await end(*self._tasks.values())
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP client; only while started."""
        if self._session is None:
            raise RuntimeError("delivery was not started")
        return self._session

    def room(self, jobs: int) -> None:
        """Raise Overfull unless `jobs` more can wait."""
        if self._waiting + jobs > _LIMIT:
            raise Overfull(f"{self._waiting} webhooks wait for the gateway already")

    def push(self, key: str, job: Job) -> None:
        """Deliver a job after all that were pushed before with the same key."""
        self._waiting += 1
        self._queues.setdefault(key, deque()).append(job)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._work(key))

    async def post(self, push: Push) -> tuple[int, str]:
        """Send one request and return status and body. Raises aiohttp.ClientError, TimeoutError."""
        async with self.session.post(
            push.url, data=push.body, headers=push.headers, allow_redirects=False
        ) as response:
            return response.status, await response.text(errors="replace")

    async def _work(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue:
                try:
                    await self._deliver(queue[0])
                except Exception:
                    # One job that cannot be built must not stop those behind it.
                    logger.exception("sandbox: a webhook could not be delivered")
                queue.popleft()
                self._waiting -= 1
        finally:
            self._waiting -= len(queue)
            del self._queues[key], self._tasks[key]

    async def _deliver(self, job: Job) -> None:
        await job.ready()
        if job.delay:
            await asyncio.sleep(job.delay)
        delay = self._first
        while True:
            push = job.request()
            if push is None:
                return
            async with self._connections:
                reason = await self._attempt(push, job.copies)
            if not reason:
                job.done()
                return
            job.failed(reason)
            await asyncio.sleep(delay)
            delay = min(LAST_DELAY, delay * 2)

    async def _attempt(self, push: Push, copies: int) -> str:
        answers = await asyncio.gather(
            *(self.post(push) for _ in range(copies)), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, (aiohttp.ClientError, asyncio.TimeoutError, OSError)):
                return f"no answer: {type(answer).__name__}"
            if isinstance(answer, BaseException):
                raise answer
            if not 200 <= answer[0] <= 299:
                return f"wrong response from the webhook: {answer[0]}"
        return ""
