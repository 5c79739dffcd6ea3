"""The bot gives a conversation up, agents take it and give it back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.desk.handoff import NotYours, hand_over, resolve, take
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.messages import Message
from bot.store.turns import Turn
from tests.kit.build import address
from tests.kit.channel import CAN
from tests.kit.hands import given_back, said

KEY = address().key
HANDOFF = {"topic": "legal", "why": 'pattern "my lawyer"', "priority": "high"}


def turn(n: int = 1, epoch: int = 0) -> Turn:
    return Turn(id=f"{KEY}:{n}", conversation=KEY, seq=n, at=utcnow(), epoch=epoch)


async def held(store: AsyncStore) -> Conversation:
    found = await store.get(Conversation, KEY)
    assert found is not None
    return found


@pytest.fixture
async def conversation(store: AsyncStore) -> Conversation:
    row = Conversation(id=KEY, lease_until=utcnow(), created=utcnow())
    await store.insert(row)
    return row


async def test_the_bot_gives_up_once_however_often_it_is_derived(
    store: AsyncStore, conversation: Conversation
) -> None:
    for _ in range(3):
        await hand_over(store, turn(), HANDOFF, "My lawyer will write to ann@mail.example")
    case = await store.get(Case, turn().id)
    assert case is not None
    assert (case.topic, case.priority, case.status) == ("legal", "high", OPEN)
    assert "ann@mail.example" not in case.summary
    assert "lawyer" in case.summary
    assert await store.count(Case, {}) == 1
    now = await held(store)
    # What the bot said in that very turn is still to go out.
    assert (now.holder, now.epoch) == (WAITING, 0)


async def test_deriving_again_after_an_agent_was_there_takes_nothing_away(
    store: AsyncStore, conversation: Conversation
) -> None:
    await hand_over(store, turn(), HANDOFF, "")
    await take(store, KEY, "eve")
    await hand_over(store, turn(), HANDOFF, "")
    assert (await held(store)).holder == AGENT
    await given_back(store, KEY)
    await hand_over(store, turn(), HANDOFF, "")
    now = await held(store)
    assert (now.holder, now.agent, now.epoch) == (BOT, "", 2)


async def test_of_fifty_agents_one_gets_it_and_the_others_are_told_who(
    store: AsyncStore, conversation: Conversation
) -> None:
    tries = [take(store, KEY, f"agent-{n}") for n in range(50)]
    results: list[Any] = await asyncio.gather(*tries, return_exceptions=True)
    won = [r for r in results if isinstance(r, Conversation)]
    lost = [r for r in results if isinstance(r, NotYours)]
    assert (len(won), len(lost)) == (1, 49)
    now = await held(store)
    assert (now.holder, now.epoch, now.agent) == (AGENT, 1, won[0].agent)
    assert {str(error) for error in lost} == {f"{now.agent} has this conversation"}


async def test_taking_what_one_has_changes_nothing(
    store: AsyncStore, conversation: Conversation
) -> None:
    await take(store, KEY, "eve")
    assert (await take(store, KEY, "eve")).epoch == 1


async def test_what_an_agent_says_comes_after_all_that_was_said_and_once(
    store: AsyncStore, conversation: Conversation
) -> None:
    await store.insert(turn(7))
    mine = await take(store, KEY, "eve")
    assert await said(store, mine, "hello, this is Eve", "eve", "1")
    assert not await said(store, mine, "hello, this is Eve", "eve", "1")
    assert await said(store, mine, "and one thing more", "eve", "2")
    where = {"conversation": KEY, "direction": "out"}
    rows = await store.find(Message, {**where, "status": "queued"}, sort=("order", "arrived"))
    assert [row.content["text"] for row in rows] == ["hello, this is Eve", "and one thing more"]
    assert all(7000 < row.order < 8000 and row.agent == "eve" and not row.turn for row in rows)


async def test_a_case_is_closed_once_and_its_resolution_holds_no_personal_data(
    store: AsyncStore, conversation: Conversation
) -> None:
    await hand_over(store, turn(), HANDOFF, "")
    case = await store.get(Case, turn().id)
    assert case is not None
    assert await resolve(store, case, "eve", "Paid back to 4111 1111 1111 1111.")
    assert not await resolve(store, case, "bob", "again")
    now = await store.get(Case, case.id)
    assert now is not None
    assert (now.status, now.agent) == (RESOLVED, "eve")
    assert "4111" not in now.resolution


async def test_a_long_reply_of_an_agents_goes_out_in_as_many_messages_as_it_needs(
    store: AsyncStore, conversation: Conversation
) -> None:
    mine = await take(store, KEY, "eve")
    text = "This is a sentence that says something. " * 15
    assert await said(store, mine, text, "eve", "1")
    assert not await said(store, mine, text, "eve", "1")
    where = {"conversation": KEY, "direction": "out", "status": "queued"}
    rows = await store.find(Message, where, sort=("order", "arrived"))
    assert len(rows) > 1
    assert all(len(row.content["text"]) <= CAN.text_limit for row in rows)
    assert " ".join(row.content["text"] for row in rows) == text.strip()


async def test_the_name_of_a_customer_is_not_in_the_summary(
    store: AsyncStore, conversation: Conversation
) -> None:
    await hand_over(store, turn(), HANDOFF, "My lawyer writes for Ann Miller", ["Ann", "Miller"])
    case = await store.get(Case, turn().id)
    assert case is not None
    assert "lawyer" in case.summary
    assert "Miller" not in case.summary


async def test_no_two_messages_of_agents_have_one_place(
    store: AsyncStore, conversation: Conversation
) -> None:
    # The feed of a web chat goes on after the place of what it showed last.
    await store.insert(turn(3))
    long = "word " * 400
    for n, text in enumerate(("first", long, "last")):
        await said(store, conversation, text, "Anna", str(n))
    rows = await store.find(Message, {"conversation": KEY}, sort=("order", "arrived"))
    places = [row.order for row in rows]
    assert len(rows) > 3
    assert places == sorted(set(places))
    assert 3000 < places[0] <= places[-1] < 4000
    assert rows[-1].content["text"] == "last"
