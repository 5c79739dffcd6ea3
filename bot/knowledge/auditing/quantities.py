"""Amounts, durations, shares, times and counts, as sentences state them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bot.knowledge.auditing.dates import without_days
from bot.knowledge.auditing.words import fold, stem

_NUMBER = r"\d+(?:[.,\u202f ]\d{3})*(?:[.,]\d+)?"
_TO = r"\s?(?:-|–|—|to|bis|à|al?|tot|até|do|and|und|et|y|e|en|i)\s?"
_CURRENCIES = {
    "£": "£", "gbp": "£", "pound": "£", "pounds": "£", "pfund": "£", "livres": "£", "libras": "£",
    "€": "€", "eur": "€", "euro": "€", "euros": "€", "$": "$", "usd": "$", "dollars": "$",
    "chf": "CHF", "zł": "zł", "pln": "zł",
}  # fmt: skip
_SIGNS = "|".join(re.escape(c) for c in sorted(_CURRENCIES, key=len, reverse=True))
_MONEY = re.compile(
    rf"(?<![\w])(?P<sign>{_SIGNS})\s?(?P<a>{_NUMBER})|(?P<b>{_NUMBER})\s?(?P<unit>{_SIGNS})(?!\w)"
)
_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "twelve": 12, "fourteen": 14, "thirty": 30, "zwei": 2, "drei": 3,
    "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "zehn": 10, "zwölf": 12,
    "vierzehn": 14, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "dix": 10, "dos": 2,
    "tres": 3, "cuatro": 4, "cinco": 5, "diez": 10, "due": 2, "tre": 3, "dieci": 10, "twee": 2,
    "drie": 3, "tien": 10, "dois": 2, "três": 3, "dez": 10, "dwa": 2, "trzy": 3,
}  # fmt: skip
#: Days in each unit, by how the unit begins. "working" is another kind than plain days.
_UNITS = (
    (1 / 1440, r"min(?:ute[ns]?|uten|uti|utos?|uuten|uty?)?"),
    (1 / 24, r"hours?|hrs?|h|stunden?|heures?|horas?|or[ae]|uur|uren|godzin[ay]?"),
    (1, r"days?|tag(?:e|en)?|jours?|días?|dias?|giorn[io]|dag(?:en)?|dni|dzień"),
    (7, r"weeks?|wochen?|semaines?|semanas?|settiman[ae]|weken|week|tygodn\w+"),
    (30.4, r"months?|monat(?:e|en)?|mois|mes(?:es)?|mesi|mese|maand(?:en)?|miesi\w+"),
    (365, r"years?|jahr(?:e|en)?|ans?|années?|años?|ann[io]|ja(?:a)?r(?:en)?|anos?|lat[a]?|rok"),
)
_WORKING = r"(?:working|business|werk|arbeits?|jours? ouvr\w+|hábiles|lavorativ\w+|úteis|robocz\w+)"
_UNIT = "|".join(f"(?P<u{n}>{pattern})" for n, (_, pattern) in enumerate(_UNITS))
_AMOUNT = rf"(?:{_NUMBER}|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_DURATION = re.compile(
    rf"(?<![\w£€$.,:])(?P<low>{_AMOUNT})(?:{_TO}(?P<high>{_AMOUNT}))?[\s-]?"
    rf"(?P<working>{_WORKING}[\s-]?)?(?:{_UNIT})(?:\s(?P<after>{_WORKING}))?(?!\w)"
)
_SHARE = re.compile(rf"(?<![\w.,])(?P<a>{_NUMBER})\s?(?:%|per ?cent|prozent|procent)")
_DAY_NAMES = (
    ("mon", "montag", "mo", "lundi", "lunes", "lunedì", "maandag", "segunda", "poniedziałek"),
    ("tue", "tues", "dienstag", "di", "mardi", "martes", "martedì", "dinsdag", "terça", "wtorek"),
    ("wed", "mittwoch", "mi", "mercredi", "miércoles", "mercoledì", "woensdag", "quarta", "środa"),
    ("thu", "thur", "thurs", "donnerstag", "do", "jeudi", "jueves", "giovedì", "donderdag"),
    ("fri", "freitag", "fr", "vendredi", "viernes", "venerdì", "vrijdag", "sexta", "piątek"),
    ("sat", "samstag", "sa", "samedi", "sábado", "sabato", "zaterdag", "sobota"),
    ("sun", "sonntag", "so", "dimanche", "domingo", "domenica", "zondag", "niedziela"),
)  # fmt: skip
_DAYS = {name: n for n, names in enumerate(_DAY_NAMES) for name in names} | {
    f"{name}day{end}": n
    for n, name in enumerate(("mon", "tues", "wednes", "thurs", "fri", "satur", "sun"))
    for end in ("", "s")
}
_DAY = "|".join(sorted(_DAYS, key=len, reverse=True))
_CLOCK = r"\d{1,2}(?:[:.h]\d{2})?\s?(?:[ap]\.?m\.?|uhr|h)?"
_HOURS = re.compile(
    rf"(?<!\w)(?P<first>{_DAY})\.?(?:{_TO}(?P<last>{_DAY})\.?)?[\s,:]+(?:from\s|von\s|de\s)?"
    rf"(?P<open>{_CLOCK}){_TO}(?P<close>{_CLOCK})(?![\w£€$%])"
)
_TIME = re.compile(
    r"(?<![\w:.,£€$])(\d{1,2})(?:[:.](\d{2}))?\s?([ap])\.?m\b|(?<![\w:.,])(\d{1,2}):(\d{2})(?![\w:])"
)
_COUNT = re.compile(
    rf"(?<![\w£€$.,:/#-])(?P<low>{_NUMBER})(?:{_TO}(?P<high>{_NUMBER}))?\s(?P<noun>[^\W\d_]{{3,}})"
)


class Quantity(NamedTuple):
    """A stated quantity; two of one `kind` with another `value` differ. `shown` is as written.

    Kinds are ``money £``, ``duration``, ``duration working``, ``share``, ``time``,
    ``hours 0`` (opening on Mondays) and ``count STEM``.
    """

    kind: str
    value: tuple[float, ...]
    shown: str


def quantities(text: str, language: str) -> tuple[list[Quantity], str]:
    """Return the quantities of a sentence, and the rest of it. Days of the year are none."""
    rest = without_days(fold(text))
    found: list[Quantity] = []

    def take(pattern: re.Pattern[str], read: Callable[[re.Match[str]], Iterator[Quantity]]) -> None:
        nonlocal rest
        for match in pattern.finditer(rest):
            got = list(read(match))
            if got:
                found.extend(got)
                # What is counted is what the sentence is about.
                end = match.start("noun") if "noun" in pattern.groupindex else match.end()
                rest = rest[: match.start()] + " " * (end - match.start()) + rest[end:]

    take(_HOURS, _hours)
    take(_MONEY, _money)
    take(_SHARE, lambda m: iter([Quantity("share", (_number(m["a"]),), m[0].strip())]))
    take(_DURATION, _duration)
    take(_TIME, _time)
    take(_COUNT, lambda m: _count(m, language))
    return found, rest


def _number(text: str) -> float:
    if text in _WORDS:
        return float(_WORDS[text])
    text = text.replace(" ", "").replace("\u202f", "")
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", text):
        return float(re.sub(r"[.,]", "", text))
    whole, separator, part = text.replace(",", ".").rpartition(".")
    return float(f"{whole.replace('.', '')}.{part}" if separator else part)


def _money(match: re.Match[str]) -> Iterator[Quantity]:
    sign = _CURRENCIES[match["sign"] or match["unit"]]
    yield Quantity(f"money {sign}", (_number(match["a"] or match["b"]),), match[0].strip())


def _duration(match: re.Match[str]) -> Iterator[Quantity]:
    unit = next(days for n, (days, _) in enumerate(_UNITS) if match[f"u{n}"])
    low = _number(match["low"]) * unit
    high = _number(match["high"]) * unit if match["high"] else low
    working = match["working"] or match["after"]
    yield Quantity("duration working" if working else "duration", (low, high), match[0].strip())


def _minutes(clock: str) -> float | None:
    read = re.match(r"(\d{1,2})(?:[:.h](\d{2}))?\s?([ap])?", clock)
    if read is None:
        return None
    hour, minute = int(read[1]), int(read[2] or 0)
    if read[3]:
        hour = hour % 12 + (12 if read[3] == "p" else 0)
    return hour * 60 + minute if hour <= 24 and minute < 60 else None


def _hours(match: re.Match[str]) -> Iterator[Quantity]:
    opens, closes = _minutes(match["open"]), _minutes(match["close"])
    if opens is None or closes is None:
        return
    if closes < opens and closes <= 12 * 60:
        closes += 12 * 60
    first = _DAYS[match["first"]]
    last = _DAYS[match["last"]] if match["last"] else first
    for day in range(first, last + 1):
        yield Quantity(f"hours {day}", (opens, closes), match[0].strip())


def _time(match: re.Match[str]) -> Iterator[Quantity]:
    minutes = _minutes(match[0])
    if minutes is not None:
        yield Quantity("time", (minutes,), match[0].strip())


def _count(match: re.Match[str], language: str) -> Iterator[Quantity]:
    low = _number(match["low"])
    high = _number(match["high"]) if match["high"] else low
    if not match["high"] and 1900 <= low <= 2100:
        return
    yield Quantity(f"count {stem(match['noun'], language)}", (low, high), match[0].strip())


def same(one: Quantity, other: Quantity) -> bool:
    """Tell whether two quantities of one kind are the same; a month is some 30 days."""
    slack = 0.035 if one.kind == "duration" else 1e-6
    return len(one.value) == len(other.value) and all(
        abs(a - b) <= slack * max(abs(a), abs(b))
        for a, b in zip(one.value, other.value, strict=True)
    )
