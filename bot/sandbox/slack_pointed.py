"""Who does something in the sandbox's Slack and to what, as the control API is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox import asked
from bot.sandbox.errors import BadRequest
from bot.sandbox.slack_objects import CHANNELS, MEMBERS
from bot.sandbox.slack_state import Message, Workspace


def agent(data: Mapping[str, Any]) -> str:
    """Return who does it. Raises BadRequest."""
    name = asked.text(data, "agent")
    if name not in MEMBERS:
        raise BadRequest(f"agent must be one of {', '.join(MEMBERS)}")
    return name


def channel(workspace: Workspace, data: Mapping[str, Any]) -> str:
    """Return the channel a person is in. Raises BadRequest."""
    found = workspace.channel(asked.text(data, "channel"))
    if not found:
        raise BadRequest(f"channel must be one of {', '.join(CHANNELS)}")
    return found


def shown(workspace: Workspace, data: Mapping[str, Any]) -> Message:
    """Return the message a person points at. Raises BadRequest."""
    ts, room = asked.text(data, "ts"), channel(workspace, data)
    found = workspace.get(room, ts)
    found = found or workspace.ephemeral(room, ts, asked.text(data, "agent"))
    if found is None:
        raise BadRequest(f"no message {ts[:40]!r} in {room}")
    return found
