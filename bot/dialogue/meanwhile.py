"""What a person and the customer said to each other while the bot had no part in it."""

from __future__ import annotations

from rasa.shared.core.constants import (
    ACTION_LISTEN_NAME,
    ACTION_SESSION_START_NAME,
    REQUESTED_SLOT,
)
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.contract import Spoken
from bot.dialogue.resolving import SLOT as PROPOSED


def catch_up(tracker: DialogueStateTracker, domain: Domain, meanwhile: tuple[Spoken, ...]) -> None:
    """Put into the tracker what was said before the bot answers again.

    As Rasa does it while a conversation is paused: messages are logged, and no action
    follows. A form that was going on ends, for what it asked was the agent's to see to. What was
    proposed is dropped once anything was said after it: a yes may be to that.
    """
    events: list[Event] = []
    if not tracker.events:
        # Rasa begins a session in an empty tracker alone.
        events += [
            ActionExecuted(ACTION_SESSION_START_NAME),
            SessionStarted(),
            ActionExecuted(ACTION_LISTEN_NAME),
        ]
    if tracker.active_loop_name:
        events += [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)]
    if meanwhile and tracker.get_slot(PROPOSED) is not None:
        events.append(SlotSet(PROPOSED, None))
    for spoken in meanwhile:
        if spoken.agent:
            said: Event = BotUttered(spoken.text, metadata={"agent": spoken.agent})
        else:
            said = UserUttered(spoken.text, parse_data={"text": spoken.text, "intent": {}})
        said.timestamp = spoken.at
        events.append(said)
    if events:
        # A fallback takes back all since the bot last listened, which must not be all of this.
        events.append(ActionExecuted(ACTION_LISTEN_NAME))
    tracker.update_with_events(events, domain)
