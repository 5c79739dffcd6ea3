"""Small files of many kinds, made by the formats' rules, for tests of what a file is."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib


def png(width: int = 1, height: int = 1) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\x00" + b"\x80" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"\x00" * 40 + b"\xff\xd9"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f" + b"\x00" * 12
BMP = b"BM" + struct.pack("<IHHI", 58, 0, 0, 54) + struct.pack("<I", 40) + b"\x00" * 40
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
RTF = b"{\\rtf1\\ansi hello}"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + b"\x00" * 24
MP3 = b"\xff\xfb\x90\x64" + b"\x00" * 413
MP3_ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + MP3
AAC = b"\xff\xf1\x50\x80\x02\x1f\xfc" + b"\x00" * 30
AMR = b"#!AMR\n\x3c" + b"\x00" * 31
FLAC = b"fLaC\x00\x00\x00\x22" + b"\x00" * 34
CAF = b"caff\x00\x01\x00\x00desc" + b"\x00" * 40
AVI = b"RIFF\x24\x00\x00\x00AVI LIST" + b"\x00" * 30
GZIP = b"\x1f\x8b\x08\x00" + b"\x00" * 20


def ogg(codec: bytes) -> bytes:
    return b"OggS\x00\x02" + b"\x00" * 20 + b"\x01\x13" + codec + b"\x00" * 30


OPUS, THEORA = ogg(b"OpusHead\x01\x01"), ogg(b"\x80theora\x03")


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + name + data


def iso(brand: bytes, *compatible: bytes, handlers: tuple[bytes, ...] = ()) -> bytes:
    """An ISO base media file with tracks of the given handlers."""
    tracks = b"".join(
        box(b"trak", box(b"mdia", box(b"hdlr", b"\x00" * 8 + h + b"\x00" * 12))) for h in handlers
    )
    start = box(b"ftyp", brand + b"\x00\x00\x02\x00" + b"".join(compatible))
    return start + box(b"mdat", b"\x01" * 20) + box(b"moov", tracks)


HEIC = iso(b"heic", b"mif1", b"heic")
HEIC_BY_COMPATIBLE = iso(b"mif1", b"heic")
AVIF = iso(b"avif", b"mif1", b"miaf")
MP4 = iso(b"isom", b"mp42", handlers=(b"vide", b"soun"))
MP4_AUDIO = iso(b"mp42", b"isom", handlers=(b"soun",))
M4A = iso(b"M4A ", b"isom", handlers=(b"soun",))
MOV = iso(b"qt  ", handlers=(b"vide",))
THREE_GP = iso(b"3gp4", b"isom", handlers=(b"vide",))


def ebml(doctype: bytes, codec: bytes) -> bytes:
    head = b"\x42\x82" + bytes([0x80 | len(doctype)]) + doctype
    return (
        b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(head)]) + head + b"\x86\x85" + codec + b"\x00" * 9
    )


WEBM, WEBM_AUDIO = ebml(b"webm", b"V_VP8"), ebml(b"webm", b"A_OPUS")
MKV = ebml(b"matroska", b"V_MPEG4/ISO/AVC")


def archive(*names: str, mimetype: str = "", stored: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        if mimetype:
            made.writestr("mimetype", mimetype)
        for name in names:
            made.writestr(name, stored)
    return out.getvalue()


DOCX = archive("[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/media/a.svg")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")
PPTX = archive("[Content_Types].xml", "ppt/presentation.xml")
ODT = archive("content.xml", mimetype="application/vnd.oasis.opendocument.text")
EPUB = archive("META-INF/container.xml", "a.xhtml", mimetype="application/epub+zip")
ZIP = archive("a.txt", "b/c.jpg")
JAR = archive("META-INF/MANIFEST.MF", "A.class")
APK = archive("AndroidManifest.xml", "classes.dex")


def ole(*streams: str, clsid: bytes = bytes(16)) -> bytes:
    """The beginning of a compound file and a directory with entries of these names."""
    names = ["Root Entry", *streams]
    entries = b"".join(n.encode("utf-16-le").ljust(64, b"\x00") + clsid + bytes(48) for n in names)
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + entries


DOC, XLS, PPT = ole("WordDocument"), ole("Workbook"), ole("PowerPoint Document")
MSG = ole("__properties_version1.0", "WordDocument")
MSI = ole("SummaryInformation", clsid=bytes.fromhex("84100c0000000000c000000000000046"))
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00" + bytes(100)
ELF = b"\x7fELF\x02\x01\x01" + bytes(60)
