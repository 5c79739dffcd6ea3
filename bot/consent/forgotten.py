"""Who had opted out when all else of him was forgotten: still out, and nobody can tell who it is.

Of the address a hash is left, with a key of this installation and slow to make: who holds the
store cannot simply try all telephone numbers.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import datetime, timezone
from typing import Any

from bot.message import clean, utcnow
from bot.store import AsyncStore
from bot.store.consents import OptOut, OptOutKey
from bot.store.conversations import Conversation

_KEY = "key"
# Of scrypt: tens of milliseconds. It is made only where a conversation is begun or forgotten.
_COST = 2**13
_NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)


async def keep_out(store: AsyncStore, talk: Conversation) -> None:
    """Keep whether a conversation that is about to be deleted has opted out. Raises StoreDown.

    Again it changes nothing; who has come back since is not kept out any more.
    """
    state = str(talk.opted_out or "")
    key = await _key(store, make=bool(state))
    if not key:
        return
    id = await _hashed(talk.id, key)
    if not state:
        await store.delete(OptOut, {"id": id})
        return
    at = talk.consent_at or utcnow()
    await store.put(OptOut(id=id, scope=state, how=str(talk.consent_how or ""), at=at))


async def kept_out(store: AsyncStore, conversation: str) -> dict[str, Any]:
    """Return the fields of `Conversation` that one which is begun must have. Raises StoreDown."""
    key = await _key(store, make=False)
    row = await store.get(OptOut, await _hashed(conversation, key)) if key else None
    if row is None:
        return {}
    return {"opted_out": str(row.scope), "consent_how": str(row.how), "consent_at": row.at}


async def unmet(store: AsyncStore, conversation: str) -> Conversation | None:
    """Return what holds of an address without a conversation, None for nothing; not stored."""
    fields = await kept_out(store, conversation)
    if not fields:
        return None
    return Conversation(id=conversation, created=_NEVER, lease_until=_NEVER, **fields)


async def _key(store: AsyncStore, *, make: bool) -> str:
    row = await store.get(OptOutKey, _KEY)
    if row is None and make:
        await store.insert_new([OptOutKey(id=_KEY, key=secrets.token_hex(32), at=utcnow())])
        row = await store.get(OptOutKey, _KEY)
    return str(row.key) if row is not None else ""


async def _hashed(conversation: str, key: str) -> str:
    made = await asyncio.to_thread(
        hashlib.scrypt, clean(conversation).encode(), salt=bytes.fromhex(key), n=_COST, r=8, p=1,
        dklen=24,
    )  # fmt: skip
    return made.hex()
