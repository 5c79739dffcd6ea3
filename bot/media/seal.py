"""The secret that proves what this instance gave out: links to files, references to uploads."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import threading
from pathlib import Path

from bot.settings import Settings

#: In `var`, when ``media.secret`` is not set.
FILE = "media.key"
_BYTES = 32


class Seal:
    """Signs by HMAC-SHA256. The secret is read, or made, at the first use.

    Raises OSError then when `path` can be neither, ValueError when what it holds is none.
    """

    def __init__(self, secret: str = "", path: Path | None = None) -> None:
        self._reading = threading.Lock()
        self._secret = secret.encode()
        self._path = path

    @classmethod
    def of(cls, settings: Settings) -> Seal:
        """Return the seal of all processes with these settings."""
        return cls(settings.media.secret, settings.var / FILE)

    def __repr__(self) -> str:
        return "Seal()"

    def sign(self, *parts: str) -> str:
        """Return the signature of `parts`, in hexadecimal; the first should say what for."""
        # Each with its length: ("a", "bc") must not have the signature of ("ab", "c").
        message = b"".join(b"%d:%s" % (len(p), p) for p in (part.encode() for part in parts))
        return hmac.new(self._key(), message, hashlib.sha256).hexdigest()

    def holds(self, signature: str, *parts: str) -> bool:
        """Tell whether `signature` is that of `parts`, in a time that does not tell how nearly."""
        return hmac.compare_digest(self.sign(*parts).encode(), signature.encode("utf-8", "replace"))

    def _key(self) -> bytes:
        with self._reading:
            if not self._secret:
                if self._path is None:
                    raise ValueError("a seal needs a secret or a file that holds one")
                self._secret = made_once(self._path)
            return self._secret


def made_once(path: Path) -> bytes:
    """Return the secret in a file; make it first if there is none, once for all processes.

    Raises OSError, ValueError when the file is too short to be a secret.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(_BYTES).encode())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                # Unlike a rename this never replaces what another process made meanwhile.
                os.link(fresh, path)
        finally:
            fresh.unlink()
    secret = path.read_bytes().strip()
    if len(secret) < _BYTES:
        raise ValueError(f"{path} is too short for a secret; delete it, and links begin anew")
    return secret
