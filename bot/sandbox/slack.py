"""A stand-in for Slack: one workspace, one app, and the people who work there.

It is no channel of customers and hence no `StandIn`. `slack_state` holds the workspace,
`slack_api` the Web API for the app, `slack_sender` the ways events take to it, and
`slack_control` what people do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.sandbox.slack_api import Api
from bot.sandbox.slack_chat import Chat
from bot.sandbox.slack_control import SlackControl
from bot.sandbox.slack_files import Files
from bot.sandbox.slack_links import Links
from bot.sandbox.slack_rooms import Rooms
from bot.sandbox.slack_sender import Sender
from bot.sandbox.slack_state import Workspace
from bot.sandbox.slack_views import Modals
from bot.sandbox.standin import World

Json = dict[str, Any]


class Slack:
    """Slack for the account in the sandbox's credentials; without one all tokens are wrong."""

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        """`accounts` as in credentials.yml. Raises KeyError, ValueError for a wrong one."""
        if len(accounts) > 1:
            raise ValueError("a workspace of its own: the sandbox has one, for one account")
        account = accounts[0] if accounts else {}
        self._names = [str(account["account"])] if account else []
        tokens = (
            str(account["bot_token"]) if account else "",
            str(account.get("app_token") or ""),
        )
        secret = str(account["signing_secret"]) if account else ""
        self._world = world
        self.links = Links()
        self.workspace = Workspace(world.media, self._tell, lambda: world.sandbox_url)
        self.sender = Sender(world, self._names[0] if self._names else "", secret)
        chat = Chat(self.workspace, self.sender)
        files = Files(self.workspace, chat, lambda: world.sandbox_url)
        modals = Modals(self.links, self._tell)
        methods = {
            **chat.methods,
            **files.methods,
            **modals.methods,
            **Rooms(self.workspace).methods,
        }
        self._api = Api(world.faults, tokens, methods, self.sender, chat, files, self.links)
        self._control = SlackControl(world, self.workspace, self.sender, chat, modals, self.links)

    def plain(self) -> Json:
        """Return what the page starts with."""
        return {"accounts": self._names}

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return Slack's own routes and those of its control API."""
        return [*self._api.routes(), *self._control.routes()]

    async def close(self) -> None:
        """Close the app's sockets and give up what was not delivered."""
        await self.sender.close()

    def _tell(self, change: Json) -> None:
        self._world.ledger.tell({"event": "slack", **change})
