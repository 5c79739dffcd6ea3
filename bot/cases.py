"""``bot cases``: who waits for a person, what was said, and answering from a terminal."""

from __future__ import annotations

import argparse
import getpass
import sys
import uuid
from datetime import timedelta

from bot import serve
from bot.desk.handoff import NotYours, give_back, resolve, say, take
from bot.message import utcnow
from bot.perception.contract import PRIORITIES
from bot.settings import Settings
from bot.store import AsyncStore, StoreError
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import Conversation
from bot.store.messages import Message
from bot.store.wake import open_bells

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
        agent = args.agent or getpass.getuser()
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
    found = await store.find(
        Case, {"status": RESOLVED if closed else OPEN}, sort=("at",), limit=limit
    )
    now = utcnow()
    for case in sorted(found, key=lambda case: (-_urgency(case), case.at)):
        holder = await store.get(Conversation, case.conversation)
        print(
            f"{case.id}  {case.priority:6}  {case.topic:14}  waits {_span(now - case.at)}  "
            f"{holder.holder if holder else '-':7}  {case.summary[:70]}"
        )
    if not found:
        print("no closed cases" if closed else "nobody waits for a person")
    return 0


async def _show(store: AsyncStore, case: Case) -> int:
    for name in ("id", "conversation", "status", "priority", "topic", "why", "agent", "resolution"):
        value = getattr(case, name)
        if value:
            print(f"{name:12} {value}")
    print()
    where = {"conversation": case.conversation}
    rows = await store.find(Message, where, sort=("-arrived",), limit=_SHOWN)
    for row in sorted(rows, key=lambda row: (row.sent, row.order)):
        who = "customer" if row.direction == "in" else (row.agent or "bot")
        content = row.content or {}
        words = content.get("text") or content.get("caption") or content.get("title") or ""
        state = "" if row.direction == "in" else f" [{row.status}]"
        print(f"{row.sent:%m-%d %H:%M}  {who:9} {words or content.get('kind', '')}{state}")
    return 0


async def _reply(store: AsyncStore, settings: Settings, case: Case, text: str, agent: str) -> int:
    conversation = await take(store, case.conversation, agent)
    bells = open_bells(settings.var, settings.redis.url, set())
    await bells.open()
    try:
        await say(store, conversation, text, agent, uuid.uuid4().hex)
        bells.ring("out")
    finally:
        await bells.close()
    print(f"{case.conversation}: queued; the conversation is yours until `bot cases close`")
    return 0


async def _close(store: AsyncStore, case: Case, resolution: str, agent: str) -> int:
    freed = await give_back(store, case.conversation, agent)
    done = await resolve(store, case, agent, resolution)
    # Others of the same conversation were waiting for the same person.
    where = {"conversation": case.conversation}
    for other in await store.find(Case, where, sort=("at",)):
        if other.status == OPEN:
            await resolve(store, other, agent, f"with {case.id}")
    print(f"{case.id}: {'closed' if done else 'was closed already'}", end="")
    print(", the bot answers again" if freed is not None else "")
    return 0


def _urgency(case: Case) -> int:
    return PRIORITIES.index(case.priority) if case.priority in PRIORITIES else 0


def _span(waited: timedelta) -> str:
    minutes = int(waited.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
