"""Where the bytes are: the contract of a vault, and the vaults' opening by settings.

A key is the SHA-256 of its bytes in hexadecimal: the same file is there once, and putting
it again changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Protocol

from bot.settings import Settings
from bot.store import StoreDown, StoreError

_KEY = re.compile(r"[0-9a-f]{64}")


class VaultDown(StoreDown):
    """The vault cannot be reached or written to right now; the same call may work later."""


class NotInVault(StoreError):
    """The vault has nothing under a key."""


class Vault(Protocol):
    """Bytes by key. Every method may raise VaultDown, and be called from several threads."""

    def put(self, key: str, data: bytes, mime: str) -> None:
        """Keep `data`; whole and durable when it returns, and nothing of it before."""

    def get(self, key: str) -> bytes:
        """Return the bytes under `key`. Raises NotInVault."""

    def delete(self, key: str) -> None:
        """Forget `key`. What is not there is no error."""

    def ping(self) -> str:
        """Return the place, for people, when it answers and can be written to."""


def key_of(data: bytes) -> str:
    """Return the key of some bytes."""
    return hashlib.sha256(data).hexdigest()


def checked(key: str) -> str:
    """Return `key`. Raises ValueError when it is none: it becomes part of a path."""
    if not _KEY.fullmatch(key):
        raise ValueError("not the key of a file")
    return key


class AsyncVault:
    """A vault for asyncio: each call runs in a thread."""

    def __init__(self, vault: Vault) -> None:
        self.sync = vault

    async def put(self, key: str, data: bytes, mime: str) -> None:
        """See `Vault.put`."""
        await asyncio.to_thread(self.sync.put, key, data, mime)

    async def get(self, key: str) -> bytes:
        """See `Vault.get`."""
        return await asyncio.to_thread(self.sync.get, key)

    async def delete(self, key: str) -> None:
        """See `Vault.delete`."""
        await asyncio.to_thread(self.sync.delete, key)

    async def ping(self) -> str:
        """See `Vault.ping`."""
        return await asyncio.to_thread(self.sync.ping)


def open_vault(settings: Settings) -> Vault:
    """Open the configured vault. None connects yet, or makes anything."""
    media = settings.media
    # A client library is imported where it is used: boto3 alone costs half a second.
    if media.url.startswith("s3:"):
        from bot.media.s3 import S3Vault

        return S3Vault(media)
    if media.url:
        from bot.media.gridfs import GridFsVault

        return GridFsVault(settings.store.url)
    from bot.media.folder import FolderVault

    return FolderVault(Path(media.dir or settings.var / "media"))


def place_of(settings: Settings) -> str:
    """Return where files are kept, for people, without secrets."""
    media = settings.media
    if media.url.startswith("s3:"):
        host = media.endpoint.partition("://")[2].rpartition("@")[2].partition("/")[0]
        return f"S3, {media.url.removeprefix('s3://')} at {host or 'Amazon'}"
    if media.url:
        return "GridFS in the store"
    return f"folder {media.dir or settings.var / 'media'}"
