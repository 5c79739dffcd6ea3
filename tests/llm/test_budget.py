from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import pytest

from bot.llm.budget import Purse
from bot.llm.errors import BudgetSpent
from bot.settings import Budget
from bot.store import AsyncStore, StoreDown, open_store
from bot.store.spending import Spending
from tests.kit.stores import KINDS, store_of_kind

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
FREE = Budget(conversation_tokens=0)


@pytest.fixture(params=KINDS)
async def store(request, tmp_path) -> AsyncIterator[AsyncStore]:
    opened = store_of_kind(request.param, tmp_path, (Spending,))
    yield opened
    await opened.close()


def purse(store: AsyncStore, limits: Budget, at: datetime = NOON) -> Purse:
    return Purse(limits, store, lambda: at)


async def used(store: AsyncStore, id: str) -> tuple[int, int]:
    row = await store.get(Spending, id)
    return (row.tokens, row.micros) if row else (0, 0)


async def test_a_reservation_is_put_right_after_the_call(store):
    kept = purse(store, FREE)
    reserved = await kept.reserve("line:shop:ann", 1000, 0.5)
    assert await used(store, "conversation:line:shop:ann:2026-11-25") == (1000, 500_000)
    await kept.settle(reserved, 300, 0.000_123)
    assert await used(store, "conversation:line:shop:ann:2026-11-25") == (300, 123)
    assert await used(store, "day:2026-11-25") == (300, 123)


@pytest.mark.parametrize(
    ("limits", "whose"),
    [
        (Budget(conversation_tokens=1500), "this conversation"),
        (Budget(conversation_tokens=0, day_tokens=1500), "all conversations"),
        (Budget(conversation_tokens=0, conversation_money=1.5), "this conversation"),
        (Budget(conversation_tokens=0, day_money=1.5), "all conversations"),
    ],
)
async def test_a_limit_holds_and_a_refused_call_costs_nothing(store, limits, whose):
    kept = purse(store, limits)
    await kept.reserve("ann", 1000, 1.0)
    with pytest.raises(BudgetSpent, match=whose) as refused:
        await kept.reserve("ann", 1000, 1.0)
    assert "ann" not in str(refused.value)
    assert await used(store, "conversation:ann:2026-11-25") == (1000, 1_000_000)
    assert await used(store, "day:2026-11-25") == (1000, 1_000_000)
    await kept.reserve("ann", 500, 0.5)


async def test_another_conversation_and_another_day_have_their_own(store):
    limits = Budget(conversation_tokens=1000)
    await purse(store, limits).reserve("ann", 1000, 0)
    await purse(store, limits).reserve("bob", 1000, 0)
    await purse(store, limits, NOON + timedelta(days=1)).reserve("ann", 1000, 0)


async def test_what_was_used_long_ago_is_forgotten_when_a_day_begins(store):
    first = NOON - timedelta(days=60)
    for days in (60, 41, 39, 1):
        await purse(store, FREE, NOON - timedelta(days=days)).reserve("ann", 10, 0)
    # A day's second conversation does not look for old ones.
    await store.insert(Spending(id="conversation:old", at=first))
    await purse(store, FREE, NOON - timedelta(days=1)).reserve("bob", 10, 0)
    assert await store.count(Spending, {"id": "conversation:old"}) == 1
    await purse(store, FREE).reserve("ann", 10, 0)
    left = {row.id for row in await store.find(Spending, {})}
    assert left == {
        *(f"{whose}:{day}" for whose in ("day", "conversation:ann")
          for day in ("2026-10-17", "2026-11-24", "2026-11-25")),
        "conversation:bob:2026-11-24",
    }  # fmt: skip


async def test_old_days_that_cannot_be_deleted_cost_no_answer(store, caplog):
    class Stubborn(AsyncStore):
        async def delete(self, cls, where):
            raise StoreDown("secret://place")

    await store.insert(Spending(id="day:2026-01-01", at=NOON - timedelta(days=300)))
    await purse(Stubborn(store.sync), FREE).reserve("ann", 10, 0)
    assert await used(store, "day:2026-11-25") == (10, 0)
    assert "not deleted: StoreDown" in caplog.text
    assert "secret" not in caplog.text


async def test_calls_at_once_do_not_overspend_together(store):
    kept = purse(store, Budget(conversation_tokens=0, day_tokens=1000))

    async def call(number: int) -> bool:
        try:
            reserved = await kept.reserve(f"c{number}", 100, 0)
        except BudgetSpent:
            return False
        await kept.settle(reserved, 100, 0)
        return True

    went = await asyncio.gather(*(call(number) for number in range(30)))
    # Reservations that are undone again may stand in others' way, never the other way round.
    assert 1 <= sum(went) <= 10
    assert await used(store, "day:2026-11-25") == (sum(went) * 100, 0)


async def test_a_store_that_goes_down_after_the_answer_costs_no_answer(tmp_path):
    class Down(AsyncStore):
        async def change(self, cls, where, **change):
            raise StoreDown("gone")

    opened = AsyncStore(open_store(f"sqlite:{tmp_path}/x.db"), (Spending,))
    reserved = await purse(opened, FREE).reserve("ann", 10, 0)
    down = Down(opened.sync)
    await purse(down, FREE).settle(reserved, 5, 0)
    with pytest.raises(StoreDown):
        await purse(down, FREE).reserve("ann", 10, 0)
    await opened.close()
