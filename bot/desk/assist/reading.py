"""What a conversation is about now: what the customer wants to know, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.desk.timeline import Line, timeline
from bot.llm.masking import parts_of_name
from bot.message import Address, Choice, Deletion, Edit, Event, Reaction
from bot.store import AsyncStore
from bot.store.cases import OPEN, Case
from bot.store.conversations import Conversation
from bot.store.messages import DROPPED, FAILED
from bot.store.turns import Turn

#: Messages and entries that are read, of each the last so many.
_READ = 80
#: Messages before the question that come along.
_PAST = 6
#: Characters of a question; several messages may make one.
_LONGEST = 1500
#: How long a question leans on the one before it, in microseconds.
_LEANS = 3_600_000_000
#: What customers say that asks for nothing an article could answer.
_NO_QUESTION = frozenset(
    {
        *("human", "affirm", "deny", "stop", "start", "greet", "goodbye", "thank", "bot_challenge"),
        *("answer_helped", "answer_missed", "show_article", "inform_order_number"),
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A conversation, read. `question` is "" when the customer has not asked anything.

    It is several messages' words, those of each alone are in `parts`, the last one first.

    `previous` is what he asked before, not long ago. `name` is how the channel calls him,
    `known` are its parts. `case` is the one that agents see, None without an open one; `texts`
    are what customer and agents have written, the oldest first.
    """

    conversation: str
    channel: str
    language: str
    question: str
    parts: tuple[str, ...]
    previous: str
    past: tuple[tuple[Literal["user", "assistant"], str], ...]
    name: str
    texts: tuple[str, ...]
    case: Case | None

    @property
    def known(self) -> tuple[str, ...]:
        """What of the name has to be masked though no pattern finds it."""
        return parts_of_name(self.name)


async def read(store: AsyncStore, conversation: str) -> Reading:
    """Read a conversation as it is now."""
    lines = as_it_stands(await timeline(store, conversation, limit=_READ))
    row = await store.get(Conversation, conversation)
    cases = await store.find(Case, {"conversation": conversation}, sort=("at",))
    # As `Means.open_cases` has them: the older one may be closed that it was part of.
    opened = [case for case in cases if case.status == OPEN]
    case = min(opened, key=lambda case: bool(case.part_of), default=None)
    begin, end = await _question(store, lines)
    before = lines[:begin]
    names = [line.name for line in lines if line.who == "customer" and line.name]
    language = (case.language if case else "") or (row.language if row else "") or "en"
    return Reading(
        conversation=conversation,
        channel=Address.parse(conversation).channel,
        language=str(language),
        question=_joined(lines[begin:end]),
        parts=tuple(line.text[-_LONGEST:] for line in reversed(lines[begin:end])),
        previous=_previous(before, lines[begin].arrived if begin < end else 0),
        past=tuple(
            ("user" if line.who == "customer" else "assistant", line.text)
            for line in before[-_PAST:]
        ),
        name=names[-1] if names else "",
        texts=tuple(line.text for line in lines if line.who in ("customer", "agent")),
        case=case,
    )


def as_it_stands(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with words that were said, as they are after edits and deletions."""
    spoken: list[Line] = []
    places: dict[str, int] = {}
    gone: set[int] = set()
    texts: dict[int, str] = {}
    for line in lines:
        if line.kind in (Edit.kind, Deletion.kind):
            place = places.get(line.of)
            if place is not None and line.kind == Deletion.kind:
                gone.add(place)
            elif place is not None:
                texts[place] = str(line.content.get("text") or "")
        elif line.who != "desk" and line.kind not in (Reaction.kind, Event.kind):
            text = _words(line)
            if text and line.status not in (FAILED, DROPPED):
                places[line.provider_id or line.id] = len(spoken)
                texts[len(spoken)] = text
                spoken.append(line)
    kept = (n for n in range(len(spoken)) if n not in gone and texts[n].strip())
    return [replace(spoken[n], text=texts[n]) for n in kept]


def _words(line: Line) -> str:
    """Return what was written; "" for a picture without words."""
    content = line.content
    if line.kind == Choice.kind:
        return str(content.get("title") or "")
    return str(content.get("text") or content.get("caption") or "").strip()


async def _question(store: AsyncStore, lines: Sequence[Line]) -> tuple[int, int]:
    """Return where the customer's last question stands among the lines, (0, 0) for none.

    That is what he wrote in a row; who then only asked for a person has asked before.
    """
    blocks = _blocks(lines)
    for begin, end in reversed(blocks):
        for line in lines[begin:end]:
            if await _asks(store, line):
                return begin, end
    return blocks[-1] if blocks else (0, 0)


async def _asks(store: AsyncStore, line: Line) -> bool:
    turn = await store.get(Turn, line.id)
    intent = str((turn.parse or {}).get("intent") or "") if turn is not None else ""
    return intent not in _NO_QUESTION


def _blocks(lines: Sequence[Line]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for n, line in enumerate(lines):
        if line.who != "customer":
            continue
        if found and found[-1][1] == n:
            found[-1] = (found[-1][0], n + 1)
        else:
            found.append((n, n + 1))
    return found


def _previous(before: Sequence[Line], at: int) -> str:
    blocks = _blocks(before)
    if not blocks:
        return ""
    begin, end = blocks[-1]
    return _joined(before[begin:end]) if at - before[end - 1].arrived < _LEANS else ""


def _joined(lines: Sequence[Line]) -> str:
    return "\n".join(line.text for line in lines)[-_LONGEST:]
