from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path

import pytest

from bot.knowledge.articles import read_article, read_folder
from bot.knowledge.contract import AGENTS
from bot.knowledge.importing import importer
from bot.knowledge.importing.draft import Draft
from bot.knowledge.importing.errors import ForbiddenXml, OutsideFolder, TooBig, Unreadable
from bot.knowledge.importing.importer import import_folder, import_sitemap
from bot.knowledge.importing.sitemap import local, pages
from bot.knowledge.importing.writing import Writer, is_untouched, slug
from tests.knowledge.documents import docx, lines, paragraph, pdf


def page(words: str, title: str = "Mugs") -> str:
    return f"<html lang='de'><title>{title}</title><main><p>{words}</p></main></html>"


def save(folder: Path, **files: str | bytes) -> Path:
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return save(
        tmp_path / "source",
        help__Größen_dot_html=page("Sie reichen von S bis XL."),
        help__Größen_dot_pdf=pdf([lines(["Sizes", "", "They go from S to XL."])]),
        gift_dot_docx=docx(paragraph("Gift cards are valid for 24 months.")),
        style_dot_css="main {}",
        old_dot_doc=b"\xd0\xcf\x11\xe0",
    )


def test_a_folder_becomes_articles(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "knowledge" / "imported"
    done = import_folder(source, target, language="en")
    assert done.written == ["gift.md", "help/grossen.md", "help/grossen-2.md"]
    assert done.problems == ["old.doc: .doc is not read; save it as .docx"]
    articles, problems = read_folder(target)
    assert problems == []
    assert {a.id: (a.title, a.language) for a in articles} == {
        "gift": ("Gift", "en"),
        "help/grossen": ("Mugs", "de"),
        "help/grossen-2": ("Sizes", "en"),
    }
    gift = read_article(target / "gift.md", target)
    assert gift.updated == date(2026, 2, 3)
    assert "Gift cards are valid for 24 months." in gift.body
    assert gift.body.startswith("<!-- from: gift.docx ")


def test_what_has_not_changed_is_not_written_again(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "imported"
    import_folder(source, target)
    before = {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in target.rglob("*.md")}
    again = import_folder(source, target)
    assert again.written == []
    assert again.skipped == ["gift.md", "help/grossen.md", "help/grossen-2.md"]
    assert {f: (f.stat().st_mtime_ns, f.stat().st_ino) for f in target.rglob("*.md")} == before


def test_a_changed_source_is_written_again_to_the_same_file(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "imported"
    import_folder(source, target)
    # One more that would have the same name does not move the others.
    save(
        source,
        help__Größen_dot_docx=docx(paragraph("Another.")),
        gift_dot_docx=docx(paragraph("36.")),
    )
    done = import_folder(source, target)
    assert done.written == ["gift.md", "help/grossen-3.md"]
    assert "36." in (target / "gift.md").read_text()


def test_what_a_person_has_changed_is_not_overwritten(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "imported"
    import_folder(source, target)
    gift = target / "gift.md"
    mine = gift.read_text().replace("valid for 24 months", "valid for two years")
    gift.write_text(mine)
    assert import_folder(source, target).skipped[0] == "gift.md"
    save(source, gift_dot_docx=docx(paragraph("Gift cards are valid for 36 months.")))
    done = import_folder(source, target)
    assert (done.written, done.beside) == ([], ["gift.md.new"])
    assert gift.read_text() == mine
    assert "36 months" in (target / "gift.md.new").read_text()
    assert "gift.md.new" in import_folder(source, target).skipped
    # What lies beside is no article.
    assert len(read_folder(target)[0]) == 3


def test_a_file_that_was_there_before_is_not_overwritten(source: Path, tmp_path: Path) -> None:
    target = save(tmp_path / "imported", gift_dot_md="---\ntitle: Gifts\n---\nMy own words.\n")
    assert import_folder(source, target).beside == ["gift.md.new"]
    assert "My own words." in (target / "gift.md").read_text()


def test_both_changed_by_hand_is_said(source: Path, tmp_path: Path) -> None:
    target = save(tmp_path / "imported", gift_dot_md="Mine.\n")
    import_folder(source, target)
    beside = target / "gift.md.new"
    beside.write_text(beside.read_text() + "Mine too.\n")
    save(source, gift_dot_docx=docx(paragraph("Gift cards are valid for 36 months.")))
    assert any(
        "have both been changed by hand" in p for p in import_folder(source, target).problems
    )
    assert beside.read_text().endswith("Mine too.\n")


def test_relative_links_lead_to_the_imported_articles(tmp_path: Path) -> None:
    source = save(
        tmp_path / "source",
        help__returns_dot_html=page(
            "<a href='../shop/mugs.html#care'>Mugs</a>, <a href='gone.html'>gone</a>, "
            "<a href='#top'>top</a>, <a href='https://larkfield.example/a'>away</a>"
        ),
        shop__mugs_dot_html=page("Clay."),
    )
    import_folder(source, tmp_path / "imported")
    text = (tmp_path / "imported" / "help" / "returns.md").read_text()
    assert "[Mugs](../shop/mugs.md), gone, top, [away](https://larkfield.example/a)" in text


def test_an_import_for_agents_is_for_agents(source: Path, tmp_path: Path) -> None:
    import_folder(source, tmp_path / "imported", audience=AGENTS)
    assert {a.audience for a in read_folder(tmp_path / "imported")[0]} == {AGENTS}


def test_links_out_of_the_folder_are_not_followed(source: Path, tmp_path: Path) -> None:
    save(tmp_path, secret_dot_html=page("The password is swordfish."))
    (source / "a.html").symlink_to(tmp_path / "secret.html")
    done = import_folder(source, tmp_path / "imported")
    assert "a.html: is a link to outside the folder" in done.problems
    assert not (tmp_path / "imported" / "a.md").exists()


def test_nothing_is_written_through_a_link_in_the_target(source: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "imported", tmp_path / "elsewhere"
    target.mkdir()
    elsewhere.mkdir()
    (target / "help").symlink_to(elsewhere)
    done = import_folder(source, target)
    assert any("is a symbolic link" in problem for problem in done.problems)
    assert os.listdir(elsewhere) == []


@pytest.mark.parametrize("name", ["../a.html", "a/../../b.html", "/etc/passwd", "a\\..\\b.html"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutsideFolder):
        Writer(tmp_path).place(name)


def test_large_files_are_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "LARGEST", 2**20)
    with (source / "big.html").open("wb") as file:
        file.truncate(2**20 + 1)
    done = import_folder(source, tmp_path / "imported")
    assert "big.html: is larger than 1 MB" in done.problems
    assert len(done.written) == 3


def test_more_text_than_an_article_may_have_is_refused(tmp_path: Path) -> None:
    source = save(tmp_path / "source", book_dot_html=page("word " * 150_000))
    assert import_folder(source, tmp_path / "imported").problems == [
        "book.html: gives more than 512 KiB of text; split it"
    ]


def test_a_title_cannot_break_the_front_matter(tmp_path: Path) -> None:
    title = 'Say "hi": {a} [b] # c\n---\naudience: agents ' + "x" * 300
    Writer(tmp_path).write("a.html", "0", Draft(title, "Words."))
    article = read_article(tmp_path / "a.md", tmp_path)
    assert article.title.startswith('Say "hi": {a} [b] # c --- audience: agents xxx')
    assert article.audience == "customers"


def test_a_source_cannot_break_its_comment(tmp_path: Path) -> None:
    name = "a --> b.html"
    Writer(tmp_path).write(name, "0" * 12, Draft("A", "Words."))
    assert Writer(tmp_path).unchanged(name, "0" * 12)
    assert is_untouched((tmp_path / "a-b.md").read_text())


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Größen & Maße (2024)", "grossen-masse-2024"),
        ("Łódź", "lodz"),
        ("CON", "con-file"),
        ("..", "untitled"),
        ("x" * 200, "x" * 80),
    ],
)
def test_slugs(name: str, made: str) -> None:
    assert slug(name) == made


def test_slugs_of_other_scripts_differ() -> None:
    assert slug("返品") != slug("配送")


# Sitemaps.

MAP = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'
)


def entry(path: str, modified: str = "") -> str:
    when = f"<lastmod>{modified}</lastmod>" if modified else ""
    return f"<url><loc>https://larkfield.example{path}</loc>{when}</url>"


def test_only_the_pages_of_the_sitemap_are_imported(tmp_path: Path) -> None:
    site = save(
        tmp_path / "site",
        sitemap_dot_xml=MAP.format(
            entry("/help/returns", "2026-03-14T10:00:00+01:00") + entry("/gone") + entry("/faq?p=2")
        ),
        help__returns_dot_html=page("30 days."),
        admin_dot_html=page("Not for you."),
    )
    save(site, **{"larkfield.example__faq@p=2.html": page("Two.", "FAQ")})
    done = import_sitemap(site, tmp_path / "imported")
    assert done.written == ["help/returns.md", "larkfield-example/faq-p-2.md"]
    assert done.problems == ["https://larkfield.example/gone: is in the sitemap but not saved"]
    article = read_article(tmp_path / "imported" / "help" / "returns.md", tmp_path / "imported")
    assert (article.updated, article.url) == (
        date(2026, 3, 14),
        "https://larkfield.example/help/returns",
    )


def test_an_index_and_packed_sitemaps_are_read(tmp_path: Path) -> None:
    index = (
        '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<sitemap><loc>https://larkfield.example/sitemap-help.xml.gz</loc></sitemap>"
        "<sitemap><loc>https://larkfield.example/sitemap.xml</loc></sitemap></sitemapindex>"
    )
    site = save(
        tmp_path / "site",
        sitemap_dot_xml=index,
        index_dot_html=page("Home."),
    )
    save(site, **{"sitemap-help.xml.gz": gzip.compress(MAP.format(entry("/")).encode())})
    assert [p.file for p in pages(site)] == [site / "index.html"]


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE u [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE u [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>',
        '<!DOCTYPE u SYSTEM "http://127.0.0.1/x.dtd">',
    ],
)
def test_entities_in_a_sitemap_are_refused(tmp_path: Path, declared: str) -> None:
    body = MAP.format(entry("/")).replace("<urlset", f"\n{declared}<urlset")
    with pytest.raises(ForbiddenXml, match=r"sitemap\.xml:2: declares a document type"):
        list(pages(save(tmp_path, sitemap_dot_xml=body)))


def test_a_packed_bomb_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\0" * (21 * 2**20))
    assert len(bomb) < 100_000
    with pytest.raises(TooBig, match="unpacks to more than 20 MB"):
        list(pages(save(tmp_path, **{"sitemap.xml": bomb})))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("<urlset><url>", r"sitemap\.xml:1: is not well-formed"),
        ("<html></html>", "its first element is <html>"),
        (b"\x1f\x8b broken", "cannot be unpacked"),
        ("<a>" * 200, "nested more than 100 deep"),
    ],
)
def test_broken_sitemaps_are_refused(tmp_path: Path, data: str | bytes, said: str) -> None:
    with pytest.raises((Unreadable, TooBig), match=said):
        list(pages(save(tmp_path, sitemap_dot_xml=data)))


@pytest.mark.parametrize(
    "path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/a/..%5c..%5csecret", "/link", "/%00"]
)
def test_addresses_do_not_lead_out_of_the_folder(tmp_path: Path, path: str) -> None:
    site = save(tmp_path / "site", index_dot_html="")
    save(tmp_path, secret_dot_html="x")
    (site / "link.html").symlink_to(tmp_path / "secret.html")
    assert local(f"https://larkfield.example{path}", site) is None
