"""Looks at what a customer wrote before it is answered: is it the bot's to answer at all?"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.desk.routing import Routing
from bot.dialogue.contract import Handoff, Hints, Outcome
from bot.dialogue.heard import Words, heard
from bot.message import Content, Text, decode
from bot.perception.contract import PRIORITIES, Perception, Sensitive
from bot.perception.escalation import Escalation
from bot.perception.perceiving import Perceiver
from bot.store.cases import Case
from bot.store.turns import Turn

log = logging.getLogger(__name__)

#: A customer who waits for a person, and writes, is told so again after this long.
TELL_AGAIN = timedelta(minutes=15)


class Watch:
    """Perception, and what follows from it for the turn.

    `classify` asks a language model for the sensitive topic of a text, None for none; it
    is only given where ``data/escalation.yml`` says that every message is to be asked about.
    Without `routing` somebody is always here.
    """

    def __init__(
        self,
        perceiver: Perceiver,
        escalation: Escalation,
        classify: Callable[[str, str, Sequence[str]], Awaitable[str | None]] | None = None,
        routing: Routing | None = None,
    ) -> None:
        self.routing = routing
        self._perceiver = perceiver
        self._escalation = escalation
        self._classify = classify

    async def see(
        self,
        content: Content,
        before: Sequence[Turn],
        conversation: str,
        profile_language: str,
        known: Sequence[str] = (),
        afresh: bool = False,
    ) -> Perception:
        """Return what a message looks like; `before` are the last turns, the newest first.

        `known` are the customer's names, which are masked where a model is asked. With
        `afresh` the mood of before is over: a person has seen to it.
        """
        last = next((turn.perception for turn in before if turn.perception), None)
        if last and afresh:
            last = {**last, "mood": 0.0, "urgency": 0.0, "frustrated": False}
        seen = await self._perceiver.perceive(
            words_of(content),
            last=Perception.decode(last) if last else None,
            earlier=[words for turn in reversed(before) if (words := _words_of_turn(turn))],
            profile_language=profile_language,
        )
        if seen.sensitive is None and self._classify is not None and words_of(content):
            topic = await self._classify(words_of(content), conversation, known)
            return self._told(seen, topic) if topic else seen
        return seen

    def _told(self, seen: Perception, topic: str) -> Perception:
        sensitive = self._escalation.by_topic(topic, seen.language, "the model said so")
        if sensitive is None:
            return seen
        why = (*seen.why, f"sensitive: {sensitive.topic}, {sensitive.why}")
        return replace(seen, sensitive=sensitive, why=why)

    def also(self, seen: Perception, text: str, language: str) -> Perception:
        """Return what is seen if a translation of the message tells a sensitive matter."""
        matter = self._escalation.match(text, language)
        if matter is None:
            return seen
        why = f"{matter.why}, in its translation"
        sensitive = self._escalation.by_topic(matter.topic, seen.language, why)
        return replace(seen, sensitive=sensitive, why=(*seen.why, f"sensitive: {why}"))

    def speaks(self, topic: str, language: str) -> bool:
        """Tell whether what is said of a sensitive matter is written in a language."""
        return self._escalation.speaks(topic, language)

    def hints(self, seen: Perception) -> Hints:
        """Return what the brain is to know."""
        return Hints(seen.encode(), self._escalation.intents)

    def by_intent(self, intent: str, seen: Perception) -> Sensitive | None:
        """Return the sensitive matter that an intent stands for."""
        return self._escalation.by_intent(intent, seen.language)

    def handed(self, matter: Sensitive, state: dict[str, Any], parse: dict[str, object]) -> Outcome:
        """Return the outcome by which a person takes over, with a fitting first sentence."""
        return Outcome(
            [],
            [Text(matter.says)] if matter.says else [],
            state,
            parse,
            None,
            handoff=Handoff(matter.topic, matter.why, matter.priority),
            spoken=True,
        )

    def more_urgent(self, seen: Perception, last: Turn | None) -> Sensitive | None:
        """Return the matter of a message if it is above what a person has the conversation for."""
        matter = seen.sensitive
        return matter if matter is not None and _above(matter.priority, last) else None

    def is_that(self, before: Case | None, handoff: Handoff, seen: Perception) -> bool:
        """Tell whether what is handed over may be the case that was closed before.

        A sensitive matter never is, nor what is more urgent: it would go where that case went.
        """
        if before is None or seen.sensitive is not None:
            return False
        ranks = {priority: n for n, priority in enumerate(PRIORITIES)}
        return ranks.get(handoff.priority, 0) <= ranks.get(before.priority, 0)

    def closed(self, priority: str, language: str, now: datetime) -> str:
        """Return what to say of when somebody will be here; "" when somebody is, or must be."""
        routing = self.routing
        if routing is None or priority in routing.always or routing.is_open(now):
            return ""
        return routing.says("closed", language, opens=routing.opens_in_words(now, language))

    def with_hours(self, outcome: Outcome, language: str, now: datetime) -> Outcome:
        """Return an outcome that hands over, and says so when nobody is here now."""
        words = self.closed(outcome.handoff.priority, language, now) if outcome.handoff else ""
        return replace(outcome, replies=[*outcome.replies, Text(words)]) if words else outcome

    def once_more(self, outcome: Outcome, topic: str, priority: str, seen: Perception) -> Outcome:
        """Return what gives a customer to a person again, instead of what the bot would say."""
        words = self._escalation.waiting(seen.language)
        why = "wrote again after it was closed"
        said: list[Content] = [Text(words)] if words else []
        return replace(outcome, replies=said, handoff=Handoff(topic, why, priority))

    def angry(self, outcome: Outcome, seen: Perception) -> Outcome:
        """Return an outcome that also hands over, if the customer is angry enough for a person.

        One who is calmer now, or was only angry before an agent saw to it, is not.
        """
        goes = outcome.handoff is None and outcome.failure is None and not outcome.stopped
        if self.routing is None or not self.routing.frustrated or not goes:
            return outcome
        if not seen.frustrated or seen.sentiment >= 0:
            return outcome
        words = self.routing.says("handed", seen.language)
        said: list[Content] = [Text(words)] if words else []
        why = f"the customer is angry (mood {seen.mood:+.2f})"
        # Who is passed on is asked nothing more by a form.
        answers = [] if outcome.state.get("active_loop") else outcome.replies
        return replace(
            outcome,
            replies=[*answers, *said],
            handoff=Handoff("frustrated", why, "high"),
        )

    def while_waiting(
        self, seen: Perception, last: Turn | None, state: dict[str, Any], now: datetime
    ) -> tuple[Outcome, str]:
        """Answer a customer who waits for a person; return also when he was last told so.

        What is more urgent than what he waits for is a case of its own.
        """
        told = told_at(last)
        matter = seen.sensitive
        if matter is not None and _above(matter.priority, last):
            handed = self.handed(matter, state, {})
            return self.with_hours(handed, seen.language, now), now.isoformat()
        nothing = Outcome([], [], state, {}, None)
        if told is not None and now - told < TELL_AGAIN:
            return nothing, told.isoformat()
        closed = self.closed(waits_for(last), seen.language, now)
        words = closed or self._escalation.waiting(seen.language)
        replies: list[Content] = [Text(words)] if words else []
        return Outcome([], replies, state, {}, None), now.isoformat()


def words_of(content: Content | None) -> str:
    """Return a customer's own words; "" for buttons, pictures and the like."""
    what = heard(content) if content is not None else None
    return what.text if isinstance(what, Words) else ""


def told_at(last: Turn | None) -> datetime | None:
    """Return when a customer was last told that a person will answer."""
    decision = (last.decision or {}) if last else {}
    if last is not None and decision.get("handoff"):
        at: datetime = last.at
        return at
    told = decision.get("told")
    return datetime.fromisoformat(told) if told else None


def waits_for(last: Turn | None) -> str:
    """Return the priority of what a customer waits for."""
    decision = (last.decision or {}) if last else {}
    return str((decision.get("handoff") or {}).get("priority") or decision.get("priority") or "")


def waiting_since(last: Turn | None) -> dict[str, str]:
    """Return what the decision of a turn keeps of the one before, while a customer waits."""
    told, priority = told_at(last), waits_for(last)
    kept = {"told": told.isoformat() if told else "", "priority": priority}
    return {name: value for name, value in kept.items() if value}


def _above(priority: str, last: Turn | None) -> bool:
    waiting = waits_for(last)
    return waiting not in PRIORITIES or PRIORITIES.index(priority) > PRIORITIES.index(waiting)


def _words_of_turn(turn: Turn) -> str:
    return words_of(decode(turn.heard)) if turn.heard else ""
