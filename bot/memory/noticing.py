"""Facts of a committed turn, by the rules of ``data/memory.yml``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.memory.contract import LONGEST, Noticed, NotRemembered
from bot.memory.file import MemoryRules, Rule, pattern
from bot.memory.keeping import remember
from bot.message import utcnow
from bot.perception.escalation import Escalation
from bot.store import AsyncStore
from bot.store.conversations import BOT
from bot.store.memory import ORDER, RULE, Quiet
from bot.store.turns import Turn

log = logging.getLogger(__name__)

_SENTENCE = re.compile(r"[^.!?\n]+")
_LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Notices:
    """Remembers what turns tell; once for each, however often it is called.

    `summed` says that conversations are to be summed up once they are quiet.
    """

    store: AsyncStore
    rules: MemoryRules
    escalation: Escalation | None = None
    summed: bool = False

    async def of(self, turn: Turn) -> int:
        """Keep the facts of a committed turn; return how many were new. Raises StoreDown."""
        before: Mapping[str, Any] = {}
        if any(_dealt(turn, rule) for rule in self.rules.rules if rule.slot):
            where = {"conversation": turn.conversation, "seq": turn.seq - 1}
            rows = await self.store.find(Turn, where, limit=1)
            before = ((rows[0].state or {}).get("slots") or {}) if rows else {}
        kept = 0
        for fact in noticed(turn, self.rules, before):
            try:
                kept += await remember(
                    self.store,
                    turn.conversation,
                    kind=fact.kind,
                    key=fact.key,
                    about=fact.about,
                    value=fact.value,
                    source=turn.id,
                    by=RULE,
                    at=turn.at,
                    days=fact.days,
                    escalation=self.escalation,
                    never=self.rules.never,
                )
            except NotRemembered as error:
                log.info("%s: %s is not remembered: %s", turn.id, fact.key, error)
        if self.summed and (turn.decision or {}).get("by") == BOT and turn.heard:
            await self._to_be_summed(turn)
        return kept

    async def _to_be_summed(self, turn: Turn) -> None:
        due = utcnow() + timedelta(minutes=self.rules.summary_after)
        row = Quiet(id=turn.conversation, seq=turn.seq, due=due)
        (new,) = await self.store.insert_new([row])
        if not new:
            older = {"id": turn.conversation, "seq": {"$lt": turn.seq}}
            await self.store.change(Quiet, older, set={"seq": turn.seq, "due": due, "attempts": 0})


def noticed(turn: Turn, rules: MemoryRules, before: Mapping[str, Any]) -> list[Noticed]:
    """Return the facts of a turn; `before` are the slots before it.

    Of a sensitive matter nothing is noticed, whatever else stands in the message.
    """
    if ((turn.perception or {}).get("sensitive")) or (turn.decision or {}).get("withdrawn"):
        return []
    text = str((turn.heard or {}).get("text") or "")
    found: dict[tuple[str, str], Noticed] = {}
    for rule in rules.rules:
        value = _slot(turn, rule, before) if rule.slot else said_in(text, rule)
        if value and len(value) <= LONGEST:
            key = value if rule.kind == ORDER else rule.key
            fact = Noticed(rule.kind, key, rule.about, value, rules.lasts(rule))
            found[rule.kind, key] = fact
    return list(found.values())


def _dealt(turn: Turn, rule: Rule) -> int:
    """Return the place after the action that dealt with the slot, 0 when none was run."""
    events: Sequence[Mapping[str, Any]] = turn.events or []
    for place, event in enumerate(events, 1):
        if event.get("event") == "action" and event.get("name") in rule.actions:
            return place
    return 0


def _slot(turn: Turn, rule: Rule, before: Mapping[str, Any]) -> str:
    """Return what a slot held when the action that deals with it was run, "" for nothing."""
    end = _dealt(turn, rule)
    if not end:
        return ""
    value = before.get(rule.slot)
    for event in list(turn.events or [])[: end - 1]:
        if event.get("event") == "slot" and event.get("name") == rule.slot:
            value = event.get("value")
    told = " ".join(str(value).split()) if value not in (None, True, False) else ""
    return told if rule.takes(told) else ""


def said_in(text: str, rule: Rule) -> str:
    """Return what a text tells by a rule's phrases, "" for nothing."""
    for sentence in _sentences(text[:_LONGEST_TEXT]):
        for phrase in rule.says:
            match = pattern(phrase, rule.words).fullmatch(sentence)
            value = match["value"].strip(" ,.-") if match else ""
            if value and rule.takes(value):
                return value
    return ""


def _sentences(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        yield match[0].strip(" ,;")
