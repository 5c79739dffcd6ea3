"""What a file is by its content, and what is not kept, whatever it is called."""

from __future__ import annotations

import os
import time

import hypothesis
import hypothesis.strategies as st
import pytest
import samples
from samples import archive, ole

from bot.media.names import LONGEST, safe_name
from bot.media.sniff import UNKNOWN, Kind, NotKept, sniff

OOXML = "application/vnd.openxmlformats-officedocument."

KNOWN = {
    "a photo": (samples.JPEG, "image", "image/jpeg"),
    "a screenshot": (samples.png(), "image", "image/png"),
    "an animation": (samples.GIF, "image", "image/gif"),
    "an animation sent as video": (samples.GIF, "video", "image/gif"),
    "a web picture": (samples.WEBP, "image", "image/webp"),
    "a sticker": (samples.WEBP, "sticker", "image/webp"),
    "a video sticker": (samples.WEBM, "sticker", "video/webm"),
    "an animated sticker": (samples.GZIP, "sticker", "application/gzip"),
    "an iPhone's photo": (samples.HEIC, "image", "image/heic"),
    "an iPhone's photo of a general brand": (samples.HEIC_BY_COMPATIBLE, "image", "image/heic"),
    "an AV1 picture": (samples.AVIF, "image", "image/avif"),
    "a bitmap": (samples.BMP, "image", "image/bmp"),
    "a fax": (b"II*\x00\x08\x00\x00\x00" + bytes(30), "image", "image/tiff"),
    "a Photoshop file, known to puremagic": (
        b"8BPS\x00\x01" + bytes(40),
        "document",
        "image/vnd.adobe.photoshop",
    ),
    "a voice note": (samples.OPUS, "voice", "audio/ogg"),
    "an old phone's voice note": (samples.AMR, "voice", "audio/amr"),
    "an iPhone's voice note": (samples.CAF, "voice", "audio/x-caf"),
    "a browser's voice note": (samples.WEBM_AUDIO, "voice", "audio/webm"),
    "a voice note in a video's container": (samples.MP4_AUDIO, "voice", "audio/mp4"),
    "a song": (samples.MP3, "audio", "audio/mpeg"),
    "a song with a title": (samples.MP3_ID3, "audio", "audio/mpeg"),
    "a song of Apple's": (samples.M4A, "audio", "audio/mp4"),
    "a stream": (samples.AAC, "audio", "audio/aac"),
    "a lossless song": (samples.FLAC, "audio", "audio/flac"),
    "a recording": (samples.WAV, "audio", "audio/wav"),
    "a film": (samples.MP4, "video", "video/mp4"),
    "a film sent as a song": (samples.MP4, "audio", "video/mp4"),
    "an iPhone's film": (samples.MOV, "video", "video/quicktime"),
    "an MMS film": (samples.THREE_GP, "video", "video/3gpp"),
    "a browser's film": (samples.WEBM, "video", "video/webm"),
    "a film in a bag": (samples.MKV, "video", "video/x-matroska"),
    "a free film": (samples.THEORA, "video", "video/ogg"),
    "an old film": (samples.AVI, "video", "video/x-msvideo"),
    "a bill": (samples.PDF, "document", "application/pdf"),
    "rich text": (samples.RTF, "document", "application/rtf"),
    "a letter": (samples.DOCX, "document", f"{OOXML}wordprocessingml.document"),
    "a table": (samples.XLSX, "document", f"{OOXML}spreadsheetml.sheet"),
    "slides": (samples.PPTX, "document", f"{OOXML}presentationml.presentation"),
    "a free letter": (samples.ODT, "document", "application/vnd.oasis.opendocument.text"),
    "a book": (samples.EPUB, "document", "application/epub+zip"),
    "an old letter": (samples.DOC, "document", "application/msword"),
    "an old table": (samples.XLS, "document", "application/vnd.ms-excel"),
    "old slides": (samples.PPT, "document", "application/vnd.ms-powerpoint"),
    "a mail with a letter in it": (samples.MSG, "document", "application/vnd.ms-outlook"),
    "an archive": (samples.ZIP, "document", "application/zip"),
    "words": (b"hello, my order is 123\n", "document", "text/plain"),
    "words with accents": ("é à ü".encode("latin-1"), "document", "text/plain"),
    "words in UTF-16": ("héllo".encode("utf-16"), "document", "text/plain"),
    "words that begin like a program": (b"MZ-1000 is broken", "document", "text/plain"),
    "words that begin with a tag's letter": (b"<3 your shop", "document", "text/plain"),
    "words about a tag": (b"the page says <script> somewhere", "document", "text/plain"),
    "data": (b'{"a": 1}', "document", "text/plain"),
    "an invoice in XML": (b"<?xml version='1.0'?><Invoice/>", "document", "application/xml"),
    "a contact": (b"BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n", "document", "text/vcard"),
    "an appointment": (b"BEGIN:VCALENDAR\r\n", "document", "text/calendar"),
    "a photo sent as a document": (samples.JPEG, "document", "image/jpeg"),
    "nobody knows what": (b"\x00\x01\x02\x03" * 20, "document", UNKNOWN),
}


@pytest.mark.parametrize(("data", "type", "mime"), KNOWN.values(), ids=KNOWN.keys())
def test_a_file_is_what_its_content_is(data: bytes, type: str, mime: str) -> None:
    assert sniff(data, type).mime == mime  # type: ignore[arg-type]


HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
RUNS = {
    "nothing": (b"", "empty"),
    "a Windows program": (samples.EXE, "program"),
    "a Linux program": (samples.ELF, "program"),
    "a macOS program": (b"\xcf\xfa\xed\xfe\x07\x00\x00\x01" + bytes(40), "program"),
    "a program of two kinds": (b"\xca\xfe\xba\xbe\x00\x00\x00\x02" + bytes(40), "program"),
    "a Java class": (b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(40), "program"),
    "a Java archive": (samples.JAR, "program"),
    "an Android app": (samples.APK, "program"),
    "a Windows installer": (samples.MSI, "installer"),
    "a shortcut": (b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(60), "shortcut"),
    "a WebAssembly program": (b"\x00asm\x01\x00\x00\x00", "program"),
    "a Debian package": (b"!<arch>\ndebian-binary   \x00\x01", "package"),
    "a shell script": (b"#!/bin/sh\nrm -rf /\n", "script"),
    "a script after a mark": (b"\xef\xbb\xbf#!/usr/bin/env python\n", "script"),
    "a page": (HTML, "page"),
    "a page after blanks": (b" \r\n\t " + HTML, "page"),
    "a page after a mark": (b"\xef\xbb\xbf" + HTML, "page"),
    "a page after comments": (b"<!-- a --><!-- b -->\n" + HTML, "page"),
    "a page after a comment without end": (b"<!-- a " + HTML, "page"),
    "a page in capitals": (HTML.upper(), "page"),
    "a page in UTF-16": (HTML.decode().encode("utf-16"), "page"),
    "a page in Latin-1": (HTML + b"\xe9", "page"),
    "a page of one image": (b"<img src=x onerror=alert(1)>", "page"),
    "a page of XHTML": (b'<?xml version="1.0"?>\n<html xmlns="x"/>', "page"),
    "a page in XML's clothes": (
        b"<?xml version='1.0'?><x:a xmlns:x='http://www.w3.org/1999/xhtml'><x:script/></x:a>",
        "page",
    ),
    "XML with a style that makes a page": (
        b"<?xml version='1.0'?><?xml-stylesheet href='x.xsl'?><a/>",
        "page",
    ),
    "XML that swells": (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "page"),
    "a drawing": (SVG, "page"),
    "a drawing with a declaration": (b"<?xml version='1.0'?>\n" + SVG, "page"),
    "a drawing with a type": (b"<!DOCTYPE svg PUBLIC 'x' 'y'>" + SVG, "page"),
    "PHP": (b"<?php system($_GET['c']); ?>", "page"),
    "a letter with macros": (
        archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
        "macros",
    ),
    "an old letter with macros": (ole("WordDocument", "_VBA_PROJECT"), "macros"),
    "a free letter with macros": (
        archive("Basic/Standard/a.xml", mimetype="application/vnd.oasis.opendocument.text"),
        "macros",
    ),
    "an archive with a program": (archive("readme.txt", "Invoice.PDF.exe"), ".exe"),
    "an archive with a script deep down": (archive("a/b/c/d.js"), ".js"),
    "an archive with a blank after the ending": (archive("a.scr "), ".scr"),
    "a damaged archive": (samples.ZIP[:-10], "damaged"),
    "an archive without end": (b"PK\x03\x04" + bytes(100), "damaged"),
}


@pytest.mark.parametrize(("data", "why"), RUNS.values(), ids=RUNS.keys())
def test_what_runs_is_not_kept(data: bytes, why: str) -> None:
    with pytest.raises(NotKept, match=why.replace(".", r"\.")):
        sniff(data, "document", "holiday.jpg")


NAMES = ["a.html", "a.HTM", "a.svg", "a.js", "a.vbs", "a.bat", "a.ps1", "a.sh", "a.py", "a.hta"]
NAMES += ["a.txt.cmd", "a.url", "a.desktop", "a.reg", "a.js.", "a.js ", "a.php"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", [b"just words", b"\x00\x01\x02\x03"], ids=["text", "bytes"])
def test_what_has_no_form_is_not_kept_under_a_name_that_runs(data: bytes, name: str) -> None:
    with pytest.raises(NotKept, match="can be run"):
        sniff(data, "document", name)


@pytest.mark.parametrize("type", ["image", "sticker", "audio", "voice", "video"])
@pytest.mark.parametrize(
    "data",
    [HTML, SVG, samples.EXE, samples.PDF, samples.ZIP, b"words", b"\x00\x01\x02", samples.DOC],
    ids=["a page", "a drawing", "a program", "a bill", "an archive", "words", "bytes", "a letter"],
)
def test_what_is_shown_or_played_must_be_something_to_show_or_play(data: bytes, type: str) -> None:
    with pytest.raises(NotKept):
        sniff(data, type, "photo.jpg")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "type"),
    [
        (samples.MP4, "image"),
        (samples.OPUS, "image"),
        (samples.JPEG, "voice"),
        (samples.JPEG, "video"),
        (samples.GIF, "audio"),
        (samples.MP4, "sticker"),
    ],
)
def test_a_picture_is_no_sound_nor_a_film(data: bytes, type: str) -> None:
    with pytest.raises(NotKept, match=r"sent as an? "):
        sniff(data, type)  # type: ignore[arg-type]


def said_of(data: bytes, type: str) -> str:
    """The MIME type of some bytes, or why they are not kept."""
    try:
        return sniff(data, type).mime  # type: ignore[arg-type]
    except NotKept as error:
        return str(error)


@hypothesis.given(st.binary(max_size=400), st.sampled_from(["image", "voice", "document"]))
def test_any_bytes_are_something_or_not_kept(data: bytes, type: str) -> None:
    assert said_of(data, type)


STARTS = [data[:n] for data, _, _ in KNOWN.values() for n in (4, 9, 16, 30)]


@hypothesis.given(st.sampled_from(STARTS), st.binary(max_size=60))
def test_any_bytes_that_begin_like_a_file_are_something_or_not_kept(
    start: bytes, rest: bytes
) -> None:
    assert said_of(start + rest, "document")


SLOW = {
    "comments": b"<!---->" * 1_000_000 + b"x",
    "declarations": b"<?xml?>" * 1_000_000,
    "tags": b"<a" * 3_000_000 + b">",
    "blanks": b" " * 5_000_000,
    "handlers": samples.iso(b"isom") + b"hdlr" * 1_500_000,
    "an archive of many": samples.archive(*(str(n) for n in range(21_000))),
    "noise": os.urandom(8_000_000),
}


@pytest.mark.parametrize("data", SLOW.values(), ids=SLOW.keys())
def test_nothing_takes_long(data: bytes) -> None:
    began = time.process_time()
    assert said_of(data, "document")
    assert time.process_time() - began < 3


PDF, TEXT = Kind("application/pdf", ("pdf",)), Kind("text/plain", ("txt", "log"))


@pytest.mark.parametrize(
    ("given", "kind", "safe"),
    [
        ("bill.pdf", PDF, "bill.pdf"),
        ("bill.PDF", PDF, "bill.PDF"),
        ("bill", PDF, "bill.pdf"),
        ("bill.exe", PDF, "bill.exe.pdf"),
        ("Rechnung für Ännchen.pdf", PDF, "Rechnung für Ännchen.pdf"),
        ("请求.pdf", PDF, "请求.pdf"),
        ("../../etc/passwd", TEXT, "passwd.txt"),
        ("C:\\Users\\ann\\bill.pdf", PDF, "bill.pdf"),
        ("..", PDF, "file.pdf"),
        ("", PDF, "file.pdf"),
        (".pdf", PDF, "pdf.pdf"),
        ("  a.pdf . ", PDF, "a.pdf"),
        ("bill\u202efdp.exe", PDF, "billfdp.exe.pdf"),
        ("bill\r\nX-Evil: 1.pdf", PDF, "billX-Evil_ 1.pdf"),
        ('a"b<c>d|e?f*g.pdf', PDF, "a_b_c_d_e_f_g.pdf"),
        ("a\x00b.pdf", PDF, "ab.pdf"),
        ("a\ud800b.pdf", PDF, "a\ufffdb.pdf"),
        ("e\u0301t\u00e9.pdf", PDF, "\u00e9t\u00e9.pdf"),
        ("con.pdf", PDF, "_con.pdf"),
        ("notes.log", TEXT, "notes.log"),
        ("drawing.dwg", Kind(UNKNOWN), "drawing.dwg"),
        ("", Kind(UNKNOWN), "file"),
        ("x" * 300 + ".pdf", PDF, "x" * (LONGEST - 4) + ".pdf"),
        ("x." + "y" * 300, Kind(UNKNOWN), "x." + "y" * 20),
    ],
)
def test_a_name_is_made_safe(given: str, kind: Kind, safe: str) -> None:
    assert safe_name(given, kind) == safe


@hypothesis.given(st.text(max_size=300), st.sampled_from([PDF, TEXT, Kind(UNKNOWN)]))
def test_any_name_is_made_safe_once_and_for_all(given: str, kind: Kind) -> None:
    name = safe_name(given, kind)
    assert 0 < len(name) <= LONGEST + 21
    assert not set(name) & set('/\\<>:"|?*\r\n\x00\u202e')
    assert name.encode()
    assert name.strip(" .") == name
    assert safe_name(name, kind) == name
