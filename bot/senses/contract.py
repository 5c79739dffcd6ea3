"""What a sense is given and gives back, and why it may give nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from bot.message import Sensed


@dataclass(frozen=True, slots=True)
class Piece:
    """One file that is to be made into words.

    `mime` was found by content; `conversation` is whose budget pays; `caption` are the
    customer's words with it, `known` his names, which no third party's model is to see.
    """

    data: bytes
    mime: str
    conversation: str
    caption: str = ""
    known: tuple[str, ...] = ()


class Sense(Protocol):
    """One way of making files into words."""

    async def read(self, piece: Piece) -> Sensed:
        """Return what is in it. Raises NotSensed; StoreDown where it counts what it uses."""

    async def close(self) -> None:
        """Let go of connections. Closing twice is no error."""


class NotSensed(Exception):
    """A file was not made into words. The text is for operators, without what is in the file.

    `code` is one of `bot.message.Sensed.failed`. `final` says that it would be no different
    another time, so that nobody need try again.
    """

    code: ClassVar[str] = "down"
    final: ClassVar[bool] = False


class TooLate(NotSensed):
    """The file, or the words, did not come in time."""

    code = "late"


class FileRefused(NotSensed):
    """The provider does not give the file out, or it is not kept."""

    code = "refused"
    final = True


class TooLarge(NotSensed):
    """It has more bytes or more pixels than are looked at."""

    code = "size"
    final = True


class TooLong(NotSensed):
    """The recording is longer than the settings allow."""

    code = "long"
    final = True


class WrongFormat(NotSensed):
    """It is not what it is sent as, it is damaged, or the model cannot read its format."""

    code = "format"
    final = True


class ModelDown(NotSensed):
    """The model cannot be asked now, or answers what cannot be used."""

    code = "down"


class NoBudget(NotSensed):
    """What may be spent has been spent."""

    code = "budget"


class NothingInIt(NotSensed):
    """The model has heard no words in it, or sees nothing that it could name."""

    code = "unclear"
    final = True


class EngineMissing(Exception):
    """A package that the settings need is not installed; the text names it and the setting."""
