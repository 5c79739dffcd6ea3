"""Products, parcels, ways to pay, and several things at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.backends import orders, products
from actions.backends.products import Product, ProductsBackend
from actions.products import ActionProduct, ActionSizes, ActionStock, ValidateStockForm
from actions.several import ActionSeveral, topics_in
from actions.texts import (
    asks,
    changed_mind,
    read_address,
    read_complaint,
    read_email,
    read_phone,
    read_postcode,
    read_words,
    told_already,
)
from actions.tracking import ActionTrack
from actions.ways import ActionDeliveryAbroad, ActionPaymentMethods
from bot.store import Store, open_store


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of the test's own, with the demonstration products and orders."""
    url = f"sqlite:{tmp_path / 'bot.db'}"
    monkeypatch.setenv("FRONTDESK_STORE_URL", url)
    # A folder of the same name may have been another test's.
    monkeypatch.setattr("actions.backends._open", {})
    products()
    orders()
    return open_store(url)


def tracker(text: str = "", slots: dict[str, Any] | None = None, **entities: str) -> Tracker:
    heard = {
        "text": text,
        "intent": {"name": "x"},
        "entities": [{"entity": name, "value": value} for name, value in entities.items()],
    }
    return Tracker("telegram:shop:1", slots or {}, heard, [], False, None, {}, "action_listen")


def said(action: Any, where: Tracker) -> dict[str, Any]:
    """Run an action and return the one message that it says."""
    dispatcher = CollectingDispatcher()
    done = action.run(dispatcher, where, {})
    if asyncio.iscoroutine(done):
        asyncio.run(done)
    message: dict[str, Any]
    (message,) = dispatcher.messages
    return message


def test_the_shelves_are_filled_once(shop: Store) -> None:
    assert shop.count(Product, {}) == 20
    assert ProductsBackend(shop).seed() == 0
    mug = products().find(" stoneware MUG ")
    assert mug is not None
    assert (mug.name, mug.pieces(), mug.pieces("blue"), mug.pieces("purple")) == (
        *("Stoneware mug", 67, 46, None),
    )


@pytest.mark.parametrize(
    ("slots", "response", "part"),
    [
        ({"product": "Stoneware mug"}, "utter_in_stock", "more than 10"),
        ({"product": "stoneware mug", "colour": "terracotta"}, "utter_in_stock", "9"),
        ({"product": "Stoneware mug", "colour": "white"}, "utter_back_soon", "2 weeks"),
        ({"product": "Stoneware mug", "colour": "pink"}, "utter_no_such_kind", "terracotta"),
        ({"product": "Oak desk lamp", "colour": "black"}, "utter_sold_out", "black"),
        ({"product": "Duvet cover", "colour": "grey", "size": "king"}, "utter_back_soon", "king"),
        ({"product": "Glass vase"}, "utter_back_soon", "a week"),
        ({"product": "Teapot"}, "utter_product_not_found", ""),
    ],
)
def test_what_is_in_stock(shop: Store, slots: dict[str, str], response: str, part: str) -> None:
    message = said(ActionStock(), tracker(slots=slots))
    assert message["response"] == response
    assert part in " ".join(str(value) for value in message.values())


def test_a_product_that_the_shop_does_not_have_is_not_taken(shop: Store) -> None:
    dispatcher = CollectingDispatcher()
    form = ValidateStockForm()
    assert form.validate_product("teapot", dispatcher, tracker(), {}) == {"product": None}
    assert form.validate_product("glass vase", dispatcher, tracker(), {}) == {
        "product": "Glass vase"
    }
    assert [m["response"] for m in dispatcher.messages] == ["utter_product_not_found"]


def test_facts_of_one_product(shop: Store) -> None:
    assert said(ActionSizes(), tracker(product="Jute rug"))["measures"].startswith("160 by 230")
    told = said(ActionProduct(), tracker("what does it cost", product="Wool throw"))
    assert (told["price"], told["kinds"]) == ("£64.50", " There is: grey, cream.")


@pytest.mark.parametrize(
    ("number", "response"),
    [
        ("JD014600003812", "utter_tracked"),
        ("rm88213377gb", "utter_tracked_delivered"),
        ("JD000000000000", "utter_tracking_unknown"),
        ("", "utter_tracking"),
    ],
)
def test_a_parcel_is_found_by_its_number_and_the_order_is_not_named(
    shop: Store, number: str, response: str
) -> None:
    message = said(ActionTrack(), tracker(tracking_number=number))
    assert message["response"] == response
    assert not {"1042", "1044"} & set(map(str, message.values()))


@pytest.mark.parametrize(
    ("method", "response"),
    [
        ("visa", "utter_pay_card"),
        ("PayPal", "utter_pay_yes"),
        ("klarna", "utter_pay_klarna"),
        ("bank transfer", "utter_pay_transfer"),
        ("bitcoin", "utter_pay_no"),
        ("", "utter_payment_methods"),
    ],
)
def test_ways_to_pay(method: str, response: str) -> None:
    message = said(ActionPaymentMethods(), tracker(payment_method=method))
    assert message["response"] == response


def test_where_nothing_is_sent() -> None:
    message = said(ActionDeliveryAbroad(), tracker(country="japan"))
    assert (message["response"], message["country"]) == ("utter_not_delivered_there", "Japan")


def test_several_things_are_offered_one_by_one_in_their_order() -> None:
    text = "my lamp is broken, cancel the other order, and when are you open? also an invoice"
    message = said(ActionSeveral(), tracker(text))
    assert message["response"] == "utter_which_first"
    assert [b["payload"] for b in message["buttons"]] == [
        *("/delivery_damaged", "/cancel_order", "/opening_hours"),
    ]
    assert topics_in("two questions") == []
    assert said(ActionSeveral(), tracker("two questions"))["response"] == "utter_one_at_a_time"


@pytest.mark.parametrize(
    ("read", "text", "taken"),
    [
        (read_email, "it is ann@field.example, thanks", "ann@field.example"),
        (read_email, "ann@field.example or bob@field.example", None),
        (read_email, "ann at field", None),
        (read_email, "a@b", None),
        (read_phone, "call +44 7700 900-123", "+447700900123"),
        (read_phone, "(0)20 7946 0999", "02079460999"),
        (read_phone, "1042", None),
        (read_address, " 22  Baker Street,\nLondon ", "22 Baker Street, London"),
        (read_address, "Baker Street", None),
        (read_address, "1047", None),
        (read_postcode, "22 Baker Street, London", None),
        (read_postcode, "22 baker st, london nw16xe", "nw16xe"),
        (read_postcode, "12045 Sunset Boulevard, Los Angeles", None),
        (read_postcode, "Hauptstrasse 12, 10115 Berlin", "10115"),
        (read_postcode, "it's 10115 Berlin", "10115"),
        (read_postcode, "5 O'Connell Street, Dublin D02 AF30", "D02 AF30"),
        (read_postcode, "Damrak 1, 1012 AB Amsterdam", "1012 AB"),
        (read_postcode, "ul. Nowa 5, 00-950 Warszawa", "00-950"),
        (told_already, "my order 1051 arrived damaged", None),
        (
            told_already,
            "two of the glasses that came today are chipped",
            "two of the glasses that came today are chipped",
        ),
        (changed_mind, "I've just changed my mind.", True),
        (changed_mind, "I changed my mind, I keep it", False),
        (read_complaint, "I want to make a complaint", None),
        (read_complaint, "your driver was rude", "your driver was rude"),
        (read_words, "too small", "too small"),
        (read_words, "?!", None),
        (asks, "how long does that take", True),
        (asks, "ok, what I got was broken", False),
    ],
)
def test_what_is_typed_is_read(read: Any, text: str, taken: str | bool | None) -> None:
    assert read(text) == taken
