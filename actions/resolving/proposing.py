"""From a wish to a deed: who asks, what the rules say, the customer's yes, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.asking import OUT_OF_REACH, log_out_of_reach
from actions.backends.contract import Money
from actions.handoff import handed
from actions.proving import Standing, Wanted, require
from actions.resolving.allowing import release
from actions.resolving.doing import undertake
from actions.resolving.judging import Verdict, Wish, granted, in_money, judge, too_often
from actions.resolving.matter import Matter, digest, store
from actions.resolving.steps import Steps
from actions.resolving.tools import TOOLS
from bot.store import steps as verdicts
from bot.store.steps import CARRIED_OUT, DECLINED, PENDING, Undertaking

#: The slot that holds what was proposed, and its states: a code is awaited, a yes is, or
#: something was asked for without which nothing can be proposed.
SLOT = "resolving"
PROOF, ASKED, OPEN = "proof", "asked", "open"
_YES, _NO = "/confirm_effect", "/refuse_effect"
_PERSON = {"title": "Talk to a person", "payload": "/human"}
_DONE = {
    "cancel_order": "utter_cancel_done",
    "change_address": "utter_did_change_address",
    "refund": "utter_refund_done",
    "reset_password": "utter_did_reset_password",
}

Events = list[dict[str, Any]]


@dataclass(frozen=True)
class Talk:
    """A message that is being resolved, and where its words and steps go."""

    matter: Matter
    dispatcher: CollectingDispatcher
    steps: Steps

    def say(self, response: str, **values: str) -> None:
        """Say a response of the domain in the customer's language."""
        self.dispatcher.utter_message(response=self.matter.response(response), **values)


async def advance(talk: Talk, wishes: Sequence[Wish]) -> Events:
    """Take wishes one by one, up to the first for which the customer has to do something.

    That is a code that shows who he is, or a yes. Raises StoreDown, SettingsInvalid.
    """
    matter = talk.matter
    for n, wish in enumerate(wishes):
        left = wishes[n:]
        if await store().get(Undertaking, wish.key) is not None:
            # Begun by a try of this message that was cut off: what became of it is said.
            events = await _carried_out(talk, wish, Verdict("yes"), wishes[n + 1 :])
            if events is not None:
                return events
            continue
        try:
            verdict = await judge(matter, wish, proven=False)
            if verdict.kind == "no":
                await _forbidden(talk, wish, verdict, last=len(left) == 1)
                continue
            why = wish.wanted() if verdict.kind == "yes" else verdict.why
            standing = await _standing(talk, wish, why)
            if standing.events is not None:
                kept = {"state": PROOF, "at": matter.at, "wishes": [w.encode() for w in left]}
                return [SlotSet(SLOT, kept), *standing.events]
            if not standing.enough:
                talk.say("utter_effect_unproven")
                return await to_person(talk, left, standing.with_why(why), said=True)
            wish = replace(wish, account=standing.account)
            if verdict.kind == "yes":
                verdict = await judge(matter, wish, proven=True)
        except OUT_OF_REACH as error:
            log_out_of_reach(error)
            talk.say("utter_shop_wish_passed_on", number=wish.args.get("number", ""))
            why = f"{wish.wanted()}; the shop could not be asked about it"
            return await to_person(talk, left, why, said=True)
        if verdict.kind == "no":
            await _forbidden(talk, wish, verdict, last=len(left) == 1)
            continue
        if verdict.kind == "person":
            return await to_person(talk, left, standing.with_why(verdict.why))
        if verdict.amount:
            wish = replace(wish, args={**wish.args, "amount": verdict.amount})
        if not matter.rules.tool(wish.tool).confirm:
            events = await _carried_out(talk, wish, verdict, wishes[n + 1 :])
            if events is not None:
                return events
            continue
        return await _asked(talk, wish, verdict, wishes[n + 1 :])
    return [SlotSet(SLOT, None)]


async def confirmed(talk: Talk, which: str) -> Events:
    """Do what was proposed, having held it against the rules once more.

    `which` is the proposal that the yes is for. Raises StoreDown, SettingsInvalid.
    """
    matter = talk.matter
    told = matter.tracker.slots.get(SLOT) or {}
    if told.get("state") != ASKED or told.get("id") != which:
        before = await _before(matter, which)
        talk.say("utter_effect_before" if before else "utter_effect_gone")
        # An old button is no yes to what was proposed since, and neither is what comes after it.
        return [SlotSet(SLOT, None)]
    if matter.at - float(told.get("at") or 0) > matter.rules.resolving.minutes * 60:
        talk.say("utter_effect_gone")
        return [SlotSet(SLOT, None)]
    wishes = [Wish.decode(one) for one in told["wishes"]]
    wish, rest = wishes[0], wishes[1:]
    verdict = _as_proposed(told)
    if await store().get(Undertaking, wish.key) is None:
        # The first yes; one that is redone goes on with what was begun.
        try:
            verdict = await judge(matter, wish, proven=True)
        except OUT_OF_REACH as error:
            # It was allowed, and proven, when it was proposed; the shop holds the amount against
            # the rules once more when it is back.
            log_out_of_reach(error)
        else:
            standing = await _standing(talk, wish, wish.wanted())
            # What had been given back when it was asked for is what the yes is about.
            verdict = replace(verdict, given=told.get("given"))
            if standing.events is not None:
                return [SlotSet(SLOT, {**told, "state": PROOF}), *standing.events]
            if not standing.enough:
                talk.say("utter_effect_unproven")
                return await to_person(talk, wishes, standing.with_why(wish.wanted()), said=True)
            if verdict.kind == "no":
                await _forbidden(talk, wish, verdict, last=not rest)
                return await advance(talk, rest)
            if verdict.kind == "person":
                return await to_person(talk, wishes, standing.with_why(verdict.why))
    events = await _carried_out(talk, wish, verdict, rest)
    return await advance(talk, rest) if events is None else events


async def refused(talk: Talk, which: str) -> Events:
    """Drop what was proposed, and go on with what else was wanted. Raises StoreDown."""
    told = talk.matter.tracker.slots.get(SLOT) or {}
    if told.get("state") != ASKED or (which and told.get("id") != which):
        talk.say("utter_effect_gone")
        return [SlotSet(SLOT, None)]
    talk.say("utter_effect_dropped")
    wishes = [Wish.decode(one) for one in told["wishes"]]
    await talk.steps.note(wishes[0].tool, wishes[0].args, verdicts.REFUSED, "the customer's no")
    return await advance(talk, wishes[1:])


async def _asked(talk: Talk, wish: Wish, verdict: Verdict, rest: Sequence[Wish]) -> Events:
    """Ask for a yes in words that are made of what would be done."""
    matter = talk.matter
    id_ = digest(wish.key, wish.tool, dict(wish.args))
    which = f'{{"effect": "{id_}"}}'
    talk.dispatcher.utter_message(
        response=matter.response(f"utter_propose_{wish.tool}"),
        buttons=[
            {"title": "Yes", "payload": f"{_YES}{which}"},
            {"title": "No", "payload": f"{_NO}{which}"},
        ],
        **verdict.values,
    )
    await talk.steps.note(wish.tool, wish.args, verdicts.PROPOSED, "the customer is asked")
    money = verdict.money
    kept = {
        "state": ASKED,
        "id": id_,
        "at": matter.at,
        "wishes": [w.encode() for w in (wish, *rest)],
        "values": dict(verdict.values),
        "money": [money.minor, money.currency] if money else None,
        "given": verdict.given,
    }
    return [SlotSet(SLOT, kept)]


async def _standing(talk: Talk, wish: Wish, why: str) -> Standing:
    """See who it is; with the events of what it returns, a code is asked for."""
    matter = talk.matter
    number, email = wish.args.get("number", ""), wish.args.get("email", "")
    wanted = Wanted("action_resolve", wish.topic, why, number=number, email=email)
    kind = TOOLS[wish.tool].matter
    standing = await require(talk.dispatcher, matter.tracker, matter.domain, kind, wanted)
    if standing.events is not None:
        await talk.steps.note(wish.tool, wish.args, verdicts.ASKED, "who it is")
    return standing


def _as_proposed(told: dict[str, Any]) -> Verdict:
    money = told.get("money")
    return Verdict(
        "yes",
        values=dict(told.get("values") or {}),
        money=Money(int(money[0]), str(money[1])) if money else None,
        given=told.get("given"),
    )


async def _carried_out(
    talk: Talk, wish: Wish, verdict: Verdict, rest: Sequence[Wish]
) -> Events | None:
    """Do it and say what the shop answered; None when the next wish can be looked at."""
    matter = talk.matter
    begun = await store().get(Undertaking, wish.key) is not None
    if not begun and not await granted(matter, wish):
        why = too_often(wish, matter.rules.tool(wish.tool).per_day)
        return await to_person(talk, (wish, *rest), why)
    values = {"number": wish.args.get("number", ""), **verdict.values}
    what = wish.in_words(values.get("amount", ""))
    says = {
        "done": matter.words(_DONE[wish.tool], values),
        "declined": matter.words("utter_effect_not_done", {}),
        "given_up": matter.words("utter_effect_given_up", {"what": what}),
        "what": what,
    }
    row = await undertake(
        store(),
        matter.conversation,
        wish,
        verdict,
        says,
        matter.rules.resolving.hours,
    )
    if row.status == CARRIED_OUT:
        done = dict(row.result or {})
        if "minor" in done:
            values["amount"] = in_money(Money(int(done["minor"]), str(done["currency"])))
            values["number"] = str(done["order"])
        elif row.tool == "change_address":
            values["address"] = values.get("address") or wish.in_words().partition(" to ")[2]
        talk.say(_DONE[wish.tool], **values)
        await talk.steps.note(wish.tool, wish.args, verdicts.DONE, "done by the shop")
        return None
    if row.status == DECLINED:
        await release(store(), wish.key)
        verdict = Verdict("no", str(row.why))
        await _forbidden(talk, wish, verdict, last=not rest)
        return None
    if row.status == PENDING:
        await store().change(
            Undertaking, {"id": row.id, "status": PENDING}, set={"case": matter.turn}
        )
        talk.say("utter_effect_waits", what=what)
        await talk.steps.note(wish.tool, wish.args, verdicts.WAITS, "the shop does not answer")
        why = (
            f"{wish.wanted(values.get('amount', ''))}; it is allowed, but the shop does not "
            "answer. The bot keeps trying until "
            f"{row.until:%d %B %H:%M} UTC: do not do it by hand"
        )
        return await to_person(talk, rest, why, topic=wish.topic, said=True, noted=True)
    why = f"{wish.wanted(values.get('amount', ''))}; the shop did not answer"
    return await to_person(talk, (wish, *rest), why)


async def _forbidden(talk: Talk, wish: Wish, verdict: Verdict, *, last: bool) -> None:
    """Say why not; where nothing else follows, a person may be asked to see to it."""
    talk.dispatcher.utter_message(
        response=talk.matter.response("utter_effect_not_done"),
        buttons=[dict(_PERSON)] if last else [],
        why=verdict.why,
    )
    await talk.steps.note(wish.tool, wish.args, verdicts.FORBIDDEN, verdict.why)


async def to_person(
    talk: Talk,
    wishes: Sequence[Wish],
    why: str,
    *,
    topic: str = "",
    said: bool = False,
    noted: bool = False,
) -> Events:
    """Hand over with the reason, and with what else was wanted."""
    if not said:
        talk.say("utter_effect_person")
    if wishes and not noted:
        await talk.steps.note(wishes[0].tool, wishes[0].args, verdicts.PERSON, why)
    others = wishes if noted else wishes[1:]
    more = "".join(f"; also {wish.wanted()}" for wish in others)
    about = topic or (wishes[0].topic if wishes else "human")
    events = handed(talk.matter.tracker, about, why + more, "normal")
    return [SlotSet(SLOT, None), SlotSet("order_number", None), *events]


async def _before(matter: Matter, which: str) -> bool:
    """Tell whether the proposal of a button has been carried out."""
    rows = await store().find(
        Undertaking, {"conversation": matter.conversation}, sort=("-at",), limit=20
    )
    return any(
        row.status == CARRIED_OUT and digest(row.id, row.tool, _given(row)) == which for row in rows
    )


def _given(row: Undertaking) -> dict[str, Any]:
    """Return the arguments of a row as they stood in its proposal."""
    added = ("minor", "currency", "given")
    return {k: v for k, v in dict(row.args or {}).items() if k not in added}
