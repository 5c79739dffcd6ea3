"""Files that are written whole or not at all, whoever reads them or dies meanwhile."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_whole(
    path: Path, data: bytes, prepare: Callable[[int], None] = lambda descriptor: None
) -> None:
    """Put a file in the place of the one that is there, if any; make its folder.

    It is this user's alone to read, unless `prepare`, which gets its descriptor, sees to that.
    Raises OSError; then all is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # No ending by which such files are looked for.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            prepare(file.fileno())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
