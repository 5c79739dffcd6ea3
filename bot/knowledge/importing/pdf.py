"""A PDF as an article: its lines read off the pages, and made paragraphs again."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.knowledge.importing.draft import Draft, one_line, tidy, title_of_name
from bot.knowledge.importing.errors import Encrypted, NoText, TooBig, Unreadable
from bot.knowledge.importing.pdf_lines import Line, paragraphs, without_margins

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MOST_PAGES = 300
_MOST_CHARACTERS = 3_000_000
#: Letters that a page has only for their look.
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st"}
)


def from_pdf(data: bytes, name: str) -> Draft:
    """Make an article of a PDF with text in it.

    What stands larger or bold on a line of its own is a heading; running headers, footers
    and page numbers are left out. Raises Encrypted, NoText (a scan), TooBig, Unreadable.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # It tells of every flaw, without the file's name.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Encrypted(f"{name}: asks for a password; save it without one")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise TooBig(f"{name}: has {count} pages, more than {MOST_PAGES}; split it")
        pages = _pages(reader, name)
        said, updated, images = _said(reader), _updated(reader), _images(reader)
    # A broken file breaks pypdf in many ways.
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError, OSError,
            ArithmeticError, RecursionError, NotImplementedError) as error:  # fmt: skip
        raise Unreadable(f"{name}: is no PDF that can be read ({type(error).__name__})") from error
    title, blocks = paragraphs(without_margins(pages), titled=bool(said))
    body = tidy("\n\n".join(blocks))
    if not any(letter.isalpha() for letter in body):
        why = "its pages are pictures; run text recognition over it" if count else "has no pages"
        raise NoText(f"{name}: holds no text, {why}")
    notes = (f"{images} {'image' if images == 1 else 'images'} left out",) if images else ()
    title = one_line(title or said or title_of_name(name.rpartition(".")[0] or name))
    return Draft(title, body, updated=updated, notes=notes)


@dataclass
class _Page:
    """Collects what pypdf meets on one page, as lines."""

    lines: list[Line]

    def meet(
        self, text: str, cm: Sequence[float], tm: Sequence[float], font: Any, size: Any
    ) -> None:
        """Take a piece of text; see pypdf's `visitor_text`. `cm`, `tm` are 2 by 3 matrices."""
        if not text.strip():
            return
        x = cm[0] * tm[4] + cm[2] * tm[5] + cm[4]
        y = cm[1] * tm[4] + cm[3] * tm[5] + cm[5]
        scale = math.sqrt(abs(cm[0] * cm[3] - cm[1] * cm[2]) * abs(tm[0] * tm[3] - tm[1] * tm[2]))
        height = float(size or 0) * scale or 10.0
        bold = "bold" in str((font or {}).get("/BaseFont", "")).lower()
        for number, part in enumerate(text.strip("\n").split("\n")):
            self._add(Line(part, x, y - number * 1.2 * height, height, bold))

    def _add(self, line: Line) -> None:
        last = self.lines[-1] if self.lines else None
        if last is None or abs(last.y - line.y) > 0.3 * max(last.height, line.height):
            if line.text.strip():
                self.lines.append(line)
            return
        height = max(last.height, line.height)
        self.lines[-1] = Line(
            last.text + line.text, last.x, last.y, height, last.bold and line.bold
        )


def _pages(reader: PdfReader, name: str) -> list[list[Line]]:
    pages, characters = [], 0
    for page in reader.pages:
        read = _Page([])
        page.extract_text(visitor_text=read.meet)
        lines = [line._replace(text=_plain(line.text)) for line in read.lines]
        characters += sum(len(line.text) for line in lines)
        if characters > _MOST_CHARACTERS:
            raise TooBig(
                f"{name}: holds more than {_MOST_CHARACTERS // 1_000_000} million characters"
            )
        pages.append(lines)
    return pages


def _plain(text: str) -> str:
    return " ".join(text.translate(_LIGATURES).split())


def _said(reader: PdfReader) -> str:
    said = one_line(str((reader.metadata and reader.metadata.title) or ""))
    # What word processors put there is a file's name, which says less than the page.
    unnamed = said.lower().startswith(("microsoft word", "untitled"))
    return "" if unnamed or said.lower().endswith((".doc", ".docx", ".pdf", ".indd")) else said


def _updated(reader: PdfReader) -> Any:
    try:
        modified = reader.metadata and (
            reader.metadata.modification_date or reader.metadata.creation_date
        )
    except ValueError:
        return None
    return modified.date() if modified else None


def _images(reader: PdfReader) -> int:
    return sum(_images_of(page) for page in reader.pages)


def _images_of(page: PageObject) -> int:
    objects = (page.get("/Resources") or {}).get_object().get("/XObject")  # type: ignore[union-attr]
    if objects is None:
        return 0
    return sum(
        entry.get_object().get("/Subtype") == "/Image" for entry in objects.get_object().values()
    )
