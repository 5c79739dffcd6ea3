"""Two channels, one customer: the code's way through the brain."""

from __future__ import annotations

import os
import re

from bot.dialogue.brain import Brain
from bot.identity import customer_of
from bot.store import AsyncStore, open_store
from bot.store.documents import DOCUMENTS
from tests.kit.talk import Conversation


def code_in(said: list[str]) -> str:
    found = re.search(r"\b\d{6}\b", said[0])
    assert found, said
    return found[0]


async def addresses(talk: Conversation) -> set[str]:
    """The addresses of the customer of a conversation."""
    store = AsyncStore(open_store(os.environ["FRONTDESK_STORE_URL"]), DOCUMENTS)
    try:
        return set((await customer_of(store, talk.address)).addresses)
    finally:
        await store.close()


async def test_a_code_is_asked_for_on_one_channel_and_typed_on_another(brain: Brain) -> None:
    web = Conversation(brain, "webchat", "link-1")
    phone = Conversation(brain, "telegram", "link-1")
    code = code_in(await web.say("connect my telegram"))
    (said,) = await phone.say(f"link {code}")
    assert said.startswith("Done")
    assert "our web chat" in said
    assert await addresses(web) == {web.address.key, phone.address.key}
    # The digits were no order number.
    assert (await phone.say("where is my order?"))[0].startswith("What is your order number?")


async def test_the_code_is_typed_when_it_is_asked_for(brain: Brain) -> None:
    web = Conversation(brain, "webchat", "link-2")
    phone = Conversation(brain, "whatsapp", "link-2")
    code = code_in(await web.say("link my whatsapp"))
    (asked,) = await phone.say("I have a code")
    assert asked.startswith("Please type the code")
    unclear = await phone.say("1234")
    assert unclear == ["I couldn't read a code in that. It has six digits, or nine.", asked]
    assert (await phone.say(code))[0].startswith("Done")
    assert await addresses(phone) == {web.address.key, phone.address.key}


async def test_a_wrong_code_is_said_to_be_and_joins_nobody(brain: Brain) -> None:
    web = Conversation(brain, "webchat", "link-3")
    phone = Conversation(brain, "telegram", "link-3")
    code = int(code_in(await web.say("connect my telegram")))
    assert (await phone.say(f"link {(code + 1) % 1_000_000:06}"))[0].startswith("That code is not")
    assert (await web.say(f"link {code:06}"))[0].startswith("That code was made in this very chat")
    assert await addresses(phone) == {phone.address.key}


async def test_an_order_number_of_six_digits_is_one_when_no_code_is_asked_for(
    brain: Brain,
) -> None:
    talk = Conversation(brain, user="link-4")
    assert (await talk.say("123456"))[0] == "I can't find an order with the number 123456."
    assert (await talk.say("654321"))[0] == "I can't find an order with the number 654321."


async def test_asked_for_a_code_the_customer_may_want_something_else(brain: Brain) -> None:
    for text, begins in (
        ("never mind", "All right, nothing is connected."),
        ("no", "All right, nothing is connected."),
        ("bye", "Goodbye"),
        ("connect my whatsapp", "Your code is"),
        ("where is my order?", "What is your order number?"),
    ):
        talk = Conversation(brain, user="link-5")
        await talk.say("enter my code")
        assert talk.state["active_loop"] == "link_form"
        assert (await talk.say(text))[0].startswith(begins), text
        assert talk.state["active_loop"] != "link_form", text
    talk = Conversation(brain, user="link-6")
    (asked,) = await talk.say("i have a code")
    assert (await talk.say("are you a bot?"))[-1] == asked
    assert await talk.say("yes") == ["I need its digits for that, six or nine.", asked]
