"""Drafts as files of the knowledge folder. What a person has written is never overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from bot.knowledge.articles import FILE_LIMIT, LONGEST_TITLE
from bot.knowledge.contract import CUSTOMERS
from bot.knowledge.importing.draft import Draft, one_line, tidy
from bot.knowledge.importing.errors import OutsideFolder, TooBig
from bot.knowledge.words import fold
from bot.whole_files import write_whole

_DIGITS = 12
_FROM = re.compile(
    rf"^<!-- from: (\S+) ([0-9a-f]{{{_DIGITS}}}) ([0-9a-f]{{{_DIGITS}}}) -->\n", re.M
)
_LONGEST_NAME = 80
#: Names that Windows keeps for devices.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")
#: Beside a file that a person has changed. Not ``.new.md``: that would be an article too.
BESIDE = ".md.new"


@dataclass
class Imported:
    """What an import has done, as paths below the target folder, sorted by source.

    `skipped` are sources that have not changed since, `beside` are articles that a person has
    changed, whose new text was written beside them. `problems` name sources that gave no
    article and why; `notes` what was left out of those that did.
    """

    written: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Origin(NamedTuple):
    """The first line of an imported article's body.

    `name` is the source's, `source` the digest of what it was made from, `text` that of the
    file as it was written, without this line.
    """

    name: str
    source: str
    text: str


def digest(*parts: bytes | str) -> str:
    """Return a short SHA-256, in hex, of parts that are kept apart."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()[:_DIGITS]


def slug(name: str) -> str:
    """Return a name as lower-case ASCII words joined by hyphens; ``untitled`` when none are left.

    >>> slug("Größen & Maße (2024)")
    'grossen-masse-2024'
    """
    words = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:_LONGEST_NAME].strip("-")
    if not words:
        # Names of other scripts still differ.
        words = f"untitled-{digest(name)[:6]}" if re.search(r"\w", name) else "untitled"
    return f"{words}-file" if _RESERVED.fullmatch(words) else words


def origin_of(text: str) -> Origin | None:
    """Return where an article was imported from, None for one that was not."""
    found = _FROM.search(text)
    return Origin(unquote(found[1]), found[2], found[3]) if found else None


def is_untouched(text: str) -> bool:
    """Tell whether a file is still as an import has written it."""
    origin = origin_of(text)
    return origin is not None and digest(_FROM.sub("", text, count=1)) == origin.text


class Writer:
    """Writes the drafts of one import into `target`, and keeps account in `imported`.

    Raises NotADirectoryError when `target` is a file.
    """

    def __init__(self, target: Path, language: str = "en") -> None:
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(f"{target}: is no folder, articles cannot be written there")
        self.imported = Imported()
        self._target = target
        self.language = language
        self._files: dict[str, Path] = {}
        self._taken: set[Path] = set()
        for file in sorted(target.rglob("*.md")) if target.is_dir() else []:
            if file.is_symlink():
                continue
            origin = origin_of(file.read_text("utf-8", "replace"))
            if origin is not None:
                self._files.setdefault(origin.name, file)

    def place(self, name: str) -> Path:
        """Return the file for a source, `name` its path with ``/``; the same at each import.

        Raises OutsideFolder for a name that leads out of a folder.
        """
        if name not in self._files:
            self._files[name] = self._new_place(name)
        return self._files[name]

    def _new_place(self, name: str) -> Path:
        parts = name.split("/")
        if ".." in parts or name.startswith("/") or "\\" in name or "\x00" in name:
            raise OutsideFolder(f"{name[:200]!r}: leads out of the folder")
        *folders, last = [part for part in parts if part not in ("", ".")] or ["untitled"]
        stem = re.sub(r"\.[A-Za-z0-9]{1,6}$", "", last) or last
        folder = self._target.joinpath(*(slug(part) for part in folders))
        taken = {*self._files.values(), *self._taken}
        number, file = 1, folder / f"{slug(stem)}.md"
        while file in taken:
            number += 1
            file = folder / f"{slug(stem)}-{number}.md"
        self._taken.add(file)
        return file

    def unchanged(self, name: str, source: str) -> bool:
        """Tell whether a source, by its digest, is what its article was last made from."""
        file = self.place(name)
        try:
            origin = origin_of(file.read_text("utf-8", "replace"))
        except OSError:
            return False
        return origin is not None and origin.name == name and origin.source == source

    def skip(self, name: str) -> None:
        """Note that a source needs no writing."""
        self.imported.skipped.append(self._below(self.place(name)))

    def write(self, name: str, source: str, draft: Draft) -> None:
        """Write the article of a source, `source` the digest of what it was made from.

        Raises OutsideFolder when the place for it is reached through a symbolic link, TooBig
        for more text than an article may have.
        """
        file = self.place(name)
        self._refuse_links(file)
        text = self._text(name, source, draft)
        if len(text.encode()) > FILE_LIMIT:
            raise TooBig(f"{name}: gives more than {FILE_LIMIT // 1024} KiB of text; split it")
        beside = file.with_name(file.name.removesuffix(".md") + BESIDE)
        if file.exists() and not is_untouched(file.read_text("utf-8", "replace")):
            if beside.exists():
                there = beside.read_text("utf-8", "replace")
                origin = origin_of(there)
                if origin is not None and origin.source == source:
                    self.imported.skipped.append(self._below(beside))
                    return
                if not is_untouched(there):
                    self.imported.problems.append(
                        f"{name}: {self._below(file)} and {self._below(beside)} have both been "
                        "changed by hand; join them, and delete the second"
                    )
                    return
            self._refuse_links(beside)
            write_whole(beside, text.encode(), _for_all)
            self.imported.beside.append(self._below(beside))
        else:
            write_whole(file, text.encode(), _for_all)
            self.imported.written.append(self._below(file))
        self.imported.notes.extend(f"{name}: {note}" for note in draft.notes)

    def _below(self, file: Path) -> str:
        return file.relative_to(self._target).as_posix()

    def _refuse_links(self, file: Path) -> None:
        for part in (file, *file.parents):
            if part == self._target:
                return
            if part.is_symlink():
                raise OutsideFolder(f"{self._below(part)}: is a symbolic link, write it yourself")

    def _text(self, name: str, source: str, draft: Draft) -> str:
        head = front_matter(draft, self.language)
        body = f"{tidy(draft.body)}\n"
        shown = quote(name, safe="/._").replace("--", "%2D%2D")
        line = f"<!-- from: {shown} {source} {digest(head + body)} -->\n"
        return f"{head}{line}{body}"


def front_matter(draft: Draft, language: str) -> str:
    """Return the head of an article's file, up to and with its closing line."""
    # A JSON text is YAML, whatever is in it.
    lines = [
        "---",
        f"title: {json.dumps(_title(draft.title), ensure_ascii=False)}",
        f"language: {json.dumps(draft.language or language)}",
    ]
    if draft.tags:
        lines.append(f"tags: {json.dumps(list(draft.tags), ensure_ascii=False)}")
    lines.append(f"audience: {draft.audience or CUSTOMERS}")
    if draft.updated is not None:
        lines.append(f"updated: {draft.updated.isoformat()}")
    if draft.url:
        lines.append(f"url: {json.dumps(draft.url, ensure_ascii=False)}")
    return "\n".join([*lines, "---", ""])


def _title(title: str) -> str:
    title = one_line(title) or "Untitled"
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 2].rstrip()} …"


def _for_all(descriptor: int) -> None:
    """Give a file the mode of others in its folder: designers' own tools have to read it."""
    mask = os.umask(0)
    os.umask(mask)
    os.fchmod(descriptor, 0o666 & ~mask)
