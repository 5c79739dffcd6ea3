"""Asking in a terminal, with completion where there is readline; a pipe is read as it is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable

try:
    import readline
except ImportError:  # Not every Python is built with it.
    readline = None  # type: ignore[assignment]


class Prompt:
    """Asks for lines; the names of `known` are completed."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = sorted(known)
        self._typed = sys.stdin.isatty()
        if readline is not None and self._typed:
            readline.set_completer(self._complete)
            readline.set_completer_delims(" \t\n")
            readline.parse_and_bind("tab: complete")

    def ask(self, question: str, text: str = "") -> str:
        """Return the line that was typed; raise EOFError at the end of the input.

        `text` is there to be changed, or is shown, where it cannot be: then an empty line means
        it. In the thread of the loop on purpose: nothing else happens meanwhile, Ctrl-C ends it.
        """
        if not self._typed:
            print(question, end="", flush=True)
            line = sys.stdin.readline()
            if not line:
                raise EOFError
            print(line.rstrip("\n"))
            return line.rstrip("\n")
        if readline is None:
            if text:
                print(f"  {text}")
            return input(question)
        if text:
            readline.set_startup_hook(lambda: readline.insert_text(text))
        try:
            return input(question)
        finally:
            with contextlib.suppress(AttributeError):
                readline.set_startup_hook(None)

    def _complete(self, begun: str, nth: int) -> str | None:
        fitting = [name for name in self._known if name.startswith(begun)]
        return fitting[nth] if nth < len(fitting) else None
