"""Pictures as they are sent to a model: small, upright, and without what is not to be seen.

What customers send is not trusted: a few bytes may unpack to gigabytes, and a photo says in
its EXIF where somebody lives. It is unpacked within limits and packed anew.
"""

from __future__ import annotations

import base64
import io
import threading
import warnings
from typing import Any

from bot.senses.contract import TooLarge, WrongFormat

#: Longest side of what is sent, in pixels. Larger ones are made smaller by OpenAI (2048, then
#: 768 on the short side) and Anthropic (1568) themselves, and charged before it.
#: https://platform.openai.com/docs/guides/images-vision
SIDE = 1568
#: Most bytes of a file, and most pixels of a picture, that are unpacked.
MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000
# What Pillow is to try at all; its other readers have had holes, and no phone sends them.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
_QUALITY = 88
# Of these the size can be changed as they are; others have numbers of colours for pixels.
_SMOOTH = ("RGB", "RGBA", "L", "LA")
# Unpacked, a picture has up to 200 megabytes: one at a time in a process.
_ONE = threading.Lock()


def packed(data: bytes) -> bytes:
    """Return a picture as a JPEG of at most `SIDE` pixels a side, with nothing beside pixels.

    Of one that moves it is the first. What is transparent becomes white. Raises TooLarge,
    WrongFormat.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"the picture has {len(data)} bytes, {MOST_BYTES} are looked at")
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow's own limit is a warning first; ours is checked before anything is unpacked.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise TooLarge(f"the picture has {width} x {height} pixels")
                if width < 1 or height < 1:
                    raise WrongFormat("the picture has no pixels")
                turn = image.getexif().get(0x0112, 1)
                mode = "RGBA" if _transparent(image) else "RGB"
                with _ONE:
                    # Small before anything else is made of it; JPEGs are unpacked small at once.
                    if image.mode in _SMOOTH:
                        image.thumbnail((SIDE, SIDE))
                    small = image.convert(mode)
        small.thumbnail((SIDE, SIDE))
        small = _upright(small, turn, Image)
        if small.mode == "RGBA":
            white = Image.new("RGB", small.size, "white")
            white.paste(small, mask=small.getchannel("A"))
            small = white
        out = io.BytesIO()
        small.save(out, "JPEG", quality=_QUALITY)
        return out.getvalue()
    except (TooLarge, WrongFormat):
        raise
    except Image.DecompressionBombError as error:
        raise TooLarge("the picture unpacks to too many pixels") from error
    except Exception as error:
        # Damaged and hostile files raise whatever a reader stumbles over.
        raise WrongFormat(f"the picture cannot be read ({type(error).__name__})") from error


def data_url(jpeg: bytes) -> str:
    """Return a JPEG as the data URL that models take."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _transparent(image: Any) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _upright(image: Any, turn: object, module: Any) -> Any:
    """Turn a picture as its EXIF orientation says, of which no more is kept."""
    turns = {
        2: module.Transpose.FLIP_LEFT_RIGHT,
        3: module.Transpose.ROTATE_180,
        4: module.Transpose.FLIP_TOP_BOTTOM,
        5: module.Transpose.TRANSPOSE,
        6: module.Transpose.ROTATE_270,
        7: module.Transpose.TRANSVERSE,
        8: module.Transpose.ROTATE_90,
    }
    method = turns.get(turn) if isinstance(turn, int) else None
    return image if method is None else image.transpose(method)
