"""Finds the rules that fit a conversation without looking at each of them.

RulePolicy keeps rules as JSON and holds every one of them against every state of the past, for
each action it predicts: hundreds of rules, of which few end with the action and the intent at
hand. Here rules are read once and looked up by those two; what is left is compared as Rasa does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.engine.graph import GraphComponent
from rasa.shared.core.constants import PREVIOUS_ACTION, SHOULD_NOT_BE_SET, USER
from rasa.shared.core.domain import State
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

#: What a rule wants of one state: kind, key, the value that it must have, or None where there
#: must be none.
_Wish = tuple[str, str, Any]
_End = tuple[bool, str | None, str | None]


class Rules:
    """The rules of one lookup of RulePolicy."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._states: dict[str, list[tuple[bool, tuple[_Wish, ...]]]] = {}
        self._endless: set[str] = set()
        #: By whether they have an action, which action and which intent the newest state has.
        self._ends: defaultdict[_End, list[str]] = defaultdict(list)
        for key in keys:
            states = [_wishes(state) for state in reversed(json.loads(key))]
            self._states[key] = states
            if states:
                begun, wishes = states[0]
                action, intent = _end(wishes)
                self._ends[begun, action, intent].append(key)
            else:
                self._endless.add(key)

    def possible(self, states: list[State]) -> set[str]:
        """Return the keys of the rules that fit, as `RulePolicy._get_possible_keys` does."""
        if not states:
            return {*self._states}
        last = states[-1]
        ends: set[_End]
        if last.get(PREVIOUS_ACTION):
            action = last[PREVIOUS_ACTION].get(ACTION_NAME)
            intent = last.get(USER, {}).get(INTENT)
            ends = {(True, a, i) for a in (action, None) for i in (intent, None)}
        else:
            ends = {end for end in self._ends if not end[0]}
        found = [key for end in ends for key in self._ends.get(end, ())]
        return self._endless.union(key for key in found if _fits(self._states[key], states))


def look_up_rules(components: Iterable[GraphComponent]) -> None:
    """Make the RulePolicy among loaded components look rules up so.

    One of a subclass, which may compare in another way, is left as it is.
    """
    for component in components:
        if type(component) is RulePolicy:
            _look_up(component)


def _look_up(policy: RulePolicy) -> None:
    kinds = [
        (policy.lookup[kind], Rules(policy.lookup[kind]))
        for kind in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH)
        if kind in policy.lookup
    ]
    stock = policy._get_possible_keys

    def possible(lookup: dict[str, str], states: list[State]) -> set[str]:
        for known, rules in kinds:
            if known is lookup:
                return rules.possible(states)
        return set(stock(lookup, states))

    policy._get_possible_keys = possible


def _wishes(state: Mapping[str, Mapping[str, Any]]) -> tuple[bool, tuple[_Wish, ...]]:
    """Return whether a rule's state has an action before it, and what it wants of a state."""
    wishes: list[_Wish] = []
    for kind, sub_state in state.items():
        for key, value in sub_state.items():
            if value == SHOULD_NOT_BE_SET:
                wishes.append((kind, key, None))
            elif value:
                # JSON has lists for tuples.
                wishes.append((kind, key, tuple(value) if isinstance(value, list) else value))
    return bool(state.get(PREVIOUS_ACTION)), tuple(wishes)


def _end(wishes: tuple[_Wish, ...]) -> tuple[str | None, str | None]:
    """Return the action and the intent that a state must have; None where any may be."""
    wanted = {(kind, key): value for kind, key, value in wishes}
    return wanted.get((PREVIOUS_ACTION, ACTION_NAME)), wanted.get((USER, INTENT))


def _fits(rule: list[tuple[bool, tuple[_Wish, ...]]], states: list[State]) -> bool:
    for (begun, wishes), state in zip(rule, reversed(states), strict=False):
        if not begun and not state.get(PREVIOUS_ACTION):
            # Both are where a conversation starts: slots with initial values are not compared.
            continue
        if not begun or not state.get(PREVIOUS_ACTION):
            return False
        for kind, key, value in wishes:
            has = state.get(kind, {}).get(key)
            if value is None:
                if has and has != SHOULD_NOT_BE_SET:
                    return False
            elif has != value:
                return False
    return True
