"""Links to kept files for agents: signed, and of use for a while only."""

from __future__ import annotations

import re
import time

from bot.media.seal import Seal
from bot.store.files import StoredFile

_EXPIRES = re.compile(r"[0-9]{1,12}")
_FOR = "link"


class LinkRefused(Exception):
    """A link that is not ours, or not any more; the text says which."""


def sign(seal: Seal, handle: str, expires: int) -> str:
    """Return the signature of the link to the file `handle` until `expires` (Unix time)."""
    return seal.sign(_FOR, handle, str(expires))


def check(seal: Seal, handle: str, expires: str, signature: str) -> int:
    """Return how many seconds a link is still good for. Raises LinkRefused."""
    # The signature first: whoever has none learns nothing, not even of the time.
    if not _EXPIRES.fullmatch(expires) or not seal.holds(signature, _FOR, handle, expires):
        raise LinkRefused("this link was not given out here")
    left = int(expires) - int(time.time())
    if left <= 0:
        raise LinkRefused("this link has expired")
    return left


def link(seal: Seal, public_url: str, file: StoredFile, seconds: float) -> str:
    """Return a URL under the gateway's `public_url` that shows `file` for so many seconds."""
    expires = int(time.time() + seconds)
    base = f"{public_url.rstrip('/')}/media/{file.handle}"
    return f"{base}?expires={expires}&signature={sign(seal, file.handle, expires)}"
