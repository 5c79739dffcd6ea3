"""The form that asks for a code, and what is done once it is right, late, or cannot be read."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.backends.errors import BackendError
from actions.forms import PATIENCE, Patient, offer_person
from actions.proving import (
    GUARDED,
    REFUSED,
    RIGHT,
    TOLD,
    address_of,
    cause_of,
    enough,
    on_file_of,
    send,
    store,
    to_person,
    ways_to,
)
from actions.rules import load_rules
from bot.identity.codes import read_code
from bot.identity.guarding import DIGITS, LONG_DIGITS
from bot.identity.proving import Asked, account_of, check
from bot.identity.reaching import MAIL, SMS, OnFile

#: What goes on after a proof, by name.
_THEN = {
    "action_cancel_order": "actions.cancel:ActionCancelOrder",
    "action_change_address": "actions.address:ActionChangeAddress",
    "action_order_status": "actions.order_status:ActionOrderStatus",
    "action_refund": "actions.refund:ActionRefund",
    "action_register_exchange": "actions.returning:ActionRegisterExchange",
    "action_register_return": "actions.returning:ActionRegisterReturn",
    "action_resolve": "actions.resolving.action:ActionResolve",
    "action_request_data": "actions.passing_on:ActionRequestData",
    "action_send_invoice": "actions.passing_on:ActionSendInvoice",
}
#: How the code is asked for after what has just become of one.
_ASKED = {
    "wrong": "utter_proof_wrong",
    "unclear": "utter_proof_code_unclear",
    "none": "utter_proof_too_old",
    "sent": "utter_proof_again",
    "elsewhere": "utter_proof_cannot_read",
}
#: Which way somebody wants the code to take who names one.
_NAMED = {MAIL: re.compile(r"\be?-?mails?\b", re.I), SMS: re.compile(r"\b(sms|text|phone)\b", re.I)}
_BY = {MAIL: "Send it by e-mail", SMS: "Send it by SMS"}
_AGAIN = {"title": "Send it again", "payload": "/code_missing"}

#: How many digits a code has, in words.
_DIGITS = {DIGITS: "six", LONG_DIGITS: "nine"}


class ValidateProofForm(Patient):
    """Tries the code that is typed."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_proof_form"

    async def validate_proof_code(
        self,
        slot_value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        """Return what became of it, None to be asked again. The digits are not kept."""
        became = await self._became(str(slot_value), tracker)
        # “My code is …” is taken for one that joins channels, too.
        taken: dict[str, Any] = {"proof_code": became, "link_code": None}
        if became in (RIGHT, REFUSED, GUARDED):
            return taken
        # Said together with the question for the code, see `ActionAskProofCode`.
        wanted = tracker.slots.get("proof") or {}
        return {**taken, "proof_code": None, "proof": _told(wanted, tracker, became)}

    async def _became(self, typed: str, tracker: Tracker) -> str:
        code, here = read_code(typed), address_of(tracker)
        wanted = tracker.slots.get("proof") or {}
        if here is None or not wanted:
            return REFUSED
        if code is None:
            return "unclear"
        try:
            on_file, _ = await on_file_of(wanted["number"], wanted["email"])
        except BackendError:
            return REFUSED
        life = load_rules().identity.life
        account = account_of(on_file)
        became = await check(store(), here, account, code, cause_of(tracker), life)
        if became in ("wrong", "none", GUARDED):
            return became
        return RIGHT if became == "proven" else REFUSED


class ActionAskProofCode(Action):
    """Asks for the code, and says in the same message what became of the last one."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_ask_proof_code"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Ask."""
        wanted = tracker.slots.get("proof") or {}
        told = wanted.get("told") if wanted.get("told_to") == cause_of(tracker) else None
        response = _ASKED.get(told or "", "utter_proof_code_wanted")
        digits = _DIGITS.get(wanted.get("digits") or DIGITS, "")
        dispatcher.utter_message(response=response, hint=wanted.get("hint") or "", digits=digits)
        if told == "elsewhere":
            ways_left = [_by(way) for way in wanted.get("others") or ()]
            dispatcher.messages[-1]["buttons"] = [dict(_AGAIN), *ways_left]
            offer_person(dispatcher)
        tries = tracker.slots.get("attempts") or {}
        if told in ("wrong", "unclear") and int(tries.get("number") or 0) >= PATIENCE:
            offer_person(dispatcher)
        return []


class ActionProve(Action):
    """Goes on with what was wanted once it is proven, or passes it on to a person."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_prove"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Run what had to wait; its events follow. Raises what that raises."""
        wanted = tracker.slots.get("proof") or {}
        forgotten = [SlotSet("proof", None), SlotSet("proof_code", None)]
        if tracker.slots.get("proof_code") != RIGHT or wanted.get("action") not in _THEN:
            guarded = tracker.slots.get("proof_code") == GUARDED
            response = "utter_proof_guarded" if guarded else "utter_proof_refused"
            dispatcher.utter_message(response=response)
            events = to_person(tracker, wanted, TOLD[GUARDED if guarded else REFUSED])
            return [*forgotten, *events]
        dispatcher.utter_message(response="utter_proof_done")
        module, _, cls = _THEN[wanted["action"]].partition(":")
        action = getattr(importlib.import_module(module), cls)()
        slots = {**tracker.slots, "proof": None, "proof_code": None, **wanted["kept"]}
        resumed = Tracker(
            tracker.sender_id,
            slots,
            tracker.latest_message,
            tracker.events,
            False,
            None,
            {},
            tracker.latest_action_name,
        )
        if inspect.iscoroutinefunction(action.run):
            events = await action.run(dispatcher, resumed, domain)
        else:
            events = await asyncio.to_thread(action.run, dispatcher, resumed, domain)
        return [*forgotten, *events]


class ActionProofAgain(Action):
    """Sends another code."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_proof_again"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Send it, or pass on to a person who has had enough of them. Raises StoreDown."""
        wanted, here = tracker.slots.get("proof") or {}, address_of(tracker)
        try:
            on_file, real = await on_file_of(wanted.get("number", ""), wanted.get("email", ""))
        except BackendError:
            on_file, real = OnFile(), False
        asked = Asked("no way")
        if here is not None and wanted:
            rules = load_rules().identity
            typed = not wanted.get("number")
            way = _named(tracker) or wanted.get("way") or ""
            if way not in ways_to(on_file, rules, typed=typed):
                way = ""
            asked = await send(
                tracker, domain, here, on_file, rules, real=real, typed=typed, only=way
            )
        if asked.became == "sent":
            sent = {"hint": asked.hint, "way": asked.way, "digits": asked.digits}
            return [SlotSet("proof", _told({**wanted, **sent}, tracker, "sent"))]
        events = enough(dispatcher, tracker, wanted, asked)
        # The form that the rule goes on with has ended.
        return [*events, FollowupAction("action_listen")]


class ActionProofElsewhere(Action):
    """The customer cannot read what goes to the address on file.

    Another one on file is offered once, and to who has a new address what there is to do;
    else it is for a person.
    """

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_proof_elsewhere"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Offer what is left, or pass on what was wanted."""
        wanted = tracker.slots.get("proof") or {}
        others = await _others(wanted)
        new = (tracker.latest_message.get("intent") or {}).get("name") == "account"
        if "others" not in wanted and (others or new):
            return [SlotSet("proof", _told({**wanted, "others": others}, tracker, "elsewhere"))]
        dispatcher.utter_message(response="utter_proof_elsewhere")
        told = "identity not proven: says that the address on file is out of reach"
        # The form that the rule goes on with has ended.
        return [*to_person(tracker, wanted, told), FollowupAction("action_listen")]


async def _others(wanted: Mapping[str, Any]) -> list[str]:
    """Return the ways to addresses on file that the code has not taken."""
    number, email = str(wanted.get("number") or ""), str(wanted.get("email") or "")
    try:
        on_file, _ = await on_file_of(number, email)
    except BackendError:
        return []
    found = ways_to(on_file, load_rules().identity, typed=not number)
    return [way for way in found if way != wanted.get("way")]


def _named(tracker: Tracker) -> str:
    """Return the way that a message names alone, "" for none or both."""
    text = str(tracker.latest_message.get("text") or "")
    found = [way for way, words in _NAMED.items() if words.search(text)]
    return found[0] if len(found) == 1 else ""


def _by(way: str) -> dict[str, str]:
    # What is read as if it had been written.
    return {"title": _BY[way], "payload": _BY[way].lower()}


def _told(wanted: Mapping[str, Any], tracker: Tracker, became: str) -> dict[str, Any]:
    """Return what waits for a proof, with what is to be said of a code in this turn."""
    return {**wanted, "told": became, "told_to": cause_of(tracker)}
