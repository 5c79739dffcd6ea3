"""What the page "Conversation" asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.console.designers.asked import NAME, number_in, text_in
from bot.console.guard import Refused, answer
from bot.desk.contract import Person
from bot.dialogue.why import Explanation, NoSuchMessage, explain, explain_page
from bot.insight.recent import recent, search
from bot.store import AsyncStore
from bot.store.messages import Message
from bot.store.turns import Turn

if TYPE_CHECKING:
    from bot.console.designers.pages import Handler

_PAGE = 15
# Of a message that was asked for, so many turns after it are shown with it.
_AFTER = 4


class WhyPart:
    """Conversations, turn by turn, with the reason for each answer."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._store = store
        self._root = root

    def reads(self) -> Mapping[str, Handler]:
        """See `Part.reads`."""
        return {"why": self._read, "why/conversations": self._conversations}

    def changes(self) -> Mapping[str, Handler]:
        """See `Part.changes`."""
        return {}

    async def _conversations(self, request: web.Request, person: Person) -> web.Response:
        text = text_in(request.query, "search", NAME)
        return answer(await (search(self._store, text) if text else recent(self._store)))

    async def _read(self, request: web.Request, person: Person) -> web.Response:
        message, conversation = (
            text_in(request.query, "message", NAME),
            text_in(request.query, "conversation", NAME),
        )
        before = number_in(request.query, "before")
        alone: Explanation | None = None
        if message:
            turn, alone = await self._turn(message)
            if turn is not None:
                conversation, message = str(turn.conversation), str(turn.id)
                before = before or turn.seq + _AFTER + 1
        if alone is not None:
            conversation = alone.conversation
        if not conversation:
            raise Refused(400, "message or conversation: say which one")
        page = await explain_page(
            self._store, conversation, before=before, count=_PAGE, root=self._root
        )
        if not page.turns and not before and alone is None:
            raise Refused(404, "There is no such conversation, or the bot had no turn in it.")
        newer = await self._store.find(
            Turn, {"conversation": conversation, "seq": {"$gte": before}}, limit=1
        )
        return answer(
            {
                "conversation": conversation,
                "message": message,
                "alone": _plain(asdict(alone)) if alone is not None else None,
                "turns": [_plain(asdict(one)) for one in page.turns],
                "said": [_plain(asdict(one)) for one in page.said],
                "more": page.more,
                "newer": bool(before and newer),
            }
        )

    async def _turn(self, message: str) -> tuple[Turn | None, Explanation | None]:
        """Return the turn of a message or of a reply; without one, what there is to say of it."""
        row = await self._store.get(Message, message)
        id = str(row.turn) if row is not None and row.direction == "out" and row.turn else message
        turn = await self._store.get(Turn, id)
        if turn is not None:
            return turn, None
        try:
            return None, await explain(self._store, id, root=self._root)
        except NoSuchMessage:
            raise Refused(404, "There is no such message.") from None


def _plain(value: Any) -> Any:
    """Return it as what JSON can hold; times as ISO 8601."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
