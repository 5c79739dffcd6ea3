"""What Messenger takes, and how each content is written as one of its messages.

The pages are those below
https://developers.facebook.com/documentation/business-messaging/messenger-platform
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.message import (
    Ask,
    Card,
    Cards,
    Choices,
    Content,
    Media,
    MediaType,
    Option,
    Reaction,
    Template,
    Text,
    clean,
)
from connectors import markup
from connectors.base import Files
from connectors.errors import Rejected
from connectors.render import shorten

# reference/send-api
TEXT_LIMIT = 2000
METADATA_LIMIT = 999

# send-messages/quick-replies
QUICK_REPLIES = 13
BUTTON_TITLE = 20
PAYLOAD_LIMIT = 1000

# send-messages/template/button
BUTTON_TEXT_LIMIT = 640
BUTTONS = 3

# send-messages/template/generic
CARDS = 10
CARD_TITLE = 80
CARD_TEXT = 80
CARD_BUTTONS = 3

# send-messages/personas
PERSONA_NAME = 50

# send-messages/saving-assets: by URL. It names no types; these are what phones show. Bytes
# of a million: the page does not say which, and what fits these fits the larger ones.
_IMAGE_BYTES, _FILE_BYTES = 8_000_000, 25_000_000
_IMAGES = ("image/jpeg", "image/png", "image/gif")
_SOUNDS = ("audio/mpeg", "audio/mp4", "audio/aac", "audio/wav", "audio/ogg")
FILES: Mapping[MediaType, Files] = {
    "image": Files(_IMAGES, _IMAGE_BYTES),
    "audio": Files(_SOUNDS, _FILE_BYTES),
    "voice": Files(_SOUNDS, _FILE_BYTES),
    "video": Files(("video/mp4", "video/quicktime", "video/webm"), _FILE_BYTES),
    "document": Files(
        (
            "application/pdf",
            "text/plain",
            "text/csv",
            "application/zip",
            "application/msword",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.ms-excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        _FILE_BYTES,
    ),
    # Only Meta's own stickers are sent as such; ours are pictures.
    "sticker": Files(_IMAGES, _IMAGE_BYTES),
}
_ATTACHMENTS: Mapping[MediaType, str] = {
    "image": "image",
    "sticker": "image",
    "audio": "audio",
    "voice": "audio",
    "video": "video",
    "document": "file",
}

_LINK = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_ATTACHMENT_ID = re.compile(r"[0-9]{1,32}")
_MID = re.compile(r"[!-~]{1,512}")
_PART = re.compile(r"\.[0-9]{1,2}\Z")
# What stands where the API wants words and there are none.
_NOTHING = "…"

_Json = dict[str, Any]


def request(content: Content) -> _Json:
    """Return what is sent beside the recipient: a message, or the action it is.

    Raises Rejected for what Meta would refuse.
    """
    if isinstance(content, Reaction):
        return _reaction(content)
    if isinstance(content, Template):
        return {"messaging_type": "UTILITY", "message": {"template": _template(content)}}
    return {"message": _message(content)}


def _message(content: Content) -> _Json:
    if isinstance(content, Text):
        return {"text": _words(content.text)}
    if isinstance(content, Choices):
        return _choices(content)
    if isinstance(content, Cards):
        return _cards(content.cards)
    if isinstance(content, Media):
        return {"attachment": _media(content)}
    if isinstance(content, Ask):
        return _ask(content)
    raise Rejected(f"Messenger takes no {content.kind}")


def _words(text: str, limit: int = TEXT_LIMIT, what: str = "the text") -> str:
    # Messenger has no formatting.
    return _fits(markup.plain(clean(text)), limit, what)


def _fits(text: str, limit: int, what: str) -> str:
    text = clean(text).strip()
    if not text:
        raise Rejected(f"{what} is empty")
    if len(text) > limit:
        raise Rejected(f"{what} has {len(text)} characters, Messenger takes {limit}")
    return text


def _link(url: str, what: str) -> str:
    url = clean(url).strip()
    if not _LINK.fullmatch(url):
        raise Rejected(f"{what} is not of http or https")
    return url


# --- questions ---


def _choices(question: Choices) -> _Json:
    """Write a question with quick replies, or with buttons when some open pages.

    Buttons stay in the chat for ever and can be pressed long after the question is over;
    Meta's page asks not to use them "when their action depends on the current state of the
    bot", which is what a question's do. Quick replies go away with the answer, and there
    may be 13 of them. They open no pages, though: send-messages/buttons.
    """
    options = question.options
    if not any(option.url for option in options):
        return {"text": _words(question.text), **_quick_replies(options)}
    if len(options) <= BUTTONS:
        text = markup.plain(clean(question.text)).strip()
        if len(text) <= BUTTON_TEXT_LIMIT:
            return _attached(
                template_type="button",
                text=_fits(text, BUTTON_TEXT_LIMIT, "the question"),
                buttons=_buttons(options),
            )
    # More than a template holds: the pages are named in the words.
    lines = [markup.plain(clean(question.text)).strip()]
    lines += [f"{o.title}: {_link(o.url, 'an option')}" for o in options if o.url]
    text = _fits("\n".join(lines), TEXT_LIMIT, "the question with its links")
    rest = [option for option in options if not option.url]
    return {"text": text, **(_quick_replies(rest) if rest else {})}


def _quick_replies(options: Sequence[Option]) -> _Json:
    if not 1 <= len(options) <= QUICK_REPLIES:
        raise Rejected(f"{len(options)} options, Messenger takes 1 to {QUICK_REPLIES}")
    return {
        "quick_replies": [
            {
                "content_type": "text",
                "title": _fits(option.title, BUTTON_TITLE, "an option's title"),
                "payload": _payload(option),
            }
            for option in options
        ]
    }


def _buttons(options: Sequence[Option]) -> list[_Json]:
    return [_button(option) for option in options]


def _button(option: Option) -> _Json:
    title = _fits(option.title, BUTTON_TITLE, "an option's title")
    if option.url:
        return {"type": "web_url", "title": title, "url": _link(option.url, "an option's address")}
    return {"type": "postback", "title": title, "payload": _payload(option)}


def _payload(option: Option) -> str:
    return _fits(option.payload, PAYLOAD_LIMIT, "an option's payload")


def _ask(ask: Ask) -> _Json:
    """Write a question; Messenger has a button for the number, none for the place any more."""
    text = {"text": _words(ask.text)}
    if ask.wanted != "phone":
        return text
    return {**text, "quick_replies": [{"content_type": "user_phone_number"}]}


# --- cards ---


def _cards(cards: Sequence[Card]) -> _Json:
    if not 1 <= len(cards) <= CARDS:
        raise Rejected(f"{len(cards)} cards, Messenger takes 1 to {CARDS}")
    if len(cards) == 1 and (alone := _alone(cards[0])) is not None:
        return alone
    return _attached(template_type="generic", elements=[_element(card) for card in cards])


def _alone(card: Card) -> _Json | None:
    """Return a single card that is none to Messenger: words alone, or a picture alone."""
    title, text = clean(card.title).strip(), clean(card.text).strip()
    if card.options or card.url or (title and text):
        return None
    if card.image:
        return None if title or text else {"attachment": _media(Media("image", url=card.image))}
    return {"text": _fits(title or text, TEXT_LIMIT, "the card")}


def _element(card: Card) -> _Json:
    """Write a card. It needs a title, and something beside it."""
    title, text = clean(card.title).strip(), clean(card.text).strip()
    if not title:
        title, text = text or _NOTHING, ""
    element: _Json = {"title": _fits(title, CARD_TITLE, "a card's title")}
    if text:
        element["subtitle"] = _fits(text, CARD_TEXT, "a card's text")
    if card.image:
        element["image_url"] = _link(card.image, "a card's picture")
    if card.url:
        element["default_action"] = {
            "type": "web_url",
            "url": _link(card.url, "a card's address"),
        }
    if card.options:
        if len(card.options) > CARD_BUTTONS:
            raise Rejected(f"{len(card.options)} buttons, a card takes {CARD_BUTTONS} in Messenger")
        element["buttons"] = _buttons(card.options)
    return element if len(element) > 1 else {**element, "subtitle": _NOTHING}


def _attached(**payload: Any) -> _Json:
    return {"attachment": {"type": "template", "payload": payload}}


# --- the others ---


def _media(media: Media) -> _Json:
    """Write a file: Meta gets it from its URL, or has it by an attachment's id."""
    if media.caption:
        raise Rejected("files have no caption in Messenger")
    if not media.url and _ATTACHMENT_ID.fullmatch(media.ref):
        payload = {"attachment_id": media.ref}
    else:
        payload = {"url": _link(media.url, "the file's address")}
    return {"type": _ATTACHMENTS[media.type], "payload": payload}


def _reaction(reaction: Reaction) -> _Json:
    """Write a reaction, send-messages/sender-actions."""
    # A file of an album has the message's id with its number.
    of = _PART.sub("", reaction.of)
    if not _MID.fullmatch(of):
        raise Rejected("the message to react to has no id of Meta's")
    emoji = clean(reaction.emoji).strip()
    if reaction.removed or not emoji:
        return {"sender_action": "unreact", "payload": {"message_id": of}}
    return {"sender_action": "react", "payload": {"message_id": of, "reaction": emoji}}


def _template(template: Template) -> _Json:
    """Write a utility message, send-messages/utility-messages.

    A picture above it is part of the template: what is sent names none.
    """
    if template.category != "utility":
        raise Rejected(f"Messenger has no templates of the category {template.category}")
    components: list[_Json] = []
    if template.parameters:
        texts = [_fits(text, TEXT_LIMIT, "a parameter") for text in template.parameters]
        parameters = [{"type": "text", "text": text} for text in texts]
        components.append({"type": "body", "parameters": parameters})
    if template.buttons:
        if len(template.buttons) > BUTTONS:
            raise Rejected(f"{len(template.buttons)} buttons, Messenger takes {BUTTONS}")
        payloads = [_fits(p, PAYLOAD_LIMIT, "a button's payload") for p in template.buttons]
        components.append(
            {
                "type": "buttons",
                "parameters": [{"type": "POSTBACK", "payload": payload} for payload in payloads],
            }
        )
    made: _Json = {
        "name": _fits(template.name, 512, "the template's name"),
        "language": {"code": _fits(template.language, 32, "the template's language")},
    }
    return {**made, "components": components} if components else made


def persona_name(agent: str) -> str:
    """Return a person's name as Messenger takes it."""
    return shorten(" ".join(clean(agent).split()), PERSONA_NAME)
