from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.llm.grounding import Verdict, check
from bot.llm.grounding.facts import facts, number
from bot.llm.grounding.reading import guess, plain, read, split
from tests.llm.cases.grounding import (
    FRESH_HONEST,
    FRESH_LIES,
    HONEST,
    LIES,
    MORE_HONEST,
    MORE_LIES,
    PASSAGES,
)

MOST_FALSE_ALARMS = 0.25
MOST_MISSED = 0.05


def judge(names: tuple[str, ...], question: str, answer: str) -> Verdict:
    return check(answer, [PASSAGES[name] for name in names], question=question)


def test_lies_are_found_and_honest_answers_pass(capsys: pytest.CaptureFixture[str]) -> None:
    rates = {}
    for name, honest, lies in (
        ("tuned on", (*HONEST, *MORE_HONEST), (*LIES, *MORE_LIES)),
        ("not tuned on", FRESH_HONEST, FRESH_LIES),
    ):
        alarms = [row[2] for row in honest if not judge(*row).ok]
        missed = [row[2] for row in lies if judge(*row[:3]).ok]
        rates[name] = (len(alarms) / len(honest), len(missed) / len(lies), alarms, missed)
    with capsys.disabled():
        for name, (alarm, miss, *_) in rates.items():
            print(f"\ngrounding, {name}: false alarms {alarm:.0%}, lies missed {miss:.0%}", end="")
    alarm, miss, alarms, missed = rates["tuned on"]
    assert miss <= 0.01, missed
    assert alarm <= 0.06, alarms
    alarm, miss, alarms, missed = rates["not tuned on"]
    assert miss <= MOST_MISSED, missed
    assert alarm <= MOST_FALSE_ALARMS, alarms


def say(answer: str, *sources: str, **more: object) -> Verdict:
    return check(answer, sources, **more)  # type: ignore[arg-type]


def test_the_table_is_large_and_balanced() -> None:
    assert len(HONEST) + len(LIES) >= 80
    assert {w for *_, w in LIES} >= {
        "changed number",
        "swapped entity",
        "dropped not",
        "invented exception",
        "invented link",
        "changed time",
        "currency",
        "merged facts",
    }
    assert all(
        name in PASSAGES
        for names, *_ in (*HONEST, *LIES, *FRESH_HONEST, *FRESH_LIES)
        for name in names
    )


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("It costs £4.95.", "amount"),
        ("It costs 3.95 euros.", "amount"),
        ("You save 10 %.", "percentage"),
        ("It takes 4 days.", "duration"),
        ("We open at 8:00.", "time"),
        ("We deliver on Tuesday.", "weekday"),
        ("It ends on 24 December.", "date"),
        ("Read https://evil.test/x.", "link"),
        ("Mail us at x@evil.test.", "link"),
        ("Call +44 20 7946 0999.", "phone"),
        ("It costs nothing, with no charge.", "promise"),
        ("I have cancelled it.", "promise"),
    ],
)
def test_each_claim_names_its_kind(answer: str, kind: str) -> None:
    verdict = say(answer, "Delivery costs £3.95 and takes 5 days. We open at 9:00 on Monday.")
    assert not verdict.ok
    assert kind in {claim.kind for claim in verdict.unsupported}


@pytest.mark.parametrize(
    "answer",
    [
        "Happy to help!",
        "Thank you for your question.",
        "I'm sorry to hear that.",
        "Is there anything else I can help you with?",
        "I don't know.",
        "Would you like me to connect you with a colleague?",
        "Gerne!",
        "Merci pour votre question !",
    ],
)
def test_politeness_passes(answer: str) -> None:
    verdict = say(answer, "Delivery costs £3.95.", question="How much?")
    assert verdict.ok, verdict
    assert verdict.support[0].polite


@pytest.mark.parametrize(
    "answer",
    [
        "Happy to help you with a refund of £20!",
        "Thank you, we will send you a voucher.",
        "I'm sorry, so you get a free mug.",
        "Of course you can return it after 90 days.",
        "You can read more about the guaranteed compensation.",
    ],
)
def test_politeness_carries_no_claim_past(answer: str) -> None:
    assert not say(answer, "Delivery costs £3.95.").ok


def test_an_order_number_may_be_echoed_but_not_an_amount() -> None:
    source = "You can cancel an order within 60 minutes."
    assert say("You can cancel order 12345 within 60 minutes.", source, question="cancel 12345").ok
    assert not say("You can cancel order 12345 within 60 minutes.", source, question="cancel").ok
    assert not say("You get £500 for order 12345.", source, question="£500 for order 12345?").ok


def test_what_is_allowed_may_be_said() -> None:
    source = "The shop opens at 9:00."
    assert not say("The Larkfield shop opens at 9:00.", source).ok
    assert say("The Larkfield shop opens at 9:00.", source, allowed=["Larkfield"]).ok


def test_a_domain_of_ours_may_be_linked() -> None:
    answer = "The shop opens at 9:00, see https://larkfield.example/hours."
    assert not say(answer, "The shop opens at 9:00.").ok
    assert say(answer, "The shop opens at 9:00.", domains=["larkfield.example"]).ok


def test_nothing_is_backed_without_sources() -> None:
    assert not say("Delivery costs £3.95.").ok
    assert not say("").ok
    assert say("Hello!").ok


def test_a_bare_yes_answers_the_question() -> None:
    source = "Gift cards cannot be returned."
    assert not say("Yes.", source, question="Can gift cards be returned?").ok
    assert say("No.", source, question="Can gift cards be returned?").ok


def test_each_sentence_says_where_it_is_from() -> None:
    verdict = say("Hello! Lamps cost £5. Rugs cost £9.", "Rugs cost £9.", "Lamps cost £5.")
    assert verdict.ok
    assert [(s.source, s.polite) for s in verdict.support] == [(None, True), (1, False), (0, False)]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("£3.95", "en", [("amount", "3.95 GBP")]),
        ("3,95 £", "de", [("amount", "3.95 GBP")]),
        ("3.95 GBP", "en", [("amount", "3.95 GBP")]),
        ("£10-£250", "en", [("amount", "10 GBP"), ("amount", "250 GBP")]),
        ("£1,000", "en", [("amount", "1000 GBP")]),
        ("1.000 €", "de", [("amount", "1000 EUR")]),
        ("fifty pounds", "en", [("amount", "50 GBP")]),
        ("thirty days", "en", [("duration", "30 day")]),
        ("30-day", "en", [("duration", "30 day")]),
        ("3-5 working days", "en", [("duration", "3-5 wday")]),
        ("three to five working days", "en", [("duration", "3-5 wday")]),
        ("3 bis 5 Werktage", "de", [("duration", "3-5 wday")]),
        ("5 à 7 jours ouvrables", "fr", [("duration", "5-7 wday")]),
        ("a month", "en", [("duration", "1 month")]),
        ("two weeks", "en", [("duration", "14 day")]),
        ("2 years", "en", [("duration", "24 month")]),
        ("the next working day", "en", [("duration", "next wday")]),
        ("10 %", "en", [("percentage", "10")]),
        ("zehn Prozent", "de", [("percentage", "10")]),
        ("2 pm", "en", [("time", "14:00")]),
        ("14 Uhr", "de", [("time", "14:00")]),
        ("12:30am", "en", [("time", "00:30")]),
        ("on Sundays", "en", [("weekday", "6")]),
        ("dimanche", "fr", [("weekday", "6")]),
        ("24 December 2026", "en", [("date", "12-24 26")]),
        ("24.12.2026", "de", [("date", "12-24 26")]),
        ("2026-12-24", "en", [("date", "12-24 26")]),
        ("December 24th", "en", [("date", "12-24")]),
        ("item LG-204", "en", [("id", "LG204")]),
        ("two mugs", "en", [("number", "2")]),
        ("a mug", "en", []),
        ("it may be due", "en", []),
    ],
)
def test_a_fact_is_the_same_however_written(
    text: str, language: str, expected: list[tuple[str, str]]
) -> None:
    assert [(f.kind, f.value) for f in facts(text, language)] == expected


@pytest.mark.parametrize(
    ("written", "value"),
    [("1,000", "1000"), ("1.000,50", "1000.5"), ("3,95", "3.95"), ("3.950", "3950"), ("007", "7")],
)
def test_numbers_of_every_country(written: str, value: str) -> None:
    assert number(written) == value


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("Knives are not dishwasher-safe", {"dishwasher", "safe"}),
        ("No cheques, no cash", {"cheque", "cash"}),
        ("Not only mugs", set()),
        ("It is closed", {"open"}),
        ("Wir liefern nicht", {"liefern"}),
    ],
)
def test_what_a_negation_reaches(text: str, denied: set[str]) -> None:
    language = guess(text) if text != "Wir liefern nicht" else "de"
    words = read(plain(text), language).every
    assert {w.stem for w in words if w.denied} == {
        read(plain(d), language).every[0].stem for d in denied
    }


def test_sentences_end_where_they_end() -> None:
    assert split("It costs £3.95. Ask us, e.g. by mail. Yes!\n- one\n- two") == [
        "It costs £3.95.",
        "Ask us, e.g. by mail.",
        "Yes!",
        "one",
        "two",
    ]


@settings(max_examples=60, deadline=None)
@given(answer=st.text(max_size=120), source=st.text(max_size=120))
def test_any_text_can_be_checked(answer: str, source: str) -> None:
    verdict = check(answer, [source])
    assert verdict.ok == (not verdict.unsupported)
    assert all(0 <= s.share <= 1.0001 for s in verdict.support)


@pytest.mark.parametrize("name", sorted(PASSAGES))
def test_a_passage_backs_itself(name: str) -> None:
    body = PASSAGES[name].partition("\n")[2]
    verdict = check(body, [PASSAGES[name]])
    assert verdict.ok, verdict.unsupported


@pytest.mark.parametrize(
    ("answer", "source", "backed"),
    [
        ("You can return goods even after 30 days.", "Return goods within 30 days.", False),
        ("Goods can be returned after 30 days.", "Goods can be returned within 30 days.", False),
        (
            "Waren können nach 30 Tagen zurück.",
            "Waren können innerhalb von 30 Tagen zurück.",
            False,
        ),
        ("Goods can be returned within 30 days.", "Goods can be returned within 30 days.", True),
        ("Points expire after 18 months.", "Points expire after 18 months.", True),
        ("Cards are valid for 24 months.", "Cards are valid for 24 months.", True),
    ],
)
def test_within_is_not_after(answer: str, source: str, backed: bool) -> None:
    assert say(answer, source).ok is backed
