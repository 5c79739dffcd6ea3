"""Keeping personal data in the house: what is sent has masks in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from bot.llm.answer import each_text, texts_in
from bot.llm.contract import Said

# Material that others wrote stands between these in a prompt, see `bot.llm.untrusted`.
_MATERIAL = re.compile(
    r"<<<[^<>\n]*(?P<mark>[0-9a-f]{24})>>>\n.*?\n<<<end of [^<>\n]*(?P=mark)>>>", re.DOTALL
)
_NAME = re.compile(r"\[NAME_\d+\]")


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
    changed = tuple(_with_texts(said, lambda _: next(rest)) for said in messages)
    return tuple(_in_our_words(said, masked.restore) for said in changed), masked.restore


def unchanged(text: str) -> str:
    """Return a text as it is: the way back where nothing was masked."""
    return text


def _in_our_words(said: Said, restore: Callable[[str], str]) -> Said:
    """Undo what a name has hidden of our own prompt: who is called "Never" must not change it.

    A word that our words have in lower case as well is not there as somebody's name.
    """
    if said.role != "system" or not _NAME.search(said.text):
        return said
    spans = [match.span() for match in _MATERIAL.finditer(said.text)]
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(said.text)]
    ours = [said.text[start:end] for start, end in zip(starts, ends, strict=True)]
    whole = restore(" ".join(ours))

    def name(match: re.Match[str]) -> str:
        original = restore(match[0])
        common = re.search(rf"(?<!\w){re.escape(original.lower())}(?!\w)", whole)
        return original if common else match[0]

    parts = [_NAME.sub(name, ours[0])]
    for (start, end), after in zip(spans, ours[1:], strict=True):
        parts += [said.text[start:end], _NAME.sub(name, after)]
    return replace(said, text="".join(parts))


def _with_texts(said: Said, change: Callable[[str], str]) -> Said:
    text = change(said.text)
    calls = tuple(replace(call, arguments=each_text(call.arguments, change)) for call in said.calls)
    return replace(said, text=text, calls=calls)
