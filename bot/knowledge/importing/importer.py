"""A folder of documents, or a saved website, as articles."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.knowledge.importing import sitemap
from bot.knowledge.importing.docx import from_docx
from bot.knowledge.importing.draft import LARGEST, Draft
from bot.knowledge.importing.errors import ImportFailed, TooBig
from bot.knowledge.importing.html import from_html, web_address
from bot.knowledge.importing.pdf import from_pdf
from bot.knowledge.importing.writing import Imported, Writer, digest

#: Grows when a source gives another article than before, so that all are made anew.
_MAKING = "1"
_MAKERS: dict[str, Callable[[bytes, str], Draft]] = {
    ".html": from_html,
    ".htm": from_html,
    ".xhtml": from_html,
    ".docx": from_docx,
    ".pdf": from_pdf,
}
#: Documents too, but not of a kind that is read. What is not listed is no document.
_UNREAD = {
    ".doc": "save it as .docx",
    ".odt": "save it as .docx",
    ".rtf": "save it as .docx",
    ".pages": "save it as .docx",
    ".pptx": "save it as .pdf",
    ".ppt": "save it as .pdf",
    ".mht": "save it as .html",
    ".mhtml": "save it as .html",
    ".md": "copy it into the knowledge folder",
    ".txt": "copy it into the knowledge folder, with a title",
}
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]\\]|\\.)*)\]\(([^()\s]+)\)")
_MOST_FILES = 20_000


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to be imported, and what a sitemap says of it."""

    name: str
    file: Path
    url: str = ""
    updated: date | None = None


def import_folder(
    source: Path, target: Path, *, language: str = "en", audience: str = ""
) -> Imported:
    """Make an article of each HTML, PDF and DOCX file below `source`, in folders as there.

    `language` is that of documents which do not say, `audience` that of all of them ("" for
    customers). What gives no article is a line of `Imported.problems`, and stops nothing.
    Raises NotADirectoryError.
    """
    if not source.is_dir():
        raise NotADirectoryError(f"{source}: is no folder")
    writer = Writer(target, language)
    found = []
    for file in _files(source, target, writer.imported):
        name = file.relative_to(source).as_posix()
        suffix = file.suffix.lower()
        if suffix in _MAKERS:
            found.append(_Source(name, file))
        elif suffix in _UNREAD:
            writer.imported.problems.append(f"{name}: {suffix} is not read; {_UNREAD[suffix]}")
    return _import(found, source, writer, audience)


def import_sitemap(
    source: Path, target: Path, *, language: str = "en", audience: str = ""
) -> Imported:
    """Make an article of each page that the sitemap in `source` lists and that is saved there.

    Other files of the folder are left alone. See `import_folder`; raises
    `bot.knowledge.importing.errors.ImportFailed` when the sitemap itself cannot be read.
    """
    if not source.is_dir():
        raise NotADirectoryError(f"{source}: is no folder")
    writer = Writer(target, language)
    found: dict[Path, _Source] = {}
    for page in sitemap.pages(source):
        if page.file is None:
            writer.imported.problems.append(f"{page.url[:200]}: is in the sitemap but not saved")
            continue
        name = page.file.relative_to(source).as_posix()
        found.setdefault(page.file, _Source(name, page.file, page.url, page.updated))
    return _import(list(found.values()), source, writer, audience)


def _files(source: Path, target: Path, imported: Imported) -> list[Path]:
    files: list[Path] = []
    inside, output = source.resolve(), target.resolve()
    for folder, names, here in os.walk(source):
        names[:] = sorted(
            name
            for name in names
            if not name.startswith(".") and Path(folder, name).resolve() != output
        )
        for name in sorted(here):
            file = Path(folder, name)
            if name.startswith((".", "~$")):
                continue
            if not file.resolve().is_relative_to(inside):
                imported.problems.append(
                    f"{file.relative_to(source).as_posix()}: is a link to outside the folder"
                )
                continue
            files.append(file)
            if len(files) > _MOST_FILES:
                raise TooBig(f"{source}: holds more than {_MOST_FILES} files; import its parts")
    return files


def _import(found: list[_Source], root: Path, writer: Writer, audience: str) -> Imported:
    drafts: list[tuple[_Source, str, Draft]] = []
    places: dict[str, Path] = {}
    for source in found:
        try:
            places[source.name] = writer.place(source.name)
            data = _read(source)
            made_from = digest(
                data, _MAKING, source.url, str(source.updated), audience, writer.language
            )
            if writer.unchanged(source.name, made_from):
                writer.skip(source.name)
                continue
            # What is no document of ours is still HTML when a sitemap lists it: /help/returns.
            make = _MAKERS.get(source.file.suffix.lower(), from_html)
            draft = make(data, source.file.name)
        except (ImportFailed, OSError) as error:
            said = str(error) if isinstance(error, ImportFailed) else error.strerror
            writer.imported.problems.append(_told(source, said or "cannot be read"))
            continue
        updated = source.updated or draft.updated
        if updated is not None and updated > date.today():
            # A clock that is wrong, or a template's date: an article may not say so.
            updated = None
        draft = replace(
            draft, url=draft.url or web_address(source.url), updated=updated, audience=audience
        )
        drafts.append((source, made_from, draft))
    for source, made_from, draft in drafts:
        body = _relinked(draft.body, source.name, places)
        try:
            writer.write(source.name, made_from, replace(draft, body=body))
        except (ImportFailed, OSError) as error:
            said = str(error) if isinstance(error, ImportFailed) else error.strerror
            writer.imported.problems.append(_told(source, said or "cannot be written"))
    return writer.imported


def _told(source: _Source, said: str) -> str:
    """Name a source by its whole path, whatever the error's text begins with."""
    return f"{source.name}: {said.removeprefix(f'{source.file.name}: ')}"


def _read(source: _Source) -> bytes:
    if source.file.stat().st_size > LARGEST:
        raise TooBig(f"{source.name}: is larger than {LARGEST // 2**20} MB")
    return source.file.read_bytes()


def _relinked(body: str, name: str, places: Mapping[str, Path]) -> str:
    """Point relative links at the articles that were made of their targets, or drop them."""

    def again(found: re.Match[str]) -> str:
        words, href = found[1], found[2]
        try:
            parts = urlsplit(href)
        except ValueError:
            return words
        if parts.scheme:
            return found[0]
        if not parts.path:
            # The headings' ids were the page's own.
            return words
        asked = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
        target = places.get(asked.lstrip("/"))
        if target is None:
            return words
        path = posixpath.relpath(target.as_posix(), places[name].parent.as_posix())
        return f"[{words}]({path})"

    return _LINK.sub(again, body)
