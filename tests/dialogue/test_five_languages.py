"""Five languages on one phone: the trained model, English articles, and a model that translates."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.desk.watch import Watch
from bot.dialogue.brain import Brain
from bot.interpreting import Interpreter
from bot.message import Choice, utcnow
from bot.perception.escalation_file import load_escalation
from bot.perception.perceiving import Perceiver
from bot.settings import Perception as Settings
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.turns import Turn
from bot.translation.words_file import load_words
from bot.turn import Turns
from tests.desk.test_watch import KEY, replies, says
from tests.kit.channel import CAN
from tests.kit.chat import Server, chat_server
from tests.kit.translating import TELLS, translating

ESCALATION = load_escalation()
WATCH = Watch(Perceiver(Settings(), ESCALATION), ESCALATION)
WORDS = load_words()
#: What customers ask, and something that the answer must have in it.
TALKS = {
    "pt": [
        ("Onde está a minha encomenda?", "Qual é o número da sua encomenda?"),
        ("O número da minha encomenda é 1042", "A encomenda 1042 ("),
        ("Vocês aceitam PayPal?", "Sim, aceitamos PayPal."),
        ("A que horas é que a loja está aberta?", "O nosso horário: de segunda a sexta das 9"),
        ("Muito obrigado pela sua ajuda", "De nada!"),
    ],
    "fr": [
        ("Où est ma commande 1042 ?", "La commande 1042 ("),
        ("Est-ce que vous acceptez PayPal ?", "Oui, nous acceptons PayPal."),
        ("Quels sont vos horaires d'ouverture ?", "Nos horaires : du lundi au vendredi de 9"),
        ("Merci beaucoup pour votre aide", "Je vous en prie !"),
    ],
    "de": [
        ("Wo ist meine Bestellung 1042?", "Die Bestellung 1042 ("),
        ("Nehmen Sie auch PayPal an?", "Ja, wir nehmen PayPal."),
        ("Vielen Dank für Ihre Hilfe", "Gern geschehen!"),
    ],
    "es": [
        ("¿Dónde está mi pedido 1042?", "El pedido 1042 ("),
        ("¿Aceptan ustedes PayPal?", "Sí, aceptamos PayPal."),
        ("Muchas gracias por su ayuda", "¡De nada!"),
    ],
    "it": [
        ("Dove si trova il mio ordine 1042?", "L'ordine 1042 ("),
        ("Accettate anche PayPal?", "Sì, accettiamo PayPal."),
        ("Grazie mille per il vostro aiuto", "Prego!"),
    ],
}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with chat_server() as made:
        yield made


@pytest.fixture(autouse=True)
async def conversation(store: AsyncStore) -> None:
    await store.insert(Conversation(id=KEY, lease_until=utcnow(), created=utcnow()))


def turns_of(store: AsyncStore, brain: Brain, server: Server | None, manner: str = "honest") -> Any:
    translator = translating(server, manner, store=store) if server else None
    interpreter = Interpreter(translator, WORDS, "en", tells=TELLS, seconds=60.0)
    return Turns(
        store,
        brain,
        lambda channel: CAN,
        turn_seconds=20.0,
        watch=WATCH,
        interpreter=interpreter,
    )


def answered(turn: Turn) -> str:
    assert not turn.decision.get("failure"), turn.decision
    return "\n".join(str(reply.get("text") or "") for reply in turn.replies)


@pytest.mark.parametrize("language", list(TALKS))
async def test_a_talk_in_each_language(
    brain: Brain, store: AsyncStore, server: Server, language: str
) -> None:
    turns = turns_of(store, brain, server)
    for n, (said, wanted) in enumerate(TALKS[language]):
        turn = await says(turns, store, said, n)
        assert wanted in answered(turn), (said, answered(turn), turn.parse, turn.decision)
        assert turn.perception["language"] == language


async def test_five_languages_on_one_phone(brain: Brain, store: AsyncStore, server: Server) -> None:
    turns = turns_of(store, brain, server)
    for n, talk in enumerate(TALKS.values()):
        said, wanted = talk[0]
        turn = await says(turns, store, said, n)
        assert wanted in answered(turn), (said, answered(turn), turn.perception)
        assert turn.parse["intent"] == "order_status"
    english = await says(turns, store, "And what about Klarna, do you take that as well?", 99)
    assert "Yes, we offer Klarna" in answered(english)
    assert "translated" not in english.decision


async def test_an_english_article_answers_and_its_link_and_amount_stay(
    brain: Brain, store: AsyncStore, server: Server
) -> None:
    turns = turns_of(store, brain, server)
    turn = await says(turns, store, "Quanto custa a entrega por duas pessoas?", 1)
    told = turn.decision
    assert told["translated"]["heard"] == "What does two-person delivery cost?"
    assert told["answered"]["how"] == "quote"
    assert told["answered"]["language"] == "en"
    said = answered(turn)
    assert "Do nosso artigo “" in said
    assert "custa £29 por encomenda" in said
    links = re.findall(r"https://\S+[^\s):]", told["translated"]["said"][0][1])
    assert all(link in said for link in links)
    assert WORDS.sorry["pt"] not in said
    titles = [option["title"] for option in turn.replies[0]["options"]]
    assert titles == ["Ajudou", "Não era isso"]
    pressed = await says(turns, store, Choice("/answer_helped", "Ajudou"), 2)
    assert WORDS.sorry["pt"] not in answered(pressed)


async def test_a_form_takes_numbers_and_addresses_as_they_were_written(
    brain: Brain, store: AsyncStore, server: Server
) -> None:
    turns = turns_of(store, brain, server)
    await says(turns, store, "Quero mudar a morada de entrega", 1)
    await says(turns, store, "O número da minha encomenda é 1047", 2)
    asked = (await store.find(Turn, {"conversation": KEY}, sort=("-seq",), limit=1))[0]
    assert asked.state["slots"]["requested_slot"] == "new_address", answered(asked)
    home = "Rua das Flores 12, 1200-195 Lisboa"
    turn = await says(turns, store, home, 3)
    assert "Flower" not in str(turn.state)
    assert home in str(turn.events) or home in str(turn.state), turn.parse


async def test_without_a_model_the_customer_is_told_in_portuguese(
    brain: Brain, store: AsyncStore
) -> None:
    turns = turns_of(store, brain, None)
    turn = await says(turns, store, "Onde está a minha encomenda, por favor?", 1)
    assert replies(turn)[-1] == WORDS.sorry["pt"]
    human = await says(turns, store, Choice("/human", "Falar com alguém"), 2)
    assert human.decision["handoff"]["topic"] == "human"
