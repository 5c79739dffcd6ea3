"""The answering of this process: given by the worker, or made from the settings by itself.

Custom actions run in the worker, and as well under ``rasa run actions`` or ``rasa shell``,
where nobody has prepared anything for them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from bot.knowledge.answering import Answering

_lock = threading.Lock()
_provided: dict[int, Answering] = {}


def provide(answering: Answering) -> None:
    """Let `answering_or` return this in the present process; a fork must provide its own."""
    with _lock:
        _provided[os.getpid()] = answering


def answering_or(make: Callable[[], Answering]) -> Answering:
    """Return what was provided in this process, else what `make` makes, once."""
    with _lock:
        if os.getpid() not in _provided:
            _provided[os.getpid()] = make()
        return _provided[os.getpid()]
