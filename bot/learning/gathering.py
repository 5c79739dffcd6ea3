"""Looks through turns for messages to learn from: one worker at a time, however many there are."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from pathlib import Path

from bot.dialogue.checking.finding import Findings
from bot.dialogue.checking.reading import Map, Seq, read, text_of
from bot.learning.lessons import keep, take_back
from bot.learning.noticing import LOOKED_AT, notice, worth_a_look
from bot.message import Address, Deletion, utcnow
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.lessons import TURNS, Gathered, Lesson
from bot.store.turns import Turn

log = logging.getLogger(__name__)

#: For so long lessons are kept, and so far back it begins. Customers' words are not kept longer
#: than they are of use: after a season neither wares nor bot are what they were.
KEPT = timedelta(days=90)
#: Rasa's own, https://rasa.com/docs/rasa/components#fallbackclassifier
_THRESHOLD = 0.3

_PAGE = 200
_PAGES = 5
#: A turn is stored a moment after its time, by a host whose clock may be behind.
_LATE = timedelta(minutes=1)
_OLD_EVERY = 3600.0


class Gatherer(Rounds):
    """Makes lessons of turns for one worker process; any number may do so at once.

    `root` is where ``config.yml`` and ``data/`` are looked for. `pace` is how many seconds lie
    between two rounds, of all processes together about that. An idle round is two calls.
    """

    def __init__(
        self, store: AsyncStore, limits: Limits, root: Path = Path(), *, pace: float = 30.0
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._root = root
        self._pace = pace
        self._next_round = 0.0
        self._next_old = 0.0
        self._begun = False
        self._seen: dict[str, datetime] = {}
        self._settings: tuple[object, float, frozenset[str]] | None = None

    async def _round(self) -> None:
        if time.monotonic() < self._next_round:
            return
        self._next_round = time.monotonic() + self._pace
        await self.look()

    async def look(self) -> int:
        """Go through what is new; return how many lessons were made. Raises StoreDown.

        0 also when another process is at it, or has been just now.
        """
        now = utcnow()
        if not self._begun:
            first = Gathered(id=TURNS, at=now - KEPT, until=now)
            await self._store.insert_new([first])
            self._begun = True
        mine = {"id": TURNS, "until": {"$lte": now}}
        rest = now + timedelta(seconds=self._pace * 0.8)
        held = await self._store.change(Gathered, mine, set={"until": rest})
        if held is None:
            return 0
        made = 0
        seen_to: datetime = held.at
        cursor = seen_to - _LATE
        for _ in range(_PAGES):
            where = {"at": {"$gte": cursor}}
            page = await self._store.find(Turn, where, sort=("at",), limit=_PAGE)
            fresh = [turn for turn in page if turn.id not in self._seen]
            made += await self._look_at(fresh)
            if fresh:
                seen_to = max(seen_to, min(page[-1].at, now))
                await self._store.change(Gathered, {"id": TURNS}, max={"at": seen_to})
            if len(page) < _PAGE or self._stopping:
                break
            cursor = max(page[-1].at, cursor + timedelta(milliseconds=1))
        else:
            # There is more: the next round, of whichever process, begins at once.
            self._next_round = 0.0
            await self._store.change(Gathered, {"id": TURNS}, set={"until": now})
        self._seen = {id: at for id, at in self._seen.items() if at > seen_to - 2 * _LATE}
        await self._clear(now)
        return made

    async def _look_at(self, turns: list[Turn]) -> int:
        made = 0
        threshold, delicate = self._read_settings()
        for turn in turns:
            try:
                heard = turn.heard or {}
                if heard.get("kind") == Deletion.kind:
                    address = Address.parse(turn.conversation)
                    await take_back(
                        self._store, f"{address.channel}:{address.account}:{heard.get('of')}"
                    )
                elif worth_a_look(turn):
                    before = await self._before(turn)
                    found = notice(turn, before, threshold=threshold, delicate=delicate)
                    made += await keep(self._store, found)
            except StoreDown:
                raise
            except Exception:
                # One message that cannot be read must not hide all that come after it.
                log.exception("%s: could not be looked at", turn.id)
            self._seen[turn.id] = turn.at
        return made

    async def _before(self, turn: Turn) -> list[Turn]:
        end = turn.seq
        rated = (turn.decision or {}).get("rated")
        if rated:
            # A rating may come days after, when a person has said what there was to say.
            made_by = await self._store.get(Turn, str(rated.get("case")))
            if made_by is not None and made_by.conversation == turn.conversation:
                end = made_by.seq + 1
        where = {"conversation": turn.conversation, "seq": {"$lt": end}}
        return await self._store.find(Turn, where, sort=("-seq",), limit=LOOKED_AT)

    async def _clear(self, now: datetime) -> None:
        if time.monotonic() < self._next_old:
            return
        self._next_old = time.monotonic() + _OLD_EVERY
        await self._store.delete(Lesson, {"at": {"$lt": now - KEPT}})

    def _read_settings(self) -> tuple[float, frozenset[str]]:
        """Return the fallback's threshold and the delicate topics, as the files are now."""
        paths = [self._root / "config.yml", self._root / "data" / "escalation.yml"]
        stamp = [path.stat().st_mtime_ns if path.is_file() else 0 for path in paths]
        if self._settings is None or self._settings[0] != stamp:
            self._settings = (stamp, threshold_of(paths[0]), topics_of(paths[1]))
        return self._settings[1], self._settings[2]


def threshold_of(config: Path) -> float:
    """Return the threshold of the FallbackClassifier in config.yml."""
    top = read(config, "config.yml", Findings()) if config.is_file() else None
    pipeline = top.get("pipeline") if top is not None else None
    for item in pipeline.items if isinstance(pipeline, Seq) else ():
        if isinstance(item, Map) and text_of(item.get("name")) == "FallbackClassifier":
            try:
                return float(text_of(item.get("threshold")) or _THRESHOLD)
            except ValueError:
                return _THRESHOLD
    return _THRESHOLD


def topics_of(escalation: Path) -> frozenset[str]:
    """Return the names of the topics in ``data/escalation.yml``."""
    top = read(escalation, "data/escalation.yml", Findings()) if escalation.is_file() else None
    topics = top.get("topics") if top is not None else None
    return frozenset(topics.pairs) if isinstance(topics, Map) else frozenset()
