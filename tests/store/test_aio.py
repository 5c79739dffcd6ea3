"""The store for asyncio."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.store import AsyncStore, Duplicate, StoreError, open_store
from tests.kit.samples import Sample, ids, sample


async def test_every_verb_can_be_awaited(tmp_path: Path) -> None:
    store = AsyncStore(open_store(f"sqlite:{tmp_path / 'bot.db'}"))
    await store.ping()
    await store.insert(sample("a", number=1))
    assert await store.insert_new([sample("a"), sample("b", number=2)]) == [False, True]
    await store.put(sample("c", number=3))
    assert (await store.get(Sample, "c")).number == 3
    assert ids(await store.find(Sample, {}, sort=["-number"], limit=2, skip=1)) == ["b", "a"]
    assert (await store.change(Sample, {"id": "a"}, inc={"number": 9})).number == 10
    job = await store.claim(Sample, {"number": {"$gt": 2}}, sort=["number"], set={"text": "x"})
    assert job.id == "c"
    assert await store.count(Sample, {"text": "x"}) == 1
    assert await store.delete(Sample, {"text": "x"}) == 1
    with pytest.raises(Duplicate):
        await store.insert(sample("a"))
    await store.close()


async def test_the_event_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    store = AsyncStore(open_store(f"sqlite:{tmp_path / 'bot.db'}"))
    await asyncio.gather(*(store.insert(sample(str(n), number=n)) for n in range(50)))
    assert await store.count(Sample, {}) == 50
    await store.close()


async def test_it_may_be_closed_twice_and_is_closed_then(tmp_path: Path) -> None:
    store = AsyncStore(open_store(f"sqlite:{tmp_path / 'bot.db'}"))
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.ping()


@pytest.mark.parametrize("url", ["postgres://user:hunter2@h/db", "bot.db", ""])
def test_another_kind_of_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="neither") as caught:
        open_store(url)
    assert "hunter2" not in str(caught.value)
