"""What kind of value stands where: the net under all other checks.

Rasa 3.6 looks at every file with a schema before it reads it, and ends with a page about the
first that does not fit; what its schemas let through and its readers then stumble over is
told here too. Shapes are those of rasa/shared/**/schemas/*.yml and of the code that reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.dialogue.checking.finding import Findings, Place
from bot.dialogue.checking.reading import Map, Node, Seq, Text


@dataclass(frozen=True)
class Scalar:
    """Text, or of another `kind`. With `null` there may be nothing."""

    kind: str = "text"
    null: bool = False


@dataclass(frozen=True)
class Items:
    """A list of what has one of these shapes."""

    of: tuple[Shape, ...]
    null: bool = False


@dataclass(frozen=True)
class Table:
    """A mapping; what stands at other keys has the shape `rest`, None when that is free."""

    keys: Mapping[str, Shape] = field(default_factory=dict)
    rest: Shape | None = None
    null: bool = False


@dataclass(frozen=True)
class Either:
    """One of these."""

    of: tuple[Shape, ...]
    null: bool = False


Shape = Scalar | Items | Table | Either

TEXT = Scalar()
_NULL_TEXT = Scalar(null=True)
_BOOL = Scalar("bool")
_NUMBER = Scalar("number")
_NAMES = Items((TEXT,))
_FREE = Table()
_NAME_OR_NAMES = Either((TEXT, _NAMES))

_OPTIONS = Table(
    {
        "use_entities": Either((_BOOL, _NAMES), null=True),
        "ignore_entities": Either((_BOOL, _NAMES), null=True),
        "triggers": TEXT,
        "is_retrieval_intent": _BOOL,
    }
)
_LABELS = Table({"roles": _NAMES, "groups": _NAMES, "influence_conversation": _BOOL})
_SENT = Table({"send_domain": _BOOL})
_BUTTONS = Items((Table({"title": TEXT, "payload": TEXT}),))
_RESPONSES = Table(
    rest=Items(
        (
            Table(
                {
                    **dict.fromkeys(("id", "text", "image", "button_type", "channel"), TEXT),
                    "custom": _FREE,
                    "buttons": _BUTTONS,
                    "quick_replies": _BUTTONS,
                    "attachment": _FREE,
                    "elements": Items((_FREE,)),
                    "condition": Items((Table({"type": TEXT, "name": TEXT}),)),
                }
            ),
        )
    ),
    null=True,
)
_MAPPING = Table(
    {
        **dict.fromkeys(("type", "entity", "role", "group", "action"), TEXT),
        "intent": _NAME_OR_NAMES,
        "not_intent": _NAME_OR_NAMES,
        "conditions": Items((Table({"active_loop": _NULL_TEXT, "requested_slot": TEXT}),)),
    }
)
_SLOT = Table(
    {
        "type": TEXT,
        "influence_conversation": _BOOL,
        "values": Items((Scalar("any"),)),
        "min_value": _NUMBER,
        "max_value": _NUMBER,
        "value_reset_delay": _NUMBER,
        "mappings": Items((_MAPPING,)),
    }
)
_FORM = Table({"required_slots": _NAMES, "ignored_intents": _NAME_OR_NAMES})

_INTENTS = Items((TEXT, Table(rest=_OPTIONS)))
_OF_ENTITIES = Items((TEXT, Table(rest=_LABELS)))
_ACTIONS = Items((TEXT, Table(rest=_SENT)))
#: Lists of names of which each may be followed by a colon and what else there is to say.
_NAMED = (_INTENTS, _OF_ENTITIES, _ACTIONS)

DOMAIN = Table(
    {
        "version": TEXT,
        "intents": _INTENTS,
        "entities": _OF_ENTITIES,
        "actions": _ACTIONS,
        "responses": _RESPONSES,
        "slots": Table(rest=_SLOT),
        "forms": Table(rest=_FORM),
        "e2e_actions": _NAMES,
        "config": Table({"store_entities_as_slots": _BOOL}),
        "session_config": Table(
            {"session_expiration_time": _NUMBER, "carry_over_slots_to_new_session": _BOOL}
        ),
    }
)

_ENTITIES = Items((TEXT, Table({"role": TEXT, "group": TEXT}, Scalar("any", null=True))))
_SLOTS = Items((TEXT, Table()))
_SAID: dict[str, Shape] = {"intent": TEXT, "user": TEXT, "entities": _ENTITIES}
_STEP = Table(
    {
        **_SAID,
        **dict.fromkeys(("action", "bot", "checkpoint"), TEXT),
        "active_loop": _NULL_TEXT,
        "slot_was_set": _SLOTS,
        "or": Items((Table({**_SAID, "slot_was_set": _SLOTS}),)),
    }
)
_STEPS = Items((_STEP,))
_TALE: dict[str, Shape] = {"steps": _STEPS, "condition": _STEPS}
_ENTRY = Table(
    {
        **dict.fromkeys(("intent", "synonym", "regex", "lookup"), TEXT),
        "examples": Either((TEXT, Items((TEXT, Table({"text": TEXT}))))),
    }
)

TRAINING = Table(
    {
        "version": TEXT,
        "nlu": Items((_ENTRY,), null=True),
        "responses": _RESPONSES,
        "stories": Items((Table({"story": TEXT, **_TALE}),), null=True),
        "rules": Items(
            (
                Table(
                    {
                        "rule": TEXT,
                        "conversation_start": _BOOL,
                        "wait_for_user_input": _BOOL,
                        **_TALE,
                    }
                ),
            ),
            null=True,
        ),
    }
)

_COMPONENTS = Items((Table({"name": TEXT}),))
CONFIG = Table(
    {
        **dict.fromkeys(("version", "recipe", "language"), TEXT),
        "assistant_id": TEXT,
        "pipeline": _COMPONENTS,
        "policies": _COMPONENTS,
    }
)

_WANTED = {"text": "text", "bool": "true or false", "number": "a number", "any": "a value"}
_FOUND = {
    "null": "empty",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
}


def check_shapes(top: Map, shape: Table, findings: Findings) -> None:
    """Tell of every value below `top` that is not of its shape, unless its line is told of."""
    _Check(findings).value(top, shape, top.at, "it")


class _Check:
    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        # An alias may name the same value very often.
        self.done: set[tuple[int, int]] = set()

    def value(self, node: Node, shape: Shape, at: Place, name: str) -> None:
        if (id(node), id(shape)) in self.done:
            return
        self.done.add((id(node), id(shape)))
        if isinstance(node, Text) and node.null:
            if not (shape.null or (isinstance(shape, Scalar) and shape.kind == "any")):
                self.tell(at, f"{name} is empty", f"should be {_wanted(shape)}, or not be there")
            return
        if isinstance(shape, Either):
            fits = next((one for one in shape.of if _fits(node, one)), None)
            shape = fits or shape
        if not _fits(node, shape):
            self.tell(at, f"{name} is {found(node)}", _right(node, shape))
        elif isinstance(shape, Items) and isinstance(node, Seq):
            for item in node.items:
                if shape in _NAMED and isinstance(item, Map) and self.colon(item):
                    continue
                one = next((one for one in shape.of if _fits(item, one)), shape.of[-1])
                self.value(item, one, item.at, f"an item of {name}")
        elif isinstance(shape, Table) and isinstance(node, Map):
            for key, pair in node.pairs.items():
                inner = shape.keys.get(key, shape.rest)
                if inner is not None:
                    self.value(pair.value, inner, pair.at, key)

    def colon(self, item: Map) -> bool:
        """Tell of ``- name:`` with nothing after it."""
        found = [(key, pair) for key, pair in item.pairs.items() if len(item.pairs) == 1]
        for key, pair in found:
            if isinstance(pair.value, Text) and pair.value.null:
                self.tell(
                    pair.at, f"{key} has a colon and nothing after it", f"should be '- {key}'"
                )
                return True
        return False

    def tell(self, at: Place, what: str, right: str) -> None:
        if not self.findings.told(at):
            self.findings.error(at, "shape", what, right)


def _fits(node: Node, shape: Shape) -> bool:
    if isinstance(shape, Either):
        return any(_fits(node, one) for one in shape.of)
    if isinstance(shape, Items):
        return isinstance(node, Seq)
    if isinstance(shape, Table):
        return isinstance(node, Map)
    if not isinstance(node, Text):
        return shape.kind == "any"
    kinds = {"text": ("str",), "bool": ("bool",), "number": ("int", "float")}
    return node.kind in kinds.get(shape.kind, (node.kind,))


def found(node: Node) -> str:
    """Return what a node is, in words."""
    if isinstance(node, Seq):
        return "a list"
    return "a mapping" if isinstance(node, Map) else _FOUND.get(node.kind, "text")


def _wanted(shape: Shape) -> str:
    if isinstance(shape, Either):
        return " or ".join(map(_wanted, shape.of))
    if isinstance(shape, Items):
        return "a list of '- …' lines"
    return "'key: value' lines" if isinstance(shape, Table) else _WANTED[shape.kind]


def _right(node: Node, shape: Shape) -> str:
    if isinstance(node, Text) and _fits(Text("", node.at), shape):
        return f"should be text: '{node.value}' in quotes"
    return f"should be {_wanted(shape)}"
