"""A turn in two languages: what the brain hears, what the customer reads, what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.desk.handoff import take
from bot.desk.slack import posts
from bot.desk.timeline import timeline
from bot.desk.watch import Watch
from bot.dialogue.contract import Handoff, Outcome
from bot.dialogue.why import explain
from bot.interpreting import Interpreter
from bot.message import Choice, Choices, Media, Option, Text, decode, utcnow
from bot.perception.escalation_file import load_escalation
from bot.perception.perceiving import Perceiver
from bot.settings import Perception as Settings
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import Conversation
from bot.store.journal import TRANSLATED, Entry
from bot.store.turns import Turn
from bot.translation.contract import Origin
from bot.translation.translator import Translator
from bot.translation.words_file import load_words
from bot.turn import Turns
from bot.why_command import lines_of
from tests.desk.test_watch import KEY, Seeing, says
from tests.kit.channel import CAN
from tests.kit.chat import Server, chat_server
from tests.kit.translating import TELLS, Nothing, Table, backwards, translating

ESCALATION = load_escalation()
WATCH = Watch(Perceiver(Settings(), ESCALATION), ESCALATION)
WORDS = load_words()
WHERE = "Onde está a minha encomenda 1042?"
ASK = Origin("utter_ask", ({"text": "What is your order number?", "buttons": [
    {"title": "I don't have it", "payload": "/stop"}]},))  # fmt: skip
FOUND = Origin(
    "utter_found",
    ({"text": "Order {number} ({pieces}) was delivered on {delivered}."},),
    {"de": ({"text": "Bestellung {number}, {pieces}, kam am {delivered} an."},)},
)


class Brain(Seeing):
    """Keeps what it heard as well."""

    def __init__(self, *outcomes: Outcome) -> None:
        super().__init__(*outcomes)
        self.heard: list[Any] = []

    async def take(self, said: Any, state: Any, hints: Any = None) -> Outcome:
        self.heard.append(said.content)
        return await super().take(said, state, hints)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with chat_server() as made:
        yield made


@pytest.fixture(autouse=True)
async def conversation(store: AsyncStore) -> None:
    await store.insert(Conversation(id=KEY, lease_until=utcnow(), created=utcnow()))


def asks(**values: Any) -> Outcome:
    reply = Choices("What is your order number?", (Option("I don't have it", "/stop"),))
    return Outcome([], [reply], values.pop("state", {"n": 1}), {}, None, origins=(ASK,), **values)


def turns_of(
    store: AsyncStore, brain: Brain, translator: Translator | None, own: tuple[str, ...] = ()
) -> Turns:
    interpreter = Interpreter(translator, WORDS, "en", own, tells=TELLS, seconds=30.0)
    return Turns(
        store,
        brain,
        lambda channel: CAN,
        turn_seconds=5.0,
        watch=WATCH,
        interpreter=interpreter,
    )


def texts(turn: Turn) -> list[str]:
    return [reply["text"] for reply in turn.replies]


async def test_the_brain_hears_english_and_the_customer_reads_portuguese(
    store: AsyncStore, server: Server
) -> None:
    brain = Brain(asks())
    turn = await says(turns_of(store, brain, translating(server, store=store)), store, WHERE, 1)
    assert brain.heard == [Text("Where is my order 1042?")]
    assert brain.hints[0].perception["language"] == "en"
    reply = decode(turn.replies[0])
    assert reply == Choices("Qual é o número da sua encomenda?", (Option("Não o tenho", "/stop"),))
    told = turn.decision["translated"]
    assert (told["from"], told["to"], told["engine"]) == ("pt", "en", "llm:honest")
    assert told["heard"] == "Where is my order 1042?"
    english = "What is your order number? / I don't have it"
    assert told["said"] == [["Qual é o número da sua encomenda? / Não o tenho", english]]
    # Agents see both.
    lines = await timeline(store, KEY)
    assert [line.translated for line in lines] == ["Where is my order 1042?", english]
    why = list(lines_of(await explain(store, turn.id)))
    assert "translated  pt to en by llm:honest" in why
    assert any(line.startswith("  heard") and "Where is my order" in line for line in why)
    # What was written is kept as it was written.
    assert turn.heard["text"] == WHERE
    assert turn.perception["language"] == "pt"


async def test_a_sentence_is_filled_after_it_was_translated_and_costs_one_call(
    store: AsyncStore, server: Server
) -> None:
    numbers = (1042, 1043, 1044)
    replies = [f"Order {n} (2 items) was delivered on Friday, 4 April." for n in numbers]
    said = [Outcome([], [Text(r)], {"n": 1}, {}, None, origins=(FOUND,)) for r in replies]
    turns = turns_of(store, Brain(*said), translating(server, store=store))
    first = await says(turns, store, WHERE, 1)
    assert texts(first) == ["A encomenda 1042 (2 artigos) foi entregue em sexta-feira, 4 de abril."]
    asked = len(server.bodies)
    second = await says(turns, store, "Onde está a minha encomenda 1043?", 2)
    assert texts(second) == [
        "A encomenda 1043 (2 artigos) foi entregue em sexta-feira, 4 de abril."
    ]
    # The message, and the pieces and the day: the sentence itself is known.
    assert len(server.bodies) == asked + 2
    # Nor is half of it English where the customer's own words could not be read.
    third = await says(turns, store, "Diga lá, o que é feito da minha coisa 1044?", 3)
    assert "heard" not in third.decision["translated"]
    assert texts(third) == ["A encomenda 1044 (2 artigos) foi entregue em sexta-feira, 4 de abril."]


async def test_designers_own_words_are_taken_before_any_engines(
    store: AsyncStore, server: Server
) -> None:
    text = "Order 1042 (2 items) was delivered on Friday, 4 April."
    brain = Brain(Outcome([], [Text(text)], {"n": 1}, {}, None, origins=(FOUND,)))
    turns = turns_of(store, brain, translating(server))
    turn = await says(turns, store, "Wo ist meine Bestellung 1042?", 1)
    assert texts(turn) == ["Bestellung 1042, 2 Artikel, kam am Freitag, 4. April an."]


async def test_english_and_own_languages_are_left_alone(store: AsyncStore, server: Server) -> None:
    brain = Brain(asks(), asks())
    turns = turns_of(store, brain, translating(server), own=("pt",))
    first = await says(turns, store, "Where is my order, please tell me now", 1)
    second = await says(turns, store, WHERE, 2)
    assert brain.heard[1] == Text(WHERE)
    assert texts(first) == texts(second) == ["What is your order number?"]
    assert "translated" not in first.decision
    assert "translated" not in second.decision
    assert server.bodies == []


async def test_english_that_looks_italian_is_english(store: AsyncStore, server: Server) -> None:
    brain = Brain(asks(), asks(), asks())
    turns = turns_of(store, brain, translating(server))
    turn = await says(turns, store, "forgot password", 1)
    assert texts(turn) == ["What is your order number?"]
    assert turn.perception["language"] == "en"
    assert "translated" not in turn.decision
    assert len(server.bodies) == 1
    # Without an engine nobody is told in Italian that English is not understood.
    turn = await says(turns_of(store, brain, None), store, "reset password", 2)
    assert texts(turn) == ["What is your order number?"]


async def test_a_word_that_is_alike_in_both_does_not_change_the_language(
    store: AsyncStore, server: Server
) -> None:
    turns = turns_of(store, Brain(asks(), asks()), translating(server, store=store))
    await says(turns, store, WHERE, 1)
    turn = await says(turns, store, "PayPal, ok", 2)
    assert texts(turn) == ["Qual é o número da sua encomenda?"]


async def test_a_button_is_not_translated_and_its_answer_is(
    store: AsyncStore, server: Server
) -> None:
    brain = Brain(asks(), asks())
    turns = turns_of(store, brain, translating(server, store=store))
    await says(turns, store, WHERE, 1)
    offered = Choice("/stop", "Não o tenho", "")
    turn = await says(turns, store, offered, 2)
    assert texts(turn) == ["Qual é o número da sua encomenda?"]


async def test_words_with_a_picture_are_read(store: AsyncStore, server: Server) -> None:
    brain = Brain(asks())
    photo = Media("image", ref="f1", caption=WHERE)
    await says(turns_of(store, brain, translating(server)), store, photo, 1)
    assert brain.heard[0].caption == "Where is my order 1042?"
    assert brain.heard[0].ref == "f1"


async def test_an_address_that_was_asked_for_is_taken_as_it_is_written(
    store: AsyncStore, server: Server
) -> None:
    asked = {"slots": {"requested_slot": "new_address"}}
    brain = Brain(asks(state=asked), asks())
    turns = turns_of(store, brain, translating(server))
    await says(turns, store, WHERE, 1)
    home = "Rua das Flores 12, terceiro esquerdo, 1200-195 Lisboa"
    await says(turns, store, home, 2)
    assert brain.heard[1] == Text(home)


@pytest.mark.parametrize("manner", ["500", "401", "bad-json", "inventing"])
async def test_without_a_translation_it_is_said_once_and_a_person_is_offered(
    store: AsyncStore, server: Server, manner: str
) -> None:
    brain = Brain(asks(), asks(), asks())
    turns = turns_of(store, brain, translating(server, manner))
    turn = await says(turns, store, WHERE, 1)
    # The rules may understand it all the same.
    assert brain.heard == [Text(WHERE)]
    assert brain.hints[0].perception["language"] == "pt"
    english, sorry = (decode(reply) for reply in turn.replies)
    assert english.text == "What is your order number?"
    assert sorry == Choices(WORDS.sorry["pt"], (Option("Falar com alguém", "/human"),))
    told = turn.decision["translated"]
    assert told["why"].split(":")[0] in ("EngineFailed", "NotTranslated")
    assert "encomenda" not in told["why"]
    again = await says(turns, store, "Então, onde está a minha encomenda?", 2)
    assert texts(again) == ["What is your order number?"]
    # A day later it is said again.
    aged = {**again.decision["translated"], "told": (utcnow() - timedelta(days=2)).isoformat()}
    decision = {**again.decision, "translated": aged}
    await store.change(Turn, {"id": again.id}, set={"decision": decision})
    third = await says(turns, store, "Onde está a minha encomenda agora?", 3)
    assert len(third.replies) == 2


async def test_without_an_engine_it_is_said_too_and_not_where_the_answer_is_german(
    store: AsyncStore,
) -> None:
    own = Origin("utter_answer_de", ({"text": "Zwei Tage."},))
    german = Outcome([], [Text("Zwei Tage.")], {"n": 1}, {}, None, origins=(own,))
    turns = turns_of(store, Brain(german, asks()), None)
    first = await says(turns, store, "Wie lange dauert die Lieferung bei euch?", 1)
    assert texts(first) == ["Zwei Tage."]
    assert "translated" not in first.decision
    second = await says(turns, store, "Wo ist meine Bestellung, bitte?", 2)
    assert texts(second) == ["What is your order number?", WORDS.sorry["de"]]


@pytest.mark.parametrize("purpose", ["hear", "fixed"])
async def test_whatever_an_engine_raises_the_customer_is_answered(
    store: AsyncStore, purpose: str
) -> None:
    class Broken(Table):
        """Has a bug, each way."""

        async def translate(self, texts: Any, source: str, target: str, job: Any) -> list[str]:
            if job.purpose == purpose:
                raise LookupError("a bug")
            return await super().translate(texts, source, target, job)

    engine = Broken({"Onde está a minha encomenda ⟦1⟧?": "Where is my order ⟦1⟧?"})
    brain = Brain(asks())
    turn = await says(turns_of(store, brain, Translator(engine, Nothing())), store, WHERE, 1)
    assert texts(turn) == ["What is your order number?", WORDS.sorry["pt"]]
    assert brain.heard == [Text(WHERE if purpose == "hear" else "Where is my order 1042?")]


async def test_a_reply_is_waited_for_once_whatever_it_is_made_of(store: AsyncStore) -> None:
    class Together(Table):
        """Answers when its second question is there: one after the other it never would."""

        here, both = 0, asyncio.Event()

        async def translate(self, texts: Any, source: str, target: str, job: Any) -> list[str]:
            if job.purpose != "hear":
                self.here += 1
                if self.here == 2:
                    self.both.set()
                await self.both.wait()
            return await super().translate(texts, source, target, job)

    said = Outcome(
        [],
        [Text("Order 1042 (2 items) was delivered on Friday.")],
        {"n": 1},
        {},
        None,
        origins=(FOUND,),
    )
    engine = Together({WHERE: "Where is my order 1042?"})
    interpreter = Interpreter(Translator(engine, Nothing()), WORDS, "en", tells=TELLS, seconds=5.0)
    turns = Turns(
        store,
        Brain(said),
        lambda channel: CAN,
        turn_seconds=5.0,
        watch=WATCH,
        interpreter=interpreter,
    )
    turn = await says(turns, store, WHERE, 1)
    assert texts(turn) == ["redrO 1042 (2 smeti) saw dereviled no yadirF."]


async def test_who_is_passed_on_is_told_so_without_a_button(
    store: AsyncStore, server: Server
) -> None:
    brain = Brain(asks(handoff=Handoff("human", "asked")))
    turn = await says(turns_of(store, brain, translating(server, "500")), store, WHERE, 1)
    assert decode(turn.replies[1]) == Text(WORDS.handed["pt"])


@pytest.mark.parametrize(
    ("said", "language"), [("Quero falar com uma pessoa", "pt"), ("Få jeg snakke med noen?", "nb")]
)
async def test_who_asks_for_a_person_gets_one_where_nothing_translates(
    store: AsyncStore, said: str, language: str
) -> None:
    brain = Brain(asks(), asks(handoff=Handoff("human", "asked")))
    turns = turns_of(store, brain, None)
    first = await says(turns, store, WHERE, 1)
    assert texts(first)[1] == WORDS.sorry["pt"]
    turn = await says(turns, store, said, 2)
    assert brain.heard[1] == Choice("/human", said)
    # Though it was said just now that he is not understood.
    assert texts(turn)[1] == WORDS.handed[language]


async def test_a_sensitive_matter_of_either_language_is_a_persons(
    store: AsyncStore, server: Server
) -> None:
    turns = turns_of(store, Brain(), translating(server))
    said = "Vou meter um processo, o meu advogado vai escrever-vos amanhã"
    turn = await says(turns, store, said, 1)
    assert turn.decision["handoff"]["topic"] == "legal"
    (reply,) = texts(turn)
    legal = ESCALATION.by_topic("legal", "pt", "")
    assert legal is not None
    assert reply == legal.says


async def test_only_its_translation_tells_it(store: AsyncStore) -> None:
    said = "Vão ver o que vos acontece já"
    english = "I will sue you, you will hear from my solicitor"
    knows = Translator(Table({said: english}), TELLS)
    turn = await says(turns_of(store, Brain(), knows), store, said, 1)
    assert turn.decision["handoff"]["topic"] == "legal"
    assert "in its translation" in turn.decision["handoff"]["why"]
    assert texts(turn)[0] == ESCALATION.by_topic("legal", "pt", "").says


async def test_agents_get_the_translation_while_the_bot_is_silent(
    store: AsyncStore, server: Server
) -> None:
    brain = Brain(asks(handoff=Handoff("human", "asked")))
    turns = turns_of(store, brain, translating(server))
    waiting = await says(turns, store, "Quero falar com uma pessoa", 1)
    assert waiting.decision["translated"]["heard"] == "I want to talk to a person"
    while_waiting = await says(turns, store, WHERE, 2)
    assert while_waiting.decision["translated"]["heard"] == "Where is my order 1042?"
    (case,) = await store.find(Case, {})
    await take(store, case.conversation, "anna")
    under = await says(turns, store, "Muito obrigado pela sua ajuda", 3)
    assert under.replies == []
    assert under.decision["translated"]["heard"] == "Thank you very much for your help"
    entries = await store.find(Entry, {"conversation": KEY})
    told = [entry.text for entry in entries if entry.kind == TRANSLATED]
    assert sorted(told) == ["Thank you very much for your help", "Where is my order 1042?"]
    (line,) = [line for line in await timeline(store, KEY) if line.text == told[0]]
    assert posts.texts(line)[0].startswith("🌐")


async def test_a_failure_is_said_in_the_customers_language_if_that_is_known(
    store: AsyncStore, server: Server
) -> None:
    class Fails(Brain):
        async def take(self, said: Any, state: Any, hints: Any = None) -> Outcome:
            raise RuntimeError("broken")

    turn = await says(turns_of(store, Fails(), translating(server)), store, WHERE, 1)
    assert turn.decision["failure"]["reason"] == "RuntimeError"
    assert len(turn.replies) == 2
    assert texts(turn)[1] == WORDS.sorry["pt"]


async def test_what_is_said_of_a_sensitive_matter_is_translated_where_it_is_not_written(
    store: AsyncStore,
) -> None:
    legal = ESCALATION.by_topic("legal", "en", "")
    assert legal is not None
    assert ESCALATION.speaks("legal", "pt")
    assert not ESCALATION.speaks("legal", "sv")
    swedish = Watch(Perceiver(Settings(("en", "sv")), ESCALATION), ESCALATION)
    said = "Nu ska ni få höra av någon annan än mig, det lovar jag er"
    known = {said: "You will hear from my solicitor, I promise you that"}
    translator = Translator(Table(known), Nothing())
    interpreter = Interpreter(translator, WORDS, "en", tells=TELLS)
    turns = Turns(
        store,
        Brain(),
        lambda channel: CAN,
        turn_seconds=5.0,
        watch=swedish,
        interpreter=interpreter,
    )
    turn = await says(turns, store, said, 1)
    assert turn.decision["handoff"]["topic"] == "legal"
    (reply,) = texts(turn)
    assert reply.startswith(backwards("This is a legal matter"))
    assert "help@larkfield.example" in reply
