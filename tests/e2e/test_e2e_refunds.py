"""Money back by chat on a running instance whose shop is another system: within the rules, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import BOT, WAITING, Conversation
from tests.e2e.test_e2e_desk import browser, opened, whatsapp
from tests.kit.agents import ANNA, SlackAgent, at_console, eventually, words
from tests.kit.browser import needs_chromium
from tests.kit.customers import Control, Customer, Heard, Phone, new_user
from tests.kit.instance import Instance, running

Meet = Callable[[str], Customer]

PAID = "We have refunded £{} of your order {}."
ASKED = "Shall I give you £{} of your order {} back?"
WAITS = "Our shop's system does not answer at the moment. I keep trying to give £3.00"
BEFORE = "That has been done already."


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One for all tests here, which kill its workers and its shop."""
    with running(tmp_path_factory.mktemp("refunds"), shopify=True) as made:
        yield made


class Shop:
    """What the shop's own books say, and what lies in its customers' mail boxes."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/control"

    async def _get(self, path: str) -> Any:
        async with self._http.get(f"{self._url}/{path}") as answer:
            assert answer.status == 200
            return await answer.json()

    async def given_back(self, number: str) -> list[int]:
        """The pence of each refund of an order."""
        sales = (await self._get("shops"))["sales"]
        return [back["minor"] for one in sales if one["number"] == number for back in one["back"]]

    async def faults(self) -> list[dict[str, Any]]:
        """The faults that are still in force."""
        return list((await self._get("faults"))["faults"])

    async def mails(self) -> list[dict[str, Any]]:
        """All mails, the newest last."""
        return list((await self._get("state"))["mails"])


@pytest.fixture
def shop(http: aiohttp.ClientSession, instance: Instance) -> Shop:
    return Shop(http, instance.sandbox_url)


async def proven(customer: Customer, wish: str, shop: Shop) -> None:
    """Want something, and type the code that comes by mail."""
    before = len(await shop.mails())
    await customer.say(wish)

    async def came() -> dict[str, Any] | None:
        found = await shop.mails()
        return found[-1] if len(found) > before else None

    mail = await eventually(came)
    await heard(customer, "six digits")
    (code,) = re.findall(r"\b\d{6}\b", mail["text"])
    await customer.say(code)


async def heard(customer: Customer, text: str) -> Heard:
    """Wait until a customer has heard something, and return it."""

    async def there() -> Heard | None:
        return next((one for one in await customer.heard() if text in one.text), None)

    try:
        found: Heard = await eventually(there)
    except AssertionError:
        said = [one.text for one in await customer.heard()]
        raise AssertionError(f"{customer.conversation}: no {text!r} in {said}") from None
    return found


async def times(customer: Customer, text: str) -> int:
    return sum(text in one.text for one in await customer.heard())


async def asked(customer: Customer, wish: str, question: str, shop: Shop) -> str:
    """Bring a refund to its question; return what Yes does."""
    await proven(customer, wish, shop)
    return dict((await heard(customer, question)).buttons)["Yes"]


def row(instance: Instance, cls: type[Any], customer: Customer, field: str) -> Any:
    store = instance.store()
    try:
        (found,) = store.find(cls, {field: customer.conversation}, limit=2)
    finally:
        store.close()
    return found


@needs_chromium
async def test_on_a_phone_by_the_model_and_by_the_form(
    instance: Instance, control: Control, shop: Shop, tmp_path: Path
) -> None:
    user = new_user("whatsapp")
    async with browser(user, "Fatima Zahra") as (context, errors):
        page = await opened(context, errors, instance.sandbox_url)
        phone = page.get_by_role("log", name="WhatsApp conversation")
        await page.get_by_role("button", name="Mailbox").click()
        await whatsapp(page, "I want £12 back for order 1051, the glass has a crack")
        mail = page.get_by_role("region", name="Customers' mailbox").get_by_role("listitem")
        await phone.get_by_text("six digits").wait_for()
        told = await mail.filter(has_text="fatima.zahra@example.com").first.inner_text()
        (code,) = re.findall(r"\b\d{6}\b", told)
        await whatsapp(page, code)
        await phone.get_by_text(ASKED.format("12.00", "1051")).wait_for()
        assert await shop.given_back("1051") == []
        await phone.get_by_role("button", name="Yes", exact=True).click()
        await phone.get_by_text(PAID.format("12.00", "1051")).wait_for()
        assert await shop.given_back("1051") == [1200]

        # The model is away: the form asks, and the same rules hold.
        await control.post("llm", {"model": "helper", "manner": "500"})
        await whatsapp(page, "I want another £5 back for order 1051")
        await phone.get_by_text("why would you like your money back?").wait_for()
        await whatsapp(page, "the second glass is scratched")
        await phone.get_by_text(ASKED.format("5.00", "1051")).wait_for()
        await whatsapp(page, "yes please")
        await phone.get_by_text(PAID.format("5.00", "1051")).wait_for()
        await control.post("llm", {"model": "helper", "manner": "honest"})
        assert await shop.given_back("1051") == [1200, 500]
        assert len(await page.screenshot(path=tmp_path / "refund.png")) > 50_000


async def test_above_the_limit_a_person_has_it_with_the_reason(
    instance: Instance, meet: Meet, shop: Shop, http: aiohttp.ClientSession
) -> None:
    customer = meet("telegram")
    wish = "please refund 60 pounds of order 1044, two mugs came broken"
    await proven(customer, wish, shop)
    await heard(customer, "I may not decide that myself.")
    anna = SlackAgent(http, instance.sandbox_url, ANNA)
    card = words((await anna.thread(await anna.card(customer)))[0])
    for told in (
        "Wants:* £60.00 back for order 1044, above the limit of £50.00: “two mugs came broken”",
        "identity proven by a code to the address on file",
        "refund (order 1044, £60.00), asked the customer who it is",
        "refund (order 1044, £60.00), for a person",
    ):
        assert told in card
    assert await shop.given_back("1044") == []
    async with at_console(instance, "ben") as ben:
        case = (await ben.see(customer))["case"]
    assert case["did"][-1] == "refund (order 1044, £60.00), for a person"


async def test_asked_three_times_and_pressed_again_it_is_paid_once(meet: Meet, shop: Shop) -> None:
    customer = meet("whatsapp")
    assert isinstance(customer, Phone)
    wish = "I want £20 back for order 1044, a mug was chipped"
    yes = await asked(customer, wish, ASKED.format("20.00", "1044"), shop)
    await customer.press(yes, copies=3)
    await heard(customer, PAID.format("20.00", "1044"))
    await customer.press(yes)
    await heard(customer, BEFORE)
    assert await times(customer, PAID.format("20.00", "1044")) == 1
    assert await shop.given_back("1044") == [2000]


async def test_a_worker_that_is_killed_while_the_shop_pays_is_followed_by_another(
    instance: Instance, meet: Meet, shop: Shop, control: Control
) -> None:
    before = await shop.given_back("1044")
    customer = meet("whatsapp")
    wish = "I want £4 back for order 1044, a mug was chipped"
    yes = await asked(customer, wish, ASKED.format("4.00", "1044"), shop)
    await control.fault("shopify", "slow", method="refundCreate", seconds=2, count=1)
    await customer.press(yes)

    async def begun() -> bool:
        return not await shop.faults()

    await eventually(begun)
    assert instance.kill("worker") == 1
    assert await shop.given_back("1044") == before
    await heard(customer, PAID.format("4.00", "1044"))
    await customer.press(yes)
    await heard(customer, BEFORE)
    assert await times(customer, PAID.format("4.00", "1044")) == 1
    assert await shop.given_back("1044") == [*before, 400]


async def test_a_shop_that_is_down_is_said_to_be_and_has_it_done_when_it_is_back(
    instance: Instance, meet: Meet, shop: Shop, control: Control, http: aiohttp.ClientSession
) -> None:
    before = await shop.given_back("1048")
    customer = meet("sms")
    wish = "I want £3 back for order 1048, the kettle came cracked"
    await proven(customer, wish, shop)
    await heard(customer, ASKED.format("3.00", "1048"))
    await control.fault("shopify", "500")
    await customer.say("yes")
    await heard(customer, WAITS)
    case = row(instance, Case, customer, "conversation")
    assert case.status == OPEN
    assert "The bot keeps trying" in case.why
    assert row(instance, Conversation, customer, "id").holder == WAITING
    assert await shop.given_back("1048") == before
    await control.lift()
    await heard(customer, PAID.format("3.00", "1048"))
    assert await shop.given_back("1048") == [*before, 300]

    def closed() -> bool:
        return bool(row(instance, Conversation, customer, "id").holder == BOT)

    await eventually(closed)
    assert row(instance, Case, customer, "conversation").status == RESOLVED
    anna = SlackAgent(http, instance.sandbox_url, ANNA)
    await anna.sees(
        await anna.card(customer), "ran an action_: done: give £3.00 of order 1048 back"
    )
