"""The named failures of models: finding, loading and training them."""

from __future__ import annotations


class ModelError(Exception):
    """Base of all failures that concern a model. The text is for people, in one or more lines."""


class ModelMissing(ModelError):
    """There is no model where one was looked for."""


class ModelUnreadable(ModelError):
    """A model, or the actions it names, is there but cannot be loaded."""


class TrainingFailed(ModelError):
    """The training data is wrong, or training ended without a model."""
