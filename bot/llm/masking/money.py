"""Payment cards and bank accounts, by their check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.llm.masking.finds import Find

# Digits in groups with at most two separating characters between them.
_RUN = re.compile(r"[0-9](?:[ .\-]{0,2}[0-9])*")
_GROUP = re.compile(r"[0-9]+")
_TRACKING_HEAD = re.compile(r"\b(?:1Z[0-9A-Z]*|JJ?D?[0-9]*|[A-Z]{2})$")

# First digits and the lengths that go with them, of the brands in use.
_BRANDS = (
    (re.compile("4"), {13, 16, 19}),
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile("3[47]"), {15}),
    (re.compile("30[0-5]|3[689]"), set(range(14, 20))),
    (re.compile("35|62|6011|64[4-9]|65|60|8[12]|220[0-5]|9792"), {16, 17, 18, 19}),
    (re.compile("50|5[6-9]|6[0-9]"), set(range(13, 20))),
)
_FIRST_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][ ]?[A-Za-z][ .\-]?[0-9][ .\-]?[0-9]")
_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
        "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 "
        "IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 "
        "MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 "
        "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30",
    )
}


def luhn(digits: str) -> bool:
    """Tell whether the last of `digits` is right for the ones before it, by Luhn's rule."""
    total = 0
    for i, c in enumerate(reversed(digits)):
        n = ord(c) - 48
        total += n if i % 2 == 0 else (n * 2 - 9 if n > 4 else n * 2)
    return total % 10 == 0


def cards(text: str) -> Iterator[Find]:
    """Find payment cards of 13 to 19 digits."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() < 13 or _TRACKING_HEAD.search(text, 0, run.start()):
            continue
        groups = [g.span() for g in _GROUP.finditer(text, run.start(), run.end())]
        after = 0
        for i, (start, _) in enumerate(groups):
            if start < after:
                continue
            end = _card_from(text, groups[i : i + 19])
            if end:
                after = end
                yield Find("CARD", start, end)


def _card_from(text: str, groups: list[tuple[int, int]]) -> int:
    """Return where the longest card that begins with the first group ends, 0 for none."""
    digits, found = "", 0
    for start, end in groups:
        # Nobody writes a card in longer groups: two other numbers stand side by side.
        if digits and end - start > 10:
            break
        digits += text[start:end]
        if len(digits) > 19:
            break
        if len(digits) >= 13 and len(set(digits)) > 1 and _branded(digits) and luhn(digits):
            found = end
    return found


def _branded(digits: str) -> bool:
    return any(len(digits) in lengths and first.match(digits) for first, lengths in _BRANDS)


def ibans(text: str) -> Iterator[Find]:
    """Find bank accounts by country, length and remainder of 97."""
    after = 0
    for first in _FIRST_IBAN.finditer(text):
        if first.start() < after:
            continue
        wanted = _IBAN_LENGTHS.get(first.group().replace(" ", "")[:2].upper())
        end = _walk(text, first.start(), wanted) if wanted else 0
        if end:
            after = end
            yield Find("IBAN", first.start(), end)


def _walk(text: str, start: int, wanted: int) -> int:
    chars, gap = "", 0
    for i in range(start, min(len(text), start + 3 * wanted)):
        c = text[i]
        if c.isascii() and c.isalnum():
            chars, gap = chars + c.upper(), 0
        elif c in " .-\t" and gap < 2:
            gap += 1
        else:
            return 0
        if len(chars) == wanted:
            last = i + 1 >= len(text) or not text[i + 1].isalnum()
            return i + 1 if last and _mod97(chars) else 0
    return 0


def _mod97(iban: str) -> bool:
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1
