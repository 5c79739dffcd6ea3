"""What no translation may touch, taken out of a text before it and put back after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_DOMAINS = "com|org|net|io|example|co|uk|de|fr|es|it|nl|pt|pl|eu|shop|store|info|app"
# Nothing here may be looked for again at each letter of a long word: who writes 6000 times
# "a." would hold up everybody else's turn for seconds.
# Around them: in Chinese or Thai no space parts a number from words.
_BEFORE, _AFTER = r"(?<![A-Za-z_\d])", r"(?![A-Za-z_\d])"
_LABELS = r"(?<![A-Za-z0-9_.-])(?:[a-z0-9-]{1,63}\.){1,5}"
#: Links and mail addresses, with or without what browsers add.
LINK = re.compile(
    rf"(?:https?://|www\.)[^\s<>\"'“”)\]⟦⟧，。！？；：、）】」]+|"
    rf"(?<![\w.%+-])[\w.%+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,5}}|"
    rf"{_LABELS}(?:{_DOMAINS}){_AFTER}(?:/[^\s<>\"'“”)\]]*)?|"
    # Of any other domain only with a path: "end.New" is two sentences.
    rf"{_LABELS}[a-z]{{2,24}}/[^\s<>\"'“”)\]⟦⟧]+",
    re.IGNORECASE,
)
_CURRENCY = r"(?:[£€$¥₤₺]|\b(?:GBP|EUR|USD|CHF|PLN)\b)"
_NUMBER = r"(?<!\d)(?<!\d[.,])\d"
MONEY = re.compile(
    rf"{_CURRENCY}\s?\d[\d.,]{{0,20}}\d|{_CURRENCY}\s?\d|"
    rf"{_NUMBER}[\d.,]{{0,20}}\s?{_CURRENCY}"
)
PLACEHOLDER = re.compile(r"\{\{?[^{}\n]{1,60}\}?\}")
_EMOJI = (
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2190-\u21ff\u2b00-\u2bff]"
    "[\ufe0f\u200d\u20e3\U0001f000-\U0001faff\u2640\u2642\u2695-\u2696]*"
)
_PARTS = (
    PLACEHOLDER.pattern,
    r"`[^`\n]+`",
    rf"(?:{LINK.pattern})(?<![.,;:!?])",
    MONEY.pattern,
    # Dates and times in figures.
    r"\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}[:h]\d{2}\b",
    # Telephone numbers, as people group them.
    rf"\+?\(?{_BEFORE}\d[\d ()/.-]{{5,30}}\d{_AFTER}",
    # Codes, tracking numbers, figures beyond three digits, and those with a point.
    r"#\d+|(?a:(?<!\w)(?<!\w-)(?=[\w-]{0,62}\d)(?=[\w-]{0,62}[a-z])\w[\w-]{0,62}\w)(?![A-Za-z_\d])",
    rf"{_NUMBER}[\d.,]{{0,40}}\d{{2,}}{_AFTER}|{_BEFORE}\d{{4,}}{_AFTER}|"
    rf"{_BEFORE}\d{{1,20}}[.,]\d{{1,20}}{_AFTER}",
    # A house's postcode where it is not one of these already.
    r"\b\d{4,5}-\d{3}\b",
    r"(?<!\w)[@#][A-Za-z][\w-]+",
    _EMOJI,
    r"[0-9#*]\ufe0f?\u20e3",
)
_ANY = re.compile("|".join(f"(?:{part})" for part in _PARTS), re.IGNORECASE)
# What stands for the points in figures of Arabic.
_POINTS = str.maketrans({"٫": ".", "٬": ","})
_BRACKETS = str.maketrans({"⟦": "[", "⟧": "]"})
#: What may stand where a token was: the most of it that an engine is given at once.
_MOST = 60


@dataclass(frozen=True, slots=True)
class Protected:
    """A text with tokens in it, and what they stand for, in order."""

    text: str
    tokens: tuple[str, ...]
    values: tuple[str, ...]

    def restore(self, text: str) -> str:
        """Put what was taken out back into a translation."""
        if not self.tokens:
            return text
        found = dict(zip(self.tokens, self.values, strict=True))
        either = re.compile("|".join(re.escape(t) for t in sorted(found, key=len, reverse=True)))
        # Once, for a value may look like a token.
        return either.sub(lambda match: found[match[0]], text)

    def pieces(self) -> list[str]:
        """Return the text cut at its tokens; joined with them in turn it is the text again."""
        if not self.tokens:
            return [self.text]
        return re.split("|".join(re.escape(token) for token in self.tokens), self.text)


def with_figures(text: str) -> str:
    """Return a text with its figures as 0 to 9, whatever script they are of: ``١٠٤٢`` is 1042."""
    if text.isascii():
        return text
    told = text.translate(_POINTS) if any(c.isdecimal() and c > "9" for c in text) else text
    return "".join(str(int(c)) if c.isdecimal() else c for c in told)


def protect(text: str, keep: Sequence[str], token: Callable[[int, str], str]) -> Protected:
    """Take links, numbers that mean something, names and placeholders out of a text.

    `keep` are other words that are to stay, as they are written. `token` makes what an engine
    keeps, of a number from 1 and the text.
    """
    text = text.translate(_BRACKETS)
    spans = _merged([m.span() for m in _ANY.finditer(text)] + _kept(text, keep))
    out: list[str] = []
    tokens: list[str] = []
    at = 0
    for number, (start, end) in enumerate(spans[:_MOST], 1):
        made = token(number, text)
        out += [text[at:start], made]
        tokens.append(made)
        at = end
    out.append(text[at:])
    values = tuple(text[start:end] for start, end in spans[:_MOST])
    return Protected("".join(out), tuple(tokens), values)


def _kept(text: str, keep: Sequence[str]) -> list[tuple[int, int]]:
    words = [re.escape(word) for word in sorted(set(keep), key=len, reverse=True) if word.strip()]
    if not words:
        return []
    return [m.span() for m in re.finditer(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", text)]


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged
