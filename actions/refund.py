"""Money back within the rules of ``data/rules.yml``; for now an agent's to give."""

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
from actions.backends.orders import Order
from actions.handoff import handed
from actions.money import plain, pounds, read_pence
from actions.order_status import read_number
from actions.proving import Wanted, require
from actions.rules import load_rules
from bot.message import utcnow


class ActionRefund(Action):
    """Gives back the slot ``amount`` of the order in ``order_number``, once a deed.

    A customer is passed on to a person, who knows whether it is proven who he is.
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
            number = read_number(tracker.slots.get("order_number"))
            reason = tracker.slots.get("refund_reason")
            why = f"wants a refund of order {number}" if number else "a refund needs a person"
            if reason:
                why += f": {reason}"
            if number:
                wanted = Wanted(self.name(), "refund", why, number=number)
                standing = await require(dispatcher, tracker, domain, "refund", wanted)
                if standing.events is not None:
                    return standing.events
                why = standing.with_why(why)
            dispatcher.utter_message(response="utter_handoff")
            passed_on = handed(tracker, "refund", why, "normal")
            return [*passed_on, SlotSet("order_number", None)]
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


def as_ruled(order: ShopOrder) -> Order:
    """Return an order as the rules look at it; amounts are in hundredths of its currency.

    Of what cannot be told in them less is left, never more.
    """
    back = order.refunded
    return Order(
        id=order.number,
        status=order.status,
        delivered=order.delivered,
        total=order.paid.hundredths() if order.paid is not None else 0,
        refunded=-Money(-back.minor, back.currency).hundredths() if back is not None else None,
    )


def _in(domain: dict[str, Any], response: str, tracker: Tracker) -> str:
    """Return the response in the customer's language where designers wrote one."""
    seen = (tracker.latest_message.get("metadata") or {}).get("perception") or {}
    own = f"{response}_{seen.get('language') or 'en'}"
    return own if own in (domain.get("responses") or {}) else response
