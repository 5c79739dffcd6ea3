"""Asking a shop's server: in time, again where that is safe, and never too many at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from actions.backends.errors import BackendDown, BackendError, Misconfigured, Unauthorised
from bot.message import utcnow

if TYPE_CHECKING:
    import aiohttp

#: Seconds for one attempt, and for all attempts of a call with the pauses between them.
ATTEMPT_SECONDS = 5.0
CALL_SECONDS = 8.0
ATTEMPTS = 3
AT_ONCE = 6
#: Bytes of an answer; a page of a hundred orders has some hundred thousand.
LARGEST = 8 * 1024 * 1024
_BASE_PAUSE, _LONGEST_PAUSE = 0.3, 5.0
_LONGEST_AFTER = 3600.0
#: For which another thread's connections are waited for when they close.
_CLOSING = 1.0
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


class AnswerLost(BackendError):
    """A request that may have changed something got no answer. Never leaves a backend."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is the JSON, None for none or what is none."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a client is; times in seconds, see the constants above."""

    attempt: float = ATTEMPT_SECONDS
    call: float = CALL_SECONDS
    attempts: int = ATTEMPTS
    pause: float = _BASE_PAUSE
    at_once: int = AT_ONCE


class Http:
    """One server. `headers` go with every request, and are never shown."""

    def __init__(
        self,
        name: str,
        base: str,
        headers: Mapping[str, str],
        pace: Pace | None = None,
        throttled: Callable[[Answer], float | None] = lambda answer: None,
    ) -> None:
        """`throttled` tells of an answer that it was not looked at, and for how many seconds."""
        self.name = name
        self._throttled = throttled
        self._base = base.rstrip("/")
        self._headers = dict(headers)
        self.pace = pace or Pace()
        # A session and a semaphore belong to a loop; actions may run in several threads.
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()
        # When the server says that it has had enough, nobody asks before then.
        self._not_before = 0.0

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | None = None,
        effect: bool | None = None,
        final: Callable[[Answer], bool] = lambda answer: False,
    ) -> Answer:
        """Return the answer, whose status is below 500 and none of 401, 403 and 429.

        `safe` is whether it may be sent twice, `effect` whether it changes anything; by default
        GET is the one and everything else the other. `final` tells of an answer with another
        status that it is meant and no fault of the server.

        Raises BackendDown when nothing can have changed, Unauthorised, Misconfigured, and
        AnswerLost for an effect that may have taken place.
        """
        safe = method == "GET" if safe is None else safe
        effect = method != "GET" if effect is None else effect
        lost = False
        end = time.monotonic() + self.pace.call
        trouble: BackendError = BackendDown(self.name, "there was no time to ask it")
        for attempt in range(self.pace.attempts):
            wait = self._not_before - time.monotonic()
            if wait > 0:
                if time.monotonic() + wait >= end:
                    trouble = BackendDown(self.name, "it has too much to do", wait)
                    break
                await asyncio.sleep(wait)
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                answer = await self._once(method, path, query, body, headers, left)
            except _NotSent:
                trouble = BackendDown(self.name, "it cannot be reached")
            except _Lost as error:
                if not safe:
                    raise AnswerLost(self.name, str(error)) from None
                lost, trouble = True, BackendDown(self.name, str(error))
            else:
                if final(answer):
                    return answer
                after = self._throttled(answer)
                full = after is not None or answer.status == 429
                if after is None:
                    after = self._judge(method, answer, safe=safe)
                if after is None and answer.status == 409 and lost and effect:
                    # With the attempt before it, which the server is still at.
                    break
                if after is None:
                    return answer
                lost = lost or not (full or "retry-after" in answer.headers)
                what = "it has too much to do" if full else f"it answered {answer.status}"
                trouble = BackendDown(self.name, what, max(after, 1.0))
                if full or "retry-after" in answer.headers:
                    self._not_before = max(self._not_before, time.monotonic() + after)
                    if time.monotonic() + after >= end:
                        break
                    continue
            pause = min(self.pace.pause * 2**attempt, _LONGEST_PAUSE)
            # Only to keep many workers from asking at the same instant.
            pause *= 0.5 + random.random()  # noqa: S311
            if attempt + 1 < self.pace.attempts and time.monotonic() + pause < end:
                await asyncio.sleep(pause)
        if lost and effect:
            raise AnswerLost(self.name, "the answer to something that it may have done was lost")
        raise trouble

    def slow_down(self, seconds: float) -> None:
        """Ask nothing for so many seconds: the server's bucket is nearly full."""
        seconds = min(seconds, _LONGEST_AFTER)
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    async def close(self) -> None:
        """Let the connections go: of this loop, and of others that still run."""
        here = asyncio.get_running_loop()
        for loop, line in list(self._lines.items()):
            del self._lines[loop]
            if loop is here:
                await line.session.close()
            elif loop.is_running():
                there = asyncio.run_coroutine_threadsafe(line.session.close(), loop)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.wrap_future(there), _CLOSING)

    def _judge(self, method: str, answer: Answer, *, safe: bool) -> float | None:
        """Return None for an answer to give on, else the seconds after which to ask again."""
        status = answer.status
        if status in (401, 403):
            raise Unauthorised(self.name, f"its credentials were refused ({status}{_code(answer)})")
        if status == 429 or (status == 503 and "retry-after" in answer.headers):
            # Both say that the request was not looked at.
            return retry_after(answer.headers) or self.pace.pause
        if status >= 500 and not safe:
            raise AnswerLost(self.name, f"it answered {status}")
        if status >= 500:
            return retry_after(answer.headers) or self.pace.pause
        if 300 <= status < 400:
            raise Misconfigured(self.name, "its url answers with a redirection, set the final one")
        # What was sent has been taken, whatever the words.
        if method == "GET" and status < 300 and answer.body is None:
            raise Misconfigured(self.name, "its url answers with what is no JSON")
        return None

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | Sequence[tuple[str, str]],
        body: Any,
        headers: Mapping[str, str] | None,
        left: float,
    ) -> Answer:
        import aiohttp

        line, since = self._opened(), time.monotonic()
        try:
            await asyncio.wait_for(line.places.acquire(), left)
        except asyncio.TimeoutError:
            raise _NotSent from None
        # What was waited for a place is not there any more for the answer.
        left = max(left - (time.monotonic() - since), 0.01)
        seconds = min(self.pace.attempt, left)
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with line.session.request(
                method,
                self._base + path,
                params=query or None,
                json=body,
                headers={**self._headers, **(headers or {})},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                data = await response.content.read(LARGEST + 1)
                while len(data) <= LARGEST and not response.content.at_eof():
                    data += await response.content.read(LARGEST + 1 - len(data))
                lower = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, _json(data), lower)
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL):
            raise _NotSent from None
        except asyncio.TimeoutError:
            raise _Lost(f"it did not answer within {seconds:.0f} seconds") from None
        except (aiohttp.ClientError, OSError):
            raise _Lost("the connection broke") from None
        finally:
            line.places.release()

    def _opened(self) -> _Line:
        import aiohttp

        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            session = aiohttp.ClientSession(
                headers={"Accept": "application/json", "User-Agent": "frontdesk"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            line = self._lines[loop] = _Line(session, asyncio.Semaphore(self.pace.at_once))
        return line


@dataclass(frozen=True, slots=True)
class _Line:
    session: aiohttp.ClientSession
    places: asyncio.Semaphore


class _NotSent(Exception):
    pass


class _Lost(Exception):
    pass


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds of a Retry-After header, a number or a date; 0 without one.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
        seconds = (at - utcnow()).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_AFTER) if seconds == seconds else 0.0


def code_of(answer: Answer) -> str:
    """Return the machine-readable code of an error's body, "" without one."""
    body = answer.body if isinstance(answer.body, dict) else {}
    code = body.get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _code(answer: Answer) -> str:
    return f", {code_of(answer)}" if code_of(answer) else ""


def _json(data: bytes) -> Any:
    if not data or len(data) > LARGEST:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def place(url: str) -> str:
    """Return the host of a URL, without what may be secret in it."""
    return urlsplit(url).hostname or "?"
