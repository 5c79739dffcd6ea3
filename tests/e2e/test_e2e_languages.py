"""Five languages on one phone of a running instance: same rules, same English articles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.store.messages import Message
from bot.translation.words_file import load_words
from tests.kit.customers import Customer
from tests.kit.instance import Instance

Meet = Callable[[str], Customer]
#: What is asked in each language, and how the answer begins.
ASKED = {
    "pt": ("Onde está a minha encomenda 1042?", "A encomenda 1042 ("),
    "fr": ("Quels sont vos horaires d'ouverture ?", "Nos horaires : du lundi"),
    "de": ("Wie lange ist eine Geschenkkarte gültig?", "Eine Geschenkkarte gilt 24 Monate"),
    "es": ("¿Dónde está mi pedido 1042?", "El pedido 1042 ("),
    "it": ("C'è una garanzia sui bollitori?", "Fonte: Garanzia sugli apparecchi elettrici (https"),
}


@pytest.mark.parametrize("channel", ["whatsapp", "webchat"])
async def test_five_languages_on_one_phone(channel: str, meet: Meet, instance: Instance) -> None:
    customer = meet(channel)
    count = 0
    for said, begins in ASKED.values():
        await customer.say(said)
        heard = (await customer.hears(count + 1))[count:]
        assert any(begins in one.text for one in heard), (said, heard)
        # A picture of the opening hours may follow.
        count = len(await customer.hears(count + 1 + (said == ASKED["fr"][0])))
    store = instance.store()
    rows = store.find(Message, {"conversation": customer.conversation, "direction": "in"})
    store.close()
    assert sorted(row.translated for row in rows)[0] == "How long is a gift card valid?"


async def test_what_nobody_can_translate_is_said_and_a_person_comes(
    meet: Meet, instance: Instance
) -> None:
    # The sandbox's model knows no Dutch.
    customer = meet("whatsapp")
    await customer.say("Ik zou graag willen weten of jullie lampen met de hand gemaakt zijn")
    words = load_words()
    heard = await customer.hears(2)
    assert heard[-1].text == words.sorry["nl"]
    assert (words.button["nl"], "/human") in heard[-1].buttons
    await customer.say("Kan ik met iemand praten?")
    said = await customer.hears(4)
    assert said[2].text.startswith("I'm passing you on to a person of our team.")
    assert said[3].text == words.handed["nl"]
