from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from bot.dialogue.errors import TrainingFailed
from bot.dialogue.plain import confirmed, in_plain_words
from bot.dialogue.validating import check, findings
from tests.dialogue.conftest import ROOT
from tests.kit.tiny import spoil, tiny_bot

NLU, RULES, DOMAIN = "data/nlu/all.yml", "data/rules/all.yml", "domain.yml"
TEST = "tests/stories/test_all.yml"
_STEPS = "    steps:\n      - intent: greet\n      - action: utter_greet\n"


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    return tiny_bot(tmp_path)


def test_the_projects_own_files_and_the_tiny_bots_are_right(bot: Path) -> None:
    assert findings(ROOT).errors == []
    assert check(bot) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "told"),
    [
        (RULES, "intent: greet", "intent: [greet", 6, "did not find expected"),
        (RULES, "      - intent: greet", "\t- intent: greet", 5, "indented with a tab"),
        (DOMAIN, "  day:", "\tday:", 4, "indented with a tab"),
        (NLU, "nlu:", "nlu: x: y", 2, "belongs in quotes, or the line is indented"),
        (RULES, "rules:", "ruls:", 2, "no key 'ruls'; is 'rules' meant?"),
        (RULES, "- action: utter_greet", "- actoin: utter_greet", 6, "is 'action' meant?"),
        (DOMAIN, "responses:", "respones:", 11, "is 'responses' meant?"),
        (NLU, "examples: |", "example: |", 4, "is 'examples' meant?"),
        (RULES, "intent: greet", "intent: hello", 5, "'hello' is not in the domain"),
        (NLU, "intent: greet", "intent: hello", 3, "add it under `intents`"),
        (RULES, "utter_greet", "utter_hello", 6, "needs a text under `responses`"),
        (RULES, "utter_greet", "action_hello", 6, "no action, response or form"),
        (TEST, "utter_greet", "utter_hello", 7, "needs a text under `responses`"),
        (
            RULES,
            "- action: utter_bye",
            "- active_loop: bye_form",
            10,
            "'bye_form' is not in the domain, it is no form",
        ),
        (
            RULES,
            "- action: utter_bye",
            "- slot_was_set:\n        - date: x",
            11,
            "'date' is not in the domain, it is no slot",
        ),
        (RULES, "rule: Say goodbye", "rule: Say hello", 7, "rule 'Say hello' is here again"),
        (DOMAIN, "[greet, bye, hours]", "[greet, bye, greet, hours]", 2, "here again"),
        (DOMAIN, "  utter_bye:", "  utter_greet:", 14, "is here again"),
        (DOMAIN, "    required_slots: [day]", "    ignored_intents: []", 9, "no `required_slots`"),
        (DOMAIN, "required_slots: [day]", "required_slots: [date]", 10, "'date', which is no slot"),
        (DOMAIN, "    type: text\n", "", 4, "slot 'day' has no type"),
        (DOMAIN, "    mappings:\n      - type: custom\n", "", 4, "slot 'day' has no mappings"),
        (NLU, "      - hello\n", "      hello\n", 5, "does not begin with `- `"),
        (RULES, _STEPS, "", 3, "the rule has no `steps`"),
    ],
    ids=lambda value: re.sub(r"\W+", "-", str(value))[:24],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(
    bot: Path, name: str, old: str, new: str, line: int, told: str
) -> None:
    spoil(bot / name, old, new)
    with pytest.raises(TrainingFailed) as failed:
        check(bot)
    lines = [one for one in str(failed.value).splitlines() if told in one]
    assert lines, str(failed.value)
    assert lines[0].startswith(f"{bot / name}:{line}: ")


def test_a_file_that_is_not_utf_8_is_named(bot: Path) -> None:
    (bot / NLU).write_bytes((bot / NLU).read_bytes() + b"      - caf\xe9\n")
    with pytest.raises(TrainingFailed, match=r"all\.yml: is not UTF-8, byte \d+"):
        check(bot)


def test_an_example_of_two_intents_is_noted_in_both_places(bot: Path) -> None:
    spoil(bot / NLU, "- farewell", "- Hello")
    [note] = check(bot)
    assert note.startswith(f"{bot / NLU}:15: 'Hello' is an example of 'bye' here")
    assert f"of 'greet' in {bot / NLU}:5" in note


def test_ten_thousand_examples_are_read_and_noted(bot: Path) -> None:
    many = "".join(f"      - hello number {n}\n" for n in range(10_000))
    spoil(bot / NLU, "      - hello\n", many)
    began = time.process_time()
    [note] = check(bot)
    assert "has 10004 examples" in note
    # Bounded: each example is looked at once.
    assert time.process_time() - began < 10


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


def test_warnings_of_rasa_are_told_in_plain_words(bot: Path) -> None:
    said = [
        "The intent 'hours' is listed in the domain file, but is not found in the NLU training"
        " data.",
        "The intent 'bye' is not used in any story or rule.",
        "Slot 'day' has a mapping condition for form 'no_form' which is not listed in domain"
        " forms. Please add this form to the forms section or check for typos.",
        "something about a deprecated function",
    ]
    assert in_plain_words(bot, said) == [
        f"{bot / RULES}:13: intent 'hours' has no examples in data/nlu",
        f"{bot / RULES}:9: no story or rule uses intent 'bye'",
        f"{bot / DOMAIN}:4: slot 'day' is filled while form 'no_form' is active, which is not in"
        " the domain",
    ]
