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

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 10.0
_STEADY_SECONDS = 10.0


@dataclass
class _Slot:
    number: int
    pid: int = 0
    began: float = 0.0
    pause: float = _FIRST_PAUSE
    start_at: float = 0.0
    # Our end of the pipe that the child reads the end of when we are gone.
    leash: int = -1


def keep(count: int, work: Callable[[int], int], *, stop_seconds: float = 10.0) -> int:
    """Keep `count` forked processes running `work`; return when told to stop.

    `work` gets a file descriptor that becomes readable when this process is gone, and
    returns an exit status. SIGTERM, SIGINT and, under a supervisor, the end of standard
    input stop everything; what has not stopped after `stop_seconds` is killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    slots = [_Slot(n) for n in range(count)]
    supervised = os.environ.get("FRONTDESK_SUPERVISED") == "1"
    while True:
        now = time.monotonic()
        for slot in slots:
            if not slot.pid and now >= slot.start_at:
                _fork(slot, slots, work)
        received = signal.sigtimedwait(_SIGNALS, 0.2)
        if received and received.si_signo in (signal.SIGTERM, signal.SIGINT):
            break
        if supervised and _ended(sys.stdin.fileno()):
            break
        _reap(slots)
    _stop(slots, stop_seconds)
    return 0


def _fork(slot: _Slot, slots: list[_Slot], work: Callable[[int], int]) -> None:
    theirs, ours = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            for other in slots:
                if other.leash >= 0:
                    os.close(other.leash)
            os.close(ours)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            status = work(theirs)
        except BaseException:
            log.exception("a worker failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # Not sys.exit: the parent's atexit handlers are not the child's to run.
            os._exit(status)
    os.close(theirs)
    slot.pid, slot.leash, slot.began = pid, ours, time.monotonic()


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
        slot.pause = min(slot.pause * 2, _LONGEST_PAUSE)


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


def _ended(descriptor: int) -> bool:
    readable, _, _ = select.select([descriptor], [], [], 0)
    return bool(readable) and os.read(descriptor, 1024) == b""
