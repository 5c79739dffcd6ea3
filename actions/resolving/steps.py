"""Writing down each step of a turn: which tool, with what, what the rules said, and the end."""

from __future__ import annotations

import time
from collections.abc import Mapping

from actions.resolving.matter import Matter, store
from bot.llm.masking import redact
from bot.message import clean, utcnow
from bot.store.steps import Step

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
        """Write a step down that began when the last one ended. Raises StoreDown."""
        matter, now = self._matter, time.monotonic()
        if self._n == 0:
            await store().delete(Step, {"turn": matter.turn})
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
        await store().put(step)
