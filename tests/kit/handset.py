"""A customer's phone for any channel: what the channel can do, and what it has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.message import Cards, Choices, Content, Media, Menu, Option, Outbound
from connectors import connector_class
from connectors.base import Arrived, Connector, File, Request
from connectors.errors import NoFile

ACCOUNT = "shop"


@dataclass(frozen=True)
class Shown:
    """One message as the phone shows it; a picture's words are ``[image name]`` and caption."""

    id: str
    words: str
    options: tuple[Option, ...] = ()
    agent: str = ""

    @property
    def buttons(self) -> list[str]:
        return [option.title for option in self.options]


class Handset(Connector):
    """The phones of one channel. `shown` is by user, `files` what customers sent, by ref."""

    @dataclass(frozen=True)
    class Account:
        account: str = ACCOUNT
        api_url: str = ""

    def __init__(self, channel: str) -> None:
        super().__init__(self.Account())
        self.channel = channel  # type: ignore[misc]
        self.capabilities = connector_class(channel).capabilities  # type: ignore[misc]
        self.shown: dict[str, list[Shown]] = {}
        self.files: Mapping[str, File] = {}

    async def receive(self, request: Request) -> list[Arrived]:
        raise NotImplementedError("customers of scenarios write to the inbox")

    async def send(self, outbound: Outbound) -> str:
        mine = self.shown.setdefault(outbound.address.user, [])
        id = f"shown.{outbound.id}"
        content = outbound.content
        # A channel without buttons has the options in its words.
        can_press = self.capabilities.buttons or self.capabilities.list_rows
        mine.append(
            Shown(id, words(content), options(content) if can_press else (), outbound.agent)
        )
        return id

    async def fetch(self, media: Media, most: int) -> File:
        if media.ref not in self.files:
            raise NoFile("no customer sent that")
        return self.files[media.ref]

    async def identity(self) -> str:
        return "the phones of the scenarios"


def words(content: Content) -> str:
    """What is to be read on the phone."""
    if isinstance(content, Media):
        name = (content.filename or content.url or content.ref).rpartition("/")[2]
        return f"[{content.type} {name}] {content.caption}".strip()
    if isinstance(content, Cards):
        return " / ".join(f"{card.title}: {card.text}" for card in content.cards)
    text: Any = getattr(content, "text", "") or getattr(content, "name", "")
    return str(text) or f"[{content.kind}]"


def options(content: Content) -> tuple[Option, ...]:
    """What can be pressed."""
    if isinstance(content, (Choices, Menu, Cards)):
        return tuple(content.options)
    return tuple(getattr(content, "options", ()) or ())
