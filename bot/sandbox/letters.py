"""Pictures with words in them that the sandbox draws, and that its models can read again.

The words are in Pillow's own letters of 6 by 11 dots, four times as large, dark on light, from
a fixed corner on: whoever knows the letters reads them dot by dot, also after the picture was
packed anew as a JPEG. Other pictures are seen as a size and a colour.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_WIDE, _HIGH, _DOT = 6, 11, 4
_MARGIN = 24
#: Letters in a line, and lines; more are not drawn.
COLUMNS, LINES = 40, 12
_PAPER = {
    "white": (245, 245, 240),
    "brown": (205, 170, 125),
    "blue": (170, 195, 235),
    "red": (235, 160, 155),
    "green": (170, 220, 175),
}
_INK = (25, 25, 30)
_DARK = 110
_SPACE = (False,) * (_WIDE * _HIGH)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is in a picture: the lines that stand there, its colour, its size in pixels."""

    lines: tuple[str, ...]
    colour: str
    width: int
    height: int


def drawn(text: str, paper: str = "white") -> bytes:
    """Return a PNG with the lines of a text, ASCII alone. Raises KeyError for another paper."""
    from PIL import Image

    lines = [line[:COLUMNS] for line in text.splitlines()][:LINES]
    columns = max([8, *map(len, lines)])
    small = Image.new("L", (columns * _WIDE, max(len(lines), 4) * _HIGH), 255)
    for n, line in enumerate(lines):
        for column, letter in enumerate(_ascii(line)):
            small.paste(_cell(letter), (column * _WIDE, n * _HIGH))
    large = small.resize((small.width * _DOT, small.height * _DOT), Image.Resampling.NEAREST)
    size = large.width + 2 * _MARGIN, large.height + 2 * _MARGIN
    picture = Image.new("RGB", size, _PAPER[paper])
    ink = Image.new("RGB", large.size, _INK)
    picture.paste(ink, (_MARGIN, _MARGIN), large.point(lambda value: 255 - value))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def seen(data: bytes) -> Seen:
    """Look at a picture. Raises OSError, ValueError for what is none."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        picture = image.convert("RGB")
    average = picture.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return Seen(_lines(picture.convert("L")), _colour(average), picture.width, picture.height)


def _lines(grey: Any) -> tuple[str, ...]:
    known = _letters()
    columns = (grey.width - 2 * _MARGIN) // (_WIDE * _DOT)
    rows = (grey.height - 2 * _MARGIN) // (_HIGH * _DOT)
    dots = grey.load()
    lines: list[str] = []
    for row in range(min(rows, LINES)):
        letters = []
        for column in range(min(columns, COLUMNS)):
            left = _MARGIN + column * _WIDE * _DOT + _DOT // 2
            top = _MARGIN + row * _HIGH * _DOT + _DOT // 2
            cell = tuple(
                dots[left + x * _DOT, top + y * _DOT] < _DARK
                for y in range(_HIGH)
                for x in range(_WIDE)
            )
            letter = known.get(cell)
            if letter is None:
                # No letter is like this: it is a picture of something else.
                return ()
            letters.append(letter)
        lines.append("".join(letters).rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


@lru_cache(maxsize=1)
def _letters() -> dict[tuple[bool, ...], str]:
    found = {_SPACE: " "}
    for letter in map(chr, range(33, 127)):
        found[tuple(value < _DARK for value in _cell(letter).tobytes())] = letter
    return found


def _cell(letter: str) -> Any:
    """Return a letter alone: in a line, some letters of the font reach into the one before."""
    from PIL import Image, ImageDraw, ImageFont

    cell = Image.new("L", (_WIDE, _HIGH), 255)
    font = ImageFont.load_default_imagefont()
    ImageDraw.Draw(cell).text((0, 0), letter, font=font, fill=0)
    return cell


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _colour(average: Any) -> str:
    red, green, blue = (int(value) for value in average)
    if max(red, green, blue) - min(red, green, blue) < 25:
        return "white" if red > 190 else "black" if red < 65 else "grey"
    if red >= green >= blue:
        return "brown" if green > 100 and red - green < 60 else "red"
    return "red" if red == max(red, green, blue) else "green" if green >= blue else "blue"
