"""Is it there, what does it measure, what does it cost: from the products; else the articles."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import ActionAnswer
from actions.backends import products
from actions.backends.products import Product
from actions.forms import Patient
from actions.money import pounds

#: What somebody asks who wants a product's own facts, not how it is used or cared for.
_FACTS = re.compile(
    r"\b(price|cost|costs|how much|how expensive|made (of|from)|material|tell me about|colou?rs"
    r"|how (tall|big|wide|long|high|deep)|sizes?|dimensions?|measures?)\b",
    re.IGNORECASE,
)


class ValidateStockForm(Patient):
    """Takes a product only if the shop has it."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_stock_form"

    def validate_product(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the name that the product has in the shop, or None, having said so."""
        found = products().find(str(value))
        if found is None:
            dispatcher.utter_message(response="utter_product_not_found")
        return {"product": found.name if found else None}


class ActionStock(Action):
    """Says whether a product is there, in the colour and size that were named."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_stock"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Look it up and forget what was looked up. Raises StoreDown."""
        done = [SlotSet(name, None) for name in ("product", "colour", "size")]
        product = products().find(str(tracker.slots.get("product")))
        if product is None:
            dispatcher.utter_message(response="utter_product_not_found")
            return done
        colour = str(tracker.slots.get("colour") or "").casefold()
        size = str(tracker.slots.get("size") or "").casefold()
        pieces = product.pieces(colour, size)
        told = {"product": " ".join(part for part in (product.name, colour, size) if part)}
        if pieces is None:
            kinds = ", ".join([*product.colours, *product.sizes]) or "one kind only"
            dispatcher.utter_message(response="utter_no_such_kind", kinds=kinds, **told)
        elif pieces:
            some = f"{pieces}" if pieces < 10 else "more than 10" if pieces > 10 else "10"
            told["price"] = pounds(product.price)
            dispatcher.utter_message(response="utter_in_stock", pieces=some, **told)
        elif product.back:
            weeks = -(-product.back // 7)
            when = "a week" if weeks == 1 else f"{weeks} weeks"
            dispatcher.utter_message(response="utter_back_soon", when=when, **told)
        else:
            dispatcher.utter_message(response="utter_sold_out", **told)
        return done


class ActionSizes(ActionAnswer):
    """Says what a product measures; what is not of one product, the articles answer."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_sizes"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it. Raises StoreDown."""
        product = _named(tracker)
        if product is None or not product.measures:
            return await self.from_articles(dispatcher, tracker, domain)
        dispatcher.utter_message(
            response="utter_measures", product=product.name, measures=product.measures
        )
        return [SlotSet("answered", None)]


class ActionProduct(ActionAnswer):
    """Says what a product costs and is made of; how it is used, the articles answer."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_product"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it. Raises StoreDown."""
        product = _named(tracker)
        text = str(tracker.latest_message.get("text") or "")
        bare = (tracker.latest_message.get("intent") or {}).get("name") == "inform_product"
        if product is None or not (bare or _FACTS.search(text)):
            return await self.from_articles(dispatcher, tracker, domain)
        kinds = ", ".join([*product.colours, *product.sizes])
        dispatcher.utter_message(
            response="utter_product_facts",
            product=product.name,
            price=pounds(product.price),
            made_of=product.made_of,
            measures=product.measures,
            kinds=f" There is: {kinds}." if kinds else "",
        )
        return [SlotSet("answered", None)]


def _named(tracker: Tracker) -> Product | None:
    """Return the one product that the message names, None for none or several."""
    entities = tracker.latest_message.get("entities") or []
    names = list(dict.fromkeys(str(e["value"]) for e in entities if e.get("entity") == "product"))
    return products().find(names[0]) if len(names) == 1 else None
