"""The sections ``resolving`` and ``tools`` of ``data/rules.yml``: what a model may use, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from actions.money import read_pence
from bot.settings.nodes import Entry, Table, is_null
from bot.settings.problems import suggestion
from bot.settings.validate import Validator, kind_of

#: Tools that look something up or say something.
READING = (
    "order_status",
    "track",
    "case_lookup",
    "search_articles",
    "ask_customer",
    "hand_over",
)
#: Tools that change something.
EFFECTS = ("cancel_order", "change_address", "refund", "reset_password")
#: Messages that may go to the model, and what answers them when it does not.
INTENTS: Mapping[str, str] = {
    "nlu_fallback": "",
    "question": "",
    "out_of_scope": "",
    "several": "action_several",
    "refund_request": "refund_form",
    "cancel_order": "cancel_form",
    "change_address": "address_form",
    "order_status": "order_form",
    "password_reset": "utter_password_reset",
}
_LONGEST_DAYS = 3650
_MOST_A_DAY = 1000


@dataclass(frozen=True, slots=True)
class ToolRule:
    """Whether a tool may be used, and when.

    `person_above` is in pence, None for no bound; `within_days` of the order and `per_day` for
    one customer are 0 for no bound.
    """

    allowed: bool = False
    confirm: bool = True
    person_above: int | None = None
    within_days: int = 0
    per_day: int = 0


@dataclass(frozen=True)
class Resolving:
    """What goes to the model, and how much it may do.

    `steps` are tool calls and `seconds` the time for one message; a proposal waits `minutes` for
    a yes, and what a shop does not answer is tried for `hours`.
    """

    intents: tuple[str, ...] = ("nlu_fallback", "question", "several")
    steps: int = field(default=6, metadata={"least": 1, "most": 20})
    seconds: float = field(default=8.0, metadata={"least": 1, "most": 60})
    minutes: int = field(default=15, metadata={"least": 1, "most": 24 * 60})
    hours: int = field(default=24, metadata={"least": 1, "most": 24 * 14})


@dataclass(frozen=True)
class _Plain:
    allowed: bool


@dataclass(frozen=True)
class _Effect:
    allowed: bool
    confirm: Literal["always", "never"] = "always"
    person_above: str = ""
    within_days: int = field(default=0, metadata={"least": 0, "most": _LONGEST_DAYS})
    per_day: int = field(default=0, metadata={"least": 0, "most": _MOST_A_DAY})


def read_resolving(check: Validator, entry: Entry | None) -> Resolving:
    """Read the section, telling what is wrong in it."""
    path = "resolving"
    if entry is None or is_null(entry.node):
        return Resolving(intents=())
    if not isinstance(entry.node, Table):
        right = "should be a mapping with intents, steps, seconds, minutes and hours"
        check.tell(entry.origin, f"{path} is {kind_of(entry.node)}", right)
        return Resolving(intents=())
    own = check.table(Resolving, entry.node, path, entry.origin)
    if not own.good:
        return Resolving(intents=())
    made = Resolving(**own.values)
    for n, intent in enumerate(made.intents):
        if intent not in INTENTS:
            what = f"{path}.intents[{n}] is {str(intent)[:40]!r}, which the model does not take"
            right = suggestion(intent, INTENTS) or f"should be of {', '.join(INTENTS)}"
            check.tell(entry.node.entries["intents"].origin, what, right)
    return made


def read_tools(check: Validator, entry: Entry | None) -> Mapping[str, ToolRule]:
    """Read the section, telling what is wrong in it; what it does not name is not allowed."""
    path = "tools"
    if entry is None or is_null(entry.node):
        return {}
    if not isinstance(entry.node, Table):
        right = "should be a mapping, as in {refund: {allowed: true}}"
        check.tell(entry.origin, f"{path} is {kind_of(entry.node)}", right)
        return {}
    made: dict[str, ToolRule] = {}
    for name, inner in entry.node.entries.items():
        if name not in (*READING, *EFFECTS):
            check.unknown(name, inner, path, dict.fromkeys((*READING, *EFFECTS)))
            continue
        cls = _Effect if name in EFFECTS else _Plain
        own = check.table(cls, inner.node, f"{path}.{name}", inner.origin)
        if not own.good or not isinstance(inner.node, Table):
            continue
        values = dict(own.values)
        above = None
        if values.pop("person_above", ""):
            said = str(own.values["person_above"])
            above = read_pence(said)
            where = inner.node.entries["person_above"].origin
            if above is None:
                what = f"{path}.{name}.person_above is {said[:40]!r}"
                check.tell(where, what, "should be an amount in pounds, as in 50.00")
            elif name != "refund":
                what = f"{path}.{name}.person_above is set"
                check.tell(where, what, "should be left out, there is no money in it")
        confirm = values.pop("confirm", "always") == "always"
        made[name] = ToolRule(confirm=confirm, person_above=above, **values)
    return made
