"""What a customer sent, as something a Rasa model can read."""

from __future__ import annotations

from dataclasses import dataclass

from bot.message import (
    Album,
    Choice,
    Contact,
    Content,
    Event,
    Location,
    Media,
    Order,
    Text,
    Unsupported,
)

#: Characters of a message that are read. Longer than any channel but web chat allows;
#: what a model does with a message grows with its length.
LONGEST = 4096

_SHARED = {
    "image": "share_image",
    "audio": "share_audio",
    "voice": "share_audio",
    "video": "share_video",
    "document": "share_document",
    "sticker": "share_sticker",
}


@dataclass(frozen=True)
class Words:
    """Something written: never a command, whatever it looks like."""

    text: str


@dataclass(frozen=True)
class Command:
    """A payload ``/intent{"entity": "value"}``. `title` is what the customer saw of it."""

    payload: str
    title: str = ""


@dataclass(frozen=True)
class Deed:
    """Something done rather than said, as the intent that stands for it."""

    intent: str


def heard(content: Content) -> Words | Command | Deed | None:
    """Return what to make of a content; None for what nobody answers.

    A payload has been verified as one that the bot itself offered.
    """
    if isinstance(content, Text):
        return _words(content.text)
    if isinstance(content, Choice):
        if content.payload.startswith("/"):
            return Command(content.payload, content.title)
        return _words(content.payload)
    if isinstance(content, Album):
        return _words(content.caption) or heard(content.items[0])
    if isinstance(content, Order):
        return _words(content.note) or Deed("share_order")
    if isinstance(content, Media):
        return _words(content.caption) or Deed(_SHARED.get(content.type, "share_unsupported"))
    if isinstance(content, Location):
        return Deed("share_location")
    if isinstance(content, Contact):
        return Deed("share_contact")
    if isinstance(content, Unsupported):
        return Deed("share_unsupported")
    # Who comes by a link or an advertisement and says nothing is welcome all the same.
    if isinstance(content, Event) and content.name in ("start", "referral"):
        return Deed("start")
    return None


def _words(text: str) -> Words | None:
    read = text.strip()[:LONGEST].strip()
    return Words(read) if read else None
