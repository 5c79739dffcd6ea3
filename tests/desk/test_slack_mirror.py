"""The mirror on a real store and real HTTP: each post once and in order, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.desk.journal import note_down
from bot.desk.routing import Route
from bot.desk.templates import Approved
from bot.media.vault import key_of
from bot.message import (
    Deletion,
    Edit,
    Inbound,
    Media,
    Reaction,
    utcnow,
)
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, Conversation
from bot.store.deeds import Deed
from bot.store.files import KEPT, REFUSED, StoredFile, wanted
from bot.store.journal import NOTE, RATED, REMINDED, TAKEN
from bot.store.messages import DELIVERED, FAILED, HELD, READ, SENT, Message, arrival, to_message
from bot.store.slack import POSTED, SlackPost, SlackThread
from tests.kit.build import address
from tests.kit.channel import CAN
from tests.kit.mirrors import (
    KEY,
    ROUTING,
    Runs,
    Skip,
    a_case,
    answers,
    process_name,
    quiet,
    root,
    says,
    shows,
    texts,
)
from tests.kit.processes import Failing
from tests.kit.slack import Drop, Hang, Limit, No, Posted, Slack, Status, slack
from tests.kit.waiting import PATIENCE, until


@pytest.fixture
async def server() -> AsyncIterator[Slack]:
    async with slack() as running:
        yield running


@pytest.fixture
async def runs(
    store: AsyncStore, server: Slack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Runs]:
    dead: set[str] = set()
    monkeypatch.setattr("bot.desk.slack.mirror.me", process_name.get)
    monkeypatch.setattr("bot.desk.slack.mirror.is_dead", dead.__contains__)
    made = Runs(store, server, tmp_path, dead)
    yield made
    await made.close()


# What is shown.


async def test_a_case_becomes_a_thread(store: AsyncStore, server: Slack, runs: Runs) -> None:
    await says(store, "hello", 90)
    await answers(store, "Hello! How can I help?", 1)
    case = await a_case(store)
    await answers(store, "A colleague will answer.", 2)
    runs.start()
    await shows(server, "The conversation before", "my mug broke", "A colleague will answer.")
    card = await root(server)
    assert "my mug broke" in json.dumps(card.blocks)
    before = texts(server)[0]
    assert before.index("hello") < before.index("How can I help?")
    assert "*Amara:*" in before
    thread = await store.get(SlackThread, f"desk:{case.id}")
    assert thread is not None
    assert thread.ts == card.ts


async def test_every_line_is_shown_as_what_it_is(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    case = await a_case(store)
    await note_down(store, "t1", TAKEN, KEY, case=case.id, agent="anna", name="Anna", via="console")
    await answers(store, "Hi, Anna here", 1, agent="Anna")
    await note_down(store, "n1", NOTE, KEY, agent="anna", name="Anna", via="console", text="VIP")
    await says(store, Edit("ann-1", "my cup broke"), 2)
    await says(store, Reaction("out-1", "👍"), 3)
    await says(store, Deletion("ann-1"), 4)
    await says(store, "<!here> *look* <@U0ANNA>", 5)
    await note_down(store, "r1", RATED, KEY, case=case.id, text="★★★★★")
    runs.start()
    await shows(
        server,
        "my mug broke",
        "Anna took the conversation over",
        "*Anna:* Hi, Anna here",
        "Note by Anna:* VIP",
        "changed “my mug broke” to “my cup broke”",
        "reacted 👍 to “Hi, Anna here”",
        "deleted “my mug broke”",
        "&lt;!here&gt;",
        "★★★★★",
    )
    assert not any("<!here" in t or "<@" in t for t in texts(server))


async def test_reminders_grow_louder(store: AsyncStore, server: Slack, runs: Runs) -> None:
    case = await a_case(store)
    for stage in ("thread", "channel", "on_call"):
        details = {"stage": stage, "on_call": ["ben", "U0CALL"] if stage == "on_call" else []}
        await note_down(store, stage, REMINDED, KEY, case=case.id, text="Waiting", details=details)
    runs.start()
    await shows(server, "my mug", "Waiting", "Waiting", "<@U0BEN> <@U0CALL>")
    posts = server.thread(await root(server))
    assert [p.broadcast for p in posts] == [False, False, True, True]


async def test_long_words_become_several_posts(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store, wish="<" * 3000)
    runs.start()
    await until(lambda: "".join(texts(server)).count("&lt;") == 3000)
    assert all(len(t) <= 4000 for t in texts(server))


async def test_the_card_follows(store: AsyncStore, server: Slack, runs: Runs) -> None:
    case = await a_case(store)
    mirror = runs.start()
    card = await root(server)
    await quiet(store, mirror)
    updates = len(server.asked("chat.update"))
    await store.change(Conversation, {"id": KEY}, set={"holder": AGENT, "agent": "anna"})
    await note_down(store, "t1", TAKEN, KEY, case=case.id, agent="anna", name="Anna")
    await until(lambda: "Anna Keller* has the conversation" in json.dumps(card.blocks))
    await quiet(store, mirror)
    assert len(server.asked("chat.update")) == updates + 1


async def test_a_second_case_joins_and_a_new_one_has_a_thread_of_its_own(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    first = await a_case(store)
    mirror = runs.start()
    await shows(server, "my mug broke")
    second = await a_case(store, 2, wish="my lawyer", priority="urgent", topic="legal")
    await shows(server, "my mug broke", "my lawyer", "More urgent*: legal, urgent")
    await until(lambda: "🔴" in json.dumps(server.roots()[0].blocks, ensure_ascii=False))
    await until(lambda: joined(store, second, first))
    for case in (first, second):
        done = {"status": RESOLVED, "resolved": utcnow(), "resolution": "sent one"}
        await store.change(Case, {"id": case.id}, set=done)
    await note_down(store, "r1", "resolved", KEY, case=first.id, name="Anna", text="sent one")
    await quiet(store, mirror)
    await store.change(Case, {"id": first.id}, set={"resolved": utcnow() - timedelta(hours=1)})
    await says(store, "thanks, bye", 3)
    await a_case(store, 4, wish="again!")
    await until(lambda: len(server.roots()) == 2)
    await until(lambda: "An earlier case of this conversation" in "".join(texts(server)))
    await until(lambda: "again!" in texts(server)[-1])
    assert "sent one" in json.dumps(server.roots()[0].blocks)
    # What was said to the bot in between is not of the first thread.
    assert not any("bye" in p.text for p in server.thread(server.roots()[0]))


async def joined(store: AsyncStore, case: Case, main: Case) -> bool:
    found = await store.get(Case, case.id)
    return found is not None and found.part_of == main.id


async def test_a_closed_thread_is_opened_with_its_case(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    case = await a_case(store)
    runs.start()
    await shows(server, "my mug broke")
    await store.change(Case, {"id": case.id}, set={"status": RESOLVED, "resolved": utcnow()})
    await note_down(store, "r1", "resolved", KEY, case=case.id, name="Anna")

    async def closed() -> bool:
        thread = await store.get(SlackThread, f"desk:{case.id}")
        return thread is not None and bool(thread.closed)

    await until(closed)
    await store.change(Case, {"id": case.id}, set={"status": OPEN})
    await says(store, "still broken", 2)
    await shows(server, "my mug broke", "resolved", "still broken")
    assert len(server.roots()) == 1


# Files.


async def test_files_come_when_they_are_there(store: AsyncStore, server: Slack, runs: Runs) -> None:
    await a_case(store)
    rows = []
    for n in (2, 3):
        row = await says(store, Media("image", ref="x", filename=f"mug{n}.png"), n)
        rows += wanted(row)
    await store.insert_new(rows)
    runs.start()
    await shows(server, "my mug broke", "mug2.png", "mug3.png")
    await runs.vault.put(key_of(b"pixels"), b"pixels", "image/png")
    kept = {"status": KEPT, "key": key_of(b"pixels"), "filename": "mug2.png", "size": 6}
    await store.change(StoredFile, {"id": rows[0].id}, set=kept)
    await store.change(
        StoredFile, {"id": rows[1].id}, set={"status": REFUSED, "reason": "it is a program"}
    )
    await until(lambda: len(texts(server)) == 5)
    assert list(server.uploads.values()) == [b"pixels"]
    assert [p.files[0]["title"] for p in server.thread(await root(server)) if p.files] == [
        "mug2.png"
    ]
    assert any("could not be kept: it is a program" in t for t in texts(server))


@pytest.mark.parametrize("fault", [Drop(True), Drop(False), Hang(True), No("file_not_found")])
async def test_a_file_is_shown_once_whatever_the_answer(
    store: AsyncStore, server: Slack, runs: Runs, fault: Any
) -> None:
    await a_case(store)
    (file,) = wanted(await says(store, Media("image", ref="x"), 2))
    await runs.vault.put(key_of(b"pixels"), b"pixels", "image/png")
    file.status, file.key, file.filename = KEPT, key_of(b"pixels"), "a.png"
    await store.insert(file)
    server.faults = [("files.completeUploadExternal", fault)]
    mirror = runs.start()
    await until(lambda: len(texts(server)) == 3)
    await quiet(store, mirror)
    assert sum(bool(p.files) for p in server.thread(await root(server))) == 1


# Ticks.


async def written(store: AsyncStore, server: Slack, ts: str) -> Message:
    """What an agent wrote in the thread, as the door and the clerk make it."""
    now = utcnow()
    deed = f"slack:desk:C1:{ts}"
    args = {"ts": ts, "channel": "C1", "thread": server.roots()[0].ts}
    more = {"args": args, "at": now, "due": now, "arrived": arrival()}
    await store.insert(
        Deed(id=deed, kind="write", conversation=KEY, agent="anna", via="slack", **more)
    )
    id = f"{KEY}:agent:{deed}:0"
    return await answers(store, "Hi from Slack", "s", agent="Anna", status="queued", id=id)


async def test_ticks_are_put_on_what_the_agent_wrote_and_nothing_is_shown_twice(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    mirror = runs.start()
    await shows(server, "my mug broke")
    card = await root(server)
    own = Posted(server._next_ts(), card.ts, "Hi from Slack")
    server.channels["C1"].append(own)
    row = await written(store, server, own.ts)
    await quiet(store, mirror)
    assert own.reactions == []
    await store.change(Message, {"id": row.id}, set={"status": SENT})
    await quiet(store, mirror)
    await store.change(Message, {"id": row.id}, set={"status": DELIVERED})
    await until(lambda: own.reactions == ["white_check_mark"])
    await store.change(Message, {"id": row.id}, set={"status": READ})
    await until(lambda: own.reactions == ["white_check_mark", "eyes"])
    await quiet(store, mirror)
    assert [p.text for p in server.thread(card)] == [
        server.thread(card)[0].text,
        "Hi from Slack",
    ]


async def test_what_an_agent_attached_in_the_thread_is_not_put_there_again(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    mirror = runs.start()
    await shows(server, "my mug broke")
    card = await root(server)
    own = Posted(server._next_ts(), card.ts, "Hi from Slack")
    server.channels["C1"].append(own)
    row = await written(store, server, own.ts)
    (theirs,) = wanted(await says(store, Media("image", ref="x"), 2))
    (ours,) = wanted(to_message(Inbound(address(), "x", Media("image", ref="x"), utcnow())))
    ours.id, ours.message = f"{row.id}#0", row.id
    await runs.vault.put(key_of(b"pixels"), b"pixels", "image/png")
    for file in (ours, theirs):
        file.status, file.key, file.filename = KEPT, key_of(b"pixels"), f"{file.message}.png"
    await store.insert_new([ours, theirs])
    await until(lambda: server.uploads)
    await quiet(store, mirror)
    shown = [p.files[0]["title"] for p in server.thread(card) if p.files]
    assert shown == [theirs.filename]


async def test_a_channel_without_receipts_ticks_what_is_sent(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    await answers(store, "Hi", 1, agent="Anna")
    await answers(store, "Bot says", 2)
    runs.start(can={"line": CAN})
    await shows(server, "my mug", "Hi", "Bot says")
    await until(lambda: server.thread(server.roots()[0])[1].reactions == ["white_check_mark"])
    assert server.thread(server.roots()[0])[2].reactions == []


async def test_failures_say_why_and_offer_templates(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    row = await answers(store, "Hi", 1, agent="Anna", status=HELD)
    templates = [Approved("follow_up", "line", "en", "utility", "We have news on {1}.", ("order",))]
    runs.start(templates=templates)
    await shows(server, "my mug", "Hi", "waits: the customer wrote too long ago")
    menu = server.thread(await root(server))[2].blocks[1]["elements"][0]
    assert [o["value"] for o in menu["options"]] == ["follow_up"]
    why = {"status": FAILED, "reason": "Rejected: no such number"}
    await store.change(Message, {"id": row.id}, set=why)
    await shows(server, "my mug", "Hi", "waits", "was not delivered: Rejected: no such number")
    await until(lambda: server.thread(server.roots()[0])[1].reactions == ["warning"])


# Faults.


FAULTS = [
    Limit(0.05),
    Status(500, taken=True),
    Status(500),
    Drop(taken=True),
    Drop(taken=False),
    Hang(taken=True),
    No("fatal_error"),
    No("service_unavailable"),
    No("not_in_channel"),
]
LINES = ["my mug broke", "two", "three", "four"]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_each_line_once_and_in_order_whatever_slack_answers(
    store: AsyncStore, server: Slack, runs: Runs, fault: Any
) -> None:
    await a_case(store)
    for n, text in enumerate(LINES[1:], 2):
        await says(store, text, n)
    # The card, and lines.
    good = Skip(server)
    good.plan = {1: fault, 3: fault, 5: fault}
    mirror = runs.start()
    await shows(server, *LINES)
    await quiet(store, mirror)
    assert len(server.roots()) == 1
    assert len(texts(server)) == len(LINES)
    assert not good.plan


async def test_slack_that_is_down_is_waited_for(
    store: AsyncStore, server: Slack, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    server.down = True
    await a_case(store)
    mirror = runs.start()
    await says(store, "two", 2)
    await asyncio.sleep(0.3)
    await says(store, "three", 3)
    assert server.roots() == []
    server.down = False
    await shows(server, "my mug broke", "two", "three")
    await quiet(store, mirror)
    assert "mug" not in caplog.text


async def test_what_slack_will_not_take_stops_nothing(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    await says(store, "two", 2)
    good = Skip(server)
    good.plan = {2: No("invalid_blocks")}
    runs.start()
    await shows(server, "could not be shown in Slack", "two")


@pytest.mark.parametrize("told", [True, False], ids=["by an event", "by nobody"])
async def test_a_deleted_thread_is_begun_anew(
    store: AsyncStore, server: Slack, runs: Runs, told: bool
) -> None:
    case = await a_case(store)
    mirror = runs.start()
    await says(store, "two", 2)
    await shows(server, "my mug broke", "two")
    await quiet(store, mirror)
    card = await root(server)
    server.delete(card.ts)
    if told:
        await store.change(SlackThread, {"channel": "C1", "ts": card.ts}, set={"ts": ""})
    else:
        await store.change(Case, {"id": case.id}, set={"priority": "urgent"})
        await says(store, "three", 3)
    await until(lambda: len(server.roots()) == 1)
    await until(lambda: "was deleted in Slack" in "".join(texts(server)[:1]))
    shown = texts(server)[0]
    assert shown.index("my mug broke") < shown.index("two")
    await says(store, "four", 4)
    await until(lambda: "four" in texts(server)[-1])
    await quiet(store, mirror)
    assert "".join(texts(server)).count("four") == 1
    thread = await store.get(SlackThread, f"desk:{case.id}")
    assert thread is not None
    assert thread.lost == 1
    assert told or "three" in "".join(texts(server))


async def test_a_thread_deleted_while_it_is_posted_to_puts_no_line_into_the_channel(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    for n, text in enumerate(LINES[1:], 2):
        await says(store, text, n)

    async def before(method: str, args: dict[str, Any]) -> None:
        if method == "chat.postMessage" and args.get("thread_ts"):
            server.before = None
            await asyncio.sleep(0.2)
            card = server.roots()[0]
            card.tombstone = True
            await store.change(SlackThread, {"channel": "C1", "ts": card.ts}, set={"ts": ""})

    server.before = before
    mirror = runs.start()
    await until(lambda: "was deleted in Slack" in "".join(texts(server)))
    await quiet(store, mirror)
    assert len(server.roots()) == 1
    assert all(m.blocks for m in server.channels["C1"] if not m.thread)
    assert all(text in "".join(texts(server)) for text in LINES)


async def test_a_channel_that_is_gone_gives_its_cases_to_the_accounts_own(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    route = Route("all", slack="C404")
    runs.start(routing=replace(ROUTING, routes=(route,)))
    await until(lambda: texts(server))
    assert "my mug broke" in "".join(texts(server))


async def test_two_mirrors_at_once(store: AsyncStore, server: Slack, runs: Runs) -> None:
    for user in ("ann", "bob", "cleo"):
        await a_case(store, user=user, wish=f"{user} 1")
    one, two = runs.start("one"), runs.start("two")
    for n in range(2, 8):
        for user in ("ann", "bob", "cleo"):
            await says(store, f"{user} {n}", n, user)
        await asyncio.sleep(0.01)
    await until(lambda: len(server.channels["C1"]) >= 3 * 8)
    await quiet(store, one)
    await quiet(store, two)
    assert len(server.roots()) == 3
    for card in server.roots():
        said = [p.text.rpartition(" ")[2] for p in server.thread(card)]
        assert said == [str(n) for n in range(1, 8)]


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
async def test_a_mirror_killed_at_any_call_to_the_store(
    store: AsyncStore, server: Slack, runs: Runs, applied: bool
) -> None:
    """One process after another dies a few calls further; one more finishes."""
    await a_case(store)
    for n, text in enumerate(LINES[1:], 2):
        await says(store, text, n)
    for at in range(5, 120, 7):
        name = f"dying {at}"
        death = asyncio.Event()
        through = Failing(store, at=at, what="kill", applied=applied, killed=death.set)
        mirror = runs.start(name, through=through)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(death.wait(), 0.4)
        await runs.kill(mirror, name)
        if not death.is_set():
            break
    last = runs.start("last")
    await shows(server, *LINES)
    await quiet(store, last)
    assert len(server.roots()) == 1
    assert len(texts(server)) == len(LINES)


@pytest.mark.parametrize("at", range(1, 8))
async def test_a_mirror_killed_while_slack_is_asked(
    store: AsyncStore, server: Slack, runs: Runs, at: int
) -> None:
    await a_case(store)
    for n, text in enumerate(LINES[1:], 2):
        await says(store, text, n)
    asked, reached = 0, asyncio.Event()

    async def before(method: str, args: dict[str, Any]) -> None:
        nonlocal asked
        asked += 1
        if asked == at:
            server.faults.append((method, Hang(taken=at % 2 == 0)))
            reached.set()

    server.before = before
    first = runs.start("first", timeout=5)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(reached.wait(), 0.5)
    await asyncio.sleep(0.02)
    await runs.kill(first, "first")
    server.before = None
    last = runs.start("last")
    await shows(server, *LINES)
    await quiet(store, last)
    assert len(server.roots()) == 1


async def test_a_mirror_that_stops_leaves_what_it_has_to_the_next(
    store: AsyncStore, server: Slack, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.desk.slack.mirror.Mirror.finish_seconds", 0.05)
    await a_case(store)
    await says(store, "two", 2)
    good = Skip(server)
    good.plan = {2: Hang(taken=True)}
    mirror = runs.start("first", timeout=30)
    await until(lambda: not good.plan and texts(server))
    await asyncio.wait_for(mirror.stop(), PATIENCE)
    assert not mirror._serving
    runs.dead.add("first")
    runs.start("second")
    await shows(server, "my mug broke", "two")


async def test_a_round_with_nothing_new_changes_nothing_and_asks_little(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    await answers(store, "Hi", 1, agent="Anna", status=READ)
    through = Failing(store)
    mirror = runs.start(through=through)
    await shows(server, "my mug", "Hi")
    await until(lambda: len(server.thread(server.roots()[0])[1].reactions) == 2)
    await quiet(store, mirror)
    await asyncio.sleep(0.1)
    calls, asked = through.calls, len(server.calls)
    rows = [row.to_mongo() for row in await store.find(SlackPost, {})]
    await mirror._round()
    # Another round may have been under way.
    assert through.calls - calls <= 2 * 5
    mirror._looked.clear()
    mirror.wake.set()
    await until(lambda: mirror._looked)
    await quiet(store, mirror)
    assert len(server.calls) == asked
    assert [row.to_mongo() for row in await store.find(SlackPost, {})] == rows
    assert all(row["status"] == POSTED for row in rows)
