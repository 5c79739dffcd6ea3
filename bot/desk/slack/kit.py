"""The pieces that blocks are made of, within Block Kit's limits whatever is put into them.

https://docs.slack.dev/reference/block-kit/blocks and .../block-elements and
.../composition-objects say how long each may be. What is too long is cut, never refused: an
agent who sees most of it is better served than one who sees nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot.desk.slack.words import to_slack

Block = dict[str, Any]

SECTION, HEADER, FIELD, CONTEXT = 3000, 150, 2000, 2000
FIELDS, CONTEXTS, BLOCKS, ELEMENTS = 10, 10, 50, 25
BUTTON, VALUE, OPTION, OPTIONS, OVERFLOW = 75, 2000, 75, 100, 5
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30
#: Of a message's text, https://docs.slack.dev/reference/methods/chat.postMessage: "for best
#: results, limit the number of characters in the text field to 4,000".
TEXT = 3900
#: Of all texts in a message's blocks together. Slack documents no such limit, but answers
#: msg_blocks_too_long from about 12,000 on, less what it counts for the blocks themselves:
#: https://github.com/slackapi/bolt-js/issues/2509
MESSAGE = 10_000

_CUT = "…"
_ENTITY = re.compile(r"&[a-z]{0,4}$")


def literal(text: str) -> str:
    """Return words as mrkdwn that shows just these: no mention, link or formatting comes of them.

    What comes out may be several times as long.
    """
    return to_slack(text, plain=True)


def cut(text: str, most: int) -> str:
    """Return `text` in at most `most` characters; no escape of mrkdwn is cut in two."""
    if len(text) <= most:
        return text
    return _ENTITY.sub("", text[: most - 1]) + _CUT


def one_line(text: str, most: int) -> str:
    """Return words on one line, cut."""
    return cut(" ".join(text.split()), most)


def short(text: str, most: int) -> str:
    """Return words on one line as `literal` does, in at most `most` characters of mrkdwn."""
    return cut(literal(one_line(text, most)), most)


def readable(text: str) -> str:
    """Return words as `literal` does, but with the addresses of web pages as links."""
    return to_slack(text, plain=True, links=True)


def pieces(text: str, most: int, shown: Callable[[str], str] = literal) -> list[str]:
    """Cut words, that `shown` is to be applied to, into pieces that are short even then.

    Between lines or words where that is possible.
    """
    found: list[str] = []
    while text:
        size = min(len(text), most)
        while size > 1 and len(shown(text[:size])) > most:
            size = max(size * most // (len(shown(text[:size])) + 1), 1)
        if size < len(text):
            half = size // 2
            breaks = text.rfind("\n", half, size) + 1 or text.rfind(" ", half, size) + 1
            size = breaks or size
        found.append(text[:size])
        text = text[size:]
    return found


def plain(text: str, most: int) -> Block:
    """Return a text object without formatting; `text` is as it is to be read."""
    return {"type": "plain_text", "text": one_line(text, most) or "-", "emoji": True}


def mrkdwn(text: str, most: int) -> Block:
    """Return a text object; `text` is mrkdwn already."""
    return {"type": "mrkdwn", "text": cut(text, most) or "-", "verbatim": True}


def section(text: str, *, fields: Sequence[str] = (), accessory: Block | None = None) -> Block:
    """Return a section of mrkdwn, with `fields` in two columns or an element at its side."""
    made: Block = {"type": "section"}
    if text:
        made["text"] = mrkdwn(text, SECTION)
    if fields:
        made["fields"] = [mrkdwn(field, FIELD) for field in fields[:FIELDS]]
    if accessory is not None:
        made["accessory"] = accessory
    return made


def size(value: Any) -> int:
    """Return how long all texts in blocks, or in a part of them, are together."""
    if isinstance(value, dict):
        inner = (v for k, v in value.items() if not (k == "text" and isinstance(v, str)))
        text = value.get("text")
        return sum(map(size, inner)) + (len(text) if isinstance(text, str) else 0)
    return sum(map(size, value)) if isinstance(value, list) else 0


def within(rows: Sequence[Block], most: int = MESSAGE) -> list[Block]:
    """Return blocks whose texts together are about `most` characters and no more.

    Of the sections the first ones stay, one is cut, and what follows is left out; what is no
    section, buttons above all, stays.
    """
    spare = most - sum(size(row) for row in rows if row["type"] != "section")
    made: list[Block] = []
    full = False
    for row in rows:
        if row["type"] == "section":
            if full:
                continue
            text = (row.get("text") or {}).get("text", "")
            room = spare - size(row) + len(text)
            full = len(text) > room
            if full and not text:
                continue
            row = {**row, "text": {**row["text"], "text": cut(text, max(room, 1))}} if full else row
            spare -= size(row)
        made.append(row)
    return made


def header(text: str) -> Block:
    """Return a headline of plain words."""
    return {"type": "header", "text": plain(text, HEADER)}


def context(*texts: str) -> Block:
    """Return small print, of mrkdwn."""
    return {"type": "context", "elements": [mrkdwn(t, CONTEXT) for t in texts[:CONTEXTS]]}


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}


def actions(elements: Sequence[Block], block_id: str = "") -> Block:
    """Return a row of buttons and menus."""
    made: Block = {"type": "actions", "elements": list(elements[:ELEMENTS])}
    if block_id:
        made["block_id"] = block_id
    return made


def button(
    text: str, action: str, value: str, *, style: str = "", confirm: Block | None = None
) -> Block:
    """Return a button. `style` is "primary", "danger" or "". A value is never cut: see `fits`."""
    made: Block = {"type": "button", "text": plain(text, BUTTON), "action_id": action}
    made["value"] = value
    if style:
        made["style"] = style
    if confirm is not None:
        made["confirm"] = confirm
    return made


def fits(value: str) -> bool:
    """Tell whether a button can have this value."""
    return len(value) <= VALUE


def confirm(title: str, text: str, yes: str, no: str = "Cancel") -> Block:
    """Return a question that is asked before a button counts."""
    return {
        "title": plain(title, CONFIRM_TITLE),
        "text": plain(text, CONFIRM_TEXT),
        "confirm": plain(yes, CONFIRM_BUTTON),
        "deny": plain(no, CONFIRM_BUTTON),
    }


def select(placeholder: str, action: str, options: Sequence[tuple[str, str]]) -> Block:
    """Return a menu of (value, words); values that are too long are left out."""
    return {
        "type": "static_select",
        "action_id": action,
        "placeholder": plain(placeholder, OPTION),
        "options": _options(options, OPTIONS),
    }


def overflow(action: str, options: Sequence[tuple[str, str]]) -> Block:
    """Return the menu behind three dots, of (value, words)."""
    return {"type": "overflow", "action_id": action, "options": _options(options, OVERFLOW)}


def _options(options: Sequence[tuple[str, str]], most: int) -> list[Block]:
    fit = [(value, words) for value, words in options if value and len(value) <= OPTION]
    return [{"text": plain(words, OPTION), "value": value} for value, words in fit[:most]]
