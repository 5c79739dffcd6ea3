"""What a model may bring about in a conversation, through the real brain."""

from __future__ import annotations

import pytest

from actions.backends.orders import CANCELLED, PLACED
from bot.dialogue.contract import Hints, Spoken
from bot.memory.contract import Known, Memory
from bot.message import Inbound, Text, utcnow
from bot.store.steps import Step
from tests.within_rules.conftest import Desk, payload, said

ASKED = "Shall I give you £20.00 of your order 1044 back?"


async def refund_asked(desk: Desk, talk):
    await desk.order("1044")
    await desk.proven(talk)
    outcome = await talk.take("I want 20 pounds back for order 1044, a mug was chipped")
    assert ASKED in said(outcome)
    return outcome


async def test_a_refund_within_the_rules_is_proposed_and_paid_on_yes(desk: Desk) -> None:
    talk = desk.talk()
    await refund_asked(desk, talk)
    assert await desk.paid("1044") == []
    done = await talk.take("yes")
    assert "We have refunded £20.00 of your order 1044" in said(done)
    assert await desk.paid("1044") == [2000]
    assert await desk.steps() == [("refund", "read"), ("refund", "proposed"), ("refund", "done")]


async def test_the_model_is_told_what_is_remembered_as_people_are(desk: Desk) -> None:
    talk = desk.talk()
    fact = Known(
        "preference",
        "size",
        "Shoe size",
        "41",
        "whatsapp:shop:wamid.447700900123",
        "rule",
        utcnow(),
    )
    inbound = Inbound(
        talk.address, "m1", Text("I want 20 pounds back for order 1044, a mug was chipped")
    )
    await desk.brain.take(inbound, None, Hints(memory=Memory((fact,)).encode()))
    asked = str(desk.server.bodies)
    assert "Shoe size: 41" in asked
    # Not by what row, and from what number it was known.
    assert "447700900123" not in asked
    assert "wamid" not in asked


async def test_the_button_pays_and_pressed_again_pays_no_more(desk: Desk) -> None:
    talk = desk.talk()
    button = payload(await refund_asked(desk, talk), "Yes")
    assert "refunded £20.00" in said(await talk.take(button))
    assert said(await talk.take(button)) == "That has been done already."
    assert await desk.paid("1044") == [2000]


async def test_above_the_limit_a_person_gets_it_with_the_reason(desk: Desk) -> None:
    talk = desk.talk()
    await desk.order("1044")
    await desk.proven(talk)
    outcome = await talk.take("please refund 80.00 pounds of order 1044")
    assert outcome.handoff is not None
    assert outcome.handoff.topic == "refund"
    assert outcome.handoff.why.startswith(
        "wants £80.00 back for order 1044, above the limit of £50.00"
    )
    assert "proven by a code" in outcome.handoff.why
    assert await desk.paid("1044") == []


@pytest.mark.parametrize("word", ["no", "never mind", "what are your opening hours?"])
async def test_no_or_anything_else_drops_it(desk: Desk, word: str) -> None:
    talk = desk.talk()
    button = payload(await refund_asked(desk, talk), "Yes")
    await talk.take(word)
    said(await talk.take("yes"))
    assert said(await talk.take(button)).startswith("That is not open any more")
    assert await desk.paid("1044") == []
    assert await desk.undertakings() == []


async def test_a_yes_after_an_agents_words_is_no_yes_to_it(desk: Desk) -> None:
    talk = desk.talk()
    button = payload(await refund_asked(desk, talk), "Yes")
    since = (Spoken("Would a new mug do as well?", "Anna", utcnow().timestamp()),)
    yes = Inbound(talk.address, "back", Text("yes"))
    outcome = await desk.brain.take(yes, talk.state, Hints(resumed=True, meanwhile=since))
    assert outcome.failure is None
    talk.state = outcome.state
    assert said(await talk.take(button)).startswith("That is not open any more")
    assert await desk.paid("1044") == []


async def test_two_matters_in_one_message(desk: Desk) -> None:
    talk = desk.talk()
    await desk.order("1047", status=PLACED)
    await desk.proven(talk)
    outcome = await talk.take("where is order 1042 and cancel order 1047")
    assert "Order 1042" in said(outcome)
    assert "Shall I cancel your order 1047?" in said(outcome)
    assert "We have cancelled your order 1047" in said(await talk.take("yes"))
    assert await desk.status("1047") == CANCELLED


async def test_what_is_missing_is_asked_for(desk: Desk) -> None:
    talk = desk.talk()
    await desk.order("1044", total=3000)
    await desk.proven(talk)
    assert "Which order is it about?" in said(await talk.take("I want my money back"))
    assert "Shall I give you £30.00 of your order 1044 back?" in said(await talk.take("1044"))


async def test_who_is_not_proven_gets_no_money_and_learns_nothing(desk: Desk) -> None:
    talk = desk.talk()
    await desk.order("1044")
    outcome = await talk.take("I want 20 pounds back for order 1044, a mug was chipped")
    # There is no mail server here: a person sees to it.
    assert outcome.handoff is not None
    assert "not proven" in outcome.handoff.why
    assert "120" not in said(outcome)
    assert await desk.paid("1044") == []


async def test_rules_are_held_against_it_again_at_the_yes(desk: Desk) -> None:
    talk = desk.talk()
    await refund_asked(desk, talk)
    await desk.order("1044", refunded=11000, refunds=[{"id": "r", "pence": 11000}])
    outcome = await talk.take("yes")
    assert "refunded" not in said(outcome).replace("cannot be refunded", "")
    assert await desk.paid("1044") == [11000]


async def test_questions_are_answered_from_the_articles_as_before(desk: Desk) -> None:
    talk = desk.talk()
    outcome = await talk.take("what is the weight limit of your folding chairs?")
    assert outcome.answered is not None
    assert [step[0] for step in await desk.steps()] == ["search_articles"]


async def test_without_the_model_everything_is_as_it_was(desk: Desk) -> None:
    desk.server.models.behave("honest", "500")
    talk = desk.talk()
    assert said(await talk.take("I want my money back for order 1044"))
    assert talk.state["active_loop"] == "refund_form"


async def test_steps_hold_nothing_personal(desk: Desk) -> None:
    talk = desk.talk()
    await desk.order("1047", status=PLACED)
    await desk.proven(talk)
    await talk.take("I want my money back")
    asked = said(await talk.take("please send order 1047 to 5 Mill Lane, Larkfield ME20 1AA"))
    assert asked == "Shall I send your order 1047 to this address? 5 Mill Lane, Larkfield ME20 1AA"
    rows = await desk.store.find(Step, {})
    assert rows
    assert "Mill Lane" not in str([row.args for row in rows])
