"""Actions that an agent runs from the desk, and how they tell what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rasa_sdk import Tracker

#: The slot by which an action tells the desk how it went; no conversation ever sees it.
OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Agent:
    """Who runs an action: the agent's id, and the id of the deed that asks for it."""

    id: str
    deed: str


_acting: ContextVar[Agent | None] = ContextVar("acting", default=None)


@contextmanager
def as_agent(agent: Agent) -> Iterator[dict[str, Any]]:
    """Run what is within for an agent. Gives the metadata that the message is to have."""
    before = _acting.set(agent)
    try:
        yield {"agent": agent.id, "deed": agent.deed}
    finally:
        _acting.reset(before)


def acting(tracker: Tracker) -> Agent | None:
    """Return the agent for whom an action runs, None when it is for the customer.

    The metadata alone would not do: channels of Rasa's own fill it from what a client sends.
    """
    agent = _acting.get()
    told = tracker.latest_message.get("metadata") or {}
    if agent is None or (told.get("agent"), told.get("deed")) != (agent.id, agent.deed):
        return None
    return agent


def outcome(ok: bool, why: str = "") -> dict[str, Any]:
    """Return the event that tells the desk whether an action did what was wanted."""
    return {"event": "slot", "timestamp": None, "name": OUTCOME, "value": {"ok": ok, "why": why}}
