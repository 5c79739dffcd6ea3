"""What a turn makes of a sensitive message, and of a customer who waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.consent import load_rules
from bot.desk.watch import TELL_AGAIN, Watch
from bot.dialogue.contract import Handoff, Hints, Outcome
from bot.message import Choice, Content, Deletion, Edit, Inbound, Reaction, Text, utcnow
from bot.perception.escalation_file import parse_escalation
from bot.perception.perceiving import Perceiver
from bot.settings import Perception as Settings
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import BOT, WAITING, Conversation
from bot.store.gaps import Gap
from bot.store.messages import DONE, Message
from bot.store.turns import Turn
from bot.thinking import APOLOGY
from bot.turn import Turns
from tests.kit.build import address, inbound
from tests.kit.channel import CAN
from tests.kit.hands import given_back
from tests.test_turn import out, pending

KEY = address().key
#: The project's own, and an intent of a designer's.
ESCALATION = parse_escalation(
    Path("data/escalation.yml")
    .read_text("utf-8")
    .replace("\n  legal:\n", "\n  legal:\n    intents: [legal_threat]\n")
)
WATCH = Watch(Perceiver(Settings(), ESCALATION), ESCALATION)
LEGAL = "If I don't get my money back you'll hear from my solicitor."


class Seeing:
    """A brain that says what it was told, or what it was made to."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.hints: list[Hints | None] = []

    async def take(
        self, said: Inbound, state: dict[str, Any] | None, hints: Hints | None = None
    ) -> Outcome:
        self.hints.append(hints)
        if self.outcomes:
            return self.outcomes.pop(0)
        return Outcome([], [Text("the bot's answer")], {"n": 1}, {}, None)


def turns_of(store: AsyncStore, brain: Seeing, watch: Watch = WATCH) -> Turns:
    return Turns(store, brain, lambda channel: CAN, turn_seconds=5.0, watch=watch)


async def says(turns: Turns, store: AsyncStore, text: Any, n: int) -> Turn:
    """Take one message as a worker does, with the conversation as it is now."""
    message = await pending(store, inbound(text, n=n))
    conversation = await store.get(Conversation, KEY)
    assert conversation is not None
    return await turns.take(message, conversation)


@pytest.fixture(autouse=True)
async def conversation(store: AsyncStore) -> None:
    await store.insert(Conversation(id=KEY, lease_until=utcnow(), created=utcnow()))


def replies(turn: Turn) -> list[str]:
    """What a turn replied, before the channel cut it into messages."""
    return [reply["text"] for reply in turn.replies]


def first_sentence(topic: str) -> str:
    matter = ESCALATION.by_topic(topic, "en", "")
    assert matter is not None
    return matter.says


async def holder(store: AsyncStore) -> str:
    held = await store.get(Conversation, KEY)
    assert held is not None
    return str(held.holder)


async def test_a_legal_threat_arrives_at_a_person_and_the_brain_never_sees_it(
    store: AsyncStore,
) -> None:
    brain = Seeing()
    turn = await says(turns_of(store, brain), store, LEGAL, 1)
    assert brain.hints == []
    assert replies(turn) == [first_sentence("legal")]
    assert await holder(store) == WAITING
    case = await store.get(Case, turn.id)
    assert case is not None
    assert (case.topic, case.status) == ("legal", "open")
    assert "solicitor" in case.why
    assert turn.perception["language"] == "en"


async def test_what_is_not_sensitive_goes_to_the_brain_with_what_was_seen(
    store: AsyncStore,
) -> None:
    brain = Seeing()
    turn = await says(turns_of(store, brain), store, "wo ist meine Bestellung, bitte?", 1)
    (hints,) = brain.hints
    assert hints is not None
    assert hints.perception["language"] == "de"
    assert "legal_threat" in hints.intents
    assert turn.perception == hints.perception
    assert await holder(store) == BOT


async def test_an_intent_that_is_a_persons_stops_the_brain(store: AsyncStore) -> None:
    stopped = Outcome([], [], {}, {"intent": "legal_threat"}, None, stopped="legal_threat")
    turn = await says(turns_of(store, Seeing(stopped)), store, "we shall meet before a judge", 1)
    assert turn.parse == {"intent": "legal_threat"}
    assert turn.decision["handoff"]["topic"] == "legal"
    assert await holder(store) == WAITING


async def test_an_action_can_hand_over_and_what_it_said_goes_out(store: AsyncStore) -> None:
    handed = Outcome(
        [], [Text("I'm passing you on")], {"n": 1}, {}, None, handoff=Handoff("human", "asked")
    )
    turns = turns_of(store, Seeing(handed))
    await says(turns, store, "get me somebody", 1)
    (row,) = await out(store)
    held = await store.get(Conversation, KEY)
    assert held is not None
    # The outbox drops what another epoch made.
    assert (held.holder, row.epoch) == (WAITING, held.epoch)


async def test_a_customer_who_waits_is_told_so_once_in_a_while(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    brain = Seeing()
    turns = turns_of(store, brain)
    await says(turns, store, LEGAL, 1)
    # He has just been told.
    assert replies(await says(turns, store, "hello?", 2)) == []
    assert replies(await says(turns, store, "are you there", 3)) == []
    later = utcnow() + TELL_AGAIN + timedelta(seconds=1)
    monkeypatch.setattr("bot.turn.utcnow", lambda: later)
    assert replies(await says(turns, store, "still nobody?", 4)) == [ESCALATION.waiting("en")]
    assert replies(await says(turns, store, "hm", 5)) == []
    assert brain.hints == []


async def test_what_is_more_urgent_while_waiting_is_a_case_of_its_own(store: AsyncStore) -> None:
    turns = turns_of(store, Seeing())
    await says(turns, store, LEGAL, 1)
    await says(turns, store, "my solicitor will sue you, really", 2)
    assert await store.count(Case, {}) == 1
    turn = await says(turns, store, "I want to kill myself", 3)
    topics = [case.topic for case in await store.find(Case, {}, sort=("at",))]
    assert topics == ["legal", "self_harm"]
    assert replies(turn) == [first_sentence("self_harm")]


async def test_given_back_the_bot_answers_again(store: AsyncStore) -> None:
    brain = Seeing()
    turns = turns_of(store, brain)
    await says(turns, store, LEGAL, 1)
    await given_back(store, KEY)
    turn = await says(turns, store, "where is my order", 2)
    assert turn.decision["by"] == BOT
    assert len(brain.hints) == 1


async def test_a_worker_that_dies_after_the_commit_loses_no_case(store: AsyncStore) -> None:
    turns = turns_of(store, Seeing())
    message = await pending(store, inbound(LEGAL, n=1))
    conversation = await store.get(Conversation, KEY)
    assert conversation is not None
    await turns._commit(message, conversation, (), "")
    assert await store.count(Case, {}) == 0
    # The next message finishes what the last turn left, and is not answered by the bot,
    # though its lease still says that the conversation is the bot's.
    turn = await says(turns, store, "and another thing", 2)
    assert turn.decision["by"] == WAITING
    assert await store.count(Case, {}) == 1
    assert await holder(store) == WAITING
    done = await store.get(Message, message.id)
    assert done is not None
    assert done.status == DONE


async def test_a_question_without_an_answer_is_a_gap_once(store: AsyncStore) -> None:
    note = {"question": "do you sell boats", "gap": {"why": "unanswered", "nearest": []}}
    answered = Outcome([], [Text("I don't know")], {}, {}, None, answered=note)
    turns = turns_of(store, Seeing(answered))
    turn = await says(turns, store, "do you sell boats", 1)
    message = await store.get(Message, turn.id)
    assert message is not None
    await turns.deriving.derive(turn, message)
    (found,) = await store.find(Gap, {}, sort=("at",))
    assert (found.id, found.question, found.closed) == (turn.id, "do you sell boats", None)


async def test_buttons_are_no_words_of_the_customers(store: AsyncStore) -> None:
    turns = turns_of(store, Seeing())
    turn = await says(turns, store, Choice("/legal", "I'll sue you"), 1)
    # Nobody offered that button: it is read as what it says.
    assert turn.decision["handoff"]["topic"] == "legal"


async def test_what_cannot_be_looked_at_is_answered_all_the_same(store: AsyncStore) -> None:
    class Blind(Watch):
        async def see(self, *args: Any, **more: Any) -> Any:
            raise RuntimeError("no eyes")

    brain = Seeing()
    watch = Blind(Perceiver(Settings(), ESCALATION), ESCALATION)
    turn = await says(turns_of(store, brain, watch), store, "hello", 1)
    assert (turn.decision["by"], brain.hints) == (BOT, [Hints()])


async def test_the_model_is_asked_about_every_message_where_designers_say_so(
    store: AsyncStore,
) -> None:
    asked: list[str] = []

    async def classify(text: str, conversation: str, known: Sequence[str]) -> str | None:
        asked.append(text)
        return "hardship" if "bread" in text else None

    watch = Watch(Perceiver(Settings(), ESCALATION), ESCALATION, classify)
    turns = turns_of(store, Seeing(), watch)
    await says(turns, store, "where is my order", 1)
    assert await holder(store) == BOT
    turn = await says(turns, store, "there is bread for two more days", 2)
    assert asked == ["where is my order", "there is bread for two more days"]
    assert turn.decision["handoff"]["topic"] == "hardship"


@pytest.mark.parametrize(
    "between", [["STOP", "START"], [Deletion("ann-2")], [Reaction("ann-1", "👍")]]
)
async def test_nothing_said_in_between_makes_the_bot_forget_what_is_waited_for(
    store: AsyncStore, between: list[str | Content]
) -> None:
    turns = Turns(
        store, Seeing(), lambda channel: CAN, turn_seconds=5.0, watch=WATCH, rules=load_rules()
    )
    await says(turns, store, LEGAL, 1)
    await says(turns, store, "hello?", 2)
    for n, content in enumerate(between, 3):
        await says(turns, store, content, n)
    turn = await says(turns, store, "my solicitor will sue you, really", 5)
    assert replies(turn) == []
    assert await store.count(Case, {}) == 1


async def test_what_is_corrected_while_waiting_is_looked_at_too(store: AsyncStore) -> None:
    turns = turns_of(store, Seeing())
    await says(turns, store, LEGAL, 1)
    await says(turns, store, "I want to", 2)
    turn = await says(turns, store, Edit("ann-2", "I want to kill myself"), 3)
    assert turn.decision["handoff"]["topic"] == "self_harm"


async def test_who_only_reacts_while_waiting_is_told_nothing(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = turns_of(store, Seeing())
    await says(turns, store, LEGAL, 1)
    later = utcnow() + TELL_AGAIN + timedelta(seconds=1)
    monkeypatch.setattr("bot.turn.utcnow", lambda: later)
    assert replies(await says(turns, store, Reaction("ann-1", "👍"), 2)) == []
    assert replies(await says(turns, store, "hello?", 3)) == [ESCALATION.waiting("en")]


async def test_a_message_that_workers_died_of_is_not_looked_at_again(store: AsyncStore) -> None:
    looked: list[Any] = []

    class Deadly(Watch):
        async def see(self, *args: Any, **more: Any) -> Any:
            looked.append(args)
            return await super().see(*args, **more)

    watch = Deadly(Perceiver(Settings(), ESCALATION), ESCALATION)
    message = await pending(store, inbound(LEGAL, n=1))
    conversation = await store.get(Conversation, KEY)
    assert conversation is not None
    taken = turns_of(store, Seeing(), watch).take(message, conversation, hopeless="3 died of it")
    turn = await taken
    assert replies(turn) == [APOLOGY]
    assert looked == []
    assert turn.decision["failure"]["reason"] == "3 died of it"


async def test_who_wants_no_messages_gets_none_and_somebody_knows_all_the_same(
    store: AsyncStore,
) -> None:
    await store.change(Conversation, {"id": KEY}, set={"opted_out": "all", "consent_at": utcnow()})
    brain = Seeing()
    turns = Turns(
        store,
        brain,
        lambda channel: CAN,
        turn_seconds=5.0,
        rules=load_rules(Path("data/consent.yml")),
        watch=WATCH,
    )
    turn = await says(turns, store, "I want to kill myself", 1)
    assert (replies(turn), brain.hints) == ([], [])
    case = await store.get(Case, turn.id)
    assert case is not None
    assert case.topic == "self_harm"
