"""Rules that contradict each other, and stories that contradict rules.

A rule decides what is done after what came before it, under its condition. Two rules with
the same past and the same condition that want different things cannot both be followed;
Rasa ends its training with a page about them, which names no line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Findings, Place
from bot.dialogue.checking.stories import Step, Told

LISTEN = "action_listen"
#: Of a rule with many ``or``, so many readings are looked at.
_READINGS = 64

Key = tuple[str, ...]


@dataclass(frozen=True)
class _Wants:
    """What a rule or story does after something: the action, and where that is written."""

    action: str
    at: Place
    told: str


def check_contradictions(told: list[Told], domain: Domain, findings: Findings) -> None:
    """Tell of rules that contradict each other, and of stories that contradict a rule."""
    table: dict[tuple[Key, Key], _Wants] = {}
    for one in told:
        if one.kind == "rule":
            for reading in _readings(one):
                _follow(reading, domain, table, findings)
    alone = {past: wants for (condition, past), wants in table.items() if not condition and past}
    for one in told:
        if one.kind == "story":
            for reading in _readings(one):
                _compare(reading, domain, alone, findings)


def _readings(told: Told) -> Iterator[Told]:
    parts = [step.choices if step.kind == "or" else (step,) for step in told.steps]
    for steps in islice(product(*parts), _READINGS):
        yield replace(told, steps=list(steps))


def _key(step: Step, domain: Domain) -> str:
    """Return what policies see of a step; "" for nothing."""
    if step.kind == "intent":
        return " ".join([f"intent {step.name}", *step.entities])
    if step.kind == "slots":
        seen = sorted(f"{name}={value}" for name, value in step.slots if domain.influences(name))
        return f"slots {' '.join(seen)}" if seen else ""
    return f"{step.kind} {step.name}"


def _follow(
    rule: Told, domain: Domain, table: dict[tuple[Key, Key], _Wants], findings: Findings
) -> None:
    keys = [_key(step, domain) for step in rule.condition]
    condition = tuple(sorted({*filter(None, keys), *(["start"] if rule.start else [])}))
    past: list[str] = []
    said = False
    for step in rule.steps:
        if step.kind in ("action", "bot"):
            # An action at the very beginning is what came before, not what is to be done.
            if past and step.name:
                _want(rule, condition, past, step.name, step.at, table, findings)
        elif said and step.kind in ("intent", "user") and past[-1].startswith("action "):
            _want(rule, condition, past, LISTEN, step.at, table, findings)
        key = _key(step, domain)
        if key:
            past.append(key)
        said = said or step.kind in ("intent", "user", "loop")
    if said and rule.waits and past and not past[-1].startswith(("intent ", "user ")):
        last = rule.steps[-1].at
        _want(rule, condition, past, LISTEN, last, table, findings)


def _want(
    rule: Told,
    condition: Key,
    past: list[str],
    action: str,
    at: Place,
    table: dict[tuple[Key, Key], _Wants],
    findings: Findings,
) -> None:
    wants = _Wants(action, at, rule.name)
    first = table.setdefault((condition, tuple(past)), wants)
    if first.action == action:
        return
    where = (
        f"line {first.at.line}" if first.at.file == at.file else f"{first.at.file}:{first.at.line}"
    )
    when = f" in {', '.join(condition)}" if condition else ""
    what = (
        f"rule {rule.name!r} wants {_shown(action)} after {_last(past)}{when}, "
        f"rule {first.told!r} wants {_shown(first.action)} ({where})"
    )
    findings.error(at, "contradiction", what, "keep one of them, or give one a condition")


def _compare(story: Told, domain: Domain, rules: dict[Key, _Wants], findings: Findings) -> None:
    past: list[str] = []
    loop = ""
    unsure = False
    for step in story.steps:
        if step.kind in ("slots", "checkpoint", "user", "bot"):
            # What rules make of slots and of words without an intent is not known here.
            unsure = unsure or step.kind != "slots" or bool(_key(step, domain))
        if step.kind == "loop":
            loop = step.name if step.name != "null" else ""
        if step.kind == "action" and not loop and not unsure and past:
            wanted = next((rules[k] for k in _endings(past) if k in rules), None)
            if wanted and wanted.action not in (step.name, LISTEN) and _of_words(past):
                what = (
                    f"story {story.name!r} does {step.name} after {_last(past)}, rule "
                    f"{wanted.told!r} wants {wanted.action} ({wanted.at.file}:{wanted.at.line})"
                )
                right = "a rule is always followed: change the story, or give the rule a condition"
                findings.error(step.at, "contradiction", what, right)
        key = _key(step, domain)
        if key:
            past.append(key)
    if past and _of_words(past) and not loop and not unsure:
        wanted = next((rules[k] for k in _endings(past) if k in rules), None)
        if wanted and wanted.action != LISTEN:
            what = (
                f"story {story.name!r} ends after {_last(past)}, rule {wanted.told!r} wants "
                f"{wanted.action} ({wanted.at.file}:{wanted.at.line})"
            )
            findings.error(story.steps[-1].at, "contradiction", what, "add that action")


def _endings(past: list[str]) -> Iterator[Key]:
    for n in range(len(past)):
        yield tuple(past[n:])


def _of_words(past: list[str]) -> bool:
    return past[-1].startswith("intent ")


def _shown(action: str) -> str:
    return "to wait for the customer" if action == LISTEN else action


def _last(past: list[str]) -> str:
    return " and ".join(past[-2:]) if past[-1].startswith("slots") else past[-1]
