"""A picture as SVG: boxes with rows that are links, and the lines between them.

Nothing in it is trusted: every name and text comes from files and is escaped. It has no style and
no script; the page's style sheet colours it by its classes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bot.insight.layers import place

#: Pixels: the widest box, and what is free around its text and around the whole.
WIDEST, PADDING, MARGIN = 244.0, 10.0, 14.0
_LEAST = 96.0
_KIND_LINE, _NAME_LINE, _TEXT_LINE = 14.0, 17.0, 15.0
_NAME_SIZE, _TEXT_SIZE, _KIND_SIZE = 13.0, 11.5, 10.5
_MOST_LINES = 3
_TIP = 6.0
_TITLE = 600
# Of what a link may name; the page asks for no more.
_LONGEST = 480

# Shares of the size of the letters, a little more than in common faces: text must fit.
_NARROW, _USUAL, _BROAD = 0.4, 0.63, 0.98
# Bold letters are broader by so much.
_BOLD = 1.11
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENDS = re.compile(r"[^\s_/]*[\s_/]*")


@dataclass(frozen=True)
class Row:
    """A line of a box. `about` is what it tells of (``kind:name``), `show` where it leads."""

    text: str
    style: str = "name"
    about: str = ""
    show: str = ""
    title: str = ""
    marked: bool = False


@dataclass
class Card:
    """A box as it is drawn. `styles` are classes, `kind` the small words above its rows."""

    styles: tuple[str, ...]
    kind: str
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A line between two cards by their numbers; `title` says why it is there."""

    start: int
    end: int
    style: str
    title: str = ""


def clean(text: str) -> str:
    """Return text as it may stand in XML."""
    return _INVALID.sub("\ufffd", text)


def escape(text: str) -> str:
    """Return text for XML, between tags and in quotes."""
    for bad, good in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        text = text.replace(bad, good)
    return _INVALID.sub("\ufffd", text)


def breadth(text: str, size: float) -> float:
    """Return how many pixels a text takes at most, roughly."""
    return sum(map(_share, text)) * size


def _share(c: str) -> float:
    if unicodedata.east_asian_width(c) in "WF" or ord(c) > 0x1F000:
        return 1.1
    if c in "mwMW%@—…":
        return _BROAD
    if c in "iljtfrI.,:;'|!()[] ":
        return _NARROW
    return 0.72 if c.isupper() else _USUAL


def _fitting(text: str, size: float, room: float) -> int:
    """Return how many letters of a text fit, one at least."""
    used = 0.0
    for n, c in enumerate(text):
        used += _share(c) * size
        if used > room:
            return max(1, n)
    return len(text)


def wrapped(text: str, size: float, room: float, most: int = _MOST_LINES) -> list[str]:
    """Break a text into lines that fit; what does not fit into `most` of them is cut."""
    lines: list[str] = []
    line = ""
    text = " ".join(clean(text)[: int(room * most)].split())
    for word in _ENDS.findall(text):
        while word:
            if breadth((line + word).rstrip(), size) <= room:
                line += word
                break
            if line:
                lines.append(line.rstrip())
                line = ""
                continue
            cut = _fitting(word, size, room)
            lines.append(word[:cut])
            word = word[cut:]
        if len(lines) > most:
            break
    if line.strip():
        lines.append(line.rstrip())
    if len(lines) > most:
        last = lines[most - 1]
        while last and breadth(last + "…", size) > room:
            last = last[:-1]
        lines = [*lines[: most - 1], last + "…"]
    return lines or [""]


def address(show: str, about: str = "") -> str:
    """Return the page's address of a view, with what is told beside it."""
    return "#stories?" + urlencode(
        {"show": clean(show), **({"about": clean(about)} if about else {})}
    )


@dataclass
class _Set:
    """A card with its lines broken."""

    card: Card
    rows: list[tuple[Row, list[str], float, float]]
    width: float
    height: float


def _set(card: Card) -> _Set:
    rows, width = [], breadth(card.kind, _KIND_SIZE) * 1.08
    room = WIDEST - 2 * PADDING
    height = PADDING + (_KIND_LINE if card.kind else 0.0)
    for row in card.rows:
        small = row.style != "name"
        size, step = (_TEXT_SIZE, _TEXT_LINE) if small else (_NAME_SIZE * _BOLD, _NAME_LINE)
        lines = wrapped(row.text, size, room, 2 if small else _MOST_LINES)
        width = max(width, *(breadth(line, size) for line in lines))
        rows.append((row, lines, height, step))
        height += step * len(lines)
    return _Set(card, rows, min(WIDEST, max(_LEAST, width + 2 * PADDING)), height + PADDING - 3)


def draw(cards: Sequence[Card], lines: Iterable[Line], show: str, label: str) -> str:
    """Return the picture of a view as SVG; `label` is read out for it."""
    lines = list(lines)
    ready = [_set(card) for card in cards]
    layout = place([(one.width, one.height) for one in ready], [(x.start, x.end) for x in lines])
    wide, high = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" width="{wide:.0f}" '
        f'height="{high:.0f}" viewBox="{-MARGIN:.0f} {-MARGIN:.0f} {wide:.0f} {high:.0f}" '
        f'role="group" aria-label="{escape(label)}">'
    ]
    for line in lines:
        points = layout.lines.get((line.start, line.end))
        if points:
            out.append(_line(line, points))
    for number, (one, spot) in enumerate(zip(ready, layout.spots, strict=True)):
        styles = " ".join(one.card.styles)
        out.append(
            f'<g class="box {styles}" data-box="{number}" transform="translate({spot.x:.1f} '
            f'{spot.y:.1f})"><rect class="shape" width="{spot.width:.1f}" '
            f'height="{spot.height:.1f}" rx="8"/>'
        )
        if one.card.kind:
            y = PADDING + _KIND_LINE - 5
            out.append(f'<text class="kind" x="{PADDING}" y="{y}">{escape(one.card.kind)}</text>')
        out += [_row(*row, spot.width, show) for row in one.rows]
        out.append("</g>")
    out.append("</svg>")
    return "".join(out)


def _row(row: Row, lines: list[str], top: float, step: float, width: float, show: str) -> str:
    texts = "".join(
        f'<text class="{row.style}" x="{PADDING}" y="{top + step * (n + 1) - 4.5:.1f}">'
        f"{escape(line)}</text>"
        for n, line in enumerate(lines)
    )
    title = f"<title>{escape(row.title[:_TITLE])}</title>" if row.title else ""
    if not 0 < len(row.about or row.show) <= _LONGEST:
        return f"<g>{title}{texts}</g>"
    href = address(row.show or show, row.about)
    about = f' data-about="{escape(row.about)}"' if row.about else ""
    marked = " marked" if row.marked else ""
    hit = (
        f'<rect class="hit" x="4" y="{top:.1f}" width="{width - 8:.1f}" '
        f'height="{step * len(lines):.1f}" rx="4"/>'
    )
    return f'<a class="row{marked}" href="{escape(href)}"{about}>{title}{hit}{texts}</a>'


def _line(line: Line, points: list[tuple[float, float]]) -> str:
    x, y = points[0]
    path = [f"M{x:.1f} {y:.1f}"]
    tip = _TIP if points[-1][0] > points[-2][0] or points[-1][0] >= points[0][0] else -_TIP
    goal = [*points[1:-1], (points[-1][0] - tip, points[-1][1])]
    for nx, ny in goal:
        if abs(ny - y) < 0.5:
            path.append(f"L{nx:.1f} {ny:.1f}")
        else:
            bend = (nx - x) / 2
            path.append(f"C{x + bend:.1f} {y:.1f} {nx - bend:.1f} {ny:.1f} {nx:.1f} {ny:.1f}")
        x, y = nx, ny
    end, level = points[-1]
    arrow = f"M{end:.1f} {level:.1f}L{end - tip:.1f} {level - 4:.1f}V{level + 4:.1f}Z"
    title = f"<title>{escape(line.title[:_TITLE])}</title>" if line.title else ""
    return (
        f'<g class="line {line.style}" data-from="{line.start}" data-to="{line.end}">{title}'
        f'<path class="way" d="{"".join(path)}"/><path class="tip" d="{arrow}"/></g>'
    )
