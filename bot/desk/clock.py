"""Who waits for the desk, since when, and by when an answer is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from bot.desk.routing import Routing
from bot.message import RATE, Deletion, Edit, Event, Reaction
from bot.store.cases import Case
from bot.store.consents import ALL
from bot.store.conversations import BOT, Conversation
from bot.store.messages import DROPPED, FAILED, RECEIPT_ORDER, Message

#: What a customer does that calls for no answer of its own, and what an agent does that is none.
_NO_QUESTION = frozenset({Reaction.kind, Deletion.kind, Edit.kind, Event.kind})
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Opening:
    """How a case was opened, last if it was more than once.

    `cause` names what did it. `waits` says that somebody waits for an answer since then; not
    so when an agent opened it unasked.
    """

    at: datetime
    cause: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """An answer is due. `first` says that no agent has answered since the case was opened.

    `cause` is the id of what is to be answered: the customer's oldest message without an answer,
    or what opened the case.
    """

    due: datetime
    first: bool
    waiting_since: datetime
    cause: str


def clock(
    case: Case,
    conversation: Conversation,
    messages: Iterable[Message],
    *,
    opening: Opening,
    routing: Routing,
) -> Clock | None:
    """Return what is due in a case, None when nobody waits.

    `messages` are those of the conversation, in any order, from the opening or the last answer
    of an agent on; older ones change nothing. What the customer writes while the bot has the
    conversation is the bot's to answer, and who has opted out may not be answered.
    """
    if conversation.opted_out == ALL:
        return None
    rows = sorted(
        (row for row in messages if row.arrived >= micro(opening.at)),
        key=lambda row: (row.arrived, row.id),
    )
    answers = [row.arrived for row in rows if answered(row)]
    first = not answers
    since, cause = opening.at, opening.cause
    if not first or not opening.waits:
        after = answers[-1] if answers else 0
        asked = [row for row in rows if asks(row) and row.arrived > after]
        if not asked or conversation.holder == BOT:
            return None
        since, cause = moment(asked[0].arrived), asked[0].id
    due = routing.due(since, case.priority, first=first)
    return Clock(due, first, since, cause)


def asks(row: Message) -> bool:
    """Tell whether a customer's message calls for an answer."""
    content = row.content or {}
    if row.direction != "in" or content.get("kind") in _NO_QUESTION:
        return False
    # Stars are an answer themselves.
    return not str(content.get("payload") or "").startswith(RATE)


def answered(row: Message) -> bool:
    """Tell whether a message is an agent's answer, on its way at least."""
    return _by_agent(row) and row.status not in (DROPPED, FAILED)


def agent_had_last_word(messages: Iterable[Message]) -> bool:
    """Tell whether the last word was an agent's, and it has reached the channel.

    One that is held or failed has not: then the customer waits for us without knowing it.
    """
    said = [row for row in messages if asks(row) or _by_agent(row)]
    last = max(said, key=lambda row: (row.arrived, row.id), default=None)
    return last is not None and last.direction == "out" and last.status in RECEIPT_ORDER


def _by_agent(row: Message) -> bool:
    """Tell whether an agent wrote it; who corrects or takes back what he said says no more."""
    kind = (row.content or {}).get("kind")
    return row.direction == "out" and bool(row.agent) and kind not in _NO_QUESTION


def micro(at: datetime) -> int:
    """Return a moment in microseconds since 1970, as `Message.arrived` has it."""
    return (at - _EPOCH) // _MICROSECOND


def moment(arrived: int) -> datetime:
    """Return the moment of a `Message.arrived`."""
    return _EPOCH + arrived * _MICROSECOND


def in_words(span: timedelta) -> str:
    """Return ``25 minutes``, ``3 hours`` or ``2 days``, for agents."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        count, unit = max(minutes, 0), "minute"
    elif minutes < 48 * 60:
        count, unit = minutes // 60, "hour"
    else:
        count, unit = minutes // 1440, "day"
    return f"{count} {unit}{'' if count == 1 else 's'}"
