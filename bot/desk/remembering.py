"""Agents correct what is remembered of a customer."""

from __future__ import annotations

import re

from bot.desk.contract import Done
from bot.desk.deeds import Refused
from bot.desk.means import Means
from bot.identity.people import gather
from bot.memory.contract import NotRemembered
from bot.memory.file import load_memory
from bot.memory.keeping import customer_at, remember, unset
from bot.message import clean
from bot.perception.escalation_file import load_escalation
from bot.store.deeds import Deed
from bot.store.memory import AGENT, FACT

_SLUG = re.compile(r"[\W_]+")
_DAYS = 365


async def remembers(means: Means, deed: Deed) -> Done:
    """Keep `text` as a fact of the customer under ``key`` or ``about``; without text take it away.

    Payment data and sensitive matters are refused, and whoever has opted out is not remembered.
    """
    held = await means.held(deed)
    args = deed.args or {}
    about = " ".join(clean(str(args.get("about") or "")).split())[:60]
    key = str(args.get("key") or "") or key_of(about)
    if not key:
        raise Refused("Say what it is about, as in “Shoe size”.")
    text = clean(deed.text or "").strip()
    if not text:
        member = await customer_at(means.store, str(held.id))
        found = await gather(means.store, member) if member is not None else None
        taken = await unset(means.store, found, [key], by=AGENT, source=deed.id) if found else []
        return Done(True, "It is not remembered any more." if taken else "Nothing was known.")
    try:
        await remember(
            means.store,
            str(held.id),
            kind=str(args.get("kind") or FACT),
            key=key,
            about=about or key.replace("_", " ").capitalize(),
            value=text,
            source=deed.id,
            by=AGENT,
            at=deed.at,
            days=_DAYS,
            escalation=load_escalation(),
            never=load_memory().never,
        )
    except NotRemembered as error:
        raise Refused(f"That is not kept: {error}.") from None
    return Done(True, "It is remembered.")


def key_of(about: str) -> str:
    """Return the key of a fact that somebody named in words, "" for none."""
    return _SLUG.sub("_", about.casefold()).strip("_")[:32]
