from __future__ import annotations

import pytest

from bot.dialogue.brain import Brain
from bot.message import Text
from tests.kit.talk import Conversation, words

APOLOGY = "Sorry, something went wrong on our side and I couldn't answer that. "
APOLOGY += "Please try again in a moment."


async def test_an_action_that_raises_gets_one_apology_and_changes_nothing(failing: Brain) -> None:
    talk = Conversation(failing)
    await talk.say("hi")
    before = talk.state
    outcome = await talk.take("what are your hours?")
    assert words(outcome.replies) == [APOLOGY]
    assert (outcome.events, outcome.state) == ([], before)
    assert outcome.failure is not None
    assert outcome.failure.action == "action_opening_hours"
    assert outcome.failure.reason == "ValueError"
    assert "tests/kit/failing_actions.py" in outcome.failure.detail
    assert await talk.say("thanks") == ["You're welcome!"]


async def test_a_failure_tells_neither_secrets_nor_what_the_customer_wrote(failing: Brain) -> None:
    outcome = await Conversation(failing).take("when do you open, zanzibar?")
    assert outcome.failure is not None
    told = f"{outcome.failure.action} {outcome.failure.reason} {outcome.failure.detail}"
    assert "zanzibar" not in told
    assert "hunter2" not in told.replace(
        'raise ValueError(f"cannot read {text}, password=hunter2")', ""
    )


async def test_a_form_stays_where_it_was_when_its_validation_raises(failing: Brain) -> None:
    talk = Conversation(failing)
    await talk.say("track my order")
    before = talk.state
    outcome = await talk.take("6666")
    assert words(outcome.replies) == [APOLOGY]
    assert outcome.failure is not None
    assert (outcome.failure.action, outcome.failure.reason) == (
        "validate_order_form",
        "LookupError",
    )
    assert talk.state == before
    assert (await talk.say("1042"))[0] == "order 1042"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("where is your store", "InvalidEvents"),
        ("how do i get there by bus", "InvalidEvents"),
        ("can you show me a map", "ValidationError"),
        ("what is your address", "InvalidReply"),
    ],
)
async def test_an_action_that_returns_nonsense_has_failed(
    failing: Brain, message: str, reason: str
) -> None:
    outcome = await Conversation(failing).take(message)
    assert outcome.parse == {}
    assert outcome.failure is not None
    # A response that cannot be sent says what is wrong with it, too.
    assert outcome.failure.reason.partition(":")[0] == reason
    assert words(outcome.replies) == [APOLOGY]


@pytest.mark.parametrize(
    ("number", "action"), [("7777", "action_order_status"), ("5555", "validate_order_form")]
)
async def test_an_action_that_takes_too_long_has_failed(
    failing: Brain, number: str, action: str
) -> None:
    talk = Conversation(failing)
    await talk.say("track my order")
    outcome = await talk.take(number)
    assert outcome.failure is not None
    assert outcome.failure.action == action
    assert outcome.failure.reason == "no result within 1 s"
    assert words(outcome.replies) == [APOLOGY]
    assert (await talk.say("1042"))[0] == "order 1042"


async def test_a_failure_in_the_first_message_leaves_a_conversation_that_has_not_begun(
    failing: Brain,
) -> None:
    talk = Conversation(failing)
    outcome = await talk.take("what are your hours?")
    assert outcome.state == {}
    assert (await talk.say(Text("hello")))[0].startswith("Hello!")


async def test_a_store_that_is_down_is_an_apology(
    brain: Brain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_STORE_URL", "sqlite:/proc/nowhere/bot.db")
    talk = Conversation(brain)
    outcome = await talk.take("where is order 1042")
    assert outcome.failure is not None
    assert outcome.failure.reason == "StoreDown"
    monkeypatch.undo()
    assert (await talk.say("where is order 1042"))[0].startswith("Order 1042")
