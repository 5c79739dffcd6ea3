"""The sections of data/rules.yml that a model's tools are held against."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.rules import RULES_FILE, parse_rules
from bot.settings import SettingsInvalid

TEXT = (Path(__file__).parents[2] / RULES_FILE).read_text("utf-8")


def test_the_rules_of_the_shop_can_be_read() -> None:
    rules = parse_rules(TEXT)
    assert "refund_request" in rules.resolving.intents
    assert rules.tool("refund").person_above == 5000
    assert rules.tool("refund").confirm
    assert not rules.tool("delete_customer").allowed


def test_without_the_sections_a_model_may_do_nothing() -> None:
    rules = parse_rules(TEXT.partition("\nresolving:")[0])
    assert rules.resolving.intents == ()
    assert not rules.tool("order_status").allowed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("steps: 6", "steps: 60", "resolving.steps is '60', should be a whole number from 1 to 20"),
        ("refund_request]", "refund_reqest]", "resolving.intents[3] is 'refund_reqest'"),
        ("confirm: always, person", "confirm: maybe, person", "tools.refund.confirm is 'maybe'"),
        ("above: 50.00", "above: lots", "tools.refund.person_above is 'lots'"),
        (
            "  hand_over:",
            "  hand_ovr:",
            "tools.hand_ovr is not a known key; did you mean",
        ),
        ("track: {allowed: true}", "track: {allowed: 3}", "tools.track.allowed is"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in TEXT
    line = 1 + TEXT[: TEXT.index(old)].count("\n")
    with pytest.raises(SettingsInvalid) as raised:
        parse_rules(TEXT.replace(old, new, 1))
    problems = [str(problem) for problem in raised.value.problems]
    assert any(problem.startswith(f"rules.yml:{line}: {told}") for problem in problems), problems
