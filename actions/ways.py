"""Ways to pay and countries to deliver to: a plain yes or no where one is named."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import ActionAnswer

#: What is taken online, with the response that says on which conditions.
_PAY = {
    **dict.fromkeys(("visa", "mastercard", "amex", "debit card"), "utter_pay_card"),
    **dict.fromkeys(("paypal", "apple pay", "google pay", "gift card"), "utter_pay_yes"),
    "klarna": "utter_pay_klarna",
    "bank transfer": "utter_pay_transfer",
}
_NAMES = {"paypal": "PayPal", "apple pay": "Apple Pay", "google pay": "Google Pay"}
#: Countries that people ask for and that nothing is sent to.
_NOT_THERE = frozenset(
    [
        "australia",
        "new zealand",
        "japan",
        "china",
        "india",
        "brazil",
        "mexico",
        "turkey",
        "iceland",
        "serbia",
        "ukraine",
        "south africa",
        "dubai",
        "singapore",
    ]
)


class ActionPaymentMethods(Action):
    """Says whether a way to pay is taken, or which ones are."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_payment_methods"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it."""
        method = _named(tracker, "payment_method")
        if not method:
            dispatcher.utter_message(response="utter_payment_methods")
        else:
            response = _PAY.get(method, "utter_pay_no")
            dispatcher.utter_message(response=response, method=_NAMES.get(method, method.title()))
        return []


class ActionDeliveryAbroad(ActionAnswer):
    """Says that nothing is sent to a country; all else the articles answer."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_delivery_abroad"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it."""
        country = _named(tracker, "country")
        if country not in _NOT_THERE:
            return await self.from_articles(dispatcher, tracker, domain)
        dispatcher.utter_message(response="utter_not_delivered_there", country=country.title())
        return [SlotSet("answered", None)]


def _named(tracker: Tracker, entity: str) -> str:
    entities = tracker.latest_message.get("entities") or []
    found = dict.fromkeys(str(e["value"]).casefold() for e in entities if e.get("entity") == entity)
    return next(iter(found)) if len(found) == 1 else ""
