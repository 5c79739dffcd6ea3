"""What an agent types, as Slack's own clients send it: escaped, with mentions and shortcodes.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import emoji

# Names by which Slack knows an emoji, where others know it by another one first.
_NAMES = {
    "👍": "+1",
    "👎": "-1",
    "🤔": "thinking_face",
    "🤗": "hugging_face",
    "🙄": "face_with_rolling_eyes",
    "🤣": "rolling_on_the_floor_laughing",
    "🥰": "smiling_face_with_3_hearts",
    "🤩": "star-struck",
    "🤦": "face_palm",
    "🤪": "zany_face",
    "🤓": "nerd_face",
    "🤑": "money_mouth_face",
    "😇": "innocent",
    "✉": "email",
    "📧": "e-mail",
    "☎": "phone",
    "📞": "telephone_receiver",
    "🤝": "handshake",
    "🙌": "raised_hands",
    "✋": "hand",
    "🔵": "large_blue_circle",
    "🟢": "large_green_circle",
    "🟡": "large_yellow_circle",
    "🟠": "large_orange_circle",
    "🟣": "large_purple_circle",
}
_TONES = {chr(0x1F3FB + n): f"skin-tone-{n + 2}" for n in range(5)}
_VARIATION = "\ufe0f"
_FLAG = range(0x1F1E6, 0x1F200)
_URL = r"https?://[^\s<>]*[^\s<>.,;:!?)\]\"'*_~]"
_RICH = re.compile(
    r"<@(?P<user>[A-Z0-9]+)>|<(?P<url>https?://[^|>]+)(?:\|(?P<label>[^>]*))?>"
    r"|:(?P<emoji>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):"
    r"|(?<!\w)\*(?P<bold>[^*\n<>:]+)\*(?!\w)"
)


def shortcode(char: str) -> str:
    """Return Slack's name of an emoji, without colons; "" for what is none."""
    tone = next((name for mark, name in _TONES.items() if mark in char), "")
    bare = "".join(c for c in char if c not in _TONES)
    plain = bare.replace(_VARIATION, "")
    if len(plain) == 2 and all(ord(c) in _FLAG for c in plain):
        return "flag-" + "".join(chr(ord(c) - _FLAG.start + ord("a")) for c in plain)
    name = _NAMES.get(plain) or emoji.demojize(bare, language="alias").strip(":")
    if name == bare:
        return ""
    return f"{name}::{tone}" if tone else name


def is_emoji_name(name: str) -> bool:
    """Whether Slack knows an emoji of that name."""
    bare = name.partition("::")[0]
    return bare in _NAMES.values() or bare.startswith("flag-") or bool(_character(bare))


def encoded(typed: str, members: Mapping[str, str]) -> str:
    """Return what a client sends for what was typed. `members` are ids by name."""
    names = {name.lower(): id_ for name, id_ in members.items()}
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    tokens = re.compile(rf"({_URL})|(?<!\w)@({'|'.join(longest)})(?!\w)", re.IGNORECASE)
    out, at = [], 0
    for found in tokens.finditer(typed):
        out.append(_plain(typed[at : found.start()]))
        url, name = found[1], found[2]
        out.append(f"<{_escaped(url)}>" if url else f"<@{names[name.lower()]}>")
        at = found.end()
    return "".join([*out, _plain(typed[at:])])


def rich_text(text: str) -> list[dict[str, Any]]:
    """Return the block that clients send beside an encoded text.

    https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    """
    elements: list[dict[str, Any]] = []

    def add_text(part: str, **more: Any) -> None:
        if part:
            elements.append({"type": "text", "text": html.unescape(part), **more})

    at = 0
    for found in _RICH.finditer(text):
        add_text(text[at : found.start()])
        at = found.end()
        if found["user"]:
            elements.append({"type": "user", "user_id": found["user"]})
        elif found["url"]:
            link = {"type": "link", "url": html.unescape(found["url"])}
            elements.append({**link, **({"text": found["label"]} if found["label"] else {})})
        elif found["emoji"]:
            char = _character(found["emoji"].partition("::")[0])
            if not char:
                add_text(found[0])
                continue
            code = "-".join(f"{ord(c):x}" for c in char)
            elements.append({"type": "emoji", "name": found["emoji"], "unicode": code})
        else:
            add_text(found["bold"], style={"bold": True})
    add_text(text[at:])
    if not elements:
        return []
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "elements": [section]}]


def _character(name: str) -> str:
    known = next((char for char, given in _NAMES.items() if given == name), "")
    if known:
        return known
    spelt = f":{name}:"
    made = emoji.emojize(spelt, language="alias")
    return "" if made == spelt else made


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    return emoji.replace_emoji(_escaped(text), lambda char, data: _spelt(char))


def _spelt(char: str) -> str:
    name = shortcode(char)
    return f":{name}:" if name else char
