"""What customers really wrote, as an inbox for designers, and the way from there into the YAML."""

from bot.learning.contract import (
    CannotWrite,
    Decided,
    Mark,
    NoSuchLesson,
    NotAllowed,
    Written,
)

__all__ = ["CannotWrite", "Decided", "Mark", "NoSuchLesson", "NotAllowed", "Written"]
