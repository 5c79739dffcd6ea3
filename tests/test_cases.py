"""``bot cases``: what agents see and do at a terminal."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.cases import cases
from bot.cli import settings_of
from bot.message import Text, encode, utcnow
from bot.settings import Settings
from bot.store import AsyncStore, open_store
from bot.store.cases import OPEN, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.documents import DOCUMENTS
from bot.store.messages import Message, arrival

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
