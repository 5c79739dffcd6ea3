"""Gathers from the store why a message was answered as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.dialogue.contract import ANSWERED_SLOT, HANDOFF_SLOT
from bot.dialogue.why.contract import (
    Answered,
    Entity,
    Explanation,
    Handed,
    NoSuchMessage,
    Ranked,
    Reply,
    Seen,
    ToolStep,
    Translated,
)
from bot.dialogue.why.doubt import with_doubt
from bot.dialogue.why.matching import Sources, sources_of
from bot.dialogue.why.stepping import LOOKED_AT, Past, steps_of
from bot.perception.contract import Perception
from bot.store import AsyncStore
from bot.store.messages import DONE, Message
from bot.store.steps import Step as ToolCalled
from bot.store.turns import Turn

#: Turns after a message in which it may have become a part of another.
_FOLDED_WITHIN = 20

Mask = Callable[[str], str]


async def explain(
    store: AsyncStore,
    message: str,
    *,
    root: Path = Path(),
    raw: bool = False,
    full: bool = False,
) -> Explanation:
    """Tell why a message was answered as it was.

    `message` is the id of an inbound message, or of an outbound one for the message it answers.
    `root` is where rules and stories are looked for. Personal data in words and values is masked
    unless `raw`; postal addresses only with `full`, which needs spaCy.
    Raises NoSuchMessage, StoreDown.
    """
    row = await store.get(Message, message)
    if row is not None and row.direction == "out" and row.turn:
        row = await store.get(Message, row.turn)
    if row is None:
        raise NoSuchMessage(f"{message}: there is no such message")
    mask = mask_of(row.profile, raw=raw, full=full)
    turn = await store.get(Turn, row.id)
    if turn is None:
        note = await _unanswered(store, row)
        said = words_of(row.content, mask)
        return Explanation(row.id, row.conversation, row.sent, said, row.status, note)
    before = await store.find(
        Turn,
        {"conversation": turn.conversation, "seq": {"$lt": turn.seq}},
        sort=("-seq",),
        limit=LOOKED_AT,
    )
    rows = await store.find(Message, {"conversation": turn.conversation, "direction": "out"})
    replies = sorted((one for one in rows if one.turn == turn.id), key=lambda one: one.order)
    plain = explained(row, turn, before[::-1], replies, sources_of(root), mask)
    (told,) = await with_doubt(store, str(turn.conversation), [plain])
    steps = await store.find(ToolCalled, {"turn": turn.id}, sort=("n",))
    return replace(told, tools=tools_told(steps, mask))


def tools_told(rows: Sequence[ToolCalled], mask: Mask) -> tuple[ToolStep, ...]:
    """Return what a model's tools did in a turn, in order."""
    return tuple(
        ToolStep(
            str(row.tool),
            mask(", ".join(f"{name} {value}" for name, value in dict(row.args or {}).items())),
            str(row.verdict),
            mask(str(row.result or "")),
            int(row.ms or 0),
        )
        for row in rows
    )


async def last_messages(store: AsyncStore, conversation: str, count: int = 1) -> list[str]:
    """Return the ids of a conversation's last messages that had a turn, the oldest first."""
    where = {"conversation": conversation}
    turns = await store.find(Turn, where, sort=("-seq",), limit=count)
    return [turn.id for turn in reversed(turns)]


async def _unanswered(store: AsyncStore, row: Message) -> str:
    if row.direction == "out":
        return f"was said by {row.agent}" if row.agent else "was said unasked"
    if row.status != DONE:
        return "has not been answered yet"
    turns = await store.find(
        Turn,
        {"conversation": row.conversation, "at": {"$gte": row.sent}},
        sort=("seq",),
        limit=_FOLDED_WITHIN,
    )
    for turn in turns:
        if row.id in (turn.folded or []):
            return f"was answered as a part of {turn.id}"
    return "had no turn"


def explained(
    row: Message,
    turn: Turn,
    before: Sequence[Turn],
    replies: Sequence[Message],
    sources: Sources,
    mask: Mask,
) -> Explanation:
    """Put together what is known of a message, its turn and up to three turns `before` it."""
    decision: Mapping[str, Any] = turn.decision or {}
    answered = decision.get(ANSWERED_SLOT)
    handed = decision.get("handoff")
    failure = decision.get("failure") or {}
    consent = decision.get("consent") or {}
    return Explanation(
        message=row.id,
        conversation=row.conversation,
        at=row.sent,
        said=words_of(turn.heard or row.content, mask),
        status=row.status,
        note="was taken back by the customer" if decision.get("withdrawn") else "",
        seq=turn.seq,
        model=turn.model or "",
        took_ms=turn.took_ms,
        by=str(decision.get("by") or ""),
        folded=tuple(turn.folded or ()),
        ranking=_ranking(turn),
        entities=_entities(turn, mask),
        seen=_seen(turn, before, mask),
        steps=steps_of(turn, Past.of(before), sources),
        slots=_slots(turn, mask),
        answered=_answered(answered, mask) if answered else None,
        handed=Handed(
            str(handed.get("topic")), mask(str(handed.get("why"))), str(handed.get("priority"))
        )
        if handed
        else None,
        told=str(decision.get("told") or ""),
        translated=_translated(decision.get("translated"), mask),
        consent=_consent(consent),
        failure=f"{failure['action'] or 'the model'}: {failure['reason']}" if failure else "",
        detail=str(failure.get("detail") or ""),
        replies=tuple(_reply(one, mask) for one in replies),
    )


def _translated(told: Mapping[str, Any] | None, mask: Mask) -> Translated | None:
    if not told:
        return None
    return Translated(
        str(told.get("from") or ""),
        str(told.get("to") or ""),
        str(told.get("engine") or ""),
        mask(str(told.get("heard") or "")),
        tuple(mask(str(was)) for _, was in told.get("said") or ()),
        str(told.get("why") or ""),
        bool(told.get("told")),
    )


def _consent(told: Mapping[str, Any]) -> str:
    if not told:
        return ""
    what = f"opted {told['state']} ({told['scope']})" if told.get("state") else "asked for help"
    return f"{what}, by {told['word']!r}" if told.get("word") else what


def mask_of(profile: Mapping[str, Any] | None, *, raw: bool = False, full: bool = False) -> Mask:
    """Return what takes personal data out of a text, the name in `profile` included."""
    if raw:
        return lambda text: text
    # What it needs is heavy, and only needed here.
    from bot.llm.masking import parts_of_name, redact

    names = parts_of_name((profile or {}).get("name"))
    return lambda text: redact(text, names, full=full)


def words_of(content: Mapping[str, Any] | None, mask: Mask) -> str:
    """Return an encoded content's words, or what kind it is in brackets."""
    found = content or {}
    for key in ("text", "caption", "title", "note"):
        if found.get(key):
            return mask(str(found[key]))
    if found.get("payload"):
        return mask(str(found["payload"]))
    return f"[{found.get('type') or found.get('name') or found.get('kind') or 'nothing'}]"


def _ranking(turn: Turn) -> tuple[Ranked, ...]:
    parse = turn.parse or {}
    none: dict[str, Any] = {}
    heard = next((e for e in reversed(turn.events or []) if e.get("event") == "user"), none)
    found = (heard.get("parse_data") or {}).get("intent_ranking") or []
    if not found and parse.get("intent"):
        found = [{"name": parse["intent"], "confidence": parse.get("confidence") or 0.0}]
    ranked = [Ranked(str(one["name"]), float(one["confidence"])) for one in found]
    taken = parse.get("intent")
    if taken and all(one.intent != taken for one in ranked[:1]):
        # A fallback is taken because of the ranking, not out of it.
        first = Ranked(str(taken), float(parse.get("confidence") or 0.0))
        was = ((heard.get("parse_data") or {}).get("intent") or {}).get("was")
        if was and was != taken:
            # Understood well, and given to a model that may act, or a yes to what was proposed.
            first = Ranked(f"{was}, taken as {taken}", first.confidence)
        ranked = [first, *(one for one in ranked if one.intent not in (taken, was))]
    return tuple(ranked)


def _entities(turn: Turn, mask: Mask) -> tuple[Entity, ...]:
    found = (turn.parse or {}).get("entities") or []
    return tuple(
        Entity(str(one.get("entity")), mask(str(one.get("value"))), str(one.get("extractor") or ""))
        for one in found
    )


def _seen(turn: Turn, before: Sequence[Turn], mask: Mask) -> Seen | None:
    # A message that nobody looked at carries on what was seen in the one before.
    if not turn.perception or (before and before[-1].perception == turn.perception):
        return None
    seen = Perception.decode(turn.perception)
    return Seen(
        seen.language,
        seen.sure,
        seen.sentiment,
        seen.mood,
        seen.urgency,
        seen.frustrated,
        seen.sensitive.topic if seen.sensitive else "",
        mask(seen.sensitive.why) if seen.sensitive else "",
        tuple(mask(line) for line in seen.why),
    )


def _slots(turn: Turn, mask: Mask) -> dict[str, str]:
    begun = False
    found: dict[str, str] = {}
    for event in turn.events or []:
        begun = begun or event.get("event") == "user"
        if begun and event.get("event") == "slot":
            name = str(event.get("name"))
            if name not in (ANSWERED_SLOT, HANDOFF_SLOT):
                value = event.get("value")
                found[name] = "nothing" if value is None else mask(str(value))
    return found


def _answered(told: Mapping[str, Any], mask: Mask) -> Answered:
    return Answered(
        str(told.get("how") or ""),
        mask(str(told.get("question") or told.get("base") or "")),
        float(told.get("confidence") or 0.0),
        tuple(str(one) for one in told.get("sources") or ()),
        tuple(str(one) for one in told.get("why") or ()),
    )


def _reply(row: Message, mask: Mask) -> Reply:
    return Reply(
        row.id,
        words_of(row.content, mask),
        row.status,
        row.reason or "",
        row.tried,
        row.agent or "",
    )
