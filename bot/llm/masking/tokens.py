"""Placeholders: words that stand for what was masked, and that a model hands back unharmed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.llm.masking.finds import KINDS, Find

_KIND = "|".join(KINDS)
_TOKEN = re.compile(
    rf"\[\s*(?P<kind>{_KIND})\s*[_\- ]\s*(?P<n>[0-9]{{1,6}})\s*\]"
    rf"|\\\[\s*(?P<kind_>{_KIND})\s*\\?_\s*(?P<n_>[0-9]{{1,6}})\s*\\\]",
    re.IGNORECASE | re.ASCII,
)


def token(kind: str, n: int) -> str:
    """Return the placeholder of the `n`-th value of a kind, ``[EMAIL_1]``."""
    return f"[{kind}_{n}]"


def typed(text: str) -> Iterator[Find]:
    """Find what looks like a placeholder in a text that has none of ours yet."""
    for match in _TOKEN.finditer(text):
        yield Find("TEXT", *match.span())


def put_back(text: str, originals: Mapping[str, str]) -> str:
    """Return `text` with placeholders replaced, in one pass: what is put in is not read again.

    Case, spaces and Markdown's escapes inside a placeholder do not matter. One that stands
    for nothing is left as it is.
    """

    def original(match: re.Match[str]) -> str:
        kind, n = match["kind"] or match["kind_"], match["n"] or match["n_"]
        return originals.get(token(kind.upper(), int(n)), match.group())

    return _TOKEN.sub(original, text)
