"""The tools that a model may ask for, and the reading of what it gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.money import plain, read_pence
from actions.order_status import read_number
from actions.resolving.spoken import Spoken
from actions.texts import read_email
from actions.tool_rules import EFFECTS
from bot.llm.contract import Tool
from bot.message import clean

_ORDER = {
    "type": "string",
    "description": "the order's number as the customer wrote it, four to six digits",
    "minLength": 4,
    "maxLength": 12,
}
_LINE = {"type": "string", "maxLength": 120}
_REASON = {"type": "string", "maxLength": 300, "description": "why, in the customer's words"}
#: What can be asked of a customer.
ASKED_FOR = ("order_number", "amount", "address", "email", "tracking_number", "matter")


class Malformed(ValueError):
    """A call cannot be made. The text is for the model: what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A tool. `matter` is what ``identity`` in the rules calls it, "" where all may have it."""

    name: str
    description: str
    properties: Mapping[str, Any]
    required: tuple[str, ...] = ()
    matter: str = ""

    @property
    def changes(self) -> bool:
        """Whether it changes something, and so is only proposed."""
        return self.name in EFFECTS

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments: nothing beside what it knows."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }

    def tool(self) -> Tool:
        """Return it as models are told of it."""
        return Tool(self.name, self.description, self.schema)


_ALL = (
    Spec(
        "order_status",
        "Look up where an order is. What comes back is told to the customer by the program.",
        {"number": _ORDER},
        ("number",),
        "order_status",
    ),
    Spec(
        "track",
        "Look up where a parcel is by the carrier's tracking number.",
        {"tracking_number": {"type": "string", "minLength": 6, "maxLength": 40}},
        ("tracking_number",),
        "tracking",
    ),
    Spec(
        "case_lookup",
        "Look up what became of requests that this customer has with the team.",
        {},
    ),
    Spec(
        "search_articles",
        "Find what the company's articles say: delivery, returns, payment, products, the shop.",
        {"query": {"type": "string", "minLength": 2, "maxLength": 300}},
        ("query",),
    ),
    Spec(
        "ask_customer",
        "Ask the customer for one thing that another tool needs and that has not been said.",
        {"what": {"type": "string", "enum": list(ASKED_FOR)}},
        ("what",),
    ),
    Spec(
        "hand_over",
        "Give the conversation to a person of the team: the customer wants one, or no tool fits.",
        {"why": {"type": "string", "maxLength": 200}},
        ("why",),
    ),
    Spec(
        "cancel_order",
        "Propose to cancel an order. The program checks the rules and asks the customer.",
        {"number": _ORDER, "reason": _REASON},
        ("number",),
        "cancel",
    ),
    Spec(
        "change_address",
        "Propose to send an order to another address. The program checks and asks.",
        {
            "number": _ORDER,
            "street": {**_LINE, "description": "street and house number"},
            "more": {**_LINE, "description": "flat, floor; empty when there is none"},
            "city": _LINE,
            "postcode": {"type": "string", "maxLength": 16},
            "country": {"type": "string", "pattern": "^[A-Z]{2}$", "description": "ISO 3166-1"},
        },
        ("number", "street", "city", "postcode"),
        "change_address",
    ),
    Spec(
        "refund",
        "Propose to give money of an order back. Leave amount out when the customer names none. "
        "The program checks the rules and asks the customer.",
        {
            "number": _ORDER,
            "amount": {
                "type": ["string", "number"],
                "description": "pounds, as the customer named them: 12.50",
            },
            "reason": _REASON,
        },
        ("number",),
        "refund",
    ),
    Spec(
        "reset_password",
        "Propose to mail a link for a new password to the address of the customer's account.",
        {"email": {"type": "string", "maxLength": 254}},
        ("email",),
        "password_reset",
    ),
)
TOOLS: Mapping[str, Spec] = {spec.name: spec for spec in _ALL}


def read_arguments(spec: Spec, given: Mapping[str, Any], spoken: Spoken) -> dict[str, str]:
    """Return the arguments of a call as texts, amounts in pounds: ``12.50``.

    What decides over somebody's order must be the customer's own words: a number, an amount,
    an address that stands only in an article, a product's name or the model's head is none.
    Raises Malformed.
    """
    # Its import takes long, and only installations with a model need it.
    from jsonschema import Draft7Validator

    for error in sorted(Draft7Validator(spec.schema).iter_errors(dict(given)), key=str):
        where = ".".join(map(str, error.path)) or "the arguments"
        raise Malformed(f"{where}: {error.validator} of the schema is not met, see the schema")
    values = {name: " ".join(clean(str(value)).split()) for name, value in given.items()}
    values = {name: value for name, value in values.items() if value}
    for name in spec.required:
        if name not in values:
            raise Malformed(f"{name} is empty, ask the customer for it")
    if "number" in values:
        number = read_number(values["number"])
        if number is None:
            raise Malformed("number: four to six digits are right")
        if not spoken.number(number):
            raise Malformed("number: the customer has not named it, ask for it")
        values["number"] = number
    if "amount" in values:
        pence = read_pence(values["amount"])
        if pence is None or pence <= 0:
            raise Malformed("amount: pounds are right, as in 12.50")
        if not spoken.amount(pence):
            raise Malformed("amount: the customer has not named it, leave it out or ask for it")
        values["amount"] = plain(pence)
    if "email" in values:
        email = read_email(values["email"])
        if email is None or not spoken.word(email):
            raise Malformed("email: the customer has not named it, ask for it")
        values["email"] = email.lower()
    if "tracking_number" in values and not spoken.word(values["tracking_number"]):
        raise Malformed("tracking_number: the customer has not named it, ask for it")
    for name in ("street", "more", "city", "postcode"):
        if name in values and not spoken.words(values[name]):
            raise Malformed(f"{name}: the customer has not said so, ask for the address")
    return values
