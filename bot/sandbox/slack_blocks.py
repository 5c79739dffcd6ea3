"""Slack's rules for blocks and modals, and what is in the fields of them.

https://docs.slack.dev/reference/block-kit/blocks, .../block-elements, .../composition-objects
and https://docs.slack.dev/reference/views/modal-views. Reasons are worded as Slack's.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.sandbox.slack_call import SlackError

Json = Mapping[str, Any]

MESSAGE_BLOCKS = 50
#: Of all texts of a message's blocks together. Not documented, but told by Slack's makers:
#: https://github.com/slackapi/bolt-js/issues/2509
MESSAGE_TEXTS = 12_000
VIEW_BLOCKS = 100
VIEW_BYTES = 250 * 1024
# Of each block the fields it cannot do without.
_BLOCKS: dict[str, tuple[str, ...]] = {
    "section": (),
    "divider": (),
    "actions": ("elements",),
    "context": ("elements",),
    "header": ("text",),
    "image": ("alt_text",),
    "input": ("label", "element"),
    "rich_text": ("elements",),
    "video": ("title", "video_url", "thumbnail_url", "alt_text"),
    "markdown": ("text",),
    "file": ("external_id", "source"),
    "table": ("rows",),
}
_SELECTS = {
    f"{many}{what}_select"
    for many in ("", "multi_")
    for what in ("static", "external", "users", "conversations", "channels")
}
_INPUTS = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_CHOICES = {"static_select", "multi_static_select", "overflow", "radio_buttons", "checkboxes"}
_PICKERS = {"datepicker", "timepicker", "datetimepicker"}
_ELEMENTS = {
    *("button", "image", "workflow_button", "rich_text_input", "file_input"),
    *_SELECTS,
    *_INPUTS,
    *_CHOICES,
    *_PICKERS,
}
_MOST_OPTIONS = {"overflow": 5, "radio_buttons": 10, "checkboxes": 10}
_LENGTHS = {"action_id": 255, "value": 2000, "url": 3000}


class _Check:
    """Collects what is wrong, each with the place of it."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def wrong(self, reason: str, path: str) -> None:
        self.errors.append(f"{reason} [json-pointer:{path}]")

    def longest(self, value: Any, most: int, path: str) -> None:
        if not isinstance(value, str):
            self.wrong("must provide a string", path)
        elif len(value) > most:
            self.wrong(f"must be less than {most + 1} characters", path)

    def text(self, value: Any, most: int, path: str, *, plain: bool = False) -> None:
        """A composition object of text."""
        if not isinstance(value, Mapping):
            self.wrong("must provide an object", path)
            return
        kind = value.get("type")
        if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.wrong(f"unsupported type: {kind}", f"{path}/type")
        words = value.get("text")
        if words == "":
            self.wrong("must be more than 0 characters", f"{path}/text")
        else:
            self.longest(words, most, f"{path}/text")

    def blocks(self, blocks: Any, most: int, path: str) -> None:
        if not isinstance(blocks, Sequence) or isinstance(blocks, str):
            self.wrong("must be an array", path)
            return
        if len(blocks) > most:
            self.wrong(f"no more than {most} items allowed", path)
        seen: set[str] = set()
        for n, block in enumerate(blocks):
            here = f"{path}/{n}"
            kind = block.get("type") if isinstance(block, Mapping) else None
            if kind not in _BLOCKS:
                self.wrong(f"unsupported type: {kind}", f"{here}/type")
                continue
            for name in _BLOCKS[kind]:
                if not block.get(name):
                    self.wrong(f"missing required field: {name}", here)
            id_ = block.get("block_id")
            if id_ is not None:
                self.longest(id_, 255, f"{here}/block_id")
                if id_ in seen:
                    self.wrong(f"`block_id` {id_} already exists", f"{here}/block_id")
                seen.add(id_)
            self._inside(str(kind), block, here)

    def _inside(self, kind: str, block: Json, here: str) -> None:
        elements = block.get("elements") or ()
        if kind == "section":
            fields = block.get("fields")
            if not block.get("text") and not fields:
                self.wrong("missing required field: text", here)
            if block.get("text"):
                self.text(block["text"], 3000, f"{here}/text")
            if fields and len(fields) > 10:
                self.wrong("no more than 10 items allowed", f"{here}/fields")
            for n, part in enumerate(fields or ()):
                self.text(part, 2000, f"{here}/fields/{n}")
            if block.get("accessory"):
                self._element(block["accessory"], f"{here}/accessory")
        elif kind == "header" and block.get("text"):
            self.text(block["text"], 150, f"{here}/text", plain=True)
        elif kind == "image":
            if not block.get("image_url") and not block.get("slack_file"):
                self.wrong("missing required field: image_url", here)
            self.longest(block.get("alt_text", ""), 2000, f"{here}/alt_text")
        elif kind == "context":
            if len(elements) > 10:
                self.wrong("no more than 10 items allowed", f"{here}/elements")
            for n, part in enumerate(elements):
                if part.get("type") != "image":
                    self.text(part, 3000, f"{here}/elements/{n}")
        elif kind == "actions":
            if len(elements) > 25:
                self.wrong("no more than 25 items allowed", f"{here}/elements")
            seen: set[str] = set()
            for n, part in enumerate(elements):
                self._element(part, f"{here}/elements/{n}")
                id_ = part.get("action_id") if isinstance(part, Mapping) else None
                if id_ in seen:
                    reason = f"`action_id` {id_} already exists for another element"
                    self.wrong(reason, f"{here}/elements/{n}/action_id")
                if id_:
                    seen.add(id_)
        elif kind == "input":
            self.text(block.get("label"), 2000, f"{here}/label", plain=True)
            if block.get("hint"):
                self.text(block["hint"], 2000, f"{here}/hint", plain=True)
            if block.get("element"):
                self._element(block["element"], f"{here}/element")

    def _element(self, element: Any, path: str) -> None:
        kind = element.get("type") if isinstance(element, Mapping) else None
        if kind not in _ELEMENTS:
            self.wrong(f"unsupported type: {kind}", f"{path}/type")
            return
        for name, most in _LENGTHS.items():
            if element.get(name) is not None:
                self.longest(element[name], most, f"{path}/{name}")
        if kind == "button":
            self.text(element.get("text"), 75, f"{path}/text", plain=True)
            if element.get("style") not in (None, "primary", "danger"):
                self.wrong("must be a valid enum value", f"{path}/style")
        if element.get("placeholder"):
            self.text(element["placeholder"], 150, f"{path}/placeholder", plain=True)
        if element.get("confirm"):
            confirm = element["confirm"]
            for name, most in (("title", 100), ("confirm", 30), ("deny", 30)):
                if confirm.get(name):
                    self.text(confirm[name], most, f"{path}/confirm/{name}", plain=True)
            self.text(confirm.get("text"), 300, f"{path}/confirm/text")
        if kind in _CHOICES:
            self._options(str(kind), element, path)
        if kind in _INPUTS and element.get("initial_value") is not None:
            most = element.get("max_length", 3000)
            self.longest(element["initial_value"], most, f"{path}/initial_value")

    def _options(self, kind: str, element: Json, path: str) -> None:
        groups = element.get("option_groups")
        options = element.get("options")
        if not options and not groups:
            self.wrong("missing required field: options", path)
        most = _MOST_OPTIONS.get(kind, 100)
        lists = [(options or (), f"{path}/options")]
        lists += [
            (group.get("options", ()), f"{path}/option_groups/{n}/options")
            for n, group in enumerate(groups or ())
        ]
        for entries, here in lists:
            if len(entries) > most:
                self.wrong(f"no more than {most} items allowed", here)
            for n, option in enumerate(entries):
                plain = kind not in ("radio_buttons", "checkboxes")
                self.text(option.get("text"), 75, f"{here}/{n}/text", plain=plain)
                # The reference of the option object: "Maximum length ... is 150 characters".
                self.longest(option.get("value"), 150, f"{here}/{n}/value")


def check_message(blocks: Any) -> None:
    """Raise SlackError invalid_blocks or msg_blocks_too_long for what Slack would not post."""
    check = _Check()
    check.blocks(blocks, MESSAGE_BLOCKS, "/blocks")
    _raise(check, "invalid_blocks")
    if _texts(blocks) > MESSAGE_TEXTS:
        raise SlackError("msg_blocks_too_long")


def _texts(value: Any) -> int:
    """Return how long all texts in blocks are together."""
    if isinstance(value, Mapping):
        text = value.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + sum(_texts(v) for v in value.values())
    return sum(map(_texts, value)) if isinstance(value, list) else 0


def check_view(view: Any) -> None:
    """Raise SlackError invalid_arguments or view_too_large for a modal Slack would not open."""
    check = _Check()
    if not isinstance(view, Mapping):
        check.wrong("must provide an object", "/view")
        _raise(check, "invalid_arguments")
    if len(json.dumps(view)) > VIEW_BYTES:
        raise SlackError("view_too_large")
    if view.get("type") != "modal":
        check.wrong(f"unsupported type: {view.get('type')}", "/view/type")
    check.text(view.get("title"), 24, "/view/title", plain=True)
    for name in ("submit", "close"):
        if view.get(name):
            check.text(view[name], 24, f"/view/{name}", plain=True)
    check.longest(view.get("private_metadata") or "", 3000, "/view/private_metadata")
    check.longest(view.get("callback_id") or "", 255, "/view/callback_id")
    blocks = view.get("blocks")
    check.blocks(blocks, VIEW_BLOCKS, "/view/blocks")
    inputs = [b for b in blocks or () if isinstance(b, Mapping) and b.get("type") == "input"]
    if inputs and not view.get("submit"):
        check.wrong("missing required field: submit", "/view")
    _raise(check, "invalid_arguments")


def _raise(check: _Check, name: str) -> None:
    if check.errors:
        messages = [f"[ERROR] {reason}" for reason in check.errors]
        raise SlackError(name, errors=check.errors, response_metadata={"messages": messages})


def elements(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield every interactive element with the block it is in."""
    for block in blocks:
        parts = [block.get("accessory"), block.get("element")]
        if block.get("type") == "actions":
            parts += block.get("elements", ())
        for part in parts:
            if isinstance(part, Mapping) and part.get("action_id"):
                yield block, part


def option(element: Json, value: str) -> Json | None:
    """Return the option of an element that has that value, None when none has."""
    groups = element.get("option_groups") or ()
    entries = [*(element.get("options") or ()), *(o for g in groups for o in g["options"])]
    return next((o for o in entries if o.get("value") == value), None)


def element_ids(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return blocks with the ids that Slack gives to those that have none."""
    return [
        {
            **{k: _named(v) for k, v in block.items()},
            "block_id": block.get("block_id") or uuid.uuid4().hex[:5],
        }
        for block in blocks
    ]


_INTERACTIVE = re.compile(
    r"button|checkboxes|datepicker|datetimepicker|timepicker|overflow|radio_buttons"
    r"|(?:multi_)?\w+_select|\w+_input|file_input|workflow_button|icon_button|feedback_buttons"
)


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(v) for v in value]
    if isinstance(value, dict) and _INTERACTIVE.fullmatch(str(value.get("type", ""))):
        return {**value, "action_id": value.get("action_id") or uuid.uuid4().hex[:5]}
    return value
