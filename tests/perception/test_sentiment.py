from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.perception.lexicon import FOLDER, Lexicon, LexiconBroken, lexicon, read_lexicon
from bot.perception.sentiment import feel, shouts

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")


@pytest.mark.parametrize(
    ("language", "text", "least", "most"),
    [
        ("en", "where is my order", 0, 0),
        ("en", "1042", 0, 0),
        ("en", "thank you so much, great service", 0.7, 1),
        ("en", "This is terrible", -0.75, -0.5),
        ("en", "my lamp is broken", -0.6, -0.3),
        ("en", "slightly disappointed", -0.45, -0.2),
        ("en", "isnt working", -0.6, -0.3),
        ("en", "Thanks for nothing", -0.6, -0.3),
        ("en", "damn good mug", 0.4, 0.8),
        ("en", "you fucking thieves, worst shop ever, I hate you", -1, -0.9),
        ("en", "😡😡", -0.95, -0.6),
        ("en", "👍🏽 thanks", 0.5, 0.9),
        ("de", "Danke, alles bestens!", 0.5, 1),
        ("de", "das gefällt mir nicht", -0.6, -0.2),
        ("de", "nicht gut", -0.6, -0.2),
        ("de", "Sehr schlechter Service, ich bin wütend", -1, -0.7),
        ("fr", "ça ne marche pas, je suis très déçu", -0.95, -0.6),
        ("fr", "merci beaucoup, c'est parfait", 0.7, 1),
        ("es", "no funciona, qué vergüenza", -0.95, -0.6),
        ("es", "me encanta, muchas gracias", 0.7, 1),
        ("it", "grazie mille, siete gentilissimi", 0.6, 1),
        ("it", "siete una vergogna", -0.8, -0.5),
        ("nl", "dit is waardeloos", -0.8, -0.5),
        ("nl", "hartelijk dank, top service", 0.7, 1),
        ("pt", "péssimo serviço, estou farto", -0.95, -0.6),
        ("pt", "muito obrigada, adorei", 0.7, 1),
        ("pl", "fatalna obsługa, oszuści", -0.95, -0.7),
        ("pl", "bardzo dziękuję, świetna obsługa", 0.7, 1),
        # A word of English in another language, and a language without a lexicon.
        ("de", "awesome", 0.5, 1),
        ("sv", "awful", -0.8, -0.4),
    ],
)
def test_how_a_message_sounds(language: str, text: str, least: float, most: float) -> None:
    assert least <= feel(text, language).score <= most


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("very bad", "bad"),
        ("bad", "slightly bad"),
        ("bad", "not good"),
        ("not bad", "good"),
        ("bad", "not bad"),
        ("THIS IS BAD", "this is bad"),
        ("this is bad!!!", "this is bad"),
        ("where is it???", "where is it?"),
        ("fucking bad", "bad"),
        ("it is lovely but broken", "it is broken but lovely"),
        ("good. not here", "good here, very good"),
        ("WHERE IS MY ORDER", "where is my order"),
        ("this is bad 😡", "this is bad"),
    ],
)
def test_what_makes_it_worse(worse: str, better: str) -> None:
    assert feel(worse, "en").score < feel(better, "en").score


@pytest.mark.parametrize(
    ("language", "text", "least", "calm"),
    [
        ("en", "I need it today, asap", 0.6, False),
        ("en", "this is urgent", 0.6, False),
        ("en", "the deadline is on Friday", 0.35, False),
        ("en", "no rush, whenever you can", 0, True),
        ("en", "it isn't urgent", 0, True),
        ("de", "es eilt, bitte sofort", 0.7, False),
        ("de", "keine Eile", 0, True),
        ("fr", "c'est urgent, aujourd'hui", 0.7, False),
        ("es", "lo necesito hoy, cuanto antes", 0.7, False),
        ("it", "è urgente, oggi", 0.7, False),
        ("nl", "zo snel mogelijk graag", 0.6, False),
        ("pt", "preciso hoje, é urgente", 0.7, False),
        ("pl", "to pilne, na dzisiaj", 0.7, False),
        ("en", "where is my order", 0, False),
    ],
)
def test_how_pressing_it_is(language: str, text: str, least: float, calm: bool) -> None:
    felt = feel(text, language)
    assert felt.calm == calm
    assert felt.urgency >= least
    assert felt.urgency == 0 or least > 0


def test_it_says_by_what_it_was_told() -> None:
    assert feel("I am disappointed, it's BROKEN 😡", "en").told == ("disappoint*", "broken", "😡")
    assert not feel("order 1042", "en").certain


@pytest.mark.parametrize(
    ("text", "loud"),
    [("WHERE IS MY ORDER", True), ("STOP", False), ("I want my DVD", False), ("ABC 1042", False)],
)
def test_shouting_is_more_than_a_word(text: str, loud: bool) -> None:
    assert shouts(text) == loud


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_whatever_is_written_is_between_the_bounds(text: str, language: str) -> None:
    felt = feel(text, language)
    assert -1 <= felt.score <= 1
    assert 0 <= felt.urgency <= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_lexicon_of_its_own(language: str) -> None:
    own = Lexicon()
    read_lexicon(FOLDER / f"{language}.txt", own)
    assert len(own.weights) >= (120 if language == "en" else 50)
    assert len(own.urgent) >= 10
    assert len(own.tells) >= 40
    for part in (own.before, own.very, own.little, own.but, own.calm):
        assert len(part)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("good things", "x.txt:2: 'good things' is no kind or entry"),
        ("happy: yes", "x.txt:2: "),
        ("9: yes", "x.txt:2: '9' is no kind"),
        ("urgent 2: now", "x.txt:2: 'urgent 2' is no kind"),
        ("-2: bad, wr*ng", r"x.txt:2: 'wr\*ng' is no kind or entry"),
        ("-2: ba*", r"x.txt:2: 'ba\*' is no kind"),
        ("-2: bad,, wrong", "x.txt:2: '' is no kind"),
    ],
)
def test_what_is_wrong_in_a_lexicon_is_told(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(f"# words\n{line}\n", "utf-8")
    with pytest.raises(LexiconBroken, match=told):
        read_lexicon(path, Lexicon())
    with pytest.raises(LexiconBroken, match=r"y\.txt: cannot be read"):
        read_lexicon(tmp_path / "y.txt", Lexicon())


def test_a_lexicon_is_read_once() -> None:
    assert lexicon("en") is lexicon("en")
