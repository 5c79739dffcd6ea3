"""Rules and stories as one graph, and the parts of it that are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.insight.boxes import Box, Picture
from bot.insight.designed import Designed, Designs
from bot.insight.views import Unknown, view
from tests.insight.conftest import Project

DOMAIN = """\
intents: [greet, order, affirm, deny, stop, thank]
slots:
  number: {type: text, mappings: [{type: from_text}]}
  mood: {type: text, mappings: [{type: custom}]}
forms:
  order_form: {required_slots: [number]}
actions: [action_look]
responses:
  utter_greet:
  - text: "Hello!"
    buttons: [{title: "My order", payload: /order}, {title: "Yes", payload: /affirm}]
  utter_ask_number: [{text: "Which?"}]
  utter_solved: [{text: "Solved?"}]
  utter_glad: [{text: "Glad"}]
  utter_sorry: [{text: "Sorry"}]
  utter_go_on: [{text: "Where were we?"}]
  utter_unused: [{text: "Nobody says it"}]
"""
RULES = """\
rules:
- rule: greeting
  steps: [{intent: greet}, {action: utter_greet}]
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: known
  condition: [{active_loop: order_form}]
  steps:
  - action: order_form
  - active_loop: null
  - slot_was_set: [{requested_slot: null}]
  - action: action_look
  - action: utter_solved
- rule: meanwhile
  condition: [{active_loop: order_form}]
  steps:
  - or: [{intent: greet}, {intent: thank}]
  - action: utter_go_on
  - action: order_form
  - active_loop: order_form
- rule: enough
  condition: [{active_loop: order_form}]
  steps: [{intent: stop}, {action: action_deactivate_loop}, {active_loop: null}]
- rule: solved
  steps: [{action: utter_solved}, {intent: affirm}, {action: utter_glad}]
"""
STORIES = """\
stories:
- story: yes after hello
  steps: [{intent: greet}, {action: utter_greet}, {intent: affirm}, {action: utter_glad}]
- story: no after hello
  steps: [{intent: greet}, {action: utter_greet}, {intent: deny}, {action: utter_sorry}]
"""


def ways(picture: Picture) -> set[tuple[str, str, str]]:
    """The edges in words."""

    def named(box: Box) -> str:
        return f"{box.kind} {'|'.join(sorted(box.names) + sorted(box.details))}"

    return {
        (named(picture.boxes[a]), k, named(picture.boxes[b]))
        for (a, b), (k, _) in picture.edges.items()
    }


@pytest.fixture
def shop(project: Project) -> Designed:
    return project(domain=DOMAIN, data__rules__shop=RULES, data__stories__hello=STORIES)


def test_a_form_goes_on_ends_and_comes_back(shop: Designed) -> None:
    seen = ways(view(shop, "topic", "shop"))
    assert seen >= {
        ("intent order", "then", "form order_form"),
        ("form order_form", "then", "done order_form"),
        ("done order_form", "then", "action action_look"),
        ("form order_form", "then", "intent greet|thank"),
        ("intent greet|thank", "then", "response utter_go_on"),
        ("response utter_go_on", "then", "back order_form"),
        ("form order_form", "then", "intent stop"),
        ("intent stop", "then", "leave order_form"),
    }
    # A rule that begins with an action goes on where others say it.
    assert ("action action_look", "then", "response utter_solved") in seen
    assert ("response utter_solved", "then", "intent affirm") in seen


def test_stories_of_one_beginning_are_one_path(shop: Designed) -> None:
    picture = view(shop, "topic", "hello")
    assert [box.names for box in picture.boxes].count(("utter_greet",)) == 1
    assert ways(picture) == {
        ("intent greet", "then", "response utter_greet"),
        ("response utter_greet", "then", "intent affirm"),
        ("response utter_greet", "then", "intent deny"),
        ("intent affirm", "then", "response utter_glad"),
        ("intent deny", "then", "response utter_sorry"),
        ("response utter_greet", "button", "intent order"),
    }
    yes = next(box for box in picture.boxes if box.names == ("affirm",))
    assert yes.buttons == ("Yes",)
    other = next(box for box in picture.boxes if box.names == ("order",))
    assert other.opens


def test_what_is_around_a_thing(shop: Designed) -> None:
    picture = view(shop, "intent", "affirm")
    focus = {box.names for box in picture.boxes if box.focus}
    assert focus == {("affirm",)}
    seen = ways(picture)
    assert ("response utter_solved", "then", "intent affirm") in seen
    assert ("response utter_greet", "then", "intent affirm") in seen
    assert ("intent affirm", "then", "response utter_glad") in seen
    assert not any("deny" in end for _, _, end in seen)

    order = view(shop, "intent", "order")
    assert ("response utter_greet", "button", "intent order") in ways(order)

    asked = view(shop, "response", "utter_ask_number")
    assert ("form order_form", "says", "response utter_ask_number") in ways(asked)
    unused = view(shop, "response", "utter_unused")
    assert len(unused.boxes) == 1
    assert "No rule or story has it" in unused.notes[0]
    with pytest.raises(Unknown):
        view(shop, "intent", "no_such")
    with pytest.raises(Unknown):
        view(shop, "password", "x")


def test_one_rule_is_shown_alone_and_says_what_is_beyond(shop: Designed) -> None:
    picture = view(shop, "rule", "order")
    assert ways(picture) == {("intent order", "then", "form order_form")}
    assert next(box for box in picture.boxes if box.kind == "form").after == 3


def test_checkpoints_choices_and_slots(project: Project) -> None:
    shop = project(
        domain=DOMAIN,
        data__stories__points="""\
stories:
- story: first
  steps:
  - or: [{intent: greet}, {intent: order, entities: [{number: "1"}]}]
  - action: action_look
  - checkpoint: seen
- story: happy
  steps: [{checkpoint: seen}, {slot_was_set: [{mood: happy}]}, {action: utter_glad}]
- story: sad
  steps: [{checkpoint: seen}, {slot_was_set: [{mood: null}]}, {action: utter_sorry}]
""",
    )
    assert ways(view(shop, "topic", "points")) == {
        ("intent greet|order|number=1", "then", "action action_look"),
        ("action action_look", "then", "checkpoint seen"),
        ("checkpoint seen", "then", 'slots mood|mood = "happy"'),
        ("checkpoint seen", "then", "slots mood|mood is not set"),
        ('slots mood|mood = "happy"', "then", "response utter_glad"),
        ("slots mood|mood is not set", "then", "response utter_sorry"),
    }
    assert len(view(shop, "checkpoint", "seen").boxes) == 7


def test_more_than_one_picture_holds_is_said(project: Project) -> None:
    many = "rules:\n" + "".join(
        f"- rule: r{n}\n  steps: [{{intent: i{n}}}, {{action: utter_{n}}}]\n" for n in range(200)
    )
    shop = project(domain=DOMAIN, data__rules__many=many)
    picture = view(shop, "topic", "many")
    assert len(picture.boxes) <= 150
    assert "the first 75 of 200" in picture.notes[0]


def test_broken_files_are_told_of_and_the_rest_is_there(project: Project, tmp_path: Path) -> None:
    shop = project(
        domain=DOMAIN,
        data__rules__shop=RULES,
        data__stories__bad="stories:\n- story: x\n   steps: [\n",
    )
    assert [(one.file, one.line > 0) for one in shop.broken] == [("data/stories/bad.yml", True)]
    assert ways(view(shop, "rule", "order"))
    assert Designs(tmp_path / "elsewhere").read().missing


def test_a_changed_file_is_seen(project: Project, tmp_path: Path) -> None:
    project(domain=DOMAIN, data__rules__shop=RULES)
    designs = Designs(tmp_path)
    first = designs.read()
    assert designs.read() is first
    (tmp_path / "data/rules/shop.yml").write_text(
        "rules:\n- rule: new\n  steps: [{intent: stop}]\n"
    )
    assert [one.name for one in designs.read().told] == ["new"]
    (tmp_path / "data/rules/shop.yml").unlink()
    assert list(designs.read().told) == []
