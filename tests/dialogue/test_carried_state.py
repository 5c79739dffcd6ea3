from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from bot.dialogue.brain import Brain
from bot.message import Address, Inbound, Text
from tests.kit.talk import Conversation

SMALL_TALK = (
    "what are your hours?", "hi", "thanks", "are you a bot", "tell me a joke", "help",
    "where is your store", "good morning", "what can you do", "yes", "9999", "asdf qwer",
)  # fmt: skip


async def test_a_form_begun_200_messages_ago_completes(brain: Brain) -> None:
    talk = Conversation(brain)
    pick = random.Random(0)
    await talk.say("hello")
    await talk.say("where is my order?")
    for _ in range(200):
        said = await talk.say(pick.choice(SMALL_TALK))
        assert said[-1].startswith("What is your order number?"), said
    assert talk.state["active_loop"] == "order_form"
    assert len(json.dumps(talk.state)) < 30_000
    found, solved = await talk.say("1042")
    assert found.startswith("Order 1042 (3 items) left us on ")
    assert solved == "Does that answer your question?"
    assert talk.state["active_loop"] is None


@pytest.mark.parametrize(
    "messages",
    [
        ["thanks"],
        ["asdf qwer"],
        ["yes"],
        ["where is my order?", "9999"],
        ["where is my order?", "1042", "yes"],
        ["/restart"],
        ["where is my order?", "what are your hours?", "stop"],
    ],
    ids=lambda m: m[-1],
)
async def test_state_does_not_grow_however_long_the_same_goes_on(
    brain: Brain, messages: list[str]
) -> None:
    talk = Conversation(brain)
    sizes = []
    for n in range(60):
        await talk.say(messages[n % len(messages)])
        sizes.append(len(json.dumps(talk.state)))
    assert max(sizes[30:]) <= max(sizes[:30]) * 1.05
    assert max(sizes) < 20_000


async def test_a_new_session_begins_after_the_session_time(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.say("hi")
    await talk.say("track my order")
    assert _aged(talk, minutes=1430)
    outcome = await talk.take("thanks")
    assert "session_started" not in {event["event"] for event in outcome.events}
    assert talk.state["active_loop"] == "order_form"
    assert _aged(talk, minutes=1450)
    outcome = await talk.take("thanks")
    assert "session_started" in {event["event"] for event in outcome.events}
    assert talk.state["active_loop"] is None


def _aged(talk: Conversation, minutes: int) -> bool:
    """Make the customer's messages older; True when there was one to make so."""
    assert talk.state is not None
    talk.state = copy.deepcopy(talk.state)
    found = [event for event in talk.state["recent"] if "timestamp" in event]
    for event in found:
        event["timestamp"] -= minutes * 60
    return bool(found)


async def test_a_paused_conversation_hears_but_does_not_answer(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.say("hi")
    talk.state["recent"].append({"event": "pause", "timestamp": 0.0})
    outcome = await talk.take("where is my order?")
    assert outcome.replies == []
    assert outcome.state["paused"] is True
    for _ in range(40):
        assert await talk.say("hello?") == []
    assert len(json.dumps(talk.state)) < 5_000


async def test_slots_and_forms_that_a_newer_model_lacks_are_let_go(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.say("track my order")
    old: dict[str, Any] = json.loads(json.dumps(talk.state).replace("order_form", "old_form"))
    old["recent"].insert(-1, {"event": "slot", "name": "old_slot", "value": 1})
    talk.state = old
    assert (await talk.say("thanks")) == ["You're welcome!"]
    assert talk.state["active_loop"] is None
    assert "old_slot" not in talk.state["slots"]


async def test_empty_state_is_the_beginning_of_a_conversation(brain: Brain) -> None:
    said = Inbound(Address("telegram", "shop", "u"), "1", Text("hi"))
    begun = [await brain.take(said, state) for state in (None, {})]
    kinds = [[event["event"] for event in outcome.events] for outcome in begun]
    assert kinds[0] == kinds[1]
    assert "session_started" in kinds[0]
