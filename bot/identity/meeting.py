"""Who is it that writes from an address, and what shows that it is somebody we know."""

from __future__ import annotations

import logging

from bson import ObjectId

from bot.identity.errors import TooManyAddresses
from bot.identity.people import MOST_ADDRESSES, Person, apart, gather, merge, tell
from bot.identity.phones import e164, phone_of
from bot.message import Address, Contact, Profile, clean, utcnow
from bot.store import AsyncStore, Duplicate
from bot.store.conversations import Conversation
from bot.store.customers import CUSTOMER, PHONE, PROVIDER, Customer, Merge, customer_id

log = logging.getLogger(__name__)


async def customer_of(
    store: AsyncStore,
    address: Address,
    profile: Profile | None = None,
    *,
    known: str | None = None,
) -> Person:
    """Return who writes from an address; somebody new when nothing shows otherwise.

    `known` is what the conversation's `customer` says, where the caller has it at hand.
    It is corrected in the store when it is not true any more. The number of a WhatsApp or
    SMS customer joins all who have proven the same one, once, when the address is new.
    Any number of workers may ask at once. Raises StoreDown.
    """
    member = await _met(store, address, profile or Profile())
    if not member.matched:
        await _match(store, member, PHONE, "the same phone number")
        # Having been matched, it may have been joined.
        member = await store.get(Customer, member.id) or member
    found = await gather(store, member)
    if known is None:
        talk = await store.get(Conversation, clean(address.key))
        known = found.id if talk is None else talk.customer or ""
    if known != found.id:
        found = await tell(store, member.id) or found
    return found


async def shared(store: AsyncStore, address: Address, contact: Contact) -> Person | None:
    """Take a contact card for a proof of its number, if it is the sender's own.

    `Contact.own` is the provider's word for that; anybody can send any other card, which
    proves nothing: None. Where the number belongs to somebody known, they are one from
    now on, even if a person at the desk has parted them before. Raises StoreDown.
    """
    numbers = [number for number in map(e164, contact.phones) if number]
    if not contact.own or not numbers:
        return None
    member = await _met(store, address, Profile())
    number = numbers[0]
    if phone_of(address) not in ("", number):
        return None
    proven = await store.change(
        Customer, {"id": member.id}, set={"phone": number, "matched": False}
    )
    await _match(store, proven or member, CUSTOMER, "shared the own phone number")
    return await customer_of(store, address)


async def moved(store: AsyncStore, old: Address, new_user: str) -> Person:
    """Let the customer at `old` be the one at the new address of the same account.

    Whoever writes from the old one later is somebody else: numbers are given to new
    people. It may be done again as long as nobody has. Raises StoreDown.
    """
    new = Address(old.channel, old.account, clean(new_user))
    if not new.user or new.key == clean(old.key):
        return await customer_of(store, old)
    latest = await _latest(store, old)
    if latest is None or latest.left_for != new.key:
        leaver = latest if latest and not latest.left_for else await _met(store, old, Profile())
        arrival = await _met(store, new, Profile(leaver.name or "", "", leaver.language or ""))
        try:
            await merge(store, leaver.id, arrival.id, PROVIDER, f"moved from {old.user}")
        except TooManyAddresses as error:
            log.warning("%s: moved to another address, but %s", old.key, error)
        await store.change(Customer, {"id": leaver.id}, set={"left_for": new.key})
    # Who writes there next is to be asked for.
    await store.change(Conversation, {"id": clean(old.key)}, set={"customer": ""})
    return await customer_of(store, new)


async def _met(store: AsyncStore, address: Address, profile: Profile) -> Customer:
    """Return the customer of an address, made if there is none, with the newest profile."""
    name, language = clean(profile.name)[:200], clean(profile.language)[:35]
    key = clean(address.key)
    # The first that is there is nearly always the one.
    member = await store.get(Customer, customer_id(key))
    if member is not None and member.left_for:
        member = await _latest(store, address)
    while member is None or member.left_for:
        generation = 0 if member is None else (member.generation or 0) + 1
        phone = phone_of(address)
        made = Customer(
            id=customer_id(key, generation),
            address=key,
            generation=generation,
            name=name,
            language=language,
            phone=phone,
            matched=not phone,
            signs=list(profile.signs) or None,
            created=utcnow(),
        )
        try:
            await store.insert(made)
            return made
        except Duplicate:
            member = await store.get(Customer, made.id)
    news: dict[str, object] = {
        field: said
        for field, said in (("name", name), ("language", language))
        if said and said != (getattr(member, field) or "")
    }
    if profile.signs and list(profile.signs) != list(member.signs or ()):
        news["signs"] = list(profile.signs)
    if news:
        member = await store.change(Customer, {"id": member.id}, set=news) or member
    return member


async def _latest(store: AsyncStore, address: Address) -> Customer | None:
    found = await store.find(
        Customer, {"address": clean(address.key)}, sort=("-generation",), limit=1
    )
    return found[0] if found else None


async def _match(store: AsyncStore, member: Customer, by: str, why: str) -> list[Merge]:
    """Join a customer with those who have proven the same phone number.

    Several may be met for the first time in the same moment. Each has been stored before
    it looks for others, so the last one sees them all; each joins the one met first, and
    that one joins all it sees. Wherever the first stands in that order, all are joined.
    """
    number = str(member.phone or "")
    merges: list[Merge] = []
    if number:
        same = await store.find(
            Customer, {"phone": number}, sort=("created",), limit=MOST_ADDRESSES
        )
        everyone = sorted((c for c in same if not c.left_for), key=lambda c: (c.created, c.id))
        if by == CUSTOMER:
            # Who shows the number as his own now need not be who had it before.
            everyone = [c for c in everyone if c.id == member.id or not c.doubt]
        others = [c for c in everyone if c.id != member.id]
        doubt = max((c for c in others if c.doubt), key=lambda c: c.doubt, default=None)
        if by == PHONE and doubt is not None:
            # Whoever writes from a number for the first time is who has it now.
            since = {"doubt": doubt.doubt, "doubt_why": doubt.doubt_why}
            await store.change(Customer, {"id": member.id}, set=since)
        if everyone and everyone[0].id != member.id:
            others = others[:1]
        for other in others:
            merges += await _join(store, member.id, other.id, by, why)
    await store.change(Customer, {"id": member.id, "phone": number}, set={"matched": True})
    return merges


async def _join(
    store: AsyncStore, one: ObjectId, other: ObjectId, by: str, why: str
) -> list[Merge]:
    # A number alone does not overrule somebody who has parted the two.
    if by == PHONE and await apart(store, one, other):
        return []
    try:
        return [await merge(store, one, other, by, why)]
    except TooManyAddresses as error:
        log.warning("customer %s shares a phone number with %s, but %s", one, other, error)
        return []
