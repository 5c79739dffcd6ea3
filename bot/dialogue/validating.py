"""What is wrong in designers' files, with file and line, before Rasa is imported.

Rasa meets most of this with an error that names no line, or warns and trains a bot that
never does what the story says. Keys are those of Rasa 3.6:
https://legacy-docs-oss.rasa.com/docs/rasa/training-data-format and .../domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from bot.dialogue import nodes
from bot.dialogue.errors import TrainingFailed
from bot.dialogue.nodes import Findings, Node
from bot.dialogue.sources import STORIES, domain_of, sources

_DOMAIN = (
    *("version", "intents", "entities", "slots", "responses", "actions", "forms"),
    *("e2e_actions", "session_config", "config"),
)
_DATA = ("version", "nlu", "rules", "stories", "responses")
_NLU = ("intent", "synonym", "regex", "lookup", "examples", "metadata")
_STORY = ("story", "rule", "steps", "metadata", "condition", "conversation_start")
_RULE = (*_STORY, "wait_for_user_input")
_STEP = (
    *("intent", "user", "entities", "action", "bot", "slot_was_set", "active_loop"),
    *("checkpoint", "or", "metadata"),
)
_FORM = ("required_slots", "ignored_intents")
_OWN_INTENTS = {"restart", "back", "out_of_scope", "session_start", "nlu_fallback"}
_OWN_ACTIONS = {
    f"action_{name}"
    for name in (
        *("listen", "restart", "session_start", "default_fallback", "deactivate_loop"),
        *("revert_fallback_events", "default_ask_affirmation", "default_ask_rephrase"),
        *("two_stage_fallback", "unlikely_intent", "back", "extract_slots", "send_text"),
    )
}
_OWN_SLOTS = {"requested_slot", "session_started_metadata"}
#: More than this of one intent slows training down and drowns the others.
_MANY = 2000
_MARKS = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass
class _Domain:
    intents: dict[str, str] = field(default_factory=dict)
    entities: dict[str, str] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    responses: dict[str, str] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)

    def does(self, action: str) -> bool:
        return (
            action in self.actions
            or action in self.responses
            or action in self.forms
            or action in _OWN_ACTIONS
            or any(name.startswith(f"{action}/") for name in self.responses)
        )


def check(root: Path) -> list[str]:
    """Return notes on the files under `root`. Raises TrainingFailed when something is wrong."""
    found = findings(root)
    if found.errors:
        raise TrainingFailed("\n".join(found.errors))
    return found.notes


def findings(root: Path) -> Findings:
    """Return what is wrong in the files under `root`. Raises TrainingFailed when one is missing."""
    found = Findings()
    trees: list[tuple[Path, Node]] = []
    paths = [path for path in sources(root) if path.suffix in (".yml", ".yaml")]
    for path in [*paths, *sorted((root / STORIES).rglob("*.yml"))]:
        tree = nodes.parse(path, found)
        if tree is not None and not nodes.is_map(tree):
            found.error(path, tree, "a mapping of keys is wanted here")
        elif tree is not None:
            trees.append((path, tree))
    if found.errors:
        # Names of a file that cannot be read would all look unknown.
        return found
    where = domain_of(root)
    domain = _Domain()
    own = [(path, tree) for path, tree in trees if path == where or where in path.parents]
    for path, tree in own:
        _domain(path, tree, domain, found)
    for path, tree in own:
        _forms(path, tree, domain, found)
    # A story of a test may be called as the one that it tests.
    titles: dict[bool, dict[str, str]] = {True: {}, False: {}}
    examples: dict[str, tuple[str, str]] = {}
    others = [one for one in trees if one not in own and one[0] != root / "config.yml"]
    for path, tree in others:
        nodes.check_keys(path, tree, _DATA, found, "a file of training data")
        for key, node in nodes.pairs(nodes.get(tree, "responses")):
            domain.responses.setdefault(nodes.text(key), nodes.at(path, node))
    for path, tree in others:
        for item in nodes.items(nodes.get(tree, "nlu")):
            _nlu(path, item, domain, examples, found)
        seen = titles[root / STORIES in path.parents]
        for kind in ("stories", "rules"):
            for item in nodes.items(nodes.get(tree, kind)):
                _story(path, item, domain, seen, found, rule=kind == "rules")
    return found


def _domain(path: Path, tree: Node, domain: _Domain, found: Findings) -> None:
    nodes.check_keys(path, tree, _DOMAIN, found, "the domain")
    for kind in ("intents", "entities", "actions"):
        for _, node in nodes.names(nodes.get(tree, kind)):
            nodes.twice(found, getattr(domain, kind), path, node, kind[:-1].replace("ie", "y"))
    for kind in ("responses", "slots", "forms"):
        for key, _ in nodes.pairs(nodes.get(tree, kind)):
            nodes.twice(found, getattr(domain, kind), path, key, kind[:-1])
    for key, slot in nodes.pairs(nodes.get(tree, "slots")):
        nodes.check_keys(path, slot, (), found, "")
        if nodes.get(slot, "type") is None:
            found.error(path, key, f"slot {nodes.text(key)!r} has no type, as in `type: text`")
        if nodes.get(slot, "mappings") is None:
            found.error(
                path, key, f"slot {nodes.text(key)!r} has no mappings, as in `- type: custom`"
            )
    for key, variants in nodes.pairs(nodes.get(tree, "responses")):
        if not nodes.items(variants):
            found.error(path, key, f"response {nodes.text(key)!r} has no variants, as in `- text:`")


def _forms(path: Path, tree: Node, domain: _Domain, found: Findings) -> None:
    for key, form in nodes.pairs(nodes.get(tree, "forms")):
        name = nodes.text(key)
        nodes.check_keys(path, form, _FORM, found, f"form {name!r}")
        slots = nodes.get(form, "required_slots")
        if slots is None:
            found.error(path, key, f"form {name!r} has no `required_slots`: a list of slots")
        elif not nodes.is_list(slots):
            found.error(path, slots, f"`required_slots` of form {name!r} is no list of slots")
        for slot, node in nodes.names(slots):
            if slot not in domain.slots:
                found.error(
                    path, node, f"form {name!r} asks for {slot!r}, which is no slot of the domain"
                )


def _nlu(
    path: Path,
    item: Node,
    domain: _Domain,
    examples: dict[str, tuple[str, str]],
    found: Findings,
) -> None:
    nodes.check_keys(path, item, _NLU, found, "an entry under nlu")
    node = nodes.get(item, "intent")
    if node is None:
        if not any(nodes.get(item, kind) for kind in ("synonym", "regex", "lookup")):
            found.error(path, item, "an intent, synonym, regex or lookup is wanted here")
        return
    intent = nodes.text(node)
    if intent.split("/")[0] not in domain.intents and intent not in _OWN_INTENTS:
        found.error(path, node, f"{intent!r} is not in the domain: add it under `intents`")
    given = nodes.get(item, "examples")
    if given is None:
        found.error(path, node, f"intent {intent!r} has no examples")
        return
    if nodes.is_list(given):
        said = [(nodes.text(nodes.get(one, "text") or one), one.start_mark.line) for one in
                nodes.items(given)]  # fmt: skip
    else:
        first = given.start_mark.line + 1
        said = []
        for n, line in enumerate(nodes.text(given).splitlines()):
            if line.strip() and not line.startswith("- "):
                found.errors.append(
                    f"{path}:{first + n + 1}: an example of {intent!r} does not begin with `- `"
                )
            said.append((line.removeprefix("- "), first + n))
    if len(said) > _MANY:
        found.note(path, node, f"intent {intent!r} has {len(said)} examples; {_MANY} are plenty")
    for words, line in said:
        key = _MARKS.sub(r"\1", words).strip().casefold()
        other, place = examples.setdefault(key, (intent, f"{path}:{line + 1}"))
        if key and other != intent:
            found.notes.append(
                f"{path}:{line + 1}: {words.strip()!r} is an example of {intent!r} here"
                f" and of {other!r} in {place}; it can mean only one"
            )


def _story(
    path: Path, item: Node, domain: _Domain, seen: dict[str, str], found: Findings, *, rule: bool
) -> None:
    kind = "rule" if rule else "story"
    nodes.check_keys(path, item, _RULE if rule else _STORY, found, f"a {kind}")
    title = nodes.get(item, kind)
    if title is None:
        found.error(path, item, f"a {kind} begins with `{kind}:` and its name")
    else:
        nodes.twice(found, seen, path, title, kind)
    steps = nodes.get(item, "steps")
    if steps is None or not nodes.items(steps):
        found.error(path, item, f"the {kind} has no `steps`")
    for step in [*nodes.items(nodes.get(item, "condition")), *nodes.items(steps)]:
        _step(path, step, domain, found)


def _step(path: Path, step: Node, domain: _Domain, found: Findings) -> None:
    nodes.check_keys(path, step, _STEP, found, "a step")
    for one in nodes.items(nodes.get(step, "or")):
        _step(path, one, domain, found)
    intent = nodes.get(step, "intent")
    if intent is not None:
        name = nodes.text(intent)
        if name.split("/")[0] not in domain.intents and name not in _OWN_INTENTS:
            found.error(path, intent, f"{name!r} is not in the domain, it is no intent there")
    action = nodes.get(step, "action")
    if action is not None and not domain.does(nodes.text(action)):
        found.error(path, action, f"{nodes.text(action)!r} is not in the domain: {_wanted(action)}")
    loop = nodes.get(step, "active_loop")
    name = nodes.text(loop) if loop is not None else ""
    if name and name not in domain.forms and not domain.does(name):
        found.error(path, loop, f"{name!r} is not in the domain, it is no form there")
    for slot, node in nodes.names(nodes.get(step, "slot_was_set")):
        if slot not in domain.slots and slot not in _OWN_SLOTS:
            found.error(path, node, f"{slot!r} is not in the domain, it is no slot there")


def _wanted(action: Node) -> str:
    if nodes.text(action).startswith("utter_"):
        return "it needs a text under `responses`"
    return "no action, response or form has that name"
