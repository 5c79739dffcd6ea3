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
# Of the United Kingdom, Ireland, Canada and the Netherlands; by figures everywhere else, with
# the letters of a country, a hyphen or a space: SW1A 2AA, D02 AF30, K1A 0B1, 1012 AB, 00-950,
# 114 55, LV-1010, 94105-1234.
_POSTCODE = re.compile(
    r"\b(?:[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][0-9W] ?[A-Z0-9]{4}"
    r"|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[0-9]{4}(?:[A-Z]{2}| (?-i:[A-Z]{2}))"
    r"|(?:[A-Z]{1,2}-)?(?:[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{4,6}(?:-[0-9]{3,4})?))\b",
    re.IGNORECASE,
)
_CHANGED_MIND = re.compile(
    r"\W*(?:i |i'?ve |i have |just |simply )*changed my mind\W*", re.IGNORECASE
)
# What is wrong with a thing, or that there is a reason at all.
_WRONG = re.compile(
    r"\b(?:because|broken?|chip(?:ped)?|crack(?:s|ed)?|damaged?|defect\w*|faulty|smash\w*|scratch\w*"
    r"|shattered|torn|dent(?:s|ed)?|leaks?|missing|wrong|never (?:came|arrived)|handle|lid)\b",
    re.IGNORECASE,
)
#: From so many words on, who tells what is wrong has told it, and is not asked again.
_TOLD = 9
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


def read_postcode(text: object, order: str | None = None) -> str | None:
    """Return the postcode in a text as it was typed, the last of what may be one.

    Neither the number of an `order` is one, nor figures that an address begins with: those are
    of the house.
    """
    told = short(text)
    whole = read_address(told) is not None
    found = [
        match[0]
        for match in _POSTCODE.finditer(told)
        if match[0] != order and not (whole and match.start() == 0 and match[0].isdecimal())
    ]
    return found[-1] if found else None


def read_complaint(text: object) -> str | None:
    """Return what somebody complains about, None for words that only say that he does."""
    told = short(text)
    words = {word.casefold() for word in _WORD.findall(told.replace("'", ""))}
    return told if len(words - _SAYING) >= 2 else None


def asks(text: object) -> bool:
    """Tell whether a text is a question that nobody can take for an answer."""
    return _ASKS.match(short(text)) is not None


def changed_mind(text: object) -> bool:
    """Tell whether somebody says that he has changed his mind, and no more.

    Asked why, that is why; else it means that he would rather not.
    """
    return _CHANGED_MIND.fullmatch(short(text).replace("’", "'")) is not None


def told_already(text: object) -> str | None:
    """Return a message that tells what is wrong in so many words, None for any other."""
    told = short(text)
    return told if len(_WORD.findall(told)) >= _TOLD and _WRONG.search(told) else None


def read_words(text: object) -> str | None:
    """Return what was typed, None when there is no word in it."""
    told = short(text)
    return told if any(len(word) > 1 for word in _WORD.findall(told)) else None


def short(text: object) -> str:
    """Return a text in one line, cut to what a case can hold.

    A semicolon would end it there: what follows one is the bot's own word, of who has been proven.
    """
    return " ".join(str(text).replace(";", ",").split())[:_LONGEST]
