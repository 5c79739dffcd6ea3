"""Masks personal data before it leaves the house, and puts it back in what returns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.llm.masking.contacts import machines, mails
from bot.llm.masking.finds import Find, apart
from bot.llm.masking.money import cards, ibans
from bot.llm.masking.national import identities
from bot.llm.masking.phones import REGIONS, phones
from bot.llm.masking.streets import addresses
from bot.llm.masking.surface import surface
from bot.llm.masking.tokens import put_back, token, typed

_MOST_MAIL = re.compile(r"@|\bat\b|arroba|chiocciola|ma[lł]pa|[(\[{<]\s?a\s?[)\]}>]|arobase", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """What was masked: its kind, and where it stood in the text of number `text`."""

    kind: str
    start: int
    end: int
    text: int


@dataclass(frozen=True, slots=True)
class Masked:
    """Texts with placeholders, and the way back. `repr` shows no customer's words."""

    texts: list[str]
    found: tuple[Found, ...]
    originals: Mapping[str, str] = field(repr=False)

    def restore(self, text: str) -> str:
        """Return `text`, as a model wrote it, with the originals in place of placeholders."""
        return put_back(text, self.originals)


class Masker:
    """Finds personal data in texts.

    `regions` (ISO 3166) are where phone numbers without country code may be from. `spare`
    are values that are not personal though they look like it: the shop's own mail address,
    numbers and streets; spaces, dashes and case do not matter in them.
    """

    def __init__(
        self, *, regions: Sequence[str] = REGIONS, spare: Collection[str] = (), streets: bool = True
    ) -> None:
        self._regions = tuple(regions)
        self._spare = {_bare(value) for value in spare} - {""}
        self._streets = streets

    def mask(self, texts: Sequence[str], known: Sequence[str] = ()) -> Masked:
        """Return `texts` with personal data replaced by placeholders.

        `known` are further strings to mask wherever they stand as whole words: the
        customer's name. The same words have the same placeholder in all of the texts.
        """
        tokens: dict[tuple[str, str], str] = {}
        counts: dict[str, int] = {}
        out: list[str] = []
        found: list[Found] = []
        names = _names(known)
        for number, text in enumerate(texts):
            parts, at = [], 0
            for kind, start, end in self._places(text, names):
                original = text[start:end]
                if (kind, original) not in tokens:
                    counts[kind] = counts.get(kind, 0) + 1
                    tokens[kind, original] = token(kind, counts[kind])
                parts += [text[at:start], tokens[kind, original]]
                found.append(Found(kind, start, end, number))
                at = end
            out.append("".join([*parts, text[at:]]))
        originals = {placed: original for (_, original), placed in tokens.items()}
        return Masked(out, tuple(found), originals)

    def redact(self, text: str, known: Sequence[str] = ()) -> str:
        """Return `text` with personal data replaced for good, ``[card]``."""
        parts, at = [], 0
        for kind, start, end in self._places(text, _names(known)):
            if kind == "TEXT":
                continue
            parts += [text[at:start], f"[{kind.lower()}]"]
            at = end
        return "".join([*parts, text[at:]])

    def _places(self, text: str, names: re.Pattern[str] | None) -> list[tuple[str, int, int]]:
        seen = surface(text)
        finds = apart(
            find
            for find in self._finds(seen.text, names)
            if not self._spare or _bare(seen.text[find.start : find.end]) not in self._spare
        )
        return [(find.kind, *seen.span(find.start, find.end)) for find in finds]

    def _finds(self, text: str, names: re.Pattern[str] | None) -> Iterable[Find]:
        if "[" in text:
            yield from typed(text)
        if _MOST_MAIL.search(text):
            yield from mails(text)
        if any(c in "0123456789" for c in text):
            yield from cards(text)
            yield from ibans(text)
            yield from machines(text)
            yield from identities(text)
            yield from phones(text, self._regions)
            if self._streets:
                yield from addresses(text)
        elif "::" in text:
            yield from machines(text)
        if names is not None:
            for match in names.finditer(text):
                yield Find("NAME", *match.span())


def redact(text: str, known: Sequence[str] = (), *, full: bool = False) -> str:
    """Return `text` with personal data replaced for good, ``[card]``, ``[email]``.

    Without `full` postal addresses stay, and spaCy need not be loaded.
    """
    return Masker(streets=full).redact(text, known)


def _names(known: Sequence[str]) -> re.Pattern[str] | None:
    words = [surface(name).text.split() for name in known]
    patterns = [r"\s+".join(map(re.escape, w)) for w in sorted(words, key=lambda w: -len(w)) if w]
    if not patterns:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


def _bare(value: str) -> str:
    return re.sub(r"[\s\-.,()+]", "", surface(value).text).casefold()
