"""What the check of an answer comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """Something the answer says that the sources do not, and why it was not let through."""

    kind: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Support:
    """How far one sentence of the answer is backed.

    `source` is the number of the source that backs it best, None for none. `share` of its
    words stand there, between 0 and 1. A `polite` sentence claims nothing.
    """

    sentence: str
    source: int | None
    share: float
    polite: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check came to; `ok` when nothing is unsupported and something was said."""

    ok: bool
    unsupported: tuple[Claim, ...]
    support: tuple[Support, ...]
