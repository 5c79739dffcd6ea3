"""Which messages the bot may learn from, and which it must not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.learning.noticing import Noticed, notice
from bot.lesson_words import CORRECTED, HANDED, RATED, UNSURE
from bot.message import Choice, Media
from bot.store.turns import Turn
from tests.kit.lessons import START, asks, found, turn

WHERE = "where is my parcel"
HUMAN = {"topic": "human", "why": "asked for a person", "priority": "normal"}
FORM = {"event": "action", "name": "return_form"}


def noticed(*turns: Turn) -> list[tuple[int, str]]:
    """The seq and reason of what the last of some turns shows."""
    return [(one.turn.seq, one.reason) for one in shown(*turns)]


def shown(*turns: Turn) -> list[Noticed]:
    return notice(turns[-1], turns[-2::-1], threshold=0.4, delicate=frozenset({"bereavement"}))


@pytest.mark.parametrize(
    ("intent", "confidence", "counts"),
    [("order_status", 0.95, False), ("order_status", 0.5, True), ("nlu_fallback", 0.4, True)],
)
def test_what_was_not_understood_for_sure(intent: str, confidence: float, counts: bool) -> None:
    assert bool(noticed(turn(1, WHERE, intent, confidence))) == counts


def test_words_that_a_form_asked_for_and_took_were_understood() -> None:
    took = {"event": "slot", "name": "return_reason", "value": "they are too small"}
    assert noticed(turn(1, "they are too small", "nlu_fallback", 0.4, events=[FORM, took])) == []
    refused = {**took, "value": None}
    assert noticed(turn(1, "they are too small", "nlu_fallback", 0.4, events=[took, FORM, refused]))


@pytest.mark.parametrize(
    "one",
    [
        turn(1, Choice("/order_status", "My order"), "order_status", 0.4),
        turn(1, Media("image", url="https://shop.example/a.png"), "share_image", 0.4),
        turn(1, WHERE, "nlu_fallback", 0.4, by="agent"),
        turn(1, WHERE, "nlu_fallback", 0.4, failure={"action": "x", "reason": "y", "detail": ""}),
        turn(1, WHERE, "nlu_fallback", 0.4, sensitive="legal"),
    ],
)
def test_what_was_not_written_not_the_bots_or_is_sensitive_is_left_out(one: Turn) -> None:
    assert noticed(one) == []


def test_nothing_is_learned_near_a_sensitive_matter() -> None:
    matter = {"topic": "bereavement", "why": "x", "priority": "high"}
    sad = turn(1, "my wife has died", "order_status", 0.9, handoff=matter)
    assert noticed(sad, turn(2, "she had ordered a lamp", "nlu_fallback", 0.4)) == []


@pytest.mark.parametrize(
    ("said", "intent"),
    [("that is not what i asked", "answer_missed"), (Choice("/deny", "No"), "deny")],
)
def test_an_answer_that_was_none(said: str, intent: str) -> None:
    before = turn(1, WHERE, events=[asks("utter_ask_solved")])
    assert noticed(before, turn(2, said, intent)) == [(1, CORRECTED)]


def test_no_to_another_question_corrects_nothing() -> None:
    assert (
        noticed(
            turn(1, "hello there", "greet", events=[asks("utter_greet")]), turn(2, "no", "deny")
        )
        == []
    )


def test_another_number_mends_a_slip_and_no_misunderstanding() -> None:
    first = turn(1, "where is 1042", entities=[found("where is 1042", "1042", "order_number")])
    again = "i meant 1043"
    slip = turn(2, again, "correct_order", entities=[found(again, "1043", "order_number")])
    assert noticed(first, slip) == []
    assert noticed(first, turn(2, "no, not this order", "correct_order")) == [(1, CORRECTED)]


def test_a_form_that_is_stopped_at_once_was_not_wanted() -> None:
    opened = [{"event": "active_loop", "name": "return_form"}]
    assert noticed(turn(1, "i want it gone", events=opened), turn(2, "stop", "stop")) == [
        (1, CORRECTED)
    ]
    # "I don't have it" is such a button.
    button = turn(2, Choice("/stop", "I don't have it"), "stop")
    assert noticed(turn(1, "i want it gone", events=opened), button) == []


def test_the_same_asked_in_other_words() -> None:
    first = turn(1, "can i park my bike there", "store_location")
    again = turn(2, "where can i park my bike", "question", at=first.at + timedelta(seconds=30))
    assert noticed(first, again) == [(1, CORRECTED)]
    other = turn(2, "how much is express delivery", "delivery_cost")
    assert noticed(first, other) == []
    late = turn(2, "where can i park my bike", "question", at=START + timedelta(hours=2))
    assert noticed(first, late) == []
    one, two = "where is order 1042", "where is order 1043"
    assert (
        noticed(
            turn(1, one, entities=[found(one, "1042", "order_number")]),
            turn(2, two, entities=[found(two, "1043", "order_number")]),
        )
        == []
    )


def test_what_was_said_before_a_person_took_over() -> None:
    talk = [
        turn(1, "hi", "greet"),
        turn(2, "my rug is itchy"),
        turn(3, "a human", "human", handoff=HUMAN),
    ]
    assert noticed(*talk) == [(2, HANDED)]
    unanswered = {**HUMAN, "topic": "unanswered"}
    last = turn(3, "is wool itchy then", "question", handoff=unanswered)
    assert noticed(talk[0], talk[1], last) == [(3, HANDED), (2, HANDED)]
    arranged = turn(3, "they are too small", "deny", handoff={**HUMAN, "topic": "return"})
    assert noticed(talk[0], talk[1], arranged) == []


def test_a_case_that_was_rated_badly() -> None:
    talk = [turn(1, "my rug is itchy"), turn(2, "a person please", "human", handoff=HUMAN)]
    rated = {"case": talk[1].id, "stars": 2}
    stars = turn(4, Choice("rate", "★★"), by="waiting", rated=rated)
    assert noticed(*talk, turn(3, "thanks", by="agent"), stars) == [(1, RATED)]
    good = turn(4, Choice("rate", "★★★"), by="waiting", rated={**rated, "stars": 3})
    assert noticed(*talk, good) == []


def test_reasons_are_told_in_words() -> None:
    (one,) = shown(turn(1, WHERE, "order_status", 0.45))
    assert (one.reason, one.detail) == (UNSURE, "understood as order_status, 0.45 sure")
