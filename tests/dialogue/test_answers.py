"""What a conversation makes of answers, of none, and of being passed on to a person."""

from __future__ import annotations

from typing import Any

import pytest

from bot.dialogue.brain import Brain
from tests.kit.talk import Conversation, buttons, words

NOBODY_WROTE = "Do you sell left-handed peelers?"
ANSWERED = "What does two-person delivery cost?"


async def said(talk: Conversation, message: str) -> str:
    """Say something and return the first reply."""
    return (await talk.say(message))[0]


@pytest.mark.parametrize("yes", ["yes please", "/affirm"])
async def test_yes_to_a_person_fetches_one(brain: Brain, yes: str) -> None:
    talk = Conversation(brain)
    assert (await said(talk, NOBODY_WROTE)).startswith("I don't know that")
    outcome = await talk.take(yes)
    assert words(outcome.replies)[0].startswith("I'm passing you on")
    assert outcome.handoff is not None
    assert outcome.handoff.topic == "unanswered"


@pytest.mark.parametrize("no", ["no", "/deny"])
async def test_no_to_a_person_is_taken_for_that(brain: Brain, no: str) -> None:
    talk = Conversation(brain)
    await talk.take(NOBODY_WROTE)
    outcome = await talk.take(no)
    assert words(outcome.replies) == ["As you like. I'm here when you need me."]
    # The question is a gap already, and was not answered badly.
    assert outcome.answered is None


async def test_yes_to_an_answer_is_gladness_and_no_is_a_gap_once(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.take(ANSWERED)
    assert (await said(talk, "yes")).startswith("Glad to hear it")
    await talk.take(ANSWERED)
    outcome = await talk.take("no")
    assert outcome.answered is not None
    assert outcome.answered["gap"]["why"] == "rated"
    outcome = await talk.take("/answer_missed")
    assert outcome.answered is None
    assert await said(talk, "no") == "As you like. I'm here when you need me."


@pytest.mark.parametrize("asked", [["I want to talk to a human"], [NOBODY_WROTE, NOBODY_WROTE]])
async def test_who_is_passed_on_out_of_a_form_is_asked_nothing_more(
    brain: Brain, asked: list[str]
) -> None:
    talk = Conversation(brain)
    await talk.take("where is my order")
    for question in asked:
        outcome = await talk.take(question)
    assert outcome.handoff is not None
    assert len(outcome.replies) == 1
    assert talk.state["active_loop"] is None
    # Given back, the form is over, and whatever is written then no order number.
    assert (await said(talk, "hello")).startswith("Hello! I'm the assistant")


async def test_a_question_in_a_form_is_answered_and_the_form_goes_on(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.take("where is my order")
    for question, answer in ((ANSWERED, "From our article"), (NOBODY_WROTE, "I don't know that")):
        replies = await talk.say(question)
        assert replies[0].startswith(answer)
        assert replies[-1].startswith("What is your order number?")
    assert (await said(talk, "1042")).startswith("Order 1042")


async def test_every_offered_article_can_be_read_also_after_another_question(
    brain: Brain,
) -> None:
    talk = Conversation(brain)
    offer = await _offered(talk)
    first, second = offer[:2]
    assert (await said(talk, first)).startswith("From our article")
    assert (await said(talk, second)).startswith("From our article")
    await talk.take(ANSWERED)
    assert (await said(talk, first)).startswith("From our article")


async def test_an_article_that_was_not_offered_is_not_shown(brain: Brain) -> None:
    talk = Conversation(brain)
    said_first = await said(talk, '/show_article{"article": "delivery/uk-delivery"}')
    assert said_first.startswith("Sorry, I didn't understand")


async def test_questions_are_not_mixed_with_the_one_before(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.take("What is the warranty on knives?")
    outcome = await talk.take("Do you deliver to Norway?")
    assert outcome.answered is not None
    assert outcome.answered["question"] == "Do you deliver to Norway?"


async def test_what_was_told_of_an_earlier_session_is_not_told_again(
    brain: Brain,
) -> None:
    talk = Conversation(brain)
    await talk.take(NOBODY_WROTE)
    outcome = await talk.take("/human")
    assert outcome.handoff is not None
    _a_day_later(talk.state)
    outcome = await talk.take("hello")
    assert any(e["event"] == "session_started" for e in outcome.events)
    assert (outcome.handoff, outcome.answered) == (None, None)


def _a_day_later(state: dict[str, Any]) -> None:
    for event in state["recent"]:
        if event.get("timestamp"):
            event["timestamp"] -= 25 * 3600


async def _offered(talk: Conversation) -> list[str]:
    for question in (
        "Can I get a discount on candles?",
        "Is my parcel insured on its way?",
        "Can I have it wrapped?",
        "Are the lamps safe for children?",
    ):
        outcome = await talk.take(question)
        if (outcome.answered or {}).get("how") == "offer":
            (reply,) = outcome.replies
            assert buttons([reply])[-1] == "None of these"
            return [option.payload for option in reply.options]  # type: ignore[union-attr]
    raise AssertionError("no question was answered by an offer")


async def test_a_question_of_which_no_article_has_a_word_is_a_gap(brain: Brain) -> None:
    outcome = await Conversation(brain).take("what is the flimflam of the parrot xyzzy")
    assert outcome.parse["intent"] == "question"
    assert words(outcome.replies)[0].startswith("I don't know that")
    assert outcome.answered is not None
    assert outcome.answered["gap"]["why"] == "unanswered"
    assert "flimflam" in outcome.answered["question"]


async def test_nobody_is_fetched_for_jokes(brain: Brain) -> None:
    talk = Conversation(brain)
    for _ in range(3):
        outcome = await talk.take("tell me a joke")
        assert outcome.parse["intent"] == "out_of_scope"
        assert outcome.handoff is None


async def test_who_is_not_understood_twice_in_a_row_gets_a_person(brain: Brain) -> None:
    talk = Conversation(brain)
    outcome = await talk.take("blorp fnord wibble")
    assert outcome.handoff is None
    outcome = await talk.take("zxqv grault plugh")
    assert outcome.handoff is not None
    assert outcome.handoff.why == "2 without answer"


async def test_who_was_understood_in_between_is_not_passed_on(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.take("blorp fnord wibble")
    await talk.take("hello")
    assert (await talk.take("zxqv grault plugh")).handoff is None
    assert (await talk.take("zxqv fnord wibble")).handoff is not None
