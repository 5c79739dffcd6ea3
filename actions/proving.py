"""Before anything personal is said or changed: is it the customer's own? A code shows it.

An action that needs a proof asks `require` for it. Where there is none yet, a code goes to an
address on file, what the action has to go on is put by in the slot ``proof``, and the form
``proof_form`` asks for the code. Once it is right, `ActionProve` runs the action again.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mongoengine import Document
from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.backends.errors import BackendError, NotFound
from actions.backends.opening import shop
from actions.forms import FILLED, PATIENCE, Patient, cleared, offer_person
from actions.handoff import handed
from actions.identity_rules import Identity
from actions.rules import load_rules
from bot.identity import customer_of
from bot.identity.codes import read_code
from bot.identity.guarding import DIGITS, LONG_DIGITS
from bot.identity.proving import Asked, Words, account_of, by_channel, challenge, check, proven
from bot.identity.reaching import MAIL, SMS, OnFile, Ways, way_to, ways
from bot.message import Address
from bot.store import AsyncStore, open_store
from bot.store.conversations import Conversation
from bot.store.customers import Customer, Merge
from bot.store.proofs import PROOFS

_DEFAULT_STORE = "sqlite:var/bot.db"
_DOCUMENTS: tuple[type[Document], ...] = (Conversation, Customer, Merge, *PROOFS)
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
RIGHT, REFUSED, GUARDED = "right", "refused", "guarded"
#: What the desk is told of a proof that there is not.
_TOLD = {
    REFUSED: "identity not proven: too many wrong codes of this customer",
    GUARDED: "identity not proven: wrong codes have been typed for this account before, perhaps by "
    "somebody who guesses",
    "too often": "identity not proven: too many codes for this customer",
    "asked for": "identity not proven: too many codes have been asked for this account, perhaps by "
    "somebody else",
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

_lock = threading.Lock()
_stores: dict[tuple[int, str], AsyncStore] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants: of an order's `number`, or of the account of a mail address.

    `action` goes on with it. `topic`, `why` and `priority` are for the person who sees to it
    where there can be no proof.
    """

    action: str
    topic: str
    why: str
    priority: str = "normal"
    number: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands. With `events` the action ends with these: a code is asked for.

    Else `enough` says whether it may be done, and `told` for people at the desk why, or why not.
    `account` is whose it is proven to be.
    """

    enough: bool
    told: str = ""
    events: list[dict[str, Any]] | None = None
    account: str = ""

    def response(self, name: str) -> str:
        """Return the response for who is passed on: ``…_proven`` need not be asked who he is."""
        return f"{name}_proven" if self.enough and self.told else name

    def with_why(self, why: str) -> str:
        """Return what the desk is told of what is wanted."""
        return f"{why}; {self.told}" if self.told else why


def store() -> AsyncStore:
    """Return the store that ``FRONTDESK_STORE_URL`` names, opened once a process and URL."""
    url = os.environ.get("FRONTDESK_STORE_URL") or _DEFAULT_STORE
    key = os.getpid(), url
    with _lock:
        if key not in _stores:
            _stores[key] = AsyncStore(open_store(url), _DOCUMENTS, threads=1)
        return _stores[key]


def cause_of(tracker: Tracker) -> str:
    """Return the id of the message that an action runs for."""
    return str(tracker.latest_message.get("message_id") or tracker.sender_id)


async def require(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: Mapping[str, Any],
    matter: str,
    wanted: Wanted,
) -> Standing:
    """See that a matter of ``data/rules.yml`` may be told or done. Raises StoreDown.

    What it says is about the code alone, and the same whoever the order is of.
    """
    rules = load_rules().identity
    if rules.need(matter) != "proof":
        return Standing(True)
    here = address_of(tracker)
    try:
        on_file, real = await _on_file(wanted.number, wanted.email)
    except BackendError:
        return Standing(False, "identity not checked: the shop's system does not answer")
    account = account_of(on_file)
    if here is None or not account:
        return Standing(False, "identity not proven: there is no address on file")
    if by_channel(here, on_file, rules.channels) and not await in_doubt(tracker):
        told = "identity proven: writes from the number on file"
        return Standing(True, told, account=account)
    if await proven(store(), here, account):
        told = "identity proven by a code to the address on file"
        return Standing(True, told, account=account)
    typed = not wanted.number
    asked = await _send(tracker, domain, here, on_file, rules, real=real, typed=typed)
    if asked.became == "no way":
        return Standing(False, "identity not proven: no code can be sent")
    if asked.became != "sent":
        return Standing(False, events=_enough(dispatcher, tracker, asdict(wanted), asked))
    dispatcher.utter_message(response=f"utter_proof_by_{asked.way}", hint=asked.hint)
    filled = ("order_number", *FILLED)
    kept = {name: tracker.slots[name] for name in filled if tracker.slots.get(name) is not None}
    if wanted.number:
        kept["order_number"] = wanted.number
    sent = {"hint": asked.hint, "way": asked.way, "digits": asked.digits}
    by = {**asdict(wanted), "kept": kept, **sent}
    return Standing(
        False,
        events=[
            *cleared(tracker, "order_number"),
            SlotSet("proof", by),
            FollowupAction("proof_form"),
        ],
    )


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
            on_file, _ = await _on_file(wanted["number"], wanted["email"])
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
            events = _to_person(tracker, wanted, _TOLD[GUARDED if guarded else REFUSED])
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
            on_file, real = await _on_file(wanted.get("number", ""), wanted.get("email", ""))
        except BackendError:
            on_file, real = OnFile(), False
        asked = Asked("no way")
        if here is not None and wanted:
            rules = load_rules().identity
            typed = not wanted.get("number")
            way = _named(tracker) or wanted.get("way") or ""
            if way not in _ways_to(on_file, rules, typed=typed):
                way = ""
            asked = await _send(
                tracker, domain, here, on_file, rules, real=real, typed=typed, only=way
            )
        if asked.became == "sent":
            sent = {"hint": asked.hint, "way": asked.way, "digits": asked.digits}
            return [SlotSet("proof", _told({**wanted, **sent}, tracker, "sent"))]
        events = _enough(dispatcher, tracker, wanted, asked)
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
        return [*_to_person(tracker, wanted, told), FollowupAction("action_listen")]


async def _others(wanted: Mapping[str, Any]) -> list[str]:
    """Return the ways to addresses on file that the code has not taken."""
    number, email = str(wanted.get("number") or ""), str(wanted.get("email") or "")
    try:
        on_file, _ = await _on_file(number, email)
    except BackendError:
        return []
    found = _ways_to(on_file, load_rules().identity, typed=not number)
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


def _enough(
    dispatcher: CollectingDispatcher, tracker: Tracker, wanted: Mapping[str, Any], asked: Asked
) -> list[dict[str, Any]]:
    """Say that no more codes are sent, and have a person see to it."""
    guarded = asked.became == "guarded"
    response = "utter_proof_guarded" if guarded else "utter_proof_too_often"
    dispatcher.utter_message(response=response)
    return _to_person(tracker, wanted, _TOLD["asked for" if guarded else "too often"])


def _to_person(tracker: Tracker, wanted: Mapping[str, Any], told: str) -> list[dict[str, Any]]:
    why = "; ".join(part for part in (wanted.get("why"), told) if part)
    topic, priority = wanted.get("topic") or "human", wanted.get("priority") or "normal"
    return [*handed(tracker, topic, why, priority), SlotSet("order_number", None)]


async def _on_file(number: str, email: str) -> tuple[OnFile, bool]:
    """Return the addresses of whose it is, and whether there is such an account.

    Raises BackendError, but for an account that there is not.
    """
    if not number and not email:
        return OnFile(), False
    try:
        if number:
            order = await (await shop()).find(number)
            return OnFile(order.email, order.phone), True
        found = await (await shop()).account(email)
        return OnFile(found.email, found.phone), True
    except NotFound:
        # An order without a customer has no address. Of a mail address nobody is to learn
        # whether it has an account.
        return (OnFile(), False) if number else (OnFile(email), False)


async def _send(
    tracker: Tracker,
    domain: Mapping[str, Any],
    here: Address,
    on_file: OnFile,
    rules: Identity,
    *,
    real: bool,
    typed: bool,
    only: str = "",
) -> Asked:
    """Have a code sent, with `only` by that way."""
    allowed = _allowed(rules, typed=typed)
    if only:
        allowed = Ways(allowed.mail and only == MAIL, allowed.sms if only == SMS else "")
    if not way_to(on_file, allowed):
        return Asked("no way")
    words = Words(
        _words(domain, "utter_proof_mail_subject"),
        _words(domain, "utter_proof_mail"),
        _words(domain, "utter_proof_sms"),
    )
    cause = cause_of(tracker)
    return await challenge(store(), here, on_file, allowed, words, cause, real=real)


def _allowed(rules: Identity, *, typed: bool) -> Ways:
    given = ways()
    # Of a mail address that is `typed` a text message would tell that it has an account, and
    # two digits of its number.
    by_text = SMS in rules.send and not typed
    return Ways(given.mail and MAIL in rules.send, given.sms if by_text else "")


def _ways_to(on_file: OnFile, rules: Identity, *, typed: bool) -> list[str]:
    """Return the ways by which a code can reach an address on file."""
    allowed = _allowed(rules, typed=typed)
    each = {MAIL: Ways(mail=allowed.mail), SMS: Ways(sms=allowed.sms)}
    return [way for way, alone in each.items() if way_to(on_file, alone)]


def _words(domain: Mapping[str, Any], name: str) -> str:
    return str(domain["responses"][name][0]["text"])


async def in_doubt(tracker: Tracker) -> str:
    """Return why who writes may be somebody else than before, "" when nothing says so."""
    here = address_of(tracker)
    found = (await customer_of(store(), here)).members if here is not None else ()
    key = here.key if here is not None else ""
    return next((m.doubt_why or "signs of it" for m in found if m.address == key and m.doubt), "")


def address_of(tracker: Tracker) -> Address | None:
    """Return where the customer writes; None for a conversation of Rasa's own tools."""
    try:
        return Address.parse(str(tracker.sender_id))
    except ValueError:
        return None
