"""Tells agents what a model has seen or heard in a customer's file, beside the file itself."""

from __future__ import annotations

from bot.desk.journal import note_down
from bot.message import Album, Media, Sensed, decode
from bot.store import AsyncStore
from bot.store.journal import SENSED
from bot.store.turns import Turn

_LONGEST = 1500


async def note_sensed(store: AsyncStore, turn: Turn) -> None:
    """Write what was sensed in a turn's files into the journal; again it changes nothing."""
    content = decode(turn.heard) if turn.heard else None
    items = content.items if isinstance(content, Album) else (content,)
    for n, item in enumerate(items):
        if not isinstance(item, Media):
            continue
        for sensed in item.sensed:
            if sensed.failed:
                continue
            await note_down(
                store,
                f"{turn.id}:sensed:{n}",
                SENSED,
                turn.conversation,
                text=in_words(sensed),
                details={"model": sensed.by, "kind": sensed.kind, "sure": sensed.sure},
            )


def in_words(sensed: Sensed) -> str:
    """Return for agents what a model made of a file: whose word it is, and how sure."""
    more = ", ".join(filter(None, (sensed.by, "" if sensed.sure else "not sure")))
    by = f"a model ({more})" if more else "a model"
    if sensed.kind == "spoken":
        return f"{by} heard “{sensed.words[:_LONGEST]}”"
    said = [f"{by} sees: {sensed.words or 'nothing that it names'}"]
    if sensed.written:
        said.append(f"It reads: “{sensed.written[:_LONGEST]}”")
    if sensed.damage:
        said.append("Something seems damaged.")
    return " ".join(said)
