"""Lines as they stand on pages, made paragraphs and headings again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

#: How many lines at the top and at the bottom of a page may be running ones.
_MARGIN = 2
#: Gap, in heights of letters, that parts a running line from the text.
_FAR = 2.2
_NUMBER = re.compile(
    r"(\W*(page|seite|página|pagina|pág\.?|strona|p\.)?\W*\d{1,4}(\W*(of|von|de|di|van|z|/)\W*\d{1,4})?\W*)",
    re.I,
)
_BULLET = re.compile(r"[•▪◦‣●○■–—*·-]\s+|[•▪◦‣●○■]")
_NUMBERED = re.compile(r"(\d{1,3}[.)]|[a-z]\))\s+\S")
_ENDS = re.compile(r"[.!?:;…][\"'”’)\]]*$")
#: Gap between lines, in usual gaps, from which on a paragraph begins.
_GAP = 1.35
_LARGER = 1.15
_LONGEST_HEADING = 120


class Line(NamedTuple):
    """A line of a page. `x` and `y` of its start and `height` of its letters are in points."""

    text: str
    x: float
    y: float
    height: float
    bold: bool


def without_margins(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return pages without page numbers and what stands above and below each of them.

    A line is a running one when, numbers aside, it is on more than half of at least two
    pages, outermost and apart from the rest: by a gap, or by the size of its letters.
    """
    edges = [_edges(page) for page in pages]
    counts = Counter(key for page in edges for key in {_key(line) for line in page})
    needed = max(2, len(pages) // 2 + 1)
    kept = []
    for page, edge in zip(pages, edges, strict=True):
        gone = {id(line) for line in edge if counts[_key(line)] >= needed}
        by_height = sorted(page, key=lambda line: line.y)
        gone |= {
            id(line) for line in (*by_height[:1], *by_height[-1:]) if _NUMBER.fullmatch(line.text)
        }
        kept.append([line for line in page if id(line) not in gone])
    return kept


def _edges(page: Sequence[Line]) -> list[Line]:
    upwards = sorted(page, key=lambda line: line.y)
    return [*_apart(upwards), *_apart(upwards[::-1])]


def _apart(inwards: Sequence[Line]) -> Sequence[Line]:
    """Return the outermost lines that stand apart from those further in."""
    for number, (line, inner) in enumerate(pairwise(inwards[: _MARGIN + 1]), 1):
        size = max(line.height, inner.height)
        if abs(line.y - inner.y) > _FAR * size or min(line.height, inner.height) < 0.9 * size:
            return inwards[:number]
    return ()


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text).casefold()


def paragraphs(pages: Sequence[Sequence[Line]], *, titled: bool = False) -> tuple[str, list[str]]:
    """Return the title, "" without one, and Markdown blocks: paragraphs, headings, list items.

    A first line that only might be the title is not when the document is `titled` otherwise.
    """
    lines = [line for page in pages for line in page]
    if not lines:
        return "", []
    usual = median(line.height for line in lines for _ in line.text)
    gaps = [a.y - b.y for page in pages for a, b in pairwise(page)]
    between = [gap / usual for gap in gaps if 0 < gap < 3 * usual]
    spacing = (min(between) if len(between) < 3 else median(between)) if between else 1.2
    longest = max(len(line.text) for line in lines)
    compounds = {word.lower() for line in lines for word in re.findall(r"\w+-\w+", line.text)}

    blocks: list[list[Line]] = []
    for page in pages:
        for number, line in enumerate(page):
            last = blocks[-1][-1] if blocks else None
            turned = number == 0
            if last is None or _begins(last, line, usual * spacing, longest, turned):
                blocks.append([line])
            else:
                blocks[-1].append(line)
    sizes = sorted({_size(block) for block in blocks if _larger(block, usual)}, reverse=True)
    title = ""
    if blocks and _larger(blocks[0], usual) and _size(blocks[0]) == sizes[0]:
        alone = sum(_size(block) == sizes[0] for block in blocks) == 1
        if alone:
            title = _joined(blocks.pop(0), compounds)
            sizes = sizes[1:]
    elif blocks and not titled and _could_be_title(blocks):
        title = _joined(blocks.pop(0), compounds)
    return title, _written(blocks, usual, sizes, compounds)


def _begins(last: Line, line: Line, leading: float, longest: int, turned: bool) -> bool:
    if _BULLET.match(line.text) or _NUMBERED.match(line.text):
        return True
    if not 1 / 1.1 < line.height / last.height < 1.1 or line.bold != last.bold:
        return True
    gap = last.y - line.y
    if turned or gap <= 0:
        # A page or a column further on: the sentence decides.
        return bool(_ENDS.search(last.text)) or not line.text[:1].islower()
    if gap > _GAP * leading:
        return True
    return len(last.text) < 0.6 * longest and not line.text[:1].islower()


def _size(block: Sequence[Line]) -> int:
    return round(block[0].height)


def _larger(block: Sequence[Line], usual: float) -> bool:
    return (
        block[0].height >= _LARGER * usual and sum(len(b.text) for b in block) <= _LONGEST_HEADING
    )


def _could_be_title(blocks: Sequence[Sequence[Line]]) -> bool:
    text = " ".join(line.text for line in blocks[0])
    plain = not (_ENDS.search(text) or _NUMBERED.match(text) or _BULLET.match(text))
    return len(blocks) > 1 and plain and len(text) <= 80


def _written(
    blocks: Sequence[Sequence[Line]], usual: float, sizes: Sequence[int], compounds: set[str]
) -> list[str]:
    written: list[str] = []
    in_list = False
    for block in blocks:
        text = _joined(block, compounds)
        bullet = _BULLET.match(text)
        is_item = bool(bullet or _NUMBERED.match(text))
        if bullet:
            text = f"- {text[bullet.end() :]}"
        elif is_item:
            text = re.sub(r"^(\w+)\)", r"\1.", text)
        elif _larger(block, usual):
            text = f"{'#' * min(6, sizes.index(_size(block)) + 2)} {text}"
        elif block[0].bold and len(text) <= _LONGEST_HEADING and not _ENDS.search(text):
            text = f"{'#' * min(6, len(sizes) + 2)} {text}"
        if is_item and in_list:
            written[-1] += f"\n{text}"
        else:
            written.append(text)
        in_list = is_item
    return written


def _joined(block: Sequence[Line], compounds: set[str]) -> str:
    text = block[0].text
    for line in block[1:]:
        broken = re.search(r"(\w+)[-\u00ad\u2010]$", text)
        first = re.match(r"\w+", line.text)
        if broken and first and first[0][0].islower():
            is_compound = f"{broken[1]}-{first[0]}".lower() in compounds
            text = (f"{text[:-1]}-" if is_compound else text[:-1]) + line.text
        else:
            text = f"{text} {line.text}"
    return text
