"""The vault in a directory: one file a key, for its owner's eyes only."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.media.vault import NotInVault, VaultDown, checked

# A part this old, in seconds, was left by a process that died over it.
_STALE = 24 * 3600


class FolderVault:
    """A `Vault` in `root`, ``ab/abcd…`` under it; made at the first `put`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts = root / "parts"
        self._sweeping = threading.Lock()
        self._swept = False

    def put(self, key: str, data: bytes, mime: str) -> None:
        """See `Vault.put`."""
        path = self._path(key)
        with self._guarded():
            if path.exists():
                return
            self._make(path.parent)
            self._make(self._parts)
            self._sweep()
            part = self._parts / f"{key}.{secrets.token_hex(8)}"
            try:
                _write(part, data)
                # By name all or nothing: whoever sees the file sees the whole of it.
                part.rename(path)
            finally:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
            _sync(path.parent)

    def get(self, key: str) -> bytes:
        """See `Vault.get`."""
        with self._guarded():
            return self._path(key).read_bytes()

    def delete(self, key: str) -> None:
        """See `Vault.delete`."""
        path = self._path(key)
        with self._guarded():
            path.unlink(missing_ok=True)

    def ping(self) -> str:
        """See `Vault.ping`. Makes nothing: that the directory can be made is enough."""
        there = self._root
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise VaultDown(f"{there} cannot be written to")
        return f"folder {self._root}"

    def _path(self, key: str) -> Path:
        return self._root / checked(key)[:2] / key

    def _make(self, directory: Path) -> None:
        if directory.is_dir():
            return
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The entry of the directory itself must be durable too.
        _sync(directory.parent)

    def _sweep(self) -> None:
        with self._sweeping:
            if self._swept:
                return
            self._swept = True
        before = time.time() - _STALE
        for part in self._parts.iterdir():
            with contextlib.suppress(OSError):
                if part.stat().st_mtime < before:
                    part.unlink()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise NotInVault("there is no such file") from None
        except OSError as error:
            raise VaultDown(f"{self._root}: {error.strerror or type(error).__name__}") from None


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
