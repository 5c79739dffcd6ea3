"""Turns as a worker commits them, for what is learned from them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from bot.message import Content, Text, encode
from bot.store import AsyncStore
from bot.store.messages import DONE, Message
from bot.store.turns import Turn

CONVERSATION = "line:shop:tom"
START = datetime(2026, 11, 25, 9, 0, tzinfo=timezone.utc)

Entity = dict[str, Any]


def found(text: str, words: str, entity: str, **more: Any) -> Entity:
    """An entity as a model finds it in `text`."""
    start = text.index(words)
    said = {"entity": entity, "start": start, "end": start + len(words), "value": words}
    return {**said, "extractor": "SpacyMatchers", **more}


def turn(
    seq: int,
    said: str | Content,
    intent: str = "order_status",
    confidence: float = 0.95,
    *,
    entities: list[Entity] | None = None,
    events: list[dict[str, Any]] | None = None,
    conversation: str = CONVERSATION,
    at: datetime | None = None,
    by: str = "bot",
    sensitive: str = "",
    model: str = "m1",
    **decision: Any,
) -> Turn:
    """The turn of a message; `events` come after the customer's own."""
    content = Text(said) if isinstance(said, str) else said
    parse = {"intent": intent, "confidence": confidence, "entities": entities or []}
    words = said if isinstance(said, str) else f"/{intent}"
    heard = {
        "event": "user",
        "text": words,
        "parse_data": {
            "intent": {"name": intent, "confidence": confidence},
            "entities": entities or [],
            "intent_ranking": [{"name": intent, "confidence": confidence}],
        },
    }
    seen = {"language": "en", "sensitive": {"topic": sensitive} if sensitive else None}
    return Turn(
        id=f"{conversation}-{seq}",
        conversation=conversation,
        seq=seq,
        at=at or START + timedelta(minutes=seq),
        events=[heard, *(events or [])] if by == "bot" else [],
        replies=[],
        parse=parse if by == "bot" else {},
        decision={"by": by, **decision},
        state={},
        heard=encode(content),
        perception=seen,
        model=model,
    )


def asks(response: str) -> dict[str, Any]:
    """The event of an utterance."""
    return {"event": "bot", "text": "…", "metadata": {"utter_action": response}}


async def commit(store: AsyncStore, *turns: Turn, name: str = "Tom Lindqvist") -> None:
    """Store turns with their messages."""
    for one in turns:
        row = Message(
            id=one.id,
            direction="in",
            conversation=one.conversation,
            channel="line",
            account="shop",
            status=DONE,
            content=one.heard,
            profile={"name": name},
            arrived=one.seq,
            sent=one.at,
            due=one.at,
        )
        await store.insert_new([row])
        await store.insert(one)
