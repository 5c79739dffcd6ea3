"""Counts a stretch of time's turns, each with what its conversation's turns before it were."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.dialogue.why.matching import Sources, sources_of
from bot.dialogue.why.stepping import LOOKED_AT, Past, loop_after, remembered
from bot.insight.tally import Tally
from bot.store import AsyncStore
from bot.store.turns import Turn

log = logging.getLogger(__name__)

_PAGE = 200
_KEPT = 4000


class Counting:
    """Counts for one process; `root` is where rules and stories are looked for."""

    def __init__(self, store: AsyncStore, root: Path = Path()) -> None:
        self._store = store
        self._root = root
        # Of a conversation: the last turn's place, what its turns remember, the form.
        self._pasts: OrderedDict[str, tuple[int, list[list[str]], str]] = OrderedDict()

    async def count(self, begin: datetime, end: datetime, most: int = 0) -> tuple[Tally, int]:
        """Return what the turns of ``[begin, end)`` used and how many they are.

        No more than the first `most`, 0 for all. Raises StoreDown.
        """
        tally, done = Tally(), 0
        sources = await asyncio.to_thread(sources_of, self._root)
        while True:
            page = min(_PAGE, most - done) if most else _PAGE
            turns = await self._store.find(
                Turn,
                {"at": {"$gte": begin, "$lt": end}},
                sort=("at", "id"),
                limit=page,
                skip=done,
            )
            await self._look_back(turns)
            await asyncio.to_thread(self._add, turns, tally, sources)
            done += len(turns)
            if len(turns) < page or (most and done >= most):
                return tally, done

    async def _look_back(self, turns: Sequence[Turn]) -> None:
        """Have the past of every conversation that was begun before these turns."""
        met = {key: seq for key, (seq, _, _) in self._pasts.items()}
        for turn in turns:
            if turn.seq > 1 and met.get(turn.conversation) != turn.seq - 1:
                where = {"conversation": turn.conversation, "seq": {"$lt": turn.seq}}
                before = await self._store.find(Turn, where, sort=("-seq",), limit=LOOKED_AT)
                for one in reversed(before):
                    self._remember(one)
            met[turn.conversation] = turn.seq

    def _add(self, turns: Sequence[Turn], tally: Tally, sources: Sources) -> None:
        for turn in turns:
            try:
                tally.add(turn, self._past(turn), sources)
                self._remember(turn)
            except Exception:
                # One turn that is not as it should be must not keep all others from being seen.
                log.exception("%s: its turn could not be counted", turn.id)

    def _past(self, turn: Turn) -> Past:
        seq, steps, loop = self._pasts.get(turn.conversation, (0, [], ""))
        if seq != turn.seq - 1:
            return Past([])
        return Past([one for part in steps for one in part], loop)

    def _remember(self, turn: Turn) -> None:
        seq, steps, _ = self._pasts.pop(turn.conversation, (0, [], ""))
        steps = steps if seq == turn.seq - 1 else []
        kept = [*steps, remembered(turn)][-LOOKED_AT:]
        self._pasts[turn.conversation] = (turn.seq, kept, loop_after(turn))
        while len(self._pasts) > _KEPT:
            self._pasts.popitem(last=False)
