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
from bot.dialogue.why.paging import Page, explain_page

__all__ = [
    "Answered",
    "Entity",
    "Explanation",
    "Handed",
    "NoSuchMessage",
    "Page",
    "Ranked",
    "Reply",
    "Seen",
    "Step",
    "explain",
    "explain_page",
    "last_messages",
]
