"""The learning inbox, as the terminal and the console use it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.learning import saving, writing
from bot.learning.contract import (
    STORY,
    TEST,
    Decided,
    Draft,
    NoSuchLesson,
    NotAllowed,
    Project,
    Written,
)
from bot.learning.drafting import ask_of, drafted
from bot.learning.lessons import those_with
from bot.learning.project import read_known
from bot.learning.telling import LONGEST_STORY, last_session
from bot.lesson_words import CONFIRMED, DISMISSED, OPEN, REASONS, WRITTEN
from bot.llm.masking import parts_of_name
from bot.message import clean, utcnow
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.lessons import Lesson
from bot.store.messages import Message
from bot.store.turns import Turn

_ALIKE = 200
_UNWRITTEN = 500


class Learning:
    """Lessons in the store, and the project below `root` that learns from them."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._store = store
        self._root = root

    async def inbox(
        self, *, status: str = OPEN, reason: str = "", limit: int = 50, after: str = ""
    ) -> list[Lesson]:
        """Return lessons, those worth most first, of open texts that are alike only one.

        `reason` is of `bot.lesson_words`, one that they have, "" for all; `after` is the id
        of the last lesson of the page before. Raises NoSuchLesson when that has gone.
        """
        where: dict[str, Any] = {"status": status}
        if reason:
            where["reason"] = {"$in": those_with(reason)}
        if status == OPEN:
            where["weight"] = {"$gt": 0}
        skip = await self._place(where, after) if after else 0
        sort = ("-weight", "-at")
        return await self._store.find(Lesson, where, sort=sort, limit=limit, skip=skip)

    async def _place(self, where: dict[str, Any], after: str) -> int:
        """Return how many lessons come before the one after `after`.

        It may have been decided meanwhile; what stood before it by weight and time is then
        where it was.
        """
        last = await self.lesson(after)
        heavier = {**where, "weight": {"$gt": last.weight}}
        before = await self._store.count(Lesson, heavier)
        same = {**where, "weight": last.weight, "at": {"$gte": last.at}}
        return before + await self._store.count(Lesson, same)

    async def lesson(self, id: str) -> Lesson:
        """Return one. Raises NoSuchLesson."""
        found = await self._store.get(Lesson, id)
        if found is None:
            raise NoSuchLesson(f"{id}: there is no such lesson")
        return found

    async def alike(self, lesson: Lesson) -> list[Lesson]:
        """Return the other lessons whose text differs in nothing that matters, newest first."""
        found = await self._store.find(Lesson, {"alike": lesson.alike}, limit=_ALIKE)
        others = [one for one in found if one.id != lesson.id]
        return sorted(others, key=lambda one: one.at, reverse=True)

    async def counts(self) -> dict[str, int]:
        """Return how many lessons there are by status, and of the open ones by reason.

        ``{"open": 12, "confirmed": 0, …, "unsure": 7, "corrected": 3, …}``, each name there. Open
        ones that are alike count once, and for each of their reasons.
        """
        stands = {"weight": {"$gt": 0}}
        counts = {OPEN: await self._store.count(Lesson, {"status": OPEN, **stands})}
        for status in (CONFIRMED, WRITTEN, DISMISSED):
            counts[status] = await self._store.count(Lesson, {"status": status})
        for reason in REASONS:
            where = {"status": OPEN, "reason": {"$in": those_with(reason)}, **stands}
            counts[reason] = await self._store.count(Lesson, where)
        return counts

    def project(self) -> Project:
        """Return what can be chosen from. Reads files that changed: some tenths of a second."""
        return read_known(self._root).project()

    async def confirm(self, id: str, decided: Decided, by: str) -> Written:
        """Keep what was decided of a lesson and of those alike, and write it into its file.

        Raises NoSuchLesson; NotAllowed (nothing is kept then), of it `Elsewhere` when the text
        is another intent's; CannotWrite: it is kept, and `write` writes it where the files are.
        """
        lesson = await self.lesson(id)
        if lesson.status == WRITTEN:
            return _written_before(lesson, decided)
        await asyncio.to_thread(writing.check, self._root, decided)
        before = str(lesson.status)
        change = {
            "status": CONFIRMED,
            "decided": decided.encode(),
            "decided_by": clean(by),
            "decided_at": utcnow(),
        }
        kept = await self._store.change(Lesson, {"id": id, "status": before}, set=change)
        if kept is None:
            raise NotAllowed("somebody else has decided this just now; look again")
        try:
            done = await asyncio.to_thread(writing.write, self._root, decided)
        except NotAllowed:
            await self._reopen(id)
            raise
        finally:
            # Also when it cannot be written here: nobody is to decide the same text again.
            now = await self._store.get(Lesson, id)
            if now is not None and now.status == CONFIRMED:
                await self._close_alike(now, change)
        await self._mark_written(id, done)
        await self._mark_alike(lesson.alike, decided, done)
        return done

    async def dismiss(self, id: str, by: str) -> None:
        """Learn nothing from a lesson and those alike. Raises NoSuchLesson, NotAllowed."""
        lesson = await self.lesson(id)
        if lesson.status == WRITTEN:
            raise NotAllowed(f"it is in {lesson.file}:{lesson.line} already; take it out of there")
        change = {"status": DISMISSED, "decided_by": clean(by), "decided_at": utcnow()}
        where = {"id": id, "status": {"$in": [OPEN, CONFIRMED]}}
        await self._store.change(Lesson, where, set=change)
        await self._close_alike(lesson, change)

    async def write(self, by: str) -> list[Written]:
        """Write everything that was confirmed and is in no file yet.

        What cannot be so any more is open again. Raises CannotWrite.
        """
        done: list[Written] = []
        where = {"status": CONFIRMED}
        for lesson in await self._store.find(Lesson, where, sort=("weight",), limit=_UNWRITTEN):
            try:
                decided = Decided.decode(lesson.decided or {})
                one = await asyncio.to_thread(writing.write, self._root, decided)
            except (NotAllowed, TypeError):
                await self._reopen(lesson.id)
                continue
            await self._mark_written(lesson.id, one)
            change = {"status": WRITTEN, "decided": lesson.decided, "file": one.file}
            await self._close_alike(lesson, {**change, "line": one.line})
            done += [one] if one.new else []
        return done

    async def draft(
        self, conversation: str, *, kind: str, title: str = "", first: int = 0, last: int = 0
    ) -> Draft:
        """Return a conversation as a story or a test (`STORY`, `TEST`).

        `first` and `last` are turns' `seq`; without them it is the last session. Takes seconds
        in a process without spaCy. Raises NoSuchLesson without such turns, NotAllowed when
        nothing can be made of them.
        """
        if kind not in (STORY, TEST):
            raise NotAllowed(f"{kind!r} is neither {STORY} nor {TEST}")
        where: dict[str, Any] = {"conversation": conversation}
        if first or last:
            where["seq"] = {"$gte": first, **({"$lte": last} if last else {})}
        # One more than can be told, so that too many are seen to be too many.
        most = LONGEST_STORY + 1
        found = await self._store.find(Turn, where, sort=("-seq",), limit=most)
        if not found:
            raise NoSuchLesson(f"{conversation}: there are no such turns")
        turns = found[::-1] if first else last_session(found[::-1])
        earlier = {"conversation": conversation, "seq": {"$lt": turns[0].seq}}
        before = await self._store.find(Turn, earlier, sort=("-seq",), limit=1)
        names = await self._names(conversation, turns)

        ask = ask_of(
            self._root,
            turns,
            kind=kind,
            names=names,
            title=clean(title),
            before=before[0] if before else None,
        )
        return await drafted(ask)

    async def _names(self, conversation: str, turns: Sequence[Turn]) -> tuple[str, ...]:
        """Return what the customer is called, as the channel says, then and now."""
        held = await self._store.get(Conversation, conversation)
        profiles = [held.profile] if held is not None else []
        for turn in (turns[0], turns[-1]):
            row = await self._store.get(Message, turn.id)
            profiles += [row.profile] if row is not None else []
        names = [parts_of_name((profile or {}).get("name")) for profile in profiles]
        return tuple(dict.fromkeys(part for parts in names for part in parts))

    async def save(self, draft: Draft, by: str) -> Written:
        """Write a draft into its file. Raises NotAllowed, CannotWrite."""
        return await asyncio.to_thread(saving.save, self._root, draft)

    async def _close_alike(self, lesson: Lesson, change: dict[str, Any]) -> None:
        where = {"alike": lesson.alike, "status": OPEN}
        while await self._store.change(Lesson, where, set=change) is not None:
            pass

    async def _mark_written(self, id: str, done: Written) -> None:
        change = {"status": WRITTEN, "file": done.file, "line": done.line}
        await self._store.change(Lesson, {"id": id, "status": CONFIRMED}, set=change)

    async def _mark_alike(self, alike: str, decided: Decided, done: Written) -> None:
        for one in await self._store.find(Lesson, {"alike": alike, "status": CONFIRMED}):
            if one.decided == decided.encode():
                await self._mark_written(one.id, done)

    async def _reopen(self, id: str) -> None:
        await self._store.change(Lesson, {"id": id, "status": CONFIRMED}, set={"status": OPEN})


def _written_before(lesson: Lesson, decided: Decided) -> Written:
    """Return where it is when the same was decided again: the button was pressed twice."""
    same = (lesson.decided or {}) == decided.encode()
    if not same:
        where = f"{lesson.file}:{lesson.line}"
        raise NotAllowed(f"it has been written into {where} already; change it there")
    return Written(str(lesson.file), int(lesson.line), new=False)
