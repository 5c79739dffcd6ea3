"""What an interaction hands to the app for a while: trigger ids and response URLs.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

from bot.sandbox.slack_call import SlackError

_KEEP = 2_000
_RESPONSE_SECONDS = 30 * 60
_RESPONSES = 5


@dataclass(slots=True)
class Trigger:
    """Leave to open a modal for `agent`, from within the modal `view_id` if that is not ""."""

    agent: str
    view_id: str
    until: float
    used: bool = False


@dataclass(slots=True)
class Response:
    """Where the app may answer an interaction: beside the message `ts`, or instead of it."""

    agent: str
    channel: str
    ts: str
    ephemeral: bool
    until: float
    left: int = _RESPONSES


class Links:
    """All that were handed out lately. A trigger is good for `trigger_seconds`, once."""

    def __init__(self) -> None:
        self.trigger_seconds = 3.0
        self._triggers: OrderedDict[str, Trigger] = OrderedDict()
        self._responses: OrderedDict[str, Response] = OrderedDict()

    def trigger(self, agent: str, view_id: str = "") -> str:
        """Return a new trigger id."""
        numbers = [secrets.randbelow(9 * 10**11) + 10**11 for _ in range(2)]
        id_ = f"{numbers[0]}.{numbers[1]}.{secrets.token_hex(16)}"
        until = time.monotonic() + self.trigger_seconds
        self._triggers[id_] = Trigger(agent, view_id, until)
        while len(self._triggers) > _KEEP:
            self._triggers.popitem(last=False)
        return id_

    def exchange(self, id_: str) -> Trigger:
        """Return whom a trigger id is for, and use it up. Raises SlackError.

        The names of the failures: https://docs.slack.dev/reference/methods/views.open.
        """
        found = self._triggers.get(id_)
        if found is None:
            raise SlackError("invalid_trigger_id")
        if found.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() > found.until:
            raise SlackError("expired_trigger_id")
        found.used = True
        return found

    def response(self, agent: str, channel: str, ts: str = "", *, ephemeral: bool = False) -> str:
        """Return the secret end of a new response URL."""
        key = f"{secrets.token_hex(6)}/{secrets.token_urlsafe(18)}"
        until = time.monotonic() + _RESPONSE_SECONDS
        self._responses[key] = Response(agent, channel, ts, ephemeral, until)
        while len(self._responses) > _KEEP:
            self._responses.popitem(last=False)
        return key

    def respond(self, key: str) -> Response:
        """Return what a response URL answers, and count its use. Raises SlackError."""
        found = self._responses.get(key)
        if found is None or time.monotonic() > found.until:
            raise SlackError("expired_url")
        if not found.left:
            raise SlackError("used_url")
        found.left -= 1
        return found
