"""Measure the embedded store: ``python bench/store.py [DIRECTORY]``, about 15 seconds.

Every write is acknowledged only when it is on the disk, so what is measured is mostly
the disk of DIRECTORY (default: a temporary one). Ratios hold better than rates.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from bot.message import utcnow
from bot.store.messages import DONE, PENDING, Message
from bot.store.sqlite import SqliteStore

PROCESSES, THREADS = 2, 4
JOBS = 6_000
SECONDS = 3.0
_spawn = multiprocessing.get_context("spawn")


def message(id: str, n: int, status: str = PENDING) -> Message:
    """A text message of ordinary size."""
    now = utcnow()
    return Message(
        id=id,
        direction="in",
        conversation=f"telegram:shop:{n % 500}",
        channel="telegram",
        account="shop",
        provider_id=id,
        status=status,
        content={"kind": "text", "text": "Where is my order 1042? " * 8},
        arrived=n,
        sent=now,
        due=now,
    )


def rate(calls: int, work: Callable[[int], Any]) -> float:
    """Calls of `work` a second."""
    began = time.perf_counter()
    for n in range(calls):
        work(n)
    return calls / (time.perf_counter() - began)


def percentile(seconds: list[float], part: float) -> float:
    """The value in milliseconds below which `part` of the measurements lie."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * part))] * 1000


def claimer(path: Path, ready: Any, start: Event, results: Queue[int]) -> None:
    """One process of claiming threads."""
    store, claimed = SqliteStore(path), []
    store.count(Message, {"status": PENDING})

    def work() -> None:
        while row := store.claim(
            Message,
            {"direction": "in", "status": PENDING, "due": {"$lte": utcnow()}},
            sort=["due", "arrived"],
            set={"status": DONE, "owner": "bench"},
            inc={"attempts": 1},
        ):
            claimed.append(row.id)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    ready.release()
    start.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(len(claimed))


def claims(path: Path) -> float:
    """Claims a second by all workers together."""
    store = SqliteStore(path)
    store.insert_new([message(f"telegram:shop:j{n}", n) for n in range(JOBS)])
    ready, start = _spawn.Semaphore(0), _spawn.Event()
    results: Queue[int] = _spawn.Queue()
    workers = [
        _spawn.Process(target=claimer, args=(path, ready, start, results)) for _ in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    began = time.perf_counter()
    start.set()
    total = sum(results.get() for _ in workers)
    took = time.perf_counter() - began
    for worker in workers:
        worker.join()
    if total != JOBS:
        raise SystemExit(f"{JOBS} jobs were claimed {total} times")
    return total / took


def without_queueing(store: SqliteStore) -> None:
    """Leave waiting to SQLite's own busy handler."""
    store._connections.turnstile = contextlib.nullcontext()  # type: ignore[assignment]


def flat_out(path: Path, queueing: bool, ready: Any, stop: Event) -> None:
    """Insert without pause until told to stop."""
    store, n = SqliteStore(path), 0
    if not queueing:
        without_queueing(store)
    ready.release()
    while not stop.is_set():
        store.insert(message(f"telegram:shop:flat{n}", n, DONE))
        n += 1


def waits(path: Path, queueing: bool) -> list[float]:
    """Seconds each insert took beside a process that inserts without pause."""
    store = SqliteStore(path)
    store.ensure(Message)
    if not queueing:
        without_queueing(store)
    ready, stop = _spawn.Semaphore(0), _spawn.Event()
    other = _spawn.Process(target=flat_out, args=(path, queueing, ready, stop))
    other.start()
    ready.acquire()
    took: list[float] = []
    end = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        store.insert(message(f"telegram:shop:probe{len(took)}", len(took), DONE))
        took.append(time.perf_counter() - began)
        time.sleep(0.005)
    stop.set()
    other.join()
    return took


def main() -> None:
    """Print one line a measurement."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as directory:
        base = Path(directory)
        store = SqliteStore(base / "one.db")
        store.ensure(Message)
        one_by_one = rate(2000, lambda n: store.insert(message(f"telegram:shop:{n}", n, DONE)))
        print(f"inserts, one by one      {one_by_one:10,.0f} /s")
        batch = [message(f"telegram:shop:b{n}", n, DONE) for n in range(5000)]
        began = time.perf_counter()
        store.insert_new(batch)
        print(f"inserts, one transaction {5000 / (time.perf_counter() - began):10,.0f} /s")
        by_id = rate(3000, lambda n: store.get(Message, f"telegram:shop:{n % 2000}"))
        print(f"reads by id              {by_id:10,.0f} /s")
        by_index = rate(
            2000,
            lambda n: store.find(
                Message,
                {"conversation": f"telegram:shop:{n % 500}"},
                sort=["-arrived"],
                limit=1,
            ),
        )
        print(f"reads by index           {by_index:10,.0f} /s")
        workers = PROCESSES * THREADS
        print(f"claims by {workers} workers      {claims(base / 'claims.db'):10,.0f} /s")
        turnstile = waits(base / "turnstile.db", True)
        busy = waits(base / "busy.db", False)
        for name, took in (("turnstile", turnstile), ("busy handler", busy)):
            print(
                f"insert beside a writer, {name:12}"
                f"  n {len(took):4}  p50 {percentile(took, 0.5):8.1f} ms"
                f"  p99 {percentile(took, 0.99):8.1f} ms"
            )
        ratio = percentile(busy, 0.99) / percentile(turnstile, 0.99)
        print(f"p99, busy handler to turnstile  {ratio:.0f} x")


if __name__ == "__main__":
    main()
