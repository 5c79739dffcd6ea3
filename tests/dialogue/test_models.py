from __future__ import annotations

import asyncio
import os
import tarfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain

from bot.dialogue.brain import Brain
from bot.dialogue.errors import ModelMissing, ModelUnreadable
from bot.dialogue.following import Follower
from bot.dialogue.promoting import Models, NotPromoted, name_of
from bot.media.folder import FolderVault
from bot.media.vault import AsyncVault, key_of
from bot.message import Address, Inbound, Text
from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.models import POINTER, ModelInUse, StoredModel
from bot.store.sqlite import SqliteStore
from tests.dialogue.conftest import ROOT
from tests.kit.models import saying

OLD, NEW = "The old model says hello", "The new model says hello"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[AsyncStore]:
    opened = AsyncStore(SqliteStore(tmp_path / "bot.db"), DOCUMENTS)
    yield opened
    await opened.close()


@pytest.fixture
def models(store: AsyncStore, tmp_path: Path) -> Models:
    return Models(store, AsyncVault(FolderVault(tmp_path / "vault")))


def archive(folder: Path, name: str, text: str = "") -> Path:
    """A file that is a model as far as the store cares."""
    folder.mkdir(exist_ok=True)
    path, inside = folder / f"{name}.tar.gz", folder / "metadata.json"
    inside.write_text(f"{name} {text}")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(inside, "metadata.json")
    return path


@pytest.fixture
async def three(models: Models, tmp_path: Path) -> list[str]:
    taken = [await models.take_in(archive(tmp_path / "made", f"m{n}")) for n in (1, 2, 3)]
    return [model.id for model in taken]


async def test_rolling_back_goes_through_what_was_in_use_before(
    models: Models, three: list[str]
) -> None:
    for name in three:
        await models.promote(name, by="anna")
    assert await models.rollback(by="ben") == ("m3", await models.in_use())
    out, pointer = await models.rollback(by="ben", why="still wrong")
    assert (out, pointer.model, pointer.before) == ("m2", "m1", [])
    with pytest.raises(NotPromoted, match="no model was in use before"):
        await models.rollback(by="ben")
    assert [entry["how"] for entry in pointer.history] == ["promote"] * 3 + ["rollback"] * 2
    states = {m.id: (m.status, m.withdrawn) for m in await models.listing()}
    assert states == {
        "m1": ("in_use", False),
        "m2": ("retired", True),
        "m3": ("retired", True),
    }


async def test_promoting_what_is_in_use_changes_nothing(models: Models, three: list[str]) -> None:
    first = await models.promote("m1", by="anna")
    again = await models.promote("m1", by="ben")
    assert (again.epoch, again.before, len(again.history)) == (first.epoch, [], 1)


async def test_of_many_promotions_at_once_each_counts(models: Models, three: list[str]) -> None:
    await models.promote("m1", by="anna")
    await asyncio.gather(*(models.promote(name, by="ben") for name in ("m2", "m3") for _ in "12"))
    pointer = await models.in_use()
    assert pointer is not None
    # Each change saw the one before it: what was left behind is a chain without a gap.
    chain = [entry["model"] for entry in pointer.history]
    assert chain[-1] == pointer.model
    assert pointer.before == chain[:-1]
    assert pointer.epoch == len(chain)
    assert [m.id for m in await models.listing() if m.status == "in_use"] == [pointer.model]


async def test_a_process_that_was_killed_in_the_middle_of_it_does_no_harm(
    models: Models, store: AsyncStore, three: list[str]
) -> None:
    await models.promote("m1", by="anna")
    # As promote does it, up to where it was killed: the pointer is moved, nothing else.
    await store.change(ModelInUse, {"id": POINTER}, set={"model": "m2", "before": ["m1"]})
    states = {m.id: m.status for m in await models.listing()}
    assert states == {"m1": "retired", "m2": "in_use", "m3": "candidate"}
    await models.promote("m3", by="anna")
    kept = {m.id: m.status for m in await store.find(StoredModel, {})}
    assert kept["m1"] == "retired"


async def test_a_file_reaches_another_host_whole(
    models: Models, three: list[str], tmp_path: Path
) -> None:
    made, there = tmp_path / "made" / "m1.tar.gz", tmp_path / "there"
    path = await models.fetch("m1", there)
    assert path.read_bytes() == made.read_bytes()
    # What is there but damaged is brought anew; what is whole is left alone.
    path.write_bytes(path.read_bytes()[:-10])
    assert (await models.fetch("m1", there)).read_bytes() == made.read_bytes()
    before = path.stat().st_mtime_ns
    await models.fetch("m1", there)
    assert path.stat().st_mtime_ns == before
    assert [p.name for p in there.iterdir()] == ["m1.tar.gz"]


async def test_a_damaged_or_lost_file_of_the_vault_is_told(
    models: Models, three: list[str], tmp_path: Path
) -> None:
    key = key_of((tmp_path / "made" / "m1.tar.gz").read_bytes())
    kept = next(path for path in (tmp_path / "vault").rglob("*") if path.name == key)
    kept.chmod(0o600)
    kept.write_bytes(b"damaged")
    with pytest.raises(ModelUnreadable, match="is damaged"):
        await models.fetch("m1", tmp_path / "there")
    kept.unlink()
    with pytest.raises(ModelMissing, match="not in the vault"):
        await models.fetch("m1", tmp_path / "there")


async def test_a_name_stands_for_one_file(models: Models, three: list[str], tmp_path: Path) -> None:
    again = await models.take_in(tmp_path / "made" / "m1.tar.gz")
    assert again.id == "m1"
    with pytest.raises(NotPromoted, match="another model of that name"):
        await models.take_in(archive(tmp_path / "other", "m1", "differs"))
    with pytest.raises(NotPromoted, match="knows no such model"):
        await models.promote("m4", by="anna")


# --- hot swap


@pytest.fixture
async def following(
    models: Models, model: Path, shop: None, tmp_path: Path
) -> AsyncIterator[Follower]:
    """A worker's brain that answers with the old model; the new one is only known."""
    for text, name in ((OLD, "old"), (NEW, "new")):
        await models.take_in(saying(model, tmp_path, name, text))
    await models.promote("old", by="anna")
    follower = Follower(models, tmp_path / "cache", Brain.load)
    await follower.start()
    yield follower
    follower.brain.close()


def hello(n: int) -> Inbound:
    return Inbound(Address("telegram", "shop", f"u{n}"), f"m{n}", Text("hello"))


async def greeting(follower: Follower, n: int = 0) -> str:
    outcome = await follower.brain.take(hello(n), None)
    assert outcome.failure is None
    assert outcome.parse["intent"] == "greet"
    content = outcome.replies[0]
    return str(getattr(content, "text", content))


async def test_no_message_is_lost_while_models_are_swapped(
    models: Models, following: Follower
) -> None:
    answers: dict[int, str] = {}
    delays: list[float] = []
    done = asyncio.Event()

    async def one(n: int) -> None:
        began = time.monotonic()
        answers[n] = await greeting(following, n)
        delays.append(time.monotonic() - began)

    async def stream() -> int:
        tasks, n = [], 0
        while not done.is_set():
            tasks.append(asyncio.create_task(one(n)))
            n += 1
            await asyncio.sleep(0.02)
        await asyncio.gather(*tasks)
        return n

    streaming = asyncio.create_task(stream())
    while len(answers) < 10:
        await asyncio.sleep(0.02)
    calm, delays = max(delays[5:]), []
    await models.promote("new", by="anna")
    began = time.monotonic()
    assert await following.look()
    took = time.monotonic() - began
    while NEW not in answers.values():
        await asyncio.sleep(0.02)
    done.set()
    sent = await streaming
    print(f"swap {took:.2f} s, {sent} messages, worst {max(delays):.3f} s, before {calm:.3f} s")
    assert sorted(answers) == list(range(sent))
    said = [answers[n] for n in range(sent)]
    assert set(said) == {OLD, NEW}
    # In order: once the new one has answered, the old one does not answer what came later.
    assert said == sorted(said, key=(OLD, NEW).index)
    assert following.name == "new"
    assert not await following.look()


async def test_a_model_that_cannot_be_loaded_is_refused_and_recorded(
    models: Models, following: Follower, tmp_path: Path
) -> None:
    await models.take_in(archive(tmp_path / "made", "broken"))
    await models.promote("broken", by="anna")
    assert not await following.look()
    assert await greeting(following) == OLD
    rows = {m.id: m for m in await models.listing()}
    assert rows["broken"].status == "failed"
    [(_, why)] = rows["broken"].failed_at.items()
    assert "broken" in why
    # Not again for the same promotion, but the next one is taken.
    assert not await following.look()
    await models.promote("new", by="anna")
    assert await following.look()
    assert await greeting(following) == NEW


async def test_a_worker_that_starts_takes_what_can_be_loaded(
    models: Models, following: Follower, tmp_path: Path
) -> None:
    await models.promote("new", by="anna")
    await models.take_in(archive(tmp_path / "made", "broken"))
    await models.promote("broken", by="anna")
    late = Follower(models, tmp_path / "cache", Brain.load)
    await late.start()
    assert late.name == "new"
    assert await greeting(late) == NEW
    late.brain.close()


async def test_without_a_model_in_the_store_the_newest_file_is_loaded(
    models: Models, model: Path, shop: None, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for age, (text, name) in enumerate(((NEW, "one"), (OLD, "two"))):
        path = saying(model, folder, name, text)
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age * 50))
    follower = Follower(models, folder, Brain.load)
    await follower.start()
    assert (follower.name, await greeting(follower)) == ("one", NEW)
    # One that is promoted while it runs is taken, though its file is older.
    await models.take_in(folder / "two.tar.gz")
    await models.promote("two", by="anna")
    assert await follower.look()
    assert await greeting(follower) == OLD
    follower.brain.close()


async def test_without_any_model_a_worker_does_not_start(models: Models, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no model here"):
        await Follower(models, tmp_path / "none", Brain.load).start()


async def test_a_file_that_is_set_is_used_whatever_the_store_says(
    models: Models, following: Follower, tmp_path: Path
) -> None:
    pinned = Follower(models, tmp_path / "new.tar.gz", Brain.load)
    await pinned.start()
    assert (pinned.name, await greeting(pinned)) == ("new", NEW)
    assert not await pinned.look()
    pinned.brain.close()
    assert name_of(ROOT / "x.tar.gz") == "x"


def test_a_models_domain_is_the_same_unvalidated(model: Path, brain: Brain, tmp_path: Path) -> None:
    with tarfile.open(model) as tar:
        tar.extractall(tmp_path)
    written = next(path for path in tmp_path.rglob("domain.yml"))
    loaded = brain._processor.graph_runner.components()["domain_provider"].provide_inference()
    stock = Domain.from_path(str(written.parent))
    assert loaded.as_dict() == stock.as_dict()
    assert loaded.fingerprint() == stock.fingerprint()
