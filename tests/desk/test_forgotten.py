"""Who waits for a person without an open case is found, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.desk.forgotten import find_forgotten
from bot.desk.handoff import move
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING
from bot.store.journal import OPENED, REMINDED, REOPENED
from tests.desk.test_deadlines import (
    HOUR,
    KEY,
    MINUTE,
    ROUTING,
    asks,
    deadlines,
    entries,
    held,
    opens,
    says,
    talk,
)


async def cases(store: AsyncStore) -> list[Case]:
    return await store.find(Case, {"conversation": KEY}, sort=("at",))


async def test_his_last_case_is_open_again_and_waits(store: AsyncStore) -> None:
    await talk(store)
    for n in (1, 2):
        ago = (3 - n) * HOUR
        ended = {"status": RESOLVED, "resolved": utcnow() - ago, "agent": "anna"}
        await opens(store, 5 * HOUR, n=n, **ended)
    await asyncio.gather(*(deadlines(store).look() for _ in range(3)))
    assert [(c.status, c.opened) for c in await cases(store)] == [(RESOLVED, 1), (OPEN, 2)]
    (entry,) = await entries(store, REOPENED)
    assert (entry.case, entry.agent, entry.via) == (f"{KEY}-2", "", "rule")
    assert (await held(store)).holder == WAITING
    # An answer is due since then.
    await deadlines(store).look()
    assert await entries(store, REMINDED) == []


async def test_who_never_had_one_gets_one_of_the_time_when_he_wrote(store: AsyncStore) -> None:
    await talk(store, language="de", profile={"name": "Amara Osei"})
    await asks(store, 3 * HOUR)
    await says(store, 2 * HOUR)
    await asks(store, 50 * MINUTE, n=2, content="Amara Osei here, call +44 7700 900123")
    await asyncio.gather(*(deadlines(store).look() for _ in range(3)))
    (case,) = await cases(store)
    assert (case.topic, case.status, case.language, case.to) == ("human", OPEN, "de", "desk")
    assert "Amara" not in case.summary
    assert "900123" not in case.summary
    assert timedelta() < utcnow() - case.at - 50 * MINUTE < MINUTE
    assert len(await entries(store, OPENED)) == 1
    assert [e.details["stage"] for e in await entries(store, REMINDED)] == ["channel"]


@pytest.mark.parametrize("holder", [BOT, AGENT])
async def test_whom_somebody_has_is_not_forgotten(store: AsyncStore, holder: str) -> None:
    await talk(store, holder)
    assert await find_forgotten(store, ROUTING) == 0
    assert await cases(store) == []


async def test_who_has_an_open_case_is_not_forgotten(store: AsyncStore) -> None:
    await talk(store)
    await opens(store, HOUR, status=RESOLVED, resolved=utcnow())
    await opens(store, HOUR, n=2, part_of=f"{KEY}-1")
    assert await find_forgotten(store, ROUTING) == 0
    assert await entries(store, REOPENED) == []


async def test_a_case_that_is_being_closed_stays_closed(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversation was read before it was the bot's again, its cases after that."""
    await talk(store)
    case = await opens(store, HOUR)
    find = store.find

    async def closed_in_between(document: Any, *args: Any, **kwargs: Any) -> Any:
        if document is Case:
            await move(store, KEY, 1, BOT)
            ended = {"status": RESOLVED, "resolved": utcnow()}
            await store.change(Case, {"id": case.id}, set=ended)
        return await find(document, *args, **kwargs)

    monkeypatch.setattr(store, "find", closed_in_between)
    assert await find_forgotten(store, ROUTING) == 0
    assert [c.status for c in await cases(store)] == [RESOLVED]
