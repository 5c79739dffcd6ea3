"""Reading rules and stories: steps as plain data, with the place of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.dialogue.checking import names
from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Findings, Place, lacking, near
from bot.dialogue.checking.nlu import Nlu, check_entities
from bot.dialogue.checking.reading import Map, Node, Seq, Text, plain, text_of


@dataclass(frozen=True)
class Step:
    """One step. `name` is the intent, action, loop or checkpoint; of slots, their text.

    `kind` is intent, user (words alone), action, bot, slots, loop, checkpoint or or; of the last,
    `choices` are the alternatives.
    """

    kind: str
    name: str
    at: Place
    entities: tuple[str, ...] = ()
    slots: tuple[tuple[str, str], ...] = ()
    choices: tuple[Step, ...] = ()


@dataclass
class Told:
    """A rule or a story. `kind` is rule, story, or test for one of ``tests/stories``."""

    kind: str
    name: str
    at: Place
    steps: list[Step] = field(default_factory=list)
    condition: list[Step] = field(default_factory=list)
    start: bool = False
    waits: bool = True


def read_told(
    section: str, node: Node | None, at: Place, *, test: bool, findings: Findings
) -> list[Told]:
    """Read the section ``rules`` or ``stories`` of a file."""
    if node is None:
        return []
    key = "rule" if section == "rules" else "story"
    if not isinstance(node, Seq):
        findings.error(at, "shape", f"{section} is no list", f"should be '- {key}: …' lines")
        return []
    known = names.RULE_KEYS if key == "rule" else names.STORY_KEYS
    found = []
    for item in node.items:
        if not isinstance(item, Map) or key not in item.pairs:
            what, right = f"{section} has an item without a name", f"begin it with '- {key}: name'"
            findings.error(item.at, "shape", what, right)
            continue
        name = text_of(item.get(key))
        one = Told("test" if test else key, name, item.pairs[key].at)
        if not name:
            findings.error(one.at, "shape", f"a {key} has no name", "give it one")
        for other, pair in item.pairs.items():
            if other not in known:
                what = f"{key} {name!r} has the unknown key {other}"
                findings.error(pair.at, "key", what, near(other, known))
        reader = _Steps(one, findings)
        one.steps = reader.steps(item.get("steps"), "steps")
        one.condition = reader.steps(item.get("condition"), "condition")
        for step in one.condition:
            if step.kind not in ("slots", "loop"):
                what = f"the condition of rule {name!r} has a step {step.kind}"
                findings.error(step.at, "step", what, "should be active_loop or slot_was_set")
        one.start = text_of(item.get("conversation_start")).lower() == "true"
        one.waits = text_of(item.get("wait_for_user_input")).lower() != "false"
        if not one.steps:
            findings.error(one.at, "step", f"{key} {name!r} has no steps", "add 'steps:'")
        found.append(one)
    return found


class _Steps:
    def __init__(self, told: Told, findings: Findings) -> None:
        self.told = told
        self.findings = findings

    def steps(self, node: Node | None, path: str) -> list[Step]:
        if node is None:
            return []
        if not isinstance(node, Seq):
            what = f"{path} of {self.told.name!r} is no list"
            self.findings.error(node.at, "shape", what, "should be '- intent: …' lines")
            return []
        return [step for item in node.items for step in self.step(item)]

    def step(self, item: Node) -> Iterator[Step]:
        kind = next((k for k in names.STEPS if isinstance(item, Map) and k in item.pairs), "")
        if not isinstance(item, Map) or not kind:
            shown = next(iter(item.pairs), "nothing") if isinstance(item, Map) else "plain words"
            right = near(shown, [*names.STEPS])
            if isinstance(item, Text) and item.value.split(":")[0] in names.STEPS:
                shown, right = f"'{item.value}'", "put a space after the colon"
            what = f"{self.told.name!r} has a step of {shown}"
            self.findings.error(item.at, "step", what, right or "as in '- intent: …'")
            return
        at = item.pairs[kind].at
        for key, pair in item.pairs.items():
            if key == kind or key in names.STEPS[kind]:
                continue
            if key in names.STEPS:
                what, right = f"one step is both {kind} and {key}", "begin another '- '"
            else:
                what = f"a step {kind} has the unknown key {key}"
                right = near(key, (*names.STEPS, *names.STEPS[kind]))
            self.findings.error(pair.at, "key", what, right)
        if kind in ("intent", "user"):
            yield self.said(item, at)
        elif kind == "or":
            inner = item.get("or")
            parts = inner.items if isinstance(inner, Seq) else ()
            choices = tuple(step for part in parts for step in self.step(part))
            if len(choices) < 2:
                what = "an 'or' has fewer than two steps"
                self.findings.error(at, "step", what, "list what may be instead of each other")
            yield Step("or", "", at, choices=choices)
        elif kind == "slot_was_set":
            yield self.slots(item.get(kind), at)
        elif kind == "active_loop":
            yield Step("loop", text_of(item.get(kind)), at)
        else:
            name = text_of(item.get(kind))
            if not name:
                self.findings.error(at, "step", f"a step {kind} names nothing")
            yield Step(kind, name, at)
            if kind == "checkpoint" and "slot_was_set" in item.pairs:
                yield self.slots(item.get("slot_was_set"), at)

    def said(self, item: Map, at: Place) -> Step:
        intent = text_of(item.get("intent"))
        if "intent" in item.pairs and not intent:
            self.findings.error(at, "step", "a step intent names no intent")
        found = item.get("entities")
        entities = []
        for one in found.items if isinstance(found, Seq) else ():
            if isinstance(one, Map):
                entities += [
                    f"{key}={plain(pair.value)}"
                    if not isinstance(pair.value, Text) or not pair.value.null
                    else key
                    for key, pair in one.pairs.items()
                    if key not in ("role", "group")
                ]
            else:
                entities.append(text_of(one))
        if intent:
            return Step("intent", intent, at, entities=tuple(sorted(entities)))
        return Step("user", text_of(item.get("user")), at)

    def slots(self, node: Node | None, at: Place) -> Step:
        pairs: list[tuple[str, str]] = []
        items = node.items if isinstance(node, Seq) else (node,) if node else ()
        if not items:
            self.findings.error(at, "step", "slot_was_set names no slot", "as in '- size: large'")
        for item in items:
            if isinstance(item, Map):
                pairs += [(k, json.dumps(plain(p.value))) for k, p in item.pairs.items()]
            elif text_of(item):
                pairs.append((text_of(item), "*"))
            else:
                self.findings.error(item.at, "step", "slot_was_set has an item that is no slot")
        return Step("slots", "", at, slots=tuple(pairs))


def walk(told: Told) -> Iterator[Step]:
    """Return all steps, those of an ``or`` instead of it."""
    for step in [*told.condition, *told.steps]:
        yield from step.choices if step.kind == "or" else (step,)


def check_names(told: list[Told], domain: Domain, findings: Findings) -> None:
    """Tell of what rules and stories name and nothing else knows."""
    for one in told:
        for step in walk(one):
            if step.kind == "intent" and not domain.known_intent(step.name):
                what = f"{step.name} is no intent of the domain"
                findings.error(
                    step.at, "unknown intent", what, lacking(step.name, domain.intents, "intents")
                )
            elif step.kind == "action" and step.name and not domain.known_action(step.name):
                _unknown_action(step, domain, findings)
            elif step.kind == "loop" and step.name and step.name not in domain.forms:
                what = f"{step.name} is no form of the domain"
                if step.name != "null":
                    findings.error(
                        step.at, "unknown form", what, lacking(step.name, domain.forms, "forms")
                    )
            for name, _ in step.slots:
                if name not in domain.slots and name not in names.SLOTS:
                    what = f"{name} is no slot of the domain"
                    findings.error(
                        step.at, "unknown slot", what, lacking(name, domain.slots, "slots")
                    )
            for entity in step.entities:
                name = entity.split("=", 1)[0]
                if name not in domain.entities:
                    what = f"{name} is no entity of the domain"
                    findings.error(
                        step.at, "unknown entity", what, lacking(name, domain.entities, "entities")
                    )


def _unknown_action(step: Step, domain: Domain, findings: Findings) -> None:
    if step.name.startswith("utter_"):
        what, known = f"there is no response {step.name}", [*domain.responses]
        kind, section = "unknown response", "responses"
    else:
        what = f"{step.name} is neither an action, a response nor a form of the domain"
        known = [*domain.actions, *domain.forms, *names.ACTIONS]
        kind, section = "unknown action", "actions"
    findings.error(step.at, kind, what, lacking(step.name, known, section))


def check_words(node: Node | None, nlu: Nlu, domain: Domain, findings: Findings) -> None:
    """Check what is annotated in the words of tests' steps."""
    if isinstance(node, Seq):
        for item in node.items:
            check_words(item, nlu, domain, findings)
    elif isinstance(node, Map):
        for key, pair in node.pairs.items():
            if key == "user" and isinstance(pair.value, Text):
                for line, at in pair.value.lines():
                    check_entities(line, at, nlu, domain, findings)
            elif not isinstance(pair.value, Text):
                check_words(pair.value, nlu, domain, findings)


def check_twice(told: list[Told], findings: Findings) -> None:
    """Tell of two rules, or two stories, of one name."""
    met: dict[tuple[str, str], Place] = {}
    for one in told:
        first = met.setdefault((one.kind, one.name), one.at)
        if first != one.at and one.name:
            where = (
                f"line {first.line}" if first.file == one.at.file else f"{first.file}:{first.line}"
            )
            kind = "rule" if one.kind == "rule" else "story"
            what = f"a {kind} has the name {one.name!r} already, in {where}"
            findings.warn(one.at, "name twice", what, "give it another, to tell them apart")


def check_checkpoints(told: list[Told], findings: Findings) -> None:
    """Tell of checkpoints that lead in circles, from nowhere or to nowhere."""
    begins: dict[str, Place] = {}
    ends: dict[str, Place] = {}
    leads: dict[str, set[str]] = {}
    for one in told:
        points = [(n, step) for n, step in enumerate(one.steps) if step.kind == "checkpoint"]
        if one.kind == "rule":
            for _, step in points:
                what = "a rule has a checkpoint"
                findings.error(step.at, "checkpoint", what, "only stories may have them")
            continue
        since: list[str] = []
        for n, step in points:
            if n > 0:
                ends.setdefault(step.name, step.at)
                for before in since:
                    leads.setdefault(before, set()).add(step.name)
            if n < len(one.steps) - 1:
                begins.setdefault(step.name, step.at)
                since = [step.name]
    for name, at in begins.items():
        if name not in ends:
            what = f"no story comes to the checkpoint {name}"
            findings.warn(at, "checkpoint", what, near(name, ends) or "what follows never happens")
    for name, at in ends.items():
        if name not in begins:
            what = f"no story goes on from the checkpoint {name}"
            findings.warn(at, "checkpoint", what, near(name, begins))
    for name in sorted(leads):
        if _returns(name, leads):
            at = begins.get(name) or ends[name]
            what = f"the checkpoint {name} leads back to itself"
            findings.error(at, "checkpoint", what, "end one of its stories without a checkpoint")


def _returns(name: str, leads: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    todo = [*leads.get(name, ())]
    while todo:
        at = todo.pop()
        if at == name:
            return True
        if at not in seen:
            seen.add(at)
            todo += leads.get(at, ())
    return False
