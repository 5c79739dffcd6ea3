"""What WhatsApp is sent, to the letter, and what follows of Meta's answers.

Written from the pages below
https://developers.facebook.com/documentation/business-messaging/whatsapp :

- messages/text-messages, image-messages, audio-messages, video-messages, document-messages,
  sticker-messages, location-messages, contacts-messages, reaction-messages
- messages/interactive-reply-buttons-messages, interactive-list-messages,
  interactive-cta-url-messages, interactive-media-carousel-messages,
  location-request-messages
- templates/overview and authentication-templates, catalogs/share-products
- business-scoped-user-ids, support/error-codes, throughput
- https://faq.whatsapp.com/539178204879377 (how to format your messages)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.message import (
    Album,
    Ask,
    Card,
    Cards,
    Choices,
    Contact,
    Content,
    Location,
    Media,
    Menu,
    Option,
    Products,
    Reaction,
    Section,
    Template,
    Text,
)
from tests.connectors.cases.whatsapp import (
    LINK,
    PHONE_ID,
    SCOPED,
    TAKEN,
    TOKEN,
    USER,
    Json,
    buttons,
    graph_error,
    options,
    rows,
)
from tests.connectors.table import Call, Out
from tests.kit.http import Answer, Reset, Step

SITE = "https://shop.example.com"


def call(kind: str, body: Any, n: int = 0, to: str = USER) -> Call:
    """The request of the n-th part."""
    who = {"to": to} if to.isdigit() else {"recipient": to}
    return Call(
        "POST",
        f"/v24.0/{PHONE_ID}/messages",
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **who,
            "type": kind,
            kind: body,
            "biz_opaque_callback_data": f"turn:{n}",
        },
        headers={"authorization": f"Bearer {TOKEN}"},
    )


def sent(name: str, content: Content, kind: str, body: Any, **more: Any) -> Out:
    """A content that is one message, and is taken."""
    return Out(name, content, [call(kind, body)], [TAKEN], ["sent wamid.SENT"], **more)


def parts(name: str, content: Content, *messages: tuple[str, Any]) -> Out:
    """A content that is several messages, all taken."""
    calls = [call(kind, body, n) for n, (kind, body) in enumerate(messages)]
    return Out(name, content, calls, [TAKEN] * len(calls), ["sent wamid.SENT"] * len(calls))


def ends(name: str, step: Step, *follows: str, reason: str = "") -> Out:
    """A text, what Meta says to it, and what becomes of it."""
    return Out(name, Text("Hello"), [call(*plain("Hello"))], [step], follows, reason)


def plain(text: str, preview: bool = False) -> tuple[str, Json]:
    return "text", {"body": text, "preview_url": preview}


def question(text: str, *replies: Option) -> tuple[str, Json]:
    made = [{"type": "reply", "reply": {"id": o.payload, "title": o.title}} for o in replies]
    return "interactive", {"type": "button", "body": {"text": text}, "action": {"buttons": made}}


def page(title: str, url: str = SITE) -> Json:
    return {"name": "cta_url", "parameters": {"display_text": title, "url": url}}


def picture(url: str = LINK) -> Json:
    return {"type": "image", "image": {"link": url}}


def listed(text: str, *sections: Json, button: str = "☰") -> tuple[str, Json]:
    action = {"button": button, "sections": list(sections)}
    return "interactive", {"type": "list", "body": {"text": text}, "action": action}


YES, NO = Option("Yes", "/yes"), Option("No", "/no")
SHOP = Option("Shop", "", url=SITE)


# --- hostile: limits in every script, 429 in the middle, answers that never come ---

CJK = "漢" * 600 + "。"
FAMILY = "👨‍👩‍👧‍👦"

HOSTILE = [
    parts(
        "Chinese is cut at the end of a sentence",
        Text(CJK * 7),
        plain(CJK * 6),
        plain(CJK),
    ),
    parts(
        "an emoji sequence is never cut",
        Text("x" * 4090 + FAMILY + "y"),
        plain("x" * 4090),
        plain(FAMILY + "y"),
    ),
    sent(
        "bold text that just fits with its signs",
        Text(f"**{'x' * 4094}**"),
        *plain(f"*{'x' * 4094}*"),
    ),
    parts(
        "bold text whose signs go over the limit is bold in both parts",
        Text(f"**{'x' * 3000} {'y' * 2000}**"),
        plain(f"*{'x' * 3000}*"),
        plain(f"*{'y' * 2000}*"),
    ),
    parts(
        "a Chinese question over the limit of questions",
        Choices(CJK * 2, (YES,)),
        plain(CJK),
        question(CJK, YES),
    ),
    sent(
        "a button's title in Chinese is cut at its limit",
        Choices("?", (Option("漢" * 21, "a"), NO)),
        *question("?", Option("漢" * 19 + "…", "a"), NO),
    ),
    sent(
        "a row's title and description in Chinese are cut at theirs",
        Menu("?", (Section("字" * 25, (Option("漢" * 25, "a", "述" * 73),)),)),
        *listed(
            "?",
            {
                "title": "字" * 23 + "…",
                "rows": [{"id": "a", "title": "漢" * 23 + "…", "description": "述" * 71 + "…"}],
            },
        ),
    ),
    parts(
        "a Chinese caption over its limit follows as text",
        Media("image", url=LINK, caption="漢" * 1025),
        ("image", {"link": LINK}),
        plain("漢" * 1025),
    ),
    sent(
        "options shortened to the same title are numbered",
        Choices("?", (Option("a" * 20 + "1", "1"), Option("a" * 20 + "2", "2"))),
        *question("?", Option("1. " + "a" * 16 + "…", "1"), Option("2. " + "a" * 16 + "…", "2")),
    ),
    Out(
        "429 in the middle: what was sent stays, the rest waits in order",
        Text(CJK * 14),
        [call(*plain(CJK * 6)), call(*plain(CJK * 6), 1)],
        [TAKEN, Answer("slow down", 429, {"Retry-After": "30"})],
        ["sent wamid.SENT", "queued 30", "queued"],
    ),
    Out(
        "a refusal in the middle does not hold up the rest",
        Text(CJK * 14),
        [call(*plain(CJK * 6)), call(*plain(CJK * 6), 1), call(*plain(CJK * 2), 2)],
        [TAKEN, graph_error(131026), TAKEN],
        ["sent wamid.SENT", "failed", "sent wamid.SENT"],
    ),
    Out(
        "a reset in the middle: nothing else goes out before it is settled",
        Text(CJK * 14),
        [call(*plain(CJK * 6)), call(*plain(CJK * 6), 1)],
        [TAKEN, Reset()],
        ["sent wamid.SENT", "unknown", "queued"],
    ),
]


# --- one message each ---

SINGLE = [
    sent("text", Text("Hello"), "text", {"body": "Hello", "preview_url": False}),
    sent(
        "text with a link",
        Text(f"See {LINK}"),
        "text",
        {"body": f"See {LINK}", "preview_url": True},
    ),
    sent(
        "text as long as may be",
        Text("👍" * 4096),
        "text",
        {"body": "👍" * 4096, "preview_url": False},
    ),
    sent(
        "text in many scripts",
        Text("عربي 漢字 👩‍👩‍👧\n\"'\\"),
        "text",
        {"body": "عربي 漢字 👩‍👩‍👧\n\"'\\", "preview_url": False},
    ),
    sent(
        "text no provider takes", Text("a\x00\ud83d"), "text", {"body": "a�", "preview_url": False}
    ),
    sent(
        "one button",
        Choices("Sure?", options(1)),
        "interactive",
        {"type": "button", "body": {"text": "Sure?"}, "action": {"buttons": buttons(1)}},
    ),
    sent(
        "three buttons",
        Choices("Which?", options(3)),
        "interactive",
        {"type": "button", "body": {"text": "Which?"}, "action": {"buttons": buttons(3)}},
    ),
    sent(
        "a button as long as may be",
        Choices("q" * 1024, options(1, title="t" * 20, payload="p" * 256)),
        "interactive",
        {
            "type": "button",
            "body": {"text": "q" * 1024},
            "action": {
                "buttons": [{"type": "reply", "reply": {"id": "p" * 256, "title": "t" * 20}}]
            },
        },
    ),
    sent(
        "four options are a list",
        Choices("Which?", options(4)),
        "interactive",
        {
            "type": "list",
            "body": {"text": "Which?"},
            "action": {"button": "☰", "sections": [{"rows": rows(4)}]},
        },
    ),
    sent(
        "ten rows, the last as long as may be",
        Choices("Which?", options(10, title="t" * 24, payload="p" * 200, description="d" * 72)),
        "interactive",
        {
            "type": "list",
            "body": {"text": "Which?"},
            "action": {
                "button": "☰",
                "sections": [
                    {
                        "rows": [
                            *rows(9),
                            {"id": "p" * 200, "title": "t" * 24, "description": "d" * 72},
                        ]
                    }
                ],
            },
        },
    ),
    sent(
        "an image by link",
        Media("image", url=LINK, caption="Look"),
        "image",
        {"link": LINK, "caption": "Look"},
    ),
    sent("an image by id", Media("image", ref="275"), "image", {"id": "275"}),
    sent(
        "a link goes before a foreign id",
        Media("image", url=LINK, ref="275"),
        "image",
        {"link": LINK},
    ),
    sent(
        "a video",
        Media("video", url=LINK, caption="x" * 1024),
        "video",
        {"link": LINK, "caption": "x" * 1024},
    ),
    sent("an audio file", Media("audio", url=LINK), "audio", {"link": LINK}),
    sent("a voice note", Media("voice", url=LINK), "audio", {"link": LINK, "voice": True}),
    sent(
        "a document",
        Media("document", url=LINK, filename="bill.pdf", caption="Your bill"),
        "document",
        {"link": LINK, "filename": "bill.pdf", "caption": "Your bill"},
    ),
    sent("a sticker", Media("sticker", url=LINK), "sticker", {"link": LINK}),
    sent(
        "a location",
        Location(52.5, 13.4, "Shop", "Main St 1"),
        "location",
        {"latitude": 52.5, "longitude": 13.4, "name": "Shop", "address": "Main St 1"},
    ),
    sent(
        "a bare location",
        Location(-90.0, 180.0),
        "location",
        {"latitude": -90.0, "longitude": 180.0},
    ),
    sent(
        "a contact",
        Contact("Support", ("+1555",), ("help@example.com",)),
        "contacts",
        [
            {
                "name": {"formatted_name": "Support", "first_name": "Support"},
                "phones": [{"phone": "+1555"}],
                "emails": [{"email": "help@example.com"}],
            }
        ],
    ),
    sent(
        "a contact without a number",
        Contact("Support", emails=("help@example.com",)),
        "contacts",
        [
            {
                "name": {"formatted_name": "Support", "first_name": "Support"},
                "emails": [{"email": "help@example.com"}],
            }
        ],
    ),
    sent(
        "a contact without name and number is a text",
        Contact("", emails=("help@example.com",)),
        *plain("help@example.com"),
    ),
    sent(
        "a reaction",
        Reaction("wamid.IN", "👍"),
        "reaction",
        {"message_id": "wamid.IN", "emoji": "👍"},
    ),
    sent(
        "a reaction taken off",
        Reaction("wamid.IN", "👍", removed=True),
        "reaction",
        {"message_id": "wamid.IN", "emoji": ""},
    ),
]


# --- light formatting ---

MARKED = [
    sent(
        "bold, italic, struck and code",
        Text("**now** _or_ ~~never~~ `x=1`"),
        *plain("*now* _or_ ~never~ `x=1`"),
    ),
    sent(
        "a named link is followed by its address",
        Text(f"[our shop]({SITE})"),
        *plain(f"our shop ({SITE})", preview=True),
    ),
    sent("signs that mean themselves", Text(r"5\*3 and snake_case"), *plain("5*3 and snake_case")),
    sent("a fenced block", Text("```\na = 1\n```"), *plain("```a = 1```")),
    sent("a formatted question", Choices("**Sure?**", (YES, NO)), *question("*Sure?*", YES, NO)),
    sent(
        "a formatted caption",
        Media("image", url=LINK, caption="_new_"),
        "image",
        {"link": LINK, "caption": "_new_"},
    ),
]


# --- options, lists, links ---

OPTIONS = [
    sent(
        "a menu of titled sections",
        Menu(
            "Which?",
            (
                Section("Fast", (Option("Express", "x", "1 day"),)),
                Section("Slow", (Option("Ship", "s"),)),
            ),
            "Choose",
        ),
        *listed(
            "Which?",
            {
                "title": "Fast",
                "rows": [{"id": "x", "title": "Express", "description": "1 day"}],
            },
            {"title": "Slow", "rows": [{"id": "s", "title": "Ship"}]},
            button="Choose",
        ),
    ),
    sent(
        "an untitled section among several gets a sign, for Meta wants a title",
        Menu("Which?", (Section("", (YES,)), Section("B", (NO,)), Section("empty", ()))),
        *listed(
            "Which?",
            {"title": "–", "rows": [{"id": "/yes", "title": "Yes"}]},
            {"title": "B", "rows": [{"id": "/no", "title": "No"}]},
        ),
    ),
    sent(
        "the word that opens a menu is cut to its limit",
        Menu("Which?", (Section("", (YES,)),), "Show me everything you have"),
        *listed("Which?", {"rows": [{"id": "/yes", "title": "Yes"}]}, button="Show me everything…"),
    ),
    parts(
        "eleven rows become numbered text",
        Menu("Which?", (Section("", options(11)),)),
        plain("Which?\n" + "\n".join(f"{n + 1}. Option {n}" for n in range(11))),
    ),
    sent(
        "a single link is a button that opens it",
        Choices("Look", (SHOP,)),
        "interactive",
        {"type": "cta_url", "body": {"text": "Look"}, "action": page("Shop")},
    ),
    sent(
        "a single link with a long title",
        Choices("Look", (Option("See everything in our shop", "", url=SITE),)),
        "interactive",
        {"type": "cta_url", "body": {"text": "Look"}, "action": page("See everything in o…")},
    ),
    sent(
        "a link among buttons is written out",
        Choices("Look", (SHOP, YES)),
        *question(f"Look\nShop: {SITE}", YES),
    ),
    parts(
        "two links are written out",
        Choices("Look", (SHOP, Option("Blog", "", url=f"{SITE}/blog"))),
        plain(f"Look\nShop: {SITE}\nBlog: {SITE}/blog", preview=True),
    ),
]


# --- cards ---

ECHEVERIA = Card("Echeveria", "A rosette.", LINK, options=(Option("More", "more-1"),))
HAWORTHIA = Card("Haworthia", "Stripes.", f"{LINK}2", options=(Option("More", "more-2"),))


def carousel(*cards: Json) -> tuple[str, Json]:
    return "interactive", {
        "type": "carousel",
        "body": {"text": "Echeveria · Haworthia"},
        "action": {"cards": list(cards)},
    }


def reply_card(n: int, text: str, url: str, id: str) -> Json:
    replies = [{"type": "quick_reply", "quick_reply": {"id": id, "title": "More"}}]
    return {
        "card_index": n,
        "header": picture(url),
        "body": {"text": text},
        "action": {"buttons": replies},
    }


def card(text: str, action: Json, kind: str = "button", url: str = LINK) -> tuple[str, Json]:
    header = {"header": picture(url)} if url else {}
    return "interactive", {"type": kind, **header, "body": {"text": text}, "action": action}


def replies(*given: tuple[str, str]) -> Json:
    return {"buttons": [{"type": "reply", "reply": {"id": i, "title": t}} for t, i in given]}


CARDS = [
    sent(
        "a card is a question with a picture",
        Cards((ECHEVERIA,)),
        *card("*Echeveria*\nA rosette.", replies(("More", "more-1"))),
    ),
    sent(
        "a card that opens a page",
        Cards((Card("Echeveria", image=LINK, options=(SHOP,)),)),
        *card("*Echeveria*", page("Shop"), "cta_url"),
    ),
    sent(
        "a card without buttons is a picture with words",
        Cards((Card("Echeveria", "A rosette.", LINK, SITE),)),
        "image",
        {"link": LINK, "caption": f"*Echeveria*\nA rosette.\n{SITE}"},
    ),
    sent(
        "a card without a picture",
        Cards((Card("Echeveria", "A *rosette*.", options=(YES, NO)),)),
        *card("*Echeveria*\nA *rosette*.", replies(("Yes", "/yes"), ("No", "/no")), url=""),
    ),
    sent(
        "a card of words alone",
        Cards((Card("Echeveria", "A rosette."),)),
        *plain("*Echeveria*\nA rosette."),
    ),
    parts(
        "a card with too many buttons is a picture and a question",
        Cards((Card("E", image=LINK, options=(YES, NO, Option("Perhaps", "/perhaps"))),)),
        ("image", {"link": LINK}),
        question("*E*", YES, NO, Option("Perhaps", "/perhaps")),
    ),
    sent(
        "two cards stand side by side",
        Cards((ECHEVERIA, HAWORTHIA)),
        *carousel(
            reply_card(0, "*Echeveria*\nA rosette.", LINK, "more-1"),
            reply_card(1, "*Haworthia*\nStripes.", f"{LINK}2", "more-2"),
        ),
    ),
    sent(
        "two cards that open pages stand side by side",
        Cards(
            (
                Card("Echeveria", image=LINK, options=(SHOP,)),
                Card("Haworthia", "Green\n\nand\nwhite", LINK, options=(SHOP,)),
            )
        ),
        *carousel(
            {
                "card_index": 0,
                "type": "cta_url",
                "header": picture(),
                "body": {"text": "*Echeveria*"},
                "action": page("Shop"),
            },
            {
                "card_index": 1,
                "type": "cta_url",
                "header": picture(),
                "body": {"text": "*Haworthia*\nGreen and white"},
                "action": page("Shop"),
            },
        ),
    ),
    parts(
        "cards of different buttons go one by one",
        Cards((ECHEVERIA, Card("H", image=LINK, options=(YES, NO)))),
        card("*Echeveria*\nA rosette.", replies(("More", "more-1"))),
        card("*H*", replies(("Yes", "/yes"), ("No", "/no"))),
    ),
    parts(
        "cards of which one has no picture go one by one",
        Cards((ECHEVERIA, Card("H", options=(YES,)))),
        card("*Echeveria*\nA rosette.", replies(("More", "more-1"))),
        card("*H*", replies(("Yes", "/yes")), url=""),
    ),
    parts(
        "a card with a long text is taken apart",
        Cards((Card("E", "x" * 200, LINK, options=(YES,)),)),
        ("image", {"link": LINK}),
        question("*E*\n" + "x" * 200, YES),
    ),
    Out(
        "eleven cards are ten side by side and one",
        Cards(
            tuple(Card(f"C{n}", image=LINK, options=(Option("Go", f"go-{n}"),)) for n in range(11))
        ),
        [
            call(
                "interactive",
                {
                    "type": "carousel",
                    "body": {"text": " · ".join(f"C{n}" for n in range(10))},
                    "action": {
                        "cards": [
                            {
                                "card_index": n,
                                "header": picture(),
                                "body": {"text": f"*C{n}*"},
                                "action": {
                                    "buttons": [
                                        {
                                            "type": "quick_reply",
                                            "quick_reply": {"id": f"go-{n}", "title": "Go"},
                                        }
                                    ]
                                },
                            }
                            for n in range(10)
                        ]
                    },
                },
            ),
            call(*card("*C10*", replies(("Go", "go-10"))), 1),
        ],
        [TAKEN, TAKEN],
        ["sent wamid.SENT", "sent wamid.SENT"],
    ),
]


# --- templates, products, requests ---


def named(name: str = "order_update", code: str = "en_US", *components: Json) -> Json:
    made: Json = {"name": name, "language": {"code": code}}
    return {**made, "components": list(components)} if components else made


def body(*texts: str) -> Json:
    return {"type": "body", "parameters": [{"type": "text", "text": t} for t in texts]}


def goods(text: str, numbers: Sequence[int]) -> Json:
    items = [{"product_retailer_id": f"sku-{n}"} for n in numbers]
    return {
        "type": "product_list",
        "header": {"type": "text", "text": "Mugs"},
        "body": {"text": text},
        "action": {"catalog_id": "C-1", "sections": [{"title": "Mugs", "product_items": items}]},
    }


def reply_button(n: int, payload: str) -> Json:
    return {
        "type": "button",
        "sub_type": "quick_reply",
        "index": str(n),
        "parameters": [{"type": "payload", "payload": payload}],
    }


SHOPPING = [
    sent(
        "a template without places",
        Template("order_update", "en_US", text="Your order moves."),
        "template",
        named(),
    ),
    sent(
        "a template with parameters, a picture and buttons",
        Template("order_update", "en_US", ("Ann", "42"), LINK, ("/track", "/stop")),
        "template",
        named(
            "order_update",
            "en_US",
            {"type": "header", "parameters": [picture()]},
            body("Ann", "42"),
            reply_button(0, "/track"),
            reply_button(1, "/stop"),
        ),
    ),
    sent(
        "a parameter of several lines is one line",
        Template("order_update", "de", ("two\n\nlines\t and     blanks",)),
        "template",
        named("order_update", "de", body("two lines and blanks")),
    ),
    sent(
        "a code goes into the words and onto the button",
        Template("code", "pt_BR", ("123456",), category="authentication"),
        "template",
        named(
            "code",
            "pt_BR",
            body("123456"),
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": "123456"}],
            },
        ),
    ),
    sent(
        "a template goes out after the 24 hours",
        Template("order_update", "en_US"),
        "template",
        named(),
        last_in_hours=48,
    ),
    Out(
        "a free message after the 24 hours is held",
        Text("Hello"),
        [],
        [],
        ["held"],
        reason="too long ago",
        last_in_hours=24.1,
    ),
    Out(
        "a template nobody approved",
        Template("none", "en_US"),
        [call("template", named("none"))],
        [graph_error(132001, 404)],
        ["failed"],
        reason="132001",
    ),
    Out(
        "a template with a wrong number of parameters",
        Template("order_update", "en_US", ("one",)),
        [call("template", named("order_update", "en_US", body("one")))],
        [graph_error(132000)],
        ["failed"],
        reason="132000",
    ),
    Out(
        "a template with an empty parameter is not asked of Meta",
        Template("order_update", "en_US", (" ",)),
        [],
        [],
        ["failed"],
        reason="a parameter is empty",
    ),
    sent(
        "one product",
        Products("Look", "C-2", ("sku-1",)),
        "interactive",
        {
            "type": "product",
            "body": {"text": "Look"},
            "action": {"catalog_id": "C-2", "product_retailer_id": "sku-1"},
        },
    ),
    sent(
        "several products of the account's own catalogue",
        Products("**Look**", items=("sku-1", "sku-2"), header="New plants for every window"),
        "interactive",
        {
            "type": "product_list",
            "header": {"type": "text", "text": "New plants for every window"},
            "body": {"text": "*Look*"},
            "action": {
                "catalog_id": "C-1",
                "sections": [
                    {
                        "title": "New plants for every wi…",
                        "product_items": [
                            {"product_retailer_id": "sku-1"},
                            {"product_retailer_id": "sku-2"},
                        ],
                    }
                ],
            },
        },
    ),
    sent(
        "several products without a header",
        Products("**Look** here", items=("sku-1", "sku-2")),
        "interactive",
        {
            "type": "product_list",
            "header": {"type": "text", "text": "Look here"},
            "body": {"text": "*Look* here"},
            "action": {
                "catalog_id": "C-1",
                "sections": [
                    {
                        "title": "Look here",
                        "product_items": [
                            {"product_retailer_id": "sku-1"},
                            {"product_retailer_id": "sku-2"},
                        ],
                    }
                ],
            },
        },
    ),
    sent(
        "the whole catalogue",
        Products("All we have"),
        "interactive",
        {
            "type": "catalog_message",
            "body": {"text": "All we have"},
            "action": {"name": "catalog_message"},
        },
    ),
    parts(
        "more products than a list takes are several lists",
        Products("Look", items=tuple(f"sku-{n}" for n in range(32)), header="Mugs"),
        ("interactive", goods("Look", range(30))),
        ("interactive", goods("…", range(30, 32))),
    ),
    parts(
        "a text about products over the limit of questions",
        Products(f"{'x' * 1024} {'y' * 500}", items=("sku-0", "sku-1"), header="Mugs"),
        plain("x" * 1024),
        ("interactive", goods("y" * 500, range(2))),
    ),
    sent(
        "a request for the place",
        Ask("Where are **you**?", "location"),
        "interactive",
        {
            "type": "location_request_message",
            "body": {"text": "Where are *you*?"},
            "action": {"name": "send_location"},
        },
    ),
    sent(
        "a request for the number is a text", Ask("Your number?", "phone"), *plain("Your number?")
    ),
    sent(
        "a request for the place too long for its button is a text",
        Ask("x" * 1025, "location"),
        *plain("x" * 1025),
    ),
    parts(
        "a request for the place too long for a text ends in its button",
        Ask(f"{'x' * 4096} Where are you?", "location"),
        plain("x" * 4096),
        (
            "interactive",
            {
                "type": "location_request_message",
                "body": {"text": "Where are you?"},
                "action": {"name": "send_location"},
            },
        ),
    ),
]


# --- files and the rest ---

FILES = [
    parts(
        "words with a voice note follow it",
        Media("voice", url=LINK, caption="Listen"),
        ("audio", {"link": LINK, "voice": True}),
        plain("Listen"),
    ),
    parts(
        "words with a sticker follow it",
        Media("sticker", ref="9", caption="Ha"),
        ("sticker", {"id": "9"}),
        plain("Ha"),
    ),
    parts(
        "an album goes one by one",
        Album((Media("image", url=LINK, caption="1"), Media("video", url=LINK))),
        ("image", {"link": LINK, "caption": "1"}),
        ("video", {"link": LINK}),
    ),
    Out(
        "a customer known by user id alone",
        Text("Hello"),
        [call(*plain("Hello"), to=SCOPED)],
        [TAKEN],
        ["sent wamid.SENT"],
        to=SCOPED,
    ),
    Out(
        "an agent's words carry no name, for WhatsApp shows the business's",
        Text("Ann here"),
        [call(*plain("Ann here"))],
        [TAKEN],
        ["sent wamid.SENT"],
        agent="Ann",
    ),
    Out("an empty text is nothing", Text(" \n"), [], [], []),
]


# --- what Meta answers ---

ANSWERS = [
    ends("too fast for this customer", graph_error(131056), "queued 6", reason="131056"),
    ends("too fast for the number", graph_error(130429, 429), "queued"),
    ends("down for two minutes", Answer("", 503, {"Retry-After": "120"}), "queued 120"),
    ends("the token is expired", graph_error(190, 401), "queued 60", reason="set a new one"),
    ends("the bill is not paid", graph_error(131042), "queued 60", reason="billing"),
    ends("Meta's clock says the 24 hours are over", graph_error(131047), "held"),
    ends("marketing was stopped", graph_error(131050), "failed", reason="NoMarketing"),
    ends("undeliverable", graph_error(131026), "failed", reason="131026"),
    ends("a parameter Meta does not like", graph_error(100), "failed", reason="The details"),
    ends("a gateway's error: nobody knows", Answer("<html>", 502), "unknown"),
    ends("the connection is reset: nobody knows", Reset(), "unknown"),
    ends("200 without an id: nobody knows", Answer({"messages": []}), "unknown"),
]


OUTBOUND = [
    *HOSTILE,
    *SINGLE,
    *MARKED,
    *OPTIONS,
    *CARDS,
    *SHOPPING,
    *FILES,
    *ANSWERS,
]
