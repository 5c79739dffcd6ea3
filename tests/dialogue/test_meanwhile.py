"""The bot goes on after an agent, and knows what was said in between."""

from __future__ import annotations

import time

import pytest

from bot.dialogue.brain import Brain
from bot.dialogue.contract import Hints, Outcome, Spoken
from bot.message import Inbound
from tests.kit.talk import Conversation, meant, words

AGENT = "Your parcel with order 1042 is at the depot, I have told them."
THANKS = "thanks, and the vase arrived broken"


async def back(talk: Conversation, message: str) -> Outcome:
    now = time.time()
    meanwhile = (Spoken(THANKS, "", now - 60), Spoken(AGENT, "Anna", now - 50))
    said = Inbound(talk.address, "back", meant(message))
    outcome = await talk.brain.take(
        said, talk.state or None, Hints(resumed=True, meanwhile=meanwhile)
    )
    talk.state = outcome.state
    assert outcome.failure is None
    return outcome


async def test_what_was_said_meanwhile_is_in_the_tracker_before_the_new_message(
    brain: Brain,
) -> None:
    talk = Conversation(brain)
    await talk.take("hello")
    outcome = await back(talk, "when do you open?")
    told = [(e["event"], e.get("text")) for e in outcome.events if e["event"] in ("user", "bot")]
    assert told[:3] == [("user", THANKS), ("bot", AGENT), ("user", "when do you open?")]
    assert words(outcome.replies)
    # It stays in what the next message goes on from.
    assert AGENT in str(talk.state["recent"])


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("hello", "Hello! I'm the assistant"),
        # What nothing covers Rasa takes out of its tracker again.
        ("yes", "Sorry, I'm not sure what you mean by that here."),
    ],
)
async def test_a_form_that_the_agent_saw_to_is_over(
    brain: Brain, message: str, answer: str
) -> None:
    talk = Conversation(brain)
    assert (await talk.say("where is my order"))[-1].startswith("What is your order number?")
    said = words((await back(talk, message)).replies)
    for one in (said, await talk.say(message)):
        assert len(one) == 1
        assert one[0].startswith(answer)
        assert talk.state["active_loop"] is None


async def test_what_was_noted_before_the_agent_is_not_told_again(brain: Brain) -> None:
    talk = Conversation(brain)
    handed = await talk.take("I want to talk to a human")
    assert handed.handoff is not None
    assert (await back(talk, "hello")).handoff is None


@pytest.mark.parametrize("message", ["hello", "I want to talk to a human", "where is my order"])
async def test_who_met_a_person_before_the_bot_is_answered_as_anyone(
    brain: Brain, message: str
) -> None:
    talk, anyone = Conversation(brain), Conversation(brain, user="u2")
    assert words((await back(talk, message)).replies) == await anyone.say(message)
