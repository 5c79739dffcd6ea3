"""How processes wake each other, so that a message need not wait for the next poll.

Topics: ``in`` (the inbox has work) and ``out`` (the outbox has work), which workers
listen to, and ``sent`` (web chat has something to show), which gateways listen to.

A ring is a hint: it may be lost, and nothing but speed depends on it, for every
listener also looks by itself once a second. Hence nothing here raises on a
system's or a network's failure; it logs it once and goes on.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import logging
import os
import random
import socket
import stat
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from bot.ending import end

_log = logging.getLogger(__name__)

#: sun_path holds 108 bytes on Linux and 104 on macOS, with the NUL at its end.
_PATH_LIMIT = 103
#: Seconds before Redis is tried again: at first, at most.
_BACKOFF = (0.5, 30.0)
#: Seconds a publish may take, and a quiet subscription may stay unchecked.
_PUBLISH, _CHECK = 2.0, 15.0


class Bells(Protocol):
    """What listeners and ringers use. `open`, `close` and `wait` belong to one event loop."""

    async def open(self) -> None:
        """Begin to listen."""

    async def close(self) -> None:
        """Stop listening. Closing twice is no error."""

    def ring(self, topic: str) -> None:
        """Wake whoever listens to `topic`, on any thread, without blocking or raising."""

    async def wait(self, timeout: float) -> set[str]:
        """Return the topics rung since the last wait, at once when there are any.

        Returns the empty set after `timeout` seconds without a ring.
        """


class _Rung:
    """The topics rung and not yet waited for: a level, so that no ring falls between waits."""

    def __init__(self) -> None:
        self._topics: set[str] = set()
        self._event = asyncio.Event()

    def add(self, topics: Iterable[str]) -> None:
        """Note a ring; on the event loop."""
        self._topics.update(topics)
        self._event.set()

    async def wait(self, timeout: float) -> set[str]:
        """See `Bells.wait`."""
        if not self._topics:
            # Not wait_for: until Python 3.12 it can swallow a cancellation that comes
            # together with the ring, and the ring would be gone with it.
            ringing = asyncio.ensure_future(self._event.wait())
            try:
                await asyncio.wait({ringing}, timeout=timeout)
            finally:
                ringing.cancel()
        rung, self._topics = self._topics, set()
        self._event.clear()
        return rung


class LocalBell:
    """A `Bells` for the processes of one machine: datagram sockets in `directory`.

    Each listener binds one socket a topic, ``<topic>-<pid>-<n>.sock``; a ring sends a
    byte to every socket of its topic. A full socket means that its owner has been rung
    already. Sockets of dead processes are removed by whoever finds them.
    """

    _numbers = itertools.count(1)

    def __init__(
        self, directory: Path, topics: Iterable[str] = (), rung: _Rung | None = None
    ) -> None:
        self._directory = _short(directory)
        self._topics = frozenset(topics)
        for topic in self._topics:
            if not topic.isalnum() or len(topic) > 12:
                raise ValueError(f"topic {topic!r} is no short word")
        self._rung = rung or _Rung()
        self._listening: list[tuple[socket.socket, Path]] = []
        self._sender: socket.socket | None = None
        self._warned = False

    async def open(self) -> None:
        """See `Bells.open`."""
        try:
            self._claim_directory()
            self._sender = _datagrams()
            for topic in sorted(self._topics):
                self._listen(topic)
        except OSError as error:
            self._warn(error)

    async def close(self) -> None:
        """See `Bells.close`."""
        loop = asyncio.get_running_loop()
        for listener, path in self._listening:
            loop.remove_reader(listener)
            with suppress(OSError):
                path.unlink()
            listener.close()
        self._listening.clear()
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    def ring(self, topic: str) -> None:
        """See `Bells.ring`."""
        sender = self._sender
        if sender is None:
            return
        try:
            names = os.listdir(self._directory)
        except OSError as error:
            self._warn(error)
            return
        for name in names:
            if name.startswith(f"{topic}-") and name.endswith(".sock"):
                self._send(sender, self._directory / name)

    async def wait(self, timeout: float) -> set[str]:
        """See `Bells.wait`."""
        return await self._rung.wait(timeout)

    def _send(self, sender: socket.socket, path: Path) -> None:
        try:
            sender.sendto(b"!", str(path))
        except ConnectionRefusedError:
            # Nobody has it open any more. The name is not taken again: a process with the
            # same id finds it in use, or gone, and either way goes on to the next number.
            with suppress(OSError):
                path.unlink()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ENOBUFS, errno.ENOENT, errno.EBADF):
                self._warn(error)

    def _claim_directory(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.lstat(self._directory)
        # In a directory everybody can write to, somebody else may have made it first.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "belongs to someone else", str(self._directory))

    def _listen(self, topic: str) -> None:
        listener = _datagrams()
        try:
            while True:
                number = next(self._numbers)
                path = self._directory / f"{topic}-{os.getpid()}-{number}.sock"
                try:
                    listener.bind(str(path))
                    break
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:
                        raise
            asyncio.get_running_loop().add_reader(listener, self._heard, listener, topic)
        except BaseException:
            listener.close()
            raise
        self._listening.append((listener, path))

    def _heard(self, listener: socket.socket, topic: str) -> None:
        with suppress(BlockingIOError):
            while True:
                listener.recv(16)
        self._rung.add({topic})

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("no wake-ups through %s, polling only: %s", self._directory, error)


def _datagrams() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def _short(directory: Path) -> Path:
    """`directory`, or one of the same meaning whose sockets' paths are not too long."""
    longest = "/" + "x" * 12 + "-4194304-99999.sock"
    absolute = Path(os.path.abspath(directory))
    if len(os.fsencode(absolute)) + len(longest) <= _PATH_LIMIT:
        return absolute
    digest = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"frontdesk-{os.getuid()}-{digest}"


class RedisBell:
    """A `Bells` between hosts: publish and subscribe on the Redis at `url`.

    Raises ValueError for a url that is none. While Redis is away rings are dropped,
    and connecting is tried again with growing pauses.
    """

    def __init__(self, url: str, topics: Iterable[str] = (), rung: _Rung | None = None) -> None:
        try:
            # Two clients: a subscription waits long for an answer, a publish must not.
            self._subscriber = Redis.from_url(
                url, health_check_interval=_CHECK, socket_connect_timeout=_PUBLISH
            )
            self._publisher = Redis.from_url(
                url, socket_timeout=_PUBLISH, socket_connect_timeout=_PUBLISH
            )
        except ValueError:
            # The text of the error can hold a part of the password.
            raise ValueError("the redis url is no redis:// or rediss:// url") from None
        self._topics = frozenset(topics)
        self._rung = rung or _Rung()
        self._pending: set[str] = set()
        self._guard = threading.Lock()
        self._something = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._down = False

    async def open(self) -> None:
        """See `Bells.open`."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._publish())]
        if self._topics:
            self._tasks.append(asyncio.create_task(self._listen()))

    async def close(self) -> None:
        """See `Bells.close`."""
        self._loop = None
        # The driver loses a cancellation while it looks whether a connection is still good.
        await end(*self._tasks)
        self._tasks = []
        for client in (self._subscriber, self._publisher):
            with suppress(RedisError, OSError):
                await client.close(close_connection_pool=True)

    def ring(self, topic: str) -> None:
        """See `Bells.ring`. Rings that come faster than they are published become one."""
        loop = self._loop
        if loop is None:
            return
        with self._guard:
            self._pending.add(topic)
        with suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(self._something.set)

    async def wait(self, timeout: float) -> set[str]:
        """See `Bells.wait`."""
        return await self._rung.wait(timeout)

    async def _publish(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            with self._guard:
                topics, self._pending = self._pending, set()
            for topic in topics:
                try:
                    await self._publisher.publish(_channel(topic), b"!")
                except (RedisError, OSError, asyncio.TimeoutError) as error:
                    self._went(error)

    async def _listen(self) -> None:
        pause = _BACKOFF[0]
        while True:
            listening: PubSub = self._subscriber.pubsub(ignore_subscribe_messages=True)
            try:
                await listening.subscribe(*map(_channel, self._topics))
                self._came()
                pause = _BACKOFF[0]
                # Whatever was rung while we were away was not for us to hear.
                self._rung.add(self._topics)
                while True:
                    message = await listening.get_message(timeout=_CHECK)
                    if message is not None:
                        channel = message["channel"].decode("utf-8", "replace")
                        self._rung.add({channel.removeprefix(_channel(""))} & self._topics)
            except (RedisError, OSError, asyncio.TimeoutError) as error:
                self._went(error)
            finally:
                with suppress(RedisError, OSError):
                    await listening.close()
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
            pause = min(pause * 2, _BACKOFF[1])

    def _went(self, error: Exception) -> None:
        if not self._down:
            self._down = True
            # Not the text: the driver puts the server's answers into it, as they are.
            _log.warning("redis is away, polling only: %s", type(error).__name__)

    def _came(self) -> None:
        if self._down:
            self._down = False
            _log.info("redis is back")


def _channel(topic: str) -> str:
    return f"frontdesk:wake:{topic}"


class _Both:
    """Local and Redis at once: this machine is woken even while Redis is away."""

    def __init__(self, local: LocalBell, remote: RedisBell, rung: _Rung) -> None:
        self._bells = (local, remote)
        self._rung = rung

    async def open(self) -> None:
        for bell in self._bells:
            await bell.open()

    async def close(self) -> None:
        for bell in self._bells:
            await bell.close()

    def ring(self, topic: str) -> None:
        for bell in self._bells:
            bell.ring(topic)

    async def wait(self, timeout: float) -> set[str]:
        return await self._rung.wait(timeout)


def open_bells(var: Path, redis_url: str | None, topics: Iterable[str] = ()) -> Bells:
    """Make the bell of a process whose data is in `var`; with `redis_url` between hosts too.

    Without topics it only rings. Still to be opened, on the event loop. Raises
    ValueError for a url that is none.
    """
    topics, rung = frozenset(topics), _Rung()
    local = LocalBell(var / "wake", topics, rung)
    return local if not redis_url else _Both(local, RedisBell(redis_url, topics, rung), rung)
