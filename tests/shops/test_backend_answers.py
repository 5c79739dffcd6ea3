"""Answers that are not what they seem: of nothing, of somebody else, half done, still under way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actions.backends import woocommerce_read
from actions.backends.contract import Address, Money, ShopOrder
from actions.backends.effects import Effect, Effects, Sent
from actions.backends.errors import (
    Ambiguous,
    BackendDown,
    BackendError,
    NotFound,
    NotPossible,
)
from actions.backends.http import AnswerLost
from actions.backends.rest import RestBackend
from actions.resolving.judging import Wish, refund_verdict
from actions.rules import RULES_FILE, parse_rules
from bot.message import utcnow
from bot.sandbox import rest_shop
from bot.sandbox.graphql import GraphQLWrong
from bot.sandbox.shop_books import Back, Sale
from tests.kit.shops import KINDS, QUICK, REMOTE, Place, _mapping
from tests.kit.waiting import until

PENCE = Money(1000, "GBP")
_MONTH = timedelta(days=31)
every_remote = pytest.mark.parametrize("kind", REMOTE)
REFUND = {"shopify": "refundcreate", "woocommerce": "refund", "rest": "refundorder"}


@pytest.mark.parametrize("payload", [None, {"refund": None, "userErrors": []}])
async def test_a_payload_without_a_refund_is_none(
    at: Place, payload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at.shops.shopify, "_idempotent", lambda field, version: payload)
    shop = at.shop("shopify")

    with pytest.raises(Ambiguous):
        await shop.refund("turn", "1044", PENCE)
    await shop.close()


async def test_a_payload_without_an_order_has_changed_none(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"order": None, "userErrors": []}
    monkeypatch.setattr(at.shops.shopify, "_update", lambda given: nothing)
    shop = at.shop("shopify")

    with pytest.raises(Ambiguous):
        await shop.change_address("turn", "1047", Address("A B", "2 Other Road", city="X"))
    await shop.close()


async def test_an_error_of_the_shops_own_may_come_after_it_has_paid(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    pays = at.shops.shopify._refund

    def pays_and_fails(given: Any) -> Any:
        pays(given)
        raise GraphQLWrong("Internal error", "INTERNAL_SERVER_ERROR")

    monkeypatch.setattr(at.shops.shopify, "_refund", pays_and_fails)
    shop = at.shop("shopify")

    # That it is down would say that nothing was paid.
    with pytest.raises(Ambiguous):
        await shop.refund("turn", "1044", PENCE)
    assert (await shop.refund("turn", "1044", PENCE)).again
    assert await at.given_back("shopify", "1044") == [1000]
    await shop.close()


@pytest.mark.parametrize("paid", [True, False])
async def test_a_refund_that_is_written_down_is_not_paid_yet(
    at: Place, paid: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # WooCommerce writes it down, asks the gateway, and deletes it when that says no.
    refund, made = at.shops.books.refund, list[Back]()

    def written_down(sale: Sale, minor: int, note: str) -> Back | None:
        back = refund(sale, minor, note)
        assert back is not None
        back.paid = False
        made.append(back)
        return back

    monkeypatch.setattr(at.shops.books, "refund", written_down)
    at.fault("woocommerce", "reset_after", method="refund", count=1)
    shop = at.shop("woocommerce")
    for _ in range(2):
        with pytest.raises(Ambiguous):
            await shop.refund("turn", "1044", PENCE)

    if paid:
        made[0].paid = True
        assert (await shop.refund("turn", "1044", PENCE)).again
    else:
        at.shops.books.sales["1044"].back.clear()
        with pytest.raises(Ambiguous):
            await shop.refund("turn", "1044", PENCE)
    assert len(made) == 1
    await shop.close()


async def test_a_key_that_is_still_at_work_is_no_refusal(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/: 409.
    shop = at.shop("rest", pace=replace(QUICK, attempt=0.15))
    other = at.shop("rest")
    call, go = at.faults.call, asyncio.Event()

    async def held(request: Any, channel: str, method: str, *rest: Any) -> Any:
        if method.lower() == REFUND["rest"]:
            await go.wait()
        return await call(request, channel, method, *rest)

    monkeypatch.setattr(at.faults, "call", held)
    first = asyncio.ensure_future(shop.refund("turn", "1044", PENCE))
    await until(lambda: at.shops.rest._at_work)
    told = await asyncio.gather(first, other.refund("turn", "1044", PENCE), return_exceptions=True)
    assert [type(one) for one in told] == [Ambiguous, Ambiguous], told
    go.set()
    await until(lambda: at.given_back("rest", "1044"))

    assert (await other.refund("turn", "1044", PENCE)).again
    assert await at.given_back("rest", "1044") == [1000]
    await shop.close()
    await other.close()


@pytest.mark.parametrize("listed", [True, False])
async def test_a_key_that_the_shop_has_forgotten_is_not_trusted(at: Place, listed: bool) -> None:
    mapping = _mapping(rest_shop.TOKEN)
    calls = {name: call for name, call in mapping.calls.items() if listed or name != "refunds"}
    url = f"{at.url}/shop/v1"
    shop = RestBackend(url, replace(mapping, calls=calls), at.store, pace=QUICK)
    at.fault("rest", "reset_after", method=REFUND["rest"])
    at.fault("rest", "500", method="listrefunds")
    with pytest.raises(Ambiguous):
        await shop.refund("turn", "1044", PENCE)
    at.faults.clear()
    # Most keep keys for a day, https://shopify.dev/docs/api/usage/implementing-idempotency does.
    at.shops.rest._answers.clear()
    (row,) = [row for row in await at.store.find(Effect, {}) if "alone" not in row.id]
    long_ago = utcnow() - timedelta(hours=25)
    await at.store.change(Effect, {"id": row.id}, set={"at": long_ago, "until": long_ago})

    if listed:
        assert (await shop.refund("turn", "1044", PENCE)).again
    else:
        with pytest.raises(Ambiguous):
            await shop.refund("turn", "1044", PENCE)
    assert await at.given_back("rest", "1044") == [1000]
    await shop.close()


async def test_what_may_have_been_done_stays_so_until_it_is_known(at: Place) -> None:
    effects, sent = Effects("shop", at.store), list[Sent]()

    async def act(now: Sent) -> dict[str, Any]:
        sent.append(now)
        if len(sent) == 1:
            raise AnswerLost("shop", "lost")
        if len(sent) == 2:
            raise BackendDown("shop", "it cannot be reached")
        return {"done": True}

    first = {"minor": 1000}
    for error in (Ambiguous, BackendDown):
        with pytest.raises(error):
            await effects.once("refund", act, None, given=first, safe=True)
    await effects.once("refund", act, None, given={"minor": 9}, safe=True)

    assert [(one.given, one.again) for one in sent] == [
        (first, False),
        (first, True),
        (first, True),
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_two_refunds_of_an_order_know_of_each_other(at: Place, kind: str) -> None:
    one, other = at.shop(kind), at.shop(kind)

    def limited(order: ShopOrder) -> str:
        assert order.refunded is not None
        return "above the limit" if order.refunded.minor + PENCE.minor > 1500 else ""

    if kind != "demo":
        at.fault(kind, "slow", method=REFUND[kind], seconds=0.05)
    told = await asyncio.gather(
        one.refund("phone", "1044", PENCE, "", limited),
        other.refund("web", "1044", PENCE, "", limited),
        return_exceptions=True,
    )

    assert await at.given_back(kind, "1044") == [1000]
    (refused,) = [error for error in told if isinstance(error, BackendError)]
    assert isinstance(refused, NotPossible)
    await one.close()
    await other.close()


@every_remote
async def test_while_one_is_not_known_of_no_other_is_paid(at: Place, kind: str) -> None:
    shop = at.shop(kind, pace=replace(QUICK, attempt=0.15))
    at.fault(kind, "timeout", method=REFUND[kind], seconds=0.2)
    with pytest.raises(Ambiguous):
        await shop.refund("phone", "1044", PENCE)
    at.faults.clear()

    with pytest.raises(BackendDown, match="another refund"):
        await at.shop(kind).refund("web", "1044", PENCE)
    assert await at.given_back(kind, "1044") == []
    await shop.close()


async def test_what_was_given_back_may_be_told_with_a_minus(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = at.shops.rest._row

    def negative(sale: Sale) -> dict[str, Any]:
        told = row(sale)
        return {**told, "money": {**told["money"], "refundedCents": -2000}}

    monkeypatch.setattr(at.shops.rest, "_row", negative)
    shop = at.shop("rest")
    order = await shop.find("1044")

    assert (order.refunded, order.left) == (Money(2000, "GBP"), Money(5200, "GBP"))
    await shop.close()


async def test_another_order_or_parcel_than_the_one_that_was_asked_for_is_none(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = at.shops.books
    monkeypatch.setattr(at.shops.rest, "_sale", lambda request: books.sales["1049"])
    shop = at.shop("rest")
    for call in (
        shop.find("1042"),
        shop.cancel("turn", "1047"),
        shop.refund("turn", "1044", PENCE),
    ):
        with pytest.raises(NotFound):
            await call
    books.sales["1049"].tracking = "OTHER123456"
    monkeypatch.setattr(books, "sales", {"JD014600003812": books.sales["1042"]})
    books.sales["JD014600003812"].tracking = "JD014600003812"
    assert (await shop.track("JD014600003812")).order == "1042"
    await shop.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_address_keeps_the_name_and_leaves_the_old_flat(at: Place, kind: str) -> None:
    shop = at.shop(kind)
    old = Address("Grace Adeyemi", "1 Old Road", "Flat 3", "Larkfield", "", "ME20 6TX", "GB")
    await shop.change_address("before", "1047", old)

    # What is said in a chat: neither a name nor a country.
    said = Address(line1="5 Mill Lane", city="Larkfield", postcode="ME20 1AA")
    await shop.change_address("turn", "1047", said)

    expected = replace(said, name=old.name, country="GB")
    assert (await shop.find("1047")).address == expected
    await shop.close()


@pytest.mark.parametrize(
    ("status", "days", "after", "stage", "ruled"),
    [
        ("completed", 6, 7, "shipped", "shipped"),
        ("completed", 7, 7, "shipped", "delivered"),
        ("completed", 60, 0, "shipped", "shipped"),
        ("processing", 60, 7, "placed", "placed"),
        ("delivered", 1, 7, "delivered", "delivered"),
        ("partial-shipped", 60, 7, "shipped", "shipped"),
        ("awaiting-pickup", 60, 7, "unknown", "unknown"),
    ],
)
def test_what_woocommerce_has_completed_has_arrived_after_a_week(
    status: str, days: int, after: int, stage: str, ruled: str
) -> None:
    now = utcnow()
    done = (now - timedelta(days=days)).replace(tzinfo=None).isoformat()
    placed = (now - timedelta(days=days + 2)).replace(tzinfo=None).isoformat()
    row = {"number": "1044", "currency": "GBP", "total": "20.00", "refunds": [], "status": status}
    dates = {"date_completed_gmt": done, "date_created_gmt": placed, "date_paid_gmt": placed}
    order = woocommerce_read.order({**row, **dates}, after)
    assert order.status == stage
    assert order.ruled(now)[0] == ruled
    wish = Wish("t", "refund", {"number": "1044"})
    rules = parse_rules(RULES_FILE.read_text("utf-8"))
    verdict = refund_verdict(rules, order, wish)
    assert (verdict.kind == "yes") is (ruled == "delivered"), verdict
    # A day that is not told is none that the customer has more.
    late = refund_verdict(rules, replace(order, status="delivered", placed=now - _MONTH), wish)
    assert "delivered more than 30 days ago" in late.why
