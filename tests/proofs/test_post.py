"""Codes on their way: to a real mail server's stand-in, past crashes, and wiped behind them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot import mail
from bot.identity import proving
from bot.identity.post import WIPED, Post
from bot.identity.proving import Words, challenge
from bot.identity.reaching import OnFile, Ways
from bot.message import Address, Text, decode, utcnow
from bot.process import me
from bot.run import sandbox_mail
from bot.sandbox.smtp import Smtp
from bot.settings import Limits, Mail, Settings, load
from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.messages import QUEUED as WAITS
from bot.store.messages import SENT as GONE
from bot.store.messages import Message
from bot.store.proofs import FAILED, HANDING, QUEUED, SENDING, SENT, Challenge
from tests.kit import waiting
from tests.kit.stores import store_of_kind

WORDS = Words("Your code", "{code}\n.\n\nfor {minutes} minutes. £", "{code} is it")
BY_MAIL = Ways(mail=True)
HERE = Address("telegram", "shop", "1")
LIMITS = Limits(poll_seconds=0.01, retry_base_seconds=0.01, retry_cap_seconds=0.02)


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncStore]:
    monkeypatch.setattr(proving, "_COST", 2)
    opened = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    yield opened
    await opened.close()


@pytest.fixture
async def box() -> AsyncIterator[Smtp]:
    made = Smtp(lambda event: None)
    made.port = await made.start("127.0.0.1", 0)
    yield made
    await made.close()


def server(box: Smtp) -> Mail:
    return Mail(f"smtp://127.0.0.1:{box.port}", sender="Larkfield <help@larkfield.example>")


@pytest.fixture
async def post(store: AsyncStore, box: Smtp) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Begin to send."""
    started: list[tuple[Post, asyncio.Task[None]]] = []

    async def start() -> None:
        one = Post(store, server(box), "texts", LIMITS)
        started.append((one, asyncio.create_task(one.run())))

    yield start
    for one, task in started:
        await one.stop()
        await task


async def asked(store: AsyncStore, on_file: OnFile, ways: Ways = BY_MAIL) -> Challenge:
    assert (await challenge(store, HERE, on_file, ways, WORDS, "m1")).became == "sent"
    (row,) = await store.find(Challenge, {"status": QUEUED})
    return row


async def until(store: AsyncStore, row: Challenge, status: str) -> Challenge:
    async def is_so() -> Challenge | None:
        now = await store.get(Challenge, row.id)
        assert now is not None
        return now if now.status == status else None

    return await waiting.until(is_so)


async def test_a_code_is_mailed_and_wiped(
    store: AsyncStore, box: Smtp, post: Callable[[], Awaitable[None]]
) -> None:
    row = await asked(store, OnFile("ada@post.example"))
    code = row.letter["body"][:6]
    # Several workers, one mail.
    for _ in range(3):
        await post()
    row = await until(store, row, SENT)
    (got,) = box.mails
    assert got["to"] == "ada@post.example"
    assert got["from"] == "Larkfield <help@larkfield.example>"
    assert got["subject"] == "Your code"
    assert got["text"].replace("\r\n", "\n").strip() == f"{code}\n.\n\nfor 10 minutes. £"
    assert got["key"] == f"<{row.id}@larkfield.example>"
    assert row.letter is None
    assert "post.example" not in row.to_json()


async def test_a_server_that_is_busy_is_asked_again(
    store: AsyncStore, box: Smtp, post: Callable[[], Awaitable[None]]
) -> None:
    box.instead = {"RCPT": "450 greylisted"}
    row = await asked(store, OnFile("ada@post.example"))
    await post()

    async def tried_twice() -> bool:
        now = await store.get(Challenge, row.id)
        return now is not None and now.attempts > 1

    await waiting.until(tried_twice)
    assert not box.mails
    box.instead = {}
    await until(store, row, SENT)
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        ({"RCPT": "550 no such box"}, "the server says 550"),
        ({"DATA.": "554 spam"}, "the server says 554"),
        # It may have been taken, so it is not sent again.
        ({"DATA.": ""}, "SMTPServerDisconnected"),
    ],
)
async def test_what_is_refused_or_uncertain_is_not_sent_again(
    store: AsyncStore,
    box: Smtp,
    post: Callable[[], Awaitable[None]],
    instead: dict[str, str],
    reason: str,
) -> None:
    box.instead = instead
    row = await asked(store, OnFile("ada@post.example"))
    await post()
    row = await until(store, row, FAILED)
    assert (row.reason, row.letter, row.attempts) == (reason, None, 1)


async def test_an_address_that_no_mail_can_carry(
    store: AsyncStore, box: Smtp, post: Callable[[], Awaitable[None]]
) -> None:
    row = await asked(store, OnFile("ada@post.example\nBcc: eve@post.example"))
    await post()
    assert (await until(store, row, FAILED)).reason.startswith("the address cannot be written")
    # Nor one of which a server would make another, or several.
    for to in (
        "ada@post.example\n",
        "ada@post.example>\r\nRCPT TO:<eve@post.example",
        "eve@post.example, ada@post.example",
        '"ada@post.example" <eve@post.example>',
        "<eve@post.example> ada@post.example",
        "(ada@post.example)eve@post.example",
        "a:eve@post.example;",
    ):
        with pytest.raises(mail.MailRefused, match="cannot be written"):
            await asyncio.to_thread(mail.send, server(box), to, "code", "1", "key", lambda: None)
    assert not box.mails


def _dead() -> str:
    """Return the owner that a process was which is gone."""
    told = "from bot.process import me; print(me())"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return done.stdout.strip()


async def test_what_a_killed_process_had_in_hand(
    store: AsyncStore, box: Smtp, post: Callable[[], Awaitable[None]]
) -> None:
    row = await asked(store, OnFile("ada@post.example"))
    dead = await asyncio.to_thread(_dead)
    far = {"owner": dead, "due": utcnow() + proving.LIFE}
    # Killed with the mail half over: nobody knows, so it is not sent twice.
    await store.change(Challenge, {"id": row.id}, set={"status": HANDING, **far})
    await post()
    lost = await until(store, row, FAILED)
    assert (lost.reason, lost.letter) == ("not known whether it was sent", None)
    # Killed before: it was not sent, and is.
    await store.change(
        Challenge, {"id": row.id}, set={"status": SENDING, "letter": row.letter, **far}
    )
    await until(store, row, SENT)
    assert len(box.mails) == 1


class Killing(dict[str, str]):
    """Answers of the stand-in; instead of one it kills whoever is connected, as `kill -9` does."""

    def __init__(self, at: str, pid: int) -> None:
        super().__init__()
        self._at, self._pid = at, pid

    def get(self, verb: str, usual: str | None = None) -> str | None:
        if verb != self._at:
            return usual
        os.kill(self._pid, signal.SIGKILL)
        # What follows has nobody to hear it. At the end of a mail this one was taken.
        return "250 taken" if verb == "DATA." else ""


_POST = """
import asyncio, sys
from bot.identity.post import Post
from bot.settings import Limits, Mail
from bot.store import AsyncStore, open_store
from bot.store.documents import DOCUMENTS

async def run():
    sys.stdin.readline()
    store = AsyncStore(open_store(sys.argv[1]), DOCUMENTS)
    server = Mail(sys.argv[2], sender="help@larkfield.example")
    await Post(store, server, "", Limits(poll_seconds=0.01)).run()

asyncio.run(run())
"""


@pytest.mark.parametrize(
    ("at", "status", "mails"), [("MAIL", SENT, 1), ("RCPT", SENT, 1), ("DATA.", FAILED, 1)]
)
async def test_a_code_is_mailed_once_past_a_real_kill(
    store: AsyncStore,
    box: Smtp,
    post: Callable[[], Awaitable[None]],
    tmp_path: Path,
    at: str,
    status: str,
    mails: int,
) -> None:
    row = await asked(store, OnFile("ada@post.example"))
    url = f"sqlite:{tmp_path / 'bot.db'}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _POST, url, server(box).url), stdin=subprocess.PIPE
    )
    box.instead = Killing(at, process.pid)
    process.stdin.write(b"go\n")
    try:
        assert await asyncio.wait_for(process.wait(), waiting.PATIENCE) == -signal.SIGKILL
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    box.instead = {}
    await post()
    row = await until(store, row, status)
    assert len(box.mails) == mails
    assert row.letter is None


async def test_one_that_lives_is_left_to_it(
    store: AsyncStore, box: Smtp, post: Callable[[], Awaitable[None]]
) -> None:
    row = await asked(store, OnFile("ada@post.example"))
    mine = {"status": SENDING, "owner": me(), "due": utcnow() + proving.LIFE}
    await store.change(Challenge, {"id": row.id}, set=mine)
    await post()
    await asyncio.sleep(0.1)
    assert not box.mails


async def test_a_code_by_text_goes_by_the_outbox_and_is_wiped_there(
    store: AsyncStore, post: Callable[[], Awaitable[None]]
) -> None:
    row = await asked(store, OnFile(phone="+44 7700 900123"), Ways(sms="texts"))
    code = row.letter["body"][:6]
    await post()
    row = await until(store, row, HANDING)
    assert row.letter is None
    (text,) = await store.find(Message, {"direction": "out", "status": WAITS})
    assert text.conversation == "sms:texts:+447700900123"
    assert decode(text.content) == Text(f"{code} is it")
    # As the outbox does.
    await store.change(Message, {"id": text.id, "status": WAITS}, set={"status": GONE})
    await until(store, row, SENT)
    text = await store.get(Message, text.id)
    assert text is not None
    assert decode(text.content) == Text(WIPED)


async def test_what_nobody_sent_in_time_is_wiped(
    store: AsyncStore, box: Smtp, post: Callable[[], Awaitable[None]]
) -> None:
    row = await asked(store, OnFile("ada@post.example"))
    await store.change(Challenge, {"id": row.id}, set={"until": utcnow()})
    await post()
    assert (await until(store, row, FAILED)).letter is None
    assert not box.mails


async def test_bot_check_asks_the_server(box: Smtp) -> None:
    said = await asyncio.to_thread(mail.ask, server(box))
    assert said == f"127.0.0.1:{box.port} answers, no login"
    box.instead = {"NOOP": "421 going down"}
    with pytest.raises(mail.MailLater, match="421"):
        await asyncio.to_thread(mail.ask, server(box))
    await box.close()
    with pytest.raises(mail.MailLater, match="ConnectionRefusedError"):
        await asyncio.to_thread(mail.ask, server(box))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"url": "smtp://me:secret@post.example"}, "no user and password"),
        ({"url": "smtp://post.example"}, "from should be an address"),
        ({"url": "smtp://post.example", "sender": "a@b", "user": "me"}, "go together"),
    ],
)
def test_settings_of_mail_that_cannot_be_right(given: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Mail(**given)


def test_the_sandbox_takes_all_mails_whatever_is_set(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").write_text(
        "mail: {url: 'smtps://post.example', from: a@b.example, user: me, password: secret}\n"
    )

    def read(environ: dict[str, str]) -> Settings:
        return load(channels=(), schema_of=lambda channel: object, environ=environ, cwd=tmp_path)

    real = read({})
    assert real.mail.url == "smtps://post.example"
    environ = sandbox_mail(real)
    box = read(environ)
    assert box.mail.url == f"smtp://127.0.0.1:{box.sandbox.mail_port}"
    assert (box.mail.user, box.mail.password) == ("", "")


async def test_the_stand_in_is_as_strict_as_the_standard(box: Smtp) -> None:
    async def talk(*said: bytes) -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        await reader.readline()
        heard = []
        for line in said:
            writer.write(line)
            heard.append((await asyncio.wait_for(reader.readline(), waiting.PATIENCE))[:3].decode())
        writer.close()
        return heard

    begin = b"HELO me\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n"
    assert await talk(b"MAIL FROM:<a@b.example>\r\n") == ["503"]
    assert await talk(begin[0], b"RCPT TO:<c@d.example>\r\n") == ["250", "503"]
    assert await talk(*begin[:2], b"DATA\r\n") == ["250", "250", "503"]
    assert await talk(begin[0], b"MAIL FROM:a@b.example\r\n") == ["250", "501"]
    assert await talk(b"HELO me\n") == ["500"]
    assert await talk(b"HELO " + b"x" * 600 + b"\r\n") == ["500"]
    # A lone line feed is no end of a line: by it a second mail could be smuggled in.
    smuggled = b"Subject: a\r\n\r\nhello\n.\r\nMAIL FROM:<eve@b.example>\r\n"
    assert (await talk(*begin, b"DATA\r\n", smuggled))[-1] == "550"
    assert not box.mails
