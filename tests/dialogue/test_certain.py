"""Where a neural policy is not asked, the ensemble would not have listened to it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from rasa.core.policies.ensemble import DefaultPolicyPredictionEnsemble
from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.certain import certain
from bot.dialogue.loading import untrained
from bot.dialogue.runner import SequentialRunner

DOMAIN = Domain.from_dict({"actions": ["action_a", "action_b", "action_c"]})
ACTIONS = DOMAIN.action_names_or_texts


def tracker(rejected: str | None = None) -> DialogueStateTracker:
    made = DialogueStateTracker.from_events("u", [ActionExecuted("action_listen")])
    if rejected:
        made.update(ActionExecutionRejected(rejected), DOMAIN)
    return made


def prediction(pick: random.Random, priority: int, neural: bool = False) -> PolicyPrediction:
    confidences = [0.0] * len(ACTIONS)
    confidences[pick.randrange(len(ACTIONS))] = pick.choice([0.0, 0.4, 0.99, 1.0, 1.0])
    return PolicyPrediction(
        confidences,
        f"policy_{priority}",
        priority,
        is_no_user_prediction=not neural and pick.random() < 0.2,
    )


def best(predictions: list[PolicyPrediction], past: DialogueStateTracker) -> tuple[Any, ...]:
    chosen = DefaultPolicyPredictionEnsemble().combine_predictions(predictions, past, DOMAIN)
    return (
        chosen.policy_name,
        chosen.probabilities,
        [event.as_dict()["event"] for event in chosen.events],
    )


def fresh(predictions: list[PolicyPrediction]) -> list[PolicyPrediction]:
    """As they were predicted: the ensemble takes confidences away in place."""
    return [
        PolicyPrediction(
            list(p.probabilities),
            p.policy_name,
            p.policy_priority,
            is_no_user_prediction=p.is_no_user_prediction,
        )
        for p in predictions
    ]


def test_the_ensemble_chooses_the_same() -> None:
    pick = random.Random(6)
    spared = 0
    for _ in range(800):
        cheap = [prediction(pick, priority) for priority in (3, 4) if pick.random() < 0.9]
        # Also one that a designer put above a memorised story.
        neural = [prediction(pick, priority, True) for priority in (1, pick.choice([2, 5]))]
        past = tracker(pick.choice([None, None, "action_a"]))
        sure = certain(cheap, past)
        heard = [one for one in neural if one.policy_priority >= sure]
        spared += len(neural) - len(heard)
        if cheap or heard:
            assert best(fresh(cheap + heard), past) == best(fresh(cheap + neural), past)
    assert spared > 300


def test_nothing_is_certain_after_a_rejection_or_without_a_tracker() -> None:
    sure = PolicyPrediction([1.0, 0.0], "policy_4", 4)
    assert certain([sure], tracker()) == 4
    assert certain([sure], tracker("action_a")) == 0
    assert certain([sure], None) == 0
    assert certain([PolicyPrediction([0.999], "policy_4", 4), None], tracker()) == 0


class Rule(GraphComponent):
    """Stands at the place of a cheap policy."""

    @classmethod
    def create(cls, config: Any, *_: Any, **__: Any) -> Any:
        made = cls()
        made.config = config  # type: ignore[attr-defined]
        return made

    def predict(self, **given: Any) -> Any:
        return self.config["says"]  # type: ignore[attr-defined]


def test_neural_policies_come_right_before_the_ensemble() -> None:
    def node(needs: dict[str, str]) -> SchemaNode:
        return SchemaNode(needs, Rule, "create", "predict", {"says": 1}, eager=True)

    schema = GraphSchema(
        {
            "neural": node({}),
            "other": node({"a": "neural"}),
            "rule": node({}),
            "ensemble": node({"a": "neural", "b": "rule"}),
        }
    )
    runner = SequentialRunner.create(
        schema, LocalModelStorage(Path()), ExecutionContext(schema, "m")
    )
    assert [name for name, _ in runner._order(("ensemble",))] == ["neural", "rule", "ensemble"]
    runner._dear = {"neural": 1}
    assert [name for name, _ in runner._order(("ensemble",))] == ["rule", "neural", "ensemble"]


def test_loading_leaves_rasa_as_it_was() -> None:
    from rasa.utils.tensorflow.models import RasaModel

    stock = RasaModel.__dict__["load"]
    with untrained():
        assert RasaModel.__dict__["load"] is not stock
    assert RasaModel.__dict__["load"] is stock
