"""What Block Kit would refuse of a message's blocks, by the limits that Slack documents.

https://docs.slack.dev/reference/block-kit/blocks, .../block-elements, .../composition-objects
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Not documented, but told by its makers: https://github.com/slackapi/bolt-js/issues/2509
MOST = 12_000


def total(blocks: Any) -> int:
    """Return how long all texts are together."""
    if isinstance(blocks, dict):
        text = blocks.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + sum(total(v) for v in blocks.values())
    return sum(total(v) for v in blocks) if isinstance(blocks, (list, tuple)) else 0


def problems(blocks: Sequence[dict[str, Any]]) -> list[str]:
    """Return what is wrong with blocks, [] for nothing."""
    found: list[str] = []
    if total(blocks) > MOST:
        found.append(f"texts of {total(blocks)} characters together, {MOST} go")
    if len(blocks) > 50:
        found.append("more than 50 blocks")
    ids = [b["block_id"] for b in blocks if "block_id" in b]
    if len(ids) != len(set(ids)):
        found.append("block ids twice")
    if any(not 1 <= len(id) <= 255 for id in ids):
        found.append("a block id of a wrong length")
    for block in blocks:
        found += [f"{block.get('type')}: {problem}" for problem in _block(block)]
    return found


def _block(block: dict[str, Any]) -> list[str]:
    kind = block["type"]
    if kind == "header":
        return _text(block["text"], 150, "plain_text")
    if kind == "section":
        found = _text(block["text"], 3000) if "text" in block else []
        fields = block.get("fields")
        if fields is not None and not 1 <= len(fields) <= 10:
            found.append("1 to 10 fields")
        if "text" not in block and not fields:
            found.append("neither text nor fields")
        for field in fields or ():
            found += _text(field, 2000)
        return found + (_element(block["accessory"]) if "accessory" in block else [])
    if kind == "context":
        found = [] if 1 <= len(block["elements"]) <= 10 else ["1 to 10 elements"]
        return found + [p for e in block["elements"] for p in _text(e, 2000)]
    if kind == "actions":
        found = [] if 1 <= len(block["elements"]) <= 25 else ["1 to 25 elements"]
        names = [e["action_id"] for e in block["elements"]]
        found += ["action ids twice"] if len(names) != len(set(names)) else []
        return found + [p for e in block["elements"] for p in _element(e)]
    return [] if kind == "divider" else ["no such block"]


def _text(text: dict[str, Any], most: int, kind: str | None = None) -> list[str]:
    found = []
    if text["type"] not in ((kind,) if kind else ("plain_text", "mrkdwn")):
        found.append(f"a text of type {text['type']}")
    if not 1 <= len(text["text"]) <= most:
        found.append(f"a text of {len(text['text'])} characters, 1 to {most} go")
    if "verbatim" in text and text["type"] != "mrkdwn":
        found.append("verbatim is of mrkdwn")
    if "emoji" in text and text["type"] != "plain_text":
        found.append("emoji is of plain_text")
    return found


def _element(element: dict[str, Any]) -> list[str]:
    kind = element["type"]
    found = [] if 1 <= len(element["action_id"]) <= 255 else ["an action id of a wrong length"]
    if kind == "button":
        found += _text(element["text"], 75, "plain_text")
        if len(element.get("value", "")) > 2000:
            found.append("a value above 2000")
        if element.get("style", "primary") not in ("primary", "danger"):
            found.append("no such style")
        if "confirm" in element:
            asked = element["confirm"]
            for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
                found += _text(asked[name], most, "plain_text" if name != "text" else None)
        return found
    if kind in ("static_select", "overflow"):
        most = 100 if kind == "static_select" else 5
        if not 1 <= len(element["options"]) <= most:
            found.append(f"1 to {most} options")
        for option in element["options"]:
            found += _text(option["text"], 75, "plain_text")
            if not 1 <= len(option["value"]) <= 75:
                found.append("an option's value of a wrong length")
    if kind in ("static_select", "users_select"):
        return found + _text(element["placeholder"], 150, "plain_text")
    return found if kind == "overflow" else [*found, "no such element"]
