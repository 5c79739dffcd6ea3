"""The gateway's part: showing kept files to whoever has a link, and keeping uploads."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from bot.media import links
from bot.media.refs import ref_of
from bot.media.seal import Seal
from bot.media.sniff import NotKept, sniff
from bot.media.vault import AsyncVault, NotInVault, key_of
from bot.message import MediaType
from bot.store import AsyncStore, StoreDown
from bot.store.files import KEPT, StoredFile
from connectors.errors import NoFile

log = logging.getLogger(__name__)

#: What a browser shows without running anything of it. All else is saved.
INLINE = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/avif",
        "image/bmp",
        "audio/aac",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "video/mp4",
        "video/ogg",
        "video/quicktime",
        "video/webm",
        "video/3gpp",
        "application/pdf",
    }
)
_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
# Chromium shows no PDF in a sandbox; its viewer is a process and an origin of its own.
_PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_RETRY = {"Retry-After": "5"}


@dataclass(frozen=True)
class _Part:
    """Bytes `first` to `last`, both counted from 0, of a file."""

    first: int
    last: int


class Shelf:
    """Kept files, for one gateway process. `most` is the bytes of one upload."""

    def __init__(self, store: AsyncStore, vault: AsyncVault, seal: Seal, most: int) -> None:
        self._store = store
        self._vault = vault
        self._seal = seal
        self._most = most

    async def keep(self, channel: str, account: str, data: bytes, mime: str, filename: str) -> str:
        """Keep an upload and return what its `Media.ref` is to be.

        `mime` is the sender's word: what it calls an image, sound or video must be one.
        Raises NoFile when it is not to be kept, StoreDown when it cannot be kept now.
        """
        if len(data) > self._most:
            raise NoFile(f"the file has {len(data)} bytes, {self._most} are allowed")
        family = mime.strip().lower().partition("/")[0]
        type: MediaType = "document"
        if family in ("image", "audio", "video"):
            type = family  # type: ignore[assignment]
        try:
            kind = await asyncio.to_thread(sniff, data, type, filename)
        except NotKept as error:
            raise NoFile(str(error)) from None
        key = await asyncio.to_thread(key_of, data)
        await self._vault.put(key, data, kind.mime)
        return ref_of(self._seal, channel, account, key)

    async def get(self, request: web.Request) -> web.Response:
        """Answer ``GET /media/{handle}?expires=…&signature=…``, a part of it when asked.

        403 for a link that is not ours or has expired, 404 for a file that is not kept.
        """
        handle = request.match_info["handle"]
        query = request.query
        try:
            left = links.check(
                self._seal, handle, query.get("expires", ""), query.get("signature", "")
            )
        except links.LinkRefused as error:
            return web.Response(status=403, text=str(error), headers=_PRIVATE)
        try:
            found = await self._store.find(StoredFile, {"handle": handle}, limit=1)
            if not found or found[0].status != KEPT:
                return web.Response(status=404, text="no such file", headers=_PRIVATE)
            file = found[0]
            headers = _headers(file, left)
            if request.headers.get("If-None-Match") == headers["ETag"]:
                return web.Response(status=304, headers=headers)
            data = await self._vault.get(file.key)
        except NotInVault:
            log.error("%s: is kept but not in the vault", found[0].id)
            return web.Response(status=404, text="no such file", headers=_PRIVATE)
        except StoreDown as error:
            log.error("a file could not be shown: %s", error)
            return web.Response(status=503, text="not now, try again", headers=_RETRY)
        return _answer(request, data, headers)


_PRIVATE = {"Cache-Control": "no-store"}


def _headers(file: StoredFile, left: int) -> dict[str, str]:
    shown = file.mime in INLINE
    return {
        "Content-Type": file.mime,
        "Content-Disposition": disposition("inline" if shown else "attachment", file.filename),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _PDF_POLICY if file.mime == "application/pdf" else _POLICY,
        # No shared cache may outlive the link, and no page it leads to may learn of it.
        "Cache-Control": f"private, max-age={left}",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.sha256}"',
    }


def disposition(how: str, filename: str) -> str:
    """Return a Content-Disposition with a name in any script (RFC 6266, RFC 8187)."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", filename)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _answer(request: web.Request, data: bytes, headers: dict[str, str]) -> web.Response:
    whole = request.headers.get("If-Range", headers["ETag"]) != headers["ETag"]
    asked = None if whole else _RANGE.fullmatch(request.headers.get("Range", "").strip())
    backwards = asked is not None and all(asked.groups()) and int(asked[1]) > int(asked[2])
    if asked is None or not any(asked.groups()) or backwards:
        # What is no part is ignored, and so may be several at once (RFC 9110, 14.2).
        return web.Response(body=data, headers=headers)
    part = _part(asked[1], asked[2], len(data))
    if part is None:
        unmet = {"Content-Range": f"bytes */{len(data)}", **_PRIVATE}
        return web.Response(status=416, headers=unmet)
    said = {"Content-Range": f"bytes {part.first}-{part.last}/{len(data)}"}
    return web.Response(
        status=206, body=data[part.first : part.last + 1], headers={**headers, **said}
    )


def _part(first: str, last: str, size: int) -> _Part | None:
    """Return the part that is asked for, None when there is nothing of it."""
    if not first:
        count = min(int(last), size)
        return _Part(size - count, size - 1) if count else None
    begin, end = int(first), min(int(last), size - 1) if last else size - 1
    return _Part(begin, end) if begin < size else None
