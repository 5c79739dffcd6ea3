"""The bot remembers customers: it greets them by it, says what it knows, and forgets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.handoff import handed
from actions.memory import memory_of, person_of, store
from actions.order_status import ActionOrderStatus
from actions.proving import in_doubt
from actions.remembered import memory_shown
from bot.memory.asking import ask, open_matters
from bot.memory.contract import FACT, KINDS, MATTER, ORDER, PREFERENCE, SUMMARY, Known, Memory
from bot.memory.file import load_memory
from bot.memory.keeping import unset, why_not
from bot.memory.noticing import said_in
from bot.message import utcnow
from bot.store.memory import CUSTOMER

#: Who wrote a moment ago is in the middle of something and is not welcomed back.
_AGAIN = timedelta(hours=6)
#: What somebody asked about longer ago than this is over.
_RECENT = timedelta(days=14)
_SHOWN = 12
_OWN = (FACT, PREFERENCE, ORDER, SUMMARY)


class ActionGreet(Action):
    """Greets, and whoever comes back by what it was about last time."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_greet"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say hello."""
        memory, now = memory_of(tracker), utcnow()
        number = ""
        if memory.last is not None and now - memory.last > _AGAIN:
            matters = memory.of(MATTER)
            orders = [one for one in memory.of(ORDER) if now - one.at < _RECENT]
            called = next((one.value for one in memory.of(PREFERENCE, "name")), "")
            name = f", {called}" if called else ""
            if matters:
                day = f"{matters[0].at:%d %B}".lstrip("0")
                dispatcher.utter_message(response="utter_greet_matter", name=name, day=day)
                return [SlotSet("offered", None)]
            if orders:
                number = orders[0].value
                dispatcher.utter_message(response="utter_greet_again", name=name, number=number)
        if not number:
            dispatcher.utter_message(response="utter_greet")
        return [SlotSet("offered", {"order": number} if number else None)]


class ActionAffirmGreeting(Action):
    """“Yes, it is about that order”; without an order in the greeting: which of its offers."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_affirm_greeting"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say where the order is. Raises StoreDown."""
        number = (tracker.slots.get("offered") or {}).get("order")
        if not number:
            dispatcher.utter_message(response="utter_which")
            return []
        tracker.slots.update(order_number=number, interrupted=None)
        events = await ActionOrderStatus().run(dispatcher, tracker, domain)
        return [SlotSet("offered", None), *events]


class ActionKnowMe(Action):
    """Says what is remembered, to nobody but who writes from an address of that person."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_know_me"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say it, a line a fact. Raises StoreDown."""
        memory = await memory_shown(tracker)
        known = [one for kind in KINDS for one in memory.of(kind)]
        if known:
            dispatcher.utter_message(response="utter_know_you", facts=_lines(known))
        else:
            dispatcher.utter_message(response="utter_know_nothing")
        return []


class ActionNoted(Action):
    """Says that a fact is remembered; the turn remembers it, see `bot.memory.noticing`."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_noted"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say which, or only thank for what no rule knows."""
        text = str(tracker.latest_message.get("text") or "")
        rules = load_memory()
        found = {
            rule.key: (rule.about, value)
            for rule in rules.rules
            if (value := said_in(text, rule)) and not why_not(value, None, rules.never)
        }
        within = bool((tracker.active_loop or {}).get("name"))
        if found:
            # Who says only who he is has not said yet what he wants.
            asks = list(found) == ["name"] and not within
            facts = "; ".join(f"{about}: {value}" for about, value in found.values())
            response = "utter_name_noted" if asks else "utter_noted"
            dispatcher.utter_message(response=response, facts=facts)
        elif within:
            dispatcher.utter_message(response="utter_fact_thanks")
        else:
            dispatcher.utter_message(response="utter_not_noted")
        return []


class ActionAskForgetThat(Action):
    """Asks whether a fact is really to be forgotten, or all of them."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_ask_forget_that"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Show what it would be. Raises StoreDown."""
        meant = _meant(memory_of(tracker), str(tracker.latest_message.get("text") or ""))
        if not meant:
            dispatcher.utter_message(response="utter_nothing_to_forget")
            return [SlotSet("offered", None)]
        keys = [one.key for one in meant]
        shown = [one for one in (await memory_shown(tracker)).known if one.key in keys]
        dispatcher.utter_message(response="utter_ask_forget_that", facts=_lines(shown))
        return [SlotSet("offered", {"forget": keys})]


class ActionForgetThat(Action):
    """Forgets what the customer has said yes to."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_forget_that"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Take it away. Raises StoreDown."""
        keys = (tracker.slots.get("offered") or {}).get("forget") or []
        found = await person_of(tracker) if keys else None
        if found is None:
            dispatcher.utter_message(response="utter_nothing_to_forget")
            return [SlotSet("offered", None)]
        source = str(tracker.latest_message.get("message_id") or "")
        await unset(store(), found, keys, by=CUSTOMER, source=source)
        dispatcher.utter_message(response="utter_forgot_that")
        return [SlotSet("offered", None)]


class ActionAskForgetMe(Action):
    """Asks whether all is really to be forgotten; with something open a person sees to it."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_ask_forget_me"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Ask, or pass on. Raises StoreDown."""
        found = await person_of(tracker)
        doubt = await in_doubt(tracker)
        if doubt:
            dispatcher.utter_message(response="utter_forget_unsure")
            why = f"wants to be forgotten, and may not be who had the number before: {doubt}"
            return handed(tracker, "data", why, "normal")
        if found is not None and await open_matters(store(), found):
            dispatcher.utter_message(response="utter_forget_later")
            why = "wants to be forgotten while something is open; then: bot customer forget"
            return handed(tracker, "data", why, "normal")
        dispatcher.utter_message(response="utter_ask_forget_me")
        return [SlotSet("offered", {"forget": "me"})]


class ActionForgetMe(Action):
    """Has everything of the person deleted, everywhere, once this answer has gone out."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_forget_me"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say goodbye. Raises StoreDown."""
        asked = (tracker.slots.get("offered") or {}).get("forget") == "me"
        found = await person_of(tracker) if asked else None
        if found is None:
            dispatcher.utter_message(response="utter_kept_in_mind")
            return []
        # Not undone when this turn is thrown away and taken again: the customer has said yes.
        await ask(store(), found, by=CUSTOMER)
        dispatcher.utter_message(response="utter_forgot_me")
        return [SlotSet("offered", None)]


def _lines(known: list[Known]) -> str:
    return "\n".join(f"- {one.line}" for one in known[:_SHOWN])


def _meant(memory: Memory, text: str) -> list[Known]:
    """Return the facts that a text names, all of them when it names none."""
    mine = [one for kind in _OWN for one in memory.of(kind)]
    keys = load_memory().named(text)
    return [one for one in mine if one.key in keys or one.kind in keys] if keys else mine
