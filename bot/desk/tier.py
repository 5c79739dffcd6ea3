"""What kind of customer somebody is, for routing: ``gold``, or whatever the company calls it."""

from __future__ import annotations

from bson import ObjectId

from bot.identity import NoSuchCustomer, person
from bot.store import AsyncStore
from bot.store.conversations import Conversation


async def tier_of(store: AsyncStore, conversation: str) -> str:
    """Return the tier of whoever writes in a conversation, "" for none."""
    held = await store.get(Conversation, conversation)
    if held is None or not ObjectId.is_valid(held.customer or ""):
        return ""
    try:
        return (await person(store, ObjectId(held.customer))).tier
    except NoSuchCustomer:
        return ""
