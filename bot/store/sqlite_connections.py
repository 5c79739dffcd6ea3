"""The connections of a process's threads to one SQLite file, also across forks."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.store.errors import Duplicate, StoreDown, StoreError
from bot.store.sqlite_tables import Tables
from bot.store.turnstile import Turnstile

#: Seconds to wait for a lock held by a program outside the turnstile (the sqlite3
#: shell, a backup) before the store counts as down.
_BUSY = 10.0
#: Seconds `close` waits for a call under way.
_CLOSING = 3.0
#: The log is cut back to this many bytes when it has been checkpointed.
_LOG_LIMIT = 64 * 1024 * 1024

#: SQLite's words for what may pass: https://www.sqlite.org/rescode.html
#: (Python 3.10 does not hand out the codes themselves.)
_PASSING = re.compile(
    r"disk is full|readonly|locked|busy|unable to open|disk I/O error|no such (table|column)"
    r"|schema has changed|interrupted"
)
_DAMAGED = re.compile(r"malformed|not a database|unsupported file format")


class Connection:
    """One thread's connection, and the tables as it knows them."""

    def __init__(self, path: Path) -> None:
        # The lock, not the thread check of the sqlite3 module, keeps `close` from
        # pulling the connection away under a call of another thread.
        self.using = threading.Lock()
        self.db = sqlite3.connect(
            str(path), timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        self.closed = False
        self.file = os.stat(path)
        self.tables = Tables(self.db, path)

    def close(self) -> None:
        """Close it; whoever holds it sees `closed`."""
        self.closed = True
        with suppress(sqlite3.Error):
            self.db.close()


class Connections:
    """Those to the file `path`, one a thread; its directory is made at the first use.

    Whatever goes wrong with the file is met anew at each call, so that it works again as soon
    as the file does. Writers queue in `turnstile`, in ``<path>.lock`` and ``<path>.next``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        self._found = False
        self._start()
        with _registering:
            _all.add(self)

    def __len__(self) -> int:
        return len(self._open_ones)

    def _start(self) -> None:
        self._local = threading.local()
        self._open_ones: weakref.WeakSet[Connection] = weakref.WeakSet()
        self.turnstile = Turnstile(self._path)

    def close(self) -> None:
        """Let calls under way finish; later ones raise StoreError."""
        self._closed = True
        with _registering:
            connections = list(self._open_ones)
        for connection in connections:
            # A call that hangs in the system is left to the end of the process.
            if connection.using.acquire(timeout=_CLOSING):
                connection.close()
                connection.using.release()
        self.turnstile.close(_CLOSING)

    @contextmanager
    def guarded(self) -> Iterator[Connection]:
        """Hand out this thread's connection; name what goes wrong, and drop it then."""
        connection = None
        try:
            while True:
                if self._closed:
                    raise StoreError(f"{self._path} has been closed")
                connection = self._connection()
                connection.using.acquire()
                if not connection.closed:
                    break
                # Closed for a fork or for good, between the two lines above.
                connection.using.release()
            try:
                yield connection
            finally:
                connection.using.release()
        except sqlite3.IntegrityError as error:
            # SQLite names the columns and never the values, which are customers'.
            raise Duplicate(str(error)) from error
        except sqlite3.Error as error:
            self._drop(connection)
            if _PASSING.search(str(error)):
                raise StoreDown(f"{self._path}: {error}") from error
            if _DAMAGED.search(str(error)):
                raise StoreError(f"{self._path} is damaged, restore it: {error}") from error
            raise StoreError(f"{self._path}: {error}") from error
        except OSError as error:
            raise StoreDown(f"{error.filename or self._path}: {error.strerror}") from error

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[None]:
        """Take the turn to write, and commit at the end or roll back."""
        with self.turnstile:
            try:
                connection.db.execute("BEGIN IMMEDIATE")
                connection.tables.refresh()
                yield
                connection.db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if connection.db.in_transaction:
                        connection.db.execute("ROLLBACK")
                raise

    def _connection(self) -> Connection:
        """Return this thread's connection, opened anew when the file is no longer the same.

        Raises OSError when the file cannot be reached. One that was there and is gone
        is not made again while this process lives: on a volume that was unmounted
        under us, what we acknowledged would be hidden once it comes back.
        """
        connection: Connection | None = getattr(self._local, "connection", None)
        try:
            file = os.stat(self._path)
        except FileNotFoundError:
            if self._found:
                raise
            self._create()
        else:
            if connection is not None and not connection.closed:
                if os.path.samestat(file, connection.file):
                    return connection
                self._drop(connection)
        with _registering:  # not while another thread forks
            return self._open()

    def _create(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self.turnstile, suppress(FileExistsError):
            # SQLite gives its -wal and -shm files the same mode. Customers' words are in
            # all three. Never open a file that SQLite has open: to close it again would
            # take SQLite's locks away. https://www.sqlite.org/howtocorrupt.html#_posix
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            os.close(os.open(self._path, flags, 0o600))

    def _open(self) -> Connection:
        connection = Connection(self._path)
        try:
            self._configure(connection.db)
        except BaseException:
            connection.close()
            raise
        self._found = True
        self._local.connection = connection
        self._open_ones.add(connection)
        return connection

    def _configure(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            with self.turnstile:
                (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise StoreDown(f"{self._path}: its file system cannot hold a write-ahead log")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
        # Sorted rows are customers' words too, and do not belong in a temporary directory.
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA cache_size = -8000")

    def _drop(self, connection: Connection | None) -> None:
        """Close a connection that failed, so that the next call opens another."""
        self._local.connection = None
        if connection is not None:
            with _registering:
                self._open_ones.discard(connection)
            connection.close()

    def before_fork(self) -> None:
        """Close all that no call has in hand."""
        for connection in list(self._open_ones):
            if connection.using.acquire(timeout=_CLOSING):
                connection.close()
                connection.using.release()
            else:
                _stuck.append(connection)

    def after_fork(self) -> None:
        """Begin anew in the child."""
        self.turnstile.abandon()
        self._start()


# SQLite keeps its locks by process, and notes of them in memory, which a child inherits
# though it has not the locks: neither a connection made before a fork nor one made after
# it to the same file is safe in the child (https://www.sqlite.org/howtocorrupt.html#_fork).
# So all are closed before a fork, and both sides open theirs again when they need them.
# A child may not keep the lock files open either: a flock() lasts until every copy of
# its descriptor is closed.
_all: weakref.WeakSet[Connections] = weakref.WeakSet()
_registering = threading.RLock()
#: Connections in a call that hangs; a child must not even close them, so it keeps them.
_stuck: list[Connection] = []


def _before_fork() -> None:
    _registering.acquire()
    for one in list(_all):
        one.before_fork()


def _after_fork_in_parent() -> None:
    _stuck.clear()
    _registering.release()


def _after_fork_in_child() -> None:
    for one in list(_all):
        one.after_fork()
    _registering.release()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
