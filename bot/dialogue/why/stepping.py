"""What the bot did in a turn, step by step, and which rule or story each step came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.dialogue.why.contract import Step
from bot.dialogue.why.matching import Sources
from bot.store.turns import Turn

LISTEN = "action_listen"
_NO_STEPS = (LISTEN, "action_session_start", "action_extract_slots")
#: Turns before one that a rule may look back at.
LOOKED_AT = 3


@dataclass
class Past:
    """What rules and stories may look back at: ``intent x`` and ``action y``, the last one last.

    `loop` is the form that was active at the end.
    """

    steps: list[str]
    loop: str = ""

    @classmethod
    def of(cls, turns: Sequence[Turn]) -> Past:
        """Return what some turns in a row leave behind, the oldest first."""
        steps = [one for turn in turns for one in remembered(turn)]
        return cls(steps, loop_after(turns[-1]) if turns else "")


def remembered(turn: Turn) -> list[str]:
    """Return what a turn adds to the past."""
    steps: list[str] = []
    for event in turn.events or []:
        _remember(event, steps)
    return steps


def loop_after(turn: Turn) -> str:
    """Return the form that was active after a turn, "" for none."""
    return str((turn.state or {}).get("active_loop") or "")


def steps_of(turn: Turn, before: Past, sources: Sources) -> tuple[Step, ...]:
    """Return what the bot did in a turn and why, `before` being up to three turns before it."""
    past, loop = list(before.steps), before.loop
    steps: list[Step] = []
    said: list[list[tuple[str, str]]] = []
    begun, ended = False, ""
    for event in turn.events or []:
        kind = event.get("event")
        begun = begun or kind == "user"
        if kind == "session_started":
            past, loop = [], ""
        if kind == "action" and begun and event.get("name") not in _NO_STEPS:
            action = str(event.get("name"))
            policy = str(event.get("policy") or "").rpartition("_")[2]
            found = sources.of(action, policy, past, loop, ended)
            steps.append(
                Step(
                    action,
                    policy,
                    float(event.get("confidence") or 0.0),
                    found.name if found else "",
                    found.place if found else "",
                    kind=found.kind if found else "",
                    told=found.told if found else "",
                )
            )
            said.append([])
        elif kind == "bot" and said:
            name = str((event.get("metadata") or {}).get("utter_action") or "")
            if name:
                said[-1].append((name, sources.responses.get(name, "")))
        elif kind == "active_loop":
            loop, ended = str(event.get("name") or ""), loop
        _remember(event, past)
    return tuple(
        replace(one, responses=tuple(names)) for one, names in zip(steps, said, strict=True)
    )


def _remember(event: Mapping[str, Any], past: list[str]) -> None:
    kind, name = event.get("event"), event.get("name")
    if kind == "user":
        intent = ((event.get("parse_data") or {}).get("intent") or {}).get("name")
        past.append(f"intent {intent}")
    elif kind == "action" and name not in _NO_STEPS:
        past.append(f"action {name}")
