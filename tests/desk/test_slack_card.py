"""What the card tells is what the store knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.desk.contract import Person
from bot.desk.slack.blocks import Card
from bot.desk.slack.card import card_of, highest, mood_in_words
from bot.desk.slack.plan import as_person
from bot.identity import customer_of, merge
from bot.message import Inbound, Profile, Text, encode, utcnow
from bot.perception.contract import Perception
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, WAITING, Conversation
from bot.store.customers import AGENT as BY_AGENT
from bot.store.messages import FAILED, SENT, Message, arrival, to_message
from bot.store.turns import Turn
from tests.kit.at_desk import PEOPLE, routing
from tests.kit.build import address

KEY = address().key
NOW = utcnow()


async def told(store: AsyncStore, case: Case) -> Card:
    cases = await store.find(Case, {"conversation": KEY, "status": OPEN}, sort=("at",))
    return await card_of(store, case, PEOPLE, routing(), cases)


def case(id: str = "c1", **more: Any) -> Case:
    values: dict[str, Any] = {"topic": "human", "at": utcnow(), "conversation": KEY}
    return Case(id=id, **{**values, **more})


async def asks(store: AsyncStore, text: str, user: str = "ann") -> Message:
    id = f"{user}-{arrival()}"
    row = to_message(Inbound(address(user), id, Text(text), utcnow(), profile=Profile("Amara")))
    await store.insert(row)
    return row


async def says(store: AsyncStore, text: str, **more: Any) -> Message:
    values = {"agent": "", "status": SENT, "sent": utcnow(), "due": utcnow()}
    row = Message(
        id=f"out:{arrival()}",
        direction="out",
        conversation=KEY,
        channel="line",
        account="shop",
        content=encode(Text(text)),
        arrived=arrival(),
        **{**values, **more},
    )
    await store.insert(row)
    return row


async def talk(store: AsyncStore, **more: Any) -> None:
    values = {"id": KEY, "holder": WAITING, "lease_until": NOW, "created": NOW, "language": "de"}
    await store.insert(Conversation(**{**values, **more}))


async def test_a_card_of_little(store: AsyncStore) -> None:
    shown = await told(store, case())
    assert (shown.who, shown.mood, shown.orders, shown.deadline) == ("", "", (), None)
    assert shown.holder is None
    assert not shown.waiting


async def test_a_card_of_all(store: AsyncStore) -> None:
    await talk(store)
    await asks(store, "where is order 1042? I am here since 2019")
    await says(store, "Order 1042 is on its way")
    await says(store, "It left on Monday", status=FAILED)
    seen = Perception("de", 0.9, -0.8, -0.6, 0.7, False, None)
    turn = Turn(id="t1", conversation=KEY, seq=1, at=NOW, perception=seen.encode())
    turn.state = {"slots": {"order_number": "1050"}}
    await store.insert(turn)
    mine = case(
        summary="wants it now", why="angry", priority="high", details={"paid": "£39", "x": ""}
    )
    await store.insert(mine)
    # What the bot says to somebody who waits is nothing that it did before.
    mine.at = utcnow() - timedelta(seconds=1)
    shown = await told(store, mine)
    assert shown.who == "Amara"
    assert shown.language == "German"
    assert shown.orders == ("1050", "1042")
    assert shown.did == (
        "said: Order 1042 is on its way",
        "said: It left on Monday (not delivered)",
    )
    assert shown.mood == "angry, in a hurry"
    assert shown.facts == (("Paid", "£39"),)
    assert shown.waiting
    assert shown.deadline == routing().due(mine.at, "high", first=True)


async def test_a_deadline_is_over_when_an_agent_has_answered(store: AsyncStore) -> None:
    await talk(store, holder=AGENT, agent="anna")
    mine = case(agent="ben")
    await store.insert(mine)
    await says(store, "Hi", agent="Anna Keller")
    shown = await told(store, mine)
    assert shown.deadline is None
    assert shown.holder is not None
    assert shown.assignee is not None
    assert (shown.holder.name, shown.assignee.name) == ("Anna Keller", "Ben Okafor")
    await asks(store, "and now?")
    again = await told(store, mine)
    assert again.deadline is not None


async def test_earlier_cases_are_the_persons_not_the_addresss(store: AsyncStore) -> None:
    one = await customer_of(store, address("ann"))
    two = await customer_of(store, address("old"))
    await merge(store, one.members[0].id, two.members[0].id, BY_AGENT, "the same")
    await talk(store, customer=one.id)
    for n, key in enumerate((KEY, address("old").key, address("other").key)):
        ended = {"status": RESOLVED, "resolved": NOW - timedelta(days=3 - n)}
        more = {"at": NOW - timedelta(days=4), "resolution": f"done {n}", **ended}
        await store.insert(case(f"e{n}", conversation=key, **more))
    mine = case()
    await store.insert(mine)
    shown = await told(store, mine)
    assert (shown.previous, shown.last) == (2, "done 1")


async def test_further_cases_lend_their_priority(store: AsyncStore) -> None:
    await talk(store)
    mine, other = case(), case("c2", priority="urgent", topic="legal", summary="my lawyer")
    for one in (mine, other):
        await store.insert(one)
    shown = await told(store, mine)
    assert shown.priority == "urgent"
    assert shown.also == ("legal, urgent: my lawyer",)
    assert highest([]) == "normal"


@pytest.mark.parametrize(
    ("mood", "urgency", "frustrated", "words"),
    [
        (-0.9, 0.0, False, "angry"),
        (-0.3, 0.0, False, "unhappy"),
        (0.0, 0.9, False, "neutral, in a hurry"),
        (0.9, 0.0, False, "friendly"),
        (0.9, 0.0, True, "frustrated"),
    ],
)
def test_moods_have_words(mood: float, urgency: float, frustrated: bool, words: str) -> None:
    assert mood_in_words(Perception("en", 1, 0, mood, urgency, frustrated, None)) == words


def test_on_call_lists_name_agents_or_slack_users() -> None:
    assert as_person(PEOPLE, "anna").slack == "U0ANNA"
    assert as_person(PEOPLE, "U0BEN").name == "Ben Okafor"
    assert as_person(PEOPLE, "U0NEW").slack == "U0NEW"
    assert as_person(PEOPLE, "slack:U0NEW").slack == "U0NEW"
    assert as_person(PEOPLE, "carol") == Person("carol", "carol")
