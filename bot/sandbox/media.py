"""Files sent to and from the phones, kept in memory and bounded."""

from __future__ import annotations

import hashlib
import re
import secrets
import struct
from collections import OrderedDict
from dataclasses import dataclass

from bot.message import MediaType

#: Where the control API gives a file out; its id follows.
MEDIA_PATH = "/control/media/"

_KEEP_FILES = 500
_KEEP_BYTES = 200 * 1024 * 1024

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF8", "image/gif", "gif"),
    (b"%PDF-", "application/pdf", "pdf"),
    (b"OggS", "audio/ogg", "ogg"),
    (b"ID3", "audio/mpeg", "mp3"),
    (b"#!AMR", "audio/amr", "amr"),
    (b"PK\x03\x04", "application/zip", "zip"),
)
_RIFF = {b"WEBP": ("image/webp", "webp"), b"WAVE": ("audio/wav", "wav")}
# Major brands of ISO media files that hold sound alone.
_SOUND_BRANDS = (b"M4A ", b"M4B ")
_MARKUP = re.compile(rb"\s*<[!?a-zA-Z]")
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class File:
    """Bytes with a media type found out from them, not from what the sender said."""

    id: str
    data: bytes
    mime: str
    extension: str
    filename: str = ""

    @property
    def url(self) -> str:
        """Where the control API gives it out, from the path on."""
        return f"{MEDIA_PATH}{self.id}"

    @property
    def type(self) -> MediaType:
        """What it is to the customer who sends it."""
        return type_of(self.mime)

    @property
    def sha256(self) -> str:
        """The hexadecimal SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def kind_of(data: bytes) -> tuple[str, str]:
    """Return media type and file name extension by what the bytes are."""
    for magic, mime, extension in _MAGIC:
        if data.startswith(magic):
            return mime, extension
    if data[:4] == b"RIFF" and data[8:12] in _RIFF:
        return _RIFF[data[8:12]]
    if data[4:8] == b"ftyp":
        sound = data[8:12] in _SOUND_BRANDS or (b"soun" in data and b"vide" not in data)
        return ("audio/mp4", "m4a") if sound else ("video/mp4", "mp4")
    if data.startswith(b"\x1aE\xdf\xa3"):
        # A track of pictures names its codec: V_VP8, V_VP9, V_AV1.
        return ("video/webm", "webm") if b"V_" in data[:4096] else ("audio/webm", "webm")
    if len(data) > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        # The frame header of MPEG audio; layer 0 is AAC in ADTS frames.
        return ("audio/aac", "aac") if data[1] & 0x06 == 0 else ("audio/mpeg", "mp3")
    if data and _is_text(data):
        return "text/plain", "txt"
    return "application/octet-stream", "bin"


def _is_text(data: bytes) -> bool:
    if _MARKUP.match(data):
        return False
    try:
        return not _BINARY.search(data.decode())
    except UnicodeDecodeError:
        return False


def type_of(mime: str) -> MediaType:
    """Return what a file is to the customer who sends it, by its media type."""
    types: dict[str, MediaType] = {"image": "image", "audio": "audio", "video": "video"}
    return types.get(mime.partition("/")[0], "document")


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels of a PNG, GIF or JPEG, None for anything else."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(b"GIF8") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    if not data.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        # The frame headers SOF0..SOF15 hold the size; C4, C8 and CC are no frame headers.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None


class MediaStore:
    """The newest files, at most 500 and at most 200 MiB together."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()
        self._bytes = 0

    def put(self, data: bytes, filename: str = "", *, numeric: bool = False) -> File:
        """Keep a file under a new id, a `numeric` one where the provider's ids are numbers."""
        mime, extension = kind_of(data)
        id_ = str(secrets.randbelow(9 * 10**14) + 10**14) if numeric else secrets.token_urlsafe(24)
        file = File(id_, data, mime, extension, filename)
        self._files[id_] = file
        self._bytes += len(data)
        while len(self._files) > _KEEP_FILES or (
            self._bytes > _KEEP_BYTES and len(self._files) > 1
        ):
            self._bytes -= len(self._files.popitem(last=False)[1].data)
        return file

    def get(self, id_: str) -> File | None:
        """Return a file, None when there is none or it was dropped."""
        return self._files.get(id_)

    def drop(self, id_: str) -> bool:
        """Forget a file; whether there was one."""
        file = self._files.pop(id_, None)
        if file is not None:
            self._bytes -= len(file.data)
        return file is not None
