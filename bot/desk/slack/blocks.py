"""The card of a case, as Block Kit: what an agent has to know before a word is said.

Whatever customers, models and colleagues wrote comes in as plain words and is escaped here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.desk.contract import Person
from bot.desk.slack import ids
from bot.desk.slack.kit import (
    Block,
    actions,
    button,
    context,
    fits,
    header,
    literal,
    one_line,
    overflow,
    plain,
    section,
    select,
    short,
    within,
)
from bot.store.cases import OPEN

_WISH = 600
_LINE = 300
_NOTICE = 300
_REMEMBERED = 5
_SIGNS = {"urgent": "🔴", "high": "🟠", "normal": "🔵", "low": "⚪"}


@dataclass(frozen=True, slots=True)
class Card:
    """What the card of a case shows; all of it plain words.

    `who` is the customer's name, "" if not known. `wish` is what the customer wants in one
    sentence, `mood` words for it, `why` what led here, `did` what the bot did in short lines,
    `orders` what it is about, number or link. `previous` is how many cases there were
    before, `last` how the last of them ended. `holder` has the conversation, None for nobody,
    `assignee` has the case. `waiting` says that the customer waits for a person. `deadline`
    is by when an answer is due, None when none is. `also` are further matters of the same
    conversation. `memory` is what is known of the customer, a line a fact. `resolution` and
    `closed_by` are of a closed case, `rating` 1 to 5, 0 for none.
    """

    conversation: str
    who: str
    channel: str
    account: str
    language: str
    wish: str
    mood: str
    why: str
    topic: str
    priority: str
    did: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    previous: int = 0
    last: str = ""
    holder: Person | None = None
    assignee: Person | None = None
    waiting: bool = False
    status: str = OPEN
    deadline: datetime | None = None
    also: tuple[str, ...] = ()
    resolution: str = ""
    closed_by: str = ""
    rating: int = 0
    memory: tuple[str, ...] = ()


def card(shown: Card, people: Sequence[Person] = ()) -> dict[str, Any]:
    """Return the arguments ``text`` and ``blocks`` of a card.

    `people` are whom it may be assigned to; with none, Slack's own list of users is offered.
    """
    who = shown.who or "A customer"
    head = f"{_SIGNS.get(shown.priority, '')} {who}: {_topic(shown.topic)}".strip()
    rows: list[Block] = [header(head)]
    rows.append(section(f"*Wants:* {short(shown.wish, _WISH) or '_not said yet_'}"))
    rows.append(section("", fields=_fields(shown)))
    if shown.did:
        lines = "\n".join(f"• {short(line, _LINE)}" for line in shown.did[:3])
        rows.append(section(f"*The bot so far*\n{lines}"))
    if shown.also:
        lines = "\n".join(f"• {short(line, _LINE)}" for line in shown.also[:5])
        rows.append(section(f"*Also open*\n{lines}"))
    if shown.memory:
        lines = "\n".join(f"• {short(line, _LINE)}" for line in shown.memory[:_REMEMBERED])
        rows.append(section(f"*Remembered*\n{lines}"))
    if shown.status != OPEN:
        rows.append(section(_ending(shown)))
    rows.append(context(_state(shown)))
    rows += _buttons(shown, people)
    return {"text": _notice(shown, who), "blocks": within(rows)}


def bare(body: dict[str, Any]) -> dict[str, Any]:
    """Return a card that Slack would not take with nothing but what we wrote, and its buttons."""
    said = "A customer asks for a person. Not all of it can be shown here; see the console."
    rows = [row for row in body["blocks"] if row["type"] == "actions"]
    return {"text": said, "blocks": [section(said), *rows]}


def card_hash(body: dict[str, Any]) -> str:
    """Return a short name of what a card shows, the same for the same."""
    packed = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(packed.encode("utf-8", "replace")).hexdigest()[:32]


def _topic(topic: str) -> str:
    return topic.replace("_", " ").replace("-", " ").strip() or "a question"


def _notice(shown: Card, who: str) -> str:
    wish, who = one_line(shown.wish, _NOTICE), one_line(who, 80)
    return literal(f"{who} ({shown.channel}), {_topic(shown.topic)}, {shown.priority}: {wish}")


def _fields(shown: Card) -> list[str]:
    place = shown.channel + (f" ({shown.account})" if shown.account else "")
    earlier = "none"
    if shown.previous:
        earlier = f"{shown.previous}" + (f", the last: {shown.last}" if shown.last else "")
    named = [
        ("Channel", place),
        ("Language", shown.language or "not known"),
        ("Mood", shown.mood or "not known"),
        ("Why it came", shown.why or "not said"),
        ("Priority", shown.priority),
        ("Cases before", earlier),
    ]
    if shown.orders:
        named.append(("Orders", ", ".join(shown.orders)))
    named += shown.facts
    return [f"*{short(n, 40)}*\n{short(v, _LINE) or '-'}" for n, v in named]


def _state(shown: Card) -> str:
    if shown.status != OPEN:
        return "Resolved"
    parts = []
    if shown.holder is not None:
        parts.append(f"*{short(shown.holder.name, 80)}* has the conversation")
    elif shown.waiting:
        parts.append("*Nobody has it yet*, the customer waits")
    else:
        parts.append("The bot has the conversation")
    if shown.assignee is not None and shown.assignee != shown.holder:
        parts.append(f"assigned to {short(shown.assignee.name, 80)}")
    if shown.deadline is not None:
        stamp = int(shown.deadline.timestamp())
        read = shown.deadline.strftime("%d %b %H:%M UTC")
        # https://docs.slack.dev/messaging/formatting-message-text#date-formatting
        parts.append(f"answer due <!date^{stamp}^{{date_short_pretty}} {{time}}|{read}>")
    return " · ".join(parts)


def _ending(shown: Card) -> str:
    by = f" by {short(shown.closed_by, 80)}" if shown.closed_by else ""
    words = short(shown.resolution, _WISH) or "_no resolution written_"
    rated = f"\n*Rated* {shown.rating} of 5" if shown.rating else ""
    return f"*Resolved{by}:* {words}{rated}"


def _buttons(shown: Card, people: Sequence[Person]) -> list[Block]:
    key = shown.conversation
    if not fits(key):
        return [context("_This conversation's address is too long for buttons; use the console._")]
    if shown.status != OPEN:
        return [
            actions(
                [
                    button("Reopen", ids.REOPEN, key),
                    button("Similar cases", ids.SIMILAR, key),
                ]
            )
        ]
    row = []
    if shown.holder is None:
        row.append(button("Take over", ids.TAKE, key, style="primary"))
    else:
        row.append(button(f"Take from {shown.holder.name}", ids.TAKE_FROM, key))
    row.append(button("Draft reply", ids.DRAFT, key))
    row.append(button("Similar cases", ids.SIMILAR, key))
    row.append(button("Resolve", ids.RESOLVE, key))
    if shown.holder is not None or shown.waiting:
        row.append(button("Back to bot", ids.BACK, key))
    menus: list[Block] = [_assign(shown, people)]
    menus.append(
        overflow(ids.MORE, [(ids.ACTIONS, "Suggested actions"), (ids.CANNED, "Canned reply")])
    )
    return [actions(row), actions(menus, ids.block(key))]


def _assign(shown: Card, people: Sequence[Person]) -> Block:
    others = [(p.id, p.name) for p in people if shown.assignee is None or p.id != shown.assignee.id]
    menu = select("Assign to…", ids.ASSIGN, others)
    if menu["options"]:
        return menu
    return {
        "type": "users_select",
        "action_id": ids.ASSIGN,
        "placeholder": plain("Assign to…", 75),
    }
