"""Numbers that states give to people, by their check digits.

Where the check is weak (nine digits in a row) the number counts only beside a word for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from bot.llm.masking.finds import Find
from bot.llm.masking.money import luhn

_BEFORE = 40  # characters before the number in which a word for it may stand


@dataclass(frozen=True, slots=True)
class _Kind:
    shape: re.Pattern[str]
    valid: Callable[[str], bool]
    words: re.Pattern[str] | None = None


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w]){pattern}(?![\w]|[.,\-]\d)", re.IGNORECASE)


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})", re.IGNORECASE)


def _ssn(d: str) -> bool:
    return d[:3] not in ("000", "666") and d[0] != "9" and d[3:5] != "00" and d[5:] != "0000"


def _nino(d: str) -> bool:
    return d[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def _dni(d: str) -> bool:
    number = d[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == d[-1]


def _nir(d: str) -> bool:
    number = d[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(d[13:])


def _steuer_id(d: str) -> bool:
    counts = sorted((d[:10].count(c) for c in set(d[:10])), reverse=True)
    if counts[0] not in (2, 3) or counts[1] > 1:
        return False
    product = 10
    for c in d[:10]:
        total = (int(c) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(d[10])


# What a character in an odd place counts, from 0 to Z, by the Agenzia delle Entrate.
_ODD_VALUES = (
    "1 0 5 7 9 13 15 17 19 21 1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
)
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", map(int, _ODD_VALUES.split()), strict=True))


def _codice(d: str) -> bool:
    total = sum(_ODD[c] for c in d[:15:2])
    total += sum(int(c) if c.isdigit() else ord(c) - 65 for c in d[1:15:2])
    return chr(65 + total % 26) == d[15]


def _nif(d: str) -> bool:
    check = 11 - sum(int(c) * (9 - i) for i, c in enumerate(d[:8])) % 11
    return (0 if check > 9 else check) == int(d[8])


def _pesel(d: str) -> bool:
    month = int(d[2:4])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[month // 20]
    if not _day(century + int(d[:2]), month % 20, int(d[4:6])):
        return False
    total = sum(int(c) * w for c, w in zip(d, (1, 3, 7, 9) * 3, strict=False)) - int(d[10]) * 7
    return (10 - total % 10) % 10 == int(d[10])


def _bsn(d: str) -> bool:
    total = sum(int(c) * (9 - i) for i, c in enumerate(d[:8])) - int(d[8])
    return total % 11 == 0 and int(d) > 0


def _cpf(d: str) -> bool:
    if len(set(d)) == 1:
        return False
    for n in (9, 10):
        check = sum(int(c) * (n + 1 - i) for i, c in enumerate(d[:n])) * 10 % 11 % 10
        if check != int(d[n]):
            return False
    return True


def _rijksregister(d: str) -> bool:
    if not (int(d[2:4]) % 20 <= 12 and int(d[4:6]) <= 31):
        return False
    return any(97 - int(head + d[:9]) % 97 == int(d[9:]) for head in ("", "2"))


def _personnummer(d: str) -> bool:
    d = d[-10:]
    day = int(d[4:6])
    return 1 <= int(d[2:4]) <= 12 and 1 <= (day - 60 if day > 60 else day) <= 31 and luhn(d)


def _day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_S = r"[ .\-/]?"
_KINDS = (
    _Kind(_shape(r"\d{3}([ \-.])\d{2}\1\d{4}"), _ssn),
    _Kind(_shape(r"\d{9}"), _ssn, _words(r"ssn|social security")),
    _Kind(_shape(rf"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]{_S}\d\d{_S}\d\d{_S}\d\d{_S}[A-D]"), _nino),
    _Kind(_shape(rf"(?:\d{{8}}|\d\d\.\d{{3}}\.\d{{3}}){_S}[A-Z]"), _dni),
    _Kind(_shape(rf"[XYZ]{_S}\d{{7}}{_S}[A-Z]"), _dni),
    _Kind(
        _shape(rf"[1-478]{_S}\d\d{_S}\d\d{_S}(?:\d\d|2[AB]){_S}\d{{3}}{_S}\d{{3}}{_S}\d\d"), _nir
    ),
    _Kind(_shape(r"[1-9]\d[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}"), _steuer_id),
    _Kind(
        _shape(
            rf"[A-Z]{{3}}{_S}[A-Z]{{3}}{_S}[0-9L-NP-V]{{2}}[A-EHLMPRST][0-9L-NP-V]{{2}}{_S}"
            rf"[A-Z][0-9L-NP-V]{{3}}{_S}[A-Z]"
        ),
        _codice,
    ),
    _Kind(_shape(r"[1235689]\d{2}[ ]?\d{3}[ ]?\d{3}"), _nif, _words(r"nif|contribuinte|fiscal")),
    _Kind(_shape(r"\d{11}"), _pesel),
    _Kind(
        _shape(r"\d{4}[ .]?\d{2}[ .]?\d{3}|\d{3}[ .]?\d{3}[ .]?\d{3}"),
        _bsn,
        _words(r"bsn|burgerservice|sofi"),
    ),
    _Kind(_shape(r"\d{3}[. ]?\d{3}[. ]?\d{3}[\- ]?\d{2}"), _cpf),
    _Kind(_shape(r"\d{2}[. ]?\d{2}[. ]?\d{2}[\- ]?\d{3}[. ]?\d{2}"), _rijksregister),
    _Kind(_shape(r"(?:19|20)?\d{6}[\-+]\d{4}|(?:19|20)\d{10}"), _personnummer),
)


def identities(text: str) -> Iterator[Find]:
    """Find national ids of GB, US, ES, FR, DE, IT, PT, PL, NL, BR, BE and SE."""
    for kind in _KINDS:
        for match in kind.shape.finditer(text):
            start = max(0, match.start() - _BEFORE)
            if kind.words and not kind.words.search(text, start, match.start()):
                continue
            bare = re.sub(r"[ .\-/+]", "", match.group()).upper()
            if kind.valid(bare):
                yield Find("ID", *match.span())
