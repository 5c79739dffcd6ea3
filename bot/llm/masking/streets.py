"""Postal addresses, by spaCy's matcher over the tokens of a text. spaCy is loaded on first use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.llm.masking.finds import Find

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.matcher import Matcher

_NUMBER = {"TEXT": {"REGEX": r"^\d{1,5}[a-zA-Z]?(?:[-/]\d{1,4}[a-zA-Z]?)?$"}}
_COMMA = {"ORTH": {"IN": [",", "n°", "nº", "Nr", "nr", "No", "no", "num", "."]}, "OP": "{0,3}"}
_DOT = {"ORTH": ".", "OP": "?"}
_TITLE = r"^[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’.\-]*$"
_TITLED = {"TEXT": {"REGEX": _TITLE}}
# Words of a street's name, in languages where small words stand between.
_NAME = {
    "TEXT": {
        "REGEX": rf"{_TITLE}|^(?i:de|del|della|di|da|do|das|dos|la|las|los|le|les|du|des|l'|d'|"
        r"l’|d’|et|e|y|i|van|von|der|den|dem|am|saint|st|ste|\d{1,2})$"
    },
    "OP": "{1,5}",
}
_NAME_IT = r"^[A-ZÀ-Ý][a-zà-ÿ'’.]+$|^(?i:di|del|della|dei|delle|da|d'|san|santa|[ivx]+)$"
_SURE = "street|road|avenue|lane|boulevard|crescent|terrace|str|rd|ave|blvd|ln"
_DOUBTFUL = (
    "St|Street|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court|Ct|Crescent|Cres|Way|Place|Pl|Square|"
    "Sq|Terrace|Gardens|Gdns|Grove|Hill|Row|Walk|Mews|Boulevard|Blvd|Parkway|Pkwy|Highway|Hwy|Park|"
    "Green|View|Rise|Gate|Wharf|Quay|Parade|Broadway"
)
_NOT_A_STREET = (
    "days?|weeks?|months?|years?|hours?|minutes?|items?|orders?|pounds?|euros?|dollars?|the|a|an|of|to|"
    "on|in|at|by|for|from|with|is|was|are|and|or|per|more|mugs?|plates?|parcels?|people|times?|pm|am|"
    "o'clock|working|down|off|my|your|our|this|that|i|we|you"
)
_PLAIN_WORD = {"LOWER": {"REGEX": rf"^(?!(?:{_NOT_A_STREET})$)[a-zà-ÿ'’]+$"}, "OP": "{1,2}"}


def _any(pattern: str) -> dict[str, Any]:
    return {"LOWER": {"REGEX": rf"^(?:{pattern})\.?$"}}


_PATTERNS: dict[str, list[list[dict[str, Any]]]] = {
    "en": [
        [_NUMBER, {**_TITLED, "OP": "{1,3}"}, {"TEXT": {"REGEX": rf"^(?:{_DOUBTFUL})\.?$"}}],
        [_NUMBER, _PLAIN_WORD, _any(_SURE)],
    ],
    "de": [
        [
            {
                "LOWER": {
                    "REGEX": r"^[\wäöüß\-]{2,}(?:stra(?:ß|ss)e|str\.?|weg|platz|allee|gasse|ring|"
                    r"damm|ufer|steig|chaussee|hof|markt)$"
                }
            },
            _DOT,
            _NUMBER,
        ],
        [_TITLED, _any("straße|strasse|str|weg|platz|allee|gasse|ring|damm|ufer"), _DOT, _NUMBER],
        [
            _any("straße|strasse"),
            _any("des|der|am|im|vom"),
            {**_NAME, "OP": "{1,3}"},
            _NUMBER,
        ],
        [
            _any("straße|strasse|platz"),
            _any("des|der"),
            {"TEXT": {"REGEX": r"^\d{1,2}\.?$"}},
            _DOT,
            _TITLED,
            _NUMBER,
        ],
        [_any("am|an|auf|im|zum|zur|unter"), _any("der|den|dem|alten|neuen"), _TITLED, _NUMBER],
    ],
    "fr": [
        [
            _NUMBER,
            {"LOWER": {"IN": ["bis", "ter", "quater", ",", "b"]}, "OP": "{0,2}"},
            _any(
                "rue|avenue|av|boulevard|bd|bld|place|chemin|allée|allee|impasse|quai|cours|route|"
                "square|passage|faubourg|sentier|villa"
            ),
            _DOT,
            _NAME,
        ],
    ],
    "es": [
        [
            _any("calle|c/|cl|avenida|avda|av|plaza|pza|paseo|pso|camino|carretera|ronda|travesía"),
            {"ORTH": {"IN": [".", "/"]}, "OP": "?"},
            _NAME,
            _COMMA,
            _NUMBER,
        ],
        [{"LOWER": {"REGEX": r"^c/\w+$"}}, {**_NAME, "OP": "{0,5}"}, _COMMA, _NUMBER],
        [{"LOWER": "c"}, {"ORTH": "/"}, _NAME, _COMMA, _NUMBER],
    ],
    "it": [
        [
            # In lower case "via" is English for by, and so is "Via PayPal 2".
            {"TEXT": {"REGEX": r"^(?:Via|V\.?le|P\.?za|C\.?so)$"}},
            {"TEXT": {"REGEX": _NAME_IT}, "OP": "{1,4}"},
            _COMMA,
            _NUMBER,
        ],
        [_any("viale|piazza|piazzale|corso|largo|vicolo|strada"), _NAME, _COMMA, _NUMBER],
    ],
    "nl": [
        [
            {
                "LOWER": {
                    "REGEX": r"^[\w\-]{3,}(?:straat|laan|plein|gracht|kade|dijk|singel|steeg|weg|"
                    r"pad|hof|kamp|dreef|markt)$"
                }
            },
            _NUMBER,
            {"TEXT": {"REGEX": r"^(?:[A-Za-z]|I{1,3}|bis|hs)$"}, "OP": "?"},
        ],
    ],
    "pt": [
        [
            _any("rua|r|avenida|av|praça|praca|travessa|tv|estrada|alameda|rodovia|beco"),
            _DOT,
            _NAME,
            _COMMA,
            _NUMBER,
        ],
    ],
    "pl": [
        [
            _any("ul|ulica|ulicy|al|aleja|aleje|alei|os|osiedle|pl|plac|placu"),
            _DOT,
            {**_TITLED, "OP": "{1,4}"},
            _NUMBER,
        ],
    ],
}

_CITY_NEXT = r"am|an|der|den|de|la|le|les|sur|del|on|upon|[A-ZÀ-ÞŁŚŻ][\w'’\-]+"
_CITY = rf"[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’\-]+(?: (?:{_CITY_NEXT})){{0,3}}"
_UK = r"(?:GIR ?0AA|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2})"
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|"
    "NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
)
_POSTCODES = (
    rf"(?i:{_UK})(?![\w])",
    rf"{_CITY},? (?:{_STATES})[ ,]+[0-9]{{5}}(?:-[0-9]{{4}})?(?!\w)",
    rf"[0-9]{{4}} ?[A-Z]{{2}}[ ,]+{_CITY}",
    rf"(?:D|DE|F|FR|A|AT|CH|B|BE|I|IT|E|ES|L)[- ][0-9]{{4,5}} {_CITY}",
    rf"[0-9]{{2}}-[0-9]{{3}}[ ,]+{_CITY}",
    rf"[0-9]{{4}}-[0-9]{{3}}[ ,]+{_CITY}",
)
_POSTCODE = re.compile(rf"(?<![\w\-])(?:{'|'.join(_POSTCODES)})")
# Five digits and a word may be an order number and a sentence: only after a word for it.
_NAMED_POSTCODE = re.compile(
    rf"(?i:\b(?:plz|postleitzahl|postcode|zip(?: code)?|code postal|cp|c\.p\.|código postal|cap|"
    rf"postnummer|kod pocztowy|wohne in|anschrift|adresse|address|dirección|indirizzo|adres)\b)"
    rf"[ :]*(?:is|ist|est|es|è|:)?[ ]*(?P<code>[0-9]{{4,5}}(?:-[0-9]{{4}})?(?:,? {_CITY})?)(?!\w)"
)
_FLAT = r"(?i:flat|apt|apartment|unit|suite|floor|piso|app|m|etage|étage|hs)\.? ?\w{1,4}\b"
_CODE = (
    rf"(?i:{_UK})|[0-9]{{4}} ?[A-Z]{{2}}\b|[0-9]{{2}}-[0-9]{{3}}|[0-9]{{4}}-[0-9]{{3}}"
    rf"|[0-9]{{5}}(?:-[0-9]{{4}})?|(?:{_STATES}) [0-9]{{5}}"
)
_TAIL = re.compile(
    rf"(?:,? ?(?:{_FLAT}))?"
    rf"(?:\s*,?\s*(?:{_CITY},?\s+)?(?:(?:D|F|A|B|E|I|PL|NL)-)?"
    rf"(?:{_CODE})(?![\w])(?:,?[ ]{_CITY})?|,\s*{_CITY})?"
)
_HEAD = re.compile(r"(?i:\b(?:flat|apt|apartment|unit|suite|room)\.? ?\w{1,4},? )$")


def addresses(text: str) -> Iterator[Find]:
    """Find streets with a house number, and postcodes with their city, in eight languages."""
    if not any(c.isdigit() for c in text):
        return
    for match in _POSTCODE.finditer(text):
        yield Find("ADDRESS", *match.span())
    for match in _NAMED_POSTCODE.finditer(text):
        yield Find("ADDRESS", *match.span("code"))
    nlp, matcher = _pipeline()
    doc = nlp.make_doc(text)
    for span in matcher(doc, as_spans=True):
        start, end = span.start_char, span.end_char
        head = _HEAD.search(text, max(0, start - 20), start)
        tail = _TAIL.match(text, end)
        yield Find("ADDRESS", head.start() if head else start, tail.end() if tail else end)


@lru_cache(maxsize=1)
def _pipeline() -> tuple[Language, Matcher]:
    import spacy
    from spacy.matcher import Matcher as Matching

    nlp = spacy.blank("xx")
    nlp.max_length = 10_000_000
    matcher = Matching(nlp.vocab)
    for language, patterns in _PATTERNS.items():
        matcher.add(language, patterns)
    return nlp, matcher
