"""``bot customer`` on a real store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.cli import parser
from bot.consent import change
from bot.customer import customer
from bot.desk.tier import tier_of
from bot.identity import customer_of, moved
from bot.message import Address, Profile, utcnow
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.customers import Merge, customer_id
from tests.kit.settings import settings_in

WHATSAPP = Address("whatsapp", "shop", "4915112345678")
SMS = Address("sms", "shop", "+4915112345678")
WEB = Address("webchat", "site", "a1b2")

Command = Callable[..., Any]


@pytest.fixture
def bot_customer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    settings = settings_in(tmp_path)

    async def run(*arguments: Any) -> tuple[int, str, str]:
        args = parser().parse_args(["customer", *map(str, arguments)])
        status = await customer(args, settings)
        return (status, *capsys.readouterr())

    return run


async def said(store: AsyncStore, address: Address, name: str = "") -> str:
    now = utcnow()
    talk = Conversation(id=address.key, created=now, lease_until=now, last_in=now)
    await store.insert_new([talk])
    return (await customer_of(store, address, Profile(name, "", "de"))).id


async def test_a_customer_is_shown_whole(store: AsyncStore, bot_customer: Command) -> None:
    id = await said(store, WHATSAPP, "Ada")
    await said(store, SMS)
    await moved(store, WHATSAPP, "14155238886")
    await change(store, SMS, id="m1", state="out", how="keyword", at=utcnow(), word="stop")
    for who in (id, SMS.key, WHATSAPP.key):
        status, out, err = await bot_customer("show", who)
        assert (status, err) == (0, "")
        for words in (
            f"customer  {id}",
            "name      Ada",
            "language  de",
            "phone     +4915112345678",
            "phone     +14155238886",
            f"{WHATSAPP.key}  given up for whatsapp:shop:14155238886",
            "opted out (all) since",
            "by phone (the same phone number): sms:shop:+4915112345678",
            "by provider (moved from 4915112345678)",
            "out all       keyword  sms:shop:+4915112345678  'stop'",
        ):
            assert words in out, words


async def test_customers_are_joined_and_parted_by_hand(
    store: AsyncStore, bot_customer: Command
) -> None:
    web, sms = await said(store, WEB), await said(store, SMS)
    status, out, _ = await bot_customer("merge", WEB.key, sms, "--why", "seen at the counter")
    assert status == 0
    assert f"by agent (seen at the counter): {SMS.key} to {web}" in out
    id = out.split()[0]
    assert (await customer_of(store, SMS)).id == web
    status, out, _ = await bot_customer("merge", SMS.key, WEB.key)
    assert (status, out.startswith("they are one already")) == (0, True)
    status, out, _ = await bot_customer("links", WEB.key)
    assert (status, out.count("\n"), id in out) == (0, 1, True)
    status, out, _ = await bot_customer("undo", id)
    assert (status, "; undone " in out, "still" in out) == (0, True, False)
    assert (await customer_of(store, SMS)).id == sms
    _, out, _ = await bot_customer("links")
    assert "by agent" in out
    assert "; undone " in out


async def test_what_holds_two_together_after_undoing_is_told(
    store: AsyncStore, bot_customer: Command
) -> None:
    for address in (WEB, SMS, WHATSAPP):
        await said(store, address)
    await bot_customer("merge", WEB.key, SMS.key)
    now = utcnow()
    ends = sorted((customer_id(WEB.key), customer_id(WHATSAPP.key)))
    # Made at the same moment by another worker.
    beside = Merge(one=ends[0], other=ends[1], by="customer", at=now, settled=True)
    beside.id = customer_id("beside")
    await store.insert(beside)
    (by_hand,) = [m for m in await store.find(Merge, {}) if m.by == "agent"]
    status, out, _ = await bot_customer("undo", by_hand.id)
    assert status == 0
    assert "They are still one customer, by" in out
    assert str(beside.id) in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "webchat:site:nobody"), "nobody has written from that address"),
        (("show", "xyz"), "is neither an address"),
        (("show", "0" * 24), "there is no customer"),
        (("merge", WEB.key, "webchat:site:nobody"), "nobody has written"),
        (("merge", WEB.key, WEB.key), "they are the same customer"),
        (("undo", "xyz"), "is no id of a merge"),
        (("undo", "0" * 24), "there is no merge"),
    ],
)
async def test_what_cannot_be_done_is_said(
    store: AsyncStore, bot_customer: Command, arguments: tuple[str, ...], says: str
) -> None:
    await said(store, WEB)
    status, out, err = await bot_customer(*arguments)
    assert (status, out) == (1, "")
    assert says in err


async def test_without_customers_there_is_nothing_to_list(bot_customer: Command) -> None:
    assert (await bot_customer("links"))[:2] == (0, "no customers have been joined\n")


async def test_a_tier_is_the_whole_persons_and_routes_cases(
    store: AsyncStore, bot_customer: Command
) -> None:
    await said(store, WHATSAPP, "Ada")
    await said(store, SMS)
    status, out, _ = await bot_customer("tier", WHATSAPP.key, "gold")
    assert (status, out.endswith(": gold\n")) == (0, True)
    assert await tier_of(store, SMS.key) == "gold"
    _, out, _ = await bot_customer("show", SMS.key)
    assert "tier      gold" in out
    await bot_customer("tier", SMS.key, "")
    assert await tier_of(store, WHATSAPP.key) == ""
