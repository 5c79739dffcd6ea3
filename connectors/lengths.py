"""How channels count the length of a text."""

from __future__ import annotations

from collections.abc import Callable

# 3GPP TS 23.038, 6.2.1: the default alphabet of SMS, and 6.2.1.1: its extension table,
# whose characters take two septets each.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")

# https://www.twilio.com/docs/glossary/what-sms-character-limit: a single message, and
# each part of a longer one, which gives up seven septets to the header that joins them.
_GSM_ALONE, _GSM_PART = 160, 153
_UCS2_ALONE, _UCS2_PART = 70, 67


def characters(text: str) -> int:
    """Return the length in Unicode code points."""
    return len(text)


def utf16(text: str) -> int:
    """Return the length in UTF-16 code units, as Telegram counts."""
    return len(text) + sum(c > "\uffff" for c in text)


def is_gsm7(text: str) -> bool:
    """Tell whether a text goes out in the 7-bit alphabet; one other character makes it UCS-2."""
    return all(c in _GSM or c in _EXTENSION for c in text)


def segments(text: str) -> int:
    """Return how many SMS segments a text takes; 0 for none.

    No character is cut in two: an extension character (two septets) or an emoji (two
    UCS-2 units) that does not fit into the rest of a segment begins the next one.
    """
    if is_gsm7(text):
        return _packed([2 if c in _EXTENSION else 1 for c in text], _GSM_ALONE, _GSM_PART)
    return _packed([2 if c > "\uffff" else 1 for c in text], _UCS2_ALONE, _UCS2_PART)


def _packed(sizes: list[int], alone: int, part: int) -> int:
    if sum(sizes) <= alone:
        return min(len(sizes), 1)
    parts, used = 1, 0
    for size in sizes:
        if used + size > part:
            parts, used = parts + 1, 0
        used += size
    return parts


COUNTERS: dict[str, Callable[[str], int]] = {
    "characters": characters,
    "utf16": utf16,
    "sms": segments,
}


def most_per_unit(count: Callable[[str], int]) -> int:
    """Return how many characters one unit of a counter can hold at most."""
    return _GSM_ALONE if count is segments else 1
