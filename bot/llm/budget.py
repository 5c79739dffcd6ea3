"""What language models may use: tokens and money a conversation and day, and a day.

An estimate is reserved before a call and put right after it, so that however many calls
run at once, on however many hosts, what they use together stays below a limit but for
what single calls use beyond their estimates. A process that dies between the two leaves
its reservation counted until the day is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.llm.errors import BudgetSpent
from bot.message import utcnow
from bot.settings import Budget as Limits
from bot.store import AsyncStore, StoreError
from bot.store.spending import Spending

log = logging.getLogger(__name__)

#: For how long it is kept what was used on a day.
KEPT = timedelta(days=40)
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Reserved:
    """What was set aside under `ids`; money in millionths of the settings' currency."""

    ids: tuple[str, ...]
    tokens: int
    micros: int


def micros(money: float) -> int:
    """Return an amount of money in millionths, as it is stored."""
    return round(money * _MICROS)


class Purse:
    """Keeps to the limits of the settings, 0 being none. `now` gives the time in UTC."""

    def __init__(
        self, limits: Limits, store: AsyncStore, now: Callable[[], datetime] = utcnow
    ) -> None:
        self._store = store
        self._now = now
        self._conversation = (limits.conversation_tokens, micros(limits.conversation_money))
        self._day = (limits.day_tokens, micros(limits.day_money))

    async def reserve(self, conversation: str, tokens: int, money: float) -> Reserved:
        """Set aside an estimate. Raises BudgetSpent when a limit forbids it, StoreDown."""
        now = self._now()
        day = now.date().isoformat()
        accounts = (
            (f"conversation:{conversation}:{day}", self._conversation, "this conversation"),
            (f"day:{day}", self._day, "all conversations"),
        )
        amount = micros(money)
        done: list[str] = []
        for id, (most_tokens, most_micros), whose in accounts:
            after = await self._add(id, now, tokens, amount)
            done.append(id)
            spent = ""
            if most_tokens and after.tokens > most_tokens:
                spent = f"{most_tokens} tokens"
            elif most_micros and after.micros > most_micros:
                spent = f"{most_micros / _MICROS:g} of money"
            if spent:
                await self.settle(Reserved(tuple(done), tokens, amount), 0, 0.0)
                raise BudgetSpent(f"the budget of {whose} for {day}, {spent}, does not allow it")
        return Reserved(tuple(done), tokens, amount)

    async def settle(self, reserved: Reserved, tokens: int, money: float) -> None:
        """Put what was really used in the place of a reservation.

        A store that is down is no error here, the answer is there and has been paid for:
        the reservation stays counted.
        """
        inc = {"tokens": tokens - reserved.tokens, "micros": micros(money) - reserved.micros}
        if not any(inc.values()):
            return
        for id in reserved.ids:
            try:
                await self._store.change(Spending, {"id": id}, inc=inc)
            except StoreError as error:
                log.warning("what a model used is not settled: %s", type(error).__name__)

    async def _add(self, id: str, now: datetime, tokens: int, amount: int) -> Spending:
        inc = {"tokens": tokens, "micros": amount}
        after = await self._store.change(Spending, {"id": id}, inc=inc)
        if after is None:
            # Another may insert it first; either way it is there then.
            (new,) = await self._store.insert_new([Spending(id=id, at=now)])
            if new and id.startswith("day:"):
                await self._expire(now)
            after = await self._store.change(Spending, {"id": id}, inc=inc)
        if after is None:
            raise BudgetSpent("what was used today was deleted from the store just now")
        return after

    async def _expire(self, now: datetime) -> None:
        """Forget old days, once a day: whoever asks first on a new one."""
        try:
            await self._store.delete(Spending, {"at": {"$lt": now - KEPT}})
        except StoreError as error:
            log.warning("what models used long ago is not deleted: %s", type(error).__name__)
