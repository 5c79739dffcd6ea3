"""The pipelines that are compared. ``{embeddings}`` is the folder of the embedding model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Component = dict[str, Any]

_OURS = "bot.dialogue.components"
_MATCHERS: Component = {"name": f"{_OURS}.matchers.SpacyMatchers"}
_SENTENCES: Component = {
    "name": f"{_OURS}.sentences.SentenceFeaturizer",
    "model": "{embeddings}",
}
_LINEAR: Component = {"name": f"{_OURS}.linear.LinearClassifier"}
_TOKENS: Component = {"name": "WhitespaceTokenizer"}
_SPARSE: list[Component] = [
    _TOKENS,
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
]
_LOGISTIC: Component = {
    "name": "LogisticRegressionClassifier",
    "solver": "lbfgs",
    "max_iter": 400,
    "random_state": 42,
}


def _diet(epochs: int, **more: Any) -> Component:
    return {
        "name": "DIETClassifier",
        "epochs": epochs,
        "constrain_similarities": True,
        "random_seed": 42,
        **more,
    }


def pipelines(diet_epochs: int) -> dict[str, list[Component]]:
    """Return the candidates by name."""
    return {
        "linear": [_TOKENS, _LINEAR, _MATCHERS],
        "linear + embeddings": [
            _TOKENS,
            _SENTENCES,
            {**_LINEAR, "dense_weight": 3.0},
            _MATCHERS,
        ],
        "LR, sparse": [*_SPARSE, _LOGISTIC, {"name": "RegexEntityExtractor"}],
        "LR, embeddings": [_TOKENS, _SENTENCES, _LOGISTIC],
        "LR, sparse + embeddings": [*_SPARSE, _SENTENCES, _LOGISTIC],
        "DIET, sparse": [*_SPARSE, _diet(diet_epochs)],
        "DIET, sparse, spaCy for entities": [
            *_SPARSE,
            _diet(diet_epochs, entity_recognition=False),
            _MATCHERS,
        ],
        "DIET, sparse + embeddings": [*_SPARSE, _SENTENCES, _diet(diet_epochs)],
    }


def of_file(config: Path) -> list[Component]:
    """Return the pipeline of a configuration of Rasa as it is, variables put in."""
    text = os.path.expandvars(config.read_text("utf-8"))
    pipeline: list[Component] = YAML(typ="safe").load(text)["pipeline"]
    return pipeline


def policies(epochs: int) -> dict[str, list[Component]]:
    """Return combinations of policies by name."""
    rules: list[Component] = [
        {"name": "AugmentedMemoizationPolicy", "max_history": 6},
        {"name": "RulePolicy", "core_fallback_threshold": 0.4},
    ]
    ted: Component = {
        "name": "TEDPolicy",
        "max_history": 5,
        "epochs": epochs,
        "constrain_similarities": True,
    }
    unexpected: Component = {
        "name": "UnexpecTEDIntentPolicy",
        "max_history": 5,
        "epochs": epochs,
    }
    return {
        "rules, memoization": rules,
        "rules, memoization, TED": [*rules, ted],
        "rules, memoization, UnexpecTED, TED": [*rules, unexpected, ted],
    }


def write(config: Path, pipeline: list[Component], ways: list[Component], embeddings: str) -> None:
    """Write a configuration of Rasa."""
    made = [
        {k: embeddings if v == "{embeddings}" else v for k, v in component.items()}
        for component in pipeline
    ]
    with config.open("w") as file:
        YAML(typ="safe").dump(
            {
                "recipe": "default.v1",
                "language": "en",
                "assistant_id": "pipelines",
                "pipeline": made,
                "policies": ways,
            },
            file,
        )
