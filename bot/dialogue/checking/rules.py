"""What each rule must be for Rasa's RulePolicy to take it, which says so without a line.

See `_check_rule_restriction` and `_check_for_incomplete_rules` in
rasa/core/policies/rule_policy.py of Rasa 3.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Findings, Place
from bot.dialogue.checking.stories import Step, Told

_ENDED = "null"


@dataclass
class _Sets:
    """What follows an action in one rule or another: slots, and loops that begin or end."""

    slots: dict[str, Place] = field(default_factory=dict)
    loops: dict[str, Place] = field(default_factory=dict)


def check_rules(told: list[Told], domain: Domain, findings: Findings, *, restricted: bool) -> None:
    """Tell of rules with two messages (if `restricted`), and of actions told incompletely."""
    rules = [one for one in told if one.kind == "rule"]
    table: dict[str, _Sets] = {}
    for rule in rules:
        if restricted:
            _one_message(rule, findings)
        _collect(rule, domain, table)
    for rule in rules:
        _unfinished(rule, domain, findings)
        _incomplete(rule, domain, table, findings)


def _one_message(rule: Told, findings: Findings) -> None:
    said = [step for step in rule.steps if _says(step)]
    if len(said) > 1:
        what = f"rule {rule.name!r} has {len(said)} messages of the customer"
        findings.error(said[1].at, "rule", what, "should have one; make a story of it")


def _says(step: Step) -> bool:
    if step.kind == "or":
        return any(_says(one) for one in step.choices)
    return step.kind in ("intent", "user")


def _after_actions(rule: Told) -> Iterator[tuple[str, Step]]:
    """Yield slots and loops with the action that they follow."""
    action = ""
    for step in rule.steps:
        if step.kind == "action":
            action = step.name
        elif _says(step) or step.kind == "bot":
            action = ""
        elif action and step.kind in ("slots", "loop"):
            yield action, step


def _collect(rule: Told, domain: Domain, table: dict[str, _Sets]) -> None:
    for action, step in _after_actions(rule):
        sets = table.setdefault(action, _Sets())
        if step.kind == "loop":
            sets.loops.setdefault(step.name or _ENDED, step.at)
        for name, _ in step.slots:
            if name in domain.slots and domain.influences(name):
                sets.slots.setdefault(name, step.at)


def _unfinished(rule: Told, domain: Domain, findings: Findings) -> None:
    """Tell of an action right after a form that is still active: the form waits for an answer."""
    loop = next((step.name for step in rule.condition if step.kind == "loop"), "")
    asking = False
    for step in rule.steps:
        if step.kind == "loop":
            loop, asking = step.name, False
        elif step.kind in ("action", "bot"):
            if asking:
                what = f"{rule.name!r} goes on with {step.name!r} while {loop} is still active"
                findings.error(step.at, "rule", what, "put '- active_loop: null' before it")
                return
            asking = step.kind == "action" and bool(loop) and step.name == loop
        elif _says(step):
            asking = False


def _incomplete(rule: Told, domain: Domain, table: dict[str, _Sets], findings: Findings) -> None:
    known = {name for step in rule.condition for name, _ in step.slots}
    loop = next((step.name for step in rule.condition if step.kind == "loop"), "")
    waiting: tuple[Step, _Sets] | None = None
    for step in rule.steps:
        if step.kind in ("action", "bot") or _says(step):
            if waiting:
                _tell(rule, *waiting, known, loop, findings)
            sets = table.get(step.name) if step.kind == "action" else None
            waiting = (step, sets) if sets else None
        elif step.kind == "loop":
            loop = step.name or _ENDED
        elif step.kind == "slots":
            known |= {name for name, _ in step.slots}
        elif step.kind == "or":
            known |= {name for one in step.choices for name, _ in one.slots}
    if waiting and rule.waits:
        _tell(rule, *waiting, known, loop, findings)


def _tell(
    rule: Told, step: Step, sets: _Sets, known: set[str], loop: str, findings: Findings
) -> None:
    missing = [name for name in sets.slots if name not in known]
    if missing:
        at = sets.slots[missing[0]]
        what = f"after {step.name} rule {rule.name!r} sets no {missing[0]}, as {at.file}:{at.line}"
        right = f"add '- slot_was_set:', or take that one out if {step.name} need not set it"
        findings.error(step.at, "rule", what + " does", right)
    if sets.loops and loop not in sets.loops:
        name, at = next(iter(sets.loops.items()))
        what = f"after {step.name} rule {rule.name!r} says nothing of the form"
        right = f"add '- active_loop: {name}', as in {at.file}:{at.line}"
        findings.error(step.at, "rule", what, right)
