"""Every scenario of ``tests/scenarios/*.yml``, played with the worker's real parts."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actions import proving as proving_actions
from actions.backends import demo, opening
from actions.rules import load_rules
from bot.identity import proving
from bot.knowledge import service
from tests.kit.clock import Clock
from tests.kit.ledger import BOOKS, open_books
from tests.kit.playing import Player, WentWrong
from tests.kit.processes import Machine
from tests.kit.scenario import Scenario, Unreadable, parse, read
from tests.kit.stage import Company, MailBox, Stage, knowing
from tests.kit.stores import Prompt, sqlite_in

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ALL = [scenario for path in sorted(HERE.glob("*.yml")) for scenario in read(path)]


@pytest.fixture
async def player(
    request: pytest.FixtureRequest,
    company: Company,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> AsyncIterator[Player]:
    """A stage of its own for the scenario."""
    scenario: Scenario = request.param
    clock = Clock(monkeypatch)
    clock.set(*scenario.at)
    monkeypatch.setenv("FRONTDESK_STORE_URL", f"sqlite:{tmp_path / 'bot.db'}")
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://shop.example")
    monkeypatch.setattr(service, "_provided", {})
    monkeypatch.setattr(proving, "_COST", 2)
    monkeypatch.setattr(proving_actions, "_stores", {})
    store = Prompt(sqlite_in(tmp_path), BOOKS)
    await open_books(store, scenario.orders)
    shop = await demo.opened(store, seed=True)
    key = os.getpid(), os.environ["FRONTDESK_STORE_URL"]
    monkeypatch.setattr(opening, "_opened", {key: (shop, store)})
    rules = load_rules(ROOT / "data" / "rules.yml").resolving
    resolves = frozenset(rules.intents if scenario.model else ())
    async with contextlib.AsyncExitStack() as stack:
        models = await stack.enter_async_context(knowing(company, scenario.model))
        box = await stack.enter_async_context(MailBox().open()) if scenario.mail else None
        stage = Stage(company, store, machine, tmp_path, resolves, box, models)
        yield Player(scenario, stage, clock)
        await stage.close()
    await store.close()


@pytest.mark.parametrize("player", ALL, indirect=True, ids=str)
async def test_scenario(player: Player) -> None:
    told = ""
    try:
        await player.play()
    except WentWrong as wrong:
        told = str(wrong)
    if told:
        # The conversation is what there is to see, and nothing of Python.
        pytest.fail(told, pytrace=False)


NOT_TRUE = {
    "says": ("bot: Goodbye", "expected: Goodbye"),
    "not": ("bot: {not: Hello}", "not expected: Hello"),
    "buttons": ("bot: {buttons: [Jokes]}", "expected the buttons ['Jokes']"),
    "more": ("bot: [Hello, and more]", "the bot said nothing (more)"),
    "unheard": ("shop: {case: none}", "the bot also said"),
    "nothing": ("bot: nothing", "but the bot said:"),
    "press": ("presses: Jokes", "the bot also said"),
    "case": ("shop: {case: {topic: human}}", "there are 0, not 1"),
    "order": ("shop: {order 1042: cancelled}", "is shipped, not cancelled"),
    "refund": ('shop: {refunds of 1042: ["£1.00"]}', "is [], not ['£1.00']"),
    "with": ("shop: {with: anna}", "is the bot, not anna"),
}


def _of(line: str) -> Scenario:
    text = f"- scenario: x\n  talk:\n    - customer: hello\n    - {line}\n"
    return parse(text, "x.yml")[0]


@pytest.mark.parametrize(
    ("player", "why"),
    [(_of(line), why) for line, why in NOT_TRUE.values()],
    indirect=["player"],
    ids=NOT_TRUE,
)
async def test_what_is_not_so_is_told_within_the_conversation(player: Player, why: str) -> None:
    with pytest.raises(WentWrong) as wrong:
        await player.play()
    told = str(wrong.value)
    assert "Amara: hello\n    bot: Hello! I'm the assistant" in told
    assert ">>> x.yml:4: " in told
    assert why in told


UNREADABLE = {
    "step": (
        "- scenario: x\n  talk:\n    - costumer: hi\n",
        "x.yml:3: 'costumer' should be one of",
    ),
    "two": ("- scenario: x\n  talk:\n    - {customer: hi, bot: hi}\n", "x.yml:3: each line"),
    "bot": ("- scenario: x\n  talk:\n    - bot: {say: hi}\n", "x.yml:3: 'say' should be one of"),
    "deed": ("- scenario: x\n  talk:\n    - anna: sings\n", "x.yml:3: anna can do: takes over"),
    "span": ("- scenario: x\n  talk:\n    - later: soon\n", "x.yml:3: later: should be as in"),
    "head": ("- scenario: x\n  were: sms\n  talk: []\n", "x.yml:1: 'were' should be one of"),
    "at": ("- scenario: x\n  at: noon\n  talk: []\n", "x.yml:1: at: should be as in"),
    "channel": ("- scenario: x\n  on: fax\n  talk: []\n", "x.yml:1: on: should be one of"),
    "none": ("scenario: x\n", "x.yml: should be a list of scenarios"),
}


@pytest.mark.parametrize(("text", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_played_is_told_with_its_line(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=re.escape(why)):
        parse(text, "x.yml")
