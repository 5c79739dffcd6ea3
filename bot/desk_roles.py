"""The desk's part of each role: what a worker does for agents, how they come in at a gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from bot.console.app import Console
from bot.desk.assist.canned import CANNED_FILE, load_canned
from bot.desk.clerk import Clerk
from bot.desk.console_files import ConsoleFiles
from bot.desk.contract import Fetches, Helps
from bot.desk.deadlines import Deadlines
from bot.desk.deeds import wish
from bot.desk.desk import Desk
from bot.desk.finishing import Finisher
from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.routing_file import load_routing
from bot.desk.slack.client import SlackClient
from bot.desk.slack.door import Door
from bot.desk.slack.files import SlackFiles
from bot.desk.slack.mirror import Mirror
from bot.desk.slack.tells import Tells
from bot.desk.templates_file import TEMPLATES_FILE, load_templates
from bot.media.seal import Seal
from bot.media.vault import AsyncVault
from bot.rounds import Rounds
from bot.settings import Settings
from bot.store import AsyncStore
from bot.store.wake import Bells
from connectors import connector_class

log = logging.getLogger(__name__)

_PAUSE = 5.0


class DeskWork:
    """What a worker process does for the desk: deeds, deadlines, and showing it in Slack.

    `helps` assists agents; `public_url` is where providers get the files that agents send.
    `sent` is called when there is something to send. Raises SettingsInvalid for files in
    ``data/`` that are wrong.
    """

    def __init__(
        self,
        settings: Settings,
        store: AsyncStore,
        bells: Bells,
        *,
        routing: Routing,
        vault: AsyncVault,
        helps: Helps | None,
        public_url: str,
        sent: Callable[[], None],
        root: Path = Path(),
    ) -> None:
        people = People(settings.console)
        templates = load_templates(root / TEMPLATES_FILE)
        seal, most = Seal.of(settings), settings.media.max_bytes
        self._clients = {account.account: SlackClient(account) for account in settings.slack}
        self._bells = bells
        self._sent = sent
        fetches: dict[str, Fetches] = {"console": ConsoleFiles(vault, seal, most)}
        if self._clients:
            fetches["slack"] = SlackFiles(self._clients, most)
        desk = Desk(
            store,
            routing=routing,
            people=people,
            capabilities=lambda channel: connector_class(channel).capabilities,
            helps=helps,
            fetches=fetches,
            seal=seal,
            vault=vault,
            public_url=public_url,
            templates=templates,
            most=most,
        )
        tells = {"slack": Tells(self._clients)} if self._clients else {}
        self._clerk = Clerk(store, desk, settings.limits, self._told, tells)
        self.rounds: list[Rounds] = [
            self._clerk,
            Deadlines(store, routing, settings.limits, self._told),
            Finisher(store, settings.limits, self._told),
        ]
        self._mirror: Mirror | None = None
        if self._clients:
            self._mirror = Mirror(
                store,
                self._clients,
                settings.slack,
                routing,
                people,
                settings.limits,
                vault=vault,
                templates=templates,
                can={
                    channel: connector_class(channel).capabilities for channel in settings.channels
                },
            )
            self.rounds.append(self._mirror)

    def wake(self) -> None:
        """Look for deeds, and for what is to be shown, at once."""
        self._clerk.wake.set()
        self.changed()

    def changed(self) -> None:
        """Look for what is to be shown at once: something was said."""
        if self._mirror is not None:
            self._mirror.wake.set()

    def _told(self) -> None:
        self._sent()
        self._bells.ring("out")
        self._bells.ring("desk")
        self.changed()

    async def close(self) -> None:
        """Let go of connections, after the rounds have stopped."""
        for client in self._clients.values():
            await client.close()


class DeskDoors:
    """How agents come in at a gateway: Slack's webhooks and sockets, and the console.

    Raises SettingsInvalid for files in ``data/`` that are wrong.
    """

    def __init__(
        self,
        settings: Settings,
        store: AsyncStore,
        bells: Bells,
        vault: AsyncVault,
        root: Path = Path(),
    ) -> None:
        seal = Seal.of(settings)
        people = People(settings.console)
        canned = load_canned(root / CANNED_FILE)
        templates = load_templates(root / TEMPLATES_FILE)
        self._clients = {account.account: SlackClient(account) for account in settings.slack}
        self._doors = [
            Door(
                account,
                store,
                people,
                lambda deed: wish(store, deed),
                lambda: bells.ring("desk"),
                self._clients[account.account],
                templates=templates,
                canned=lambda: [(reply.key, reply.title) for reply in canned.values()],
            )
            for account in settings.slack
        ]
        self._console = Console(
            store,
            settings,
            people,
            load_routing(root / settings.desk.routing),
            bells.ring,
            seal,
            files=ConsoleFiles(vault, seal, settings.media.max_bytes),
            canned=canned,
            templates=templates,
            root=root,
        )
        self.routes: list[web.AbstractRouteDef] = [
            *(route for door in self._doors for route in door.routes()),
            *self._console.routes(),
        ]

    async def run(self) -> None:
        """Keep the connections to Slack until cancelled."""
        await asyncio.gather(*(_insist(door) for door in self._doors))

    async def changed(self) -> None:
        """Have the console look at the store at once."""
        await self._console.changed()

    async def close(self) -> None:
        """End what is open; at the gateway's shutdown."""
        await self._console.close()
        for door in self._doors:
            await door.close()
        for client in self._clients.values():
            await client.close()


async def _insist(door: Door) -> None:
    while True:
        try:
            await door.run()
            return
        except Exception:
            log.exception("the door to Slack failed, beginning again")
        await asyncio.sleep(_PAUSE)
