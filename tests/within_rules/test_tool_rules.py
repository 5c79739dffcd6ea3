"""The sections of data/rules.yml that a model's tools are held against."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from actions.backends.contract import Money, Parcel, ShopOrder
from actions.backends.orders import DELIVERED
from actions.resolving.judging import Wish, refund_verdict
from actions.rules import RULES_FILE, load_rules, parse_rules, read_rules
from bot.message import utcnow
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


@pytest.mark.parametrize(
    ("paid", "given", "asked", "kind", "money"),
    [
        (Money(4000, "GBP"), 0, "", "yes", Money(4000, "GBP")),
        (Money(4000, "GBP"), 1500, "", "yes", Money(2500, "GBP")),
        (Money(4000, "GBP"), 1500, "25.01", "no", None),
        (Money(6000, "EUR"), 0, "50.01", "person", Money(5001, "EUR")),
        (Money(6000, "EUR"), 2000, "30.01", "person", Money(3001, "EUR")),
        # Currencies without hundredths, and with thousandths.
        (Money(40, "JPY"), 0, "", "yes", Money(40, "JPY")),
        (Money(40, "JPY"), 30, "20", "no", None),
        (Money(40, "JPY"), 0, "0.50", "no", None),
        (Money(5000, "JPY"), 0, "", "person", Money(5000, "JPY")),
        (Money(12505, "KWD"), 0, "", "yes", Money(12500, "KWD")),
        (Money(12500, "KWD"), 2505, "", "yes", Money(9990, "KWD")),
    ],
)
def test_amounts_are_of_the_orders_currency(
    paid: Money, given: int, asked: str, kind: str, money: Money | None
) -> None:
    now = utcnow()
    parcel = Parcel("1044", DELIVERED, delivered=now)
    order = ShopOrder(
        *("1044", "1044", DELIVERED, now),
        paid=paid,
        refunded=Money(given, paid.currency),
        parcels=(parcel,),
    )
    args = {"number": "1044", "amount": asked} if asked else {"number": "1044"}
    verdict = refund_verdict(parse_rules(TEXT), order, Wish("t:refund:1044", "refund", args))
    assert (verdict.kind, verdict.money) == (kind, money), verdict.why


@pytest.mark.parametrize("where", ["  most: 50.00", "person_above: 50.00"])
def test_a_limit_of_nothing_leaves_it_to_people(where: str) -> None:
    rules = parse_rules(TEXT.replace(where, f"{where.partition(':')[0]}: 0", 1))
    parcel = Parcel("1044", DELIVERED, delivered=utcnow())
    paid, none = Money(4000, "GBP"), Money(0, "GBP")
    order = ShopOrder("1044", "1", DELIVERED, paid=paid, refunded=none, parcels=(parcel,))
    verdict = refund_verdict(rules, order, Wish("t:refund:1044", "refund", {"number": "1044"}))
    assert verdict.kind == "person", verdict.why


def test_a_file_that_is_broken_while_the_bot_runs_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "rules.yml"
    for broken in (
        "",
        TEXT.replace("most: 50.00", "most: lots", 1),
        TEXT[: len(TEXT) // 2] + "\n  - [",
    ):
        file.write_text(TEXT, "utf-8")
        good = load_rules(file)
        file.write_text(broken, "utf-8")
        caplog.clear()
        assert load_rules(file) == load_rules(file) == good
        (told,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert f"{file}:" in told.getMessage()
        with pytest.raises(SettingsInvalid):
            read_rules(file)
    file.unlink()
    assert load_rules(file) == good
    file.write_text(TEXT.replace("most: 50.00", "most: 40.00", 1), "utf-8")
    assert load_rules(file).refunds.most == 4000
    with pytest.raises(SettingsInvalid):
        load_rules(tmp_path / "none.yml")


#: What people and editors leave where something else should be.
WRONG = (
    "",
    "~",
    "[]",
    "{}",
    "[1, [2]]",
    "{a: {b: 1}}",
    "yes",
    "-1",
    "1e9",
    "1_0",
    "0x10",
    "nan",
    '"£"',
)


def test_whatever_stands_in_the_file_is_read_or_told_with_its_line() -> None:
    lines = TEXT.splitlines()
    for n, line in enumerate(lines):
        key, colon, _ = line.partition(":")
        if not colon or "#" in key:
            continue
        for value in (WRONG[n % len(WRONG)], WRONG[(n + 5) % len(WRONG)]):
            text = "\n".join([*lines[:n], f"{key}: {value}", *lines[n + 1 :]])
            try:
                rules = parse_rules(text)
            except SettingsInvalid as error:
                for problem in map(str, error.problems):
                    assert re.match(r"rules\.yml:\d+: .{10,}", problem), (line, value, problem)
                continue
            assert 0 <= rules.refunds.most < 10**8
            assert rules.identity.minutes >= 1
            assert 1 <= rules.resolving.steps <= 20
            for rule in rules.tools.values():
                assert rule.person_above is None or 0 <= rule.person_above < 10**8
                assert rule.per_day >= 0
