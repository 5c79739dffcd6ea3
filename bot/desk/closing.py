"""The bot gets a conversation back: because an agent gives it, or has resolved what it was about.

What the customer is told of it must come before anything the bot says next, and not at all
when somebody takes the conversation in the same moment. So its row is there before the
conversation changes hands, due a little later, and is let go when it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.desk import rating
from bot.desk.clock import answered, asks, micro
from bot.desk.contract import Done
from bot.desk.deeds import Refused, plan_of, settle
from bot.desk.handoff import move, place_after_all
from bot.desk.handoff import reopen as open_again
from bot.desk.handoff import resolve as close_case
from bot.desk.journal import note_down
from bot.desk.means import Means
from bot.desk.openings import opening_of, rows_since
from bot.desk.routing_file import UNDELIVERED
from bot.llm.masking import redact
from bot.message import Choices, Content, Text, utcnow
from bot.store.cases import Case
from bot.store.consents import ALL
from bot.store.conversations import AGENT, BOT, Conversation
from bot.store.deeds import Deed
from bot.store.journal import RESOLVED, RETURNED, Entry
from bot.store.messages import DROPPED, QUEUED, Message, queued
from connectors.render import render

#: Stands in the id of a message that tells the customer of it, behind the conversation's.
TOLD = ":desk:"

# How long the customer's message may wait for the change of hands. The bot's next words
# wait with it, so it is short.
_SOON = timedelta(seconds=2)
_TOOK = "an agent took over"


async def back(means: Means, deed: Deed) -> Done:
    """Give the conversation to the bot, which says so to the customer once."""
    if not plan_of(deed):
        held = await means.held(deed)
        await means.free_for(held, deed)
        if held.holder == BOT:
            raise Refused("The bot has this conversation already.")
        await _settle(means, deed, held)
    held = await means.held(deed)
    text = means.routing.says("returned", str(held.language or ""))
    # Closed with a reason, since to colleagues "resolved" alone would say more than is true.
    why = f"back to the bot: {deed.text}" if (deed.text or "").strip() else "back to the bot"
    told = await _to_the_bot(
        means, deed, held, why, [Text(text)] if text else [], f"returned:{deed.id}", RETURNED
    )
    more = ", and says so to the customer." if told else "."
    return Done(True, f"The bot has this conversation now{more}", entry=f"returned:{deed.id}")


async def resolve(means: Means, deed: Deed) -> Done:
    """Close the conversation's cases; the bot has it then, and the customer is asked to rate.

    Who waited and got no word of an agent's has nothing to rate: he hears that the bot is back.
    """
    if not plan_of(deed):
        held = await means.held(deed)
        await means.free_for(held, deed)
        if held.holder == BOT and not await means.open_cases(held.id):
            raise Refused("There is nothing to resolve here.")
        await _settle(means, deed, held)
    held = await means.held(deed)
    end = _end(means, deed, held)
    told = await _to_the_bot(
        means, deed, held, deed.text or "", end, f"resolved:{deed.id}", RESOLVED
    )
    asked = told and isinstance(end[0], Choices)
    more = ", and says so to the customer." if told else "."
    if asked:
        more = "; the customer is asked for a rating."
    text = f"Resolved, the bot answers again{more}"
    return Done(True, text, data={"asked": asked}, entry=f"resolved:{deed.id}")


def _end(means: Means, deed: Deed, held: Conversation) -> list[Content]:
    """Return what the customer hears when his cases are resolved, [] for nothing."""
    plan, language = plan_of(deed), str(held.language or "")
    if plan.get("waits"):
        text = means.routing.says("returned", language)
        return [Text(text)] if text else []
    wanted = means.routing.rate and (deed.args or {}).get("rate") is not False
    if not (wanted and plan.get("heard")):
        return []
    question = rating.question(means.routing, language, plan["cases"][0])
    return [question] if question.text else []


async def _settle(means: Means, deed: Deed, held: Conversation) -> None:
    """Keep which cases are closed, and how the customer left it. Raises Refused.

    `heard` says that an agent had a word with him, `waits` that none had and he waits for one.
    """
    store = means.store
    if held.holder != BOT:
        # What came while it was not the bot's, the bot has let pass and will not answer.
        newer = {"conversation": held.id, "arrived": {"$gt": deed.arrived}}
        if any(asks(row) for row in await store.find(Message, newer)):
            raise Refused("The customer has written meanwhile: see to that first.")
    # Before the bot answers again: what a customer writes after that is a case of its own.
    cases = await means.open_cases(held.id)
    heard = waits = False
    if cases:
        opening = await opening_of(store, cases[0])
        rows = await rows_since(store, held.id, micro(opening.at))
        heard = any(answered(row) for row in rows)
        asked = opening.waits or any(asks(row) for row in rows)
        waits = not heard and asked and held.holder != BOT
    ids = [case.id for case in cases]
    await settle(store, deed, epoch=held.epoch, cases=ids, heard=heard, waits=waits)


async def _to_the_bot(
    means: Means,
    deed: Deed,
    held: Conversation,
    resolution: str,
    contents: Sequence[Content],
    entry: str,
    kind: str,
) -> bool:
    """Close the cases and free the conversation; tell whether the customer hears of it.

    Raises Refused when an agent took it in the same moment: the cases are open then.
    """
    store, plan = means.store, plan_of(deed)
    rows = await _announce(means, deed, held, contents)
    if await store.get(Entry, entry) is not None:
        return bool(rows)
    cases = [found for id in plan["cases"] if (found := await store.get(Case, id))]
    if held.epoch == plan["epoch"] and (held.holder != BOT or any(map(_handed, cases))):
        await move(store, held.id, held.epoch, BOT)
    await _unless_taken(means, deed, rows, [])
    for n, case in enumerate(cases):
        await close_case(store, case, deed.agent, f"with {cases[0].id}" if n else resolution)
    now = await _unless_taken(means, deed, rows, cases)
    for id in rows:
        # Also one that was due before the conversation had changed hands.
        await store.change(
            Message,
            {"id": id, "status": {"$in": [QUEUED, DROPPED]}},
            set={"status": QUEUED, "due": utcnow(), "epoch": now.epoch, "reason": ""},
        )
    await note_down(
        store,
        entry,
        kind,
        held.id,
        case=cases[0].id if cases else "",
        agent=deed.agent,
        name=means.author(deed),
        via=deed.via,
        text=redact(deed.text or ""),
    )
    return bool(rows)


def _handed(case: Case) -> bool:
    """Tell whether a turn made a case, or opened it again.

    It gives up the conversation after that, which must not come when the case is closed
    already: the epoch keeps it from doing so. With other cases the bot's answers go on.
    """
    return case.topic != UNDELIVERED or int(case.opened or 1) > 1


async def _unless_taken(
    means: Means, deed: Deed, rows: Sequence[str], closed: Sequence[Case]
) -> Conversation:
    """Return the conversation, or undo everything when an agent has it. Raises Refused."""
    now = await means.held(deed)
    if now.holder != AGENT:
        return now
    for id in rows:
        await means.store.change(
            Message, {"id": id, "status": QUEUED}, set={"status": DROPPED, "reason": _TOOK}
        )
    for case in closed:
        await open_again(means.store, case)
    name = await means.name(now.agent) if now.agent else "Another agent"
    raise Refused(f"{name} took this conversation meanwhile.")


async def _announce(
    means: Means, deed: Deed, held: Conversation, contents: Sequence[Content]
) -> list[str]:
    """Put what the customer is to hear of it behind all else, and return the ids of the rows.

    None go to who has opted out, or cannot be written to now: to ask somebody by a template
    to write again, so that he may rate, would be a nuisance.
    """
    can = means.can(held.id)
    if held.opted_out == ALL:
        return []
    if can.window_hours is not None:
        opened = utcnow() - timedelta(hours=can.window_hours)
        if held.last_in is None or held.last_in < opened:
            return []
    order = await place_after_all(means.store, held.id)
    rows = [
        queued(
            f"{held.id}{TOLD}{deed.id}:{n}",
            held.id,
            content,
            order=order + n,
            # As a reply of the bot's it is dropped when an agent takes over.
            turn=deed.id,
            epoch=plan_of(deed)["epoch"] + 1,
        )
        for n, content in enumerate(part for whole in contents for part in render(whole, can))
    ]
    for row in rows:
        row.due = utcnow() + _SOON
    if rows:
        await means.store.insert_new(rows)
    return [row.id for row in rows]
