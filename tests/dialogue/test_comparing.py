from __future__ import annotations

from typing import Any

import pytest

from bot.dialogue.comparing import Exam, obstacles, report


def exam(right: int, of: int = 200, **given: Any) -> Exam:
    return Exam(right=right, examples=of, **given)


@pytest.mark.parametrize(
    ("right", "margin", "stands"),
    [(198, 1.0, False), (197, 1.0, True), (197, 2.0, False), (200, 0.0, False), (199, 0.0, True)],
)
def test_accuracy_may_fall_by_the_margin_and_no_more(
    right: int, margin: float, stands: bool
) -> None:
    assert bool(obstacles(exam(right), exam(200), margin)) is stands


@pytest.mark.parametrize(
    ("before", "after", "messages", "stands"),
    [(0.9, 0.8, 8, False), (0.9, 0.79, 8, True), (0.9, 0.1, 7, False), (0.5, 0.9, 20, False)],
)
def test_an_intent_may_lose_ten_points_and_more_when_few_messages_tell(
    before: float, after: float, messages: int, stands: bool
) -> None:
    new = exam(200, intents={"greet": (after, messages)})
    told = obstacles(new, exam(200, intents={"greet": (before, messages)}))
    assert bool(told) is stands
    assert all("'greet'" in line for line in told)


def test_only_a_story_that_passed_before_stands_in_the_way() -> None:
    old = exam(0, 0, stories={"a": "", "b": "did x, not y"})
    new = exam(0, 0, stories={"a": "did z, not y", "b": "did x, not y", "c": "did x, not y"})
    assert obstacles(new, old) == ["story 'a' passed before: did z, not y"]
    lines = report(new, old)
    assert [line.split(":")[0] for line in lines if line[:5] in ("broke", "fails")] == [
        "broke   a",
        "fails   b",
        "fails   c",
    ]
    assert "mended  b" in report(exam(0, 0, stories={"a": "", "b": ""}), old)


def test_with_nothing_to_compare_with_nothing_stands_in_the_way() -> None:
    assert obstacles(exam(0, stories={"a": "did x, not y"}), None) == []


def test_the_table_begins_with_what_got_worse_most_and_leaves_out_what_did_not_change() -> None:
    old = exam(150, intents={"a": (0.9, 9), "b": (0.5, 9), "c": (0.7, 9), "gone": (0.8, 9)})
    new = exam(160, intents={"a": (0.6, 9), "b": (0.75, 9), "c": (0.7, 9), "made": (0.4, 4)})
    lines = report(new, old)
    at = next(n for n, line in enumerate(lines) if line.startswith("intent"))
    rows = [line.split() for line in lines[at + 1 :] if line]
    assert [row[0] for row in rows] == ["gone", "a", "b", "made"]
    assert rows[1] == ["a", "0.90", "0.60", "−", "30.0", "9"]
    assert rows[2][-3:] == ["0.75", "+", "25.0"] or rows[2] == [
        "b",
        "0.50",
        "0.75",
        "+",
        "25.0",
        "9",
    ]


def test_a_confusion_shows_the_example_on_either_side() -> None:
    one = {"intent": "bye", "predicted": "greet", "count": 3, "text": "see you"}
    told = "\n".join(
        report(exam(1), None, [one | {"example": "see ya", "other": "nice to see you"}])
    )
    assert "'see you' is bye, understood as greet (3 times)" in told
    assert "bye: 'see ya'" in told
    assert "greet: 'nice to see you'" in told
    unsure = one | {"predicted": "nlu_fallback", "example": "see ya", "other": ""}
    assert "no intent was near enough" in "\n".join(report(exam(1), None, [unsure]))


def test_a_guess_is_told_by_story() -> None:
    guesses = [("a", name, "TEDPolicy") for name in ("utter_x", "utter_y")]
    new = exam(0, 0, stories={"a": ""}, unseen=guesses)
    assert "  a: utter_x (TEDPolicy), utter_y (TEDPolicy)" in report(new, None)


def test_what_the_child_tells_is_read_and_kept_short() -> None:
    told = {
        **{"right": 3, "examples": 4, "entities": [1, 2], "wrong": [["t", "a", "b"]]},
        "intents": {"a": [0.8, 1.0, 0.6667, 3], "b": [0.5, 0.5, 0.5, 1]},
        **{"stories": {"s": "", "t": "did x, not y"}, "unseen": [["s", "u", "p"]]},
        **{"matrix": [["a", "b", 1]], "confidence": [[1], [0], [0]]},
        "causes": [{"intent": "a", "predicted": "b", "count": 1, "messages": []}],
    }
    read = Exam.of(told)
    assert read is not None
    assert (read.accuracy, read.passed, read.f1) == (0.75, 1, pytest.approx(0.65))
    kept = read.compact()
    assert (kept["accuracy"], kept["stories"], kept["passed"]) == (0.75, 2, 1)
    assert kept["failed"] == {"t": "did x, not y"}
    assert [kept[key] for key in ("matrix", "confidence", "causes")] == [
        told[key] for key in ("matrix", "confidence", "causes")
    ]
    assert Exam.of(None) is None
