"""What only a person may do or tell: collected by a form, and passed on with all of it.

Invoices, copies of data and their deletion are for the person they are about, and a code to
an address on file shows that it is he who asks; complaints are a person's to answer.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.forms import Patient, reason_of, take_words
from actions.handoff import handed
from actions.order_status import TakesOrder
from actions.proving import Wanted, address_of, require, store
from actions.texts import asks, read_complaint, read_email, read_phone
from bot.identity.proving import forget

_HERE = "this chat"


class _TakesEmail:
    """For forms that ask for a mail address."""

    def validate_email(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the address alone, or None, having said what is wrong with it."""
        email = read_email(value)
        if email is None:
            later = asks(value)
            dispatcher.utter_message(response="utter_ask_later" if later else "utter_email_unclear")
        return {"email": email}


class ValidateInvoiceForm(TakesOrder, _TakesEmail):
    """Checks what an invoice is asked for with."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_invoice_form"


class ActionSendInvoice(Action):
    """Passes on that an invoice is wanted by mail."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_send_invoice"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say that a person sends it once it is sure whose it is."""
        number, email = tracker.slots.get("order_number"), tracker.slots.get("email")
        why = f"wants the invoice of order {number} sent to {email}"
        wanted = Wanted(self.name(), "invoice", why, number=str(number or ""))
        standing = await require(dispatcher, tracker, domain, "invoice", wanted)
        if standing.events is not None:
            return standing.events
        response = standing.response("utter_invoice_passed_on")
        dispatcher.utter_message(response=response, number=number)
        events = handed(tracker, "invoice", standing.with_why(why), "normal")
        return [*events, SlotSet("order_number", None)]


class ValidateDataForm(_TakesEmail, Patient):
    """Checks what a wish about one's own data is told with."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_data_form"


class ActionRequestData(Action):
    """Passes on that somebody wants a copy of his data, or all of it deleted."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_request_data"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say what happens next, and by when."""
        deletion = tracker.slots.get("data_wish") == "deletion"
        wish = "their account and data deleted" if deletion else "a copy of their data"
        email = str(tracker.slots.get("email") or "")
        why = f"wants {wish}; mail address given: {email}"
        wanted = Wanted(self.name(), "data", why, email=email)
        standing = await require(dispatcher, tracker, domain, "data", wanted)
        if standing.events is not None:
            return standing.events
        response = "utter_deletion_passed_on" if deletion else "utter_data_passed_on"
        dispatcher.utter_message(response=standing.response(response))
        here = address_of(tracker)
        if deletion and here is not None:
            await forget(store(), here)
        told = standing.with_why(why) if standing.told else f"{why}; identity not proven"
        return handed(tracker, "data", told, "normal")


class ValidateComplaintForm(Patient):
    """Takes a complaint only once it says what about."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_complaint_form"

    def validate_complaint(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what was typed, or None for what only says that there is a complaint."""
        told = read_complaint(value)
        if told is None and tracker.slots.get("requested_slot") == "complaint":
            dispatcher.utter_message(response="utter_words_unclear")
        return {"complaint": told}

    def validate_contact(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a mail address, a phone number, or that this chat will do."""
        if value == "here":
            return {"contact": _HERE}
        contact = read_email(value) or read_phone(value)
        if contact is None:
            dispatcher.utter_message(response="utter_contact_unclear")
        return {"contact": contact}


class ActionComplain(Action):
    """Passes a complaint on, in the customer's own words."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_complain"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say who reads it."""
        dispatcher.utter_message(response="utter_complaint_passed_on")
        contact = tracker.slots.get("contact") or _HERE
        why = f"complains: {tracker.slots.get('complaint')} (to be answered: {contact})"
        return handed(tracker, "complaint", why, "high")


class ValidateRefundForm(TakesOrder):
    """Checks what a refund is asked for with."""

    unasked = frozenset({"refund_amount"})

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_refund_form"

    async def extract_refund_reason(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a reason that is told at once, or that ends a form elsewhere."""
        return reason_of(self, tracker, "refund_reason")

    def validate_refund_reason(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return why, as typed."""
        return {"refund_reason": take_words(value, dispatcher)}
