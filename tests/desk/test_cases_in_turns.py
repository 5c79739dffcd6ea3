"""What a turn makes of ratings, of who writes again, of anger, and of the hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bot.consent import load_rules
from bot.desk import rating
from bot.desk.handoff import resolve, take
from bot.desk.routing import Routing
from bot.desk.routing_file import load_routing
from bot.desk.watch import Watch
from bot.dialogue.contract import Failure, Handoff, Outcome
from bot.message import Choice, Choices, Option, Text, encode, utcnow
from bot.perception.escalation_file import load_escalation
from bot.perception.perceiving import Perceiver
from bot.settings import Perception as Settings
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import BOT, WAITING, Conversation
from bot.store.journal import Entry
from bot.store.messages import Message, queued
from bot.store.turns import Turn
from bot.turn import Overtaken, Turns
from tests.desk.test_watch import KEY, Seeing, holder, replies, says, turns_of
from tests.kit.build import inbound
from tests.kit.channel import CAN
from tests.kit.hands import given_back, said
from tests.test_turn import pending

ROUTING = load_routing(Path("data/routing.yml"))
#: A Sunday and a Tuesday in London.
CLOSED = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
HERE = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
LEGAL = "If I don't get my money back you'll hear from my solicitor."
ANGRY = "This is absolutely terrible, you are useless and I hate this awful horrible shop!!!"


def watch(**changes: Any) -> Watch:
    escalation = load_escalation()
    routing: Routing = replace(ROUTING, **changes)
    return Watch(Perceiver(Settings(), escalation), escalation, routing=routing)


@pytest.fixture(autouse=True)
async def conversation(store: AsyncStore) -> None:
    await store.insert(Conversation(id=KEY, lease_until=utcnow(), created=utcnow()))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the turn believe that it is some other time."""

    def now_is(at: datetime) -> None:
        monkeypatch.setattr("bot.turn.utcnow", lambda: at)

    now_is(HERE)
    return now_is


async def handed(store: AsyncStore, looks: Watch, n: int = 1) -> Turn:
    """A turn in which the bot hands over for the reason "human"."""
    outcome = Outcome([], [Text("passing you on")], {}, {}, None, Handoff("human", "asked"))
    return await says(turns_of(store, Seeing(outcome), looks), store, "a person please", n)


async def close(store: AsyncStore, case: Case, agent: str, resolution: str) -> None:
    """As an agent does who resolves it and asks for no rating."""
    await given_back(store, case.conversation)
    assert await resolve(store, case, agent, resolution)


async def closed_case(store: AsyncStore, looks: Watch) -> Case:
    """A case that Anna took, answered and closed."""
    turn = await handed(store, looks)
    held = await take(store, KEY, "anna")
    await said(store, held, "I have sent you a new lamp", "Anna", "one")
    case = await store.get(Case, turn.id)
    assert case is not None
    await close(store, case, "anna", "a new lamp")
    found = await store.get(Case, turn.id)
    assert found is not None
    return found


async def test_at_night_who_is_passed_on_is_told_when_somebody_is_here(
    store: AsyncStore, clock: Any
) -> None:
    clock(CLOSED)
    turn = await handed(store, watch())
    passed, told = replies(turn)
    assert passed == "passing you on"
    assert "tomorrow at 09:00" in told


async def test_in_business_hours_nothing_is_said_of_hours(store: AsyncStore, clock: Any) -> None:
    assert replies(await handed(store, watch())) == ["passing you on"]


async def test_what_is_urgent_is_not_put_off_until_the_morning(
    store: AsyncStore, clock: Any
) -> None:
    clock(CLOSED)
    outcome = Outcome([], [Text("now")], {}, {}, None, Handoff("x", "y", "urgent"))
    turn = await says(turns_of(store, Seeing(outcome), watch()), store, "help", 1)
    assert replies(turn) == ["now"]


async def test_who_waits_at_night_and_writes_is_told_when_too(
    store: AsyncStore, clock: Any
) -> None:
    await handed(store, watch())
    clock(CLOSED + timedelta(days=7))
    turn = await says(turns_of(store, Seeing(), watch()), store, "anybody there?", 2)
    assert "09:00" in replies(turn)[0]


async def test_an_angry_customer_gets_his_answer_and_a_person(
    store: AsyncStore, clock: Any
) -> None:
    turn = await says(turns_of(store, Seeing(), watch()), store, ANGRY, 1)
    assert turn.perception["frustrated"]
    assert replies(turn) == ["the bot's answer", ROUTING.says("handed", "en")]
    assert turn.decision["handoff"]["topic"] == "frustrated"
    assert await holder(store) == WAITING


async def test_anger_is_left_to_the_bot_where_the_file_says_so(
    store: AsyncStore, clock: Any
) -> None:
    turn = await says(turns_of(store, Seeing(), watch(frustrated=False)), store, ANGRY, 1)
    assert replies(turn) == ["the bot's answer"]
    assert await holder(store) == BOT


async def test_who_was_angry_before_the_agent_came_is_not_passed_on_again(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    await says(turns_of(store, Seeing(), looks), store, ANGRY, 1)
    await take(store, KEY, "anna")
    await given_back(store, KEY)
    turn = await says(turns_of(store, Seeing(), looks), store, "where is my order", 2)
    assert turn.decision.get("handoff") is None


async def test_the_bot_hears_what_an_agent_and_the_customer_said_meanwhile(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    await says(turns_of(store, Seeing(), looks), store, "hello", 1)
    await handed(store, looks, 2)
    held = await take(store, KEY, "anna")
    await said(store, held, "Is it the oak lamp?", "Anna", "one")
    await says(turns_of(store, Seeing(), looks), store, "yes, with the green shade", 3)
    await given_back(store, KEY)
    brain = Seeing()
    await says(turns_of(store, brain, looks), store, "thanks", 4)
    (hints,) = brain.hints
    assert hints is not None
    assert [(s.agent, s.text) for s in hints.meanwhile] == [
        ("Anna", "Is it the oak lamp?"),
        ("", "yes, with the green shade"),
    ]
    brain = Seeing()
    await says(turns_of(store, brain, looks), store, "and now?", 5)
    assert brain.hints[0] is not None
    assert brain.hints[0].meanwhile == ()


async def rate(store: AsyncStore, looks: Watch, case: str, stars: int, n: int) -> Turn:
    """Press a star of the question that is on the phone."""
    row = queued(f"ask:{n}", KEY, rating.question(ROUTING, "en", case), order=5000, turn="t")
    row.provider_id = f"asked-{n}"
    row.status = "sent"
    await store.insert_new([row])
    chosen = rating.question(ROUTING, "en", case).options[stars - 1]
    pressed = Choice(chosen.payload, chosen.title, f"asked-{n}")
    return await says(turns_of(store, Seeing(), looks), store, pressed, n)


async def test_a_rating_is_kept_and_thanked_for_and_no_matter_of_the_bots(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    case = await closed_case(store, looks)
    turn = await rate(store, looks, case.id, 4, 2)
    assert replies(turn) == [ROUTING.says("rated", "en")]
    found = await store.get(Case, case.id)
    assert found is not None
    assert (found.rating, found.status) == (4, RESOLVED)
    (entry,) = await store.find(Entry, {"case": case.id, "kind": "rated"})
    assert entry.details == {"stars": 4}
    assert await holder(store) == BOT
    # And the bot answers again.
    brain = Seeing()
    await says(turns_of(store, brain, looks), store, "hello", 3)
    assert len(brain.hints) == 1


async def test_a_rating_that_was_never_asked_for_is_no_rating(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    case = await closed_case(store, looks)
    payload = rating.question(ROUTING, "en", case.id).options[4].payload
    turn = await says(turns_of(store, Seeing(), looks), store, Choice(payload, "five"), 2)
    assert turn.heard == encode(Text("five"))
    found = await store.get(Case, case.id)
    assert found is not None
    assert found.rating == 0


async def test_handed_over_soon_after_it_is_the_same_case_again_and_once(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    case = await closed_case(store, looks)
    clock(utcnow())
    turn = await handed(store, looks, 2)
    assert turn.decision["handoff"]["again"] == {"case": case.id, "opened": 1}
    found = await store.find(Case, {"conversation": KEY}, sort=("at",))
    assert [(c.id, c.status, c.opened) for c in found] == [(case.id, OPEN, 2)]
    # Closed once more, the turn that opened it, done again, leaves it closed.
    await take(store, KEY, "anna")
    await close(store, found[0], "anna", "done")
    message = await store.get(Message, turn.id)
    assert message is not None
    await turns_of(store, Seeing(), looks).deriving.derive(turn, message)
    again = await store.get(Case, case.id)
    assert again is not None
    assert (again.status, again.opened) == (RESOLVED, 2)


async def test_long_after_it_is_a_case_of_its_own(store: AsyncStore, clock: Any) -> None:
    looks = watch()
    await closed_case(store, looks)
    clock(utcnow() + ROUTING.reopen_within + timedelta(hours=1))
    await handed(store, looks, 2)
    assert await store.count(Case, {"conversation": KEY}) == 2


async def test_where_the_file_says_so_any_message_opens_the_case_again(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch(after_close="reopen")
    case = await closed_case(store, looks)
    clock(utcnow())
    turn = await says(turns_of(store, Seeing(), looks), store, "it is broken again", 2)
    assert "the bot's answer" not in replies(turn)
    assert await holder(store) == WAITING
    found = await store.get(Case, case.id)
    assert found is not None
    assert found.status == OPEN
    # But not the rating of it.
    await take(store, KEY, "anna")
    await close(store, found, "anna", "done")
    await rate(store, looks, case.id, 5, 3)
    assert await holder(store) == BOT


async def test_what_is_more_urgent_meanwhile_is_a_part_of_the_case_that_is_open(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    first = await handed(store, looks)
    second = await says(turns_of(store, Seeing(), looks), store, LEGAL, 2)
    case = await store.get(Case, second.id)
    assert case is not None
    assert (case.topic, case.part_of, case.language) == ("legal", first.id, "en")


async def test_the_language_is_kept_for_whoever_writes_unasked(
    store: AsyncStore, clock: Any
) -> None:
    await says(turns_of(store, Seeing(), watch()), store, "wo ist meine Bestellung, bitte?", 1)
    held = await store.get(Conversation, KEY)
    assert held is not None
    assert held.language == "de"


async def test_a_sensitive_matter_is_never_the_old_case_again(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    await closed_case(store, looks)
    clock(utcnow())
    turn = await says(turns_of(store, Seeing(), looks), store, LEGAL, 2)
    assert "again" not in turn.decision["handoff"]
    found = await store.get(Case, turn.id)
    assert found is not None
    assert (found.topic, found.priority, found.status) == ("legal", "high", OPEN)


async def test_what_is_more_urgent_than_the_case_before_is_a_case_of_its_own(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    await closed_case(store, looks)
    clock(utcnow())
    outcome = Outcome([], [Text("now")], {}, {}, None, Handoff("refund", "above", "high"))
    turn = await says(turns_of(store, Seeing(outcome), looks), store, "my money", 2)
    assert await store.get(Case, turn.id) is not None


async def test_a_case_that_opens_again_is_about_what_is_wanted_now(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch(after_close="reopen")
    case = await closed_case(store, looks)
    clock(utcnow())
    await says(turns_of(store, Seeing(), looks), store, "it is broken again", 2)
    found = await store.get(Case, case.id)
    assert found is not None
    assert found.summary == "it is broken again"


async def test_what_is_wanted_is_what_began_the_form_not_its_last_answer(
    store: AsyncStore, clock: Any
) -> None:
    asking = Outcome([], [Text("the code?")], {"active_loop": "prove_form"}, {}, None)
    done = Outcome([], [Text("passing you on")], {}, {}, None, Handoff("address", "proven"))
    turns = turns_of(store, Seeing(asking, asking, done, asking), watch())
    for n, text in enumerate(["Send it to my office", "12 Mill Lane"], 1):
        await says(turns, store, text, n)
    turn = await says(turns, store, "832470", 3)
    found = await store.get(Case, turn.id)
    assert found is not None
    assert found.summary == "Send it to my office"


async def test_who_presses_a_button_for_a_person_wants_what_he_asked_before(
    store: AsyncStore, clock: Any
) -> None:
    offer = Choices("I don't know that.", (Option("Talk to a person", "/human"),))
    unknown = Outcome([], [offer], {}, {}, None)
    done = Outcome([], [Text("passing you on")], {}, {}, None, Handoff("human", "asked"))
    turns = turns_of(store, Seeing(unknown, done), watch())
    await says(turns, store, "Do you sell peelers?", 1)
    turn = await says(turns, store, Choice("/human", "Talk to a person"), 2)
    found = await store.get(Case, turn.id)
    assert found is not None
    assert found.summary == "Do you sell peelers?"


@pytest.mark.parametrize("between", ["a rating", "a failure"])
async def test_the_bot_hears_of_it_also_when_something_else_comes_first(
    store: AsyncStore, clock: Any, between: str
) -> None:
    looks = watch()
    await says(turns_of(store, Seeing(), looks), store, "hello", 1)
    turn = await handed(store, looks, 2)
    held = await take(store, KEY, "anna")
    await said(store, held, "Is it the oak lamp?", "Anna", "one")
    case = await store.get(Case, turn.id)
    assert case is not None
    await close(store, case, "anna", "done")
    if between == "a rating":
        await rate(store, looks, case.id, 5, 3)
    else:
        failed = Outcome([], [Text("sorry")], {}, {}, Failure("brain", "x", ""))
        await says(turns_of(store, Seeing(failed), looks), store, "well?", 3)
    brain = Seeing()
    await says(turns_of(store, brain, looks), store, "thanks", 4)
    assert brain.hints[0] is not None
    assert brain.hints[0].resumed
    assert [s.text for s in brain.hints[0].meanwhile if s.agent] == ["Is it the oak lamp?"]
    await says(turns_of(store, brain, looks), store, "and now?", 5)
    assert brain.hints[1] is not None
    assert not brain.hints[1].resumed


async def test_who_is_calmer_after_an_agent_is_not_passed_on_for_old_anger(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    await says(turns_of(store, Seeing(), looks), store, ANGRY, 1)
    await take(store, KEY, "anna")
    await given_back(store, KEY)
    turn = await says(turns_of(store, Seeing(), looks), store, "my order is late", 2)
    assert turn.decision.get("handoff") is None


async def test_who_is_passed_on_for_anger_is_asked_nothing_more_by_a_form(
    store: AsyncStore, clock: Any
) -> None:
    asks = Outcome([], [Text("What is your order number?")], {"active_loop": "f"}, {}, None)
    turn = await says(turns_of(store, Seeing(asks), watch()), store, ANGRY, 1)
    assert replies(turn) == [ROUTING.says("handed", "en")]


async def test_an_urgent_matter_is_a_case_also_while_an_agent_has_the_conversation(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    first = await handed(store, looks)
    await take(store, KEY, "anna")
    turn = await says(turns_of(store, Seeing(), looks), store, LEGAL, 2)
    assert replies(turn) == []
    found = await store.get(Case, turn.id)
    assert found is not None
    assert (found.topic, found.part_of) == ("legal", first.id)
    # Said once more it is the same matter.
    again = await says(turns_of(store, Seeing(), looks), store, LEGAL, 3)
    assert await store.get(Case, again.id) is None


async def test_a_message_whose_agent_leaves_at_that_instant_is_not_passed_over(
    store: AsyncStore, clock: Any
) -> None:
    looks = watch()
    await handed(store, looks)
    await take(store, KEY, "anna")
    lease = await store.get(Conversation, KEY)
    assert lease is not None
    await given_back(store, KEY)
    message = await pending(store, inbound("hello?", n=2))
    with pytest.raises(Overtaken):
        await turns_of(store, Seeing(), looks).take(message, lease)
    assert await store.get(Turn, message.id) is None


async def test_an_ordinary_turn_asks_for_no_closed_case(
    store: AsyncStore, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(*_: Any) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr("bot.turn.last_closed", asked)
    turn = await says(turns_of(store, Seeing(), watch()), store, "hello", 1)
    assert replies(turn) == ["the bot's answer"]


async def test_the_bot_hears_of_it_also_after_stop_and_start(store: AsyncStore, clock: Any) -> None:
    looks = watch()
    rules = load_rules()

    def turns(brain: Seeing) -> Turns:
        return Turns(store, brain, lambda _: CAN, turn_seconds=5.0, watch=looks, rules=rules)

    await says(turns(Seeing()), store, "hello", 1)
    held = await take(store, KEY, "anna")
    await said(store, held, "Is it the oak lamp?", "Anna", "one")
    await given_back(store, KEY)
    await says(turns(Seeing()), store, "stop", 2)
    await says(turns(Seeing()), store, "start", 3)
    brain = Seeing()
    await says(turns(brain), store, "what about my lamp?", 4)
    assert brain.hints[0] is not None
    assert [s.text for s in brain.hints[0].meanwhile if s.agent] == ["Is it the oak lamp?"]


async def test_the_case_of_who_is_taken_over_in_that_moment_is_the_agents(
    store: AsyncStore, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = store.insert_new

    async def slower(rows: Any) -> list[bool]:
        if isinstance(rows[0], Case) and not rows[0].id.startswith("taken"):
            taken = Case(id="taken:1", conversation=KEY, topic="taken", at=utcnow())
            await insert([taken])
            await take(store, KEY, "anna")
        return await insert(rows)

    monkeypatch.setattr(store, "insert_new", slower)
    turn = await handed(store, watch())
    found = await store.get(Case, turn.id)
    assert found is not None
    assert (found.agent, found.part_of) == ("anna", "taken:1")
