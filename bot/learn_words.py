"""Lessons as lines for a terminal; what customers wrote does nothing to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.learning import Mark, Written, marks_of
from bot.lesson_words import CORRECTED, HANDED, OPEN, RATED, UNSURE
from bot.marked_text import write_marked
from bot.store.lessons import Lesson

REASONS: Mapping[str, str] = {
    UNSURE: "not sure",
    CORRECTED: "corrected",
    RATED: "rated badly",
    HANDED: "handed over",
}
_TEXT = 70


def plain(text: str) -> str:
    """Return a text of one line that does nothing to a terminal; as many characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def shown(text: str, marks: tuple[Mark, ...]) -> str:
    """Return a text with its entities marked, in one line."""
    return plain(write_marked(text, marks))


def row_of(lesson: Lesson) -> str:
    """Return a lesson as a line of a list."""
    why = ", ".join(REASONS.get(name, name) for name in lesson.reasons or {})
    text = shown(lesson.text, marks_of(lesson.marks))
    cut = text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
    if lesson.status != OPEN and lesson.file:
        why = f"{(lesson.decided or {}).get('intent', '')}, {lesson.file}:{lesson.line}"
    guess = f"{lesson.intent or '-'} {lesson.confidence:.2f}"
    return f"{plain(lesson.id)}  {guess:32}  {plain(why):24}  {cut}".rstrip()


def as_json(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as plain values, for programs."""
    return {
        **{
            name: getattr(lesson, name)
            for name in (
                *("id", "conversation", "seq", "language", "text", "marks", "intent"),
                *("confidence", "ranking", "reasons", "status", "decided", "decided_by"),
                *("file", "line", "model"),
            )
        },
        "at": lesson.at.isoformat(),
    }


def where(written: Written, intent: str = "") -> Iterator[str]:
    """Return where something was written, and what the check of the files says of it now."""
    there = "" if written.new else ", where it stood already"
    moved = f", taken away from {written.moved}" if written.moved else ""
    yield plain(f"{written.file}:{written.line}{f': {intent}' if intent else ''}{there}{moved}")
    for warning in written.warnings:
        yield f"  {plain(warning)}"
