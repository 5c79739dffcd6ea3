"""Five languages on one phone of a running instance: same rules, same English articles."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest

from bot.store.cases import Case
from bot.store.messages import Message
from bot.translation.words_file import load_words
from tests.kit.customers import Customer
from tests.kit.instance import Instance

Meet = Callable[[str], Customer]
#: What is asked in each language, how the answer begins, and of how many messages it is.
ASKED = {
    "pt": ("Onde está a minha encomenda 1042?", "A encomenda 1042 (", 2),
    "fr": ("Quels sont vos horaires d'ouverture ?", "Nos horaires : du lundi", 2),
    "de": ("Wie lange ist eine Geschenkkarte gültig?", "Eine Geschenkkarte gilt 24 Monate", 1),
    "es": ("¿Dónde está mi pedido 1042?", "El pedido 1042 (", 2),
    "it": (
        "C'è una garanzia sui bollitori?",
        "Fonte: Garanzia sugli apparecchi elettrici (https",
        1,
    ),
}


@pytest.mark.parametrize("channel", ["whatsapp", "webchat"])
async def test_five_languages_on_one_phone(channel: str, meet: Meet, instance: Instance) -> None:
    customer = meet(channel)
    for said, words, answers in ASKED.values():
        heard = await customer.ask(said, answers=answers)
        assert any(words in one.text for one in heard), (said, heard)
    store = instance.store()
    rows = store.find(Message, {"conversation": customer.conversation, "direction": "in"})
    store.close()
    assert sorted(row.translated for row in rows)[0] == "How long is a gift card valid?"


async def test_what_nobody_can_translate_is_answered_in_its_language_and_a_person_comes(
    meet: Meet,
) -> None:
    """The sandbox's model knows the answer in Portuguese, and not the question."""
    customer = meet("whatsapp")
    (said,) = await customer.ask("Gostaria muito de saber se os vossos candeeiros são feitos à mão")
    assert said.text.startswith("Não sei isso e prefiro não adivinhar.")
    assert (load_words().button["pt"], "/human") in said.buttons
    (passed,) = await customer.choose("/human")
    assert passed.text.startswith("Vou passar a conversa a uma pessoa da nossa equipa.")


async def test_while_nobody_translates_that_is_said_and_a_person_is_fetched(
    meet: Meet, instance: Instance, http: aiohttp.ClientSession
) -> None:
    customer, words = meet("whatsapp"), load_words()
    model = f"{instance.sandbox_url}/control/llm"
    async with http.post(model, json={"model": "helper", "manner": "500"}) as answer:
        assert answer.status == 200
    try:
        question = "J'aimerais bien savoir si vos lampes sont faites à la main"
        english, sorry = await customer.ask(question, answers=2)
        # Read as it is, French is no intent, or a question that no article answers.
        assert english.text.startswith(("Sorry, I", "I don't know that"))
        assert sorry.text == words.sorry["fr"]
        assert sorry.buttons == ((words.button["fr"], "/human"),)
        await customer.choose("/human")
    finally:
        await http.delete(model)
    store = instance.store()
    cases = store.find(Case, {"conversation": customer.conversation})
    store.close()
    assert [(case.topic, case.status) for case in cases] == [("human", "open")]


async def test_a_language_that_the_model_does_not_know_gets_a_person(meet: Meet) -> None:
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
