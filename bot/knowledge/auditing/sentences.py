"""The sentences of an article, and the lines they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.knowledge.auditing.findings import file_of
from bot.knowledge.contract import Article

_END = re.compile(r"(?<=[.!?…])[\"'”’)\]*_]*\s+(?=[\"'“‘(\[*_¿¡]*[^\W\d_a-zà-ÿ]|\S*[\d£€$])")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|no|nr|mr|mrs|ms|dr|st|vs|approx|ca|bzw|z\.b|d\.h|usw|inkl|incl|min"
    r"|max|p\.ej|art|tel|np|godz)\.)$|\b[A-Z]\.$",
    re.I,
)
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+|^\s*>\s?")
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$|\s*([-*_]\s*){3,}$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as plain text. `line` is that of the file; `headings` do not hold the title."""

    article: Article
    text: str
    line: int
    headings: tuple[str, ...]

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{file_of(self.article)}:{self.line}"


def sentences(article: Article) -> Iterator[Sentence]:
    """Give the sentences of an article; a row of a table is one, headings are none."""
    headings: list[tuple[int, str]] = []
    block: list[str] = []
    began = 0
    in_item = False

    def flush() -> Iterator[Sentence]:
        path = tuple(words for _, words in headings)
        for text, offset in _split("\n".join(block)):
            yield Sentence(article, text, article.line + began + offset, path)
        block.clear()

    for number, line in enumerate(prose(article.body)):
        heading = _HEADING.match(line)
        row = line.lstrip().startswith("|")
        item = _ITEM.match(line)
        # As in CommonMark, a line of a paragraph that begins with "25. " is no item.
        if item and block and not in_item and re.match(r"\s*(?!1[.)])\d", line):
            item = None
        if heading or row or not line.strip() or _RULE.match(line) or item:
            yield from flush()
            in_item = bool(item)
        if heading:
            level = len(heading[1])
            headings = [(deep, words) for deep, words in headings if deep < level]
            headings.append((level, plain(heading[2])))
        elif row:
            if not _RULE.match(line):
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                path = tuple(words for _, words in headings)
                text = plain(": ".join(cell for cell in cells if cell))
                yield Sentence(article, text, article.line + number, path)
        elif line.strip() and not _RULE.match(line):
            if not block:
                began = number
            block.append(line[item.end() :] if item else line)
    yield from flush()


def prose(body: str) -> list[str]:
    """Return the lines of Markdown, those of code and comments emptied."""

    def emptied(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n")

    body = re.sub(r"<!--.*?(-->|\Z)", emptied, body, flags=re.S)
    body = re.sub(r"^(```+|~~~+).*?(^\1\s*$|\Z)", emptied, body, flags=re.S | re.M)
    return body.split("\n")


def plain(text: str) -> str:
    """Return Markdown of one line as plain text."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[((?:[^\[\]\\]|\\.)*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\[([^\]]*)\]\[[^\]]*\]", r"\1", text)
    text = re.sub(r"<(https?://[^>]+)>", r"\1", text)
    text = re.sub(r"</?[a-zA-Z][^>]*>", "", text)
    text = re.sub(r"(\*\*|__|`+)(.+?)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])[*_](\S(?:.*?\S)?)[*_](?![\w*])", r"\1", text)
    return " ".join(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text).split())


def _split(text: str) -> Iterator[tuple[str, int]]:
    """Give sentences, as plain text, and how many lines below the first they begin."""
    start = 0
    for found in _END.finditer(text):
        if _ABBREVIATED.search(text[start : found.start()]):
            continue
        said = plain(text[start : found.start()])
        if said:
            yield said, text.count("\n", 0, start)
        start = found.end()
    said = plain(text[start:])
    if said:
        yield said, text.count("\n", 0, start)
