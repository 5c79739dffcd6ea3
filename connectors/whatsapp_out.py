"""What WhatsApp takes, and how each content is written as one of its messages.

The pages are those below
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages
and ``templates`` and ``catalogs`` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pywa_async.types import Button, SectionRow  # type: ignore[import-untyped]

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
    clean,
)
from connectors import markup
from connectors.base import Files
from connectors.errors import Rejected
from connectors.render import shorten

# messages/text-messages, messages/image-messages
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

# messages/interactive-reply-buttons-messages, messages/interactive-cta-url-messages,
# messages/location-request-messages
BODY_LIMIT = 1024
BUTTONS = 3
BUTTON_TITLE = 20
BUTTON_ID = 256
HEADER_LIMIT = 60

# messages/interactive-list-messages
MENU_BODY_LIMIT = 4096
ROWS = 10
ROW_TITLE = 24
ROW_DESCRIPTION = 72
ROW_ID = 200
# What opens the list. The connector does not know the customer's language.
MENU_BUTTON = "☰"

# messages/interactive-media-carousel-messages: 2 to 10 cards, 160 characters and two line
# breaks of text. Title and text share these, beside the signs of bold type and one line
# break. The page names no most of buttons; its examples, like carousel templates, have two.
CARDS = 10
CARD_BUTTONS = 2
CARD_BODY_LIMIT = 160
CARD_TITLE = 60
CARD_TEXT = CARD_BODY_LIMIT - CARD_TITLE - len("**\n")

# catalogs/share-products
PRODUCTS = 30

# reference/whatsapp-business-phone-number/message-api
CALLBACK_DATA_LIMIT = 512

# business-phone-numbers/media#supported-media-types. Megabytes of a million: the page does
# not say which, and what fits these fits the larger ones.
FILES: Mapping[MediaType, Files] = {
    "image": Files(("image/jpeg", "image/png"), 5_000_000),
    "audio": Files(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16_000_000),
    # messages/audio-messages: what shows as a voice message must be Opus in Ogg.
    "voice": Files(("audio/ogg",), 16_000_000),
    "video": Files(("video/mp4", "video/3gpp"), 16_000_000),
    "document": Files(
        (
            "application/pdf",
            "text/plain",
            "application/msword",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.ms-excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        100_000_000,
    ),
    # An animated one may have 500,000; which one it is nobody knows before it is read.
    "sticker": Files(("image/webp",), 100_000),
}

_LINK = re.compile(r"https?://\S", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_Json = dict[str, Any]


def request(content: Content, catalog: str = "") -> tuple[str, Any]:
    """Return the type and the body of a message. Raises Rejected for what Meta would refuse.

    `catalog` is the account's, for products that name none.
    """
    if isinstance(content, Text):
        return _text(content.text)
    if isinstance(content, Choices):
        return "interactive", _choices(content)
    if isinstance(content, Menu):
        return "interactive", _menu(content)
    if isinstance(content, Cards):
        return _cards(content.cards)
    if isinstance(content, Template):
        return "template", _template(content)
    if isinstance(content, Products):
        return "interactive", _products(content, content.catalog or catalog)
    if isinstance(content, Ask):
        return _ask(content)
    if isinstance(content, Media):
        return _media(content)
    if isinstance(content, Location):
        return "location", _location(content)
    if isinstance(content, Contact):
        return "contacts", [_contact(content)]
    if isinstance(content, Reaction):
        emoji = "" if content.removed else clean(content.emoji)
        of = _fits(content.of, CALLBACK_DATA_LIMIT, "the id of the message reacted to")
        return "reaction", {"message_id": of, "emoji": emoji}
    raise Rejected(f"WhatsApp cannot send {content.kind}")


def _fits(text: str, limit: int, what: str) -> str:
    """Return `text` cleaned; raises Rejected when it is empty or longer than `limit`."""
    text = clean(text)
    if not text.strip():
        raise Rejected(f"{what} is empty")
    if len(text) > limit:
        raise Rejected(f"{what} has {len(text)} characters, WhatsApp takes {limit}")
    return text


def _written(text: str, limit: int, what: str) -> str:
    """Return light Markdown as WhatsApp's own; the limit is of what is written."""
    return _fits(markup.whatsapp(clean(text)), limit, what)


def _link(url: str, what: str) -> str:
    if not _LINK.match(url):
        raise Rejected(f"{what} is no http or https link")
    return clean(url)


def _text(text: str) -> tuple[str, _Json]:
    written = _written(text, TEXT_LIMIT, "the text")
    return "text", {"body": written, "preview_url": bool(_LINK.search(written))}


def _image_header(url: str) -> _Json:
    return {"type": "image", "image": {"link": _link(url, "the picture's address")}}


# --- questions ---


def _choices(choices: Choices) -> _Json:
    body = {"text": _written(choices.text, BODY_LIMIT, "the question")}
    if not choices.options or len(choices.options) > BUTTONS:
        raise Rejected(f"{len(choices.options)} options, WhatsApp takes 1 to {BUTTONS}")
    return {"body": body, **_buttons(choices.options)}


def _buttons(options: Sequence[Option]) -> _Json:
    """Return the type and action of reply buttons, or of the only one that opens a page."""
    links = [o for o in options if o.url]
    if not links:
        pairs = _pairs(options, BUTTON_TITLE, BUTTON_ID, "button")
        buttons = [Button(title, payload).to_dict() for title, payload in pairs]
        return {"type": "button", "action": {"buttons": buttons}}
    if len(options) > 1:
        raise Rejected("a button that opens a page stands alone in WhatsApp")
    return {"type": "cta_url", "action": _page(links[0])}


def _page(option: Option) -> _Json:
    title = _fits(option.title, BUTTON_TITLE, "an option's title")
    url = _link(option.url, "an option's address")
    return {"name": "cta_url", "parameters": {"display_text": title, "url": url}}


def _pairs(
    options: Sequence[Option], title_limit: int, id_limit: int, what: str
) -> list[tuple[str, str]]:
    """Return titles and ids of buttons or rows that Meta takes beside each other."""
    titles = [_fits(o.title, title_limit, "an option's title") for o in options]
    ids = [_fits(o.payload, id_limit, "an option's payload") for o in options]
    if any(i != i.strip() for i in ids):
        raise Rejected("an option's payload begins or ends with a space")
    if len(set(ids)) < len(ids) or (what == "button" and len(set(titles)) < len(titles)):
        raise Rejected(f"two {what}s are alike, WhatsApp wants each to be different")
    return list(zip(titles, ids, strict=True))


def _menu(menu: Menu) -> _Json:
    rows = menu.options
    if not rows or len(rows) > ROWS:
        raise Rejected(f"{len(rows)} rows, WhatsApp takes 1 to {ROWS}")
    pairs = iter(_pairs(rows, ROW_TITLE, ROW_ID, "row"))
    sections = [
        {
            **_section_title(section.title, len(menu.sections)),
            "rows": [_row(option, *next(pairs)) for option in section.options],
        }
        for section in menu.sections
        if section.options
    ]
    button = shorten(clean(menu.button).strip(), BUTTON_TITLE) or MENU_BUTTON
    return {
        "type": "list",
        "body": {"text": _written(menu.text, MENU_BODY_LIMIT, "the question")},
        "action": {"button": button, "sections": sections},
    }


def _section_title(title: str, sections: int) -> _Json:
    """Return a section's title; Meta wants one as soon as there are several sections."""
    title = clean(title).strip() or ("–" if sections > 1 else "")
    return {"title": _fits(title, ROW_TITLE, "a section's title")} if title else {}


def _row(option: Option, title: str, payload: str) -> Any:
    about = clean(option.description)
    if len(about) > ROW_DESCRIPTION:
        raise Rejected(
            f"an option's description has {len(about)} characters, WhatsApp takes {ROW_DESCRIPTION}"
        )
    if option.url:
        raise Rejected("a row of a list opens no page in WhatsApp")
    return SectionRow(title, payload, about or None).to_dict()


def _ask(ask: Ask) -> tuple[str, _Json]:
    """Write a question; WhatsApp has a button for the place, none for the number.

    It needs none: the number is the address. A question too long for the button goes as
    text, which the customer can answer all the same.
    """
    text = markup.whatsapp(clean(ask.text))
    if ask.wanted != "location" or len(text) > BODY_LIMIT:
        return _text(ask.text)
    return "interactive", {
        "type": "location_request_message",
        "body": {"text": _fits(text, BODY_LIMIT, "the question")},
        "action": {"name": "send_location"},
    }


# --- cards ---


def _cards(cards: Sequence[Card]) -> tuple[str, Any]:
    if len(cards) == 1:
        return _card(cards[0])
    if not 2 <= len(cards) <= CARDS:
        raise Rejected(f"{len(cards)} cards, WhatsApp takes 1 to {CARDS}")
    sorts = {tuple(bool(o.url) for o in card.options) for card in cards}
    if len(sorts) > 1:
        raise Rejected("cards side by side need equally many buttons of one sort in WhatsApp")
    # Meta wants words above the cards; a card's own are on the card.
    titles = " · ".join(clean(card.title).strip() for card in cards if card.title.strip())
    return "interactive", {
        "type": "carousel",
        "body": {"text": shorten(titles, BODY_LIMIT) or "…"},
        "action": {"cards": [_carousel_card(n, card) for n, card in enumerate(cards)]},
    }


def _carousel_card(number: int, card: Card) -> _Json:
    if not card.options:
        raise Rejected("cards side by side need a button in WhatsApp")
    made: _Json = {"card_index": number, "header": _image_header(card.image)}
    # At most two line breaks are taken: one is after the title.
    words = _words(card.title, " ".join(card.text.split()))
    if words.strip():
        made["body"] = {"text": _written(words, CARD_BODY_LIMIT, "a card's text")}
    if any(o.url for o in card.options):
        if len(card.options) > 1:
            raise Rejected("a button that opens a page stands alone in WhatsApp")
        return {**made, "type": "cta_url", "action": _page(card.options[0])}
    pairs = _pairs(card.options, BUTTON_TITLE, BUTTON_ID, "button")
    replies = [{"type": "quick_reply", "quick_reply": {"id": i, "title": t}} for t, i in pairs]
    return {**made, "action": {"buttons": replies}}


def _card(card: Card) -> tuple[str, Any]:
    """Write a single card: a question with a picture above it, or a picture with words."""
    words = _words(card.title, card.text, card.url)
    if not card.options:
        if card.image:
            return _media(Media("image", url=card.image, caption=words))
        return _text(words)
    body: _Json = {"body": {"text": _written(words or "…", BODY_LIMIT, "a card's text")}}
    if card.image:
        body["header"] = _image_header(card.image)
    if len(card.options) > BUTTONS:
        raise Rejected(f"{len(card.options)} options, WhatsApp takes 1 to {BUTTONS}")
    return "interactive", {**body, **_buttons(card.options)}


def _words(title: str, text: str, url: str = "") -> str:
    title, text = title.strip(), text.strip()
    bold = f"**{markup.escape(title)}**" if title else ""
    return "\n".join(filter(None, (bold, markup.escape(text), url)))


# --- templates and products ---


def _template(template: Template) -> _Json:
    """Write a template message.

    templates/utility-templates/utility-templates; for codes
    templates/authentication-templates/copy-code-button-authentication-templates, where the
    button wants the code once more.
    """
    components: list[_Json] = []
    if template.header:
        components.append({"type": "header", "parameters": [_image_header(template.header)]})
    parameters = [_parameter(p) for p in template.parameters]
    if parameters:
        components.append({"type": "body", "parameters": parameters})
    if template.category == "authentication" and parameters:
        components.append(_template_button(0, "url", parameters[0]))
    for number, payload in enumerate(template.buttons):
        reply = {"type": "payload", "payload": _fits(payload, BUTTON_ID, "a button's payload")}
        components.append(_template_button(number, "quick_reply", reply))
    made = {
        "name": _fits(template.name, CALLBACK_DATA_LIMIT, "the template's name"),
        "language": {"code": _fits(template.language, 20, "the template's language")},
    }
    return {**made, "components": components} if components else made


def _parameter(text: str) -> _Json:
    # Error 132018: no line breaks, tabs or more than four spaces in a row.
    return {"type": "text", "text": _fits(_SPACE.sub(" ", text), BODY_LIMIT, "a parameter")}


def _template_button(number: int, kind: str, parameter: _Json) -> _Json:
    return {"type": "button", "sub_type": kind, "index": str(number), "parameters": [parameter]}


def _products(products: Products, catalog: str) -> _Json:
    """Write a message about products: one, a list of them, or the whole catalogue.

    catalogs/share-products
    """
    body = {"text": _written(products.text, BODY_LIMIT, "the text")}
    if not products.items:
        return {"type": "catalog_message", "body": body, "action": {"name": "catalog_message"}}
    if len(products.items) > PRODUCTS:
        raise Rejected(f"{len(products.items)} products, WhatsApp takes {PRODUCTS}")
    catalog = _fits(catalog, BUTTON_ID, "the catalogue's id")
    items = [_fits(item, BUTTON_ID, "a product's id") for item in products.items]
    if len(items) == 1:
        action = {"catalog_id": catalog, "product_retailer_id": items[0]}
        return {"type": "product", "body": body, "action": action}
    # Meta wants a header; without one the first words do.
    header = shorten(_SPACE.sub(" ", clean(products.header or markup.plain(products.text))), 60)
    section = {
        "title": shorten(header, ROW_TITLE),
        "product_items": [{"product_retailer_id": item} for item in items],
    }
    return {
        "type": "product_list",
        "header": {"type": "text", "text": _fits(header, HEADER_LIMIT, "the header")},
        "body": body,
        "action": {"catalog_id": catalog, "sections": [section]},
    }


# --- the rest ---


def _media(media: Media) -> tuple[str, _Json]:
    kind = "audio" if media.type == "voice" else media.type
    body: _Json
    if media.url:
        body = {"link": _link(media.url, "the media's address")}
    elif media.ref:
        body = {"id": clean(media.ref)}
    else:
        raise Rejected("the media has neither a link nor an id")
    if media.type == "voice":
        body["voice"] = True
    if media.caption:
        if kind in ("audio", "sticker"):
            raise Rejected(f"WhatsApp shows no caption with {kind}")
        body["caption"] = _written(media.caption, CAPTION_LIMIT, "the caption")
    if kind == "document" and media.filename:
        body["filename"] = clean(media.filename)
    return kind, body


def _location(place: Location) -> _Json:
    if not (-90.0 <= place.latitude <= 90.0 and -180.0 <= place.longitude <= 180.0):
        raise Rejected("the location is not on Earth")
    body: _Json = {"latitude": place.latitude, "longitude": place.longitude}
    if place.name:
        body["name"] = clean(place.name)
    if place.address:
        body["address"] = clean(place.address)
    return body


def _contact(contact: Contact) -> _Json:
    name = _fits(contact.name or ", ".join(contact.phones), TEXT_LIMIT, "the contact's name")
    card: _Json = {"name": {"formatted_name": name, "first_name": name}}
    if contact.phones:
        card["phones"] = [{"phone": clean(phone)} for phone in contact.phones]
    if contact.emails:
        card["emails"] = [{"email": clean(email)} for email in contact.emails]
    return card
