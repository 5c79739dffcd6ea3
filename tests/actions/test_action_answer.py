from __future__ import annotations

from typing import Any

from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from actions.answer import ActionAnswer
from actions.handoff import ActionHandoff

#: Under ``rasa shell`` and ``rasa run actions`` a sender has no address and nobody perceives.
SENDER = "default"


def tracker(text: str, *, loop: str | None = None, intent: str = "nlu_fallback") -> Tracker:
    state: dict[str, Any] = {
        "sender_id": SENDER,
        "slots": {"answered": None, "handoff": None},
        "latest_message": {"text": text, "intent": {"name": intent}},
        "active_loop": {"name": loop} if loop else {},
        "events": [],
    }
    return Tracker.from_dict(state)


async def test_a_deed_for_which_there_is_no_intent_is_no_question() -> None:
    dispatcher = CollectingDispatcher()
    assert await ActionAnswer().run(dispatcher, tracker("/share_hologram"), {}) == []
    assert [m["response"] for m in dispatcher.messages] == ["utter_fallback"]


def test_a_handoff_ends_the_form_that_is_active_and_touches_nothing_otherwise() -> None:
    handoff = {"topic": "human", "why": "asked for a person", "priority": "normal"}
    told = {"event": "slot", "timestamp": None, "name": "handoff", "value": handoff}
    events = ActionHandoff().run(CollectingDispatcher(), tracker("a person!"), {})
    assert events == [told]
    events = ActionHandoff().run(CollectingDispatcher(), tracker("help", loop="order_form"), {})
    assert events[0] == told
    assert [(e["event"], e["name"]) for e in events[1:]] == [
        ("active_loop", None),
        ("slot", "requested_slot"),
    ]
