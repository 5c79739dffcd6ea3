"""Files sent to and from the phones, kept in memory and bounded."""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections import OrderedDict
from dataclasses import dataclass

_KEEP_FILES = 500
_KEEP_BYTES = 200 * 1024 * 1024

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF8", "image/gif", "gif"),
    (b"%PDF-", "application/pdf", "pdf"),
    (b"OggS", "audio/ogg", "ogg"),
)


@dataclass(frozen=True, slots=True)
class File:
    """Bytes with a media type found out from them, not from what the sender said."""

    id: str
    data: bytes
    mime: str
    extension: str
    filename: str = ""

    @property
    def sha256(self) -> str:
        """The hexadecimal SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def kind_of(data: bytes) -> tuple[str, str]:
    """Return media type and file name extension by the first bytes."""
    for magic, mime, extension in _MAGIC:
        if data.startswith(magic):
            return mime, extension
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", "webp"
    if data[4:8] == b"ftyp":
        return "video/mp4", "mp4"
    return "application/octet-stream", "bin"


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
