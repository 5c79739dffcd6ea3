"""What only the MongoDB store has: a driver, a server that fails, and a url with a password.

The driver is the real one, over TCP. Where no MongoDB can be started, `Server` speaks
just enough of its wire protocol to answer with the errors servers answer with:
https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import bson
import pytest

from bot.store import Duplicate, StoreDown, StoreError, open_store
from bot.store.mongo import MongoStore
from tests.kit.ports import free_port
from tests.kit.samples import Sample, sample

HELLO = {
    "ok": 1,
    "helloOk": True,
    "ismaster": True,
    "isWritablePrimary": True,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
}


class Server(socketserver.ThreadingTCPServer):
    """Answers each command but the handshake with `answer`, or hangs up when it is None."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answer: dict[str, Any] | None, port: int = 0) -> None:
        self.answer = answer
        self.commands: list[dict[str, Any]] = []
        self.callers: list[socket.socket] = []
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.server_address[1]}/shop?directConnection=true"


class _Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.callers.append(self.connection)
        while header := self.rfile.read(16):
            length, request, _, opcode = struct.unpack("<iiii", header)
            body = self.rfile.read(length - 16)
            if opcode == 2004:  # OP_QUERY, which a driver opens the conversation with
                self._reply(request, 1, struct.pack("<iqii", 8, 0, 0, 1), HELLO)
                continue
            (size,) = struct.unpack_from("<i", body, 5)
            command = bson.decode(body[5 : 5 + size])
            if "hello" in command or "ismaster" in command:
                answer: dict[str, Any] | None = HELLO
            elif "endSessions" in command:
                answer = {"ok": 1}
            else:
                self.server.commands.append(command)
                answer = self.server.answer
            if answer is None:
                return
            self._reply(request, 2013, struct.pack("<iB", 0, 0), answer)

    def _reply(self, to: int, opcode: int, before: bytes, answer: dict[str, Any]) -> None:
        payload = before + bson.encode(answer)
        self.wfile.write(struct.pack("<iiii", 16 + len(payload), 1, to, opcode) + payload)


@contextmanager
def serving(answer: dict[str, Any] | None, port: int = 0) -> Iterator[Server]:
    with Server(answer, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            for caller in server.callers:
                with suppress(OSError):
                    caller.shutdown(socket.SHUT_RDWR)


DUPLICATE = {
    "index": 0,
    "code": 11000,
    "errmsg": 'E11000 duplicate key: { email: "hunter2@example.com" }',
    "keyPattern": {"email": 1},
    "keyValue": {"email": "hunter2@example.com"},
}


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ({"ok": 1, "n": 0, "writeErrors": [DUPLICATE]}, Duplicate, "email"),
        ({"ok": 0, "code": 10107, "errmsg": "not primary"}, StoreDown, "not primary"),
        ({"ok": 0, "code": 11600, "errmsg": "interrupted at shutdown"}, StoreDown, "shutdown"),
        ({"ok": 0, "code": 13, "errmsg": "not authorized on shop"}, StoreDown, "authorized"),
        ({"ok": 0, "code": 14031, "errmsg": "Cannot write: OutOfDiskSpace"}, StoreDown, "Disk"),
        (
            {"ok": 1, "n": 1, "writeConcernError": {"code": 64, "errmsg": "waiting timed out"}},
            StoreDown,
            "timed out",
        ),
        ({"ok": 0, "code": 59, "errmsg": "no such command"}, StoreError, "no such command"),
        (None, StoreDown, "closed"),
    ],
)
def test_what_a_server_answers_is_named(
    answer: dict[str, Any] | None, error: type[Exception], says: str
) -> None:
    with serving(answer) as server:
        store = MongoStore(server.url)
        with pytest.raises(error, match=says) as caught:
            store.insert(sample("a"))
        assert type(caught.value) is error
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
        store.close()


def test_a_batch_that_was_not_acknowledged_is_down() -> None:
    concern = {"code": 64, "errmsg": "waiting for replication timed out"}
    with serving({"ok": 1, "n": 1, "writeConcernError": concern}) as server:
        store = MongoStore(server.url)
        with pytest.raises(StoreDown, match="majority"):
            store.insert_new([sample("a")])
        store.close()


def test_writes_ask_for_the_majority_and_the_journal_whatever_the_url_says() -> None:
    with serving({"ok": 1, "n": 1}) as server:
        store = MongoStore(server.url + "&w=1&journal=false")
        store.insert(sample("a"))
        store.insert_new([sample("b")])
        store.close()
    assert [c["writeConcern"] for c in server.commands] == [{"w": "majority", "j": True}] * 2
    assert [(c["insert"], c["$db"]) for c in server.commands] == [("samples", "shop")] * 2


def test_a_server_that_is_away_is_down_and_works_once_it_is_there() -> None:
    port = free_port()
    store = MongoStore(
        f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=1200&directConnection=true"
    )
    for _ in range(2):
        with pytest.raises(StoreDown, match="refused"):
            store.get(Sample, "a")
    with serving(
        {"ok": 1, "cursor": {"id": 0, "ns": "frontdesk.samples", "firstBatch": []}}, port
    ) as server:
        assert store.get(Sample, "a") is None
        assert server.commands[-1]["$db"] == "frontdesk"
    with pytest.raises(StoreDown):
        store.get(Sample, "a")
    store.close()


SECRET = "mongodb://shop%40desk:hunt%3Aer2@127.0.0.1:{port}/?serverSelectionTimeoutMS=200"


def test_the_password_is_in_no_error_and_no_repr() -> None:
    store = MongoStore(SECRET.format(port=free_port()))
    with pytest.raises(StoreDown) as caught:
        store.ping()
    for secret in ("hunt%3Aer2", "hunt:er2"):
        assert secret not in "".join(traceback.format_exception(caught.value))
        assert secret not in repr(store)
    assert "***@127.0.0.1" in repr(store)
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://",
        "mongodb://user:hunter2@h:port/db",
        "mongodb://user:hunter2/x@h:27017/db",
        "mongodb://user:hunter2@@h/db",
        "mongodb://user:hunter2@h/db?readPreference=secondary",
    ],
)
def test_a_wrong_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="the store's url") as caught:
        MongoStore(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_name_that_the_dns_does_not_know_is_down() -> None:
    store = open_store("mongodb+srv://user:hunter2@nowhere.invalid/db")
    with pytest.raises(StoreDown) as caught:
        store.ping()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    store.close()


def test_a_closed_store_says_so() -> None:
    store = MongoStore("mongodb://127.0.0.1:1/")
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.ping()
