"""Pictures as SVG, what is told of a thing, and the search: of small projects and the real one."""

from __future__ import annotations

import re
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.insight.about import About, about
from bot.insight.cards import svg_of, svg_of_topics
from bot.insight.designed import Designed, Designs
from bot.insight.drawing import Card, Row, breadth, draw, wrapped
from bot.insight.searching import search
from bot.insight.topics import topics_of
from bot.insight.views import Unknown, view
from tests.insight.conftest import Project

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "x<script>alert(1)</script>\"' onload='alert(2)&amp;"
# As the page checks it, bot/console/page/design_stories.js.
ELEMENTS = {"svg", "g", "a", "rect", "path", "text", "title"}


@pytest.fixture(scope="module")
def starter() -> Designed:
    return Designs(Path(__file__).parents[2]).read()


def check(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    for part in root.iter():
        assert part.tag.removeprefix(SVG) in ELEMENTS
        assert not any(name.startswith("on") or name == "style" for name in part.attrib)
        assert part.attrib.get("href", "#stories?").startswith("#stories?")
    return root


def boxes(root: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    found = []
    for group in root.iter(f"{SVG}g"):
        if "data-box" in group.attrib:
            x, y = map(float, re.findall(r"[-\d.]+", group.attrib["transform"]))
            shape = group.find(f"{SVG}rect")
            assert shape is not None
            found.append((x, y, float(shape.attrib["width"]), float(shape.attrib["height"])))
    return found


def lines_of(told: About, title: str) -> list[tuple[str, str, str]]:
    return [
        (i.text, i.note, i.at) for one in told.sections if one.title == title for i in one.items
    ]


def test_every_view_of_the_starter_can_be_drawn(starter: Designed) -> None:
    """Whatever one may follow leads to a picture in which nothing overlaps."""
    assert starter.broken == []
    topics = topics_of(starter)
    check(svg_of_topics(topics))
    shows = {
        *(f"intent:{name}" for name in starter.domain.intents),
        *(f"response:{name}" for name in starter.domain.responses),
        *(f"action:{name}" for name in starter.domain.actions),
        *(f"{told.kind}:{told.name}" for told in starter.told),
    }
    # Some hundred; each topic and form, and a part of the others.
    chosen = {f"topic:{name}" for name in topics}
    chosen |= {f"form:{name}" for name in starter.domain.forms}
    for show in sorted([*chosen, "intent:affirm", *sorted(shows)[::15]]):
        kind, _, name = show.partition(":")
        root = check(svg_of(view(starter, kind, name), starter, show, show))
        spots = sorted(boxes(root))
        assert spots, show
        for n, (x, y, wide, high) in enumerate(spots):
            for ox, oy, _, ohigh in spots[n + 1 :]:
                if ox >= x + wide:
                    break
                assert oy >= y + high or y >= oy + ohigh, show
        links = root.findall(f".//{SVG}a[@data-about]")
        for thing in {link.attrib["data-about"] for link in links}:
            about(starter, *thing.split(":", 1))


def test_the_starter_is_read_quickly() -> None:
    designs = Designs(Path(__file__).parents[2])
    began = time.process_time()
    designs.read()
    # 0.17 s on an idle core; the rest is for busy ones.
    assert time.process_time() - began < 1.5
    began = time.process_time()
    designs.read()
    assert time.process_time() - began < 0.1


def test_what_is_told_of_the_starters_things(starter: Designed) -> None:
    greet = about(starter, "response", "utter_greet")
    assert greet.at.startswith("domain.yml:")
    said = lines_of(greet, "Says")
    assert ("“Track an order”", "order_status", "") in said
    orders = about(starter, "intent", "order_status")
    assert ("utter_greet", "“Track an order”", "") in lines_of(orders, "Said by buttons of")
    assert len(lines_of(orders, f"Examples ({len(starter.nlu.examples['order_status'])})")) == 12
    form = about(starter, "form", "return_form")
    assert lines_of(form, "Asks for return_item")[1][0] == "utter_ask_return_item"
    look = about(starter, "action", "action_order_status")
    assert look.at.startswith("actions/order_status.py:")
    # Named in the code as f"utter_order_{stage}".
    assert "utter_order_shipped" in [text for text, _, _ in lines_of(look, "May say")]
    rule = about(starter, "rule", "The customer leaves a return")
    assert [text for text, _, _ in lines_of(rule, "Steps")][:4] == [
        *("stop", "deny", "goodbye", "action_leave_form"),
    ]
    sms = about(starter, "response", "utter_return_noted")
    assert lines_of(sms, "Says on sms")
    assert lines_of(about(starter, "slot", "problem"), "Gets its value")
    with pytest.raises(Unknown):
        about(starter, "intent", "no_such")


def test_topics_lead_to_each_other(starter: Designed) -> None:
    topics = topics_of(starter)
    assert "orders" in topics["tracking"].leads
    assert "return_form" in topics["returns"].forms
    assert topics["returns"].about.startswith("Sending something back.")


def test_the_search_finds_names_texts_and_examples(starter: Designed) -> None:
    assert search(starter, "") == []
    first = search(starter, "order status")[0]
    assert (first.kind, first.name) == ("intent", "order_status")
    kinds = [hit.kind for hit in search(starter, "refund")]
    assert kinds[0] == "topic"
    assert kinds.index("intent") < kinds.index("form") < kinds.index("slot")
    found = {(hit.kind, hit.name) for hit in search(starter, "pass you on to a person")}
    assert ("response", "utter_offer_person") in found
    where = next(h for h in search(starter, "WHERE order 1042 now") if h.name == "order_status")
    assert where.text == "where is order 1042 right now"
    assert where.at.startswith("data/nlu/orders.yml:")
    assert search(starter, "no such words anywhere") == []


def test_names_and_texts_are_only_words(project: Project) -> None:
    quoted = HOSTILE.replace("'", "''")
    designed = project(
        domain=f"intents: ['{quoted}']\nresponses:\n  'utter_{quoted}':\n  - text: '{quoted}'\n",
        data__nlu__bad=f"nlu:\n- intent: '{quoted}'\n  examples: |\n    - {HOSTILE}\n",
        data__rules__bad=(
            f"rules:\n- rule: '{quoted}'\n  steps: [{{intent: '{quoted}'}}, "
            f"{{action: 'utter_{quoted}'}}, {{action: \"act\\0ion\"}}]\n"
        ),
    )
    for show in ("topic:bad", f"intent:{HOSTILE}", f"response:utter_{HOSTILE}", f"rule:{HOSTILE}"):
        kind, _, name = show.partition(":")
        svg = svg_of(view(designed, kind, name), designed, show, HOSTILE)
        root = check(svg)
        assert "<script" not in svg
        assert any(HOSTILE in (part.text or "") for part in root.iter(f"{SVG}title"))
        linked = {link.attrib.get("data-about", "") for link in root.iter(f"{SVG}a")}
        assert f"response:utter_{HOSTILE}" in linked
    assert "act\ufffdion" in svg_of(view(designed, "topic", "bad"), designed, "topic:bad", "")


def test_what_the_domain_does_not_know_is_marked(project: Project) -> None:
    designed = project(
        domain="intents: [greet]\n",
        data__rules__a="rules:\n- rule: r\n  steps: [{intent: greet}, {action: utter_nothing}]\n",
    )
    svg = svg_of(view(designed, "topic", "a"), designed, "topic:a", "a")
    assert svg.count("not in the domain") == 1
    assert not about(designed, "response", "utter_nothing").known


def test_long_words_are_broken_and_fit() -> None:
    for text in ("a" * 5000, "utter_" * 40, "漢字" * 60, "W" * 90, ""):
        lines = wrapped(text, 13, 200)
        assert 1 <= len(lines) <= 3
        assert all(breadth(line, 13) <= 200 for line in lines)
    assert wrapped("utter_ask_return_reason", 13, 100) == ["utter_ask_", "return_reason"]
    began = time.process_time()
    wrapped("x" * 1_000_000, 13, 200)
    assert time.process_time() - began < 0.5
    check(
        draw(
            [Card(("intent",), "customer", [Row("x" * 99, about="intent:" + "x" * 9999)])],
            [],
            "",
            "",
        )
    )
