"""Turn rich content into what a channel can do, one request each.

A row of the outbox is exactly one request to the provider, so that "was it sent"
has one answer. Rendering therefore happens before rows are made.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import regex

from bot.message import (
    Album,
    Ask,
    Card,
    Cards,
    Choices,
    Contact,
    Content,
    Location,
    Media,
    MediaType,
    Menu,
    Option,
    Products,
    Section,
    Template,
    Text,
)
from connectors import markup
from connectors.base import Capabilities
from connectors.lengths import COUNTERS, characters, most_per_unit

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
# What a type of file is sent as where the channel does not know it.
_PLAINER: dict[MediaType, MediaType] = {"sticker": "image", "voice": "audio"}
_GRAPHEME = regex.compile(r"\X")
# Of products side by side; WhatsApp, which alone has catalogues, takes no more:
# https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/share-products
_PRODUCTS = 30


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
    # Nothing longer can fit, and texts can be long.
    text = text[: limit * most_per_unit(count) + 1]
    ends = [found.end() for found in _GRAPHEME.finditer(text)]
    fitting = bisect.bisect_right(ends, limit, key=lambda end: count(text[:end]))
    if fitting:
        return text[: ends[fitting - 1]]
    # One grapheme is longer than the limit: by code points then.
    end = 1
    while end < len(text) and count(text[: end + 1]) <= limit:
        end += 1
    return text[:end]


def shorten(text: str, limit: int, count: Callable[[str], int] = characters) -> str:
    """Return `text`, cut with an ellipsis when it is longer than `limit`."""
    if count(text) <= limit:
        return text
    return _fitting(text, limit - 1, count).rstrip() + "…"


def render(content: Content, can: Capabilities) -> list[Content]:
    """Return `content` as the contents of one request each that the channel can send.

    Nothing but reactions is dropped: what has no native form becomes text. An empty text yields
    nothing, for no provider takes one.
    """
    if isinstance(content, Text):
        return _text(content, can)
    if isinstance(content, Choices):
        return _choices(content, can)
    if isinstance(content, Menu):
        return _menu(content, can)
    if isinstance(content, Cards):
        return _cards(content, can)
    if isinstance(content, Media):
        return _media(content, can)
    if isinstance(content, Album):
        return [part for item in content.items for part in render(item, can)]
    if isinstance(content, Ask) and content.kind in can.kinds_out:
        *before, question = split_marked(content.text, can.text_limit, can) or ["…"]
        return [*(Text(part) for part in before), replace(content, text=question)]
    if isinstance(content, Products) and content.kind in can.kinds_out:
        return _products(content, can)
    if content.kind in can.kinds_out and not _is_no_card(content, can):
        return [content]
    return render(Text(_as_text(content)), can)


def _is_no_card(content: Content, can: Capabilities) -> bool:
    """Tell whether it is a contact that the channel takes for none: without name or number."""
    if not isinstance(content, Contact) or content.phones:
        return False
    return can.contact_phone or not content.name


def _text(content: Text, can: Capabilities) -> list[Content]:
    parts = split_marked(content.text, can.text_limit, can)
    if not parts:
        return []
    return [*(Text(part) for part in parts[:-1]), Text(parts[-1], content.options)]


def split_marked(text: str, limit: int, can: Capabilities) -> list[str]:
    """Cut formatted text as `split` does; a style that is cut goes on in the next part.

    What counts is the length of a part as the channel writes it.
    """
    count, write = COUNTERS[can.text_unit], markup.WRITERS[can.markup]
    text = text.strip()
    written = write(text)
    if count(written) <= limit:
        # Signs may be all there is: no provider takes a text that shows nothing.
        return [text] if written.strip() else []
    words, marks = markup.entities(text)
    parts: list[str] = []
    at = 0
    while at < len(words):
        room = limit
        while True:
            piece = split(words[at:], room, count)[:1]
            if not piece:
                return parts
            begin = words.index(piece[0], at)
            part = markup.part(words, marks, begin, begin + len(piece[0]))
            over = count(write(part)) - limit
            if over <= 0 or room == 1:
                break
            room = max(room - over, 1)
        parts.append(part)
        at = begin + len(piece[0])
    return parts


def _choices(content: Choices, can: Capabilities) -> list[Content]:
    content = _without_links(content, can)
    options = content.options
    if not options:
        return render(Text(content.text), can)
    if "choices" in can.kinds_out and len(options) <= can.buttons:
        *before, question = _question(content.text, can)
        return [*before, Choices(question, _fitted(options, can.button_title))]
    if "menu" in can.kinds_out and len(options) <= can.list_rows:
        return _menu(Menu(content.text, (Section("", options),)), can)
    return _numbered(content.text, (Section("", options),), can)


def _without_links(content: Choices, can: Capabilities) -> Choices:
    """Write options that open pages into the text where the channel has no buttons for them."""
    linked = [o for o in content.options if o.url]
    lines = [f"{markup.escape(o.title)}: {o.url}" for o in linked]
    many = len(content.options)
    alone = can.link_buttons == "alone" and many == 1
    if not linked or "choices" not in can.kinds_out:
        taken = False
    else:
        fits = many <= can.buttons
        if can.linked_buttons and many > can.linked_buttons:
            # The channel itself will name the pages in the words, if these have the room.
            told = "\n".join([_question(content.text, can)[-1], *lines])
            fits = fits and _written(told, can) <= can.text_limit
        taken = alone or (can.link_buttons == "any" and fits)
    if not linked or taken:
        return content
    rest = tuple(o for o in content.options if not o.url)
    return Choices("\n".join([content.text, *lines]), rest)


def _written(text: str, can: Capabilities) -> int:
    """Return the length of a text as the channel writes it."""
    return COUNTERS[can.text_unit](markup.WRITERS[can.markup](text))


def _question(text: str, can: Capabilities) -> list[Any]:
    """Return texts that go before a question with options, and the question's words last."""
    limit = can.choices_text_limit or can.text_limit
    *before, question = split_marked(text, limit, can) or ["…"]
    return [*(Text(part) for part in before), question]


def _menu(content: Menu, can: Capabilities) -> list[Content]:
    rows = content.options
    if any(o.url for o in rows) or not rows:
        return _choices(Choices(content.text, rows), can)
    if "menu" not in can.kinds_out or len(rows) > can.list_rows:
        if "choices" in can.kinds_out and len(rows) <= can.buttons:
            return _choices(Choices(content.text, rows), can)
        return _numbered(content.text, content.sections, can)
    *before, question = _question(content.text, can)
    fitted = iter(_fitted(rows, can.row_title))
    sections = tuple(
        Section(
            shorten(section.title, can.row_title),
            tuple(
                replace(next(fitted), description=shorten(o.description, can.row_description))
                for o in section.options
            ),
        )
        for section in content.sections
        if section.options
    )
    return [*before, Menu(question, sections, content.button)]


def _products(content: Products, can: Capabilities) -> list[Content]:
    *before, words = _question(content.text, can)
    items = content.items
    packs = [items[n : n + _PRODUCTS] for n in range(0, len(items), _PRODUCTS)] or [items]
    return [
        *before,
        *(replace(content, text="…" if n else words, items=pack) for n, pack in enumerate(packs)),
    ]


def _numbered(text: str, sections: Sequence[Section], can: Capabilities) -> list[Content]:
    lines = [text]
    options: list[Option] = []
    for section in sections:
        if section.title and section.options:
            lines.append(f"{markup.escape(section.title)}:")
        for option in section.options:
            options.append(option)
            about = f" ({option.description})" if option.description else ""
            lines.append(f"{len(options)}. {markup.escape(option.title + about)}")
    return render(Text("\n".join(lines), tuple(options)), can)


def _fitted(options: Sequence[Option], limit: int) -> tuple[Option, ...]:
    """Return options whose titles fit and differ: no channel takes shortened ones that are alike.

    What is cut from a title is not lost where the channel shows a description.
    """
    titles = [shorten(o.title.strip() or "…", limit) for o in options]
    if len(set(titles)) < len(titles):
        titles = [shorten(f"{n}. {o.title}", limit) for n, o in enumerate(options, 1)]
    return tuple(
        replace(option, title=title) for option, title in zip(options, titles, strict=True)
    )


def _cards(content: Cards, can: Capabilities) -> list[Content]:
    if "cards" not in can.kinds_out or not all(_card_fits(card, can) for card in content.cards):
        return [part for card in content.cards for part in _card_apart(card, can)]
    # Buttons of one card stand together, those of others may be alike.
    cards = [
        replace(card, options=_fitted(card.options, can.button_title))
        for card in content.cards
        if card != Card("")
    ]
    if can.cards_alike and not _alike(cards):
        return [Cards((card,)) for card in cards]
    return [
        Cards(tuple(cards[begin : begin + can.cards])) for begin in range(0, len(cards), can.cards)
    ]


def _alike(cards: Sequence[Card]) -> bool:
    """Tell whether cards can stand side by side where `Capabilities.cards_alike` holds."""
    sorts = {tuple(bool(o.url) for o in card.options) for card in cards}
    whole = all(card.image and card.options and not card.url for card in cards)
    return whole and len(sorts) == 1 and len(set(*sorts)) == 1


def _card_fits(card: Card, can: Capabilities) -> bool:
    links = [o for o in card.options if o.url]
    alone = can.link_buttons == "alone" and len(card.options) == 1
    if links and can.link_buttons != "any" and not alone:
        return False
    return (
        len(card.options) <= can.card_buttons
        and len(card.title) <= can.card_title
        and len(card.text) <= can.card_text
    )


def _card_apart(card: Card, can: Capabilities) -> list[Content]:
    """Return a card as a picture, and its words with buttons or as the caption."""
    title = f"**{markup.escape(card.title)}**" if card.title else ""
    words = "\n".join(filter(None, (title, markup.escape(card.text), card.url)))
    if card.image and not card.options:
        return render(Media("image", url=card.image, caption=words), can)
    picture = render(Media("image", url=card.image), can) if card.image else []
    return [*picture, *render(Choices(words, card.options), can)]


def _media(content: Media, can: Capabilities) -> list[Content]:
    count, write = COUNTERS[can.text_unit], markup.WRITERS[can.markup]
    known = not can.files or content.type in can.files
    plainer = _PLAINER.get(content.type)
    if not known and plainer and plainer in can.files:
        return _media(replace(content, type=plainer), can)
    if "media" not in can.kinds_out or not known:
        return render(Text("\n".join(filter(None, (content.caption, content.url)))), can)
    if not content.caption:
        return [content]
    if content.type in _CAPTIONED and count(write(content.caption)) <= can.caption_limit:
        return [content]
    return [replace(content, caption=""), *render(Text(content.caption), can)]


def _as_text(content: Content) -> str:
    if isinstance(content, Location):
        place = markup.escape(", ".join(filter(None, (content.name, content.address))))
        at = f"{content.latitude:.6f},{content.longitude:.6f}"
        # Every phone opens it, with or without the map's own app:
        # https://developers.google.com/maps/documentation/urls/get-started
        return f"{place}\nhttps://www.google.com/maps/search/?api=1&query={at}".strip()
    if isinstance(content, Contact):
        return markup.escape("\n".join([content.name, *content.phones, *content.emails]))
    if isinstance(content, (Template, Products, Ask)):
        return content.text
    # A reaction is an ornament: as a message of its own it would only be in the way.
    return ""
