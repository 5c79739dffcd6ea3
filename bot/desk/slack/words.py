"""Agents' words from Slack's mrkdwn to our light Markdown, and ours to mrkdwn.

Slack's signs are on https://docs.slack.dev/messaging/formatting-message-text; ours are in
`connectors.markup`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

from bot.desk.slack.shortcodes import emoji_of
from bot.message import clean
from connectors.markup import Mark, entities, part

#: Whom a text mentions: the user ids in ``<@U…>``.
_PERSON = re.compile(r"<@([A-Z][A-Z0-9]*)(?:\|[^<>]*)?>")
_TOKEN = re.compile(
    r"```(?P<pre>.*?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<ref>[^<>]+)>"
    r"|(?P<torn><[@#!][^\s<>]*)"
    r"|:(?P<emoji>[\w+'-]+):(?::skin-tone-(?P<tone>[2-6]):)?",
    re.S,
)
_REF = re.compile(r"<([^<>]+)>|<[@#!][^\s<>]*")
# What would be read as a reference again wherever the words are shown in Slack.
_LIKE_REF = re.compile(r"<(?=[@!#])")
_ID = re.compile(r"[A-Z][A-Z0-9]{5,}")
_LINK = re.compile(r"(?:https?://|mailto:|tel:)\S+", re.I)
_ANY_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)", re.I)
_STYLES: dict[str, Literal["bold", "italic", "strike"]] = {
    "*": "bold",
    "_": "italic",
    "~": "strike",
}
# Stands where something was left out, until the blanks around it are seen to.
_GONE = "\x00"
_BREAK = "\u200b"


def mentioned(text: str) -> set[str]:
    """Return the user ids that a text of Slack's mentions."""
    return set(_PERSON.findall(text))


def from_slack(text: str, names: Callable[[str], str]) -> str:
    """Return what an agent wrote, in our light Markdown, with nothing of Slack's in it.

    `names` gives a user's display name for an id, "" when it is not known. Mentions of
    channels and groups, custom emoji and links into Slack are left out: they are internal.
    """
    reading = _Reading(names)
    at = 0
    text = clean(text).replace(_BREAK, "")
    for token in _TOKEN.finditer(text):
        reading.plain(text[at : token.start()])
        at = token.end()
        if token["pre"] is not None:
            reading.literal(token["pre"].strip("\n"), "pre")
        elif token["code"] is not None:
            reading.literal(token["code"], "code")
        elif token["ref"] is not None:
            reading.reference(token["ref"])
        elif token["torn"] is not None:
            reading.reference("!")
        else:
            reading.emoji(token, text)
    reading.plain(text[at:])
    return reading.written()


class _Reading:
    """The words so far. `raw` tells which of the signs may be formatting."""

    def __init__(self, names: Callable[[str], str]) -> None:
        self._names = names
        self._words: list[str] = []
        self._raw: list[bool] = []
        self._marks: list[Mark] = []
        self._fenced = False

    def plain(self, text: str) -> None:
        self._add(_unescape(text), raw=True)

    def literal(self, text: str, style: Literal["pre", "code"]) -> None:
        inner = _REF.sub(lambda ref: self._shown(ref[1] or "!")[0], text)
        if style == "pre" and self._words and self._words[-1] != "\n":
            self._add("\n")
        # A tick inside would end it.
        self._mark(_unescape(inner).replace("`", "'"), style)
        self._fenced = style == "pre" and bool(inner)

    def reference(self, ref: str) -> None:
        shown, url = self._shown(ref)
        shown = _unescape(shown)
        if url:
            self._mark(shown, "link", _safe(_unescape(url)))
        else:
            self._add(shown or _GONE)

    def emoji(self, token: re.Match[str], text: str) -> None:
        name = token["emoji"]
        before, after = text[: token.start()][-1:], text[token.end() :][:1]
        inside = before.isalnum() and after.isalnum()
        found = "" if inside else emoji_of(name, token["tone"] or "")
        if found:
            self._add(found)
        elif before.isalnum() or after.isalnum() or not re.search(r"[^\W\d_]", name):
            # 10:30:45 and key:value: are words.
            self.plain(token[0])
        else:
            self._add(_GONE)

    def written(self) -> str:
        gone = self._blanks() | self._format()
        kept = [at for at in range(len(self._words)) if at not in gone]
        words = _LIKE_REF.sub("‹", "".join(self._words[at] for at in kept))
        places = [0]
        for at in range(len(self._words)):
            places.append(places[-1] + (at not in gone))
        marks = [
            Mark(places[m.start], places[m.end], m.style, m.url)
            for m in sorted(self._marks, key=_outer_first)
            if places[m.start] < places[m.end]
        ]
        start = len(words) - len(words.lstrip())
        return part(words, marks, start, max(start, len(words.rstrip())))

    def _add(self, text: str, raw: bool = False) -> None:
        if self._fenced and text:
            # A fence stands on lines of its own.
            self._fenced = False
            if text[0] != "\n":
                self._add("\n")
        self._words += text
        self._raw += [raw] * len(text)

    def _mark(self, text: str, style: Literal["pre", "code", "link"], url: str = "") -> None:
        start = len(self._words)
        self._add(text)
        if text:
            self._marks.append(Mark(start, len(self._words), style, url))

    def _shown(self, ref: str) -> tuple[str, str]:
        """Return what a reference shows, and the address it leads to, "" for none."""
        target, _, label = ref.partition("|")
        if target[:1] == "@":
            name = self._names(target[1:]) or label
            return ("" if _ID.fullmatch(name) or name == target[1:] else name), ""
        if target[:1] == "!":
            return (label if target.startswith("!date^") else ""), ""
        if target[:1] == "#":
            return "", ""
        internal = _internal(target)
        if not _LINK.fullmatch(target) or internal:
            kept = _ANY_SCHEME.match(target) and not (_LINK.match(label) or _ID.fullmatch(label))
            return (label if kept else ""), ""
        address = re.sub(r"^(?:mailto|tel):", "", target, flags=re.I)
        bare = _SCHEME.sub("", target, count=1).rstrip("/")
        if not label or label == target or label.rstrip("/") == bare:
            # Slack made a link of what was typed without one.
            return label or address, ""
        return label, target

    def _blanks(self) -> set[int]:
        """Return the places that go: of what was left out, and a blank that was beside it."""
        gone: set[int] = set()
        words = self._words
        for at, sign in enumerate(words):
            if sign != _GONE:
                continue
            gone.add(at)
            before = next((n for n in range(at - 1, -1, -1) if n not in gone), None)
            after = words[at + 1] if at + 1 < len(words) else "\n"
            if before is not None and words[before] == " ":
                if after in " \n.,;:!?" or after == _GONE:
                    gone.add(before)
            elif after == " " and (before is None or words[before] == "\n"):
                gone.add(at + 1)
        return gone

    def _format(self) -> set[int]:
        """Find the signs that are formatting; note the styles and return the signs' places."""
        signs: set[int] = set()
        opened: list[tuple[str, int]] = []
        words = self._words
        for at, sign in enumerate(words):
            if sign == "\n":
                opened.clear()
            if sign not in _STYLES or not self._raw[at]:
                continue
            before = words[at - 1] if at else " "
            after = words[at + 1] if at + 1 < len(words) else " "
            depth = next((n for n in range(len(opened) - 1, -1, -1) if opened[n][0] == sign), None)
            if depth is not None and not before.isspace() and not after.isalnum():
                start = opened[depth][1]
                del opened[depth:]
                if at > start + 1:
                    self._marks.append(Mark(start + 1, at, _STYLES[sign]))
                    signs |= {start, at}
            elif not before.isalnum() and before != sign and not after.isspace():
                opened.append((sign, at))
        return signs


def _outer_first(mark: Mark) -> tuple[int, int, bool]:
    return mark.start, -mark.end, mark.style in ("link", "code")


def _internal(url: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return True
    return host in ("slack.com", "slack-files.com") or host.endswith(
        (".slack.com", ".slack-edge.com")
    )


def _safe(url: str) -> str:
    """Return a URL with what would end it in Markdown encoded."""
    return re.sub(r"[()<>\\\s\"`]", lambda sign: f"%{ord(sign[0]) & 0xFF:02X}", url)


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# What Slack would take for formatting, an emoji, a mention, or a quotation.
_SIGNS = re.compile(r"[*_~`]|:(?=[\w+'-]+:)|(?<!\w)[@#](?=[^\W\d_])|(?m:^[ \t]*>)")
# A URL as it stands in a text; what ends a sentence around it is not of it.
_URL = re.compile(r"https?://[^\s<>|\"'`\\^{}\u200b]+", re.I)
_URL_END = ".,;:!?*_~)]…"
_URL_LONGEST = 1000
_MRKDWN = {"bold": "*", "italic": "_", "strike": "~", "code": "`", "pre": "```"}


def to_slack(markdown: str, *, plain: bool = False, links: bool = False) -> str:
    """Return mrkdwn that shows a text, and in which nobody is mentioned.

    `plain` is for what customers wrote: every sign is shown as it stands there. Without it
    the text is light Markdown and its styles are Slack's. With `links` addresses of web pages
    become links that show just themselves, so that they can be read, copied and opened.
    """
    text = clean(markdown)
    words, marks = (text, []) if plain else entities(text)
    signs: list[tuple[int, bool, int, str]] = []
    bare: set[int] = set()
    for depth, mark in enumerate(marks):
        opening, closing = _signs(words, mark)
        if opening:
            signs.append((mark.start, True, depth, opening))
            signs.append((mark.end, False, -depth, closing))
            if mark.style in ("code", "pre"):
                bare |= set(range(mark.start, mark.end))
    shown = [_ESCAPED.get(sign, sign) for sign in words] + [""]
    marked = {n for m in marks if m.style in ("link", "code", "pre") for n in range(m.start, m.end)}
    for start, end in _urls(words) if links else ():
        torn = any(start < place < end for m in marks for place in (m.start, m.end))
        if not torn and marked.isdisjoint(range(start, end)):
            bare |= set(range(start, end))
            shown[start] = f"<{shown[start]}"
            shown[end - 1] += ">"
    for found in _SIGNS.finditer(words):
        at = found.end() - 1
        around = words[at - 1 : at] + words[at + 1 : at + 2]
        # Within a word, as in an article's number, these are no formatting.
        inside = words[at] in _STYLES and len(around) == 2 and around.isalnum()
        if at not in bare and not inside:
            # On both sides: which of them keeps it from being a sign is not documented.
            shown[at] = f"{_BREAK}{shown[at]}{_BREAK}"
    # Of those at one place the closing ones come first, inner before outer.
    for at, _, _, sign in sorted(signs, reverse=True):
        shown[at] = sign + shown[at]
    return "".join(shown)


def _urls(words: str) -> list[tuple[int, int]]:
    """Return where the addresses of web pages stand that may be shown as links."""
    found = []
    for match in _URL.finditer(words):
        url = match[0]
        while url and url[-1] in _URL_END and not (url[-1] == ")" and _closes(url)):
            url = url[:-1]
        if len(url) <= _URL_LONGEST and _is_web(url):
            found.append((match.start(), match.start() + len(url)))
    return found


def _closes(url: str) -> bool:
    return url.count("(") >= url.count(")")


def _is_web(url: str) -> bool:
    """Tell whether a URL leads where it seems to: a host that is spelt out, nobody's login."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and "@" not in parts.netloc and url.isprintable()
    except ValueError:
        return False


def _signs(words: str, mark: Mark) -> tuple[str, str]:
    """Return what Slack has before and behind a style, "" where it could not be told there."""
    inner = words[mark.start : mark.end]
    if not inner or inner != inner.strip():
        return "", ""
    if mark.style == "link":
        address = _safe(mark.url).replace("|", "%7C").replace("&", "&amp;")
        return ("", "") if "\n" in inner else (f"<{address}|", ">")
    if mark.style in ("code", "pre") and "`" in inner:
        return "", ""
    before, after = words[: mark.start][-1:], words[mark.end : mark.end + 1]
    if mark.style != "pre" and ("\n" in inner or before.isalnum() or after.isalnum()):
        return "", ""
    return _MRKDWN[mark.style], _MRKDWN[mark.style]
