"""What every importer makes: an article before it is a file."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

#: Largest source that is read, and what one may unpack to, in bytes.
LARGEST, LARGEST_UNPACKED = 20 * 1024 * 1024, 100 * 1024 * 1024

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e"
    r"\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An article to be written. `body` is Markdown without the title.

    Fields as in `bot.knowledge.contract.Article`. `notes` say what was left out.
    """

    title: str
    body: str
    language: str = ""
    url: str = ""
    updated: date | None = None
    tags: tuple[str, ...] = ()
    audience: str = ""
    notes: tuple[str, ...] = ()


def tidy(text: str) -> str:
    """Return text in NFC, with plain line ends, without control and direction characters.

    Characters that turn the direction of text round, or have no width, are how words are
    hidden from whoever reads an article and not from who answers by it.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _UNPRINTABLE.sub("", text).replace("\u00ad", "").replace("\u00a0", " ")
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def one_line(text: str) -> str:
    """Return text as one line, blanks made single."""
    return " ".join(tidy(text).split())


def day(text: str | None) -> date | None:
    """Read the day of an ISO 8601 date or time, None when there is none."""
    found = re.match(r"\s*(\d{4})-(\d{2})-(\d{2})", text or "")
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def title_of_name(name: str) -> str:
    """Return a title made of a file's name without suffix."""
    words = re.sub(r"[-_.]+", " ", name).strip()
    return words[:1].upper() + words[1:]
