"""The words in a content that customers read, and the content with others in their places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.message import (
    Album,
    Ask,
    Card,
    Cards,
    Choice,
    Choices,
    Content,
    Media,
    Menu,
    Option,
    Order,
    Products,
    Text,
)

Change = Callable[[str], str]


def words_in(content: Content) -> list[str]:
    """Return every text that `changed` would change, in its order; empty ones are left out."""
    found: list[str] = []

    def meet(text: str) -> str:
        found.append(text)
        return text

    changed(content, meet)
    return found


def changed(content: Content, change: Change) -> Content:
    """Return a content of the bot's with `change` done to its words.

    Payloads, links, files, places and people stay, and what a provider has approved.
    """

    def words(text: str) -> str:
        return change(text) if text.strip() else text

    def options(given: tuple[Option, ...]) -> tuple[Option, ...]:
        return tuple(
            replace(one, title=words(one.title), description=words(one.description))
            for one in given
        )

    def card(one: Card) -> Card:
        return replace(
            one, title=words(one.title), text=words(one.text), options=options(one.options)
        )

    match content:
        case Text() | Choices():
            return replace(content, text=words(content.text), options=options(content.options))
        case Menu():
            text = words(content.text)
            sections = tuple(
                replace(one, title=words(one.title), options=options(one.options))
                for one in content.sections
            )
            return replace(content, text=text, sections=sections, button=words(content.button))
        case Cards():
            return replace(content, cards=tuple(card(one) for one in content.cards))
        case Products():
            return replace(content, text=words(content.text), header=words(content.header))
        case Ask():
            return replace(content, text=words(content.text))
        case Media():
            return replace(content, caption=words(content.caption))
    return content


def with_words(content: Content, words: str) -> Content:
    """Return a customer's content with other words for those he wrote."""
    match content:
        case Text():
            return replace(content, text=words)
        case Media() if content.spoken:
            # What is said in it is among the words, and must not be read twice.
            first, *others = (s for s in content.sensed if s.kind == "spoken")
            told = (replace(first, words=words), *(replace(s, words="") for s in others))
            seen = tuple(s for s in content.sensed if s.kind != "spoken")
            return replace(content, caption="", sensed=(*told, *seen))
        case Media():
            return replace(content, caption=words)
        case Order():
            return replace(content, note=words)
        case Choice():
            return replace(content, payload=words)
        case Album():
            head, *rest = (_wordless(one) for one in content.items)
            return replace(content, items=(replace(head, caption=words), *rest))
    return content


def _wordless(media: Media) -> Media:
    sensed = tuple(replace(s, words="") if s.kind == "spoken" else s for s in media.sensed)
    return replace(media, caption="", sensed=sensed)
