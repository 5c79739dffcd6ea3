"""Which actions may help an agent, and running one: once a deed, with who did it in the audit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.desk.assist.desk_file import Argument, DeskAction
from bot.desk.assist.orders import orders_in, refundable
from bot.desk.assist.reading import Reading, read
from bot.desk.assist.running import Call, Ran, Runs
from bot.desk.contract import Done
from bot.desk.journal import note_down
from bot.message import clean
from bot.store import AsyncStore
from bot.store.deeds import Deed
from bot.store.journal import ACTED, Entry

if TYPE_CHECKING:
    from actions.backends.contract import ShopOrder

#: Characters of a value.
_LONGEST = 500


async def suggest(store: AsyncStore, actions: Mapping[str, DeskAction], deed: Deed) -> Done:
    """Return the actions that fit, for each order that the conversation speaks of.

    Where it speaks of none, those are told that change nothing, for the agent to fill in.
    """
    reading = await read(store, deed.conversation)
    found: list[dict[str, Any]] = []
    orders = await orders_in(reading.texts)
    for order in orders:
        for action in actions.values():
            known = await asyncio.to_thread(_known, action, order)
            if known is not None:
                found.append(_told(action, known))
    for action in actions.values():
        wants_order = any(argument.fill for argument in action.args)
        if not wants_order or (not orders and not action.confirm):
            found.append(_told(action, {}))
    if not found:
        return Done(True, "No action fits here.", {"actions": []})
    titles = ", ".join(action["title"] for action in found)
    return Done(True, f"These may help: {titles}.", {"actions": found})


async def act(store: AsyncStore, actions: Mapping[str, DeskAction], runs: Runs, deed: Deed) -> Done:
    """Run an action for an agent and write down who did what; the customer sees nothing of it.

    What a deed has done once it tells again. Raises StoreError.
    """
    entry = f"act:{deed.id}"
    before = await store.get(Entry, entry)
    if before is not None:
        return _done(before)
    asked = dict(deed.args or {})
    action = actions.get(str(asked.get("action") or ""))
    if action is None:
        return Done(False, f"There is no such action; known: {', '.join(actions)}.")
    given = asked.get("args") or {}
    values, wrong = _checked(action, given if isinstance(given, Mapping) else {})
    if wrong:
        return Done(False, f"{action.title} was not run: {wrong}.")
    if action.confirm and asked.get("confirmed") is not True:
        what = _listed(action, values)
        data = {"confirm": True, "action": action.name, "args": values}
        return Done(False, f"{action.title} ({what}) has to be confirmed first.", data)
    reading = await read(store, deed.conversation)
    ran = await runs.run(_call(action, values, reading, deed))
    case = str(reading.case.id) if reading.case else ""
    await _write_down(store, entry, deed, case, action, values, ran)
    # Another process may have been quicker with the same deed; then its word counts.
    kept = await store.get(Entry, entry)
    return _done(kept) if kept is not None else Done(False, "It could not be written down.")


def _known(action: DeskAction, order: ShopOrder) -> dict[str, str] | None:
    """Return what is known of an action's arguments; None when it does not fit the order."""
    from actions.backends.contract import CHANGEABLE
    from actions.money import plain

    known: dict[str, str] = {}
    for argument in action.args:
        if argument.fill == "order":
            known[argument.name] = order.number
        elif argument.fill == "cancellable":
            if order.status not in CHANGEABLE:
                return None
            known[argument.name] = order.number
        elif argument.fill == "refundable":
            pence, why = refundable(order)
            if why:
                return None
            known[argument.name] = plain(pence)
    return known or None


def _told(action: DeskAction, known: Mapping[str, str]) -> dict[str, Any]:
    args = [
        {
            "name": argument.name,
            "title": argument.title,
            "value": known.get(argument.name, ""),
            "pattern": argument.pattern,
            "optional": argument.optional,
        }
        for argument in action.args
    ]
    return {"name": action.name, "title": action.title, "args": args, "confirm": action.confirm}


def _checked(action: DeskAction, given: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return the values of the arguments, and what is wrong with one, "" for nothing."""
    strange = [name for name in given if name not in {a.name for a in action.args}]
    if strange:
        return {}, "it was given what it does not take"
    values: dict[str, str] = {}
    for argument in action.args:
        value = " ".join(clean(str(given.get(argument.name) or "")).split())
        if not value and not argument.optional:
            return {}, f"“{argument.title}” is missing"
        if value and not _fits(argument, value):
            return {}, f"“{argument.title}” is not what it should be"
        values[argument.name] = value
    return values, ""


def _fits(argument: Argument, value: str) -> bool:
    if len(value) > _LONGEST:
        return False
    return not argument.pattern or re.fullmatch(argument.pattern, value) is not None


def _call(action: DeskAction, values: Mapping[str, str], reading: Reading, deed: Deed) -> Call:
    return Call(
        action=action.action,
        slots=values,
        conversation=reading.conversation,
        channel=reading.channel,
        language=reading.language,
        agent=deed.agent,
        deed=deed.id,
    )


async def _write_down(
    store: AsyncStore,
    entry: str,
    deed: Deed,
    case: str,
    action: DeskAction,
    values: Mapping[str, str],
    ran: Ran,
) -> None:
    if ran.unsure:
        result = f"{ran.why}; it may have been done all the same, look before you try again"
    elif ran.why:
        result = f"not done, {ran.why}"
    else:
        result = " ".join(ran.texts) or "done"
    await note_down(
        store,
        entry,
        ACTED,
        deed.conversation,
        case=case,
        agent=deed.agent,
        name=deed.name,
        via=deed.via,
        text=f"{action.title} ({_listed(action, values)}): {result}",
        details={
            "action": action.name,
            "custom": action.action,
            "args": dict(values),
            "ok": not ran.why,
            "texts": list(ran.texts),
            "events": [dict(event) for event in ran.events],
        },
    )


def _done(entry: Entry) -> Done:
    details = dict(entry.details or {})
    data = {
        "action": details.get("action", ""),
        "args": dict(details.get("args") or {}),
        "text": "\n\n".join(details.get("texts") or ()),
        "events": list(details.get("events") or ()),
    }
    return Done(bool(details.get("ok")), str(entry.text), data, entry=str(entry.id))


def _listed(action: DeskAction, values: Mapping[str, str]) -> str:
    named = (f"{a.title.lower()} {values[a.name]}" for a in action.args if values.get(a.name))
    return ", ".join(named) or "nothing given"
