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
    Sensed,
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
        spoken = " ".join(filter(None, (item.spoken for item in content.items)))
        return _words(f"{content.caption}\n{spoken}") or heard(content.items[0])
    if isinstance(content, Order):
        return _words(content.note) or Deed("share_order")
    if isinstance(content, Media):
        shared = _SHARED.get(content.type, "share_unsupported")
        if content.type == "document" and any(s.kind == "seen" for s in content.sensed):
            shared = _SHARED["image"]
        return _words(f"{content.caption}\n{content.spoken}") or Deed(shared)
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


def sensed_in(content: Content) -> tuple[Sensed, ...]:
    """Return what models made of the files of a content, in their order."""
    items = content.items if isinstance(content, Album) else (content,)
    return tuple(s for item in items if isinstance(item, Media) for s in item.sensed)


def _words(text: str) -> Words | None:
    read = text.strip()[:LONGEST].strip()
    return Words(read) if read else None
