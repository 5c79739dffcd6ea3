from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from actions.backends import orders
from actions.backends.orders import Order, OrdersBackend
from actions.order_status import ActionOrderStatus, ValidateOrderForm, read_number
from bot.message import utcnow
from bot.store import Store, StoreDown, open_store


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of the test's own, the one that actions find."""
    url = f"sqlite:{tmp_path / 'bot.db'}"
    monkeypatch.setenv("FRONTDESK_STORE_URL", url)
    # A folder of the same name may have been another test's.
    monkeypatch.setattr("actions.backends._open", {})
    return open_store(url)


def tracker(number: str | None, text: str = "") -> Tracker:
    message: dict[str, Any] = {"text": text}
    slots = {"order_number": number}
    return Tracker("u", slots, message, [], False, None, {}, "action_listen")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1042", "1042"),
        ("#1042", "1042"),
        ("order no. 1042", "1042"),
        ("No.1042!", "1042"),
        ("it is 20417, I think", "20417"),
        ("123456", "123456"),
        ("１０４２", "1042"),
        ("١٠٤٢", "1042"),
        ("1042 yes 1042", "1042"),
        ("1042 or 1043", None),
        ("12", None),
        ("1234567", None),
        ("", None),
        ("no idea", None),
        ("②⑤", None),
        (None, None),
        (["1042"], "1042"),
    ],
)
def test_an_order_number_is_read(text: object, number: str | None) -> None:
    assert read_number(text) == number


def test_an_empty_collection_is_seeded_once(place: Store) -> None:
    backend = OrdersBackend(place)
    backend.prepare()
    backend.seed()
    assert place.count(Order, {}) == 12
    place.delete(Order, {"id": "1042"})
    backend.seed()
    assert backend.find("1042") is None
    assert place.count(Order, {}) == 11


def test_two_processes_that_seed_at_once_do_not_double(place: Store) -> None:
    first, second = OrdersBackend(place), OrdersBackend(place)
    place.ensure(Order)
    assert (first.seed(), second.seed()) == (12, 0)
    assert place.count(Order, {}) == 12


def test_the_backend_is_opened_once(place: Store) -> None:
    assert orders() is orders()
    found = orders().find("1046")
    assert found is not None
    assert (found.status, found.pieces) == ("delayed", 6)


def test_a_store_that_is_down_is_tried_again(monkeypatch: pytest.MonkeyPatch, place: Store) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("FRONTDESK_STORE_URL", "sqlite:/proc/nowhere/bot.db")
        with pytest.raises(StoreDown):
            orders()
    assert orders().find("1042") is not None


async def test_every_stage_is_told_without_anything_personal(place: Store) -> None:
    orders()
    for order in place.find(Order, {}):
        dispatcher = CollectingDispatcher()
        events = await ActionOrderStatus().run(dispatcher, tracker(str(order.id)), {})
        (said,) = dispatcher.messages
        told = str({k: v for k, v in said.items() if k != "response"})
        assert said["response"] == f"utter_order_{order.status}"
        slots = {event["name"]: event["value"] for event in events}
        assert slots.pop("last_order")["value"] == order.id
        assert slots == {"order_number": None}
        assert str(order.customer) not in told
        assert not order.tracking or str(order.tracking) not in told
        assert not any(item["name"] in told for item in order.items)


@pytest.mark.parametrize(
    ("number", "days", "stage"),
    [("1042", -2, "overdue"), ("1042", None, "left_undated"), ("1051", None, "delivered")],
)
async def test_an_order_is_told_by_its_day_and_without_one_where_there_is_none(
    place: Store, number: str, days: int | None, stage: str
) -> None:
    orders()
    day = None if days is None else utcnow() + timedelta(days=days)
    place.change(Order, {"id": number}, set={"eta": day})
    dispatcher = CollectingDispatcher()
    await ActionOrderStatus().run(dispatcher, tracker(number), {})
    assert dispatcher.messages[0]["response"] == f"utter_order_{stage}"


async def test_an_order_that_is_gone_meanwhile_is_said_to_be(place: Store) -> None:
    dispatcher = CollectingDispatcher()
    await ActionOrderStatus().run(dispatcher, tracker("8888"), {})
    assert dispatcher.messages[0]["response"] == "utter_order_not_found"


@pytest.mark.parametrize(
    ("value", "text", "slot", "said"),
    [
        ("#1042", "#1042", "1042", []),
        ("9999", "9999", None, ["utter_order_not_found"]),
        ("no idea", "no idea", None, ["utter_order_number_unclear"]),
        ("1043", "1042 or 1043", None, []),
        ("1043", '/inform_order_number{"order_number":"1043"}', "1043", []),
        ("1043", "thanks", "1043", []),
    ],
)
async def test_the_form_takes_only_numbers_of_orders(
    place: Store, value: str, text: str, slot: str | None, said: list[str]
) -> None:
    dispatcher = CollectingDispatcher()
    validated = await ValidateOrderForm().validate_order_number(
        value, dispatcher, tracker(None, text), {}
    )
    assert validated["order_number"] == slot
    assert (validated.get("last_order") or {}).get("value") == slot
    assert [message["response"] for message in dispatcher.messages] == said
