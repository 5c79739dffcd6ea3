"""A real conversation as a story or as an end-to-end test, without personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.nlu import bare
from bot.dialogue.contract import ANSWERED_SLOT, HANDOFF_SLOT
from bot.learning.contract import STORY, TEST, Draft, Mark, NotAllowed
from bot.learning.edits import quoted
from bot.learning.hiding import Hider
from bot.learning.noticing import FALLBACK, is_delicate
from bot.learning.project import Known
from bot.store.conversations import BOT
from bot.store.turns import Turn

#: Turns. What is longer is no story of one matter.
LONGEST_STORY = 40
FOLDERS = {STORY: "data/stories", TEST: "tests/stories"}

_NO_STEPS = ("action_listen", "action_session_start", "action_extract_slots")
_NO_SLOTS = (ANSWERED_SLOT, HANDOFF_SLOT, "session_started_metadata")
#: What changes a conversation and is no step of a story.
_UNTOLD = ("rewind", "undo", "restart", "reset_slots", "pause", "resume", "followup", "reminder")
#: Values that a model reads off the calendar: `bot.dialogue.examining` does it anew each day.
_OF_THE_DAY = "date"
_REQUESTED = "requested_slot"
#: Above, other digits or another name in a message change nothing.
_SURE = 0.7
_PAYLOAD = re.compile(r"/([^\s{@]+)")


@dataclass
class _Story:
    kind: str
    known: Known
    hider: Hider
    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    first: str = ""


def last_session(turns: Sequence[Turn]) -> list[Turn]:
    """Return the last turns (of all, in order) that are one session, at most `LONGEST_STORY`."""
    begun = 0
    for n, turn in enumerate(turns):
        if _begins_session(turn):
            begun = n
    return list(turns[begun:][-LONGEST_STORY:])


def told(
    turns: Sequence[Turn],
    known: Known,
    *,
    kind: str,
    names: Sequence[str],
    title: str = "",
    before: Turn | None = None,
    delicate: AbstractSet[str] = frozenset(),
) -> Draft:
    """Return turns (in order, at least one) as a story or a test.

    `names` are the customer's, `before` is the turn in front of the first, `delicate` are topics
    whose messages are left out. Raises NotAllowed when nothing can be told.
    """
    if len(turns) > LONGEST_STORY:
        raise NotAllowed(f"these are {len(turns)} turns; choose at most {LONGEST_STORY}")
    story = _Story(kind, known, Hider(names, turns[0].id))
    if before is not None and not _begins_session(turns[0]):
        loop = (before.state or {}).get("active_loop")
        within = f" within the form {loop}" if loop else ""
        story.warnings.append(
            f"it begins{within} at turn {turns[0].seq}: what was said before is missing"
        )
    people = 0
    for n, turn in enumerate(turns):
        people += _tell(story, turn, delicate, first=n == 0)
    if people:
        story.warnings.append(f"{_many(people, 'message')} that people answered are left out")
    if not story.first:
        why = f": {story.warnings[-1]}" if story.warnings else ""
        raise NotAllowed(f"the bot understood and answered nothing here{why}")
    file = _file(story)
    name = title.strip() or _title(story, file)
    name = _unique(name, known, file)
    head = [f"  - story: {quoted(name)}", "    steps:"]
    yaml = "\n".join([*head, *(f"      {line}" for line in story.lines)]) + "\n"
    return Draft(kind, turns[0].conversation, name, file, yaml, tuple(story.warnings))


def _tell(story: _Story, turn: Turn, delicate: AbstractSet[str], *, first: bool) -> int:
    """Tell one turn; return 1 when it was a person's."""
    decision = turn.decision or {}
    events = list(turn.events or [])
    if decision.get("by") not in (None, BOT):
        return 1 if turn.heard and not decision.get("rated") else 0
    if is_delicate(turn, delicate):
        story.warnings.append(f"turn {turn.seq} is about a sensitive matter and is left out")
        return 0
    if decision.get("failure"):
        story.warnings.append(f"turn {turn.seq} failed and is left out")
        return 0
    heard = [n for n, event in enumerate(events) if event.get("event") == "user"]
    if not heard:
        return 0
    if not first and _begins_session(turn):
        story.warnings.append(f"a new session begins at turn {turn.seq}; a story is one session")
    odd = sorted({str(e.get("event")) for e in events[heard[-1] :]} & set(_UNTOLD))
    if odd:
        story.warnings.append(f"turn {turn.seq} has what no story can tell ({', '.join(odd)})")
    for event in events[heard[-1] :]:
        kind = event.get("event")
        if kind == "user":
            story.lines += _said(story, event, turn)
        elif kind == "action" and event.get("name") not in _NO_STEPS:
            if event.get("name"):
                story.lines.append(f"- action: {event['name']}")
        elif kind == "active_loop":
            story.lines.append(f"- active_loop: {event.get('name') or 'null'}")
        elif kind == "slot":
            story.lines += _slot(story, event)
    return 0


def _said(story: _Story, event: Mapping[str, Any], turn: Turn) -> Iterator[str]:
    parse = event.get("parse_data") or {}
    intent = str((parse.get("intent") or {}).get("name") or "")
    if not story.known.domain.known_intent(intent):
        story.warnings.append(f"turn {turn.seq} was understood as {intent}, which is no more")
    story.first = story.first or intent
    text = str(event.get("text") or "")
    entities = [one for one in parse.get("entities") or [] if one.get("entity")]
    if story.kind == STORY:
        yield f"- intent: {intent}"
        spoken = [one for one in entities if one["entity"] not in story.known.silent]
        if not text.startswith("/"):
            # The words give the stand-ins that the values have to have.
            _annotated(story, text, entities)
        if spoken:
            yield "  entities:"
        for one in spoken:
            yield f"    - {one['entity']}: {_value(story, one.get('value'))}"
            for key in ("role", "group"):
                if one.get(key):
                    yield f"      {key}: {one[key]}"
        return
    yield "- user: |"
    if text.startswith("/"):
        payload = _PAYLOAD.match(text)
        if payload is None or payload[1] != intent:
            story.warnings.append(f"turn {turn.seq} was typed, and a test takes it for a button")
        yield f"    {story.hider.value(text) if '{' in text else text}"
    else:
        written = _annotated(story, text, entities)
        yield f"    {written}"
        if bare(written) != text and _barely(parse):
            story.warnings.append(
                f"turn {turn.seq} was understood as {intent} only just, and now has invented"
                " data in it: see whether the test passes"
            )
    yield f"  intent: {intent}"


def _barely(parse: Mapping[str, Any]) -> bool:
    intent = parse.get("intent") or {}
    return intent.get("name") == FALLBACK or float(intent.get("confidence") or 0.0) < _SURE


def _annotated(story: _Story, text: str, entities: Sequence[Mapping[str, Any]]) -> str:
    """Return words with all entities that were found, each with the value that it got."""
    spans: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    last = 0
    for one in sorted(entities, key=lambda e: (int(e.get("start") or 0), -int(e.get("end") or 0))):
        span = int(one.get("start") or 0), int(one.get("end") or 0)
        if span in spans:
            spans[span].append(one)
        elif last <= span[0] < span[1] <= len(text):
            spans[span] = [one]
            last = span[1]
    order = list(spans)
    # Which mark it was is kept in a field that no text is made of.
    marks = [
        Mark(*span, entity=str(spans[span][0]["entity"]), group=str(n))
        for n, span in enumerate(order)
    ]
    hidden = story.hider.hide(text, marks)
    parts, at = [], 0
    for mark in hidden.marks:
        words = hidden.text[mark.start : mark.end]
        found = [_mark(story, one, words) for one in spans[order[int(mark.group)]]]
        parts += [hidden.text[at : mark.start], f"[{words}]", _markup(found, words)]
        at = mark.end
    return "".join([*parts, hidden.text[at:]])


def _mark(story: _Story, one: Mapping[str, Any], words: str) -> dict[str, str]:
    value = one.get("value")
    said = story.hider.value(value) if isinstance(value, str) else json.dumps(value)
    if one["entity"] == _OF_THE_DAY:
        said = words
    found = {"entity": str(one["entity"]), "value": "" if said == words else said}
    found.update({key: str(one.get(key) or "") for key in ("role", "group")})
    return {key: value for key, value in found.items() if value}


def _markup(found: list[dict[str, str]], words: str) -> str:
    if len(found) > 1:
        return "[" + ", ".join(json.dumps(one, ensure_ascii=False) for one in found) + "]"
    if found[0].keys() == {"entity"}:
        return f"({found[0]['entity']})"
    return json.dumps(found[0], ensure_ascii=False)


def _slot(story: _Story, event: Mapping[str, Any]) -> list[str]:
    name = str(event.get("name"))
    if name in _NO_SLOTS or (name not in story.known.domain.slots and name != _REQUESTED):
        return []
    domain = story.known.domain
    if not domain.influences(name) and (story.kind == STORY or not _asked_for(name, domain)):
        # No rule and no story sees it.
        return []
    if story.kind == STORY and name == _REQUESTED:
        return []
    value = event.get("value")
    if name == _REQUESTED and value:
        return ["- slot_was_set:", f"    - {name}: {quoted(str(value))}"]
    return ["- slot_was_set:", f"    - {name}: {_value(story, value)}"]


def _asked_for(name: str, domain: Domain) -> bool:
    return any(name in (slot for slot, _ in form.slots) for form in domain.forms.values())


def _value(story: _Story, value: object) -> str:
    """Return a value as YAML, strings in quotes: an order number is no number."""
    if isinstance(value, str):
        return json.dumps(story.hider.value(value), ensure_ascii=False)
    return json.dumps(_inside(story, value), ensure_ascii=False, default=str)


def _inside(story: _Story, value: Any) -> Any:
    if isinstance(value, str):
        return story.hider.value(value)
    if isinstance(value, list):
        return [_inside(story, one) for one in value]
    if isinstance(value, dict):
        return {key: _inside(story, one) for key, one in value.items()}
    return value


def _begins_session(turn: Turn) -> bool:
    return any(event.get("event") == "session_started" for event in turn.events or [])


def _file(story: _Story) -> str:
    """Return the file of the topic that the conversation begins with, or one for all others."""
    home = PurePosixPath(story.known.home_of(story.first))
    prefix = "" if story.kind == STORY else "test_"
    file = f"{FOLDERS[story.kind]}/{prefix}{home.name}"
    if home.name and (story.known.root / Path(file)).is_file():
        return file
    return f"{FOLDERS[story.kind]}/{prefix}learned.yml"


def _title(story: _Story, file: str) -> str:
    words = story.first.replace("_", " ").strip().capitalize()
    topic = PurePosixPath(file).stem.removeprefix("test_")
    return f"{words}, as a customer wrote it ({topic})"


def _unique(title: str, known: Known, file: str) -> str:
    taken = {one.name for one in known.told}
    name, n = title, 1
    while name in taken:
        n += 1
        name = f"{title} {n}"
    return name


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
