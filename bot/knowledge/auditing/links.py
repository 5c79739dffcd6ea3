"""Links that lead nowhere. Nothing is asked of the network."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.knowledge.auditing.findings import HIGH, LINK, MEDIUM, Corpus, Finding, file_of
from bot.knowledge.auditing.sentences import plain, prose
from bot.knowledge.contract import Article

_LINKS = (
    re.compile(r"\[(?:[^\[\]\\]|\\.)*\]\(\s*(?:<([^>\n]*)>|([^()\s]*(?:\([^()\s]*\)[^()\s]*)*))"),
    re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)"),
    re.compile(r"<((?:https?|mailto|tel):[^>\n]*)>"),
    re.compile(r"(?<![(<\[\w])(https?:/?/?[^\s<>()\]\"']*)"),
)
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)+[^\W\d_][\w-]*\w")
_MAIL = re.compile(r"[^@\s/]+@[\w-]+(\.[\w-]+)+")


def links(corpus: Corpus) -> Iterator[Finding]:
    """Find links to no article, to no heading, and addresses that cannot be right."""
    anchors = {article.id: _anchors(article) for article in corpus.articles}
    for article in corpus.articles:
        for number, line in enumerate(prose(article.body)):
            for href in _hrefs(line):
                wrong = _wrong(href, article, anchors)
                if wrong is None:
                    continue
                severity, what, todo = wrong
                yield Finding(LINK, severity, file_of(article), article.line + number, what, todo)


def _hrefs(line: str) -> list[str]:
    line = re.sub(r"`[^`]*`", "", line)
    found: list[str] = []
    for pattern in _LINKS:
        for match in pattern.finditer(line):
            href = next((group for group in match.groups() if group is not None), "")
            found.append(href.rstrip(".,;:!?") if pattern is _LINKS[-1] else href)
        line = pattern.sub(" ", line)
    return found


def _wrong(
    href: str, article: Article, anchors: dict[str, set[str]]
) -> tuple[str, str, str] | None:
    """Return severity, fault and remedy of a link, None for one that may be right."""
    try:
        parts = urlsplit(href)
        host = parts.hostname or ""
    except ValueError:
        return HIGH, f"links to {href}, which is no address", "correct it"
    scheme = parts.scheme.lower()
    if scheme in ("http", "https"):
        fine = bool(_HOST.fullmatch(host)) and "//" not in parts.path
        return None if fine else (HIGH, f"links to {href}, which is no address", "correct it")
    if scheme == "mailto":
        fine = bool(_MAIL.fullmatch(unquote(parts.path)))
        return None if fine else (HIGH, f"links to {href}, which is no mail address", "correct it")
    if scheme == "tel":
        fine = len(re.sub(r"\D", "", parts.path)) >= 3
        return None if fine else (HIGH, f"links to {href}, which is no number", "correct it")
    if scheme:
        return HIGH, f"links to {href}, which no customer can open", "link to a page"
    if not href:
        return HIGH, "holds a link to nothing", "say where it leads, or take it out"
    if href.startswith("//") or re.match(r"www\.", href):
        return HIGH, f"links to {href}, which lacks https://", f"write https://{href.lstrip('/')}"
    return _wrong_within(unquote(parts.path), unquote(parts.fragment), article, anchors)


def _wrong_within(
    path: str, anchor: str, article: Article, anchors: dict[str, set[str]]
) -> tuple[str, str, str] | None:
    target = article.id
    if path:
        folder = "" if path.startswith("/") else posixpath.dirname(article.id)
        target = posixpath.normpath(posixpath.join(folder, path.lstrip("/")))
        suffix = posixpath.splitext(target)[1].lower()
        if suffix not in ("", ".md", ".html", ".htm"):
            there = article.file and (Path(article.file).parent / path).is_file()
            todo = "put it there, or link to where it is"
            return None if there else (HIGH, f"links to the file {path}, which is not there", todo)
        target = posixpath.splitext(target)[0] if suffix else target
        if target not in anchors:
            same = [id for id in anchors if posixpath.basename(id) == posixpath.basename(target)]
            todo = f"perhaps {same[0]} is meant" if same else "write it, or take the link out"
            return HIGH, f"links to {path}, which is no article", todo
    if anchor and anchor not in anchors[target]:
        return MEDIUM, f"links to #{anchor}, which is no heading of {target}", "correct it"
    return None


def _anchors(article: Article) -> set[str]:
    """Return the anchors of an article's headings, made as GitHub makes them."""
    found: set[str] = set()
    for words in [article.title, *_headings(article)]:
        base = re.sub(r"[^\w\- ]", "", words.casefold()).replace(" ", "-")
        name, number = base, 0
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found.add(name)
    for line in article.body.splitlines():
        found.update(re.findall(r"<a\s+(?:id|name)=[\"']([^\"']+)", line))
    return found


def _headings(article: Article) -> list[str]:
    return [
        plain(line.lstrip("#").strip().rstrip("#"))
        for line in prose(article.body)
        if re.match(r"#{1,6}\s", line)
    ]
