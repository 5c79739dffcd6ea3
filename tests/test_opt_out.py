"""STOP and START through the turn and the outbox: nothing but what the law wants goes out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.consent import carry, load_rules
from bot.identity import customer_of
from bot.media.folder import FolderVault
from bot.media.vault import AsyncVault
from bot.memory.asking import ask
from bot.memory.erasing import Eraser
from bot.message import Content, Event, Inbound, Template, Text, utcnow
from bot.outbox import Outbox
from bot.store import AsyncStore
from bot.store.consents import Consent, OptOut
from bot.store.conversations import AGENT, Conversation
from bot.store.messages import DONE, DROPPED, QUEUED, SENT, UNSENT, Message, to_message
from bot.turn import Turns
from bot.worker import Worker
from connectors.errors import OptedOut
from tests.kit.build import address, row
from tests.kit.channel import CAN, Echo, Line, Provider, Refuse
from tests.kit.processes import QUICK
from tests.kit.waiting import until

RULES = load_rules()


class Talk:
    """One customer's conversation with a worker and an outbox that run in between."""

    def __init__(self, store: AsyncStore, *script: Any) -> None:
        self.store = store
        self.brain = Echo()
        self.turns = Turns(store, self.brain, lambda channel: CAN, turn_seconds=5, rules=RULES)
        self.provider = Provider(*script)
        self.count = 0

    async def says(self, content: str | Content) -> list[str]:
        """Have a message answered and return all that reached the customer so far."""
        self.count += 1
        content = Text(content) if isinstance(content, str) else content
        message = to_message(Inbound(address(), f"m{self.count}", content))
        await self.store.insert(message)
        await self.turns.take(message, await self.conversation())
        return await self.heard()

    async def conversation(self) -> Conversation:
        now = utcnow()
        fresh = Conversation(id=address().key, created=now, lease_until=now, lease_epoch=1)
        await self.store.insert_new([fresh])
        found = await self.store.get(Conversation, address().key)
        assert found is not None
        return found

    async def heard(self) -> list[str]:
        line = Line(self.provider)
        outbox = Outbox(self.store, {("line", "shop"): line}, QUICK, lambda: None)
        running = asyncio.create_task(outbox.run())
        await until(self._idle)
        await outbox.stop()
        await running
        return self.provider.said()

    async def _idle(self) -> bool:
        where = {"direction": "out", "status": {"$in": UNSENT}}
        return not await self.store.count(Message, where)


@pytest.fixture
def talk(store: AsyncStore) -> Talk:
    return Talk(store)


async def test_stop_is_confirmed_once_and_then_there_is_silence(talk: Talk) -> None:
    assert await talk.says("hello") == ["1: hello"]
    _, confirmation = await talk.says("Stop!")
    assert "START" in confirmation
    for text in ("where is my order", "hello?", "stop", "STOP"):
        assert len(await talk.says(text)) == 2
    assert [i.content for i in talk.brain.heard] == [Text("hello")]


async def test_start_brings_the_customer_back_where_the_talk_was(talk: Talk) -> None:
    await talk.says("hello")
    await talk.says("STOP")
    heard = await talk.says("start")
    assert len(heard) == 3
    assert (await talk.says("and now?"))[-1] == "2: and now?"
    ledger = await talk.store.find(Consent, {"conversation": address().key}, sort=("at",))
    assert [(c.state, c.word.lower()) for c in ledger] == [("out", "stop"), ("in", "start")]


async def test_what_was_waiting_to_be_sent_is_dropped(talk: Talk) -> None:
    await talk.conversation()
    await talk.store.insert(row("an offer", n=900, due_in=3600))
    await talk.store.insert(row("written by an agent", n=901, due_in=3600, user="ann"))
    message = to_message(Inbound(address(), "m1", Text("STOP")))
    await talk.store.insert(message)
    await talk.turns.take(message, await talk.conversation())
    for n in (900, 901):
        where = {"id": f"line:shop:ann-in:{n}"}
        await talk.store.change(Message, where, set={"due": utcnow()})
    (confirmation,) = await talk.heard()
    assert "START" in confirmation
    dropped = await talk.store.find(Message, {"direction": "out", "status": {"$in": [DROPPED]}})
    assert {r.reason for r in dropped} == {"the customer has opted out"}
    assert len(dropped) == 2


async def test_a_word_inside_a_sentence_stops_nothing(talk: Talk) -> None:
    assert await talk.says("please stop the order") == ["1: please stop the order"]


async def test_an_agent_holds_the_conversation_and_stop_counts_all_the_same(talk: Talk) -> None:
    await talk.conversation()
    await talk.store.change(Conversation, {"id": address().key}, set={"holder": AGENT, "epoch": 3})
    (confirmation,) = await talk.says("STOP")
    assert "START" in confirmation
    await talk.store.insert(row("from the agent", n=950))
    assert len(await talk.heard()) == 1


async def test_who_blocks_the_bot_gets_nothing_not_even_a_confirmation(talk: Talk) -> None:
    assert await talk.says(Event("blocked")) == []
    assert await talk.says("hello") == []
    # A real brain says nothing to the event itself.
    assert await talk.says(Event("unblocked")) == ["1: event"]
    assert await talk.says("hello") == ["1: event", "2: hello"]


async def test_what_the_provider_confirmed_is_not_confirmed_again(talk: Talk) -> None:
    assert await talk.says(Event("opt_out", "answered")) == []
    assert await talk.says("hello") == []


async def test_no_marketing_is_no_silence(talk: Talk) -> None:
    await talk.says(Event("opt_out", "marketing"))
    assert await talk.says("hello") == ["1: hello"]
    await talk.store.insert(row(Template("offer", "en", category="marketing"), n=950))
    await talk.store.insert(row(Template("parcel", "en", category="utility"), n=951))
    await talk.heard()
    kept = [await talk.store.get(Message, f"line:shop:ann-in:{n}") for n in (950, 951)]
    assert [r.status for r in kept if r] == [DROPPED, SENT]


async def test_a_provider_that_refuses_for_an_opt_out_is_believed(store: AsyncStore) -> None:
    talk = Talk(store, Refuse(OptedOut("unsubscribed recipient", "21610")))
    assert await talk.says("hello") == []
    assert (await talk.conversation()).opted_out == "all"
    assert await talk.says("still there?") == []
    assert len(talk.provider.attempts) == 1
    assert QUEUED not in [
        r.status for r in await store.find(Message, {"conversation": address().key})
    ]


async def forgets(talk: Talk, folder: Path) -> None:
    eraser = Eraser(talk.store, AsyncVault(FolderVault(folder)), rules=RULES)
    await eraser.work((await ask(talk.store, await customer_of(talk.store, address()), by="x")).id)
    assert await talk.store.get(Conversation, address().key) is None


async def arrives(talk: Talk, text: str) -> list[str]:
    """Have a worker take a message from the beginning, and return what the customer got."""
    message = to_message(Inbound(address(), f"m{text}", Text(text)))
    await talk.store.insert(message)
    worker = Worker(talk.store, talk.turns, QUICK, lambda: None)
    running = asyncio.create_task(worker.run())

    async def done() -> bool:
        return (await talk.store.get(Message, message.id)).status == DONE

    await until(done)
    await worker.stop()
    await running
    return await talk.heard()


@pytest.mark.parametrize("read", [True, False], ids=("read", "not read yet"))
async def test_who_said_stop_and_is_forgotten_gets_nothing_until_he_says_start(
    talk: Talk, tmp_path: Path, read: bool
) -> None:
    before = await talk.says("hello")
    if read:
        before = await talk.says("STOP")
    else:
        await talk.store.insert(to_message(Inbound(address(), "unread", Text("STOP"))))
    await forgets(talk, tmp_path)
    # Somebody who has no conversation, as who is sent a code.
    await talk.store.insert(row("a code", n=950))
    assert await talk.heard() == before
    assert await arrives(talk, "hello again") == before
    assert len(await arrives(talk, "START")) == len(before) + 1
    # He is in again, also when he is forgotten once more.
    await forgets(talk, tmp_path)
    assert await talk.store.find(OptOut, {}) == []
    assert (await arrives(talk, "and now"))[-1].endswith("and now")


async def test_who_was_forgotten_and_moves_is_out_at_the_new_address_too(
    talk: Talk, tmp_path: Path
) -> None:
    await talk.says("STOP")
    await forgets(talk, tmp_path)
    assert await carry(talk.store, Inbound(address(), "moved", Event("moved", "bea"))) is not None
    new = await talk.store.get(Conversation, address("bea").key)
    assert (new.opted_out, new.consent_how) == ("all", "moved")
