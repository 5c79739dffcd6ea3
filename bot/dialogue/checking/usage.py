"""What is named and not there, and what is there and never used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.dialogue.checking import names
from bot.dialogue.checking.code import Code
from bot.dialogue.checking.domain import Domain, values
from bot.dialogue.checking.finding import Findings, lacking, near
from bot.dialogue.checking.nlu import Nlu
from bot.dialogue.checking.reading import Map, Seq, plain, text_of
from bot.dialogue.checking.stories import Told, walk

_LANGUAGE = re.compile(r"_[a-z]{2}$")


@dataclass
class Used:
    """The names that rules, stories and other files of ``data/`` mention."""

    told: list[Told]
    elsewhere: set[str]
    intents: set[str] = field(default_factory=set)
    actions: set[str] = field(default_factory=set)
    slots: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for one in self.told:
            if one.kind == "test":
                continue
            for step in walk(one):
                if step.kind == "intent":
                    self.intents.add(step.name.split("/", 1)[0])
                    self.intents.add(step.name)
                elif step.kind == "action":
                    self.actions.add(step.name)
                self.slots |= {name for name, _ in step.slots}


def check_mappings(domain: Domain, findings: Findings) -> None:
    """Check what slots, forms and triggers name."""
    for name, slot in domain.slots.items():
        for one in slot.mappings:
            entity = text_of(one.get("entity"))
            if entity and entity not in domain.entities:
                what = f"slot {name} is set from {entity}, which is no entity"
                at = one.pairs["entity"].at
                findings.error(
                    at, "unknown entity", what, lacking(entity, domain.entities, "entities")
                )
            for key in ("intent", "not_intent"):
                for intent, at in values(one, key):
                    if intent != "None" and not domain.known_intent(intent):
                        what = f"slot {name} has a mapping of {intent}, which is no intent"
                        findings.error(
                            at, "unknown intent", what, lacking(intent, domain.intents, "intents")
                        )
            action = text_of(one.get("action"))
            if action and not domain.known_action(action):
                what = f"slot {name} is set by {action}, which is no action"
                at = one.pairs["action"].at
                findings.error(
                    at, "unknown action", what, lacking(action, domain.actions, "actions")
                )
            conditions = one.get("conditions")
            for item in conditions.items if isinstance(conditions, Seq) else ():
                form = text_of(item.get("active_loop")) if isinstance(item, Map) else ""
                asked = text_of(item.get("requested_slot")) if isinstance(item, Map) else ""
                if form and form not in domain.forms:
                    what = f"slot {name} has a condition of {form}, which is no form"
                    findings.error(
                        item.at, "unknown form", what, lacking(form, domain.forms, "forms")
                    )
                elif form and name not in (one for one, _ in domain.forms[form].slots):
                    what = f"slot {name} is filled in {form}, which does not ask for it"
                    findings.warn(item.at, "form", what, "add it to its required_slots")
                if asked and asked not in domain.slots:
                    what = f"slot {name} has a condition of {asked}, which is no slot"
                    findings.error(
                        item.at, "unknown slot", what, lacking(asked, domain.slots, "slots")
                    )
    for name, at in domain.triggers:
        if not domain.known_action(name):
            what = f"{name} is no action"
            findings.error(at, "unknown action", what, lacking(name, domain.actions, "actions"))


def check_forms(domain: Domain, code: Code, findings: Findings) -> None:
    """Tell of forms that ask for what is no slot, or have no words to ask with."""
    for name, form in domain.forms.items():
        checked = f"validate_{name}"
        # Code may say in each turn what a form asks for.
        if form.empty and code.there and checked not in code.actions:
            what = f"form {name} asks for nothing, and ends as it begins"
            findings.error(form.at, "form", what, "list the slots it asks for")
        for intent, at in form.ignored:
            if not domain.known_intent(intent):
                what = f"form {name} ignores {intent}, which is no intent"
                findings.error(
                    at, "unknown intent", what, lacking(intent, domain.intents, "intents")
                )
        for slot, at in form.slots:
            if slot not in domain.slots:
                what = f"form {name} asks for {slot}, which is no slot"
                findings.error(at, "unknown slot", what, lacking(slot, domain.slots, "slots"))
                continue
            asks = [
                f"{word}_ask_{part}"
                for word in ("utter", "action")
                for part in (f"{name}_{slot}", slot)
            ]
            if not any(ask in domain.responses or ask in domain.actions for ask in asks):
                what = f"form {name} has no words to ask for {slot}"
                findings.error(at, "form", what, f"add the response {asks[1]}")
            kinds = {text_of(one.get("type")) for one in domain.slots[slot].mappings}
            if kinds == {"custom"} and code.there and checked not in code.actions:
                what = f"form {name} asks for {slot}, which no answer of a customer sets"
                right = f"give the slot a mapping such as from_text, or write {checked}"
                findings.error(at, "form", what, right)
    for name, at in domain.actions.items():
        if name.startswith("validate_") and name[len("validate_") :] not in domain.forms:
            what = f"{name} checks a form that is not there"
            findings.warn(
                at, "form", what, lacking(name[len("validate_") :], domain.forms, "forms")
            )


def check_actions(domain: Domain, code: Code, findings: Findings) -> None:
    """Compare the domain's actions with those that the code defines."""
    if not code.there:
        return
    tell = findings.warn if code.dynamic else findings.error
    for name, at in domain.actions.items():
        given = name in names.ACTIONS or name in domain.responses or name in domain.forms
        if name not in code.actions and not given:
            if name.startswith("utter_"):
                what = f"there is no response {name}"
                findings.error(
                    at, "unknown response", what, lacking(name, domain.responses, "responses")
                )
            else:
                what = f"action {name} is not in the package actions"
                tell(at, "missing action", what, near(name, code.actions))
    for name, at in code.actions.items():
        if name not in domain.actions and name not in names.ACTIONS:
            what = f"action {name} is not in the domain, it is never run"
            findings.warn(at, "action unlisted", what, "add it below 'actions:'")


def check_unused(
    domain: Domain, nlu: Nlu, code: Code, used: Used, components: set[str], findings: Findings
) -> None:
    """Tell of what no rule, story or action uses."""
    _intents(domain, nlu, code, used, findings)
    _responses(domain, code, used, findings)
    for name, form in domain.forms.items():
        if name not in used.actions and not code.mentions(name):
            what = f"no rule and no story begins form {name}"
            findings.warn(form.at, "unused", what, f"add a rule with '- action: {name}'")
    for name, slot in domain.slots.items():
        kinds = {text_of(one.get("type")) for one in slot.mappings}
        by_code = code.there and not code.mentions(name) and name not in code.keywords
        if kinds == {"custom"} and by_code and not slot.initial:
            what = f"slot {name} is never set"
            findings.warn(
                slot.at, "slot unset", what, "give it a mapping, or an action that sets it"
            )
    custom = components & names.EXTRACTORS or any("." in name for name in components)
    for name, at in domain.entities.items():
        if name not in nlu.found and not custom and not code.mentions(name):
            what = f"entity {name} is in no example, lookup or regex"
            findings.warn(at, "unused", what, f"annotate it, as in [words]({name})")


def _intents(domain: Domain, nlu: Nlu, code: Code, used: Used, findings: Findings) -> None:
    mapped = {
        intent
        for slot in domain.slots.values()
        for one in slot.mappings
        for intent, _ in values(one, "intent")
    }
    ignored = {intent for form in domain.forms.values() for intent, _ in form.ignored}
    said = {name.split("/", 1)[0] for name, found in nlu.examples.items() if found} | nlu.empty
    offered = _offered(domain)
    for name, at in domain.intents.items():
        mentioned = code.mentions(name) or code.mentions(f"/{name}")
        if (
            name not in used.intents | mapped | ignored | used.elsewhere | names.INTENTS
            and not mentioned
        ):
            what = f"no rule and no story uses intent {name}"
            findings.warn(at, "unused", what, f"add a rule with '- intent: {name}'")
        made = name in names.MADE or name in offered or mentioned
        if name not in said and not made:
            what = f"intent {name} has no examples"
            # Code that is not here may make buttons of it.
            (findings.error if code.there else findings.warn)(
                at, "examples", what, "add some to data/nlu, or take it out"
            )


def _offered(domain: Domain) -> set[str]:
    found: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "payload" and isinstance(inner, str) and inner.startswith("/"):
                    found.add(re.split(r"[{@]", inner[1:])[0].strip())
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    for variations in domain.variations.values():
        for variation in variations:
            look(plain(variation))
    return found


def _responses(domain: Domain, code: Code, used: Used, findings: Findings) -> None:
    asked = {
        f"utter_ask_{part}"
        for name, form in domain.forms.items()
        for slot, _ in form.slots
        for part in (slot, f"{name}_{slot}")
    }
    known = used.actions | asked | names.RESPONSES | used.elsewhere
    for name, at in domain.responses.items():
        # An action says it in the customer's language where there is such a response.
        for form in (name, _LANGUAGE.sub("", name)):
            retrieval = form.split("/", 1)[0] if "/" in form else form
            if retrieval in known or code.mentions(form):
                break
        else:
            what = f"nobody uses response {name}"
            findings.warn(at, "unused", what, "use it in a rule, or take it out")
