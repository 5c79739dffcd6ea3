"""Voice notes that the sandbox's phones record, and that its models understand.

They are whole Ogg files with Opus packets of silence; what is said stands in a comment,
``SANDBOX_SAYS=…`` (https://www.rfc-editor.org/rfc/rfc7845#section-5.2), and how clearly in
``SANDBOX_CLEAR=no``. The same words, up to a NUL, are found in any other kind of file.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

_RATE = 48_000
# One packet of 20 ms that holds silence: https://www.rfc-editor.org/rfc/rfc6716#section-3.1
_SILENCE = b"\xf8\xff\xfe"
_PACKET = 960
_SAYS, _CLEAR = b"SANDBOX_SAYS=", b"SANDBOX_CLEAR=no"
_WORDS_A_SECOND = 2.5
_MARKED = re.compile(re.escape(_SAYS) + rb"([^\x00]*)")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said in a recording, and whether it is to be understood well."""

    text: str
    clear: bool


def spoken(text: str, seconds: float | None = None, *, clear: bool = True) -> bytes:
    """Return a voice note in which somebody says `text`, as long as that takes."""
    length = max(1.0, len(text.split()) / _WORDS_A_SECOND) if seconds is None else seconds
    comments = [_SAYS + text.replace("\x00", "").encode()]
    if not clear:
        comments.append(_CLEAR)
    tags = b"OpusTags" + struct.pack("<I", 9) + b"frontdesk" + struct.pack("<I", len(comments))
    tags += b"".join(struct.pack("<I", len(one)) + one for one in comments)
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 312, _RATE, 0, 0)
    pages = [_page([head], 2, 0, 0), _page([tags], 0, 0, 1)]
    packets = max(1, round(length * _RATE / _PACKET))
    for at in range(0, packets, 50):
        some = min(50, packets - at)
        last = 4 if at + some >= packets else 0
        pages.append(_page([_SILENCE] * some, last, (at + some) * _PACKET, len(pages)))
    return b"".join(pages)


def heard(data: bytes) -> Said | None:
    """Return what is said in a recording, None for one in which the sandbox hears nothing."""
    found = _comment(data) if data.startswith(b"OggS") else None
    if found is None and not data.startswith(b"OggS"):
        marked = _MARKED.search(data)
        found = marked[1] if marked else None
    if found is None:
        return None
    return Said(found.decode("utf-8", "replace").strip(), _CLEAR not in data)


def _comment(data: bytes) -> bytes | None:
    at = data.find(b"OpusTags")
    try:
        (vendor,) = struct.unpack_from("<I", data, at + 8)
        at += 12 + vendor
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
        for _ in range(min(count, 64)):
            (size,) = struct.unpack_from("<I", data, at)
            one = data[at + 4 : at + 4 + size]
            at += 4 + size
            if one.startswith(_SAYS):
                return one[len(_SAYS) :]
    except struct.error:
        return None
    return None


def _page(packets: list[bytes], flags: int, position: int, number: int) -> bytes:
    lacing = b"".join(
        b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets
    )
    if len(lacing) > 255:
        raise ValueError("too much is said for one page, at most about 60,000 characters")
    head = b"OggS\x00" + struct.pack("<BQIII", flags, position, 0x5EED, number, 0)
    page = bytearray(head + bytes([len(lacing)]) + lacing + b"".join(packets))
    struct.pack_into("<I", page, 22, _checksum(page))
    return bytes(page)


def _checksum(data: bytes | bytearray) -> int:
    """The CRC of Ogg: polynomial 0x04c11db7, not reflected, from 0."""
    value = 0
    for byte in data:
        value = ((value << 8) ^ _TABLE[((value >> 24) ^ byte) & 255]) & 0xFFFFFFFF
    return value


def _entry(number: int) -> int:
    value = number << 24
    for _ in range(8):
        value = (value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1
    return value & 0xFFFFFFFF


_TABLE = tuple(map(_entry, range(256)))
