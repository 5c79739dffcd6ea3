"""What a thread is to show: the rows of its posts, made once each from what is in the store.

The id of a post is made of the thread, of how often the thread was lost, and of what it shows.
So planning again, by whichever process, plans nothing twice. The card's row is inserted after
those of the history, and its being there says that both are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.desk.contract import Person
from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.slack import posts
from bot.desk.slack.card import name_of
from bot.desk.slack.kit import literal, one_line
from bot.desk.templates import Approved
from bot.desk.timeline import Line, timeline, words
from bot.message import utcnow
from bot.perception.contract import PRIORITIES
from bot.store import AsyncStore
from bot.store import journal as kinds
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import Conversation
from bot.store.deeds import Deed
from bot.store.files import KEPT, REFUSED, WANTED, StoredFile
from bot.store.journal import Entry
from bot.store.messages import DROPPED, Message
from bot.store.slack import POSTED, SlackPost, SlackThread
from connectors.base import Capabilities

#: Kinds of posts: the card, what was before, words of a line, a row of the outbox that we show,
#: one that an agent wrote in the thread, a file.
CARD, HISTORY, POST, SAID, OWN, FILE = "card", "history", "post", "said", "own", "file"
# Rows may reach the store a little after others that came to be later: clocks differ, and
# processes pause between the two.
_LATE = 120_000_000
_BEFORE = 30
_AGAIN = 200
_LINES = 5000
_FILES = 200
_ALSO = 20
_SECOND = 1_000_000
#: Whatever is said after a case was closed belongs to the bot, or to the next case.
_CLOSING = 2 * _SECOND


@dataclass(frozen=True)
class Means:
    """What showing needs. `can` is what a channel can do, by its name."""

    store: AsyncStore
    routing: Routing
    people: People
    templates: Sequence[Approved] = ()
    can: Mapping[str, Capabilities] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to show: up to which line, and the ids of files that are not there yet."""

    upto: int
    waiting: tuple[str, ...] = ()


def post_id(thread: SlackThread, what: str) -> str:
    """Return the id of the post that shows something in a thread."""
    return f"{prefix(thread)}{what}"


def prefix(thread: SlackThread) -> str:
    """Return how the ids of a thread's posts begin; others are of one that was deleted."""
    return f"{thread.id}:{thread.lost or 0}:"


async def plan(means: Means, thread: SlackThread, case: Case, cases: Sequence[Case]) -> Plan:
    """Insert the rows of all that is to be shown and has none; `cases` are all that are open."""
    card = await means.store.get(SlackPost, post_id(thread, CARD))
    if card is None:
        card = await _begin(means, thread, case)
    first, after = int(card.body["first"]), int(card.body["after"])
    since = max(after, (thread.upto or 0) - _LATE)
    lines = await timeline(means.store, str(thread.conversation), after=since, limit=_LINES)
    shown = [line for line in lines if await _belongs(means.store, line, case)]
    nameless = any(line.who == "customer" and not line.name for line in shown)
    held = await means.store.get(Conversation, thread.conversation) if nameless else None
    name = await name_of(means.store, held)
    rows = [row for line in shown for row in await _rows(means, thread, line, name)]
    rows += _others(thread, case, cases, after)
    arrived = {line.id: line.arrived for line in lines}
    files, waiting = await _files(means, thread, first, after, arrived)
    rows += files
    if rows:
        await means.store.insert_new(sorted(rows, key=lambda row: (row.order, row.id)))
    last = max((line.arrived for line in shown), default=0)
    return Plan(max(after, last, thread.upto or 0), waiting)


def row(thread: SlackThread, what: str, order: int, kind: str, **fields: Any) -> SlackPost:
    """Return the row of a post that is to be posted now."""
    return SlackPost(
        id=post_id(thread, what),
        thread=str(thread.id),
        order=order,
        kind=kind,
        due=utcnow(),
        **fields,
    )


async def _begin(means: Means, thread: SlackThread, case: Case) -> SlackPost:
    """Plan the card and, compactly, what was said before it."""
    store, key = means.store, str(thread.conversation)
    cause = await store.get(Message, case.id)
    if thread.lost:
        after = int(thread.upto or 0)
    elif cause is not None:
        after = int(cause.arrived) - 1
    else:
        after = int(case.at.timestamp() * _SECOND)
    lines = [line for line in await timeline(store, key, limit=_AGAIN) if line.arrived <= after]
    lines = [line for line in lines if line.status != DROPPED][
        -(_AGAIN if thread.lost else _BEFORE) :
    ]
    held = await store.get(Conversation, key)
    name = await name_of(store, held)
    told = [posts.short(line, await _quote(store, line), name=name) for line in lines]
    told = [words for words in told if words]
    body: dict[str, Any] = {}
    heading = "*The conversation before*"
    if thread.lost:
        heading = "*The thread of this case was deleted in Slack. This one shows it again:*"
    elif (previous := await _previous(store, thread)) is not None:
        body["previous"] = [previous.channel, previous.ts]
    texts = posts.history(told, heading) if told or thread.lost else []
    if not texts and body:
        texts = [""]
    rows = [
        # Before all lines, in their own order.
        row(
            thread, f"{HISTORY}{n:03}", after - len(texts) + n, HISTORY, body={**body, "text": text}
        )
        for n, text in enumerate(texts)
    ]
    # The link to the thread before belongs into the first of them alone.
    for later in rows[1:]:
        later.body = {"text": later.body["text"]}
    first = lines[0].arrived if lines else after
    card = row(thread, CARD, after - len(texts) - 1, CARD, body={"first": first, "after": after})
    await store.insert_new([*rows, card])
    return await store.get(SlackPost, card.id) or card


async def _previous(store: AsyncStore, thread: SlackThread) -> SlackThread | None:
    where = {"conversation": thread.conversation}
    found = await store.find(SlackThread, where, sort=("-at",), limit=5)
    others = [t for t in found if t.id != thread.id and t.account == thread.account and t.ts]
    return next((t for t in others if t.at <= thread.at), None)


async def _belongs(store: AsyncStore, line: Line, case: Case) -> bool:
    """Tell whether a line is of the thread: not what is said once the case is closed."""
    if case.status != RESOLVED or case.resolved is None:
        return True
    if line.arrived <= int(case.resolved.timestamp() * _SECOND) + _CLOSING:
        return True
    entry = await store.get(Entry, line.id) if line.who == "desk" else None
    return entry is not None and entry.case == case.id


async def _rows(means: Means, thread: SlackThread, line: Line, name: str) -> list[SlackPost]:
    store = means.store
    if line.who == "desk":
        if line.kind == kinds.REMINDED:
            body = posts.reminder(line, _on_call(means, line))
            return [row(thread, line.id, line.arrived, POST, shows=line.id, body=body)]
        if line.kind == kinds.NOTE and line.via == "slack":
            typed, known = await _typed(store, thread, line.id)
            if typed is not None or not known:
                return []
    elif line.who == "bot" and line.status == DROPPED:
        return []
    elif line.who == "agent":
        typed, _ = await _typed(store, thread, line.id)
        if typed is not None:
            own = row(thread, line.id, line.arrived, OWN, shows=line.id, body={})
            own.status, own.ts = POSTED, typed
            return [own]
    kind = SAID if line.who in ("bot", "agent") else POST
    said = posts.texts(line, await _quote(store, line), name=name)
    return [
        row(
            thread,
            # The ids of files are the message's and a number.
            f"{line.id}#{n}" if n else line.id,
            line.arrived,
            kind if n == 0 else POST,
            shows=line.id if n == 0 else "",
            body={"text": text},
        )
        for n, text in enumerate(said)
    ]


async def _typed(store: AsyncStore, thread: SlackThread, id: str) -> tuple[str | None, bool]:
    """Find the message in this thread by which an agent said a row of the outbox, or a note.

    Returns its ts, None when it was not written here, and whether the deed behind it is known.
    """
    at = id.find(
        "slack:", len(str(thread.conversation)) if id.startswith(str(thread.conversation)) else 0
    )
    if at < 0:
        return None, True
    # What follows the deed's id is ours: a number, or two.
    told, candidates = id[at:], []
    for _ in range(4):
        candidates.append(told)
        told, colon, _ = told.rpartition(":")
        if not colon:
            break
    found = await store.find(Deed, {"id": {"$in": candidates}})
    if not found:
        return None, False
    deed = max(found, key=lambda d: len(d.id))
    args = deed.args or {}
    # One that was written in a thread which is deleted by now is not to be seen there.
    here = args.get("channel") == thread.channel and args.get("thread") in (None, thread.ts)
    ts = str(args.get("ts") or "")
    return (ts if deed.kind == "write" and here and ts else None), True


async def _quote(store: AsyncStore, line: Line) -> str:
    """Return the words of the message that a line changes, answers or reacts to."""
    if not line.of or line.who == "desk":
        return ""
    mine = await store.get(Message, line.id)
    if mine is None:
        return ""
    where = {"channel": mine.channel, "account": mine.account, "provider_id": line.of}
    found = await store.find(Message, where, limit=5)
    about = next((m for m in found if m.conversation == mine.conversation), None)
    return words(dict(about.content)) if about is not None else ""


def _on_call(means: Means, line: Line) -> list[Person]:
    """Return whom a reminder calls."""
    return [as_person(means.people, str(one)) for one in line.content.get("on_call") or ()]


def as_person(people: People, id: str) -> Person:
    """Return the agent that an entry of an on-call list means: an id of ours, or Slack's."""
    known = people.by_id(id)
    if known.slack or known.name != id:
        return known
    slack = id if id[:1] in ("U", "W") and id.isalnum() and id == id.upper() else ""
    return people.by_slack(slack) if slack else known


def _others(thread: SlackThread, case: Case, cases: Sequence[Case], after: int) -> list[SlackPost]:
    """Return the posts about further open cases of the conversation."""
    found = []
    for other in [c for c in cases if c.id != case.id][:_ALSO]:
        urgent = _rank(other) > _rank(case)
        head = "🔺 *More urgent*" if urgent else "➕ *Also*"
        about = (
            f"{other.topic}, {other.priority}: {one_line(other.summary or other.why or '', 500)}"
        )
        # Behind what it came of: cases are kept to the millisecond, lines to the microsecond.
        order = max(int(other.at.timestamp() * _SECOND) + 999, after + 1)
        body = {"text": f"{head}: {literal(about)}"}
        found.append(row(thread, f"case:{other.id}", order, POST, shows=other.id, body=body))
    return found


def _rank(case: Case) -> int:
    return PRIORITIES.index(case.priority) if case.priority in PRIORITIES else 1


async def _files(
    means: Means, thread: SlackThread, first: int, after: int, arrived: Mapping[str, int]
) -> tuple[list[SlackPost], tuple[str, ...]]:
    """Return the posts of customers' files that are there now, and the ids of those to come."""
    begin = datetime.fromtimestamp(first / _SECOND, timezone.utc) - timedelta(minutes=1)
    where = {"conversation": thread.conversation, "at": {"$gte": begin}}
    files = await means.store.find(StoredFile, where, sort=("-at",), limit=_FILES)
    if not files:
        return [], ()
    ids = [post_id(thread, f"{FILE}:{file.id}") for file in files]
    there = {p.id for p in await means.store.find(SlackPost, {"id": {"$in": ids}})}
    rows, waiting = [], []
    for file, id in zip(files, ids, strict=True):
        if file.status == WANTED:
            waiting.append(str(file.id))
        if file.status == WANTED or id in there:
            continue
        # What an agent attached in this thread stands there already.
        typed, _ = await _typed(means.store, thread, str(file.message))
        if typed is not None:
            continue
        order = arrived.get(str(file.message)) or after
        if file.status == KEPT:
            body = {
                "key": file.key,
                "filename": file.filename or "file",
                "title": file.filename or str(file.type),
            }
            rows.append(
                row(thread, f"{FILE}:{file.id}", order, FILE, shows=str(file.id), body=body)
            )
        elif file.status == REFUSED:
            what = literal(f"{file.type} {file.filename}".strip())
            text = f"📎 The {what} could not be kept: {literal(one_line(file.reason, 300))}"
            more = {"shows": str(file.id), "body": {"text": text}}
            rows.append(row(thread, f"{FILE}:{file.id}", order, POST, **more))
    return rows, tuple(waiting)


async def open_cases(store: AsyncStore, conversation: str) -> list[Case]:
    """Return a conversation's open cases, the oldest first."""
    rows = await store.find(Case, {"conversation": conversation, "status": OPEN}, sort=("at",))
    return list(rows)
