"""Numbers as they are said, written as they are typed.

Who reads a number out says its digits one by one, and what writes it down makes of order 1042
"1 0 4 2", "one zero four two" or "1,042", none of which is the number of an order to anybody.
"""

from __future__ import annotations

import re

_SAID = {
    "en": "zero one two three four five six seven eight nine",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
    "nl": "nul een twee drie vier vijf zes zeven acht negen",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
}
_DIGITS = {
    word: str(digit) for words in _SAID.values() for digit, word in enumerate(words.split())
} | {"oh": "0", "o": "0", "zwo": "2", "één": "1", "meia": "6"}
_TIMES = {"double": 2, "triple": 3, "doppelt": 2}

_DIGIT = rf"(?:(?:(?:{'|'.join(_TIMES)})\s)?(?:\d|{'|'.join(sorted(_DIGITS, key=len)[::-1])}))"
# Three are a count ("one, two, three"), or how sizes are said; orders have four digits and more.
_ONE_BY_ONE = re.compile(
    rf"(?<![\w.,:-]){_DIGIT}(?:(?:,\s|[\s,-]){_DIGIT}){{2,}}(?![\w:-]|[.,]\d)", re.IGNORECASE
)
_FEWEST = 4
# Not with a currency, a unit or cents about it: then it is an amount, and read as one.
_GROUPED = re.compile(
    r"(?<![\w.,:£$€¥₹-])(?<![£$€¥₹]\s)[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})?"
    r"(?![\w:%-]|[.,]\d|\s?(?:[£$€¥₹%]|pounds?|quid|euros?|dollars?|gbp|eur|usd|chf|zł"
    r"|(?:kg|g|km|m|cm|mm|l|ml|lbs?|oz)\b))",
    re.IGNORECASE,
)

# "1-042": no range of numbers ends with a zero in front.
_HYPHENED = re.compile(r"(?<![\w.,:-])([1-9]\d?)-(0\d\d)(?![\w:-]|[.,]\d)")


def written(text: str) -> str:
    """Return a transcript with its long numbers in one piece; all else stays as it is.

    Digits that were said one by one, at least four of them, in figures or in the words of eight
    languages, are joined, and the points or commas between thousands are left out where no
    currency or unit stands beside.
    """
    text = _HYPHENED.sub(r"\1\2", _ONE_BY_ONE.sub(_joined, text))
    return _GROUPED.sub(lambda found: re.sub(r"[.,]", "", found.group()), text)


def _joined(found: re.Match[str]) -> str:
    number, times = "", 1
    for word in re.split(r"[\s,-]+", found.group().casefold()):
        if word in _TIMES:
            times = _TIMES[word]
            continue
        number += _DIGITS.get(word, word) * times
        times = 1
    # Who is only astonished ("oh oh oh oh") says no number.
    return number if len(number) >= _FEWEST and number.strip("0") else found.group()
