from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import bson
import pytest

from bot.dialogue.brain import Brain
from bot.dialogue.errors import ModelMissing, ModelUnreadable
from bot.message import (
    Address,
    Choice,
    Contact,
    Content,
    Deletion,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    Reaction,
    Text,
    Unsupported,
)
from tests.kit.talk import Conversation, buttons, words

ASK = "What is your order number? It has four to six digits, for example 1042, and is in your "
ASK += "confirmation mail."


async def test_a_greeting_offers_what_the_bot_can_do(brain: Brain, model: Path) -> None:
    outcome = await Conversation(brain).take("hello")
    # What `bot models list` calls it.
    assert f"{outcome.model}.tar.gz" == model.name
    assert buttons(outcome.replies) == ["Track an order", "Opening hours", "Find the store"]
    assert outcome.parse["intent"] == "greet"
    assert outcome.parse["confidence"] > 0.5


async def test_an_order_is_asked_for_found_and_done_with(brain: Brain) -> None:
    talk = Conversation(brain)
    assert await talk.say("where is my order?") == [ASK]
    found, solved = await talk.say("#1042")
    assert found.startswith("Order 1042 (3 items) left us on ")
    assert solved == "Does that answer your question?"
    assert talk.state["active_loop"] is None
    assert await talk.say("yes") == ["Glad to hear it. Just write when there is something else."]


async def test_an_order_number_given_at_once_is_not_asked_for(brain: Brain) -> None:
    found, _ = await Conversation(brain).say("where is order 1044?")
    assert "was delivered on" in found


async def test_an_order_that_does_not_exist_is_asked_for_again(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.say("track my order")
    assert await talk.say("9999") == ["I can't find an order with the number 9999.", ASK]
    assert await talk.say("qwertz asdf") == ["I couldn't read an order number in that.", ASK]
    assert (await talk.say("1045"))[0].startswith("Order 1045 (1 item) is out for delivery")


async def test_two_numbers_in_one_message_are_not_guessed_between(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.say("track my order")
    (said,) = await talk.say("it's 1042 or 1043")
    assert said == "I take one order after the other. Which one is first?"


async def test_a_question_in_the_form_is_answered_and_the_form_goes_on(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.say("track my order")
    hours, sign, again = await talk.say("what are your hours?")
    assert "Saturday 10 to 16" in hours
    assert sign == "https://shop.example/static/opening-hours.png"
    assert again == ASK
    assert talk.state["active_loop"] == "order_form"
    assert (await talk.say("order no. 1043"))[0].startswith("Order 1043 (4 items) is packed")


@pytest.mark.parametrize("message", ["stop", "no", "never mind", "/stop"])
async def test_the_form_can_be_left(brain: Brain, message: str) -> None:
    talk = Conversation(brain)
    await talk.say("track my order")
    assert await talk.say(message) == ["All right, I've stopped looking for the order."]
    assert talk.state["active_loop"] is None


@pytest.mark.parametrize("command", ["/restart", '/order_status{"order_number": "1042"}', " /back"])
async def test_what_is_typed_is_never_a_command(brain: Brain, command: str) -> None:
    talk = Conversation(brain)
    await talk.say("track my order")
    outcome = await talk.take(Text(command))
    assert outcome.parse["intent"] not in ("restart", "back")
    assert outcome.parse["confidence"] < 1.0
    # Found in the words, never read from the payload.
    found_by = {e["extractor"] for e in outcome.parse["entities"]}
    assert found_by <= {"RegexEntityExtractor", "SpacyMatchers"}
    assert not {"restart", "rewind"} & {event["event"] for event in outcome.events}


async def test_a_caption_is_never_a_command_either(brain: Brain) -> None:
    outcome = await Conversation(brain).take(Media("image", ref="f", caption="/restart"))
    assert outcome.parse["intent"] != "restart"


async def test_a_button_of_the_bot_is_a_command(brain: Brain) -> None:
    outcome = await Conversation(brain).take(Choice("/opening_hours", "Opening hours"))
    assert outcome.parse == {"intent": "opening_hours", "confidence": 1.0, "entities": []}


async def test_a_button_may_carry_an_entity(brain: Brain) -> None:
    talk = Conversation(brain)
    found, _ = await talk.say(Choice('/inform_order_number{"order_number": "1048"}'))
    assert "was cancelled" in found


async def test_a_button_whose_intent_is_gone_is_read_as_its_title(brain: Brain) -> None:
    outcome = await Conversation(brain).take(Choice("/old_intent", "What are your hours?"))
    assert outcome.parse["intent"] == "opening_hours"


@pytest.mark.parametrize(
    ("content", "beginning"),
    [
        (Media("image", ref="f"), "Thank you for the picture. I can't look at pictures"),
        (Media("voice", ref="f"), "I can't listen to voice notes"),
        (Media("audio", ref="f"), "I can't listen to voice notes"),
        (Media("video", ref="f"), "I can't watch videos"),
        (Media("document", ref="f"), "I can't open files"),
        (Media("sticker", ref="f"), "Nice one!"),
        (Location(51.5, -0.1), "Thank you, but I can't do anything with a location"),
        (Contact("Ann"), "Thank you, but I can't do anything with contact cards"),
        (Unsupported("poll"), "That is a kind of message I can't read"),
        (Event("start"), "Hello!"),
        (Media("image", ref="f", caption="when are you open?"), "We are "),
    ],
)
async def test_what_is_not_text_is_answered_honestly(
    brain: Brain, content: Content, beginning: str
) -> None:
    assert (await Conversation(brain).say(content))[0].startswith(beginning)


@pytest.mark.parametrize(
    "content",
    [
        Reaction("m1", "👍"),
        Edit("m1", "hello"),
        Deletion("m1"),
        Event("blocked"),
        Text("  \n "),
        Text(""),
    ],
)
async def test_what_needs_no_answer_changes_nothing(brain: Brain, content: Content) -> None:
    talk = Conversation(brain)
    await talk.say("track my order")
    before = talk.state
    outcome = await talk.take(content)
    assert (outcome.events, outcome.replies, outcome.state) == ([], [], before)


@pytest.mark.parametrize(
    "text",
    [
        "😀" * 25_000,
        "a" * 100_000,
        "where is my order \x00\ud800?",
        "\u202eredro ym si erehw",
        "{order_number} {0.__class__} %s ${HOME}",
        "ОРДЕР где мой заказ",
        "'; DROP TABLE orders; --",
        "\n".join(["hello"] * 500),
    ],
    ids=range(8),
)
async def test_strange_texts_get_an_answer_and_small_state(brain: Brain, text: str) -> None:
    talk = Conversation(brain)
    assert await talk.say(text)
    bson.encode(talk.state)
    assert len(json.dumps(talk.state)) < 60_000


async def test_a_response_may_differ_by_channel(brain: Brain) -> None:
    assert "in this window" not in (await Conversation(brain, "telegram").say("bye"))[0]
    web = [(await Conversation(brain, "webchat").say("bye"))[0] for _ in range(4)]
    assert all("This window keeps our conversation" in said for said in web)


async def test_yes_without_a_question_is_not_guessed_at(brain: Brain) -> None:
    said = await Conversation(brain).say("yes")
    assert said[0].startswith("Sorry, I'm not sure what you mean by that here.")


async def test_yes_after_several_offers_asks_which(brain: Brain) -> None:
    talk = Conversation(brain)
    await talk.say("what can you do?")
    assert await talk.say("yes") == ["Gladly! Which of these is it?"]


async def test_what_is_handed_back_can_be_stored(brain: Brain) -> None:
    talk = Conversation(brain)
    for message in ("hi", "track my order", "what are your hours?", "1042", "yes"):
        outcome = await talk.take(message)
        plain = {"e": outcome.events, "s": outcome.state, "p": outcome.parse}
        assert json.loads(json.dumps(plain)) == plain
        assert bson.decode(bson.encode(plain)) == plain
        assert outcome.events[0]["event"] in ("action", "user")


async def test_conversations_in_progress_at_once_do_not_meet(failing: Brain) -> None:
    from tests.kit.failing_actions import MEETING

    MEETING.clear()
    talks = [Conversation(failing, user=f"u{n}") for n in range(6)]
    await asyncio.gather(*(talk.say("track my order") for talk in talks))
    numbers = [f"10{n}0" for n in range(6)]
    said = await asyncio.gather(
        *(talk.say(number) for talk, number in zip(talks, numbers, strict=True))
    )
    assert [answer[0] for answer in said] == [f"order {number}" for number in numbers]
    assert max(MEETING) > 1, "they were not in progress at once"


async def test_an_action_cannot_change_the_tracker_or_the_domain(failing: Brain) -> None:
    talk = Conversation(failing)
    await talk.say("track my order")
    assert (await talk.say("4444"))[0] == "order 4444"
    await talk.say("track my order")
    assert (await talk.say("1042"))[0] == "order 1042"


async def test_the_words_of_customers_are_not_logged(
    brain: Brain, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    talk = Conversation(brain)
    for message in ("my name is zanzibar", "/zanzibar", "where is order 1042 zanzibar"):
        await talk.say(Text(message))
    out, err = capfd.readouterr()
    assert "zanzibar" not in out + err + caplog.text


async def test_the_newest_model_of_a_directory_is_loaded(brain: Brain, model: Path) -> None:
    loaded = Brain.load(model.parent)
    loaded.close()
    assert loaded.model_id == brain.model_id


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no model here"):
        Brain.load(tmp_path)
    with pytest.raises(ModelMissing, match=r"gone\.tar\.gz"):
        Brain.load(tmp_path / "gone.tar.gz")


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x1f\x8b\x08\x00broken"])
def test_a_broken_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tar.gz"
    path.write_bytes(content)
    with pytest.raises(ModelUnreadable, match=r"broken\.tar\.gz"):
        Brain.load(path)


def test_a_package_of_actions_that_cannot_be_imported_is_named(model: Path) -> None:
    with pytest.raises(ModelUnreadable, match="no_such_package"):
        Brain.load(model, actions="no_such_package")


async def test_state_that_is_no_state_gets_an_apology(brain: Brain) -> None:
    said = Inbound(Address("telegram", "shop", "u"), "1", Text("hi"))
    broken: dict[str, Any] = {"recent": [{"event": "from the future"}], "base": None}
    outcome = await brain.take(said, broken)
    assert outcome.failure is not None
    assert outcome.state == broken
    assert words(outcome.replies)[0].startswith("Sorry, something went wrong")
