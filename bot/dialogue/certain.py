"""Tells when a policy need not be asked, for what it says cannot change the answer.

Rasa's ensemble takes the most confident prediction, and of equally confident ones that of the
highest priority. No policy is more confident than 1, so when a rule or a memorised story is
certain, a policy of lower priority is not heard, whatever it predicts. Two things stand in the
way and are looked for: a policy trained on the texts of stories, which overrules all others,
and an action that was just rejected, whose confidence the ensemble takes away.

That is so of neural policies, and of memorised stories where a rule is certain: finding that no
story goes on as a conversation does costs as much as all the rest of a prediction.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rasa.core.policies.memoization import AugmentedMemoizationPolicy, MemoizationPolicy
from rasa.core.policies.policy import PolicyPrediction
from rasa.engine.graph import GraphComponent
from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import TEXT

_NEURAL = "rasa.core.policies.ted_policy"


def dear(components: Mapping[str, GraphComponent]) -> dict[str, int]:
    """Return the policies of a model that may be left out, by node, with their priority."""
    module = sys.modules.get(_NEURAL)
    return {
        name: int(component.priority)
        for name, component in components.items()
        # Not subclasses, of which RulePolicy is one.
        if type(component) in (MemoizationPolicy, AugmentedMemoizationPolicy)
        # UnexpecTEDIntentPolicy is one of them. Those of stories with texts predict end to end.
        or (
            module is not None
            and isinstance(component, module.TEDPolicy)
            and TEXT not in component.fake_features
        )
    }


def certain(predictions: Iterable[Any], tracker: DialogueStateTracker | None) -> int:
    """Return the priority below which no policy can win any more; 0 when all still can."""
    sure = [
        prediction.policy_priority
        for prediction in predictions
        if isinstance(prediction, PolicyPrediction) and prediction.max_confidence >= 1.0
    ]
    if not sure or tracker is None:
        return 0
    last = next(
        (
            event
            for event in reversed(tracker.events)
            if isinstance(event, ActionExecuted | ActionExecutionRejected)
        ),
        None,
    )
    return 0 if isinstance(last, ActionExecutionRejected) else max(sure)
