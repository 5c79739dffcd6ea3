"""What was matched, as the value that actions work with; None when it is no such thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

#: What amounts are written with, as the codes of ISO 4217.
CURRENCIES = {
    "£": "GBP", "$": "USD", "€": "EUR", "¥": "JPY", "₹": "INR", "₺": "TRY", "₴": "UAH",
    "gbp": "GBP", "usd": "USD", "eur": "EUR", "chf": "CHF", "sek": "SEK", "nok": "NOK",
    "dkk": "DKK", "pln": "PLN", "czk": "CZK", "cad": "CAD", "jpy": "JPY", "aud": "AUD",
    "pound": "GBP", "pounds": "GBP", "quid": "GBP", "pfund": "GBP", "libras": "GBP",
    "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "dólares": "USD",
    "zł": "PLN", "złotych": "PLN", "franken": "CHF",
}  # fmt: skip

#: Days from today, by the word. French "hier" is left out: in German it is "here".
RELATIVE = {
    "today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1,
    "heute": 0, "gestern": -1, "vorgestern": -2, "morgen": 1, "übermorgen": 2,
    "demain": 1, "hoy": 0, "ayer": -1, "mañana": 1, "oggi": 0, "ieri": -1, "domani": 1,
    "vandaag": 0, "gisteren": -1, "overmorgen": 2,
    "dzisiaj": 0, "dziś": 0, "wczoraj": -1, "jutro": 1, "hoje": 0, "ontem": -1, "amanhã": 1,
}  # fmt: skip
#: Before a weekday: the one that was.
PAST = frozenset(
    ("last", "letzten", "letzter", "letzte", "vorigen", "afgelopen", "pasado", "scorso", "zeszły")
)

_AMOUNT = re.compile(r"\d+(?:[.,'’]\d+)*")
_TRACKING = re.compile(
    r"J?JD\d{12,18}"  # DHL
    r"|1Z[0-9A-Z]{16}"  # UPS
    r"|[A-Z]{2}\d{8,9}[A-Z]{2}"  # posts of all countries, UPU S10; some leave the check digit out
    r"|TBA\d{12}"
    r"|\d{12,22}"
)
#: A day's number, in front of a month's name or after it, and a year if there is one.
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Reading:
    """How ambiguous things are read.

    `months` and `weekdays` give the number of a name in lower case, from 1 for January and
    from 0 for Monday. `country` is where phone numbers without a country code are of.
    """

    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    country: str
    day_first: bool


def digits(text: str) -> str:
    """Return `text` with the digits of any script as those of ASCII."""
    return "".join(str(int(c)) if c.isdecimal() else c for c in text)


def order_number(text: str) -> str | None:
    """Return the four to six digits of ``#1042``."""
    found = _NUMBER.search(digits(text))
    return found.group() if found else None


def tracking_number(text: str) -> str | None:
    """Return the number in one piece and in capitals. That of a payment card is none."""
    number = re.sub(r"[\s-]", "", digits(text)).upper()
    if not _TRACKING.fullmatch(number) or (number.isdigit() and _of_card(number)):
        return None
    return number


def _of_card(number: str) -> bool:
    if len(number) not in (15, 16) or number[0] not in "23456":
        return False
    doubled = [int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(number))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def money(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return ``49.99 GBP``, and amount and currency apart."""
    text = digits(text).casefold()
    found = _AMOUNT.search(text)
    if found is None:
        return None
    unit = (text[: found.start()] + text[found.end() :]).strip(" .-")
    currency = CURRENCIES.get(unit)
    if currency is None:
        return None
    amount = _decimal(found.group())
    return f"{amount} {currency}", {"amount": str(amount), "currency": currency}


def _decimal(written: str) -> Decimal:
    """Read ``1,299.00``, ``1.299,00``, ``1'299`` and ``49,9``: three digits are a group."""
    *whole, last = re.split(r"[.,'’]", written)
    if not whole:
        return Decimal(last)
    separators = re.findall(r"[.,'’]", written)
    grouped = len(last) == 3 and len(set(separators)) == 1
    text = "".join((*whole, last)) if grouped else f"{''.join(whole)}.{last}"
    return Decimal(text)


def phone(text: str, country: str) -> str | None:
    """Return a number as ``+442079460123``, None when it has too few digits or too many."""
    import phonenumbers

    try:
        number = phonenumbers.parse(digits(text), country)
    except phonenumbers.NumberParseException:
        return None
    # Not whether it is in use: the numbers of examples are not, nor those of last month.
    if not phonenumbers.is_possible_number(number) or len(str(number.national_number)) < 8:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(text: str) -> str:
    """Return an address with its domain in lower case."""
    name, _, domain = text.rpartition("@")
    return f"{name}@{domain.lower()}"


def product_code(text: str) -> str | None:
    """Return a code in capitals, None for what is an amount."""
    return None if text.split("-")[0].casefold() in CURRENCIES else text.upper()


def day(text: str, today: date, reading: Reading) -> str | None:
    """Return a day as ``2026-03-12``.

    A day without a year is the one nearest to `today`, a weekday the next one, unless it
    is said that it was the last one.
    """
    text = digits(text).casefold()
    words = re.findall(r"[^\W\d_]+", text)
    numbers = [int(number) for number in _NUMBER.findall(text)]
    months = [reading.months[word] for word in words if word in reading.months]
    try:
        if numbers and months:
            return _dated(numbers[0], months[0], numbers[1] if len(numbers) > 1 else None, today)
        if numbers:
            return _numeric(text, numbers, today, reading.day_first)
        for word in words:
            if word in RELATIVE:
                return (today + timedelta(RELATIVE[word])).isoformat()
            if word in reading.weekdays:
                ahead = (reading.weekdays[word] - today.weekday() - 1) % 7 + 1
                back = ahead - 7 or -7
                return (today + timedelta(back if PAST & set(words) else ahead)).isoformat()
    except (ValueError, OverflowError):
        return None  # the 31st of February
    return None


def _numeric(text: str, numbers: list[int], today: date, day_first: bool) -> str | None:
    if len(numbers) == 3 and numbers[0] > 31:
        return _dated(numbers[2], numbers[1], numbers[0], today)
    first, second, *year = numbers
    swap = not day_first and "." not in text
    # What cannot be a month is the day, whatever the habit.
    if (swap and first <= 12) or second > 12:
        first, second = second, first
    return _dated(first, second, year[0] if year else None, today)


def _dated(number: int, month: int, year: int | None, today: date) -> str:
    if year is not None:
        return date(year + 2000 if year < 100 else year, month, number).isoformat()
    near = []
    for candidate in (today.year - 1, today.year, today.year + 1):
        try:
            near.append(date(candidate, month, number))
        except ValueError:
            continue  # the 29th of February
    if not near:
        raise ValueError("no such day")
    return min(near, key=lambda found: abs((found - today).days)).isoformat()
