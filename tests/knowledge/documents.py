"""Documents made on the spot: the bytes of a PDF and of a DOCX."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

Placed = tuple[float, float, float, str]


def pdf(pages: Sequence[Sequence[Placed]], info: str = "", *, bold: Sequence[str] = ()) -> bytes:
    """A PDF; each page has lines ``(x, y, size, text)``. `bold` are texts in the bold font."""
    objects: list[bytes] = []

    def add(body: bytes) -> int:
        objects.append(body)
        return len(objects)

    font = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    heavy = add(
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"
    )
    kids = []
    parent = len(objects) + 2 * len(pages) + 1
    for lines in pages:
        drawn = []
        for x, y, size, text in lines:
            shown = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            name = "G" if text in bold else "F"
            drawn.append(f"BT /{name} {size} Tf 1 0 0 1 {x} {y} Tm ({shown}) Tj ET")
        stream = "\n".join(drawn).encode("cp1252")
        content = add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(
            add(
                b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                b"/Resources << /Font << /F %d 0 R /G %d 0 R >> >> >>"
                % (parent, content, font, heavy)
            )
        )
    refs = b" ".join(b"%d 0 R" % kid for kid in kids)
    assert add(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (refs, len(kids))) == parent
    catalog = add(b"<< /Type /Catalog /Pages %d 0 R >>" % parent)
    about = add(f"<< {info} >>".encode("cp1252"))
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(
        b"trailer << /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, catalog, about, start)
    )
    return out.getvalue()


def lines(texts: Sequence[str], *, top: float = 760, size: float = 11) -> list[Placed]:
    """Lines below each other; an empty text is the gap between paragraphs."""
    placed = []
    y = top
    for text in texts:
        if text:
            placed.append((60.0, y, size, text))
        y -= 1.25 * size
    return placed


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_P = "http://schemas.openxmlformats.org/package/2006/relationships"
_C = "http://schemas.openxmlformats.org/package/2006/content-types"
_WP = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"

PICTURE = (
    f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{_WP}"><a:graphic xmlns:a="{_A}"><a:graphicData>'
    '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:blipFill>'
    f'<a:blip xmlns:r="{_R}" r:embed="rId9"/></pic:blipFill></pic:pic></a:graphicData>'
    "</a:graphic></wp:inline></w:drawing></w:r></w:p>"
)


def paragraph(text: str, style: str = "") -> str:
    """A paragraph of a DOCX; `style` as ``Heading1``."""
    styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{styled}<w:r><w:t>{text}</w:t></w:r></w:p>"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of a DOCX."""
    made = "".join(
        "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>"
        for row in rows
    )
    return f"<w:tbl>{made}</w:tbl>"


def docx(
    body: str, *, doctype: str = "", title: str = "", extra: dict[str, bytes] | None = None
) -> bytes:
    """A DOCX with this body, and what Word says of it."""
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{n}"><w:name w:val="heading {n}"/>'
        "</w:style>"
        for n in (1, 2, 3)
    )
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
        'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/">'
        f"<dc:title>{title}</dc:title><dc:language>en-GB</dc:language>"
        "<dcterms:modified>2026-02-03T10:00:00Z</dcterms:modified></cp:coreProperties>"
    )
    parts: dict[str, bytes] = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_C}"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="png" ContentType="image/png"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.wordprocessingml.document.main+xml"/></Types>'
        ).encode(),
        "_rels/.rels": (
            f'<Relationships xmlns="{_P}"><Relationship Id="rId1" Type="{_R}/officeDocument" '
            'Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/_rels/document.xml.rels": (
            f'<Relationships xmlns="{_P}"><Relationship Id="rId9" Type="{_R}/image" '
            f'Target="media/a.png"/><Relationship Id="rId8" Type="{_R}/styles" '
            'Target="styles.xml"/></Relationships>'
        ).encode(),
        "word/styles.xml": f'<w:styles xmlns:w="{_W}">{styles}</w:styles>'.encode(),
        "word/media/a.png": b"\x89PNG\r\n\x1a\n",
        "docProps/core.xml": core.encode(),
        "word/document.xml": (
            f'{doctype}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'
        ).encode(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in {**parts, **(extra or {})}.items():
            packed.writestr(name, data)
    return out.getvalue()
