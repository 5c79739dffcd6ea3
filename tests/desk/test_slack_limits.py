"""The mirror keeps to Slack's limits, and what Slack refuses holds up nothing else."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.desk.journal import note_down
from bot.desk.routing import Route
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import RESOLVED, Case
from bot.store.deeds import Deed
from bot.store.messages import READ, arrival
from bot.store.slack import SlackThread
from tests.kit.mirrors import (
    KEY,
    ROUTING,
    Runs,
    a_case,
    answers,
    process_name,
    quiet,
    root,
    says,
    shows,
    texts,
)
from tests.kit.slack import Limit, No, Slack, slack
from tests.kit.waiting import until


@pytest.fixture
async def server() -> AsyncIterator[Slack]:
    async with slack() as running:
        yield running


@pytest.fixture
async def runs(
    store: AsyncStore, server: Slack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Runs]:
    monkeypatch.setattr("bot.desk.slack.mirror.me", process_name.get)
    made = Runs(store, server, tmp_path, set())
    yield made
    await made.close()


def always(server: Slack, method: str, fault: Any) -> None:
    """Answer every request to a method with a fault."""

    async def before(name: str, args: dict[str, Any]) -> None:
        if name == method:
            server.faults = [(method, fault)]

    server.before = before


# Cards that Slack will not take.


@pytest.mark.parametrize("error", ["edit_window_closed", "msg_blocks_too_long", "invalid_blocks"])
async def test_a_card_that_may_not_be_changed_holds_up_no_words(
    store: AsyncStore, server: Slack, runs: Runs, error: str
) -> None:
    case = await a_case(store)
    mirror = runs.start()
    await shows(server, "my mug broke")
    await quiet(store, mirror)
    always(server, "chat.update", No(error))
    await store.change(Case, {"id": case.id}, set={"priority": "urgent"})
    await says(store, "two", 2)
    await shows(server, "my mug broke", "two")
    await quiet(store, mirror)
    # Not asked again and again for the same.
    asked = len(server.asked("chat.update"))
    await says(store, "three", 3)
    await shows(server, "my mug broke", "two", "three")
    assert asked == len(server.asked("chat.update")) == 1


async def test_a_card_that_is_refused_is_posted_with_its_buttons_alone(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)

    async def before(method: str, args: dict[str, Any]) -> None:
        if method in ("chat.postMessage", "chat.update") and len(args.get("blocks") or ()) > 4:
            server.faults = [(method, No("msg_blocks_too_long"))]

    server.before = before
    mirror = runs.start()
    await says(store, "two", 2)
    await shows(server, "my mug broke", "two")
    await quiet(store, mirror)
    (card,) = server.roots()
    assert "my mug broke" not in json.dumps(card.blocks) + card.text
    assert {b["type"] for b in card.blocks} == {"section", "actions"}
    buttons = [e for b in card.blocks[1:] for e in b["elements"] if e["type"] == "button"]
    assert {b["value"] for b in buttons} == {KEY}


async def test_a_bare_card_that_is_refused_too_is_tried_again_later(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    always(server, "chat.postMessage", No("invalid_blocks"))
    runs.start()
    await until(lambda: len(server.asked("chat.postMessage")) >= 4)
    server.before, server.faults = None, []
    await shows(server, "my mug broke")


# How often one may post.


async def test_posts_of_one_channel_are_apart_and_other_channels_do_not_wait(
    store: AsyncStore, server: Slack, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = 0.06
    allowed: list[tuple[str, float]] = []
    for n in range(3):
        await a_case(store, 1, f"u{n}", f"wish {n}")
        await a_case(store, 1, f"v{n}", f"wish {n}", topic="legal")
    routes = (Route("law", topics=("legal",), slack="C2"), Route("all"))
    mirror = runs.start(pace=pace, routing=replace(ROUTING, routes=routes))
    turn = mirror._turn

    async def timed(channel: str) -> None:
        await turn(channel)
        allowed.append((channel, time.monotonic()))

    # Sent that far apart, they may arrive closer on a machine that is busy.
    monkeypatch.setattr(mirror, "_turn", timed)
    await until(lambda: all(len(server.channels[c]) == 6 for c in ("C1", "C2")))
    for channel in ("C1", "C2"):
        times = [at for where, at in allowed if where == channel]
        assert len(times) == 6
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert min(gaps) > pace * 0.9, gaps
    both = [at for _, at in allowed]
    assert min(b - a for a, b in itertools.pairwise(both)) < pace / 2


async def test_the_most_urgent_cards_are_first(
    store: AsyncStore, server: Slack, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.desk.slack.mirror._AT_ONCE", 1)
    for n, priority in enumerate(["normal", "low", "normal", "high", "normal", "urgent"]):
        await a_case(store, 1, f"u{n}", f"wish {n}", priority=priority)
    mirror = runs.start()
    await until(lambda: len(server.roots()) == 6)
    await quiet(store, mirror)
    shown = [json.dumps(card.blocks) for card in server.roots()]
    order = [next(n for n in range(6) if f"wish {n}" in card) for card in shown]
    assert order == [5, 3, 0, 2, 4, 1]


async def test_a_thread_with_much_to_show_lets_others_in_between(
    store: AsyncStore, server: Slack, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.desk.slack.mirror._AT_ONCE", 1)
    await a_case(store, 0, "much", "line 0")
    for n in range(1, 14):
        await says(store, f"line {n}", n, "much")
    runs.start()
    await until(lambda: server.roots())
    await a_case(store, 1, "urgent", "help!", priority="urgent")
    await until(lambda: len(server.channels["C1"]) == 2 + 14 + 1)
    places = [n for n, m in enumerate(server.channels["C1"]) if not m.thread]
    assert places[0] == 0
    # Behind one share of the other, or two when it came in the middle of it.
    assert places[1] <= 10
    said = [p.text.rpartition(" ")[2] for p in server.thread(server.roots()[0])]
    assert said == [str(n) for n in range(14)]


# Too many requests, of other methods than the one that posts.


@pytest.mark.parametrize("method", ["chat.update", "reactions.add"])
async def test_a_limit_of_another_method_stops_no_words(
    store: AsyncStore, server: Slack, runs: Runs, method: str
) -> None:
    case = await a_case(store)
    await a_case(store, 1, "bob", "bob's wish")
    mirror = runs.start()
    await until(lambda: len(server.roots()) == 2)
    await quiet(store, mirror)
    always(server, method, Limit(30))
    await store.change(Case, {"id": case.id}, set={"priority": "urgent"})
    await answers(store, "Hi", 1, agent="Anna", status=READ)
    await until(lambda: server.asked(method))
    await says(store, "two", 2)
    await says(store, "bob's second", 2, "bob")

    def shown() -> set[str]:
        said = {m.text.rpartition("*")[2].strip() for m in server.channels["C1"]}
        return said & {"two", "bob's second"}

    await until(lambda: len(shown()) == 2)
    assert len(server.asked(method)) == 1


async def test_a_card_that_had_to_wait_is_changed_before_its_thread_is_closed(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    case = await a_case(store)
    mirror = runs.start()
    await shows(server, "my mug broke")
    await quiet(store, mirror)
    server.faults = [("chat.update", Limit(0.4))]
    done = {"status": RESOLVED, "resolved": utcnow(), "resolution": "sent one"}
    await store.change(Case, {"id": case.id}, set=done)
    await note_down(store, "r1", "resolved", KEY, case=case.id, name="Anna", text="sent one")
    await shows(server, "my mug broke", "resolved")
    card = await root(server)
    assert "sent one" not in json.dumps(card.blocks)
    await until(lambda: "sent one" in json.dumps(card.blocks))

    async def closed() -> bool:
        thread = await store.get(SlackThread, f"desk:{case.id}")
        return thread is not None and bool(thread.closed)

    await until(closed)


async def test_reactions_that_had_to_wait_come_later(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    server.faults = [("reactions.add", Limit(0.3))]
    await answers(store, "Hi", 1, agent="Anna", status=READ)
    runs.start()
    await shows(server, "my mug", "Hi")
    own = server.thread(server.roots()[0])[1]
    await until(lambda: own.reactions == ["white_check_mark", "eyes"])


# Threads whose first message is gone.


@pytest.mark.parametrize("may_delete", [True, False])
async def test_what_slack_puts_into_the_channel_is_taken_away_and_the_thread_begun_anew(
    store: AsyncStore, server: Slack, runs: Runs, may_delete: bool
) -> None:
    case = await a_case(store)
    mirror = runs.start()
    await says(store, "two", 2)
    await shows(server, "my mug broke", "two")
    await quiet(store, mirror)
    server.strays = True
    if not may_delete:
        always(server, "chat.delete", No("cant_delete_message"))
    server.delete((await root(server)).ts)
    await says(store, "three", 3)
    await until(lambda: "three" in "".join(texts(server)))
    await quiet(store, mirror)
    assert "was deleted in Slack" in texts(server)[0]
    assert "".join(texts(server)).count("three") == 1
    strays = [m.text for m in server.roots() if not m.blocks]
    assert strays == ([] if may_delete else ["*Amara:* three"])
    thread = await store.get(SlackThread, f"desk:{case.id}")
    assert thread is not None
    assert (thread.lost, thread.ts) == (1, server.roots()[-1].ts)


async def test_what_an_agent_writes_in_the_deleted_thread_is_shown_in_the_new_one(
    store: AsyncStore, server: Slack, runs: Runs
) -> None:
    await a_case(store)
    mirror = runs.start()
    await shows(server, "my mug broke")
    await quiet(store, mirror)
    old = (await root(server)).ts
    server.delete(old)
    await store.change(SlackThread, {"channel": "C1", "ts": old}, set={"ts": ""})
    await until(lambda: "was deleted in Slack" in "".join(texts(server)))
    now, ts = utcnow(), server._next_ts()
    id = f"slack:desk:C1:{ts}"
    args = {"ts": ts, "channel": "C1", "thread": old}
    more = {"args": args, "at": now, "due": now, "arrived": arrival()}
    await store.insert(
        Deed(id=id, kind="write", conversation=KEY, agent="anna", via="slack", **more)
    )
    await answers(store, "On its way", "s", agent="Anna", id=f"{KEY}:agent:{id}:0")
    await until(lambda: texts(server)[-1] == "💬 *Anna:* On its way")
    await quiet(store, mirror)
    await asyncio.sleep(0.1)
    assert "".join(texts(server)).count("On its way") == 1
