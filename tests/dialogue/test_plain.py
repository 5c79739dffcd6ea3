from __future__ import annotations

from pathlib import Path

import pytest

from bot.dialogue.plain import confirmed, in_plain_words
from tests.kit.tiny import tiny_bot

RULES = "data/rules/all.yml"


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    return tiny_bot(tmp_path)


def test_contradicting_rules_are_told_with_both_places(bot: Path) -> None:
    text = (
        "\nContradicting rules or stories found 🚨\n\n"
        "- the prediction of the action 'utter_bye' in rule 'Say hello' is contradicting with "
        "rule(s) 'Say goodbye' which predicted action 'utter_greet'.\n"
        "Please update your stories and rules so that they don't contradict each other."
    )
    [told] = confirmed(bot, {"failed": ["InvalidRule", text]})
    assert told.startswith(f"{bot / RULES}:3: rule 'Say hello' goes on with utter_bye, but")
    assert f"'Say goodbye' ({bot / RULES}:7) with utter_greet" in told


def test_stories_that_part_are_told_and_what_is_checked_before_is_not_told_again() -> None:
    said = [
        "The intent 'bye' is not used in any story or rule.",
        "Story structure conflict after intent 'greet':\n  utter_greet predicted in 'One'\n"
        "  utter_bye predicted in 'Two'\n",
        "something about a deprecated function",
    ]
    assert in_plain_words(said) == [
        "stories go different ways after intent 'greet': utter_greet predicted in 'One' "
        "utter_bye predicted in 'Two'"
    ]
