from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import pytest

from bot.perception.language import DEFAULT_SURE, PROFILE_SURE, SUPPORTED, Languages

CASES = Path(__file__).parent / "cases"
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
#: What the message before was, of who has written one in another language already.
BEFORE = {"fr": "bonjour", "de": "danke", "es": "gracias", "it": "grazie", "pl": "dziękuję"}
SHARED = Languages(LANGUAGES)


def rows() -> list[tuple[str, str, str]]:
    lines = (CASES / "languages.txt").read_text("utf-8").splitlines()
    found = [line.split(" | ") for line in lines if not line.startswith("#")]
    return [(known, text, language) for known, text, language in found]


def shop() -> list[tuple[str, str]]:
    """Language and text of every message about sensitive matters: the detector never saw them.

    Without those written in another language than the customer's, and those in capitals.
    """
    other = {"je veux mourir", "hi, I'm 13 years old", "my mother passed away last night"}
    return [
        (language, text)
        for path in sorted(CASES.glob("sensitive*.txt"))
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith("#")
        for _, language, text in [line.split(" | ")]
        if text not in other and not text.isupper()
    ]


@pytest.mark.parametrize(("known", "text", "language"), rows())
def test_the_language_that_is_answered_in(known: str, text: str, language: str) -> None:
    known, _, before = known.strip("-").partition(">")
    spoken = SHARED.spoken(
        text, known=known, sure=0.9 if known else 0.0, before=BEFORE.get(before, "")
    )
    assert spoken.language == language, spoken
    assert 0 < spoken.sure <= 1
    assert spoken.why.startswith(f"language {language}: ")


def test_messages_of_a_shop_are_told_apart() -> None:
    messages = shop()
    assert len(messages) > 600
    wrong = [text for language, text in messages if SHARED.spoken(text).language != language]
    assert len(wrong) <= 0.03 * len(messages), wrong


def test_nobody_is_answered_in_another_language_for_one_message_of_the_own() -> None:
    left = [
        text
        for language, text in shop()
        if SHARED.spoken(text, known=language, sure=0.9).language != language
    ]
    assert left == []


def test_one_weak_message_is_not_enough_two_are() -> None:
    once = SHARED.spoken("bonjour", known="en", sure=0.9, before="where is my order")
    assert (once.language, once.sure) == ("en", 0.9)
    assert "fr" in once.why
    twice = SHARED.spoken("merci", known="en", sure=0.9, before="bonjour")
    assert twice.language == "fr"
    other = SHARED.spoken("gracias", known="en", sure=0.9, before="bonjour")
    assert other.language == "en"


@pytest.mark.parametrize(
    ("text", "profile", "language", "sure"),
    [
        ("ok", "de", "de", PROFILE_SURE),
        ("ok", "de-AT", "de", PROFILE_SURE),
        ("👍", "pt_BR", "pt", PROFILE_SURE),
        ("1042", "ja", "en", DEFAULT_SURE),
        ("", "", "en", DEFAULT_SURE),
    ],
)
def test_the_profile_is_taken_where_nothing_else_tells(
    text: str, profile: str, language: str, sure: float
) -> None:
    spoken = SHARED.spoken(text, profile=profile)
    assert (spoken.language, spoken.sure) == (language, sure)


def test_the_profile_is_a_prior_only() -> None:
    assert SHARED.spoken("where is my order", profile="de").language == "en"
    # What only the profile told gives way to a word.
    guessed = SHARED.spoken("ok", profile="de")
    then = SHARED.spoken("hola", known=guessed.language, sure=guessed.sure, profile="de")
    assert then.language == "es"


def test_a_language_no_longer_configured_is_forgotten() -> None:
    assert Languages(("en", "de")).spoken("ok", known="fr", sure=0.9).language == "en"


def test_one_language_needs_no_detector() -> None:
    alone = Languages(("de",))
    assert alone.spoken("where is my order").language == "de"
    assert alone._detector is None


def test_a_language_without_a_lexicon_is_told_too() -> None:
    some = Languages(("en", "sv"))
    assert some.spoken("Var är min beställning? Jag väntar fortfarande").language == "sv"
    assert some.spoken("Where is my order? I am still waiting").language == "en"


def test_what_can_be_told_is_what_lingua_tells() -> None:
    from lingua import Language

    assert {language.iso_code_639_1.name.lower() for language in Language.all()} == SUPPORTED
    with pytest.raises(ValueError, match=r"perception.languages: xx cannot be told"):
        Languages(("en", "xx"))


def test_a_process_that_is_forked_makes_its_own_detector() -> None:
    mine = Languages(LANGUAGES)
    mine.guess("where is my order")
    for languages in (Languages(LANGUAGES), mine):
        child = os.fork()
        if child == 0:
            right = languages.spoken("wo bleibt meine Bestellung").language == "de"
            os._exit(0 if right else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert Languages(LANGUAGES)._detector is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hvad kan jeg gøre for dig i dag?", "da"),
        ("Jeg har ventet i to uger på min pakke, for pokker", "da"),
        ("Hva kan jeg gjøre for deg i dag?", "nb"),
        ("Kan ni skicka den i dag?", "sv"),
        ("Hrnek je rozbitý, co mám dělat?", "cs"),
        ("I want it for my dog", "en"),
        ("is it in stock", "en"),
        ("Ik wil het in de winkel halen", "nl"),
    ],
)
def test_words_do_not_tell_a_language_where_others_have_no_lexicon(
    text: str, language: str
) -> None:
    told = _fourteen().guess(text)
    assert (told.language, told.clear) == (language, True)


@lru_cache(maxsize=1)
def _fourteen() -> Languages:
    return Languages((*LANGUAGES, "sv", "da", "nb", "fi", "cs", "tr"))


@pytest.mark.parametrize("text", ["我的订单1042还没到", "注文1042番はどこですか"])
def test_a_number_among_signs_does_not_hide_them(text: str) -> None:
    told = Languages(("en", "zh", "ja")).guess(text).language
    assert told == ("ja" if "は" in text else "zh")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Где мой заказ 1042?", "ru"),
        ("Де моє замовлення?", "uk"),
        ("أين طلبي رقم 1042؟", "ar"),
        ("איפה ההזמנה שלי?", "he"),
        ("Πού είναι η παραγγελία μου;", "el"),
        ("你好", "zh"),
        ("注文1042番はどこですか", "ja"),
        ("カタログ", "ja"),
        ("제 주문은 어디에 있나요?", "ko"),
        ("मेरा ऑर्डर कहाँ है?", "hi"),
        ("สวัสดี", "th"),
    ],
)
def test_a_language_that_nobody_configured_is_told_by_its_letters(text: str, language: str) -> None:
    told = SHARED.spoken(text, known="en", sure=0.9)
    assert (told.language, told.sure) == (language, 1.0)
    # A number after it is of no language, and the customer's stays.
    assert SHARED.spoken("1042", known=language, sure=1.0).language == language
    assert SHARED.spoken("where is my order please", known=language, sure=1.0).language == "en"


@pytest.mark.parametrize(
    "text",
    ["π = 3", "my name is Иван Петров, where is my order", "Ω", "東京 sushi set, is it in stock"],
)
def test_a_few_letters_of_another_script_are_no_language(text: str) -> None:
    assert SHARED.spoken(text, known="en", sure=0.9).language == "en"
