"""What people put into the fields of messages and modals, as Slack tells an app of it.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload and
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox import slack_blocks
from bot.sandbox.errors import BadRequest

Json = dict[str, Any]

REQUIRED = "Please complete this required field."

# Where each kind of element keeps what is chosen, one thing or a list.
_ONE = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
_MANY = {
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_ONE_OPTION = {"static_select", "radio_buttons", "overflow", "external_select"}
_MANY_OPTIONS = {"checkboxes", "multi_static_select", "multi_external_select"}
_INITIAL_ONE = {
    "users_select": "initial_user",
    "conversations_select": "initial_conversation",
    "channels_select": "initial_channel",
    "datepicker": "initial_date",
    "timepicker": "initial_time",
    "datetimepicker": "initial_date_time",
}
_WORDS = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}


def holds(element: Mapping[str, Any], given: Any = None) -> Json | None:
    """Return what an element holds: `given`, or what it begins with; None for a button.

    `given` is a string, of things of which there may be several a list of strings; for
    options it is their values. Raises BadRequest for an option there is none of.
    """
    kind = str(element["type"])
    if kind in _WORDS:
        value = element.get("initial_value") if given is None else str(given)
        return {"type": kind, "value": value or None}
    if kind in _ONE_OPTION:
        if given is None:
            return {"type": kind, "selected_option": element.get("initial_option")}
        return {"type": kind, "selected_option": _option(element, given) if given else None}
    if kind in _MANY_OPTIONS:
        if given is None:
            return {"type": kind, "selected_options": element.get("initial_options") or []}
        return {"type": kind, "selected_options": [_option(element, g) for g in _list(given)]}
    if kind in _ONE:
        value = element.get(_INITIAL_ONE[kind]) if given is None else given or None
        if kind == "datetimepicker" and value is not None:
            value = _seconds(value)
        return {"type": kind, _ONE[kind]: value}
    if kind in _MANY:
        initial = element.get(_MANY[kind].replace("selected", "initial"))
        return {"type": kind, _MANY[kind]: initial or [] if given is None else _list(given)}
    return None


def state(
    blocks: Sequence[Mapping[str, Any]], given: Mapping[str, Mapping[str, Any]] | None = None
) -> Json:
    """Return ``{"values": {block: {action: …}}}`` of all elements that hold something."""
    values: dict[str, Json] = {}
    for block, element in slack_blocks.elements(blocks):
        block_id, action_id = str(block["block_id"]), str(element["action_id"])
        put = (given or {}).get(block_id, {})
        held = holds(element, put.get(action_id))
        if held is not None and element["type"] != "overflow":
            values.setdefault(block_id, {})[action_id] = held
    return {"values": values}


def refused(blocks: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, str]:
    """Return what Slack's client itself refuses to submit, by block."""
    errors = {}
    for block, element in slack_blocks.elements(blocks):
        if block["type"] != "input":
            continue
        held = values[block["block_id"]][element["action_id"]]
        value = next((v for k, v in held.items() if k != "type"), None)
        if not value and not block.get("optional"):
            errors[str(block["block_id"])] = REQUIRED
        elif isinstance(value, str) and element["type"] == "plain_text_input":
            most, least = element.get("max_length", 3000), element.get("min_length", 0)
            if not least <= len(value) <= most:
                errors[str(block["block_id"])] = f"Must be {least} to {most} characters."
    return errors


def action(block: Mapping[str, Any], element: Mapping[str, Any], given: Any, ts: str) -> Json:
    """Return the action of pressing or choosing in an element, `given` as for `holds`."""
    made: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": ts,
    }
    if element["type"] == "button":
        kept = ("text", "value", "style", "url")
        return {**made, **{k: element[k] for k in kept if element.get(k) is not None}}
    if given is None:
        raise BadRequest(f"value is missing: what is chosen in the {element['type']}")
    shown = {k: v for k, v in element.items() if k == "placeholder" or k.startswith("initial_")}
    return {**made, **shown, **(holds(element, given) or {})}


def find(
    blocks: Sequence[Mapping[str, Any]], action_id: str, block_id: str = ""
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return an element and its block. Raises BadRequest when there is none."""
    for block, element in slack_blocks.elements(blocks):
        if element["action_id"] == action_id and block_id in ("", block["block_id"]):
            return block, element
    raise BadRequest(f"nothing here has the action_id {action_id[:80]!r}")


def _option(element: Mapping[str, Any], value: Any) -> Any:
    found = slack_blocks.option(element, str(value))
    if found is None:
        raise BadRequest(f"{element['action_id']} has no option {str(value)[:80]!r}")
    return found


def _list(given: Any) -> list[str]:
    return [str(g) for g in given] if isinstance(given, list) else [str(given)] if given else []


def _seconds(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise BadRequest("a datetimepicker holds seconds since 1970") from None
