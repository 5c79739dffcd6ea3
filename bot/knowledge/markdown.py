"""Markdown of articles: its structure, its plain text, and links between articles."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_TEXT = r"(?:[^\[\]\\]|\\.|\[(?:[^\[\]\\]|\\.)*\])*"
_TARGET = r"<[^<>\n]*>|[^()\s<]*(?:\([^()\s]*\)[^()\s]*)*"
_LINK = re.compile(
    rf"(?<!\\)(!?)\[({_TEXT})\]\(\s*({_TARGET})"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_REFERENCE = re.compile(rf"(?<!\\)(!?)\[({_TEXT})\](?:\[([^\[\]]*)\])?(?![(\[:])")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#")
_RULE = re.compile(r"^[ |:-]+$", re.MULTILINE)
_MARKS = re.compile(
    r"^[ >]*(?:#{1,6} |[-*+] |\d{1,9}[.)] )?|[*_~`|]+(?=\W|$)|(?<!\w)[*_~`|]+", re.M
)


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """Return a parser of CommonMark with tables."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def heading_text(inline: Token) -> str:
    """Return what a heading says, without its markup."""
    said = "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in inline.children or ()
        if child.type != "html_inline"
    )
    return " ".join(said.split())


def plain(text: str) -> str:
    """Return the words of a Markdown text: no markup, no addresses of links."""
    text = _LINK.sub(r"\2", _COMMENT.sub("", text))
    text = _TAG.sub(" ", _RULE.sub(" ", text))
    return " ".join(_MARKS.sub(" ", text).split())


def without_html(text: str) -> str:
    """Return the text without comments, which are notes of its authors, and tags."""
    return _outside_code(text, lambda part: _TAG.sub("", _COMMENT.sub("", part)))


#: From an article's id to its title and url, of those that may be named.
Targets = Mapping[str, tuple[str, str]]


def relink(text: str, article: str, targets: Targets, references: Mapping[str, str]) -> str:
    """Return the text with links that lead somewhere outside of the folder of articles.

    A relative link from `article` to another one becomes a link to its url, or its title
    when it has none; one to anything else is left out, its text stays. `references` are
    addresses by the label of a reference, in capitals. Pictures become their description.
    """

    def link(match: re.Match[str]) -> str:
        picture, words, address = match[1], match[2], match[3].strip("<>")
        return words if picture else linked(words, address)

    def reference(match: re.Match[str]) -> str:
        label = " ".join((match[3] or match[2]).split()).upper()
        address = references.get(label)
        if address is None:
            return match[0]
        return match[2] if match[1] else linked(match[2], address)

    def linked(words: str, address: str) -> str:
        if _SCHEME.match(address):
            return words if address.startswith("#") else f"[{words}]({address})"
        path, _, anchor = unquote(address).partition("#")
        path = path.partition("?")[0]
        base = posixpath.dirname(article)
        target = posixpath.normpath(
            path.lstrip("/") if path.startswith("/") else posixpath.join(base, path)
        )
        title, url = targets.get(target.removesuffix(".md"), ("", ""))
        if url:
            return f"[{words}]({url}{'#' + anchor if anchor else ''})"
        if not title or title.casefold() in words.casefold():
            return words
        return f"{words} ({title})"

    def both(part: str) -> str:
        return _LINK.sub(link, _REFERENCE.sub(reference, part))

    return _outside_code(text, both)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to what does not stand in `code`."""
    made, last = [], 0
    for match in _CODE.finditer(text):
        made += [change(text[last : match.start()]), match[0]]
        last = match.end()
    return "".join((*made, change(text[last:])))
