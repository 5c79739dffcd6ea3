"""Taking, assigning, giving back, resolving, opening again, and the rating."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.desk import rating
from bot.desk.contract import Done
from bot.message import Choice, Choices, Menu, Text, decode, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.consents import ALL
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.deeds import Deed
from bot.store.journal import ASSIGNED, RATED, REOPENED, TAKEN
from bot.store.journal import RESOLVED as CLOSED
from bot.store.turns import Turn
from connectors.render import render
from tests.kit.at_desk import KEY, deed, desk_of, do, held, journal, out, routing, talk, to_customer
from tests.kit.channel import CAN


async def case(store: AsyncStore, id: str = "case", **more: object) -> Case:
    made = Case(**{"id": id, "conversation": KEY, "topic": "legal", "at": utcnow(), **more})
    await store.insert(made)
    return made


async def test_who_takes_first_has_it_and_the_other_is_told_who(store: AsyncStore) -> None:
    await talk(store, holder=WAITING)
    await case(store)
    await case(store, "later", part_of="case")
    desk = desk_of(store)
    assert (await do(desk, deed("take", "anna"))).ok
    refused = await do(desk, deed("take", "ben"))
    assert refused == Done(False, "Anna Keller has this conversation.")
    now = await held(store)
    assert (now.holder, now.agent, now.epoch) == (AGENT, "anna", 1)
    assert {c.agent for c in await store.find(Case, {"conversation": KEY})} == {"anna"}
    (entry,) = await journal(store)
    assert (entry.kind, entry.case, entry.name) == (TAKEN, "case", "Anna Keller")


async def test_taking_what_one_has_is_no_second_takeover(store: AsyncStore) -> None:
    await talk(store)
    desk = desk_of(store)
    for _ in range(2):
        assert (await do(desk, deed("take"))).ok
    assert (await held(store)).epoch == 1
    assert len(await journal(store)) == 1


async def test_who_takes_unasked_gets_a_case(store: AsyncStore) -> None:
    await talk(store, language="de")
    wanted = deed("take", "anna", priority="high")
    assert (await do(desk_of(store), wanted)).ok
    made = await store.get(Case, f"taken:{wanted.id}")
    assert made is not None
    assert (made.topic, made.why, made.agent) == ("taken", "Anna Keller took it unasked", "anna")
    assert (made.priority, made.language, made.to) == (
        "high",
        "de",
        routing().route(topic="taken", language="de", channel="line", priority="high").name,
    )


async def test_an_agent_without_a_login_is_called_by_his_own_name(store: AsyncStore) -> None:
    await talk(store)
    desk = desk_of(store)
    zoe = deed("take", "slack:U0ZOE", via="slack")
    zoe.name = "Zoe Marsh"
    await do(desk, zoe)
    assert (await do(desk, deed("take", "ben"))).text == "Zoe Marsh has this conversation."


async def test_a_conversation_that_is_not_there_is_not_taken(store: AsyncStore) -> None:
    assert not (await do(desk_of(store), deed("take"))).ok


async def test_the_holder_gives_it_to_a_colleague_and_nobody_else_does(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await case(store, agent="anna")
    desk = desk_of(store)
    assert not (await do(desk, deed("assign", "ben", to="ben"))).ok
    assert not (await do(desk, deed("assign", "anna", to="nobody"))).ok
    done = await do(desk, deed("assign", "anna", to="ben"))
    assert done.text == "Ben Okafor has this conversation now."
    now = await held(store)
    assert (now.agent, now.epoch) == ("ben", 1)
    kept = await store.get(Case, "case")
    assert kept is not None
    assert kept.agent == "ben"
    (entry,) = await journal(store)
    assert (entry.kind, entry.agent, entry.details["to"]) == (ASSIGNED, "anna", "ben")


async def test_anybody_takes_over_from_the_holder_when_he_means_to(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    desk = desk_of(store)
    assert not (await do(desk, deed("assign", "ben", to="slack:U1", from_holder=True))).ok
    assert (await do(desk, deed("assign", "ben", to="ben", from_holder=True))).ok
    assert (await held(store)).agent == "ben"
    (entry,) = await journal(store)
    assert (entry.agent, entry.details["from"]) == ("ben", "anna")


async def test_back_to_the_bot_closes_the_case_and_the_customer_is_told_once(
    store: AsyncStore,
) -> None:
    await talk(store, holder=AGENT, agent="anna", epoch=3)
    await case(store)
    await store.insert(Turn(id="t", conversation=KEY, seq=4, at=utcnow()))
    desk = desk_of(store)
    assert not (await do(desk, deed("back", "ben"))).ok
    assert (await held(store)).holder == AGENT
    wanted = deed("back", "anna", "it was about parcels")
    for _ in range(3):
        assert (await do(desk, wanted)).ok
    now = await held(store)
    assert (now.holder, now.agent, now.epoch) == (BOT, "", 4)
    closed = await store.get(Case, "case")
    assert closed is not None
    assert (closed.status, closed.closed_by) == (RESOLVED, "anna")
    assert closed.resolution == "back to the bot: it was about parcels"
    (row,) = await out(store)
    assert decode(row.content) == Text(routing().says("returned", "en"))
    # Behind the last turn and before the next; as the bot's it is dropped when somebody takes.
    assert 4000 < row.order < 5000
    assert (row.turn, row.epoch, row.agent, row.status) == (wanted.id, 4, "", "queued")
    assert row.due <= utcnow()
    assert len(await journal(store)) == 1


async def test_what_the_bot_has_cannot_be_given_back(store: AsyncStore) -> None:
    await talk(store)
    assert not (await do(desk_of(store), deed("back"))).ok
    assert await out(store) == []


async def test_anybody_gives_back_what_only_waits(store: AsyncStore) -> None:
    await talk(store, holder=WAITING)
    assert (await do(desk_of(store), deed("back", "ben"))).ok
    assert (await held(store)).holder == BOT


async def test_resolving_asks_for_a_rating_by_native_buttons(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna", language="de")
    await case(store)
    await case(store, "other", part_of="case")
    can = replace(CAN, buttons=10)
    wanted = deed("resolve", "anna", "Paid back to 4111 1111 1111 1111.")
    assert (await do(desk_of(store, can), wanted)).ok
    assert (await held(store)).holder == BOT
    closed = await store.find(Case, {"conversation": KEY}, sort=("at",))
    assert [c.status for c in closed] == [RESOLVED, RESOLVED]
    assert "4111" not in closed[0].resolution
    assert closed[1].resolution == "with case"
    (asked,) = await to_customer(store)
    assert isinstance(asked, Choices)
    assert asked.text == routing().says("rating", "de")
    assert [o.title for o in asked.options] == ["★", "★★", "★★★", "★★★★", "★★★★★"]
    assert rating.read(Choice(asked.options[4].payload)) == ("case", 5)
    (entry,) = await journal(store)
    assert (entry.kind, entry.case) == (CLOSED, "case")
    assert "4111" not in entry.text


@pytest.mark.parametrize("why", ["not wanted", "opted out", "window closed", "off"])
async def test_nobody_is_asked_to_rate_who_should_not_be(store: AsyncStore, why: str) -> None:
    long_ago = utcnow() - timedelta(days=3)
    more = {"opted out": {"opted_out": ALL}, "window closed": {}}.get(why, {})
    await talk(store, holder=AGENT, agent="anna", **more)
    await store.change(Conversation, {"id": KEY}, set={"last_in": long_ago})
    await case(store)
    hours = 24.0 if why == "window closed" else None
    rules = replace(routing(), rate=False) if why == "off" else routing()
    desk = desk_of(store, replace(CAN, window_hours=hours), routing=rules)
    args: dict[str, Any] = {"rate": False} if why == "not wanted" else {}
    assert (await do(desk, deed("resolve", **args))).ok
    assert (await held(store)).holder == BOT
    assert await out(store) == []


async def test_what_has_no_case_and_is_the_bots_cannot_be_resolved(store: AsyncStore) -> None:
    await talk(store)
    assert not (await do(desk_of(store), deed("resolve"))).ok


async def test_a_case_is_opened_again_and_is_whose_opened_it(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await case(store)
    desk = desk_of(store)
    assert not (await do(desk, deed("reopen"))).ok
    await do(desk, deed("resolve", rate=False))
    assert (await do(desk, deed("reopen", "ben"))).ok
    again = await store.get(Case, "case")
    assert again is not None
    assert (again.status, again.agent, again.opened, again.resolved) == (OPEN, "ben", 2, None)
    assert again.closed_by == ""
    assert (await held(store)).agent == "ben"
    assert [entry.kind for entry in await journal(store)] == [CLOSED, REOPENED]


async def test_a_rating_counts_for_its_own_conversation_and_for_a_day(store: AsyncStore) -> None:
    await case(store)
    record = rating.record
    assert not await record(store, "line:shop:eve", "case", 1, by="eve-1")
    assert await record(store, KEY, "case", 2, by="ann-1")
    assert await record(store, KEY, "case", 5, by="ann-2")
    # Redelivered, the first one does not count again.
    assert await record(store, KEY, "case", 2, by="ann-1")
    found = await store.get(Case, "case")
    assert found is not None
    assert found.rating == 5
    await store.change(Case, {"id": "case"}, set={"rated_at": utcnow() - timedelta(days=2)})
    assert not await record(store, KEY, "case", 1, by="ann-3")
    rated = [entry for entry in await journal(store) if entry.kind == RATED]
    assert [entry.details["stars"] for entry in rated] == [2, 5]


@pytest.mark.parametrize(
    "content",
    [
        Text('/rate_agent{"case": "c", "stars": 5}'),
        Choice("/rate_agent"),
        Choice('/rate_agent{"case": "c", "stars": 0}'),
        Choice('/rate_agent{"case": "c", "stars": 6}'),
        Choice('/rate_agent{"case": "c", "stars": "5"}'),
        Choice('/rate_agent{"case": "c", "stars": true}'),
        Choice('/rate_agent{"case": "", "stars": 3}'),
        Choice("/rate_agent[5]"),
        Choice('/rate{"case": "c", "stars": 5}'),
    ],
    ids=repr,
)
def test_what_is_no_rating_is_not_read_as_one(content: Text | Choice) -> None:
    assert rating.read(content) is None


def test_where_there_are_only_lists_or_numbers_they_agree_with_the_stars() -> None:
    asked = rating.question(routing(), "en", "case")
    listed = replace(CAN, kinds_out=CAN.kinds_out | {"menu"}, list_rows=10)
    (menu,) = render(asked, listed)
    assert isinstance(menu, Menu)
    (text,) = render(asked, CAN)
    assert isinstance(text, Text)
    assert text.text.splitlines()[-1] == "5. ★★★★★"


async def test_a_plan_is_not_taken_from_outside(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    forged = deed("say", "ben", "buy this", plan={"what": "say"})
    assert not (await do(desk_of(store), forged)).ok
    assert await out(store) == []
    kept = await store.get(Deed, forged.id)
    assert kept is not None
    assert "plan" not in kept.args
