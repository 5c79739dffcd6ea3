"""All rules and stories as one graph: what may come after what.

Steps of the same beginning are one node. A form, a checkpoint, and an action that some rule or
story begins with stand once: whatever leads there joins there, and what follows hangs there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.dialogue.checking.stories import Step, Told

#: Kinds of nodes that customers do, that the bot does, and that are neither.
INTENT, WORDS = "intent", "words"
ACTION, RESPONSE, FORM = "action", "response", "form"
SLOTS, CHECKPOINT, START, DONE, BACK, LEAVE = (
    *("slots", "checkpoint", "start", "done", "back", "leave"),
)
#: Kinds of edges: the next step, a button pressed, a response said by an action or form.
THEN, BUTTON, SAYS = "then", "button", "says"

_NULL = ("", "null")
_LEAVING = "action_deactivate_loop"
_HIDDEN = "requested_slot"


@dataclass
class Node:
    """What is done at one point. `names` are alternatives of each other.

    `told` are indices into what `Flow.of` was given, `details` entities of an intent or the
    conditions on slots, `buttons` the titles that say the intent, `root` marks what customers may
    begin with.
    """

    kind: str
    names: tuple[str, ...]
    details: tuple[str, ...] = ()
    root: bool = False
    told: set[int] = field(default_factory=set)
    buttons: list[str] = field(default_factory=list)


Edge = tuple[int, int]


@dataclass
class Flow:
    """Nodes by number, and edges from number to number with their kind and what tells them."""

    nodes: list[Node] = field(default_factory=list)
    edges: dict[Edge, tuple[str, set[int]]] = field(default_factory=dict)
    after: dict[int, list[int]] = field(default_factory=dict)
    before: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        told: Sequence[Told],
        forms: frozenset[str],
        responses: frozenset[str],
        buttons: Mapping[str, Sequence[tuple[str, str]]],
    ) -> Flow:
        """Return the graph; `buttons` are responses' titles and the intents these say."""
        weaver = _Weaver(told, forms, responses)
        for n, one in enumerate(told):
            weaver.weave(n, one)
        weaver.press(buttons)
        return weaver.flow

    def link(self, start: int, end: int, kind: str, told: int | None = None) -> None:
        """Add an edge, or one more that tells of it."""
        if (start, end) not in self.edges:
            self.edges[start, end] = (kind, set())
            self.after.setdefault(start, []).append(end)
            self.before.setdefault(end, []).append(start)
        if told is not None:
            self.edges[start, end][1].add(told)

    def having(self, kinds: Sequence[str], name: str) -> list[int]:
        """Return the nodes of these kinds that stand for a name."""
        return [n for n, one in enumerate(self.nodes) if one.kind in kinds and name in one.names]


class _Weaver:
    def __init__(
        self, told: Sequence[Told], forms: frozenset[str], responses: frozenset[str]
    ) -> None:
        self.forms = forms
        self.responses = responses
        self.flow = Flow()
        # Actions that something goes on from.
        self.heads = {
            one.steps[0].name
            for one in told
            if one.steps and one.steps[0].kind == ACTION and not one.condition
        }
        self.known: dict[tuple[int, object], int] = {}

    def node(
        self,
        parent: int,
        kind: str,
        names: tuple[str, ...],
        told: int,
        *,
        details: tuple[str, ...] = (),
        once: bool = False,
    ) -> int:
        """Return the node after `parent`, -1 for none; `once` there is one for all."""
        key = (-2 if once else parent, (kind, names, details))
        number = self.known.get(key)
        if number is None:
            number = self.known[key] = len(self.flow.nodes)
            self.flow.nodes.append(Node(kind, names, details, root=parent < 0))
        self.flow.nodes[number].told.add(told)
        if parent >= 0 and parent != number:
            self.flow.link(parent, number, THEN, told)
        return number

    def weave(self, n: int, told: Told) -> None:
        at, form = -1, ""
        if told.start:
            at = self.node(-1, START, ("start",), n, once=True)
        for step in told.condition:
            if step.kind == "loop" and step.name not in _NULL:
                at, form = self.node(at, FORM, (step.name,), n, once=True), step.name
            elif step.kind == SLOTS:
                at = self.slots(at, (step,), n)
        steps = told.steps
        for number, step in enumerate(steps):
            following = next((s for s in steps[number + 1 :] if s.kind != SLOTS), None)
            closes = following and following.kind == "loop" and following.name in _NULL
            if step.kind == "loop":
                at, form = self.loop(at, form, step, n)
            elif step.kind == ACTION and form and step.name == _LEAVING:
                at = self.node(at, LEAVE, (form,), n)
            elif step.kind == ACTION and (step.name in self.forms or self.opens(step, following)):
                if step.name != form:
                    at = self.node(at, FORM, (step.name,), n, once=True)
                elif not closes and not self.is_form(at, form):
                    self.node(at, BACK, (form,), n)
                    at = self.node(-1, FORM, (form,), n, once=True)
                form = step.name
            else:
                at = self.step(at, step, n)

    def opens(self, step: Step, following: Step | None) -> bool:
        """Tell whether an action is a form that the domain does not know."""
        return following is not None and following.kind == "loop" and following.name == step.name

    def is_form(self, at: int, form: str) -> bool:
        return at >= 0 and self.flow.nodes[at].kind == FORM and form in self.flow.nodes[at].names

    def loop(self, at: int, form: str, step: Step, n: int) -> tuple[int, str]:
        if step.name not in _NULL:
            if not self.is_form(at, step.name):
                at = self.node(at, FORM, (step.name,), n, once=True)
            return at, step.name
        left = at >= 0 and self.flow.nodes[at].kind == LEAVE
        if form and not left:
            at = self.node(at, DONE, (form,), n, once=True)
        return at, ""

    def slots(self, at: int, steps: Sequence[Step], n: int) -> int:
        said = [
            " and ".join(_condition(*pair) for pair in step.slots if pair != (_HIDDEN, "null"))
            for step in steps
        ]
        details = tuple(one for one in said if one)
        if not details:
            return at
        names = tuple(dict.fromkeys(name for step in steps for name, _ in step.slots))
        return self.node(at, SLOTS, names, n, details=details)

    def step(self, at: int, step: Step, n: int) -> int:
        if step.kind == "or":
            return self.choice(at, step, n)
        if step.kind == SLOTS:
            return self.slots(at, (step,), n)
        if step.kind == CHECKPOINT:
            return self.node(at, CHECKPOINT, (step.name,), n, once=True)
        if step.kind == INTENT:
            return self.node(at, INTENT, (step.name,), n, details=step.entities)
        if step.kind in ("user", "bot"):
            kind = WORDS if step.kind == "user" else RESPONSE
            return self.node(at, kind, (step.name,), n)
        says = step.name in self.responses or step.name.startswith("utter_")
        kind = RESPONSE if says else ACTION
        return self.node(at, kind, (step.name,), n, once=step.name in self.heads)

    def choice(self, at: int, step: Step, n: int) -> int:
        choices = step.choices
        if choices and all(one.kind == SLOTS for one in choices):
            return self.slots(at, choices, n)
        names = tuple(dict.fromkeys(one.name for one in choices if one.kind == INTENT))
        details = tuple(sorted({e for one in choices for e in one.entities}))
        words = tuple(dict.fromkeys(one.name for one in choices if one.kind == "user"))
        if names:
            return self.node(at, INTENT, (*names, *words), n, details=details)
        return self.node(at, WORDS, words, n) if words else at

    def press(self, buttons: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """Link what offers buttons to what is said by them."""
        flow = self.flow
        first: dict[str, int] = {}
        for number, node in enumerate(flow.nodes):
            if node.root and node.kind == INTENT:
                for name in node.names:
                    first.setdefault(name, number)
        for number, node in list(enumerate(flow.nodes)):
            if node.kind != RESPONSE:
                continue
            for title, intent in (b for name in node.names for b in buttons.get(name, ())):
                known = [
                    n
                    for n in flow.after.get(number, ())
                    if flow.nodes[n].kind == INTENT and intent in flow.nodes[n].names
                ]
                if not known:
                    if intent not in first:
                        first[intent] = len(flow.nodes)
                        flow.nodes.append(Node(INTENT, (intent,), root=True))
                    known = [first[intent]]
                    flow.link(number, known[0], BUTTON)
                for n in known:
                    if title not in flow.nodes[n].buttons:
                        flow.nodes[n].buttons.append(title)


def _condition(slot: str, value: str) -> str:
    if value == "*":
        return f"{slot} is set"
    return f"{slot} is not set" if value == "null" else f"{slot} = {value}"
