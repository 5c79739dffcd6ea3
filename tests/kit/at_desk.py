"""A desk to stand at: anna and ben, the shop's own routing, and one customer's conversation."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.desk.contract import Done
from bot.desk.deeds import wish
from bot.desk.desk import Desk
from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.routing_file import load_routing
from bot.message import Content, decode, utcnow
from bot.settings import ConsoleAccount
from bot.store import AsyncStore
from bot.store.conversations import BOT, Conversation
from bot.store.deeds import Deed
from bot.store.journal import Entry
from bot.store.messages import Message, arrival
from connectors.base import Capabilities
from tests.kit.build import address
from tests.kit.channel import CAN

KEY = address().key
#: A channel on which messages can be changed and taken back.
CHANGES = replace(CAN, kinds_out=CAN.kinds_out | {"edit", "deletion"})
PEOPLE = People(
    [
        ConsoleAccount("anna", "long enough for anna", "Anna Keller", "U0ANNA"),
        ConsoleAccount("ben", "long enough for ben", "Ben Okafor", "U0BEN"),
    ]
)
_ROOT = Path(__file__).parents[2]
_numbers = itertools.count(1)


@lru_cache(maxsize=1)
def routing() -> Routing:
    """What ``data/routing.yml`` says."""
    return load_routing(_ROOT / "data" / "routing.yml")


def desk_of(store: Any, can: Capabilities = CAN, **options: Any) -> Desk:
    """A desk whose channels can all do what `can` does."""
    options = {"routing": routing(), "people": PEOPLE, **options}
    return Desk(store, capabilities=lambda _: can, **options)


def deed(
    kind: str,
    agent: str = "anna",
    text: str = "",
    *,
    id: str = "",
    conversation: str = KEY,
    via: str = "console",
    files: list[Mapping[str, Any]] | None = None,
    **args: Any,
) -> Deed:
    """What an agent wishes; `args` are the deed's own."""
    now = utcnow()
    return Deed(
        id=id or f"{via}:{next(_numbers)}",
        kind=kind,
        conversation=conversation,
        agent=agent,
        via=via,
        text=text,
        args=args,
        files=files,
        at=now,
        arrived=arrival(),
        due=now,
    )


async def talk(
    store: AsyncStore, user: str = "ann", holder: str = BOT, agent: str = "", **more: Any
) -> Conversation:
    """A conversation that is there."""
    now = utcnow()
    made = Conversation(
        id=address(user).key,
        holder=holder,
        agent=agent,
        lease_until=now,
        created=now,
        last_in=now,
        **more,
    )
    await store.insert(made)
    return made


async def do(desk: Desk, wanted: Deed) -> Done:
    """Wish for it, and have it done as the only clerk would; a redelivered one again."""
    if not await wish(desk.means.store, wanted):
        known = await desk.means.store.get(Deed, wanted.id)
        assert known is not None
        wanted = known
    done = await desk.perform(wanted)
    status = "done" if done.ok else "refused"
    await desk.means.store.change(
        Deed, {"id": wanted.id}, set={"status": status, "result": done.encode()}
    )
    return done


async def held(store: AsyncStore, key: str = KEY) -> Conversation:
    found = await store.get(Conversation, key)
    assert found is not None
    return found


async def out(store: AsyncStore, key: str = KEY) -> list[Message]:
    """What is for the customer, in the order in which it goes out."""
    rows = await store.find(Message, {"conversation": key, "direction": "out"})
    return sorted(rows, key=lambda row: (row.order, row.arrived))


async def to_customer(store: AsyncStore, key: str = KEY) -> list[Content]:
    return [decode(row.content) for row in await out(store, key) if row.status != "dropped"]


async def journal(store: AsyncStore, key: str = KEY) -> list[Entry]:
    return await store.find(Entry, {"conversation": key}, sort=("arrived",))
