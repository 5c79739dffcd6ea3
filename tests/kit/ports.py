"""Ports that are free, for servers that are told theirs, and for addresses where nobody listens."""

from __future__ import annotations

import contextlib
import random
import socket


def free_ports(count: int) -> list[int]:
    """Return ports below those that systems give to outgoing connections of their own choice.

    Of these a connection of another process could take one while its server is not up.
    """
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            port = random.randrange(10_000, 32_000)
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                found.append(port)
    return found


def free_port() -> int:
    """Return one of them."""
    return free_ports(1)[0]
