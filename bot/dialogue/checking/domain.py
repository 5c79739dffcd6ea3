"""Reading the domain, one file or several, with the place of every name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.dialogue.checking import names
from bot.dialogue.checking.finding import Findings, Place, near
from bot.dialogue.checking.reading import Map, Node, Pair, Seq, Text, plain, text_of

_BOOL = ("true", "false")


_SECTIONS = {
    **dict.fromkeys(("intents", "entities", "actions"), Seq),
    **dict.fromkeys(("slots", "forms", "responses"), Map),
}
#: What is told of names of which the section cannot be read.
UNREAD: dict[str, tuple[str, ...]] = {
    "intents": ("unknown intent", "payload"),
    "entities": ("unknown entity",),
    "slots": ("unknown slot", "variable"),
    "forms": ("unknown form", "unknown action", "unused"),
    "actions": ("unknown action", "action unlisted"),
    "responses": ("unknown response", "form"),
}


@dataclass
class Slot:
    """A slot: its mappings, and whether its value matters to rules and stories."""

    at: Place
    type: str
    mappings: list[Map]
    influences: bool
    initial: bool


@dataclass
class Form:
    """A form and the slots it asks for; `empty` when its list of them is."""

    at: Place
    slots: list[tuple[str, Place]]
    ignored: list[tuple[str, Place]]
    empty: bool = False


@dataclass
class Domain:
    """Everything that may be named elsewhere."""

    intents: dict[str, Place] = field(default_factory=dict)
    triggers: list[tuple[str, Place]] = field(default_factory=list)
    entities: dict[str, Place] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    actions: dict[str, Place] = field(default_factory=dict)
    responses: dict[str, Place] = field(default_factory=dict)
    variations: dict[str, list[Map]] = field(default_factory=dict)
    #: Sections that cannot be read; all they hold would seem to be missing.
    unread: set[str] = field(default_factory=set)

    def known_intent(self, name: str) -> bool:
        """Tell whether there is such an intent; ``faq/opening`` is one of ``faq``."""
        return name.split("/", 1)[0] in self.intents or name in names.INTENTS

    def known_action(self, name: str) -> bool:
        """Tell whether something may be an action: code, a response, a form, Rasa's own."""
        return (
            name in names.ACTIONS
            or name in self.actions
            or name in self.responses
            or name in self.forms
            or (name.startswith("utter_") and name[len("utter_") :] in self.intents)
        )

    def influences(self, slot: str) -> bool:
        """Tell whether rules and stories see a slot."""
        return slot not in self.slots or self.slots[slot].influences


def listed(
    node: Node | None, at: Place, findings: Findings, path: str
) -> Iterator[tuple[str, Node | None, Place]]:
    """Return the items of ``- name`` and ``- name: {…}``."""
    if node is None:
        return
    if not isinstance(node, Seq):
        findings.error(at, "shape", f"{path} is no list", "should be '- name' lines")
        return
    for item in node.items:
        if isinstance(item, Map) and len(item.pairs) == 1:
            name, pair = next(iter(item.pairs.items()))
            yield name, pair.value, pair.at
        elif isinstance(item, Text) and not item.null and item.value:
            if item.kind != "str":
                what = f"{path} has the item {item.value}, which is no text"
                findings.error(item.at, "shape", what, "put it in quotes")
            yield item.value, None, item.at
        else:
            findings.error(item.at, "shape", f"{path} has an item that is no name")


def read_domain(top: Map, domain: Domain, findings: Findings) -> None:
    """Add the domain sections of one file to `domain`."""
    reader = _Reader(domain, findings)
    for name, pair in top.pairs.items():
        read = getattr(reader, f"read_{name}", None)
        if name in _SECTIONS and not isinstance(pair.value, _SECTIONS[name]):
            domain.unread.add(name)
        if read is not None and not (isinstance(pair.value, Text) and pair.value.null):
            read(pair)


class _Reader:
    def __init__(self, domain: Domain, findings: Findings) -> None:
        self.domain = domain
        self.findings = findings

    def once(self, known: dict[str, Place], kind: str, name: str, at: Place) -> bool:
        if name not in known:
            known[name] = at
            return True
        first = known[name]
        where = f"line {first.line}" if first.file == at.file else f"{first.file}:{first.line}"
        what = f"{kind} {name} is there twice, first in {where}"
        self.findings.error(at, "twice", what, "keep one of them")
        return False

    def keys(self, node: Node | None, known: Iterable[str], path: str) -> None:
        if not isinstance(node, Map):
            return
        known = tuple(known)
        for key, pair in node.pairs.items():
            if key not in known:
                what = f"{path} has the unknown key {key}"
                self.findings.error(pair.at, "key", what, near(key, known))

    def mapping(self, pair: Pair, path: str) -> Map | None:
        if isinstance(pair.value, Map):
            return pair.value
        what = f"{path} is no mapping"
        self.findings.error(pair.at, "shape", what, "should be 'name:' lines with more below")
        return None

    def read_intents(self, pair: Pair) -> None:
        for name, options, at in listed(pair.value, pair.at, self.findings, "intents"):
            self.once(self.domain.intents, "intent", name, at)
            self.keys(options, names.INTENT_KEYS, f"intent {name}")
            if isinstance(options, Map):
                trigger = options.get("triggers")
                if isinstance(trigger, Text):
                    self.domain.triggers.append((trigger.value, trigger.at))

    def read_entities(self, pair: Pair) -> None:
        for name, options, at in listed(pair.value, pair.at, self.findings, "entities"):
            self.once(self.domain.entities, "entity", name, at)
            self.keys(options, names.ENTITY_KEYS, f"entity {name}")

    def read_actions(self, pair: Pair) -> None:
        for name, options, at in listed(pair.value, pair.at, self.findings, "actions"):
            self.once(self.domain.actions, "action", name, at)
            self.keys(options, ("send_domain",), f"action {name}")

    def read_slots(self, pair: Pair) -> None:
        table = self.mapping(pair, "slots")
        for name, one in table.pairs.items() if table else ():
            path = f"slot {name}"
            options = self.mapping(one, path)
            if options is None:
                continue
            if name in self.domain.slots:
                first = self.domain.slots[name].at
                what = f"{path} is there twice, first in {first.file}:{first.line}"
                self.findings.error(one.at, "twice", what, "keep one of them")
                continue
            own = names.SLOT_TYPE_KEYS.get(text_of(options.get("type")), [])
            if "." not in text_of(options.get("type")):
                self.keys(options, [*names.SLOT_KEYS, *own], path)
            self.domain.slots[name] = self.slot(name, one.at, options)

    def slot(self, name: str, at: Place, options: Map) -> Slot:
        path = f"slot {name}"
        kind = text_of(options.get("type"))
        if not kind and "type" not in options.pairs:
            self.findings.error(at, "slot", f"{path} has no type", "add 'type: text'")
        elif kind and "." not in kind and kind not in names.SLOT_TYPES:
            where = options.pairs["type"].at
            what = f"{path} is of the unknown type {kind}"
            self.findings.error(where, "slot", what, near(kind, names.SLOT_TYPES))
        if kind == "categorical" and not isinstance(options.get("values"), Seq):
            what = f"{path} is categorical and has no values"
            self.findings.error(at, "slot", what, "list them below 'values:'")
        if kind == "float":
            self.range(path, options)
        influence = options.get("influence_conversation")
        if influence is not None and text_of(influence).lower() not in _BOOL:
            what = f"{path}: influence_conversation is neither true nor false"
            self.findings.error(influence.at, "slot", what)
        elif kind == "any" and text_of(influence).lower() == "true":
            what = f"{path} is of type any, which can influence no conversation"
            right = "take influence_conversation out, or give it another type"
            self.findings.error(options.pairs["influence_conversation"].at, "slot", what, right)
        mappings = options.get("mappings")
        maps: list[Map] = []
        if mappings is None or (isinstance(mappings, Seq) and not mappings.items):
            what, right = f"{path} has no mappings", "say what sets it, as in '- type: from_text'"
            self.findings.error(at, "slot", what, right)
        elif not isinstance(mappings, Seq):
            self.findings.error(mappings.at, "slot", f"{path}: mappings is no list")
        else:
            for item in mappings.items:
                if isinstance(item, Map):
                    self.of_mapping(path, item)
                    maps.append(item)
                else:
                    what = f"{path} has a mapping that is no mapping"
                    self.findings.error(item.at, "slot", what, "as in '- type: from_text'")
        said = text_of(influence).lower()
        influences = kind != "any" and said != "false"
        return Slot(at, kind, maps, influences, options.get("initial_value") is not None)

    def range(self, path: str, options: Map) -> None:
        least, most = (plain(options.get(key)) for key in ("min_value", "max_value"))
        low = 0.0 if least is None else least
        high = 1.0 if most is None else most
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low >= high:
            at = next(options.pairs[k].at for k in ("max_value", "min_value") if k in options.pairs)
            what = f"{path} has values from {low:g} to {high:g}"
            self.findings.error(at, "slot", what, "should have a min_value below its max_value")

    def of_mapping(self, path: str, item: Map) -> None:
        self.keys(item, names.MAPPING_KEYS, f"a mapping of {path}")
        conditions = item.get("conditions")
        for one in conditions.items if isinstance(conditions, Seq) else ():
            self.keys(one, ("active_loop", "requested_slot"), f"a condition of {path}")
        kind = text_of(item.get("type"))
        if kind not in names.MAPPINGS:
            what = f"{path} has a mapping of the unknown type {kind or 'nothing'}"
            at = item.pairs["type"].at if "type" in item.pairs else item.at
            self.findings.error(at, "slot", what, near(kind, names.MAPPINGS))
            return
        needs = names.MAPPINGS[kind]
        if needs and (needs not in item.pairs or item.get(needs) is None):
            what = f"{path} has a mapping {kind} without {needs}"
            at = item.pairs[needs].at if needs in item.pairs else item.at
            self.findings.error(at, "slot", what, f"add '{needs}: …'")

    def read_forms(self, pair: Pair) -> None:
        table = self.mapping(pair, "forms")
        for name, one in table.pairs.items() if table else ():
            path = f"form {name}"
            if name in self.domain.forms:
                first = self.domain.forms[name].at
                what = f"{path} is there twice, first in {first.file}:{first.line}"
                self.findings.error(one.at, "twice", what, "keep one of them")
                continue
            options = one.value if isinstance(one.value, Map) else Map({}, one.at)
            self.keys(options, names.FORM_KEYS, path)
            wanted = options.get("required_slots")
            slots: list[tuple[str, Place]] = []
            if not isinstance(wanted, Seq):
                what, right = f"{path} has no list required_slots", "list the slots it asks for"
                at = (
                    options.pairs["required_slots"].at
                    if "required_slots" in options.pairs
                    else one.at
                )
                self.findings.error(at, "form", what, right)
            else:
                slots = [(text_of(item), item.at) for item in wanted.items]
            ignored = options.get("ignored_intents")
            items = ignored.items if isinstance(ignored, Seq) else (ignored,) if ignored else ()
            self.domain.forms[name] = Form(
                one.at,
                slots,
                [(text_of(item), item.at) for item in items],
                isinstance(wanted, Seq) and not slots,
            )

    def read_responses(self, pair: Pair) -> None:
        table = self.mapping(pair, "responses")
        for name, one in table.pairs.items() if table else ():
            if not self.once(self.domain.responses, "response", name, one.at):
                continue
            found = self.domain.variations.setdefault(name, [])
            if not isinstance(one.value, Seq):
                what = f"response {name} is no list"
                self.findings.error(one.at, "response", what, "should be '- text: \"…\"' lines")
                continue
            if not one.value.items:
                what, right = f"response {name} says nothing", "add '- text: \"…\"'"
                self.findings.error(one.at, "response", what, right)
            for item in one.value.items:
                if isinstance(item, Map):
                    found.append(item)
                else:
                    what, right = f"response {name} has an item that is no mapping", '- text: "…"'
                    self.findings.error(item.at, "response", what, f"should be '{right}'")

    def read_session_config(self, pair: Pair) -> None:
        self.keys(pair.value, names.SESSION_KEYS, "session_config")

    def read_config(self, pair: Pair) -> None:
        self.keys(pair.value, ("store_entities_as_slots",), "config")


def check_spaces(domain: Domain, findings: Findings) -> None:
    """Tell of names with spaces in them, which rules, buttons and annotations read wrongly."""
    places = {
        "intent": domain.intents,
        "entity": domain.entities,
        "action": domain.actions,
        "response": domain.responses,
        "slot": {name: one.at for name, one in domain.slots.items()},
        "form": {name: one.at for name, one in domain.forms.items()},
    }
    for kind, found in places.items():
        for name, at in found.items():
            if any(character.isspace() for character in name):
                right = f"should be {'_'.join(name.split())}"
                findings.warn(at, "name", f"{kind} {name!r} has a space in its name", right)


def values(slot: Map, key: str) -> list[tuple[str, Place]]:
    """Return what stands at a key of a mapping that may be one name or a list of them."""
    node = slot.get(key)
    items = node.items if isinstance(node, Seq) else (node,) if node else ()
    return [(str(plain(item)), item.at) for item in items]
