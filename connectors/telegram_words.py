"""Words for Telegram: light Markdown as entities, never as a parse mode.

https://core.telegram.org/bots/api#messageentity and #formatting-options. Entities cannot
break: a text that looks like markup, or holds half of it, goes out as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from telegram import MessageEntity

from bot.message import Card, clean
from connectors import markup
from connectors.lengths import utf16
from connectors.markup import Mark

STYLES = {
    "bold": MessageEntity.BOLD,
    "italic": MessageEntity.ITALIC,
    "strike": MessageEntity.STRIKETHROUGH,
    "code": MessageEntity.CODE,
    "pre": MessageEntity.PRE,
    "link": MessageEntity.TEXT_LINK,
}


def styled(text: str, most: int) -> tuple[str, list[MessageEntity] | None]:
    """Return words and their entities; `most` is the length that may be used."""
    words, marks = markup.entities(clean(text))
    for mark in sorted(marks, key=lambda m: -m.end):
        if mark.style == "link" and not is_link(mark.url):
            words, marks = _spelt_out(words, marks, mark, most)
    return words, _entities(words, marks)


def _spelt_out(words: str, marks: Sequence[Mark], link: Mark, most: int) -> tuple[str, list[Mark]]:
    """Write out an address that Telegram takes for no link, behind its words, where it fits."""
    others = [m for m in marks if m != link]
    address = re.sub(r"^(?:mailto|tel):", "", link.url)
    # Telegram itself makes links of mail addresses and telephone numbers.
    added = "" if address == words[link.start : link.end] else f" ({address})"
    if utf16(words + added) > most:
        return words, others
    at, by = link.end, len(added)
    return words[:at] + added + words[at:], [
        replace(
            m,
            start=m.start + by if m.start >= at else m.start,
            end=m.end + by if m.end > at else m.end,
        )
        for m in others
    ]


def _entities(words: str, marks: Sequence[Mark]) -> list[MessageEntity] | None:
    """Return marks as Telegram takes them, None for none.

    https://core.telegram.org/bots/api#formatting-options: code holds no other style and is
    in none, so these are cut around it; in a link it is left out.
    """
    links = [m for m in marks if m.style == "link"]
    literal = [
        m
        for m in marks
        if m.style in ("code", "pre") and not any(_holds(link, m) for link in links)
    ]
    made: list[Mark] = [*links, *literal]
    for mark in marks:
        if mark.style in ("link", "code", "pre"):
            continue
        at = mark.start
        for hole in sorted((h for h in literal if _holds(mark, h)), key=lambda h: h.start):
            made.append(replace(mark, start=at, end=hole.start))
            at = hole.end
        made.append(replace(mark, start=at))
    made = sorted((m for m in made if m.start < m.end), key=lambda m: (m.start, -m.end))
    return [
        MessageEntity(
            STYLES[mark.style],
            utf16(words[: mark.start]),
            utf16(words[mark.start : mark.end]),
            url=mark.url or None,
        )
        for mark in made
    ] or None


def _holds(outer: Mark, inner: Mark) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def is_link(url: str) -> bool:
    """Tell whether Telegram takes an address for a link; one of a host without a dot it refuses.

    See ``LinkManager::check_link`` in https://github.com/tdlib/td.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        # Reading it raises ValueError when it is none.
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in host.strip(".") and port != 0


def card_words(card: Card) -> tuple[str, list[MessageEntity] | None]:
    """Return a card's words, which are no Markdown: its title in bold, its link on the first."""
    title, text, url = clean(card.title).strip(), clean(card.text).strip(), clean(card.url)
    words = "\n".join(filter(None, (title, text)))
    if url and not (words and is_link(url)):
        words = "\n".join(filter(None, (words, url)))
        url = ""
    marks = [Mark(0, len(title), "bold")] if title else []
    if url:
        marks.append(Mark(0, len(title or text), "link", url))
    return words, _entities(words, marks)
