"""``bot cases``: who waits for a person, what was said, and answering from a terminal."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot import serve
from bot.desk.by_hand import Hand, agent_of
from bot.desk.contract import Done, Person
from bot.desk.saying import unmarked
from bot.message import utcnow
from bot.perception.contract import PRIORITIES
from bot.settings import Settings
from bot.store import AsyncStore, StoreError
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.consents import ALL
from bot.store.conversations import BOT, Conversation
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
        agent = agent_of(settings, args.agent, _me())
        if args.verb == "reply":
            return await _reply(store, settings, case, args.text, agent)
        return await _close(store, settings, case, args.resolution, agent)
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


async def _reply(
    store: AsyncStore, settings: Settings, case: Case, text: str, agent: Person
) -> int:
    key = case.conversation
    if not text.strip():
        print("the reply is empty", file=sys.stderr)
        return 1
    if unmarked(text) is not None:
        print("this begins like a note; begin a reply otherwise", file=sys.stderr)
        return 1
    held = await store.get(Conversation, key)
    if held is not None and held.opted_out == ALL:
        print(f"{key}: has opted out, nothing may be sent", file=sys.stderr)
        return 1
    hand = Hand(settings, store, agent)
    async with _ringing(settings):
        # Else the customer would be an agent's whom no list shows.
        again = case.status == RESOLVED and not await _open(store, key)
        took = await (hand.does("reopen", key, case=case.id) if again else hand.does("take", key))
        said = await hand.does("say", key, text) if took.ok else took
    if not said.ok:
        print(said.text, file=sys.stderr)
        return 1
    print(
        f"{key}: queued, from {agent.name}; the conversation is yours until `bot cases close`"
        + (", the case is open again" if again else "")
    )
    return 0


async def _close(
    store: AsyncStore, settings: Settings, case: Case, resolution: str, agent: Person
) -> int:
    key = case.conversation
    held = await store.get(Conversation, key)
    done = Done(True, "")
    if await _open(store, key) or (held is not None and held.holder != BOT):
        async with _ringing(settings):
            done = await Hand(settings, store, agent).does("resolve", key, resolution)
        if not done.ok:
            print(done.text, file=sys.stderr)
            return 1
    print(f"{case.id}: {'closed' if case.status == OPEN else 'was closed already'}", end="")
    print(", the bot answers again" if held is not None and held.holder != BOT else "", end="")
    print("; the customer is asked for a rating" if done.data.get("asked") else "")
    return 0


async def _open(store: AsyncStore, conversation: str) -> bool:
    cases = await store.find(Case, {"conversation": conversation})
    return any(case.status == OPEN for case in cases)


@asynccontextmanager
async def _ringing(settings: Settings) -> AsyncIterator[None]:
    """Tell workers and consoles of what was done here."""
    bells = open_bells(settings.var, settings.redis.url, set())
    await bells.open()
    try:
        yield
    finally:
        bells.ring("out")
        bells.ring("desk")
        await bells.close()


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
