"""Finds in what was said the response it was made of, and what was filled into it.

A designer's sentence is translated once, with its places empty, and filled after it: it costs
one call for all customers, and nothing of one customer's is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.translation.contract import Origin

# Places side by side cannot be told apart, and are taken as one.
_PLACES = re.compile(r"(?:\{[a-z][a-z0-9_]*\})+")


@dataclass(frozen=True, slots=True)
class Made:
    """A sentence and what was put into it: `values` by place as it stands in the sentence.

    `own` is the same sentence in the customer's language, "" where designers wrote none.
    """

    sentence: str
    values: Mapping[str, str]
    own: str = ""

    def filled(self, sentence: str, values: Mapping[str, str]) -> str:
        """Return `sentence` with `values` in its places."""
        return _PLACES.sub(lambda match: values.get(match[0], match[0]), sentence)


def made_of(said: str, origin: Origin, language: str) -> Made | None:
    """Return the sentence of a response that `said` was made of, None when none fits."""
    best: tuple[int, Made] | None = None
    for variant in origin.variants:
        for path, sentence in _sentences(variant):
            values = _values(sentence, said)
            if values is None:
                continue
            letters = len(_PLACES.sub("", sentence))
            if best is None or letters > best[0]:
                own = _alike(origin, language, variant, path, sentence)
                best = (letters, Made(sentence, values, own))
    return best[1] if best else None


def _values(sentence: str, said: str) -> dict[str, str] | None:
    places = _PLACES.findall(sentence)
    if not places:
        return {} if sentence.strip() == said else None
    match = _pattern(sentence.strip()).fullmatch(said)
    if match is None:
        return None
    values: dict[str, str] = {}
    for place, value in zip(places, match.groups(), strict=True):
        if values.setdefault(place, value) != value:
            return None
    return values


@lru_cache(maxsize=1024)
def _pattern(sentence: str) -> re.Pattern[str]:
    made, at = "", 0
    for place in _PLACES.finditer(sentence):
        made += re.escape(sentence[at : place.start()]) + "(.*?)"
        at = place.end()
    return re.compile(made + re.escape(sentence[at:]), re.DOTALL)


def _sentences(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return the texts of a variant with where they stand; a button is known by its payload."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        about = str(value.get("payload") or "")
        for key, held in value.items():
            if key not in ("payload", "channel", "url", "image", "type", "condition", "kind"):
                yield from _sentences(held, (*path, about, str(key)))
    elif isinstance(value, (list, tuple)):
        for n, held in enumerate(value):
            named = isinstance(held, Mapping) and held.get("payload")
            yield from _sentences(held, (*path, "" if named else str(n)))


def _alike(
    origin: Origin, language: str, variant: Mapping[str, Any], path: tuple[str, ...], sentence: str
) -> str:
    for other in origin.alike.get(language, ()):
        if other.get("channel") != variant.get("channel"):
            continue
        for where, found in _sentences(other):
            if where == path and set(_PLACES.findall(found)) == set(_PLACES.findall(sentence)):
                return found
    return ""
