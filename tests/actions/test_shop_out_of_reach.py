"""Actions over a shop that is somebody else's server, and what they say when it is down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.agents import Agent, as_agent
from actions.backends import opening
from actions.backends.errors import Ambiguous
from actions.cancel import ActionCancelOrder, _cancelled
from actions.order_status import ActionOrderStatus, ValidateOrderForm
from actions.refund import ActionRefund
from actions.tracking import ActionTrack
from bot.sandbox import shopify
from bot.settings import Backend
from tests.kit.shops import Place, place

ROOT = Path(__file__).parents[2]
REFUND = {"order_number": "1044", "amount": "20.00", "reason": "a mug was chipped"}


@pytest.fixture
async def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """A shop of Shopify's kind, which the actions find."""
    monkeypatch.setenv("FRONTDESK_STORE_URL", f"sqlite:{tmp_path / 'bot.db'}")
    monkeypatch.chdir(ROOT)
    async with place(tmp_path) as made:
        backend = Backend(
            "shopify", url=f"{made.url}/shopify", token=shopify.TOKEN, call_seconds=3.0
        )
        opening.configure({"shop": backend})
        yield made
        await opening.close()


def tracker(slots: dict[str, Any], metadata: dict[str, Any] | None = None) -> Tracker:
    entities = [{"entity": "tracking_number", "value": slots.get("tracking", "")}]
    heard = {"text": "", "metadata": metadata or {}, "entities": entities}
    return Tracker("telegram:shop:1", slots, heard, [], False, None, {}, "action_listen")


async def run(action: Action, slots: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Run an action; return the one thing that it says and its events."""
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, tracker(slots), {})
    (message,) = dispatcher.messages
    return message, events


async def for_agent(action: Action, slots: dict[str, Any], deed: str = "d1") -> dict[str, Any]:
    """Run an action for an agent and return what the desk is told."""
    with as_agent(Agent("anna", deed)) as metadata:
        events = await action.run(CollectingDispatcher(), tracker(slots, metadata), {})
    (event,) = events
    told: dict[str, Any] = event["value"]
    return told


async def test_an_order_of_a_shop_elsewhere_is_told(at: Place) -> None:
    message, _ = await run(ActionOrderStatus(), {"order_number": "1042"})
    tracked, _ = await run(ActionTrack(), {"tracking": "jd014600003812"})
    absent, _ = await run(ActionOrderStatus(), {"order_number": "9999"})

    assert (message["response"], message["pieces"]) == ("utter_order_shipped", "3 items")
    assert message["carrier"] == "DHL"
    assert (tracked["response"], tracked["carrier"]) == ("utter_tracked", "DHL")
    assert absent["response"] == "utter_order_not_found"


async def test_of_what_is_not_known_nothing_is_said(at: Place) -> None:
    at.shops.shopify.hidden = frozenset({"displayFulfillmentStatus", "fulfillments", "lineItems"})

    message, _ = await run(ActionOrderStatus(), {"order_number": "1042"})

    assert message["response"] == "utter_order_unknown"
    assert message["pieces"] == "its items I cannot see"


@pytest.mark.parametrize(
    ("action", "again"),
    [
        (ActionOrderStatus(), '/order_status{"order_number": "1042"}'),
        (ActionTrack(), '/track_parcel{"tracking_number": "X1"}'),
    ],
)
async def test_a_shop_that_is_down_is_said_to_be(at: Place, action: Action, again: str) -> None:
    at.fault("shopify", "500")

    message, _ = await run(action, {"order_number": "1042", "tracking": "X1"})

    assert message["response"] == "utter_shop_out_of_reach"
    assert [button["payload"] for button in message["buttons"]] == [again, "/human"]


async def test_a_number_is_taken_unseen_while_the_shop_is_down(at: Place) -> None:
    at.fault("shopify", "500")
    dispatcher = CollectingDispatcher()

    taken = await ValidateOrderForm().validate_order_number("1042", dispatcher, tracker({}), {})

    assert taken["order_number"] == "1042"
    assert dispatcher.messages == []


async def test_a_wish_outlives_the_shop_being_down(at: Place) -> None:
    at.fault("shopify", "500")

    message, events = await run(ActionCancelOrder(), {"order_number": "1047", "confirmed": True})

    assert message["response"] == "utter_shop_wish_passed_on"
    assert events[0]["name"] == "handoff"
    assert "could not be asked" in events[0]["value"]["why"]


@pytest.mark.parametrize("fault", ["reset", "at work"])
async def test_a_cancellation_that_is_not_known_of_is_for_a_person(
    at: Place, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "at work":
        monkeypatch.setattr("actions.backends.shopify._LOOK_SECONDS", 0.0)
        monkeypatch.setattr(at.shops.books, "cancel", lambda sale, note: True)
    else:
        at.fault("shopify", fault, method="ordercancel")

    assert await _cancelled(tracker({}), "1047") == ""
    at.faults.clear()
    assert at.shops.books.sales["1047"].stage == "placed"


async def test_an_agent_is_told_that_nothing_was_done(at: Place) -> None:
    at.fault("shopify", "500")
    for action, slots in ((ActionRefund(), REFUND), (ActionCancelOrder(), REFUND)):
        told = await for_agent(action, slots)
        assert not told["ok"]
        assert "it may be asked again in" in told["why"]
    assert await at.given_back("shopify", "1044") == []

    at.faults.clear()
    assert (await for_agent(ActionRefund(), REFUND))["ok"]
    assert (await for_agent(ActionRefund(), REFUND))["ok"]
    assert await at.given_back("shopify", "1044") == [2000]
    (back,) = at.shops.books.sales["1044"].back
    assert back.note.startswith("a mug was chipped (anna) [frontdesk ")


async def test_what_nobody_knows_is_not_said_to_be_done_or_not(at: Place) -> None:
    at.fault("shopify", "reset", method="refundcreate")

    with pytest.raises(Ambiguous):
        await for_agent(ActionRefund(), REFUND)


@pytest.mark.parametrize(
    ("slots", "why"),
    [
        ({"amount": "72.01"}, "£72.01 is more than the £72.00 allowed"),
        ({"order_number": "1042"}, "the order is shipped, refunds are for what is delivered"),
        ({"order_number": "9999"}, "there is no such order"),
    ],
)
async def test_the_rules_hold_for_every_shop(at: Place, slots: dict[str, str], why: str) -> None:
    told = await for_agent(ActionRefund(), {**REFUND, **slots})

    assert not told["ok"]
    assert told["why"].startswith(why)
    assert await at.given_back("shopify", "1044") == []


async def test_an_agent_cancels_in_a_shop_elsewhere(at: Place) -> None:
    assert (await for_agent(ActionCancelOrder(), {"order_number": "1047"}))["ok"]
    assert at.shops.books.sales["1047"].stage == "cancelled"
    told = await for_agent(ActionCancelOrder(), {"order_number": "1047"}, "d2")
    assert told == {"ok": False, "why": "it was cancelled before"}
