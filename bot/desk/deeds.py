"""Deeds in the store: wishing for one once, and settling what is to become of it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.desk.contract import Person
from bot.message import clean, utcnow
from bot.store import AsyncStore
from bot.store.deeds import PENDING, Deed

#: In `Deed.args`: what was settled. Nobody but the desk may bring it.
_PLAN = "plan"


class Overtaken(Exception):
    """Another process has this deed by now; what it settled counts."""


class Refused(Exception):
    """A deed that is not to be done; the text is one sentence for the agent."""


def deed_of(
    person: Person,
    via: str,
    id: str,
    kind: str,
    conversation: str,
    arrived: int,
    *,
    text: str = "",
    args: Mapping[str, Any] | None = None,
    files: Sequence[Mapping[str, Any]] = (),
    status: str = PENDING,
) -> Deed:
    """Return what a person wants done, as of now; `arrived` is its place, see `Deed`."""
    now = utcnow()
    return Deed(
        id=id,
        kind=kind,
        conversation=conversation,
        agent=person.id,
        name=person.name,
        via=via,
        text=text,
        args=dict(args or {}),
        files=list(files),
        status=status,
        at=now,
        arrived=arrived,
        due=now,
    )


async def wish(store: AsyncStore, deed: Deed) -> bool:
    """Keep what an agent wants done; False when it is there already, as in a redelivery.

    Raises StoreDown: then it must not be acknowledged.
    """
    deed.text = clean(deed.text or "")
    deed.name = clean(deed.name or "")
    deed.args = {key: value for key, value in (deed.args or {}).items() if key != _PLAN}
    (new,) = await store.insert_new([deed])
    return new


def plan_of(deed: Deed) -> Mapping[str, Any]:
    """Return what was settled for a deed, {} for nothing yet."""
    return (deed.args or {}).get(_PLAN) or {}


async def settle(store: AsyncStore, deed: Deed, **plan: Any) -> Mapping[str, Any]:
    """Keep what is to become of a deed, so that doing it again cannot come to another end.

    Its claim is compared: a process that was suspended until another took the deed over settles
    nothing. Raises Overtaken.
    """
    args = {**(deed.args or {}), _PLAN: plan}
    where = {"id": deed.id, "status": PENDING, "owner": deed.owner, "due": deed.due}
    kept = await store.change(Deed, where, set={"args": args})
    # One that was never stored is nobody else's.
    if kept is None and await store.get(Deed, deed.id) is not None:
        raise Overtaken(deed.id)
    deed.args = args
    return plan
