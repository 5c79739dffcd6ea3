"""``bot customer``'s verbs about what is known: set, unset, export, forget."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from datetime import timedelta
from pathlib import Path

from bson import ObjectId

from bot.desk.remembering import key_of
from bot.desk.slack.client import SlackClient
from bot.identity import Person
from bot.media.vault import AsyncVault, open_vault
from bot.memory.asking import ask, begun, unfinished
from bot.memory.contract import KINDS, NotRemembered
from bot.memory.erasing import Overtaken, SlackAway
from bot.memory.exporting import export, json_of, write
from bot.memory.file import load_memory
from bot.memory.keeping import recall, remember, unset
from bot.memory.quieting import Busy
from bot.memory_roles import eraser_of
from bot.message import clean, utcnow
from bot.perception.escalation_file import load_escalation
from bot.settings import Settings
from bot.store import AsyncStore
from bot.store.memory import AGENT, FACT, FORGOTTEN, Forgetting

VERBS = ("set", "unset", "export", "forget")
#: For how long the command waits for those who have a part of it in hand, in seconds.
PATIENCE = 120.0
_PAUSE = 0.5
_DAYS = 365
_BY = "command"


async def memory_lines(store: AsyncStore, found: Person) -> list[str]:
    """Return what is known, a line each, with where it comes from."""
    memory = await recall(store, found)
    return [
        f"{one.at:%Y-%m-%d %H:%M}  {one.kind:10} {one.key}: {one.value}  ({one.by}, {one.source})"
        for kind in KINDS
        for one in memory.of(kind)
    ]


async def do(args: Namespace, settings: Settings, store: AsyncStore, found: Person) -> int:
    """Do one of `VERBS` for a person; return the exit status. Raises StoreError."""
    if args.verb == "set":
        return await _set(store, found, args.about, args.value)
    if args.verb == "unset":
        taken = await unset(store, found, [key_of(args.key)], by=AGENT, source=_BY)
        print(f"{args.key}: " + ("not remembered any more" if taken else "nothing was known"))
        return 0 if taken else 1
    if args.verb == "export":
        return await _export(settings, store, found, args.file)
    return await _forget(args, settings, store, found)


async def _set(store: AsyncStore, found: Person, about: str, value: str) -> int:
    here = [m for m in found.members if not m.left_for]
    if not here:
        print("that address was given up", file=sys.stderr)
        return 1
    if not key_of(about):
        print("say what it is about, as in 'Shoe size'", file=sys.stderr)
        return 1
    try:
        await remember(
            store,
            str(here[0].address),
            kind=FACT,
            key=key_of(about),
            about=about,
            value=value,
            source=_BY,
            by=AGENT,
            at=utcnow(),
            days=_DAYS,
            escalation=load_escalation(),
            never=load_memory().never,
        )
    except NotRemembered as error:
        print(f"that is not kept: {error}", file=sys.stderr)
        return 1
    print(f"{found.id}: {key_of(about)} is remembered")
    return 0


async def _export(settings: Settings, store: AsyncStore, found: Person, file: Path | None) -> int:
    told = await export(store, found)
    if file is None:
        print(json_of(told))
        return 0
    try:
        count = await write(file, told, AsyncVault(open_vault(settings)))
    except OSError as error:
        print(f"{file}: {error.strerror or type(error).__name__}", file=sys.stderr)
        return 1
    print(f"{file}: all that is kept of {found.id}, with {count} files")
    return 0


async def _forget(args: Namespace, settings: Settings, store: AsyncStore, found: Person) -> int:
    if not args.yes:
        print(f"{found.id}: {len(found.members)} addresses, with all that was said and sent there,")
        print("all cases, notes and what is remembered are deleted for good.")
        for row in await unfinished(store, found):
            print(f"The shop has not answered yet, and is not asked again: {row.tool} ({row.id})")
        print("Go on? [y/N] ", end="")
        sys.stdout.flush()
        if (await asyncio.to_thread(sys.stdin.readline)).strip().lower() not in ("y", "yes"):
            print("nothing was deleted")
            return 1
    row = await ask(store, found, by=_BY)
    return await finish(settings, store, row.id)


async def half_forgotten(store: AsyncStore, args: Namespace) -> ObjectId | None:
    """Return the forgetting that a process died of, where it is asked for again."""
    return await begun(store, clean(args.who)) if args.verb == "forget" else None


async def finish(settings: Settings, store: AsyncStore, id: ObjectId) -> int:
    """Forget, waiting for who has a part of it in hand; workers go on where this gives up."""
    clients = {account.account: SlackClient(account) for account in settings.slack}
    eraser = eraser_of(store, AsyncVault(open_vault(settings)), clients)
    end = utcnow() + timedelta(seconds=PATIENCE)
    try:
        while True:
            try:
                return _said(await eraser.work(id))
            except (Busy, Overtaken, SlackAway) as error:
                if utcnow() >= end:
                    print(f"not finished yet: {error}; the workers go on with it", file=sys.stderr)
                    return 1
            await asyncio.sleep(_PAUSE)
    finally:
        for client in clients.values():
            await client.close()


def _said(row: Forgetting) -> int:
    left = int((row.counts or {}).get("left") or 0)
    print("forgotten everywhere" if row.status == FORGOTTEN else "not finished yet")
    if left:
        print(f"{left} posts stay in Slack, where we may not delete them: ask an owner of it")
    return 0
