"""It is me on WhatsApp too: a code made in one conversation and typed in another."""

from __future__ import annotations

import os
import threading
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.identity import issue, redeem
from bot.identity.codes import LIFE, read_code
from bot.message import Address
from bot.store import AsyncStore, open_store
from bot.store.conversations import Conversation
from bot.store.customers import Customer, LinkCode, LinkTry, Merge

_DEFAULT_STORE = "sqlite:var/bot.db"
_DOCUMENTS = (Conversation, Customer, Merge, LinkCode, LinkTry)
#: What customers call a channel.
_NAMES = {
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "messenger": "Messenger",
    "sms": "text message",
    "webchat": "our web chat",
}
_SAID = {
    "linked": "utter_link_done",
    "wrong": "utter_link_wrong",
    "here": "utter_link_here",
    "too often": "utter_link_too_often",
    "too many": "utter_link_too_many",
}

_lock = threading.Lock()
_stores: dict[tuple[int, str], AsyncStore] = {}


def _store() -> AsyncStore:
    """Return the store that ``FRONTDESK_STORE_URL`` names, opened once a process and URL."""
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _stores:
            _stores[key] = AsyncStore(open_store(url), _DOCUMENTS, threads=1)
        return _stores[key]


def _here(tracker: Tracker) -> Address | None:
    """Return where the customer writes; None for a conversation of Rasa's own tools."""
    try:
        return Address.parse(str(tracker.sender_id))
    except ValueError:
        return None


class ActionLinkCode(Action):
    """Gives the customer a code to be typed on another channel."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_link_code"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Make a code, which ends the one before, and say it. Raises StoreDown."""
        here = _here(tracker)
        if here is None:
            dispatcher.utter_message(response="utter_link_not_here")
            return []
        code = await issue(_store(), here)
        minutes = int(LIFE.total_seconds() // 60)
        dispatcher.utter_message(response="utter_link_code", code=code, minutes=minutes)
        return []


class ValidateLinkForm(FormValidationAction):
    """Takes a code if it looks like one; whether it is right, is tried once it is taken."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_link_form"

    def validate_link_code(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the digits alone, or None, having said why if something was typed."""
        code = read_code(str(slot_value))
        if code is None and any(c.isdecimal() for c in str(slot_value)):
            dispatcher.utter_message(response="utter_link_code_unclear")
        return {"link_code": code}


class ActionLink(Action):
    """Makes two conversations one customer's."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_link"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Try the code, say what became of it, and forget it. Raises StoreDown."""
        here = _here(tracker)
        if here is None:
            dispatcher.utter_message(response="utter_link_not_here")
        else:
            done = await redeem(_store(), here, str(tracker.get_slot("link_code")))
            channel = _NAMES.get(done.other.channel, done.other.channel) if done.other else ""
            dispatcher.utter_message(response=_SAID[done.became], channel=channel)
        return [SlotSet("link_code", None)]
