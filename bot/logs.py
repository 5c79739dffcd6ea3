"""Logging of all processes: one line an event on standard error, nothing secret in it."""

from __future__ import annotations

import logging
import os
import sys

from bot.llm.masking import hush


class Hushed(logging.Filter):
    """Takes personal data out of a record: its message, its traceback and its stack.

    It never raises and lets every record through. A record whose arguments do not fit is
    said without them, as logging would print them otherwise.
    """

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Change `record` in place; return True."""
        try:
            message = record.getMessage()
        except Exception as error:
            message = f"{record.msg!s} (could not be filled in: {type(error).__name__})"
        record.msg, record.args = hush(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = hush(record.exc_text)
        if record.stack_info:
            record.stack_info = hush(record.stack_info)
        return True


def configure(role: str) -> None:
    """Log at INFO (or ``FRONTDESK_LOG``, a level's name) as ``time level role logger: message``.

    Cards, bank accounts, e-mail addresses and phone numbers are left out of every line.
    """
    level = os.environ.get("FRONTDESK_LOG", "INFO").upper()
    logging.basicConfig(
        stream=sys.stderr,
        level=level if isinstance(logging.getLevelName(level), int) else "INFO",
        format=f"%(asctime)s %(levelname)-7s {role} %(name)s: %(message)s",
        force=True,
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(Hushed())
    for noisy in ("httpx", "httpcore", "telegram", "pywa", "aiohttp.access", "asyncio"):
        # httpx logs each URL at INFO, and Telegram's hold the bot's token.
        logging.getLogger(noisy).setLevel(logging.WARNING)
