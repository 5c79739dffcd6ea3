"""Effects of servers that cannot tell a second request from the first.

Before such a request goes out, a row says that it does; when its answer is there, the row has
it. Who finds a row without an answer does not send a second request: the first may still be
at work, long after its client has gone. It looks whether the effect is there, and only when
no request can be under way any more, and it is not, tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mongoengine import Document, IntField, StringField

from actions.backends.errors import Ambiguous, BackendDown, BackendError
from actions.backends.http import AnswerLost
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.fields import RawField, UtcField

BEGUN, DONE = "begun", "done"
#: Seconds after which a request whose answer was lost has surely ended on the server. PHP's
#: and most proxies' limits are 30 to 60.
SETTLED_SECONDS = 120.0
#: How long servers know keys of idempotency again: a day, as a rule.
REMEMBERED = timedelta(hours=20)
# Who finds somebody else at an order's money looks so often, each time after twice as long.
_LOOKS, _LOOK_SECONDS = 5, 0.05


class Effect(Document):
    """`_id` is the backend's part and the `mark` of the effect.

    `until` is when a request that was sent has surely ended, `tries` how often one was sent,
    `given` what was asked for, `result` what came of it: plain values.
    """

    id = StringField(primary_key=True)
    status = StringField(default=BEGUN, choices=(BEGUN, DONE))
    at = UtcField(required=True)
    until = UtcField(required=True)
    tries = IntField(default=1)
    given = RawField()
    result = RawField()

    meta = {
        "collection": "effects",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("at",), ("status", "tries")],
    }


@dataclass(frozen=True, slots=True)
class Sent:
    """What is to be sent: the values of the first call, and whether it may have been before.

    `busy` is when an earlier request may still be under way, `old` when the server may have
    forgotten its key.
    """

    given: Mapping[str, Any]
    again: bool
    busy: bool = False
    old: bool = False


class Effects:
    """Does each effect once. `store` has the rows, `settled` see `SETTLED_SECONDS`."""

    def __init__(self, backend: str, store: AsyncStore, settled: float = SETTLED_SECONDS) -> None:
        self._backend = backend
        self._store = store
        self._settled = settled

    async def once(
        self,
        mark: str,
        act: Callable[[Sent], Awaitable[dict[str, Any]]],
        look: Callable[[], Awaitable[dict[str, Any] | None]] | None,
        *,
        given: Mapping[str, Any] | None = None,
        safe: bool = False,
    ) -> tuple[dict[str, Any], bool]:
        """Return what came of an effect, and whether an earlier call did it.

        `given` are plain values that `act` gets, those of the first call. `act` sends the
        request, once, and returns plain values. `look` returns the same from
        the server's records, None when it is not there; None for what leaves no trace, a
        mail, which is sent again when it is not known. So is what is `safe`: the server knows
        the second request again.

        Raises Ambiguous while that is not known, what `act` and `look` raise, StoreDown.
        """
        now = utcnow()
        until = now + timedelta(seconds=self._settled)
        id_ = f"{self._backend}:{mark}"
        row = Effect(id=id_, status=BEGUN, at=now, until=until, given=dict(given or {}))
        new = (await self._store.insert_new([row]))[0]
        sent = Sent(dict(given or {}), again=False)
        if not new:
            there = await self._store.get(Effect, id_)
            if there is not None:
                old = now - there.at > REMEMBERED
                busy = there.until > now
                sent = Sent(dict(there.given or {}), again=True, busy=busy, old=old)
                if there.status == DONE:
                    return dict(there.result or {}), True
                found = await look() if look else None
                if found is not None:
                    return await self._end(id_, found), True
                if look and not safe and there.until > now:
                    raise self._unknown((there.until - now).total_seconds())
                # Of several that find it settled one goes on.
                mine = await self._store.change(
                    Effect,
                    {"id": id_, "status": BEGUN, "tries": there.tries},
                    set={"until": until},
                    inc={"tries": 1},
                )
                if mine is None:
                    raise self._unknown(self._settled)
        try:
            result = await act(sent)
        except AnswerLost:
            found = await self._looked(look)
            if found is not None:
                return await self._end(id_, found), False
            raise self._unknown(self._settled if look and not safe else 5.0) from None
        except Ambiguous:
            raise
        except BackendError:
            # It was refused, or never left: nothing is under way. What was sent before and
            # never looked for may have been done all the same.
            if not (sent.again and safe):
                await self._store.delete(Effect, {"id": id_, "status": BEGUN})
            raise
        return await self._end(id_, result), False

    @asynccontextmanager
    async def alone(self, order: str, mark: str) -> AsyncIterator[None]:
        """Let one refund of an order at a time read what is left and take of it.

        The same `mark` may come in twice. While it is not known what became of one, no other
        comes in until it is settled. Raises BackendDown when it is not soon free, StoreDown.
        """
        id_, tries = f"{self._backend}:alone:{order}", 0
        for look in range(_LOOKS):
            tries, after = await self._taken(id_, mark)
            if tries or look + 1 == _LOOKS or after > 0:
                break
            await asyncio.sleep(_LOOK_SECONDS * 2**look)
        if not tries:
            raise BackendDown(self._backend, "another refund of the order is under way", after)
        mine = {"id": id_, "status": BEGUN, "tries": tries}
        try:
            yield
        except (AnswerLost, Ambiguous):
            await self._store.change(Effect, mine, set={"result": {"lost": True}})
            raise
        except BackendError:
            await self._store.delete(Effect, mine)
            raise
        await self._store.delete(Effect, mine)

    async def _taken(self, id_: str, mark: str) -> tuple[int, float]:
        """Return under which number an order was taken, 0 when it is another's.

        And for how many seconds it surely is, 0 when it may be free at any moment.
        """
        now = utcnow()
        until = now + timedelta(seconds=self._settled)
        row = Effect(id=id_, status=BEGUN, at=now, until=until, given={"by": mark})
        if (await self._store.insert_new([row]))[0]:
            return 1, 0.0
        there = await self._store.get(Effect, id_)
        if there is None:
            return 0, 0.0
        if dict(there.given or {}).get("by") != mark and there.until > now:
            return 0, (there.until - now).total_seconds() if there.result else 0.0
        mine = await self._store.change(
            Effect,
            {"id": id_, "status": BEGUN, "tries": there.tries},
            set={"until": until, "given": {"by": mark}, "result": None},
            inc={"tries": 1},
        )
        return int(mine.tries) if mine is not None else 0, 0.0

    async def _looked(
        self, look: Callable[[], Awaitable[dict[str, Any] | None]] | None
    ) -> dict[str, Any] | None:
        try:
            return await look() if look else None
        except BackendDown:
            return None

    async def _end(self, id_: str, result: dict[str, Any]) -> dict[str, Any]:
        await self._store.change(Effect, {"id": id_}, set={"status": DONE, "result": result})
        return result

    def _unknown(self, after: float) -> Ambiguous:
        return unknown(self._backend, after)


def unknown(backend: str, after: float) -> Ambiguous:
    """Return what is said of an effect that may have taken place."""
    what = "its answer to a request was lost, and what became of it is not known yet"
    return Ambiguous(backend, what, max(after, 1.0))


@contextmanager
def or_unknown(backend: str, after: float = 10.0) -> Iterator[None]:
    """Have a lost answer be said to be unknown: for what is known again when asked for again."""
    try:
        yield
    except AnswerLost:
        raise unknown(backend, after) from None
