"""``bot dead`` on a real store, with replayed letters worked off by a real worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import connectors
from bot.cli import parser
from bot.dead import dead
from bot.inbox import Inbox
from bot.message import utcnow
from bot.settings import (
    Settings,
)
from bot.store import AsyncStore
from bot.store.conversations import AGENT, Conversation
from bot.store.dead_letters import SEND, TURN, DeadLetter
from bot.store.messages import DONE, DROPPED, SENT, UNSENT, Message
from bot.store.wake import LocalBell
from bot.thinking import APOLOGY
from connectors.errors import Rejected
from tests.kit.build import address, inbound, item, receipt, row, webhook
from tests.kit.channel import Echo, Line, Provider, Refuse
from tests.kit.processes import Machine, Process
from tests.kit.settings import settings_in
from tests.kit.waiting import until

Command = Callable[..., Any]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setitem(connectors._CHANNELS, "line", "tests.kit.channel:ConfiguredLine")
    return settings_in(tmp_path, channels={"line": (Line.Account(),)})


@pytest.fixture
def bot_dead(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Command:
    async def run(*arguments: Any) -> tuple[int, str, str]:
        args = parser().parse_args(["dead", *map(str, arguments)])
        status = await dead(args, settings)
        return (status, *capsys.readouterr())

    return run


@pytest.fixture
async def process(machine: Machine, store: AsyncStore) -> AsyncIterator[Callable[..., Process]]:
    running: list[Process] = []

    def begin(provider: Provider, brain: Echo | None = None) -> Process:
        running.append(Process(machine, store, provider, brain).start())
        return running[-1]

    yield begin
    for one in running:
        await one.stop()


@pytest.fixture
def inbox(store: AsyncStore, tmp_path: Path) -> Inbox:
    return Inbox(store, LocalBell(tmp_path / "wake"))


async def only_letter(store: AsyncStore) -> DeadLetter:
    (letter,) = await store.find(DeadLetter, {})
    return letter


async def test_without_dead_letters_the_list_says_so(bot_dead: Command, store: AsyncStore) -> None:
    assert await bot_dead("list") == (0, "no dead letters\n", "")


async def test_the_list_is_newest_first_a_line_each_and_can_be_narrowed(
    bot_dead: Command, store: AsyncStore, inbox: Inbox
) -> None:
    await inbox.dead("line", "shop", b"one", "first reason")
    await store.insert(row(n=1, status=SENT))
    await inbox.accept([receipt("failed", of=row(n=1).id, reason="second reason")])
    status, out, _ = await bot_dead("list")
    lines = out.splitlines()
    assert (status, len(lines)) == (0, 2)
    assert "second reason" in lines[0]
    assert "first reason" in lines[1]
    assert "second reason" not in (await bot_dead("list", "--stage", "receive"))[1]
    assert len((await bot_dead("list", "--limit", 1))[1].splitlines()) == 1


async def test_a_letter_is_shown_whole(bot_dead: Command, store: AsyncStore, inbox: Inbox) -> None:
    await inbox.dead("line", "shop", b'{"a": "\xff"}', "not understood")
    status, out, _ = await bot_dead("show", (await only_letter(store)).id)
    assert status == 0
    for part in ("not understood", "receive", "line", "shop", '{"a": "\\xff"}'):
        assert part in out


@pytest.mark.parametrize("verb", ["show", "replay"])
@pytest.mark.parametrize("id", ["nonsense", "0" * 24])
async def test_a_letter_that_does_not_exist_is_said_so(
    bot_dead: Command, store: AsyncStore, verb: str, id: str
) -> None:
    status, _, err = await bot_dead(verb, id)
    assert status == 1
    assert "no such dead letter" in err


async def test_a_request_that_can_be_read_now_is_answered(
    bot_dead: Command,
    store: AsyncStore,
    inbox: Inbox,
    process: Any,
) -> None:
    await inbox.dead("line", "shop", webhook(item("a", n=1), item("b", n=2)), "a bug, now fixed")
    letter = await only_letter(store)
    status, out, _ = await bot_dead("replay", letter.id)
    assert (status, out) == (0, f"{letter.id}: 2 parsed, 2 new\n")
    # Again, by mistake.
    assert (await bot_dead("replay", letter.id))[1] == f"{letter.id}: 2 parsed, 0 new\n"
    assert (await only_letter(store)).replayed is not None
    assert "replayed" in (await bot_dead("list"))[1]
    provider = Provider()
    process(provider)
    await until(lambda: len(provider.taken) >= 2)
    assert provider.said() == ["1: a", "2: b"]


async def test_of_a_request_that_can_be_read_in_part_that_part_is_answered(
    bot_dead: Command, store: AsyncStore, inbox: Inbox
) -> None:
    await inbox.dead("line", "shop", webhook(item("a", n=1), {"user": "ann"}), "a bug, half fixed")
    letter = await only_letter(store)
    status, _, err = await bot_dead("replay", letter.id)
    assert status == 1
    assert "1 parsed, 1 new" in err
    assert await store.get(Message, "line:shop:ann-1") is not None
    assert (await only_letter(store)).replayed is None


async def test_a_letter_that_fails_again_does_not_stop_the_others(
    bot_dead: Command, store: AsyncStore, inbox: Inbox
) -> None:
    await inbox.dead("line", "shop", b'{"items": ["bug"]}', "a bug")
    bug = await only_letter(store)
    await inbox.dead("line", "shop", webhook(item(n=1)), "fixed")
    await inbox.dead("line", "gone", b"x", "account was removed")
    letters = {bytes(x.body): x.id for x in await store.find(DeadLetter, {})}
    gone, fixed = letters[b"x"], letters[webhook(item(n=1))]
    status, out, err = await bot_dead("replay", bug.id, gone, fixed)
    assert (status, out) == (1, f"{fixed}: 1 parsed, 1 new\n")
    assert "ZeroDivisionError" in err
    assert "no account line:gone is configured" in err


async def test_a_message_whose_turn_failed_is_answered_after_a_replay(
    bot_dead: Command, store: AsyncStore, inbox: Inbox, process: Any
) -> None:
    broken = True

    async def fails(said: Any, number: int) -> None:
        if broken:
            raise ZeroDivisionError

    provider = Provider()
    process(provider, Echo(fails))
    await inbox.accept([inbound("a", n=1)])
    await until(lambda: provider.said() == [APOLOGY])
    broken = False
    letter = await only_letter(store)
    assert letter.stage == TURN
    assert "'a'" in (await bot_dead("show", letter.id))[1]
    assert (await bot_dead("replay", letter.id))[1] == f"{letter.id}: given to the bot again\n"
    assert "again before" in (await bot_dead("replay", letter.id))[1]
    await until(lambda: provider.said() == [APOLOGY, "1: a"])
    rows = await store.find(Message, {"conversation": address().key})
    assert {r.status for r in rows if r.direction == "in"} == {DONE}


async def test_a_message_that_cannot_be_read_back_is_no_traceback(
    bot_dead: Command, store: AsyncStore, inbox: Inbox
) -> None:
    await inbox.accept([inbound("a", n=1)])
    unknown = {"content": {"kind": "of a newer version"}}
    await store.change(Message, {"id": "line:shop:ann-1"}, set=unknown)
    for ref in ("line:shop:ann-1", "line:shop:nobody-1"):
        letter = DeadLetter(
            stage=TURN, channel="line", account="shop", ref=ref, reason="x", at=utcnow()
        )
        await store.insert(letter)
    ids = [x.id for x in await store.find(DeadLetter, {})]
    status, _, err = await bot_dead("replay", *ids)
    assert status == 1
    assert "unknown content kind" in err
    assert "is gone" in err


async def test_a_message_that_failed_is_sent_after_a_replay_once(
    bot_dead: Command, store: AsyncStore, process: Any
) -> None:
    failed = row("a")
    await store.insert(failed)
    provider = Provider(Refuse(Rejected("not now")))
    process(provider)
    letter = await until(lambda: _letter(store))
    assert (letter.stage, letter.ref) == (SEND, failed.id)
    assert (await bot_dead("replay", letter.id))[1] == f"{letter.id}: queued\n"
    await until(lambda: provider.said() == ["a"])
    await until(lambda: _none_unsent(store))
    status, _, err = await bot_dead("replay", letter.id)
    assert status == 1
    assert "not a failed one any more" in err
    assert provider.said() == ["a"]


async def _letter(store: AsyncStore) -> DeadLetter | None:
    found = await store.find(DeadLetter, {"stage": SEND})
    return found[0] if found else None


async def _none_unsent(store: AsyncStore) -> bool:
    return not await store.count(Message, {"direction": "out", "status": {"$in": UNSENT}})


async def test_a_bots_message_replayed_after_a_takeover_still_does_not_reach_the_customer(
    bot_dead: Command, store: AsyncStore, process: Any
) -> None:
    await store.insert(row("a", turn="t"))
    provider = Provider(Refuse())
    process(provider)
    letter = await until(lambda: _letter(store))
    await store.insert(
        Conversation(
            id=address().key, holder=AGENT, epoch=1, lease_until=utcnow(), created=utcnow()
        )
    )
    await bot_dead("replay", letter.id)
    await until(lambda: _none_unsent(store))
    kept = await store.get(Message, row("a").id)
    assert kept is not None
    assert (kept.status, provider.taken) == (DROPPED, [])


async def test_a_store_that_is_down_is_one_line(
    bot_dead: Command, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "bot.db").mkdir()
    status, out, err = await bot_dead("list")
    assert (status, out) == (1, "")
    assert err.startswith("the store: ")
    assert err.count("\n") == 1
