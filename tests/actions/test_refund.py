"""Money back: within the rules, once for what caused it, never more than was paid."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from actions.agents import Agent, as_agent
from actions.backends import orders, payments
from actions.backends.orders import DELIVERED, Order
from actions.backends.payments import ASKED, PAID, REFUSED, PaymentsBackend, Refund
from actions.money import plain, pounds, read_pence
from actions.refund import ActionRefund
from actions.rules import RULES_FILE, Refunds, load_rules, parse_rules
from bot.message import utcnow
from bot.settings import SettingsInvalid
from bot.store import Store, StoreDown, open_store
from bot.store.sqlite import SqliteStore
from tests.kit.stores import KINDS, store_of_kind

ROOT = Path(__file__).parents[2]
RULES = Refunds(within_days=30, statuses=("delivered", "cancelled"), most=5000, agents_most=25000)
GOOD = """\
refunds:
  statuses: [delivered, cancelled]
  within_days: 30
  most: 50.00
  agents:
    most: 250.00
"""


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of either kind."""
    store = store_of_kind(request.param, tmp_path, ()).sync
    store.ensure(Order, Refund)
    yield store
    store.close()


def order(number: str = "1044", total: int = 7200, **fields: Any) -> Order:
    now = utcnow()
    values = {
        "customer": "Mei Tanaka",
        "items": [{"name": "Stoneware mug", "quantity": 6}],
        "status": DELIVERED,
        "placed": now - timedelta(days=9),
        "delivered": now - timedelta(days=5),
    }
    return Order(id=number, total=total, **{**values, **fields})


def paid(store: Store, number: str = "1044") -> int:
    """What the refunds of an order come to, of which the order itself must know as much."""
    rows = store.find(Refund, {"order": number})
    known = store.get(Order, number)
    assert known is not None
    total = sum(int(row.pence) for row in rows if row.status == PAID)
    assert total == (known.refunded or 0) == sum(part["pence"] for part in known.refunds or [])
    return total


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("12", 1200),
        ("12.5", 1250),
        ("12,50", 1250),
        ("£12.50", 1250),
        (" 0.01 GBP", 1),
        ("0", 0),
        ("1,250", None),
        ("12.505", None),
        ("-5", None),
        ("1e3", None),
        ("", None),
        (None, None),
    ],
)
def test_an_amount_is_read_to_the_penny_or_not_at_all(text: object, pence: int | None) -> None:
    assert read_pence(text) == pence


@given(st.integers(0, 99_999_999))
def test_an_amount_that_is_shown_is_read_again(pence: int) -> None:
    assert read_pence(pounds(pence)) == read_pence(plain(pence)) == pence


@pytest.mark.parametrize(
    ("fields", "pence", "agent", "against"),
    [
        ({}, 7200, "anna", ""),
        ({}, 7201, "anna", "£72.01 is more than the £72.00 allowed"),
        ({}, 5000, "", ""),
        ({}, 5001, "", "£50.01 is more than the £50.00 allowed"),
        ({"total": 90000}, 25000, "anna", ""),
        ({"total": 90000}, 25001, "anna", "£250.01 is more than the £250.00 allowed"),
        ({}, 0, "anna", "the amount is nothing"),
        ({}, -1, "anna", "the amount is nothing"),
        ({"total": 0}, 100, "anna", "what was paid for it is not known"),
        ({"status": "shipped"}, 100, "anna", "the order is shipped, refunds are for what is"),
        ({"delivered": utcnow() - timedelta(days=31)}, 1, "anna", "it was delivered more than 30"),
        ({"delivered": utcnow() - timedelta(days=29)}, 1, "anna", ""),
        ({"status": "cancelled", "delivered": None}, 100, "anna", ""),
    ],
)
def test_what_the_rules_allow(
    place: Store, fields: dict[str, Any], pence: int, agent: str, against: str
) -> None:
    place.insert(order(**fields))
    done = PaymentsBackend(place).refund("d1", "1044", pence, RULES, agent=agent)
    assert done.status == (REFUSED if against else PAID)
    assert str(done.against).startswith(against)
    assert paid(place) == (0 if against else pence)


def test_an_order_from_before_refunds_were_known_has_no_total(place: Store) -> None:
    old = order()
    del old.total
    place.insert(old)
    done = PaymentsBackend(place).refund("d1", "1044", 100, RULES, agent="anna")
    assert (done.status, done.against) == (REFUSED, "what was paid for it is not known")
    done = PaymentsBackend(place).refund("d2", "7777", 100, RULES, agent="anna")
    assert (done.status, done.against) == (REFUSED, "there is no such order")


def test_the_same_cause_pays_once_and_says_the_same_again(place: Store) -> None:
    place.insert(order())
    backend = PaymentsBackend(place)
    for pence in (2000, 2000, 5000):
        done = backend.refund("d1", "1044", pence, RULES, agent="anna")
        assert (done.status, done.pence) == (PAID, 2000)
    assert paid(place) == 2000
    assert RULES.left(place.get(Order, "1044"), by_agent=True, at=utcnow()) == (5200, "")
    refused = backend.refund("d2", "1044", 6000, RULES, agent="anna")
    place.change(Order, {"id": "1044"}, set={"total": 90000})
    assert backend.refund("d2", "1044", 6000, RULES, agent="anna").against == refused.against
    assert paid(place) == 2000


def test_when_all_is_given_back_nothing_is_left(place: Store) -> None:
    place.insert(order())
    assert PaymentsBackend(place).refund("d1", "1044", 7200, RULES, agent="anna").status == PAID
    for by_agent in (True, False):
        left = RULES.left(place.get(Order, "1044"), by_agent=by_agent, at=utcnow())
        assert left == (0, "£72.00 of £72.00 were given back already")


def test_an_order_has_room_for_so_many_refunds(place: Store) -> None:
    place.insert(order())
    backend = PaymentsBackend(place)
    done = [backend.refund(f"d{n}", "1044", 1, RULES, agent="anna") for n in range(21)]
    assert [row.status for row in done] == [*[PAID] * 20, REFUSED]
    assert paid(place) == 20


class Dies:
    """A store whose process is killed before or after its `n`-th call."""

    def __init__(self, store: Store, n: int, after: bool) -> None:
        self._store, self._left, self._after = store, n, after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise StoreDown("killed")
            done = getattr(self._store, name)(*args, **kwargs)
            if self._left == 0:
                raise StoreDown("killed")
            return done

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_killed_at_any_step_and_redone_it_pays_once(place: Store, n: int, after: bool) -> None:
    place.insert(order())
    dying = PaymentsBackend(Dies(place, n, after))
    with pytest.raises(StoreDown):
        dying.refund("d1", "1044", 3000, RULES, agent="anna")
    for _ in range(2):
        done = PaymentsBackend(place).refund("d1", "1044", 3000, RULES, agent="anna")
        assert done.status == PAID
    assert paid(place) == 3000
    assert place.count(Refund, {"status": ASKED}) == 0


def test_between_a_crash_and_its_redoing_another_cannot_have_the_same_money(place: Store) -> None:
    place.insert(order())
    # Killed once the money is the first one's, before that is told.
    with pytest.raises(StoreDown):
        PaymentsBackend(Dies(place, 4, True)).refund("d1", "1044", 5000, RULES, agent="anna")
    backend = PaymentsBackend(place)
    assert backend.refund("d2", "1044", 5000, RULES, agent="ben").status == REFUSED
    assert backend.refund("d1", "1044", 5000, RULES, agent="anna").status == PAID
    assert paid(place) == 5000


def at_once(calls: list[Callable[[], Refund]]) -> list[Refund]:
    """Do all of it at the same moment, each in a thread."""
    start, done = threading.Barrier(len(calls)), []

    def run(call: Callable[[], Refund]) -> None:
        start.wait()
        done.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def test_many_at_once_never_give_more_than_was_paid(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "many.db") for _ in range(6)]
    stores[0].ensure(Order, Refund)
    stores[0].insert(order())
    backends = [PaymentsBackend(store) for store in stores]
    # Six deeds, each by two processes.
    done = at_once(
        [
            partial(backend.refund, f"d{n % 6}", "1044", 2000, RULES, agent="anna")
            for n, backend in enumerate([*backends, *backends[3:], *backends[:3]])
        ]
    )
    assert len(done) == 12
    assert len({row.id for row in done if row.status == PAID}) == 3
    assert paid(stores[0]) == 6000
    for store in stores:
        store.close()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    total=st.integers(1, 30000),
    asked=st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 12000), st.booleans()), max_size=8),
)
def test_whatever_is_asked_for_the_sums_hold(
    place: Store, total: int, asked: list[tuple[int, int, bool]]
) -> None:
    place.delete(Refund, {})
    place.put(order(total=total))
    backend = PaymentsBackend(place)
    left, seen = total, set[int]()
    for cause, pence, by_agent in asked:
        done = backend.refund(f"d{cause}", "1044", pence, RULES, agent="anna" if by_agent else "")
        most = min(total, RULES.agents_most if by_agent else RULES.most)
        if cause not in seen:
            fits = 0 < pence <= most - (total - left)
            assert (done.status == PAID) == fits
            left -= pence if fits else 0
        seen.add(cause)
        assert paid(place) == total - left <= min(total, RULES.agents_most)


def tracker(slots: dict[str, Any], metadata: dict[str, Any]) -> Tracker:
    message = {"text": "", "metadata": metadata}
    return Tracker("telegram:shop:1", slots, message, [], False, None, {}, "action_listen")


SLOTS = {"order_number": "1044", "amount": "20.00", "reason": "a mug was chipped"}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:{tmp_path / 'bot.db'}"
    monkeypatch.setenv("FRONTDESK_STORE_URL", url)
    # A folder of the same name may have been another test's.
    monkeypatch.setattr("actions.backends._open", {})
    monkeypatch.chdir(ROOT)
    orders()
    payments()
    return open_store(url)


async def test_an_agent_gives_money_back_and_has_words_for_it(shop: Store) -> None:
    dispatcher = CollectingDispatcher()
    for _ in range(2):
        with as_agent(Agent("anna", "slack:1.2")) as metadata:
            events = await ActionRefund().run(dispatcher, tracker(SLOTS, metadata), {})
        assert [event["value"]["ok"] for event in events] == [True]
    said = dispatcher.messages[0]
    assert (said["response"], said["number"], said["amount"]) == (
        *("utter_refund_done", "1044", "£20.00"),
    )
    row = shop.get(Refund, "refund:slack:1.2")
    assert row is not None
    assert (row.agent, row.why, row.pence) == ("anna", "a mug was chipped", 2000)
    assert paid(shop) == 2000


@pytest.mark.parametrize(
    ("slots", "why"),
    [
        ({"amount": "72.01"}, "£72.01 is more than the £72.00 allowed"),
        ({"amount": "all"}, "the amount cannot be read"),
        ({"order_number": "mine"}, "the order number cannot be read"),
        ({"order_number": "1043"}, "the order is packed, refunds are for what is"),
    ],
)
async def test_what_was_not_given_back_is_told_to_the_agent_alone(
    shop: Store, slots: dict[str, Any], why: str
) -> None:
    dispatcher = CollectingDispatcher()
    with as_agent(Agent("anna", "d")) as metadata:
        (event,) = await ActionRefund().run(dispatcher, tracker({**SLOTS, **slots}, metadata), {})
    assert not event["value"]["ok"]
    assert event["value"]["why"].startswith(why)
    assert dispatcher.messages == []
    assert paid(shop) == 0


@pytest.mark.parametrize("metadata", [{}, {"agent": "anna", "deed": "d"}])
async def test_a_customer_gets_a_person_whatever_his_message_says_of_itself(
    shop: Store, metadata: dict[str, Any]
) -> None:
    dispatcher = CollectingDispatcher()
    events = await ActionRefund().run(dispatcher, tracker(SLOTS, metadata), {})
    assert [message["response"] for message in dispatcher.messages] == ["utter_effect_unproven"]
    assert "handoff" in [event["name"] for event in events]
    with as_agent(Agent("anna", "another")):
        await ActionRefund().run(dispatcher, tracker(SLOTS, metadata), {})
    assert shop.count(Refund, {}) == 0
    assert paid(shop) == 0


def test_the_rules_of_the_shop_can_be_read() -> None:
    assert load_rules(ROOT / RULES_FILE).refunds == parse_rules(GOOD).refunds
    assert parse_rules(GOOD).refunds == RULES


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (GOOD, "", "1: there is no refunds, should be a mapping with"),
        ("refunds:", "refnds:", "1: refnds is not a known key; did you mean refunds?"),
        ("delivered", "deliverd", "2: refunds.statuses[0] is 'deliverd', which no order has; did"),
        ("30", "4000", "3: refunds.within_days is 4000, should be from 0 to 3650"),
        ("30", "a month", "3: refunds.within_days is 'a month', should be a whole number"),
        ("50.00", "a lot", "4: refunds.most is 'a lot', should be an amount in pounds"),
        ("  most: 50.00\n", "", "1: refunds has no most; it is required"),
        ("  agents:\n    most: 250.00\n", "", "1: refunds has no agents; add 'agents:"),
        ("250.00", "250.005", "6: refunds.agents.most is '250.005', should be an amount"),
        ("    most: 2", "    mots: 2", "6: refunds.agents.mots is not a known key; did you mean"),
    ],
)
def test_what_is_wrong_in_the_rules_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingsInvalid) as raised:
        parse_rules(GOOD.replace(old, new, 1))
    problems = [str(problem) for problem in raised.value.problems]
    assert any(problem.startswith(f"rules.yml:{told}") for problem in problems), problems
