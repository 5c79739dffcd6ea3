"""A linear classifier of intents whose confidences are what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.dialogue.components.grams import Grams

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: From so many examples on, what only one of them has is left out: it is half of the
#: vocabulary and says nothing of the next message. With 3,040 it still does: without it 89.5 %
#: instead of 90.3 % of held-out messages were understood.
_MANY = 8000
#: Up to so many examples, separators are learned by logistic loss, then by squared hinge loss.
#: With few examples the former understands more (BANKING77 with 10 an intent, 770 in all: 86.4 %
#: instead of 85.6 %). With 2,100 it is 96.4 % instead of 95.8 %, for 14 s instead of 0.2 s, five
#: times over.
_FEW = 1000
_COST = {"logistic": 10.0, "hinge": 0.5}
_RANKING = 10


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearClassifier(GraphComponent, IntentClassifier):
    """One linear separator an intent over words and pieces of words of the text itself.

    Sentence features of a dense featurizer before it in the pipeline are used too. It needs
    no other featurizer. Settings:

    - ``loss``: ``logistic`` or ``hinge``, see `_FEW` for which of them by default;
    - ``C`` (10 of logistic loss, 0.5 of hinge loss): what a misread example costs beside
      simple separators;
    - ``dense_weight`` (2.0): length of the dense features beside that of words, 1;
    - ``folds`` (3): parts for calibration. Each is classified by what was learned from the
      others, and a temperature makes of the margins probabilities under which the true
      intents were most likely. So a message of confidence .7 is right in 7 of 10, which the
      thresholds of FallbackClassifier build on.
    - ``random_state`` (42).
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings and what they are when not given."""
        return {"loss": None, "C": None, "dense_weight": 2.0, "folds": 3, "random_state": 42}

    @staticmethod
    def required_packages() -> list[str]:
        """Return what training imports."""
        return ["sklearn"]

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config = {**self.get_default_config(), **config}
        if self._config["loss"] not in (None, *_COST):
            raise InvalidConfigException(
                f"LinearClassifier: loss: {self._config['loss']!r} is neither logistic nor hinge"
            )
        for name in ("C", "dense_weight"):
            if name == "C" and self._config[name] is None:
                continue
            if not isinstance(self._config[name], int | float) or self._config[name] <= 0:
                raise InvalidConfigException(
                    f"LinearClassifier: {name}: {self._config[name]!r} is not a number above 0"
                )
        if not isinstance(self._config["folds"], int) or self._config["folds"] < 2:
            raise InvalidConfigException(
                f"LinearClassifier: folds: {self._config['folds']!r} is not a number of 2 or more"
            )
        self._storage = storage
        self._resource = resource
        self._loss = "logistic"
        self._intents: list[str] = []
        self._grams = Grams({}, np.zeros(0, np.float32))
        self._of_grams = np.zeros((0, 0), np.float32)
        self._of_dense = np.zeros((0, 0), np.float32)
        self._bias = np.zeros(0, np.float32)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearClassifier:
        """Return one that has learned nothing. Raises InvalidConfigException."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples that have a text and an intent."""
        examples = [e for e in training_data.intent_examples if e.get(TEXT) and e.get(INTENT)]
        texts = [str(e.get(TEXT)) for e in examples]
        self._intents = sorted({str(e.get(INTENT)) for e in examples})
        if examples:
            number = {name: n for n, name in enumerate(self._intents)}
            truth = np.array([number[str(e.get(INTENT))] for e in examples])
            self._loss = self._config["loss"] or ("logistic" if len(texts) <= _FEW else "hinge")
            self._grams = Grams.of(texts, 2 if len(texts) >= _MANY else 1)
            features = self._matrix(texts, _stacked(examples))
            separators, bias = self._fit(features, truth)
            heat = self._temperature(features, truth)
            words = len(self._grams.rows)
            # The temperature and the weight of dense features are in the separators.
            self._bias = np.asarray(bias * heat, np.float32)
            self._of_grams = np.ascontiguousarray(separators[:, :words].T * heat, np.float32)
            dense = separators[:, words:].T * heat * self._config["dense_weight"]
            self._of_dense = np.ascontiguousarray(dense, np.float32)
        with self._storage.write_to(self._resource) as folder:
            self._save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Give each message an intent, with what else it might be."""
        for message in messages:
            ranking = self._ranking(message)
            best = ranking[0] if ranking else {"name": None, "confidence": 0.0}
            message.set("intent", best, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Classify the examples, for components after this one."""
        self.process(training_data.training_examples)
        return training_data

    def _ranking(self, message: Message) -> list[dict[str, Any]]:
        text = message.get(TEXT)
        if not self._intents or not text:
            return []
        rows, values = self._grams.weigh(str(text))
        scores = self._bias + np.asarray(values, np.float32) @ self._of_grams[rows]
        dense = _dense(message) if len(self._of_dense) else None
        if dense is not None:
            scores = scores + dense @ self._of_dense
        likely = np.exp(scores - scores.max())
        likely /= likely.sum()
        best = np.argsort(-likely, kind="stable")[:_RANKING]
        return [{"name": self._intents[n], "confidence": float(likely[n])} for n in best]

    def _matrix(self, texts: list[str], dense: np.ndarray | None) -> csr_matrix:
        from scipy.sparse import csr_matrix, hstack

        indices: list[int] = []
        values: list[float] = []
        ends = [0]
        for text in texts:
            rows, weights = self._grams.weigh(text)
            indices += rows
            values += weights
            ends.append(len(indices))
        grams = csr_matrix(
            (np.array(values), np.array(indices), np.array(ends)),
            shape=(len(texts), len(self._grams.rows)),
        )
        if dense is None:
            return grams
        return hstack([grams, csr_matrix(dense * self._config["dense_weight"])]).tocsr()

    def _fit(self, features: csr_matrix, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return separators, a row an intent, and their biases; a missing intent is unlikely."""
        present = np.unique(truth)
        separators = np.zeros((len(self._intents), features.shape[1]))
        bias = np.full(len(self._intents), -1.0)
        if len(present) == 1:
            bias[present] = 1.0
            return separators, bias
        learner = self._learner()
        learner.fit(features, truth)
        if len(present) == 2:
            separators[present] = np.concatenate([-learner.coef_, learner.coef_]) / 2
            bias[present] = np.concatenate([-learner.intercept_, learner.intercept_]) / 2
        else:
            separators[present], bias[present] = learner.coef_, learner.intercept_
        return separators, bias

    def _learner(self) -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import LinearSVC

        cost = self._config["C"] or _COST[self._loss]
        seed = self._config["random_state"]
        # Each intent counts the same, however many examples it has: half of a bot's may be of
        # one, and without this whatever is doubtful is taken for that.
        if self._loss == "hinge":
            return LinearSVC(C=cost, class_weight="balanced", random_state=seed)
        return LogisticRegression(
            C=cost, class_weight="balanced", max_iter=200, tol=1e-3, random_state=seed
        )

    def _temperature(self, features: csr_matrix, truth: np.ndarray) -> float:
        """Return what margins are multiplied by, so that they tell probabilities."""
        from scipy.optimize import minimize_scalar

        folds = self._config["folds"]
        pick = np.random.default_rng(self._config["random_state"])
        part = np.empty(len(truth), int)
        for intent in np.unique(truth):
            mine = np.flatnonzero(truth == intent)
            # Begins anywhere, or the first part would have all the rare ones.
            part[pick.permutation(mine)] = (np.arange(len(mine)) + pick.integers(folds)) % folds
        margins = np.zeros((len(truth), len(self._intents)))
        for fold in range(folds):
            held, rest = part == fold, part != fold
            if held.any() and rest.any():
                separators, bias = self._fit(features[rest], truth[rest])
                margins[held] = features[held] @ separators.T + bias

        def surprise(log_heat: float) -> float:
            scores = margins * np.exp(log_heat)
            scores -= scores.max(axis=1, keepdims=True)
            total = np.log(np.exp(scores).sum(axis=1))
            return float((total - scores[np.arange(len(truth)), truth]).mean())

        found = minimize_scalar(surprise, bounds=(np.log(0.5), np.log(20.0)), method="bounded")
        return float(np.exp(found.x))

    def _save(self, folder: Path) -> None:
        (folder / "names.json").write_text(
            json.dumps({"intents": self._intents, "grams": list(self._grams.rows)}), "utf-8"
        )
        np.savez(
            folder / "weights.npz",
            weights=self._grams.weights,
            of_grams=self._of_grams,
            of_dense=self._of_dense,
            bias=self._bias,
        )

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearClassifier:
        """Return the one that was trained."""
        made = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            names = json.loads((folder / "names.json").read_text("utf-8"))
            with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
                made._grams = Grams(
                    {gram: n for n, gram in enumerate(names["grams"])}, arrays["weights"]
                )
                made._of_grams, made._of_dense = arrays["of_grams"], arrays["of_dense"]
                made._bias = arrays["bias"]
            made._intents = names["intents"]
        return made


def _dense(message: Message) -> np.ndarray | None:
    _, sentence = message.get_dense_features(TEXT)
    return None if sentence is None else np.asarray(sentence.features[0], np.float32)


def _stacked(examples: list[Message]) -> np.ndarray | None:
    """Return the sentence features of all examples, None when no featurizer made any."""
    found = [_dense(example) for example in examples]
    if any(one is None for one in found):
        return None
    return np.stack(found)  # type: ignore[arg-type]
