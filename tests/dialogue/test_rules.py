"""Rules that are looked up are the ones that Rasa finds by looking at each."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from rasa.core.policies.memoization import AugmentedMemoizationPolicy
from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource

from bot.dialogue.certain import dear
from bot.dialogue.rules import look_up_rules

UNSET = "should_not_be_set"


def policy(kind: type[Any], **config: Any) -> Any:
    context = ExecutionContext(GraphSchema({}), "m")
    settings = {**kind.get_default_config(), **config}
    return kind(settings, LocalModelStorage(Path()), Resource("p"), context)


def a_state(pick: random.Random, rule: bool) -> dict[str, dict[str, Any]]:
    """Of a rule (where things may have to be unset) or of a conversation."""
    intents = ["order", "affirm", "greet"]
    state: dict[str, dict[str, Any]] = {}
    if pick.random() < 0.85:
        state["prev_action"] = (
            {"action_name": pick.choice(["action_listen", "utter_hi", "order_form"])}
            if pick.random() < 0.95
            else {"action_text": "hello"}
        )
    if pick.random() < 0.8:
        state["user"] = {"intent": pick.choice(intents)}
        if pick.random() < 0.2:
            state["user"] = {"text": pick.choice(["hi", "yes"])}
        if pick.random() < 0.3:
            state["user"]["entities"] = tuple(pick.choice([("size",), ("colour", "size"), ()]))
        if rule and pick.random() < 0.1:
            state["user"]["intent"] = UNSET
    if pick.random() < 0.4:
        state["active_loop"] = {"name": pick.choice(["order_form", UNSET])}
    if pick.random() < 0.4:
        state["slots"] = {pick.choice(["size", "helped"]): pick.choice([(1.0,), (0.0, 1.0), UNSET])}
    return state


def test_the_rules_found_are_the_same() -> None:
    pick = random.Random(6)
    found = 0
    for _ in range(15):
        stock, ours = policy(RulePolicy), policy(RulePolicy)
        for kind, most in ((RULES, 150), (RULES_FOR_LOOP_UNHAPPY_PATH, 20)):
            keys = [
                json.dumps([a_state(pick, True) for _ in range(pick.choice([1, 1, 2, 3]))])
                for _ in range(most)
            ]
            stock.lookup[kind] = ours.lookup[kind] = dict.fromkeys(keys, "utter_hi")
        look_up_rules([ours])
        assert "_get_possible_keys" in vars(ours)
        for _ in range(60):
            states = [a_state(pick, False) for _ in range(pick.choice([1, 2, 3, 5]))]
            for kind in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH):
                theirs = stock._get_possible_keys(stock.lookup[kind], states)
                assert ours._get_possible_keys(ours.lookup[kind], states) == theirs
                found += len(theirs)
    assert found > 500
    # Of rules that it does not know, Rasa's way is gone.
    other = dict(ours.lookup[RULES])
    assert ours._get_possible_keys(other, states) == stock._get_possible_keys(other, states)


def test_a_policy_of_another_class_is_left_alone() -> None:
    class Other(RulePolicy):  # type: ignore[misc]
        pass

    other = policy(Other)
    look_up_rules([other])
    assert "_get_possible_keys" not in vars(other)


def test_memorised_stories_are_asked_only_where_no_rule_is_certain() -> None:
    class Own(AugmentedMemoizationPolicy):  # type: ignore[misc]
        pass

    components = {
        "rule": policy(RulePolicy),
        "memory": policy(AugmentedMemoizationPolicy, priority=3),
        "own": policy(Own),
    }
    assert dear(components) == {"memory": 3}
