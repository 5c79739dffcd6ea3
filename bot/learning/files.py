"""Changing designers' files: one at a time, whole or not at all, and never for the worse."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.dialogue.checking import WARNING, Finding, check_project, errors_of
from bot.dialogue.checking.reading import FILE_LIMIT
from bot.learning.contract import CannotWrite, NotAllowed
from bot.whole_files import write_whole

# A check of the whole project is the longest that anybody holds the lock for.
_PATIENCE = 20.0
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Change:
    """A file before and after; None before when it is new."""

    before: str | None
    after: str


def read_text(path: Path) -> str:
    """Return a file's text, byte order mark and line ends included.

    Raises NotAllowed, CannotWrite.
    """
    try:
        if path.stat().st_size > FILE_LIMIT:
            raise NotAllowed(f"{path.name} is larger than {FILE_LIMIT >> 20} MiB; split it")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotAllowed(f"{path.name} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise CannotWrite(f"{path.name} cannot be read: {error.strerror}") from error


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep other processes of ours from changing files below `root` meanwhile.

    Raises CannotWrite when there is nothing below it, or another holds on for too long.
    """
    folder = root / "data"
    try:
        held = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise CannotWrite(f"there is no folder data/ here: {error.strerror}") from error
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise CannotWrite("somebody else is changing the files; try again") from None
                time.sleep(0.05)
            except OSError:
                # A file system without locks: one process alone is the usual case there.
                break
        yield
    finally:
        os.close(held)


def apply(root: Path, changes: Mapping[str, Change]) -> tuple[str, ...]:
    """Change files, called as below `root`; return what the check warns of in them.

    If the project has errors then that it had not before, everything is put back.
    Raises NotAllowed (also when a file was changed since it was read), CannotWrite.
    """
    for name, change in changes.items():
        if _now(root / name) != change.before:
            raise NotAllowed(f"{name} was changed by somebody just now; try again")
    done: dict[str, Change] = {}
    try:
        for name, change in changes.items():
            _replace(root / name, change.after)
            done[name] = change
    except OSError as error:
        _put_back(root, done)
        raise CannotWrite(f"{name} cannot be written: {error.strerror or error}") from error
    found = check_project(root)
    if errors_of(found):
        _put_back(root, done)
        worse = _worse(errors_of(check_project(root)), errors_of(found))
        if worse is not None:
            raise NotAllowed(f"this would be wrong: {worse}")
        for name, change in changes.items():
            _replace(root / name, change.after)
    return tuple(str(one) for one in found if one.file in changes and one.level == WARNING)


def can_write(root: Path) -> bool:
    """Tell whether files of the project may be changed by this process."""
    folder = root / "data"
    return folder.is_dir() and os.access(folder, os.W_OK)


def _now(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotWrite(f"{path.name} cannot be read: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    """Write a file whole, with the mode it has; a link stays one."""
    target = path.resolve()
    try:
        was = target.stat()
        # Replacing needs no leave to write the file itself; its owner may mean that he gave none.
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied", str(target))
    except FileNotFoundError:
        was = None

    def as_before(descriptor: int) -> None:
        os.fchmod(descriptor, was.st_mode & 0o7777 if was is not None else 0o644)
        if was is not None:
            with contextlib.suppress(OSError):
                os.fchown(descriptor, was.st_uid, was.st_gid)

    write_whole(target, text.encode("utf-8"), as_before)


def _put_back(root: Path, done: Mapping[str, Change]) -> None:
    for name, change in done.items():
        path = root / name
        if _now(path) != change.after:
            # A designer has saved it meanwhile: his is the later word.
            continue
        if change.before is None:
            path.unlink(missing_ok=True)
        else:
            _replace(path, change.before)


def _worse(before: list[Finding], after: list[Finding]) -> Finding | None:
    """Return the first error that was not there before; lines may have moved."""
    left = Counter(_same(one) for one in before)
    for one in after:
        left[_same(one)] -= 1
        if left[_same(one)] < 0:
            return one
    return None


def _same(one: Finding) -> tuple[str, str, str]:
    return one.file, one.kind, _NUMBERS.sub("", one.what)
