"""Turn rich content into what a channel can do, one request each.

A row of the outbox is exactly one request to the provider, so that "was it sent"
has one answer. Rendering therefore happens before rows are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import regex

from bot.message import Choices, Contact, Content, Location, Media, Option, Text
from connectors.base import Capabilities

# A border is tried from the best to the worst; each pattern matches the text that
# stays on the left side, and sees one character more than fits, so that "3.14" or a
# link is not taken for the end of a sentence. Graphemes come last, so that no emoji
# sequence, accent or surrogate pair is ever cut.
_BORDERS = (
    regex.compile(r".*\n\s*\n", regex.S),
    regex.compile(r".*(?:[.!?…][\"'”’)\]]*(?=\s)|[。！？][」』”]?(?=.))\s*", regex.S),
    regex.compile(r".*\s", regex.S),
)
_LINK = regex.compile(r"(?:https?://|www\.)\S+", regex.I)
# Kinds of media that carry their words with them; elsewhere they follow as text.
_CAPTIONED = ("image", "video", "document")
_GRAPHEME = regex.compile(r"\X")


def characters(text: str) -> int:
    """Return the length in Unicode code points."""
    return len(text)


def utf16(text: str) -> int:
    """Return the length in UTF-16 code units, as Telegram counts."""
    return len(text) + sum(c > "\uffff" for c in text)


COUNTERS: dict[str, Callable[[str], int]] = {"characters": characters, "utf16": utf16}


def split(text: str, limit: int, count: Callable[[str], int]) -> list[str]:
    """Cut `text` into parts of at most `limit` (counted by `count`).

    The border is a paragraph, a sentence, a word or a grapheme, whichever keeps at
    least half of the room used; a link that would fit into one part stays whole. Only
    white space at the cuts is dropped. A single grapheme longer than the limit is cut
    by code points.
    """
    parts: list[str] = []
    rest = text.strip()
    while count(rest) > limit:
        cut = _cut(rest, len(_fitting(rest, limit, count)), limit, count)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        parts.append(rest)
    return [p for p in parts if p]


def _cut(text: str, room: int, limit: int, count: Callable[[str], int]) -> int:
    """Return where to cut `text`, of which `room` characters fit."""
    for border in _BORDERS:
        found = border.match(text, endpos=room + 1)
        if found is None or count(found.group()) * 2 < limit:
            continue
        cut: int = found.end()
        # A blank can be the base of a combining mark, or half of a CR LF.
        last = _GRAPHEME.match(text, cut - 1)
        if last is not None and last.end() == cut:
            return cut
    for link in _LINK.finditer(text):
        if link.start() >= room:
            break
        if link.start() > 0 and room < link.end() and count(link.group()) <= limit:
            return int(link.start())
    return room


def _fitting(text: str, limit: int, count: Callable[[str], int]) -> str:
    """Return the longest run of whole graphemes at the start of `text` that fits."""
    used = end = 0
    for found in _GRAPHEME.finditer(text):
        size = count(found.group())
        if used + size > limit:
            break
        used += size
        end = found.end()
    if end:
        return text[:end]
    while used < limit and end < len(text) and used + count(text[end]) <= limit:
        used += count(text[end])
        end += 1
    return text[: max(end, 1)]


def shorten(text: str, limit: int, count: Callable[[str], int] = characters) -> str:
    """Return `text`, cut with an ellipsis when it is longer than `limit`."""
    if count(text) <= limit:
        return text
    return _fitting(text, limit - 1, count).rstrip() + "…"


def render(content: Content, can: Capabilities) -> list[Content]:
    """Return `content` as the contents of one request each that the channel can send.

    Nothing is dropped: what has no native form becomes text. An empty text yields
    nothing, for no provider takes one.
    """
    count = COUNTERS[can.text_unit]
    if isinstance(content, Text):
        return [Text(part) for part in split(content.text, can.text_limit, count)]
    if isinstance(content, Choices):
        return _choices(content, can, count)
    if isinstance(content, Media):
        return _media(content, can, count)
    if content.kind in can.kinds_out:
        return [content]
    return render(Text(_as_text(content)), can)


def _choices(content: Choices, can: Capabilities, count: Callable[[str], int]) -> list[Content]:
    native = max(can.buttons, can.list_rows)
    if not content.options:
        return render(Text(content.text), can)
    if "choices" not in can.kinds_out or len(content.options) > native:
        lines = [f"{n}. {o.title}" for n, o in enumerate(content.options, 1)]
        return render(Text("\n".join([content.text, *lines])), can)
    limit = can.choices_text_limit or can.text_limit
    *before, question = split(content.text, limit, count) or ["…"]
    options = tuple(
        Option(title, o.payload, o.description)
        for title, o in zip(
            _titles(content.options, can.button_title), content.options, strict=True
        )
    )
    return [*(Text(part) for part in before), Choices(question, options)]


def _titles(options: Sequence[Option], limit: int) -> list[str]:
    """Return titles that fit and differ: shortened ones may be alike, and no channel takes that."""
    short = [shorten(o.title, limit) for o in options]
    if len(set(short)) == len(short):
        return short
    return [shorten(f"{n}. {o.title}", limit) for n, o in enumerate(options, 1)]


def _media(content: Media, can: Capabilities, count: Callable[[str], int]) -> list[Content]:
    if "media" not in can.kinds_out:
        return render(Text("\n".join(filter(None, (content.caption, content.url)))), can)
    if content.type in _CAPTIONED and count(content.caption) <= can.caption_limit:
        return [content]
    if not content.caption:
        return [content]
    return [replace(content, caption=""), *render(Text(content.caption), can)]


def _as_text(content: Content) -> str:
    if isinstance(content, Location):
        place = ", ".join(filter(None, (content.name, content.address)))
        return f"{place}\n{content.latitude:.6f}, {content.longitude:.6f}".strip()
    if isinstance(content, Contact):
        return "\n".join([content.name, *content.phones, *content.emails])
    return ""
