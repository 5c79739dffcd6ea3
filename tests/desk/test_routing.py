"""Where cases go, what customers are told and when, by the file that the shop has."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from bot.desk.routing import Route, Routing
from bot.desk.routing_file import load_routing
from bot.desk.when import SAYS
from bot.perception.escalation_file import load_escalation

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
TEXTS = ("closed", "handed", "returned", "rating", "rated", "idle")


@pytest.fixture(scope="module")
def shop() -> Routing:
    return load_routing()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def test_the_shop_s_file_knows_only_topics_and_channels_that_there_are() -> None:
    topics = (*load_escalation().topics, "human")
    made = load_routing(topics=topics, channels=["whatsapp", "sms"], agents=["anna"])
    # Whoever has one Slack channel needs no other.
    assert {route.slack for route in made.routes} == {""}


def test_the_first_route_that_matches_is_taken(shop: Routing) -> None:
    routes = (
        Route("a", topics=("legal",), languages=("de", "fr")),
        Route("b", channels=("sms",), tiers=("gold",)),
        Route("c", priorities=("urgent",)),
        Route("d"),
    )
    routing = replace(shop, routes=routes)
    base = {"topic": "human", "language": "en", "channel": "line"}

    def name(**more: str) -> str:
        return routing.route(**{**base, **more}).name

    assert name(topic="legal", language="fr") == "a"
    assert name(topic="legal") == "d"
    assert name(language="de") == "d"
    assert name(channel="sms", tier="gold") == "b"
    assert name(channel="sms") == "d"
    assert name(priority="urgent") == "c"
    assert name(topic="legal", language="de", priority="urgent") == "a"
    assert routing.named("b") == routes[1]
    assert routing.named("gone") is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_there_in_every_language(shop: Routing, name: str, language: str) -> None:
    said = shop.says(name, language, opens="X")
    assert said
    assert "{" not in said
    assert ("X" in said) == (name == "closed")
    others = {shop.says(name, other) for other in LANGUAGES}
    assert len(others) == len(LANGUAGES)


def test_a_language_without_a_text_gets_the_default_one(shop: Routing) -> None:
    assert shop.says("rated", "sv") == shop.says("rated", "en")
    assert shop.says("rated", "") == shop.says("rated", "en")
    assert shop.says("rated", "pt-BR") == shop.says("rated", "pt")
    assert shop.says("nonsense", "en") == ""


FRIDAY_EVENING = "2026-12-04T20:00"
SATURDAY_EVENING = "2026-12-05T20:00"
MONDAY_MORNING = "2026-12-07T05:00"


@pytest.mark.parametrize(
    ("moment", "language", "words"),
    [
        (MONDAY_MORNING, "en", "today at 09:00"),
        (FRIDAY_EVENING, "en", "tomorrow at 10:00"),
        (SATURDAY_EVENING, "en", "Monday at 09:00"),
        ("2026-12-24T20:00", "en", "Tuesday at 09:00"),
        # In summer the clock in London is an hour ahead of UTC.
        ("2026-06-05T20:00", "en", "tomorrow at 10:00"),
        ("2026-06-04T23:30", "en", "today at 09:00"),
        (SATURDAY_EVENING, "de", "am Montag um 09:00 Uhr"),
        (SATURDAY_EVENING, "fr", "lundi à 09:00"),
        (SATURDAY_EVENING, "es", "el lunes a las 09:00"),
        (SATURDAY_EVENING, "it", "lunedì alle 09:00"),
        (SATURDAY_EVENING, "nl", "maandag om 09:00 uur"),
        (SATURDAY_EVENING, "pt", "segunda-feira às 09:00"),
        (SATURDAY_EVENING, "pl", "poniedziałek, godz. 09:00"),
        (FRIDAY_EVENING, "de", "morgen um 10:00 Uhr"),
        (FRIDAY_EVENING, "fr", "demain à 10:00"),
        (FRIDAY_EVENING, "pl", "jutro, godz. 10:00"),
        (FRIDAY_EVENING, "sv", "tomorrow at 10:00"),
        (FRIDAY_EVENING, "de-AT", "morgen um 10:00 Uhr"),
    ],
)
def test_when_somebody_is_here_again_in_words(
    shop: Routing, moment: str, language: str, words: str
) -> None:
    assert shop.opens_in_words(at(moment), language) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "on Monday 14 December at 09:00"),
        ("de", "am Montag, dem 14. Dezember, um 09:00 Uhr"),
        ("fr", "le lundi 14 décembre à 09:00"),
        ("es", "el lunes 14 de diciembre a las 09:00"),
        ("it", "lunedì 14 dicembre alle 09:00"),
        ("nl", "op maandag 14 december om 09:00 uur"),
        ("pt", "segunda-feira, 14 de dezembro, às 09:00"),
        ("pl", "poniedziałek 14 grudnia, godz. 09:00"),
    ],
)
def test_from_a_week_on_it_is_a_date(shop: Routing, language: str, words: str) -> None:
    away = frozenset(date(2026, 12, 5) + timedelta(n) for n in range(9))
    routing = replace(shop, hours=replace(shop.hours, holidays=away))
    assert routing.opens_in_words(at(FRIDAY_EVENING), language) == words
    # On Tuesday it is Monday, six days on; on Monday it would be the same weekday.
    assert str(14) not in routing.opens_in_words(at("2026-12-08T12:00"), language)
    assert str(14) in routing.opens_in_words(at("2026-12-07T12:00"), language)


def test_the_words_are_in_the_language_of_the_text_that_they_stand_in(shop: Routing) -> None:
    texts = {**shop.texts, "closed": {"en": "back {opens}", "sv": "åter {opens}"}}
    routing = replace(shop, texts=texts)
    assert routing.opens_in_words(at(FRIDAY_EVENING), "de") == "tomorrow at 10:00"
    assert routing.opens_in_words(at(FRIDAY_EVENING), "sv") == "lördag, 5 december, 10:00"
    assert set(LANGUAGES) == SAYS


def test_never_is_no_moment(shop: Routing) -> None:
    routing = replace(shop, hours=replace(shop.hours, week=((),) * 7))
    assert routing.opens(at(FRIDAY_EVENING)) is None
    assert routing.opens_in_words(at(FRIDAY_EVENING), "en") == ""


def test_deadlines_count_while_somebody_is_here_but_for_the_urgent(shop: Routing) -> None:
    evening = at("2026-12-04T17:50")
    assert shop.due(evening, "high", first=True) == at("2026-12-05T10:05")
    assert shop.due(evening, "high", first=False) == at("2026-12-05T10:20")
    assert shop.due(evening, "urgent", first=True) == at("2026-12-04T17:55")
    night = at("2026-12-05T02:00")
    assert shop.due(night, "urgent", first=False) == at("2026-12-05T02:05")
    assert shop.due(night, "normal", first=True) == at("2026-12-05T10:30")
    # What the file does not know is as urgent as most things are.
    assert shop.due(night, "odd", first=True) == shop.due(night, "normal", first=True)
