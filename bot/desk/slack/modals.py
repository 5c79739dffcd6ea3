"""The forms that open over Slack, and what is read from them when they are sent.

https://docs.slack.dev/reference/views/modal-views and
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.desk.slack.kit import Block, plain, select
from bot.desk.slack.pressed import Place
from bot.desk.templates import Approved
from bot.message import clean

RESOLVE, EDIT, REPLY = "desk_form_resolve", "desk_form_edit", "desk_form_reply"
CANNED, TEMPLATE, ASSIGN = "desk_form_canned", "desk_form_template", "desk_form_assign"
ACT = "desk_form_act"

#: Of a text field, https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
LONGEST = 3000
_TITLE = 24
_LABEL = 75
_RATE = "rate"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form that was sent wants: a deed. `problems` are by block, for the form to show."""

    kind: str
    place: Place
    args: Mapping[str, Any]
    text: str
    problems: Mapping[str, str]
    #: Whether ``args["to"]`` is a Slack user.
    is_user: bool = False


def resolve(place: Place) -> Block:
    """Return the form that closes a case."""
    rate = {"text": plain("Ask the customer for a rating", _LABEL), "value": _RATE}
    boxes = {"type": "checkboxes", "action_id": "rate", "options": [rate]}
    return _form(
        RESOLVE,
        "Resolve",
        "Resolve",
        place,
        [
            _input("text", "How was it resolved?", _words(""), optional=True),
            _input("rate", "Rating", {**boxes, "initial_options": [rate]}, optional=True),
        ],
    )


def edit(place: Place, review: str, draft: str) -> Block:
    """Return the form in which a draft is edited and sent. It has at most `LONGEST` characters."""
    fields = [_input("text", "To the customer", _words(draft))]
    return _form(EDIT, "Edit the draft", "Send", place, fields, review=review)


def reply(place: Place, text: str) -> Block:
    """Return the form in which a canned reply is edited and sent."""
    return _form(
        REPLY, "Edit the reply", "Send", place, [_input("text", "To the customer", _words(text))]
    )


def canned(place: Place, replies: Sequence[tuple[str, str]]) -> Block:
    """Return the form in which a canned reply, (key, title), is chosen."""
    menu = select("Choose one", "key", replies)
    return _form(CANNED, "Canned reply", "Fill it in", place, [_input("key", "Reply", menu)])


def template(place: Place, approved: Approved) -> Block:
    """Return the form that asks for what belongs into a template."""
    fields = [
        _input(f"p{n}", name, {"type": "plain_text_input", "action_id": f"p{n}", "max_length": 500})
        for n, name in enumerate(approved.parameters)
    ]
    shown = {"type": "section", "text": plain(approved.text or approved.name, LONGEST)}
    return _form(TEMPLATE, "Template", "Send", place, [shown, *fields], name=approved.name)


def act(place: Place, asked: Mapping[str, Any]) -> Block:
    """Return the form that asks for what an action needs and runs it.

    `asked` is a button's value, see `bot.desk.slack.suggesting`.
    """
    wanted = [dict(one) for one in asked.get("args") or ()]
    fields = []
    for n, one in enumerate(wanted):
        element = {"type": "plain_text_input", "action_id": f"p{n}", "max_length": 500}
        if one.get("value"):
            element["initial_value"] = str(one["value"])[:500]
        title = str(one.get("title") or one["name"])
        fields.append(_input(f"p{n}", title, element, optional=bool(one.get("optional"))))
    title = str(asked.get("title") or "")
    shown = {"type": "section", "text": plain(title, LONGEST)}
    names = [str(one["name"]) for one in wanted]
    optional = [n for n, one in enumerate(wanted) if one.get("optional")]
    name = str(asked.get("action") or "")
    return _form(
        ACT, "Action", "Do it", place, [shown, *fields], name=name, args=names, optional=optional
    )


def assign(place: Place) -> Block:
    """Return the form in which a colleague is chosen."""
    menu = {"type": "users_select", "action_id": "to", "placeholder": plain("A colleague", 75)}
    return _form(ASSIGN, "Assign", "Assign", place, [_input("to", "To whom?", menu)])


def sent(view: Mapping[str, Any], user: str) -> Sent | None:
    """Read a form that was sent, None when it is none of ours."""
    try:
        kept = json.loads(str(view.get("private_metadata") or "{}"))
        place = Place(**{**kept["place"], "user": user})
    except (ValueError, KeyError, TypeError):
        return None
    values: dict[str, Mapping[str, Any]] = {
        block: next(iter(fields.values()), {})
        for block, fields in ((view.get("state") or {}).get("values") or {}).items()
    }
    text = clean(str((values.get("text") or {}).get("value") or "")).strip()
    form = view.get("callback_id")
    if form == RESOLVE:
        boxes = (values.get("rate") or {}).get("selected_options") or ()
        rate = any(box.get("value") == _RATE for box in boxes)
        return Sent("resolve", place, {"rate": rate}, text, {})
    if form in (EDIT, REPLY):
        missing = {} if text else {"text": "Write what the customer is to read."}
        review = {"review": str(kept.get("review") or "")} if form == EDIT else {}
        return Sent("send_draft" if form == EDIT else "say", place, review, text, missing)
    if form == CANNED:
        key = str(((values.get("key") or {}).get("selected_option") or {}).get("value") or "")
        return Sent("canned", place, {"key": key}, "", {} if key else {"key": "Choose one."})
    if form in (TEMPLATE, ACT):
        given = [b for b in sorted(values, key=_number) if b.startswith("p")]
        words = [clean(str(values[b].get("value") or "")).strip() for b in given]
        free = {f"p{n}" for n in kept.get("optional") or ()}
        pairs = zip(given, words, strict=True)
        empty = {b: "This is needed." for b, w in pairs if not w and b not in free}
        if form == ACT:
            filled = dict(zip(kept.get("args") or (), words, strict=False))
            wanted = {"action": str(kept.get("name") or ""), "args": filled, "confirmed": True}
            return Sent("act", place, wanted, "", empty)
        args = {"name": str(kept.get("name") or ""), "parameters": words}
        return Sent("template", place, args, "", empty)
    if form == ASSIGN:
        to = str((values.get("to") or {}).get("selected_user") or "")
        missing = {} if to else {"to": "Choose somebody."}
        return Sent("assign", place, {"to": to}, "", missing, is_user=True)
    return None


def _number(block: str) -> int:
    digits = block[1:]
    return int(digits) if digits.isdigit() else 0


def _words(initial: str) -> Block:
    made: Block = {"type": "plain_text_input", "action_id": "text", "multiline": True}
    made["max_length"] = LONGEST
    if initial:
        made["initial_value"] = initial[:LONGEST]
    return made


def _input(block: str, label: str, element: Block, *, optional: bool = False) -> Block:
    made = {"type": "input", "block_id": block, "label": plain(label, _LABEL), "element": element}
    return {**made, "optional": optional}


def _form(
    form: str, title: str, send: str, place: Place, rows: Sequence[Block], **kept: Any
) -> Block:
    # The address for an answer outlives the form's use no longer than half an hour.
    return {
        "type": "modal",
        "callback_id": form,
        "title": plain(title, _TITLE),
        "submit": plain(send, _TITLE),
        "close": plain("Cancel", _TITLE),
        "private_metadata": json.dumps({"place": asdict(place), **kept}, separators=(",", ":")),
        "blocks": list(rows),
    }
