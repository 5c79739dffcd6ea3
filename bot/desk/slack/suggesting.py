"""Suggested actions in Slack: what is known of them, and a form for what is not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.desk.slack import lists
from bot.desk.slack.kit import Block, button, fits, section, short
from bot.desk.slack.pressed import FILL

_LISTED = 10
_LINE = 300
_CONSOLE = "_It takes more than fits here: use the console._"


def suggested(conversation: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a message with what `bot.desk.contract.Helps.suggest` found, each with its button.

    What lacks nothing is run by it, after a question where there has to be one; what lacks
    something opens a form.
    """
    rows: list[Block] = []
    for action in found[:_LISTED]:
        rows.append(_row(conversation, action))
    if not rows:
        return lists.suggested(conversation, ())
    return {"text": "Suggested actions", "blocks": [section("*Suggested actions*"), *rows]}


def _row(conversation: str, action: Mapping[str, Any]) -> Block:
    wanted = _wanted(action)
    known = {one["name"]: one["value"] for one in wanted if one["value"]}
    if all(one["value"] or one["optional"] for one in wanted):
        whole = lists.suggested(conversation, [{**action, "args": known}])
        return dict(whole["blocks"][-1])
    title = str(action.get("title") or action["name"])
    words = f"*{short(title, 100)}*"
    if known:
        said = ", ".join(f"{one['title']} {one['value']}" for one in wanted if one["value"])
        words += f"\n{short(said, _LINE)}"
    asked = {"action": action["name"], "title": title, "args": wanted}
    value = json.dumps(
        {**asked, "conversation": conversation}, separators=(",", ":"), ensure_ascii=False
    )
    if not fits(value):
        return section(f"{words}\n{_CONSOLE}")
    return section(words, accessory=button("Fill in…", FILL, value))


def _wanted(action: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an action's arguments: name, title, value ("" if not known), optional."""
    args = action.get("args") or ()
    if isinstance(args, Mapping):
        args = [{"name": name, "value": value} for name, value in args.items()]
    return [
        {
            "name": str(one["name"]),
            "title": str(one.get("title") or one["name"]),
            "value": str(one.get("value") or ""),
            "optional": bool(one.get("optional")),
        }
        for one in args
    ]
