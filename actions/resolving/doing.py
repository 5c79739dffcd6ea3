"""Doing what a customer said yes to: once a key, however often it is asked for.

A row is there before the shop is asked, and has the arguments of the first yes. Whoever finds
it asks the shop again with the same key, by which the shop knows it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from actions.asking import OUT_OF_REACH, log_out_of_reach
from actions.backends.contract import Money, ShopOrder
from actions.backends.errors import Ambiguous, BackendDown, NotFound, NotPossible
from actions.backends.opening import shop
from actions.resolving.judging import Verdict, Wish, refund_verdict
from actions.rules import load_rules
from bot.message import utcnow
from bot.store import AsyncStore, StoreDown
from bot.store.steps import CARRIED_OUT, DECLINED, PENDING, Undertaking

log = logging.getLogger(__name__)

#: Seconds after which another worker takes up what a turn has begun and not ended.
_LEFT_ALONE = 90.0
_SOONEST, _LATEST = 5.0, 600.0
#: What asking the shop may raise when it is not known, or not done yet.
UNREACHED = (*OUT_OF_REACH, Ambiguous)


async def undertake(
    store: AsyncStore,
    conversation: str,
    wish: Wish,
    verdict: Verdict,
    says: Mapping[str, str],
    hours: int,
) -> Undertaking:
    """Do it and return its row, whose `status` says what became of it.

    Pending is what the shop has not answered; it is tried again by `bot.desk.finishing`.
    Raises StoreDown.
    """
    now = utcnow()
    args: dict[str, Any] = dict(wish.args)
    if verdict.money is not None:
        args |= {"minor": verdict.money.minor, "currency": verdict.money.currency}
        args |= {"given": verdict.given}
    row = Undertaking(
        id=wish.key,
        conversation=conversation,
        tool=wish.tool,
        account=wish.account,
        order=wish.args.get("number", ""),
        args=args,
        says=dict(says),
        at=now,
        due=now + timedelta(seconds=_LEFT_ALONE),
        until=now + timedelta(hours=hours),
    )
    await store.insert_new([row])
    kept = await store.get(Undertaking, wish.key) or row
    return await attempt(store, kept)


async def attempt(store: AsyncStore, row: Undertaking) -> Undertaking:
    """Ask the shop for what a row wants, unless it is settled, and return what it is then.

    What the shop has done is returned, even when it cannot be written down: the row is then
    taken up again by `bot.desk.finishing`. Raises StoreDown.
    """
    if row.status != PENDING:
        return row
    status, change = await asked_again(row)
    where = {"id": row.id, "status": PENDING}
    try:
        done = await store.change(Undertaking, where, set=change, inc={"attempts": 1})
        return done or await store.get(Undertaking, row.id) or row
    except StoreDown as error:
        if status != CARRIED_OUT:
            raise
        log.error("%s: is done, and not written down yet: %s", row.id, error)
        row.status, row.result = status, change.get("result")
        return row


async def asked_again(row: Undertaking) -> tuple[str, dict[str, Any]]:
    """Ask the shop for what a row wants; return the status that follows, and what changes.

    Raises StoreDown.
    """
    change: dict[str, Any]
    try:
        change = {"status": CARRIED_OUT, "result": await _ask(row)}
    except NotPossible as error:
        change = {"status": DECLINED, "why": error.reason}
    except NotFound as error:
        # Whether a mail address has an account is nobody's to learn.
        hidden = row.tool == "reset_password"
        change = {"status": CARRIED_OUT} if hidden else {"status": DECLINED, "why": str(error)}
    except UNREACHED as error:
        log_out_of_reach(error)
        change = {"due": _later(error, int(row.attempts or 0))}
        if isinstance(error, Ambiguous):
            # Whoever gives it up has to know.
            change["why"] = error.args[0]
    return str(change.get("status", PENDING)), change


async def _ask(row: Undertaking) -> dict[str, Any]:
    place, args = await shop(), dict(row.args or {})
    wish = Wish(row.id, row.tool, {k: str(v) for k, v in args.items()})
    number, why = wish.args.get("number", ""), wish.args.get("reason", "")
    if row.tool == "cancel_order":
        done = await place.cancel(row.id, number, why)
        if done.pending:
            raise Ambiguous(place.name, "it has taken it on and is still at it", 10.0)
        return {"again": done.again}
    if row.tool == "change_address":
        done = await place.change_address(row.id, number, wish.address)
        return {"again": done.again}
    if row.tool == "reset_password":
        done = await place.reset_password(row.id, wish.args["email"])
        return {"again": done.again}
    money = Money(int(args["minor"]), str(args["currency"]))

    def forbids(order: ShopOrder) -> str:
        verdict = refund_verdict(load_rules(), order, wish)
        if verdict.kind == "yes" and args.get("given") not in (None, verdict.given):
            # From another chat, or by a person: a yes to one refund is not one to a second.
            return f"money of order {number} has been given back since you were asked"
        return "" if verdict.kind == "yes" else verdict.why

    back = await place.refund(row.id, number, money, why, forbids)
    # What the shop says that it has paid, whatever was asked for.
    return {"minor": back.money.minor, "currency": back.money.currency, "order": back.order}


def _later(error: Exception, attempts: int) -> datetime:
    after = error.after if isinstance(error, (BackendDown, Ambiguous)) else 60.0
    wait = min(max(after, _SOONEST) * 2 ** min(attempts, 6), _LATEST)
    return utcnow() + timedelta(seconds=wait)
