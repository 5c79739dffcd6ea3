"""Whether a wish may be fulfilled: the rules, never the model, decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from actions.asking import Guessing, find_order_for
from actions.backends.contract import Address, Money, ShopOrder, too_late
from actions.backends.orders import Order
from actions.money import plain, pounds, read_pence
from actions.proving import address_of
from actions.proving import store as people
from actions.resolving.allowing import allow
from actions.resolving.matter import Matter, store
from actions.rules import Rules
from bot.identity.meeting import customer_of
from bot.llm.untrusted import line
from bot.message import utcnow
from bot.store.steps import DECLINED, PENDING, Undertaking

#: How a person and a customer read what is wanted, and the topic of the case.
_TOPICS = {
    "cancel_order": "cancel",
    "change_address": "address",
    "refund": "refund",
    "reset_password": "account",
}
#: Characters of a customer's reason that the desk reads at once.
_REASON = 160


@dataclass(frozen=True)
class Wish:
    """Something that a customer wants done. `key` begins with the id of the turn it came in.

    `account` is whose it is, once that is proven.
    """

    key: str
    tool: str
    args: Mapping[str, str]
    account: str = ""

    def encode(self) -> dict[str, Any]:
        """Return it as it stands in a slot."""
        plain = {"key": self.key, "tool": self.tool, "args": dict(self.args)}
        return {**plain, "account": self.account}

    @classmethod
    def decode(cls, told: Mapping[str, Any]) -> Wish:
        """Read it back from a slot."""
        key, tool, account = str(told["key"]), str(told["tool"]), str(told.get("account") or "")
        return cls(key, tool, dict(told["args"]), account)

    @property
    def topic(self) -> str:
        """The topic of a case that is made of it."""
        return _TOPICS[self.tool]

    @property
    def address(self) -> Address:
        """Where an order is to go."""
        given = self.args
        return Address(
            line1=given.get("street", ""),
            line2=given.get("more", ""),
            city=given.get("city", ""),
            postcode=given.get("postcode", ""),
            country=given.get("country", ""),
        )

    def in_words(self, amount: str = "") -> str:
        """Return it as what is to be done: ``cancel order 1047``."""
        number = self.args.get("number", "")
        if self.tool == "refund":
            return f"give {amount or self.args.get('amount') or 'the money'} of order {number} back"
        if self.tool == "cancel_order":
            return f"cancel order {number}"
        if self.tool == "change_address":
            return f"send order {number} to {one_line(self.address)}"
        return "have a link for a new password mailed"

    def wanted(self, amount: str = "") -> str:
        """Return it as the desk reads it: ``wants £12.00 back for order 1047: “it leaks”``."""
        if self.tool != "refund":
            return f"wants to {self.in_words()}"
        pence = read_pence(self.args["amount"]) if self.args.get("amount") else None
        amount = amount or (pounds(pence) if pence else "the money")
        return f"wants {amount} back for order {self.args.get('number', '')}{self.because}"

    @property
    def because(self) -> str:
        """The customer's reason, to be put behind what is wanted; "" for none."""
        # A semicolon ends what is wanted, see `bot.desk.handoff.case_of`.
        reason = line(self.args.get("reason", ""), _REASON).strip().replace(";", ",")
        return f": “{reason}”" if reason else ""


@dataclass(frozen=True)
class Verdict:
    """What the rules say of a wish, why not, and what a proposal is worded with.

    `why` of "person" is for the desk, of "no" for the customer. `amount` is what a refund comes
    to, as in its arguments, and `given` what was given back before it, in hundredths.
    """

    kind: Literal["yes", "no", "person"]
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    money: Money | None = None
    amount: str = ""
    given: int | None = None


def one_line(address: Address) -> str:
    """Return an address as people write it on one line."""
    town = f"{address.city} {address.postcode}".strip()
    parts = (address.line1, address.line2, town, address.country)
    return ", ".join(part.replace(";", ",") for part in parts if part)


async def judge(matter: Matter, wish: Wish, *, proven: bool) -> Verdict:
    """Hold a wish against the rules as they are now.

    Until it is `proven` who asks, only that is looked at which the number alone may tell: what
    was paid is nobody else's business. Raises what `find_order` raises.
    """
    rules = matter.rules
    rule = rules.tool(wish.tool)
    if not rule.allowed:
        return Verdict("no", "that is not mine to do")
    if proven and rule.per_day and await _done_today(matter, wish, rule.per_day) >= rule.per_day:
        return Verdict("person", too_often(wish, rule.per_day))
    if wish.tool == "reset_password":
        return Verdict("yes", values={"email": wish.args["email"]})
    number = wish.args["number"]
    try:
        order = await find_order_for(matter.tracker, number)
    except Guessing:
        return Verdict("no", "too many numbers of orders that there are not have been asked for")
    if order is None:
        return Verdict("no", f"there is no order with the number {number}")
    if proven and await _under_way(wish):
        return Verdict("no", f"the same is under way already for order {number}")
    if wish.tool == "refund":
        return refund_verdict(rules, order, wish, proven=proven)
    verb = "cancelled" if wish.tool == "cancel_order" else "sent somewhere else"
    late = too_late(order, verb)
    if late:
        return Verdict("no", f"order {number} cannot be {verb} ({late})")
    if rule.within_days and _older(order, rule.within_days):
        return Verdict("no", f"order {number} is older than {rule.within_days} days")
    return Verdict("yes", values={"number": number, "address": one_line(wish.address)})


def refund_verdict(rules: Rules, order: ShopOrder, wish: Wish, *, proven: bool = True) -> Verdict:
    """Hold a refund against ``refunds`` and the tool's own rule."""
    number, rule = order.number, rules.tool("refund")
    ruled = as_ruled(order)
    left, why = rules.refunds.left(ruled, by_agent=False, at=utcnow())
    total, given = int(ruled.total or 0), int(ruled.refunded or 0)
    spent = bool(why) and given < total and given >= rules.refunds.most
    if why and not spent and not _of_money(why):
        return Verdict("no", f"order {number} cannot be refunded ({why})")
    if rule.within_days and _older(order, rule.within_days):
        return Verdict("no", f"order {number} is older than {rule.within_days} days")
    if not proven:
        return Verdict("yes")
    if why and not spent:
        return Verdict("no", f"order {number} cannot be refunded ({why})")
    currency = order.paid.currency if order.paid else "GBP"
    pence = read_pence(wish.args["amount"]) if wish.args.get("amount") else total - given
    money = Money.read(plain(pence or 0), currency)
    if not pence or money is None:
        return Verdict("no", f"{wish.args.get('amount')} is no amount of {currency}")
    shown = in_money(money)
    if pence > total - given:
        rest = in_money(Money(total - given, currency))
        return Verdict("no", f"{shown} is more than the {rest} that are left of order {number}")
    most = left if rule.person_above is None else min(left, max(rule.person_above - given, 0))
    if pence > most:
        limit = rules.refunds.most
        if rule.person_above is not None:
            limit = min(limit, rule.person_above)
        before = f", {in_money(Money(given, currency))} were given back before" if given else ""
        why = f"wants {shown} back for order {number}, above the limit of {pounds(limit)}{before}"
        return Verdict("person", why + wish.because, money=money, amount=plain(pence))
    values = {"number": number, "amount": shown}
    return Verdict("yes", values=values, money=money, amount=plain(pence), given=given)


def too_often(wish: Wish, per_day: int) -> str:
    """Return for the desk that a customer has had as much of a tool as he may in a day."""
    many = {1: "once", 2: "twice"}.get(per_day, f"{per_day} times")
    return f"{wish.wanted()}; the bot may do that {many} a day for a customer, and has done so"


async def granted(matter: Matter, wish: Wish) -> bool:
    """Take one of the times a day that the rules leave for a wish, see `allow`.

    What `judge` counts tells who is out of them before he is asked. This is what keeps two who
    say yes at the same moment from both being counted in.
    """
    here, per_day = address_of(matter.tracker), matter.rules.tool(wish.tool).per_day
    who = (await customer_of(people(), here)).id if here and per_day else matter.conversation
    whose = [f"person {who}"]
    whose += [f"account {wish.account}"] if wish.account else []
    whose += [f"order {wish.args['number']}"] if wish.args.get("number") else []
    return await allow(store(), whose, wish.tool, per_day, wish.key)


async def _done_today(matter: Matter, wish: Wish, most: int) -> int:
    """Return how often a customer had a tool in a day: in any of his chats, for any of his orders.

    Counts up to `most`, and neither the wish itself nor what was refused.
    """
    here = address_of(matter.tracker)
    addresses: tuple[str, ...] = (matter.conversation,)
    if here is not None:
        addresses += (await customer_of(people(), here)).addresses
    since = {
        "tool": wish.tool,
        "at": {"$gte": utcnow() - timedelta(days=1)},
        "status": {"$ne": DECLINED},
    }
    whose: list[dict[str, Any]] = [{"conversation": one} for one in dict.fromkeys(addresses)]
    whose += [{"account": wish.account}] if wish.account else []
    whose += [{"order": wish.args["number"]}] if wish.args.get("number") else []
    done: set[str] = set()
    for where in whose:
        rows = await store().find(Undertaking, {**where, **since}, limit=most + 1)
        done |= {str(row.id) for row in rows if row.id != wish.key}
    return len(done)


async def _under_way(wish: Wish) -> bool:
    """Tell whether the shop has not answered yet to the same wish of another message."""
    where = {"order": wish.args["number"], "tool": wish.tool, "status": PENDING}
    rows = await store().find(Undertaking, where, limit=2)
    return any(row.id != wish.key for row in rows)


def as_ruled(order: ShopOrder) -> Order:
    """Return an order as the rules look at it; amounts are in hundredths of its currency.

    Of what cannot be told in them less is left, never more.
    """
    back = order.refunded
    status, delivered = order.ruled(utcnow())
    return Order(
        id=order.number,
        status=status,
        delivered=delivered,
        total=order.paid.hundredths() if order.paid is not None else 0,
        refunded=-Money(-back.minor, back.currency).hundredths() if back is not None else None,
    )


def in_money(money: Money) -> str:
    """Return an amount as people read it, ``£12.50`` or ``12.50 EUR``."""
    if money.currency == "GBP":
        return pounds(money.minor)
    return f"{money.plain()} {money.currency}"


def _of_money(why: str) -> bool:
    return "given back" in why or "refunded in" in why or "what was paid" in why


def _older(order: ShopOrder, days: int) -> bool:
    return order.placed is None or utcnow() - order.placed > timedelta(days=days)
