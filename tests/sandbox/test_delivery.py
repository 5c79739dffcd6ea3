"""Webhooks against a gateway that fails: nothing lost, nothing out of order, no chat held up."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.sandbox.delivery import Delivery, Job, Push
from bot.sandbox.errors import Overfull


def telegram_texts(received, user):
    return [
        r.json["message"]["text"]
        for r in received
        if r.status == 200 and r.json["message"]["chat"]["id"] == user
    ]


async def test_updates_of_a_chat_arrive_in_order_however_often_they_fail(phones, gateway):
    dice = random.Random(7)
    gateway.decide = lambda body: dice.choice([200, 200, 200, 500, 503, 302])
    users = [700000001, 700000002, 700000003]
    for n in range(6):
        for user in users:
            await phones.say("telegram", str(user), f"m{n}")
    received = await gateway.taken(18)
    assert len(gateway.got) > 18
    for user in users:
        assert telegram_texts(received, user) == [f"m{n}" for n in range(6)]
    # Every attempt, failed ones too, was of the oldest update of its chat not yet taken.
    for user in users:
        due = 0
        for r in gateway.got:
            if r.json["message"]["chat"]["id"] == user:
                assert r.json["message"]["text"] == f"m{due}"
                due += r.status == 200


async def test_a_chat_that_fails_does_not_hold_up_another(phones, gateway):
    gateway.decide = lambda body: 500 if body["message"]["text"] == "stuck" else 200
    await phones.say("telegram", "700000001", "stuck")
    await phones.say("telegram", "700000002", "free")
    (received,) = await gateway.taken(1)
    assert received.json["message"]["text"] == "free"
    gateway.decide = lambda body: 200
    assert (await gateway.taken(2))[1].json["message"]["text"] == "stuck"


async def test_a_failure_is_told_by_getwebhookinfo(phones, gateway):
    gateway.answers = [500]
    await phones.say("telegram", "700000001", "hi")
    await gateway.taken(1)
    url = f"{phones.url}/telegram/bot{phones.telegram['token']}/getWebhookInfo"
    async with phones.http.get(url) as answer:
        info = (await answer.json())["result"]
    assert "500" in info["last_error_message"]
    await phones.until(lambda ms: ms[0]["status"] == "delivered")


async def test_whatsapp_messages_are_retried_with_the_same_bytes(phones, gateway):
    gateway.answers = [500, 503]
    await phones.say("whatsapp", "15551234567", "hi")
    await gateway.taken(1)
    assert [r.status for r in gateway.got] == [500, 503, 200]
    assert len({r.raw for r in gateway.got}) == 1
    assert len({r.headers["X-Hub-Signature-256"] for r in gateway.got}) == 1


async def test_copies_are_delivered_at_once(phones, gateway):
    await phones.say("telegram", "700000001", "hi", copies=5)
    received = await gateway.taken(5)
    assert len({r.json["update_id"] for r in received}) == 1
    assert len(await phones.messages()) == 1


async def test_a_gateway_that_comes_back_gets_what_waited(gateway):
    delivery = Delivery(first=0.01)
    await delivery.start()
    url = "http://127.0.0.1:9/nobody"
    reasons, done = [], asyncio.Event()

    def request():
        return Push(url, {}, b"{}")

    def failed(reason):
        nonlocal url
        reasons.append(reason)
        url = f"{gateway.url}/webhooks/any/one"

    delivery.push("key", Job(request, done.set, failed))
    await asyncio.wait_for(done.wait(), 10)
    assert reasons[0].startswith("no answer")
    while delivery.waiting:
        await asyncio.sleep(0)
    await delivery.close()


async def test_what_is_no_longer_wanted_is_not_sent():
    delivery = Delivery()
    await delivery.start()
    done = asyncio.Event()
    delivery.push("key", Job(lambda: None, lambda: pytest.fail("it was sent")))
    delivery.push("key", Job(lambda: done.set()))
    await asyncio.wait_for(done.wait(), 10)
    await delivery.close()


async def test_there_is_a_limit_to_what_waits():
    delivery = Delivery()
    delivery.room(10_000)
    with pytest.raises(Overfull):
        delivery.room(10_001)
