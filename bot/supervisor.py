"""Keeps the processes of one machine running: what dies is started again, with backoff."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

#: Seconds between the request to stop and the kill.
STOP_SECONDS = 10.0
_FIRST_PAUSE = 0.1
_STEADY_SECONDS = 10.0


@contextlib.contextmanager
def ctrl_c_is_ours() -> Iterator[None]:
    """Let processes that are started within be deaf to SIGINT.

    A terminal sends it to all of them at once, and one that is still importing what it needs
    dies of it with a traceback. Who started them tells them to stop. Of asyncio's own loop only:
    uvloop gives its children a mask of their own.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@dataclass(eq=False)
class Child:
    """One role's process: ``bot ROLE`` with `arguments`; `descriptors` stay open in it.

    `program` is what stands for ``bot``.
    """

    role: str
    arguments: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    descriptors: Sequence[int] = ()
    program: Sequence[str] = (sys.executable, "-m", "bot.cli")
    process: asyncio.subprocess.Process | None = None


class Supervisor:
    """Runs children until `stop`; one that died waits `longest_pause` seconds at most."""

    def __init__(self, longest_pause: float = 10.0) -> None:
        self._longest_pause = longest_pause
        self._children: dict[Child, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    def start(self, child: Child) -> None:
        """Start a child and keep it running."""
        self._children[child] = asyncio.create_task(self._keep(child), name=child.role)

    async def _keep(self, child: Child) -> None:
        first = pause = min(_FIRST_PAUSE, self._longest_pause)
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                ended = await self._once(child)
            except OSError as error:
                # No memory or no process to be had now is no reason to give up for good.
                ended = f"could not be started: {error.strerror}"
            if self._stopping.is_set():
                return
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = first
            log.error("%s %s, again in %.1f s", child.role, ended, pause)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, self._longest_pause)

    async def _once(self, child: Child) -> str:
        """Run a child until it ends; return how it did. Raises OSError when it cannot start."""
        # Its standard input is a pipe whose other end is ours: when this process is
        # killed, the child reads the end of it and stops.
        with ctrl_c_is_ours():
            child.process = await asyncio.create_subprocess_exec(
                *child.program,
                child.role,
                *child.arguments,
                stdin=subprocess.PIPE,
                pass_fds=child.descriptors,
                env={**os.environ, **child.environ, "FRONTDESK_SUPERVISED": "1"},
            )
        if self._stopping.is_set():
            _signal(child, signal.SIGTERM)
        return f"ended with status {await child.process.wait()}"

    async def stop(self) -> None:
        """Ask all children to stop; kill those that have not after `STOP_SECONDS`."""
        self._stopping.set()
        for child in self._children:
            _signal(child, signal.SIGTERM)
        keeping = set(self._children.values())
        if keeping:
            await asyncio.wait(keeping, timeout=STOP_SECONDS)
        for child in self._children:
            if _signal(child, signal.SIGKILL):
                log.error("%s did not stop within %.0f s, killed", child.role, STOP_SECONDS)
        await asyncio.gather(*keeping, return_exceptions=True)


def _signal(child: Child, number: signal.Signals) -> bool:
    if child.process is None or child.process.returncode is not None:
        return False
    with contextlib.suppress(ProcessLookupError):
        child.process.send_signal(number)
    return True
