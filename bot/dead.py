"""``bot dead``: what could not be parsed, answered or sent, and another try at it."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from dataclasses import replace
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from bot import serve
from bot.inbox import Inbox
from bot.message import utcnow
from bot.settings import Settings
from bot.store import AsyncStore, StoreError
from bot.store.dead_letters import FETCH, RECEIVE, TURN, DeadLetter
from bot.store.files import REFUSED, WANTED, StoredFile
from bot.store.messages import FAILED, HELD, QUEUED, Message, from_message
from bot.store.wake import open_bells
from connectors.base import Request
from connectors.errors import ConnectorError, Unreadable


class CannotReplay(Exception):
    """This dead letter cannot be tried again; the text says why."""


async def dead(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot dead list|show|replay``; return 0, or 1 when something was not to be done."""
    store = serve.store_of(settings)
    try:
        if args.verb == "list":
            return await _list(store, args.stage, args.limit)
        if args.verb == "show":
            return await _show(store, args.id, as_json=args.json)
        return await _replay(store, settings, args.id)
    except StoreError as error:
        print(f"the store: {error}", file=sys.stderr)
        return 1
    finally:
        await store.close()


async def _list(store: AsyncStore, stage: str | None, limit: int) -> int:
    where = {"stage": stage} if stage else {}
    letters = await store.find(DeadLetter, where, sort=("-at",), limit=limit)
    for letter in letters:
        replayed = "replayed" if letter.replayed else ""
        print(
            f"{letter.id}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.stage:7}  "
            f"{letter.channel}:{letter.account}  {letter.reason[:100]}  {replayed}".rstrip()
        )
    if not letters:
        print("no dead letters")
    return 0


async def _one(store: AsyncStore, id: str) -> DeadLetter | None:
    try:
        letter = await store.get(DeadLetter, ObjectId(id))
    except InvalidId:
        letter = None
    if letter is None:
        print(f"{id}: no such dead letter; `bot dead list` shows them", file=sys.stderr)
    return letter


async def _show(store: AsyncStore, id: str, *, as_json: bool) -> int:
    letter = await _one(store, id)
    if letter is None:
        return 1
    if as_json:
        if letter.body is None:
            print(f"{id}: is of stage {letter.stage} and holds no request", file=sys.stderr)
            return 1
        print(json.dumps(recording(letter), indent=1, ensure_ascii=False))
        return 0
    for name in ("id", "stage", "channel", "account", "ref", "at", "replayed", "reason"):
        value = getattr(letter, name)
        if value not in (None, ""):
            print(f"{name:9} {value}")
    if letter.detail:
        print(f"\n{letter.detail}")
    if letter.body is not None:
        print(f"\n{bytes(letter.body).decode('utf-8', 'backslashreplace')}")
    if letter.ref:
        message = await store.get(Message, letter.ref)
        if message is not None:
            print(f"\nmessage   {message.direction} {message.status}: {message.content}")
    return 0


def recording(letter: DeadLetter) -> dict[str, Any]:
    """Return the request of a dead letter as ``bot replay`` reads it."""
    body = bytes(letter.body or b"")
    try:
        said = {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        said = {"body_base64": base64.b64encode(body).decode()}
    return {
        "channel": letter.channel,
        "account": letter.account,
        "query": letter.query or {},
        "headers": letter.headers or {},
        **said,
    }


async def _replay(store: AsyncStore, settings: Settings, ids: list[str]) -> int:
    bells = open_bells(settings.var, settings.redis.url, set())
    await bells.open()
    status = 0
    try:
        for id in ids:
            letter = await _one(store, id)
            if letter is None:
                status = 1
                continue
            try:
                if letter.stage == RECEIVE:
                    done = await _receive_again(store, settings, letter, Inbox(store, bells))
                elif letter.stage == TURN:
                    done = await _answer_again(store, letter, Inbox(store, bells))
                elif letter.stage == FETCH:
                    done = await _fetch_again(store, letter)
                else:
                    done = await _send_again(store, letter)
                    bells.ring("out")
            except StoreError:
                raise
            except Exception as error:
                # What killed it once may do so again; the others are still to be tried.
                said = error if isinstance(error, (CannotReplay, ConnectorError)) else repr(error)
                print(f"{id}: {said}", file=sys.stderr)
                status = 1
                continue
            await store.change(DeadLetter, {"id": letter.id}, set={"replayed": utcnow()})
            print(f"{id}: {done}")
    finally:
        await bells.close()
    return status


async def _receive_again(
    store: AsyncStore, settings: Settings, letter: DeadLetter, inbox: Inbox
) -> str:
    connector = serve.connectors_of(settings).get((letter.channel, letter.account))
    if connector is None:
        raise CannotReplay(f"no account {letter.channel}:{letter.account} is configured")
    path = f"/webhooks/{letter.channel}/{letter.account}"
    query, headers = dict(letter.query or {}), dict(letter.headers or {})
    request = Request("POST", path, query, headers, bytes(letter.body or b""))
    try:
        arrived = await connector.receive(connector.vouch(request))
    except Unreadable as error:
        fresh = await inbox.accept(error.parsed)
        found = f"{len(error.parsed)} parsed, {fresh} new"
        raise CannotReplay(f"still not all of it is readable ({found}): {error}") from error
    finally:
        await connector.close()
    fresh = await inbox.accept(arrived)
    return f"{len(arrived)} parsed, {fresh} new"


async def _fetch_again(store: AsyncStore, letter: DeadLetter) -> str:
    now = utcnow()
    wanted = await store.change(
        StoredFile,
        {"id": letter.ref, "status": REFUSED},
        set={"status": WANTED, "due": now, "at": now, "attempts": 0, "deaths": 0, "owner": ""},
    )
    if wanted is None:
        raise CannotReplay(f"file {letter.ref} is not a refused one any more")
    return "to be fetched again"


async def _answer_again(store: AsyncStore, letter: DeadLetter, inbox: Inbox) -> str:
    row = await store.get(Message, letter.ref)
    if row is None:
        raise CannotReplay(f"message {letter.ref} is gone")
    # Its turn is committed, an apology; another one needs another id. The same replay
    # given twice is one message.
    again = replace(from_message(row), provider_id=f"{row.provider_id}:again:{letter.id}", order=0)
    fresh = await inbox.accept([again])
    return "given to the bot again" if fresh else "was given to the bot again before"


async def _send_again(store: AsyncStore, letter: DeadLetter) -> str:
    queued = await store.change(
        Message,
        {"id": letter.ref, "status": {"$in": (FAILED, HELD)}},
        set={"status": QUEUED, "due": utcnow(), "attempts": 0, "owner": ""},
    )
    if queued is None:
        raise CannotReplay(f"message {letter.ref} is not a failed one any more")
    return "queued"
