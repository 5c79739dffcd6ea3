"""Why a language model did not answer."""

from __future__ import annotations

from collections.abc import Sequence


class LlmError(Exception):
    """No model gave a usable answer. The text holds no secret and no customer's words."""


class NoModel(LlmError):
    """No model is configured."""


class BudgetSpent(LlmError):
    """What a conversation, or a day, may cost has been spent."""


class AllFailed(LlmError):
    """Every configured model failed; `causes` has a line for each."""

    def __init__(self, causes: Sequence[str]) -> None:
        super().__init__("; ".join(causes))
        self.causes = tuple(causes)


class Refused(LlmError):
    """The model would not answer (a content filter, a refusal by the provider)."""


class PromptInvalid(LlmError):
    """A prompt file cannot be used; the text names file and line, and what would be right."""
