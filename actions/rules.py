"""Reading ``data/rules.yml``: what may be done for a customer, by whom, up to what amount."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from actions.identity_rules import Identity, read_identity
from actions.money import pounds, read_pence
from actions.tool_rules import Resolving, ToolRule, read_resolving, read_tools
from bot.settings.nodes import Entry, Origin, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid, listing, suggestion
from bot.settings.validate import Validator, kind_of
from bot.settings.yaml_lines import parse, read

if TYPE_CHECKING:
    from actions.backends.orders import Order

RULES_FILE = Path("data/rules.yml")

log = logging.getLogger(__name__)

#: What was read last, and of which version of the file.
_held: dict[Path, tuple[tuple[int, int], Rules]] = {}
_KEYS = ("refunds", "identity", "resolving", "tools")
_LONGEST_DAYS = 3650
#: Refunds of one order: they stand in it, and no document grows without bound.
_MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class Refunds:
    """When money is given back. Amounts are in pence and of an order, over all its refunds.

    `statuses` are those of orders that may be refunded, one that was delivered `within_days`
    after that. `most` is what customers can have without a person, `agents_most` what agents
    may give.
    """

    within_days: int
    statuses: tuple[str, ...]
    most: int
    agents_most: int

    def left(self, order: Order | None, *, by_agent: bool, at: datetime) -> tuple[int, str]:
        """Return the pence that may still be given back at a time, and why there are none."""
        if order is None:
            return 0, "there is no such order"
        if order.status not in self.statuses:
            stages = listing(status.replace("_", " ") for status in self.statuses)
            stage = str(order.status).replace("_", " ")
            return 0, f"the order is {stage}, refunds are for what is {stages}"
        if order.delivered and at - order.delivered > timedelta(days=self.within_days):
            return 0, f"it was delivered more than {self.within_days} days ago"
        total, given = int(order.total or 0), int(order.refunded or 0)
        if total <= 0:
            return 0, "what was paid for it is not known"
        if len(order.refunds or []) >= _MOST_PARTS:
            return 0, f"it has been refunded in {_MOST_PARTS} parts already"
        most = min(total, self.agents_most if by_agent else self.most)
        if given >= most:
            return 0, f"{pounds(given)} of {pounds(total)} were given back already"
        return most - given, ""

    def against(self, order: Order | None, pence: int, *, by_agent: bool, at: datetime) -> str:
        """Return why so many pence may not be given back, "" when they may."""
        left, why = self.left(order, by_agent=by_agent, at=at)
        if why:
            return why
        if pence <= 0:
            return "the amount is nothing"
        return f"{pounds(pence)} is more than the {pounds(left)} allowed" if pence > left else ""


@dataclass(frozen=True, slots=True)
class Rules:
    """The file, read."""

    refunds: Refunds
    identity: Identity = field(default_factory=Identity)
    resolving: Resolving = field(default_factory=lambda: Resolving(intents=()))
    tools: Mapping[str, ToolRule] = field(default_factory=dict)

    def tool(self, name: str) -> ToolRule:
        """Return the rule of a tool; what the file does not name is not allowed."""
        return self.tools.get(name, ToolRule())


def load_rules(path: Path = RULES_FILE) -> Rules:
    """Read the file, once for as long as it stays as it is.

    While it is broken, the rules are those that were read before: somebody is writing it.
    What is wrong with it is logged, once. Raises SettingsInvalid when none were read before.
    """
    version = _version(path)
    held = _held.get(path)
    if held is not None and held[0] == version:
        return held[1]
    try:
        rules = read_rules(path)
    except SettingsInvalid as error:
        if held is None:
            raise
        log.error("the rules of before are kept: %s", error)
        rules = held[1]
    _held[path] = (version, rules)
    return rules


def read_rules(path: Path = RULES_FILE) -> Rules:
    """Read the file as it is now. Raises SettingsInvalid with all that is wrong, with lines."""
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), problems)


def _version(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_size


def parse_rules(text: str, name: str = "rules.yml") -> Rules:
    """Read the text of such a file; see `load_rules`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), problems)


@dataclass(frozen=True)
class _Refunds:
    within_days: int
    statuses: tuple[str, ...]
    most: str


@dataclass(frozen=True)
class _Agents:
    most: str


def _made(top: Table | None, problems: list[Problem]) -> Rules:
    if top is None:
        raise SettingsInvalid(problems)
    check = _Check({}, problems)
    for key, entry in top.entries.items():
        if key not in _KEYS:
            check.unknown(key, entry, "", dict.fromkeys(_KEYS))
    refunds = check.refunds(top.entries.get("refunds"), top.origin)
    identity = read_identity(check, top.entries.get("identity"))
    resolving = read_resolving(check, top.entries.get("resolving"))
    tools = read_tools(check, top.entries.get("tools"))
    if problems or refunds is None:
        raise SettingsInvalid(problems)
    return Rules(refunds, identity, resolving, tools)


class _Check(Validator):
    """Reads the sections one by one."""

    def refunds(self, entry: Entry | None, top: Origin) -> Refunds | None:
        """Return the rules of refunds, None when something in them is wrong."""
        path = "refunds"
        if entry is None or is_null(entry.node) or not isinstance(entry.node, Table):
            what = f"{path} is {kind_of(entry.node)}" if entry else f"there is no {path}"
            right = "should be a mapping with within_days, statuses, most and agents"
            self.tell(entry.origin if entry else top, what, right)
            return None
        entries = dict(entry.node.entries)
        agents = entries.pop("agents", None)
        own = self.table(_Refunds, Table(entries, entry.node.origin), path, entry.origin)
        if agents is None:
            self.tell(entry.origin, f"{path} has no agents", "add 'agents: {most: …}' to it")
            return None
        theirs = self.table(_Agents, agents.node, f"{path}.agents", agents.origin)
        if not own.good or not theirs.good:
            return None
        inside = agents.node.entries if isinstance(agents.node, Table) else {}
        most = self.amount(own.values, entries, f"{path}.most")
        theirs_most = self.amount(theirs.values, inside, f"{path}.agents.most")
        days = own.values["within_days"]
        if not 0 <= days <= _LONGEST_DAYS:
            where = entries["within_days"].origin
            right = f"should be from 0 to {_LONGEST_DAYS}"
            self.tell(where, f"{path}.within_days is {days}", right)
        statuses = own.values["statuses"]
        for n, status in enumerate(statuses):
            if status not in _statuses():
                what = f"{path}.statuses[{n}] is {status!r}, which no order has"
                self.tell(entries["statuses"].origin, what, suggestion(status, _statuses()))
        return Refunds(days, statuses, most, theirs_most)

    def amount(self, values: Mapping[str, str], entries: Mapping[str, Entry], path: str) -> int:
        """Return the pence of the text `most`."""
        pence = read_pence(values["most"])
        if pence is None:
            what = f"{path} is {values['most'][:40]!r}"
            self.tell(entries["most"].origin, what, "should be an amount in pounds, as in 50.00")
        return pence or 0


def _statuses() -> tuple[str, ...]:
    # Not at import: the backends import this file.
    from actions.backends.orders import Order

    return tuple(Order.status.choices)
