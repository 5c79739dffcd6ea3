"""How much of what is remembered is shown to who writes: a phone may be in another's hands."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from rasa_sdk import Tracker

from actions.memory import memory_of
from actions.proving import address_of, store
from actions.rules import load_rules
from bot.identity.proving import proven_since
from bot.llm.masking import redact
from bot.memory.contract import FACT, MATTER, ORDER, Known, Memory

_WORD = re.compile(r"[^\W_]+")
# What `Identity.remembered` may be: the first letters, or all of it; else, nothing until it is
# proven who it is.
_MASKED, _OPEN = "masked", "open"


def masked(value: str) -> str:
    """Return as much of a value as only who has said it makes sense of.

    ``22 Baker Street, London NW1 6XE`` is ``22 B… S…, L… N… 6…``: a house number stays.
    """
    first = True

    def begun(match: re.Match[str]) -> str:
        nonlocal first
        whole, first = first and match[0].isdigit(), False
        return match[0] if whole else f"{match[0][0]}…"

    return _WORD.sub(begun, value)


async def memory_shown(tracker: Tracker) -> Memory:
    """Return what is remembered as it may be shown by ``identity.remembered``.

    Whoever has proven an account of late is shown what was said since he has proven it first:
    another account would be another person's. Raises StoreDown, SettingsInvalid.
    """
    memory, how = memory_of(tracker), load_rules().identity.remembered
    here = address_of(tracker)
    if how == _OPEN or not any(map(_personal, memory.known)):
        return memory
    since = await proven_since(store(), here) if here is not None else None
    return _closed(memory, how, since)


def lines_for_model(tracker: Tracker) -> list[str]:
    """Return what is remembered for a prompt: what a model does not know it cannot let slip."""
    memory, how = memory_of(tracker), load_rules().identity.remembered
    return (memory if how == _OPEN else _closed(memory, how, None)).lines()


def _closed(memory: Memory, how: str, since: datetime | None) -> Memory:
    known = []
    for one in memory.known:
        if not _personal(one) or (since is not None and since <= one.at):
            known.append(one)
        elif one.kind == MATTER:
            known.append(replace(one, value=redact(one.value, full=True)))
        elif how == _MASKED:
            known.append(replace(one, value=masked(one.value)))
    return replace(memory, known=tuple(known))


def _personal(one: Known) -> bool:
    if one.kind == ORDER:
        return False
    if one.kind == FACT and one.key == "address":
        return True
    return redact(one.value, full=one.kind == MATTER) != one.value
