"""What a file is, by its content. What senders, servers and names say of it is not believed.

Signatures: https://mimesniff.spec.whatwg.org/, https://www.garykessler.net/library/file_sigs.html
and the formats' own specifications. puremagic names what this table does not know.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from dataclasses import dataclass

import puremagic

from bot.message import MediaType

UNKNOWN = "application/octet-stream"
_TEXT = "text/plain"


class NotKept(Exception):
    """A file that is not kept; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: its MIME type, and the endings its name may have, the usual one first."""

    mime: str
    endings: tuple[str, ...] = ()


#: (offset, bytes, kind). The first that matches counts.
_SIGNATURES = (
    (0, b"\xff\xd8\xff", Kind("image/jpeg", ("jpg", "jpeg", "jpe", "jfif"))),
    (0, b"\x89PNG\r\n\x1a\n", Kind("image/png", ("png",))),
    (0, b"GIF87a", Kind("image/gif", ("gif",))),
    (0, b"GIF89a", Kind("image/gif", ("gif",))),
    (0, b"II*\x00", Kind("image/tiff", ("tif", "tiff"))),
    (0, b"MM\x00*", Kind("image/tiff", ("tif", "tiff"))),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", Kind("image/jp2", ("jp2",))),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", Kind("image/jxl", ("jxl",))),
    (0, b"%PDF-", Kind("application/pdf", ("pdf",))),
    (0, b"{\\rtf", Kind("application/rtf", ("rtf",))),
    (0, b"ID3", Kind("audio/mpeg", ("mp3",))),
    (0, b"fLaC", Kind("audio/flac", ("flac",))),
    (0, b"#!AMR-WB\n", Kind("audio/amr-wb", ("awb", "amr"))),
    (0, b"#!AMR\n", Kind("audio/amr", ("amr",))),
    (0, b"caff\x00\x01", Kind("audio/x-caf", ("caf",))),
    (0, b"MThd\x00\x00\x00\x06", Kind("audio/midi", ("mid", "midi"))),
    (0, b"\x00\x00\x01\xba", Kind("video/mpeg", ("mpg", "mpeg"))),
    (0, b"\x00\x00\x01\xb3", Kind("video/mpeg", ("mpg", "mpeg"))),
    (
        0,
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
        Kind("video/x-ms-asf", ("wmv", "wma", "asf")),
    ),
    (0, b"\x1f\x8b\x08", Kind("application/gzip", ("gz", "tgz", "tgs"))),
    (0, b"7z\xbc\xaf\x27\x1c", Kind("application/x-7z-compressed", ("7z",))),
    (0, b"Rar!\x1a\x07", Kind("application/vnd.rar", ("rar",))),
    (0, b"BZh", Kind("application/x-bzip2", ("bz2",))),
    (0, b"\xfd7zXZ\x00", Kind("application/x-xz", ("xz",))),
)
_RIFF = {
    b"WEBP": Kind("image/webp", ("webp",)),
    b"WAVE": Kind("audio/wav", ("wav",)),
    b"AVI ": Kind("video/x-msvideo", ("avi",)),
}
#: Major and compatible brands of ISO base media files, https://mp4ra.org/registered-types/brands
_BRANDS = {
    b"avif": Kind("image/avif", ("avif",)),
    b"avis": Kind("image/avif", ("avif",)),
    b"heic": Kind("image/heic", ("heic", "heif")),
    b"heix": Kind("image/heic", ("heic", "heif")),
    b"hevc": Kind("image/heic", ("heic", "heif")),
    b"hevx": Kind("image/heic", ("heic", "heif")),
    b"heim": Kind("image/heic", ("heic", "heif")),
    b"heis": Kind("image/heic", ("heic", "heif")),
    b"mif1": Kind("image/heif", ("heif", "heic")),
    b"msf1": Kind("image/heif", ("heif", "heic")),
}
_MP4 = Kind("video/mp4", ("mp4", "m4v")), Kind("audio/mp4", ("m4a", "mp4", "aac"))
_3GP = Kind("video/3gpp", ("3gp",)), Kind("audio/3gpp", ("3gp", "3ga"))
_QUICKTIME = Kind("video/quicktime", ("mov", "qt"))
_WEBM = Kind("video/webm", ("webm",)), Kind("audio/webm", ("webm", "weba"))
_MATROSKA = Kind("video/x-matroska", ("mkv",)), Kind("audio/x-matroska", ("mka", "mkv"))
_OGG = Kind("audio/ogg", ("ogg", "oga", "opus", "spx")), Kind("video/ogg", ("ogv", "ogg"))
_MP3 = Kind("audio/mpeg", ("mp3", "mpga"))
_AAC = Kind("audio/aac", ("aac",))
_BMP = Kind("image/bmp", ("bmp", "dib"))

_OOXML = "application/vnd.openxmlformats-officedocument."
#: By the main part's folder, ECMA-376 part 1.
_OFFICE = {
    "word/": Kind(f"{_OOXML}wordprocessingml.document", ("docx", "dotx")),
    "xl/": Kind(f"{_OOXML}spreadsheetml.sheet", ("xlsx", "xltx")),
    "ppt/": Kind(f"{_OOXML}presentationml.presentation", ("pptx", "ppsx", "potx")),
}
#: By the entry ``mimetype``, OpenDocument 1.3 part 2, 3.3, and EPUB 3.3, 4.2.6.2.
_MIMETYPES = {
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "application/vnd.oasis.opendocument.presentation": ("odp",),
    "application/vnd.oasis.opendocument.graphics": ("odg",),
    "application/epub+zip": ("epub",),
}
_ZIP = Kind("application/zip", ("zip",))
#: By a stream's name in an OLE compound file, [MS-CFB]. Letters first: they hold the others.
_OLE = {
    "__properties_version1.0": Kind("application/vnd.ms-outlook", ("msg",)),
    "WordDocument": Kind("application/msword", ("doc", "dot")),
    "Workbook": Kind("application/vnd.ms-excel", ("xls", "xlt")),
    "Book": Kind("application/vnd.ms-excel", ("xls", "xlt")),
    "PowerPoint Document": Kind("application/vnd.ms-powerpoint", ("ppt", "pps")),
}

#: What runs: (bytes at the beginning, what it is).
_PROGRAMS = (
    (b"MZ", "a Windows program"),
    (b"ZM", "a DOS program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xfe\xed\xfa\xce", "a macOS program"),
    (b"\xfe\xed\xfa\xcf", "a macOS program"),
    (b"\xce\xfa\xed\xfe", "a macOS program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a Java or macOS program"),
    (b"\xca\xfe\xba\xbf", "a macOS program"),
    (b"\xca\xfe\xd0\x0d", "a Java program"),
    (b"dex\n", "an Android program"),
    (b"\x00asm", "a WebAssembly program"),
    (b"Cr24", "a browser extension"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a Windows shortcut"),
    (b"ITSF", "a Windows help file"),
    (b"MSCF", "a Windows installer's cabinet"),
    (b"!<arch>\n", "a software package"),
    (b"\xed\xab\xee\xdb", "a software package"),
    (b"xar!", "a macOS installer"),
    (b"CWS", "a Flash program"),
    (b"FWS", "a Flash program"),
    (b"ZWS", "a Flash program"),
    (b"\x1bLua", "a script"),
)
#: Endings that make a system run what has no signature, or what is text.
_ENDINGS_THAT_RUN = (
    "app application appref-ms asp aspx bash bat bgi cer chm cmd com command cpl crx cs csh"
    " dll desktop diagcab dmg docm dotm exe fish gadget hlp hta htc htm html inf ins iso isp"
    " its jar jnlp js jse jsp ksh lnk mad maf mda mde mht mhtml mjs msc msh msi msp mst ocx"
    " osd pcd php phtml pif pkg pl potm ppam ppsm pptm prf prg ps1 ps1xml psc1 psd1 psm1 py"
    " pyc pyw rb reg scf scr sct settingcontent-ms sh shb shs shtml sldm svg svgz swf sys"
    " terminal tcl theme themepack url vb vbe vbp vbs vhd vhdx vsmacros vxd webarchive website"
    " webloc workflow ws wsc wsf wsh xaml xbap xht xhtml xlam xll xlsb xlsm xltm xpi xps xsl"
    " xslt zsh"
)
_RUN_BY_NAME = frozenset(_ENDINGS_THAT_RUN.split())
#: Programs in an archive that run at a double click.
_PROGRAMS_BY_NAME = (
    "bat cmd com cpl exe hta iso jar js jse lnk msi msp pif ps1 reg scr vbe vbs vhd wsf wsh"
)
_RUN_AT_A_CLICK = frozenset(_PROGRAMS_BY_NAME.split())
#: Tags with which a browser takes text for a page: WHATWG's, and what else begins one.
_PAGE = re.compile(
    r"<(?:!doctype\s+(?:html|svg)|html|head|body|script|iframe|svg|style|title|meta|link|base|table"
    r"|form|img|object|embed|applet|frameset|video|audio|math|template|details|marquee|div|font"
    r"|center|h[1-6]|br|hr|p|a|b|i|u|\?php)(?=[\s/>:]|$)",
    re.IGNORECASE,
)
#: What makes an XML document one that runs.
_XML_RUNS = re.compile(
    r"http://www\.w3\.org/(?:1999/xhtml|2000/svg|1999/xsl)|<\?xml-stylesheet|<!ENTITY"
    r"|<(?:[a-z_][\w.-]*:)?(?:script|svg|html|stylesheet)\b",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"\s*")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_VIDEO_CODECS = (b"V_VP8", b"V_VP9", b"V_AV1", b"V_MPEG", b"V_MS/", b"V_THEORA", b"V_PRORES")
_OLE_START = bytes.fromhex("d0cf11e0a1b11ae1")
_INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")
_ENTRIES = 20_000
_MIMETYPE_LONGEST = 200
_CONTAINER_HEAD = 256 * 1024


def sniff(data: bytes, type: MediaType, filename: str = "") -> Kind:
    """Return what a file is that came as `type`.

    Raises NotKept for an empty one, what runs or may run in a browser (programs, scripts,
    HTML, SVG, macros), and an image, sound, video or sticker that is none.
    """
    if not data:
        raise NotKept("the file is empty")
    kind = _kind(data, filename)
    if not _fits(kind.mime, type):
        raise NotKept(f"sent as {_a(type)}, but its content is {kind.mime}")
    return kind


def _a(type: str) -> str:
    return f"{'an' if type[0] in 'aeiou' else 'a'} {type}"


def _fits(mime: str, type: MediaType) -> bool:
    family = mime.partition("/")[0]
    if type == "image":
        return family == "image"
    if type == "sticker":
        # Telegram's animated ones are gzipped, https://core.telegram.org/stickers
        return family == "image" or mime in ("video/webm", "application/gzip")
    if type in ("audio", "voice", "video"):
        # Containers tell badly which of the two they hold; an animation may be a GIF.
        return family in ("audio", "video") or (type == "video" and mime == "image/gif")
    return True


def _kind(data: bytes, filename: str) -> Kind:
    found = _by_signature(data) or _container(data)
    if found is not None:
        return found
    text = _text(data)
    if text is not None:
        return _written(text, filename)
    for start, what in _PROGRAMS:
        if data.startswith(start):
            raise NotKept(f"the file is {what}")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    if data.startswith(_OLE_START):
        return _ole(data, filename)
    _refuse_name(filename)
    return _by_puremagic(data)


def _by_signature(data: bytes) -> Kind | None:
    for offset, magic, kind in _SIGNATURES:
        if data.startswith(magic, offset):
            return kind
    return None


def _container(data: bytes) -> Kind | None:
    """Return the kind of a file whose signature needs more than a look at a few bytes."""
    head = data[:_CONTAINER_HEAD]
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return Kind("audio/aiff", ("aiff", "aif"))
    if data[:4] == b"OggS":
        return _OGG[b"\x80theora" in head[:4096]]
    if data[:4] == b"\x1a\x45\xdf\xa3":
        kinds = _WEBM if b"webm" in head[:64] else _MATROSKA if b"matroska" in head[:64] else None
        return kinds and kinds[not any(codec in head for codec in _VIDEO_CODECS)]
    if data[4:8] == b"ftyp":
        return _iso_media(data)
    if data[:2] == b"BM" and len(data) >= 26 and struct.unpack_from("<I", data, 14)[0] in _DIB:
        return _BMP
    if len(data) > 4 and data[0] == 0xFF:
        if data[1] & 0xF6 == 0xF0:
            return _AAC
        # MPEG audio: a version, layer, rate and frequency that exist.
        version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
        rate, frequency = data[2] >> 4, data[2] >> 2 & 3
        # Of layers II and III: I is no more in use, and begins like text in UTF-16.
        exists = version != 1 and layer in (1, 2) and rate not in (0, 15) and frequency != 3
        if data[1] & 0xE0 == 0xE0 and exists:
            return _MP3
    return None


#: Sizes of a bitmap's second header, by which versions of it are told.
_DIB = (12, 40, 52, 56, 64, 108, 124)


def _iso_media(data: bytes) -> Kind | None:
    size = min(struct.unpack_from(">I", data)[0], 1024, len(data))
    brands = [data[8:12], *(data[n : n + 4] for n in range(16, size - 3, 4))]
    if brands[0] in _BRANDS:
        found = [_BRANDS[b] for b in brands if b in _BRANDS]
        # "mif1" is of all still images; what else there is says of which.
        return next((k for k in found if k.mime != "image/heif"), found[0])
    if brands[0] == b"qt  ":
        return _QUICKTIME
    kinds = _3GP if brands[0][:3] in (b"3gp", b"3gr", b"3gs", b"3ge", b"3gg") else _MP4
    if brands[0][:3] in (b"M4A", b"M4B"):
        return kinds[1]
    handlers = {data[m.start() + 12 : m.start() + 16] for m in re.finditer(b"hdlr", data)}
    return kinds[b"vide" not in handlers and b"soun" in handlers]


def _zip(data: bytes) -> Kind:
    names, mimetype = _listed(data)
    for name in names:
        base = name.rpartition("/")[2]
        if base in ("androidmanifest.xml", "appxmanifest.xml") or name == "meta-inf/manifest.mf":
            raise NotKept("the file is a program in an archive")
        if base == "vbaproject.bin":
            raise NotKept("the document has macros")
    if mimetype in _MIMETYPES:
        if any(name.startswith(("basic/", "scripts/")) for name in names):
            raise NotKept("the document has macros")
        return Kind(mimetype, _MIMETYPES[mimetype])
    if "[content_types].xml" in names:
        for folder, kind in _OFFICE.items():
            if any(name.startswith(folder) for name in names):
                return kind
    for name in names:
        ending = name.rstrip(" .").rpartition(".")[2]
        if ending in _RUN_AT_A_CLICK:
            raise NotKept(f"the archive has a .{ending} in it, which can be run")
    return _ZIP


def _listed(data: bytes) -> tuple[list[str], str]:
    """Return the names in an archive, in lower case, and its entry ``mimetype``.

    Raises NotKept for an archive that cannot be listed, or not in a short time.
    """
    end = data.rfind(b"PK\x05\x06")
    if int.from_bytes(data[end + 10 : end + 12], "little") > _ENTRIES:
        raise NotKept(f"an archive of more than {_ENTRIES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            mimetype = ""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < _MIMETYPE_LONGEST:
                mimetype = archive.read("mimetype").decode("ascii", "replace").strip()
    except Exception:
        # zipfile lets many errors out of a file that only begins like an archive.
        raise NotKept("a damaged archive") from None
    return [name.lower().lstrip("/") for name in names], mimetype


def _ole(data: bytes, filename: str) -> Kind:
    def has(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if _INSTALLER in data:
        raise NotKept("the file is a Windows installer")
    if has("_VBA_PROJECT"):
        raise NotKept("the document has macros")
    for name, kind in _OLE.items():
        if has(name):
            return kind
    _refuse_name(filename)
    return Kind(UNKNOWN)


def _text(data: bytes) -> str | None:
    """Return a file's words when it has nothing but words."""
    encoding = "utf-8-sig"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if b"\x00" in data or re.search(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]", data):
            return None
        # Of an 8-bit character set, which one does not matter here.
        text = data.decode("latin-1")
    return None if _CONTROLS.search(text) else text


def _written(text: str, filename: str) -> Kind:
    """Return the kind of a text. Raises NotKept for one that a system or a browser would run."""
    if text.startswith(("#!", "#@~^")):
        raise NotKept("the file is a script")
    if _PAGE.match(_beginning(text)):
        raise NotKept("the file is a page for a browser (HTML or SVG)")
    _refuse_name(filename)
    begins = text.lstrip()[:64]
    if begins.startswith("<?xml") or (begins.startswith("<") and text.rstrip().endswith(">")):
        if _XML_RUNS.search(text):
            raise NotKept("the file is a page for a browser (HTML or SVG)")
        return Kind("application/xml", ("xml",))
    if begins.upper().startswith("BEGIN:VCARD"):
        return Kind("text/vcard", ("vcf",))
    if begins.upper().startswith("BEGIN:VCALENDAR"):
        return Kind("text/calendar", ("ics",))
    if filename.lower().endswith((".csv", ".tsv")):
        return Kind("text/csv", ("csv", "tsv"))
    return Kind(_TEXT, ("txt", "log", "md", "json", "eml", "text", "yml", "yaml", "ini", "conf"))


def _beginning(text: str) -> str:
    """Return a text from its first tag on, without declaration and comments.

    A comment that is never closed is taken for a page: a browser would.
    """
    at = 0
    while True:
        at = _BLANKS.match(text, at).end()  # type: ignore[union-attr]
        for opening, closing in (("<!--", "-->"), ("<?xml", "?>")):
            if text.startswith(opening, at):
                end = text.find(closing, at)
                if end < 0:
                    return "<html>"
                at = end + len(closing)
                break
        else:
            return text[at : at + 64]


def _refuse_name(filename: str) -> None:
    """Refuse a name that makes a system run what has no form of its own. Raises NotKept."""
    _, dot, ending = filename.rstrip(" .").lower().rpartition(".")
    if dot and ending in _RUN_BY_NAME:
        raise NotKept(f"its name ends in .{ending}, which can be run")


def _by_puremagic(data: bytes) -> Kind:
    try:
        found = puremagic.magic_string(data)
    except (puremagic.PureError, ValueError):
        return Kind(UNKNOWN)
    best = next((f for f in found if f.mime_type), None)
    if best is None or best.extension.lstrip(".").lower() in _RUN_BY_NAME:
        return Kind(UNKNOWN)
    family = best.mime_type.partition("/")[0]
    # Of short signatures it is not sure, and half of what it knows are programs.
    if family not in ("image", "audio", "video") or "svg" in best.mime_type:
        return Kind(UNKNOWN)
    return Kind(best.mime_type, (best.extension.lstrip("."),))
