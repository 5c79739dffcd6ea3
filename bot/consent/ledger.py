"""The ledger of consent, and what of it holds now.

An entry is inserted first and applied to its conversation then, forwards in time only.
Both may be done again: the entry is there already, and applying it changes nothing more.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from bot.consent.forgotten import kept_out, unmet
from bot.consent.verdicts import WITHOUT_A_WORD, Verdict
from bot.message import Address, Content, Event, Inbound, Template, clean, utcnow
from bot.store import AsyncStore
from bot.store.consents import ALL, IN, MARKETING, MOVED, OUT, REFUSED, Consent
from bot.store.conversations import Conversation
from bot.store.messages import Message

# When a conversation nobody has leased is free: always.
_FREE = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LONGEST_WORD = 100


def allows(conversation: Conversation | None, content: Content, notice: bool = False) -> str:
    """Return why a content must not be sent to a conversation now, "" when it may.

    A `notice` is what the law wants said even to who has opted out: the answer to STOP.
    Whoever wants no marketing still gets everything but templates of that category.
    """
    state = str(conversation.opted_out or "") if conversation is not None else ""
    if notice or not state:
        return ""
    if state == ALL:
        return "the customer has opted out"
    if isinstance(content, Template) and content.category == MARKETING:
        return "the customer has opted out of marketing"
    return ""


async def record(store: AsyncStore, verdict: Verdict, message: Inbound) -> Consent | None:
    """Keep what a message means for consent; None when it means nothing. Raises StoreDown."""
    if not verdict.state:
        return None
    return await change(
        store,
        message.address,
        id=message.id,
        state=verdict.state,
        scope=verdict.scope,
        how=verdict.how,
        word=verdict.word,
        at=message.sent,
    )


async def refused(store: AsyncStore, row: Message, at: datetime, *, scope: str = ALL) -> Consent:
    """Keep that a provider refused an outbound message because the customer is out.

    `at` is when it was tried: a START the customer sent after that counts more. With
    `scope` marketing it was refused for being marketing. Raises StoreDown.
    """
    # Providers date messages to the second. A START of the same one must not seem older.
    whole = at - timedelta(microseconds=at.microsecond)
    address = Address.parse(row.conversation)
    return await change(
        store, address, id=f"send:{row.id}", state=OUT, scope=scope, how=REFUSED, at=whole
    )


async def carry(store: AsyncStore, message: Inbound) -> Consent | None:
    """Let a customer who moved (``Event("moved")``) be out at the new address too.

    None when there was nothing to carry. Raises StoreDown.
    """
    event, old = message.content, message.address
    if not isinstance(event, Event) or event.name != "moved" or not event.data:
        return None
    left = await store.get(Conversation, clean(old.key))
    if left is None:
        left = await unmet(store, clean(old.key))
    if left is None or not left.opted_out:
        return None
    return await change(
        store,
        Address(old.channel, old.account, event.data),
        id=message.id,
        state=OUT,
        scope=str(left.opted_out),
        how=MOVED,
        at=message.sent,
    )


async def change(
    store: AsyncStore,
    address: Address,
    *,
    id: str,
    state: str,
    how: str,
    at: datetime,
    scope: str = ALL,
    word: str = "",
) -> Consent:
    """Add an entry to the ledger and let it count. Returns it as it was first written.

    The names are those of `bot.store.consents`; the same `id` is the same entry. An `at`
    in the future is taken for now, or nothing could change before it. Raises StoreDown.
    """
    key = clean(address.key)
    talk = await store.get(Conversation, key)
    entry = Consent(
        id=clean(id),
        conversation=key,
        customer=str(talk.customer or "") if talk is not None else "",
        state=state,
        scope=scope,
        how=how,
        word=clean(word)[:_LONGEST_WORD],
        at=min(at, utcnow()),
    )
    (new,) = await store.insert_new([entry])
    if not new:
        entry = await store.get(Consent, entry.id) or entry
    while not await _applied(store, entry):
        pass
    return entry


async def _applied(store: AsyncStore, entry: Consent) -> bool:
    """Let an entry count in its conversation; False when that changed under our hands."""
    talk = await store.get(Conversation, entry.conversation)
    if talk is None:
        now = utcnow()
        out = await kept_out(store, entry.conversation)
        fresh = Conversation(id=entry.conversation, created=now, lease_until=_FREE, **out)
        await store.insert_new([fresh])
        return False
    if talk.consent_id == entry.id:
        return True
    if talk.consent_at is not None and entry.at < talk.consent_at:
        return True
    before = str(talk.opted_out or "")
    after = _after(before, entry)
    set_: dict[str, object] = {"consent_at": entry.at}
    if after != before:
        set_ |= {"opted_out": after, "consent_id": entry.id, "consent_how": entry.how}
    elif after and entry.state == OUT and entry.how not in WITHOUT_A_WORD:
        # Somebody who had blocked us has also said it now: to unblock us is not enough.
        set_ |= {"consent_how": entry.how}
    where = {
        "id": talk.id,
        "consent_at": talk.consent_at,
        # Conversations from before there was consent have no such field.
        "opted_out": before if before else {"$in": ["", None]},
    }
    return await store.change(Conversation, where, set=set_) is not None


def _after(before: str, entry: Consent) -> str:
    if entry.state == IN:
        return "" if entry.scope == ALL or before == MARKETING else before
    return ALL if ALL in (entry.scope, before) else MARKETING
