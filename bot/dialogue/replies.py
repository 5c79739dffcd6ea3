"""What the bot says, as contents a connector can send."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from rasa.core.channels.channel import CollectingOutputChannel

from bot.message import (
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
    Reaction,
    Template,
    Text,
    decode,
)

#: Kinds that a response's `custom` may be.
_CUSTOM = (
    Text,
    Choices,
    Menu,
    Cards,
    Template,
    Products,
    Ask,
    Media,
    Location,
    Contact,
    Reaction,
)
#: What fields of these types hold.
_TYPES: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
}
#: Fields that hold the URL of a page or a picture.
_URLS = (
    (Media, "url"),
    (Option, "url"),
    (Card, "url"),
    (Card, "image"),
    (Template, "header"),
)
#: Messenger's words for what an attachment is, used by Rasa's own channels.
_ATTACHMENTS: dict[str, MediaType] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "file": "document",
}


class InvalidReply(ValueError):
    """A response holds something that no channel could send.

    The text names the field and never quotes what is in it, so that it may be logged.
    """


class Replies(CollectingOutputChannel):
    """Collects what is said, in order. Responses for `channel` alone are chosen by its name."""

    def __init__(self, channel: str) -> None:
        super().__init__()
        self._channel = channel
        self.contents: list[Content] = []
        #: The responses that `contents` were made of, "" for what an action said freely.
        self.responses: list[str] = []

    def name(self) -> str:
        """Return the channel's name; Rasa's own is a class method, this one is per account."""
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Take one utterance. Raises InvalidReply."""
        found = contents(message)
        self.contents += found
        self.responses += [str(message.get("utter_action") or "")] * len(found)


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
        found.append(_elements(message["elements"]))
    return found


def _option(button: Any) -> Option:
    """Read a button: a payload, or Messenger's ``web_url`` with the page it opens."""
    if not isinstance(button, dict) or not button.get("title"):
        raise InvalidReply("buttons: each needs a title")
    title, about = str(button["title"]), str(button.get("description", ""))
    if button.get("url"):
        return Option(title, "", about, _url("buttons", button["url"]))
    if not button.get("payload"):
        raise InvalidReply("buttons: each needs a payload or a url")
    return Option(title, str(button["payload"]), about)


def _elements(value: Any) -> Cards:
    """Read a carousel as Rasa's own channels have it, in Messenger's form.

    https://rasa.com/docs/rasa/responses (and the generic template of Messenger)
    """
    if isinstance(value, dict):
        value = (value.get("payload") or {}).get("elements") or value.get("elements")
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InvalidReply("elements: is not a list of cards")
    return Cards(tuple(_card(one) for one in value))


def _card(element: dict[str, Any]) -> Card:
    action = element.get("default_action")
    tap = action.get("url") if isinstance(action, dict) else ""
    image = element.get("image_url") or ""
    if not element.get("title"):
        raise InvalidReply("elements: each needs a title")
    return Card(
        str(element["title"]),
        str(element.get("subtitle") or ""),
        _url("elements", image) if image else "",
        _url("elements", tap) if tap else "",
        tuple(_option(button) for button in element.get("buttons") or ()),
    )


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
    _check("custom", content)
    if isinstance(content, Media):
        _url("custom", content.url)
    return content


def _check(where: str, value: Any) -> None:
    """Refuse a content with a field of the wrong type, however deep. Raises InvalidReply."""
    hints = get_type_hints(type(value))
    for field in fields(value):
        name, found, wanted = f"{where}.{field.name}", getattr(value, field.name), hints[field.name]
        if get_origin(wanted) is tuple:
            if not isinstance(found, tuple):
                raise InvalidReply(f"{name}: is not a list")
            for one in found:
                _check_one(name, one, get_args(wanted)[0])
        else:
            _check_one(name, found, wanted)
            if found and (type(value), field.name) in _URLS:
                _url(name, found)


def _check_one(where: str, found: Any, wanted: Any) -> None:
    if get_origin(wanted) is Literal:
        if found not in get_args(wanted):
            raise InvalidReply(f"{where}: is none of {', '.join(get_args(wanted))}")
    elif is_dataclass(wanted):
        _check(where, found)
    elif wanted in _TYPES and (
        not isinstance(found, _TYPES[wanted]) or (isinstance(found, bool) and wanted is not bool)
    ):
        raise InvalidReply(f"{where}: has the wrong type")
