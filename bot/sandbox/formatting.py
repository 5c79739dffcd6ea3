"""How the messengers' own apps read formatting: for the phones, which show it as they do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from connectors.markup import Mark, Style

# https://core.telegram.org/bots/api#messageentity
_TELEGRAM: dict[str, Style] = {
    "bold": "bold",
    "italic": "italic",
    "strikethrough": "strike",
    "code": "code",
    "pre": "pre",
    "text_link": "link",
}
# https://faq.whatsapp.com/539178204879377 (how to format your messages)
_SIGNS: dict[str, Style] = {"*": "bold", "_": "italic", "~": "strike"}
_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.S)
_SIGN = re.compile(r"(?<![^\W_])([*_~])(?=\S)([^\n]*?[^\s])\1(?![^\W_])")

Read = tuple[str, list[Mark]]


def shown(words: str, marks: Sequence[Mark]) -> dict[str, Any]:
    """Return a text of `Entry.styled`."""
    return {"words": words, "marks": [asdict(mark) for mark in marks]}


def styled(content: Mapping[str, Any], read: Callable[[str], Read]) -> dict[str, Any]:
    """Return the `Entry.styled` of a content's text or caption, {} without any formatting."""
    found = {}
    for path in ("text", "caption"):
        words, marks = read(str(content.get(path) or ""))
        if marks:
            found[path] = shown(words, marks)
    return found


def entities(text: str, given: Sequence[Mapping[str, Any]]) -> Read:
    """Read Telegram's entities, whose offsets count UTF-16 units."""
    # The code point each unit belongs to, and one more for what ends with the text.
    points = [at for at, sign in enumerate(text) for _ in range(1 + (ord(sign) > 0xFFFF))]
    points.append(len(text))
    marks = []
    for entity in given:
        style = _TELEGRAM.get(str(entity.get("type")))
        start, length = entity.get("offset"), entity.get("length")
        if style is None or not isinstance(start, int) or not isinstance(length, int):
            continue
        end = start + length
        if 0 <= start < end < len(points):
            marks.append(Mark(points[start], points[end], style, str(entity.get("url") or "")))
    return text, sorted(marks, key=lambda m: (m.start, -m.end))


def whatsapp(text: str) -> Read:
    """Read ``*bold*``, ``_italic_``, ``~struck~`` and code in ticks, and take the signs off."""
    words = ""
    marks: list[Mark] = []
    at = 0
    for code in _CODE.finditer(text):
        words = _signs(text[at : code.start()], words, marks)
        begin = len(words)
        words += code[1] or code[2]
        marks.append(Mark(begin, len(words), "pre" if code[1] else "code"))
        at = code.end()
    words = _signs(text[at:], words, marks)
    return words, sorted(marks, key=lambda m: (m.start, -m.end))


def _signs(text: str, words: str, marks: list[Mark]) -> str:
    at = 0
    for found in _SIGN.finditer(text):
        words += text[at : found.start()]
        begin = len(words)
        words = _signs(found[2], words, marks)
        marks.append(Mark(begin, len(words), _SIGNS[found[1]]))
        at = found.end()
    return words + text[at:]
