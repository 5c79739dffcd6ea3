"""Money back within the rules of ``data/rules.yml``, by an agent or to a customer who asks."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.agents import Agent, acting, outcome
from actions.asking import OUT_OF_REACH, log_out_of_reach
from actions.backends.contract import Money, Refunded, ShopOrder
from actions.backends.errors import NotFound, NotPossible
from actions.backends.opening import shop
from actions.forms import cleared
from actions.handoff import handed
from actions.money import plain, pounds, read_pence
from actions.order_status import read_number
from actions.proving import Wanted, require
from actions.resolving.judging import Wish, as_ruled
from actions.resolving.matter import matter_of
from actions.resolving.proposing import Talk, advance
from actions.resolving.steps import Steps
from actions.rules import load_rules
from bot.message import utcnow


class ActionRefund(Action):
    """Gives back the slot ``amount`` of the order in ``order_number``, once a deed.

    To a customer it is proposed, as a model's wish would be (docs/agentic.md); above the limit,
    and where ``tools`` do not allow it, a person sees to it.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_refund"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Refund and say so in words for the customer.

        Raises StoreDown, SettingsInvalid, and Ambiguous when nobody knows what became of it.
        """
        agent = acting(tracker)
        if agent is None:
            return await _for_customer(dispatcher, tracker, domain)
        number = read_number(tracker.slots.get("order_number"))
        pence = read_pence(tracker.slots.get("amount"))
        if number is None or pence is None:
            missing = "order number" if number is None else "amount"
            return [outcome(False, f"the {missing} cannot be read")]
        why = str(tracker.slots.get("reason") or "")
        try:
            done = await _refund(agent, number, pence, why)
        except NotPossible as error:
            return [outcome(False, error.reason)]
        except NotFound:
            return [outcome(False, "there is no such order")]
        except OUT_OF_REACH as error:
            log_out_of_reach(error)
            return [outcome(False, str(error))]
        given = done.money
        sterling = given.currency == "GBP"
        amount = pounds(given.minor) if sterling else f"{given.plain()} {given.currency}"
        told = {"number": done.order, "amount": amount}
        dispatcher.utter_message(response=_in(domain, "utter_refund_done", tracker), **told)
        return [outcome(True)]


async def _for_customer(
    dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
) -> list[dict[str, Any]]:
    number = read_number(tracker.slots.get("order_number"))
    matter = matter_of(tracker, domain)
    given = {
        "number": number or "",
        "amount": _named(tracker.slots.get("refund_amount")),
        "reason": str(tracker.slots.get("refund_reason") or ""),
    }
    args = {name: value for name, value in given.items() if value}
    wish = Wish(f"{matter.turn}:refund:{number}", "refund", args)
    if number is not None and matter.rules.tool("refund").allowed:
        events = await advance(Talk(matter, dispatcher, Steps(matter)), [wish])
        return [*cleared(tracker, "order_number"), *events]
    why = wish.wanted() if number else f"a refund needs a person{wish.because}"
    if number is not None:
        wanted = Wanted("action_refund", "refund", why, number=number)
        standing = await require(dispatcher, tracker, domain, "refund", wanted)
        if standing.events is not None:
            return standing.events
        why = standing.with_why(why)
    dispatcher.utter_message(response="utter_handoff")
    return [*handed(tracker, "refund", why, "normal"), SlotSet("order_number", None)]


def _named(money: Any) -> str:
    """Return the amount of the entity that a customer named last, "" for none."""
    last = money[-1] if isinstance(money, list) and money else money
    pence = read_pence(str(last or "").partition(" ")[0])
    return plain(pence) if pence else ""


async def _refund(agent: Agent, number: str, pence: int, why: str) -> Refunded:
    """Give hundredths of an order's currency back, within the rules for agents."""
    place, rules = await shop(), load_rules().refunds

    def forbids(order: ShopOrder) -> str:
        return rules.against(as_ruled(order), pence, by_agent=True, at=utcnow())

    order = await place.find(number)
    currency = order.paid.currency if order.paid is not None else "GBP"
    money = Money.read(plain(pence), currency)
    if money is None:
        raise NotPossible(place.name, f"{currency} has no hundredths")
    return await place.refund(agent.deed, number, money, why, forbids, agent.id)


def _in(domain: dict[str, Any], response: str, tracker: Tracker) -> str:
    """Return the response in the customer's language where designers wrote one."""
    seen = (tracker.latest_message.get("metadata") or {}).get("perception") or {}
    own = f"{response}_{seen.get('language') or 'en'}"
    return own if own in (domain.get("responses") or {}) else response
