"""An agent takes a conversation, a colleague gets it, a closed case is opened again."""

from __future__ import annotations

from bot.desk.contract import Done
from bot.desk.deeds import Refused, plan_of, settle
from bot.desk.handoff import NotYours, move
from bot.desk.handoff import reopen as open_again
from bot.desk.handoff import take as give_to
from bot.desk.journal import note_down
from bot.desk.means import Means
from bot.desk.tier import tier_of
from bot.desk.timeline import words
from bot.llm.masking import parts_of_name, redact
from bot.message import Address, utcnow
from bot.perception.contract import PRIORITIES
from bot.store.cases import OPEN, Case
from bot.store.conversations import AGENT, Conversation
from bot.store.deeds import Deed
from bot.store.journal import ASSIGNED, REOPENED, TAKEN
from bot.store.messages import DONE, PENDING, Message

_SUMMARY = 300


async def take(means: Means, deed: Deed) -> Done:
    """Give the conversation to who asks, unless another agent has it."""
    held = await means.held(deed)
    if not plan_of(deed):
        if held.holder == AGENT and held.agent == deed.agent:
            return Done(True, "You have this conversation already.")
        await means.free_for(held, deed)
        await settle(means.store, deed, epoch=held.epoch)
    await _give(means, held, deed)
    case = await _adopt(means, deed, held, deed.agent)
    entry = f"taken:{deed.id}"
    await _journal(means, deed, entry, TAKEN, case)
    return Done(True, "You have this conversation now.", entry=entry)


async def assign(means: Means, deed: Deed) -> Done:
    """Give the conversation to a colleague, or take it over from the one who has it."""
    args = deed.args or {}
    to = str(args.get("to") or "")
    known = to in {person.id for person in means.people.all()}
    if not known and not to.startswith(("slack:U", "slack:W")):
        raise Refused("There is no such colleague.")
    while True:
        held = await means.held(deed)
        plan = plan_of(deed)
        mine = held.holder == AGENT and held.agent == to
        if plan and held.epoch != plan["epoch"]:
            # Done by an attempt that died; or it has changed hands since, which is not undone.
            if not mine:
                raise Refused("The conversation has changed hands meanwhile.")
            before = str(plan["before"])
            break
        if not plan:
            if mine:
                return Done(True, f"{await _called(means, to)} has this conversation already.")
            if not (args.get("from_holder") and to == deed.agent):
                await means.free_for(held, deed)
            before = str(held.agent or "")
            await settle(means.store, deed, epoch=held.epoch, before=before)
        else:
            before = str(plan["before"])
        if await move(means.store, held.id, held.epoch, AGENT, to) is not None:
            break
        # Somebody was faster. What was settled is void: it never took effect.
        await settle(means.store, deed)
    case = await _adopt(means, deed, held, to)
    entry = f"assigned:{deed.id}"
    name = await _called(means, to, str(args.get("name") or ""))
    details = {"to": to, "to_name": name, "from": before}
    await _journal(means, deed, entry, ASSIGNED, case, f"to {name}", details)
    own = to == deed.agent
    text = "You have this conversation now." if own else f"{name} has this conversation now."
    return Done(True, text, entry=entry)


async def reopen(means: Means, deed: Deed) -> Done:
    """Open the conversation's last case, or the one that is named, again; it is the agent's."""
    held = await means.held(deed)
    plan = plan_of(deed)
    if not plan:
        await means.free_for(held, deed)
        where = {"conversation": held.id}
        cases = await means.store.find(Case, where, sort=("-at",), limit=20)
        named = str((deed.args or {}).get("case") or "")
        wanted = [case for case in cases if (case.id == named if named else not case.part_of)]
        last = wanted[0] if wanted else None
        if last is None:
            raise Refused("There is no case to open again.")
        if any(case.status == OPEN for case in cases):
            raise Refused("There is an open case already.")
        plan = await settle(means.store, deed, case=last.id)
    await _give(means, held, deed)
    case = await means.store.get(Case, plan["case"])
    if case is None:
        raise Refused("The case is not there any more.")
    await open_again(means.store, case)
    await _adopt(means, deed, held, deed.agent)
    entry = f"reopened:{deed.id}"
    await _journal(means, deed, entry, REOPENED, case)
    return Done(True, "The case is open again, and the conversation is yours.", entry=entry)


async def _give(means: Means, held: Conversation, deed: Deed) -> None:
    try:
        await give_to(means.store, held.id, deed.agent)
    except NotYours:
        raise Refused(await means.has(await means.held(deed))) from None


async def _adopt(means: Means, deed: Deed, held: Conversation, agent: str) -> Case | None:
    """See that there is an open case, and that all of them are the agent's; return the main one."""
    cases = await means.open_cases(held.id)
    if not cases:
        await means.store.insert_new([await _unasked(means, deed, held)])
        cases = await means.open_cases(held.id)
    for case in cases:
        await means.store.change(Case, {"id": case.id, "status": OPEN}, set={"agent": agent})
    return cases[0] if cases else None


async def _unasked(means: Means, deed: Deed, held: Conversation) -> Case:
    channel = Address.parse(held.id).channel
    language = str(held.language or "")
    priority = str((deed.args or {}).get("priority") or "")
    priority = priority if priority in PRIORITIES else "normal"
    route = means.routing.route(
        topic="taken",
        language=language,
        channel=channel,
        tier=await tier_of(means.store, held.id),
        priority=priority,
    )
    return Case(
        id=f"taken:{deed.id}",
        conversation=held.id,
        topic="taken",
        priority=priority,
        why=f"{means.author(deed)} took it unasked",
        summary=await _last_words(means, held),
        language=language,
        to=route.name,
        at=utcnow(),
    )


async def _last_words(means: Means, held: Conversation) -> str:
    where = {"conversation": held.id, "direction": "in", "status": {"$in": [PENDING, DONE]}}
    last = await means.store.find(Message, where, sort=("-arrived",), limit=1)
    names = parts_of_name((held.profile or {}).get("name"))
    return redact(words(dict(last[0].content)), names)[:_SUMMARY] if last else ""


async def _called(means: Means, agent: str, own: str = "") -> str:
    found = means.people.by_id(agent, own).name
    return found if found != agent else await means.name(agent)


async def _journal(
    means: Means,
    deed: Deed,
    id: str,
    kind: str,
    case: Case | None,
    text: str = "",
    details: dict[str, str] | None = None,
) -> None:
    await note_down(
        means.store,
        id,
        kind,
        deed.conversation,
        case=case.id if case else "",
        agent=deed.agent,
        name=means.author(deed),
        via=deed.via,
        text=text,
        details=details,
    )
