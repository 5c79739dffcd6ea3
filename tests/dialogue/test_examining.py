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
