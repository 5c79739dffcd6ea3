"""Nobody is forgotten, and nobody is reminded twice, whatever dies or happens at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.desk.clock import Opening, clock
from bot.desk.deadlines import Deadlines
from bot.desk.handoff import move, take
from bot.desk.hours import Hours
from bot.desk.idle import RULE, finish
from bot.desk.language import language_of
from bot.desk.rating import question
from bot.desk.routing import Route, Routing, Within
from bot.message import Choice, Deletion, Edit, Event, Reaction, Text, utcnow
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.dead_letters import SEND, DeadLetter, lost
from bot.store.deeds import Deed
from bot.store.journal import CLOSED, OPENED, REMINDED, REOPENED, Entry
from bot.store.messages import (
    DELIVERED,
    DROPPED,
    FAILED,
    HELD,
    QUEUED,
    SENT,
    Message,
    arrival,
    to_message,
)
from bot.store.turns import Turn
from tests.kit.build import address, inbound, row
from tests.kit.channel import CAN
from tests.kit.waiting import PATIENCE

KEY = address().key
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALWAYS = Hours(ZoneInfo("UTC"), (((time(0), time(0)),),) * 7)
ROUTING = Routing(
    default="en",
    hours=ALWAYS,
    routes=(Route("desk", on_call=("anna",)),),
    within={
        "normal": Within(30 * MINUTE, 60 * MINUTE),
        "high": Within(10 * MINUTE, 20 * MINUTE),
        "urgent": Within(5 * MINUTE, 5 * MINUTE),
    },
    always=frozenset({"urgent"}),
    remind=(timedelta(), 15 * MINUTE, 30 * MINUTE),
    idle=20 * HOUR,
    rate=True,
    after_close="bot",
    reopen_within=72 * HOUR,
    undelivered=True,
    frustrated=True,
    texts={
        "idle": {"en": "Closed, for nobody wrote.", "de": "Geschlossen."},
        "rating": {"en": "How was it?", "de": "Wie war es?"},
    },
)


def deadlines(store: AsyncStore, routing: Routing = ROUTING) -> Deadlines:
    return Deadlines(store, routing, Limits(), lambda: None, capabilities=lambda _: CAN)


def back(at: timedelta) -> dict[str, Any]:
    """The times of a message from so long ago."""
    moment = utcnow() - at
    return {"sent": moment, "arrived": arrival() - int(at / timedelta(microseconds=1))}


async def talk(store: AsyncStore, holder: str = WAITING, **more: Any) -> Conversation:
    fields = {"lease_until": utcnow(), "created": utcnow(), "epoch": 1, **more}
    made = Conversation(id=KEY, holder=holder, **fields)
    await store.insert(made)
    return made


async def asks(store: AsyncStore, ago: timedelta, n: int = 1, content: Any = "help") -> Message:
    message = to_message(inbound(content, n=n))
    for name, value in back(ago).items():
        setattr(message, name, value)
    await store.insert(message)
    return message


async def says(
    store: AsyncStore, ago: timedelta, n: int = 1, status: str = DELIVERED, agent: str = "Anna"
) -> Message:
    message = row("hello", n=n, status=status, agent=agent, **back(ago))
    await store.insert(message)
    return message


async def bot_says(store: AsyncStore, ago: timedelta, n: int = 1, status: str = DELIVERED) -> None:
    times = back(ago)
    await store.insert(row("a reply", n=n, id=f"t{n}:0", status=status, turn=f"t{n}", **times))


async def opens(store: AsyncStore, ago: timedelta, n: int = 1, **more: Any) -> Case:
    fields = {"id": f"line:shop:ann-{n}", "topic": "human", "to": "desk", **more}
    case = Case(conversation=KEY, at=utcnow() - ago, **fields)
    await store.insert(case)
    return case


async def waits(store: AsyncStore, ago: timedelta, **more: Any) -> Case:
    await talk(store)
    await asks(store, ago)
    return await opens(store, ago, **more)


async def answered(store: AsyncStore, ago: timedelta, status: str = DELIVERED) -> Case:
    """A customer asked, an agent took it and had the last word so long ago."""
    case = await waits(store, ago + HOUR)
    await take(store, KEY, "anna")
    await says(store, ago, status=status)
    return case


async def entries(store: AsyncStore, kind: str = REMINDED) -> list[Entry]:
    found = await store.find(Entry, {"conversation": KEY}, sort=("arrived",))
    return [entry for entry in found if entry.kind == kind]


async def stages(store: AsyncStore) -> list[str]:
    return [entry.details["stage"] for entry in await entries(store)]


async def held(store: AsyncStore) -> Conversation:
    found = await store.get(Conversation, KEY)
    assert found is not None
    return found


async def status(store: AsyncStore, case: Case) -> str:
    found = await store.get(Case, case.id)
    assert found is not None
    return str(found.status)


async def to_customer(store: AsyncStore) -> list[str]:
    where = {"conversation": KEY, "direction": "out", "status": QUEUED}
    rows = await store.find(Message, where, sort=("order", "arrived"))
    return [r.content["text"] for r in rows]


# Reminders


@pytest.mark.parametrize(
    ("ago", "told"),
    [(29, []), (31, ["thread"]), (44, ["thread"]), (46, ["channel"]), (61, ["on_call"])],
)
async def test_each_stage_has_its_time(store: AsyncStore, ago: int, told: list[str]) -> None:
    await waits(store, ago * MINUTE)
    await deadlines(store).look()
    assert await stages(store) == told


async def test_a_reminder_says_who_waits_for_what(store: AsyncStore) -> None:
    case = await waits(store, 61 * MINUTE)
    rung: list[None] = []
    wakes = Deadlines(
        store, ROUTING, Limits(), lambda: rung.append(None), capabilities=lambda _: CAN
    )
    await wakes.look()
    (entry,) = await entries(store)
    due = (case.at + 30 * MINUTE).replace(second=0, microsecond=0)
    assert entry.id == f"remind:{case.id}:{case.id}:on_call"
    assert entry.text.startswith("Waiting for 61 minutes for a first answer (due ")
    assert f"{due:%H:%M})." in entry.text
    assert entry.details["on_call"] == ["anna"]
    assert (entry.details["minutes"], entry.details["first"]) == (61, True)
    assert (entry.case, entry.via, entry.agent) == (case.id, "rule", "")
    assert len(rung) == 1


async def test_the_stages_follow_each_other_and_each_is_said_once(store: AsyncStore) -> None:
    await waits(store, 40 * MINUTE)
    for later in (20 * MINUTE, 5 * MINUTE, 5 * MINUTE, timedelta()):
        routing = replace(ROUTING, remind=(timedelta(), later, later + MINUTE))
        await deadlines(store, routing).look()
    assert await stages(store) == ["thread", "on_call"]


async def test_two_processes_remind_once(store: AsyncStore) -> None:
    await waits(store, 31 * MINUTE)
    both = [deadlines(store), deadlines(store)]
    for _ in range(3):
        await asyncio.gather(*(one.look() for one in both))
    assert await stages(store) == ["thread"]


async def test_after_an_answer_the_next_question_has_its_own_time(store: AsyncStore) -> None:
    case = await waits(store, 5 * HOUR)
    await take(store, KEY, "anna")
    await says(store, 4 * HOUR)
    await deadlines(store).look()
    assert await stages(store) == []
    first = await asks(store, 61 * MINUTE, n=2)
    await asks(store, 2 * MINUTE, n=3)
    await deadlines(store).look()
    (entry,) = await entries(store)
    assert entry.id == f"remind:{case.id}:{first.id}:thread"
    assert "for an answer" in entry.text


@pytest.mark.parametrize("what", [Reaction("x", "👍"), Edit("x", Text("y")), Event("blocked")])
async def test_what_calls_for_no_answer_is_not_waited_for(store: AsyncStore, what: Any) -> None:
    await answered(store, 4 * HOUR)
    await asks(store, 3 * HOUR, n=2, content=what)
    await deadlines(store).look()
    assert await stages(store) == []


@pytest.mark.parametrize(("status_", "told"), [(FAILED, 1), (DROPPED, 1), (HELD, 0), (QUEUED, 0)])
async def test_an_answer_that_failed_is_none(store: AsyncStore, status_: str, told: int) -> None:
    await answered(store, 2 * HOUR, status_)
    await deadlines(store).look()
    assert len(await stages(store)) == told


async def test_the_bot_s_words_are_no_answer(store: AsyncStore) -> None:
    await waits(store, 40 * MINUTE)
    await says(store, 35 * MINUTE, agent="")
    await deadlines(store).look()
    assert await stages(store) == ["thread"]


async def test_a_case_that_an_agent_opened_unasked_waits_for_nobody(store: AsyncStore) -> None:
    await talk(store, AGENT, agent="anna")
    await asks(store, 6 * HOUR)
    await bot_says(store, 5.9 * HOUR)
    await opens(store, 5 * HOUR, id="taken:slack:1")
    await deadlines(store).look()
    assert await stages(store) == []
    await asks(store, 40 * MINUTE, n=2)
    await deadlines(store).look()
    assert await stages(store) == ["thread"]


@pytest.mark.parametrize("status_", [DROPPED, FAILED, HELD])
async def test_who_takes_it_while_the_bot_composes_has_to_answer(
    store: AsyncStore, status_: str
) -> None:
    await talk(store, AGENT, agent="anna")
    await asks(store, 9 * HOUR)
    await bot_says(store, 8.9 * HOUR)
    asked = await asks(store, 50 * MINUTE, n=2)
    await bot_says(store, 49.9 * MINUTE, n=2, status=status_)
    case = await opens(store, 49.8 * MINUTE, id="taken:slack:1")
    await deadlines(store).look()
    (entry,) = await entries(store)
    assert (entry.id, entry.details["first"]) == (f"remind:{case.id}:{asked.id}:channel", True)
    await says(store, timedelta(), n=3)
    await deadlines(store).look()
    assert len(await entries(store)) == 1


async def test_what_an_agent_corrects_or_takes_back_answers_nothing(store: AsyncStore) -> None:
    case = await answered(store, 29 * HOUR)
    await asks(store, 27 * HOUR, n=3)
    for n, content in enumerate((Edit("p1", "Hello!"), Deletion("p1")), 4):
        await store.insert(
            row(content, n=n, status=DELIVERED, agent="Anna", **back((30 - n) * HOUR))
        )
    await deadlines(store).look()
    assert await stages(store) == ["on_call"]
    assert await status(store, case) == OPEN


async def test_who_has_opted_out_waits_for_nothing(store: AsyncStore) -> None:
    await answered(store, 3 * HOUR)
    await asks(store, 2 * HOUR, n=2, content="STOP")
    await store.change(Conversation, {"id": KEY}, set={"opted_out": "all"})
    await deadlines(store).look()
    assert await entries(store) == []


async def test_who_only_rates_waits_for_nothing(store: AsyncStore) -> None:
    await answered(store, 3 * HOUR)
    stars = question(ROUTING, "en", "an older case").options[4]
    await asks(store, 2 * HOUR, n=2, content=Choice(stars.payload, stars.title))
    await deadlines(store).look()
    assert await entries(store) == []


@pytest.mark.parametrize(("agent", "told"), [("", ["channel"]), ("anna", [])])
async def test_a_case_that_was_opened_again(store: AsyncStore, agent: str, told: list[str]) -> None:
    case = await answered(store, 30 * HOUR)
    await store.change(Case, {"id": case.id}, set={"opened": 2})
    times = back(50 * MINUTE)
    entry = Entry(
        id="reopened:x",
        conversation=KEY,
        case=case.id,
        kind=REOPENED,
        agent=agent,
        at=times["sent"],
        arrived=times["arrived"],
    )
    await store.insert(entry)
    await deadlines(store, replace(ROUTING, idle=None)).look()
    assert await stages(store) == told


async def test_a_second_case_counts_only_when_it_is_more_urgent(store: AsyncStore) -> None:
    root = await waits(store, 20 * MINUTE)
    await asks(store, 19 * MINUTE, n=2)
    await opens(store, 19 * MINUTE, n=2)
    await deadlines(store).look()
    assert await stages(store) == []
    await asks(store, 8 * MINUTE, n=3)
    urgent = await opens(store, 8 * MINUTE, n=3, priority="urgent")
    await deadlines(store).look()
    (entry,) = await entries(store)
    assert entry.id == f"remind:{urgent.id}:{urgent.id}:thread"
    # The thread is that of the case that agents see.
    assert entry.case == root.id


async def test_a_long_monologue_waits_since_it_began(store: AsyncStore) -> None:
    case = await answered(store, 5 * HOUR)
    first = await asks(store, 3 * HOUR, n=2)
    for n in range(3, 130):
        await asks(store, 2 * HOUR - n * timedelta(seconds=1), n=n)
    await deadlines(store).look()
    (entry,) = await entries(store)
    assert entry.id == f"remind:{case.id}:{first.id}:on_call"


def test_the_clock_by_itself() -> None:
    at = utcnow() - HOUR
    case = Case(id="c", conversation=KEY, topic="human", priority="high", at=at)
    conversation = Conversation(id=KEY, holder=AGENT)
    opening = Opening(at, "c", waits=True)

    def now(*rows: Message) -> Any:
        return clock(case, conversation, rows, opening=opening, routing=ROUTING)

    assert (now().due, now().first, now().waiting_since) == (at + 10 * MINUTE, True, at)
    old = row("x", agent="Anna", status=SENT, **back(2 * HOUR))
    assert now(old).first
    answer = row("x", agent="Anna", status=SENT, **back(30 * MINUTE))
    assert now(old, answer) is None
    message = to_message(inbound("and?"))
    made = now(message, old, answer)
    assert (made.first, made.cause) == (False, message.id)
    assert made.due == made.waiting_since + 20 * MINUTE
    conversation.holder = BOT
    assert now(message, answer) is None


async def test_a_round_does_not_look_at_each_conversation_again(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waits(store, MINUTE)
    one = deadlines(store)
    await one.look()
    gone: list[str] = []
    get = store.get

    async def counted(cls: Any, id: Any) -> Any:
        gone.append(cls.__name__)
        return await get(cls, id)

    monkeypatch.setattr(store, "get", counted)
    await one.look()
    assert gone == []


async def test_one_bad_case_does_not_stop_the_others(store: AsyncStore) -> None:
    await waits(store, 50 * MINUTE)
    bad = Case(id="bad", conversation="nonsense", topic="human", at=utcnow() - 3 * HOUR)
    await store.insert(bad)
    await store.insert(Conversation(id="nonsense", lease_until=utcnow(), created=utcnow()))
    times = back(2 * HOUR)
    message = row("x", direction="in", conversation="nonsense", status="done", id="bad", **times)
    await store.insert(message)
    await deadlines(store).look()
    assert await stages(store) == ["channel"]


# Idle conversations


async def test_an_idle_conversation_is_closed_and_the_customer_told(store: AsyncStore) -> None:
    case = await answered(store, 21 * HOUR)
    other = await opens(store, 20 * HOUR, n=2)
    one = deadlines(store)
    for _ in range(3):
        await one.look()
    now = await held(store)
    assert (now.holder, now.agent, now.epoch) == (BOT, "", 3)
    closed = await store.get(Case, case.id)
    assert closed is not None
    assert (closed.status, closed.closed_by) == (RESOLVED, "rule")
    assert closed.resolution == "nobody wrote for 20 hours"
    assert await status(store, other) == RESOLVED
    said = await to_customer(store)
    assert said[0] == "Closed, for nobody wrote."
    assert said[1].startswith("How was it?")
    assert len(said) == 2
    (entry,) = await entries(store, CLOSED)
    assert entry.id == f"closed:{case.id}:1"


async def test_its_words_are_in_the_customer_s_language(store: AsyncStore) -> None:
    await answered(store, 21 * HOUR)
    turn = Turn(id="t", conversation=KEY, seq=1, at=utcnow(), perception={"language": "de"})
    await store.insert(turn)
    assert await language_of(store, KEY) == "de"
    await deadlines(store).look()
    assert (await to_customer(store))[0] == "Geschlossen."


async def test_without_a_rating_nobody_is_asked(store: AsyncStore) -> None:
    await answered(store, 21 * HOUR)
    await deadlines(store, replace(ROUTING, rate=False)).look()
    assert await to_customer(store) == ["Closed, for nobody wrote."]


async def test_who_has_opted_out_is_told_nothing(store: AsyncStore) -> None:
    case = await answered(store, 21 * HOUR)
    await store.change(Conversation, {"id": KEY}, set={"opted_out": "all"})
    await deadlines(store).look()
    assert await status(store, case) == RESOLVED
    assert await to_customer(store) == []


async def test_beyond_the_window_nothing_is_sent(store: AsyncStore) -> None:
    case = await answered(store, 23 * HOUR)
    one = Deadlines(
        store,
        ROUTING,
        Limits(),
        lambda: None,
        capabilities=lambda _: replace(CAN, window_hours=24.0),
    )
    await one.look()
    assert await status(store, case) == RESOLVED
    assert await to_customer(store) == []


async def _too_early(store: AsyncStore) -> None:
    note = Entry(id="n", conversation=KEY, kind="note", at=utcnow(), arrived=arrival())
    await store.insert(note)


async def _customer_waits(store: AsyncStore) -> None:
    await asks(store, 20.5 * HOUR, n=2)


async def _reacted(store: AsyncStore) -> None:
    await asks(store, HOUR, n=2, content=Reaction("x", "👍"))


async def _deed(store: AsyncStore) -> None:
    deed = Deed(
        id="d",
        kind="write",
        conversation=KEY,
        agent="anna",
        via="slack",
        text="hello",
        at=utcnow(),
        arrived=arrival(),
        due=utcnow(),
    )
    await store.insert(deed)


@pytest.mark.parametrize("what", [_too_early, _customer_waits, _reacted, _deed])
async def test_what_keeps_a_conversation_open(
    store: AsyncStore, what: Callable[[AsyncStore], Awaitable[None]]
) -> None:
    case = await answered(store, 21 * HOUR)
    await what(store)
    await deadlines(store).look()
    assert await status(store, case) == OPEN
    assert (await held(store)).holder == AGENT
    assert await to_customer(store) == []


@pytest.mark.parametrize("status_", [FAILED, HELD, QUEUED])
async def test_nobody_is_closed_whom_the_last_word_did_not_reach(
    store: AsyncStore, status_: str
) -> None:
    case = await answered(store, 21 * HOUR, status_)
    await deadlines(store).look()
    assert await status(store, case) == OPEN


async def test_never_is_never(store: AsyncStore) -> None:
    case = await answered(store, 900 * HOUR)
    await deadlines(store, replace(ROUTING, idle=None)).look()
    assert await status(store, case) == OPEN


class Between:
    """Runs something before the `n`-th change that the store is asked for, once."""

    def __init__(self, store: AsyncStore, n: int, what: Callable[[], Awaitable[Any]]) -> None:
        self._n, self._what, self._change = n, what, store.change
        self._count = 0
        store.change = self._changed  # type: ignore[method-assign]

    async def _changed(self, *args: Any, **kwargs: Any) -> Any:
        self._count += 1
        if self._count == self._n:
            await self._what()
        return await self._change(*args, **kwargs)


async def test_a_customer_who_writes_as_it_is_closed_wins(store: AsyncStore) -> None:
    case = await answered(store, 21 * HOUR)

    async def write() -> None:
        await asks(store, timedelta(), n=2)

    Between(store, 1, write)
    await deadlines(store).look()
    now = await held(store)
    assert (now.holder, now.agent) == (AGENT, "anna")
    assert await status(store, case) == OPEN
    assert await to_customer(store) == []
    assert await entries(store, CLOSED) == []


async def test_an_agent_who_writes_as_it_is_closed_wins(store: AsyncStore) -> None:
    case = await answered(store, 21 * HOUR)

    async def write() -> None:
        await says(store, timedelta(), n=2, status=QUEUED)

    Between(store, 1, write)
    await deadlines(store).look()
    now = await held(store)
    assert (now.holder, now.agent) == (AGENT, "anna")
    assert await status(store, case) == OPEN
    assert await to_customer(store) == ["hello"]


async def test_an_agent_who_wrote_in_slack_as_it_is_closed_wins(store: AsyncStore) -> None:
    case = await answered(store, 21 * HOUR)
    Between(store, 1, lambda: _deed(store))
    await deadlines(store).look()
    assert (await held(store)).holder == AGENT
    assert await status(store, case) == OPEN


@pytest.mark.parametrize("n", [1, 2, 3])
async def test_an_agent_who_takes_it_as_it_is_closed_wins(store: AsyncStore, n: int) -> None:
    case = await answered(store, 21 * HOUR)
    other = await opens(store, 20 * HOUR, n=2)

    async def assign() -> None:
        await move(store, KEY, (await held(store)).epoch, AGENT, "ben")

    Between(store, n, assign)
    await deadlines(store).look()
    now = await held(store)
    assert (now.holder, now.agent) == (AGENT, "ben")
    assert await status(store, case) == await status(store, other) == OPEN
    assert await to_customer(store) == []


async def test_what_was_said_at_closing_is_dropped_when_an_agent_takes_over(
    store: AsyncStore,
) -> None:
    await answered(store, 21 * HOUR)
    await deadlines(store).look()
    where = {"conversation": KEY, "direction": "out", "status": QUEUED}
    rows = await store.find(Message, where)
    # By these the outbox tells the bot's words, and that they are not too late.
    assert {(bool(r.turn), r.agent, r.epoch) for r in rows} == {(True, "", 3)}


async def test_what_a_dead_process_closed_while_an_agent_took_it_is_open_again(
    store: AsyncStore,
) -> None:
    case = await answered(store, 21 * HOUR)
    other = await opens(store, 20 * HOUR, n=2)
    closing = {"status": RESOLVED, "closed_by": RULE, "resolved": utcnow()}
    for one, resolution in ((case, "nobody wrote for 20 hours"), (other, f"with {case.id}")):
        await store.change(Case, {"id": one.id}, set={**closing, "resolution": resolution})
    root = await store.get(Case, case.id)
    assert root is not None
    await finish(store, root, ROUTING, lambda _: CAN)
    found = await store.find(Case, {"conversation": KEY}, sort=("at",))
    assert [(c.status, c.agent, c.resolution) for c in found] == [(OPEN, "anna", "")] * 2
    assert await entries(store, CLOSED) == []
    assert await to_customer(store) == []


class Dies:
    """Lets a process die before or after its `n`-th call of the store."""

    def __init__(self, store: AsyncStore, n: int, *, after: bool) -> None:
        self.store, self._left, self._after = store, n, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.store, name)

        async def counted(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left < 0 or (self._left == 0 and not self._after):
                raise StoreDown("dead")
            result = await call(*args, **kwargs)
            if self._left == 0:
                raise StoreDown("dead")
            return result

        return counted


@pytest.mark.parametrize("after", [False, True])
async def test_a_process_may_die_anywhere_in_closing(
    store: AsyncStore, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.desk.deadlines._GRACE", -MINUTE)
    case = await answered(store, 21 * HOUR)
    other = await opens(store, 20 * HOUR, n=2)
    died = 0
    for n in range(1, 60):
        mortal: Any = Dies(store, n, after=after)
        try:
            await deadlines(mortal).look()
        except StoreDown:
            died += 1
        else:
            break
        # Another process goes on at once; every beginning is tried.
        if n % 2:
            await deadlines(store).look()
            assert await status(store, case) == await status(store, other) == RESOLVED
            assert len(await to_customer(store)) == 2
            assert len(await entries(store, CLOSED)) == 1
            await reset(store, case, other)
    assert died > 10
    await deadlines(store).look()
    now = await held(store)
    assert now.holder == BOT
    assert len(await to_customer(store)) == 2
    assert len(await entries(store, CLOSED)) == 1


async def reset(store: AsyncStore, *cases: Case) -> None:
    """Back to where nothing was closed."""
    now = await held(store)
    await move(store, KEY, now.epoch, AGENT, "anna")
    for case in cases:
        await store.change(
            Case,
            {"id": case.id},
            set={"status": OPEN, "closed_by": "", "resolution": ""},
            unset=("resolved",),
        )
    await store.delete(Entry, {"conversation": KEY})
    await store.delete(Message, {"conversation": KEY, "direction": "out", "status": QUEUED})


async def test_two_processes_close_once(store: AsyncStore) -> None:
    case = await answered(store, 21 * HOUR)
    both = [deadlines(store), deadlines(store)]
    for _ in range(2):
        await asyncio.gather(*(one.look() for one in both))
    assert await status(store, case) == RESOLVED
    assert len(await to_customer(store)) == 2
    assert len(await entries(store, CLOSED)) == 1


# What could not be delivered


async def fails(
    store: AsyncStore, n: int = 1, reason: str = "Rejected: 131026 no such user", **more: Any
) -> DeadLetter:
    fields = {"status": FAILED, "turn": f"t{n}", **more}
    failed = row("your order", n=n, **fields)
    await store.put(failed)
    letter = lost(SEND, failed, reason)
    await store.put(letter)
    return letter


async def test_what_could_not_be_delivered_is_a_case(store: AsyncStore) -> None:
    await talk(store, BOT, language="de")
    letter = await fails(store, reason="Rejected: call +44 7700 900123")
    both = [deadlines(store), deadlines(store)]
    for _ in range(2):
        await asyncio.gather(*(one.look() for one in both))
    (case,) = await store.find(Case, {"status": OPEN})
    assert case.id == f"undelivered:{letter.id}"
    assert (case.topic, case.priority, case.to) == ("undelivered", "normal", "desk")
    assert case.language == "de"
    assert "900123" not in case.why + case.summary
    assert "your order" not in case.why + case.summary
    assert (await held(store)).holder == BOT
    assert [entry.case for entry in await entries(store, OPENED)] == [case.id]


async def test_it_waits_like_any_other(store: AsyncStore) -> None:
    await talk(store, BOT)
    await fails(store)
    await deadlines(store).look()
    await store.change(Case, {"conversation": KEY}, set={"at": utcnow() - 50 * MINUTE})
    await deadlines(store).look()
    assert await stages(store) == ["channel"]


async def test_many_failures_of_one_conversation_are_one_case(store: AsyncStore) -> None:
    await talk(store, BOT)
    one = deadlines(store)
    for n in (1, 2, 3):
        await fails(store, n)
        await one.look()
    (case,) = await store.find(Case, {"status": OPEN})
    # Somebody has seen to it, after all of them: a new process opens nothing for those.
    done = {"status": RESOLVED, "resolved": utcnow()}
    await store.change(Case, {"id": case.id}, set=done)
    await deadlines(store).look()
    assert await store.count(Case, {"status": OPEN}) == 0
    await asyncio.sleep(0.002)
    await fails(store, 4)
    await one.look()
    assert await store.count(Case, {"status": OPEN}) == 1


async def test_of_two_that_are_opened_at_once_one_stays(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk(store, BOT)
    first = await fails(store, 1)
    insert_new = store.insert_new

    async def another_is_faster(documents: Any) -> list[bool]:
        if isinstance(documents[0], Case):
            earlier = Case(
                id="undelivered:x",
                conversation=KEY,
                topic="undelivered",
                at=documents[0].at - timedelta(milliseconds=5),
            )
            await insert_new([earlier])
        return await insert_new(documents)

    monkeypatch.setattr(store, "insert_new", another_is_faster)
    await deadlines(store).look()
    assert [case.id for case in await store.find(Case, {"status": OPEN})] == ["undelivered:x"]
    mine = await store.get(Case, f"undelivered:{first.id}")
    assert mine is not None
    assert (mine.status, mine.part_of) == (RESOLVED, "undelivered:x")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"turn": f"closed:{KEY}-1:1", "id": f"{KEY}:rating:c:1:0"}, "Rejected: 131049"),
        ({"turn": "console:1", "id": f"{KEY}:desk:console:1:0"}, "Rejected: 131049"),
        ({"status": HELD}, "WindowClosed: the customer wrote too long ago for a free message"),
        ({"notice": True}, "Rejected: no"),
        ({"turn": None}, "Rejected: no"),
        ({}, "OptedOut: 131050 the user stopped marketing"),
        ({}, "NoMarketing: 131050"),
        ({"status": DELIVERED}, "Rejected: but a receipt came"),
    ],
)
async def test_what_makes_no_case(store: AsyncStore, more: dict[str, Any], reason: str) -> None:
    await talk(store, BOT)
    await fails(store, reason=reason, **more)
    await deadlines(store).look()
    assert await store.count(Case, {}) == 0


async def test_what_was_held_and_then_failed_makes_one(store: AsyncStore) -> None:
    await talk(store, BOT)
    await fails(store, reason="WindowClosed: too late", status=HELD)
    one = deadlines(store)
    await one.look()
    await fails(store, reason="WindowClosed: too late")
    await one.look()
    assert await store.count(Case, {"status": OPEN}) == 1


async def test_who_has_opted_out_makes_no_case(store: AsyncStore) -> None:
    await talk(store, BOT, opted_out="all")
    await fails(store)
    await deadlines(store).look()
    assert await store.count(Case, {}) == 0


async def test_an_agent_s_message_without_an_open_case_makes_one(store: AsyncStore) -> None:
    await talk(store, BOT)
    await fails(store, agent="Anna", turn=None)
    await deadlines(store).look()
    (case,) = await store.find(Case, {"status": OPEN})
    assert case.summary == "The customer did not get an agent's message."


async def test_an_open_case_is_enough(store: AsyncStore) -> None:
    case = await waits(store, MINUTE)
    await fails(store)
    await deadlines(store).look()
    assert [c.id for c in await store.find(Case, {})] == [case.id]


async def test_nobody_need_be_told_of_failures(store: AsyncStore) -> None:
    await talk(store, BOT)
    await fails(store)
    await deadlines(store, replace(ROUTING, undelivered=False)).look()
    assert await store.count(Case, {}) == 0


async def test_a_round_runs_and_stops(store: AsyncStore) -> None:
    await waits(store, 50 * MINUTE)
    told = asyncio.Event()
    one = Deadlines(store, ROUTING, Limits(), told.set, capabilities=lambda _: CAN)
    running = asyncio.create_task(one.run())
    await asyncio.wait_for(told.wait(), PATIENCE)
    await one.stop()
    await asyncio.wait_for(running, PATIENCE)
    assert await stages(store) == ["channel"]
