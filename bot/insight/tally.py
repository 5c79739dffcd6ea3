"""What is counted of turns, and how: which intents, rules, stories and words were in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from bot.dialogue.contract import ANSWERED_SLOT
from bot.dialogue.why import Step
from bot.dialogue.why.matching import Sources
from bot.dialogue.why.stepping import Past, steps_of
from bot.store.turns import Turn

UNSURE = "nlu_fallback"
#: Of a row. `LAST` is milliseconds since 1970; of intents that were written, not pressed, `WRITTEN`
#: are counted and `SURE` is the sum of their confidences in thousandths. `LOW` are messages for
#: which the intent was the nearest and not near enough.
COUNT, LAST, WRITTEN, SURE, LOW = range(5)
#: Kinds of rows: what traffic may use; the rest tells of the traffic itself.
INTENT, RULE, STORY, RESPONSE, ACTION = "intent", "rule", "story", "response", "action"
BY, LANGUAGE, CHANNEL, TURNS, NEW = "by", "language", "channel", "turns", "new"
#: Turns that were counted where there were no rules and stories to find theirs among.
BLIND = "blind"
#: Names of `BY`: what answered a message. A conversation may be a person's, see `Explanation.by`.
KNOWLEDGE, HANDED, FALLBACK, FAILED, FORM = "knowledge", "handed over", "fallback", "failed", "form"
LEARNED, SILENT, PERSON, CONSENT = "policy", "nothing", "person", "consent"

_FALLBACKS = ("action_default_fallback", "action_two_stage_fallback")
_NOT_KNOWN = ("none", "unclear", "missed")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Tally:
    """Counts by kind and name. Adding up tallies in any order gives the same."""

    def __init__(self, rows: Iterable[Sequence[Any]] = ()) -> None:
        self.found: dict[tuple[str, str], list[int]] = {}
        self.merge(rows)

    def merge(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add what `rows` of another tally counted."""
        for kind, name, count, last, written, sure, low in rows:
            mine = self.found.get((kind, name))
            if mine is None:
                self.found[kind, name] = [count, last, written, sure, low]
                continue
            mine[COUNT] += count
            mine[LAST] = max(mine[LAST], last)
            mine[WRITTEN] += written
            mine[SURE] += sure
            mine[LOW] += low

    def rows(self) -> list[list[Any]]:
        """Return ``[kind, name, count, last, written, sure, low]`` each, in a fixed order."""
        return [[*key, *numbers] for key, numbers in sorted(self.found.items())]

    def of(self, kind: str) -> dict[str, list[int]]:
        """Return the numbers of one kind, by name."""
        return {name: numbers for (one, name), numbers in self.found.items() if one == kind}

    def add(self, turn: Turn, before: Past, sources: Sources) -> None:
        """Count a turn; `before` are up to three turns before it."""
        at = int((turn.at - _EPOCH).total_seconds() * 1000)
        steps = steps_of(turn, before, sources)
        self._one(TURNS, "", at)
        if not sources.told:
            self._one(BLIND, "", at)
        if turn.seq == 1:
            self._one(NEW, "", at)
        self._one(BY, answered_by(turn, steps), at)
        self._one(CHANNEL, str(turn.conversation).partition(":")[0], at)
        language = str((turn.perception or {}).get("language") or "")
        if language:
            self._one(LANGUAGE, language, at)
        self._intent(turn, at)
        # What a turn did twice, it used once.
        used = {(ACTION, step.action) for step in steps}
        used |= {(RESPONSE, name) for step in steps for name, _ in step.responses}
        used |= {(step.kind, step.told) for step in steps if step.kind}
        for kind, name in used:
            self._one(kind, name, at)

    def _one(self, kind: str, name: str, at: int) -> list[int]:
        numbers = self.found.setdefault((kind, name), [0] * 5)
        numbers[COUNT] += 1
        numbers[LAST] = max(numbers[LAST], at)
        return numbers

    def _intent(self, turn: Turn, at: int) -> None:
        parse = turn.parse or {}
        if not parse.get("intent"):
            return
        name = str(parse["intent"])
        numbers = self._one(INTENT, name, at)
        if (turn.heard or {}).get("kind") != "text":
            return
        numbers[WRITTEN] += 1
        numbers[SURE] += round(1000 * float(parse.get("confidence") or 0.0))
        if name == UNSURE:
            users = [e for e in turn.events or [] if e.get("event") == "user"]
            heard = users[-1].get("parse_data") or {} if users else {}
            ranking = heard.get("intent_ranking") or []
            nearest = next((str(r["name"]) for r in ranking if r.get("name") != UNSURE), "")
            if nearest:
                self.found.setdefault((INTENT, nearest), [0] * 5)[LOW] += 1


def answered_by(turn: Turn, steps: Sequence[Step]) -> str:
    """Return what answered a message: one of `BY` 's names, rule or story."""
    decision = turn.decision or {}
    answered = decision.get(ANSWERED_SLOT) or {}
    if decision.get("failure"):
        return FAILED
    if decision.get("handoff"):
        return HANDED
    if decision.get("by") == "customer":
        return CONSENT
    if decision.get("by") != "bot":
        return PERSON
    if answered:
        return FALLBACK if answered.get("how") in _NOT_KNOWN else KNOWLEDGE
    if not steps:
        return SILENT
    if any(step.action in _FALLBACKS for step in steps):
        return FALLBACK
    kinds = [step.kind for step in steps if step.kind]
    if kinds:
        return kinds[0]
    if steps[0].source:
        return FORM
    # Of no file that is here; who decided is known all the same.
    return RULE if steps[0].policy == "RulePolicy" else STORY if _remembers(steps[0]) else LEARNED


def _remembers(step: Step) -> bool:
    return "Memoization" in step.policy
