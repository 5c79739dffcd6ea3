"""Known on SMS who wrote on WhatsApp: the real brain in real turns, over one store."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.desk.people import People
from bot.desk.routing_file import load_routing
from bot.desk.slack.card import card_of
from bot.dialogue.brain import Brain
from bot.dialogue.why import explain, explain_page
from bot.identity import customer_of
from bot.identity.proving import account_of
from bot.identity.reaching import OnFile
from bot.media.folder import FolderVault
from bot.media.vault import AsyncVault
from bot.memory.erasing import Eraser
from bot.memory.file import MEMORY_FILE, load_memory
from bot.memory.quieting import Busy
from bot.memory.service import Memories
from bot.message import Address, Choice, Content, Inbound, Profile, Text, decode, utcnow
from bot.store import AsyncStore, open_store
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import BOT, Conversation
from bot.store.documents import DOCUMENTS
from bot.store.memory import FORGOTTEN
from bot.store.messages import SENT, Message, to_message
from bot.store.proofs import Proof
from bot.store.turns import Turn
from bot.turn import Turns
from bot.why_command import lines_of
from connectors import connector_class

ROOT = Path(__file__).parents[2]
STREET = "22 Baker Street, London NW1 6XE"


@pytest.fixture
async def shop_store(shop: None) -> AsyncIterator[AsyncStore]:
    # The actions have it as well, and keep it open over the tests.
    opened = AsyncStore(open_store(os.environ["FRONTDESK_STORE_URL"]), DOCUMENTS)
    yield opened
    await opened.close()


class Customer:
    """Somebody with a telephone, whose messages are answered at once."""

    def __init__(self, store: AsyncStore, brain: Brain, number: str) -> None:
        self.store = store
        self.number = number
        self.said = 0
        memories = Memories(store, load_memory(ROOT / MEMORY_FILE), None)
        self.turns = Turns(
            store,
            brain,
            lambda channel: connector_class(channel).capabilities,
            turn_seconds=20.0,
            memory=memories,
        )

    def address(self, channel: str) -> Address:
        return Address(channel, "shop", f"{'+' if channel == 'sms' else ''}{self.number}")

    async def says(self, channel: str, content: str | Content) -> list[str]:
        self.said += 1
        address = self.address(channel)
        what = Text(content) if isinstance(content, str) else content
        said = Inbound(
            address, f"{self.number}-{self.said}", what, profile=Profile("Amara", "", "en")
        )
        row = to_message(said)
        await self.store.insert(row)
        now = utcnow()
        talk = Conversation(id=address.key, created=now, lease_until=now, lease_epoch=1)
        await self.store.insert_new([talk])
        lease = await self.store.get(Conversation, address.key)
        assert lease is not None
        turn = await self.turns.take(row, lease)
        for out in await self.store.find(Message, {"conversation": address.key}):
            if out.turn == turn.id:
                await self.store.change(Message, {"id": out.id}, set={"status": SENT})
        return [words(decode(reply)) for reply in turn.replies or []]

    async def days_later(self) -> None:
        """Let his matters be closed, and some days go by."""
        ago = utcnow() - timedelta(days=3)
        for channel in ("whatsapp", "sms"):
            key = self.address(channel).key
            for case in await self.store.find(Case, {"conversation": key, "status": OPEN}):
                closed = {"status": RESOLVED, "resolved": ago}
                await self.store.change(Case, {"id": case.id}, set=closed)
            free: dict[str, Any] = {"holder": BOT, "last_in": ago}
            await self.store.change(Conversation, {"id": key}, set=free, inc={"epoch": 1})


def words(content: Content) -> str:
    return str(getattr(content, "text", ""))


async def test_same_address_as_last_time_on_another_channel(
    shop_store: AsyncStore, brain: Brain
) -> None:
    amara = Customer(shop_store, brain, "447700900201")
    await amara.says("whatsapp", "please change the address of order 1047")
    said = await amara.says("whatsapp", STREET)
    assert "passing you on" in said[0]
    await amara.days_later()
    said = await amara.says("sms", "hello")
    assert said == ["Hello again! Last time it was about order 1047. Is it that?"]
    assert (await amara.says("sms", "no"))[0].startswith("All right")
    said = await amara.says("sms", "please change the address of order 1047")
    assert said == [
        "Order 1047: same address as last time, 22 B… S…, L… N… 6…? Answer yes, or write the new "
        "one with postcode."
    ]
    said = await amara.says("sms", "yes")
    assert "passing you on" in said[0]
    (case,) = await shop_store.find(
        Case, {"conversation": amara.address("sms").key, "status": OPEN}
    )
    assert f"delivered to: “{STREET}”" in str(case.why)


async def test_the_button_of_last_time_and_another_address(
    shop_store: AsyncStore, brain: Brain
) -> None:
    tom = Customer(shop_store, brain, "447700900202")
    await tom.says("whatsapp", "please change the address of order 1047")
    await tom.says("whatsapp", STREET)
    await tom.days_later()
    said = await tom.says("whatsapp", "please change the address of order 1050")
    assert "Same address as last time" in said[0]
    said = await tom.says("whatsapp", Choice("the same address as last time", "Same as last time"))
    assert "passing you on" in said[0]
    await tom.days_later()
    await tom.says("whatsapp", "please change the address of order 1050")
    await tom.says("whatsapp", "14 Station Road, Leeds LS1 4DY")
    await tom.days_later()
    said = await tom.says("whatsapp", "please change the address of order 1050")
    assert "14 S… R…, L… L… 4…" in said[0]
    # His own hands, as they were when he told it.
    account, here = account_of(OnFile("tom@post.example")), tom.address("whatsapp")
    customer = str((await customer_of(shop_store, here)).members[0].id)
    for since in (utcnow(), utcnow() - timedelta(hours=1)):
        proof = Proof(
            id="tom", customer=customer, account=account, at=utcnow(), since=since,
            until=utcnow() + timedelta(hours=1),
        )  # fmt: skip
        await shop_store.put(proof)
        await tom.says("whatsapp", "never mind")
        said = await tom.says("whatsapp", "please change the address of order 1050")
        assert ("14 Station Road, Leeds LS1 4DY" in said[0]) is (since < proof.at - timedelta(1e-2))
    known = (await tom.says("whatsapp", "what do you know about me"))[0]
    assert "Delivery address: 14 Station Road" in known


async def test_who_has_the_number_next_is_a_stranger(shop_store: AsyncStore, brain: Brain) -> None:
    eve = Customer(shop_store, brain, "447700900219")
    await eve.says("whatsapp", "my shoe size is 41")
    await eve.says("whatsapp", "please change the address of order 1047")
    await eve.says("whatsapp", STREET)
    await eve.days_later()
    await shop_store.change(
        Conversation,
        {"id": eve.address("whatsapp").key},
        set={"last_in": utcnow() - timedelta(days=90)},
    )
    assert (await eve.says("sms", "hello"))[0].startswith("Hello! I'm the assistant")
    said = await eve.says("whatsapp", "please change the address of order 1047")
    assert said[0].startswith("What is the new address?")
    await eve.says("whatsapp", "never mind")
    assert "remember anything" in (await eve.says("whatsapp", "what do you know about me"))[0]
    said = await eve.says("whatsapp", "please forget me")
    assert "who makes sure that it is yours" in said[0]
    where = {"conversation": eve.address("whatsapp").key, "status": OPEN}
    (case,) = await shop_store.find(Case, where)
    assert "may not be who had the number before: a silence of 90 days" in str(case.why)
    noted = [line for line in lines_of(await explain(shop_store, str(case.id), root=ROOT))]
    assert any("a silence of 90 days: it may be somebody else who" in line for line in noted)
    page = await explain_page(shop_store, eve.address("whatsapp").key, root=ROOT)
    assert [bool(turn.note) for turn in page.turns] == [False] * 3 + [True] * 4
    held = await shop_store.get(Conversation, eve.address("whatsapp").key)
    card = await card_of(shop_store, case, People(()), load_routing(ROOT / "data/routing.yml"), [])
    assert held is not None
    assert any("May be somebody else by now: a silence of 90 days" in one for one in card.memory)


async def test_who_is_a_stranger_is_asked_as_before(shop_store: AsyncStore, brain: Brain) -> None:
    mei = Customer(shop_store, brain, "447700900203")
    assert (await mei.says("sms", "hello"))[0].startswith("Hello! I'm the assistant")
    said = await mei.says("sms", "please change the address of order 1047")
    assert said[0].startswith("What is the new address? Street, house number, town and postcode")
    said = await mei.says("sms", "yes")
    assert "not done yet" in said[0]
    assert "What is the new address?" in said[1]
    assert "remember anything" in (await mei.says("sms", "what do you know about me"))[0]


async def test_what_is_known_is_told_and_forgotten_on_request(
    shop_store: AsyncStore, brain: Brain
) -> None:
    ann = Customer(shop_store, brain, "447700900204")
    said = await ann.says("whatsapp", "my shoe size is 41")
    assert said == ["Thank you, I'll remember that (Shoe size: 41)."]
    await ann.says("whatsapp", "please call me Ann")
    said = await ann.says("sms", "what do you know about me")
    assert "- Shoe size: 41" in said[0]
    assert "- Wants to be called: Ann" in said[0]
    said = await ann.says("sms", "please forget my shoe size")
    assert "Shoe size: 41" in said[0]
    assert "Ann" not in said[0]
    assert await ann.says("sms", "yes") == ["Done, I have forgotten it."]
    said = await ann.says("whatsapp", "what do you know about me")
    assert "Shoe size" not in said[0]
    assert "Ann" in said[0]


async def test_forget_me_and_nobody_is_known_any_more(
    shop_store: AsyncStore, brain: Brain, tmp_path: Path
) -> None:
    ben = Customer(shop_store, brain, "447700900205")
    await ben.says("whatsapp", "my shoe size is 44")
    assert "Shall I forget you?" in (await ben.says("sms", "please forget me"))[0]
    assert await ben.says("sms", "no") == ["All right, nothing is deleted."]
    await ben.says("sms", "please forget me")
    assert "Goodbye" in (await ben.says("sms", "yes"))[0]
    eraser = Eraser(shop_store, AsyncVault(FolderVault(tmp_path)))
    (id,) = await eraser.due()
    try:
        done = await eraser.work(id)
    except Busy as busy:
        pytest.fail(str(busy))
    assert done.status == FORGOTTEN
    for channel in ("whatsapp", "sms"):
        where = {"conversation": ben.address(channel).key}
        assert await shop_store.find(Message, where) == []
        assert await shop_store.find(Turn, where) == []
    assert "remember anything" in (await ben.says("whatsapp", "what do you know about me"))[0]


async def test_with_something_open_a_person_sees_to_it(
    shop_store: AsyncStore, brain: Brain
) -> None:
    eve = Customer(shop_store, brain, "447700900206")
    await eve.says("whatsapp", "please change the address of order 1047")
    await eve.says("whatsapp", STREET)
    said = await eve.says("sms", "please forget me")
    assert "passing you on" in said[0]
    (case,) = await shop_store.find(Case, {"conversation": eve.address("sms").key, "status": OPEN})
    assert case.topic == "data"
    assert await Eraser(shop_store, AsyncVault(FolderVault(Path("x")))).due() == []
