"""What a model takes for what: the map's order, the numbers, two models beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.insight.matrix import Matrices, NoSuchModel, changes, in_order, places_of, scores
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.models import POINTER, ModelInUse
from tests.kit.reports import REPORT, ROWS, keep_model, shop


def test_intents_that_are_confused_stand_together() -> None:
    assert in_order(ROWS) == ["nlu_fallback", "stop", "greet", "order"]
    chain = [("a", "z", 9), ("z", "m", 8), ("m", "b", 7), ("c", "d", 1), ("x", "x", 50)]
    assert in_order(chain) in (
        ["a", "z", "m", "b", "c", "d", "x"],
        ["b", "m", "z", "a", "c", "d", "x"],
    )


def test_the_numbers_of_an_intent_are_those_of_the_book() -> None:
    found = {one["name"]: one for one in scores(ROWS)}
    assert found["greet"]["precision"] == pytest.approx(4 / 6)
    assert found["greet"]["recall"] == pytest.approx(4 / 5)
    assert found["greet"]["f1"] == pytest.approx(2 * 4 / (6 + 5))
    assert (found["nlu_fallback"]["recall"], found["nlu_fallback"]["messages"]) == (None, 0)
    assert [one["name"] for one in scores(ROWS)][-1] == "order"


async def test_the_model_in_use_is_shown_with_the_places_of_its_texts(
    store: AsyncStore, tmp_path: Path
) -> None:
    await keep_model(store, "new", {}, 0)
    await keep_model(store, "used", REPORT, 2)
    await store.insert(ModelInUse(id=POINTER, model="used", at=utcnow()))
    found = await Matrices(store, shop(tmp_path)).read()
    assert found["model"] == "used"
    assert [(one["id"], one["status"], one["measured"]) for one in found["models"]] == [
        ("new", "candidate", False),
        ("used", "in_use", True),
    ]
    told = found["measured"]
    assert (told["right"], told["examples"]) == (11, 15)
    (cause,) = told["causes"]
    assert [told["intents"][n] for n in cause["cell"]] == ["stop", "greet"]
    said, other = cause["messages"]
    assert said["place"] == "tests/nlu/heldout.yml:5"
    assert said["example_place"] == "data/nlu/all.yml:19"
    assert said["other_place"] == "data/nlu/all.yml:8"
    # An example that was taken out since has no place any more.
    assert other["example_place"] == ""


def test_an_example_is_found_by_its_words_without_marks(tmp_path: Path) -> None:
    places = places_of(shop(tmp_path))
    assert places.examples["order", "has 1043 left"] == "data/nlu/all.yml:16"
    assert places.intents["order"] == "data/nlu/all.yml:10"


async def test_a_model_of_before_says_that_nothing_was_kept(
    store: AsyncStore, tmp_path: Path
) -> None:
    matrices = Matrices(store, tmp_path)
    assert (await matrices.read())["models"] == []
    await keep_model(store, "old", {"accuracy": 0.9, "examples": 10, "intents": {}})
    found = await matrices.read()
    assert (found["model"], found["measured"]) == ("old", None)
    with pytest.raises(NoSuchModel, match="other: the store knows no such model"):
        await matrices.read("old", "other")


def test_two_models_beside_each_other() -> None:
    old = {
        **{"accuracy": 0.8, "f1": 0.8, "matrix": [["greet", "stop", 3], ["order", "stop", 1]]},
        "intents": {"greet": [0.5, 5], "order": [1.0, 5], "stop": [0.9, 4], "gone": [1.0, 2]},
    }
    told = changes(REPORT, old)
    assert [(one["name"], one["after"] > one["before"]) for one in told["intents"]] == [
        ("stop", False),
        ("greet", True),
    ]
    assert told["removed"] == ["gone"]
    assert told["alike"] is False
    assert {
        (one["intent"], one["predicted"], one["before"], one["after"]) for one in told["pairs"]
    } == {
        ("greet", "stop", 3, 1),
        ("order", "stop", 1, 0),
        ("stop", "greet", 0, 2),
        ("stop", "nlu_fallback", 0, 1),
    }
    assert changes(REPORT, {})["measured"] is False
    assert changes(REPORT, {"intents": {}, "accuracy": 0.9})["pairs"] is None
