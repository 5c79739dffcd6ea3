"""The bodies of what Slack sends: events, interactions and commands.

https://docs.slack.dev/reference/events, https://docs.slack.dev/reference/interaction-payloads
and https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack_objects import (
    APP,
    BOT_USER,
    CHANNELS,
    DOMAIN,
    MEMBERS,
    TEAM,
    channel_type,
    new_id,
)
from bot.sandbox.slack_state import Message, Workspace

Json = dict[str, Any]

# What Slack once let apps verify requests by; the signature took its place.
_TOKEN = "frontdesk-sandbox"  # noqa: S105


def callback(event: Json) -> Json:
    """Return an event in its wrapper: https://docs.slack.dev/apis/events-api."""
    channel = str(event.get("channel") or event.get("item", {}).get("channel", ""))
    return {
        "token": _TOKEN,
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{new_id('E')}-{channel}",
    }


class Events:
    """Events of what happens to the messages of a workspace, not yet wrapped."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def posted(self, message: Message) -> Json:
        """A message was written."""
        native = self._workspace.native(message, metadata=True)
        if message.files and not message.broadcast:
            native["subtype"] = "file_share"
        return {**native, **_in(message.channel, message.ts)}

    def changed(self, message: Message, before: Json) -> Json:
        """A message was edited; `before` is what it was, as the Web API has it."""
        after = self._workspace.native(message, metadata=True)
        return self._hidden(
            message.channel, "message_changed", message=_teams(after), previous_message=before
        )

    def deleted(self, message: Message, before: Json) -> Json:
        """A message was deleted. Of a root with answers a tombstone stays, which is a change."""
        stone = self._workspace.tombstone(message.channel, message.ts)
        if stone is not None:
            return self._hidden(
                message.channel, "message_changed", message=_teams(stone), previous_message=before
            )
        return self._hidden(
            message.channel, "message_deleted", deleted_ts=message.ts, previous_message=before
        )

    def reacted(self, message: Message, user: str, name: str, *, removed: bool) -> Json:
        """A reaction was put on a message, or taken off."""
        return {
            "type": "reaction_removed" if removed else "reaction_added",
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            **({"item_user": message.user} if message.user else {}),
            "event_ts": self._workspace.ts(),
        }

    def _hidden(self, channel: str, subtype: str, **more: Any) -> Json:
        now = self._workspace.ts()
        return {
            "type": "message",
            "subtype": subtype,
            **more,
            "hidden": True,
            "ts": now,
            **_in(channel, now),
        }


def _in(channel: str, ts: str) -> Json:
    return {"channel": channel, "event_ts": ts, "channel_type": channel_type(channel)}


def _teams(native: Json) -> Json:
    return {**native, "source_team": TEAM, "user_team": TEAM}


def interaction(kind: str, agent: str, **more: Any) -> Json:
    """Return what all interactions have, with what one has of its own."""
    name = MEMBERS[agent]
    short = name.split()[0].lower()
    return {
        "type": kind,
        "team": {"id": TEAM, "domain": DOMAIN},
        "user": {"id": agent, "username": short, "name": short, "team_id": TEAM},
        "api_app_id": APP,
        "token": _TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
        **more,
    }


def channel(id_: str) -> Json:
    """Return a channel as interactions have it."""
    return {"id": id_, "name": CHANNELS.get(id_, "directmessage")}


def command(agent: str, room: str, name: str, text: str, urls: Mapping[str, str]) -> Json:
    """Return the form of a slash command; `urls` holds its response_url and trigger_id."""
    return {
        "token": _TOKEN,
        "team_id": TEAM,
        "team_domain": DOMAIN,
        "channel_id": room,
        "channel_name": CHANNELS.get(room, "directmessage"),
        "user_id": agent,
        "user_name": MEMBERS[agent].split()[0].lower(),
        "command": name,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        **urls,
    }
