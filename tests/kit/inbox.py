"""Lessons in the inbox of a small shop (`tests.kit.designs`)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.learning import Mark
from bot.lesson_words import UNSURE
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from bot.store.turns import Turn

KEY = "whatsapp:shop:447700900123"
AT = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
RANKING = [["order", 0.41], ["greet", 0.33], ["stop", 0.1]]


def lesson(n: int, text: str, *marks: Mark, alike: str = "", **given: Any) -> Lesson:
    """Return the `n`-th lesson; the lower the number the more it is worth."""
    fields: dict[str, Any] = {
        "id": f"{KEY}:in-{n}",
        "conversation": KEY,
        "seq": n,
        "at": AT - timedelta(minutes=n),
        "language": "en",
        "text": text,
        "marks": [asdict(mark) for mark in marks],
        "intent": RANKING[0][0],
        "confidence": RANKING[0][1],
        "ranking": RANKING,
        "reasons": {UNSURE: "0.41"},
        "alike": alike or f"alike-{n}",
        "weight": 100 - n,
    }
    fields = {**fields, **given}
    return Lesson(reason=next(iter(fields["reasons"])), **fields)


async def three_lessons(store: AsyncStore) -> list[Lesson]:
    """Put three into the store: a parcel, a greeting with an emoji, a hostile one."""
    made = [
        lesson(1, "😀 wher is my parcl 1042 pls", Mark(19, 23, "number")),
        lesson(2, "evening all", intent="greet", ranking=[["greet", 0.5], ["stop", 0.2]]),
        lesson(3, "\x1b[31m<img src=x onerror=alert(1)>", reasons={"handed": "a complaint"}),
    ]
    await store.insert_new(made)
    return made


async def a_talk(store: AsyncStore) -> None:
    """Put two sessions of a conversation into the store: two turns, then one."""
    number = {"entity": "number", "value": "1042", "start": 9, "end": 13}
    await store.insert_new(
        [
            turn(1, "hello", "greet", "utter_greet", begins=True),
            turn(2, "stop it", "stop", "utter_stopped"),
            turn(3, "where is 1042", "order", "action_look", number, begins=True),
        ]
    )


def turn(
    seq: int, said: str, intent: str, did: str, *entities: dict[str, Any], begins: bool = False
) -> Turn:
    """Return a turn in which one thing was understood and one was done."""
    parse = {"intent": {"name": intent, "confidence": 0.9}, "entities": list(entities)}
    events: list[dict[str, Any]] = [{"event": "session_started"}] if begins else []
    events += [
        {"event": "action", "name": "action_listen"},
        {"event": "user", "text": said, "parse_data": parse},
        {"event": "action", "name": did, "policy": "RulePolicy"},
    ]
    return Turn(
        id=f"{KEY}:in-{seq}",
        conversation=KEY,
        seq=seq,
        at=AT + timedelta(minutes=seq),
        events=events,
        heard={"text": said},
        parse={"intent": intent, "confidence": 0.9, "entities": list(entities)},
        decision={"by": "bot"},
    )
