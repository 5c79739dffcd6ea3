"""Topics, a file of rules, stories and examples each, and which of them leads to which."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.dialogue.checking.stories import Told, walk
from bot.insight.designed import Designed, topic_of
from bot.insight.flow import BUTTON, CHECKPOINT, FORM, INTENT


@dataclass
class Topic:
    """What the files of one name hold. `leads` are other topics, with how many ways there."""

    name: str
    about: str = ""
    intents: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    rules: int = 0
    stories: int = 0
    leads: Counter[str] = field(default_factory=Counter)


def topics_of(designed: Designed) -> dict[str, Topic]:
    """Return all topics by their names, in the order of these."""
    found: dict[str, Topic] = {}

    def topic(name: str) -> Topic:
        return found.setdefault(name, Topic(name, designed.about.get(name, "")))

    for number, told in enumerate(designed.told):
        one = topic(topic_of(told.at.file))
        one.told.append(number)
        if told.kind == "rule":
            one.rules += 1
        else:
            one.stories += 1
    for intent, at in designed.nlu.first.items():
        topic(topic_of(at.file)).intents.append(intent)
    owners = owners_of(designed)
    for form in designed.domain.forms:
        if ("form", form) in owners:
            topic(owners["form", form]).forms.append(form)
    for start, end in _leads(designed, owners):
        if start != end and start in found and end in found:
            found[start].leads[end] += 1
    return dict(sorted(found.items()))


def owners_of(designed: Designed) -> dict[tuple[str, str], str]:
    """Return the topic that a thing belongs to, by its kind and name.

    A form belongs where the rules within it are, an action that rules go on from where these
    are, an intent where its examples are.
    """
    owners: dict[tuple[str, str], str] = {}
    within: dict[str, Counter[str]] = {}
    for told in designed.told:
        topic = topic_of(told.at.file)
        for step in told.condition:
            if step.kind == "loop":
                within.setdefault(step.name, Counter())[topic] += 2
        for step in told.steps:
            if step.kind == "loop":
                within.setdefault(step.name, Counter())[topic] += 1
        first = told.steps[0] if told.steps else None
        if first and first.kind in ("action", CHECKPOINT) and not told.condition:
            owners.setdefault((first.kind, first.name), topic)
    for form, counted in within.items():
        owners[FORM, form] = counted.most_common(1)[0][0]
    for told in designed.told:
        for name in _begins(told):
            owners.setdefault((INTENT, name), topic_of(told.at.file))
    for intent, at in designed.nlu.first.items():
        owners[INTENT, intent] = topic_of(at.file)
    return owners


def _begins(told: Told) -> list[str]:
    first = next(walk(told), None)
    return [first.name] if first is not None and first.kind == INTENT else []


def _leads(designed: Designed, owners: dict[tuple[str, str], str]) -> list[tuple[str, str]]:
    flow = designed.flow
    found = []
    for (start, end), (kind, told) in flow.edges.items():
        node = flow.nodes[end]
        owner_kind = {"action": "action", "response": "action"}.get(node.kind, node.kind)
        owner = owners.get((owner_kind, node.names[0])) if node.names else None
        if owner is None or (node.kind == INTENT and kind != BUTTON):
            continue
        if node.kind not in (FORM, CHECKPOINT, INTENT, "action", "response"):
            continue
        by = told or flow.nodes[start].told
        found += [
            (topic, owner) for topic in sorted({topic_of(designed.told[n].at.file) for n in by})
        ]
    return found
