"""The tracker that does not work out again what it knows knows what Rasa's does."""

from __future__ import annotations

import random

from rasa.shared.core import events as e
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.state import CarriedTracker

DOMAIN = Domain.from_dict(
    {
        "intents": ["greet", "order"],
        "entities": ["size"],
        "actions": ["utter_hi"],
        "forms": {"order_form": {"required_slots": ["size"]}},
        "slots": {
            "size": {"type": "text", "mappings": [{"type": "from_entity", "entity": "size"}]},
            "helped": {"type": "bool", "initial_value": True, "mappings": [{"type": "custom"}]},
        },
        "responses": {"utter_hi": [{"text": "hi"}]},
    }
)


def an_event(pick: random.Random) -> e.Event:
    actions = ["action_listen", "action_listen", "utter_hi", "order_form"]
    entities = [{"entity": "size", "value": "L"}] if pick.random() < 0.5 else []
    made: list[e.Event] = [
        *[e.ActionExecuted(pick.choice(actions), hide_rule_turn=pick.random() < 0.3)] * 6,
        *[e.UserUttered("hi", {"name": pick.choice(["greet", "order"])}, entities)] * 4,
        *[e.ActiveLoop(pick.choice(["order_form", None]))] * 2,
        e.SlotSet("size", pick.choice(["L", None])),
        e.SlotSet("helped", False),
        e.BotUttered("hello"),
        e.ActionExecutionRejected("order_form"),
        e.LoopInterrupted(True),
        e.DefinePrevUserUtteredFeaturization(False),
        *pick.choices(
            [
                e.UserUtteranceReverted(),
                e.ActionReverted(),
                e.Restarted(),
                e.SessionStarted(),
                e.AllSlotsReset(),
                e.FollowupAction("utter_hi"),
                e.ConversationPaused(),
            ],
            k=1,
        ),
    ]
    return pick.choice(made)


def seen(tracker: DialogueStateTracker) -> tuple[object, ...]:
    return (
        tracker.current_slot_values(),
        {name: slot.has_been_set for name, slot in tracker.slots.items()},
        tracker.active_loop,
        tracker.latest_action,
        tracker.followup_action,
        tracker.is_paused(),
        tracker.latest_message,
        tracker.sender_id,
    )


def test_it_is_as_rasas_tracker() -> None:
    pick = random.Random(6)
    shortened = 0
    for _ in range(250):
        said = [an_event(pick) for _ in range(pick.randint(1, 30))]
        ours = CarriedTracker("u", DOMAIN.slots)
        theirs = DialogueStateTracker("u", DOMAIN.slots)
        for event in said:
            ours.update(event)
            theirs.update(event)
            assert [*map(id, ours.applied_events())] == [*map(id, theirs.applied_events())]
        shortened += len(ours.applied_events()) < len(said)
        for hidden in (False, True):
            rules = {"rule_only_slots": ["helped"], "rule_only_loops": ["order_form"]}
            more = {"ignore_rule_only_turns": hidden, "rule_only_data": rules if hidden else None}
            for _ in range(2):
                assert ours.past_states(DOMAIN, **more) == theirs.past_states(DOMAIN, **more)
        for copied, stock in (
            (ours.copy(), theirs),
            (ours.init_copy(), theirs.init_copy()),
            (ours, theirs),
        ):
            assert seen(copied) == seen(stock)
        other = ours.copy()
        other.update(e.SlotSet("size", "XXL"))
        assert ours.get_slot("size") == theirs.get_slot("size")
        assert len(ours.events) == len(said)
    assert shortened > 50
