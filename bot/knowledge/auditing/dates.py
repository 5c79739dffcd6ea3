"""Days as articles write them, and what has passed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from bot.knowledge.auditing.findings import HIGH, LOW, MEDIUM, STALE, Corpus, Finding, file_of
from bot.knowledge.auditing.sentences import sentences
from bot.knowledge.contract import Article

_MONTHS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        "january jan januar janvier enero gennaio januari janeiro stycznia styczeń",
        "february feb februar février fevrier febrero febbraio februari fevereiro lutego luty",
        "march mar märz maerz mars marzo maart março marca marzec",
        "april apr avril abril aprile kwietnia kwiecień",
        "may mai mayo maggio mei maio maja maj",
        "june jun juni juin junio giugno junho czerwca czerwiec",
        "july jul juli juillet julio luglio julho lipca lipiec",
        "august aug août aout agosto augustus sierpnia sierpień",
        "september sep sept septembre septiembre settembre setembro września wrzesień",
        "october oct oktober okt octobre octubre ottobre outubro października październik",
        "november nov novembre noviembre novembro listopada listopad",
        "december dec dezember dez décembre decembre diciembre dicembre dezembro grudnia grudzień",
    ),
    1,
):
    _MONTHS.update(dict.fromkeys(_names.split(), _number))
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))

_WRITTEN = (
    re.compile(r"\b(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)\b"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?\s+(?:of\s+|de\s+)?(?P<n>{_NAMES})\.?"
        r"(?:,?\s+(?:de\s+)?(?P<y>20\d\d))\b",
        re.I,
    ),
    re.compile(
        rf"\b(?P<n>{_NAMES})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>20\d\d)\b", re.I
    ),
    re.compile(r"\b(?P<d>\d{1,2})[./](?P<m>\d{1,2})[./](?P<y>20\d\d)\b"),
    re.compile(rf"\b(?P<n>{_NAMES})\.?\s+(?:de\s+)?(?P<y>20\d\d)\b", re.I),
)
#: Words right before a day that make it the end of something, or its beginning.
_END_BEFORE = re.compile(
    r"\b(until|till|til|through|thru|by|before|ends?( on)?|expires?( on)?|valid (to|through|until)"
    r"|deadline( is)?|no later than|up to|bis( zum)?|spätestens( am)?|gültig bis|jusqu['’]?au"
    r"|jusqu['’]à|avant le|hasta( el)?|antes del?|fino al?|entro il|tot( en met)?|uiterlijk"
    r"|até( (o|a))?|do( dnia)?)[\s:]*$",
    re.I,
)
_TO_COME = re.compile(
    r"\b(will|shall|coming|soon|upcoming|wird|werden|sera|seront|será|serán|sarà|zal|zullen|będzie)\b"
    r"|\bgoing to\b",
    re.I,
)
_SEASON = re.compile(
    r"\b(christmas|black friday|easter|summer|winter|spring|autumn|sale|season|weihnachten|noël"
    r"|navidad|natale|kerst|natal)\s+(?P<y>20\d\d)\b",
    re.I,
)
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Day(NamedTuple):
    """A day found in a text, the last it may mean, and where it stands in the text."""

    day: date
    start: int
    end: int


def days(text: str) -> Iterator[Day]:
    """Give the days that a text names, in English, German, French, Spanish, Italian, Dutch,
    Portuguese, Polish or in figures; ``03/04/2025`` is the third of April.
    """  # fmt: skip
    taken: list[tuple[int, int]] = []
    for pattern in _WRITTEN:
        for found in pattern.finditer(text):
            if any(found.start() < end and start < found.end() for start, end in taken):
                continue
            day = _day(found.groupdict())
            if day is not None:
                taken.append(found.span())
                yield Day(day, *found.span())


def _day(parts: dict[str, str | None]) -> date | None:
    year = int(parts["y"] or 0)
    name, number = parts.get("n"), parts.get("m")
    month = _MONTHS[name.casefold()] if name else int(number or 0)
    if not 1 <= month <= 12:
        return None
    written = parts.get("d")
    day = int(written) if written else _DAYS_OF_MONTH[month - 1]
    if not written and month == 2 and year % 4:
        day = 28
    try:
        return date(year, month, day)
    except ValueError:
        return None


def without_days(text: str) -> str:
    """Return a text with the days in it blanked out, as long as it was."""
    for day in days(text):
        text = text[: day.start] + " " * (day.end - day.start) + text[day.end :]
    return text


def stale(corpus: Corpus, today: date, stale_days: int) -> Iterator[Finding]:
    """Find articles that are old or do not say how old, and days in them that have passed."""
    for article in corpus.articles:
        yield from _age(article, today, stale_days)
        for sentence in sentences(article):
            for severity, what in _passed(sentence.text, today):
                yield Finding(
                    STALE,
                    severity,
                    file_of(article),
                    sentence.line,
                    what,
                    "say what holds now, or take the sentence out",
                    ((sentence.place, sentence.text),),
                )


def _age(article: Article, today: date, stale_days: int) -> Iterator[Finding]:
    file = file_of(article)
    if article.updated is None:
        yield Finding(
            STALE, LOW, file, 1, "does not say when it was last checked",
            f"check it, then write `updated: {today}` in its head",
        )  # fmt: skip
        return
    age = (today - article.updated).days
    if age < 0:
        yield Finding(
            STALE, MEDIUM, file, 1, f"was updated on {article.updated}, which is yet to come",
            "correct `updated` in its head",
        )  # fmt: skip
    elif age > stale_days:
        yield Finding(
            STALE,
            MEDIUM if age > 2 * stale_days else LOW,
            file,
            1,
            f"was last checked {age} days ago ({article.updated}); {stale_days} are allowed",
            f"check it, then write `updated: {today}` in its head",
        )


def _passed(text: str, today: date) -> Iterator[tuple[str, str]]:
    for day in days(text):
        if day.day >= today:
            continue
        written = text[day.start : day.end]
        if _END_BEFORE.search(text[: day.start]):
            yield HIGH, f"says something ends on {written}, which has passed"
        elif _TO_COME.search(text):
            yield MEDIUM, f"speaks of {written} as yet to come"
    for season in _SEASON.finditer(text):
        if int(season["y"]) < today.year:
            yield MEDIUM, f"is about {season[0]}, which has passed"
