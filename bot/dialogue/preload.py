"""Imports all that is heavy, for a process which then forks its workers."""

from __future__ import annotations

import os
import warnings


def preload() -> None:
    """Import Rasa and what it uses. Takes seconds; starts no thread.

    Forked processes share these pages and begin at once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    warnings.simplefilter("ignore", DeprecationWarning)
    import bot.dialogue.brain
    from bot.dialogue.quiet import quiet

    quiet()
