"""The real brain with a language model's stand-in over HTTP, and shops of several kinds."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

# What workers import before they are forked, see `bot.serve.heavy_modules`.
import jsonschema  # noqa: F401
import openai
import pytest

# Before anything imports TensorFlow: see bot.dialogue.preload.
import skops.io  # noqa: F401

from actions.backends import demo, opening
from actions.backends.orders import DELIVERED, PLACED, Order
from actions.proving import account_of
from bench.answers.shelf import Shelf
from bot.dialogue.brain import Brain
from bot.dialogue.contract import Outcome
from bot.dialogue.preload import preload
from bot.dialogue.training import train
from bot.identity.meeting import customer_of
from bot.identity.proving import _digest, _member
from bot.identity.reaching import OnFile
from bot.knowledge.answering import Answering
from bot.knowledge.contract import Sheet
from bot.knowledge.service import provide
from bot.llm.client import Llm
from bot.llm.masking import redact
from bot.llm.prompts import load_prompts
from bot.message import Address, Choices, utcnow
from bot.settings import Budget
from bot.store import AsyncStore
from bot.store.proofs import Proof
from bot.store.steps import Step, Undertaking
from tests.kit.chat import Server, chat_server
from tests.kit.stores import Prompt, sqlite_in
from tests.kit.talk import Conversation, words

ROOT = Path(__file__).parents[2]
RESOLVES = frozenset({"nlu_fallback", "question", "several", "refund_request"})


@pytest.fixture(scope="session")
def brain() -> Iterator[Brain]:
    preload()
    # What is loaded at its first use must not take the time of a turn.
    redact("Ada, 5 Mill Lane", ("Ada",))
    openai.AsyncOpenAI(api_key="none")
    loaded = Brain.load(train(ROOT, ROOT / "models"), resolves=RESOLVES)
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    return Shelf.of(ROOT / "data" / "knowledge")


@dataclass
class Desk:
    """One test's shop: its store, the model that is asked, and what has come of it."""

    brain: Brain
    store: AsyncStore
    server: Server
    talks: list[Conversation] = field(default_factory=list)

    def talk(self, user: str = "u1") -> Conversation:
        return Conversation(self.brain, user=user)

    async def order(self, number: str, **fields: Any) -> Order:
        now = utcnow()
        made = {
            "customer": "Mei Tanaka",
            "items": [{"name": "Stoneware mug", "quantity": 6}],
            "status": DELIVERED,
            "placed": now - timedelta(days=9),
            "delivered": now - timedelta(days=5),
            "total": 12000,
            "email": "mei.tanaka@example.com",
        }
        if fields.get("status") == PLACED:
            made["delivered"] = None
        order = Order(id=number, **{**made, **fields})
        await self.store.put(order)
        return order

    async def proven(self, talk: Conversation, mail: str = "mei.tanaka@example.com") -> None:
        """Have a customer proven, as a code that was typed does."""
        await prove(self.store, talk.address, mail)

    async def paid(self, number: str) -> list[int]:
        found = await self.store.get(Order, number)
        assert found is not None
        return [int(part["pence"]) for part in found.refunds or []]

    async def status(self, number: str) -> str:
        found = await self.store.get(Order, number)
        assert found is not None
        return str(found.status)

    async def steps(self) -> list[tuple[str, str]]:
        rows = await self.store.find(Step, {}, sort=("at",))
        return [(row.tool, row.verdict) for row in rows]

    async def undertakings(self) -> list[Undertaking]:
        return await self.store.find(Undertaking, {}, sort=("due",))


async def prove(store: AsyncStore, here: Address, mail: str) -> None:
    account = account_of(OnFile(mail))
    customer = str(_member(await customer_of(store, here), here.key))
    now = utcnow()
    id_ = _digest(customer, account)
    await store.put(
        Proof(
            id=id_,
            customer=customer,
            account=account,
            by="mail",
            at=now,
            until=now + timedelta(hours=1),
        )
    )


def said(outcome: Outcome) -> str:
    assert outcome.failure is None, outcome.failure
    return "\n".join(words(outcome.replies))


def payload(outcome: Outcome, title: str) -> str:
    """Return what a button does."""
    for reply in outcome.replies:
        if isinstance(reply, Choices):
            for option in reply.options:
                if option.title == title:
                    return option.payload
    raise AssertionError(f"no button {title} in {outcome.replies}")


@pytest.fixture
async def desk(
    brain: Brain, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """A shop with the demonstration orders, and an honest model."""
    monkeypatch.setenv("FRONTDESK_STORE_URL", f"sqlite:{tmp_path}/bot.db")
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://shop.example")
    store = Prompt(sqlite_in(tmp_path), demo.DOCUMENTS)
    async with chat_server() as server:
        model = Llm([server.model("honest", mask="never")], Budget(), None)
        prompts = load_prompts(ROOT / "data" / "prompts")
        provide(Answering(shelf, model, prompts, Sheet("Larkfield Goods")))
        await demo.opened(store, seed=True)
        opening._opened[os.getpid(), os.environ["FRONTDESK_STORE_URL"]] = (
            demo.DemoShop(store),
            store,
        )
        yield Desk(brain, store, server)
        await model.close()
    await store.close()
