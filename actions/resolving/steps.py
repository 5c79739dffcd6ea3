"""Writing down each step of a turn: which tool, with what, what the rules said, and the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from actions.resolving.matter import Matter, store
from bot.llm.masking import redact
from bot.message import clean, utcnow
from bot.store import StoreDown
from bot.store.steps import Step

log = logging.getLogger(__name__)

#: Arguments that are personal as a whole.
_PERSONAL = ("street", "more", "city", "postcode")
_SHORT = 200


class Steps:
    """The steps of one turn, in order; those of an earlier try of the same turn are replaced."""

    def __init__(self, matter: Matter) -> None:
        self._matter = matter
        self._n = 0
        self._since = time.monotonic()

    async def note(self, tool: str, given: Mapping[str, object], verdict: str, result: str) -> None:
        """Write a step down that began when the last one ended.

        What was done is said, even when it cannot be written down here.
        """
        matter, now = self._matter, time.monotonic()
        args = {
            str(name)[:40]: "[address]"
            if name in _PERSONAL
            else redact(clean(str(value))[:_SHORT], matter.known)
            for name, value in list(given.items())[:10]
        }
        step = Step(
            id=f"{matter.turn}:{self._n}",
            turn=matter.turn,
            conversation=matter.conversation,
            n=self._n,
            at=utcnow(),
            tool=tool[:40],
            args=args,
            verdict=verdict,
            result=redact(" ".join(result.split()), matter.known)[:_SHORT],
            ms=int((now - self._since) * 1000),
        )
        self._n += 1
        self._since = now
        try:
            if step.n == 0:
                await store().delete(Step, {"turn": matter.turn})
            await store().put(step)
        except StoreDown as error:
            log.warning("%s: a step is not written down: %s", step.id, error)
