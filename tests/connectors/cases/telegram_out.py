"""What goes to Telegram, its answers, and what follows.

Written from Telegram's documentation:
https://core.telegram.org/bots/api#sendmessage and the other methods that send,
https://core.telegram.org/bots/api#messageentity, #formatting-options,
https://core.telegram.org/bots/api#inlinekeyboardbutton, #keyboardbutton,
https://core.telegram.org/bots/api#setmessagereaction, #sending-files,
https://core.telegram.org/bots/api#responseparameters,
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this;
error texts are those of the server, https://github.com/tdlib/telegram-bot-api.
"""

from __future__ import annotations

import json
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
    Deletion,
    Edit,
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
from tests.connectors.cases.telegram import CHAT, DATE, keyboard, refusal
from tests.connectors.table import Call, Out
from tests.kit.http import Answer, Reset, Step

TOKEN = "123456:AAH-secret_bot_token"
LONG = "confirm:" + "x" * 57
FITS = "é" * 32
PICTURE = "https://example.com/fox.png"
GROUP = "-1001234567890"


class Json:
    """A form's value that must be this as JSON, however it is spelt."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and bool(json.loads(other) == self.value)

    def __repr__(self) -> str:
        return repr(self.value)


def call(method: str, chat: str = "4711", **form: Any) -> Call:
    """A request with this form; what is no text must be there as JSON."""
    fields = {k: v if isinstance(v, str) else Json(v) for k, v in form.items()}
    return Call("POST", f"/bot{TOKEN}/{method}", form={"chat_id": chat, **fields})


def sent(number: int = 77) -> Answer:
    """Telegram's answer to what it took."""
    return Answer({"ok": True, "result": {"message_id": number, "date": DATE, "chat": CHAT}})


def one(name: str, content: Content, method: str, form: dict[str, Any] | None = None) -> Out:
    """A content that is one request, which Telegram takes."""
    return Out(name, content, [call(method, **(form or {}))], [sent()], ["sent 4711.77"])


def several(name: str, content: Content, *calls: Call, **more: Any) -> Out:
    """A content that is several requests, all taken."""
    numbers = range(77, 77 + len(calls))
    follows = [f"sent 4711.{n}" for n in numbers]
    return Out(name, content, calls, [sent(n) for n in numbers], follows, **more)


def refused(name: str, step: Step, follows: str, reason: str = "", **more: Any) -> Out:
    """A text that Telegram does not take."""
    chat = more.get("to", "4711").partition("/")[0]
    topic = more.get("to", "").partition("/")[2]
    asked = call("sendMessage", chat, text="hi", **({"message_thread_id": topic} if topic else {}))
    return Out(name, Text("hi"), [asked], [step], [follows], reason, **more)


def unsent(name: str, content: Content, reason: str, **more: Any) -> Out:
    """A content that is refused before any request is made."""
    return Out(name, content, [], [], ["failed"], reason, **more)


def bold(offset: int, length: int) -> dict[str, Any]:
    return {"type": "bold", "offset": offset, "length": length}


def styled(style: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": style, "offset": offset, "length": length, **more}


SINGLE = [
    one("text", Text("Hello"), "sendMessage", {"text": "Hello"}),
    one(
        "text that looks like the Bot API's markup goes out as it is",
        Text("<b>c</b> ||d|| 5*3*2 snake_case_name"),
        "sendMessage",
        {"text": "<b>c</b> ||d|| 5*3*2 snake_case_name"},
    ),
    one(
        "a card",
        Cards(
            (Card("Fox", image="https://cdn.example.com/fox.png", options=(Option("Buy", "b"),)),)
        ),
        "sendPhoto",
        {
            "photo": "https://cdn.example.com/fox.png",
            "caption": "Fox",
            "caption_entities": [{"type": "bold", "offset": 0, "length": 3}],
            "reply_markup": keyboard([("Buy", "b")]),
        },
    ),
    one(
        "a question for a place",
        Ask("Where are you?", "location"),
        "sendMessage",
        {
            "text": "Where are you?",
            "reply_markup": {
                "keyboard": [[{"text": "📍 Send my location", "request_location": True}]],
                "resize_keyboard": True,
                "one_time_keyboard": True,
            },
        },
    ),
    one("emoji", Text("🦊 да 你好"), "sendMessage", {"text": "🦊 да 你好"}),
    one("NUL and lone surrogates", Text("a\x00b\ud800"), "sendMessage", {"text": "ab\ufffd"}),
    one("text of the full length", Text("x" * 4096), "sendMessage", {"text": "x" * 4096}),
    one(
        "two short buttons in a row",
        Choices("Sure?", (Option("Yes", "y"), Option("No", "n"))),
        "sendMessage",
        {"text": "Sure?", "reply_markup": keyboard([("Yes", "y"), ("No", "n")])},
    ),
    one(
        "four short buttons, two and two",
        Choices("?", tuple(Option(t, t) for t in "abcd")),
        "sendMessage",
        {
            "text": "?",
            "reply_markup": keyboard([("a", "a"), ("b", "b")], [("c", "c"), ("d", "d")]),
        },
    ),
    one(
        "long titles one in a row",
        Choices("?", (Option("Track my last order", "t"), Option("No", "n"))),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("Track my last order", "t")], [("No", "n")])},
    ),
    one(
        "wide characters count twice",
        Choices("?", (Option("查询我的最近订单", "t"), Option("退货", "r"), Option("人工", "h"))),
        "sendMessage",
        {
            "text": "?",
            "reply_markup": keyboard([("查询我的最近订单", "t"), ("退货", "r")], [("人工", "h")]),
        },
    ),
    one(
        "a payload of 64 bytes fits, a longer one becomes a reference",
        Choices("?", (Option("A", FITS), Option("B", FITS + "e"), Option("C", LONG))),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("A", FITS), ("B", "#1"), ("C", "#2")])},
    ),
    one(
        "a payload that looks like a reference, or is empty, becomes one",
        Choices("?", (Option("A", "#7"), Option("B", ""), Option("C", "#x"))),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("A", "#0"), ("B", "#1"), ("C", "#x")])},
    ),
    one("a question without options", Choices("?", ()), "sendMessage", {"text": "?"}),
    one(
        "image by URL",
        Media("image", url="https://cdn.example.com/a.png?x=1", caption="this one"),
        "sendPhoto",
        {"photo": "https://cdn.example.com/a.png?x=1", "caption": "this one"},
    ),
    one("image by file id", Media("image", ref="AgAC_-1"), "sendPhoto", {"photo": "AgAC_-1"}),
    one(
        "a file id that is the name of a file here stays an id",
        Media("document", ref="README"),
        "sendDocument",
        {"document": "README"},
    ),
    one("voice", Media("voice", ref="v"), "sendVoice", {"voice": "v"}),
    one("audio", Media("audio", ref="a"), "sendAudio", {"audio": "a"}),
    one(
        "video",
        Media("video", ref="v", caption="how to"),
        "sendVideo",
        {"video": "v", "caption": "how to"},
    ),
    one(
        "document",
        Media("document", url="http://example.com/bill.pdf", filename="bill.pdf"),
        "sendDocument",
        {"document": "http://example.com/bill.pdf"},
    ),
    one("sticker", Media("sticker", ref="s"), "sendSticker", {"sticker": "s"}),
    one(
        "location",
        Location(52.5, -13.25),
        "sendLocation",
        {"latitude": "52.5", "longitude": "-13.25"},
    ),
    one("location at zero", Location(0, 0), "sendLocation", {"latitude": "0", "longitude": "0"}),
    one(
        "location with a name",
        Location(1.5, 2.5, name="Depot", address="Quay 1"),
        "sendVenue",
        {"latitude": "1.5", "longitude": "2.5", "title": "Depot", "address": "Quay 1"},
    ),
    one(
        "location with a name alone",
        Location(1.5, 2.5, name="Depot"),
        "sendVenue",
        {"latitude": "1.5", "longitude": "2.5", "title": "Depot", "address": "Depot"},
    ),
    one(
        "contact",
        Contact("Ann", phones=("+4930", "+4931")),
        "sendContact",
        {"phone_number": "+4930", "first_name": "Ann"},
    ),
    one(
        "a contact without a number is a text",
        Contact("Ann", emails=("ann@example.com",)),
        "sendMessage",
        {"text": "Ann\nann@example.com"},
    ),
]

WORDS = [
    one(
        "the four styles",
        Text("**b** _i_ ~~s~~ `c`"),
        "sendMessage",
        {
            "text": "b i s c",
            "entities": [
                styled("bold", 0, 1),
                styled("italic", 2, 1),
                styled("strikethrough", 4, 1),
                styled("code", 6, 1),
            ],
        },
    ),
    one(
        "a style within a style",
        Text("**bold _both_**"),
        "sendMessage",
        {"text": "bold both", "entities": [bold(0, 9), styled("italic", 5, 4)]},
    ),
    one(
        "a style is cut around code, which holds none",
        Text("**a `b` c**"),
        "sendMessage",
        {"text": "a b c", "entities": [bold(0, 2), styled("code", 2, 1), bold(3, 2)]},
    ),
    one(
        "a block of code",
        Text("see\n```\nx = 1\n```"),
        "sendMessage",
        {"text": "see\nx = 1", "entities": [styled("pre", 4, 5)]},
    ),
    one(
        "a link",
        Text("[our terms](https://example.com/t)"),
        "sendMessage",
        {"text": "our terms", "entities": [styled("text_link", 0, 9, url="https://example.com/t")]},
    ),
    one(
        "code in a link gives way to the link",
        Text("[see `x`](https://example.com/)"),
        "sendMessage",
        {"text": "see x", "entities": [styled("text_link", 0, 5, url="https://example.com/")]},
    ),
    one(
        "a mail address behind words is written out",
        Text("[write **us**](mailto:a@example.com) now"),
        "sendMessage",
        {"text": "write us (a@example.com) now", "entities": [bold(6, 2)]},
    ),
    one(
        "a mail address that is shown is left to Telegram",
        Text("[a@example.com](mailto:a@example.com)"),
        "sendMessage",
        {"text": "a@example.com"},
    ),
    one(
        "a telephone number behind words",
        Text("[call](tel:+4930) **now**"),
        "sendMessage",
        {"text": "call (+4930) now", "entities": [bold(13, 3)]},
    ),
    one(
        "a page of a host without a dot, which Telegram refuses, is written out",
        Text("[here](http://localhost/x)"),
        "sendMessage",
        {"text": "here (http://localhost/x)"},
    ),
    one(
        "offsets count UTF-16 units",
        Text("🦊🦊 **你好** _🦊_"),
        "sendMessage",
        {"text": "🦊🦊 你好 🦊", "entities": [bold(5, 2), styled("italic", 8, 2)]},
    ),
    one("signs that were escaped", Text(r"2 \* 3 \* 4"), "sendMessage", {"text": "2 * 3 * 4"}),
    Out("an empty text is nothing", Text("  "), [], [], []),
    one("Chinese of the full length", Text("好" * 4096), "sendMessage", {"text": "好" * 4096}),
    several(
        "Chinese beyond the limit is cut at a sentence",
        Text("好" * 3000 + "。" + "是" * 2000),
        call("sendMessage", text="好" * 3000 + "。"),
        call("sendMessage", text="是" * 2000),
    ),
    several(
        "emoji, two units each, are cut between two of them",
        Text("🦊" * 2049),
        call("sendMessage", text="🦊" * 2048),
        call("sendMessage", text="🦊"),
    ),
    several(
        "a family of emoji is cut before it, not within",
        Text("x" * 4090 + "👨‍👩‍👧‍👦" + "y"),
        call("sendMessage", text="x" * 4090),
        call("sendMessage", text="👨‍👩‍👧‍👦y"),
    ),
    several(
        "a style goes on behind the cut",
        Text(f"**{'a' * 4000} {'b' * 4000}**"),
        call("sendMessage", text="a" * 4000, entities=[bold(0, 4000)]),
        call("sendMessage", text="b" * 4000, entities=[bold(0, 4000)]),
    ),
    one(
        "signs of styles do not count for the length",
        Text(f"**{'a' * 4096}**"),
        "sendMessage",
        {"text": "a" * 4096, "entities": [bold(0, 4096)]},
    ),
]

QUESTIONS = [
    one(
        "a question in bold",
        Choices("**Sure?**", (Option("Yes", "y"),)),
        "sendMessage",
        {"text": "Sure?", "entities": [bold(0, 5)], "reply_markup": keyboard([("Yes", "y")])},
    ),
    one(
        "a button's words are no Markdown",
        Choices("?", (Option("**Yes**", "y"),)),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("**Yes**", "y")])},
    ),
    one(
        "a button that opens a page",
        Choices("Terms", (Option("Read", "", url="https://example.com/t"),)),
        "sendMessage",
        {
            "text": "Terms",
            "reply_markup": {
                "inline_keyboard": [[{"text": "Read", "url": "https://example.com/t"}]]
            },
        },
    ),
    one(
        "pages and payloads side by side",
        Choices(
            "?",
            (
                Option("Yes", "y"),
                Option("Read", "", url="https://example.com/t"),
                Option("Long", LONG),
            ),
        ),
        "sendMessage",
        {
            "text": "?",
            "reply_markup": {
                "inline_keyboard": [
                    [
                        {"text": "Yes", "callback_data": "y"},
                        {"text": "Read", "url": "https://example.com/t"},
                        {"text": "Long", "callback_data": "#2"},
                    ]
                ]
            },
        },
    ),
    unsent(
        "a button that opens a page of no full name",
        Choices("?", (Option("A", "", url="http://localhost/"),)),
        "a button opens http(s) pages",
    ),
    one(
        "a payload that is the mark of a chosen option",
        Choices("?", (Option("A", "#"),)),
        "sendMessage",
        {"text": "?", "reply_markup": keyboard([("A", "#0")])},
    ),
    several(
        "a question that is too long goes before its buttons",
        Choices("好" * 4000 + "。" + "是" * 200, (Option("A", "a"),)),
        call("sendMessage", text="好" * 4000 + "。"),
        call("sendMessage", text="是" * 200, reply_markup=keyboard([("A", "a")])),
    ),
    one(
        "long titles that begin alike",
        Choices("?", (Option("a" * 70 + "1", "1"), Option("a" * 70 + "2", "2"))),
        "sendMessage",
        {
            "text": "?",
            "reply_markup": keyboard(
                [("1. " + "a" * 60 + "…", "1")], [("2. " + "a" * 60 + "…", "2")]
            ),
        },
    ),
    one(
        "more options than a keyboard takes are numbered",
        Choices("?", tuple(Option(str(n), f"/{n}") for n in range(101))),
        "sendMessage",
        {"text": "?\n" + "\n".join(f"{n + 1}. {n}" for n in range(101))},
    ),
    one(
        "a menu becomes buttons",
        Menu(
            "Which?",
            (
                Section("Fruit", (Option("Apple", "a", "red"),)),
                Section("Root", (Option("Beet", "b"),)),
            ),
        ),
        "sendMessage",
        {"text": "Which?", "reply_markup": keyboard([("Apple", "a"), ("Beet", "b")])},
    ),
    one(
        "a question for a number",
        Ask("Your **number**?", "phone"),
        "sendMessage",
        {
            "text": "Your number?",
            "entities": [bold(5, 6)],
            "reply_markup": {
                "keyboard": [[{"text": "📱 Send my number", "request_contact": True}]],
                "resize_keyboard": True,
                "one_time_keyboard": True,
            },
        },
    ),
    Out(
        "a question for a place in a group, where no keyboard can ask it",
        Ask("Where?", "location"),
        [call("sendMessage", GROUP, text="Where?")],
        [sent()],
        [f"sent {GROUP}.77"],
        to=GROUP,
    ),
]

CARDS = [
    one(
        "a card with words, a page and buttons",
        Cards(
            (
                Card(
                    "Fox",
                    "It is *red*",
                    PICTURE,
                    "https://example.com/fox",
                    (Option("Buy", "buy"),),
                ),
            )
        ),
        "sendPhoto",
        {
            "photo": PICTURE,
            "caption": "Fox\nIt is *red*",
            "caption_entities": [
                styled("text_link", 0, 3, url="https://example.com/fox"),
                bold(0, 3),
            ],
            "reply_markup": keyboard([("Buy", "buy")]),
        },
    ),
    one(
        "a card without a picture",
        Cards((Card("Fox", "red", options=(Option("Buy", "buy"),)),)),
        "sendMessage",
        {"text": "Fox\nred", "entities": [bold(0, 3)], "reply_markup": keyboard([("Buy", "buy")])},
    ),
    one(
        "a card without words",
        Cards((Card("", image=PICTURE, url="https://example.com/fox"),)),
        "sendPhoto",
        {"photo": PICTURE, "caption": "https://example.com/fox"},
    ),
    one(
        "a card whose page has no full name",
        Cards((Card("Fox", image=PICTURE, url="http://shop/fox"),)),
        "sendPhoto",
        {"photo": PICTURE, "caption": "Fox\nhttp://shop/fox", "caption_entities": [bold(0, 3)]},
    ),
    several(
        "a carousel is one card after another",
        Cards(
            (
                Card("Fox", image=PICTURE, options=(Option("Buy", "1"),)),
                Card("Owl", options=(Option("Buy", "2"),)),
            )
        ),
        call(
            "sendPhoto",
            photo=PICTURE,
            caption="Fox",
            caption_entities=[bold(0, 3)],
            reply_markup=keyboard([("Buy", "1")]),
        ),
        call(
            "sendMessage", text="Owl", entities=[bold(0, 3)], reply_markup=keyboard([("Buy", "2")])
        ),
    ),
    several(
        "a card with more words than a caption holds",
        Cards((Card("Fox", "x" * 500, PICTURE, options=(Option("Buy", "b"),)),)),
        call("sendPhoto", photo=PICTURE),
        call(
            "sendMessage",
            text="Fox\n" + "x" * 500,
            entities=[bold(0, 3)],
            reply_markup=keyboard([("Buy", "b")]),
        ),
    ),
    one(
        "a full card of emoji fits into a caption",
        Cards((Card("🦊" * 64, "🦊" * 400, PICTURE),)),
        "sendPhoto",
        {
            "photo": PICTURE,
            "caption": "🦊" * 64 + "\n" + "🦊" * 400,
            "caption_entities": [bold(0, 128)],
        },
    ),
    one(
        "a template is what it says",
        Template("shipped", "en", ("77",), text="Order 77 is on its way."),
        "sendMessage",
        {"text": "Order 77 is on its way."},
    ),
    one(
        "products are the words about them",
        Products("Our foxes", "c1", ("1", "2")),
        "sendMessage",
        {"text": "Our foxes"},
    ),
]

FILES = [
    one(
        "a caption with styles",
        Media("image", url=PICTURE, caption="**this** one"),
        "sendPhoto",
        {"photo": PICTURE, "caption": "this one", "caption_entities": [bold(0, 4)]},
    ),
    several(
        "a caption of 1025 Chinese characters follows as text",
        Media("image", url=PICTURE, caption="好" * 1025),
        call("sendPhoto", photo=PICTURE),
        call("sendMessage", text="好" * 1025),
    ),
    one(
        "a caption of 1024 Chinese characters",
        Media("image", url=PICTURE, caption="好" * 1024),
        "sendPhoto",
        {"photo": PICTURE, "caption": "好" * 1024},
    ),
    several(
        "512 emoji fit into a caption and 513 do not",
        Album(
            (
                Media("image", url=PICTURE, caption="🦊" * 512),
                Media("image", url=PICTURE, caption="🦊" * 513),
            )
        ),
        call("sendPhoto", photo=PICTURE, caption="🦊" * 512),
        call("sendPhoto", photo=PICTURE),
        call("sendMessage", text="🦊" * 513),
    ),
    one(
        "a GIF moves",
        Media("image", url="https://example.com/fox.GIF?x=1"),
        "sendAnimation",
        {"animation": "https://example.com/fox.GIF?x=1"},
    ),
    one(
        "a GIF by its type",
        Media("image", ref="CgAC", mime="image/gif", caption="_run_"),
        "sendAnimation",
        {"animation": "CgAC", "caption": "run", "caption_entities": [styled("italic", 0, 3)]},
    ),
    several(
        "words with a voice note follow it",
        Media("voice", url="https://example.com/a.ogg", caption="hear"),
        call("sendVoice", voice="https://example.com/a.ogg"),
        call("sendMessage", text="hear"),
    ),
    several(
        "words with a sticker follow it",
        Media("sticker", ref="CAAC", caption="hi"),
        call("sendSticker", sticker="CAAC"),
        call("sendMessage", text="hi"),
    ),
    unsent(
        "a file of this machine",
        Media("image", url="file:///etc/passwd"),
        "media is sent by an http(s) URL",
    ),
    Out(
        "a URL that is none is Telegram's to refuse",
        Media("image", url="http://[fox.gif"),
        [call("sendAnimation", animation="http://[fox.gif")],
        [refusal(400, "Bad Request: wrong HTTP URL specified")],
        ["failed"],
        "wrong HTTP URL",
    ),
    unsent(
        "a button of a URL that is none",
        Choices("?", (Option("A", "", url="http://[fox"),)),
        "a button opens http(s) pages",
    ),
    unsent("media of nothing", Media("image"), "neither a URL nor a file id"),
    Out(
        "a file of a type that Telegram does not fetch",
        Media("document", url="https://example.com/a.docx"),
        [call("sendDocument", document="https://example.com/a.docx")],
        [refusal(400, "Bad Request: wrong type of the web page content")],
        ["failed"],
        "Rejected: 400 400 Bad Request: wrong type of the web page content",
    ),
]

REACTIONS = [
    Out(
        "a reaction",
        Reaction("4711.10", "👍"),
        [call("setMessageReaction", message_id="10", reaction=[{"type": "emoji", "emoji": "👍"}])],
        [Answer({"ok": True, "result": True})],
        ["sent 4711.10.r"],
    ),
    Out(
        "a reaction with a skin tone",
        Reaction("4711.10", "👍🏽"),
        [call("setMessageReaction", message_id="10", reaction=[{"type": "emoji", "emoji": "👍"}])],
        [Answer({"ok": True, "result": True})],
        ["sent 4711.10.r"],
    ),
    Out(
        "a heart with the selector that makes it an emoji",
        Reaction("4711.10", "❤️"),
        [call("setMessageReaction", message_id="10", reaction=[{"type": "emoji", "emoji": "❤"}])],
        [Answer({"ok": True, "result": True})],
        ["sent 4711.10.r"],
    ),
    Out(
        "a reaction is taken off",
        Reaction("4711.10", "👍", removed=True),
        [call("setMessageReaction", message_id="10", reaction=[])],
        [Answer({"ok": True, "result": True})],
        ["sent 4711.10.r"],
    ),
    unsent(
        "an emoji that is no reaction", Reaction("4711.10", "🚲"), "none of those Telegram takes"
    ),
    unsent(
        "a reaction on another chat's message",
        Reaction("4712.10", "👍"),
        "a message of the same chat",
    ),
    Out(
        "a reaction on a message that is gone",
        Reaction("4711.10", "👍"),
        [call("setMessageReaction", message_id="10", reaction=[{"type": "emoji", "emoji": "👍"}])],
        [refusal(400, "Bad Request: message to react not found")],
        ["failed"],
        "message to react not found",
    ),
]

PLACES = [
    Out(
        "a topic of a private chat",
        Text("hi"),
        [call("sendMessage", text="hi", message_thread_id="7")],
        [sent()],
        ["sent 4711.77"],
        to="4711/7",
    ),
    Out(
        "a topic of a forum",
        Choices("?", (Option("A", "a"),)),
        [
            call(
                "sendMessage",
                GROUP,
                text="?",
                message_thread_id="7",
                reply_markup=keyboard([("A", "a")]),
            )
        ],
        [sent()],
        [f"sent {GROUP}.77"],
        to=f"{GROUP}/7",
    ),
    Out(
        "a file in a topic",
        Media("image", url=PICTURE),
        [call("sendPhoto", photo=PICTURE, message_thread_id="7")],
        [sent()],
        ["sent 4711.77"],
        to="4711/7",
    ),
    Out(
        "a place in a topic",
        Location(1.5, 2.5),
        [call("sendLocation", latitude="1.5", longitude="2.5", message_thread_id="7")],
        [sent()],
        ["sent 4711.77"],
        to="4711/7",
    ),
    Out(
        "a group",
        Text("hi"),
        [call("sendMessage", GROUP, text="hi")],
        [sent()],
        [f"sent {GROUP}.77"],
        to=GROUP,
    ),
    unsent("an address that is a channel's name", Text("hi"), "AddressGone", to="@shop_news"),
    unsent("an address with two topics", Text("hi"), "AddressGone", to="4711/7/8"),
]

REFUSALS = [
    Out(
        "flood control between two messages",
        Text("好" * 4000 + "。" + "是" * 200),
        [call("sendMessage", text="好" * 4000 + "。"), call("sendMessage", text="是" * 200)],
        [sent(), refusal(429, "Too Many Requests: retry after 7", retry_after=7)],
        ["sent 4711.77", "queued 7"],
    ),
    Out(
        "flood control before two messages keeps their order",
        Text("好" * 4000 + "。" + "是" * 200),
        [call("sendMessage", text="好" * 4000 + "。")],
        [refusal(429, "Too Many Requests: retry after 30", retry_after=30)],
        ["queued 30", "queued"],
    ),
    refused(
        "flood control in a group",
        refusal(429, "Too Many Requests: retry after 41", retry_after=41),
        "queued 41",
        to=GROUP,
    ),
    refused(
        "flood control with a time that is none",
        refusal(429, "Too Many Requests", retry_after="soon"),
        "queued",
    ),
    refused("Telegram has an error", refusal(500, "Internal Server Error"), "queued"),
    refused("a gateway before Telegram has one", refusal(502, "Bad Gateway"), "unknown"),
    refused("a page of a proxy", Answer("<h1>502</h1>", status=502), "unknown"),
    refused("the connection is reset", Reset(), "unknown"),
    refused(
        "Telegram says ok and names no message", Answer({"ok": True, "result": True}), "unknown"
    ),
    refused("the bot's token was changed", refusal(401, "Unauthorized"), "queued 60"),
    refused(
        "the customer has blocked the bot",
        refusal(403, "Forbidden: bot was blocked by the user"),
        "failed",
        "OptedOut: 403 403 Forbidden: bot was blocked by the user",
    ),
    refused(
        "the customer's account is no more",
        refusal(403, "Forbidden: user is deactivated"),
        "failed",
        "AddressGone",
    ),
    refused(
        "the customer is another bot",
        refusal(403, "Forbidden: bot can't send messages to bots"),
        "failed",
        "AddressGone",
    ),
    refused(
        "there is no such chat",
        refusal(400, "Bad Request: chat not found"),
        "failed",
        "AddressGone",
    ),
    refused(
        "the topic was deleted",
        refusal(400, "Bad Request: message thread not found"),
        "failed",
        "AddressGone",
        to="4711/7",
    ),
    refused(
        "the bot was thrown out of the group",
        refusal(403, "Forbidden: bot was kicked from the supergroup chat"),
        "failed",
        "AddressGone",
        to=GROUP,
    ),
    refused(
        "the group has become a supergroup",
        refusal(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=-1009,
        ),
        "failed",
        "AddressGone",
        to="-42",
    ),
    refused(
        "the bot may not write in the group",
        refusal(400, "Bad Request: not enough rights to send text messages to the chat"),
        "failed",
        "Rejected",
        to=GROUP,
    ),
    refused(
        "something new is forbidden",
        refusal(403, "Forbidden: something new"),
        "failed",
        "Rejected: 403",
    ),
]

DONE = Answer({"ok": True, "result": True})
CHANGES = [
    Out(
        "words are changed",
        Edit("4711.10", "It is **1043**"),
        [
            call(
                "editMessageText",
                message_id="10",
                text="It is 1043",
                entities=[{"type": "bold", "offset": 6, "length": 4}],
            )
        ],
        [sent(10)],
        ["sent 4711.10.edit"],
    ),
    Out(
        "the words of a file are changed",
        Edit("4711.10", "The receipt", of_file=True),
        [call("editMessageCaption", message_id="10", caption="The receipt")],
        [sent(10)],
        ["sent 4711.10.edit"],
    ),
    Out(
        "a change that was made before",
        Edit("4711.10", "It is 1043"),
        [call("editMessageText", message_id="10", text="It is 1043")],
        [refusal(400, "Bad Request: message is not modified: specified new message content")],
        ["sent 4711.10.edit"],
    ),
    Out(
        "a change of what is not there any more",
        Edit("4711.10", "It is 1043"),
        [call("editMessageText", message_id="10", text="It is 1043")],
        [refusal(400, "Bad Request: message to edit not found")],
        ["failed"],
    ),
    Out(
        "a message is taken back",
        Deletion("4711.10"),
        [call("deleteMessage", message_id="10")],
        [DONE],
        ["sent 4711.10.deletion"],
    ),
    Out(
        "a message that was taken back before",
        Deletion("4711.10"),
        [call("deleteMessage", message_id="10")],
        [refusal(400, "Bad Request: message to delete not found")],
        ["sent 4711.10.deletion"],
    ),
    Out(
        "a message that is too old to be taken back",
        Deletion("4711.10"),
        [call("deleteMessage", message_id="10")],
        [refusal(400, "Bad Request: message can't be deleted for everyone")],
        ["failed"],
    ),
    Out(
        "a message of another chat is not changed",
        Edit("4712.10", "no"),
        [],
        [],
        ["failed"],
    ),
]

OUTBOUND: Sequence[Out] = [
    *SINGLE,
    *WORDS,
    *QUESTIONS,
    *CARDS,
    *FILES,
    *REACTIONS,
    *CHANGES,
    *PLACES,
    *REFUSALS,
]
