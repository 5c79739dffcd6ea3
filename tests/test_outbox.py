from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.message import utcnow
from bot.outbox import Outbox
from bot.settings import Limits
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.dead_letters import SEND, DeadLetter
from bot.store.messages import (
    DELIVERED,
    DROPPED,
    FAILED,
    QUEUED,
    READ,
    SENDING,
    SENT,
    UNKNOWN,
    UNSENT,
    Message,
    to_message,
)
from bot.window import outbound_of
from connectors.errors import Rejected, RetryLater, Unsure
from tests.kit.build import address, inbound, row
from tests.kit.channel import Break, Hang, Later, Line, Lose, Provider, Refuse, Step
from tests.kit.processes import QUICK, Failing, Machine
from tests.kit.waiting import until

Deliver = Callable[..., Outbox]
SHORT = replace(QUICK, send_timeout_seconds=0.1)


@pytest.fixture
async def deliver(machine: Machine, store: AsyncStore) -> AsyncIterator[Deliver]:
    """Start an outbox for some lines; all are stopped at the end."""
    running: list[tuple[Outbox, asyncio.Task[None]]] = []

    def begin(
        *lines: Line, limits: Limits = QUICK, name: str = "us", through: Any = None
    ) -> Outbox:
        accounts = {(line.channel, line.account.account): line for line in lines}
        with machine.being(name):
            outbox = Outbox(through or store, accounts, limits, lambda: None)
            running.append((outbox, asyncio.create_task(outbox.run())))
        return outbox

    yield begin
    for outbox, task in running:
        await outbox.stop()
        await task


@pytest.fixture
def put(store: AsyncStore) -> Callable[..., Any]:
    async def insert(*rows: Message) -> None:
        await store.insert_new(rows)

    return insert


async def of(store: AsyncStore, id: str) -> Message:
    found = await store.get(Message, id)
    assert found is not None
    return found


async def nothing_left(store: AsyncStore) -> bool:
    return not await store.count(Message, {"direction": "out", "status": {"$in": UNSENT}})


async def status(store: AsyncStore, message: Message) -> str:
    return (await of(store, message.id)).status


def line_of(*script: Step, **options: Any) -> Line:
    return Line(Provider(*script, **options))


async def test_a_conversations_messages_go_out_in_order_and_are_marked_sent(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    rows = [row(str(n), n=n) for n in range(1, 21)]
    shuffled = rows[:]
    random.Random(7).shuffle(shuffled)
    await put(*shuffled)
    line = line_of()
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == [str(n) for n in range(1, 21)]
    kept = [await of(store, r.id) for r in rows]
    assert [(r.status, r.provider_id, r.attempts, r.owner) for r in kept] == [
        (SENT, f"p{n}", 1, "") for n in range(1, 21)
    ]


async def test_several_outboxes_send_each_message_once_and_in_order(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(*(row(str(n), user=f"u{u}", n=n) for n in range(1, 11) for u in range(6)))
    provider = Provider()

    async def takes_a_while(_: Any) -> None:
        await asyncio.sleep(random.uniform(0, 0.01))

    provider.on_send = takes_a_while
    for name in ("one", "two", "three"):
        deliver(Line(provider), name=name)
    await until(lambda: nothing_left(store))
    for u in range(6):
        assert provider.said(f"u{u}") == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize(
    ("script", "attempts"),
    [
        ([Later()], 2),
        ([Later(0.03), Later(), Later(-5.0)], 4),
        ([Lose(taken=False)], 2),
        ([Lose(taken=True)], 1),
        ([Hang(taken=False)], 2),
        ([Hang(taken=True)], 1),
        ([Break(taken=False)], 2),
        ([Break(taken=True)], 1),
        ([Lose(taken=False), Later(), Hang(taken=True)], 3),
    ],
    ids=repr,
)
async def test_whatever_becomes_of_an_attempt_the_message_arrives_once_and_in_order(
    store: AsyncStore, deliver: Deliver, put: Any, script: list[Step], attempts: int
) -> None:
    await put(row("a", n=1), row("b", n=2))
    line = line_of(*script)
    deliver(line, limits=SHORT)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["a", "b"]
    assert len(line.provider.attempts) == attempts + 1


async def test_where_the_provider_cannot_tell_a_doubtful_message_is_sent_again(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(row("a", n=1), row("b", n=2))
    line = line_of(Lose(taken=True), confirms=False)
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["a", "a", "b"]


async def test_a_doubt_is_settled_with_what_was_known_before(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(
        row("older", n=1, status=READ, provider_id="p-1"),
        row("other", user="bob", n=1, status=SENT, provider_id="q-1"),
        row("newer", n=2, status=SENT, provider_id="p-2"),
        row("doubted", n=3, status=UNKNOWN, attempts=1),
    )
    line = line_of()
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.asked == [(row(n=3).id, ["p-2", "p-1"])]


async def test_a_doubt_is_settled_with_what_the_account_did_last_before_the_attempt(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    tried = utcnow() - timedelta(seconds=30)
    await put(
        row("of somebody else", user="bob", n=1, status=SENT, provider_id="before", due_in=-40),
        row("of somebody else", user="cleo", n=1, status=SENT, provider_id="after", due_in=-20),
        row("mine", n=1, status=SENT, provider_id="mine", due_in=-100),
        row("doubted", n=2, status=UNKNOWN, attempts=1, tried=tried),
    )
    heard = to_message(inbound("hello", user="bob", n=7))
    heard.due = tried - timedelta(seconds=5)
    await store.insert(heard)
    line = line_of()
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.asked == [(row(n=2).id, ["mine", "before", "mine", "bob-7"])]


async def test_each_attempt_notes_when_it_was_made(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    began = utcnow()
    await put(row("a", n=1))
    deliver(line_of())
    await until(lambda: nothing_left(store))
    assert began <= (await of(store, row(n=1).id)).tried <= utcnow()


async def test_a_refusal_is_a_dead_letter_and_the_next_goes_out(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    first = row("a", n=1)
    await put(first, row("b", n=2))
    line = line_of(Refuse())
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["b"]
    failed = await of(store, first.id)
    assert (failed.status, failed.reason) == (FAILED, "Rejected: 404 no such recipient")
    (letter,) = await store.find(DeadLetter, {"stage": SEND})
    assert (letter.ref, letter.reason) == (first.id, failed.reason)


@pytest.mark.parametrize("step", [Later(), Lose(taken=False), Break(taken=False)], ids=repr)
async def test_a_message_that_never_gets_through_is_given_up(
    store: AsyncStore, deliver: Deliver, put: Any, step: Step
) -> None:
    first = row("a", n=1)
    await put(first, row("b", n=2))
    line = line_of(*[step] * 3)
    deliver(line, limits=replace(QUICK, send_attempts=3))
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["b"]
    assert await status(store, first) == FAILED
    assert await store.count(DeadLetter, {"ref": first.id}) == 1


async def test_a_provider_that_cannot_be_asked_now_is_asked_again_but_not_for_ever(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    asked, never = row("a", n=1, status=UNKNOWN, attempts=1), row("b", user="bob", status=UNKNOWN)
    await put(asked)
    line = line_of()
    line.provider.confirming = [RetryLater("busy"), RetryLater("busy", 0.01)]
    deliver(line, limits=replace(QUICK, send_attempts=4))
    await until(lambda: nothing_left(store))
    assert (await status(store, asked), line.provider.said()) == (SENT, ["a"])

    line.provider.confirming = [RetryLater("busy")] * 100
    await put(never, row("c", user="bob", n=2))
    await until(lambda: nothing_left(store))
    assert (await status(store, never), line.provider.said("bob")) == (FAILED, ["c"])


@pytest.mark.parametrize(
    ("error", "became"),
    [(ZeroDivisionError(), SENT), (Unsure("no idea"), SENT), (Rejected("gone"), FAILED)],
    ids=repr,
)
async def test_whatever_asking_raises_the_conversation_goes_on(
    store: AsyncStore, deliver: Deliver, put: Any, error: Exception, became: str
) -> None:
    doubted = row("a", n=1, status=UNKNOWN, attempts=1)
    await put(doubted, row("b", n=2))
    line = line_of()
    line.provider.confirming = [error]
    deliver(line)
    await until(lambda: nothing_left(store))
    assert await status(store, doubted) == became
    assert line.provider.said()[-1] == "b"


async def test_a_message_that_cannot_be_read_back_does_not_block_those_behind_it(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    unknown = row("a", n=1)
    unknown.content = {"kind": "of a newer version"}
    await put(unknown, row("b", n=2))
    line = line_of()
    deliver(line, limits=replace(QUICK, send_attempts=2))
    await until(lambda: nothing_left(store))
    assert (await status(store, unknown), line.provider.said()) == (FAILED, ["b"])


@pytest.mark.parametrize(
    ("holder", "epoch", "turn", "became"),
    [
        ("bot", 3, "t", SENT),
        ("agent", 4, "t", DROPPED),
        ("waiting", 4, "t", DROPPED),
        # The bot itself gave it up, and what it said before is still to be read.
        ("waiting", 3, "t", SENT),
        # Taken over and given back: the customer has moved on.
        ("bot", 5, "t", DROPPED),
        ("agent", 4, None, SENT),
    ],
)
async def test_a_bot_reply_after_a_takeover_is_dropped_and_an_agents_is_not(
    store: AsyncStore,
    deliver: Deliver,
    put: Any,
    holder: str,
    epoch: int,
    turn: str | None,
    became: str,
) -> None:
    await store.insert(
        Conversation(
            id=address().key, holder=holder, epoch=epoch, lease_until=utcnow(), created=utcnow()
        )
    )
    reply = row("a", turn=turn, epoch=3)
    await put(reply)
    line = line_of()
    deliver(line)
    await until(lambda: nothing_left(store))
    assert await status(store, reply) == became
    assert line.provider.said() == (["a"] if became == SENT else [])


async def test_a_takeover_while_a_reply_waits_for_its_second_attempt_drops_it(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await store.insert(Conversation(id=address().key, lease_until=utcnow(), created=utcnow()))
    reply = row("a", turn="t")
    await put(reply)
    line = line_of(Lose(taken=False))

    async def takes_over(_: Any) -> None:
        taken = {"holder": "agent", "epoch": 1}
        await store.change(Conversation, {"id": address().key}, set=taken)

    line.provider.on_send = takes_over
    deliver(line)
    await until(lambda: nothing_left(store))
    assert (await status(store, reply), line.provider.said()) == (DROPPED, [])


@pytest.mark.parametrize("taken", [True, False])
async def test_what_a_dead_process_was_sending_is_settled_long_before_its_claim_ends(
    machine: Machine, store: AsyncStore, deliver: Deliver, put: Any, taken: bool
) -> None:
    claimed = row("a", n=1, status=SENDING, owner="gone", due_in=3600, attempts=1)
    await put(claimed, row("b", n=2))
    line = line_of()
    if taken:
        line.provider.on_send = None
        await line.send(outbound_of(claimed))
        line.provider.attempts.clear()
    machine.dead.add("gone")
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["a", "b"]
    assert len(line.provider.attempts) == (1 if taken else 2)


async def test_what_a_process_elsewhere_is_sending_is_left_to_it(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    claimed = row("a", n=1, status=SENDING, owner="far away", due_in=3600, attempts=1)
    await put(claimed, row("b", n=2), row("c", user="bob"))
    line = line_of()
    deliver(line)
    await until(lambda: line.provider.said("bob") == ["c"])
    await asyncio.sleep(0.1)
    assert (line.provider.said(), line.provider.asked) == ([], [])
    assert await status(store, claimed) == SENDING


async def test_what_a_process_elsewhere_fell_silent_over_is_settled(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(row("a", n=1, status=SENDING, owner="far away", due_in=-1, attempts=1))
    line = line_of()
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["a"]
    assert len(line.provider.asked) == 1


async def test_a_process_that_was_suspended_after_its_claim_does_not_send(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    slept = []

    class Suspended:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def get(self, cls: Any, id: Any) -> Any:
            if cls is Conversation and not slept:
                slept.append(await of(store, row().id))
                await asyncio.sleep(0.15)
            return await store.get(cls, id)

    await put(row("a"))
    line = line_of()
    deliver(line, limits=SHORT, through=Suspended())
    await until(lambda: nothing_left(store))
    assert [r.status for r in slept] == [SENDING]
    kept = await of(store, row().id)
    assert line.provider.said() == ["a"]
    # Once more where the machine itself was as slow.
    assert kept.attempts >= 2


@pytest.mark.parametrize("news", [SENT, DELIVERED, READ, FAILED])
async def test_a_receipt_that_overtakes_the_answer_is_not_undone(
    store: AsyncStore, deliver: Deliver, put: Any, news: str
) -> None:
    await put(row("a", n=1), row("b", n=2))
    line = line_of()

    async def receipt_comes_first(outbound: Any) -> None:
        if outbound.id == row(n=1).id:
            now = {"status": news, "due": utcnow(), "owner": ""}
            await store.change(Message, {"id": outbound.id}, set=now)

    line.provider.on_send = receipt_comes_first
    deliver(line)
    await until(lambda: nothing_left(store))
    kept = await of(store, row(n=1).id)
    assert (kept.status, kept.provider_id) == (news, "p1")
    assert line.provider.said() == ["a", "b"]


async def test_a_delivery_receipt_during_the_last_refusal_leaves_no_dead_letter(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(row("a"))
    line = line_of(Refuse())

    async def receipt_comes_first(outbound: Any) -> None:
        await store.change(Message, {"id": outbound.id}, set={"status": DELIVERED, "owner": ""})

    line.provider.on_send = receipt_comes_first
    deliver(line)

    async def settled() -> bool:
        return await status(store, row()) == DELIVERED

    await until(lambda: line.provider.attempts)
    await until(settled)
    await until(lambda: _rests(store))
    assert await status(store, row()) == DELIVERED


async def _rests(store: AsyncStore) -> bool:
    return not await store.count(DeadLetter, {})


async def test_what_is_known_to_be_taken_is_not_doubted_because_another_did(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(row("a"))
    line = line_of(confirms=False)

    async def taken_for_dead(outbound: Any) -> None:
        doubt = {"status": UNKNOWN, "owner": ""}
        await store.change(Message, {"id": outbound.id}, set=doubt)

    line.provider.on_send = taken_for_dead
    deliver(line)
    await until(lambda: nothing_left(store))
    assert (await status(store, row()), line.provider.said()) == (SENT, ["a"])


async def test_an_answer_that_could_not_be_recorded_is_remembered(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    """Even where the provider cannot tell later whether it took the message."""
    await put(row("a", n=1), row("b", n=2))
    line = line_of(confirms=False)
    through = Failing(store)

    async def goes_down(outbound: Any) -> None:
        through.is_down = outbound.id == row(n=1).id

    line.provider.on_send = goes_down
    outbox = deliver(line, through=through)
    await until(lambda: line.provider.taken)
    await asyncio.sleep(0.1)
    through.is_down = False
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["a", "b"]
    assert outbox._taken == {}


async def test_an_account_that_must_pause_holds_up_no_other(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(*(row("x", user=f"u{n}", account="slow") for n in range(50)))
    await put(row("y", user="ann"))
    slow, quick = Line(Provider(Later(3600.0)), account="slow"), line_of()
    deliver(slow, quick)
    await until(lambda: quick.provider.said() == ["y"])
    waiting = {"direction": "out", "channel": "line", "account": "slow", "status": QUEUED}
    await until(lambda: _due_none(store, waiting))
    # A provider knows why it asks for a pause: those under way may still go, no others.
    assert len(slow.provider.attempts) <= 32


async def _due_none(store: AsyncStore, where: dict[str, Any]) -> bool:
    return not await store.count(Message, {**where, "due": {"$lte": utcnow()}})


async def test_a_backlog_of_a_slow_account_holds_up_no_other(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(*(row("x", user=f"u{n}", account="slow") for n in range(100)))
    slow, quick = Line(account="slow", rate=4.0), line_of()
    deliver(slow, quick)
    await until(lambda: slow.provider.taken)
    await put(row("y", user="ann"))
    await until(lambda: quick.provider.said() == ["y"])
    assert len(slow.provider.taken) < 50


async def test_more_blocked_conversations_than_fit_hold_up_no_other(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    for n in range(40):
        head = row("a", user=f"u{n}", n=1, status=SENDING, owner="far away", due_in=3600)
        await put(head, row("b", user=f"u{n}", n=2))
    await put(row("y", user="ann"))
    line = line_of()
    deliver(line, limits=replace(QUICK, poll_seconds=0.1))
    await until(lambda: line.provider.said() == ["y"])


async def test_a_blocked_conversation_is_not_looked_at_without_pause(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(row("a", n=1, status=SENDING, owner="far away", due_in=3600), row("b", n=2))
    through = Failing(store)
    deliver(line_of(), limits=replace(QUICK, poll_seconds=0.1), through=through)
    await asyncio.sleep(0.5)
    assert through.calls < 50


async def test_rows_behind_a_waiting_head_wait_with_it_and_follow_in_order(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(row("a", n=1, due_in=0.4), *(row(str(n), n=n) for n in range(2, 6)))
    line = line_of()
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["a", "2", "3", "4", "5"]


async def test_rows_of_an_account_that_is_not_configured_wait_for_it(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    lost = row("a", account="gone", conversation="line:gone:ann", id="line:gone:1:0")
    await put(lost, row("b", user="bob"))
    line = line_of()
    deliver(line)
    await until(lambda: line.provider.said("bob") == ["b"])
    assert await status(store, lost) == QUEUED
    back = Line(account="gone")
    deliver(back, name="later")
    await until(lambda: back.provider.said() == ["a"])


async def test_stopping_records_what_is_under_way_and_begins_nothing(
    store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    await put(row("a", n=1), row("b", n=2))
    gate = asyncio.Event()
    line = line_of()

    async def waits(_: Any) -> None:
        await gate.wait()

    line.provider.on_send = waits
    outbox = deliver(line)
    await until(lambda: line.provider.attempts)
    stopping = asyncio.create_task(outbox.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    gate.set()
    await stopping
    assert [await status(store, row(n=n)) for n in (1, 2)] == [SENT, QUEUED]


@pytest.mark.parametrize("after", [float("inf"), 1e300, float("nan")])
async def test_a_pause_nobody_can_mean_is_no_error(
    store: AsyncStore, deliver: Deliver, put: Any, after: float
) -> None:
    await put(row("a"))
    line = line_of(Later(after))
    deliver(line)
    await until(lambda: _attempted(store))
    assert (await of(store, row().id)).reason == "too many requests"


async def _attempted(store: AsyncStore) -> bool:
    kept = await of(store, row().id)
    return kept.attempts == 1 and kept.status in (QUEUED, SENT)


async def test_what_a_dead_process_was_asking_about_is_asked_again_at_once(
    machine: Machine, store: AsyncStore, deliver: Deliver, put: Any
) -> None:
    asked = row("a", n=1, status=UNKNOWN, owner="gone", due_in=3600, attempts=1)
    await put(asked, row("b", n=2))
    machine.dead.add("gone")
    line = line_of()
    deliver(line)
    await until(lambda: nothing_left(store))
    assert line.provider.said() == ["a", "b"]


@pytest.mark.parametrize("claimed", [SENDING, UNKNOWN])
async def test_rows_behind_one_that_another_process_is_at_do_not_wait_for_its_claim_to_run_out(
    store: AsyncStore, deliver: Deliver, put: Any, claimed: str
) -> None:
    head = row("a", n=1, status=claimed, owner="far away", due_in=3600, attempts=1)
    await put(head, row("b", n=2), row("c", user="bob"))
    line = line_of()
    deliver(line)
    await until(lambda: line.provider.said("bob") == ["c"])
    await asyncio.sleep(0.1)
    await store.change(Message, {"id": head.id}, set={"status": SENT, "owner": ""})
    await until(lambda: line.provider.said() == ["b"])
