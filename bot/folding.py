"""Several pending messages that are one: an album, and words corrected or taken back in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.message import Album, Content, Deletion, Edit, Media, Text, decode
from bot.store.messages import Message


@dataclass(frozen=True)
class Heard:
    """What the first pending message says once those that change it are taken into account.

    `folded` are these others: they get no turn of their own. None as `content` means
    that the customer took all of it back.
    """

    content: Content | None
    folded: tuple[str, ...]


def due(pending: Sequence[Message]) -> datetime:
    """Return when the first of the pending messages, with all its parts, may be worked on."""
    latest: datetime = max(row.due for row in _parts(pending))
    return latest


def fold(pending: Sequence[Message]) -> Heard:
    """Read the first of a conversation's pending messages, given in order; at least one.

    The parts of an album are one message. An edit or a deletion of a message that nobody
    has answered yet changes that message and says nothing by itself. Raises what
    `bot.message.decode` raises.
    """
    parts = _parts(pending)
    contents: dict[str, Content | None] = {row.provider_id: decode(row.content) for row in parts}
    others = [row.provider_id for row in pending if row.provider_id not in contents]
    folded = [row.id for row in parts[1:]]
    for row in pending[1:]:
        changed = _named(str(row.content.get("of")), contents)
        if not changed:
            continue
        change = decode(row.content)
        if isinstance(change, (Edit, Deletion)):
            # What was cut into several turns is taken back in each of them.
            if isinstance(change, Edit) or not _named(change.of, others):
                folded.append(row.id)
            if isinstance(change, Deletion):
                contents.update(dict.fromkeys(changed))
            elif (before := contents[changed[0]]) is not None:
                # The words of several files are the first one's.
                contents[changed[0]] = _edited(before, change.text)
    left = [content for content in contents.values() if content is not None]
    return Heard(_joined(left), tuple(folded))


def _parts(pending: Sequence[Message]) -> list[Message]:
    first = pending[0]
    # What is no file is answered on its own, or it would be lost among the files.
    album = first.album if _is_file(first) else ""
    rest = (row for row in pending[1:] if album and row.album == album and _is_file(row))
    return [first, *rest]


def _is_file(row: Message) -> bool:
    return bool((row.content or {}).get("kind") == Media.kind)


def _named(of: str, ids: Iterable[str]) -> list[str]:
    """Return the parts that a message id means: itself, or those cut from it (``id.0``)."""
    return [id for id in ids if id == of or id.startswith(f"{of}.")]


def _edited(content: Content, text: str) -> Content:
    if isinstance(content, Media):
        return replace(content, caption=text)
    return Text(text)


def _joined(contents: Sequence[Content]) -> Content | None:
    files = tuple(content for content in contents if isinstance(content, Media))
    if len(files) > 1:
        return Album(files)
    return contents[0] if contents else None
