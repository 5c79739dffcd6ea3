"""Who a process is, so that another can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import lru_cache

import psutil


def me() -> str:
    """Return ``host/pid/start``: unique to this process, also after pids wrap round."""
    return _me(os.getpid())


@lru_cache(maxsize=1)
def _me(pid: int) -> str:
    # Keyed by pid: a forked child is another owner.
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def _started(pid: int) -> int:
    """Return when a process started, in milliseconds since 1970; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return 0
        return int(process.create_time() * 1000)
    except psutil.Error:
        return 0


def is_dead(owner: str) -> bool:
    """Tell whether `owner` is certainly dead: a process of this host that is gone.

    An owner on another host may live however long it is silent; its lease must run
    out. This is what makes a crash on one machine cost milliseconds, not a lease.
    """
    host, _, rest = owner.partition("/")
    pid, _, started = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return _started(int(pid)) != int(started or 0)
