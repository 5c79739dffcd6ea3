"""What Messenger's Send API takes: every message checked, and as the phone shows it.

The pages are those below
https://developers.facebook.com/documentation/business-messaging/messenger-platform :
``reference/send-api``, ``send-messages`` and ``error-codes``. The limits are written down
here a second time, so that a wrong one in the connector is noticed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.message import Ask, Card, Cards, Choices, Content, Media, MediaType, Option, Template, Text

TEXT_LIMIT = 2000
METADATA_LIMIT = 1000
QUICK_REPLIES = 13
TITLE_LIMIT = 20
PAYLOAD_LIMIT = 1000
BUTTON_TEXT_LIMIT = 640
BUTTONS = 3
ELEMENTS = 10
ELEMENT_LIMIT = 80
PERSONA_LIMIT = 50

_MESSAGE = ("text", "attachment", "quick_replies", "metadata", "template")
_ELEMENT = ("title", "subtitle", "image_url", "default_action", "buttons")
_FILES: dict[str, MediaType] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "file": "document",
}
_PLACE = re.compile(r"\{\{(\d+)\}\}")

Json = dict[str, Any]


class GraphError(Exception):
    """An error the API answers with."""

    def __init__(self, code: int, message: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {
            "message": f"(#{code}) {message}",
            "type": "OAuthException",
            "code": code,
            **({"error_subcode": subcode} if subcode else {}),
            "fbtrace_id": secrets.token_urlsafe(8),
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the phone shows it; `buttons` where the content does not say it all."""

    content: Content
    buttons: list[list[Json]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Approved:
    """A utility template of the sandbox's Page: its words, and the titles of its buttons."""

    text: str
    buttons: tuple[str, ...] = ()


#: By name and language, as the Page would have created them beforehand.
TEMPLATES: dict[tuple[str, str], Approved] = {
    ("order_update", "en"): Approved("Your order {{1}} is on its way."),
    ("write_again", "en"): Approved(
        "Hello! We have an answer for you. Write to us once more and you will get it.",
        ("Show the answer",),
    ),
}


def bad(message: str, subcode: int = 0) -> GraphError:
    """Return the error of a wrong parameter."""
    return GraphError(100, message, subcode=subcode)


def known(given: Mapping[str, Any], names: tuple[str, ...], param: str) -> None:
    """Refuse keys that the API does not know."""
    for key in given:
        if key not in names:
            raise bad(f'Invalid keys "{key}" were found in param "{param}".')


def an_object(value: Any, param: str) -> Json:
    """Return a JSON object. Raises GraphError."""
    if not isinstance(value, dict):
        raise bad(f"Param {param} must be an object")
    return value


def message(given: Any) -> Shown:
    """Check a message and return it as it is shown. Raises GraphError."""
    said = an_object(given, "message")
    known(said, _MESSAGE, "message")
    metadata = said.get("metadata")
    if metadata is not None and (not isinstance(metadata, str) or len(metadata) >= METADATA_LIMIT):
        raise bad("Param message[metadata] must be less than 1000 characters")
    bodies = [key for key in ("text", "attachment", "template") if said.get(key) is not None]
    if len(bodies) != 1:
        raise bad("Must specify exactly one of text, attachment, template")
    replies = said.get("quick_replies")
    if bodies[0] == "text":
        return _text(said["text"], replies)
    if bodies[0] == "template":
        return _template(an_object(said["template"], "message[template]"))
    if replies is not None:
        raise bad("The sandbox takes quick replies with a text only")
    return _attachment(an_object(said["attachment"], "message[attachment]"))


def _length(value: Any, most: int, param: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise bad(f"Param {param} must be a non-empty UTF8 encoded string")
    if len(value) > most:
        raise bad(f"Length of param {param} must be less than or equal to {most}")
    return value


def _url(value: Any, param: str) -> str:
    url = value if isinstance(value, str) else ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise bad(f"Param {param} should represent a valid URL")
    return url


def _list(value: Any, most: int, param: str) -> list[Json]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise bad(f"Param {param} must have between 1 and {most} elements")
    return [an_object(item, param) for item in value]


def _text(text: Any, replies: Any) -> Shown:
    words = _length(text, TEXT_LIMIT, "message[text]")
    if replies is None:
        return Shown(Text(words))
    options, buttons = [], []
    for reply in _list(replies, QUICK_REPLIES, "message[quick_replies]"):
        known(reply, ("content_type", "title", "payload", "image_url"), "message[quick_replies]")
        kind = reply.get("content_type")
        if kind == "user_phone_number":
            buttons.append([{"title": "Phone number", "ask": "phone", "quick": True}])
        elif kind == "text":
            title = _length(reply.get("title"), TITLE_LIMIT, "quick_reply[title]")
            payload = _length(reply.get("payload"), PAYLOAD_LIMIT, "quick_reply[payload]")
            options.append(Option(title, payload))
            buttons.append([{"title": title, "payload": payload, "quick": True}])
        else:
            raise bad("Param quick_reply[content_type] must be one of text, user_phone_number")
    content = Choices(words, tuple(options)) if options else Ask(words, "phone")
    return Shown(content, buttons)


def _attachment(attachment: Json) -> Shown:
    known(attachment, ("type", "payload"), "message[attachment]")
    kind = attachment.get("type")
    payload = an_object(attachment.get("payload"), "message[attachment][payload]")
    if kind == "template":
        return _structured(payload)
    if kind not in _FILES:
        raise bad(f"Param message[attachment][type] must be one of {', '.join(_FILES)}, template")
    known(payload, ("url", "is_reusable", "attachment_id"), "message[attachment][payload]")
    if payload.get("attachment_id") is not None:
        raise bad("Possible invalid ID or you do not own the attachment", 2018074)
    return Shown(Media(_FILES[kind], url=_url(payload.get("url"), "payload[url]")))


def _structured(payload: Json) -> Shown:
    kind = payload.get("template_type")
    if kind == "button":
        known(payload, ("template_type", "text", "buttons"), "payload")
        words = _length(payload.get("text"), BUTTON_TEXT_LIMIT, "payload[text]")
        return Shown(Choices(words, _buttons(payload.get("buttons"))))
    if kind == "generic":
        known(payload, ("template_type", "elements", "sharable"), "payload")
        elements = _list(payload.get("elements"), ELEMENTS, "payload[elements]")
        return Shown(Cards(tuple(_element(element) for element in elements)))
    raise bad("Invalid template type")


def _element(element: Json) -> Card:
    known(element, _ELEMENT, "elements")
    title = _length(element.get("title"), ELEMENT_LIMIT, "elements[title]")
    if len(element) < 2:
        raise bad("Each element needs one more property beside its title")
    text, image, url = "", "", ""
    options: tuple[Option, ...] = ()
    if "subtitle" in element:
        text = _length(element["subtitle"], ELEMENT_LIMIT, "elements[subtitle]")
    if "image_url" in element:
        image = _url(element["image_url"], "elements[image_url]")
    if "default_action" in element:
        action = an_object(element["default_action"], "default_action")
        if action.get("type") != "web_url" or "title" in action:
            raise bad("default_action must be a web_url without a title")
        url = _url(action.get("url"), "default_action[url]")
    if "buttons" in element:
        options = _buttons(element["buttons"])
    return Card(title, text, image, url, options)


def _buttons(given: Any) -> tuple[Option, ...]:
    options = []
    for button in _list(given, BUTTONS, "buttons"):
        title = _length(button.get("title"), TITLE_LIMIT, "buttons[title]")
        if button.get("type") == "web_url":
            known(button, ("type", "title", "url", "webview_height_ratio"), "buttons")
            options.append(Option(title, "", url=_url(button.get("url"), "buttons[url]")))
        elif button.get("type") == "postback":
            known(button, ("type", "title", "payload"), "buttons")
            payload = _length(button.get("payload"), PAYLOAD_LIMIT, "buttons[payload]")
            options.append(Option(title, payload))
        else:
            raise bad("Param buttons[type] must be one of web_url, postback")
    return tuple(options)


def _template(given: Json) -> Shown:
    """Fill a template, send-messages/utility-messages."""
    known(given, ("name", "language", "components"), "message[template]")
    name = str(given.get("name") or "")
    code = str(an_object(given.get("language"), "template[language]").get("code") or "")
    approved = TEMPLATES.get((name, code))
    if approved is None:
        raise bad(f"template name ({name}) does not exist in {code}")
    parts: dict[str, list[Json]] = {}
    components = given.get("components")
    for component in _list(components, 3, "components") if components is not None else ():
        kind = str(component.get("type"))
        if kind not in ("header", "body", "buttons"):
            raise bad("Param components[type] must be one of header, body, buttons")
        parts[kind] = _list(component.get("parameters"), 20, "components[parameters]")
    texts = [_length(p.get("text"), TEXT_LIMIT, "parameters[text]") for p in parts.get("body", ())]
    if len(texts) != len(set(_PLACE.findall(approved.text))):
        raise bad("Number of parameters does not match the expected number of params")
    payloads = [
        _length(p.get("payload"), PAYLOAD_LIMIT, "parameters[payload]")
        for p in parts.get("buttons", ())
    ]
    if len(payloads) > len(approved.buttons):
        raise bad("Number of button parameters does not match the template's buttons")
    # Those of the template itself, where none are given.
    payloads += approved.buttons[len(payloads) :]
    words = _PLACE.sub(lambda found: texts[int(found[1]) - 1], approved.text)
    pairs = zip(approved.buttons, payloads, strict=True)
    buttons = [[{"title": title, "payload": payload}] for title, payload in pairs]
    return Shown(Template(name, code, tuple(texts), buttons=tuple(payloads), text=words), buttons)
