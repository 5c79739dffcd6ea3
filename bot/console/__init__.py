"""The desk on a web page, behind a login; it needs no Slack and reads the same store."""

from __future__ import annotations

from bot.console.app import Console

__all__ = ["Console"]
