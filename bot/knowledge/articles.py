"""Reading articles: Markdown files with YAML front matter.

```
---
title: Returning what you bought in a sale
tags: [returns, sale]
updated: 2026-03-14
---
Sale items can be returned within 14 days.
```

Every key may be left out; without `title` the first ``# heading`` is it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from bot.knowledge.contract import AGENTS, CUSTOMERS, Article
from bot.knowledge.errors import ArticleInvalid
from bot.knowledge.markdown import heading_text, parser
from bot.settings.nodes import Broken, Entry, Items, Origin, Scalar, Table, is_null
from bot.settings.problems import Problem, listing, showable, suggestion
from bot.settings.yaml_lines import parse

SUFFIX = ".md"
#: Bytes. A whole book has fewer; what is larger was put there by mistake.
FILE_LIMIT = 512 * 1024
LONGEST_TITLE = 200

_KEYS = ("title", "language", "tags", "product", "updated", "audience", "url")
_FENCE = re.compile(r"---[ \t]*")
_END = re.compile(r"(---|\.\.\.)[ \t]*")
_KEY = re.compile(r"[A-Za-z_]\w*:(\s|$)")
_LANGUAGE = re.compile(r"[a-z]{2}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PART = re.compile(r"\w([\w. -]*\w)?")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def read_folder(folder: Path) -> tuple[list[Article], list[ArticleInvalid]]:
    """Read every ``*.md`` below `folder`, in the order of their ids.

    What is wrong with one file does not hide the others. Names that begin with a dot are
    skipped. A link that leads out of the folder is a problem, for what it leads to was
    never meant to be published; so is a folder that cannot be read. One that is not there
    holds no articles.
    """
    articles: dict[str, Article] = {}
    problems: list[ArticleInvalid] = []
    root = folder.resolve()
    for path in _files(folder, root, problems):
        try:
            article = read_article(path, folder)
            if article.id in articles:
                what = f"is the same article as {articles[article.id].file}"
                raise ArticleInvalid("", [Problem(str(path), 0, what, "rename one of them")])
        except ArticleInvalid as error:
            problems.append(error)
        else:
            articles[article.id] = article
    return [articles[id] for id in sorted(articles)], problems


def _files(folder: Path, root: Path, problems: list[ArticleInvalid]) -> list[Path]:
    found = []

    def unreadable(error: OSError) -> None:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return
        path = Path(error.filename)
        where = "" if path == folder else _id(path, folder)
        what = f"is a folder that cannot be read: {error.strerror}"
        problems.append(ArticleInvalid(f"{where}/", [Problem(str(path), 0, what)]))

    for here, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in [*folders, *names]:
            path = Path(here, name)
            if name.startswith(".") or not path.is_symlink():
                continue
            if name in folders or path.suffix == SUFFIX:
                target = path.resolve()
                if not target.is_relative_to(root):
                    what = "is a link that leads out of the folder of articles"
                    right = "put the file itself here"
                    problems.append(
                        ArticleInvalid(_id(path, folder), [Problem(str(path), 0, what, right)])
                    )
                    if name in names:
                        names.remove(name)
        found += [
            Path(here, name) for name in names if name.endswith(SUFFIX) and not name.startswith(".")
        ]
    return sorted(found)


def _id(path: Path, folder: Path) -> str:
    relative = path.relative_to(folder).as_posix().removesuffix(SUFFIX)
    # One system spells an ü as one character, another as two.
    return unicodedata.normalize("NFC", relative)


def read_article(path: Path, folder: Path) -> Article:
    """Read the article `path`, a file below `folder`. Raises ArticleInvalid."""
    id, name = _id(path, folder), str(path)

    def invalid(line: int, what: str, right: str = "") -> ArticleInvalid:
        return ArticleInvalid(id, [Problem(name, line, what, right)])

    if not all(_PART.fullmatch(part) for part in id.split("/")):
        right = "use letters, digits, '-', '_', '.' and single spaces"
        raise invalid(0, "has a name that cannot be an article's id", right)
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise invalid(0, f"cannot be read: {error.strerror}") from error
    if len(data) > FILE_LIMIT:
        raise invalid(0, f"is larger than {FILE_LIMIT // 1024} KiB", "make several articles of it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise invalid(line, "is not UTF-8 text", "save the file as UTF-8") from error
    return parse_article(text, id, name)


def parse_article(text: str, id: str, name: str = "") -> Article:
    """Read the text of a file; `name` is what problems call it. Raises ArticleInvalid."""
    name = name or f"{id}{SUFFIX}"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    problems: list[Problem] = []
    bad = _FORBIDDEN.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        what = f"has the character U+{ord(bad[0]):04X}, which is no text"
        raise ArticleInvalid(id, [Problem(name, line, what, "take it out")])
    front, body, line = _parted(text, id, name)
    # Padded, so that the lines of its problems are those of the file.
    table = parse("\n" + front, name, problems) if front.strip() else None
    if problems:
        raise ArticleInvalid(id, problems)
    check = _Front(name, table or Table({}, Origin(name, 1)), problems)
    if not body.strip():
        problems.append(Problem(name, line, "has no text", "write the article below its title"))
    title = check.title() or _first_heading(body)
    if not title and body.strip() and not check.given("title"):
        right = "write 'title: …' between '---' lines, or begin with '# Title'"
        problems.append(Problem(name, 1, "has no title", right))
    made = Article(
        id=id,
        title=title,
        body=body,
        language=check.language(),
        tags=check.tags(),
        product=check.text("product"),
        audience=check.audience(),
        updated=check.updated(),
        url=check.url(),
        file=name,
        line=line,
    )
    if not problems and heading_only(body):
        what = "has headings and no text below them"
        problems.append(Problem(name, line, what, "write the article"))
    if problems:
        raise ArticleInvalid(id, problems)
    return made


def heading_only(body: str) -> bool:
    """Tell whether there is nothing but headings, rules and comments in a Markdown text."""
    tokens = [token for token in parser().parse(body) if token.level == 0]
    return not any(
        token.nesting >= 0
        and token.type not in ("heading_open", "inline", "hr")
        and not (token.type == "html_block" and token.content.lstrip().startswith("<!--"))
        for token in tokens
    )


def _parted(text: str, id: str, name: str) -> tuple[str, str, int]:
    """Return the front matter, the body and the line (from 1) that the body begins in."""
    lines = text.split("\n")
    if not _FENCE.fullmatch(lines[0]):
        blank = next((n for n, line in enumerate(lines) if line.strip()), 0)
        if (
            _FENCE.fullmatch(lines[blank])
            and blank + 1 < len(lines)
            and _KEY.match(lines[blank + 1])
        ):
            what = "has its front matter below empty lines"
            raise ArticleInvalid(
                id, [Problem(name, blank + 1, what, "let '---' be the first line")]
            )
        return "", text, 1
    end = next((n for n, line in enumerate(lines) if n and _END.fullmatch(line)), 0)
    if not end:
        what = "has front matter that is never closed"
        raise ArticleInvalid(id, [Problem(name, 1, what, "end it with a line '---'")])
    start = next((n for n in range(end + 1, len(lines)) if lines[n].strip()), len(lines) - 1)
    if (
        _FENCE.fullmatch(lines[start])
        and start + 1 < len(lines)
        and _KEY.match(lines[start + 1])
        and any(_END.fullmatch(line) for line in lines[start + 1 :])
    ):
        what = "has two documents of front matter"
        raise ArticleInvalid(id, [Problem(name, start + 1, what, "make one of them")])
    body = "\n".join(lines[end + 1 :])
    return "\n".join(lines[1:end]), body, end + 2


def _first_heading(body: str) -> str:
    tokens = parser().parse(body)
    for n, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1" and token.level == 0:
            return heading_text(tokens[n + 1])
    return ""


class _Front:
    """The front matter, read key by key; what is wrong goes to `problems`."""

    def __init__(self, name: str, table: Table, problems: list[Problem]) -> None:
        self._name = name
        self._entries = table.entries
        self._problems = problems
        for key, entry in table.entries.items():
            if key not in _KEYS:
                shown = (
                    f"has the unknown key {key}"
                    if showable(key, _KEYS, True)
                    else ("has a key that is none of an article's")
                )
                self._tell(entry, shown, suggestion(key, _KEYS))

    def given(self, key: str) -> bool:
        """Tell whether a key has a value, right or wrong."""
        return self._entry(key) is not None

    def text(self, key: str, example: str = "") -> str:
        """Return a text on one line, "" without one."""
        entry = self._entry(key)
        if entry is None or isinstance(entry.node, Broken):
            return ""
        node = entry.node
        if not isinstance(node, Scalar):
            kind = "a list" if isinstance(node, Items) else "a mapping"
            self._tell(entry, f"{key} is {kind}", f"should be text{example}")
            return ""
        if node.kind == "bool":
            self._tell(entry, f"{key} is {node.text}", "put it in quotes if it is meant as text")
            return ""
        return " ".join(node.text.split())

    def title(self) -> str:
        title = self.text("title")
        entry = self._entry("title")
        if entry is not None and isinstance(entry.node, Scalar) and not entry.node.text.strip():
            self._tell(entry, "title is empty", "write one, or leave the key out")
        if entry is not None and len(title) > LONGEST_TITLE:
            what = f"title has {len(title)} characters"
            self._tell(entry, what, f"should have at most {LONGEST_TITLE}")
        return title

    def language(self) -> str:
        value, entry = self.text("language"), self._entry("language")
        if entry is not None and value and not _LANGUAGE.fullmatch(value):
            what = f"language is {_shown(value)}"
            self._tell(entry, what, "should be a two-letter code such as en or de")
        return value or "en"

    def tags(self) -> tuple[str, ...]:
        entry = self._entry("tags")
        if entry is None or isinstance(entry.node, Broken):
            return ()
        example = "should be a list, as in [returns, sale]"
        if not isinstance(entry.node, Items):
            kind = "text" if isinstance(entry.node, Scalar) else "a mapping"
            self._tell(entry, f"tags is {kind}", example)
            return ()
        tags = []
        for n, node in enumerate(entry.node.items):
            if isinstance(node, Scalar) and node.kind == "text" and node.text.strip():
                tags.append(" ".join(node.text.split()))
            elif not isinstance(node, Broken):
                line = node.origin.line or entry.origin.line
                what = f"tags[{n}] is no text"
                self._problems.append(Problem(self._name, line, what, example))
        return tuple(dict.fromkeys(tags))

    def audience(self) -> str:
        value, entry = self.text("audience"), self._entry("audience")
        known = (CUSTOMERS, AGENTS)
        if entry is not None and value and value not in known:
            what = f"audience is {_shown(value)}"
            self._tell(entry, what, f"should be {listing(known)}")
        return value or CUSTOMERS

    def updated(self) -> date | None:
        value, entry = self.text("updated"), self._entry("updated")
        if entry is None or not value:
            return None
        right = "should be a date as in 2026-03-14"
        try:
            found = date.fromisoformat(value) if _DATE.fullmatch(value) else None
        except ValueError:
            self._tell(entry, f"updated is {_shown(value)}, a day that does not exist", right)
            return None
        if found is None:
            self._tell(entry, f"updated is {_shown(value)}", right)
        elif found > date.today() + timedelta(days=1):  # Tomorrow is today somewhere.
            self._tell(entry, f"updated is {value}, which is still to come", "correct the date")
        return found

    def url(self) -> str:
        value, entry = self.text("url"), self._entry("url")
        if entry is None or not value:
            return ""
        right = "should be as in https://shop.example/returns"
        try:
            parts = urlsplit(value)
        except ValueError:
            self._tell(entry, "url is no address", right)
            return ""
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in value:
            self._tell(entry, "url is no web address", right)
        elif parts.username or parts.password:
            self._tell(entry, "url holds a user or a password", right)
        return value

    def _entry(self, key: str) -> Entry | None:
        entry = self._entries.get(key)
        return None if entry is None or is_null(entry.node) else entry

    def _tell(self, entry: Entry, what: str, right: str = "") -> None:
        self._problems.append(Problem(self._name, entry.origin.line, what, right))


def _shown(value: str) -> str:
    return repr(value if len(value) <= 20 else value[:20] + "…")
