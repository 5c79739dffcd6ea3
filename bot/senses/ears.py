"""Listening to recordings: limits, what it costs, and how sure the words are."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.llm.budget import Purse
from bot.llm.errors import BudgetSpent
from bot.llm.untrusted import visible
from bot.message import Sensed
from bot.senses.contract import NoBudget, NothingInIt, Piece, TooLarge, TooLong
from bot.senses.sound import LEAST_RATE, seconds
from bot.senses.spoken import written
from bot.settings import Transcription

#: OpenAI takes 25 MB, https://platform.openai.com/docs/guides/speech-to-text
MOST_BYTES = 25_000_000
#: Of one recording, in characters: what is read of any message.
LONGEST = 4000
# Whisper itself tries again below the first, and takes for silence what is above the second:
# https://github.com/openai/whisper/blob/main/whisper/transcribe.py
_UNSURE_BELOW = -0.8
_SILENT_ABOVE = 0.6


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of what was heard: its length in seconds, how likely its words are, and silence.

    `logprob` is the mean of its tokens', natural logarithm; `silence` is 0 to 1.
    """

    length: float
    logprob: float
    silence: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What an engine has heard. `parts` is empty where it does not say how sure it is."""

    text: str
    model: str
    parts: Sequence[Part] = ()


class Engine(Protocol):
    """What makes words of sound."""

    async def transcribe(self, data: bytes, mime: str) -> Transcript:
        """Raises NotSensed."""

    async def close(self) -> None:
        """Let go of what it holds. Closing twice is no error."""


class Ears:
    """A `Sense` for recordings. Without `purse` nothing is counted."""

    def __init__(self, engine: Engine, settings: Transcription, purse: Purse | None) -> None:
        self._engine = engine
        self._settings = settings
        self._purse = purse

    async def read(self, piece: Piece) -> Sensed:
        """See `Sense`."""
        size, most = len(piece.data), self._settings.max_seconds
        if size > MOST_BYTES:
            raise TooLarge(f"the recording has {size} bytes, {MOST_BYTES} are listened to")
        length = seconds(piece.data)
        if length is not None and length > most:
            raise TooLong(f"the recording has {length:.0f} s, {most:g} are listened to")
        told = await self._paid(piece, min(most, length or size / LEAST_RATE))
        text = visible(written(told.text), LONGEST)
        if not any(c.isalnum() for c in text) or _silent(told.parts):
            raise NothingInIt(f"{told.model} heard no words in the recording")
        return Sensed(kind="spoken", words=text, by=told.model, sure=_sure(told.parts))

    async def close(self) -> None:
        """See `Sense`."""
        await self._engine.close()

    async def _paid(self, piece: Piece, length: float) -> Transcript:
        cost = length / 60 * self._settings.minute_price
        reserved = None
        if self._purse is not None and cost:
            try:
                reserved = await self._purse.reserve(piece.conversation, 0, cost)
            except BudgetSpent as error:
                raise NoBudget(str(error)) from error
        spent = 0.0
        try:
            told = await self._engine.transcribe(piece.data, piece.mime)
            spent = cost
            return told
        finally:
            if self._purse is not None and reserved is not None:
                # Finished even when the asker is gone.
                await asyncio.shield(self._purse.settle(reserved, 0, spent))


def _sure(parts: Sequence[Part]) -> bool:
    """Tell whether the words are likely right; where nobody says, they are taken to be."""
    whole = sum(max(part.length, 0.01) for part in parts)
    if not whole:
        return True
    mean = sum(part.logprob * max(part.length, 0.01) for part in parts) / whole
    return math.isfinite(mean) and mean >= _UNSURE_BELOW


def _silent(parts: Sequence[Part]) -> bool:
    """Tell whether the words are what Whisper makes up for silence."""
    return bool(parts) and all(
        part.silence > _SILENT_ABOVE and part.logprob < _UNSURE_BELOW for part in parts
    )
