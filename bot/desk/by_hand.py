"""An agent at a terminal: what he wants is done at once, with workers or without.

It leaves the same traces as from Slack or the console. The deed is in the store before it is
done, claimed by this process: workers leave it alone, wait with others of the conversation, and
go on with it when this process dies in the middle of it.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.desk.contract import Done, Person
from bot.desk.deeds import Overtaken, deed_of, wish
from bot.desk.desk import Desk
from bot.desk.people import People
from bot.desk.routing_file import load_routing
from bot.desk.templates_file import TEMPLATES_FILE, load_templates
from bot.message import utcnow
from bot.process import is_dead, me
from bot.settings import Settings
from bot.store import AsyncStore
from bot.store.deeds import DONE, PENDING, REFUSED, Deed
from bot.store.messages import arrival
from connectors import connector_class

_CLAIM = timedelta(minutes=2)
# A deed that a worker has in hand is over by then, or hangs.
_PATIENCE, _PAUSE = 10.0, 0.1
#: What customers read of an agent who is not known and has not said who he is.
NAMELESS = "Agent"


def agent_of(settings: Settings, given: str, login: str) -> Person:
    """Return who stands at the terminal: `given` is what he calls himself, "" for nothing.

    An account of the console is known by its id or its name. A `login` of the machine is
    nothing that customers should read.
    """
    people = People(settings.console)
    known = {person.id: person for person in people.all()}
    named = {person.name.casefold(): person for person in people.all()}
    if given:
        return known.get(given) or named.get(given.casefold()) or Person(given, given)
    return known.get(login) or Person(login, NAMELESS)


class Hand:
    """Does deeds for one agent. Raises SettingsInvalid for files in ``data/`` that are wrong."""

    def __init__(
        self, settings: Settings, store: AsyncStore, agent: Person, root: Path = Path()
    ) -> None:
        self._store = store
        self._agent = agent
        self._desk = Desk(
            store,
            routing=load_routing(root / settings.desk.routing),
            people=People(settings.console),
            capabilities=lambda channel: connector_class(channel).capabilities,
            templates=load_templates(root / TEMPLATES_FILE),
            most=settings.media.max_bytes,
        )

    async def does(self, kind: str, conversation: str, text: str = "", **args: Any) -> Done:
        """Do a deed of `bot.desk.contract`. Raises StoreDown: a worker may do it yet."""
        id = f"cli:{uuid.uuid4().hex}"
        deed = deed_of(self._agent, "cli", id, kind, conversation, arrival(), text=text, args=args)
        # Claimed from the beginning: it is done here, and by a worker only if this process dies.
        deed.due, deed.owner, deed.attempts = deed.due + _CLAIM, me(), 1
        await wish(self._store, deed)
        await self._alone(deed)
        try:
            done = await self._desk.perform(deed)
        except Overtaken:
            return Done(False, "A worker has this in hand; see what came of it.")
        status = DONE if done.ok else REFUSED
        change = {"status": status, "owner": "", "result": done.encode()}
        await self._store.change(Deed, {"id": deed.id, "status": PENDING}, set=change)
        return done

    async def _alone(self, deed: Deed) -> None:
        """Wait until no worker is at another deed of the conversation."""
        where = {"conversation": deed.conversation, "status": PENDING, "owner": {"$gt": ""}}
        for _ in range(int(_PATIENCE / _PAUSE)):
            rows = await self._store.find(Deed, where)
            others = [row for row in rows if row.id != deed.id and row.due > utcnow()]
            if all(is_dead(row.owner) for row in others):
                return
            await asyncio.sleep(_PAUSE)
