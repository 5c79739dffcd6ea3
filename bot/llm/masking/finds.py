"""What a detector gives back, and which of two that overlap is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: What may be masked, the surest first: of two that overlap the earlier kind wins.
KINDS = ("TEXT", "CARD", "IBAN", "EMAIL", "IP", "ID", "PHONE", "ADDRESS", "NAME")
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Find:
    """One thing found in a surface text, from `start` to `end` (exclusive)."""

    kind: str
    start: int
    end: int


def apart(finds: Iterable[Find]) -> list[Find]:
    """Return finds that do not overlap, in order; what loses keeps the parts not covered.

    A phone number inside an address must not uncover the street around it.
    """
    kept: list[Find] = []
    for find in sorted(finds, key=lambda f: (_RANK[f.kind], f.start - f.end, f.start)):
        parts = [(find.start, find.end)]
        for other in kept:
            parts = [piece for part in parts for piece in _minus(part, other)]
        kept += [Find(find.kind, start, end) for start, end in parts if start < end]
    return sorted(kept, key=lambda f: f.start)


def _minus(part: tuple[int, int], other: Find) -> list[tuple[int, int]]:
    start, end = part
    if other.end <= start or other.start >= end:
        return [part]
    return [(start, min(end, other.start)), (max(start, other.end), end)]
