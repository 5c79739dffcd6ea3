"""Kill -9 of every process, at any moment, under load: nothing is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from bot.store.conversations import Conversation
from bot.store.messages import PENDING, SENDING, Message
from tests.kit.customers import Control, Phone, Visitor, new_user
from tests.kit.instance import LIMITS, Instance, wait_for
from tests.kit.load import Load
from tests.kit.waiting import until

CONVERSATIONS = {"telegram": 5, "whatsapp": 5, "messenger": 3, "sms": 3, "webchat": 4}
ROUNDS = int(os.environ.get("CRASH_ROUNDS") or 30)
#: The rounds in which what keeps the others running dies: alone, and all of it at once.
ZYGOTE_IN, RUN_IN = 8, 20
#: What dies in a round, and how often: one worker or all of them, the gateway, or both.
VICTIMS = {"a worker": 4, "worker": 2, "gateway": 3, "worker gateway": 3}

PATIENT = {
    **LIMITS,
    # A message on which three workers died counts as one that kills them, and is answered
    # with an apology. Here the test does it, and one message may well meet it three times.
    "turn_attempts": 100,
    # What tells a WhatsApp message that was taken from one that was not is the status that
    # Meta sends: a gateway must have been up for so long without one.
    "unsure_grace_seconds": 8,
}

Place = Callable[..., Instance]


def people(
    instance: Instance, control: Control, http: aiohttp.ClientSession, counts: dict[str, int]
) -> list[Phone | Visitor]:
    """New customers, so many on each channel."""
    made: list[Phone | Visitor] = []
    for channel, count in counts.items():
        for _ in range(count):
            if channel == "webchat":
                made.append(Visitor(http, instance.gateway_url, instance.sandbox_url))
            else:
                made.append(Phone(control, channel, new_user(channel)))
    return made


async def leave(customers: list[Phone | Visitor]) -> None:
    """Let the visitors of the web chat go."""
    for customer in customers:
        if isinstance(customer, Visitor):
            await customer.close()


async def in_thread(work: Callable[[], object]) -> None:
    """Wait for a process without holding up the customers."""
    await asyncio.get_running_loop().run_in_executor(None, work)


@pytest.mark.timeout(600)
async def test_every_message_is_answered_once_and_in_order_whatever_is_killed(
    place: Place, http: aiohttp.ClientSession
) -> None:
    seed = int(os.environ.get("CRASH_SEED") or random.randrange(2**32))
    print(f"CRASH_SEED={seed} repeats the order of events")
    chance = random.Random(seed)
    instance = place(apart=True, workers=2, limits=PATIENT)
    instance.start()
    await in_thread(lambda: instance.ready(2))
    control = Control(http, instance.sandbox_url)
    customers = people(instance, control, http, CONVERSATIONS)
    load = Load(instance, control, customers, chance)
    asking = asyncio.create_task(load.ask())
    try:
        killed = await kill_on(instance, load, chance)
        # Where processes are slow to come back, little was asked of them as yet.
        await until(lambda: load.asked > 5 * len(customers), timeout=120)
    finally:
        load.enough()
        await asking
    await load.settle(90)
    visits = sum(c.connections for c in customers if isinstance(c, Visitor))
    print(f"{load.asked} messages, killed: {dict(killed)}, web chats connected {visits} times")
    load.check()
    await leave(customers)


async def kill_on(instance: Instance, load: Load, chance: random.Random) -> Counter[str]:
    """Kill at random moments; return how many of which processes were killed."""
    killed: Counter[str] = Counter()
    gateways = 0
    while killed["rounds"] < ROUNDS:
        await some_work(load, chance)
        if not killed["zygote"] and killed["rounds"] >= ZYGOTE_IN:
            killed["zygote"] += instance.kill("zygote")
        elif not killed["run"] and killed["rounds"] >= RUN_IN:
            killed["zygote"] += instance.kill("zygote")
            killed["run"] += instance.kill("run")
            # The children read the end of their leash and go, finishing what is in hand.
            await in_thread(lambda: wait_for(lambda: not instance.left(), "all children went"))
            instance.start()
        else:
            (victims,) = chance.choices(list(VICTIMS), list(VICTIMS.values()))
            if "gateway" in victims:
                # While one is killed each time before it listens nothing is taken, and nothing
                # is at stake; now and then it dies so young nevertheless.
                up = instance.logged().count("gateway bot.serve: listening")
                if up == gateways and chance.random() < 0.8:
                    continue
                gateways = up
            most = 1 if victims == "a worker" else 1000
            counts = {r: instance.kill(r, most) for r in victims.removeprefix("a ").split()}
            killed.update(counts)
            killed["rounds"] += any(counts.values())
    return killed


async def some_work(load: Load, chance: random.Random) -> None:
    """Wait until a few more answers came, but not for ever, and then a moment."""
    enough = load.answered + chance.randint(1, 12)
    with contextlib.suppress(AssertionError):
        await until(lambda: load.answered >= enough, timeout=2.5)
    await asyncio.sleep(chance.uniform(0, 0.3))


async def test_webhooks_are_taken_before_the_worker_is_ready_and_sigterm_ends_all(
    place: Place, http: aiohttp.ClientSession
) -> None:
    instance = place(apart=True)
    instance.start()
    control = Control(http, instance.sandbox_url)
    customers = people(instance, control, http, {"telegram": 2, "whatsapp": 2, "webchat": 1})
    load = Load(instance, control, customers, random.Random(1), ahead=5, pause=0.05)
    await load.ask(5)
    await until(lambda: all_taken(control, customers), timeout=60)
    assert not instance.is_ready, "the worker was ready before the gateway had taken anything"

    await in_thread(instance.ready)
    await load.settle()
    load.check()

    more = asyncio.create_task(load.ask(40))
    await until(lambda: load.asked > 60, timeout=60)
    status, seconds = instance.stop()
    load.enough()
    await more
    await leave(customers)
    assert status == 0, instance.tail()
    assert "did not stop within" not in instance.logged()
    assert seconds < 10.0
    assert instance.left() == []
    assert_nothing_in_hand(instance)


async def all_taken(control: Control, customers: list[Phone | Visitor]) -> bool:
    """Whether the gateway acknowledged everything that was said."""
    said = [m for m in await control.messages() if m["direction"] == "in"]
    visitors = [c for c in customers if isinstance(c, Visitor)]
    return all(m["status"] != "pending" for m in said) and not any(v.unsaid for v in visitors)


def assert_nothing_in_hand(instance: Instance) -> None:
    """A worker that was told to stop has finished its turns and sendings, and let go."""
    store = instance.store()
    try:
        rows = store.find(Message, {"direction": "in"}, sort=("-arrived",), limit=1)
        assert rows
        held = [c.id for c in store.find(Conversation, {}) if c.lease_owner]
        assert held == []
        assert store.count(Message, {"direction": "out", "status": SENDING}) == 0
        print(store.count(Message, {"direction": "in", "status": PENDING}), "were left to answer")
    finally:
        store.close()


async def test_nothing_is_left_of_an_instance_that_is_stopped_while_it_trains(
    place: Place, tmp_path: Path
) -> None:
    instance = place(models=tmp_path / "models")
    instance.start()
    await until(lambda: instance.training(), timeout=60)
    status, _ = instance.stop()
    assert status == 0, instance.tail()
    # A trainer that was asked to stop in the middle of an import ends a little later.
    await until(lambda: not instance.left(), timeout=60)
