"""Why a customer is told nothing of what is remembered: the number may have a new owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.dialogue.why.contract import Explanation
from bot.memory.keeping import customer_at
from bot.store import AsyncStore


async def with_doubt(
    store: AsyncStore, conversation: str, turns: Sequence[Explanation]
) -> tuple[Explanation, ...]:
    """Return what is told of turns, with a note in those since it is in doubt who writes."""
    member = await customer_at(store, conversation)
    if member is None or not member.doubt:
        return tuple(turns)
    note = (
        f"{member.doubt_why}: it may be somebody else who writes, and nothing that was known "
        f"before {member.doubt:%Y-%m-%d %H:%M} UTC is told or counts as a proof"
    )
    return tuple(
        replace(one, note="; ".join(filter(None, (one.note, note))))
        if one.by and one.at >= member.doubt
        else one
        for one in turns
    )
