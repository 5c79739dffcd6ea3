"""What agents press and choose in Slack, read from its interaction payloads.

https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.desk.slack import ids

#: Of the buttons of a filled-in canned reply, `value` is ``{"text": …, "conversation": …}``.
SAY, REPLY = "desk_say", "desk_reply"
#: Asks for what an action still needs, see `bot.desk.slack.suggesting`.
FILL = "desk_fill"

_DEEDS = {
    ids.TAKE: "take",
    ids.PICK: "take",
    ids.BACK: "back",
    ids.REOPEN: "reopen",
    ids.DRAFT: "draft",
    ids.SIMILAR: "similar",
    ids.ACTIONS: "suggest",
    ids.ACT: "act",
    ids.SEND_DRAFT: "send_draft",
    ids.DISCARD_DRAFT: "discard",
    ids.ASSIGN: "assign",
    ids.TAKE_FROM: "assign",
    ids.TEMPLATE: "template",
    SAY: "say",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in Slack somebody did something, and what about."""

    conversation: str
    channel: str = ""
    thread: str = ""
    user: str = ""
    respond: str = ""

    def args(self) -> dict[str, str]:
        """Return what a deed keeps of it, for the answer to find its way."""
        kept = {"channel": self.channel, "thread": self.thread, "user": self.user}
        kept["respond"] = self.respond
        return {key: value for key, value in kept.items() if value}


@dataclass(frozen=True, slots=True)
class Press:
    """One button or menu that was used. `value` is what it holds, `chosen` what was chosen."""

    id: str
    action: str
    place: Place
    value: Mapping[str, Any] = field(default_factory=dict)
    chosen: str = ""
    #: Whether `chosen` is a Slack user.
    is_user: bool = False

    @property
    def deed(self) -> tuple[str, dict[str, Any], str] | None:
        """Return kind, args and text of the deed it is, None for what opens a form or nothing.

        The `to` of an assignment is `chosen` as it is; of `TAKE_FROM` it is left to who knows
        what agent presses.
        """
        kind = _DEEDS.get(self.action)
        if kind is None or not self.place.conversation:
            return None
        args: dict[str, Any] = {}
        text = ""
        if self.action == ids.TAKE_FROM:
            args["from_holder"] = True
        elif kind == "assign":
            args["to"] = self.chosen
        elif kind == "template":
            args |= {"name": self.chosen, "parameters": []}
        elif kind in ("send_draft", "discard"):
            args["review"] = self.review
        elif kind == "act":
            args |= {"action": str(self.value.get("action") or ""), "confirmed": True}
            args["args"] = dict(self.value.get("args") or {})
        elif kind == "say":
            text = str(self.value.get("text") or "")
        return kind, args, text

    @property
    def review(self) -> str:
        """The id of the draft that it is about, "" for none."""
        return str(self.value.get("review") or self.value.get("r") or "")


def presses(payload: Mapping[str, Any], account: str) -> list[Press]:
    """Read a block_actions payload; nearly always there is one.

    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    container = payload.get("container") or {}
    message = payload.get("message") or {}
    channel = str(container.get("channel_id") or (payload.get("channel") or {}).get("id") or "")
    ts = str(container.get("message_ts") or message.get("ts") or "")
    thread = str(container.get("thread_ts") or message.get("thread_ts") or "")
    if not thread and not container.get("is_ephemeral"):
        thread = ts
    user = str((payload.get("user") or {}).get("id") or "")
    found = []
    for n, action in enumerate(payload.get("actions") or ()):
        name, chosen, is_user = str(action.get("action_id") or ""), "", False
        if action.get("selected_option"):
            chosen = str(action["selected_option"].get("value") or "")
        elif action.get("selected_user"):
            chosen, is_user = str(action["selected_user"]), True
        if name == ids.MORE:
            name = chosen
        value = _value(str(action.get("value") or ""))
        conversation = str(value.get("conversation") or value.get("c") or "")
        conversation = conversation or ids.conversation_of(str(action.get("block_id") or ""))
        place = Place(conversation, channel, thread, user, str(payload.get("response_url") or ""))
        caused = str(payload.get("trigger_id") or f"{user}:{action.get('action_ts')}")
        id = f"slack:{account}:act:{short(caused)}" + (f":{n}" if n else "")
        found.append(Press(id, name, place, value, chosen, is_user))
    return found


def short(caused: str) -> str:
    """Return a name for what Slack calls by a long one that is also a permission."""
    return hashlib.sha256(caused.encode("utf-8", "replace")).hexdigest()[:32]


def _value(value: str) -> dict[str, Any]:
    """Read a button's value: JSON, or a conversation's key."""
    if value.startswith("{"):
        try:
            read = json.loads(value)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}
    return {"conversation": value} if value else {}
