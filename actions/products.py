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
from actions.forms import Patient, resumed
from actions.money import pounds
from actions.talked import PRODUCT, last, named, of_product

#: What somebody asks who wants a product's own facts, not how it is used or cared for.
_FACTS = re.compile(
    r"\b(price|cost|costs|how much|how expensive|made (of|from)|material|tell me about|colou?rs"
    r"|how (tall|big|wide|long|high|deep)|sizes?|dimensions?|measures?)\b",
    re.IGNORECASE,
)


#: Who says no more than these, and perhaps a colour or a size, speaks of the last product.
_SAID_OF_IT = """
    a an and any are available also at all but can come comes cost costs do does expensive get got
    have how i if in is it its much of ok or one ones please price sell so still stock that the
    them then there these they this those to too about what which with you big large tall wide
    long heavy high deep size sizes dimensions measure measurements made from material colour
    colours color colors left now again back when
"""
_LITTLE = frozenset(_SAID_OF_IT.split())
_WORD = re.compile(r"[^\W_]+")
_IT = re.compile(r"\b(it|they|them|this|these)\b", re.IGNORECASE)
_KIND = ("colour", "size")


class ValidateStockForm(Patient):
    """Takes a product only if the shop has it."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_stock_form"

    def extract_product(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the product that the form begins with: what “it” is, where none is named."""
        if not self.begins(tracker) or named(tracker, "product"):
            return {}
        meant = _meant(tracker)
        return {"product": meant} if meant else {}

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
        done = _looked_up()
        product = products().find(str(tracker.slots.get("product")))
        if product is None:
            dispatcher.utter_message(response="utter_product_not_found")
            return [*done, *resumed(tracker)]
        colour, size = (str(tracker.slots.get(name) or "").casefold() for name in _KIND)
        _say_whether_there(dispatcher, product, colour, size)
        return [*done, of_product(product.name), *resumed(tracker)]


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
            return [*await self.from_articles(dispatcher, tracker, domain), *_looked_up()]
        dispatcher.utter_message(
            response="utter_measures", product=product.name, measures=product.measures
        )
        return [SlotSet("answered", None), *_looked_up(), of_product(product.name)]


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
            spoken_of = [of_product(product.name)] if product else []
            # “Is it dishwasher safe?”
            before = str(last(tracker, PRODUCT).get("value") or "")
            it = before if _IT.search(text) and not named(tracker, "product") else ""
            events = await self.from_articles(dispatcher, tracker, domain, it)
            return [*events, *_looked_up(), *spoken_of]
        known = [SlotSet("answered", None), *_looked_up(), of_product(product.name)]
        colour, size = ("".join(named(tracker, name)[:1]).casefold() for name in _KIND)
        if bare and (colour or size):
            # “And in blue?”
            _say_whether_there(dispatcher, product, colour, size)
            return known
        kinds = ", ".join([*product.colours, *product.sizes])
        dispatcher.utter_message(
            response="utter_product_facts",
            product=product.name,
            price=pounds(product.price),
            made_of=product.made_of,
            measures=product.measures,
            kinds=f" There is: {kinds}." if kinds else "",
        )
        return known


def _say_whether_there(
    dispatcher: CollectingDispatcher, product: Product, colour: str, size: str
) -> None:
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


def _looked_up() -> list[dict[str, Any]]:
    """Return the events that forget what was looked up."""
    return [SlotSet(name, None) for name in ("product", *_KIND)]


def _named(tracker: Tracker) -> Product | None:
    """Return the one product that the message is about, None for none or several."""
    names = named(tracker, "product") or [_meant(tracker) or ""]
    return products().find(names[0]) if len(names) == 1 and names[0] else None


def _meant(tracker: Tracker) -> str | None:
    """Return the product that “it” is in a message that names none; None where it says more."""
    words = set(_WORD.findall(str(tracker.latest_message.get("text") or "").casefold()))
    for kind in _KIND:
        words -= {word for value in named(tracker, kind) for word in value.casefold().split()}
    return str(last(tracker, PRODUCT).get("value") or "") or None if words <= _LITTLE else None
