"""What Messenger is sent, to the letter, and what follows of Meta's answers.

Written from the pages below
https://developers.facebook.com/documentation/business-messaging/messenger-platform :

- reference/send-api, send-messages, send-messages/quick-replies, send-messages/buttons
- send-messages/template/button, send-messages/template/generic, send-messages/saving-assets
- send-messages/sender-actions (reactions), send-messages/personas
- send-messages/utility-messages, changelog (message tags), error-codes
- overview/rate-limiting, https://developers.facebook.com/docs/graph-api/overview/rate-limiting
"""

from __future__ import annotations

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
from tests.connectors.cases.messenger_in import PAGE, TOKEN, USER
from tests.connectors.table import Call, Out
from tests.kit.http import Answer, Garbage, Hang, Reset, Step, Truncated

Json = dict[str, Any]

PATH = f"/v25.0/{PAGE}/messages"
PERSONAS = f"/v25.0/{PAGE}/personas"
PICTURE = "https://shop.example.com/agents.png"
SITE = "https://shop.example.com"
LINK = "https://shop.example.com/1.jpg"
SENT = Answer({"recipient_id": USER, "message_id": "m_SENT"})
YES, NO = Option("Yes", "/affirm"), Option("No", "/deny")


def body(message: Any, n: int = 0, to: str = USER, **more: Any) -> Json:
    return {
        "recipient": {"id": to},
        "messaging_type": "RESPONSE",
        "message": {**message, "metadata": f"turn:{n}"},
        **more,
    }


def call(message: Any, n: int = 0, **more: Any) -> Call:
    """The request of the n-th part."""
    return Call(
        "POST", PATH, body(message, n, **more), headers={"authorization": f"Bearer {TOKEN}"}
    )


def sent(name: str, content: Content, message: Any, **more: Any) -> Out:
    """A content that is one message, and is taken."""
    return Out(name, content, [call(message)], [SENT], ["sent m_SENT"], **more)


def parts(name: str, content: Content, *messages: Any) -> Out:
    """A content that is several messages, all taken."""
    calls = [call(message, n) for n, message in enumerate(messages)]
    return Out(name, content, calls, [SENT] * len(calls), ["sent m_SENT"] * len(calls))


def ends(name: str, step: Step, *follows: str, reason: str = "") -> Out:
    """A text, what Meta says to it, and what becomes of it."""
    return Out(name, Text("Hello"), [call({"text": "Hello"})], [step], follows, reason)


def refused(
    code: Any, subcode: Any = None, status: int = 400, message: str = "no", **headers: str
) -> Answer:
    """Meta's answer to a message it did not take."""
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "BLBz"}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer({"error": error}, status, {k.replace("_", "-"): v for k, v in headers.items()})


def never(name: str, content: Content, reason: str, **more: Any) -> Out:
    """A content that Meta would refuse: it is not even asked."""
    return Out(name, content, [], [], ["failed"], reason, **more)


def quick(*options: Option) -> Json:
    replies = [{"content_type": "text", "title": o.title, "payload": o.payload} for o in options]
    return {"quick_replies": replies}


def postback(option: Option) -> Json:
    return {"type": "postback", "title": option.title, "payload": option.payload}


def page(title: str, url: str = SITE) -> Json:
    return {"type": "web_url", "title": title, "url": url}


def attached(**payload: Any) -> Json:
    return {"attachment": {"type": "template", "payload": payload}}


def generic(*elements: Json) -> Json:
    return attached(template_type="generic", elements=list(elements))


def file(kind: str, url: str = LINK) -> Json:
    return {"attachment": {"type": kind, "payload": {"url": url}}}


def options(count: int) -> tuple[Option, ...]:
    return tuple(Option(f"Option {n}", f"/choose{{{n}}}") for n in range(1, count + 1))


def listed(*personas: tuple[str, str], after: str = "") -> Answer:
    data = [{"name": name, "id": id} for name, id in personas]
    return Answer({"data": data, "paging": {"cursors": {"before": "B", "after": after}}})


def asked(**query: str) -> Call:
    return Call("GET", PERSONAS, query={"fields": "id,name", **query})


def action(**said: Any) -> Call:
    return Call("POST", PATH, {"recipient": {"id": USER}, **said})


LOOK = Option("Look", "", url=SITE)
LONG = f"https://shop.example.com/{'x' * 593}"

TEXTS = [
    sent("a text", Text("Hello 👋🏽"), {"text": "Hello 👋🏽"}),
    sent(
        "formatting is left out, its words and links stay",
        Text("**Hello** _you_, see [our page](https://shop.example.com)"),
        {"text": "Hello you, see our page (https://shop.example.com)"},
    ),
    sent("a text of 2000 characters", Text("字" * 2000), {"text": "字" * 2000}),
    parts(
        "a text of 2001 Chinese characters is cut between two",
        Text("字" * 2001),
        {"text": "字" * 2000},
        {"text": "字"},
    ),
    parts(
        "a long text is cut after a sentence",
        Text("あ" * 1500 + "。" + "い" * 600),
        {"text": "あ" * 1500 + "。"},
        {"text": "い" * 600},
    ),
    parts(
        "a family of emoji is never cut",
        Text("x" * 1995 + "👨‍👩‍👧‍👦" * 2),
        {"text": "x" * 1995},
        {"text": "👨‍👩‍👧‍👦" * 2},
    ),
    never(
        "an address that is no Page-scoped id",
        Text("Hello"),
        "no Page-scoped id",
        to="+4917000000",
    ),
]

QUESTIONS = [
    sent(
        "a question has quick replies",
        Choices("Sure?", (YES, NO)),
        {"text": "Sure?", **quick(YES, NO)},
    ),
    sent(
        "a question of 13 options",
        Choices("Which?", options(13)),
        {"text": "Which?", **quick(*options(13))},
    ),
    sent(
        "a question of 14 options is written out",
        Choices("Which?", options(14)),
        {"text": "\n".join(["Which?", *(f"{n}. Option {n}" for n in range(1, 15))])},
    ),
    sent(
        "a menu is quick replies",
        Menu("Which?", (Section("A", options(2)), Section("B", (YES,))), "Show"),
        {"text": "Which?", **quick(*options(2), YES)},
    ),
    sent(
        "titles too long for a quick reply are cut, and stay different",
        Choices(
            "Which?",
            (Option("A very long title, one", "/1"), Option("A very long title, two", "/2")),
        ),
        {
            "text": "Which?",
            **quick(Option("1. A very long titl…", "/1"), Option("2. A very long titl…", "/2")),
        },
    ),
    sent(
        "a question of 640 Chinese characters",
        Choices("字" * 640, (YES,)),
        {"text": "字" * 640, **quick(YES)},
    ),
    parts(
        "a question of 641 Chinese characters has its options on the last part",
        Choices("字" * 641, (YES,)),
        {"text": "字" * 640},
        {"text": "字", **quick(YES)},
    ),
    sent(
        "an option that opens a page makes buttons of all",
        Choices("**Shall** we?", (LOOK, YES)),
        attached(template_type="button", text="Shall we?", buttons=[page("Look"), postback(YES)]),
    ),
    sent(
        "more options than buttons: pages are named, the others are quick replies",
        Choices("Shall we?", (LOOK, *options(3))),
        {"text": f"Shall we?\nLook: {SITE}", **quick(*options(3))},
    ),
    sent(
        "four options that all open pages are a text",
        Choices("Where?", tuple(Option(word, "", url=SITE) for word in "ABCD")),
        {"text": f"Where?\nA: {SITE}\nB: {SITE}\nC: {SITE}\nD: {SITE}"},
    ),
    parts(
        "pages that no text has room for go before the quick replies",
        Choices("Shall we?", (*(Option("Collection", "", url=LONG) for _ in range(4)), YES)),
        {"text": f"Shall we?\nCollection: {LONG}"},
        {"text": f"Collection: {LONG}"},
        {"text": f"Collection: {LONG}"},
        {"text": f"Collection: {LONG}", **quick(YES)},
    ),
    sent(
        "a payload of 1000 characters",
        Choices("Sure?", (Option("Yes", "/" + "x" * 999),)),
        {"text": "Sure?", **quick(Option("Yes", "/" + "x" * 999))},
    ),
    never("a payload of 1001 characters", Choices("Sure?", (Option("Yes", "x" * 1001),)), "1001"),
    never(
        "an option without a payload", Choices("Sure?", (Option("Yes", ""),)), "payload is empty"
    ),
    never(
        "an option that opens what is no page",
        Choices("Sure?", (Option("Yes", "", url="javascript:alert(1)"),)),
        "not of http",
    ),
    sent(
        "asking for the number",
        Ask("What is your number?", "phone"),
        {"text": "What is your number?", "quick_replies": [{"content_type": "user_phone_number"}]},
    ),
    sent(
        "asking for the place is a text, the button for it is gone",
        Ask("Where are you?", "location"),
        {"text": "Where are you?"},
    ),
]

CARDS = [
    sent(
        "a card",
        Cards((Card("Hat", "€ 40", LINK, SITE, (LOOK, YES)),)),
        generic(
            {
                "title": "Hat",
                "subtitle": "€ 40",
                "image_url": LINK,
                "default_action": {"type": "web_url", "url": SITE},
                "buttons": [page("Look"), postback(YES)],
            }
        ),
    ),
    sent(
        "ten cards side by side",
        Cards(tuple(Card(f"Hat {n}", image=LINK) for n in range(10))),
        generic(*({"title": f"Hat {n}", "image_url": LINK} for n in range(10))),
    ),
    parts(
        "eleven cards are two messages",
        Cards(tuple(Card(f"Hat {n}", image=LINK) for n in range(11))),
        generic(*({"title": f"Hat {n}", "image_url": LINK} for n in range(10))),
        generic({"title": "Hat 10", "image_url": LINK}),
    ),
    sent(
        "cards that lack something have what Messenger wants",
        Cards(
            (Card("", "Only a text", options=(YES,)), Card("Only a title"), Card("", image=LINK))
        ),
        generic(
            {"title": "Only a text", "buttons": [postback(YES)]},
            {"title": "Only a title", "subtitle": "…"},
            {"title": "…", "image_url": LINK},
        ),
    ),
    sent("a card of a title alone is a text", Cards((Card("Hat"),)), {"text": "Hat"}),
    sent("a card of a picture alone is a picture", Cards((Card("", image=LINK),)), file("image")),
    parts(
        "a card with a text too long for one is a picture and a question",
        Cards((Card("Hat", "字" * 81, LINK, options=(YES,)),)),
        file("image"),
        {"text": "Hat\n" + "字" * 81, **quick(YES)},
    ),
    parts(
        "a card with four buttons is a picture and a question",
        Cards((Card("Hat", "", LINK, options=options(4)),)),
        file("image"),
        {"text": "Hat", **quick(*options(4))},
    ),
    never(
        "a card whose picture is no URL", Cards((Card("Hat", image="hat.png"),)), "a card's picture"
    ),
]

FILES = [
    sent("an image", Media("image", url=LINK), file("image")),
    parts(
        "an image with words is followed by them",
        Media("image", url=LINK, caption="Our **hats**"),
        file("image"),
        {"text": "Our hats"},
    ),
    sent("a voice note is audio", Media("voice", url=LINK), file("audio")),
    sent("a video", Media("video", url=LINK), file("video")),
    sent("a document is a file", Media("document", url=LINK, filename="1.pdf"), file("file")),
    sent("a sticker of ours is a picture", Media("sticker", url=LINK), file("image")),
    sent(
        "a file that Meta has already",
        Media("image", ref="687799999980546"),
        {"attachment": {"type": "image", "payload": {"attachment_id": "687799999980546"}}},
    ),
    parts(
        "an album is its files",
        Album((Media("image", url=LINK), Media("document", url=SITE + "/1.pdf"))),
        file("image"),
        file("file", SITE + "/1.pdf"),
    ),
    never("a file without an address", Media("image"), "the file's address"),
]

OTHERS = [
    Out(
        "a reaction",
        Reaction("m_IN", "👍"),
        [action(sender_action="react", payload={"message_id": "m_IN", "reaction": "👍"})],
        [Answer({"recipient_id": USER})],
        ["sent reaction:m_IN"],
    ),
    Out(
        "a reaction is taken off",
        Reaction("m_IN", "👍", removed=True),
        [action(sender_action="unreact", payload={"message_id": "m_IN"})],
        [Answer({"recipient_id": USER})],
        ["sent reaction:m_IN"],
    ),
    Out(
        "a reaction to a file of an album is one to its message",
        Reaction("m_IN.2", "❤️"),
        [action(sender_action="react", payload={"message_id": "m_IN", "reaction": "❤️"})],
        [Answer({"recipient_id": USER})],
        ["sent reaction:m_IN.2"],
    ),
    sent(
        "a place is a link to a map",
        Location(52.5, 13.4, "Shop"),
        {"text": "Shop\nhttps://www.google.com/maps/search/?api=1&query=52.500000,13.400000"},
    ),
    sent(
        "a contact is its words",
        Contact("Ben", ("+14155550100",)),
        {"text": "Ben\n+14155550100"},
    ),
    sent("products are their words", Products("Our hats", items=("hat",)), {"text": "Our hats"}),
    Out(
        "a template",
        Template("order_update", "en", ("Ben", "566701"), LINK, ("/track",)),
        [
            call(
                {
                    "template": {
                        "name": "order_update",
                        "language": {"code": "en"},
                        "components": [
                            {
                                "type": "body",
                                "parameters": [
                                    {"type": "text", "text": "Ben"},
                                    {"type": "text", "text": "566701"},
                                ],
                            },
                            {
                                "type": "buttons",
                                "parameters": [{"type": "POSTBACK", "payload": "/track"}],
                            },
                        ],
                    }
                },
                messaging_type="UTILITY",
            )
        ],
        [SENT],
        ["sent m_SENT"],
    ),
    never("a template of marketing", Template("sale", "en", category="marketing"), "category"),
]

WINDOW = [
    Out(
        "what the bot says after 24 hours is held",
        Text("Hello"),
        [],
        [],
        ["held"],
        "WindowClosed",
        last_in_hours=24.1,
    ),
    Out(
        "what a person says after 24 hours goes with the tag for it",
        Text("Hello"),
        [
            asked(),
            call(
                {"text": "Hello"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT", persona_id="7"
            ),
        ],
        [listed(("Ben", "7")), SENT],
        ["sent m_SENT"],
        agent="Ben",
        last_in_hours=6 * 24,
    ),
    Out(
        "what a person says after 7 days is held when Meta says so",
        Text("Hello"),
        [
            asked(),
            call(
                {"text": "Hello"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT", persona_id="7"
            ),
        ],
        [listed(("Ben", "7")), refused(10, 2018278)],
        ["held"],
        "WindowClosed",
        agent="Ben",
        last_in_hours=8 * 24,
    ),
    Out(
        "a template goes at any time",
        Template("order_update", "en"),
        [
            call(
                {"template": {"name": "order_update", "language": {"code": "en"}}},
                messaging_type="UTILITY",
            )
        ],
        [SENT],
        ["sent m_SENT"],
        last_in_hours=1000,
    ),
    ends(
        "the window is closed by Meta's clock",
        refused(10, 2018278, message="(#10) This message is sent outside of allowed window."),
        "held",
        reason="WindowClosed",
    ),
    ends(
        "the window is closed, by a subcode that is not on the page",
        refused(10, 9999, message="(#10) This message is sent outside of allowed window."),
        "held",
        reason="WindowClosed",
    ),
]

PERSONS = [
    Out(
        "a person without a persona gets one",
        Text("Hello"),
        [
            asked(),
            Call("POST", PERSONAS, {"name": "Ben Ito", "profile_picture_url": PICTURE}),
            call({"text": "Hello"}, persona_id="8"),
        ],
        [listed(("Ann", "7")), Answer({"id": "8"}), SENT],
        ["sent m_SENT"],
        agent="Ben  Ito",
    ),
    Out(
        "a persona on the second page of the list is found",
        Text("Hello"),
        [asked(), asked(after="A1"), call({"text": "Hello"}, persona_id="9")],
        [listed(("Ann", "7"), after="A1"), listed(("Ben", "9")), SENT],
        ["sent m_SENT"],
        agent="Ben",
    ),
    Out(
        "a person's two messages ask for the persona once",
        Media("image", url=LINK, caption="look"),
        [asked(), call(file("image"), persona_id="7"), call({"text": "look"}, 1, persona_id="7")],
        [listed(("Ben", "7")), SENT, SENT],
        ["sent m_SENT", "sent m_SENT"],
        agent="Ben",
    ),
    Out(
        "a message is not held up over a name",
        Text("Hello"),
        [asked(), call({"text": "Hello"})],
        [refused(200, status=403), SENT],
        ["sent m_SENT"],
        agent="Ben",
    ),
    Out(
        "a persona that was deleted meanwhile",
        Text("Hello"),
        [asked(), call({"text": "Hello"}, persona_id="7"), call({"text": "Hello"})],
        [listed(("Ben", "7")), refused(100, message="(#100) Invalid parameter"), SENT],
        ["sent m_SENT"],
        agent="Ben",
    ),
    Out(
        "a name longer than Messenger takes",
        Text("Hello"),
        [
            asked(),
            Call("POST", PERSONAS, {"name": "B" * 49 + "…", "profile_picture_url": PICTURE}),
            call({"text": "Hello"}, persona_id="8"),
        ],
        [listed(), Answer({"id": "8"}), SENT],
        ["sent m_SENT"],
        agent="B" * 60,
    ),
    Out(
        "a reaction is nobody's in particular",
        Reaction("m_IN", "👍"),
        [action(sender_action="react", payload={"message_id": "m_IN", "reaction": "👍"})],
        [Answer({"recipient_id": USER})],
        ["sent reaction:m_IN"],
        agent="Ben",
    ),
]

ANSWERS = [
    Out(
        "too much in the middle of several messages",
        Media("image", url=LINK, caption="look"),
        [call(file("image")), call({"text": "look"}, 1)],
        [SENT, refused(613, status=429, Retry_After="30")],
        ["sent m_SENT", "queued 30"],
    ),
    ends("too many calls of the Page", refused(32), "queued"),
    ends("too many calls to Messenger", refused(80006, 2446079), "queued"),
    ends("too many tagged messages to one customer", refused(613, 2018338), "queued 60"),
    ends("Meta is down", refused(2, status=500), "queued"),
    ends("a failure that Meta says passes", refused(1200), "queued"),
    ends(
        "a failure of which Meta says that the messages are sent",
        refused(1, 1357046, 500),
        "unknown",
    ),
    ends("the token has expired", refused(190, 463, 401), "queued 60", reason="set a new one"),
    ends("the Page is not the token's", refused(100, 33), "queued 60", reason="check page_id"),
    ends("a permission is missing", refused(230, status=403), "queued 60", reason="permission"),
    ends("the Page is restricted for now", refused(10, 1893063), "queued 60", reason="restricted"),
    ends("nobody has this id", refused(100, 2018001), "failed", reason="AddressGone"),
    ends("the customer is not available", refused(551, 1545041), "failed", reason="AddressGone"),
    ends(
        "the customer is not available, by the other code",
        refused(200, 1545041, 403),
        "failed",
        reason="AddressGone",
    ),
    ends("the customer has blocked the Page", refused(551), "failed", reason="OptedOut"),
    ends("a parameter is wrong", refused(100, message="(#100) bad"), "failed", reason="(#100) bad"),
    ends(
        "the token in Meta's words is blotted out",
        refused(100, message=f"(#100) bad {TOKEN}."),
        "failed",
        reason="bad ***.",
    ),
    ends("another app has the conversation", refused(2018300), "failed", reason="2018300"),
    Out(
        "Meta could not get the file in time",
        Media("image", url=LINK),
        [call(file("image"))],
        [refused(100, 2018008)],
        ["queued"],
    ),
    ends("a code that is a string is none", refused("100", status=500), "unknown"),
    ends("a gateway has no answer from Graph", Answer("<html>", 502), "unknown"),
    ends("a page of a proxy", Answer("<html>", 403), "queued 60", reason="not by the Graph API"),
    ends("a redirect is not followed", Answer("", 302, {"Location": SITE}), "queued 60"),
    ends("a success that is no JSON", Answer("ok"), "unknown"),
    ends("a success without an id", Answer({"recipient_id": USER}), "unknown"),
    ends("the connection breaks", Reset(), "unknown"),
    ends("the answer breaks off", Truncated(), "unknown"),
    ends("an answer that is no HTTP", Garbage(), "unknown"),
    ends("no answer in time", Hang(), "unknown"),
]

OUTBOUND: list[Out] = [*TEXTS, *QUESTIONS, *CARDS, *FILES, *OTHERS, *WINDOW, *PERSONS, *ANSWERS]
