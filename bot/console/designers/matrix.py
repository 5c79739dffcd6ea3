"""What the page "Confusions" asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from bot.console.designers.asked import NAME, text_in
from bot.console.guard import Refused, answer
from bot.desk.contract import Person
from bot.insight.matrix import Matrices, NoSuchModel
from bot.store import AsyncStore

if TYPE_CHECKING:
    from bot.console.designers.pages import Handler


class MatrixPart:
    """Confusions of the models in the store."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._matrices = Matrices(store, root)

    def reads(self) -> Mapping[str, Handler]:
        """See `Part.reads`."""
        return {"matrix": self._read}

    def changes(self) -> Mapping[str, Handler]:
        """See `Part.changes`."""
        return {}

    async def _read(self, request: web.Request, person: Person) -> web.Response:
        try:
            found = await self._matrices.read(
                text_in(request.query, "model", NAME), text_in(request.query, "against", NAME)
            )
        except NoSuchModel as error:
            raise Refused(404, str(error)) from None
        return answer(found)
