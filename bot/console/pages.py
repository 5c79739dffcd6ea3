"""The page's own files, served as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiohttp import web

from bot.console.guard import HEADERS, PAGE_POLICY

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Pages:
    """The files of the page, read once."""

    def __init__(self, folder: Path) -> None:
        found = [file for file in folder.iterdir() if file.suffix in _TYPES]
        self._files = {file.name: (file.read_bytes(), _TYPES[file.suffix]) for file in found}

    async def get(self, name: str, request: web.Request) -> web.Response:
        """Return one of them, 304 to who has it."""
        if name not in self._files:
            return web.Response(status=404, text="no such page", headers=HEADERS)
        body, kind = self._files[name]
        headers = {
            **HEADERS,
            "Content-Security-Policy": PAGE_POLICY,
            "Cache-Control": "no-cache",
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        }
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    async def named(self, request: web.Request) -> web.Response:
        """Return the file that a path names."""
        return await self.get(request.match_info["name"], request)
