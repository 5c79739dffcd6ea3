"""The provider's answering window: what may be sent when, decided as it is sent.

WhatsApp and Messenger take free messages only for so many hours after the customer
wrote. Later the account's template or tag is used, or the message is held, and goes on
when the customer writes again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.message import Address, Event, Outbound, Template, decode, utcnow
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.dead_letters import SEND, DeadLetter, lost
from bot.store.messages import FAILED, HELD, QUEUED, Message, queued
from connectors.base import Connector

_RECENT = 30
_PAGE = 200
# How far the clocks of two hosts may be apart.
_CLOCKS = timedelta(seconds=1)
REASON = "WindowClosed: the customer wrote too long ago for a free message"


async def is_open(
    store: AsyncStore, conversation: Conversation | None, row: Message, hours: float | None
) -> bool:
    """Tell whether a free message may be sent to a conversation now."""
    if hours is None:
        return True
    since = utcnow() - timedelta(hours=hours)
    known = conversation.last_in if conversation is not None else None
    if known is not None and known > since:
        return True
    # The conversation may know less than the messages: a worker that dies between an
    # answer and the release of its lease leaves it behind.
    last = await _last_in(store, row.conversation)
    return last is not None and last > since


async def _last_in(store: AsyncStore, conversation: str) -> datetime | None:
    rows = await store.find(
        Message, {"conversation": conversation}, sort=("-arrived",), limit=_RECENT
    )
    times = [row.sent for row in rows if row.direction == "in" and opens(row)]
    return max(times, default=None)


def opens(row: Message) -> bool:
    """Tell whether a customer's message opens the window: what a provider tells does not."""
    content = row.content or {}
    return content.get("kind") != Event.kind or content.get("name") == "start"


def instead(connector: Connector, outbound: Outbound) -> Outbound | None:
    """Return what may be sent outside of the window, None when it must be held."""
    if isinstance(outbound.content, Template):
        return outbound
    return connector.beyond_window(outbound)


async def hold(
    store: AsyncStore, row: Message, asking: Outbound | None, hours: float | None
) -> bool:
    """Hold a row until the customer writes; `asking` is a template that asks him to.

    One template asks for all that is held. `hours` is how long the window stays open.
    Returns False when somebody changed the row meanwhile.
    """
    where = {"id": row.id, "status": row.status, "due": row.due}
    if asking is not None and not await _wrote_since(store, row, hours):
        held = await store.find(
            Message,
            {"conversation": row.conversation, "direction": "out", "status": HELD},
            limit=1,
        )
        if not held:
            template = queued(
                f"{row.id}:ask",
                row.conversation,
                asking.content,
                order=row.order,
                epoch=row.epoch,
            )
            await store.insert_new([template])
    letter = lost(SEND, row, REASON)
    await store.put(letter)
    change = {"status": HELD, "owner": "", "reason": REASON}
    if await store.change(Message, where, set=change) is None:
        found = await store.get(Message, row.id)
        if found is None or found.status not in (HELD, FAILED):
            await store.delete(DeadLetter, {"id": letter.id})
        return False
    if await _wrote_since(store, row, hours):
        # He wrote while it was being held: his turn may have found nothing to release.
        await release(store, row.conversation)
    return True


async def release(store: AsyncStore, conversation: str) -> None:
    """Let what was held go out: the customer has written."""
    where = {"conversation": conversation, "direction": "out", "status": HELD}
    full = True
    while full:
        rows = await store.find(Message, where, sort=("order", "arrived"), limit=_PAGE)
        # Not until nothing is held: the provider may have refused some of them again.
        full = len(rows) == _PAGE
        for row in rows:
            freed = await store.change(
                Message, {"id": row.id, "status": HELD}, set={"status": QUEUED, "due": utcnow()}
            )
            if freed is not None:
                await store.delete(DeadLetter, {"id": lost(SEND, row, REASON).id})


async def release_before(store: AsyncStore, row: Message, hours: float | None) -> bool:
    """Release what is held and comes before a row that may be sent; True when there was any.

    The customer has written, but his turn may not have come yet. `hours` is how long the
    window stays open.
    """
    where = {
        "conversation": row.conversation,
        "direction": "out",
        "status": HELD,
        "order": {"$lte": row.order},
    }
    held = await store.find(Message, where, sort=("order", "arrived"), limit=1)
    if not held or not await _wrote_since(store, held[0], hours):
        return False
    await release(store, row.conversation)
    return True


async def _wrote_since(store: AsyncStore, row: Message, hours: float | None) -> bool:
    """Tell whether a message that opens the window has come since a row was last tried.

    Without that nothing has changed for a row that was found too late.
    """
    if row.tried is None:
        return False
    since = int((row.tried - _CLOCKS).timestamp() * 1_000_000)
    where = {"conversation": row.conversation, "arrived": {"$gt": since}}
    rows = await store.find(Message, where, sort=("-arrived",), limit=_RECENT)
    new = [said.sent for said in rows if said.direction == "in" and opens(said)]
    # One that comes a day late opens nothing.
    return bool(new) and (hours is None or max(new) > utcnow() - timedelta(hours=hours))


def outbound_of(row: Message) -> Outbound:
    """Return a row of the outbox as a connector takes it."""
    return Outbound(
        row.id,
        Address.parse(row.conversation),
        decode(row.content),
        tag=row.tag or "",
        agent=row.agent or "",
    )
