"""Files that agents attach in the console: kept in the vault, named by sealed references."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.media.names import safe_name
from bot.media.refs import PREFIX, key_in, ref_of
from bot.media.seal import Seal
from bot.media.sniff import NotKept, sniff
from bot.media.vault import AsyncVault, NotInVault, VaultDown, key_of
from connectors.errors import NoFile, RetryLater

_CHANNEL = "console"


class ConsoleFiles:
    """Keeps what an agent attaches, and is `bot.desk.contract.Fetches` for it.

    `Deed.files` has ``{ref, account, name, mime, size}`` for each; the reference is good
    for that account alone. `most` is the bytes of one file.
    """

    def __init__(self, vault: AsyncVault, seal: Seal, most: int) -> None:
        self._vault = vault
        self._seal = seal
        self._most = most

    @property
    def most(self) -> int:
        """The largest file, in bytes."""
        return self._most

    async def keep(self, account: str, data: bytes, name: str) -> dict[str, Any]:
        """Keep a file of an agent's and return what `Deed.files` says of it.

        What it is is found by its content. Raises NoFile for what is not to be kept, StoreDown
        when it cannot be kept now.
        """
        if not data:
            raise NoFile("the file is empty")
        if len(data) > self._most:
            raise NoFile(f"the file has {len(data)} bytes, {self._most} are allowed")
        try:
            kind = await asyncio.to_thread(sniff, data, "document", name)
        except NotKept as error:
            raise NoFile(str(error)) from None
        key = await asyncio.to_thread(key_of, data)
        await self._vault.put(key, data, kind.mime)
        return {
            "ref": ref_of(self._seal, _CHANNEL, account, key),
            "account": account,
            "name": safe_name(name, kind),
            "mime": kind.mime,
            "size": len(data),
        }

    def owns(self, account: str, ref: str) -> bool:
        """Tell whether a reference was given out to this account."""
        return ref.startswith(PREFIX) and bool(key_in(self._seal, _CHANNEL, account, ref))

    async def fetch(self, file: Mapping[str, Any]) -> tuple[bytes, str, str]:
        """See `bot.desk.contract.Fetches.fetch`."""
        ref, account = str(file.get("ref") or ""), str(file.get("account") or "")
        if not self.owns(account, ref):
            raise NoFile("the file was not attached in the console")
        try:
            data = await self._vault.get(key_in(self._seal, _CHANNEL, account, ref))
        except NotInVault:
            raise NoFile("the file is not kept any more") from None
        except VaultDown as error:
            raise RetryLater(f"the file cannot be read now: {error}") from None
        return data, str(file.get("mime") or ""), str(file.get("name") or "")
