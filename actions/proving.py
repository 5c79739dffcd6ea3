"""Before anything personal is said or changed: is it the customer's own? A code shows it.

An action that needs a proof asks `require` for it. Where there is none yet, a code goes to an
address on file, what the action has to go on is put by in the slot ``proof``, and the form
``proof_form`` asks for the code. Once it is right, `ActionProve` runs the action again; both are
in ``actions/proof_form.py``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mongoengine import Document
from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.backends.errors import BackendError, NotFound
from actions.backends.opening import shop
from actions.forms import FILLED, cleared
from actions.handoff import handed
from actions.identity_rules import Identity
from actions.rules import load_rules
from bot.identity import customer_of
from bot.identity.proving import Asked, Words, account_of, by_channel, challenge, proven
from bot.identity.reaching import MAIL, SMS, OnFile, Ways, way_to, ways
from bot.message import Address
from bot.store import AsyncStore, open_store
from bot.store.conversations import Conversation
from bot.store.customers import Customer, Merge
from bot.store.proofs import PROOFS

_DEFAULT_STORE = "sqlite:var/bot.db"
_DOCUMENTS: tuple[type[Document], ...] = (Conversation, Customer, Merge, *PROOFS)
RIGHT, REFUSED, GUARDED = "right", "refused", "guarded"
#: What the desk is told of a proof that there is not.
TOLD = {
    REFUSED: "identity not proven: too many wrong codes of this customer",
    GUARDED: "identity not proven: wrong codes have been typed for this account before, perhaps by "
    "somebody who guesses",
    "too often": "identity not proven: too many codes for this customer",
    "asked for": "identity not proven: too many codes have been asked for this account, perhaps by "
    "somebody else",
}

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
        on_file, real = await on_file_of(wanted.number, wanted.email)
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
    asked = await send(tracker, domain, here, on_file, rules, real=real, typed=typed)
    if asked.became == "no way":
        return Standing(False, "identity not proven: no code can be sent")
    if asked.became != "sent":
        return Standing(False, events=enough(dispatcher, tracker, asdict(wanted), asked))
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


def enough(
    dispatcher: CollectingDispatcher, tracker: Tracker, wanted: Mapping[str, Any], asked: Asked
) -> list[dict[str, Any]]:
    """Say that no more codes are sent, and have a person see to it."""
    guarded = asked.became == "guarded"
    response = "utter_proof_guarded" if guarded else "utter_proof_too_often"
    dispatcher.utter_message(response=response)
    return to_person(tracker, wanted, TOLD["asked for" if guarded else "too often"])


def to_person(tracker: Tracker, wanted: Mapping[str, Any], told: str) -> list[dict[str, Any]]:
    """Return the events by which a person sees to what was `wanted`, `told` why nobody else may."""
    why = "; ".join(part for part in (wanted.get("why"), told) if part)
    topic, priority = wanted.get("topic") or "human", wanted.get("priority") or "normal"
    return [*handed(tracker, topic, why, priority), SlotSet("order_number", None)]


async def on_file_of(number: str, email: str) -> tuple[OnFile, bool]:
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


async def send(
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


def ways_to(on_file: OnFile, rules: Identity, *, typed: bool) -> list[str]:
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
