"""How long a recording is, as its format says; without unpacking it.

Ogg: https://www.rfc-editor.org/rfc/rfc3533 (granule position of the last page), Opus in it:
https://www.rfc-editor.org/rfc/rfc7845 (48 kHz always). AMR: https://www.rfc-editor.org/rfc/rfc4867
(frames of 20 ms). MP4: ISO/IEC 14496-12, ``mvhd``. WAVE: its byte rate.
"""

from __future__ import annotations

import struct

# Bytes of an AMR frame with its header, by mode; those of wideband after them.
_AMR = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)
_AMR_WB = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1)
_FRAME_SECONDS = 0.02
# Frames of AMR that are counted, nearly three hours: of a file that is made for it each would
# be one byte, and 25 million of them take seconds in which nobody else is answered.
_MOST_FRAMES = 500_000
# Bit rates of MPEG audio layer 3, kbit/s, by the header's index, for version 1 and the others.
_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
#: Fewer bytes a second than this no recording has that is to be understood: what a file of a
#: format that does not tell could last at the most is reckoned with it.
LEAST_RATE = 600


def seconds(data: bytes) -> float | None:
    """Return how long a recording is in seconds, None where its format does not say."""
    try:
        if data.startswith(b"OggS"):
            return _ogg(data)
        if data.startswith(b"#!AMR-WB\n"):
            return _amr(data, 9, _AMR_WB)
        if data.startswith(b"#!AMR\n"):
            return _amr(data, 6, _AMR)
        if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
            return _wave(data)
        if data[4:8] == b"ftyp":
            return _mp4(data)
        if data.startswith(b"ID3") or (data[:1] == b"\xff" and data[1] & 0xE0 == 0xE0):
            return _mp3(data)
    except (struct.error, IndexError, ZeroDivisionError):
        return None
    return None


def _ogg(data: bytes) -> float | None:
    at = data.rfind(b"OggS")
    (granule,) = struct.unpack_from("<Q", data, at + 6)
    if granule >= 1 << 62:
        return None
    head = data.find(b"\x01vorbis", 0, 200)
    rate = struct.unpack_from("<I", data, head + 12)[0] if head >= 0 else 48_000
    return float(granule / rate)


def _amr(data: bytes, at: int, sizes: tuple[int, ...]) -> float:
    frames = 0
    while at < len(data) and frames < _MOST_FRAMES:
        at += sizes[(data[at] >> 3) & 0x0F]
        frames += 1
    return frames * _FRAME_SECONDS


def _wave(data: bytes) -> float | None:
    at = data.find(b"fmt ", 12, 4096)
    if at < 0:
        return None
    (rate,) = struct.unpack_from("<I", data, at + 16)
    return float(len(data) / rate)


def _mp4(data: bytes) -> float | None:
    at = data.find(b"mvhd")
    if at < 0:
        return None
    if data[at + 4] == 1:
        scale, length = struct.unpack_from(">IQ", data, at + 24)
    else:
        scale, length = struct.unpack_from(">II", data, at + 16)
    return float(length / scale)


def _mp3(data: bytes) -> float | None:
    at = 0
    if data.startswith(b"ID3"):
        size = data[6:10]
        at = 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    if data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    rates = _RATES_1 if data[at + 1] & 0x18 == 0x18 else _RATES_2
    rate = rates[data[at + 2] >> 4]
    return (len(data) - at) * 8 / (rate * 1000) if rate else None
