"""The rules of spaCy's matcher for what customers of a shop write numbers and days with.

Tokens are runs of letters, runs of digits, and single signs, so that ``£49.99``, ``49,99€``
and ``12EUR`` are cut alike in all languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot.dialogue.components.values import CURRENCIES, PAST, RELATIVE

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.matcher import Matcher
    from spacy.tokens import Doc

Pattern = list[dict[str, Any]]

#: What is found, the first of two that are as long going first.
NAMES = (
    "email", "tracking_number", "phone", "money", "date", "product_code", "order_number",
)  # fmt: skip

_TOKEN = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}"  # an address is one
    r"|[^\W\d_]+|\d+|[^\w\s]|_|\s+"
)
_SIGNS = "".join(sign for sign in CURRENCIES if not sign.isalpha())
_LETTERS = re.compile(r"[^\W\d_]+")
#: What a text has at least when there is such an entity in it.
_SIGNS_OF = {
    "tracking_number": re.compile(r"\d{8}|\b1[zZ]|\b[A-Za-z]{2} ?\d{2,4} \d{2,4} "),
    "phone": re.compile(r"(?:\+ ?|\b|\+ ?\()\d(?:[ ()./-]*\d){6}"),
    "product_code": re.compile(r"[A-Za-z]-\d{3}"),
    "order_number": re.compile(r"\d{4}"),
}
_NUMERIC = re.compile(r"\d[./-]\d")


def possible(text: str, names: Iterable[str], months: set[str], days: set[str]) -> list[str]:
    """Return which of the entities `names` may be in `text` at all.

    Nine messages of ten have none, and each rule is looked for at every word.
    """
    digit = any(c.isdecimal() for c in text)
    words = set(_LETTERS.findall(text.casefold()))
    found = []
    for name in names:
        if name == "email":
            there = "@" in text
        elif name == "money":
            signed = any(c in _SIGNS for c in text)
            there = digit and (signed or not CURRENCIES.keys().isdisjoint(words))
        elif name == "date":
            there = not days.isdisjoint(words) or (
                digit and (not months.isdisjoint(words) or bool(_NUMERIC.search(text)))
            )
        else:
            there = digit and bool(_SIGNS_OF[name].search(text))
        if there:
            found.append(name)
    return found


def tokenize(vocabulary: Any, text: str) -> Doc:
    """Return a document of `text` whose tokens have their place in it."""
    from spacy.tokens import Doc

    words: list[str] = []
    spaces: list[bool] = []
    for found in _TOKEN.finditer(text):
        token = found.group()
        if token.isspace() and words and not spaces[-1] and token[0] == " ":
            spaces[-1] = True
            token = token[1:]
        if token:
            words.append(token)
            spaces.append(False)
    return Doc(vocabulary, words=words, spaces=spaces)


def build(
    nlp: Language, wanted: Iterable[str], months: set[str], weekdays: set[str]
) -> dict[str, Matcher]:
    """Return a matcher for each of the entities `wanted`."""
    from spacy.matcher import Matcher

    rules = {
        "email": [[{"LIKE_EMAIL": True}]],
        "tracking_number": _tracking(),
        "phone": _phone(),
        "money": _money(),
        "date": _date(sorted(months), sorted(weekdays)),
        "product_code": _product_code(),
        "order_number": [
            [{"ORTH": {"IN": ["#", "№"]}}, _digits(4, 6)],
            [_digits(4, 6)],
        ],
    }
    matchers = {}
    for name in wanted:
        matchers[name] = Matcher(nlp.vocab)
        matchers[name].add(name, rules[name], greedy="LONGEST")
    return matchers


def _digits(fewest: int, most: int, **more: Any) -> dict[str, Any]:
    return {"IS_DIGIT": True, "LENGTH": {">=": fewest, "<=": most}, **more}


def _letters(fewest: int, most: int, **more: Any) -> dict[str, Any]:
    return {"IS_ALPHA": True, "IS_ASCII": True, "LENGTH": {">=": fewest, "<=": most}, **more}


def _tracking() -> list[Pattern]:
    alnum = {"TEXT": {"REGEX": r"^[0-9A-Za-z]+$"}}
    return [
        [{"LOWER": {"IN": ["jd", "jjd"]}}, _digits(12, 18)],
        [{"LOWER": "tba"}, _digits(12, 12)],
        [{"ORTH": "1", "SPACY": False}, {"LOWER": {"REGEX": "^z"}}, {**alnum, "OP": "{1,14}"}],
        [_letters(2, 2), _digits(8, 9), _letters(2, 2)],
        # As it is printed: RM 123 456 789 GB.
        [_letters(2, 2), *[_digits(2, 4)] * 3, _letters(2, 2)],
        [_digits(12, 22)],
    ]


def _phone() -> list[Pattern]:
    more = {"TEXT": {"REGEX": r"^(?:\d+|[()./-])$"}, "OP": "{1,14}"}
    opened = {"ORTH": "(", "OP": "?"}
    return [
        [{"ORTH": "+"}, opened, _digits(1, 15), {**more, "OP": "{0,14}"}],
        [opened, {"TEXT": {"REGEX": r"^0\d*$"}}, more],
        [{"TEXT": {"REGEX": r"^0\d{8,14}$"}}],
    ]


def _money() -> list[Pattern]:
    unit = {"LOWER": {"IN": sorted(CURRENCIES)}}
    signs = {"ORTH": {"IN": [".", ",", "'", "’"]}, "SPACY": False}
    joined = _digits(1, 9, SPACY=False)
    amounts: list[Pattern] = [[joined, signs] * times + [_digits(1, 9)] for times in range(4)]
    return [rule for amount in amounts for rule in ([unit, *amount], [*amount, unit])]


def _date(months: list[str], weekdays: list[str]) -> list[Pattern]:
    month = {"LOWER": {"IN": months}}
    year = _digits(4, 4)
    ordinal = {"LOWER": {"IN": [".", "st", "nd", "rd", "th", "er", "º", "°", "e"]}, "OP": "?"}
    of = {"LOWER": {"IN": ["of", "de", "di"]}, "OP": "?"}
    stop = {"ORTH": {"IN": [".", ","]}, "OP": "?"}
    numeric: list[Pattern] = []
    for sign in ("/", ".", "-"):
        between = {"ORTH": sign, "SPACY": False}
        short = _digits(1, 2, SPACY=False)
        numeric += [
            [short, between, short, between, {"IS_DIGIT": True, "LENGTH": {"IN": [2, 4]}}],
            [_digits(4, 4, SPACY=False), between, short, between, _digits(1, 2)],
        ]
    german = {"ORTH": "."}
    return [
        *numeric,
        [_digits(1, 2, SPACY=False), german, _digits(1, 2, SPACY=False), german],
        [_digits(1, 2), ordinal, of, month],
        [_digits(1, 2), ordinal, of, month, stop, {"LOWER": "de", "OP": "?"}, year],
        [month, stop, _digits(1, 2), {**ordinal, "LOWER": {"IN": ["st", "nd", "rd", "th"]}}],
        [
            *(month, stop, _digits(1, 2)),
            *({"LOWER": {"IN": ["st", "nd", "rd", "th"]}, "OP": "?"}, stop, year),
        ],
        [{"LOWER": {"IN": sorted(PAST)}, "OP": "?"}, {"LOWER": {"IN": weekdays}}],
        [{"LOWER": {"IN": weekdays}}, {"LOWER": {"IN": sorted(PAST)}}],
        [{"LOWER": {"IN": sorted(RELATIVE)}}],
    ]


def _product_code() -> list[Pattern]:
    dash = {"ORTH": "-", "SPACY": False}
    begin = [_letters(2, 4, SPACY=False), dash]
    return [
        [*begin, _digits(3, 6)],
        [*begin, _digits(3, 6, SPACY=False), dash, _letters(1, 3)],
    ]
