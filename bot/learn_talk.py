"""``bot learn`` without a verb: one lesson after the other, and what is to be made of each."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Sequence

from bot.dialogue.why import NoSuchMessage, explain
from bot.learn_prompt import Prompt
from bot.learn_words import REASONS, plain, shown, where
from bot.learning import (
    CannotWrite,
    Decided,
    Elsewhere,
    Learning,
    Mark,
    NoSuchLesson,
    NotAllowed,
    marks_of,
)
from bot.lesson_words import OPEN
from bot.marked_text import BadMarkup, read_marked, write_marked
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from bot.why_command import lines_of

_PAGE = 20
_CHOICES = 5
_EXAMPLES = 2
_HELP = (
    "a number, or the name of an intent or its beginning; e edit, d dismiss, s skip, w why, q quit"
)


class Quit(Exception):
    """Whoever sits there has had enough."""


class Talk:
    """Goes through the inbox with a designer, who is called `by`."""

    def __init__(self, store: AsyncStore, learning: Learning, by: str) -> None:
        self._store = store
        self._learning = learning
        self._by = by
        self._project = learning.project()
        self._intents = {intent.name: intent for intent in self._project.intents}
        self._prompt = Prompt(self._intents)
        self._decided = 0

    async def run(self) -> int:
        """Ask about each open lesson; return 0, also when it was left before the end."""
        if not self._project.here:
            print(
                "The bot's files are not here: what you decide is kept, and `bot learn write`\n"
                "writes it where they are."
            )
        if waiting := (await self._learning.counts())[OPEN]:
            print(f"{waiting} open. Type {_HELP}.")
        seen: set[str] = set()
        try:
            while lesson := await self._next(seen):
                seen.add(str(lesson.id))
                await self._one(lesson)
        except (Quit, EOFError):
            print()
        left = (await self._learning.counts())[OPEN]
        if not seen and not left:
            print("nothing to learn from is left")
        else:
            print(f"{self._decided} decided, {left} open")
        return 0

    async def _next(self, seen: set[str]) -> Lesson | None:
        """Return the lesson worth most that was not `seen`; anew each time, for others decide."""
        limit = _PAGE
        while True:
            page = await self._learning.inbox(limit=limit + len(seen))
            for lesson in page:
                if lesson.id not in seen:
                    return lesson
            if len(page) < limit + len(seen):
                return None
            limit *= 2

    async def _one(self, lesson: Lesson) -> None:
        text, marks = lesson.text, marks_of(lesson.marks)
        choices = self._choices(lesson)
        await self._show(lesson, choices)
        while True:
            said = self._prompt.ask("intent> ").strip()
            word = said.lower()
            if word == "q":
                raise Quit
            if word == "s":
                return
            if word == "w":
                await self._why(lesson)
            elif word == "e":
                with contextlib.suppress(BadMarkup):
                    text, marks = self._edited(write_marked(text, marks))
                    print(f"  {shown(text, marks)}")
            elif word == "d":
                if await self._dismissed(lesson):
                    return
            elif not said or word in ("?", "h", "help"):
                print(_HELP)
            else:
                intent = self._meant(said, choices)
                if intent and await self._confirmed(lesson, Decided(intent, text, marks)):
                    return

    async def _show(self, lesson: Lesson, choices: Sequence[tuple[str, float]]) -> None:
        print()
        alike = len(await self._learning.alike(lesson))
        times = f", {alike + 1} alike" if alike else ""
        print(f"{plain(lesson.id)}, {lesson.at:%Y-%m-%d %H:%M} UTC{times}")
        print(f"  {shown(lesson.text, marks_of(lesson.marks))}")
        for reason, detail in (lesson.reasons or {}).items():
            more = f" ({plain(str(detail))})" if detail else ""
            print(f"  because: {REASONS.get(reason, plain(reason))}{more}")
        for n, (intent, confidence) in enumerate(choices, 1):
            known = self._intents.get(intent)
            like = "; ".join(known.examples[:_EXAMPLES]) if known else ""
            print(f"  {n}. {intent} {confidence:.2f}{f'   as: {plain(like)}' if like else ''}")
        if not choices:
            print("  nothing was understood")

    def _choices(self, lesson: Lesson) -> list[tuple[str, float]]:
        ranked = [(str(name), float(sure)) for name, sure in lesson.ranking or ()]
        if not ranked and lesson.intent:
            ranked = [(lesson.intent, lesson.confidence)]
        return [one for one in ranked if not self._intents or one[0] in self._intents][:_CHOICES]

    def _meant(self, said: str, choices: Sequence[tuple[str, float]]) -> str:
        """Return the intent that is meant, "" (and say why) when that is not clear."""
        if said.isdecimal():
            if 0 < int(said[:6]) <= len(choices):
                return choices[int(said[:6]) - 1][0]
            print(f"there is no number {said[:6]}")
            return ""
        # Without the files nothing says which there are; `bot learn write` will.
        if said in self._intents or not self._intents:
            return said
        begins = [name for name in self._intents if name.startswith(said)]
        if len(begins) == 1:
            return begins[0]
        within = begins or [name for name in self._intents if said in name]
        near = within or difflib.get_close_matches(said, self._intents, 5, 0.6)
        if near:
            print(f"{plain(said)}: did you mean {', '.join(sorted(near)[:8])}?")
        else:
            print(f"{plain(said)} is no intent of the bot; ? tells what can be typed")
        return ""

    def _edited(self, marked: str) -> tuple[str, tuple[Mark, ...]]:
        said = self._prompt.ask("text> ", plain(marked))
        try:
            return read_marked(said or marked)
        except BadMarkup as error:
            print(plain(str(error)))
            raise

    async def _why(self, lesson: Lesson) -> None:
        try:
            for line in lines_of(await explain(self._store, lesson.id, full=True)):
                print(f"  {line}")
        except NoSuchMessage as error:
            print(plain(str(error)))

    async def _dismissed(self, lesson: Lesson) -> bool:
        if not await self._still_open(lesson):
            return True
        await self._learning.dismiss(lesson.id, self._by)
        print("dismissed")
        self._decided += 1
        return True

    async def _confirmed(self, lesson: Lesson, decided: Decided) -> bool:
        """Tell whether this lesson is done with."""
        if not await self._still_open(lesson):
            return True
        try:
            written = await self._learning.confirm(lesson.id, decided, self._by)
        except Elsewhere as error:
            print(plain(str(error)))
            if self._prompt.ask("move it here? [y/n] ").strip().lower() not in ("y", "yes"):
                return False
            moved = Decided(decided.intent, decided.text, decided.marks, move=True)
            return await self._confirmed(lesson, moved)
        except NotAllowed as error:
            print(plain(str(error)))
            return False
        except NoSuchLesson:
            print("this lesson has gone meanwhile")
            return True
        except CannotWrite as error:
            print(f"{decided.intent}: kept, in no file yet: {plain(str(error))}")
        else:
            for line in where(written, decided.intent):
                print(line)
        self._decided += 1
        return True

    async def _still_open(self, lesson: Lesson) -> bool:
        try:
            now = await self._learning.lesson(lesson.id)
        except NoSuchLesson:
            print("this lesson has gone meanwhile")
            return False
        if now.status != OPEN:
            print(f"{plain(now.decided_by or 'somebody')} has decided this meanwhile")
        return bool(now.status == OPEN)
