"""What a customer wants whom the bot gives to a person: in his own words."""

from __future__ import annotations

from datetime import timedelta

from bot.desk.watch import words_of
from bot.message import decode
from bot.store import AsyncStore
from bot.store.turns import Turn

_LOOKED_AT = 12
#: What was said longer before is another matter.
_SAME_MATTER = timedelta(hours=24)


async def wanted(store: AsyncStore, turn: Turn) -> str:
    """Return the words that say what is wanted, those of `turn` itself where none say it better.

    A pressed button says nothing, and what a form asked for is a code, an address or a yes:
    then it is what was said before. Raises StoreDown.
    """
    where = {"conversation": turn.conversation, "seq": {"$lte": turn.seq}}
    rows = await store.find(Turn, where, sort=("-seq",), limit=_LOOKED_AT)
    for here, before in zip(rows, [*rows[1:], None], strict=True):
        if turn.at - here.at > _SAME_MATTER:
            break
        asked = bool(before is not None and (before.state or {}).get("active_loop"))
        if not asked and (said := _words(here)):
            return said
        if before is not None and (before.decision or {}).get("handoff"):
            break
    return _words(turn)


def _words(turn: Turn) -> str:
    return words_of(decode(turn.heard)) if turn.heard else ""
