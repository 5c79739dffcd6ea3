"""The brain asked, within its time and in its language; and what is said where it fails."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any, Protocol

from bot.desk.watch import Watch
from bot.dialogue.contract import Failure, Hints, Outcome, Spoken
from bot.interpreting import Heard, Interpreter
from bot.message import Content, Inbound, Text
from bot.perception.contract import Perception
from bot.store.messages import Message, from_message
from bot.translation.contract import Origin

log = logging.getLogger(__name__)

APOLOGY = "Sorry, something went wrong on our side and I could not deal with that message."


class Thinker(Protocol):
    """What a turn needs of the brain."""

    async def take(
        self, said: Inbound, state: dict[str, Any] | None, hints: Hints | None = None
    ) -> Outcome:
        """See `bot.dialogue.brain.Brain.take`."""


class Knows(Protocol):
    """What is asked of memory before an answer, see `bot.memory.service.Memories`."""

    async def known(self, conversation: str) -> dict[str, Any]:
        """Return what is known of who writes there, encoded."""


class Thinking:
    """Asks the brain for one worker process; `seconds` is the longest that it may take."""

    def __init__(
        self,
        brain: Thinker,
        seconds: float,
        *,
        watch: Watch | None = None,
        interpreter: Interpreter | None = None,
        memory: Knows | None = None,
    ) -> None:
        self._brain = brain
        self._seconds = seconds
        self._watch = watch
        self._interpreter = interpreter
        self._memory = memory

    async def outcome(
        self,
        message: Message,
        content: Content,
        state: dict[str, Any],
        hopeless: str,
        seen: Perception | None,
        spoken: tuple[Spoken, ...] = (),
        resumed: bool = False,
        translated: Heard | None = None,
    ) -> Outcome:
        """Return what the bot does about a message, as the customer is to read it.

        `seen` is what it looks like, `translated` what it says in the company's language,
        `spoken` what an agent said since the bot was asked last, who has been here if `resumed`.
        Raises StoreDown.
        """
        if self._interpreter is None or translated is None:
            return await self._answered(message, content, state, hopeless, seen, spoken, resumed)
        about = seen
        if translated.read and seen is not None:
            # The brain hears the company's language, and answers in it.
            about = replace(seen, language=self._interpreter.company)
        outcome = await self._answered(
            message, translated.content, state, hopeless, about, spoken, resumed, seen
        )
        matter = outcome.handoff.topic if outcome.handoff and outcome.spoken else ""
        if matter and self._watch is not None and self._watch.speaks(matter, translated.language):
            return outcome
        return await self._interpreter.say(outcome, translated)

    async def _answered(
        self,
        message: Message,
        content: Content,
        state: dict[str, Any],
        hopeless: str,
        about: Perception | None,
        spoken: tuple[Spoken, ...] = (),
        resumed: bool = False,
        seen: Perception | None = None,
    ) -> Outcome:
        """Ask the brain. `about` is what it is told of the message, `seen` what is so."""
        seen = seen or about
        if hopeless:
            return _failed(state, Failure("worker", hopeless, ""))
        if self._watch is not None and seen is not None and seen.sensitive is not None:
            return self._watch.handed(seen.sensitive, state, {})
        said = replace(from_message(message), content=content)
        try:
            hints = Hints()
            if self._watch is not None and seen is not None:
                hints = self._watch.hints(about or seen)
            hints = replace(hints, meanwhile=spoken, resumed=resumed)
            hints = replace(hints, memory=await self._known(message.conversation))
            taking = self._brain.take(said, state or None, hints)
            outcome = await asyncio.wait_for(taking, self._seconds)
            if outcome.stopped and self._watch is not None and seen is not None:
                matter = self._watch.by_intent(outcome.stopped, seen)
                if matter is not None:
                    return self._watch.handed(matter, state, outcome.parse)
            return outcome
        except asyncio.TimeoutError:
            reason = f"no answer within {self._seconds:g} s"
            return _failed(state, Failure("brain", reason, ""))
        except Exception as error:
            # Whatever a pipeline component raises must not take the conversation with it.
            log.exception("%s: the brain failed", message.id)
            return _failed(state, Failure("brain", type(error).__name__, ""))

    async def _known(self, conversation: str) -> dict[str, Any]:
        """Return what is known of the customer; a customer is answered without it, too."""
        if self._memory is None:
            return {}
        try:
            return await self._memory.known(conversation)
        except Exception:
            log.exception("%s: what is known of the customer could not be read", conversation)
            return {}


def _failed(state: dict[str, Any], failure: Failure) -> Outcome:
    origins = (Origin("apology", ({"text": APOLOGY},)),)
    return Outcome([], [Text(APOLOGY)], state, {}, failure, origins=origins)
