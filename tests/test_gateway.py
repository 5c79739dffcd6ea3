"""The gateway over real HTTP."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.gateway import Gateway
from bot.inbox import Inbox
from bot.message import Inbound, Text, utcnow
from bot.process import me
from bot.store import AsyncStore
from bot.store.dead_letters import RECEIVE, DeadLetter
from bot.store.messages import DELIVERED, DROPPED, FAILED, READ, SENDING, SENT, UNKNOWN, Message
from bot.store.presence import Listening
from bot.store.wake import LocalBell
from connectors.base import Host
from tests.kit.build import address, inbound, item, row, webhook
from tests.kit.channel import SECRET, Line
from tests.kit.processes import Failing
from tests.kit.waiting import PATIENCE, until

SIGNED = {"x-line-secret": SECRET}
HOOK = "/webhooks/line/shop"
MIB = 1024 * 1024


@dataclass
class Running:
    """A gateway that listens on a free port of loopback."""

    gateway: Gateway
    line: Line
    store: Failing
    http: aiohttp.ClientSession
    port: int

    async def post(self, body: Any, headers: dict[str, str] | None = None, at: str = HOOK) -> int:
        sent = SIGNED if headers is None else headers
        async with self.http.post(at, data=body, headers=sent) as answer:
            await answer.read()
            return answer.status

    async def raw(self, request: bytes, *, cut_off: bool = False) -> bytes:
        """Write bytes to the port and return the first line back, "" when it is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            if cut_off:
                writer.write_eof()
            return await asyncio.wait_for(reader.readline(), 20)
        finally:
            writer.close()


class Connected(Line):
    """A line that keeps a connection of its own, which breaks once."""

    def __init__(self) -> None:
        super().__init__()
        self.begin = asyncio.Event()
        self.runs = 0
        self.host: Host | None = None

    async def run(self, host: Host) -> None:
        self.host = host
        await self.begin.wait()
        self.runs += 1
        if self.runs == 1:
            raise ConnectionError("broken")
        await host.accept([inbound("by socket", n=77)])
        await asyncio.Event().wait()


@pytest.fixture
async def running(store: AsyncStore, tmp_path: Path) -> AsyncIterator[Running]:
    line, failing = Connected(), Failing(store)
    gateway = Gateway(
        failing,  # type: ignore[arg-type]
        Inbox(failing, LocalBell(tmp_path / "wake")),  # type: ignore[arg-type]
        {("line", "shop"): line},
        body_limit=MIB,
        public_url="https://bot.example.com/",
    )
    runner = web.AppRunner(gateway.app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        yield Running(gateway, line, failing, http, port)
    await runner.cleanup()
    assert line.closed


async def messages(store: AsyncStore) -> list[Message]:
    rows = await store.find(Message, {"conversation": address().key}, sort=("arrived",))
    return [r for r in rows if r.direction == "in"]


async def nothing_kept(store: AsyncStore) -> bool:
    return not await messages(store) and not await store.count(DeadLetter, {})


async def test_a_signed_webhook_is_stored_and_acknowledged(
    running: Running, store: AsyncStore
) -> None:
    assert await running.post(webhook(item("a", n=1), item("b", n=2))) == 200
    assert [r.content["text"] for r in await messages(store)] == ["a", "b"]


@pytest.mark.parametrize("headers", [{}, {"x-line-secret": "wrong"}, {"X-Line-Secret": ""}])
@pytest.mark.parametrize("body", [webhook(item()), b"not json", b""])
async def test_a_badly_signed_webhook_is_refused_and_nothing_is_stored(
    running: Running, store: AsyncStore, headers: dict[str, str], body: bytes
) -> None:
    assert await running.post(body, headers) == 403
    assert await nothing_kept(store)


@pytest.mark.parametrize("size", [MIB + 1, 8 * MIB])
async def test_a_body_over_the_limit_is_refused(
    running: Running, store: AsyncStore, size: int
) -> None:
    assert await running.post(b"x" * size) == 413
    assert await nothing_kept(store)


async def test_a_body_of_the_limit_is_read(running: Running, store: AsyncStore) -> None:
    body = webhook(item("x", n=1))
    assert await running.post(body + b" " * (MIB - len(body) - 1)) == 200
    assert len(await messages(store)) == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_small_body_that_swells_beyond_the_limit_is_refused(
    running: Running, store: AsyncStore, encoding: str
) -> None:
    plain = b" " * (200 * MIB)
    bomb = gzip.compress(plain, 9) if encoding == "gzip" else zlib.compress(plain, 9)
    assert len(bomb) < MIB
    assert await running.post(bomb, {**SIGNED, "content-encoding": encoding}) in (400, 413)
    assert await nothing_kept(store)


async def test_a_compressed_body_is_read(running: Running, store: AsyncStore) -> None:
    body = gzip.compress(webhook(item("a", n=1)))
    assert await running.post(body, {**SIGNED, "content-encoding": "gzip"}) == 200
    assert len(await messages(store)) == 1


HEAD = (
    b"POST /webhooks/line/shop HTTP/1.1\r\nHost: x\r\nx-line-secret: " + SECRET.encode() + b"\r\n"
)


@pytest.mark.parametrize(
    "rest",
    [
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"Content-Length: 100\r\n\r\nabc",
    ],
    ids=["chunked", "counted"],
)
async def test_a_body_that_ends_early_is_not_taken(
    running: Running, store: AsyncStore, rest: bytes
) -> None:
    status = await running.raw(HEAD + rest, cut_off=True)
    assert status == b"" or status.startswith(b"HTTP/1.1 4")
    assert await nothing_kept(store)
    assert await running.post(webhook(item())) == 200


@pytest.mark.parametrize(
    "rest",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        b"Content-Length: -1\r\n\r\nabc",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["no size", "negative", "smuggling", "no gzip"],
)
async def test_a_broken_body_is_a_bad_request_and_nothing_is_stored(
    running: Running, store: AsyncStore, rest: bytes
) -> None:
    assert (await running.raw(HEAD + rest)).split()[1] == b"400"
    assert await nothing_kept(store)
    assert await running.post(webhook(item())) == 200


async def test_a_body_that_never_comes_is_not_waited_for(
    running: Running, store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway._BODY_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(HEAD + b"Content-Length: 100\r\n\r\nabc")
    assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 408")
    writer.close()


@pytest.mark.parametrize(
    "path",
    ["/webhooks/line/other", "/webhooks/telegram/shop", "/webhooks/line/shop/x", "/webhooks/line"],
)
async def test_an_account_that_is_not_configured_does_not_exist(
    running: Running, store: AsyncStore, path: str
) -> None:
    assert await running.post(webhook(item()), at=path) == 404
    assert await nothing_kept(store)


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b'{"items": 5}', b"null", b"\xff\xfe", b"[" * 100_000]
)
async def test_what_cannot_be_parsed_is_acknowledged_and_kept_whole(
    running: Running, store: AsyncStore, body: bytes
) -> None:
    assert await running.post(body, {**SIGNED, "content-type": "application/json"}) == 200
    (letter,) = await store.find(DeadLetter, {})
    assert (letter.stage, letter.channel, letter.account) == (RECEIVE, "line", "shop")
    assert bytes(letter.body) == body
    assert letter.headers == {"content-type": "application/json"}
    assert SECRET not in repr(letter.to_mongo())


async def test_one_unreadable_item_of_a_batch_does_not_cost_the_others(
    running: Running, store: AsyncStore
) -> None:
    body = webhook(item("a", n=1), {"user": "ann"}, item("b", n=2))
    assert await running.post(body) == 200
    assert [r.content["text"] for r in await messages(store)] == ["a", "b"]
    (letter,) = await store.find(DeadLetter, {})
    assert bytes(letter.body) == body


async def test_a_bug_in_a_connector_makes_a_dead_letter_not_an_error(
    running: Running, store: AsyncStore
) -> None:
    body = b'{"items": ["bug"]}'
    assert await running.post(body) == 200
    (letter,) = await store.find(DeadLetter, {})
    assert (bytes(letter.body), letter.reason) == (body, "ZeroDivisionError in the connector")


@pytest.mark.parametrize("size", [10**19, -(10**30)])
async def test_what_the_store_cannot_hold_is_a_dead_letter(
    running: Running, store: AsyncStore, size: int
) -> None:
    content = {"kind": "media", "type": "image", "size": size}
    body = webhook({"id": "1", "user": "ann", "content": content})
    assert await running.post(body) == 200
    assert len(await store.find(DeadLetter, {})) == 1


async def test_a_header_that_is_no_text_is_no_error(running: Running, store: AsyncStore) -> None:
    body = b"not json"
    head = HEAD + b"Content-Type: \xff\xfe\r\nContent-Length: 8\r\n\r\n"
    assert (await running.raw(head + body)).startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))


async def test_the_same_webhook_five_times_at_once_is_stored_once(
    running: Running, store: AsyncStore
) -> None:
    body = webhook(item("a", n=1))
    assert await asyncio.gather(*(running.post(body) for _ in range(5))) == [200] * 5
    assert len(await messages(store)) == 1


async def test_the_store_is_down_and_comes_back(running: Running, store: AsyncStore) -> None:
    running.store.is_down = True
    async with running.http.post(HOOK, data=webhook(item(n=1)), headers=SIGNED) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    # Not even a dead letter can be kept.
    assert await running.post(b"not json") == 503
    assert await running.post(b'{"items": ["bug"]}') == 503
    assert (await running.http.get("/readyz")).status == 503
    assert (await running.http.get("/healthz")).status == 200
    running.store.is_down = False
    assert await running.post(webhook(item(n=1))) == 200
    assert (await running.http.get("/readyz")).status == 200
    assert len(await messages(store)) == 1


async def test_a_store_that_reads_and_takes_nothing_is_not_ready(
    running: Running, store: AsyncStore
) -> None:
    before = utcnow() - timedelta(minutes=1)
    await store.put(Listening(id=me(), since=before, at=before))
    # As a full disk has it: the gateway's own row is read, and cannot be written.
    running.store._at = running.store.calls + 2
    assert (await running.http.get("/readyz")).status == 503
    assert (await running.http.get("/readyz")).status == 200


async def test_every_call_of_a_request_that_fails_is_made_good_by_the_redelivery(
    running: Running, store: AsyncStore
) -> None:
    sent = row(n=1, status=SENT)
    await store.insert(sent)
    failed = {"id": "p1", "status": "failed", "ref": sent.id}
    body = webhook(item("a", n=1), {"user": "nobody"}, failed)
    statuses = []
    for at in range(1, 10):
        running.store._at, running.store._applied = at, bool(at % 2)
        running.store.calls = 0
        statuses.append(await running.post(body))
        if statuses[-1] == 200:
            break
    assert statuses[0] == 503
    assert statuses[-1] == 200
    assert len(await messages(store)) == 1
    assert (await store.get(Message, sent.id)).status == FAILED  # type: ignore[union-attr]
    assert await store.count(DeadLetter, {}) == 2


async def test_a_receipt_by_webhook_moves_its_message(running: Running, store: AsyncStore) -> None:
    sent = row(n=1, status=SENT, provider_id="p1")
    await store.insert(sent)
    assert await running.post(webhook({"id": "p1", "status": "read"})) == 200
    assert (await store.get(Message, sent.id)).status == READ  # type: ignore[union-attr]


async def test_the_handshake_is_answered(running: Running) -> None:
    async with running.http.get(HOOK, params={"secret": SECRET, "challenge": "42"}) as answer:
        assert (answer.status, await answer.text()) == (200, "42")
        assert answer.content_type == "text/plain"
    assert (await running.http.get(HOOK, params={"secret": "wrong"})).status == 403
    assert (await running.http.get("/webhooks/line/other")).status == 404


async def test_the_metrics_count_what_came(running: Running) -> None:
    await running.post(webhook(item("a", n=1)))
    await running.post(webhook(item("a", n=1)))
    async with running.http.get("/metrics") as answer:
        text = await answer.text()
    for what in ("message", "duplicate"):
        labels = f'account="shop",channel="line",what="{what}"'
        assert f"frontdesk_received_total{{{labels}}}" in text


async def test_a_connectors_own_connection_is_begun_again_when_it_breaks(
    running: Running, store: AsyncStore
) -> None:
    running.line.begin.set()  # type: ignore[attr-defined]
    await until(lambda: messages(store))
    assert running.line.runs == 2  # type: ignore[attr-defined]
    host = running.line.host  # type: ignore[attr-defined]
    assert host.webhook_url == "https://bot.example.com/webhooks/line/shop"
    await host.unreadable(b"what", "not understood")
    assert (await store.find(DeadLetter, {}))[0].reason == "not understood"


class Reader:
    """Reads a feed in the background, as a browser does."""

    def __init__(self, gateway: Gateway, after: int = 0, user: str = "ann") -> None:
        self.seen: list[Any] = []
        self._task = asyncio.create_task(self._read(gateway, after, user))

    async def _read(self, gateway: Gateway, after: int, user: str) -> None:
        async with aclosing(gateway.feed(address(user), after)) as feed:  # type: ignore[type-var]
            async for sent in feed:
                self.seen.append(sent)

    def texts(self) -> list[str]:
        return [sent.content.text for sent in self.seen]

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
async def read(running: Running) -> AsyncIterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def begin(after: int = 0, user: str = "ann") -> Reader:
        readers.append(Reader(running.gateway, after, user))
        return readers[-1]

    yield begin
    for reader in readers:
        await reader.close()
    assert running.gateway._feeds == {}


async def test_a_feed_shows_what_was_sent_and_nothing_else(store: AsyncStore, read: Any) -> None:
    shown = {1: SENT, 2: DELIVERED, 3: READ, 4: FAILED, 5: DROPPED, 6: SENT, 7: SENDING, 8: UNKNOWN}
    await store.insert_new([row(str(n), n=n, status=status) for n, status in shown.items()])
    await store.insert_new([row("other", user="bob", n=1, status=SENT)])
    reader = read()
    await until(lambda: len(reader.seen) == 4)
    await asyncio.sleep(0.05)
    assert reader.texts() == ["1", "2", "3", "6"]
    assert [s.order for s in reader.seen] == [1001, 1002, 1003, 1006]


async def test_a_feed_resumes_after_what_was_seen_even_over_many_pages(
    store: AsyncStore, read: Any
) -> None:
    await store.insert_new([row(str(n), n=n, status=SENT) for n in range(1, 251)])
    first, second = read(), read(after=1120)
    await until(lambda: len(first.seen) == 250 and len(second.seen) == 130)
    assert first.texts() == [str(n) for n in range(1, 251)]
    assert second.texts() == [str(n) for n in range(121, 251)]


async def test_a_feed_that_waits_is_woken_by_what_is_sent(
    running: Running, store: AsyncStore, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway._FEED_POLL", 3600.0)
    one, two, other = read(), read(), read(user="bob")
    await asyncio.sleep(0.05)
    for n in range(1, 6):
        await store.insert(row(str(n), n=n, status=SENT))
        await running.gateway.announce()
        await running.gateway.announce()
    await until(lambda: len(one.seen) == 5 and len(two.seen) == 5)
    await asyncio.sleep(0.05)
    assert one.texts() == two.texts() == ["1", "2", "3", "4", "5"]
    assert other.seen == []


async def test_a_feed_looks_by_itself_when_no_wake_up_comes(
    store: AsyncStore, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway._FEED_POLL", 0.05)
    reader = read()
    await asyncio.sleep(0.1)
    await store.insert(row("a", n=1, status=SENT))
    await until(lambda: reader.texts() == ["a"])


async def test_a_page_that_goes_as_a_message_comes_is_let_go(
    running: Running, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway._FEED_POLL", 3600.0)
    for steps in range(4):
        reader = read()
        await until(lambda: running.gateway._feeds.get(address().key))
        await asyncio.sleep(0.01)
        for event in running.gateway._feeds[address().key]:
            event.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        await asyncio.wait_for(reader.close(), PATIENCE)


async def test_a_feed_outlives_a_store_that_is_down(
    running: Running, store: AsyncStore, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway._FEED_POLL", 0.05)
    reader = read()
    await asyncio.sleep(0.1)
    running.store.is_down = True
    await store.insert(row("a", n=1, status=SENT))
    await running.gateway.announce()
    await asyncio.sleep(0.2)
    assert reader.seen == []
    running.store.is_down = False
    await until(lambda: reader.texts() == ["a"])


async def test_an_announcement_wakes_only_those_it_is_for(
    running: Running, store: AsyncStore, read: Any
) -> None:
    quiet = Inbound(address(), "x", Text("x")).address.key
    reader = read()
    await until(lambda: running.gateway._feeds.get(quiet))
    await store.insert(row("a", user="bob", n=1, status=SENT, due=utcnow()))
    running.store.calls = 0
    await running.gateway.announce()
    await asyncio.sleep(0.1)
    # One look for the announcement itself, none for the feed.
    assert running.store.calls == 1
    assert reader.seen == []
