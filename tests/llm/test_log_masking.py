from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator

import pytest

from bot import logs
from bot.llm.masking import hush


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("mail ann@example.com bounced", "mail [email] bounced"),
        ("card 4111 1111 1111 1111 declined", "card [card] declined"),
        ("to DE89 3704 0044 0532 0130 00", "to [iban]"),
        ("call +44 20 7946 0123 back", "call [phone] back"),
        ("call 020 7946 0123 back", "call [phone] back"),
        ("call 0170/1234567", "call [phone]"),
        ("4111\u200b1111\u200b1111\u200b1111", "[card]"),
        (
            "whatsapp:shop:491701234567: the lease was lost",
            "whatsapp:shop:4917…4567: the lease was lost",
        ),
        ("whatsapp:shop:12025550123: x", "whatsapp:shop:120…123: x"),
        ("sms:shop:+447911123456: x", "sms:shop:+4479…3456: x"),
        ("sms:shop:+447911123456:3: x", "sms:shop:+4479…3456:3: x"),
        ("number 491701234567 is not allowed", "number 4917…4567 is not allowed"),
        ("{'to': '491701234567'}", "{'to': '4917…4567'}"),
    ],
)
def test_personal_data_is_left_out(line: str, left: str) -> None:
    assert hush(line) == left


@pytest.mark.parametrize(
    "line",
    [
        "worker 3 (pid 12345) ended with status 1, again in 0.25 s",
        "messenger:shop:4111111111111111: the lease was lost",
        "telegram:shop:123456789:42: attempt 2: 429; again in 3.5 s",
        "whatsapp:shop:wamid.HBgLNDkxNzAxMjM0NTY3FQIAEhgg: kept",
        "whatsapp:shop:US.13491208655302741918: x",
        "order 12345 of 2026-11-25 13:20:15,123",
        "listening on 127.0.0.1:8080",
        "customer 65f1c0ffee1234567890abcd joined",
        "SM0123456789abcdef0123456789abcdef failed",
        "1732540815000",
        "took 1234567 bytes",
        "https://graph.facebook.com/v19.0/105512345678901/messages",
        "redis is away, polling only",
    ],
)
def test_what_operators_need_stays(line: str) -> None:
    assert hush(line) == line


def test_the_same_conversation_stays_the_same() -> None:
    one, other = (hush(f"whatsapp:shop:491701234567: {what}") for what in ("begun", "ended"))
    assert one.split(": ")[0] == other.split(": ")[0]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    root.handlers = []
    logs.configure("worker")
    yield out
    root.handlers = handlers
    root.setLevel(level)


def test_each_line_is_hushed(stream: io.StringIO) -> None:
    log = logging.getLogger("bot.test")
    log.info("%s wrote from %s", "ann@example.com", "whatsapp:shop:491701234567")
    assert "[email] wrote from whatsapp:shop:4917…4567" in stream.getvalue()
    assert "worker bot.test" in stream.getvalue()


def test_a_traceback_is_hushed(stream: io.StringIO) -> None:
    try:
        try:
            raise KeyError("4111 1111 1111 1111")
        except KeyError as error:
            raise ValueError("no such mail: ann@example.com") from error
    except ValueError:
        logging.getLogger("bot.test").exception(
            "failed for %s", "+44 20 7946 0123", stack_info=True
        )
    said = stream.getvalue()
    assert "failed for [phone]" in said
    assert "ValueError: no such mail: [email]" in said
    assert "KeyError: '[card]'" in said
    assert "4111" not in said
    assert "Traceback" in said


def test_a_record_that_cannot_be_filled_in_says_no_arguments(stream: io.StringIO) -> None:
    logging.getLogger("bot.test").error("%d items", "ann@example.com")
    assert "could not be filled in" in stream.getvalue()
    assert "ann@" not in stream.getvalue()


def test_an_object_that_cannot_be_said_does_no_harm(stream: io.StringIO) -> None:
    class Bad:
        def __str__(self) -> str:
            raise RuntimeError("ann@example.com")

    logging.getLogger("bot.test").error("%s", Bad())
    assert "could not be filled in: RuntimeError" in stream.getvalue()
    assert "ann@" not in stream.getvalue()


def test_lines_are_cheap() -> None:
    line = "whatsapp:shop:491701234567: attempt 2: timed out; again in 3.5 s"
    began = time.thread_time()
    for _ in range(500):
        hush(line)
        hush("redis is away, polling only")
    assert (time.thread_time() - began) / 1000 < 0.002


def test_a_long_line_of_anything_is_no_trap() -> None:
    began = time.thread_time()
    for text in (
        "1 " * 5000,
        "a." * 5000,
        "a@" * 5000,
        "0-" * 5000,
        "whatsapp:a:" * 1000,
        "x at y dot " * 900,
    ):
        hush(text)
    assert time.thread_time() - began < 3
