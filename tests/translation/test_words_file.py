"""data/translation.yml: the project's own, and wrong ones."""

from __future__ import annotations

import pytest

from bot.perception.language import KNOWN_SURE
from bot.settings import Perception, SettingsInvalid
from bot.translation.words_file import TRANSLATION_FILE, load_words, parse_words
from tests.kit.translating import TELLS, responses

GOOD = "sorry: {en: s, pt: p}\nbutton: {en: b}\nhanded: {en: h}\n"


def test_the_projects_own_speaks_every_configured_language() -> None:
    words = load_words(TRANSLATION_FILE)
    assert len(words.sorry) >= 12
    for texts in (words.sorry, words.button, words.handed):
        assert set(Perception().languages) <= set(texts)
    for language in Perception().languages:
        assert TELLS.clearly(words.sorry[language]) == language
    assert words.person == "/human"
    assert 0 < KNOWN_SURE < 1


def test_its_places_are_there() -> None:
    text = str(responses())
    asked = load_words(TRANSLATION_FILE)
    assert all(f"{{{name}}}" in text for name in ("number", "method", "closes"))
    assert {"number", "method", "link"} <= asked.keep


def test_english_stands_in_for_what_is_missing() -> None:
    words = parse_words(GOOD)
    assert (words.says("sorry", "pt"), words.says("sorry", "ja")) == ("p", "s")
    assert load_words(TRANSLATION_FILE.with_name("nowhere.yml")).says("sorry", "pt") == ""


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("Quero falar com uma pessoa", "pt"),
        ("Posso falar com alguém sobre a encomenda 1042?", "pt"),
        ("Je voudrais parler à une vraie personne", "fr"),
        ("Puis-je parler à quelqu’un ?", "fr"),
        ("Ich möchte mit einem Menschen sprechen", "de"),
        ("Kann ich mit jemandem reden", "de"),
        ("¿Puedo hablar con alguien?", "es"),
        ("Vorrei parlare con un operatore", "it"),
        ("Ik wil een medewerker spreken", "nl"),
        ("Kan ik met iemand praten?", "nl"),
        ("Chcę rozmawiać z człowiekiem", "pl"),
        ("Jag vill prata med en människa", "sv"),
        ("Jeg vil gerne tale med et menneske", "da"),
        ("Kan jeg få snakke med noen?", "nb"),
        ("Haluan puhua ihmisen kanssa", "fi"),
        ("Chci mluvit s člověkem", "cs"),
        ("Хочу поговорить с человеком", "ru"),
        ("Можна поговорити з людиною?", "uk"),
        ("Θέλω να μιλήσω με έναν άνθρωπο", "el"),
        ("أريد التحدث إلى شخص", "ar"),
        ("אני רוצה לדבר עם נציג", "he"),
        ("我要人工客服", "zh"),
        ("担当者と話したいです。", "ja"),
        ("상담원과 이야기하고 싶어요", "ko"),
        ("Bir insanla konuşmak istiyorum", "tr"),
        ("Onde está a minha encomenda?", ""),
        ("Wir sprechen mit dem Nachbarn", ""),
        ("De tafel is voor zes personen", ""),
        ("I want to talk to a person", ""),
    ],
)
def test_who_asks_for_a_person_is_understood_in_each_language(said: str, language: str) -> None:
    words = load_words(TRANSLATION_FILE)
    assert words.asks_person(said) == language
    assert set(words.asks) == set(words.sorry) - {"en"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("en: s", "xx: s"), "sorry has no text in en"),
        (GOOD.replace("pt: p", "Portuguese: p"), "line 1|:1: sorry has a key that is no language"),
        (GOOD.replace("en: b", f"en: {'b' * 21}"), "button.en has more than 20 characters"),
        (GOOD.replace("handed", "handover"), "there is no handed"),
        (f"{GOOD}person: human\n", "person is no payload"),
        (f"{GOOD}keep: [Order Number]\n", "keep has an entry that is no name"),
        (f"{GOOD}keep: number\n", "keep is text"),
        ("sorry: text\n", "sorry is text"),
        (f"{GOOD}asks: {{pt: [(a]}}\n", "asks.pt has .* which is no pattern"),
        (f"{GOOD}asks: {{Portuguese: [a]}}\n", "asks has a key that is no language"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(SettingsInvalid, match=told):
        parse_words(text, "t.yml")
