"""What the page is told of each content: the frames of `connectors.webchat`.

Each row goes through the renderer with the web chat's table first, as a reply does.
Styles are of `connectors.markup`, offsets in code points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.message import (
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


def mark(start: int, end: int, style: str, url: str = "") -> dict[str, Any]:
    """Return a mark as the page gets it."""
    return {"start": start, "end": end, "style": style, "url": url}


def words(text: str, *marks: Mapping[str, Any]) -> dict[str, Any]:
    """Return a styled text as the page gets it."""
    return {"words": text, "marks": list(marks)}


@dataclass(frozen=True)
class Shown:
    """A content, the contents that reach the page, and the styled texts of the first."""

    name: str
    content: Content
    contents: Sequence[Content]
    styled: Mapping[str, Any]


def _same(name: str, content: Content, **styled: Any) -> Shown:
    return Shown(name, content, [content], styled)


def _many(count: int) -> tuple[Option, ...]:
    return tuple(Option(str(n), f"/{n}") for n in range(count))


_LINKLESS = Option("Else", "/else", "what is left")
_LINK = Option("The page", "", url="https://shop.example.com/a")
_PICTURE = "https://shop.example.com/mug.png"

OUTBOUND = [
    # Hostile ones first.
    _same("a link that would run something is no link", Text("[click](javascript:alert(1))")),
    _same("a link to data is no link", Text("[x](data:text/html,<script>)")),
    _same(
        "a link with a line break in its address is no link",
        Text("[x](https://a.example\n/b)"),
    ),
    _same(
        "HTML is text",
        Text("<img src=x onerror=alert(1)> **b**"),
        text=words("<img src=x onerror=alert(1)> b", mark(29, 30, "bold")),
    ),
    _same(
        "HTML in the address of a link stays inside of it",
        Text('[x](https://a.example/"onmouseover="alert)'),
        text=words("x", mark(0, 1, "link", "https://a.example/%22onmouseover=%22alert")),
    ),
    _same("a script as a title", Choices("Q", (Option("<script>1</script>", "/a"),))),
    _same(
        "a button whose address would run something is told as it is, and not drawn as one",
        Choices("Q", (Option("x", "", url="javascript:alert(1)"),)),
    ),
    _same("plain words have no styles", Text("Hello, 2*3*4 is 24. snake_case_name")),
    _same("signs without a partner stay", Text("5 * 3 _ ` ~~ [x] (y)")),
    # Styles.
    _same("bold", Text("**b**"), text=words("b", mark(0, 1, "bold"))),
    _same("italic", Text("_i_ *j*"), text=words("i j", mark(0, 1, "italic"), mark(2, 3, "italic"))),
    _same("struck", Text("~~x~~"), text=words("x", mark(0, 1, "strike"))),
    _same("code keeps its signs", Text("`a*b*`"), text=words("a*b*", mark(0, 4, "code"))),
    _same(
        "a block of code",
        Text("See\n```\nx = **1**\n```"),
        text=words("See\nx = **1**", mark(4, 13, "pre")),
    ),
    _same(
        "styles within a style, the outer one first",
        Text("**a _b_ c**"),
        text=words("a b c", mark(0, 5, "bold"), mark(2, 3, "italic")),
    ),
    _same(
        "a link with words",
        Text("[our page](https://shop.example.com/a_b)"),
        text=words("our page", mark(0, 8, "link", "https://shop.example.com/a_b")),
    ),
    _same(
        "links to telephone and mail",
        Text("[call](tel:+431234) [write](mailto:a@b.example)"),
        text=words(
            "call write",
            mark(0, 4, "link", "tel:+431234"),
            mark(5, 10, "link", "mailto:a@b.example"),
        ),
    ),
    _same(
        "offsets count code points, not halves of an emoji",
        Text("😀 **b**"),
        text=words("😀 b", mark(2, 3, "bold")),
    ),
    _same(
        "from right to left",
        Text("العربية **عريض**"),
        text=words("العربية عريض", mark(8, 12, "bold")),
    ),
    _same("signs that are escaped are shown", Text(r"\*not bold\*"), text=words("*not bold*")),
    # Kinds.
    Shown("words at the limit are one message", Text("x" * 8000), [Text("x" * 8000)], {}),
    Shown("longer ones are two", Text("x" * 8001), [Text("x" * 8000), Text("x")], {}),
    Shown(
        "the signs of a style do not count",
        Text("**" + "x" * 8000 + "**"),
        [Text("**" + "x" * 8000 + "**")],
        {"text": words("x" * 8000, mark(0, 8000, "bold"))},
    ),
    Shown("nothing is no message", Text(" \n"), [], {}),
    _same(
        "buttons with descriptions and pages",
        Choices("Which **size**?", (Option("S", "/s", "small"), Option("L", "/l"), _LINK)),
        text=words("Which size?", mark(6, 10, "bold")),
    ),
    _same("as many buttons as there may be", Choices("Q", _many(20))),
    Shown(
        "more become a list", Choices("Q", _many(21)), [Menu("Q", (Section("", _many(21)),))], {}
    ),
    Shown(
        "buttons without a question",
        Choices("", (Option("a", "/a"),)),
        [Choices("…", (Option("a", "/a"),))],
        {},
    ),
    Shown(
        "a title that is too long is cut",
        Choices("Q", (Option("a" * 81, "/a"),)),
        [Choices("Q", (Option("a" * 79 + "…", "/a"),))],
        {},
    ),
    _same(
        "a list with parts and its own word to open it",
        Menu("**Topic?**", (Section("A", _many(2)), Section("B", (_LINKLESS,))), "Topics"),
        text=words("Topic?", mark(0, 6, "bold")),
    ),
    _same("as many rows as there may be", Menu("Q", (Section("", _many(50)),))),
    Shown(
        "more are written out, for a typed answer",
        Menu("Q", (Section("", _many(51)),)),
        [Text("\n".join(["Q", *(f"{n + 1}. {n}" for n in range(51))]), _many(51))],
        {},
    ),
    _same(
        "a card, whose words have no styles",
        Cards((Card("**Mug**", "*Blue*", _PICTURE, "https://a.example", (Option("Buy", "/b"),)),)),
    ),
    _same("cards side by side", Cards(tuple(Card(str(n), options=(_LINK,)) for n in range(10)))),
    Shown(
        "eleven cards are ten and one",
        Cards(tuple(Card(str(n)) for n in range(11))),
        [Cards(tuple(Card(str(n)) for n in range(10))), Cards((Card("10"),))],
        {},
    ),
    _same(
        "a question for the place",
        Ask("Where are _you_?", "location"),
        text=words("Where are you?", mark(10, 13, "italic")),
    ),
    _same("a question for the number", Ask("Your number?", "phone")),
    _same(
        "a picture with styled words",
        Media("image", url=_PICTURE, mime="image/png", caption="A **mug**"),
        caption=words("A mug", mark(2, 5, "bold")),
    ),
    _same("a film", Media("video", url="https://a.example/a.mp4", caption="How to")),
    _same("a sticker", Media("sticker", url="https://a.example/a.webp")),
    _same(
        "a document with name and size",
        Media("document", url="https://a.example/b.pdf", filename="bill.pdf", size=1234),
    ),
    Shown(
        "the words of a voice note follow it",
        Media("voice", url="https://a.example/a.ogg", caption="**Listen**"),
        [Media("voice", url="https://a.example/a.ogg"), Text("**Listen**")],
        {},
    ),
    _same("a place", Location(48.2, 16.37, "Shop", "Main Street 1")),
    _same("a contact", Contact("Ada", ("+43 1 234",), ("ada@example.com",))),
    Shown(
        "a template is its words",
        Template("arrival", "en", ("x",), text="It **arrives**"),
        [Text("It **arrives**")],
        {"text": words("It arrives", mark(3, 10, "bold"))},
    ),
    Shown("products are their words", Products("Look", "c", ("1", "2")), [Text("Look")], {}),
    _same("a reaction on another's message", Reaction("message-of.somebody", "👍")),
    _same("words of ours are changed", Edit("turn:0", "It is 1043")),
    _same("a message of ours is taken back", Deletion("turn:0")),
    _same("a reaction taken off", Reaction("turn:0", "👍", removed=True)),
]
