"""What customers really wrote, as an inbox for designers, and the way from there into the YAML."""

from bot.learning.contract import (
    STORY,
    TEST,
    CannotWrite,
    Decided,
    Draft,
    Elsewhere,
    KnownIntent,
    Mark,
    NoSuchLesson,
    NotAllowed,
    Project,
    Written,
    marks_of,
)
from bot.learning.learning import Learning
from bot.learning.lessons import forget

__all__ = [
    "STORY",
    "TEST",
    "CannotWrite",
    "Decided",
    "Draft",
    "Elsewhere",
    "KnownIntent",
    "Learning",
    "Mark",
    "NoSuchLesson",
    "NotAllowed",
    "Project",
    "Written",
    "forget",
    "marks_of",
]
