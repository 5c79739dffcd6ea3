from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from pypdf import PdfReader, PdfWriter

from bot.knowledge.importing import docx as docx_module
from bot.knowledge.importing.docx import from_docx
from bot.knowledge.importing.errors import (
    Encrypted,
    ForbiddenXml,
    ImportFailed,
    NoText,
    TooBig,
    Unreadable,
)
from bot.knowledge.importing.pdf import from_pdf
from tests.knowledge.documents import PICTURE, docx, lines, paragraph, pdf, table

SAMPLES: list[tuple[Callable[[bytes, str], object], bytes]] = [
    (from_pdf, pdf([lines(["Hello there", "", "Some words go here."])] * 2)),
    (from_docx, docx(paragraph("Words", "Heading1") + PICTURE + table([["a", "b"]]))),
]


# Ids of their own: a made DOCX holds the time, and workers of xdist compare ids.
@pytest.mark.parametrize(("read", "whole"), SAMPLES, ids=["pdf", "docx"])
def test_damaged_files_fail_by_name_or_not_at_all(
    read: Callable[[bytes, str], object], whole: bytes
) -> None:
    rng = random.Random(7)
    failures: list[str] = []
    for _ in range(250):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 12)):
            place = rng.randrange(len(data))
            if rng.random() < 0.3:
                del data[place : place + rng.randint(1, 20)]
            else:
                data[place] = rng.randrange(256)
        try:
            read(bytes(data), "a.file")
        except ImportFailed as error:
            failures.append(str(error))
    assert failures
    assert [said for said in failures if not said.startswith("a.file")] == []


# PDF.


def test_a_pdf_becomes_paragraphs_and_headings() -> None:
    page = [
        (60.0, 790.0, 20.0, "Warranty"),
        *lines(
            [
                "Everything we sell has a warranty of two years. It covers faults of ma-",
                "terial and making, not wear. A two-person delivery brings large things back,",
                "and two-",
                "person lifting is done by us.",
                "",
                "Write to us with a photo.",
            ],
            top=740,
        ),
        (60.0, 640.0, 14.0, "Knives"),
        *lines(["Knives have ten years.", "", "• Sharpen them", "• Oil them"], top=615),
    ]
    draft = from_pdf(pdf([page], "/ModDate (D:20260203100000Z)"), "warranty.pdf")
    assert draft.title == "Warranty"
    assert draft.updated == date(2026, 2, 3)
    assert draft.body == (
        "Everything we sell has a warranty of two years. It covers faults of material and making, "
        "not wear. A two-person delivery brings large things back, and two-person lifting is done "
        "by us.\n\nWrite to us with a photo.\n\n## Knives\n\nKnives have ten years.\n\n"
        "- Sharpen them\n- Oil them"
    )


def test_what_runs_above_and_below_each_page_is_left_out() -> None:
    pages = []
    for number in (1, 2, 3):
        pages.append(
            [
                (60.0, 810.0, 8.0, "Larkfield Goods, terms of March"),
                *lines([f"This is what part {number} says about the order of things, and it goes"]),
                *lines(["on to say no more than that."], top=746),
                (60.0, 30.0, 8.0, f"Page {number} of 3"),
            ]
        )
    body = from_pdf(pdf(pages), "terms.pdf").body
    assert "Larkfield" not in body
    assert "Page" not in body
    assert body.count("on to say no more than that.") == 3


def test_a_sentence_goes_on_over_the_page() -> None:
    first = lines(["The driver calls you half an hour before he comes, and he"])
    second = lines(["waits for ten minutes."])
    assert from_pdf(pdf([first, second]), "a.pdf").body.endswith("and he waits for ten minutes.")


def test_bold_lines_are_headings_and_the_title_is_said() -> None:
    page = lines(["Care of mugs", "", "Wash them by hand, and never in the oven of a kitchen."])
    draft = from_pdf(pdf([page], "/Title (Mugs and plates)", bold=["Care of mugs"]), "m.pdf")
    assert (draft.title, draft.body.partition("\n")[0]) == ("Mugs and plates", "## Care of mugs")


def _encrypted(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf([lines(["Secret terms"])]))))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_pdf_with_a_password_is_refused() -> None:
    with pytest.raises(Encrypted, match=r"terms\.pdf: asks for a password"):
        from_pdf(_encrypted("open sesame"), "terms.pdf")


def test_a_pdf_that_only_may_not_be_printed_is_read() -> None:
    assert "Secret terms" in "".join(
        (from_pdf(_encrypted(""), "terms.pdf").title, from_pdf(_encrypted(""), "terms.pdf").body)
    )


def test_a_scan_is_refused() -> None:
    with pytest.raises(NoText, match="its pages are pictures"):
        from_pdf(pdf([[]]), "scan.pdf")


def test_too_many_pages_are_refused() -> None:
    with pytest.raises(TooBig, match="has 301 pages"):
        from_pdf(pdf([[]] * 301), "book.pdf")


@pytest.mark.parametrize(
    "data",
    [b"", b"%PDF-1.4", b"MZ not a pdf", pdf([lines(["x"])])[:200]],
    ids=["empty", "header", "other", "cut"],
)
def test_broken_pdfs_are_refused(data: bytes) -> None:
    with pytest.raises((Unreadable, NoText), match=r"^a\.pdf: "):
        from_pdf(data, "a.pdf")


# DOCX.


def test_a_docx_becomes_markdown() -> None:
    body = (
        paragraph("Gift cards", "Heading1")
        + paragraph("From £10 to £250 &amp; valid for 24 months.")
        + PICTURE
        + paragraph("Prices", "Heading2")
        + table([["Card", "Price"], ["Small", "£10"]])
    )
    draft = from_docx(docx(body, title="Cards"), "gift.docx")
    assert (draft.title, draft.language, draft.updated) == ("Gift cards", "en", date(2026, 2, 3))
    assert draft.notes == ("1 image left out",)
    assert draft.body.startswith("From £10 to £250 & valid for 24 months.\n\n## Prices\n\n")
    assert "| Small | £10 |" in draft.body


def test_the_title_of_a_docx_without_heading_is_its_property() -> None:
    assert from_docx(docx(paragraph("Words."), title="Cards"), "gift.docx").title == "Cards"
    assert from_docx(docx(paragraph("Words.")), "gift_cards.docx").title == "Gift cards"


BOMB = (
    '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("doctype", [BOMB, OUTSIDE])
def test_entities_in_a_docx_are_refused(doctype: str) -> None:
    with pytest.raises(ForbiddenXml, match=r"a\.docx!word/document\.xml:1: declares"):
        from_docx(docx(paragraph("&c;"), doctype=doctype), "a.docx")


def test_a_docx_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx_module, "LARGEST_UNPACKED", 2**20)
    packed = docx(paragraph("x"), extra={"word/media/b.bin": b"\0" * 2**21})
    assert len(packed) < 20_000
    with pytest.raises(TooBig, match="unpacks to more than 1 MB"):
        from_docx(packed, "bomb.docx")


def test_a_header_that_lies_about_a_part_does_not_unpack_more() -> None:
    data = bytearray(docx(paragraph("x" * 100_000)))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as parts:
        size = parts.getinfo("word/document.xml").file_size
    lied = bytes(data).replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lied != bytes(data)
    with pytest.raises(Unreadable):
        from_docx(lied, "liar.docx")


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04 broken", docx(paragraph("x"))[:300]],
    ids=["empty", "broken", "cut"],
)
def test_broken_docx_are_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^a\.docx: is no Word document"):
        from_docx(data, "a.docx")


def test_a_zip_of_something_else_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("hello.txt", "hello")
    with pytest.raises(Unreadable, match=r"word/document\.xml is missing"):
        from_docx(out.getvalue(), "a.docx")
