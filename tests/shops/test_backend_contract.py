"""The same conversations with a shop of every kind, and the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from actions.backends.contract import Address, Item, Money, Shop
from actions.backends.errors import NotFound, NotPossible
from tests.kit.shops import KINDS, REMOTE, Place

AMARA = "amara.osei@example.com"
NEW = Address("Grace Adeyemi", "1 New Street", "", "Larkfield", "", "ME20 1AB", "GB")
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
async def test_an_order_is_told_in_full(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    order = await shop.find("1042")

    assert (order.number, order.status, order.missing) == ("1042", "shipped", ())
    assert order.items == (Item("Oak desk lamp", 1), Item("LED bulb", 2))
    assert (order.paid, order.refunded) == (Money(5897, "GBP"), Money(0, "GBP"))
    assert order.left == Money(5897, "GBP")
    assert (order.name, order.email) == ("Amara Osei", AMARA)
    assert order.address is not None
    assert (order.address.line1, order.address.country) == ("53 Orchard Road", "GB")
    assert order.placed is not None
    assert order.placed.tzinfo is not None
    (parcel,) = order.parcels
    assert (parcel.carrier, parcel.tracking) == ("DHL", "JD014600003812")
    assert (parcel.order, parcel.status) == ("1042", "shipped")
    assert parcel.shipped is not None
    await shop.close()


@every_kind
@pytest.mark.parametrize(
    ("number", "status"), [("1047", "placed"), ("1048", "cancelled"), ("20417", "shipped")]
)
async def test_stages(at: Place, kind: str, number: str, status: str) -> None:
    shop = at.shop(kind)

    assert (await shop.find(number)).status == status
    await shop.close()


ABSENT: list[tuple[str, Callable[[Shop], Awaitable[object]]]] = [
    ("order", lambda s: s.find("9999")),
    ("order", lambda s: s.find("104")),
    ("order", lambda s: s.find("../1042")),
    ("order", lambda s: s.find('1042" OR name:"1043')),
    ("order", lambda s: s.of_order("9999")),
    ("order", lambda s: s.cancel("k", "9999")),
    ("order", lambda s: s.change_address("k", "9999", NEW)),
    ("order", lambda s: s.refund("k", "9999", Money(100, "GBP"))),
    ("parcel", lambda s: s.track("NOPE1234")),
    ("parcel", lambda s: s.track("")),
    ("account", lambda s: s.account("nobody@example.com")),
    ("account", lambda s: s.reset_password("k", "nobody@example.com")),
    ("account", lambda s: s.send_code("k", "nobody@example.com", "123456", 10)),
]


@every_kind
async def test_what_there_is_not(at: Place, kind: str) -> None:
    shop = at.shop(kind)
    for word, call in ABSENT:
        with pytest.raises(NotFound) as told:
            await call(shop)
        assert told.value.kind == word
    assert await shop.of_customer("nobody@example.com") == []
    assert await at.mails(kind) == []
    await shop.close()


@every_kind
async def test_a_customers_orders_come_newest_first(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    assert [o.number for o in await shop.of_customer(AMARA.upper())] == ["1042"]
    assert (await shop.account(f" {AMARA}")).email == AMARA
    await shop.close()


@every_kind
async def test_parcels_of_an_order_and_by_number(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    assert [p.tracking for p in await shop.of_order("1049")] == ["1Z999AA10123459921"]
    assert await shop.of_order("1047") == ()
    parcel = await shop.track("1Z999AA10123459921")
    assert (parcel.order, parcel.carrier) == ("1049", "UPS")
    await shop.close()


@every_kind
async def test_an_order_is_cancelled_once(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    done = await shop.cancel("deed-1", "1047", "no longer needed")
    again = await at.shop(kind).cancel("deed-1", "1047", "no longer needed")

    assert (done.again, again.again) == (False, True)
    assert (await shop.find("1047")).status == "cancelled"
    with pytest.raises(NotPossible, match="cancelled before"):
        await shop.cancel("deed-2", "1047")
    await shop.close()


@every_kind
@pytest.mark.parametrize(
    ("number", "why"), [("1042", "it is shipped"), ("1048", "cancelled before")]
)
async def test_it_is_too_late(at: Place, kind: str, number: str, why: str) -> None:
    shop = at.shop(kind)

    with pytest.raises(NotPossible, match=why):
        await shop.cancel("k", number)
    with pytest.raises(NotPossible, match=why):
        await shop.change_address("k", number, NEW)
    await shop.close()


@every_kind
async def test_an_address_is_changed_once(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    first = await shop.change_address("deed-1", "1047", NEW)
    later = await shop.change_address("deed-2", "1047", Address("A B", "2 Other Road", city="X"))
    again = await at.shop(kind).change_address("deed-1", "1047", NEW)

    assert (first.again, later.again, again.again) == (False, False, True)
    address = (await shop.find("1047")).address
    assert address is not None
    assert address.line1 == "2 Other Road"
    await shop.close()


@every_kind
async def test_money_goes_back_once_for_a_key(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    first = await shop.refund("turn-1", "1044", Money(1200, "GBP"), "a mug was broken")
    # The first call with a key decides.
    again = await at.shop(kind).refund("turn-1", "1044", Money(9900, "GBP"))
    other = await shop.refund("turn-2", "1044", Money(500, "GBP"))

    assert (first.money, first.again) == (Money(1200, "GBP"), False)
    assert (again.money, again.again, again.order) == (Money(1200, "GBP"), True, "1044")
    assert other.money == Money(500, "GBP")
    assert await at.given_back(kind, "1044") == [1200, 500]
    assert (await shop.find("1044")).refunded == Money(1700, "GBP")
    await shop.close()


@every_kind
@pytest.mark.parametrize(
    ("money", "why"),
    [
        (Money(7201, "GBP"), "more than the 72.00 GBP that are left"),
        (Money(0, "GBP"), "nothing"),
        (Money(-5, "GBP"), "nothing"),
        (Money(100, "EUR"), "paid in GBP"),
    ],
)
async def test_never_more_than_was_paid(at: Place, kind: str, money: Money, why: str) -> None:
    shop = at.shop(kind)

    with pytest.raises(NotPossible, match=why):
        await shop.refund("turn", "1044", money)
    assert await at.given_back(kind, "1044") == []
    await shop.close()


@every_kind
async def test_rules_may_forbid_a_refund_and_never_one_that_was_paid(at: Place, kind: str) -> None:
    shop = at.shop(kind)
    with pytest.raises(NotPossible, match="ask a person"):
        await shop.refund("turn-1", "1044", Money(100, "GBP"), forbids=lambda o: "ask a person")

    await shop.refund("turn-2", "1044", Money(100, "GBP"))
    again = await shop.refund("turn-2", "1044", Money(100, "GBP"), forbids=lambda o: "no more")

    assert again.again
    assert await at.given_back(kind, "1044") == [100]
    await shop.close()


@every_kind
async def test_many_at_once_with_one_key_pay_once(at: Place, kind: str) -> None:
    shops = [at.shop(kind) for _ in range(4)]

    done = await asyncio.gather(
        *(s.refund("turn", "1044", Money(1000, "GBP")) for s in shops), return_exceptions=True
    )

    assert await at.given_back(kind, "1044") == [1000]
    # Those that came meanwhile are told that it is not known yet, nobody that it failed.
    assert {type(one).__name__ for one in done} <= {"Refunded", "Ambiguous"}
    assert (await shops[0].refund("turn", "1044", Money(1000, "GBP"))).again
    for shop in shops:
        await shop.close()


@every_kind
async def test_a_code_is_mailed_once_to_the_address_on_file(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    done = await shop.send_code("turn", AMARA.upper(), "271828", 10)
    again = await at.shop(kind).send_code("turn", AMARA, "271828", 10)

    assert (done.again, again.again) == (False, True)
    ((to, body),) = await at.mails(kind)
    assert to == AMARA
    assert "271828" in body
    await shop.close()


@pytest.mark.parametrize("kind", ["demo", "shopify", "rest"])
async def test_a_password_is_reset_by_mail_once(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    done = await shop.reset_password("turn", AMARA)
    again = await at.shop(kind).reset_password("turn", AMARA)

    assert (done.again, again.again) == (False, True)
    assert [to for to, _ in await at.mails(kind)] == [AMARA]
    await shop.close()


async def test_where_a_password_cannot_be_reset_the_way_is_said(at: Place) -> None:
    woo, shopify = at.shop("woocommerce"), at.shop("shopify")
    at.shops.books.customers[AMARA].active = True

    with pytest.raises(NotPossible, match="/my-account/lost-password/"):
        await woo.reset_password("turn", AMARA)
    with pytest.raises(NotPossible, match="sign-in page"):
        await shopify.reset_password("turn", AMARA)
    await woo.close()
    await shopify.close()


@every_kind
async def test_asking_changes_nothing(at: Place, kind: str) -> None:
    shop = at.shop(kind)

    assert shop.name in await shop.ask()
    await shop.close()
    await shop.close()


@pytest.mark.parametrize("kind", REMOTE)
async def test_many_orders_come_page_by_page(at: Place, kind: str) -> None:
    books = at.shops.books
    for n in range(130):
        copy = books.sales["1047"]
        number = str(30000 + n)
        books.sales[number] = type(copy)(
            number, books.id(), copy.name, AMARA, (("Mug", 1),), "placed", copy.placed, 100, NEW
        )
    shop = at.shop(kind)

    found = await shop.of_customer(AMARA, 125)

    assert len({order.number for order in found}) == 125
    assert len(await shop.of_customer(AMARA, 3)) == 3
    await shop.close()
