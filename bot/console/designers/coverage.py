"""What the page "Coverage" asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from bot.console.designers.asked import number_in
from bot.console.guard import Refused, answer
from bot.desk.contract import Person
from bot.insight.coverage import SPANS, Coverage
from bot.store import AsyncStore

if TYPE_CHECKING:
    from bot.console.designers.pages import Handler


class CoveragePart:
    """What live traffic used."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._coverage = Coverage(store, root)

    def reads(self) -> Mapping[str, Handler]:
        """See `Part.reads`."""
        return {"coverage": self._read}

    def changes(self) -> Mapping[str, Handler]:
        """See `Part.changes`."""
        return {}

    async def _read(self, request: web.Request, person: Person) -> web.Response:
        days = number_in(request.query, "days") or SPANS[-1]
        if days not in SPANS:
            raise Refused(400, f"days: should be one of {', '.join(map(str, SPANS))}")
        return answer(await self._coverage.read(days))
