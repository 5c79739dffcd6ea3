"""What only the embedded store has: a file, processes that share it, and a disk that fails."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mongoengine import Document, IntField, StringField

from bot.store import Duplicate, StoreDown, StoreError
from bot.store.sqlite import SqliteStore
from tests.kit.samples import NOON, Sample, ids, sample

JOBS = 10_000
spawn = multiprocessing.get_context("spawn")


class Job(Document):
    id = IntField(primary_key=True)
    state = StringField(default="free")
    owner = StringField()

    meta = {"collection": "jobs", "auto_create_index": False, "indexes": [("state", "id")]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "bot.db"


def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    store.ensure(Sample)
    return store


def claim_until_none_is_left(path: Path, owner: str, start: Any, results: Any) -> None:
    store, claimed = SqliteStore(path), []
    start.wait()

    def work() -> None:
        while job := store.claim(
            Job, {"state": "free"}, sort=["state", "id"], set={"state": "taken", "owner": owner}
        ):
            claimed.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(claimed)
    store.close()


def test_two_processes_of_four_threads_claim_each_job_once(path: Path) -> None:
    store = SqliteStore(path)
    store.insert_new([Job(id=n) for n in range(JOBS)])
    start, results = spawn.Event(), spawn.Queue()
    workers = [
        spawn.Process(target=claim_until_none_is_left, args=(path, f"w{n}", start, results))
        for n in range(2)
    ]
    for worker in workers:
        worker.start()
    start.set()
    claims = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sorted(claims[0] + claims[1]) == list(range(JOBS))
    assert all(claims), "one process was shut out by the other"
    assert store.count(Job, {"state": "taken"}) == JOBS


def test_writers_are_kept_apart_without_the_lock_files_too(path: Path) -> None:
    """The turnstile is for fairness; SQLite's own locks must do for the rest."""
    stores = [opened(path) for _ in range(2)]
    stores[0].insert(sample("a", number=0))
    failed: list[BaseException] = []

    def add(store: SqliteStore) -> None:
        store._connections.turnstile = contextlib.nullcontext()  # type: ignore[assignment]
        try:
            for _ in range(100):
                store.change(Sample, {"id": "a"}, inc={"number": 1})
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=add, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert stores[0].get(Sample, "a").number == 200


def test_a_writer_without_pause_does_not_shut_others_out(path: Path) -> None:
    store = opened(path)
    process = writer(path, "flat-out")
    assert process.stdout is not None
    process.stdout.readline()
    stop = threading.Thread(target=process.stdout.read)
    stop.start()
    for n in range(200):
        store.insert(sample(f"mine-{n}"))
    process.kill()
    stop.join()
    process.wait()
    with sqlite3.connect(path) as db:
        rows = [id for (id,) in db.execute("SELECT _id FROM samples ORDER BY rowid")]
    between = rows[rows.index("mine-0") : rows.index("mine-199") + 1]
    theirs = len(between) - 200
    assert theirs > 50, "the other process was shut out"
    assert theirs < 2000, "this process was shut out"


WRITER = """
import sys
from pathlib import Path
from mongoengine import Document, StringField
from bot.store.sqlite import SqliteStore

class Sample(Document):
    id = StringField(primary_key=True)
    text = StringField()
    email = StringField(unique=True)
    room = StringField()
    meta = {"collection": "samples", "auto_create_index": False, "indexes": ["text"]}

store, prefix = SqliteStore(Path(sys.argv[1])), sys.argv[2]
for n in range(1_000_000):
    id = f"{prefix}-{n}"
    store.insert(Sample(id=id, text="x" * 500, email=id, room=id))
    print(id, flush=True)
"""


def writer(path: Path, prefix: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), prefix]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_kill_9_of_a_writer_loses_nothing_acknowledged(path: Path) -> None:
    store = opened(path)
    for round in range(3):
        process = writer(path, str(round))
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(60 + 70 * round)]
        process.kill()
        acknowledged += process.stdout.read().split()
        assert process.wait() == -signal.SIGKILL
        there = set(ids(store.find(Sample, {"id": {"$in": acknowledged}})))
        # The last line may have been cut while it was printed.
        assert set(acknowledged[:-1]) <= there
        # The dead writer's locks are gone: others can write at once.
        store.insert(sample(f"after-{round}"))
    store.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_files_are_for_their_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        store = opened(path)
        store.insert(sample("a"))
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert set(modes) == {f"bot.db{end}" for end in ("", "-wal", "-shm", ".lock", ".next")}
    assert set(modes.values()) == {0o600}


def test_writes_survive_the_power_being_cut(path: Path) -> None:
    """Which cannot be tried, but what SQLite needs to be told for it can be read."""
    store = opened(path)
    with store._connections.guarded() as connection:
        assert connection.db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_reads_do_not_wait_for_a_writer(path: Path) -> None:
    store, other = opened(path), SqliteStore(path)
    store.insert(sample("a", text="before"))
    with store._writing(Sample) as (connection, _):
        connection.db.execute('UPDATE samples SET "text" = ?', ("during",))
        assert other.count(Sample, {"text": "before"}) == 1
        assert other.get(Sample, "a") is not None
        assert other.claim(Sample, {"text": "none"}, sort=["id"], set={"text": "x"}) is None


def test_a_directory_that_cannot_be_made_then_can(path: Path) -> None:
    path.parent.write_text("a file where the directory should be")
    store = SqliteStore(path)
    for _ in range(2):
        with pytest.raises(StoreDown, match=r"var"):
            store.insert(sample("a"))
        with pytest.raises(StoreDown):
            store.ping()
    path.parent.unlink()
    store.insert(sample("a"))
    assert store.count(Sample, {}) == 1


def test_a_directory_that_goes_away_and_comes_back(path: Path, tmp_path: Path) -> None:
    store = opened(path)
    store.insert(sample("a"))
    elsewhere = tmp_path / "elsewhere"
    path.parent.rename(elsewhere)
    for call in (store.ping, lambda: store.insert(sample("b")), lambda: store.get(Sample, "a")):
        with pytest.raises(StoreDown, match="No such file"):
            call()
    assert not path.parent.exists(), "an empty store must not stand in for the one that is away"
    elsewhere.rename(path.parent)
    store.insert(sample("b"))
    assert ids(store.find(Sample, {}, sort=["id"])) == ["a", "b"]


def test_a_file_that_was_replaced_is_opened_anew(path: Path, tmp_path: Path) -> None:
    backup = SqliteStore(tmp_path / "backup.db")
    backup.insert(sample("restored"))
    backup.close()
    store = opened(path)
    store.insert(sample("lost"))
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink()
    (tmp_path / "backup.db").rename(path)
    assert ids(store.find(Sample, {})) == ["restored"]
    store.insert(sample("new"))
    again = SqliteStore(path)
    assert ids(again.find(Sample, {}, sort=["id"])) == ["new", "restored"]


def test_a_full_database_is_down_until_there_is_room(path: Path) -> None:
    store = opened(path)
    store.insert(sample("a", text="x"))
    with store._connections.guarded() as connection:
        (pages,) = connection.db.execute("PRAGMA page_count").fetchone()
        connection.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreDown, match="full"):
        store.insert_new([sample(str(n), text="x" * 4000) for n in range(50)])
    # The limit went with the dropped connection; nothing of the batch was stored.
    assert ids(store.find(Sample, {})) == ["a"]
    store.insert(sample("b"))
    assert store.count(Sample, {}) == 2


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from tests.kit.samples import Sample, sample
from bot.store import StoreDown
from bot.store.sqlite import SqliteStore
store = SqliteStore(Path({path!r}))
store.insert(sample("before"))
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
written, down = 0, 0
for n in range(100):
    try:
        store.insert(sample(f"full-{{n}}", text="x" * 2000))
        written += 1
    except StoreDown as error:
        down += 1
assert down, "the limit was never met"
assert store.get(Sample, "before") is not None
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
store.insert(sample("after"))
assert store.count(Sample, {{}}) == written + 2, (store.count(Sample, {{}}), written)
print("recovered")
"""


def test_a_disk_that_takes_no_more_is_down_until_it_does(path: Path) -> None:
    """By the system's limit on a file's size, which stops root as well."""
    code = FULL_DISK.format(tests=str(Path(__file__).parents[2]), path=str(path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "recovered\n", done.stderr


def test_too_many_open_files_is_down_until_some_are_closed(path: Path) -> None:
    store = opened(path)
    store.close()
    store = SqliteStore(path)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011, PT012
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        assert caught.value.errno == errno.EMFILE
        with pytest.raises(StoreDown):
            store.insert(sample("a"))
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    store.insert(sample("a"))
    assert store.count(Sample, {}) == 1


def test_a_lock_of_another_program_is_waited_for_and_then_down(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.sqlite_connections._BUSY", 0.2)
    store = opened(path)
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        store.insert(sample("a"))
    assert store.count(Sample, {}) == 0
    shell.execute("COMMIT")
    store.insert(sample("a"))


@pytest.mark.parametrize("rubbish", [b"this is no database at all" * 500, None])
def test_a_damaged_file_is_named(path: Path, rubbish: bytes | None) -> None:
    if rubbish is None:
        store = opened(path)
        store.insert_new([sample(f"{n:04}", text="x" * 300) for n in range(200)])
        store.close()
        whole = path.read_bytes()
        rubbish = whole[:4096] + b"\xa5" * (len(whole) - 4096)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(rubbish)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"bot\.db is damaged") as caught:
        store.get(Sample, "0001")
    assert not isinstance(caught.value, StoreDown)
    assert path.read_bytes() == rubbish


def test_a_damaged_document_is_named(path: Path) -> None:
    store = opened(path)
    store.insert(sample("a"))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE samples SET _doc = ?", (b"\x07\x00\x00",))
    with pytest.raises(StoreError, match="a document of samples"):
        store.get(Sample, "a")


# Versions.


class First(Document):
    id = StringField(primary_key=True)
    a = StringField()
    b = StringField()
    c = IntField()
    meta = {"collection": "things", "auto_create_index": False, "indexes": ["a"]}


class Second(Document):
    id = StringField(primary_key=True)
    a = StringField()
    b = StringField()
    c = IntField()
    meta = {
        "collection": "things",
        "auto_create_index": False,
        "indexes": ["a", ("b", "-c"), {"fields": ["c"], "unique": True}],
    }


def test_a_newer_version_finds_what_an_older_one_wrote(path: Path) -> None:
    old = SqliteStore(path)
    old.insert_new([First(id=f"{n:04}", a="x", b=f"b{n % 2}", c=n) for n in range(1200)])
    old.close()
    new = SqliteStore(path)
    new.ensure(Second)
    assert new.count(Second, {"b": "b1"}) == 600
    assert ids(new.find(Second, {"b": "b1"}, sort=["-c"], limit=1)) == ["1199"]
    with pytest.raises(Duplicate):
        new.insert(Second(id="again", c=5))


def test_an_older_version_keeps_the_indexes_of_a_newer_one(path: Path) -> None:
    """While a new version is rolled out, and after it was rolled back."""
    old, new = SqliteStore(path), SqliteStore(path)
    old.insert(First(id="1", b="one", c=1))
    new.ensure(Second)
    old.insert(First(id="2", b="two", c=2))
    old.change(First, {"id": "1"}, set={"b": "changed"})
    assert ids(new.find(Second, {"b": {"$gt": ""}}, sort=["b"])) == ["1", "2"]
    assert new.get(Second, "1").b == "changed"
    with pytest.raises(Duplicate):
        old.insert(First(id="3", b="three", c=2))
    back = SqliteStore(path)
    back.put(First(id="2", b="later", c=7))
    assert ids(new.find(Second, {"b": "later", "c": 7})) == ["2"]


def explain(path: Path, store: SqliteStore, ask: Callable[[], Any]) -> str:
    """SQLite's plan of the last SELECT that `ask` runs."""
    statements: list[str] = []
    with store._connections.guarded() as connection:
        connection.db.set_trace_callback(statements.append)
    ask()
    selects = [s for s in statements if s.startswith("SELECT")]
    with sqlite3.connect(path) as db:
        return " / ".join(row[3] for row in db.execute("EXPLAIN QUERY PLAN " + selects[-1]))


def test_queries_use_the_indexes(path: Path) -> None:
    store = opened(path)
    by_range = {"number": 1, "when": {"$gt": NOON}}
    plan = explain(path, store, lambda: store.find(Sample, by_range, sort=["-when"]))
    assert "number_1_when_-1" in plan
    assert "TEMP B-TREE" not in plan
    plan = explain(path, store, lambda: store.get(Sample, "a"))
    assert "(_id=?)" in plan
    plan = explain(path, store, lambda: store.find(Sample, {"email": "a@example.com"}))
    assert "email_1 " in plan


# Threads, processes, closing.


def test_a_child_process_opens_the_store_for_itself(path: Path) -> None:
    store = opened(path)
    store.insert(sample("parent"))
    with store._connections.guarded() as connection:
        parents = id(connection)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = b"failed"
        try:
            store.insert(sample("child"))
            with store._connections.guarded() as connection:
                told = b"same" if id(connection) == parents else b"own"
        finally:
            os.write(writing, told)
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"own"
    os.close(reading)
    os.close(writing)
    store.insert(sample("parent again"))
    assert ids(store.find(Sample, {}, sort=["id"])) == ["child", "parent", "parent again"]


def test_children_forked_while_threads_write_are_not_locked_out(path: Path) -> None:
    store = opened(path)
    stop, written = threading.Event(), []

    def work(me: int) -> None:
        while not stop.is_set():
            store.insert(sample(f"{me}-{len(written)}"))
            written.append(me)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    children = []
    for n in range(5):
        while len(written) < 20 * n:
            stop.wait(0.005)
        child = os.fork()
        if child == 0:
            done = 1
            try:
                for i in range(10):
                    store.insert(sample(f"child-{n}-{i}"))
                done = 0
            finally:
                os._exit(done)
        children.append(child)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 5
    assert store.count(Sample, {}) == len(written) + 50


def test_connections_of_finished_threads_are_given_back(path: Path) -> None:
    store = opened(path)
    for n in range(30):
        thread = threading.Thread(target=store.insert, args=(sample(str(n)),))
        thread.start()
        thread.join()
    assert store.count(Sample, {}) == 30
    assert len(store._connections) <= 2


def test_closing_lets_calls_finish_and_refuses_later_ones(path: Path) -> None:
    store = opened(path)
    stop = threading.Event()
    unexpected: list[BaseException] = []
    inserted: list[str] = []

    def work(me: int) -> None:
        n = 0
        while not stop.is_set():
            n += 1
            try:
                store.insert(sample(f"{me}-{n}"))
                inserted.append(f"{me}-{n}")
            except StoreError:
                return
            except BaseException as error:
                unexpected.append(error)
                return

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while len(inserted) < 40:
        stop.wait(0.01)
    store.close()
    for thread in threads:
        thread.join(timeout=20)
    stop.set()
    assert unexpected == []
    with pytest.raises(StoreError, match="closed"):
        store.ping()
    assert set(inserted) <= set(ids(SqliteStore(path).find(Sample, {})))


def test_a_store_needs_a_file_name() -> None:
    with pytest.raises(ValueError, match="path of a file"):
        SqliteStore("")


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("bot.db")
    monkeypatch.chdir("/")
    store.insert(sample("a"))
    assert (tmp_path / "bot.db").exists()
