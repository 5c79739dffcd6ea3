"""A conversation explained turn by turn, a page at a time from the newest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.dialogue.why.contract import Explanation
from bot.dialogue.why.doubt import with_doubt
from bot.dialogue.why.explaining import explained, mask_of, tools_told, words_of
from bot.dialogue.why.matching import sources_of
from bot.dialogue.why.stepping import LOOKED_AT
from bot.store import AsyncStore
from bot.store.messages import Message
from bot.store.steps import Step
from bot.store.turns import Turn

#: A turn's replies are looked for under so many ids; a channel may cut one into several.
_REPLIES = 16
#: Words of agents between the turns of a page.
_SAID = 200


@dataclass(frozen=True)
class Said:
    """Words that no turn answered a message with: an agent's, or what was said unasked."""

    at: datetime
    by: str
    text: str
    status: str


@dataclass(frozen=True)
class Page:
    """Some turns of a conversation, the oldest first; `more` tells that there are older ones."""

    turns: tuple[Explanation, ...]
    said: tuple[Said, ...]
    more: bool


async def explain_page(
    store: AsyncStore,
    conversation: str,
    *,
    before: int = 0,
    count: int = 20,
    root: Path = Path(),
) -> Page:
    """Explain the last turns of a conversation, or the last ones before the turn `before`.

    Costs a handful of store calls, however long the conversation is. Personal data is masked, but
    for postal addresses. Raises StoreDown.
    """
    where: dict[str, object] = {"conversation": conversation}
    if before:
        where["seq"] = {"$lt": before}
    found = await store.find(Turn, where, sort=("-seq",), limit=count + LOOKED_AT)
    turns = found[::-1]
    shown = turns[-count:]
    if not shown:
        return Page((), (), False)
    ids = [one.id for one in shown]
    asked = {one.id: one for one in await store.find(Message, {"id": {"$in": ids}})}
    named = [f"{one.id}:{n}" for one in shown for n in range(_REPLIES) if one.replies]
    replies: dict[str, list[Message]] = {}
    for row in await store.find(Message, {"id": {"$in": named}}) if named else ():
        replies.setdefault(str(row.turn), []).append(row)
    first = asked.get(shown[0].id)
    said: Sequence[Message] = ()
    if first is not None:
        between: dict[str, object] = {"$gte": first.arrived}
        after = await store.find(
            Turn, {"conversation": conversation, "seq": shown[-1].seq + 1}, limit=1
        )
        next_one = await store.get(Message, after[0].id) if before and after else None
        if next_one is not None:
            between["$lt"] = next_one.arrived
        said = await store.find(
            Message,
            {"conversation": conversation, "arrived": between},
            sort=("-arrived",),
            limit=_SAID,
        )
    page = await asyncio.to_thread(_page, turns, shown, asked, replies, said, root)
    page = replace(page, turns=await with_doubt(store, conversation, page.turns))
    steps = await store.find(Step, {"turn": {"$in": ids}}, sort=("turn", "n"))
    if not steps:
        return page
    profiles = {id: row.profile for id, row in asked.items()}
    return replace(
        page,
        turns=tuple(
            replace(
                one,
                tools=tools_told(
                    [step for step in steps if step.turn == one.message],
                    mask_of(profiles.get(one.message)),
                ),
            )
            for one in page.turns
        ),
    )


def _page(
    turns: Sequence[Turn],
    shown: Sequence[Turn],
    asked: Mapping[str, Message],
    replies: Mapping[str, Sequence[Message]],
    said: Sequence[Message],
    root: Path,
) -> Page:
    sources = sources_of(root)
    told = []
    at = len(turns) - len(shown)
    for n, turn in enumerate(shown, start=at):
        row = asked.get(turn.id)
        if row is not None:
            out = sorted(replies.get(turn.id, ()), key=lambda one: one.order)
            looked = turns[max(0, n - LOOKED_AT) : n]
            told.append(explained(row, turn, looked, out, sources, mask_of(row.profile)))
    profile = next((one.profile for one in asked.values() if one.profile), None)
    mask = mask_of(profile)
    others = tuple(
        Said(row.sent, row.agent or "", words_of(row.content, mask), row.status)
        for row in reversed(said)
        if row.direction == "out" and not row.turn
    )
    return Page(tuple(told), others, more=shown[0].seq > 1)
