"""What became of what was said to a customer: reactions on its post, and a word when it failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.desk.slack.client import Gone, Refused, SlackClient
from bot.desk.slack.kit import literal
from bot.desk.slack.lists import warning
from bot.desk.slack.plan import OWN, POST, SAID, Means, prefix, row
from bot.message import Address
from bot.store.messages import (
    DELIVERED,
    DROPPED,
    FAILED,
    HELD,
    READ,
    RECEIPT_ORDER,
    SENT,
    Message,
    arrival,
)
from bot.store.slack import POSTED, SlackPost, SlackThread
from connectors.base import Capabilities

#: Slack's names of the reactions.
DELIVERED_MARK, READ_MARK, FAILED_MARK = "white_check_mark", "eyes", "warning"
# Of the newest posts of a thread: what is older has been settled, or never will be.
_POSTS = 300
_WINDOW = "WindowClosed"


@dataclass
class Ticks:
    """What there is to do. `watching` are the statuses, by id, of rows that may still move on."""

    todo: list[tuple[SlackPost, str]] = field(default_factory=list)
    rows: list[SlackPost] = field(default_factory=list)
    watching: dict[str, str] = field(default_factory=dict)
    settled: list[SlackPost] = field(default_factory=list)


async def look(means: Means, thread: SlackThread) -> Ticks:
    """Find out which reactions and warnings are missing in a thread."""
    store = means.store
    found = await store.find(SlackPost, {"thread": thread.id}, sort=("-order",), limit=_POSTS)
    mine = [
        post
        for post in found
        if post.kind in (SAID, OWN)
        and post.id.startswith(prefix(thread))
        and not (post.ticks or {}).get("done")
    ]
    ticks = Ticks()
    if not mine:
        return ticks
    ids = [str(post.shows) for post in mine]
    messages = {m.id: m for m in await store.find(Message, {"id": {"$in": ids}})}
    can = means.can.get(Address.parse(str(thread.conversation)).channel)
    groups: dict[str, list[SlackPost]] = defaultdict(list)
    for post in mine:
        # Several messages to the customer may be of one that an agent wrote.
        groups[str(post.ts or post.id)].append(post)
    for group in groups.values():
        _look_at(means, thread, group, messages, can, ticks)
    return ticks


def _look_at(
    means: Means,
    thread: SlackThread,
    group: Sequence[SlackPost],
    messages: dict[str, Message],
    can: Capabilities | None,
    ticks: Ticks,
) -> None:
    known = [messages[post.shows] for post in group if post.shows in messages]
    for message in known:
        if not _final(message, can):
            ticks.watching[str(message.id)] = str(message.status)
        if (word := _word(means, thread, message)) is not None:
            ticks.rows.append(word)
    lead = next((post for post in group if post.status == POSTED and post.ts), None)
    if lead is None:
        return
    has = {mark for post in group for mark in (post.ticks or {}).get("marks") or ()}
    missing = [mark for mark in _marks(known, can) if mark not in has]
    ticks.todo += [(lead, mark) for mark in missing]
    if not missing and all(_final(message, can) for message in known):
        ticks.settled += group


def _marks(known: Sequence[Message], can: Capabilities | None) -> list[str]:
    """Return the reactions that messages call for, all of them together."""
    marks = []
    if any(message.status == FAILED for message in known):
        marks.append(FAILED_MARK)
    if not known or not any(message.agent for message in known):
        return marks
    least = min((_step(message) for message in known), default=-1)
    reported = can is None or DELIVERED in can.receipts
    if least >= RECEIPT_ORDER.index(DELIVERED if reported else SENT):
        marks.append(DELIVERED_MARK)
    if least >= RECEIPT_ORDER.index(READ):
        marks.append(READ_MARK)
    return marks


def _step(message: Message) -> int:
    return RECEIPT_ORDER.index(message.status) if message.status in RECEIPT_ORDER else -1


def _final(message: Message, can: Capabilities | None) -> bool:
    """Tell whether a status is the last that there will be."""
    if message.status in (FAILED, DROPPED, READ):
        return True
    if can is None:
        return False
    last = max((RECEIPT_ORDER.index(r) for r in can.receipts if r in RECEIPT_ORDER), default=0)
    return _step(message) >= last


def _word(means: Means, thread: SlackThread, message: Message) -> SlackPost | None:
    """Return the post that says why a message did not reach the customer."""
    if message.status not in (FAILED, HELD, DROPPED):
        return None
    reason = str(message.reason or "no reason is known")
    closed = message.status == HELD or reason.startswith(_WINDOW)
    author = f"{message.agent}'s message" if message.agent else "The bot's message"
    what = {FAILED: "was not delivered", HELD: "waits", DROPPED: "was not sent"}[message.status]
    about = str((message.content or {}).get("text") or "")[:80]
    quoted = f" “{about}”" if about else ""
    if closed:
        reason = "the customer wrote too long ago for a free message; a template may be sent"
    words = f"{author}{quoted} {what}: {reason}"
    templates: list[tuple[str, str]] = []
    if closed:
        channel = Address.parse(str(thread.conversation)).channel
        named = {t.name: t.text for t in means.templates if t.channel == channel}
        templates = [(name, f"{name}: {text}") for name, text in named.items()]
    body = (
        {"text": f"🚫 {literal(words)}"}
        if message.status == DROPPED
        else warning(str(thread.conversation), words, templates)
    )
    id = f"{message.id}!{message.status}"
    return row(thread, id, arrival(), POST, body=body)


async def tick(client: SlackClient, thread: SlackThread, post: SlackPost, mark: str) -> None:
    """Put a reaction on a post; one that was deleted needs none."""
    try:
        await client.react(str(thread.channel), str(post.ts), mark)
    except Gone:
        return
    except Refused as error:
        if error.reason not in ("message_not_found", "no_item_specified", "bad_timestamp"):
            raise
