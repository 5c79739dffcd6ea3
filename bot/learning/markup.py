"""An example with its entities, as Rasa's YAML has it: ``[1042](order_number)``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Findings, Place, errors_of, near
from bot.dialogue.checking.nlu import Nlu, bare, check_entities, marked
from bot.learning.contract import Mark, NotAllowed

_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


def trimmed(text: str, marks: Sequence[Mark]) -> tuple[str, tuple[Mark, ...]]:
    """Return a text without space around it, and its marks where they are then."""
    kept = text.strip()
    left = len(text) - len(text.lstrip())
    return kept, tuple(
        replace(mark, start=mark.start - left, end=mark.end - left) for mark in marks
    )


def annotated(
    text: str, marks: Sequence[Mark], domain: Domain, synonyms: Mapping[str, str] | None = None
) -> str:
    """Return an example as it stands in a file.

    What `synonyms` (words in lower case, and what they mean) say anyhow is left out.
    Raises NotAllowed, saying what is wrong, for what Rasa would not read back as it is.
    """
    if not text:
        raise NotAllowed("the example is empty")
    if _BREAKS.search(text):
        raise NotAllowed("the example has a tab or the end of a line in it; put it on one line")
    if _FORBIDDEN.search(text):
        raise NotAllowed("the example has a character that cannot stand in YAML; take it out")
    parts: list[str] = []
    at = 0
    for mark in marks:
        if not at <= mark.start < mark.end <= len(text):
            where = f"{mark.entity} ({mark.start} to {mark.end})"
            raise NotAllowed(f"the entity {where} is not within the text, or overlaps another")
        if mark.entity not in domain.entities:
            right = near(mark.entity, domain.entities)
            raise NotAllowed(f"{mark.entity} is no entity of the domain; {right}".rstrip("; "))
        words = text[mark.start : mark.end]
        parts += [text[at : mark.start], f"[{words}]", _said_of(mark, words, synonyms or {})]
        at = mark.end
    written = "".join([*parts, text[at:]])
    _read_back(written, text, marks, domain)
    return written


def _said_of(mark: Mark, words: str, synonyms: Mapping[str, str]) -> str:
    means = mark.value and mark.value != words and synonyms.get(words.casefold()) != mark.value
    if not (means or mark.role or mark.group):
        return f"({mark.entity})"
    told = {"entity": mark.entity, "role": mark.role, "group": mark.group}
    if means:
        told["value"] = mark.value
    return json.dumps({key: value for key, value in told.items() if value}, ensure_ascii=False)


def _read_back(written: str, text: str, marks: Sequence[Mark], domain: Domain) -> None:
    findings = Findings()
    check_entities(written, Place("", 0), Nlu(), domain, findings)
    spans = [(mark.start, mark.end) for mark in marks]
    # Brackets that a customer has typed, with nothing behind them, are text and only warned of.
    wrong = errors_of(findings.all())
    if bare(written) == text and marked(written) == spans and not wrong:
        return
    said = wrong[0].what if wrong else "would be read as another text"
    raise NotAllowed(
        f"the example {said}: square brackets are for entities; use round ones for everything else"
    )
