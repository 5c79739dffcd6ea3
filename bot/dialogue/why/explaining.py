"""Gathers from the store why a message was answered as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    Step,
    Translated,
)
from bot.dialogue.why.matching import Sources, sources_of
from bot.perception.contract import Perception
from bot.store import AsyncStore
from bot.store.messages import DONE, Message
from bot.store.turns import Turn

LISTEN = "action_listen"
_NO_STEPS = (LISTEN, "action_session_start", "action_extract_slots")
#: Turns before one that a rule may look back at.
_LOOKED_AT = 3
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
    mask = _mask(row, raw, full)
    turn = await store.get(Turn, row.id)
    if turn is None:
        note = await _unanswered(store, row)
        said = _words(row.content, mask)
        return Explanation(row.id, row.conversation, row.sent, said, row.status, note)
    before = await store.find(
        Turn,
        {"conversation": turn.conversation, "seq": {"$lt": turn.seq}},
        sort=("-seq",),
        limit=_LOOKED_AT,
    )
    rows = await store.find(Message, {"conversation": turn.conversation, "direction": "out"})
    replies = sorted((one for one in rows if one.turn == turn.id), key=lambda one: one.order)
    return _explained(row, turn, before[::-1], replies, sources_of(root), mask)


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


def _explained(
    row: Message,
    turn: Turn,
    before: Sequence[Turn],
    replies: Sequence[Message],
    sources: Sources,
    mask: Mask,
) -> Explanation:
    decision: Mapping[str, Any] = turn.decision or {}
    answered = decision.get(ANSWERED_SLOT)
    handed = decision.get("handoff")
    failure = decision.get("failure") or {}
    consent = decision.get("consent") or {}
    return Explanation(
        message=row.id,
        conversation=row.conversation,
        at=row.sent,
        said=_words(turn.heard or row.content, mask),
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
        steps=_steps(turn, before, sources),
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


def _mask(row: Message, raw: bool, full: bool) -> Mask:
    if raw:
        return lambda text: text
    # What it needs is heavy, and only needed here.
    from bot.llm.masking import parts_of_name, redact

    names = parts_of_name((row.profile or {}).get("name"))
    return lambda text: redact(text, names, full=full)


def _words(content: Mapping[str, Any] | None, mask: Mask) -> str:
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
        ranked = [first, *(one for one in ranked if one.intent != taken)]
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


def _steps(turn: Turn, before: Sequence[Turn], sources: Sources) -> tuple[Step, ...]:
    past: list[str] = []
    loop = ""
    for one in before:
        for event in one.events or []:
            _remember(event, past)
        loop = str((one.state or {}).get("active_loop") or "")
    steps: list[Step] = []
    said: list[list[tuple[str, str]]] = []
    begun, ended = False, ""
    for event in turn.events or []:
        kind = event.get("event")
        begun = begun or kind == "user"
        if kind == "session_started":
            past, loop = [], ""
        if kind == "action" and begun and event.get("name") not in _NO_STEPS:
            action = str(event.get("name"))
            policy = str(event.get("policy") or "").rpartition("_")[2]
            found = sources.of(action, policy, past, loop, ended)
            steps.append(
                Step(
                    action,
                    policy,
                    float(event.get("confidence") or 0.0),
                    found.name if found else "",
                    found.place if found else "",
                )
            )
            said.append([])
        elif kind == "bot" and said:
            name = str((event.get("metadata") or {}).get("utter_action") or "")
            if name:
                said[-1].append((name, sources.responses.get(name, "")))
        elif kind == "active_loop":
            loop, ended = str(event.get("name") or ""), loop
        _remember(event, past)
    return tuple(
        Step(one.action, one.policy, one.confidence, one.source, one.place, tuple(names))
        for one, names in zip(steps, said, strict=True)
    )


def _remember(event: Mapping[str, Any], past: list[str]) -> None:
    kind, name = event.get("event"), event.get("name")
    if kind == "user":
        intent = ((event.get("parse_data") or {}).get("intent") or {}).get("name")
        past.append(f"intent {intent}")
    elif kind == "action" and name not in _NO_STEPS:
        past.append(f"action {name}")


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
        _words(row.content, mask),
        row.status,
        row.reason or "",
        row.tried,
        row.agent or "",
    )
