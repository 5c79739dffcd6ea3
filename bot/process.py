"""Who a process is, so that another can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import psutil

_PROC = Path("/proc")


def me() -> str:
    """Return ``machine/pid/start``: unique to this process, also after pids wrap round."""
    return _me(os.getpid())


@lru_cache(maxsize=1)
def _me(pid: int) -> str:
    # Keyed by pid: a forked child is another owner.
    return f"{_machine()}/{pid}/{_started(pid)}"


@lru_cache(maxsize=1)
def _machine() -> str:
    """Name what a process id is unique in: a running kernel, and a pid namespace of it.

    The host name alone does not: two containers on the host's network share it, and
    each would take the other's workers, whose ids it cannot see, for dead.
    """
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append((_PROC / "sys/kernel/random/boot_id").read_text().strip()[:8])
        parts.append(os.readlink(_PROC / "self/ns/pid").strip("pid:[]"))
    return ".".join(parts).replace("/", "-")


def _started(pid: int) -> int:
    """Return when a process started, 0 when it is gone; compared, never read as a time.

    On Linux in clock ticks since the kernel booted: the time of day that psutil makes of
    them moves when somebody sets the clock, and everybody would be taken for dead.
    """
    try:
        # The name in parentheses may itself hold blanks and parentheses.
        stat = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
        fields = stat.rpartition(")")[2].split()
        return 0 if fields[0] in "ZX" else int(fields[19])
    except (FileNotFoundError, ProcessLookupError):
        if (_PROC / "self/stat").exists():
            return 0
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return 0
        return int(process.create_time() * 1000)
    except psutil.Error:
        return 0


def is_dead(owner: str) -> bool:
    """Tell whether `owner` is certainly dead: a process of this machine that is gone.

    An owner elsewhere may live however long it is silent; its lease must run out.
    This is what makes a crash on one machine cost milliseconds, not a lease.
    """
    machine, _, rest = owner.partition("/")
    pid, _, started = rest.partition("/")
    if machine != _machine() or not pid.isdigit() or not started.isdigit():
        return False
    return _started(int(pid)) != int(started)
