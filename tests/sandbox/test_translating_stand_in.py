"""What the sandbox's models know of languages, and that it fits the bot's own words."""

from __future__ import annotations

import re

import pytest

from bot.llm.prompts import load_prompt
from bot.sandbox.translating import _phrases, languages_of, translated
from tests.kit.translating import responses

LANGUAGES = ("de", "es", "fr", "it", "pt")


def test_every_phrase_is_there_in_six_languages_with_the_same_places() -> None:
    for row in _phrases():
        assert set(row) == {"en", *LANGUAGES}, row
        places = sorted(re.findall(r"\{\d\}", row["en"]))
        assert all(sorted(re.findall(r"\{\d\}", text)) == places for text in row.values()), row


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_and_back_is_the_same(language: str) -> None:
    for row in _phrases():
        said = re.sub(r"\{(\d)\}", r"⟦\1⟧", row["en"])
        there = translated(said, "en", language)
        back = translated(there, language, "en")
        assert re.sub(r"\W+$", "", back).casefold() == re.sub(r"\W+$", "", said).casefold()


def test_it_knows_the_bots_own_words() -> None:
    for name in (
        "utter_greet",
        "utter_ask_order_number",
        "utter_handoff",
        "utter_pay_yes",
        "utter_fallback",
        "utter_proof_done",
    ):
        (variant,) = [one for one in responses()[name] if not one.get("channel")]
        text = variant["text"].replace("{method}", "⟦1⟧").replace("1042", "⟦1⟧")
        for language in LANGUAGES:
            made = translated(text, "en", language)
            assert not set(re.findall(r"\w{5,}", made)) & {"person", "order", "number", "passing"}


def test_days_and_what_it_does_not_know() -> None:
    assert translated("Friday, 4 April", "en", "pt") == "sexta-feira, 4 de abril"
    assert translated("4 April", "en", "fr") == "4 avril"
    for none in ("4 Smarch", "31 April"):
        assert translated(none, "en", "fr") == none
    assert translated("Hallo, wo ist meine Bestellung?", "de", "en") == "Hello, Where is my order?"
    assert translated("A thing nobody knows. Hello!", "en", "de") == (
        "A thing nobody knows. Guten Tag!"
    )


def test_it_reads_our_own_prompt() -> None:
    system = load_prompt("translate").fill(source="pt", target="en", wrong="")
    assert languages_of(system) == ("pt", "en")
    assert languages_of("Translate this.") is None
