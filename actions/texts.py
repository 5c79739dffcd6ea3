"""What customers type in forms: read, and refused when it cannot be what was asked for."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[\w.%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{6,22}[0-9]")
_WORD = re.compile(r"\w+")
_ASKS = re.compile(
    r"(?:and |ok |but |so )*(?:what|how|when|where|why|who|which)"
    r"(?:'?s| is| are| do| does| did| will| can| would| should| if| about| long| much| many)\b",
    re.IGNORECASE,
)
#: The longest of anything that is taken over into a case.
_LONGEST = 600
#: Words that say that there is a complaint, and not what it is about.
_SAYING = frozenset(
    [
        "i",
        "id",
        "want",
        "wish",
        "would",
        "like",
        "to",
        "have",
        "file",
        "make",
        "lodge",
        "raise",
        "complain",
        "complaint",
        "complaints",
        "a",
        "an",
        "the",
        "my",
        "formal",
        "about",
        "your",
        "service",
        "please",
        "hello",
        "hi",
        "need",
        "got",
        "one",
        "beschwerde",
    ]
)


def read_email(text: object) -> str | None:
    """Return the one mail address in a text, None without one or with several."""
    found = list(dict.fromkeys(_EMAIL.findall(str(text))))
    return found[0] if len(found) == 1 and len(found[0]) <= 254 else None


def read_phone(text: object) -> str | None:
    """Return the phone number in a text, eight to fifteen digits and maybe a plus before them."""
    found = _PHONE.search(str(text))
    if found is None:
        return None
    number = re.sub(r"[^0-9+]", "", found[0])
    return number if 8 <= len(number.lstrip("+")) <= 15 else None


def read_address(text: object) -> str | None:
    """Return a postal address as it was typed, None for what has no number or too few words."""
    told = short(text)
    words = _WORD.findall(told)
    digits = any(c.isdecimal() for c in told)
    return told if digits and sum(word.isalpha() for word in words) >= 2 else None


def read_complaint(text: object) -> str | None:
    """Return what somebody complains about, None for words that only say that he does."""
    told = short(text)
    words = {word.casefold() for word in _WORD.findall(told.replace("'", ""))}
    return told if len(words - _SAYING) >= 2 else None


def asks(text: object) -> bool:
    """Tell whether a text is a question that nobody can take for an answer."""
    return _ASKS.match(short(text)) is not None


def read_words(text: object) -> str | None:
    """Return what was typed, None when there is no word in it."""
    told = short(text)
    return told if any(len(word) > 1 for word in _WORD.findall(told)) else None


def short(text: object) -> str:
    """Return a text in one line, cut to what a case can hold.

    A semicolon would end it there: what follows one is the bot's own word, of who has been proven.
    """
    return " ".join(str(text).replace(";", ",").split())[:_LONGEST]
