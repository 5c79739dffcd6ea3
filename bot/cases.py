"""``bot cases``: who waits for a person, what was said, and answering from a terminal."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import uuid
from datetime import timedelta

from bot import serve
from bot.desk.handoff import NotYours, close, reopen, say, take
from bot.message import Address, utcnow
from bot.perception.contract import PRIORITIES
from bot.settings import Settings
from bot.store import AsyncStore, StoreError
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.consents import ALL
from bot.store.conversations import Conversation
from bot.store.messages import Message
from bot.store.wake import open_bells
from connectors import connector_class

_SHOWN = 40


async def cases(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot cases list|show|reply|close``; return 0, or 1 when it was not to be done."""
    store = serve.store_of(settings)
    try:
        if args.verb == "list":
            return await _list(store, closed=args.closed, limit=args.limit)
        case = await store.get(Case, args.id)
        if case is None:
            print(f"{args.id}: no such case; `bot cases list` shows them", file=sys.stderr)
            return 1
        if args.verb == "show":
            return await _show(store, case)
        agent = args.agent or _me()
        if args.verb == "reply":
            return await _reply(store, settings, case, args.text, agent)
        return await _close(store, case, args.resolution, agent)
    except NotYours as error:
        print(error, file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"the store: {error}", file=sys.stderr)
        return 1
    finally:
        await store.close()


async def _list(store: AsyncStore, *, closed: bool, limit: int) -> int:
    if closed:
        found = await store.find(Case, {"status": RESOLVED}, sort=("-at",), limit=limit)
    else:
        # All of them: the most urgent one may be the newest.
        found = await store.find(Case, {"status": OPEN}, sort=("at",))
        found = sorted(found, key=lambda case: (-_urgency(case), case.at))[:limit]
    for case in found:
        holder = await store.get(Conversation, case.conversation)
        waits = _span((case.resolved or utcnow()) - case.at)
        print(
            f"{case.id}  {case.priority:6}  {case.topic:14}  {'waited' if closed else 'waits'} "
            f"{waits}  {holder.holder if holder else '-':7}  {_line(case.summary)[:70]}"
        )
    if not found:
        print("no closed cases" if closed else "nobody waits for a person")
    return 0


async def _show(store: AsyncStore, case: Case) -> int:
    for name in ("id", "conversation", "status", "priority", "topic", "why", "agent", "resolution"):
        value = getattr(case, name)
        if value:
            print(f"{name:12} {_line(str(value))}")
    print()
    where = {"conversation": case.conversation}
    rows = await store.find(Message, where, sort=("-arrived",), limit=_SHOWN)
    for row in sorted(rows, key=lambda row: (row.sent, row.order)):
        who = "customer" if row.direction == "in" else (row.agent or "bot")
        content = row.content or {}
        words = content.get("text") or content.get("caption") or content.get("title") or ""
        state = "" if row.direction == "in" else f" [{row.status}]"
        print(f"{row.sent:%m-%d %H:%M}  {who:9} {_line(words) or content.get('kind', '')}{state}")
    return 0


async def _reply(store: AsyncStore, settings: Settings, case: Case, text: str, agent: str) -> int:
    if not text.strip():
        print("the reply is empty", file=sys.stderr)
        return 1
    held = await store.get(Conversation, case.conversation)
    if held is not None and held.opted_out == ALL:
        print(f"{case.conversation}: has opted out, nothing may be sent", file=sys.stderr)
        return 1
    conversation = await take(store, case.conversation, agent)
    can = connector_class(Address.parse(conversation.id).channel).capabilities
    bells = open_bells(settings.var, settings.redis.url, set())
    await bells.open()
    try:
        await say(store, conversation, text, agent, uuid.uuid4().hex, can)
        bells.ring("out")
    finally:
        await bells.close()
    again = await reopen(store, case)
    print(
        f"{case.conversation}: queued; the conversation is yours until `bot cases close`"
        + (", the case is open again" if again else "")
    )
    return 0


async def _close(store: AsyncStore, case: Case, resolution: str, agent: str) -> int:
    done, freed = await close(store, case, agent, resolution)
    print(f"{case.id}: {'closed' if done else 'was closed already'}", end="")
    print(", the bot answers again" if freed else "")
    return 0


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that has no name.
        return f"user {os.getuid()}"


def _line(text: str) -> str:
    """Return what a customer wrote as one line that does nothing to a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _urgency(case: Case) -> int:
    return PRIORITIES.index(case.priority) if case.priority in PRIORITIES else 0


def _span(waited: timedelta) -> str:
    minutes = int(waited.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
