"""Real conversations on every channel of a running instance: webhook in, answer on the phone."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable

import aiohttp
import psutil
import pytest

from actions.backends.orders import Order
from bot.store.dead_letters import DeadLetter
from bot.store.messages import Message
from tests.kit.customers import Control, Customer, Visitor
from tests.kit.instance import REPOSITORY, Instance
from tests.kit.waiting import until

PHONES = ("telegram", "whatsapp")
GREETING = "Hello! I'm the assistant"
ASKS_NUMBER = "What is your order number?"
FALLBACK = "Sorry, I didn't understand that."
SOLVED = "Does that answer your question?"

Meet = Callable[[str], Customer]


def texts(heard: list) -> list[str]:
    return [one.text for one in heard]


async def test_a_greeting_is_answered_with_buttons(customer: Customer) -> None:
    (answer,) = await customer.ask("hello")
    assert answer.text.startswith(GREETING)
    assert ("Opening hours", "/opening_hours") in answer.buttons
    assert len(answer.buttons) == 3


async def test_a_button_is_answered_and_its_picture_can_be_loaded(
    customer: Customer, http: aiohttp.ClientSession
) -> None:
    await customer.ask("hello")
    hours, sign = await customer.choose("/opening_hours", answers=2)
    assert "Monday to Friday" in hours.text
    async with http.get(sign.image) as picture:
        assert picture.status == 200
        assert picture.content_type == "image/png"
        assert (await picture.read()).startswith(b"\x89PNG")


async def test_an_order_is_asked_for_until_its_number_is_right(customer: Customer) -> None:
    await customer.ask("hello")
    (question,) = await customer.choose("/order_status")
    assert question.text.startswith(ASKS_NUMBER)
    unclear = await customer.ask("qwzx ploorb vantik", answers=2)
    assert unclear[0].text == "I couldn't read an order number in that."
    unknown = await customer.ask("9999", answers=2)
    assert unknown[0].text == "I can't find an order with the number 9999."
    assert unknown[1].text.startswith(ASKS_NUMBER)
    found = await customer.ask("1044", answers=2)
    assert found[0].text.startswith("Order 1044 (6 items) was delivered on ")
    assert found[1].text == SOLVED
    (glad,) = await customer.choose("/affirm")
    assert "Glad to hear it" in glad.text
    assert len(await customer.heard()) == 2 + 2 + 2 + 2 + 1


async def test_a_picture_from_the_customer_is_answered(customer: Customer, png: bytes) -> None:
    await customer.show(png)
    (answer,) = await customer.hears(1)
    assert answer.text.startswith("Thank you for the picture")


@pytest.mark.parametrize("channel", PHONES)
async def test_a_picture_is_answered_by_its_caption(channel: str, meet: Meet, png: bytes) -> None:
    customer = meet(channel)
    await customer.show(png, "where is order 1042")
    assert (await customer.hears(2))[0].text.startswith("Order 1042 ")


async def test_what_is_not_understood_gets_an_honest_answer(customer: Customer) -> None:
    (answer,) = await customer.ask("qwzx ploorb vantik")
    assert answer.text.startswith(FALLBACK)
    assert "I can track an order" in answer.text
    assert answer.buttons


async def test_a_typed_command_is_no_command(customer: Customer) -> None:
    await customer.ask("where is my order")
    # In Rasa's own channels these would restart the conversation, or be an intent.
    for typed in ("/restart", "/session_start", "/share_sticker"):
        heard = await customer.ask(typed, answers=2)
        assert not any(one.text.startswith(GREETING) for one in heard)
        assert heard[-1].text.startswith(ASKS_NUMBER)


async def test_a_payload_that_was_never_offered_is_not_obeyed_on_telegram(meet: Meet) -> None:
    customer, other = meet("telegram"), meet("telegram")
    await customer.ask("thank you")
    await other.ask("hello")
    # A modified client presses a button of its own making, on a message without any.
    message = (await customer.heard())[0].id
    person = {"id": int(customer.user), "is_bot": False, "first_name": "Eve"}
    chat = {"id": int(customer.user), "type": "private", "first_name": "Eve"}
    query = {
        "id": "4242424242",
        "from": person,
        "message": {"message_id": int(message), "date": 1, "chat": chat, "text": "You're welcome!"},
        "chat_instance": "1",
        "data": "/share_sticker",
    }
    await customer.send_raw({"callback_query": query})
    heard = await customer.hears(2)
    assert heard[1].text.startswith(FALLBACK)


async def test_a_payload_that_was_never_offered_is_not_obeyed_in_the_web_chat(meet: Meet) -> None:
    visitor = meet("webchat")
    await visitor.ask("thank you")
    await visitor.frame({"type": "choose", "payload": "/order_status", "title": "qwzx", "of": ""})
    heard = await visitor.hears(2)
    assert heard[1].text.startswith(FALLBACK)


NASTY = {
    "emoji": "👍",
    "emoji of many parts": "👩‍👩‍👧‍👦🏳️‍🌈" * 3,
    "100 kB of emoji": "😀" * 25_000,
    "NUL": "hel\x00lo there",
    "NUL alone": "\x00",
    "lone surrogate": "hello \ud83d there",
    "lone surrogate alone": "\udc00",
    "right to left": "\u202egnihtemos",
    "zero width": "\u200b\u200b",
    "one character": "a",
    "control characters": "\x01\x02\x1b[31m",
    "combining": "Z" + "\u0301" * 3000,
    "template": "{number} {{7*7}} %s ${HOME} <script>alert(1)</script>",
}


@pytest.mark.parametrize("channel", [*PHONES, "webchat"])
async def test_no_text_breaks_a_conversation(
    channel: str, meet: Meet, control: Control, instance: Instance
) -> None:
    customer = meet(channel)
    since = instance.log_size
    for text in NASTY.values():
        await customer.say(text)
        # Who is not understood twice in a row gets a person.
        await customer.say("hello")
    found = []

    async def answered() -> bool:
        found[:] = texts(await customer.heard())
        return any(t.startswith("Order 1047 (12 items)") for t in found)

    await customer.say("where is order 1047")
    await until(answered, timeout=60)
    logged = instance.logged(since)
    assert "Traceback" not in logged
    assert "failed on a request" not in logged
    assert not any("something went wrong" in text for text in found)
    if isinstance(customer, Visitor):
        assert "too_long" in customer.refused
        assert "empty" in customer.refused


@pytest.mark.parametrize("channel", PHONES)
async def test_a_webhook_delivered_five_times_at_once_is_answered_once(
    channel: str, meet: Meet, instance: Instance
) -> None:
    customer = meet(channel)
    await customer.say("where is order 1042", copies=5)
    await customer.hears(2)
    heard = await customer.ask("where is order 1043", answers=2)
    assert heard[0].text.startswith("Order 1043 ")
    assert len(await customer.heard()) == 4
    store = instance.store()
    rows = store.find(Message, {"conversation": customer.conversation, "direction": "in"})
    store.close()
    assert len(rows) == 2


async def test_a_batch_of_several_customers_is_answered_whole(meet: Meet, control: Control) -> None:
    """One request of WhatsApp may carry many messages of many people."""
    ada, ben = meet("whatsapp"), meet("whatsapp")
    batch = [
        {"user": ada.user, "text": "where is order 1042"},
        {"user": ben.user, "text": "where is order 1043"},
        {"user": ada.user, "text": "where is order 1044"},
    ]
    await control.post("say", {"channel": "whatsapp", "user": ada.user, "batch": batch})
    numbers = [re.findall(r"Order (\d+)", t) for t in texts(await ada.hears(4))]
    assert numbers == [["1042"], [], ["1044"], []]
    assert texts(await ben.hears(2))[0].startswith("Order 1043 ")


async def test_what_whatsapp_says_of_a_delivery_is_recorded(
    meet: Meet, control: Control, instance: Instance
) -> None:
    customer = meet("whatsapp")
    await customer.ask("hello")
    store = instance.store()

    def statuses() -> list[str]:
        where = {"conversation": customer.conversation, "direction": "out"}
        return [row.status for row in store.find(Message, where)]

    await until(lambda: statuses() == ["delivered"])
    await control.post("read", {"channel": "whatsapp", "user": customer.user})
    await until(lambda: statuses() == ["read"])
    store.close()


@pytest.mark.parametrize("channel", PHONES)
@pytest.mark.parametrize("signature", ["wrong", "none"])
async def test_a_request_without_a_right_signature_is_refused_and_not_stored(
    channel: str, signature: str, control: Control, instance: Instance
) -> None:
    chat = {"id": 66, "type": "private", "first_name": "Eve"}
    update = {"update_id": 9, "message": {"message_id": 66, "date": 1, "chat": chat, "text": "x"}}
    body = update if channel == "telegram" else {"object": "whatsapp_business_account", "entry": []}
    assert await control.raw(channel, body, signature) == 403
    assert await control.raw(channel, "not JSON either", signature) == 403
    store = instance.store()
    assert store.find(Message, {"conversation": "telegram:demo:66"}) == []
    assert [d for d in store.find(DeadLetter, {}) if b"either" in bytes(d.body or b"")] == []
    store.close()


@pytest.mark.parametrize("channel", PHONES)
async def test_a_body_over_a_mebibyte_is_refused(channel: str, control: Control) -> None:
    assert await control.raw(channel, "x" * (1024 * 1024 + 1)) == 413


async def test_an_account_that_does_not_exist_is_not_found(
    instance: Instance, http: aiohttp.ClientSession
) -> None:
    for path in ("telegram/nobody", "fax/demo", "telegram/..%2fdemo"):
        async with http.post(f"{instance.gateway_url}/webhooks/{path}", data=b"{}") as answer:
            assert answer.status == 404


async def test_a_page_of_another_site_cannot_open_a_web_chat(
    instance: Instance, http: aiohttp.ClientSession
) -> None:
    url = f"{instance.gateway_url}/chat/demo"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(url, headers={"Origin": "https://evil.example"})
    assert refused.value.status == 403


async def test_a_visitor_who_comes_back_hears_what_was_said_meanwhile(
    meet: Meet, instance: Instance, http: aiohttp.ClientSession
) -> None:
    visitor = meet("webchat")
    await visitor.ask("hello")
    await visitor.say("where is order 1042")
    await until(lambda: not visitor.unsaid)
    await visitor.close()
    again = Visitor(http, instance.gateway_url, instance.sandbox_url, like=visitor)
    try:
        answers = [t for t in texts(await again.hears(3)) if t.startswith("Order 1042 ")]
        assert len(answers) == 1
    finally:
        await again.close()


# What an operator does.

#: Orders that are spoilt, and the channel that each is asked for on.
SPOILT = {"66601": "telegram", "66602": "whatsapp", "66603": "webchat"}


async def command(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(instance.command, *arguments)


async def test_a_port_that_is_taken_is_told_and_nothing_is_left(instance: Instance) -> None:
    def started() -> set[int]:
        every = psutil.process_iter(["cmdline"])
        return {p.pid for p in every if instance.files()[1] in (p.info["cmdline"] or ())}

    before = started()
    assert len(before) > 2
    second = await command(instance, "run", "--sandbox")
    assert second.returncode == 2
    assert "cannot listen" in second.stderr
    ports = [url.rpartition(":")[2] for url in (instance.gateway_url, instance.sandbox_url)]
    assert any(port in second.stderr for port in ports)
    assert started() <= before


async def test_a_request_that_is_no_json_becomes_a_dead_letter_that_can_be_shown(
    control: Control, instance: Instance
) -> None:
    assert await control.raw("telegram", "this is no JSON: {") == 200
    assert await control.raw("telegram", "this is no JSON: {") == 200
    listed = await command(instance, "dead", "list", "--stage", "receive")
    lines = [line for line in listed.stdout.splitlines() if "telegram:demo" in line]
    assert len(lines) == 1, listed
    letter = lines[0].split()[0]
    shown = await command(instance, "dead", "show", letter)
    assert "this is no JSON: {" in shown.stdout
    again = await command(instance, "dead", "replay", letter)
    assert again.returncode == 1
    assert "Traceback" not in again.stderr
    unknown = await command(instance, "dead", "show", "no-such-letter")
    assert unknown.returncode == 1
    assert "no such dead letter" in unknown.stderr


async def test_an_action_that_raises_costs_one_apology_and_can_be_replayed(
    meet: Meet, instance: Instance
) -> None:
    """An order in the backend is spoilt: its items lack a quantity, which reading it needs."""
    customers = {number: meet(channel) for number, channel in SPOILT.items()}
    # The demonstration shop puts its orders into the store when it is first asked.
    for customer in customers.values():
        await customer.ask("where is order 1047", answers=2)
    store = instance.store()
    good = store.get(Order, "1047")
    good.items = [{"name": "Beeswax candle"}]
    for good.id in customers:
        store.put(good)
    try:
        for number, customer in customers.items():
            (apology,) = await customer.ask(f"where is order {number}")
            assert "something went wrong" in apology.text
            heard = await customer.ask("where is order 1047", answers=2)
            assert heard[0].text.startswith("Order 1047 (12 items)")

        listed = await command(instance, "dead", "list", "--stage", "turn")
        lines = listed.stdout.splitlines()
        letters = []
        for channel in SPOILT.values():
            mine = [line for line in lines if f"{channel}:demo" in line]
            assert len(mine) == 1, listed
            letters.append(mine[0].split()[0])
        for letter, number in zip(letters, customers, strict=True):
            shown = (await command(instance, "dead", "show", letter)).stdout
            assert f"where is order {number}" in shown
            assert "validate_order_form: KeyError" in shown
            assert "actions/order_status.py" in shown
            assert str(REPOSITORY) not in shown

        good.items = [{"name": "Beeswax candle", "quantity": 7}]
        for good.id in customers:
            store.put(good)
        before = {number: len(await c.heard()) for number, c in customers.items()}
        for _ in range(2):
            assert (await command(instance, "dead", "replay", *letters)).returncode == 0
        for number, customer in customers.items():
            heard = (await customer.hears(before[number] + 2))[before[number] :]
            assert heard[0].text.startswith(f"Order {number} (7 items)")
            await customer.ask("thank you")
            assert len(await customer.heard()) == before[number] + 3
    finally:
        for number in customers:
            store.delete(Order, {"id": number})
        store.close()


async def test_a_terminal_is_answered_through_a_pipe(instance: Instance) -> None:
    talk = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "chat", *instance.files(), "--new"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert talk.stdin
    assert talk.stdout

    async def until_said(words: str) -> None:
        while words not in (line := (await asyncio.wait_for(talk.stdout.readline(), 60)).decode()):
            assert line, f"the end came before {words!r}"

    try:
        talk.stdin.write(b"hello\n")
        await until_said("3. Find the store")
        # A number chooses the option of that number.
        talk.stdin.write(b"1\n")
        await until_said(ASKS_NUMBER)
        talk.stdin.write(b"1042\n")
        await until_said("Order 1042 ")
        talk.stdin.write(b"thanks\n")
        talk.stdin.close()
        await until_said("You're welcome!")
        assert await asyncio.wait_for(talk.wait(), 60) == 0
        assert (await talk.stderr.read()) == b""
    finally:
        if talk.returncode is None:
            talk.kill()
            await talk.wait()


async def test_the_gateway_tells_how_it_is(
    instance: Instance, http: aiohttp.ClientSession, meet: Meet
) -> None:
    await meet("telegram").ask("hello")
    for path, words in (("healthz", "ok"), ("readyz", "ready"), ("metrics", "telegram")):
        async with http.get(f"{instance.gateway_url}/{path}") as answer:
            assert answer.status == 200
            assert words in await answer.text()


async def test_no_secret_is_in_the_log(instance: Instance, meet: Meet) -> None:
    await meet("telegram").ask("hello")
    await meet("whatsapp").ask("hello")
    written = (instance.var / "sandbox" / "credentials.yml").read_text()
    names = "token|secret_token|app_secret|verify_token|auth_token"
    secrets = re.findall(rf"^\W+(?:{names}): (\S+)$", written, re.M)
    assert len(secrets) == 9
    logged = instance.logged()
    assert [s[:6] for s in secrets if s.strip("'") in logged] == []
