"""So many times a day and not once more, whoever comes at the same moment or is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from actions.resolving.allowing import DAY, allow, release
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.steps import Allowance
from tests.kit.processes import Failing
from tests.kit.stores import KINDS, store_of_kind

WHOSE = ("person 1", "account a", "order 1044")
ALL = {"at": {"$lte": utcnow() + timedelta(days=9)}}


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncStore]:
    opened = store_of_kind(request.param, tmp_path, (Allowance,))
    yield opened
    await opened.close()


async def test_of_many_at_once_as_many_are_allowed_as_there_are_times(store: AsyncStore) -> None:
    asked = [allow(store, WHOSE, "refund", 3, f"key{n}") for n in range(8)]
    assert sum(await asyncio.gather(*asked)) <= 3
    more = [await allow(store, WHOSE, "refund", 3, f"later{n}") for n in range(4)]
    assert sum(more) < 4
    assert await store.count(Allowance, ALL) == 3 * len(WHOSE)
    # Another tool is another matter, and so is somebody else.
    assert await allow(store, WHOSE, "cancel_order", 3, "key0")
    assert await allow(store, ("person 2",), "refund", 3, "key0")


async def test_what_came_to_nothing_is_given_back_and_a_day_later_there_are_more(
    store: AsyncStore,
) -> None:
    assert await allow(store, WHOSE, "refund", 1, "one")
    assert await allow(store, WHOSE, "refund", 1, "one")
    assert not await allow(store, WHOSE, "refund", 1, "two")
    # One that was free for a part of them has kept nothing.
    assert not await allow(store, ("person 2", *WHOSE), "refund", 1, "two")
    assert await allow(store, ("person 2",), "refund", 1, "three")
    await release(store, "one")
    assert await allow(store, WHOSE, "refund", 1, "two")
    for row in await store.find(Allowance, ALL):
        await store.change(
            Allowance, {"id": row.id}, set={"at": utcnow() - DAY - timedelta(seconds=1)}
        )
    assert await allow(store, WHOSE, "refund", 1, "four")


@pytest.mark.parametrize("applied", [False, True])
async def test_who_is_killed_in_between_has_one_of_each_when_he_is_back(
    store: AsyncStore, applied: bool
) -> None:
    for at in range(1, 8):
        key = f"key{at}"
        dying = Failing(store, at=at, what="kill", applied=applied)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(allow(dying, WHOSE, "refund", 1, key))  # type: ignore[arg-type]
        assert await allow(store, WHOSE, "refund", 1, key)
        assert await store.count(Allowance, ALL) == len(WHOSE)
        await release(store, key)
