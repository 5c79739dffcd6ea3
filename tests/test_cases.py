"""``bot cases``: what agents see and do at a terminal."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cases import cases
from bot.cli import settings_of
from bot.desk.clerk import Clerk
from bot.desk.contract import Done
from bot.desk.desk import Desk
from bot.message import Text, encode, utcnow
from bot.process import me
from bot.settings import ConsoleAccount, Settings
from bot.store import AsyncStore, StoreDown, open_store
from bot.store.cases import OPEN, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.deeds import Deed
from bot.store.documents import DOCUMENTS
from bot.store.journal import Entry
from bot.store.messages import Message, arrival
from tests.kit.at_desk import desk_of
from tests.kit.processes import QUICK
from tests.kit.waiting import until

KEY = "whatsapp:shop:4915112345678"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    endpoints, credentials = tmp_path / "endpoints.yml", tmp_path / "credentials.yml"
    for file in (endpoints, credentials):
        file.write_text("{}\n")
    given = argparse.Namespace(endpoints=endpoints, credentials=credentials, var=tmp_path / "var")
    return settings_of(given)


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[AsyncStore]:
    store = AsyncStore(open_store(settings.store.url), DOCUMENTS)
    await store.insert(Conversation(id=KEY, holder=WAITING, lease_until=utcnow(), created=utcnow()))
    yield store
    await store.close()


async def waits(desk: AsyncStore, id: str, *, minutes: int = 0, **fields: Any) -> Case:
    values = {"conversation": KEY, "topic": "legal", "priority": "normal", **fields}
    case = Case(id=id, at=utcnow() - timedelta(minutes=minutes), **values)
    await desk.insert(case)
    return case


async def run(settings: Settings, verb: str, **args: Any) -> int:
    defaults = {"closed": False, "limit": 50, "agent": "eve", "resolution": ""}
    return await cases(argparse.Namespace(verb=verb, **{**defaults, **args}), settings)


async def holder(desk: AsyncStore) -> str:
    held = await desk.get(Conversation, KEY)
    assert held is not None
    return str(held.holder)


async def status(desk: AsyncStore, id: str) -> str:
    case = await desk.get(Case, id)
    assert case is not None
    return str(case.status)


async def test_the_most_urgent_case_is_shown_however_many_are_older(
    desk: AsyncStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(5):
        await waits(desk, f"old{n}", minutes=100 - n)
    await waits(desk, "new", priority="urgent", topic="self_harm")
    assert await run(settings, "list", limit=3) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["new", "old0", "old1"]


async def test_what_customers_write_does_nothing_to_the_terminal(
    desk: AsyncStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    nasty = "hello\x1b]0;owned\x07\x1b[2J\nfake  urgent  line"
    await waits(desk, "c1", summary=nasty)
    now = utcnow()
    row = Message(
        id=f"{KEY}:1",
        direction="in",
        conversation=KEY,
        channel="whatsapp",
        account="shop",
        status="done",
        content=encode(Text(nasty)),
        arrived=arrival(),
        sent=now,
        due=now,
    )
    await desk.insert(row)
    await run(settings, "list")
    listed = capsys.readouterr().out
    assert len(listed.splitlines()) == 1
    await run(settings, "show", id="c1")
    shown = capsys.readouterr().out
    for out in (listed, shown):
        assert "hello" in out
        assert "\x1b" not in out
        assert "\x07" not in out


async def test_a_closed_case_that_is_answered_is_open_again(
    desk: AsyncStore, settings: Settings
) -> None:
    await waits(desk, "c1")
    assert await run(settings, "close", id="c1", resolution="done") == 0
    assert (await status(desk, "c1"), await holder(desk)) == ("resolved", BOT)
    # Else the customer would be an agent's whom no list shows.
    assert await run(settings, "reply", id="c1", text="one thing more") == 0
    assert (await status(desk, "c1"), await holder(desk)) == (OPEN, AGENT)


async def test_who_has_opted_out_is_not_written_to_and_the_agent_is_told(
    desk: AsyncStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await waits(desk, "c1")
    await desk.change(Conversation, {"id": KEY}, set={"opted_out": "all"})
    assert await run(settings, "reply", id="c1", text="hello") == 1
    assert "has opted out" in capsys.readouterr().err
    assert await holder(desk) == WAITING
    assert await desk.count(Message, {"conversation": KEY}) == 0


async def test_an_empty_reply_is_none(desk: AsyncStore, settings: Settings) -> None:
    await waits(desk, "c1")
    assert await run(settings, "reply", id="c1", text="  ") == 1
    assert await holder(desk) == WAITING


async def test_another_agents_case_is_neither_answered_nor_closed(
    desk: AsyncStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await waits(desk, "c1")
    assert await run(settings, "reply", id="c1", text="I'm Eve") == 0
    assert await run(settings, "reply", id="c1", text="I'm Bob", agent="bob") == 1
    assert await run(settings, "close", id="c1", agent="bob") == 1
    assert capsys.readouterr().err.count("eve has this conversation") == 2
    assert await status(desk, "c1") == OPEN
    rows = await desk.find(Message, {"conversation": KEY})
    assert [row.content["text"] for row in rows] == ["I'm Eve"]


@pytest.fixture
def staffed(settings: Settings) -> Settings:
    """Anna has an account of the console."""
    anna = ConsoleAccount("anna", "long enough for anna", "Anna Keller")
    return replace(settings, console=(anna,))


async def test_what_is_done_at_a_terminal_leaves_the_traces_of_the_console(
    desk: AsyncStore, staffed: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await waits(desk, "c1")
    await desk.change(Conversation, {"id": KEY}, set={"last_in": utcnow()})
    assert await run(staffed, "reply", id="c1", text="Hello", agent="anna") == 0
    assert "from Anna Keller" in capsys.readouterr().out
    case = await desk.get(Case, "c1")
    assert case is not None
    assert case.agent == "anna"
    assert await run(staffed, "close", id="c1", agent="Anna Keller", resolution="sent one") == 0
    shown = capsys.readouterr().out
    assert shown == "c1: closed, the bot answers again; the customer is asked for a rating\n"
    entries = await desk.find(Entry, {"conversation": KEY}, sort=("arrived",))
    assert [(e.kind, e.case, e.agent, e.name, e.via) for e in entries] == [
        ("taken", "c1", "anna", "Anna Keller", "cli"),
        ("resolved", "c1", "anna", "Anna Keller", "cli"),
    ]
    rows = await desk.find(Message, {"conversation": KEY}, sort=("arrived",))
    assert [row.agent for row in rows] == ["Anna Keller", ""]
    deeds = await desk.find(Deed, {"conversation": KEY}, sort=("arrived",))
    assert [(d.kind, d.status, d.owner) for d in deeds] == [
        ("take", "done", ""),
        ("say", "done", ""),
        ("resolve", "done", ""),
    ]
    assert await run(staffed, "close", id="c1", agent="anna") == 0
    assert capsys.readouterr().out == "c1: was closed already\n"


@pytest.mark.parametrize(("login", "shown"), [("root", "Agent"), ("anna", "Anna Keller")])
async def test_a_login_of_the_machine_is_nothing_that_customers_read(
    desk: AsyncStore,
    staffed: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    login: str,
    shown: str,
) -> None:
    monkeypatch.setattr("bot.cases._me", lambda: login)
    await waits(desk, "c1")
    assert await run(staffed, "reply", id="c1", text="Hello", agent="") == 0
    assert f"from {shown};" in capsys.readouterr().out
    (row,) = await desk.find(Message, {"conversation": KEY})
    assert row.agent == shown
    held = await desk.get(Conversation, KEY)
    assert held is not None
    assert held.agent == login


async def test_a_reply_that_begins_like_a_note_takes_nothing_over(
    desk: AsyncStore, settings: Settings
) -> None:
    await waits(desk, "c1")
    assert await run(settings, "reply", id="c1", text="**note:** he lies") == 1
    assert await holder(desk) == WAITING
    assert await desk.count(Message, {"conversation": KEY}) == 0


async def test_an_older_case_that_is_answered_is_the_one_that_is_open_again(
    desk: AsyncStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await waits(desk, "old", minutes=9, status="resolved", resolved=utcnow())
    await waits(desk, "new", minutes=5, status="resolved", resolved=utcnow())
    assert await run(settings, "reply", id="old", text="one thing more") == 0
    assert "the case is open again" in capsys.readouterr().out
    assert [await status(desk, id) for id in ("old", "new")] == [OPEN, "resolved"]


async def test_workers_leave_alone_what_is_done_at_a_terminal_and_end_what_died_there(
    desk: AsyncStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is claimed as by a worker, so that one goes on with it when this process is gone."""
    await waits(desk, "c1")
    claims: list[tuple[str, str, bool]] = []

    async def dies(self: Desk, deed: Deed) -> Done:
        kept = await desk.get(Deed, deed.id)
        assert kept is not None
        claims.append((kept.status, kept.owner, kept.due > utcnow() + timedelta(minutes=1)))
        raise StoreDown("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Desk, "perform", dies)
        assert await run(settings, "reply", id="c1", text="Hello") == 1
    assert claims == [("pending", me(), True)]
    # For the worker its owner is dead.
    monkeypatch.setattr("bot.desk.clerk.me", lambda: "a worker")
    monkeypatch.setattr("bot.desk.clerk.is_dead", lambda owner: owner == me())
    clerk = Clerk(desk, desk_of(desk), QUICK, lambda: None)
    running = asyncio.create_task(clerk.run())
    await until(lambda: _held_by(desk, AGENT))
    await clerk.stop()
    await running
    assert await status(desk, "c1") == OPEN


async def _held_by(desk: AsyncStore, who: str) -> bool:
    return await holder(desk) == who


async def test_what_a_worker_has_in_hand_is_waited_for(
    desk: AsyncStore, settings: Settings
) -> None:
    await waits(desk, "c1")
    now = utcnow()
    theirs = Deed(
        id="console:1",
        kind="take",
        conversation=KEY,
        agent="ben",
        via="console",
        at=now,
        arrived=arrival(),
        due=now + timedelta(minutes=1),
        owner=me(),
    )
    await desk.insert(theirs)
    running = asyncio.create_task(run(settings, "reply", id="c1", text="Hello"))
    await asyncio.sleep(0.4)
    assert await holder(desk) == WAITING
    await desk.change(Deed, {"id": theirs.id}, set={"status": "done"})
    assert await running == 0
    assert await holder(desk) == AGENT
