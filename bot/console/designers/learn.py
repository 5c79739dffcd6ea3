"""The "Learn" page's API: the inbox of what customers really wrote, and what was decided of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from bot.console.designers.asked import NAME, marks_in, number_in, one_of, text_in
from bot.console.guard import Refused, answer, json_of
from bot.desk.contract import Person
from bot.learning import (
    STORY,
    TEST,
    CannotWrite,
    Decided,
    Draft,
    Elsewhere,
    Learning,
    NoSuchLesson,
    NotAllowed,
    Project,
    Written,
)
from bot.learning.telling import LONGEST_STORY, last_session
from bot.lesson_words import CONFIRMED, DISMISSED, OPEN, REASONS, STATUSES, WRITTEN
from bot.marked_text import BadMarkup, read_marked
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from bot.store.turns import Turn

T = TypeVar("T")

_PAGE = 50
_MOST_ALIKE = 20
_TEXT, _YAML = 5000, 100_000


class Learn:
    """What the page asks of `Learning`, as JSON."""

    def __init__(self, store: AsyncStore, root: Path) -> None:
        self._store = store
        self._learning = Learning(store, root)

    def reads(self) -> Mapping[str, Any]:
        """See `Part.reads`."""
        return {
            "lessons": self._lessons,
            "lesson": self._lesson,
            "project": self._project,
            "draft": self._draft,
        }

    def changes(self) -> Mapping[str, Any]:
        """See `Part.changes`."""
        return {
            "marked": self._marked,
            "confirm": self._confirm,
            "dismiss": self._dismiss,
            "write": self._write,
            "story": self._story,
        }

    async def _lessons(self, request: web.Request, person: Person) -> web.Response:
        status = one_of(request.query, "status", STATUSES, OPEN)
        reason = one_of(request.query, "reason", REASONS, "")
        after = text_in(request.query, "after", NAME)
        try:
            found, counts = await asyncio.gather(
                self._learning.inbox(status=status, reason=reason, limit=_PAGE, after=after),
                self._learning.counts(),
            )
        except NoSuchLesson:
            raise Refused(409, "The list has changed meanwhile, it is read anew.") from None
        alike = await asyncio.gather(*(self._alike(lesson) for lesson in found))
        rows = [{**_row(one), "alike": n} for one, n in zip(found, alike, strict=True)]
        more = found[-1].id if len(found) == _PAGE else ""
        return answer({"rows": rows, "counts": counts, "after": more})

    async def _alike(self, lesson: Lesson) -> int:
        where = {"alike": lesson.alike, "status": lesson.status}
        return await self._store.count(Lesson, where) if lesson.alike else 1

    async def _lesson(self, request: web.Request, person: Person) -> web.Response:
        lesson = await _found(self._learning.lesson(_id(request.query)))
        alike = await self._learning.alike(lesson)
        others = [
            {"id": one.id, "text": one.text, "status": one.status, "at": one.at.isoformat()}
            for one in alike[:_MOST_ALIKE]
        ]
        return answer({**_whole(lesson), "others": others, "alike": len(alike) + 1})

    async def _project(self, request: web.Request, person: Person) -> web.Response:
        return answer(_told_project(await asyncio.to_thread(self._learning.project)))

    async def _marked(self, request: web.Request, person: Person) -> web.Response:
        given = await json_of(request)
        try:
            text, marks = read_marked(text_in(given, "text", _TEXT, wanted=True))
        except BadMarkup as error:
            return answer({"error": str(error), "at": error.at}, 422)
        return answer({"text": text, "marks": [asdict(mark) for mark in marks]})

    async def _confirm(self, request: web.Request, person: Person) -> web.Response:
        given = await json_of(request)
        id = _id(given)
        # Marks count from the first character, so that nothing is cut off there.
        text = text_in(given, "text", _TEXT, wanted=True, lines=True)
        intent = text_in(given, "intent", NAME, wanted=True)
        decided = Decided(intent, text, marks_in(given, text), bool(given.get("move")))
        seen = one_of(given, "seen", STATUSES, OPEN)
        while True:
            lesson = await _found(self._learning.lesson(id))
            if not _same(lesson, decided):
                _still(lesson, seen)
            elif lesson.status == WRITTEN:
                return answer(asdict(Written(lesson.file, lesson.line, new=False)))
            try:
                written = await _found(self._learning.confirm(id, decided, person.id))
            except Elsewhere as error:
                where = {"intent": error.intent, "file": error.file, "line": error.line}
                return answer({"error": str(error), "elsewhere": where}, 409)
            except NotAllowed as error:
                now = await _found(self._learning.lesson(id))
                if now.status == lesson.status:
                    raise Refused(422, str(error)) from None
                # Decided between our look and our word: who it was is told by looking again.
            except CannotWrite as error:
                return answer({"kept": str(error)})
            else:
                return answer(asdict(written))

    async def _dismiss(self, request: web.Request, person: Person) -> web.Response:
        given = await json_of(request)
        lesson = await _found(self._learning.lesson(_id(given)))
        if lesson.status != DISMISSED:
            _still(lesson, one_of(given, "seen", STATUSES, OPEN))
            try:
                await _found(self._learning.dismiss(lesson.id, person.id))
            except NotAllowed as error:
                raise Refused(422, str(error)) from None
        return answer({})

    async def _write(self, request: web.Request, person: Person) -> web.Response:
        await json_of(request)
        try:
            written = await self._learning.write(person.id)
        except CannotWrite as error:
            raise Refused(409, str(error)) from None
        return answer({"written": [asdict(one) for one in written]})

    async def _draft(self, request: web.Request, person: Person) -> web.Response:
        query = request.query
        last = number_in(query, "last")
        if not last and (around := number_in(query, "around")):
            last = await self._end_of_session(text_in(query, "conversation", NAME), around)
        draft = await self._drafted({**query, "last": str(last)})
        return answer({**asdict(draft), "last": last})

    async def _end_of_session(self, conversation: str, seq: int) -> int:
        """Return the last turn of the session that a turn is of; `seq` when it is very long."""
        where = {"conversation": conversation, "seq": {"$gte": seq}}
        turns = await self._store.find(Turn, where, sort=("seq",), limit=LONGEST_STORY)
        for n in range(1, len(turns)):
            if len(last_session(turns[: n + 1])) == 1:
                return int(turns[n - 1].seq)
        return int(turns[-1].seq) if turns and len(turns) < LONGEST_STORY else seq

    async def _story(self, request: web.Request, person: Person) -> web.Response:
        given = await json_of(request)
        # Saving sees that the file is a place for it, and what is in it.
        draft = Draft(
            kind=one_of(given, "kind", (STORY, TEST), STORY),
            conversation=text_in(given, "conversation", NAME, wanted=True),
            title=text_in(given, "title", NAME),
            file=text_in(given, "file", NAME, wanted=True),
            yaml=text_in(given, "yaml", _YAML, wanted=True, lines=True),
        )
        try:
            written = await self._learning.save(draft, person.id)
        except NotAllowed as error:
            raise Refused(422, str(error)) from None
        except CannotWrite as error:
            raise Refused(409, f"It is saved nowhere: {error}") from None
        return answer(asdict(written))

    async def _drafted(self, given: Mapping[str, Any]) -> Draft:
        try:
            return await _found(
                self._learning.draft(
                    text_in(given, "conversation", NAME, wanted=True),
                    kind=one_of(given, "kind", (STORY, TEST), STORY),
                    title=text_in(given, "title", NAME),
                    first=number_in(given, "first"),
                    last=number_in(given, "last"),
                )
            )
        except NotAllowed as error:
            raise Refused(422, str(error)) from None


async def _found(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except NoSuchLesson as error:
        raise Refused(404, str(error)) from None


def _id(given: Mapping[str, Any]) -> str:
    return text_in(given, "id", NAME, wanted=True)


def _same(lesson: Lesson, decided: Decided) -> bool:
    """Tell whether exactly this was decided already, as when a button is pressed twice."""
    if lesson.status not in (CONFIRMED, WRITTEN) or not lesson.decided:
        return False
    return replace(Decided.decode(lesson.decided), move=decided.move) == decided


def _still(lesson: Lesson, seen: str) -> None:
    """Raise Refused when another has decided since the page has `seen` the lesson's status."""
    if lesson.status == seen:
        return
    who = lesson.decided_by or "somebody"
    if lesson.status == OPEN:
        raise Refused(409, "This lesson has been opened again meanwhile, look at it anew.")
    if lesson.status == DISMISSED:
        raise Refused(409, f"{who} has dismissed this meanwhile.")
    as_what = (lesson.decided or {}).get("intent", "")
    raise Refused(409, f"{who} has confirmed this as {as_what} meanwhile.")


def _row(lesson: Lesson) -> dict[str, Any]:
    return {
        "id": lesson.id,
        "text": lesson.text,
        "at": lesson.at.isoformat(),
        "intent": (lesson.decided or {}).get("intent") or lesson.intent,
        "confidence": lesson.confidence,
        "reasons": dict(lesson.reasons or {}),
        "status": lesson.status,
    }


def _whole(lesson: Lesson) -> dict[str, Any]:
    decided = lesson.decided or {}
    return {
        **_row(lesson),
        "text": decided.get("text") or lesson.text,
        "marks": decided.get("marks", lesson.marks) or [],
        "understood": lesson.intent,
        "ranking": lesson.ranking or [],
        "conversation": lesson.conversation,
        "seq": lesson.seq,
        "language": lesson.language,
        "decided": decided.get("intent", ""),
        "decided_by": lesson.decided_by,
        "decided_at": lesson.decided_at.isoformat() if lesson.decided_at else "",
        "file": lesson.file,
        "line": lesson.line,
    }


def _told_project(project: Project) -> dict[str, Any]:
    return {
        "intents": [asdict(intent) for intent in project.intents],
        "entities": [
            {"name": name, "roles": roles, "groups": project.groups.get(name, ())}
            for name, roles in sorted(project.entities.items())
        ],
        "synonyms": dict(project.synonyms),
        "here": project.here,
        "writable": project.writable,
    }
