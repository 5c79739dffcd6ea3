"""What there is to tell of one thing: its words, where it stands, and what uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bot.dialogue.checking import names
from bot.dialogue.checking.domain import Domain, values
from bot.dialogue.checking.finding import Place
from bot.dialogue.checking.reading import Map, text_of
from bot.dialogue.checking.stories import Step, Told, walk
from bot.insight.cards import texts_of, unmarked
from bot.insight.designed import Designed, asked_by, buttons_of, place
from bot.insight.views import Unknown

#: So many examples, and so many of anything else, are listed.
_EXAMPLES, _MOST = 12, 40
_LONGEST = 2000
#: What a picture can be made of.
FOLLOWED = ("intent", "response", "action", "form", "rule", "story", "checkpoint")


@dataclass
class Item:
    """A line: `about` and `show` are what it leads to (``kind:name``), `at` is ``file:line``."""

    text: str
    note: str = ""
    at: str = ""
    about: str = ""
    show: str = ""


@dataclass
class Section:
    """Lines of one sort; `more` were left out."""

    title: str
    items: list[Item]
    more: int = 0


@dataclass
class About:
    """A thing. `known` is False for what is used and defined nowhere."""

    kind: str
    name: str
    at: str = ""
    known: bool = True
    sections: list[Section] = field(default_factory=list)

    def add(self, title: str, items: Iterable[Item], most: int = _MOST) -> None:
        """Add a section unless it is empty."""
        found = [replace(item, text=item.text[:_LONGEST]) for item in items]
        if found:
            self.sections.append(Section(title, found[:most], max(0, len(found) - most)))


def about(designed: Designed, kind: str, name: str) -> About:
    """Tell of an intent, response, action, form, slot, checkpoint, rule or story.

    Raises Unknown when no file has it.
    """
    if kind in ("rule", "story"):
        return _told(designed, kind, name)
    tell = _TELLS.get(kind)
    if tell is None:
        raise Unknown("nothing can be told of this kind of thing")
    made = About(kind, name, known=False)
    tell(designed, made)
    made.add("In rules and stories", _users(designed, kind, name))
    if not made.known and not made.sections:
        raise Unknown(f"nothing is called {name}")
    return made


def _users(designed: Designed, kind: str, name: str) -> Iterator[Item]:
    kinds = {"form": ("action", "loop"), "slot": ("slots",), "response": ("action", "bot")}
    wanted = kinds.get(kind, (kind,))
    for told in designed.told:
        if any(
            step.kind in wanted and (step.name == name or name in dict(step.slots))
            for step in walk(told)
        ):
            yield _use(told)


def _use(told: Told) -> Item:
    return Item(told.name, told.kind, place(told.at), show=f"{told.kind}:{told.name}")


def _is(made: About, at: Place | None) -> None:
    if at is not None:
        made.known, made.at = True, place(at)


def _intent(designed: Designed, made: About) -> None:
    name = made.name
    _is(made, designed.nlu.first.get(name) or designed.domain.intents.get(name))
    made.known = made.known or name in names.INTENTS
    examples = designed.nlu.examples.get(name, [])
    made.add(
        f"Examples ({len(examples)})",
        (Item(f"“{unmarked(text)}”", at=place(at)) for text, at in examples),
        _EXAMPLES,
    )
    made.add(
        "Said by buttons of",
        (
            Item(response, f"“{button.title}”", about=f"response:{response}")
            for response, buttons in designed.buttons.items()
            for button in buttons
            if button.intent == name
        ),
    )
    made.add("Sets slots", _sets(designed, "intent", name))


def _sets(designed: Designed, key: str, name: str) -> Iterator[Item]:
    for slot, one in designed.domain.slots.items():
        for mapping in one.mappings:
            if name in (value for value, _ in values(mapping, key)):
                yield Item(slot, _mapping(mapping), place(mapping.at), about=f"slot:{slot}")
                break


def _mapping(mapping: Map) -> str:
    """Return in words where a slot gets its value from."""
    kind = text_of(mapping.get("type"))
    intents = [intent for intent, _ in values(mapping, "intent")]
    by = f" of {' or '.join(intents)}" if intents else ""
    said = {
        "from_entity": f"from the entity {text_of(mapping.get('entity'))}{by}",
        "from_text": f"from the words{by}",
        "from_intent": f"set to {text_of(mapping.get('value'))} by {' or '.join(intents)}",
        "from_trigger_intent": f"set to {text_of(mapping.get('value'))} as the form begins",
        "custom": "set by code",
    }
    return said.get(kind, kind)


def _response(designed: Designed, made: About) -> None:
    name, domain = made.name, designed.domain
    _is(made, domain.responses.get(name))
    for variation in domain.variations.get(name, ()):
        channel = text_of(variation.get("channel"))
        note = f"on {channel}" if channel else ""
        if variation.get("condition"):
            note = f"{note}{', ' if note else ''}on a condition"
        text = Item(texts_of(variation) or "(no text)", note, place(variation.at))
        buttons = [
            Item(f"“{button.title}”", button.intent, about=f"intent:{button.intent}")
            for button in dict.fromkeys(buttons_of(variation))
        ]
        made.add(f"Says on {channel}" if channel else "Says", [text, *buttons])
    made.add(
        "Said by the code of",
        (
            Item(action, at=place(designed.spoken.at.get(action)), about=f"action:{action}")
            for action, said in designed.spoken.says.items()
            if name in said
        ),
    )
    _asked_by_forms(domain, made)


def _action(designed: Designed, made: About) -> None:
    name, domain = made.name, designed.domain
    _is(made, designed.spoken.at.get(name) or domain.actions.get(name))
    made.known = made.known or name in names.ACTIONS
    made.add(
        "May say",
        (_said(designed, response) for response in designed.spoken.says.get(name, ())),
    )
    _asked_by_forms(domain, made)


def _asked_by_forms(domain: Domain, made: About) -> None:
    made.add(
        "Asked by forms",
        (
            Item(form, f"for {slot}", place(one.at), about=f"form:{form}")
            for form, one in domain.forms.items()
            for slot, _ in one.slots
            if asked_by(domain, form, slot) == made.name
        ),
    )


def _said(designed: Designed, response: str) -> Item:
    variations = designed.domain.variations.get(response)
    text = texts_of(variations[0]) if variations else ""
    at = place(designed.domain.responses.get(response))
    return Item(response, text, at, about=f"response:{response}")


def _form(designed: Designed, made: About) -> None:
    name, domain = made.name, designed.domain
    form = domain.forms.get(name)
    _is(made, form.at if form else None)
    for slot, at in form.slots if form else ():
        asked = asked_by(domain, name, slot)
        items = [Item(slot, "slot", place(at), about=f"slot:{slot}")]
        if asked in domain.responses:
            items.append(_said(designed, asked))
        elif asked:
            items.append(Item(asked, "code", about=f"action:{asked}"))
        else:
            items.append(Item("Nothing asks for it.", f"should be utter_ask_{slot}"))
        made.add(f"Asks for {slot}", items)
    validates = f"validate_{name}"
    if validates in domain.actions or validates in designed.spoken.at:
        at_code = place(designed.spoken.at.get(validates))
        made.add(
            "Answers are checked by", [Item(validates, "code", at_code, f"action:{validates}")]
        )


def _slot(designed: Designed, made: About) -> None:
    name, domain = made.name, designed.domain
    slot = domain.slots.get(name)
    _is(made, slot.at if slot else None)
    if slot:
        seen = "rules and stories see it" if slot.influences else "rules and stories do not see it"
        made.add("Kind", [Item(slot.type or "no type", seen)])
        made.add("Gets its value", (Item(_mapping(m), at=place(m.at)) for m in slot.mappings))
    made.add(
        "Asked by forms",
        (
            Item(form, at=place(at), about=f"form:{form}")
            for form, one in domain.forms.items()
            for wanted, at in one.slots
            if wanted == name
        ),
    )


def _checkpoint(designed: Designed, made: About) -> None:
    made.known = any(
        step.kind == "checkpoint" and step.name == made.name
        for told in designed.told
        for step in walk(told)
    )


_TELLS = {
    "intent": _intent,
    "response": _response,
    "action": _action,
    "form": _form,
    "slot": _slot,
    "checkpoint": _checkpoint,
}


def _told(designed: Designed, kind: str, name: str) -> About:
    found = [one for one in designed.told if (one.kind, one.name) == (kind, name)]
    if not found:
        raise Unknown(f"there is no {kind} of this name")
    made = About(kind, name, place(found[0].at))
    for one in found:
        title = "Steps" if len(found) == 1 else f"Steps, {place(one.at)}"
        made.add("Only if", _steps(designed, one.condition))
        made.add(title, _steps(designed, one.steps))
        if not one.waits:
            made.add("And then", [Item("does not wait for the customer")])
    return made


def _steps(designed: Designed, steps: Iterable[Step]) -> Iterator[Item]:
    for step in steps:
        for one in step.choices:
            item = _step(designed, one)
            yield replace(item, note=f"{item.note}, one of {len(step.choices)}")
        if step.kind != "or":
            yield _step(designed, step)


def _step(designed: Designed, step: Step) -> Item:
    at = place(step.at)
    if step.kind == "slots":
        said = ", ".join(
            f"{slot} is set" if value == "*" else f"{slot} = {value}" for slot, value in step.slots
        )
        return Item(said, "slot", at, about=f"slot:{step.slots[0][0]}" if step.slots else "")
    if step.kind == "loop":
        if step.name in ("", "null"):
            return Item("the form is over", "form", at)
        return Item(step.name, "form goes on", at, about=f"form:{step.name}")
    if step.kind in ("user", "bot"):
        return Item(f"“{step.name}”", "customer says" if step.kind == "user" else "bot says", at)
    kind, note = (
        step.kind,
        {"intent": "customer", "checkpoint": "checkpoint"}.get(step.kind, "code"),
    )
    if step.kind == "action":
        if step.name in designed.domain.forms:
            kind, note = "form", "form"
        elif step.name.startswith("utter_"):
            kind, note = "response", "bot says"
    if step.entities:
        note += f", with {', '.join(step.entities)}"
    return Item(step.name, note, at, about=f"{kind}:{step.name}")
