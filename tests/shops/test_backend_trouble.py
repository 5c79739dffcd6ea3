"""Bad days of shops: what is said is true, and nothing is done twice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actions.backends.contract import Money, Shop
from actions.backends.effects import Effect
from actions.backends.errors import (
    Ambiguous,
    BackendDown,
    BackendError,
    Misconfigured,
    NotPossible,
    Unauthorised,
)
from actions.backends.http import Pace
from actions.backends.shopify import ShopifyShop
from actions.backends.woocommerce import WooShop
from bot.message import utcnow
from bot.sandbox import shopify, woocommerce
from tests.kit.shops import QUICK, REMOTE, Place
from tests.kit.waiting import until

PENCE = Money(1000, "GBP")
every_remote = pytest.mark.parametrize("kind", REMOTE)
#: What a refund is called at each stand-in.
REFUND = {"shopify": "refundcreate", "woocommerce": "refund", "rest": "refundorder"}


@every_remote
@pytest.mark.parametrize("fault", ["500", "reset", "timeout"])
async def test_a_shop_that_fails_once_is_asked_again(at: Place, kind: str, fault: str) -> None:
    # Silent, it is given up soon; later attempts may be slow, for there are many.
    shop = at.shop(kind, pace=replace(QUICK, attempt=0.1, attempts=20))
    at.fault(kind, fault, count=1, seconds=0.2)

    assert (await shop.find("1042")).number == "1042"
    await shop.close()


@every_remote
@pytest.mark.parametrize("fault", ["500", "reset", "timeout"])
async def test_a_shop_that_is_down_is_said_to_be(at: Place, kind: str, fault: str) -> None:
    shop = at.shop(kind, pace=replace(QUICK, attempt=0.03, pause=0.001))
    at.fault(kind, fault, seconds=0.04)

    for call in (shop.find("1042"), shop.of_customer("amara.osei@example.com"), shop.ask()):
        with pytest.raises(BackendDown) as told:
            await call
        assert told.value.after > 0
    at.faults.clear()

    async def is_back() -> bool:
        with contextlib.suppress(BackendDown):
            return (await shop.find("1042")).number == "1042"
        return False

    await until(is_back)
    await shop.close()


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
async def test_a_shop_that_is_not_there(at: Place, kind: str) -> None:
    # A port that nothing listens on: the discard service's.
    url = "http://127.0.0.1:9"
    shop: Shop = WooShop(url, "k", "s", at.store, pace=replace(QUICK, pause=0.001))
    if kind == "shopify":
        shop = ShopifyShop(url, "t", at.store, pace=replace(QUICK, pause=0.001))

    with pytest.raises(BackendDown, match="cannot be reached"):
        await shop.find("1042")
    await shop.close()


@every_remote
async def test_a_shop_with_too_much_to_do_is_left_alone(at: Place, kind: str) -> None:
    shop = at.shop(kind, pace=replace(QUICK, call=5.0))
    at.fault(kind, "429", count=1, retry_after=7)

    with pytest.raises(BackendDown) as told:
        await shop.find("1042")
    # The stand-in would answer now; nobody asks before it is time.
    with pytest.raises(BackendDown, match="too much to do") as second:
        await shop.find("1042")

    assert 6 < told.value.after <= 7
    assert 5 < second.value.after <= 7
    await shop.close()


@every_remote
async def test_a_short_pause_is_waited_for(at: Place, kind: str) -> None:
    shop = at.shop(kind)
    at.fault(kind, "429", count=1, retry_after=0)

    assert (await shop.find("1042")).number == "1042"
    await shop.close()


@every_remote
async def test_a_refund_whose_answer_was_lost_is_paid_once(at: Place, kind: str) -> None:
    shop = at.shop(kind)
    at.fault(kind, "reset_after", method=REFUND[kind], count=1)

    done = await shop.refund("turn", "1044", PENCE)

    assert done.money == PENCE
    assert (await at.shop(kind).refund("turn", "1044", PENCE)).again
    assert await at.given_back(kind, "1044") == [1000]
    await shop.close()


@every_remote
async def test_a_refund_that_is_not_known_of_is_settled_later(
    at: Place, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = at.shop(kind, pace=replace(QUICK, pause=0.001))
    # All of it is lost: the answer, and every question after it.
    pays = at.shops.books.refund

    def pays_and_falls_silent(*args: Any) -> Any:
        at.fault(kind, "500")
        return pays(*args)

    monkeypatch.setattr(at.shops.books, "refund", pays_and_falls_silent)
    at.fault(kind, "reset_after", method=REFUND[kind], count=1)

    with pytest.raises(Ambiguous):
        await shop.refund("turn", "1044", PENCE)
    assert await at.given_back(kind, "1044") == [1000]
    at.faults.clear()
    done = await at.shop(kind).refund("turn", "1044", PENCE)

    assert (done.money, done.again) == (PENCE, True)
    assert await at.given_back(kind, "1044") == [1000]
    await shop.close()


@every_remote
async def test_a_worker_that_dies_in_the_midst_has_paid_once(at: Place, kind: str) -> None:
    shop, after = at.shop(kind), at.shop(kind)
    at.fault(kind, "slow", method=REFUND[kind], count=1, seconds=0.1)
    task = asyncio.ensure_future(shop.refund("turn", "1044", PENCE))
    # The fault is counted when the shop has the request.
    await until(lambda: not at.faults.plain())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    # The shop has not done it yet, and will all the same.
    first: Any = await asyncio.gather(after.refund("turn", "1044", PENCE), return_exceptions=True)
    await until(lambda: at.given_back(kind, "1044"))
    done = await after.refund("turn", "1044", PENCE)

    assert isinstance(first[0], Ambiguous) or first[0].money == PENCE
    assert done.again
    assert await at.given_back(kind, "1044") == [1000]
    await shop.close()
    await after.close()


async def test_what_never_left_is_sent_when_that_is_sure(at: Place) -> None:
    # A worker died after it had said that it would, and before it did.
    shop, settled = at.shop("woocommerce"), at.shop("woocommerce", settled=0.0)
    at.fault("woocommerce", "timeout", method="order", seconds=0.05)
    task = asyncio.ensure_future(settled.refund("turn", "1044", PENCE))

    async def has_said_so() -> bool:
        rows = await at.store.find(Effect, {})
        return any(":alone:" not in row.id for row in rows)

    await until(has_said_so)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    at.faults.clear()

    done = await settled.refund("turn", "1044", PENCE)

    assert (done.money, done.again) == (PENCE, False)
    assert await at.given_back("woocommerce", "1044") == [1000]
    (row,) = await at.store.find(Effect, {})
    assert (row.status, row.tries) == ("done", 2)
    await shop.close()
    await settled.close()


async def test_while_it_is_not_sure_nothing_is_sent(at: Place) -> None:
    shop = at.shop("woocommerce")
    at.fault("woocommerce", "reset", method="refund", count=1)

    with pytest.raises(Ambiguous) as told:
        await shop.refund("turn", "1044", PENCE)
    with pytest.raises(Ambiguous):
        await shop.refund("turn", "1044", PENCE)

    assert 20 < told.value.after <= 30
    assert await at.given_back("woocommerce", "1044") == []
    await shop.close()


@every_remote
async def test_a_cancellation_whose_answer_was_lost_is_ours(at: Place, kind: str) -> None:
    shop = at.shop(kind)
    method = {"shopify": "ordercancel", "woocommerce": "change", "rest": "cancelorder"}[kind]
    at.fault(kind, "reset_after", method=method, count=1)

    done = await shop.cancel("turn", "1047")

    assert done.key == "turn"
    assert (await at.shop(kind).cancel("turn", "1047")).again
    with pytest.raises(NotPossible, match="cancelled before"):
        await shop.cancel("other", "1047")
    await shop.close()


@every_remote
async def test_wrong_credentials_are_named_and_not_shown(
    at: Place, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = at.shop(kind, token="s3cret-of-somebody")

    with pytest.raises(Unauthorised) as told:
        await shop.find("1042")

    assert shop.name in str(told.value)
    assert "s3cret" not in f"{told.value!r} {told.value} {shop!r} {caplog.text}"
    await shop.close()


PARTS = [
    ("shopify", {"fulfillments", "email"}, ("email", "parcels")),
    ("shopify", {"totalReceivedSet"}, ("paid",)),
    ("woocommerce", {"meta_data", "refunds"}, ("parcels", "refunded")),
    ("woocommerce", {"shipping"}, ("address",)),
    ("rest", {"money"}, ("paid", "refunded")),
    ("rest", {"lines", "ship"}, ("address", "items")),
]


@pytest.mark.parametrize(("kind", "hidden", "missing"), PARTS)
async def test_what_a_shop_does_not_tell_is_named(
    at: Place, kind: str, hidden: set[str], missing: tuple[str, ...]
) -> None:
    for stand_in in (at.shops.shopify, at.shops.woocommerce, at.shops.rest):
        stand_in.hidden = frozenset(hidden)
    shop = at.shop(kind)

    order = await shop.find("1042")

    assert (order.status, order.missing) == ("shipped", missing)
    if "paid" in missing or "refunded" in missing:
        assert order.left is None
        with pytest.raises(NotPossible, match="not known"):
            await shop.refund("turn", "1042", PENCE)
        assert await at.given_back(kind, "1042") == []
    await shop.close()


async def test_of_two_calls_one_may_fail(at: Place) -> None:
    shop = at.shop("rest", pace=replace(QUICK, pause=0.001))
    at.fault("rest", "500", method="listparcels")

    order = await shop.find("1042")

    assert (order.status, order.parcels, order.missing) == ("shipped", (), ("parcels",))
    with pytest.raises(BackendDown):
        await shop.of_order("1042")
    await shop.close()


async def test_an_empty_bucket_is_waited_for(at: Place) -> None:
    stand_in = at.shops.shopify
    stand_in.points = stand_in._level = 700.0
    stand_in.restore = 20_000.0
    shop = at.shop("shopify")

    for number in ("1042", "1043", "1044", "1045"):
        assert (await shop.find(number)).number == number

    stand_in.restore, stand_in._level = 0.5, 0.0
    with pytest.raises(BackendDown, match="too much to do") as told:
        await shop.find("1046")
    assert told.value.after > 100
    await shop.close()


@pytest.mark.parametrize(
    ("url", "why"), [("/nothing", "is the url right"), ("/woocommerce", "is the url right")]
)
async def test_a_wrong_place_is_named(at: Place, url: str, why: str) -> None:
    shop = ShopifyShop(f"{at.url}{url}", shopify.TOKEN, at.store, pace=QUICK)
    old = ShopifyShop(f"{at.url}/shopify", shopify.TOKEN, at.store, version="2019-04", pace=QUICK)
    woo = WooShop(f"{at.url}/nothing", woocommerce.KEY, woocommerce.SECRET, at.store, pace=QUICK)

    with pytest.raises(Misconfigured, match=why):
        await shop.find("1042")
    with pytest.raises(Misconfigured, match="the version known"):
        await old.find("1042")
    with pytest.raises(Misconfigured, match="no WooCommerce"):
        await woo.find("1042")
    for one in (shop, old, woo):
        await one.close()


async def test_a_gateway_that_cannot_pay_back_says_so(at: Place) -> None:
    at.shops.books.sales["1044"].refundable = False
    for kind in REMOTE:
        shop = at.shop(kind)
        with pytest.raises(NotPossible):
            await shop.refund("turn", "1044", PENCE)
        # It was refused, so that it can be asked for again when the shop has been mended.
        with pytest.raises(NotPossible):
            await shop.refund("turn", "1044", PENCE)
        await shop.close()


def test_no_error_holds_more_than_our_own_words() -> None:
    errors: list[BackendError] = [
        BackendDown("shop", "it answered 503", 5),
        Ambiguous("shop", "lost", 5),
        NotPossible("shop", "it is too late"),
    ]

    assert [str(error) for error in errors] == [
        "shop: it answered 503; it may be asked again in 5 seconds",
        "shop: lost; ask again in 5 seconds with the same key",
        "shop: it is too late",
    ]
    assert Pace().call <= 20


KILLED = """
import asyncio, sys
from actions.backends import demo
from actions.backends.contract import Money
from actions.backends.woocommerce import WooShop
from bot.store import AsyncStore, open_store

async def main():
    store = AsyncStore(open_store(sys.argv[2]), demo.DOCUMENTS)
    shop = WooShop(sys.argv[1], "ck_sandbox", "cs_sandbox", store)
    await shop.refund("turn", "1044", Money(1000, "GBP"))

asyncio.run(main())
"""


@pytest.mark.parametrize("before", [True, False])
async def test_killed_at_any_instant_it_is_paid_once(
    at: Place, tmp_path: Path, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Before the shop has the request, and after it has paid and before it has answered.
    reached = asyncio.Event()
    pays, call = at.shops.books.refund, at.faults.call

    def reaches(*args: Any) -> Any:
        reached.set()
        return pays(*args)

    async def held(request: Any, channel: str, method: str, *rest: Any) -> Any:
        if method == "refund":
            if before:
                reached.set()
                await asyncio.sleep(5)
            answer = await call(request, channel, method, *rest)
            await asyncio.sleep(5)
            return answer
        return await call(request, channel, method, *rest)

    monkeypatch.setattr(at.shops.books, "refund", reaches)
    monkeypatch.setattr(at.faults, "call", held)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, f"{at.url}/woocommerce"),
        f"sqlite:{tmp_path / 'bot.db'}",
    )
    await asyncio.wait_for(reached.wait(), 20)
    process.kill()
    await process.wait()
    monkeypatch.undo()

    settled = at.shop("woocommerce", settled=0.0)
    if before:
        # Its lease of two minutes says that a request may be under way.
        with pytest.raises(Ambiguous):
            await settled.refund("turn", "1044", PENCE)
        await at.store.change(Effect, {"status": "begun", "tries": 1}, set={"until": utcnow()})
    done = await settled.refund("turn", "1044", PENCE)

    assert done.again is not before
    assert await at.given_back("woocommerce", "1044") == [1000]
    await settled.close()
