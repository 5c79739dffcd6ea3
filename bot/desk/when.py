"""A moment as customers read it, in their language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# Six days on it is another weekday than today's, seven days on it is not.
_BY_NAME = 6


@dataclass(frozen=True, slots=True)
class _Words:
    """How a language says it. ``{at}`` is the time, ``{day}`` the weekday, ``{date}`` the date.

    `date` is a pattern of Unicode's (CLDR) for what comes after the weekday.
    """

    today: str
    tomorrow: str
    weekday: str
    later: str
    date: str = "d MMMM"


_LANGUAGES = {
    "en": _Words("today at {at}", "tomorrow at {at}", "{day} at {at}", "on {day} {date} at {at}"),
    "de": _Words(
        "heute um {at} Uhr",
        "morgen um {at} Uhr",
        "am {day} um {at} Uhr",
        "am {day}, dem {date}, um {at} Uhr",
        "d. MMMM",
    ),
    "fr": _Words("aujourd’hui à {at}", "demain à {at}", "{day} à {at}", "le {day} {date} à {at}"),
    "es": _Words(
        "hoy a las {at}",
        "mañana a las {at}",
        "el {day} a las {at}",
        "el {day} {date} a las {at}",
        "d 'de' MMMM",
    ),
    "it": _Words("oggi alle {at}", "domani alle {at}", "{day} alle {at}", "{day} {date} alle {at}"),
    "nl": _Words(
        "vandaag om {at} uur",
        "morgen om {at} uur",
        "{day} om {at} uur",
        "op {day} {date} om {at} uur",
    ),
    "pt": _Words(
        "hoje às {at}",
        "amanhã às {at}",
        "{day} às {at}",
        "{day}, {date}, às {at}",
        "d 'de' MMMM",
    ),
    # Its weekdays would have to be declined after a word for "on".
    "pl": _Words(
        "dziś, godz. {at}", "jutro, godz. {at}", "{day}, godz. {at}", "{day} {date}, godz. {at}"
    ),
}

#: Languages in which a moment can be said.
SAYS = frozenset(_LANGUAGES)


def in_words(moment: datetime, now: datetime, language: str) -> str:
    """Return ``tomorrow at 09:00``, both being in the zone whose time is to be told.

    A language not in `SAYS` is told the weekday, the date and the time in its own words.
    """
    from babel import Locale, UnknownLocaleError
    from babel.dates import format_datetime

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse("en")

    def written(pattern: str) -> str:
        return str(format_datetime(moment, pattern, locale=locale))

    words = _LANGUAGES.get(language)
    if words is None:
        return written("EEEE, d MMMM, HH:mm")
    days = (moment.date() - now.date()).days
    if days <= 0:
        pattern = words.today
    elif days == 1:
        pattern = words.tomorrow
    else:
        pattern = words.weekday if days <= _BY_NAME else words.later
    return pattern.format(at=written("HH:mm"), day=written("EEEE"), date=written(words.date))
