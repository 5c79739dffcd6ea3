"""Which rule or story an action came from, as far as the files tell.

Rasa keeps no names in a model. What was said and done is compared with the rules and stories as
the files are now, the way the policies do: what came before must be the end of the past, the
longest match wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.stories import Told
from bot.dialogue.checking.written import Written, written

_FALLBACKS = ("action_default_fallback", "action_two_stage_fallback")


@dataclass(frozen=True)
class Source:
    """What an action came from; `place` is ``file:line``.

    `kind` is rule or story and `told` its name, both "" for what is neither.
    """

    name: str
    place: str = ""
    kind: str = ""
    told: str = ""


@dataclass(frozen=True)
class Sources:
    """The rules and stories of a project, and where its responses are.

    `domain` is all that the domain names.
    """

    told: tuple[Told, ...]
    responses: dict[str, str]
    domain: Domain = field(default_factory=Domain)

    @cached_property
    def _doing(self) -> dict[tuple[str, str], list[Told]]:
        """The rules and stories by their kind and each action in them."""
        found: dict[tuple[str, str], list[Told]] = {}
        for one in self.told:
            for action in {step.name for step in one.steps if step.kind == "action"}:
                found.setdefault((one.kind, action), []).append(one)
        return found

    def of(
        self, action: str, policy: str, past: Sequence[str], loop: str, ended: str = ""
    ) -> Source | None:
        """Return where an action came from.

        `past` are ``intent x`` and ``action y`` before it, the last one last; `loop` is the form
        that was active, `ended` one that ended in the same turn: what follows its end is a rule
        with the form as its condition. None when nothing can be told.
        """
        if policy == "RulePolicy" and action in _FALLBACKS:
            return Source("no rule and no story: the fallback")
        if "Memoization" not in policy and policy != "RulePolicy":
            return None
        kind = "rule" if policy == "RulePolicy" else "story"
        best: tuple[tuple[int, int], Told] | None = None
        for one in self._doing.get((kind, action), ()):
            loops = [step.name for step in one.condition if step.kind == "loop"]
            if any(name not in ((loop, ended) if name else (loop,)) for name in loops):
                continue
            if action == loop and loop not in loops:
                # A form that is active goes before any rule that does not know of it.
                continue
            length = _matched(one, action, past, whole=kind == "rule")
            score = (len(loops), length) if kind == "rule" else (0, length)
            if length and (best is None or score > best[0]):
                best = score, one
        if best is not None:
            found = best[1]
            place = f"{found.at.file}:{found.at.line}"
            return Source(f"{kind} {found.name!r}", place, kind, found.name)
        if action == loop:
            return Source(f"the form {action} goes on")
        return None


def _matched(told: Told, action: str, past: Sequence[str], *, whole: bool) -> int:
    """Return how much of the past is that of a rule or story up to an action, 0 for nothing."""
    longest = 0
    before: list[tuple[str, ...]] = []
    for step in told.steps:
        if step.kind == "action" and step.name == action and before:
            length = 0
            for wanted, was in zip(reversed(before), reversed(past), strict=False):
                if was not in wanted:
                    break
                length += 1
            if length == len(before) or (not whole and length == len(past)):
                longest = max(longest, length)
        if step.kind in ("intent", "action"):
            before.append((f"{step.kind} {step.name}",))
        elif step.kind == "or":
            before.append(tuple(f"{choice.kind} {choice.name}" for choice in step.choices))
    return longest


def sources_of(root: Path) -> Sources:
    """Return rules, stories and responses below `root` as they are now."""
    return written(root).made(_sources)


def _sources(project: Written) -> Sources:
    domain = project.domain
    responses = {name: f"{at.file}:{at.line}" for name, at in domain.responses.items()}
    return Sources(project.told, responses, domain)
