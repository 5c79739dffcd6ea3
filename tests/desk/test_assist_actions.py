"""Actions that agents run: the same code as in conversations, once a deed, in the audit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from actions.backends import orders, payments
from actions.backends.orders import CANCELLED, PLACED, Order
from actions.backends.payments import PAID, Refund
from bot.desk.assist.assist import Assist
from bot.desk.assist.desk_file import DESK_FILE, DeskAction, load_desk, parse_desk
from bot.desk.assist.opening import open_assist
from bot.desk.assist.running import Call, Ran, Running
from bot.desk.contract import Done
from bot.desk.people import People
from bot.dialogue.actions import InProcessActions
from bot.knowledge.contract import About, Answer
from bot.message import Event
from bot.settings import SettingsInvalid
from bot.store import AsyncStore, StoreDown
from bot.store.journal import ACTED, Entry
from bot.store.messages import Message
from tests.desk.assist_kit import Talk
from tests.kit.settings import settings_in

ROOT = Path(__file__).parents[2]


class NoAnswers:
    async def answer(self, question: str, about: About) -> Answer:
        raise AssertionError("nothing is asked")


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_STORE_URL", f"sqlite:{tmp_path / 'bot.db'}")
    monkeypatch.chdir(ROOT)
    orders()
    payments()


@pytest.fixture(scope="module")
def running() -> Running:
    """The shop's own actions and domain, loaded once."""
    return Running(ROOT)


def assist_with(store: AsyncStore, running: Running, actions: Mapping[str, DeskAction]) -> Assist:
    return Assist(
        store, answering=NoAnswers(), runs=running, people=People(), canned={}, actions=actions
    )


@pytest.fixture
def assist(store: AsyncStore, running: Running) -> Assist:
    return assist_with(store, running, load_desk(ROOT / DESK_FILE))


@pytest.fixture
async def talk(store: AsyncStore) -> Talk:
    return await Talk(store).begin()


REFUND = {"order_number": "1044", "amount": "20.00", "reason": "a mug was chipped"}


def refund(talk: Talk, id: str = "d1", *, confirmed: bool = True, **args: str) -> Any:
    given = {"action": "refund", "args": {**REFUND, **args}, "confirmed": confirmed}
    return talk.deed("act", id=id, args=given)


async def refunded(store: AsyncStore, number: str = "1044") -> int:
    order = await store.get(Order, number)
    assert order is not None
    rows = await store.find(Refund, {"order": number})
    assert sum(row.pence for row in rows if row.status == PAID) == (order.refunded or 0)
    return order.refunded or 0


async def test_what_fits_is_suggested_with_what_is_known(talk: Talk, assist: Assist) -> None:
    await talk.customer("order 1044 came with a chip, and where is 1042? I paid 7200")
    await talk.customer(Event("start", "1049"))
    done = await assist.suggest(talk.deed("suggest"))
    told = [
        (action["name"], [arg["value"] for arg in action["args"]], action["confirm"])
        for action in done.data["actions"]
    ]
    assert told == [
        ("check_order", ["1042"], False),
        ("check_order", ["1044"], False),
        ("refund", ["1044", "72.00", ""], True),
    ]
    await assist.act(refund(talk))
    done = await assist.suggest(talk.deed("suggest"))
    assert done.data["actions"][2]["args"][1]["value"] == "52.00"
    await assist.act(refund(talk, "d2", amount="52"))
    done = await assist.suggest(talk.deed("suggest"))
    assert [action["name"] for action in done.data["actions"]] == ["check_order", "check_order"]


async def test_without_an_order_what_changes_nothing_is_there_to_be_filled_in(
    talk: Talk, assist: Assist
) -> None:
    await talk.customer("where is my parcel?")
    done = await assist.suggest(talk.deed("suggest"))
    (action,) = done.data["actions"]
    assert (action["name"], action["args"][0]["value"]) == ("check_order", "")


async def test_an_action_tells_the_agent_and_nobody_else(talk: Talk, assist: Assist) -> None:
    case = await talk.case("where is it?")
    args = {"action": "check_order", "args": {"order_number": "1044"}}
    deed = talk.deed("act", args=args)
    done = await assist.act(deed)
    assert done.ok
    assert done.data["text"].startswith("Order 1044 (6 items) was delivered on ")
    assert done.data["events"][0]["name"] == "order_number"
    assert done.entry == f"act:{deed.id}"
    assert await talk.store.count(Message, {"conversation": talk.key}) == 0
    entry = await talk.store.get(Entry, done.entry)
    assert entry is not None
    assert (entry.kind, entry.agent, entry.name, entry.via) == (
        *(ACTED, "anna", "Anna Keller", "console"),
    )
    assert entry.case == case.id
    assert entry.details["custom"] == "action_order_status"
    assert entry.details["args"] == {"order_number": "1044"}


async def test_money_is_given_back_once_a_deed_and_it_is_written_who_did_it(
    talk: Talk, assist: Assist
) -> None:
    first = await assist.act(refund(talk))
    again, also = await asyncio.gather(assist.act(refund(talk)), assist.act(refund(talk)))
    assert first == again == also
    assert first.ok
    assert first.data["text"].startswith("We have refunded £20.00 of your order 1044.")
    assert await refunded(talk.store) == 2000
    (entry,) = await talk.store.find(Entry, {"conversation": talk.key})
    assert (entry.agent, entry.details["ok"]) == ("anna", True)
    assert entry.details["args"] == REFUND
    second = await assist.act(refund(talk, "d2"))
    assert second.ok
    assert await refunded(talk.store) == 4000


async def test_two_processes_with_the_same_deed_pay_once(talk: Talk, assist: Assist) -> None:
    done = await asyncio.gather(*(assist.act(refund(talk)) for _ in range(4)))
    assert len({one.text for one in done}) == 1
    assert await refunded(talk.store) == 2000
    assert await talk.store.count(Entry, {"conversation": talk.key}) == 1


async def test_killed_before_it_is_written_down_it_is_redone_and_paid_once(
    talk: Talk, assist: Assist
) -> None:
    await assist.act(refund(talk))
    await talk.store.delete(Entry, {"id": "act:d1"})
    done = await assist.act(refund(talk))
    assert done.ok
    assert await refunded(talk.store) == 2000


CANCEL = {"action": "cancel_order", "args": {"order_number": "1047"}}


async def test_an_order_is_cancelled_once_a_deed_after_it_was_confirmed(
    talk: Talk, assist: Assist
) -> None:
    await talk.customer("please stop order 1047, and where is 1042?")
    done = await assist.suggest(talk.deed("suggest"))
    offered = [one for one in done.data["actions"] if one["name"] == "cancel_order"]
    # Order 1042 has left, it is not offered.
    assert [(one["args"][0]["value"], one["confirm"]) for one in offered] == [("1047", True)]
    asked = await assist.act(talk.deed("act", id="c1", args=CANCEL))
    assert not asked.ok
    assert asked.data["confirm"] is True
    order = await talk.store.get(Order, "1047")
    assert order is not None
    assert order.status == PLACED
    given = {**CANCEL, "confirmed": True}
    done = await assist.act(talk.deed("act", id="c2", args=given))
    assert done.ok
    assert done.data["text"].startswith("We have cancelled your order 1047.")
    order = await talk.store.get(Order, "1047")
    assert order is not None
    assert (order.status, order.cancelled_by) == (CANCELLED, "c2")
    # Killed before it was written down, the deed is done again and says the same.
    await talk.store.delete(Entry, {"id": "act:c2"})
    again = await assist.act(talk.deed("act", id="c2", args=given))
    assert (again.ok, again.data["text"]) == (done.ok, done.data["text"])
    # Another deed has not cancelled it.
    other = await assist.act(talk.deed("act", id="c3", args=given))
    assert not other.ok
    assert "it was cancelled before" in other.text
    late = {"action": "cancel_order", "args": {"order_number": "1043"}, "confirmed": True}
    done = await assist.act(talk.deed("act", id="c4", args=late))
    assert not done.ok
    assert "it is packed, and can be cancelled until it is packed" in done.text


async def test_opened_from_the_settings_in_the_customers_language(
    store: AsyncStore, tmp_path: Path
) -> None:
    assist = open_assist(settings_in(tmp_path), store, answering=NoAnswers(), root=ROOT)
    talk = await Talk(store, "jonas").begin("de")
    done = await assist.canned(talk.deed("canned", args={"key": "sorry"}))
    assert done.data["text"].startswith("Es tut mir leid")
    done = await assist.act(refund(talk))
    assert done.data["text"].startswith("Wir haben £20.00 Ihrer Bestellung 1044 erstattet.")
    assist.close()
    assist.close()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"action": "fly"}, "There is no such action; known: check_order, cancel_order, refund."),
        ({"action": "check_order"}, "Check order was not run: “Order number” is missing."),
        (
            {"action": "check_order", "args": {"order_number": "10 42"}},
            "Check order was not run: “Order number” is not what it should be.",
        ),
        (
            {"action": "check_order", "args": {"order_number": "1042", "agent": "eve"}},
            "Check order was not run: it was given what it does not take.",
        ),
        (
            {"action": "refund", "args": REFUND},
            "Refund within the rules (order number 1044, amount in pounds 20.00, "
            "reason a mug was chipped) has to be confirmed first.",
        ),
        (
            {"action": "refund", "args": REFUND, "confirmed": "yes"},
            "Refund within the rules (order number 1044, amount in pounds 20.00, "
            "reason a mug was chipped) has to be confirmed first.",
        ),
    ],
)
async def test_what_is_not_run_at_all(
    talk: Talk, assist: Assist, args: dict[str, Any], says: str
) -> None:
    done = await assist.act(talk.deed("act", args=args))
    assert (done.ok, done.text) == (False, says)
    assert await talk.store.count(Entry, {}) == 0
    assert await refunded(talk.store) == 0


async def test_what_the_rules_forbid_is_told_and_stands_in_the_audit(
    talk: Talk, assist: Assist
) -> None:
    done = await assist.act(refund(talk, amount="72.01"))
    assert not done.ok
    assert done.text.endswith("not done, £72.01 is more than the £72.00 allowed")
    assert done.data["text"] == ""
    assert await refunded(talk.store) == 0
    assert await talk.store.count(Entry, {"conversation": talk.key}) == 1


_BAD_ACTIONS = """
import time
from rasa_sdk import Action
from actions.agents import acting
from bot.store import StoreDown

class Breaks(Action):
    def name(self): return "action_breaks"
    def run(self, dispatcher, tracker, domain): raise ValueError("a secret 4111")

class Sleeps(Action):
    def name(self): return "action_sleeps"
    def run(self, dispatcher, tracker, domain): time.sleep(1)

class Down(Action):
    def name(self): return "action_down"
    def run(self, dispatcher, tracker, domain): raise StoreDown("no")

class Counts(Action):
    ran = 0
    def name(self): return "action_counts"
    def run(self, dispatcher, tracker, domain):
        Counts.ran += 1
        dispatcher.utter_message(text=f"run {Counts.ran}")

class Who(Action):
    def name(self): return "action_who"
    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"{acting(tracker).id} {tracker.sender_id}")
        dispatcher.utter_message(text="Or so?", buttons=[{"title": "Yes", "payload": "/affirm"}])
        return []
"""


@pytest.fixture
async def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    (tmp_path / "bad_actions.py").write_text(_BAD_ACTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    # That of another test was in a directory which is gone.
    monkeypatch.delitem(sys.modules, "bad_actions", raising=False)
    running = Running(ROOT, "bad_actions", seconds=0.5)
    yield running
    running.close()


def call(action: str) -> Call:
    return Call(action, {}, "telegram:shop:mei", "telegram", "en", "anna", "d1")


async def test_an_action_that_fails_is_told_without_its_words(bad: Running) -> None:
    assert await bad.run(call("action_breaks")) == Ran(why="ValueError", unsure=True)
    assert await bad.run(call("action_sleeps")) == Ran(why="no result within 0.5 s", unsure=True)
    assert await bad.run(call("action_gone")) == Ran(why="there is no such action", unsure=True)
    assert (await bad.run(call("action_who"))).texts == ("anna telegram:shop:mei", "Or so?")
    with pytest.raises(StoreDown):
        await bad.run(call("action_down"))


async def test_what_may_have_been_done_is_told_to_be_so(talk: Talk, bad: Running) -> None:
    actions = parse_desk(
        "actions: [{name: nap, title: Nap, action: action_sleeps}, "
        "{name: down, title: Down, action: action_down}]"
    )
    assist = assist_with(talk.store, bad, actions)
    done: Done = await assist.act(talk.deed("act", args={"action": "nap"}))
    assert not done.ok
    assert done.text == (
        "Nap (nothing given): no result within 0.5 s; it may have been done all the same, "
        "look before you try again"
    )
    # Nobody knows what it did: the deed is to be done again.
    with pytest.raises(StoreDown):
        await assist.act(talk.deed("act", id="d9", args={"action": "down"}))
    assert await talk.store.get(Entry, "act:d9") is None


async def test_what_a_deed_has_done_is_not_done_again(talk: Talk, bad: Running) -> None:
    actions = parse_desk("actions: [{name: count, title: Count, action: action_counts}]")
    assist = assist_with(talk.store, bad, actions)
    for id, text in (("d1", "run 1"), ("d1", "run 1"), ("d2", "run 2"), ("d1", "run 1")):
        done = await assist.act(talk.deed("act", id=id, args={"action": "count"}))
        assert (done.ok, done.data["text"]) == (True, text)


GOOD = """\
actions:
  - name: check_order
    title: "Check order"
    action: action_order_status
    args:
      - {name: order_number, title: Order, pattern: '[0-9]+', fill: order}
  - name: refund
    title: "Refund"
    action: action_refund
    confirm: true
    args:
      - {name: order_number, title: Order, fill: order}
      - {name: amount, title: Amount, fill: refundable}
"""
KNOWN = ("action_order_status", "action_refund")


def test_the_actions_of_the_shop_exist() -> None:
    endpoint = InProcessActions("actions", seconds=1)
    known = load_desk(ROOT / DESK_FILE, known=endpoint.names())
    assert set(known) == {"check_order", "cancel_order", "refund"}
    assert parse_desk(GOOD, known=KNOWN)["refund"].confirm
    endpoint.close()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("actions:", "action:", "1: action is not a known key; did you mean actions?"),
        (GOOD, "", "1: there are no actions"),
        (GOOD, "actions: []", "1: there are no actions"),
        (GOOD, "actions: {a: 1}", "1: actions is a mapping, should be a list of mappings"),
        (GOOD, "actions: [x]", "1: actions[0] is text, should be a mapping"),
        ("name: check_order", "name: Check!", "2: actions[0].name is no name, should be small"),
        (
            "name: refund",
            "name: check_order",
            "7: actions[1].name is 'check_order', which is taken",
        ),
        ('    title: "Refund"\n', "", "7: actions[1] has no title; it is required"),
        ("action_refund", "action_refnd", "9: actions[1].action is 'action_refnd', which is no"),
        ("confirm: true", "confirm: maybe", "10: actions[1].confirm is 'maybe', should be true or"),
        ("    confirm:", "    confrm:", "10: actions[1].confrm is not a known key; did you mean"),
        ("[0-9]+", "[0-9", "6: actions[0].args[0].pattern is no regular expression; unterminated"),
        ("fill: refundable", "fill: all", "13: actions[1].args[1].fill is 'all', should be"),
        (
            "title: Order, fill: order",
            "title: Order",
            "11: actions[1].args wants what can be refunded",
        ),
        ("name: amount", "name: order_number", "13: actions[1].args[1].name is 'order_number',"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingsInvalid) as raised:
        parse_desk(GOOD.replace(old, new, 1), known=KNOWN)
    problems = [str(problem) for problem in raised.value.problems]
    assert any(problem.startswith(f"desk.yml:{told}") for problem in problems), problems
