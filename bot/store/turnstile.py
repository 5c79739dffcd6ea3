"""The one place where writers of a SQLite file queue, threads and processes alike."""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from bot.store.errors import StoreDown

#: Seconds a thread waits for the other threads of its process.
PATIENCE = 30.0


class Turnstile:
    """A mutual exclusion that is fair: who came first goes first.

    SQLite lets one process write at a time, and makes the others sleep and look
    again (1 ms, then longer and longer). A writer that writes without pause then
    shuts everyone else out for seconds: a probe inserting beside one waited 2,800 ms.
    Waiting in flock() wakes a waiter at once, which brought the probe's 99th
    percentile to 100 ms, still long because the writer is often back at the lock
    before the woken process runs. Hence two locks: whoever holds `next` is first in
    line for `lock`, and lets go of `next` only once it has it, so that a writer coming
    back finds the line taken and stands behind it: 1.2 ms. ``bench/store.py`` measures
    it again.

    The locks only order the queue. Should somebody delete the lock files, SQLite's
    own locking still keeps writers apart.
    """

    def __init__(self, path: Path) -> None:
        self._paths = (path.with_name(path.name + ".next"), path.with_name(path.name + ".lock"))
        self._fds = [-1, -1]
        self._next = threading.Lock()
        self._held = threading.Lock()

    def __enter__(self) -> None:
        """Wait for the turn. Raises StoreDown when another thread is stuck, or OSError."""
        if not self._next.acquire(timeout=PATIENCE):
            raise StoreDown("other threads are queueing for the store and get nowhere")
        try:
            if not self._held.acquire(timeout=PATIENCE):
                raise StoreDown(f"another thread has been writing for {PATIENCE:.0f} s")
        finally:
            self._next.release()
        try:
            first, lock = self._open(0), self._open(1)
            fcntl.flock(first, fcntl.LOCK_EX)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
            finally:
                fcntl.flock(first, fcntl.LOCK_UN)
        except BaseException:
            self._held.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            fcntl.flock(self._fds[1], fcntl.LOCK_UN)
        finally:
            self._held.release()

    def _open(self, which: int) -> int:
        """The descriptor of a lock file: reopened when the file was replaced."""
        path, fd = self._paths[which], self._fds[which]
        if fd >= 0:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), os.stat(path)):
                    return fd
            self._fds[which] = -1
            os.close(fd)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._fds[which] = fd
        return fd

    def close(self, patience: float) -> None:
        """Release the descriptors once nobody stands between them; the next use opens them again.

        Whoever is still there after `patience` seconds hangs in the system; then they are
        left to the end of the process.
        """
        if self._held.acquire(timeout=patience):
            try:
                self.abandon()
            finally:
                self._held.release()

    def abandon(self) -> None:
        """Release the descriptors at once: for a forked child, where nobody else can be."""
        for which, fd in enumerate(self._fds):
            if fd >= 0:
                self._fds[which] = -1
                os.close(fd)
