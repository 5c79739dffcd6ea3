"""Every collection there is; each process makes those that are missing."""

from __future__ import annotations

from bot.store.conversations import Conversation
from bot.store.dead_letters import DeadLetter
from bot.store.messages import Message
from bot.store.notices import Notice
from bot.store.turns import Turn

DOCUMENTS = (Message, Conversation, Turn, DeadLetter, Notice)
