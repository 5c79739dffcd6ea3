"""The Slack workspace we are in: which one it is, who we are there, and how people are called."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from bot.desk.contract import Person
from bot.desk.people import People
from bot.desk.slack.client import Gone, SlackClient, SlackTrouble

log = logging.getLogger(__name__)

# Seconds. Slack wants its answer within three, of which the store has to have some.
_NAME_WAIT = 1.0
_GOOD_FOR, _BAD_FOR = 3600.0, 30.0
_MEMBERS_FOR = 300.0
_AGAIN = 1.0
_MOST_NAMES = 5000
_PAGES = 10
#: Slack's own bot, in every workspace.
SLACKBOT = "USLACKBOT"


class Workspace:
    """What is known of a workspace. Nothing is asked for before it is wanted."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self.team = ""
        self.bot_user = ""
        self._certain = False
        self._asking: asyncio.Task[None] | None = None
        self._asked = 0.0
        self._names: dict[str, tuple[float, str]] = {}
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    def learn(self, body: Mapping[str, Any]) -> None:
        """Learn from a signed event for which installation of ours it is.

        https://docs.slack.dev/apis/events-api#authorizations
        """
        if self._certain:
            return
        for one in body.get("authorizations") or ():
            if one.get("is_bot") and one.get("team_id"):
                self.team = str(one["team_id"])
                self.bot_user = str(one.get("user_id") or "")

    async def home(self, wait: float = 1.5) -> str:
        """Return the id of our own team; "" when Slack does not say so within `wait` seconds."""
        if not self._certain:
            if self._asking is None and time.monotonic() - self._asked > _AGAIN:
                self._asked = time.monotonic()
                self._asking = asyncio.create_task(self._ask(), name="auth.test")
            if self._asking is not None and not self.team:
                await asyncio.wait([self._asking], timeout=wait)
        return self.team

    async def _ask(self) -> None:
        try:
            answer = await self._client.call("auth.test")
            if answer.get("team_id"):
                self.team = str(answer["team_id"])
                self.bot_user = str(answer.get("user_id") or "")
                self._certain = True
        except SlackTrouble as error:
            log.warning("slack %s: who we are is not known yet: %s", self._account, error)
        finally:
            self._asking = None

    async def name(self, user: str) -> str:
        """Return how a person is called in Slack, "" where Slack does not say so soon."""
        known = self._names.get(user)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        name = ""
        try:
            answer = await asyncio.wait_for(self._client.call("users.info", user=user), _NAME_WAIT)
            name = _name(answer.get("user") or {})
        except (SlackTrouble, asyncio.TimeoutError) as error:
            log.warning("slack %s: a name is not known: %s", self._account, error)
        name = "" if name == user else name
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        self._names[user] = time.monotonic() + (_GOOD_FOR if name else _BAD_FOR), name
        return name

    async def person(self, people: People, user: str) -> Person:
        """Return the agent who is `user`, with the name he has here if he is not named."""
        known = people.by_slack(user)
        if known.id != f"slack:{user}":
            return known
        return people.by_slack(user, await self.name(user))

    async def is_nobody(self, user: str) -> bool:
        """Tell whether Slack says of a user that it is a bot, gone, or of another company."""
        try:
            asking = self._client.call("users.info", user=user)
            found = (await asyncio.wait_for(asking, _NAME_WAIT)).get("user") or {}
        except Gone:
            return True
        except (SlackTrouble, asyncio.TimeoutError) as error:
            log.warning("slack %s: a person is not known: %s", self._account, error)
            return False
        # Slack does not call its own one a bot.
        if user == SLACKBOT or found.get("is_bot") or found.get("deleted"):
            return True
        return self.is_foreign(self.team, found.get("team_id"))

    async def is_outside(self, channel: str, user: str) -> bool:
        """Tell whether Slack says that a person is not in a channel."""
        return await self._has(channel, user) is False

    async def is_member(self, channel: str, user: str) -> bool:
        """Tell whether a person is in a channel; False where Slack does not say."""
        return await self._has(channel, user) is True

    async def _has(self, channel: str, user: str) -> bool | None:
        """Tell whether a person is in a channel, None where Slack does not say."""
        until, members = self._members.get(channel, (0.0, frozenset()))
        if user in members and time.monotonic() < until:
            return True
        try:
            found, whole = await asyncio.wait_for(self._all(channel), _NAME_WAIT)
        except (SlackTrouble, asyncio.TimeoutError) as error:
            log.warning("slack %s: who is in the channel is not known: %s", self._account, error)
            return None
        members = frozenset(found)
        self._members[channel] = time.monotonic() + _MEMBERS_FOR, members
        return True if user in members else False if whole else None

    async def _all(self, channel: str) -> tuple[list[str], bool]:
        """Return a channel's members, and whether these are all of them.

        https://docs.slack.dev/reference/methods/conversations.members
        """
        found: list[str] = []
        cursor = ""
        for _ in range(_PAGES):
            answer = await self._client.call(
                "conversations.members", channel=channel, limit=1000, cursor=cursor or None
            )
            found += answer.get("members") or ()
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found, not cursor

    def is_foreign(self, home: str, *teams: object) -> bool:
        """Tell whether any of the teams that a payload names for a person is not ours.

        People of other companies are in a channel by Slack Connect:
        https://docs.slack.dev/apis/slack-connect
        """
        return any(team and team != home for team in teams)

    @property
    def _account(self) -> str:
        return self._client.account.account

    async def close(self) -> None:
        """Ask for nothing more."""
        if self._asking is not None:
            self._asking.cancel()


def _name(user: Mapping[str, Any]) -> str:
    """Return a name of https://docs.slack.dev/reference/objects/user-object, "" without one."""
    profile = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"))
    return next((" ".join(str(name).split()) for name in names if name and str(name).strip()), "")
