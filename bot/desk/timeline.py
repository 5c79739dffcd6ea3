"""A conversation as agents read it: messages both ways and the journal, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.message import Album, Choice, Content, Event, Location, Media, decode
from bot.store import AsyncStore
from bot.store.files import StoredFile
from bot.store.journal import Entry
from bot.store.messages import Message

Who = Literal["customer", "bot", "agent", "desk"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `id` is of the message or the entry, `arrived` its place, microseconds since 1970.

    `who` is "desk" for entries of the journal, whose kind is in `kind`; for messages that is
    the content's. `name` is the agent's or the customer's. `status`, `reason` and `code` are
    of messages to the customer. `of` is the provider's id of the message that it quotes, changes
    or reacts to. `content` is encoded, or an entry's details. `translated` are the words in the
    company's language, where they are in another.
    """

    id: str
    at: datetime
    arrived: int
    who: Who
    name: str
    kind: str
    text: str
    content: dict[str, Any]
    status: str = ""
    reason: str = ""
    of: str = ""
    provider_id: str = ""
    agent: str = ""
    via: str = ""
    files: tuple[StoredFile, ...] = ()
    translated: str = ""


async def timeline(
    store: AsyncStore, conversation: str, *, after: int = 0, limit: int = 200
) -> list[Line]:
    """Return what came after `after` (microseconds since 1970), the last `limit` of each kind.

    The oldest first.
    """
    where: dict[str, Any] = {"conversation": conversation}
    if after:
        where["arrived"] = {"$gt": after}
    messages = await store.find(Message, where, sort=("-arrived",), limit=limit)
    entries = await store.find(Entry, where, sort=("-arrived",), limit=limit)
    lines = [await line_of(store, row) for row in messages]
    lines += [line_of_entry(entry) for entry in entries]
    return sorted(lines, key=lambda line: (line.arrived, line.id))


async def line_of(store: AsyncStore, row: Message) -> Line:
    """Return the line of a message."""
    incoming = row.direction == "in"
    content = dict(row.content or {})
    files: list[StoredFile] = []
    if content.get("kind") in (Media.kind, Album.kind):
        files = await store.find(StoredFile, {"message": row.id})
    name = str((row.profile or {}).get("name") or "") if incoming else str(row.agent or "")
    return Line(
        id=row.id,
        at=row.sent,
        arrived=row.arrived,
        who="customer" if incoming else ("agent" if row.agent else "bot"),
        name=name,
        kind=str(content.get("kind") or ""),
        text=words(content),
        content=content,
        status="" if incoming else str(row.status),
        reason="" if incoming else str(row.reason or ""),
        of=str(content.get("of") or row.reply_to or ""),
        provider_id=row.provider_id or "",
        files=tuple(files),
        translated=str(row.translated or ""),
    )


def line_of_entry(entry: Entry) -> Line:
    """Return the line of an entry of the journal."""
    return Line(
        id=entry.id,
        at=entry.at,
        arrived=entry.arrived,
        who="desk",
        name=entry.name or "",
        kind=entry.kind,
        text=entry.text or "",
        content=dict(entry.details or {}),
        agent=entry.agent or "",
        via=entry.via or "",
    )


def words(encoded: dict[str, Any]) -> str:
    """Return a content as words for people: what it says, or what it is in brackets."""
    try:
        content: Content = decode(encoded)
    except (ValueError, TypeError):
        return "[not readable]"
    text = getattr(content, "text", "") or getattr(content, "caption", "")
    if isinstance(content, Choice):
        return content.title or content.payload
    if isinstance(content, Location):
        place = f"{content.name or content.address} ".lstrip()
        return f"[location {place}{content.latitude:.5f}, {content.longitude:.5f}]"
    if isinstance(content, Event):
        return f"[{content.name}{' ' + content.data if content.data else ''}]"
    if isinstance(content, Media):
        what = f"[{content.type}{' ' + content.filename if content.filename else ''}]"
        return f"{what} {text}".strip()
    return str(text) or f"[{content.kind}]"
