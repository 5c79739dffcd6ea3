"""What is done to a file before a model gets it: pictures packed anew, recordings measured."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from bot.sandbox.letters import drawn, seen
from bot.sandbox.voices import heard, spoken
from bot.senses import picture
from bot.senses.contract import TooLarge, WrongFormat
from bot.senses.picture import SIDE, packed
from bot.senses.sound import seconds


def made(
    width: int = 30, height: int = 20, format: str = "PNG", mode: str = "RGB", **how: Any
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), how.pop("colour", 0)).save(out, format, **how)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_every_usual_kind_of_picture_becomes_a_jpeg(format: str) -> None:
    image = opened(packed(made(format=format)))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (30, 20))


def test_a_large_one_becomes_small_and_keeps_its_shape() -> None:
    assert opened(packed(made(4000, 1000))).size == (SIDE, SIDE // 4)


def test_it_is_turned_upright_and_nothing_else_of_its_exif_is_sent() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "at home, 14 Mill Lane"
    exif.get_ifd(0x8825)[2] = (51.0, 45.0, 33.0)
    data = made(40, 10, "JPEG", exif=exif.tobytes())
    assert b"Mill Lane" in data
    sent = packed(data)
    assert b"Mill Lane" not in sent
    assert b"Exif" not in sent
    assert opened(sent).size == (10, 40)


@pytest.mark.parametrize("turn", [0, 9, 255, 65535])
def test_a_turn_that_there_is_not_is_none(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    assert opened(packed(made(40, 10, "JPEG", exif=exif.tobytes()))).size == (40, 10)


def test_what_is_transparent_becomes_white() -> None:
    image = opened(packed(made(mode="RGBA", colour=(0, 0, 0, 0))))
    assert image.getpixel((5, 5)) == (255, 255, 255)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("size", [(60_000, 60_000), (10_000, 5_001), (2**31 - 1, 2)])
def test_a_bomb_is_not_unpacked(size: tuple[int, int]) -> None:
    with pytest.raises(TooLarge):
        packed(bomb(*size))


def test_a_file_of_too_many_bytes_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MOST_BYTES", 50)
    with pytest.raises(TooLarge, match="looked at"):
        packed(made())


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff", b"%PDF-1.7", b"<svg/>", bomb(10, 10)[:45]],
    ids=("nothing", "a beginning", "pdf", "svg", "cut"),
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(WrongFormat):
        packed(data)


def test_damaged_ones_raise_nothing_else() -> None:
    dice = random.Random(7)
    for format in ("PNG", "JPEG", "GIF", "WEBP"):
        whole = made(60, 60, format)
        for _ in range(25):
            data = bytearray(whole)
            for _ in range(dice.randint(1, 8)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            try:
                packed(bytes(data))
            except (TooLarge, WrongFormat):
                continue


@pytest.mark.parametrize("paper", ["white", "brown", "blue"])
def test_letters_of_the_sandbox_are_read_after_packing(paper: str) -> None:
    found = seen(packed(drawn("Larkfield Goods\nOrder 1042\nWM gqy {}@#~!", paper)))
    assert found.lines == ("Larkfield Goods", "Order 1042", "WM gqy {}@#~!")
    assert found.colour == paper


def test_a_picture_without_letters_has_a_colour_and_a_size() -> None:
    found = seen(made(300, 200, colour=(30, 60, 200)))
    assert (found.lines, found.colour, found.width, found.height) == ((), "blue", 300, 200)


# recordings


def wav(length: float, rate: int = 8000) -> bytes:
    data = bytes(round(length * rate))
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, rate, rate, 1, 8)
    return head + struct.pack("<4sI", b"data", len(data)) + data


def mp4(length: int, scale: int = 1000) -> bytes:
    head = struct.pack(">IIIII", 0, 0, 0, scale, length * scale)
    return struct.pack(">I4s4sI", 16, b"ftyp", b"M4A ", 0) + b"\0\0\0\x6cmvhd" + head + bytes(80)


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (spoken("hello", 12.0), 12.0),
        (b"#!AMR\n" + (b"\x3c" + bytes(31)) * 100, 2.0),
        (b"#!AMR-WB\n" + (b"\x44" + bytes(60)) * 50, 1.0),
        (wav(3.0), 3.0),
        (mp4(7), 7.0),
        ((b"\xff\xfb\x90\x64" + bytes(413)) * 77, 2.0),
    ],
    ids=("ogg", "amr", "amr-wb", "wav", "mp4", "mp3"),
)
def test_formats_say_how_long_a_recording_is(data: bytes, length: float) -> None:
    told = seconds(data)
    assert told == pytest.approx(length, abs=0.05)


def test_a_file_that_is_made_to_be_counted_for_long_is_not() -> None:
    assert seconds(b"#!AMR\n" + b"\x78" * 700_000) == pytest.approx(10_000.0)


def test_what_does_not_say_so_is_not_guessed_and_raises_nothing() -> None:
    dice = random.Random(3)
    assert seconds(b"\x1aE\xdf\xa3webm") is None
    for whole in (spoken("x", 1), wav(0.1), mp4(1), b"#!AMR\n\x3c", b"ID3\x04", b"\xff\xfb"):
        for cut in range(0, min(len(whole), 120), 3):
            seconds(whole[:cut])
        for _ in range(40):
            data = bytearray(whole)
            data[dice.randrange(len(data))] = dice.randrange(256)
            seconds(bytes(data))


def test_what_is_said_on_the_sandboxs_phones_is_understood() -> None:
    told = heard(spoken("Wo ist meine Bestellung 1042? Grüße 🎁", clear=False))
    assert told is not None
    assert (told.text, told.clear) == ("Wo ist meine Bestellung 1042? Grüße 🎁", False)
    assert heard(wav(1.0)) is None
    marked = heard(wav(0.1) + b"SANDBOX_SAYS=in a WAVE\0")
    assert marked is not None
    assert marked.text == "in a WAVE"
