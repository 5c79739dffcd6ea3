"""All designers' pages together: one part a page, each with the API that its page asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from aiohttp import web

from bot.console.designers.coverage import CoveragePart
from bot.console.designers.learn import Learn
from bot.console.designers.matrix import MatrixPart
from bot.console.designers.stories import Stories
from bot.console.designers.why import WhyPart
from bot.desk.contract import Person
from bot.store import AsyncStore

Handler = Callable[[web.Request, Person], Awaitable[web.StreamResponse]]


class Part(Protocol):
    """One page's API: names below ``/console/api/design/`` and who answers them.

    Handlers raise `bot.console.guard.Refused`; the console checks login and origin before.
    """

    def reads(self) -> Mapping[str, Handler]:
        """Return what is asked by GET and changes nothing."""

    def changes(self) -> Mapping[str, Handler]:
        """Return what is asked by POST."""


class Designers:
    """The parts, by the order of their tabs. `root` is the project's folder."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._parts: Sequence[Part] = (
            Learn(store, root),
            Stories(root),
            MatrixPart(store, root),
            CoveragePart(store, root),
            WhyPart(store, root),
        )

    def reads(self) -> dict[str, Handler]:
        """Return every part's GETs, by their name below ``/console/api/``."""
        return {f"design/{n}": h for part in self._parts for n, h in part.reads().items()}

    def changes(self) -> dict[str, Handler]:
        """Return every part's POSTs, by their name below ``/console/api/``."""
        return {f"design/{n}": h for part in self._parts for n, h in part.changes().items()}
