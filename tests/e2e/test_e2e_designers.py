"""What designers do to a running bot, while its customers write on."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import random
import shutil
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from bot.dialogue.promoting import Models
from bot.dialogue.training import train
from bot.media.vault import AsyncVault, open_vault
from bot.serve import store_of
from bot.store.messages import Message
from bot.store.models import FAILED
from bot.store.turns import Turn
from tests.kit.customers import Control, Phone, new_user
from tests.kit.instance import REPOSITORY, Instance, watching
from tests.kit.load import Load
from tests.kit.models import saying, unreadable
from tests.kit.tiny import spoil
from tests.kit.waiting import until

WORKERS = 2
PEOPLE = {"telegram": 2, "whatsapp": 1, "sms": 1}
NEW, LIVE = "Hello from the new model", "Hello, says whoever edits the files"
OLD = "Hello! I'm the assistant of Larkfield Goods"


@pytest.fixture(scope="module")
def designed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that may be promoted into, with a folder of models of its own."""
    place = tmp_path_factory.mktemp("designed")
    (place / "models").mkdir()
    trained = train(REPOSITORY, REPOSITORY / "models")
    shutil.copy2(trained, place / "models")
    shutil.copy2(trained, place / "trained.tar.gz")
    made = Instance(place, apart=True, workers=WORKERS, models=place / "models")
    try:
        made.start()
        made.ready(WORKERS)
        yield made
    finally:
        made.close()
    assert made.left() == []


@pytest.fixture
async def desk(designed: Instance) -> AsyncIterator[Control]:
    async with aiohttp.ClientSession() as http:
        yield Control(http, designed.sandbox_url)


@pytest.fixture
async def models(designed: Instance) -> AsyncIterator[Models]:
    """What ``bot models`` works with."""
    store = store_of(designed.settings())
    yield Models(store, AsyncVault(open_vault(designed.settings())))
    await store.close()


def checked(said: str) -> bool:
    """Tell whether a watch has found nothing that is wrong."""
    return "no error" in said or "all is well" in said


async def greeting(control: Control) -> str:
    """What somebody new is greeted with."""
    [heard] = await Phone(control, "telegram", new_user("telegram")).ask("hello")
    return heard.text


async def logged(instance: Instance, words: str, since: int, times: int = WORKERS) -> None:
    """Wait until that many workers said so."""
    await until(lambda: instance.logged(since).count(words) >= times, timeout=60, pause=0.02)


def is_loading(instance: Instance) -> bool:
    """Whether a worker is at loading a model just now: one at a time holds the lock."""
    with (instance.directory / "models" / ".loading").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.asynccontextmanager
async def customers(instance: Instance, control: Control) -> AsyncIterator[Load]:
    """People who ask without a pause; in the end each was answered once, and in order."""
    people = [
        Phone(control, channel, new_user(channel))
        for channel, count in PEOPLE.items()
        for _ in range(count)
    ]
    load = Load(instance, control, people, random.Random(1), ahead=2, pause=0.6)
    asking = asyncio.create_task(load.ask())
    try:
        await until(lambda: load.answered >= len(people), timeout=60)
        yield load
    finally:
        load.enough()
        await asking
    await load.settle(60)
    load.check()


def turns(instance: Instance, load: Load) -> list[list[Turn]]:
    """The turns of each customer, in order."""
    store = instance.store()
    try:
        return [
            store.find(Turn, {"conversation": a.customer.conversation}, sort=("seq",))
            for a in load.askers
        ]
    finally:
        store.close()


def models_of(instance: Instance, load: Load) -> list[list[str]]:
    """The models that answered each customer, in order."""
    return [[turn.model for turn in of_one] for of_one in turns(instance, load)]


def waits(instance: Instance, load: Load) -> list[tuple[float, float]]:
    """When each message arrived, and the seconds until its turn was committed."""
    store = instance.store()
    try:
        arrived = {
            row.id: row.arrived / 1e6
            for a in load.askers
            for row in store.find(Message, {"conversation": a.customer.conversation})
        }
    finally:
        store.close()
    every = [turn for of_one in turns(instance, load) for turn in of_one]
    return [(arrived[t.id], t.at.timestamp() - arrived[t.id]) for t in every]


@pytest.mark.slow
async def test_models_are_swapped_under_customers_who_write_on(
    designed: Instance, desk: Control, models: Models
) -> None:
    made = designed.directory / "made"
    made.mkdir()
    new = saying(designed.directory / "trained.tar.gz", made, "new", NEW)
    await models.take_in(unreadable(made, "bad"))
    old = await greeting(desk)
    assert old.startswith(OLD)
    async with customers(designed, desk) as load:
        began, since = time.time(), designed.log_size
        command = ("models", "promote", str(new))
        done = await asyncio.to_thread(designed.command, *command)
        assert done.stdout == "new is in use; workers take it up within seconds\n", done.stderr
        await logged(designed, "model new instead of", since)
        assert await greeting(desk) == NEW
        await until(lambda: all("new" in by for by in models_of(designed, load)), pause=0.3)

        # One that cannot be loaded changes nothing but what the list says.
        since = designed.log_size
        await models.promote("bad", by="anna")
        await logged(designed, "model bad is refused, new goes on", since)
        assert await greeting(desk) == NEW
        assert {m.id: m.status for m in await models.listing()}["bad"] == FAILED

        since = designed.log_size
        assert (await models.rollback(by="ben"))[0] == "bad"
        assert (await models.rollback(by="ben"))[0] == "new"
        await logged(designed, "instead of new, after", since)
        assert await greeting(desk) == old
        ended = time.time()
        await until(lambda: all(by[-1] != "new" for by in models_of(designed, load)), pause=0.3)
    for by in models_of(designed, load):
        # One worker after the other takes a model up; meanwhile each answers with its own.
        assert len(set(by)) == 2
        assert "new" not in (by[0], by[-1])
    taken = waits(designed, load)
    calm, swaps = (
        max((w for at, w in taken if (began < at < ended) is during), default=0.0)
        for during in (False, True)
    )
    print(f"{len(taken)} messages, the longest wait {swaps:.2f} s, without a swap {calm:.2f} s")


async def test_workers_that_are_killed_while_they_load_a_model_come_back_with_it(
    designed: Instance, desk: Control, models: Models
) -> None:
    made = designed.directory / "again"
    made.mkdir()
    again = saying(designed.directory / "trained.tar.gz", made, "again", NEW)
    await models.take_in(again)
    async with customers(designed, desk) as load:
        since = designed.log_size
        await models.promote("again", by="anna")
        await until(lambda: is_loading(designed), timeout=60, pause=0.001)
        assert designed.kill("worker") == WORKERS
        await asyncio.to_thread(designed.ready, WORKERS, since)
        assert await greeting(desk) == NEW
        await until(lambda: all("again" in by for by in models_of(designed, load)), pause=0.3)
    since = designed.log_size
    await models.rollback(by="ben")
    await logged(designed, "instead of again, after", since)
    assert (await greeting(desk)).startswith(OLD)


async def test_words_are_live_without_training(designed: Instance, desk: Control) -> None:
    project = designed.directory / "project"
    for part in ("config.yml", "domain.yml", "data", "actions", "tests/stories", "tests/nlu"):
        copy = shutil.copytree if (REPOSITORY / part).is_dir() else shutil.copy2
        (project / part).parent.mkdir(parents=True, exist_ok=True)
        copy(REPOSITORY / part, project / part)
    before = sorted((designed.directory / "models").glob("*.tar.gz"))
    with watching(designed, project, "--no-train") as said:
        await until(lambda: said.exists() and checked(said.read_text()), timeout=60)
        saved, since = time.monotonic(), designed.log_size
        spoil(project / "domain.yml", f'"{OLD}', f'"{LIVE}. Of Larkfield Goods')
        await until(lambda: "responses are live" in said.read_text(), timeout=60, pause=0.02)
        live = time.monotonic() - saved
        while not (await greeting(desk)).startswith(LIVE):
            assert time.monotonic() - saved < 60.0
        await logged(designed, "says the words of", since)
        print(f"live {live:.2f} s after the save, on the phone {time.monotonic() - saved:.2f} s")

        # What is wrong is told with its line, and changes nothing.
        line = (project / "domain.yml").read_text().partition("  utter_greet:\n")[0].count("\n") + 1
        spoil(project / "domain.yml", "  utter_greet:\n", "\tutter_greet:\n")
        await until(lambda: "left as it is" in said.read_text(), timeout=60)
        assert f"domain.yml:{line}: error: " in said.read_text()
        assert (await greeting(desk)).startswith(LIVE)
    assert sorted((designed.directory / "models").glob("*.tar.gz")) == before
    assert designed.training() == []
