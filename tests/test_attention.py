"""Read marks and typing indicators around a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from bot import attention
from bot.attention import Attention
from bot.message import Address, Content, Event, Reaction, Text
from bot.store.messages import to_message
from connectors.errors import Rejected
from tests.kit.build import inbound
from tests.kit.channel import Line
from tests.kit.waiting import PATIENCE, until


class Marking(Line):
    """A line with marks; `fails` is what each of them raises."""

    def __init__(self, fails: Exception | None = None, **can: Any) -> None:
        super().__init__(**can)
        self.marks: list[str] = []
        self.fails = fails

    async def seen(self, address: Address, of: str) -> None:
        await self._mark(f"seen {of}")

    async def typing(self, address: Address, of: str = "") -> None:
        await self._mark(f"typing {of}")

    async def _mark(self, what: str) -> None:
        self.marks.append(what)
        if self.fails is not None:
            raise self.fails


async def during(line: Line, work: Awaitable[object], content: Content | None = None) -> None:
    paid = Attention({("line", "shop"): line})
    async with paid.to(to_message(inbound(content or Text("hello"), n=1))):
        await work
    await asyncio.sleep(0.01)
    await paid.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "PATIENCE", 0.05)


async def test_a_message_is_marked_as_read_and_typing_shows_only_when_it_takes_long() -> None:
    line = Marking(seen=True, typing_seconds=5.0)
    await during(line, asyncio.sleep(0.01))
    assert line.marks == ["seen ann-1"]
    await during(line, asyncio.sleep(0.1))
    assert line.marks == ["seen ann-1"] * 2 + ["typing ann-1"]


async def test_typing_is_shown_again_before_it_fades_and_not_after_the_answer() -> None:
    line = Marking(typing_seconds=0.03)
    await during(line, until(lambda: len(line.marks) >= 3))
    shown = len(line.marks)
    assert shown <= 4
    await asyncio.sleep(0.1)
    assert len(line.marks) == shown


@pytest.mark.parametrize("content", [Reaction("m", "👍"), Event("blocked")])
async def test_what_is_no_message_is_not_marked(content: Content) -> None:
    line = Marking(seen=True, typing_seconds=1.0)
    await during(line, asyncio.sleep(0.1), content)
    assert line.marks == []


async def test_a_channel_without_marks_is_not_asked() -> None:
    line = Marking()
    await during(line, asyncio.sleep(0.1))
    assert line.marks == []


@pytest.mark.parametrize("error", [Rejected("too old"), ZeroDivisionError("a bug")])
async def test_a_mark_that_fails_hinders_nothing(error: Exception) -> None:
    line = Marking(error, seen=True, typing_seconds=1.0)
    await during(line, asyncio.sleep(0.1))
    assert line.marks == ["seen ann-1", "typing ann-1"]


async def test_a_mark_that_hangs_ends_with_the_process() -> None:
    line = Marking(seen=True)

    async def hang(address: Address, of: str) -> None:
        await asyncio.Event().wait()

    line.seen = hang  # type: ignore[method-assign]
    await asyncio.wait_for(during(line, asyncio.sleep(0.01)), PATIENCE)
