"""Keeping personal data in the house: what is sent has masks in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from bot.llm.answer import each_text, texts_in
from bot.llm.contract import Said


class Masked(Protocol):
    """Texts without personal data, and the way back."""

    @property
    def texts(self) -> Sequence[str]:
        """The texts, as many as were given, in their order."""

    def restore(self, text: str) -> str:
        """Put the personal data back into what a model made of the texts."""


class Masker(Protocol):
    """What finds personal data."""

    def mask(self, texts: Sequence[str], known: Sequence[str]) -> Masked:
        """Mask texts that go together; the same datum has the same mask in all of them."""


def hidden(
    messages: Sequence[Said], masker: Masker, known: Sequence[str]
) -> tuple[tuple[Said, ...], Callable[[str], str]]:
    """Return messages that are masked, and what puts the data back into an answer.

    The arguments of earlier calls of tools hold personal data as well as texts do.
    """
    texts: list[str] = []
    for said in messages:
        texts.append(said.text)
        texts.extend(texts_in([call.arguments for call in said.calls]))
    masked = masker.mask(texts, known)
    rest = iter(masked.texts)
    return tuple(_with_texts(said, lambda _: next(rest)) for said in messages), masked.restore


def unchanged(text: str) -> str:
    """Return a text as it is: the way back where nothing was masked."""
    return text


def _with_texts(said: Said, change: Callable[[str], str]) -> Said:
    text = change(said.text)
    calls = tuple(replace(call, arguments=each_text(call.arguments, change)) for call in said.calls)
    return replace(said, text=text, calls=calls)
