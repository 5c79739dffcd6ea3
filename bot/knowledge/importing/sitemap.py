"""A folder that holds a website: its sitemaps and its saved pages."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.knowledge.importing.draft import LARGEST, day
from bot.knowledge.importing.errors import TooBig, Unreadable
from bot.knowledge.importing.xml import read_xml

#: https://www.sitemaps.org/protocol.html: URLs of a file, and files of an index.
_MOST = 50_000
_NAMES = ("sitemap.xml", "sitemap_index.xml", "sitemap.xml.gz", "sitemap_index.xml.gz")
_PAGES = ("", ".html", ".htm", "/index.html", "/index.htm")


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a sitemap: its address, its file, None when it was not saved, and its date."""

    url: str
    file: Path | None
    updated: date | None


def pages(folder: Path) -> Iterator[Listed]:
    """Give the pages that the sitemap of a folder lists, in its order, each once.

    Raises Unreadable when there is none, and ForbiddenXml, TooBig or Unreadable for one that
    cannot be read.
    """
    root = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    if root is None:
        raise Unreadable(f"{folder}: holds no {_NAMES[0]}; save it beside the pages")
    queue, seen, given = [root], {root.resolve()}, set()
    while queue:
        file = queue.pop(0)
        is_index, entries = _entries(file)
        for url, modified in entries:
            if is_index:
                found = local(url, folder)
                if found is None:
                    raise Unreadable(f"{file.name}: names {url[:200]}, which is not in the folder")
                if found.resolve() not in seen:
                    seen.add(found.resolve())
                    queue.append(found)
            elif url not in given:
                given.add(url)
                yield Listed(url, local(url, folder), day(modified))


def local(url: str, folder: Path) -> Path | None:
    """Return the file that a page was saved as, None when it was not.

    Known ways are those of ``wget --mirror`` with and without the host's folder and
    ``--adjust-extension``, and of a page beside the others under its own name. A file outside
    `folder` is never returned.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = unquote(parts.path).strip("/")
    if "\x00" in path or "\\" in path:
        return None
    asked = [f"{path}?{parts.query}", f"{path}@{parts.query}"] if parts.query else [path]
    bases = [folder, folder / (parts.hostname or "")]
    tries = [base / f"{name}{end}" for base in bases for name in asked for end in _PAGES]
    tries.append(folder / "index.html" if not path else folder / Path(path).name)
    if path and not parts.query:
        tries.append(folder / f"{Path(path).name}.html")
    inside = folder.resolve()
    for file in tries:
        try:
            if file.is_file() and file.resolve().is_relative_to(inside):
                return file
        except OSError:
            continue
    return None


def _entries(file: Path) -> tuple[bool, list[tuple[str, str]]]:
    """Return whether a file is an index, and its addresses with their dates as written."""
    found: list[tuple[str, str]] = []
    root = ""
    path: list[str] = []
    fields: dict[str, str] = {}

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal root
        name = tag.rpartition(" ")[2]
        root = root or name
        path.append(name)
        if len(path) == 2:
            fields.clear()

    def text(part: str) -> None:
        if len(path) == 3 and path[-1] in ("loc", "lastmod"):
            fields[path[-1]] = fields.get(path[-1], "") + part

    def end(_: str) -> None:
        if len(path) == 2 and fields.get("loc", "").strip():
            if len(found) == _MOST:
                raise TooBig(f"{file.name}: lists more than {_MOST} addresses")
            found.append((fields["loc"].strip(), fields.get("lastmod", "")))
        path.pop()

    read_xml(_read(file), file.name, start, end, text)
    if root not in ("urlset", "sitemapindex"):
        raise Unreadable(f"{file.name}: is no sitemap, its first element is <{root[:40]}>")
    return root == "sitemapindex", found


def _read(file: Path) -> bytes:
    if file.stat().st_size > LARGEST:
        raise TooBig(f"{file.name}: is larger than {LARGEST // 2**20} MB")
    data = file.read_bytes()
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            data = packed.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{file.name}: cannot be unpacked") from error
    if len(data) > LARGEST:
        raise TooBig(f"{file.name}: unpacks to more than {LARGEST // 2**20} MB")
    return data
