from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.dialogue.contract import Outcome
from bot.message import Choice, Choices, Inbound, Option, Text, decode, encode, utcnow
from bot.store import AsyncStore, StoreDown
from bot.store.conversations import Conversation
from bot.store.dead_letters import TURN, DeadLetter
from bot.store.messages import DONE, PENDING, SENT, Message, to_message
from bot.store.turns import Turn
from bot.thinking import APOLOGY
from bot.turn import Overtaken, Turns
from tests.kit.build import address, inbound, row
from tests.kit.channel import CAN, Echo, answer, failure


def turns_of(store: Any, brain: Echo | None = None, seconds: float = 5.0) -> Turns:
    return Turns(store, brain or Echo(), lambda channel: CAN, turn_seconds=seconds)


def leased(epoch: int = 1, **fields: Any) -> Conversation:
    values = {"id": address().key, "lease_until": utcnow(), "created": utcnow()}
    return Conversation(**{**values, "lease_epoch": epoch, **fields})


async def pending(store: AsyncStore, said: Inbound) -> Message:
    message = to_message(said)
    await store.insert(message)
    return message


async def out(store: AsyncStore) -> list[Message]:
    where = {"conversation": address().key, "direction": "out"}
    return sorted(await store.find(Message, where), key=lambda r: r.order)


async def words(store: AsyncStore) -> list[str]:
    return [r.content["text"] for r in await out(store)]


async def test_a_turn_is_committed_and_what_follows_is_derived(store: AsyncStore) -> None:
    message = await pending(store, inbound("hello", n=1))
    turn = await turns_of(store).take(message, leased(epoch=4))
    assert (turn.seq, turn.decision, turn.state) == (1, {"by": "bot"}, {"count": 1})
    (reply,) = await out(store)
    assert (reply.id, reply.turn, reply.order) == (f"{message.id}:0", message.id, 1000)
    assert decode(reply.content) == Text("1: hello")
    done = await store.get(Message, message.id)
    assert done is not None
    assert done.status == DONE


async def test_taking_a_turn_twice_changes_nothing_and_does_not_ask_the_brain(
    store: AsyncStore,
) -> None:
    brain = Echo()
    message = await pending(store, inbound("hello", n=1))
    for turns in (turns_of(store, brain), turns_of(store, brain)):
        await turns.take(message, leased())
    assert await words(store) == ["1: hello"]
    assert len(brain.heard) == 1


async def test_any_worker_goes_on_where_the_last_one_stopped(store: AsyncStore) -> None:
    remembering = turns_of(store)
    for n in range(1, 13):
        message = await pending(store, inbound("x", n=n))
        await (remembering if n % 4 else turns_of(store)).take(message, leased(epoch=n))
    assert await words(store) == [f"{n}: x" for n in range(1, 13)]


async def test_failed_turns_leave_the_state_as_it_was(store: AsyncStore) -> None:
    async def fails(said: Inbound, number: int) -> Outcome | None:
        return failure(number) if said.content == Text("bad") else None

    for n, text in enumerate(["a", *["bad"] * 5, "b", "bad", "c"]):
        message = await pending(store, inbound(text, n=n))
        await turns_of(store, Echo(fails)).take(message, leased(epoch=n))
    answers = [text for text in await words(store) if text != "sorry"]
    assert answers == ["1: a", "2: b", "3: c"]


async def test_deleting_old_turns_does_not_change_the_next(store: AsyncStore) -> None:
    for n in range(1, 6):
        message = await pending(store, inbound("x", n=n))
        await turns_of(store).take(message, leased(epoch=n))
    await store.delete(Turn, {"conversation": address().key, "seq": {"$lte": 4}})
    message = await pending(store, inbound("y", n=6))
    await turns_of(store).take(message, leased(epoch=6))
    assert (await words(store))[-1] == "6: y"


async def test_a_turn_taken_elsewhere_meanwhile_is_noticed(store: AsyncStore) -> None:
    here, there = turns_of(store), turns_of(store)
    await here.take(await pending(store, inbound("a", n=1)), leased(epoch=1))
    await there.take(await pending(store, inbound("b", n=2)), leased(epoch=2))
    await here.take(await pending(store, inbound("c", n=3)), leased(epoch=3))
    assert await words(store) == ["1: a", "2: b", "3: c"]


async def test_a_conversation_that_was_erased_is_not_remembered(store: AsyncStore) -> None:
    turns = turns_of(store)
    await turns.take(await pending(store, inbound("a", n=1)), leased(epoch=9))
    for cls in (Turn, Message):
        await store.delete(cls, {"conversation": address().key})
    await turns.take(await pending(store, inbound("b", n=2)), leased(epoch=1))
    assert await words(store) == ["1: b"]


async def test_two_turns_never_build_on_the_same_state(store: AsyncStore) -> None:
    gate = asyncio.Event()

    async def slow(said: Inbound, number: int) -> None:
        await gate.wait()

    stalled = turns_of(store, Echo(slow))
    first, second = [await pending(store, inbound(t, n=n)) for n, t in enumerate("ab")]
    waiting = asyncio.create_task(stalled.take(second, leased(epoch=1)))
    await asyncio.sleep(0.05)
    await turns_of(store).take(first, leased(epoch=2))
    gate.set()
    with pytest.raises(Overtaken):
        await waiting
    assert await words(store) == ["1: a"]
    await stalled.take(second, leased(epoch=3))
    assert await words(store) == ["1: a", "2: b"]


async def test_two_workers_at_the_same_message_give_one_answer(store: AsyncStore) -> None:
    message = await pending(store, inbound("a", n=1))
    gate = asyncio.Event()

    async def slow(said: Inbound, number: int) -> Outcome:
        await gate.wait()
        return answer(said, number, "from the stalled one")

    waiting = asyncio.create_task(turns_of(store, Echo(slow)).take(message, leased(epoch=1)))
    await asyncio.sleep(0.05)
    await turns_of(store).take(message, leased(epoch=2))
    gate.set()
    turn = await waiting
    assert turn.replies == [encode(Text("1: a"))]
    assert await words(store) == ["1: a"]


class DiesAfterCommit:
    """A store that goes away the moment a turn is in it."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def insert(self, document: Any) -> None:
        await self._store.insert(document)
        if isinstance(document, Turn):
            raise StoreDown("away")


async def test_a_turn_committed_before_a_crash_is_finished_before_the_next_is_taken(
    store: AsyncStore,
) -> None:
    late, early = inbound("late", n=2, order=2), inbound("early", n=1, order=1)
    message = await pending(store, late)
    with pytest.raises(StoreDown):
        await turns_of(DiesAfterCommit(store)).take(message, leased(epoch=1))
    assert await out(store) == []
    # A message that was sent before it arrives only now, and is first in line.
    await turns_of(store).take(await pending(store, early), leased(epoch=2))
    assert await words(store) == ["1: late", "2: early"]


@pytest.mark.parametrize("holder", ["agent", "waiting"])
async def test_while_people_have_the_conversation_the_bot_is_silent(
    store: AsyncStore, holder: str
) -> None:
    brain = Echo()
    turns = turns_of(store, brain)
    turn = await turns.take(await pending(store, inbound("a", n=1)), leased(holder=holder, epoch=1))
    assert (turn.decision, turn.replies) == ({"by": holder}, [])
    assert brain.heard == []
    await turns.take(await pending(store, inbound("b", n=2)), leased(2))
    assert await words(store) == ["1: b"]


async def test_replies_carry_the_epoch_they_were_made_in(store: AsyncStore) -> None:
    conversation = leased()
    conversation.epoch = 7
    await turns_of(store).take(await pending(store, inbound("a", n=1)), conversation)
    assert [r.epoch for r in await out(store)] == [7]


@pytest.mark.parametrize("error", [ZeroDivisionError("the customer's words"), StoreDown("gone")])
async def test_a_brain_that_raises_gives_an_apology_and_a_dead_letter(
    store: AsyncStore, error: Exception
) -> None:
    async def raises(said: Inbound, number: int) -> None:
        raise error

    message = await pending(store, inbound("a", n=1))
    await turns_of(store, Echo(raises)).take(message, leased(1))
    assert await words(store) == [APOLOGY]
    (letter,) = await store.find(DeadLetter, {"stage": TURN})
    assert letter.ref == message.id
    assert type(error).__name__ in letter.reason
    assert "words" not in letter.reason
    await turns_of(store).take(await pending(store, inbound("b", n=2)), leased(2))
    assert await words(store) == [APOLOGY, "1: b"]


async def test_a_brain_that_hangs_gives_an_apology(store: AsyncStore) -> None:
    async def hangs(said: Inbound, number: int) -> None:
        await asyncio.Event().wait()

    message = await pending(store, inbound("a", n=1))
    await turns_of(store, Echo(hangs), seconds=0.05).take(message, leased())
    assert await words(store) == [APOLOGY]


async def test_a_hopeless_message_is_not_given_to_the_brain(store: AsyncStore) -> None:
    brain = Echo()
    message = await pending(store, inbound("a", n=1))
    await turns_of(store, brain).take(message, leased(), hopeless="3 workers died")
    assert await words(store) == [APOLOGY]
    assert brain.heard == []
    assert (await store.find(DeadLetter, {}))[0].reason == "worker: 3 workers died"


async def test_a_failed_action_is_told_to_the_operator(store: AsyncStore) -> None:
    async def fails(said: Inbound, number: int) -> Outcome:
        return failure(number)

    await turns_of(store, Echo(fails)).take(await pending(store, inbound("a", n=1)), leased())
    (letter,) = await store.find(DeadLetter, {})
    assert letter.reason == "action_order_status: ZeroDivisionError"
    assert letter.detail == "Traceback ..."


async def test_a_long_reply_is_a_row_for_each_request(store: AsyncStore) -> None:
    async def long(said: Inbound, number: int) -> Outcome:
        return answer(said, number, "word " * 100, "short")

    await turns_of(store, Echo(long)).take(await pending(store, inbound("a", n=1)), leased())
    rows = await out(store)
    assert [r.order for r in rows] == [1000, 1001, 1002, 1003]
    assert [r.id[-2:] for r in rows] == [":0", ":1", ":2", ":3"]
    assert rows[-1].content["text"] == "short"


OFFER = Choices("Which?", (Option("Yes", "/affirm"), Option("No", "/deny")))


@pytest.mark.parametrize(
    ("chosen", "heard"),
    [
        (Choice("/affirm", "whatever", of="p1"), Choice("/affirm", "Yes", of="p1")),
        (Choice("/affirm"), Choice("/affirm", "Yes")),
        (Choice("#1", of="p1"), Choice("/deny", "No", of="p1")),
        (Choice("#1"), Text("#1")),
        (Choice("#9", of="p1"), Text("#9")),
        (Choice("/refund{}", "Yes please", of="p1"), Text("Yes please")),
        (Choice("/refund{}", of="p2"), Text("/refund{}")),
    ],
)
async def test_only_a_payload_that_was_offered_here_is_a_command(
    store: AsyncStore, chosen: Choice, heard: Any
) -> None:
    await store.insert(row(OFFER, status=SENT, provider_id="p1"))
    elsewhere = Choices("Which?", (Option("Refund", "/refund{}"),))
    await store.insert(row(elsewhere, user="bob", status=SENT, provider_id="p2"))
    brain = Echo()
    await turns_of(store, brain).take(await pending(store, inbound(chosen, n=1)), leased())
    assert [said.content for said in brain.heard] == [heard]


async def test_a_derived_turn_leaves_a_done_message_done(store: AsyncStore) -> None:
    turns = turns_of(store)
    message = await pending(store, inbound("a", n=1))
    turn = await turns.take(message, leased())
    await turns.deriving.derive(turn, message)
    assert await store.count(Message, {"direction": "in", "status": PENDING}) == 0
    assert await words(store) == ["1: a"]
