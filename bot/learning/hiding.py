"""Personal data out of what customers wrote, in a way that it stays an example to learn from.

Each value gets a stand-in of the same shape, so that the sentence is a sentence and its entities
are found where they were: reserved phone numbers (Ofcom, numbers for drama use), mail addresses of
``example.com`` (RFC 2606), other order numbers, stock names. Payment cards, bank accounts and the
numbers of identity papers are left out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.learning.contract import Mark
from bot.llm.masking import Found, Masker

#: Characters. What is longer is a letter or a pasted page, and no example of one intent.
LONGEST = 400

_FIRST = ("sam", "kim", "alex", "robin", "chris", "jo")
_FAMILY = ("Miller", "Novak", "Berg", "Costa", "Janssen", "Moreau")
_STREETS = ("12 Station Road", "7 Church Lane", "31 Park Street", "4 Market Square")
_LEFT_OUT = ("CARD", "IBAN", "ID", "IP")

# Whatever Python or YAML takes for the end of a line, and what has no place in YAML.
_SPACE = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
    "|[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@.])@\w{3,}")
_DIGITS = re.compile(r"\d{4,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CODE = re.compile(r"(?<!\w)(?=\w*\d\w*\d\w*\d)(?=\w*[^\W\d_]\w*[^\W\d_])\w{8,}(?!\w)")
_BORN = re.compile(r"\b(?:born|birth\w*|dob|geboren|geburt\w*|née?|naissance|nac\w+)\b", re.I)
_DAY = re.compile(r"\b\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})\b")
_WORD = r"[A-ZÀ-ÖØ-ÞŁŚŻŹĆ][\w'’-]+"
_INTRODUCED = re.compile(
    r"(?i:\b(?:my name is|my name's|name is|this is|ich hei(?:ß|ss)e|mein name ist|je m'appelle|"
    r"mi nombre es|me llamo|mi chiamo|my (?:wife|husband|son|daughter|mother|father|sister|brother|"
    r"friend|partner|colleague)|mrs?\.?|ms\.?|miss|dr\.?|herrn?|frau|madame|monsieur|señora?)\s+)"
    rf"(?P<name>{_WORD}(?:\s+{_WORD}){{0,2}})"
)
# In lower case only where nothing else can follow.
_NAMED = re.compile(
    r"(?:\bmy name(?: is|'s)|\bich hei(?:ß|ss)e|\bmein name ist|\bje m'appelle|\bmi nombre es|"
    r"\bme llamo|\bmi chiamo)\s+(?P<name>[^\W\d_][\w'’-]+"
    r"(?:\s+(?!and\b|und\b|et\b|y\b|e\b|i\b|my\b)[^\W\d_][\w'’-]+)?)",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    r"(?i:\b(?:regards|cheers|thanks|thank you|sincerely|best|yours|gr(?:ü|ue)(?:ß|ss)en?|"
    r"cordialement|saludos|saluti|groeten)\b)[,.!\s]+"
    rf"(?P<name>{_WORD}(?:\s+{_WORD}){{0,2}})\s*[.!]?\s*$"
)
_PUT_TO_LAST = ("name", "person", "PERSON", "PER")
# Numbers for drama use: https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
_RESERVED = {
    "EMAIL": re.compile(r"[@.]example(?:\.\w+)?$", re.IGNORECASE),
    "PHONE": re.compile(r"7700\D*900|7946\D*0|496\D*0|555\D*01"),
}
_IN_WORDS = {
    "EMAIL": "a mail address",
    "PHONE": "a phone number",
    "CARD": "the number of a payment card",
    "IBAN": "a bank account",
    "ID": "the number of an identity paper",
}
# What Rasa would read as an entity though it is none, or as one that is not closed.
_BRACKETS = str.maketrans("[]", "()")


@dataclass(frozen=True)
class Hidden:
    """A text without personal data, and its marks. `bare` says that nothing else was in it."""

    text: str
    marks: tuple[Mark, ...]
    bare: bool


@dataclass(frozen=True)
class _Place:
    start: int
    end: int
    new: str
    kind: str


class Hider:
    """Hides what is personal in the messages of one conversation, the same value always alike.

    `known` are the customer's names; `seed` (an id) makes the choice of stand-ins, so that the
    same message is always hidden the same. Postal addresses need spaCy, which is loaded at the
    first text with a digit.
    """

    def __init__(self, known: Sequence[str] = (), seed: str = "") -> None:
        self._masker = Masker()
        self._known = tuple(known)
        self._seed = zlib.crc32(seed.encode("utf-8", "replace"))
        self._given: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}

    def hide(self, text: str, marks: Sequence[Mark] = (), *, brackets: bool = False) -> Hidden:
        """Return a text with stand-ins, on one line.

        Marks that stood on something left out are gone, the others are where they belong.
        Square brackets become round ones unless `brackets`.
        """
        places = sorted(self._places(text, marks), key=lambda place: place.start)
        moved = _Moves(text, places)
        new = moved.text if brackets else moved.text.translate(_BRACKETS)
        kept: list[Mark] = []
        for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
            start, end = moved.of(mark.start, mark.end)
            while start < end and new[start] == " ":
                start += 1
            while start < end and new[end - 1] == " ":
                end -= 1
            if start >= end or (kept and start < kept[-1].end):
                # Left out, or within what two marks had a part of.
                continue
            value = self.value(mark.value) if mark.value else ""
            kept.append(replace(mark, start=start, end=end, value=value))
        return Hidden(new, tuple(kept), not _says_something(text, places))

    def value(self, value: str) -> str:
        """Return a value (of an entity or a slot) with the stand-ins that its words got."""
        if value in self._values:
            return self._values[value]
        hidden = self.hide(value, brackets=True)
        return hidden.text

    def _places(self, text: str, marks: Sequence[Mark]) -> list[_Place]:
        places: list[_Place] = []

        def add(start: int, end: int, kind: str) -> None:
            if start < end and all(end <= p.start or p.end <= start for p in places):
                new = self._stand_in(kind, text[start:end])
                places.append(_Place(start, end, new, kind))

        found = self._masker.mask([text], self._known).found
        for start, end in _joined(text, found):
            add(start, end, "NAME")
        for one in found:
            if one.kind not in ("TEXT", "NAME"):
                add(one.start, one.end, one.kind)
        for pattern in (_INTRODUCED, _NAMED, _SIGNED):
            for match in pattern.finditer(text):
                add(*match.span("name"), "NAME")
        for match in _URL.finditer(text):
            add(*match.span(), "URL")
        for mark in marks:
            if mark.entity in _PUT_TO_LAST:
                add(mark.start, mark.end, "NAME")
            elif mark.entity in ("email", "phone"):
                add(mark.start, mark.end, mark.entity.upper())
            elif mark.entity == "tracking_number":
                add(mark.start, mark.end, "CODE")
        for match in _HANDLE.finditer(text):
            add(*match.span(), "HANDLE")
        for match in _CODE.finditer(text):
            add(*match.span(), "CODE")
        if _BORN.search(text):
            for match in _DAY.finditer(text):
                add(*match.span(), "DAY")
        numbers = [(m.start, m.end) for m in marks if m.entity not in ("money", "date", "product")]
        for match in _DIGITS.finditer(text):
            said = any(start <= match.start() < end for start, end in numbers)
            if said or not _YEAR.fullmatch(match.group()):
                add(*match.span(), "NUMBER")
        for match in _FORBIDDEN.finditer(text):
            add(*match.span(), "NOTHING")
        # Not within what has been replaced already: stand-ins have no such spaces.
        places += list(_spaces(text, places))
        return places

    def _stand_in(self, kind: str, original: str) -> str:
        if kind in _LEFT_OUT or kind == "NOTHING":
            return ""
        key = kind, original.casefold()
        if key not in self._given:
            nth = self._seed + sum(1 for other, _ in self._given if other == kind)
            new = _made(kind, original, nth)
            while new.casefold() == original.casefold() or (kind, new) in self._given:
                nth += 1
                new = _made(kind, original, nth)
                if kind in ("URL", "DAY"):
                    break
            self._given[key] = new
            self._values[original] = new
            self._values[_compact(original)] = _compact(new)
            if kind == "PHONE":
                self._values[_dialled(original)] = _dialled(new)
        return self._given[key]


def _made(kind: str, original: str, nth: int) -> str:
    if kind == "EMAIL":
        return f"{_FIRST[nth % len(_FIRST)]}@example.com"
    if kind == "PHONE":
        head = "+44 7700 900" if original.lstrip(" (").startswith(("+", "00")) else "07700 900"
        return f"{head}{100 + nth % 900}"
    if kind == "ADDRESS":
        return _STREETS[nth % len(_STREETS)]
    if kind == "NAME":
        first = _FIRST[nth % len(_FIRST)]
        first = first if original[:1].islower() else first.capitalize()
        family = _FAMILY[nth % len(_FAMILY)]
        family = family.lower() if original[:1].islower() else family
        return f"{first} {family}" if len(original.split()) > 1 else first
    if kind == "URL":
        return "https://example.com"
    if kind == "HANDLE":
        return f"@{_FIRST[nth % len(_FIRST)]}{nth % 90 + 10}"
    if kind == "DAY":
        return "01/02/1990"
    return _other_digits(original, nth)


def _other_digits(original: str, nth: int) -> str:
    """Return the same characters with other digits: a number of the same length, and no year."""
    count = sum(c.isdecimal() for c in original)
    if count <= 6:
        # As the examples of a shop are: none is all zeros, or begins with one.
        low = 10 ** max(count - 1, 0)
        digits = str(low + (1042 - 1000 + nth * 7) % (9 * low))
        if _YEAR.fullmatch(digits):
            digits = "3" + digits[1:]
    else:
        digits = "".join(str((n * 3 + nth + 1) % 9 + 1) for n in range(count))
    rest = iter(digits)
    return "".join(next(rest) if c.isdecimal() else c for c in original)


def _joined(text: str, found: Sequence[Found]) -> Iterator[tuple[int, int]]:
    """Return where names are, those with only a space between them as one."""
    spans = sorted((one.start, one.end) for one in found if one.kind == "NAME")
    while spans:
        start, end = spans.pop(0)
        while spans and not text[end : spans[0][0]].strip():
            end = spans.pop(0)[1]
        yield start, end


def _spaces(text: str, places: Sequence[_Place]) -> Iterator[_Place]:
    gone = [(p.start, p.end) for p in places if not p.new]
    for match in _SPACE.finditer(text):
        start, end = match.span()
        if any(p.start < end and start < p.end for p in places):
            continue
        edge = start == 0 or end == len(text)
        # Of the two spaces around what was left out one is enough.
        after_gap = any(e == start and (s == 0 or _SPACE.match(text[s - 1])) for s, e in gone)
        new = "" if edge or after_gap else " "
        if new != match.group():
            yield _Place(start, end, new, "SPACE")


class _Moves:
    """A text with parts replaced, and where its places have got to."""

    def __init__(self, text: str, places: Sequence[_Place]) -> None:
        parts: list[str] = []
        self._steps: list[tuple[_Place, int]] = []
        at = length = 0
        for place in places:
            parts += [text[at : place.start], place.new]
            length += place.start - at
            self._steps.append((place, length))
            length += len(place.new)
            at = place.end
        parts.append(text[at:])
        self.text = "".join(parts)

    def of(self, start: int, end: int) -> tuple[int, int]:
        """Return a span; what was replaced in part is within it as a whole."""
        return self._at(start, last=False), self._at(end, last=True)

    def _at(self, position: int, *, last: bool) -> int:
        moved = 0
        for place, new_start in self._steps:
            if position <= place.start:
                break
            if position < place.end:
                return new_start + (len(place.new) if last else 0)
            moved = new_start + len(place.new) - place.end
        return position + moved


def _says_something(text: str, places: Sequence[_Place]) -> bool:
    rest, at = [], 0
    for place in places:
        rest.append(text[at : place.start])
        at = place.end
    rest.append(text[at:])
    letters = [c for c in " ".join(rest) if c.isalpha()]
    # One character is a word in some scripts, in ours it is a slip.
    return len(letters) > 1 or any(ord(c) > 0x2E80 for c in letters)


def _compact(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()


def _dialled(number: str) -> str:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, "GB")
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def personal(text: str) -> str:
    """Return what kind of personal data is in a text that a designer wrote; "" for none.

    Stand-ins are none: mail at ``example.com`` or ``.example``, numbers for drama use.
    """
    for found in Masker(streets=False).mask([text]).found:
        words = text[found.start : found.end]
        reserved = _RESERVED.get(found.kind)
        if found.kind not in ("TEXT", "IP") and not (reserved and reserved.search(words)):
            return _IN_WORDS.get(found.kind, found.kind.lower())
    return ""
