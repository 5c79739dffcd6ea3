"""What customers of each channel do beside writing, on a running instance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.message import utcnow
from bot.sandbox.voices import spoken
from bot.store.conversations import Conversation
from bot.store.files import KEPT, StoredFile
from bot.store.messages import DROPPED, FAILED, HELD, READ, UNSENT, Message
from tests.kit.agents import ANNA, SlackAgent, files_of
from tests.kit.customers import Control, Customer, Heard, Phone
from tests.kit.instance import Instance
from tests.kit.waiting import until

Meet = Callable[[str], Customer]
PHONES = ("telegram", "whatsapp", "messenger", "sms")
SOLVED = "Does that answer your question?"


def phone(meet: Meet, channel: str) -> Phone:
    customer = meet(channel)
    assert isinstance(customer, Phone)
    return customer


async def does(customer: Phone, content: dict[str, Any], **more: Any) -> str:
    """Let a customer do something, as `bot.message` has it."""
    return await customer._say(content=content, **more)


def rows(instance: Instance, customer: Customer, direction: str = "out") -> list[Message]:
    store = instance.store()
    where = {"conversation": customer.conversation, "direction": direction}
    found = store.find(Message, where)
    store.close()
    return sorted(found, key=lambda r: r.order)


async def settled(instance: Instance, customer: Customer, heard: int = 1) -> list[Message]:
    """Wait until the `heard` messages of a customer are answered, and the answers sent.

    Returns all that was to be sent.
    """

    def idle() -> bool:
        came, said = rows(instance, customer, "in"), rows(instance, customer)
        answered = len(came) >= heard and all(r.status == "done" for r in came)
        return answered and not any(r.status in UNSENT for r in said)

    await until(idle, timeout=60)
    return rows(instance, customer)


@pytest.mark.parametrize("channel", PHONES)
async def test_the_tour_reaches_every_phone_whole(
    channel: str, meet: Meet, instance: Instance
) -> None:
    customer = phone(meet, channel)
    await customer.say("take me on a tour")
    said = await settled(instance, customer)
    assert [r.reason for r in said if r.status in (FAILED, DROPPED, HELD)] == []
    assert len(said) >= 15
    phone_shows = await customer.control.messages(channel, customer.user)
    heard = json.dumps([m["content"] for m in phone_shows])
    for words in ("Welcome to the tour!", "Mug, green", "Larkfield Goods", "Was that all of it?"):
        assert words in heard


@pytest.mark.parametrize("typed", ["2", "two.", "opening HOURS"])
async def test_a_typed_answer_means_the_option(typed: str, meet: Meet) -> None:
    customer = meet("sms")
    (greeting,) = await customer.ask("hello")
    assert "2. Opening hours" in greeting.text
    answers = await customer.ask(typed, answers=2)
    assert any("Our hours: Monday to Friday" in a.text for a in answers)


async def solved(customer: Customer) -> Heard:
    """Ask about an order; return the question whether that was it."""
    question = (await customer.ask("where is order 1042", answers=2))[1]
    assert question.text.startswith(SOLVED)
    return question


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "messenger"])
@pytest.mark.parametrize(("emoji", "answer"), [("👍", "Glad to hear it"), ("👎", "I'm sorry")])
async def test_a_thumb_answers_a_yes_or_no_question(
    channel: str, emoji: str, answer: str, meet: Meet
) -> None:
    customer = phone(meet, channel)
    question = await solved(customer)
    await does(customer, {"kind": "reaction", "of": question.id, "emoji": emoji})
    assert (await customer.hears(3))[2].text.startswith(answer)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "messenger"])
async def test_a_corrected_message_is_answered_as_it_is_now(channel: str, meet: Meet) -> None:
    customer = phone(meet, channel)
    id = await does(customer, {"kind": "text", "text": "where is order 9999"})
    before = len(await customer.hears(2))
    await does(customer, {"kind": "edit", "of": id, "text": "where is order 1042"})
    later = (await customer.hears(before + 2))[before:]
    assert any(h.text.startswith("Order 1042 ") for h in later)


@pytest.mark.parametrize("channel", PHONES)
async def test_stop_ends_it_and_start_begins_it_again(
    channel: str, meet: Meet, instance: Instance
) -> None:
    customer = phone(meet, channel)
    await customer.ask("hello")
    said = len(await customer.heard())
    await customer.say("STOP")
    # Twilio confirms by itself, and the phone shows that, too.
    await until(lambda: _said_more(customer, said))
    said = len(await customer.heard())
    for text in ("where is order 1042", "hello?", "hello??"):
        await customer.say(text)
    await until(lambda: all(r.status == "done" for r in rows(instance, customer, "in")))
    assert len(await customer.heard()) == said
    await customer.say("START")
    await until(lambda: _said_more(customer, said))
    await customer.say("where is order 1043")

    async def answered() -> bool:
        return any(h.text.startswith("Order 1043 ") for h in await customer.heard())

    await until(answered, timeout=60)
    assert not any(h.text.startswith("Order 1042 ") for h in await customer.heard())


async def _said_more(customer: Customer, than: int) -> bool:
    return len(await customer.heard()) > than


async def test_outside_of_the_window_the_customer_is_asked_to_write(
    meet: Meet, instance: Instance
) -> None:
    customer = phone(meet, "whatsapp")
    await customer.ask("hello")
    yesterday = utcnow() - timedelta(hours=25)
    store = instance.store()
    where = {"conversation": customer.conversation, "direction": "in"}
    for row in store.find(Message, where):
        store.change(Message, {"id": row.id}, set={"sent": yesterday})
    store.change(Conversation, {"id": customer.conversation}, set={"last_in": yesterday})
    store.close()
    # A message that took a day to arrive.
    await does(
        customer, {"kind": "text", "text": "where is order 1042"}, sent=yesterday.isoformat()
    )
    said = await settled(instance, customer, 2)
    assert [r.status for r in said].count(HELD) == 2
    assert [r.content["kind"] for r in said if r.id.endswith(":ask")] == ["template"]
    before = len(await customer.heard())
    await customer.say("thank you")
    heard = (await customer.hears(before + 3))[before:]
    assert heard[0].text.startswith("Order 1042 ")
    assert heard[2].text.startswith("You're welcome")


@pytest.mark.parametrize("channel", PHONES)
async def test_a_picture_is_kept_and_shown_by_a_link(
    channel: str, meet: Meet, instance: Instance, png: bytes, http: aiohttp.ClientSession
) -> None:
    customer = phone(meet, channel)
    await customer.show(png)
    await customer.hears(1)
    store = instance.store()

    def kept() -> list[StoredFile]:
        found = store.find(StoredFile, {"message": rows(instance, customer, "in")[0].id})
        return [f for f in found if f.status == KEPT]

    (file,) = await until(kept, timeout=60)
    store.close()
    assert (file.mime, file.size) == ("image/png", len(png))
    shown = await _shown(instance, file, http)
    assert shown == png


async def test_what_the_bot_cannot_see_or_hear_it_says_and_agents_get_it(
    meet: Meet, instance: Instance, png: bytes, http: aiohttp.ClientSession
) -> None:
    anna = SlackAgent(http, instance.sandbox_url, ANNA)

    async def on(customer: Customer) -> None:
        await customer.give(png, "image", "image/png")
        assert "can't look at pictures" in (await customer.hears(1))[0].text, customer.channel
        await customer.give(spoken("Where is my order?"), "voice", "audio/ogg")
        assert "can't listen to" in (await customer.hears(2))[1].text, customer.channel
        await customer.say("I want to talk to a human")
        thread = await anna.card(customer)
        kinds = await files_of(anna, thread, instance, customer.conversation)
        assert kinds == ["audio", "image"], customer.channel

    await asyncio.gather(*(on(meet(channel)) for channel in (*PHONES, "webchat")))


async def _shown(instance: Instance, file: StoredFile, http: aiohttp.ClientSession) -> bytes:
    from bot.media.links import link
    from bot.media.seal import Seal

    url = link(Seal.of(instance.settings()), instance.gateway_url, file, 60)
    async with http.get(url) as answer:
        assert answer.status == 200
        data: bytes = await answer.read()
    async with http.get(url[:-3] + "abc") as answer:
        assert answer.status == 403
    return data


async def test_the_same_number_on_two_channels_is_one_customer(
    meet: Meet, control: Control, instance: Instance
) -> None:
    sms = phone(meet, "sms")
    whatsapp = Phone(control, "whatsapp", sms.user.lstrip("+"))
    other = phone(meet, "whatsapp")
    for customer in (sms, whatsapp, other):
        await customer.ask("hello")
    store = instance.store()
    known = [store.get(Conversation, c.conversation) for c in (sms, whatsapp, other)]
    store.close()
    ids = [c.customer for c in known if c is not None]
    assert ids[0] == ids[1] != ids[2]
    assert all(ids)


@pytest.mark.parametrize("channel", ["whatsapp", "messenger"])
async def test_what_was_read_is_known_to_be_read(
    channel: str, meet: Meet, control: Control, instance: Instance
) -> None:
    customer = phone(meet, channel)
    await customer.ask("hello")
    await until(lambda: [r.status for r in rows(instance, customer)] == ["delivered"])
    await control.post("read", {"channel": channel, "user": customer.user})
    await until(lambda: [r.status for r in rows(instance, customer)] == [READ])


async def test_an_album_is_answered_once(meet: Meet, png: bytes, instance: Instance) -> None:
    customer = phone(meet, "telegram")
    url = await customer.control.upload(png)
    picture = {"kind": "media", "type": "image", "url": url}
    batch = [
        {"user": customer.user, "content": picture, "album": "a1"},
        {"user": customer.user, "content": {**picture, "caption": ""}, "album": "a1"},
        {"user": customer.user, "content": picture, "album": "a1"},
    ]
    body = {"channel": "telegram", "user": customer.user, "batch": batch, "together": False}
    await customer.control.post("say", body)
    await settled(instance, customer, 3)
    (answer,) = await customer.hears(1)
    assert answer.text.startswith("Thank you for the picture")
    assert len(await settled(instance, customer, 3)) == 1
