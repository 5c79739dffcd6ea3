"""auth.*, conversations.* and users.* of the sandbox's Slack.

https://docs.slack.dev/reference/methods
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from bot.sandbox.slack_call import Call, SlackError
from bot.sandbox.slack_objects import (
    BOT,
    BOT_USER,
    CHANNELS,
    DOMAIN,
    MEMBERS,
    TEAM,
    TEAM_NAME,
    channel_object,
    user_object,
)
from bot.sandbox.slack_state import Message, Workspace

Json = dict[str, Any]

_TS = re.compile(r"\d{1,12}(?:\.\d{1,6})?")


class Rooms:
    """What can be looked up in the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.methods = {
            "auth.test": self._auth_test,
            "conversations.info": self._info,
            "conversations.list": self._list,
            "conversations.open": self._open,
            "conversations.join": self._info,
            "conversations.members": self._members,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "users.info": self._user,
            "users.list": self._users,
            "users.conversations": self._list,
            "bots.info": self._bot,
        }

    async def _auth_test(self, call: Call) -> Json:
        return {
            "url": f"https://{DOMAIN}.slack.com/",
            "team": TEAM_NAME,
            "user": "frontdesk",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def _channel(self, call: Call) -> str:
        given = call.needed("channel")
        # Here, unlike in chat.postMessage, only ids are known.
        if self._workspace.channel(given) != given:
            raise SlackError("channel_not_found")
        return given

    async def _info(self, call: Call) -> Json:
        return {"channel": channel_object(self._channel(call))}

    async def _list(self, call: Call) -> Json:
        wanted = (call.text("types") or "public_channel").split(",")
        found = [channel_object(c) for c in CHANNELS] if "public_channel" in wanted else []
        return _page("channels", found, call, 100)

    async def _open(self, call: Call) -> Json:
        users = [u for u in call.text("users").split(",") if u]
        if call.text("channel"):
            return {"channel": {"id": self._channel(call)}}
        if not users:
            raise SlackError("users_list_not_supplied")
        if any(u not in MEMBERS for u in users):
            raise SlackError("user_not_found")
        if len(users) > 1:
            raise SlackError("method_not_supported_for_channel_type")
        return {"channel": {"id": self._workspace.channel(users[0])}}

    async def _members(self, call: Call) -> Json:
        self._channel(call)
        return _page("members", [*MEMBERS, BOT_USER], call, 100)

    async def _history(self, call: Call) -> Json:
        channel = self._channel(call)
        found = _between(self._workspace.roots(channel), call)[::-1]
        return {**self._messages(found, call, 100), "pin_count": 0}

    async def _replies(self, call: Call) -> Json:
        channel, ts = self._channel(call), call.needed("ts")
        root = self._workspace.get(channel, ts)
        first = self._workspace.tombstone(channel, ts) if root is None else None
        if root is None and first is None:
            raise SlackError("thread_not_found")
        if root is not None and root.thread_ts:
            # Of an answer there is nothing but itself.
            return {"messages": [self._native(root, call)], "has_more": False}
        if root is not None:
            first = self._native(root, call)
        replies = _between(self._workspace.replies(channel, ts), call)
        made = self._messages(replies, call, 1000)
        return {**made, "messages": [first, *made["messages"]]}

    def _messages(self, found: Sequence[Message], call: Call, default: int) -> Json:
        made = _page("messages", found, call, default)
        more = bool(made["response_metadata"]["next_cursor"])
        return {
            **made,
            "messages": [self._native(m, call) for m in made["messages"]],
            "has_more": more,
        }

    def _native(self, message: Message, call: Call) -> Json:
        return self._workspace.native(message, metadata=call.flag("include_all_metadata"))

    async def _user(self, call: Call) -> Json:
        user = call.needed("user")
        if user not in self._workspace.names():
            raise SlackError("user_not_found")
        return {"user": user_object(user)}

    async def _users(self, call: Call) -> Json:
        found = [user_object(u) for u in (*MEMBERS, BOT_USER)]
        return {**_page("members", found, call, 1000), "cache_ts": 0}

    async def _bot(self, call: Call) -> Json:
        if call.text("bot") not in ("", BOT):
            raise SlackError("bot_not_found")
        name = self._workspace.names()[BOT_USER]
        return {"bot": {"id": BOT, "deleted": False, "name": name, "user_id": BOT_USER}}


def _between(messages: Sequence[Message], call: Call) -> list[Message]:
    """Return the messages between `oldest` and `latest`, the bounds only if `inclusive`."""
    oldest, latest = call.text("oldest"), call.text("latest")
    for name, given in (("oldest", oldest), ("latest", latest)):
        if given and not _TS.fullmatch(given):
            raise SlackError(f"invalid_ts_{name}")
    outside = () if call.flag("inclusive") else tuple(_number(t) for t in (oldest, latest) if t)
    return [
        m
        for m in messages
        if (not oldest or _number(m.ts) >= _number(oldest))
        and (not latest or _number(m.ts) <= _number(latest))
        and _number(m.ts) not in outside
    ]


def _number(ts: str) -> tuple[int, int]:
    seconds, _, rest = ts.partition(".")
    return int(seconds), int(rest.ljust(6, "0") or 0)


def _page(name: str, found: Sequence[Any], call: Call, default: int) -> Json:
    """Return one page of a list: https://docs.slack.dev/apis/web-api/pagination."""
    at = 0
    if call.text("cursor"):
        try:
            at = int(base64.b64decode(call.text("cursor"), validate=True).decode().split(":")[1])
        except (binascii.Error, UnicodeDecodeError, IndexError, ValueError):
            raise SlackError("invalid_cursor") from None
    upto = at + call.limit(default, 1000)
    more = base64.b64encode(f"next:{upto}".encode()).decode() if upto < len(found) else ""
    return {name: list(found[at:upto]), "response_metadata": {"next_cursor": more}}
