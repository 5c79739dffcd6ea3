"""A Word document as an article, by way of HTML."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import replace
from typing import Any
from xml.parsers import expat

from bot.knowledge.importing.draft import LARGEST_UNPACKED, Draft, day, one_line
from bot.knowledge.importing.errors import TooBig, Unreadable
from bot.knowledge.importing.html import from_html
from bot.knowledge.importing.xml import read_xml, refuse_document_types

_DOCUMENT, _PROPERTIES = "word/document.xml", "docProps/core.xml"
_MOST_PARTS = 5000
#: What unpacking a broken or encrypted archive raises.
_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError, OSError)


def from_docx(data: bytes, name: str) -> Draft:
    """Make an article of a DOCX file. Pictures are left out, and a note says how many.

    The title is the document's only top heading, else the one in its properties, else of the
    file's name. Raises NoText, TooBig, ForbiddenXml, Unreadable.
    """
    import mammoth

    properties = _inspect(data, name)
    images = 0

    def leave_out(_: Any) -> list[Any]:
        nonlocal images
        images += 1
        return []

    try:
        html = mammoth.convert_to_html(io.BytesIO(data), convert_image=leave_out).value
    except (*_BROKEN, LookupError, TypeError, AttributeError, expat.ExpatError) as error:
        raise Unreadable(
            f"{name}: is no Word document that can be read ({type(error).__name__})"
        ) from error
    draft = from_html(_page(html, properties), name)
    notes = (f"{images} {'image' if images == 1 else 'images'} left out",) if images else ()
    return replace(
        draft,
        language=properties.get("language", "")[:2].lower(),
        updated=day(properties.get("modified")),
        notes=notes,
    )


def _page(html: str, properties: dict[str, str]) -> str:
    from html import escape

    title = escape(properties.get("title", ""))
    return f"<html><head><title>{title}</title></head><body>{html}</body></html>"


def _inspect(data: bytes, name: str) -> dict[str, str]:
    """Refuse what would harm the reader; return what the document says of itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            entries = parts.infolist()
            # zipfile reads no more of a part than its header says.
            if len(entries) > _MOST_PARTS or sum(e.file_size for e in entries) > LARGEST_UNPACKED:
                raise TooBig(
                    f"{name}: unpacks to more than {LARGEST_UNPACKED // 2**20} MB "
                    f"or {_MOST_PARTS} parts"
                )
            names = {entry.filename for entry in entries}
            if _DOCUMENT not in names and "_rels/.rels" not in names:
                raise Unreadable(f"{name}: is no Word document, {_DOCUMENT} is missing in it")
            for part in sorted(names):
                if part.endswith((".xml", ".rels")):
                    refuse_document_types(parts.read(part), f"{name}!{part}")
            return _properties(parts.read(_PROPERTIES), name) if _PROPERTIES in names else {}
    except _BROKEN as error:
        raise Unreadable(f"{name}: is no Word document (.docx) that can be unpacked") from error


def _properties(data: bytes, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    inside = ""

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal inside
        inside = tag.rpartition(" ")[2]

    def end(_: str) -> None:
        nonlocal inside
        inside = ""

    def text(part: str) -> None:
        if inside in ("title", "modified", "language"):
            found[inside] = found.get(inside, "") + part

    read_xml(data, f"{name}!{_PROPERTIES}", start, end, text)
    return {key: one_line(value) for key, value in found.items()}
