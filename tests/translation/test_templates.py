"""The sentence that something was made of is found, with what was filled into it."""

from __future__ import annotations

import re

from bot.translation.contract import Origin, origin
from bot.translation.templates import made_of
from tests.kit.translating import responses

RESPONSES = responses()
PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def of(name: str) -> Origin:
    found = origin(name, RESPONSES)
    assert found is not None
    return found


def test_every_response_is_found_in_what_was_said() -> None:
    count = 0
    for name, variants in RESPONSES.items():
        for variant in variants:
            text = str(variant.get("text") or "")
            said = PLACE.sub(lambda match: f"<{match[1]} 7>", text).strip()
            if not said or (said.startswith("<") and said.endswith(">")):
                continue
            made = made_of(said, of(name), "xx")
            assert made is not None, name
            assert made.filled(made.sentence, made.values) == said
            count += 1
    assert count > 150


def test_what_was_filled_in_is_told_by_place() -> None:
    made = made_of("I can't find an order with the number 9999.", of("utter_order_not_found"), "pt")
    assert made is not None
    assert made.values == {"{number}": "9999"}
    assert made.own == ""
    assert made.filled("Não encontro {number}.", made.values) == "Não encontro 9999."


def test_designers_own_words_in_the_language_are_taken_for_texts_and_buttons() -> None:
    said = "Two working days.\n\nSource: Delivery (https://a.example/b)"
    made = made_of(said, of("utter_answer_model"), "de")
    assert made is not None
    assert made.own == "{answer}\n\nQuelle: {title}{link}"
    assert made.values["{title}{link}"] == "Delivery (https://a.example/b)"
    assert made.filled(made.own, made.values).endswith("Quelle: Delivery (https://a.example/b)")
    button = made_of("That helped", of("utter_answer_model"), "de")
    assert button is not None
    assert button.own == "Das hilft mir"
    assert made_of("That helped", of("utter_answer_model"), "pt").own == ""


def test_other_words_are_of_no_sentence() -> None:
    assert made_of("Delivery to Europe", of("utter_answer_offer"), "pt") is None
    assert made_of("I can't find it.", of("utter_order_not_found"), "pt") is None
    assert origin("utter_nothing_such", RESPONSES) is None
    assert origin("", RESPONSES) is None


def test_a_place_that_is_there_twice_holds_one_thing() -> None:
    twice = origin("utter_x", {"utter_x": [{"text": "{a} is {a}"}]})
    assert made_of("1 is 1", twice, "pt") is not None
    assert made_of("1 is 2", twice, "pt") is None
