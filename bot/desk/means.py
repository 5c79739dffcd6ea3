"""What the desk works with, and the questions that each kind of deed asks first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.desk.contract import Fetches
from bot.desk.deeds import Refused
from bot.desk.handoff import open_cases
from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.templates import Approved
from bot.media.seal import Seal
from bot.media.vault import AsyncVault
from bot.message import Address
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.consents import ALL
from bot.store.conversations import AGENT, Conversation
from bot.store.deeds import Deed
from bot.store.journal import Entry
from connectors.base import Capabilities

_CHANNELS = {
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "messenger": "Messenger",
    "sms": "SMS",
    "webchat": "The web chat",
}


@dataclass(frozen=True)
class Means:
    """What the desk has at hand. `capabilities` are by channel; `most` is bytes of one file."""

    store: AsyncStore
    routing: Routing
    people: People
    capabilities: Callable[[str], Capabilities]
    templates: tuple[Approved, ...] = ()
    fetches: Mapping[str, Fetches] = field(default_factory=dict)
    seal: Seal | None = None
    vault: AsyncVault | None = None
    public_url: str = ""
    most: int = 25 * 1024 * 1024

    def can(self, conversation: str) -> Capabilities:
        """Return what the channel of a conversation can do."""
        return self.capabilities(Address.parse(conversation).channel)

    def author(self, deed: Deed) -> str:
        """Return the name under which colleagues and customers know who wants a deed."""
        return self.people.by_id(deed.agent, deed.name).name

    async def name(self, agent: str) -> str:
        """Return how an agent is shown of whom only the id is known."""
        known = self.people.by_id(agent)
        if known.name != agent:
            return known.name
        last = await self.store.find(Entry, {"agent": agent}, sort=("-at",), limit=1)
        return (last[0].name if last else "") or (agent if known.slack == "" else "A colleague")

    async def held(self, deed: Deed) -> Conversation:
        """Return the conversation of a deed. Raises Refused when there is none."""
        found = await self.store.get(Conversation, deed.conversation)
        if found is None:
            raise Refused("There is no such conversation.")
        return found

    async def has(self, held: Conversation) -> str:
        """Return who has a conversation, as a sentence."""
        name = await self.name(held.agent) if held.agent else "Another agent"
        return f"{name} has this conversation."

    async def free_for(self, held: Conversation, deed: Deed) -> None:
        """Raise Refused when another agent has the conversation."""
        if held.holder == AGENT and held.agent != deed.agent:
            raise Refused(await self.has(held))

    async def may_say(self, held: Conversation, deed: Deed) -> None:
        """Raise Refused unless who wants the deed may write to the customer now."""
        await self.free_for(held, deed)
        if held.holder != AGENT:
            raise Refused("Take the conversation over first.")
        if held.opted_out == ALL:
            raise Refused("The customer has opted out, nothing may be sent.")

    async def open_cases(self, conversation: str) -> list[Case]:
        """Return a conversation's open cases; the first is the one that agents see."""
        found = await open_cases(self.store, conversation)
        return sorted(found, key=lambda row: bool(row.part_of))


def channel_name(conversation: str) -> str:
    """Return the channel of a conversation as the first word of a sentence."""
    channel = Address.parse(conversation).channel
    return _CHANNELS.get(channel, channel.capitalize())
