"""What the bot says, as contents a connector can send."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from rasa.core.channels.channel import CollectingOutputChannel

from bot.message import (
    Choices,
    Contact,
    Content,
    Location,
    Media,
    MediaType,
    Option,
    Text,
    decode,
)

#: Kinds that a response's `custom` may be.
_CUSTOM = (Text, Choices, Media, Location, Contact)
#: What fields of these types hold.
_TYPES: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float)}
#: Messenger's words for what an attachment is, used by Rasa's own channels.
_ATTACHMENTS: dict[str, MediaType] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "file": "document",
}


class InvalidReply(ValueError):
    """A response holds something that no channel could send."""


class Replies(CollectingOutputChannel):
    """Collects what is said, in order. Responses for `channel` alone are chosen by its name."""

    def __init__(self, channel: str) -> None:
        super().__init__()
        self._channel = channel
        self.contents: list[Content] = []

    def name(self) -> str:
        """Return the channel's name; Rasa's own is a class method, this one is per account."""
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Take one utterance. Raises InvalidReply."""
        self.contents += contents(message)


def contents(message: dict[str, Any]) -> list[Content]:
    """Return the contents of one utterance: words or buttons, then custom, image, attachment.

    Raises InvalidReply, which names the field that is wrong.
    """
    found: list[Content] = []
    text = message.get("text") or ""
    if not isinstance(text, str):
        raise InvalidReply("text: is not a string")
    options = tuple(
        _option(button)
        for field in ("quick_replies", "buttons")
        for button in message.get(field) or ()
    )
    if options and not text.strip():
        raise InvalidReply("buttons: without a text")
    if options:
        found.append(Choices(text.strip(), options))
    elif text.strip():
        found.append(Text(text.strip()))
    if message.get("custom"):
        found.append(_custom(message["custom"]))
    if message.get("image"):
        found.append(Media("image", url=_url("image", message["image"])))
    if message.get("attachment"):
        found.append(_attachment(message["attachment"]))
    if message.get("elements"):
        raise InvalidReply("elements: carousels are not supported, use buttons or an image")
    return found


def _option(button: Any) -> Option:
    if not isinstance(button, dict) or not button.get("title") or not button.get("payload"):
        raise InvalidReply("buttons: each needs a title and a payload")
    return Option(str(button["title"]), str(button["payload"]), str(button.get("description", "")))


def _url(field: str, value: Any) -> str:
    if not isinstance(value, str) or urlsplit(value).scheme not in ("http", "https"):
        raise InvalidReply(f"{field}: is not an http or https URL")
    return value


def _attachment(value: Any) -> Media:
    if isinstance(value, str):
        return Media("document", url=_url("attachment", value))
    if isinstance(value, dict):
        payload = value.get("payload")
        where = payload.get("url") or payload.get("src") if isinstance(payload, dict) else None
        kind = _ATTACHMENTS.get(str(value.get("type")))
        if kind:
            return Media(kind, url=_url("attachment", where))
    raise InvalidReply("attachment: is neither a URL nor {type, payload: {url}}")


def _custom(value: Any) -> Content:
    try:
        content = decode(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidReply("custom: is not a content") from error
    if not isinstance(content, _CUSTOM):
        raise InvalidReply(f"custom: {content.kind} is nothing to send")
    if isinstance(content, Media):
        _url("custom", content.url)
    hints = get_type_hints(type(content))
    for field in fields(content):
        wanted = _TYPES.get(hints[field.name])
        if wanted and not isinstance(getattr(content, field.name), wanted):
            raise InvalidReply(f"custom: {field.name} has the wrong type")
    return content
