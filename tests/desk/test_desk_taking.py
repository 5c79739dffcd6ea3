"""Taking, assigning, giving back, resolving, opening again, and the rating."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.desk import rating
from bot.desk.clock import moment
from bot.desk.contract import Done
from bot.desk.handoff import hand_over, move, take
from bot.desk.routing_file import UNDELIVERED
from bot.message import Choice, Choices, Menu, Reaction, Text, decode, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.consents import ALL
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.deeds import Deed
from bot.store.journal import ASSIGNED, RATED, REOPENED, TAKEN
from bot.store.journal import RESOLVED as CLOSED
from bot.store.messages import DELIVERED, to_message
from bot.store.turns import Turn
from connectors.render import render
from tests.kit.at_desk import KEY, deed, desk_of, do, held, journal, out, routing, talk, to_customer
from tests.kit.build import inbound, row
from tests.kit.channel import CAN


async def case(store: AsyncStore, id: str = "case", **more: object) -> Case:
    made = Case(**{"id": id, "conversation": KEY, "topic": "legal", "at": utcnow(), **more})
    await store.insert(made)
    return made


async def answers(store: AsyncStore, **more: Any) -> None:
    """Anna has a word with the customer."""
    await store.insert(row(status=DELIVERED, agent="Anna Keller", order=1, **more))


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
    await answers(store)
    can = replace(CAN, buttons=10)
    wanted = deed("resolve", "anna", "Paid back to 4111 1111 1111 1111.")
    assert (await do(desk_of(store, can), wanted)).ok
    assert (await held(store)).holder == BOT
    closed = await store.find(Case, {"conversation": KEY}, sort=("at",))
    assert [c.status for c in closed] == [RESOLVED, RESOLVED]
    assert "4111" not in closed[0].resolution
    assert closed[1].resolution == "with case"
    _, asked = await to_customer(store)
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
    await answers(store)
    hours = 24.0 if why == "window closed" else None
    rules = replace(routing(), rate=False) if why == "off" else routing()
    desk = desk_of(store, replace(CAN, window_hours=hours), routing=rules)
    args: dict[str, Any] = {"rate": False} if why == "not wanted" else {}
    assert (await do(desk, deed("resolve", **args))).ok
    assert (await held(store)).holder == BOT
    assert await to_customer(store) == [Text("hello")]


@pytest.mark.parametrize("holder", [WAITING, AGENT])
async def test_who_waited_for_a_word_in_vain_is_not_asked_how_it_was(
    store: AsyncStore, holder: str
) -> None:
    await talk(store, holder=holder, agent="anna" if holder == AGENT else "", language="en")
    asked = to_message(inbound("a person please"))
    await store.insert(asked)
    await answers(store, arrived=asked.arrived - 1_000_000)
    await case(store, asked.id, at=moment(asked.arrived))
    done = await do(desk_of(store), deed("resolve", text="spam"))
    assert done.text == "Resolved, the bot answers again, and says so to the customer."
    assert await to_customer(store) == [Text("hello"), Text(routing().says("returned", "en"))]


async def test_whom_an_agent_took_from_the_bot_without_a_word_hears_nothing(
    store: AsyncStore,
) -> None:
    await talk(store)
    assert (await do(desk_of(store), deed("take"))).ok
    assert (await do(desk_of(store), deed("resolve"))).text == "Resolved, the bot answers again."
    assert await out(store) == []


@pytest.mark.parametrize("kind", ["resolve", "back"])
@pytest.mark.parametrize("holder", [WAITING, AGENT])
async def test_what_the_customer_wrote_after_the_press_is_seen_first(
    store: AsyncStore, kind: str, holder: str
) -> None:
    await talk(store, holder=holder, agent="anna" if holder == AGENT else "")
    await case(store)
    desk, pressed = desk_of(store), deed(kind)
    await store.insert(to_message(inbound(Reaction("x", "👍"))))
    await store.insert(to_message(inbound("wait, the address is wrong")))
    done = await do(desk, pressed)
    assert not done.ok
    assert done.text.startswith("The customer has written meanwhile")
    assert (await held(store)).holder == holder
    assert [c.status for c in await desk.means.open_cases(KEY)] == [OPEN]
    assert await out(store) == []
    assert (await do(desk, deed(kind))).ok


async def test_a_turn_that_hands_over_late_does_not_make_him_wait_without_a_case(
    store: AsyncStore,
) -> None:
    await talk(store)
    turn = Turn(id=f"{KEY}-1", conversation=KEY, seq=1, at=utcnow(), epoch=0)
    # The case is there, and its worker died before it gave up the conversation.
    await case(store, turn.id)
    assert (await do(desk_of(store), deed("resolve", text="called him"))).ok
    await hand_over(store, turn, {"topic": "legal", "why": "x", "priority": "high"}, "")
    assert (await held(store)).holder == BOT


async def test_what_the_bot_is_saying_goes_out_though_a_failure_of_before_is_resolved(
    store: AsyncStore,
) -> None:
    await talk(store)
    await case(store, topic=UNDELIVERED)
    assert (await do(desk_of(store), deed("resolve", text="called him"))).ok
    # By it the outbox tells what is too late.
    assert (await held(store)).epoch == 0


async def test_a_case_that_another_agent_takes_as_it_is_resolved_stays_open(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await case(store)
    await answers(store)

    async def and_ben_takes(*args: Any) -> Any:
        freed = await move(*args)
        await take(store, KEY, "ben")
        return freed

    monkeypatch.setattr("bot.desk.closing.move", and_ben_takes)
    done = await do(desk_of(store), deed("resolve"))
    assert (done.ok, done.text) == (False, "Ben Okafor took this conversation meanwhile.")
    found = await store.get(Case, "case")
    assert found is not None
    assert (found.status, found.resolved) == (OPEN, None)
    assert await to_customer(store) == [Text("hello")]


async def test_what_comes_after_the_bot_has_it_again_is_not_closed_along(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk(store, holder=AGENT, agent="anna")
    await case(store)

    async def while_he_writes(*args: Any) -> Any:
        freed = await move(*args)
        await case(store, "later", topic="self_harm")
        return freed

    monkeypatch.setattr("bot.desk.closing.move", while_he_writes)
    assert (await do(desk_of(store), deed("resolve"))).ok
    left = await store.find(Case, {"status": OPEN}, sort=("at",))
    assert [row.id for row in left] == ["later"]


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


async def test_the_case_that_is_named_is_opened_again(store: AsyncStore) -> None:
    await talk(store)
    long_ago = utcnow() - timedelta(hours=1)
    await case(store, "older", status=RESOLVED, resolved=long_ago, at=long_ago)
    await case(store, "newer", status=RESOLVED, resolved=utcnow())
    desk = desk_of(store)
    assert not (await do(desk, deed("reopen", case="of another"))).ok
    assert (await do(desk, deed("reopen", case="older"))).ok
    assert [one.id for one in await desk.means.open_cases(KEY)] == ["older"]


async def test_a_case_that_is_closed_again_is_rated_again(store: AsyncStore) -> None:
    two_days, hour = utcnow() - timedelta(days=2), utcnow() - timedelta(hours=1)
    await case(store, status=RESOLVED, resolved=two_days)
    assert await rating.record(store, KEY, "case", 1, by="ann-1")
    await store.change(Case, {"id": "case"}, set={"rated_at": two_days, "resolved": hour})
    assert await rating.record(store, KEY, "case", 5, by="ann-2")
    found = await store.get(Case, "case")
    assert found is not None
    assert found.rating == 5
    assert found.rated_at > hour


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
