"""The keeper: what is fetched, kept and refused, and that no death of a process shows."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import samples

from bot.media import keeper as keeping
from bot.media.folder import FolderVault
from bot.media.keeper import Keeper
from bot.media.refs import PREFIX, ref_of
from bot.media.seal import Seal
from bot.media.vault import AsyncVault, VaultDown, key_of
from bot.message import Album, Content, Media, Text, encode, utcnow
from bot.process import me
from bot.settings import Limits
from bot.settings import Media as MediaSettings
from bot.store import AsyncStore
from bot.store.dead_letters import FETCH, DeadLetter
from bot.store.files import KEPT, REFUSED, WANTED, StoredFile, wanted
from bot.store.messages import to_message
from connectors.base import File
from connectors.errors import NoFile, RetryLater
from tests.kit.build import inbound
from tests.kit.channel import Line
from tests.kit.processes import Failing
from tests.kit.stores import store_in
from tests.kit.waiting import until

SEAL = Seal("a secret of the test")
QUICK = Limits(poll_seconds=0.02, retry_base_seconds=0.01, retry_cap_seconds=0.02)
SETTINGS = MediaSettings(max_bytes=100_000)
PICTURE = samples.png()
ACCOUNT = ("line", "shop")

_name: contextvars.ContextVar[str] = contextvars.ContextVar("process", default="the test")
_numbers = itertools.count(1)

Step = File | Exception | Callable[[], Any]


class Files(Line):
    """A connector whose files a test gives: by `ref`, one step after another, the last for ever."""

    def __init__(self, **steps: Step | list[Step]) -> None:
        super().__init__()
        self.steps = {ref: list(s) if isinstance(s, list) else [s] for ref, s in steps.items()}
        self.fetched: list[str] = []
        self.most: list[int] = []
        self.at_once = self.most_at_once = 0

    async def fetch(self, media: Media, most: int) -> File:
        self.fetched.append(media.ref)
        self.most.append(most)
        steps = self.steps[media.ref]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(0)
            if callable(step) and not isinstance(step, Exception):
                step = await step()
        finally:
            self.at_once -= 1
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, File)
        return step


async def want(
    store: AsyncStore, content: Content | str = "pic", *, n: int | None = None, **fields: Any
) -> list[StoredFile]:
    """Make the rows of a message that came; a text is the ref of an image."""
    media = Media("image", ref=content) if isinstance(content, str) else content
    rows = wanted(to_message(inbound(media, n=n)))
    for row in rows:
        for name, value in fields.items():
            setattr(row, name, value)
    await store.insert_new(rows)
    return rows


async def now(store: AsyncStore, row: StoredFile) -> StoredFile:
    found = await store.get(StoredFile, row.id)
    assert found is not None
    return found


async def settled(store: AsyncStore) -> bool:
    return not await store.count(StoredFile, {"status": WANTED})


@contextlib.asynccontextmanager
async def at_work(made: Keeper) -> AsyncIterator[Keeper]:
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        await made.stop()
        await task


@pytest.fixture
def vault(tmp_path: Path) -> AsyncVault:
    return AsyncVault(FolderVault(tmp_path / "media"))


Make = Callable[..., Keeper]


@pytest.fixture
def make(store: AsyncStore, vault: AsyncVault) -> Make:
    """Make a keeper of the test's store and vault."""

    def keeper(line: Files, **options: Any) -> Keeper:
        settings = replace(SETTINGS, **options.pop("media", {}))
        limits = replace(QUICK, **options)
        return Keeper(store, vault, {ACCOUNT: line}, SEAL, settings, limits)

    return keeper


# the rows


def test_a_message_without_a_file_wants_none() -> None:
    assert wanted(to_message(inbound("hello"))) == []


def test_each_file_of_an_album_is_wanted_and_nothing_else() -> None:
    pictures = tuple(Media("image", ref=f"p{n}", filename=f"{n}.png") for n in range(3))
    message = to_message(inbound(Album(pictures)))
    rows = wanted(message)
    assert [r.id for r in rows] == [f"{message.id}:{n}" for n in range(3)]
    assert [r.media for r in rows] == [encode(p) for p in pictures]
    assert {(r.status, r.message, r.conversation) for r in rows} == {
        (WANTED, message.id, message.conversation)
    }
    assert len({r.handle for r in rows}) == 3


async def test_rows_made_again_are_the_same_and_change_nothing(store: AsyncStore) -> None:
    (row,) = await want(store, n=1)
    await store.change(StoredFile, {"id": row.id}, set={"status": KEPT})
    again = wanted(to_message(inbound(Media("image", ref="pic"), n=1)))
    assert await store.insert_new(again) == [False]
    assert (await now(store, row)).status == KEPT


# what becomes of them


async def test_a_file_is_fetched_once_and_kept(
    store: AsyncStore, vault: AsyncVault, make: Make
) -> None:
    line = Files(pic=File(PICTURE, "application/x-lies", "C:\\me\\shot"))
    (row,) = await want(store)
    async with at_work(make(line)):
        await until(lambda: settled(store))
        await asyncio.sleep(0.1)
    kept = await now(store, row)
    assert (kept.status, kept.mime, kept.filename) == (KEPT, "image/png", "shot.png")
    assert (kept.size, kept.key, kept.sha256) == (len(PICTURE), key_of(PICTURE), key_of(PICTURE))
    assert (kept.owner, kept.reason, kept.attempts) == ("", "", 1)
    assert await vault.get(kept.key) == PICTURE
    assert line.fetched == ["pic"]
    assert line.most == [100_000]


async def test_the_same_file_of_two_customers_is_in_the_vault_once(
    store: AsyncStore, tmp_path: Path, make: Make
) -> None:
    line = Files(one=File(PICTURE), two=File(PICTURE))
    rows = [*await want(store, "one"), *await want(store, "two")]
    async with at_work(make(line)):
        await until(lambda: settled(store))
    assert {(await now(store, r)).key for r in rows} == {key_of(PICTURE)}
    assert len([p for p in (tmp_path / "media").rglob("*") if p.is_file()]) == 1


async def test_an_album_is_kept_file_by_file(store: AsyncStore, make: Make) -> None:
    line = Files(a=File(PICTURE), b=NoFile("gone"), c=File(samples.JPEG))
    album = Album(tuple(Media("image", ref=r) for r in "abc"))
    rows = await want(store, album)
    async with at_work(make(line)):
        await until(lambda: settled(store))
    assert [(await now(store, r)).status for r in rows] == [KEPT, REFUSED, KEPT]


REFUSALS: dict[str, tuple[Step, str]] = {
    "a page called an image": (File(b"<html>hello</html>", "image/png", "a.png"), "page"),
    "a bill called an image": (File(samples.PDF, "image/png"), "sent as an image"),
    "a program": (File(samples.EXE), "program"),
    "an empty file": (File(b""), "empty"),
    "a file over the limit": (File(PICTURE + b"x" * 100_000), "100000 are allowed"),
    "what is gone": (NoFile("status 404"), "status 404"),
    "a reason with what no store keeps": (NoFile("a\ud800b\x00"), "a\ufffdb"),
}


@pytest.mark.parametrize(("step", "why"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_what_is_not_to_be_kept_is_refused_at_once_with_a_reason(
    store: AsyncStore, tmp_path: Path, make: Make, step: Step, why: str
) -> None:
    line = Files(pic=step)
    (row,) = await want(store)
    async with at_work(make(line)):
        await until(lambda: settled(store))
    refused = await now(store, row)
    assert (refused.status, refused.key, refused.owner) == (REFUSED, "", "")
    assert why in refused.reason
    assert line.fetched == ["pic"]
    assert not (tmp_path / "media").exists()
    assert not await store.count(DeadLetter, {})


async def test_a_failure_that_may_pass_is_tried_again(store: AsyncStore, make: Make) -> None:
    line = Files(pic=[RetryLater("down"), RetryLater("down", 0.05), OSError("bug"), File(PICTURE)])
    (row,) = await want(store)
    async with at_work(make(line)):
        await until(lambda: settled(store))
    kept = await now(store, row)
    assert (kept.status, kept.attempts, kept.reason) == (KEPT, 4, "")


async def test_a_provider_that_names_a_time_is_left_alone_until_then(
    store: AsyncStore, make: Make
) -> None:
    line = Files(pic=RetryLater("slow down", 3600.0))
    (row,) = await want(store)
    async with at_work(make(line)):
        await until(lambda: _freed(store, row, 1))
        await asyncio.sleep(0.1)
    waiting = await now(store, row)
    assert timedelta(minutes=59) < waiting.due - utcnow() < timedelta(minutes=61)
    assert waiting.reason == "slow down"
    assert line.fetched == ["pic"]


async def _freed(store: AsyncStore, row: StoredFile, attempts: int) -> bool:
    found = await now(store, row)
    return found.attempts >= attempts and not found.owner


async def test_after_the_providers_lifetime_it_is_given_up_as_a_dead_letter(
    store: AsyncStore, make: Make
) -> None:
    line = Files(pic=RetryLater("down"))
    (row,) = await want(store)
    async with at_work(make(line, media={"give_up_seconds": 0.2})):
        await until(lambda: settled(store))
    refused = await now(store, row)
    assert refused.status == REFUSED
    assert "gave up after" in refused.reason
    (letter,) = await store.find(DeadLetter, {})
    assert (letter.stage, letter.ref, letter.reason) == (FETCH, row.id, refused.reason)
    assert (letter.channel, letter.account) == ACCOUNT


async def test_the_last_attempt_is_at_the_end_of_the_lifetime_not_beyond(
    store: AsyncStore, make: Make
) -> None:
    line = Files(pic=RetryLater("slow down", 9999.0))
    (row,) = await want(store)
    async with at_work(make(line, media={"give_up_seconds": 1.0})):
        await until(lambda: settled(store))
    assert (await now(store, row)).status == REFUSED
    assert line.fetched == ["pic", "pic"]


async def test_an_attempt_that_hangs_is_ended_and_made_again(
    store: AsyncStore, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for an attempt that does not hang, however busy the machine is.
    monkeypatch.setattr(keeping, "_ATTEMPT_SECONDS", 1.0)
    line = Files(pic=[asyncio.Event().wait, File(PICTURE)])
    (row,) = await want(store)
    async with at_work(make(line)):
        await until(lambda: settled(store))
    assert ((await now(store, row)).status, len(line.fetched)) == (KEPT, 2)


async def test_a_vault_that_is_down_is_waited_for(
    store: AsyncStore, vault: AsyncVault, make: Make
) -> None:
    line = Files(pic=File(PICTURE))
    made = make(line)
    down = _Vault(vault, fails=3)
    made._vault = down  # type: ignore[assignment]
    (row,) = await want(store)
    async with at_work(made):
        await until(lambda: settled(store))
    assert ((await now(store, row)).status, down.calls) == (KEPT, 4)


async def test_a_row_of_an_account_that_is_not_here_is_left_alone(
    store: AsyncStore, make: Make
) -> None:
    (other,) = await want(store, "x", account="elsewhere")
    (mine,) = await want(store, "pic")
    async with at_work(make(Files(pic=File(PICTURE)))):
        await until(lambda: _is(store, mine, KEPT))
    assert ((await now(store, other)).status, (await now(store, other)).attempts) == (WANTED, 0)


async def _is(store: AsyncStore, row: StoredFile, status: str) -> bool:
    return (await now(store, row)).status == status


async def test_a_row_that_another_version_wrote_hurts_no_other(
    store: AsyncStore, make: Make
) -> None:
    (strange,) = await want(store, "x", media={"kind": "hologram"})
    (none,) = await want(store, "x", media=encode(Text("no file")))
    (good,) = await want(store, "pic")
    async with at_work(make(Files(pic=File(PICTURE)), media={"give_up_seconds": 0.2})):
        await until(lambda: settled(store))
    assert [(await now(store, r)).status for r in (strange, none, good)] == [REFUSED, REFUSED, KEPT]


async def test_a_slow_account_has_few_files_in_memory_and_holds_up_no_other(
    store: AsyncStore, vault: AsyncVault
) -> None:
    gate = asyncio.Event()

    async def slow() -> File:
        await gate.wait()
        return File(PICTURE)

    one, other = Files(slow=slow), Files(pic=File(PICTURE))
    accounts = {ACCOUNT: one, ("line", "other"): other}
    for _ in range(10):
        await want(store, "slow")
    (row,) = await want(store, "pic", account="other")
    async with at_work(Keeper(store, vault, accounts, SEAL, SETTINGS, QUICK)):
        await until(lambda: _is(store, row, KEPT))
        gate.set()
        await until(lambda: settled(store))
    assert one.most_at_once == 3
    assert len(one.fetched) == 10


# references


async def test_an_upload_that_was_kept_at_once_is_not_fetched(
    store: AsyncStore, vault: AsyncVault, make: Make
) -> None:
    key = key_of(PICTURE)
    await vault.put(key, PICTURE, "image/png")
    line = Files()
    ref = ref_of(SEAL, *ACCOUNT, key)
    (row,) = await want(store, Media("image", ref=ref, filename="shot.png"))
    async with at_work(make(line)):
        await until(lambda: settled(store))
    kept = await now(store, row)
    assert (kept.status, kept.key, kept.mime, kept.filename) == (
        KEPT,
        key,
        "image/png",
        "shot.png",
    )
    assert line.fetched == []


@pytest.mark.parametrize("forged", ["other account", "other seal", "no signature", "nothing"])
async def test_a_reference_that_was_not_given_out_is_refused_and_never_fetched(
    store: AsyncStore, vault: AsyncVault, make: Make, forged: str
) -> None:
    key = key_of(PICTURE)
    await vault.put(key, PICTURE, "image/png")
    ref = {
        "other account": ref_of(SEAL, "line", "other", key),
        "other seal": ref_of(Seal("another secret of sixteen"), *ACCOUNT, key),
        "no signature": PREFIX + key,
        "nothing": PREFIX,
    }[forged]
    line = Files()
    (row,) = await want(store, ref)
    async with at_work(make(line)):
        await until(lambda: settled(store))
    refused = await now(store, row)
    assert (refused.status, refused.key) == (REFUSED, "")
    assert line.fetched == []


async def test_an_upload_that_is_not_in_the_vault_any_more_is_refused(
    store: AsyncStore, make: Make
) -> None:
    (row,) = await want(store, ref_of(SEAL, *ACCOUNT, key_of(b"gone")))
    async with at_work(make(Files())):
        await until(lambda: settled(store))
    assert "not in the vault" in (await now(store, row)).reason


# stopping and dying


async def test_stopping_puts_back_what_takes_too_long(
    store: AsyncStore, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "finish_seconds", 0.05)
    line = Files(pic=asyncio.Event().wait)
    (row,) = await want(store)
    async with at_work(make(line)):
        await until(lambda: line.fetched)
    back = await now(store, row)
    assert (back.status, back.owner, back.deaths) == (WANTED, "", 0)
    assert back.due <= utcnow()
    async with at_work(make(Files(pic=File(PICTURE)))):
        await until(lambda: settled(store))
    assert (await now(store, row)).status == KEPT


async def test_stopping_lets_what_is_nearly_done_be_done(store: AsyncStore, make: Make) -> None:
    async def soon() -> File:
        await asyncio.sleep(0.1)
        return File(PICTURE)

    line = Files(pic=soon)
    (row,) = await want(store)
    async with at_work(make(line)):
        await until(lambda: line.fetched)
    assert (await now(store, row)).status == KEPT


async def test_what_a_dead_process_had_in_hand_is_taken_over_at_once(
    store: AsyncStore, make: Make
) -> None:
    dead = f"{me().partition('/')[0]}/999999999/1"
    later = utcnow() + timedelta(hours=1)
    (row,) = await want(store, owner=dead, due=later, attempts=1)
    async with at_work(make(Files(pic=File(PICTURE)))):
        await until(lambda: settled(store))
    kept = await now(store, row)
    assert (kept.status, kept.attempts, kept.deaths) == (KEPT, 2, 1)


async def test_what_a_living_process_has_in_hand_is_left_to_it(
    store: AsyncStore, make: Make
) -> None:
    later = utcnow() + timedelta(hours=1)
    (row,) = await want(store, owner="elsewhere/1/1", due=later)
    (mine,) = await want(store)
    async with at_work(make(Files(pic=File(PICTURE)))):
        await until(lambda: _is(store, mine, KEPT))
        await asyncio.sleep(0.1)
    assert (await now(store, row)).status == WANTED


async def test_a_file_that_workers_die_of_is_given_up_and_those_beside_it_are_kept(
    store: AsyncStore, make: Make
) -> None:
    dead = f"{me().partition('/')[0]}/999999999/1"
    later = utcnow() + timedelta(hours=1)
    (guilty,) = await want(store, owner=dead, due=later, deaths=2)
    (beside,) = await want(store, owner=dead, due=later, deaths=1)
    line = Files(pic=File(PICTURE))
    async with at_work(make(line, turn_attempts=3)):
        await until(lambda: settled(store))
    assert ((await now(store, guilty)).status, (await now(store, beside)).status) == (REFUSED, KEPT)
    assert len(line.fetched) == 1
    (letter,) = await store.find(DeadLetter, {})
    assert (letter.ref, letter.stage) == (guilty.id, FETCH)


async def test_what_died_together_is_taken_over_one_by_one(store: AsyncStore, make: Make) -> None:
    dead = f"{me().partition('/')[0]}/999999999/1"
    later = utcnow() + timedelta(hours=1)

    async def slow() -> File:
        await asyncio.sleep(0.02)
        return File(PICTURE)

    line = Files(pic=slow)
    for _ in range(5):
        await want(store, owner=dead, due=later)
    async with at_work(make(line)):
        await until(lambda: settled(store))
    assert line.most_at_once == 1


# faults at every call


class _Vault:
    """A vault that is down for the first so many calls."""

    def __init__(self, vault: AsyncVault, fails: int) -> None:
        self._vault, self._fails = vault, fails
        self.calls = 0

    async def put(self, key: str, data: bytes, mime: str) -> None:
        self.calls += 1
        if self.calls <= self._fails:
            raise VaultDown("the test holds the vault down")
        await self._vault.put(key, data, mime)


class _Both:
    """The store and the vault of one process, whose `at`-th call together goes wrong."""

    def __init__(self, store: AsyncStore, vault: AsyncVault, **fault: Any) -> None:
        self._vault = vault
        self.store = Failing(store, **fault)

    async def put(self, key: str, data: bytes, mime: str) -> None:
        await self._call("put", key, data, mime)

    async def get(self, key: str) -> bytes:
        found: bytes = await self._call("get", key)
        return found

    async def _call(self, verb: str, *args: Any) -> Any:
        # `Failing` counts and breaks the calls of whatever it is asked to call.
        kept = self.store._store
        self.store._store = self._vault  # type: ignore[assignment]
        call = getattr(self.store, verb)
        self.store._store = kept
        try:
            return await call(*args)
        except Exception as error:
            raise VaultDown(str(error)) from None


class Process:
    """A process with a keeper, which may be killed at any call."""

    def __init__(
        self, dead: set[str], store: AsyncStore, vault: AsyncVault, line: Files, **fault: Any
    ) -> None:
        self.name = f"process {next(_numbers)}"
        self.died = asyncio.Event()
        self._dead = dead
        self._line = _Mortal(line, self)
        self.both = _Both(store, vault, killed=self.kill, **fault)
        token = _name.set(self.name)
        limits = replace(QUICK, turn_attempts=10)
        accounts = {ACCOUNT: self._line}
        self.keeper = Keeper(self.both.store, self.both, accounts, SEAL, SETTINGS, limits)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.keeper.run())
        _name.reset(token)

    def kill(self) -> None:
        self.both.store.alive = False
        self._dead.add(self.name)
        self.died.set()
        for task in (self.task, *self.keeper._serving.values()):
            task.cancel()

    async def stop(self) -> None:
        if self.both.store.alive:
            await self.keeper.stop()
        self.task.cancel()
        await asyncio.gather(self.task, *self.keeper._serving.values(), return_exceptions=True)


class _Mortal(Line):
    """A line in a process that may be killed: then it asks for nothing more."""

    def __init__(self, line: Files, process: Process) -> None:
        super().__init__()
        self._line, self._process = line, process

    async def fetch(self, media: Media, most: int) -> File:
        self._process.both.store.check()
        return await self._line.fetch(media, most)


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    names: set[str] = set()
    monkeypatch.setattr(keeping, "me", _name.get)
    monkeypatch.setattr(keeping, "is_dead", names.__contains__)
    return names


async def _round(directory: Path, dead: set[str], at: int, what: str, applied: bool) -> int:
    """Keep four files with one fault, and see that nothing shows of it; return the calls made."""
    where = directory / f"{what}-{applied}-{at}"
    where.mkdir()
    store = store_in(where)
    vault = AsyncVault(FolderVault(where / "media"))
    upload = key_of(samples.WEBP)
    await vault.put(upload, samples.WEBP, "")
    given = Files(
        one=File(PICTURE),
        page=File(b"<html>"),
        later=[RetryLater("down"), File(samples.JPEG)],
    )
    rows = []
    for ref in ("one", "page", "later", ref_of(SEAL, *ACCOUNT, upload)):
        rows += await want(store, ref)
    running = [Process(dead, store, vault, given, at=at, what=what, applied=applied)]
    try:
        while True:
            done = asyncio.create_task(until(lambda: settled(store)))
            died = asyncio.create_task(running[-1].died.wait())
            await asyncio.wait({done, died}, return_when=asyncio.FIRST_COMPLETED)
            died.cancel()
            if done.done():
                done.result()
                break
            done.cancel()
            running.append(Process(dead, store, vault, given))
    finally:
        for process in running:
            await process.stop()
    label = f"{what} {'after' if applied else 'before'} call {at}"
    ends = [await now(store, row) for row in rows]
    assert [r.status for r in ends] == [KEPT, REFUSED, KEPT, KEPT], label
    expected = [key_of(PICTURE), "", key_of(samples.JPEG), upload]
    assert [r.key for r in ends] == expected, label
    assert not any(r.owner for r in ends), label
    for row in ends:
        if row.status == KEPT:
            assert key_of(await vault.get(row.key)) == row.sha256, label
    files = [p for p in (where / "media").rglob("*") if p.is_file()]
    assert sorted(p.name for p in files) == sorted(k for k in expected if k), label
    assert await store.count(StoredFile, {}) == len(rows)
    assert not await store.count(DeadLetter, {})
    await store.close()
    return running[0].both.store.calls


@pytest.mark.parametrize("what", ["down", "kill"])
@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
async def test_no_failed_call_to_store_or_vault_loses_or_doubles_a_file(
    tmp_path: Path, dead: set[str], what: str, applied: bool
) -> None:
    calls = await _round(tmp_path, dead, 0, what, applied)
    assert calls > 4 * 3
    gate = asyncio.Semaphore(8)

    async def one(at: int) -> None:
        async with gate:
            await _round(tmp_path, dead, at, what, applied)

    await asyncio.gather(*(one(at) for at in range(1, calls + 1)))


async def test_two_keepers_at_once_fetch_each_file_once(
    store: AsyncStore, vault: AsyncVault, dead: set[str]
) -> None:
    async def slowly() -> File:
        await asyncio.sleep(0.01)
        return File(PICTURE)

    given = Files(**{f"f{n}": slowly for n in range(30)})
    for n in range(30):
        await want(store, f"f{n}")
    running = [Process(dead, store, vault, given) for _ in range(2)]
    try:
        await until(lambda: settled(store))
    finally:
        for process in running:
            await process.stop()
    assert sorted(given.fetched) == sorted(given.steps)
    rows = await store.find(StoredFile, {"status": KEPT})
    assert (len(rows), {r.attempts for r in rows}) == (30, {1})
