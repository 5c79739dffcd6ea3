"""An agent changes or takes back what he said: in the outbox, at the provider, in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.desk.contract import Done
from bot.desk.deeds import Refused, plan_of, settle
from bot.desk.handoff import place_after_all, said_id
from bot.desk.journal import note_down
from bot.desk.means import Means, channel_name
from bot.desk.saying import unmarked
from bot.message import Content, Deletion, Edit, Media, Text, clean, encode, utcnow
from bot.store.consents import ALL
from bot.store.conversations import Conversation
from bot.store.dead_letters import SEND, DeadLetter, dead_id
from bot.store.deeds import REFUSED, Deed
from bot.store.journal import DELETED, EDITED, Entry
from bot.store.messages import (
    DELIVERED,
    DROPPED,
    FAILED,
    HELD,
    QUEUED,
    READ,
    SENDING,
    SENT,
    UNKNOWN,
    Message,
    queued,
)
from connectors.base import Capabilities
from connectors.errors import RetryLater
from connectors.render import render

_WAITING = (QUEUED, HELD)
_IN_HAND = (SENDING, UNKNOWN)
_THERE = (SENT, DELIVERED, READ)
_GONE = (DROPPED, FAILED)
_TAKEN_BACK = "the agent took it back"
# Messages that one deed made; a text of many thousand characters is cut into so many.
_MOST = 200


async def edit(means: Means, deed: Deed) -> Done:
    """Change what an earlier deed said to `text`; say more where it has become longer."""
    of = await _own(means, deed)
    text = clean(deed.text or "").strip()
    if not text:
        raise Refused("The new text is empty; delete the message instead.")
    entry = await means.store.get(Entry, f"note:{of.id}")
    if entry is not None:
        bare = unmarked(text)
        return await _note(means, deed, entry, text if bare is None else bare, EDITED)
    if unmarked(text) is not None:
        raise Refused("What was sent cannot become a note; delete it instead.")
    held = await means.held(deed)
    rows = await _rows(means, of)
    worded = [row for row in rows if row.content.get("kind") == Text.kind]
    captioned = [row for row in rows if row.content.get("caption")]
    if not plan_of(deed):
        await means.may_say(held, deed)
        _reachable(rows)
    can = means.can(held.id)
    parts: list[Content] = render(Text(text), can)
    pairs: list[tuple[Message, dict[str, Any] | None]] = []
    if captioned and not worded:
        media = Media(**{k: v for k, v in captioned[0].content.items() if k != "kind"})
        caption = Media(**{**_fields(media), "caption": text})
        if render(caption, can) != [caption]:
            raise Refused("That is too long to stand under a file; write a correction.")
        pairs, parts = [(captioned[0], encode(caption))], []
    elif worded:
        for n, row in enumerate(worded):
            pairs.append((row, encode(parts[n]) if n < len(parts) else None))
        parts = parts[len(worded) :]
    else:
        raise Refused("There are no words in that message to change; write a correction.")
    return await _apply(means, deed, held, pairs, parts, EDITED)


async def delete(means: Means, deed: Deed) -> Done:
    """Take back what an earlier deed said."""
    of = await _own(means, deed)
    entry = await means.store.get(Entry, f"note:{of.id}")
    if entry is not None:
        return await _note(means, deed, entry, "", DELETED)
    held = await means.held(deed)
    rows = await _rows(means, of)
    if not plan_of(deed):
        if held.opted_out == ALL and any(row.status in _THERE for row in rows):
            raise Refused("The customer has opted out, nothing may be sent.")
        _reachable(rows)
    return await _apply(means, deed, held, [(row, None) for row in rows], [], DELETED)


async def _own(means: Means, deed: Deed) -> Deed:
    """Return the deed that is to be changed. Raises Refused unless it is the agent's own."""
    of = await means.store.get(Deed, str((deed.args or {}).get("of") or ""))
    if of is None or of.conversation != deed.conversation:
        raise Refused("That message is not known here, or too old to be changed.")
    if of.agent != deed.agent:
        raise Refused(f"Only {means.author(of)}, who wrote it, can change it.")
    return of


async def _rows(means: Means, of: Deed) -> list[Message]:
    """Return the messages to the customer that a deed made. Raises Refused without any."""
    rows: list[Message] = []
    for n in range(_MOST):
        row = await means.store.get(Message, said_id(of.conversation, of.id, n))
        if row is None:
            break
        rows.append(row)
    if not rows:
        why = "was not sent" if of.status == REFUSED else "is none that can be changed"
        raise Refused(f"That message {why}.")
    return rows


def _reachable(rows: Sequence[Message]) -> None:
    if all(row.status in _GONE for row in rows):
        raise Refused("That message never reached the customer.")


async def _apply(
    means: Means,
    deed: Deed,
    held: Conversation,
    pairs: Sequence[tuple[Message, dict[str, Any] | None]],
    more: Sequence[Content],
    kind: str,
) -> Done:
    """Give each message its new content, None to take it back, and say `more` behind them.

    Raises RetryLater when one is at the provider at this very moment.
    """
    if any(row.status in _IN_HAND for row, _ in pairs):
        raise RetryLater("it is being sent at this moment", 1.0)
    can = means.can(held.id)
    plan = plan_of(deed)
    if not plan:
        there = [
            row
            for row, new in pairs
            if row.status in _THERE and (row.content != new or await _edited_before(means, row))
        ]
        for row, new in pairs:
            if row in there and not _able(can, row, new):
                return await _cannot(means, deed, held, kind)
        plan = await settle(means.store, deed, there=[row.id for row in there])
    order = await place_after_all(means.store, held.id)
    said: list[str] = []
    before = next((_words(row) for row, _ in pairs if _words(row)), "")
    for n, (row, new) in enumerate(pairs):
        if row.status in _WAITING and not await _in_the_outbox(means, row, new):
            raise RetryLater("it is being sent at this moment", 1.0)
        # One that has gone out since that was settled says it already, or was faster.
        if row.status in _THERE and (row.id in plan["there"] or row.content != new):
            if not _able(can, row, new):
                return await _cannot(means, deed, held, kind)
            said.append(await _queue(means, deed, held, n, _change(row, new), order))
    for n, content in enumerate(more, len(pairs)):
        said.append(await _queue(means, deed, held, n, content, order))
    entry = f"{kind}:{deed.id}"
    details = {"of": str(deed.args["of"]), "ok": True, "before": before}
    await _journal(means, deed, entry, kind, details)
    text = "Changed." if kind == EDITED else "Taken back."
    return Done(True, text, said=tuple(said), entry=entry)


def _able(can: Capabilities, row: Message, new: dict[str, Any] | None) -> bool:
    able = getattr(can, "deletes" if new is None else "edits", False)
    return bool(able and row.provider_id)


def _change(row: Message, new: dict[str, Any] | None) -> Content:
    of = str(row.provider_id)
    if new is None:
        return Deletion(of)
    under = "text" not in new
    return Edit(of, str(new["caption" if under else "text"]), of_file=under)


def _words(row: Message) -> str:
    return str(row.content.get("text") or row.content.get("caption") or "")


async def _in_the_outbox(means: Means, row: Message, new: dict[str, Any] | None) -> bool:
    """Change a message that has not gone out; False when it was claimed meanwhile."""
    set_: dict[str, Any] = {"content": new}
    if new is None:
        set_ = {"status": DROPPED, "reason": _TAKEN_BACK}
    where = {"id": row.id, "status": row.status, "due": row.due}
    if await means.store.change(Message, where, set=set_) is None:
        return False
    if new is None and row.status == HELD:
        await means.store.delete(DeadLetter, {"id": dead_id(SEND, row.id)})
    return True


async def _edited_before(means: Means, row: Message) -> bool:
    """Tell whether a sent message says something else at the customer's than its row."""
    where = {
        "conversation": row.conversation,
        "direction": "out",
        "status": {"$in": [QUEUED, SENDING, UNKNOWN, HELD, *_THERE]},
        "order": {"$gte": row.order},
    }
    later = await means.store.find(Message, where)
    return any(
        change.content.get("kind") == Edit.kind and change.content.get("of") == row.provider_id
        for change in later
    )


async def _queue(
    means: Means, deed: Deed, held: Conversation, n: int, content: Content, order: int
) -> str:
    row = queued(
        said_id(held.id, deed.id, n),
        held.id,
        content,
        order=order + n,
        epoch=held.epoch,
        agent=means.author(deed),
    )
    await means.store.insert_new([row])
    return str(row.id)


async def _cannot(means: Means, deed: Deed, held: Conversation, kind: str) -> Done:
    verb = "change" if kind == EDITED else "take back"
    text = f"{channel_name(held.id)} cannot {verb} a message that was sent; write a correction."
    entry = f"{kind}:{deed.id}"
    await _journal(means, deed, entry, kind, {"of": str(deed.args["of"]), "ok": False}, text)
    return Done(False, text, entry=entry)


async def _note(means: Means, deed: Deed, entry: Entry, text: str, kind: str) -> Done:
    """Change a note, or empty it; what it said before is in the journal no more."""
    marked = {**(entry.details or {}), kind: utcnow().isoformat()}
    where = {"id": entry.id}
    await means.store.change(Entry, where, set={"text": clean(text), "details": marked})
    done = f"{kind}:{deed.id}"
    await _journal(means, deed, done, kind, {"of": str(deed.args["of"]), "note": entry.id})
    return Done(True, "Changed." if kind == EDITED else "Taken back.", entry=done)


async def _journal(
    means: Means, deed: Deed, id: str, kind: str, details: dict[str, Any], text: str = ""
) -> None:
    await note_down(
        means.store,
        id,
        kind,
        deed.conversation,
        agent=deed.agent,
        name=means.author(deed),
        via=deed.via,
        text=text or (clean(deed.text or "") if kind == EDITED else ""),
        details=details,
    )


def _fields(media: Media) -> dict[str, Any]:
    return {key: value for key, value in encode(media).items() if key != "kind"}
