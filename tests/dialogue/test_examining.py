"""The examination of a model: what counts as found, and what a story's marks mean."""

from __future__ import annotations

from pathlib import Path

import pytest

STORY = """\
version: "3.1"
stories:
  - story: Hours
    steps:
      - user: |
          {said}
        intent: opening_hours
      - action: action_opening_hours
"""
HELD_OUT = """\
version: "3.1"
nlu:
  - intent: order_status
    examples: |
      - where is order {number} now
"""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("how late are you open [today](date)", ""),
        ("how late are you open today", "other entities were found"),
        ("how late are [you](date) open [today](date)", "other entities were found"),
    ],
)
def test_a_day_of_a_story_is_that_of_the_test(
    model: Path, shop: None, tmp_path: Path, said: str, why: str
) -> None:
    from bot.dialogue.examining import examine

    (tmp_path / "test_hours.yml").write_text(STORY.format(said=said), "utf-8")
    told = examine(model, None, str(tmp_path))["stories"]
    assert list(told) == ["Hours"]
    assert bool(told["Hours"]) == bool(why)
    assert told["Hours"].startswith(why)


@pytest.mark.parametrize(
    ("number", "entities"), [("1042", [0, 0]), ("[1042](order_number)", [1, 1])]
)
def test_a_file_without_marks_tells_nothing_of_entities(
    model: Path, shop: None, tmp_path: Path, number: str, entities: list[int]
) -> None:
    from bot.dialogue.examining import examine

    path = tmp_path / "heldout.yml"
    path.write_text(HELD_OUT.format(number=number), "utf-8")
    told = examine(model, str(path), None)
    assert told["right"] == told["examples"] == 1
    assert told["entities"] == entities


MISREAD = """\
version: "3.1"
nlu:
  - intent: order_status
    examples: |
      - where is order 1042 now
  - intent: greet
    examples: |
      - where is my order 1043
      - xqzt wvpk jjj
"""


def test_what_is_taken_for_what_is_counted_with_how_sure_it_was(
    model: Path, shop: None, tmp_path: Path
) -> None:
    from bot.dialogue.examining import examine

    path = tmp_path / "heldout.yml"
    path.write_text(MISREAD, "utf-8")
    told = examine(model, str(path), None)
    rows = {(meant, got): count for meant, got, count in told["matrix"]}
    assert rows["order_status", "order_status"] == 1
    assert rows["greet", "order_status"] == 1
    assert sum(rows.values()) == 3
    right, wrong, unsure = told["confidence"]
    assert (sum(right), sum(wrong) + sum(unsure)) == (1, 2)
    # What the model is sure of is in the upper tenths, right or wrong.
    assert sum(right[4:]) == 1
    assert sum(wrong[4:]) >= 1


def test_a_confusion_has_the_examples_that_pull_each_way() -> None:
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    from bot.dialogue.examining import causes, confusions

    lines = [
        ("greet", "hello there"),
        ("greet", "good day"),
        ("bye", "goodbye"),
        ("bye", "see you"),
    ]
    data = TrainingData([Message.build(text, intent) for intent, text in lines])
    wrong = [("good bye to you", "bye", "greet")] * 9 + [("hello", "greet", "bye")]
    wrong += [("day", "bye", "nlu_fallback")]
    first, *others = causes(wrong, data)
    assert (first["intent"], first["predicted"], first["count"]) == ("bye", "greet", 9)
    # Not all of a common confusion are kept.
    assert len(first["messages"]) == 8
    message = first["messages"][0]
    assert (message["example"], message["other"]) == ("goodbye", "good day")
    unsure = next(one for one in others if one["predicted"] == "nlu_fallback")
    assert unsure["messages"][0]["other"] == ""
    told = confusions([first, *others])
    assert [one["count"] for one in told] == [9, 1, 1]
    assert (told[0]["text"], told[0]["other"]) == ("good bye to you", "good day")
    assert causes([], data) == []


def test_what_is_kept_of_mistakes_stays_small() -> None:
    import json

    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    from bot.dialogue.examining import causes

    data = TrainingData([Message.build("a long example " * 60, f"i{n}") for n in range(60)])
    wrong = [(f"message {n} " * 60, f"i{n % 60}", f"i{n // 60}") for n in range(1200)]
    told = causes(wrong, data)
    assert sum(len(one["messages"]) for one in told) == 300
    assert len(json.dumps(told)) < 300_000
