"""Providers and a store on a bad day, under load: everything once, in order, without a restart."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.store.messages import UNSENT, Message
from tests.kit.customers import Control, Customer, Visitor
from tests.kit.instance import Instance
from tests.kit.load import Load
from tests.kit.waiting import until

Meet = Callable[[str], Customer]

PHONES = ("telegram", "whatsapp")
#: Each happens to some calls until it has happened so often. timeout: longer than
#: `send_timeout_seconds`; reset_after: the message is taken, the answer is lost.
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"retry_after": 1, "chance": 0.2, "count": 4},
    "500": {"chance": 0.7, "count": 12},
    "timeout": {"seconds": 4, "chance": 0.2, "count": 3},
    "slow": {"seconds": 1, "chance": 0.2, "count": 6},
    "reset": {"chance": 0.7, "count": 8},
    "reset_after": {"chance": 0.7, "count": 8},
}


async def under_load(
    instance: Instance, control: Control, customers: list[Customer], questions: int, seed: int
) -> None:
    load = Load(instance, control, customers, random.Random(seed), ahead=3)
    await load.ask(questions)
    await load.settle(90)
    load.check()


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_failing_provider_costs_time_and_nothing_else(
    kind: str, instance: Instance, control: Control, meet: Meet
) -> None:
    for channel in PHONES:
        await control.fault(channel, kind, **FAULTS[kind])
    customers = [meet(channel) for channel in PHONES for _ in range(4)]
    await under_load(instance, control, customers, 6, seed=int(kind) if kind.isdigit() else 7)
    assert (await control.state())["faults"] == [], "not every fault happened"


async def test_all_failures_at_once_cost_time_and_nothing_else(
    instance: Instance, control: Control, meet: Meet
) -> None:
    for channel in PHONES:
        for kind, fault in FAULTS.items():
            await control.fault(channel, kind, **{**fault, "chance": 0.1, "count": 2})
    customers = [meet(channel) for channel in PHONES for _ in range(5)]
    await under_load(instance, control, customers, 6, seed=11)


@pytest.mark.parametrize("channel", PHONES)
async def test_what_was_answered_while_the_provider_was_down_is_sent_when_it_is_back(
    channel: str, instance: Instance, control: Control, meet: Meet
) -> None:
    customer, other = meet(channel), meet("webchat")
    await customer.ask("hello")
    await control.fault(channel, "500")
    store = instance.store()

    def tries() -> int:
        where = {"conversation": customer.conversation, "direction": "out"}
        rows = store.find(Message, {**where, "status": {"$in": UNSENT}})
        return max((row.attempts for row in rows), default=0)

    await customer.say("where is order 1042")
    await customer.say("where is order 1043")
    await until(lambda: tries() >= 3)
    store.close()
    # The other channels do not notice.
    assert (await other.ask("where is order 1044", answers=2))[0].text.startswith("Order 1044 ")
    assert len(await customer.heard()) == 1
    await control.lift()
    heard = await customer.hears(5)
    assert [one.text[:11] for one in heard[1::2]] == ["Order 1042 ", "Order 1043 "]
    assert len(await customer.heard()) == 5


async def test_an_instance_whose_store_was_away_goes_on_without_a_restart(
    instance: Instance, control: Control, meet: Meet, http: aiohttp.ClientSession
) -> None:
    customers = [meet(channel) for channel in (*PHONES, "webchat") for _ in range(2)]
    for customer in customers:
        await customer.ask("hello")
    processes = [p.pid for role in ("gateway", "worker") for p in instance.processes(role)]
    aside = instance.store_directory.with_name("away")
    since = instance.log_size
    instance.store_directory.rename(aside)
    try:
        assert await control.raw("telegram", "{}") == 503
        assert await control.raw("telegram", "{}", "wrong") == 403
        async with http.get(f"{instance.gateway_url}/readyz") as answer:
            assert answer.status == 503
        async with http.get(f"{instance.gateway_url}/healthz") as answer:
            assert answer.status == 200
        for customer in customers:
            await customer.say("where is order 1042")
        # Long enough for workers and outboxes to meet it, too.
        await until(lambda: "the store is down, trying again" in instance.logged(since), timeout=60)
        await asyncio.sleep(1.0)
        assert all([len(await customer.heard()) == 1 for customer in customers])
        assert all(c.unsaid == 1 for c in customers if isinstance(c, Visitor))
        assert not instance.store_directory.exists(), "it was made anew: answers would be lost"
    finally:
        aside.rename(instance.store_directory)
    for customer in customers:
        heard = await customer.hears(3)
        assert heard[1].text.startswith("Order 1042 ")
    for customer in customers:
        assert len(await customer.heard()) == 3
    async with http.get(f"{instance.gateway_url}/readyz") as answer:
        assert answer.status == 200
    now = [p.pid for role in ("gateway", "worker") for p in instance.processes(role)]
    assert now == processes, "something was restarted"
