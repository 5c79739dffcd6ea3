"""Server-sent events: the page is told that something changed, and fetches what it shows.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncGenerator, Hashable, Iterator
from dataclasses import dataclass, field

from bot.console.detail import Details
from bot.console.lists import Overview, overview
from bot.store import AsyncStore, StoreError

log = logging.getLogger(__name__)

#: Between looks of its own, after a look (many rings of a burst are one), and between signs
#: of life, in seconds.
_LOOK, _REST, BEAT = 2.0, 0.15, 15.0
# A look may take one part in so many, and one, of the time.
_SHARE = 4
#: Streams of one agent; each tab of a browser has one.
MOST_STREAMS = 20


@dataclass(eq=False)
class Stream:
    """One page that is looked at: what it has been told of, and what it is to be told next."""

    agent: str
    conversation: str
    lists: Hashable = None
    shown: Hashable = None
    counts: dict[str, int] = field(default_factory=dict)
    news: dict[str, bool] = field(default_factory=dict)
    rung: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """All streams of a gateway. However many there are, the store is looked at once for all."""

    def __init__(self, store: AsyncStore, details: Details) -> None:
        self._store = store
        self._details = details
        self._open: set[Stream] = set()
        self._wake = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def changed(self) -> None:
        """Look at once."""
        self._wake.set()

    def close(self) -> None:
        """End all streams: else a gateway that stops would wait for them."""
        self._closed = True
        for stream in self._open:
            stream.rung.set()
        if self._looking is not None:
            self._looking.cancel()

    def is_full(self, agent: str) -> bool:
        """Tell whether an agent has as many streams as may be."""
        return sum(stream.agent == agent for stream in self._open) >= MOST_STREAMS

    async def events(self, agent: str, conversation: str) -> AsyncGenerator[bytes, None]:
        """Yield events and signs of life for as long as the page is there.

        The first event comes at once: a page that was away fetches everything again.
        """
        with self._joined(Stream(agent, conversation)) as stream:
            yield b"retry: 1500\n\n"
            while not self._closed:
                waiting = asyncio.ensure_future(stream.rung.wait())
                try:
                    await asyncio.wait({waiting}, timeout=BEAT)
                finally:
                    waiting.cancel()
                if not stream.rung.is_set():
                    yield b": beat\n\n"
                    continue
                stream.rung.clear()
                news, stream.news = stream.news, {}
                if news:
                    yield _event(stream, news)

    @contextlib.contextmanager
    def _joined(self, stream: Stream) -> Iterator[Stream]:
        self._open.add(stream)
        self._wake.set()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on(), name="console")
        try:
            yield stream
        finally:
            self._open.discard(stream)

    async def _look_on(self) -> None:
        while self._open:
            waiting = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({waiting}, timeout=_LOOK)
            finally:
                waiting.cancel()
            self._wake.clear()
            began = time.monotonic()
            try:
                await self._look()
            except StoreError as error:
                log.error("the console cannot look, trying again: %s", error)
            except Exception:
                log.exception("the console could not look, trying again")
            # A large desk takes longer to look over: it must not take all of the process.
            await asyncio.sleep(max(_REST, _SHARE * (time.monotonic() - began)))

    async def _look(self) -> None:
        seen: Overview = await overview(self._store)
        watched = {stream.conversation for stream in self._open if stream.conversation}
        marks = {id: await self._details.mark(id) for id in watched}
        for stream in list(self._open):
            if stream.lists != seen.mark:
                stream.lists = seen.mark
                stream.counts = seen.counts(stream.agent)
                stream.news["lists"] = True
            mark = marks.get(stream.conversation)
            if mark is not None and stream.shown != mark:
                stream.shown = mark
                stream.news["conversation"] = True
            if stream.news:
                stream.rung.set()


def _event(stream: Stream, news: dict[str, bool]) -> bytes:
    told = {
        "lists": news.get("lists", False),
        "conversations": [stream.conversation] if news.get("conversation") else [],
        "counts": stream.counts,
    }
    return f"event: changed\ndata: {json.dumps(told)}\n\n".encode()
