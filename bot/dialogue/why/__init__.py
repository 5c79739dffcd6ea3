"""Why a message was answered as it was, for a terminal and for the console."""

from bot.dialogue.why.contract import (
    Answered,
    Entity,
    Explanation,
    Handed,
    NoSuchMessage,
    Ranked,
    Reply,
    Seen,
    Step,
)
from bot.dialogue.why.explaining import explain, last_messages

__all__ = [
    "Answered",
    "Entity",
    "Explanation",
    "Handed",
    "NoSuchMessage",
    "Ranked",
    "Reply",
    "Seen",
    "Step",
    "explain",
    "last_messages",
]
