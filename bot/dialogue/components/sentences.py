"""Sentence embeddings as features, by the same models that search the knowledge base."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import ACTION_TEXT, RESPONSE, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.knowledge.embedding import TransformerEmbedder

#: Texts handed to the embedder at once, to let it put those of a length together.
_BATCH = 512

#: A pipeline may name a model twice, and a process load two models of the bot: the weights
#: are in memory once.
_OPENED: dict[tuple[str, int], TransformerEmbedder] = {}


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceFeaturizer(DenseFeaturizer, GraphComponent):
    """One vector of length 1 a text. Settings:

    - ``model``: a folder with a sentence-transformers model (safetensors or TensorFlow
      weights), or its id on the Hugging Face hub. ``${NAME}`` takes it from the environment.
      The weights are not copied into the trained model: a worker needs them where it runs.
    - ``threads`` (1): of the processor, for one text.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Return what must come before it: nothing, but Rasa's classifiers want tokens."""
        return [Tokenizer]

    @staticmethod
    def required_packages() -> list[str]:
        """Return what it imports, late."""
        return ["transformers", "tensorflow"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings and what they are when not given."""
        return {**DenseFeaturizer.get_default_config(), "model": "", "threads": 1}

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(name, config)
        model, threads = config["model"], config["threads"]
        self._embedder = _OPENED.setdefault((model, threads), TransformerEmbedder(model, threads))

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raise InvalidConfigException when a setting is missing or wrong."""
        if not isinstance(config.get("model"), str) or not config["model"].strip():
            raise InvalidConfigException(
                "SentenceFeaturizer: model: is missing; give the folder of a"
                " sentence-transformers model, or its id on the Hugging Face hub"
            )
        threads = config.get("threads")
        if not isinstance(threads, int) or threads < 1:
            raise InvalidConfigException(
                f"SentenceFeaturizer: threads: {threads!r} is not a number of 1 or more"
            )

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceFeaturizer:
        """Return a featurizer that loads its weights when they are first needed."""
        cls.validate_config(config)
        return cls(config, execution_context.node_name)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceFeaturizer:
        """Return a featurizer that is ready. Raises EmbeddingsUnavailable."""
        made = cls.create(config, model_storage, resource, execution_context)
        # Loading takes seconds that no customer should wait for.
        made._embedder.encode(["."])
        return made

    def process(self, messages: list[Message]) -> list[Message]:
        """Give the texts of messages their vectors. Raises EmbeddingsUnavailable."""
        for attribute in (TEXT, ACTION_TEXT):
            self._featurize(messages, attribute)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Give texts and responses of the examples their vectors."""
        for attribute in (TEXT, RESPONSE, ACTION_TEXT):
            self._featurize(training_data.training_examples, attribute)
        return training_data

    def _featurize(self, messages: list[Message], attribute: str) -> None:
        mine = [message for message in messages if message.get(attribute)]
        for start in range(0, len(mine), _BATCH):
            part = mine[start : start + _BATCH]
            vectors = self._embedder.encode([str(message.get(attribute)) for message in part])
            for message, vector in zip(part, vectors, strict=True):
                self.add_features_to_message(
                    sequence=None,
                    sentence=vector[None, :],
                    attribute=attribute,
                    message=message,
                )
