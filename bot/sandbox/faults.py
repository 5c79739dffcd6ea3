"""Failures on demand: what a provider's API does on a bad day."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.errors import BadRequest

KINDS = ("429", "500", "timeout", "reset", "reset_after", "slow")


@dataclass(slots=True)
class Fault:
    """One failure of one channel.

    429 and 500: the provider's own error body; 429 with Retry-After of `retry_after`
    seconds. timeout: nothing happens for `seconds`, then the connection closes; the
    message is not taken. reset: the connection is reset before the message is taken.
    reset_after: the message IS taken, then the connection is reset without an answer.
    slow: the answer comes `seconds` late. `method` limits it to one method of the API
    ("" is all), `count` to so many calls (None: until cleared), `chance` is 0 to 1.
    """

    channel: str
    kind: str
    method: str = ""
    retry_after: int = 2
    seconds: float = 30.0
    count: int | None = None
    chance: float = 1.0

    @classmethod
    def parse(cls, data: Mapping[str, Any], channels: tuple[str, ...]) -> Fault:
        """Read a fault of the control API. Raises BadRequest naming the wrong field."""
        fault = cls(
            channel=str(data.get("channel", "")),
            kind=str(data.get("kind", "")),
            method=str(data.get("method") or "").lower(),
        )
        if fault.channel not in channels:
            raise BadRequest(f"channel must be one of {', '.join(channels)}")
        if fault.kind not in KINDS:
            raise BadRequest(f"kind must be one of {', '.join(KINDS)}")
        try:
            fault.retry_after = int(data.get("retry_after", fault.retry_after))
            default = 2.0 if fault.kind == "slow" else fault.seconds
            fault.seconds = float(data.get("seconds", default))
            fault.chance = float(data.get("chance", fault.chance))
            count = data.get("count")
            fault.count = None if count is None else int(count)
        except (TypeError, ValueError) as error:
            raise BadRequest(
                "retry_after and count must be integers, seconds and chance numbers"
            ) from error
        if not 0 <= fault.chance <= 1:
            raise BadRequest("chance must be between 0 and 1")
        if not 0 <= fault.seconds <= 600 or not 0 <= fault.retry_after <= 86_400:
            raise BadRequest("seconds must be 0 to 600, retry_after 0 to 86400")
        if fault.count is not None and fault.count < 1:
            raise BadRequest("count must be at least 1")
        return fault

    def plain(self) -> dict[str, Any]:
        """Return the fault as JSON values."""
        return asdict(self)


def reset(request: web.Request) -> None:
    """Reset the connection of `request` (TCP RST), so that its client gets no answer at all."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # A linger time of zero makes the close a reset instead of an orderly end.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Faults:
    """The faults in force. The first that fits a call is the one it gets."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._faults: list[Fault] = []
        self._changed = changed

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._faults.append(fault)
        self._changed()

    def clear(self, channel: str = "", kind: str = "") -> None:
        """Lift faults; an empty argument matches all."""
        self._faults = [
            f
            for f in self._faults
            if (channel and f.channel != channel) or (kind and f.kind != kind)
        ]
        self._changed()

    def plain(self) -> list[dict[str, Any]]:
        """Return the faults in force as JSON values."""
        return [fault.plain() for fault in self._faults]

    def take(self, channel: str, method: str) -> Fault | None:
        """Return the fault this call gets, and count it; None for a good day."""
        for fault in self._faults:
            if fault.channel != channel or fault.method not in ("", method.lower()):
                continue
            # Chances of a test's faults, nothing secret.
            if fault.chance < 1 and random.random() >= fault.chance:  # noqa: S311
                continue
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    self._faults.remove(fault)
                self._changed()
            return fault
        return None

    async def call(
        self,
        request: web.Request,
        channel: str,
        method: str,
        handle: Callable[[], Awaitable[web.Response]],
        refuse: Callable[[int, int], web.Response],
    ) -> web.Response:
        """Answer an API call with `handle`, or with the fault it gets.

        `refuse` makes the provider's own error body of status (429 or 500) and
        Retry-After in seconds.
        """
        fault = self.take(channel, method)
        if fault is None:
            return await handle()
        if fault.kind in ("429", "500"):
            return refuse(int(fault.kind), fault.retry_after)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return await handle()
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "reset_after":
            await handle()
        reset(request)
        # Never reaches anyone: the connection is gone.
        return web.Response(status=500)
