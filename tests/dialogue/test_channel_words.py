from __future__ import annotations

from bot.dialogue.brain import Brain
from tests.kit.talk import Conversation, buttons


async def test_an_sms_is_answered_in_fewer_words(brain: Brain) -> None:
    said = await Conversation(brain, "sms", "s").say("i forgot my password")
    assert said[0].startswith('Press "Forgot password"')
    said = await Conversation(brain, "whatsapp", "w").say("i forgot my password")
    assert said[0].startswith("On the sign-in page press")


async def test_two_matters_in_one_message_are_offered_and_the_first_is_gone_through(
    brain: Brain,
) -> None:
    talk = Conversation(brain, "whatsapp", "two")
    outcome = await talk.take("where is my order and do you sell lamps?")
    assert buttons(outcome.replies) == ["Track an order", "In stock?"]
    assert "number" in " ".join(await talk.say("/order_status"))
    # A question in the middle is answered, and the form asks again.
    said = await talk.say("when are you open?")
    assert "9" in said[0]
    assert "number" in said[-1]
    assert "1042" in " ".join(await talk.say("1042"))
