"""Two models beside each other: what got better, what got worse, and what stands in the way.

Both were tested on the same held-out messages and stories (`bot.dialogue.examining`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Points of accuracy that a new model may lose, and of an intent's F1 with so many messages.
MARGIN = 1.0
_F1_MARGIN = 10.0
_ENOUGH = 8
# Changes of F1 below this many points are not worth a line.
_NOTICED = 0.05
_LINES = 40


@dataclass(frozen=True)
class Exam:
    """How one model did. `intents` is ``{name: (f1, messages)}``, F1 from 0 to 1.

    `stories` is ``{title: why it failed}``, "" for one that passed; `unseen` are
    ``(title, action, policy)``: a guess, where no rule and no training story knew. `matrix`,
    `confidence` and `causes` are as in `bot.dialogue.examining`.
    """

    right: int = 0
    examples: int = 0
    intents: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    entities: tuple[int, int] = (0, 0)
    stories: Mapping[str, str] = field(default_factory=dict)
    unseen: Sequence[tuple[str, str, str]] = ()
    matrix: Sequence[tuple[str, str, int]] = ()
    confidence: Sequence[Sequence[int]] = ()
    causes: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> Exam | None:
        """Read what `bot.dialogue.examining.examine` returned; None of None."""
        if told is None:
            return None
        return cls(
            right=int(told["right"]),
            examples=int(told["examples"]),
            intents={name: (row[0], int(row[3])) for name, row in told["intents"].items()},
            entities=(int(told["entities"][0]), int(told["entities"][1])),
            stories=dict(told["stories"]),
            unseen=[(str(a), str(b), str(c)) for a, b, c in told["unseen"]],
            matrix=[(str(a), str(b), int(n)) for a, b, n in told.get("matrix", ())],
            confidence=list(told.get("confidence", ())),
            causes=list(told.get("causes", ())),
        )

    @property
    def accuracy(self) -> float | None:
        """The share of held-out messages that were understood rightly; None without any."""
        return self.right / self.examples if self.examples else None

    @property
    def passed(self) -> int:
        """How many stories passed."""
        return sum(1 for why in self.stories.values() if not why)

    @property
    def f1(self) -> float:
        """The mean of the intents' F1, each counting alike."""
        return sum(f1 for f1, _ in self.intents.values()) / max(1, len(self.intents))

    def compact(self) -> dict[str, Any]:
        """Return what the store keeps of it."""
        return {
            "accuracy": self.accuracy,
            "examples": self.examples,
            "f1": round(self.f1, 4) if self.intents else None,
            "intents": {name: [f1, n] for name, (f1, n) in self.intents.items()},
            "stories": len(self.stories),
            "passed": self.passed,
            "failed": {title: why for title, why in self.stories.items() if why},
            "matrix": [list(row) for row in self.matrix],
            "confidence": [list(row) for row in self.confidence],
            "causes": [dict(one) for one in self.causes],
        }


def obstacles(new: Exam, old: Exam | None, margin: float = MARGIN) -> list[str]:
    """Return what stands in the way of promoting the new model, a line each.

    `margin` is how many points of accuracy may be lost. Without an old model nothing does.
    """
    if old is None:
        return []
    told = [
        f"story {title!r} passed before: {why}"
        for title, why in new.stories.items()
        if why and old.stories.get(title) == ""
    ]
    if new.accuracy is not None and old.accuracy is not None:
        lost = (old.accuracy - new.accuracy) * 100
        # What floating point adds is not what was lost.
        if lost > margin + 1e-9:
            told.append(
                f"accuracy falls by {lost:.1f} points, {old.accuracy:.1%} → {new.accuracy:.1%};"
                f" {margin:g} may be lost"
            )
    for name, (f1, count) in new.intents.items():
        before = old.intents.get(name, (0.0, 0))[0]
        lost = (before - f1) * 100
        if count >= _ENOUGH and lost > _F1_MARGIN + 1e-9:
            told.append(f"intent {name!r} loses {lost:.0f} points of F1: {before:.2f} → {f1:.2f}")
    return told


def report(
    new: Exam,
    old: Exam | None,
    confusions: Sequence[Mapping[str, Any]] = (),
    *,
    names: tuple[str, str] = ("new", "in use"),
) -> list[str]:
    """Return the comparison for a terminal, line by line."""
    lines = _totals(new, old, names)
    lines += _intents(new, old)
    lines += _stories(new, old)
    lines += _unseen(new)
    lines += _confusions(confusions)
    return lines


def _totals(new: Exam, old: Exam | None, names: tuple[str, str]) -> list[str]:
    rows = [("", names[1] if old else "", names[0])]
    if new.examples:
        rows.append(
            (f"accuracy on {new.examples} held-out messages", _share(old), f"{new.accuracy:.1%}")
        )
        rows.append(
            (
                "F1, mean of intents",
                f"{old.f1:.3f}" if old and old.examples else "",
                f"{new.f1:.3f}",
            )
        )
        if new.entities[1] or (old and old.entities[1]):
            rows.append(("entities found", _ratio(old), _ratio(new)))
    if new.stories:
        before = f"{old.passed} of {len(old.stories)}" if old and old.stories else ""
        rows.append(("stories passed", before, f"{new.passed} of {len(new.stories)}"))
    if len(rows) == 1:
        return []
    first, second, third = (max(len(row[n]) for row in rows) for n in range(3))
    return [f"{a:<{first}}  {b:>{second}}  {c:>{third}}".rstrip() for a, b, c in rows]


def _share(exam: Exam | None) -> str:
    return "" if exam is None or exam.accuracy is None else f"{exam.accuracy:.1%}"


def _ratio(exam: Exam | None) -> str:
    return "" if exam is None else f"{exam.entities[0]} of {exam.entities[1]}"


def _intents(new: Exam, old: Exam | None) -> list[str]:
    if old is None or not old.intents:
        return []
    rows = []
    for name in sorted({*new.intents, *old.intents}):
        before, after = old.intents.get(name), new.intents.get(name)
        was, now = (before or (0.0, 0))[0], (after or (0.0, 0))[0]
        if abs(now - was) * 100 >= _NOTICED:
            rows.append((now - was, name, was, now, (after or before or (0.0, 0))[1]))
    if not rows:
        return ["", "no intent is understood better or worse"]
    width = max(len(name) for _, name, *_ in rows)
    lines = ["", f"{'intent':<{width}}  F1 before  now    change  messages"]
    for change, name, was, now, count in sorted(rows)[:_LINES]:
        sign = "+" if change > 0 else "−"
        lines.append(
            f"{name:<{width}}  {was:9.2f}  {now:4.2f}  {sign}{abs(change) * 100:5.1f}  {count:9}"
        )
    if len(rows) > _LINES:
        lines.append(f"… and {len(rows) - _LINES} more")
    return lines


def _stories(new: Exam, old: Exam | None) -> list[str]:
    before = dict(old.stories) if old else {}
    lines = []
    for title, why in new.stories.items():
        if why and before.get(title) == "":
            lines.append(f"broke   {title}: {why}")
        elif why:
            lines.append(f"fails   {title}: {why}")
        elif before.get(title):
            lines.append(f"mended  {title}")
    return ["", *lines] if lines else []


def _unseen(new: Exam) -> list[str]:
    told: dict[str, list[str]] = {}
    for title, action, policy in new.unseen:
        told.setdefault(title, []).append(f"{action} ({policy})")
    if not told:
        return []
    lines = ["", "in no rule and no training story, so the bot guessed:"]
    lines += [f"  {title}: {', '.join(actions)}" for title, actions in list(told.items())[:_LINES]]
    return lines


def _confusions(confusions: Sequence[Mapping[str, Any]]) -> list[str]:
    if not confusions:
        return []
    lines = ["", "misunderstood, and the two examples that pull each way:"]
    for one in confusions:
        times = "" if one["count"] == 1 else f" ({one['count']} times)"
        lines.append(
            f"  {one['text']!r} is {one['intent']}, understood as {one['predicted']}{times}"
        )
        if one["example"]:
            lines.append(f"      {one['intent']}: {one['example']!r}")
        else:
            lines.append(f"      {one['intent']}: has no examples")
        if one["other"]:
            lines.append(f"      {one['predicted']}: {one['other']!r}")
        elif one["predicted"] == "nlu_fallback":
            lines.append("      no intent was near enough")
    return lines
