"""Logging of all processes: one line an event on standard error, nothing secret in it."""

from __future__ import annotations

import logging
import os
import sys


def configure(role: str) -> None:
    """Log at INFO (or ``FRONTDESK_LOG``, a level's name) as ``time level role logger: message``."""
    level = os.environ.get("FRONTDESK_LOG", "INFO").upper()
    logging.basicConfig(
        stream=sys.stderr,
        level=level if isinstance(logging.getLevelName(level), int) else "INFO",
        format=f"%(asctime)s %(levelname)-7s {role} %(name)s: %(message)s",
        force=True,
    )
    for noisy in ("httpx", "httpcore", "telegram", "pywa", "aiohttp.access", "asyncio"):
        # httpx logs each URL at INFO, and Telegram's hold the bot's token.
        logging.getLogger(noisy).setLevel(logging.WARNING)
