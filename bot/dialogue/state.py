"""What is carried from one message to the next, and how a tracker is made of it again.

Rasa replays a whole conversation for each message. Here the state after a turn holds
all that the next one may depend on, and no more:

- ``slots``, ``active_loop``, ``latest_action``, ``paused``, ``followup``: as they are now;
- ``recent``: the last events that count, some reduced to their effect;
- ``base``: slots, loop and the rest as they were before the first of ``recent``.

How far back ``recent`` goes is what the policies of the model can see, see `Reach`.
Two things make it more than "the last n turns". A reverted message (fallback) and a
repeated form leave no trace in what policies see, however many there are of them. And
policies which learn from stories do not see turns that only rules have made, so that
such turns in the middle may be left out but for their effect on slots and loop.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rasa.core.policies.policy import Policy
from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.shared.core.constants import ACTION_LISTEN_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActionReverted,
    ActiveLoop,
    BotUttered,
    ConversationPaused,
    Event,
    FollowupAction,
    LoopInterrupted,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker, TrackerActiveLoop

from bot.dialogue.events import pack, plain, unpack

#: What a policy without a max_history is taken to see; it would see everything.
_UNBOUNDED = 40
#: Beyond what policies see: a payload ``/back`` takes two turns away from the end. One
#: after the other goes back no further than what is carried.
_SPARE = 5
#: However strange a conversation is, no more turns than this are looked at.
_MOST_TURNS = 100
#: Bot utterances kept between two actions.
_UTTERANCES = 3

State = dict[str, Any]
_Any = TypeVar("_Any")


@dataclass(frozen=True)
class Reach:
    """How far back the policies of a model look.

    `actions` counts executed actions of any kind, `visible` those in turns which
    policies that learn from stories see.
    """

    actions: int
    visible: int


def reach(policies: Iterable[Policy]) -> Reach:
    """Return how far back any of `policies` looks, with something to spare."""
    actions = visible = 1
    for policy in policies:
        if isinstance(policy, RulePolicy):
            keys = [k for kind in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH) for k in policy.lookup[kind]]
            actions = max([actions, *(len(policy._rule_key_to_state(key)) for key in keys)])
        else:
            seen = getattr(policy.featurizer, "max_history", None) or _UNBOUNDED
            # Augmented memoization counts the actions of hidden turns, too, when it
            # shortens the past, up to the action_listen before max_history of them.
            actions, visible = max(actions, seen + 1), max(visible, seen + 1)
    return Reach(actions + _SPARE, visible)


class CarriedTracker(DialogueStateTracker):
    """A tracker that does not work out again what it knows.

    Rasa copies the tracker by replaying it for each action it runs, only to be able to
    throw the events of a rejected one away, and asks a tracker for its applied events
    dozens of times a message.
    """

    _applied: tuple[int, list[Event]] | None = None
    _states: tuple[tuple[int, bool, bool, str], list[State]] | None = None

    def copy(self) -> DialogueStateTracker:
        """Return a tracker in the same state; events are shared, they are never changed."""
        other = _shallow(self)
        other.events = deque(self.events, self._max_event_history)
        other.slots = {name: _shallow(slot) for name, slot in self.slots.items()}
        other.active_loop = copy.copy(self.active_loop)
        return other

    def past_states(
        self,
        domain: Domain,
        omit_unset_slots: bool = False,
        ignore_rule_only_turns: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[State]:
        """Return what the policies see; they change it, so each gets a copy."""
        key = (len(self.events), omit_unset_slots, ignore_rule_only_turns, str(rule_only_data))
        if self._states is None or self._states[0] != key:
            states = super().past_states(
                domain, omit_unset_slots, ignore_rule_only_turns, rule_only_data
            )
            self._states = key, states
        return [{kind: dict(sub) for kind, sub in s.items()} for s in self._states[1]]

    def generate_all_prior_trackers(self) -> Iterator[tuple[DialogueStateTracker, bool]]:
        """Yield what there was before each action, and whether it is hidden, then what there is.

        It is one tracker, whose events are not kept: only its state is looked at.
        """
        tracker = self.init_copy()
        for event in self.applied_events():
            if _is_action(event):
                yield tracker, event.hide_rule_turn
            event.apply_to(tracker)
        yield tracker, False

    def init_copy(self) -> DialogueStateTracker:
        """Return a tracker of the same conversation without events."""
        other = _shallow(self)
        other.events = deque(maxlen=self._max_event_history)
        other.slots = {name: _shallow(slot) for name, slot in self.slots.items()}
        other.sender_source = other.model_id = other.assistant_id = None
        other._applied = other._states = None
        other._reset()
        return other

    def applied_events(self) -> list[Event]:
        """Return the events that count. Worked out anew when there are more of them."""
        count = len(self.events)
        if self._applied is None or self._applied[0] != count:
            self._applied = count, self._work_out()
        return list(self._applied[1])

    def _work_out(self) -> list[Event]:
        """Do what Rasa's `applied_events` does, of which most is telling events apart."""
        loops = {event.name for event in self.events if isinstance(event, ActiveLoop)} - {None}
        applied: list[Event] = []
        for event in self.events:
            if not _may_take(event):
                applied.append(event)
            elif isinstance(event, Restarted | SessionStarted):
                applied = []
            elif isinstance(event, ActionReverted):
                self._undo_till_previous(ActionExecuted, applied)
            elif isinstance(event, UserUtteranceReverted):
                self._undo_till_previous(UserUttered, applied)
                self._undo_till_previous(ActionExecuted, applied)
            elif event.action_name in loops and not self._first_loop_execution_or_unhappy_path(
                event.action_name, applied
            ):
                self._undo_till_previous_loop_execution(event.action_name, applied)
            else:
                applied.append(event)
        return applied


#: Kinds of events that are actions, and those that may take away events before them. Filled by
#: use: events are abstract classes, of which Python does not tell instances quickly.
_ACTIONS: dict[type[Event], bool] = {}
_TAKES: dict[type[Event], bool] = {}


def _is_action(event: Event) -> bool:
    kind = type(event)
    if kind not in _ACTIONS:
        _ACTIONS[kind] = issubclass(kind, ActionExecuted)
    return _ACTIONS[kind]


def _may_take(event: Event) -> bool:
    """Tell whether an event may take away those before it; an action does where it is a loop's."""
    kind = type(event)
    if kind not in _TAKES:
        _TAKES[kind] = issubclass(
            kind,
            ActionExecuted | Restarted | SessionStarted | ActionReverted | UserUtteranceReverted,
        )
    return _TAKES[kind]


def _shallow(thing: _Any) -> _Any:
    """Return what `copy.copy` does of a plain object, in a fifth of the time."""
    other = object.__new__(type(thing))
    other.__dict__.update(thing.__dict__)
    return other


def rebuild(conversation: str, domain: Domain, state: State | None) -> DialogueStateTracker:
    """Return the tracker of a conversation after `state`.

    What `domain` does not know (a model trained since may have lost a slot or form)
    is left out. Raises ValueError for events that no release of Rasa has written.
    """
    tracker = CarriedTracker(conversation, domain.slots)
    events: list[Event] = []
    if state:
        events += _opening(state["base"])
        events += unpack(state["recent"])
    tracker.events.extend(
        event for event in events if not isinstance(event, SlotSet) or event.key in tracker.slots
    )
    tracker.replay_events()
    if tracker.active_loop_name and tracker.active_loop_name not in domain.action_names_or_texts:
        gone: list[Event] = [ActiveLoop(None), SlotSet(REQUESTED_SLOT, None)]
        tracker.update_with_events(gone, domain)
    return tracker


def carry(tracker: DialogueStateTracker, domain: Domain, reach: Reach) -> State:
    """Return the state to go on from after `tracker`."""
    turns = _turns(tracker.applied_events())
    past = _Replay(domain, turns)
    first = len(turns)
    actions = visible = 0
    while first > 0 and actions < reach.actions and len(turns) - first < _MOST_TURNS:
        first -= 1
        actions += past.actions[first]
        visible += past.visible[first]
    recent = [event for turn in turns[first:] for event in turn]

    start = first
    while start > 0 and visible < reach.visible and first - start < _MOST_TURNS:
        start -= 1
        visible += past.visible[start]
    recent[:0] = past.shortened(start, first)

    loop = tracker.active_loop_name
    return {
        "slots": plain(_slots(tracker)),
        "active_loop": loop,
        "latest_action": tracker.latest_action_name,
        "paused": tracker.is_paused(),
        "followup": tracker.followup_action,
        "base": past.base(start - 1) if start else None,
        "recent": pack(_thinned(recent), brief=True),
    }


@dataclass
class _Moment:
    """What a tracker was like at the end of a turn."""

    slots: dict[str, Any]
    loop: TrackerActiveLoop | None
    paused: bool
    followup: str | None
    action: dict[str, str] | None
    heard: UserUttered | None
    said: BotUttered | None


class _Replay:
    """The applied events once more, to see what there was after each turn."""

    def __init__(self, domain: Domain, turns: list[list[Event]]) -> None:
        self.actions: list[int] = []
        self.visible: list[int] = []
        self._turns = turns
        self._after: list[_Moment] = []
        self._initial = {slot.name: slot.initial_value for slot in domain.slots}
        tracker = DialogueStateTracker("", domain.slots)
        hidden = False
        for turn in turns:
            actions = visible = 0
            for event in turn:
                if isinstance(event, ActionExecuted):
                    # As in Domain.states_for_tracker_history.
                    if (
                        not tracker.followup_action
                        and tracker.latest_action_name != tracker.active_loop_name
                    ):
                        hidden = event.hide_rule_turn
                    actions += 1
                    visible += not hidden
                tracker.events.append(event)
                event.apply_to(tracker)
            self.actions.append(actions)
            self.visible.append(visible)
            self._after.append(
                _Moment(
                    slots=_slots(tracker),
                    loop=copy.copy(tracker.active_loop) if tracker.active_loop_name else None,
                    paused=tracker.is_paused(),
                    followup=tracker.followup_action,
                    action=tracker.latest_action or None,
                    heard=tracker.latest_message,
                    said=tracker.latest_bot_utterance,
                )
            )

    def shortened(self, start: int, stop: int) -> list[Event]:
        """Return the events of turns ``start`` to ``stop - 1``, hidden ones left out.

        A row of hidden turns after which the loop is what it was before is left out but
        for what it did to slots. What the bot said that long ago is left out as well.
        """
        events: list[Event] = []
        turn = start
        while turn < stop:
            after = turn
            while after < stop and not self.visible[after]:
                after += 1
            while after > turn and not self._alike(turn - 1, after - 1):
                after -= 1
            if after > turn:
                events += self._effect(turn - 1, after - 1)
                turn = after
            else:
                events += [e for e in self._turns[turn] if not isinstance(e, BotUttered)]
                turn += 1
        return events

    def _alike(self, before: int, after: int) -> bool:
        if before < 0:
            return False
        one, other = self._after[before], self._after[after]
        return (one.loop, one.paused, one.followup) == (other.loop, other.paused, other.followup)

    def _effect(self, before: int, after: int) -> list[Event]:
        then, now = self._after[before].slots, self._after[after].slots
        effect: list[Event] = [
            SlotSet(name, value)
            for name, value in now.items()
            if name not in then or then[name] != value
        ]
        effect += [SlotSet(name, self._initial[name]) for name in then.keys() - now.keys()]
        return effect

    def base(self, turn: int) -> State:
        """Return what there was after a turn, as plain values."""
        moment = self._after[turn]
        loop: State | None = None
        if moment.loop:
            trigger = moment.loop.trigger_message or {}
            before = [event for turn in self._turns[: turn + 1] for event in turn]
            loop = {
                "name": moment.loop.name,
                "rejected": moment.loop.rejected,
                "interrupted": moment.loop.is_interrupted,
                # Whether Rasa would take the next run of the loop for a return from an
                # interruption; if not, that run replaces the one before it.
                "unhappy": DialogueStateTracker("", None)._first_loop_execution_or_unhappy_path(
                    str(moment.loop.name), before
                ),
                "trigger": {k: trigger.get(k) for k in ("text", "intent", "entities")},
            }
        heard = moment.heard if moment.heard and not moment.heard.is_empty() else None
        said = moment.said if moment.said and moment.said.text else None
        base: State = plain(
            {
                "slots": moment.slots,
                "loop": loop,
                "latest_action": moment.action,
                "paused": moment.paused,
                "followup": moment.followup,
                "heard": pack([heard], brief=True)[0] if heard else None,
                "said": pack([said], brief=True)[0] if said else None,
            }
        )
        return base


def _slots(tracker: DialogueStateTracker) -> dict[str, Any]:
    return {name: slot.value for name, slot in tracker.slots.items() if slot.has_been_set}


def _opening(base: State | None) -> list[Event]:
    """Return events after which a new tracker is as `base` says."""
    if not base:
        return []
    events: list[Event] = [SlotSet(name, value) for name, value in base["slots"].items()]
    heard = unpack([base["heard"]]) if base["heard"] else []
    loop = base["loop"]
    if loop:
        trigger = loop["trigger"]
        parse = {k: v for k, v in trigger.items() if v is not None}
        events += [
            ActionExecuted(ACTION_LISTEN_NAME),
            UserUttered(trigger["text"], trigger["intent"], trigger["entities"], parse),
            ActionExecuted(loop["name"], hide_rule_turn=True),
            ActiveLoop(loop["name"]),
        ]
        if loop["rejected"]:
            events.append(ActionExecutionRejected(loop["name"]))
        elif loop["unhappy"]:
            # A message followed by another action than the loop is Rasa's other sign
            # of an interruption; action_listen comes at the end.
            events += heard or [UserUttered("")]
    else:
        events += heard
    if base["said"]:
        events += unpack([base["said"]])
    action = base["latest_action"]
    if action:
        events.append(
            ActionExecuted(
                action.get("action_name"),
                action_text=action.get("action_text"),
                hide_rule_turn=True,
            )
        )
    if loop and loop["interrupted"]:
        events.append(LoopInterrupted(True))
    if base["paused"]:
        events.append(ConversationPaused())
    if base["followup"]:
        events.append(FollowupAction(base["followup"]))
    # Rasa ends a session by the time of the customer's last message.
    stamp = base["heard"]["timestamp"] if base["heard"] else 0.0
    for event in events:
        event.timestamp = stamp
    return events


def _turns(applied: list[Event]) -> list[list[Event]]:
    """Cut events after each action_listen."""
    turns: list[list[Event]] = [[]]
    for event in applied:
        turns[-1].append(event)
        if isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME:
            turns.append([])
    return turns if turns[-1] else turns[:-1]


def _thinned(events: Sequence[Event]) -> list[Event]:
    """Leave out what a later event before the next action undoes.

    A form asked again collapses into one run of it, yet its slots and utterances add up.
    """
    kept: list[Event] = []
    seen: dict[object, int] = {}
    for event in reversed(events):
        if isinstance(event, ActionExecuted):
            seen.clear()
        else:
            key = _key(event)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > (_UTTERANCES if isinstance(event, BotUttered) else 1):
                continue
        kept.append(event)
    kept.reverse()
    return kept


def _key(event: Event) -> object:
    if isinstance(event, SlotSet):
        return SlotSet, event.key
    if isinstance(event, ActiveLoop):
        return ActiveLoop, event.name
    if isinstance(event, ActionExecutionRejected):
        return ActionExecutionRejected, event.action_name
    return type(event)
