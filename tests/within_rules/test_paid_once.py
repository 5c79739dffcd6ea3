"""A yes that is redone, delivered twice, killed or not answered by the shop: it pays once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actions import proving
from actions.backends import demo, opening, shopify
from actions.backends.orders import CANCELLED, Order
from actions.resolving import matter
from actions.resolving.doing import asked_again
from bot.desk.finishing import Finisher
from bot.message import Address, Inbound, Text
from bot.store import AsyncStore, StoreDown
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import BOT, WAITING, Conversation
from bot.store.documents import DOCUMENTS
from bot.store.journal import ACTED, Entry
from bot.store.messages import DONE, Message, to_message
from bot.store.steps import CARRIED_OUT, GIVEN_UP, PENDING, Allowance, Step, Undertaking
from bot.store.turns import Turn
from bot.turn import Turns
from tests.kit.build import address
from tests.kit.channel import CAN, Provider
from tests.kit.processes import QUICK, Failing, Machine, Process
from tests.kit.shops import Place, place
from tests.kit.stores import sqlite_in
from tests.kit.waiting import until
from tests.within_rules.conftest import Desk, prove

WISH = "I want 20 pounds back for order 1044, a mug was chipped"
PAID = "We have refunded £20.00 of your order 1044"
DOCS = (*DOCUMENTS, *demo.DOCUMENTS)


def url() -> tuple[int, str]:
    return os.getpid(), os.environ["FRONTDESK_STORE_URL"]


def wire(store: Any, shop: Any = None) -> None:
    """Have the actions of this process use a store, and a shop in it."""
    opening._opened[url()] = (shop or demo.DemoShop(store), store)
    matter._stores[url()] = store
    proving._stores[url()] = store


@pytest.fixture(autouse=True)
def unwired() -> Any:
    yield
    matter._stores.clear()
    proving._stores.clear()


class Front:
    """Turns of one customer, taken as a worker takes them."""

    def __init__(self, store: Any, brain: Any, user: str = "ann") -> None:
        self.store = store
        self.turns = Turns(store, brain, lambda channel: CAN, turn_seconds=20.0)
        self.here = address(user)

    async def hears(self, text: str, n: int) -> Turn:
        row = to_message(Inbound(self.here, f"m{n}", Text(text)))
        await self.store.insert_new([row])
        lease = await self.store.get(Conversation, self.here.key)
        assert lease is not None
        return await self.turns.take(row, lease)


async def begun(store: AsyncStore, here: Address, mail: str = "mei.tanaka@example.com") -> None:
    from bot.message import utcnow

    row = Conversation(id=here.key, created=utcnow(), lease_until=utcnow(), lease_epoch=1)
    await store.insert_new([row])
    await prove(store, here, mail)


async def words(store: AsyncStore) -> list[str]:
    rows = await store.find(Message, {"direction": "out"}, sort=("order",))
    return [str(row.content.get("text")) for row in rows]


async def paid(store: AsyncStore, number: str = "1044") -> list[int]:
    found = await store.get(Order, number)
    assert found is not None
    return [int(part["pence"]) for part in found.refunds or []]


async def proposed(desk: Desk, store: Any) -> Front:
    await desk.order("1044")
    front = Front(store, desk.brain)
    await begun(desk.store, front.here)
    wire(store)
    turn = await front.hears(WISH, 1)
    assert (turn.state["slots"]["resolving"] or {}).get("state") == "asked", turn.replies
    return front


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
async def test_killed_at_any_call_and_redone_it_pays_once(
    desk: Desk, tmp_path: Path, applied: bool
) -> None:
    front = await proposed(desk, desk.store)
    before = {cls: await desk.store.find(cls, {}) for cls in (Turn, Conversation, Order, Message)}

    async def with_fault(at: int) -> int:
        folder = tmp_path / f"{at}"
        folder.mkdir()
        store = AsyncStore(sqlite_in(folder), DOCS, threads=1)
        for rows in before.values():
            for row in rows:
                await store.put(row)
        await begun(store, front.here)
        dying = Failing(store, at=at, what="kill", applied=applied)
        wire(dying)
        try:
            await asyncio.create_task(Front(dying, desk.brain).hears("yes", 2))
            assert not at, f"call {at} did not fail"
        except asyncio.CancelledError:
            pass
        wire(store)
        again = Front(store, desk.brain)
        turn = await again.hears("yes", 2)
        assert (turn.decision or {}).get("failure") is None, at
        assert await paid(store) == [2000], at
        said = [text for text in await words(store) if PAID in text]
        assert len(said) == 1, (at, await words(store))
        rows = await store.find(Undertaking, {})
        assert [row.status for row in rows] == [CARRIED_OUT], at
        # One of the person's, the account's and the order's times of the day.
        assert await store.count(Allowance, {}) == 3, at
        asked = await store.get(Message, turn.id)
        assert asked is not None
        assert asked.status == DONE
        await store.close()
        return dying.calls

    calls = await with_fault(0)
    assert calls > 15
    # What one of the two leaves out, the other does.
    for at in range(2 - applied, calls + 1, 2):
        await with_fault(at)


async def test_a_webhook_that_is_replayed_pays_once(desk: Desk) -> None:
    front = await proposed(desk, desk.store)
    for _ in range(3):
        await front.hears("yes", 2)
    assert await paid(desk.store) == [2000]
    assert len([text for text in await words(desk.store) if PAID in text]) == 1
    # A second yes is another message, and is a yes to nothing.
    await front.hears("yes", 3)
    assert await paid(desk.store) == [2000]


async def test_a_worker_that_is_killed_while_it_pays_is_followed_by_another(
    desk: Desk, machine: Machine
) -> None:
    front = await proposed(desk, desk.store)
    row = to_message(Inbound(front.here, "m2", Text("yes")))
    await desk.store.insert(row)
    provider = Provider()
    first = Process(machine, desk.store, provider, desk.brain, limits=QUICK)
    dying = Failing(desk.store, at=7, what="kill", applied=True, killed=first.kill)
    wire(dying)
    first.start()
    await asyncio.wait_for(first.died.wait(), 10)
    await first.stop()
    wire(desk.store)
    second = Process(machine, desk.store, provider, desk.brain, limits=QUICK).start()

    async def answered() -> bool:
        return bool(await desk.store.count(Message, {"direction": "in", "status": "done"}) == 2)

    await until(answered, pause=0.03)
    await until(lambda: _said(provider), pause=0.03)
    await second.stop()
    assert await paid(desk.store) == [2000]
    assert len([text for text in provider.said() if PAID in text]) == 1


async def _said(provider: Provider) -> bool:
    return any(PAID in text for text in provider.said())


@pytest.fixture
async def shops(tmp_path: Path) -> AsyncIterator[Place]:
    folder = tmp_path / "shops"
    folder.mkdir()
    async with place(folder) as made:
        yield made


@pytest.mark.parametrize("kind", ["rest", "shopify"])
async def test_at_a_remote_shop_it_is_paid_once_and_finished_when_it_is_back(
    desk: Desk, shops: Place, kind: str
) -> None:
    shop = shops.shop(kind, settled=0.05)
    front = Front(desk.store, desk.brain)
    wire(desk.store, shop)
    order = await shop.find("1044")
    await begun(desk.store, front.here, order.email)
    turn = await front.hears(WISH, 1)
    assert (turn.state["slots"]["resolving"] or {}).get("state") == "asked", turn.replies
    shops.fault(kind, "500")
    turn = await front.hears("yes", 2)
    said = "\n".join(await words(desk.store))
    assert "I keep trying to give £20.00 of order 1044 back" in said
    (case,) = await desk.store.find(Case, {})
    assert case.status == OPEN
    assert "do not do it by hand" in case.why
    (row,) = await desk.store.find(Undertaking, {})
    assert (row.status, row.case) == (PENDING, turn.id)
    shops.faults.clear()
    await _due(desk.store, row)
    await _rounds(desk.store, CARRIED_OUT)
    assert await shops.given_back(kind, "1044") == [2000]
    assert len([text for text in await words(desk.store) if PAID in text]) == 1
    (case,) = await desk.store.find(Case, {})
    assert (case.status, case.closed_by) == (RESOLVED, "the bot")
    held = await desk.store.get(Conversation, front.here.key)
    assert held is not None
    assert held.holder == BOT
    await front.hears("yes", 3)
    assert await shops.given_back(kind, "1044") == [2000]
    await shop.close()


@pytest.mark.parametrize(
    ("faults", "given"),
    [([("500", "")], []), ([("reset_after", "refundorder"), ("500", "listrefunds")], [2000])],
)
async def test_a_shop_that_stays_away_is_given_up_and_a_person_sees_to_it(
    desk: Desk, shops: Place, faults: list[tuple[str, str]], given: list[int]
) -> None:
    shop = shops.shop("rest")
    front = Front(desk.store, desk.brain)
    wire(desk.store, shop)
    await begun(desk.store, front.here, (await shop.find("1044")).email)
    await front.hears(WISH, 1)
    for fault, method in faults:
        shops.fault("rest", fault, method=method)
    await front.hears("yes", 2)
    (row,) = await desk.store.find(Undertaking, {})
    past = row.at
    await desk.store.change(Undertaking, {"id": row.id}, set={"until": past, "due": past})
    await _rounds(desk.store, GIVEN_UP)
    said = "I can't say that I managed to give £20.00 of order 1044 back"
    assert any(said in text for text in await words(desk.store))
    noted = await desk.store.find(Entry, {"conversation": front.here.key})
    (told,) = [entry for entry in noted if entry.kind == ACTED]
    assert ("look in the shop before" in told.text) is bool(given)
    (case,) = await desk.store.find(Case, {})
    assert case.status == OPEN
    held = await desk.store.get(Conversation, front.here.key)
    assert held is not None
    assert held.holder == WAITING
    shops.faults.clear()
    assert await shops.given_back("rest", "1044") == given
    await shop.close()


class Forgetful:
    """A store that is down for what is written once the money is gone."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def put(self, document: Any) -> None:
        if isinstance(document, Step):
            raise StoreDown("the test holds it down")
        await self._store.put(document)

    async def change(self, cls: Any, *args: Any, **options: Any) -> Any:
        if cls is Undertaking:
            raise StoreDown("the test holds it down")
        return await self._store.change(cls, *args, **options)


async def test_what_was_paid_is_said_though_it_cannot_be_written_down(desk: Desk) -> None:
    front = await proposed(desk, desk.store)
    wire(Forgetful(desk.store), demo.DemoShop(desk.store))
    turn = await front.hears("yes", 2)
    assert (turn.decision or {}).get("failure") is None
    assert await paid(desk.store) == [2000]
    assert PAID in (await words(desk.store))[-1]
    (row,) = await desk.undertakings()
    assert row.status == PENDING
    wire(desk.store)
    await _due(desk.store, row)
    await _rounds(desk.store, CARRIED_OUT)
    assert await paid(desk.store) == [2000]


async def test_what_the_shop_is_still_at_is_not_said_to_be_done(desk: Desk, shops: Place) -> None:
    shop = shops.shop("shopify")
    wire(desk.store, shop)
    row = Undertaking(id="t:cancel_order:1047", tool="cancel_order", args={"number": "1047"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shopify, "_LOOK_SECONDS", 0.0)
        # Shopify cancels by a job, which may fail.
        patch.setattr(shops.shops.books, "cancel", lambda sale, note: True)
        status, _ = await asked_again(row)
    assert status == PENDING
    status, _ = await asked_again(row)
    assert status == CARRIED_OUT
    assert shops.shops.books.sales["1047"].stage == CANCELLED
    await shop.close()


async def _due(store: AsyncStore, row: Undertaking) -> None:
    await store.change(Undertaking, {"id": row.id}, set={"due": row.at})


async def _rounds(store: AsyncStore, status: str) -> None:
    """Let two workers' finishers look for what is pending, until it is settled."""
    both = [Finisher(store, QUICK, lambda: None) for _ in range(2)]
    running = [asyncio.create_task(one.run()) for one in both]

    async def settled() -> bool:
        return bool(await store.count(Undertaking, {"status": status}))

    await until(settled, pause=0.03)
    for one in both:
        await one.stop()
    await asyncio.gather(*running)
