"""Making lessons of turns, and taking them away again."""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from bot.learning.contract import Mark
from bot.learning.hiding import LONGEST, Hider
from bot.learning.noticing import Noticed, words_of
from bot.lesson_words import (
    CONFIRMED,
    CORRECTED,
    DISMISSED,
    HANDED,
    OPEN,
    RATED,
    REASONS,
    UNSURE,
    WRITTEN,
)
from bot.llm.masking import parts_of_name
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from bot.store.messages import Message
from bot.store.turns import Turn

_WEIGHTS = {CORRECTED: 40, HANDED: 30, RATED: 20, UNSURE: 10}
#: Whose values stand for a meaning. Those of matchers are how something is written: a day's
#: date taken for a synonym of "today" would stay for ever.
_MEANING = ("RegexEntityExtractor", "DIETClassifier", "CRFEntityExtractor", "MitieEntityExtractor")
_MOST_ALIKE = 20
_WORDS = re.compile(r"\w+")


def lesson_of(turn: Turn, names: Sequence[str], reasons: Mapping[str, str]) -> Lesson | None:
    """Return what can be learned from, without personal data; None when nothing is left.

    `names` are the customer's. May load spaCy, and takes some milliseconds.
    """
    text = words_of(turn)
    if not text or len(text) > LONGEST or text.startswith("/"):
        return None
    parse = turn.parse or {}
    hidden = Hider(names, turn.id).hide(text, marks_in(text, parse.get("entities") or ()))
    if hidden.bare:
        return None
    confidence = float(parse.get("confidence") or 0.0)
    lesson = Lesson(
        id=turn.id,
        conversation=turn.conversation,
        seq=turn.seq,
        at=turn.at,
        language=str((turn.perception or {}).get("language") or ""),
        text=hidden.text,
        marks=[asdict(mark) for mark in hidden.marks],
        intent=str(parse.get("intent") or ""),
        confidence=confidence,
        ranking=_ranking(turn),
        reasons=dict(reasons),
        alike=alike_of(hidden.text, hidden.marks),
        model=turn.model or "",
        status=OPEN,
    )
    lesson.reason = joined(reasons)
    lesson.weight = _weight(reasons, confidence)
    return lesson


def marks_in(text: str, entities: Sequence[Mapping[str, Any]]) -> tuple[Mark, ...]:
    """Return the entities a model found as marks that do not overlap."""
    marks: list[Mark] = []
    for one in sorted(entities, key=lambda e: (int(e.get("start") or 0), -int(e.get("end") or 0))):
        start, end = int(one.get("start") or 0), int(one.get("end") or 0)
        if not 0 <= start < end <= len(text) or (marks and start < marks[-1].end):
            continue
        value, said = one.get("value"), text[start:end]
        means = isinstance(value, str) and value != said and one.get("extractor") in _MEANING
        marks.append(
            Mark(
                start,
                end,
                str(one.get("entity")),
                str(value) if means else "",
                str(one.get("role") or ""),
                str(one.get("group") or ""),
            )
        )
    return tuple(marks)


def alike_of(text: str, marks: Sequence[Mark]) -> str:
    """Return what is the same for texts that differ in case, signs, numbers and values alone."""
    parts, at = [], 0
    for mark in marks:
        parts += [text[at : mark.start], f" {mark.entity} "]
        at = mark.end
    said = unicodedata.normalize("NFKC", "".join([*parts, text[at:]])).casefold()
    words = _WORDS.findall(re.sub(r"\d+", "0", said))
    return hashlib.sha256(" ".join(words or [said]).encode()).hexdigest()[:16]


async def keep(store: AsyncStore, found: Sequence[Noticed]) -> int:
    """Keep lessons of what was noticed; return how many are new. Doing it again adds nothing."""
    turns = {one.turn.id: one.turn for one in found}
    new = 0
    for id, turn in turns.items():
        reasons = {one.reason: one.detail for one in found if one.turn.id == id}
        there = await store.get(Lesson, id)
        if there is not None:
            await _add(store, there, reasons)
            continue
        row = await store.get(Message, id)
        names = parts_of_name((row.profile or {}).get("name")) if row is not None else ()
        lesson = await asyncio.to_thread(lesson_of, turn, names, reasons)
        if lesson is None or await _is_settled(store, lesson):
            continue
        others = await _open_alike(store, lesson.alike)
        lesson.weight += 5 * len(others)
        (is_new,) = await store.insert_new([lesson])
        new += is_new
        await _stand_behind(store, lesson)
    return new


async def forget(store: AsyncStore, conversations: Collection[str]) -> int:
    """Delete all lessons of conversations (keys of addresses); return how many. Raises StoreDown.

    For a customer who wants his data deleted. What was written into a file stays there: it has no
    personal data, and nothing says whose it was.
    """
    gone = 0
    for conversation in conversations:
        where = {"conversation": conversation}
        leads = [one.alike for one in await store.find(Lesson, where) if one.weight > 0]
        gone += await store.delete(Lesson, where)
        for alike in dict.fromkeys(leads):
            await bring_forward(store, alike)
    return gone


async def take_back(store: AsyncStore, id: str) -> None:
    """Delete the lesson of a message, if there is one: the customer has taken it back."""
    found = await store.get(Lesson, id)
    if found is not None:
        await store.delete(Lesson, {"id": id})
        if found.weight > 0:
            await bring_forward(store, found.alike)


async def bring_forward(store: AsyncStore, alike: str) -> None:
    """Have one of the open lessons that are alike stand in the inbox, if none does."""
    others = await _open_alike(store, alike)
    if others and not await _standing(store, alike):
        first = max(others, key=lambda one: (one.at, one.id))
        weight = _weight(first.reasons or {}, first.confidence) + 5 * (len(others) - 1)
        where = {"id": first.id, "status": OPEN}
        await store.change(Lesson, where, set={"weight": weight})


async def _is_settled(store: AsyncStore, lesson: Lesson) -> bool:
    """Tell whether a designer has said what to make of such a text.

    What has been written down comes again when a model that may have learned it does no better.
    """
    where = {"alike": lesson.alike, "status": {"$in": [CONFIRMED, WRITTEN, DISMISSED]}}
    for one in await store.find(Lesson, where, limit=_MOST_ALIKE):
        late = one.decided_at is None or lesson.at <= one.decided_at
        if one.status != WRITTEN or late or lesson.model == one.model:
            return True
    return False


async def _add(store: AsyncStore, there: Lesson, reasons: Mapping[str, str]) -> None:
    """Give a lesson a further reason, unless it has it or was decided."""
    before = dict(there.reasons or {})
    if there.status != OPEN or set(reasons) <= set(before):
        return
    after = {**reasons, **before}
    change: dict[str, Any] = {"reasons": after, "reason": joined(after)}
    if there.weight > 0:
        gain = _weight(after, there.confidence) - _weight(before, there.confidence)
        change["weight"] = there.weight + gain
    await store.change(Lesson, {"id": there.id, "status": OPEN}, set=change)


async def _open_alike(store: AsyncStore, alike: str) -> list[Lesson]:
    return await store.find(Lesson, {"alike": alike, "status": OPEN}, limit=_MOST_ALIKE)


async def _standing(store: AsyncStore, alike: str) -> list[Lesson]:
    """Return those that stand in the inbox; there may be hundreds behind them."""
    return await store.find(Lesson, {"alike": alike, "status": OPEN, "weight": {"$gt": 0}})


async def _stand_behind(store: AsyncStore, lesson: Lesson) -> None:
    for other in await _standing(store, lesson.alike):
        if other.id != lesson.id:
            await store.change(Lesson, {"id": other.id, "status": OPEN}, set={"weight": 0})


def joined(reasons: Collection[str]) -> str:
    """Return all reasons of a lesson as one text, the strongest first."""
    return " ".join(reason for reason in REASONS if reason in reasons)


def those_with(reason: str) -> list[str]:
    """Return all that `joined` may be of lessons with this reason among others."""
    others = [one for one in REASONS if one != reason]
    sets = (some for size in range(len(REASONS)) for some in combinations(others, size))
    return [joined((reason, *some)) for some in sets]


def _weight(reasons: Mapping[str, str], confidence: float) -> int:
    """Return what orders the inbox: of two with the same reasons the less sure one goes first."""
    return sum(_WEIGHTS.get(reason, 0) for reason in reasons) + round((1 - confidence) * 9) + 1


def _ranking(turn: Turn) -> list[list[Any]]:
    heard: Mapping[str, Any] = next(
        (event for event in turn.events or [] if event.get("event") == "user"), {}
    )
    ranked = (heard.get("parse_data") or {}).get("intent_ranking") or []
    best: dict[str, float] = {}
    for one in ranked:
        best.setdefault(str(one.get("name")), float(one.get("confidence") or 0.0))
    return [[name, round(confidence, 4)] for name, confidence in best.items()]
