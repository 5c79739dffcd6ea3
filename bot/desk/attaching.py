"""An agent's files on their way to the customer: fetched, looked at, kept, and sent natively."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.desk.deeds import Refused
from bot.desk.handoff import said_id
from bot.desk.means import Means
from bot.media.links import link
from bot.media.names import safe_name
from bot.media.sniff import Kind, NotKept, sniff
from bot.media.vault import key_of
from bot.message import Content, Media, MediaType, Text, encode, utcnow
from bot.store.deeds import Deed
from bot.store.files import KEPT, StoredFile, handle_of
from connectors import markup
from connectors.base import Capabilities
from connectors.errors import NoFile
from connectors.render import render

#: How long the link is good by which the provider, or the customer, fetches a file. A message
#: may be held until he writes again.
_GOOD_FOR = timedelta(days=30).total_seconds()


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be sent, in order, and the files that are in it."""

    contents: tuple[Content, ...]
    files: tuple[StoredFile, ...]


async def pack(means: Means, deed: Deed, text: str, can: Capabilities) -> Parcel:
    """Return an agent's words and files as the channel takes them, one request each.

    All files are in the vault then. Raises Refused when one of them cannot be had, RetryLater
    when not now, `VaultDown`; nothing is sent in either case.
    """
    files = [await _kept(means, deed, n, dict(one)) for n, one in enumerate(deed.files or ())]
    contents: list[Content] = []
    words = text.strip()
    for n, file in enumerate(files):
        content = _content(means, file, can)
        if n == 0 and words and isinstance(content, Media):
            captioned = Media(**{**_fields(content), "caption": words})
            if render(captioned, can) == [captioned]:
                content, words = captioned, ""
        if n == 0 and words:
            contents += render(Text(words), can)
        file.message = said_id(deed.conversation, deed.id, len(contents))
        contents += render(content, can)
    if not files:
        contents = render(Text(words), can)
    return Parcel(tuple(contents), tuple(files))


def _fields(media: Media) -> dict[str, Any]:
    return {key: value for key, value in encode(media).items() if key != "kind"}


async def _kept(means: Means, deed: Deed, n: int, described: Mapping[str, Any]) -> StoredFile:
    """Return the row of a file, not yet in the store, whose bytes are in the vault."""
    id = f"{deed.conversation}:agent:{deed.id}:file:{n}"
    known = await means.store.get(StoredFile, id)
    if known is not None:
        return known
    called = str(described.get("name") or described.get("title") or f"File {n + 1}")
    fetches = means.fetches.get(deed.via)
    if fetches is None or means.vault is None or means.seal is None:
        raise Refused(f"{called} was not sent: files cannot be sent from here.")
    if not means.public_url:
        raise Refused(f"{called} was not sent: server.public_url is not set, nobody can fetch it.")
    try:
        data, _, name = await fetches.fetch(described)
        if len(data) > means.most:
            raise NoFile(f"it has {len(data)} bytes, {means.most} are allowed")
        kind, key = await asyncio.to_thread(_look, data, name or called)
    except (NoFile, NotKept) as error:
        raise Refused(f"{called} was not sent, nor anything with it: {error}.") from None
    await means.vault.put(key, data, kind.mime)
    type = _family(kind.mime)
    channel, account, _ = deed.conversation.split(":", 2)
    now = utcnow()
    return StoredFile(
        id=id,
        handle=handle_of(id),
        message="",
        conversation=deed.conversation,
        channel=channel,
        account=account,
        status=KEPT,
        type=type,
        media=encode(Media(type, mime=kind.mime, filename=name or called, size=len(data))),
        mime=kind.mime,
        filename=safe_name(name or called, kind, type),
        size=len(data),
        sha256=key,
        key=key,
        due=now,
        at=now,
    )


def _look(data: bytes, name: str) -> tuple[Kind, str]:
    return sniff(data, "document", name), key_of(data)


def _family(mime: str) -> MediaType:
    family = mime.partition("/")[0]
    if family == "image":
        return "image"
    if family == "video":
        return "video"
    return "audio" if family == "audio" else "document"


def _content(means: Means, file: StoredFile, can: Capabilities) -> Content:
    """Return a file as the best the channel takes: of its kind, as a document, as a link."""
    if means.seal is None:
        raise Refused("Files cannot be sent from here.")
    url = link(means.seal, means.public_url, file, _GOOD_FOR)
    types: tuple[MediaType, ...] = (_family(file.mime), "document")
    for type in types:
        if _takes(can, type, file):
            return Media(
                type,
                url=url,
                mime=file.mime,
                filename=file.filename,
                size=file.size,
            )
    return Text(f"{markup.escape(file.filename)}: {url}")


def _takes(can: Capabilities, type: MediaType, file: StoredFile) -> bool:
    if "media" not in can.kinds_out:
        return False
    if not can.files:
        return True
    taken = can.files.get(type)
    if taken is None or file.size > taken.most:
        return False
    # No types at all is any of them: a web chat's visitor decides what to open.
    return not taken.mimes or file.mime in taken.mimes
