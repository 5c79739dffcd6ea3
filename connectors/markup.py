"""Light formatting of outbound words: a small part of Markdown, and how channels write it.

Designers and agents write ``**bold**``, ``_italic_`` or ``*italic*``, ``~~struck~~``,
`` `code` ``, a fenced block, and ``[words](https://…)``; ``\\`` before a sign takes it for
itself. All else, headings and lists above all, stays as it was written. The grammar is
CommonMark's inline part, read by markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Style = Literal["bold", "italic", "strike", "code", "pre", "link"]

_STYLES: dict[str, Style] = {"strong": "bold", "em": "italic", "s": "strike", "link": "link"}
_READER = MarkdownIt("zero").enable(["emphasis", "strikethrough", "backticks", "link", "escape"])
_FENCE = re.compile(r"^```[^\n`]*\n(.*?)\n?^```[ \t]*$", re.S | re.M)
_SIGNS = re.compile(r"([\\`*_~\[\]])")
_HTTP = re.compile(r"(?:https?://|mailto:|tel:)\S+", re.I)
# Signs that are none, which CommonMark takes for some: a product ("5*3*2"), and all that
# stands in the address of a page.
_BETWEEN = re.compile(r"(?<=[A-Za-z0-9])\*+(?=[A-Za-z0-9])")
_ADDRESS = re.compile(r"(?<!\]\()(?:https?://|www\.)[^\s\])<>`]+", re.I)
_CODE = re.compile(r"(`+[^`]+`+)")
# Without any of these a text is what it says; most texts have none.
_ANY = re.compile(r"[\\`*_~\[]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A style from `start` to `end`, code points of the text; `url` is a link's."""

    start: int
    end: int
    style: Style
    url: str = ""


def escape(text: str) -> str:
    """Return `text` so that it is shown as it is, whatever signs it holds."""
    return _SIGNS.sub(r"\\\1", text)


def entities(text: str) -> tuple[str, list[Mark]]:
    """Return the words of a text and their styles, outer before inner."""
    if not _ANY.search(text):
        return text, []
    words = ""
    marks: list[Mark] = []
    at = 0
    for fence in _FENCE.finditer(text):
        words = _inline(text[at : fence.start()], words, marks)
        begin = len(words)
        words += fence[1]
        if fence[1]:
            marks.append(Mark(begin, len(words), "pre"))
        at = fence.end()
    words = _inline(text[at:], words, marks)
    # They were met inner first.
    return words, sorted(reversed(marks), key=lambda m: (m.start, -m.end))


def _inline(text: str, words: str, marks: list[Mark]) -> str:
    open_marks: list[tuple[int, str, str]] = []
    # The reader drops what surrounds the text.
    lead = text[: len(text) - len(text.lstrip())]
    tail = text[len(text.rstrip()) :] if text.strip() else ""
    words += lead
    for token in _children(text.strip()):
        kind = token.type
        if kind == "text":
            words += token.content
        elif kind in ("softbreak", "hardbreak"):
            words += "\n"
        elif kind == "code_inline":
            marks.append(Mark(len(words), len(words) + len(token.content), "code"))
            words += token.content
        elif kind.endswith("_open"):
            url = str(token.attrs.get("href", ""))
            open_marks.append((len(words), kind[: -len("_open")], url))
        elif kind.endswith("_close"):
            start, name, url = open_marks.pop()
            if start < len(words) and (name != "link" or _HTTP.fullmatch(url)):
                marks.append(Mark(start, len(words), _STYLES[name], url))
        else:
            words += token.content
    return words + tail


def _children(text: str) -> Sequence[Token]:
    if not text:
        return []
    return _READER.parseInline(_tamed(text), {})[0].children or []


def _tamed(text: str) -> str:
    parts = _CODE.split(text)
    for n in range(0, len(parts), 2):
        parts[n] = _ADDRESS.sub(_escaped_address, parts[n])
        parts[n] = _BETWEEN.sub(lambda found: "\\*" * len(found[0]), parts[n])
    return "".join(parts)


def _escaped_address(found: re.Match[str]) -> str:
    # Signs at its end are those of a text that ends with it.
    address = found[0].rstrip("*_~")
    return re.sub(r"(?<!\\)([*_~])", r"\\\1", address) + found[0][len(address) :]


def plain(text: str) -> str:
    """Return the words alone; a link is followed by its address in brackets."""
    words, marks = entities(text)
    return _with_addresses(words, marks)


def _with_addresses(words: str, marks: Sequence[Mark]) -> str:
    for mark in sorted(marks, key=lambda m: -m.end):
        shown = words[mark.start : mark.end]
        address = re.sub(r"^(?:mailto|tel):", "", mark.url)
        if mark.style == "link" and address != shown:
            words = f"{words[: mark.end]} ({address}){words[mark.end :]}"
    return words


# https://faq.whatsapp.com/539178204879377 (how to format your messages)
_WHATSAPP = {"bold": "*", "italic": "_", "strike": "~", "code": "`", "pre": "```"}


def whatsapp(text: str) -> str:
    """Write it as WhatsApp reads it: ``*bold*``, ``_italic_``, ``~struck~``, code in ticks.

    A sign counts there only between words; where it would stand inside one the style is
    left out, for the customer would see the bare sign.
    """
    words, marks = entities(text)
    signs: list[tuple[int, bool, int, str]] = []
    # `marks` has outer ones first: of those that begin or end together the outer stands
    # farther out.
    for depth, mark in enumerate(marks):
        inner = words[mark.start : mark.end]
        sign = _WHATSAPP.get(mark.style)
        if mark.style == "link":
            address = re.sub(r"^(?:mailto|tel):", "", mark.url)
            if address != inner:
                signs.append((mark.end, False, -depth, f" ({address})"))
        elif sign and _stands_alone(words, mark) and (mark.style == "pre" or "\n" not in inner):
            signs.append((mark.start, True, depth, sign))
            signs.append((mark.end, False, -depth, sign))
    # From the end, so that the places stay right.
    for at, _, _, sign in sorted(signs, reverse=True):
        words = words[:at] + sign + words[at:]
    return words


def _stands_alone(words: str, mark: Mark) -> bool:
    before, after = words[: mark.start][-1:], words[mark.end : mark.end + 1]
    inner = words[mark.start : mark.end]
    return not (before.isalnum() or after.isalnum() or inner != inner.strip())


def write(words: str, marks: Sequence[Mark]) -> str:
    """Return Markdown that `entities` reads as these words and styles.

    Styles that CommonMark cannot write there (one beginning inside a word where another
    ends) are left out rather than shown as bare signs.
    """
    if not marks and entities(words) == (words, []):
        return words
    for kept in (marks, [m for m in marks if m.style == "link"]):
        written = _write(words, kept)
        if entities(written)[0] == words:
            return written
    return escape(words)


def _write(words: str, marks: Sequence[Mark]) -> str:
    signs = {"bold": "**", "italic": "*", "strike": "~~", "code": "`"}
    openings: dict[int, str] = {}
    closings: dict[int, str] = {}
    for mark in marks:
        opening = closing = signs.get(mark.style, "")
        if mark.style == "link":
            opening, closing = "[", f"]({mark.url})"
        elif mark.style == "pre":
            opening = ("" if words[: mark.start][-1:] in ("", "\n") else "\n") + "```\n"
            closing = "\n```" + ("" if words[mark.end :][:1] in ("", "\n") else "\n")
        # `marks` has outer ones first: they open first and close last.
        openings[mark.start] = openings.get(mark.start, "") + opening
        closings[mark.end] = closing + closings.get(mark.end, "")
    literal = [range(m.start, m.end) for m in marks if m.style in ("code", "pre")]
    written = ""
    for at, sign in enumerate(words):
        written += closings.get(at, "") + openings.get(at, "")
        written += sign if any(at in r for r in literal) else escape(sign)
    return written + closings.get(len(words), "")


def part(words: str, marks: Sequence[Mark], start: int, end: int) -> str:
    """Return the Markdown of a part of the words, with the styles that reach into it."""
    inside = [
        replace(m, start=max(m.start, start) - start, end=min(m.end, end) - start)
        for m in marks
        if m.start < end and m.end > start
    ]
    return write(words[start:end], inside)


def _words(text: str) -> str:
    return entities(text)[0]


#: How a text is written for the channel, as far as its length goes; by `Capabilities.markup`.
WRITERS: dict[str, Callable[[str], str]] = {
    "none": plain,
    "whatsapp": whatsapp,
    "entities": _words,
}
