"""What the Cloud API's stand-in takes: messages to customers, checked and read back.

The pages are those below
https://developers.facebook.com/documentation/business-messaging/whatsapp : ``messages``,
``templates``, ``catalogs`` and ``support/error-codes``. The limits are written down here
once more and not taken from the connector, which is tested against this.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

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
    Section,
    Template,
    Text,
)
from bot.sandbox import formatting
from bot.sandbox.goods import CATALOG, GOODS
from bot.sandbox.media import File

# Characters.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
BODY_LIMIT = 1024
LIST_BODY_LIMIT = 4096
FOOTER_LIMIT = 60
HEADER_LIMIT = 60
BUTTONS = 3
BUTTON_TITLE = 20
BUTTON_ID = 256
ROWS = 10
ROW_TITLE = 24
ROW_DESCRIPTION = 72
ROW_ID = 200
CARDS = 10
CARD_BODY_LIMIT = 160
CARD_LINE_BREAKS = 2
PRODUCTS = 30

MEDIA = ("image", "video", "audio", "document", "sticker")
TYPES = (*MEDIA, "text", "interactive", "location", "contacts", "reaction", "template")

_TITLES = {
    0: "AuthException",
    100: "Invalid parameter",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131047: "Re-engagement message",
    131050: "User's chosen to stop receiving marketing messages",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132018: "There was an issue with the parameters in your template",
}

Json = dict[str, Any]


class GraphError(Exception):
    """An error the API answers with. `details` says what is wrong, `message` replaces the title."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        status: int = 400,
        message: str = "",
        subcode: int = 0,
    ) -> None:
        super().__init__(details or message)
        self.status = status
        self.body: Json = {
            "message": message or f"(#{code}) {_TITLES[code]}",
            "type": "OAuthException" if not subcode else "GraphMethodException",
            "code": code,
        }
        if details:
            self.body["error_data"] = {"messaging_product": "whatsapp", "details": details}
        if subcode:
            self.body["error_subcode"] = subcode
        self.body["fbtrace_id"] = secrets.token_urlsafe(17)


def title(code: int) -> str:
    """Return Meta's title of an error code."""
    return _TITLES[code]


def required(name: str) -> GraphError:
    """Return the error for a parameter that is missing."""
    return GraphError(100, message=f"(#100) The parameter {name} is required.")


def invalid(details: str) -> GraphError:
    """Return the error for a value Meta does not take."""
    return GraphError(131009, details)


@dataclass(frozen=True, slots=True)
class Approved:
    """A message template of the sandbox's business, as Meta approved it.

    `text` has its places as ``{{1}}``; `buttons` are the titles of its quick replies.
    """

    text: str
    category: Literal["utility", "marketing", "authentication"] = "utility"
    header: bool = False
    buttons: tuple[str, ...] = ()


#: By name and language.
TEMPLATES: dict[tuple[str, str], Approved] = {
    ("order_update", "en"): Approved("Your order {{1}} is on its way."),
    ("write_again", "en"): Approved(
        "Hello! We have an answer for you. Write to us once more and you will get it.",
        buttons=("Show the answer",),
    ),
    ("new_arrivals", "en"): Approved(
        "Hello {{1}}, these have just come in.", "marketing", header=True, buttons=("Show me",)
    ),
    ("code", "en"): Approved("{{1}} is your code.", "authentication"),
}

_PLACE = re.compile(r"\{\{(\d+)\}\}")
_BAD_PARAMETER = re.compile(r"[\n\r\t]| {5}")

Files = Callable[[str], "File | None"]


@dataclass(slots=True)
class Shown:
    """A message that was taken: its content, and what the content has no word for.

    `reply` is the kind of webhook message in which a press of its buttons comes back.
    """

    content: Content
    reply: str = ""
    header: str = ""
    footer: str = ""
    buttons: list[list[Json]] = field(default_factory=list)
    styled: Json = field(default_factory=dict)
    category: str = "service"


def read(kind: str, content: Any, files: Files) -> Shown:
    """Check a message of a type in `TYPES` but ``reaction``. Raises GraphError.

    `files` gives an uploaded file of the sender's by its id.
    """
    if kind == "text":
        return Shown(Text(_text_body(content)))
    if kind in MEDIA:
        return Shown(_media(kind, content, files))
    if kind == "interactive":
        return _interactive(content, files)
    if kind == "location":
        return Shown(_location(content))
    if kind == "contacts":
        return Shown(_contacts(content))
    return _template(content, files)


def _length(what: str, value: Any, least: int, most: int) -> str:
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise invalid(f"{what} length invalid. Min length: {least}, Max length: {most}")
    return value


def _object(value: Any, name: str) -> Json:
    if not isinstance(value, dict):
        raise required(name)
    return value


def _items(value: Any, what: str, least: int, most: int) -> list[Json]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise invalid(f"Invalid {what} count. Min: {least}, Max: {most}")
    if not all(isinstance(item, dict) for item in value):
        raise invalid(f"Each of {what} must be an object")
    return value


def _text_body(content: Json) -> str:
    text = content.get("body")
    if not text or not isinstance(text, str):
        raise required("text['body']")
    if len(text) > TEXT_LIMIT:
        raise GraphError(
            100,
            message=f"(#100) Param text['body'] must be at most {TEXT_LIMIT} characters long.",
        )
    return text


def _url(value: Any, name: str) -> str:
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise GraphError(100, message=f"(#100) Param {name} is not a valid URL.")
    return str(value)


def _source(kind: str, content: Json, files: Files) -> tuple[str, int, str]:
    """Return the address of a file, its size in bytes and its type, as far as known."""
    link, id_ = content.get("link"), content.get("id")
    if bool(link) == bool(id_):
        raise GraphError(
            100, message=f"(#100) Exactly one of {kind}['id'] and {kind}['link'] is required."
        )
    if link:
        return _url(link, f"{kind}['link']"), 0, ""
    file = files(str(id_))
    if file is None:
        raise GraphError(
            100,
            message=(
                f"(#100) Param {kind}['id'] is not a valid whatsapp business account media "
                "attachment ID"
            ),
        )
    return file.url, len(file.data), file.mime


def _media(kind: str, content: Json, files: Files) -> Media:
    url, size, mime = _source(kind, content, files)
    caption = content.get("caption") or ""
    if caption and kind in ("audio", "sticker"):
        raise GraphError(100, f'Unexpected key "caption" on param "{kind}"')
    if len(caption) > CAPTION_LIMIT:
        raise invalid(f"Caption length invalid. Max length: {CAPTION_LIMIT}")
    voice = kind == "audio" and content.get("voice") is True
    type_ = cast(MediaType, "voice" if voice else kind)
    name = str(content.get("filename") or "")
    return Media(type_, url=url, mime=mime, caption=caption, filename=name, size=size)


def _location(content: Json) -> Location:
    try:
        latitude, longitude = (float(content[k]) for k in ("latitude", "longitude"))
    except (KeyError, TypeError, ValueError) as error:
        raise required("location['latitude'] and location['longitude']") from error
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise invalid("The location is out of range")
    name, address = (str(content.get(k) or "") for k in ("name", "address"))
    return Location(latitude, longitude, name, address)


def _contacts(content: Any) -> Contact:
    if not isinstance(content, list) or not content:
        raise required("contacts")
    names, phones, emails = [], [], []
    for card in content:
        name = card.get("name") if isinstance(card, dict) else None
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise required("contacts['name']['formatted_name']")
        names.append(str(name["formatted_name"]))
        phones += [str(p.get("phone") or "") for p in card.get("phones") or ()]
        emails += [str(e.get("email") or "") for e in card.get("emails") or ()]
    return Contact(", ".join(names), tuple(phones), tuple(emails))


# --- interactive messages ---


def _interactive(content: Json, files: Files) -> Shown:
    kind = str(content.get("type"))
    reader = _INTERACTIVE.get(kind)
    if reader is None:
        raise invalid(f"Interactive type must be one of {', '.join(_INTERACTIVE)}")
    action = _object(content.get("action"), "interactive['action']")
    body = content.get("body")
    text = body.get("text") if isinstance(body, dict) else None
    # Only a single product needs no words.
    least = 0 if kind == "product" else 1
    most = LIST_BODY_LIMIT if kind == "list" else BODY_LIMIT
    words = _length("Interactive body text", text if text or least else "", least, most)
    shown = reader(words, action, content)
    footer = content.get("footer")
    if isinstance(footer, dict):
        shown.footer = _length("Footer text", footer.get("text"), 1, FOOTER_LIMIT)
    header = content.get("header")
    if header is not None:
        _header(shown, _object(header, "interactive['header']"), files)
    return shown


def _header(shown: Shown, header: Json, files: Files) -> None:
    """Put a header on a message; with a picture a question is a card."""
    kind = header.get("type")
    if kind == "text":
        shown.header = _length("Header text", header.get("text"), 1, HEADER_LIMIT)
        return
    if kind not in ("image", "video", "document") or not isinstance(header.get(kind), dict):
        raise invalid("Header type must be one of text, image, video, document")
    if not isinstance(shown.content, Choices):
        raise invalid("Header type must be text")
    url, _, _ = _source(kind, header[kind], files)
    if kind != "image":
        shown.header = url
        return
    question = shown.content
    shown.content = Cards((Card("", question.text, url, options=question.options),))
    shown.styled = _styled_cards(shown.content)


def _styled_cards(cards: Cards) -> Json:
    found = {}
    for n, card in enumerate(cards.cards):
        words, marks = formatting.whatsapp(card.text)
        if marks:
            found[f"cards.{n}.text"] = formatting.shown(words, marks)
    return found


def _reply_buttons(text: str, action: Json, content: Json) -> Shown:
    options = _options(action.get("buttons"), "reply")
    return Shown(Choices(text, options), "button_reply")


def _options(given: Any, kind: str) -> tuple[Option, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= BUTTONS:
        raise invalid(f"Invalid buttons count. Min allowed buttons: 1, Max: {BUTTONS}")
    options = []
    for button in given:
        reply = button.get(kind) if isinstance(button, dict) else None
        if not isinstance(reply, dict) or button.get("type") != kind:
            raise invalid(f"Button type must be {kind}")
        payload = _length("Button reply id", reply.get("id"), 1, BUTTON_ID)
        if payload != payload.strip():
            raise invalid("Button reply id must not have leading or trailing spaces")
        options.append(
            Option(_length("Button title", reply.get("title"), 1, BUTTON_TITLE), payload)
        )
    for key in ("title", "payload"):
        if len({getattr(o, key) for o in options}) != len(options):
            raise invalid(f"Duplicated {key.replace('payload', 'id')} of reply buttons")
    return tuple(options)


def _list(text: str, action: Json, content: Json) -> Shown:
    label = _length("List button text", action.get("button"), 1, BUTTON_TITLE)
    given = _items(action.get("sections"), "sections", 1, ROWS)
    sections = []
    for section in given:
        name = section.get("title") or ""
        if name or len(given) > 1:
            _length("Section title", name, 1, ROW_TITLE)
        rows = _items(section.get("rows"), "rows", 1, ROWS)
        sections.append(Section(name, tuple(_row(row) for row in rows)))
    menu = Menu(text, tuple(sections), label)
    ids = [option.payload for option in menu.options]
    if len(ids) > ROWS:
        raise invalid(f"Total row count exceeds max allowed count: {ROWS}")
    if len(set(ids)) != len(ids):
        raise invalid("Duplicated row id")
    return Shown(menu, "list_reply")


def _row(row: Json) -> Option:
    about = row.get("description") or ""
    return Option(
        _length("Row title", row.get("title"), 1, ROW_TITLE),
        _length("Row id", row.get("id"), 1, ROW_ID),
        _length("Row description", about, 0, ROW_DESCRIPTION),
    )


def _page(action: Json) -> Option:
    if action.get("name") != "cta_url":
        raise invalid("Action name must be cta_url")
    parameters = _object(action.get("parameters"), "interactive['action']['parameters']")
    words = _length("Button title", parameters.get("display_text"), 1, BUTTON_TITLE)
    return Option(words, "", url=_url(parameters.get("url"), "url"))


def _cta_url(text: str, action: Json, content: Json) -> Shown:
    return Shown(Choices(text, (_page(action),)))


def _carousel(text: str, action: Json, content: Json) -> Shown:
    if content.get("header") or content.get("footer"):
        raise invalid("A carousel has neither header nor footer")
    given = _items(action.get("cards"), "cards", 2, CARDS)
    cards = []
    for n, one in enumerate(given):
        if one.get("card_index") != n:
            raise invalid(f"card_index must be {n}")
        cards.append(_carousel_card(one))
    sorts = {tuple(bool(o.url) for o in card.options) for card in cards}
    if len(sorts) != 1:
        raise invalid("Button types and numbers must match across all cards")
    made = Cards(tuple(cards))
    return Shown(made, "button_reply", header=text, styled=_styled_cards(made))


def _carousel_card(one: Json) -> Card:
    header = _object(one.get("header"), "card['header']")
    picture = header.get("image")
    if header.get("type") != "image" or not isinstance(picture, dict):
        raise invalid("Header type must be image or video")
    body = one.get("body")
    words = ""
    if body is not None:
        text = _object(body, "card['body']").get("text")
        words = _length("Card body text", text, 1, CARD_BODY_LIMIT)
    if words.count("\n") > CARD_LINE_BREAKS:
        raise invalid(f"Card body text has more than {CARD_LINE_BREAKS} line breaks")
    action = _object(one.get("action"), "card['action']")
    options = (
        (_page(action),)
        if one.get("type") == "cta_url"
        else _options(action.get("buttons"), "quick_reply")
    )
    return Card(
        "", words, _url(picture.get("link"), "card['header']['image']['link']"), "", options
    )


def _location_request(text: str, action: Json, content: Json) -> Shown:
    if action.get("name") != "send_location":
        raise invalid("Action name must be send_location")
    return Shown(Ask(text, "location"))


def _good(value: Any) -> str:
    if value not in GOODS:
        raise invalid(f"Products not found in FB Catalog: {value}")
    return str(value)


def _catalog(action: Json) -> str:
    if action.get("catalog_id") != CATALOG:
        raise invalid("catalog_id does not belong to this business")
    return CATALOG


def _product(text: str, action: Json, content: Json) -> Shown:
    if content.get("header") is not None:
        raise invalid("A single product message has no header")
    return Shown(Products(text, _catalog(action), (_good(action.get("product_retailer_id")),)))


def _product_list(text: str, action: Json, content: Json) -> Shown:
    header = _object(content.get("header"), "interactive['header']")
    if header.get("type") != "text":
        raise invalid("Header type must be text")
    sections = _items(action.get("sections"), "sections", 1, ROWS)
    items = []
    for section in sections:
        name = section.get("title") or ""
        if name or len(sections) > 1:
            _length("Section title", name, 1, ROW_TITLE)
        given = _items(section.get("product_items"), "product_items", 1, PRODUCTS)
        items += [_good(item.get("product_retailer_id")) for item in given]
    if len(items) > PRODUCTS:
        raise invalid(f"Total product count exceeds max allowed count: {PRODUCTS}")
    words = _length("Header text", header.get("text"), 1, HEADER_LIMIT)
    return Shown(Products(text, _catalog(action), tuple(items), words))


def _catalog_message(text: str, action: Json, content: Json) -> Shown:
    if action.get("name") != "catalog_message":
        raise invalid("Action name must be catalog_message")
    return Shown(Products(text, CATALOG))


_INTERACTIVE: dict[str, Callable[[str, Json, Json], Shown]] = {
    "button": _reply_buttons,
    "list": _list,
    "cta_url": _cta_url,
    "carousel": _carousel,
    "location_request_message": _location_request,
    "product": _product,
    "product_list": _product_list,
    "catalog_message": _catalog_message,
}


# --- templates ---


def _template(content: Json, files: Files) -> Shown:
    name = str(content.get("name") or "")
    language = content.get("language")
    code = str(language.get("code") or "") if isinstance(language, dict) else ""
    if not name or not code:
        raise required("template['name'] and template['language']['code']")
    approved = TEMPLATES.get((name, code))
    if approved is None:
        raise GraphError(132001, f"template name ({name}) does not exist in {code}", status=404)
    components = content.get("components") or []
    by_type = {str(c.get("type")): c for c in components if isinstance(c, dict)}
    parameters = _body_parameters(by_type.get("body", {}), approved)
    picture = _template_picture(by_type.get("header", {}), approved, files)
    pressed = [c for c in components if isinstance(c, dict) and c.get("type") == "button"]
    payloads = _payloads(pressed, approved, parameters)
    words = _PLACE.sub(lambda found: parameters[int(found[1]) - 1], approved.text)
    template = Template(
        name, code, tuple(parameters), picture, tuple(payloads), approved.category, words
    )
    pairs = zip(approved.buttons, payloads, strict=True)
    rows: list[list[Json]] = [[{"title": t, "payload": p}] for t, p in pairs]
    return Shown(template, "button", buttons=rows, category=approved.category)


def _body_parameters(body: Mapping[str, Any], approved: Approved) -> list[str]:
    places = set(_PLACE.findall(approved.text))
    given = body.get("parameters") or []
    if len(given) != len(places):
        raise GraphError(
            132000,
            f"body: number of localizable_params ({len(given)}) does not match the expected "
            f"number of params ({len(places)})",
        )
    texts = []
    for one in given:
        text = one.get("text") if isinstance(one, dict) else None
        if not isinstance(text, str) or not text:
            raise GraphError(131008, "Parameter of type text is missing text value")
        if _BAD_PARAMETER.search(text):
            raise GraphError(
                132018,
                "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
            )
        texts.append(text)
    return texts


def _template_picture(header: Mapping[str, Any], approved: Approved, files: Files) -> str:
    given = header.get("parameters") or []
    if len(given) != int(approved.header):
        raise GraphError(132000, f"header: expected {int(approved.header)} parameters")
    if not given:
        return ""
    picture = given[0].get("image") if isinstance(given[0], dict) else None
    return _source("image", _object(picture, "image"), files)[0]


def _payloads(pressed: list[Json], approved: Approved, parameters: list[str]) -> list[str]:
    """Return what each quick reply means; a code's button has the code once more."""
    payloads = list(approved.buttons)
    for button in pressed:
        parameter = (button.get("parameters") or [{}])[0]
        if approved.category == "authentication":
            if button.get("sub_type") != "url" or parameter.get("text") != parameters[0]:
                raise GraphError(131008, "The button needs the code")
            continue
        index = str(button.get("index"))
        if button.get("sub_type") != "quick_reply" or not index.isdigit():
            raise GraphError(100, "Invalid button of a template")
        if int(index) >= len(payloads):
            raise GraphError(132000, f"button index {index} is out of range")
        payloads[int(index)] = str(parameter.get("payload") or "")
    if approved.category == "authentication" and not pressed:
        raise GraphError(131008, "The button needs the code")
    return payloads
