"""Worker processes forked from one that has imported Rasa already.

Importing Rasa takes ten seconds and most of the memory. A worker that dies is forked
again in milliseconds, and the workers of one machine share those pages.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

log = logging.getLogger(__name__)

_STOPS = (signal.SIGTERM, signal.SIGINT)
_DEFAULTS: dict[signal.Signals, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGCHLD: signal.SIG_DFL,
}
_FIRST_PAUSE = 0.05
_STEADY_SECONDS = 10.0


@dataclass
class _Slot:
    number: int
    longest_pause: float
    pid: int = 0
    began: float = 0.0
    pause: float = _FIRST_PAUSE
    start_at: float = 0.0
    # Our end of the pipe that the child reads the end of when we are gone.
    leash: int = -1


def keep(
    count: int,
    work: Callable[[int], int],
    *,
    stop_seconds: float = 9.0,
    longest_pause: float = 10.0,
) -> int:
    """Keep `count` forked processes running `work`; return when told to stop.

    `work` gets a file descriptor that becomes readable when this process is gone, and
    returns an exit status. SIGTERM, SIGINT and, under a supervisor, the end of standard
    input stop everything; what has not stopped after `stop_seconds` is killed, before a
    supervisor's own patience ends. One that died is forked again after a pause that
    doubles up to `longest_pause` seconds.
    """
    slots = [_Slot(n, longest_pause) for n in range(count)]
    leash = [sys.stdin.fileno()] if os.environ.get("FRONTDESK_SUPERVISED") == "1" else []
    told = []
    # Handlers, not a signal mask: libraries that were imported have started threads, and
    # the kernel gives a signal blocked here to one of them, which would end the process.
    for number in _STOPS:
        signal.signal(number, lambda number, _: told.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wakes = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    try:
        while not told:
            now = time.monotonic()
            for slot in slots:
                if not slot.pid and now >= slot.start_at:
                    _fork(slot, slots, work, [woken, wakes])
            waits = [slot.start_at - now for slot in slots if not slot.pid]
            pause = max(0.0, min(waits, default=60.0))
            readable, _, _ = select.select([woken, *leash], [], [], pause)
            if woken in readable:
                os.read(woken, 1024)
            elif readable and os.read(leash[0], 1024) == b"":
                break
            _reap(slots)
        _stop(slots, stop_seconds)
    finally:
        signal.set_wakeup_fd(-1)
        os.close(woken)
        os.close(wakes)
        for number in (*_STOPS, signal.SIGCHLD):
            signal.signal(number, _DEFAULTS[number])
    return 0


def _fork(
    slot: _Slot, slots: list[_Slot], work: Callable[[int], int], ours_alone: list[int]
) -> None:
    theirs, ours = os.pipe()
    # A signal that comes before the child has its own handlers waits until it has.
    signal.pthread_sigmask(signal.SIG_BLOCK, _DEFAULTS)
    try:
        pid = os.fork()
        if pid == 0:
            _child(slots, work, theirs, [ours, *ours_alone])
    except OSError as error:
        os.close(ours)
        slot.start_at = time.monotonic() + slot.pause
        log.error("no worker %d, again in %.2f s: %s", slot.number, slot.pause, error.strerror)
        slot.pause = min(slot.pause * 2, slot.longest_pause)
        return
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _DEFAULTS)
        os.close(theirs)
    slot.pid, slot.leash, slot.began = pid, ours, time.monotonic()


def _child(
    slots: list[_Slot], work: Callable[[int], int], leash: int, not_mine: list[int]
) -> NoReturn:
    """Be a worker. Never returns: what follows in the parent is not the child's to do."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number, handler in _DEFAULTS.items():
            signal.signal(number, handler)
        for descriptor in (*not_mine, *(s.leash for s in slots if s.leash >= 0)):
            os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _DEFAULTS)
        status = work(leash)
    except BaseException:
        log.exception("a worker failed")
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Not sys.exit: the parent's atexit handlers are not the child's to run.
            os._exit(status)


def _reap(slots: list[_Slot]) -> None:
    for slot in slots:
        if not slot.pid:
            continue
        pid, status = os.waitpid(slot.pid, os.WNOHANG)
        if pid == 0:
            continue
        os.close(slot.leash)
        now = time.monotonic()
        if now - slot.began > _STEADY_SECONDS:
            slot.pause = _FIRST_PAUSE
        log.error(
            "worker %d (pid %d) ended with status %d, again in %.2f s",
            slot.number,
            slot.pid,
            os.waitstatus_to_exitcode(status),
            slot.pause,
        )
        slot.pid, slot.leash, slot.start_at = 0, -1, now + slot.pause
        slot.pause = min(slot.pause * 2, slot.longest_pause)


def _stop(slots: list[_Slot], seconds: float) -> None:
    for slot in slots:
        if slot.pid:
            os.kill(slot.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    running = [slot.pid for slot in slots if slot.pid]
    while running and time.monotonic() < deadline:
        running = [pid for pid in running if os.waitpid(pid, os.WNOHANG)[0] == 0]
        time.sleep(0.02)
    for pid in running:
        log.error("worker pid %d did not stop within %.0f s, killed", pid, seconds)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
