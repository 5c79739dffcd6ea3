"""Reading articles: good ones, and every way to write a broken one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.knowledge.articles import FILE_LIMIT, parse_article, read_article, read_folder
from bot.knowledge.contract import AGENTS, CUSTOMERS, Article
from bot.knowledge.errors import ArticleInvalid

WHOLE = """---
title: Returning sale items
language: en
tags: [returns, sale]
product: mugs
updated: 2026-03-14
audience: agents
url: https://larkfield.example/returns
---
# Returning sale items

Within 14 days.
"""


def test_a_whole_one() -> None:
    assert parse_article(WHOLE, "returns/sale") == Article(
        id="returns/sale",
        title="Returning sale items",
        body="# Returning sale items\n\nWithin 14 days.\n",
        language="en",
        tags=("returns", "sale"),
        product="mugs",
        audience=AGENTS,
        updated=date(2026, 3, 14),
        url="https://larkfield.example/returns",
        file="returns/sale.md",
        line=10,
    )


GOOD = {
    "no front matter": ("# Opening hours\n\nMon–Fri 9–18.", ("Opening hours", 1)),
    "the first heading": ("Hello.\n\n# Second\n\n# Third\n\nText.", ("Second", 1)),
    "a heading with markup": ("# The *new* `Lark` [Club](x.md)\n\nText.", ("The new Lark Club", 1)),
    "underlined heading": ("Gifts\n=====\n\nText.", ("Gifts", 1)),
    "empty front matter": ("---\n---\n# T\n\nText.", ("T", 3)),
    "title null": ("---\ntitle:\n---\n# T\n\nText.", ("T", 4)),
    "windows lines": ("---\r\ntitle: T\r\n---\r\nText.", ("T", 4)),
    "closed by dots": ("---\ntitle: T\n...\nText.", ("T", 4)),
    "spaces after dashes": ("---  \ntitle: T\n--- \nText.", ("T", 4)),
    "a rule in the text": ("---\ntitle: T\n---\nText.\n\n---\n\nMore.", ("T", 4)),
    "a title of digits": ("---\ntitle: 0012\n---\nText.", ("0012", 4)),
    "a folded title": ("---\ntitle: >\n  One\n  two\n---\nText.", ("One two", 6)),
    "text is a table": ("# T\n\n| a | b |\n|---|---|\n| 1 | 2 |", ("T", 1)),
    "text is code": ("# T\n\n```\ncode\n```", ("T", 1)),
}


@pytest.mark.parametrize(("text", "said"), GOOD.values(), ids=GOOD)
def test_good(text: str, said: tuple[str, int]) -> None:
    article = parse_article(text, "a")
    assert (article.title, article.line) == said


def front(lines: str, body: str = "Text.") -> str:
    return f"---\ntitle: T\n{lines}\n---\n{body}\n"


later = (date.today() + timedelta(days=40)).isoformat()
UNKNOWN = "known: title, language, tags, product, updated, audience, url"
TAGS = "should be a list, as in [returns, sale]"
DATE = "should be a date as in 2026-03-14"
URL = "should be as in https://shop.example/returns"
BROKEN = {
    "misspelt key": (front("tag: [a]"), "3: has the unknown key tag; did you mean tags?"),
    "unknown key": (front("colour: red"), f"3: has the unknown key colour; {UNKNOWN}"),
    "key that is no name": (
        front("my key: red"),
        f"3: has a key that is none of an article's; {UNKNOWN}",
    ),
    "key twice": (
        front("product: a\nproduct: b"),
        "4: product is given twice, first in line 3; keep one of them",
    ),
    "updated in words": (front("updated: last week"), f"3: updated is 'last week', {DATE}"),
    "updated the other way": (front("updated: 14.03.2026"), f"3: updated is '14.03.2026', {DATE}"),
    "updated with time": (
        front("updated: 2026-03-14T10:00:00Z"),
        f"3: updated is '2026-03-14T10:00:00Z', {DATE}",
    ),
    "no such day": (
        front("updated: 2026-02-30"),
        f"3: updated is '2026-02-30', a day that does not exist, {DATE}",
    ),
    "updated to come": (
        front(f"updated: {later}"),
        f"3: updated is {later}, which is still to come; correct the date",
    ),
    "updated a list": (front("updated: [2026-03-14]"), "3: updated is a list, should be text"),
    "tags text": (front("tags: returns"), f"3: tags is text, {TAGS}"),
    "tags mapping": (front("tags: {a: b}"), f"3: tags is a mapping, {TAGS}"),
    "a tag is a list": (front("tags:\n  - a\n  - [b]"), f"5: tags[1] is no text, {TAGS}"),
    "a tag is true": (front("tags: [a, true]"), f"3: tags[1] is no text, {TAGS}"),
    "a tag is nothing": (front("tags:\n  - a\n  -"), f"5: tags[1] is no text, {TAGS}"),
    "language in words": (
        front("language: English"),
        "3: language is 'English', should be a two-letter code such as en or de",
    ),
    "language with country": (
        front("language: en-GB"),
        "3: language is 'en-GB', should be a two-letter code such as en or de",
    ),
    "language a list": (front("language: [en, de]"), "3: language is a list, should be text"),
    "audience": (
        front("audience: everybody"),
        "3: audience is 'everybody', should be customers or agents",
    ),
    "audience a mapping": (front("audience: {a: b}"), "3: audience is a mapping, should be text"),
    "product true": (
        front("product: true"),
        "3: product is true; put it in quotes if it is meant as text",
    ),
    "url relative": (front("url: /returns"), f"3: url is no web address, {URL}"),
    "url of a script": (front("url: 'javascript:alert(1)'"), f"3: url is no web address, {URL}"),
    "url with a space": (front("url: https://a.example/b c"), f"3: url is no web address, {URL}"),
    "url with a password": (
        front("url: https://u:p@a.example/"),
        f"3: url holds a user or a password, {URL}",
    ),
    "url of nonsense": (front("url: 'http://[::1'"), f"3: url is no address, {URL}"),
    "title empty": (
        "---\ntitle: ''\n---\n# T\n\nText.",
        "2: title is empty; write one, or leave the key out",
    ),
    "title a list": ("---\ntitle: [a, b]\n---\nText.", "2: title is a list, should be text"),
    "title too long": (
        f"---\ntitle: {'x' * 201}\n---\nText.",
        "2: title has 201 characters, should have at most 200",
    ),
    "no title": (
        "## Small heading\n\nText.",
        "1: has no title; write 'title: …' between '---' lines, or begin with '# Title'",
    ),
    "tab": (front("\tproduct: mugs"), "3: has a tab where only spaces may stand; use spaces"),
    "colon in a title": (
        "---\ntitle: Returns: how\n---\nText.",
        "2: has a colon or an indentation that does not belong here; "
        "line it up with its neighbours, and put a value that holds ': ' in quotes",
    ),
    "open quote": (
        front("product: 'mugs"),
        "3: has a quote that is never closed; close it",
    ),
    "open list": (
        front("tags: [a, b\nproduct: mugs"),
        "4: has a list or mapping, begun in line 3, that is not closed; "
        "close it, or put the missing comma",
    ),
    "a tag of YAML": (
        front("product: !!python/name:os mugs"),
        "3: product has a tag (!name); leave it out",
    ),
    "front matter is text": (
        "---\njust words\n---\nText.",
        "2: is text, should be 'key: value' lines",
    ),
    "front matter is a list": (
        "---\n- title\n---\nText.",
        "2: is a list, should be 'key: value' lines",
    ),
    "never closed": (
        "---\ntitle: T\n\nText.",
        "1: has front matter that is never closed; end it with a line '---'",
    ),
    "two documents": (
        "---\ntitle: T\n---\n---\ntitle: U\n---\nText.",
        "4: has two documents of front matter; make one of them",
    ),
    "two documents apart": (
        "---\ntitle: T\n---\n\n---\nurl: https://a.example/\n---\nText.",
        "5: has two documents of front matter; make one of them",
    ),
    "below empty lines": (
        "\n\n---\ntitle: T\n---\nText.",
        "3: has its front matter below empty lines; let '---' be the first line",
    ),
    "no text": ("---\ntitle: T\n---\n", "4: has no text; write the article below its title"),
    "blank text": (
        "---\ntitle: T\n---\n \n\t\n",
        "4: has no text; write the article below its title",
    ),
    "nothing at all": ("", "1: has no text; write the article below its title"),
    "headings alone": (
        "# T\n\n## More\n\n---\n\n<!-- later -->\n",
        "1: has headings and no text below them; write the article",
    ),
    "control character": (
        "# T\n\nText\x07.",
        "3: has the character U+0007, which is no text; take it out",
    ),
    "null": ("# T\n\x00", "2: has the character U+0000, which is no text; take it out"),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_broken(text: str, said: str) -> None:
    with pytest.raises(ArticleInvalid) as caught:
        parse_article(text, "returns/sale", "kb/returns/sale.md")
    assert str(caught.value) == f"kb/returns/sale.md:{said}"
    assert caught.value.article == "returns/sale"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ArticleInvalid) as caught:
        parse_article(front("audience: all\ntags: a\nupdated: soon", body=""), "a")
    assert [problem.line for problem in caught.value.problems] == [3, 4, 5, 7]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_files_that_are_no_text(tmp_path: Path) -> None:
    for name, content, said in (
        (
            "latin.md",
            "# Gr\xfc\xdfe\n\nText".encode("latin-1"),
            ":1: is not UTF-8 text; save the file as UTF-8",
        ),
        (
            "utf16.md",
            "# T\n\nText".encode("utf-16"),
            ":1: is not UTF-8 text; save the file as UTF-8",
        ),
        (
            "big.md",
            b"# T\n" + b"x " * FILE_LIMIT,
            ": is larger than 512 KiB; make several articles of it",
        ),
    ):
        path = write(tmp_path, name, content)
        with pytest.raises(ArticleInvalid) as caught:
            read_article(path, tmp_path)
        assert str(caught.value) == f"{path}{said}"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", b"\xef\xbb\xbf" + WHOLE.encode())
    assert read_article(path, tmp_path).title == "Returning sale items"


@pytest.mark.parametrize("name", ["a#b.md", "a:b.md", "x/ y.md", "-.md", "a\nb.md"])
def test_names_that_can_be_no_id(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, WHOLE)
    with pytest.raises(ArticleInvalid, match="has a name that cannot be an article's id"):
        read_article(path, tmp_path)


def test_a_folder_with_broken_files_gives_the_others(tmp_path: Path) -> None:
    write(tmp_path, "b.md", WHOLE)
    write(tmp_path, "a/z.md", WHOLE)
    write(tmp_path, "a/broken.md", "---\n")
    write(tmp_path, "worse.md", b"\xff")
    for hidden in (".hidden.md", ".git/x.md", "a/.draft.md"):
        write(tmp_path, hidden, "broken, were it read")
    write(tmp_path, "picture.png", b"\x89PNG")
    articles, problems = read_folder(tmp_path)
    assert [article.id for article in articles] == ["a/z", "b"]
    assert all(article.audience in (CUSTOMERS, AGENTS) for article in articles)
    assert [problem.article for problem in problems] == ["a/broken", "worse"]


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/secret.md", WHOLE)
    folder = tmp_path / "kb"
    inside = write(folder, "real.md", WHOLE)
    (folder / "out.md").symlink_to(outside)
    (folder / "outdir").symlink_to(outside.parent)
    (folder / "alias.md").symlink_to(inside)
    articles, problems = read_folder(folder)
    assert [article.id for article in articles] == ["alias", "real"]
    assert sorted(map(str, problems)) == [
        f"{folder / name}: is a link that leads out of the folder of articles; "
        "put the file itself here"
        for name in ("out.md", "outdir")
    ]


def test_a_link_to_nowhere_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    write(tmp_path, "b.md", WHOLE)
    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing.md")
    articles, problems = read_folder(tmp_path)
    assert [article.id for article in articles] == ["b"]
    assert [problem.article for problem in problems] == ["gone"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "none") == ([], [])


@contextmanager
def _nobody() -> Iterator[None]:
    """Be a user to whom permissions apply; root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_read_is_a_problem() -> None:
    # Not `tmp_path`, which is below a folder for this user alone.
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "a.md").write_text("# A\n\nText.\n")
        (folder / "a.md").chmod(0o644)
        locked = folder / "returns"
        locked.mkdir()
        (locked / "sale.md").write_text("# Sale\n\nText.\n")
        locked.chmod(0)
        with _nobody():
            articles, problems = read_folder(folder)
        locked.chmod(0o700)
        assert [article.id for article in articles] == ["a"]
        assert [problem.article for problem in problems] == ["returns/"]
        assert str(problems[0]) == f"{locked}: is a folder that cannot be read: Permission denied"
        folder.chmod(0)
        with _nobody():
            articles, problems = read_folder(folder)
        folder.chmod(0o700)
        assert (articles, [problem.article for problem in problems]) == ([], ["/"])
