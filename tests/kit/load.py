"""Many customers who ask about orders, one after another, and what they hear."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from bot.store.dead_letters import DeadLetter
from bot.store.messages import PENDING, UNSENT, Message
from bot.store.turns import Turn
from tests.kit.customers import Control, Customer, Heard, heard
from tests.kit.instance import Instance
from tests.kit.waiting import until

#: The demonstration orders of actions/backends/orders.py.
ORDERS = (*(str(n) for n in range(1042, 1053)), "20417")
#: What the bot says to one question about an order.
SAYS = 2
_ANSWER = re.compile(r"Order (\d+) \(")
# Reading all phones costs the sandbox time that the instance could use.
_LOOK_SECONDS = 0.5
_AFTERWARDS = "Does that answer your question?"


@dataclass
class Asker:
    """A customer, the order numbers asked for, and those answered, in order."""

    customer: Customer
    asked: list[str] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def waits_for(self) -> int:
        """How many questions have no complete answer yet."""
        return len(self.asked) - len(self.heard) // SAYS

    def wrong(self) -> str:
        """Say what is not as it must be, "" when every question was answered once, in order."""
        told = [_short(one) for one in self.heard]
        wanted = [part for number in self.asked for part in (number, "?")]
        if told == wanted:
            return ""
        same = next((n for n, (a, b) in enumerate(zip(told, wanted)) if a != b), None)  # noqa: B905
        at = min(len(told), len(wanted)) if same is None else same
        return (
            f"{self.customer.conversation}: asked {len(self.asked)}, from the "
            f"{at // SAYS + 1}th question on heard {told[at : at + 12]} "
            f"instead of {wanted[at : at + 12]}"
        )


class Load:
    """Askers who always have up to `ahead` questions open."""

    def __init__(
        self,
        instance: Instance,
        control: Control,
        customers: Sequence[Customer],
        chance: random.Random,
        *,
        ahead: int = 2,
        pause: float = 0.3,
    ) -> None:
        self.askers = [Asker(customer) for customer in customers]
        self._instance = instance
        self._control = control
        self._chance = chance
        self._ahead = ahead
        self._pause = pause
        self._asking = True

    @property
    def asked(self) -> int:
        """How many questions were asked in all."""
        return sum(len(a.asked) for a in self.askers)

    @property
    def answered(self) -> int:
        """How many messages of the bot were heard in all."""
        return sum(len(a.heard) for a in self.askers)

    async def ask(self, questions: int | None = None) -> None:
        """Let everybody ask, so many questions each, or until `enough`."""
        everybody = [self._one(asker, questions) for asker in self.askers]
        await asyncio.gather(self._watch(questions), *everybody)

    def enough(self) -> None:
        """Ask no more."""
        self._asking = False

    async def _one(self, asker: Asker, questions: int | None) -> None:
        while self._asking and (questions is None or len(asker.asked) < questions):
            await asyncio.sleep(self._chance.uniform(0, self._pause))
            if asker.waits_for < self._ahead:
                last = asker.asked[-1:]
                number = self._chance.choice([o for o in ORDERS if [o] != last])
                asker.asked.append(number)
                await asker.customer.say(f"where is order {number}")

    async def _watch(self, questions: int | None) -> None:
        while self._asking and not all(
            questions is not None and len(a.asked) >= questions for a in self.askers
        ):
            # Not there yet, or just killed.
            with contextlib.suppress(aiohttp.ClientConnectorError):
                await self._look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> None:
        """Take note of what everybody heard, of all phones by one request."""
        on_phones: dict[tuple[str, str], list[Heard]] = {}
        for entry in await self._control.messages():
            if entry["direction"] == "out":
                key = entry["channel"], entry["user"]
                on_phones.setdefault(key, []).append(heard(entry))
        for asker in self.askers:
            customer = asker.customer
            if customer.channel == "webchat":
                asker.heard = await customer.heard()
            else:
                asker.heard = on_phones.get((customer.channel, customer.user), [])

    async def settle(self, timeout: float = 60.0) -> None:
        """Wait until the instance has nothing left to do; AssertionError with the reason why not.

        Only then is it known that no second answer can follow.
        """
        store = self._instance.store()

        def open_rows() -> list[str]:
            where = {"direction": "in", "status": PENDING}
            rows = store.find(Message, where, limit=10)
            for status in UNSENT:
                rows += store.find(Message, {"direction": "out", "status": status}, limit=10)
            return [f"{r.id} {r.direction} {r.status} {r.reason or ''}" for r in rows]

        async def done() -> bool:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._look()
            return all(a.waits_for <= 0 for a in self.askers) and not open_rows()

        try:
            await until(done, timeout=timeout)
        except AssertionError:
            waiting = [a for a in self.askers if a.waits_for > 0]
            raise AssertionError(
                f"{len(waiting)} customers wait still; open: {open_rows()}\n"
                + self._evidence([a.customer.conversation for a in waiting[:2]])
            ) from None
        finally:
            store.close()
        await self._look()

    def check(self) -> None:
        """AssertionError unless all was answered exactly once, in order, and recorded so."""
        wrong = [(a, said) for a in self.askers if (said := a.wrong())]
        assert not wrong, "\n".join(
            [
                f"{len(wrong)} of {len(self.askers)} conversations went wrong",
                *(said for _, said in wrong),
                self._evidence([a.customer.conversation for a, _ in wrong[:2]]),
            ]
        )
        store = self._instance.store()
        try:
            for asker in self.askers:
                where = {"conversation": asker.customer.conversation}
                turns = store.find(Turn, where, sort=("seq",))
                assert [t.seq for t in turns] == list(range(1, len(asker.asked) + 1))
            letters = store.find(DeadLetter, {})
            mine = {a.customer.conversation for a in self.askers}
            for letter in letters:
                row = store.get(Message, letter.ref) if letter.ref else None
                assert row is None or row.conversation not in mine, (letter.stage, letter.reason)
        finally:
            store.close()

    def _evidence(self, conversations: Sequence[str]) -> str:
        parts = []
        for conversation in conversations:
            parts.append(self._instance.rows(conversation))
            user = conversation.rpartition(":")[2]
            said = [line for line in self._instance.logged().splitlines() if user in line]
            parts += ["  logged:", *(f"  {line[:220]}" for line in said[-40:])]
        return "\n".join([*parts, "the end of the log:", self._instance.tail(30)])


def _short(one: Heard) -> str:
    found = _ANSWER.match(one.text)
    if found:
        return found.group(1)
    # On a channel without buttons the answers are written behind it.
    return "?" if one.text.startswith(_AFTERWARDS) else one.text[:60]
