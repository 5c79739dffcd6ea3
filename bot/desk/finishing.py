"""Finishing what a customer has said yes to and the shop did not answer, when it is back.

The shop is asked again with the same key, by which it knows what it has done already. Then the
customer is told, the case that waits for it is closed, and the bot has the conversation again.
Each of these can be done twice without harm; the row is settled last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from bot.desk.handoff import move, place_after_all
from bot.desk.journal import note_down
from bot.llm.masking import redact
from bot.message import Text, utcnow
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import BOT, WAITING, Conversation
from bot.store.journal import ACTED
from bot.store.messages import queued
from bot.store.steps import CARRIED_OUT, DECLINED, GIVEN_UP, PENDING, Undertaking
from bot.store.turns import Turn

log = logging.getLogger(__name__)

_PAGE = 20
#: Seconds for which one process has a row that it has begun to look at.
_MINE = 60.0


class Finisher(Rounds):
    """Asks the shop again for what is pending, several customers' at once.

    `told` is called when there is something to send.
    """

    def __init__(self, store: AsyncStore, limits: Limits, told: Callable[[], None]) -> None:
        super().__init__(limits)
        self._store = store
        self._told = told

    async def _round(self) -> None:
        where = {"status": PENDING, "due": {"$lte": utcnow()}}
        for row in await self._store.find(Undertaking, where, sort=("due",), limit=_PAGE):
            if self._stopping:
                return
            if row.id not in self._serving:
                task = asyncio.create_task(self._serve(row), name=str(row.id))
                self._serving[str(row.id)] = task

    async def _serve(self, row: Undertaking) -> None:
        try:
            mine = {"id": row.id, "status": PENDING, "due": row.due}
            later = utcnow() + timedelta(seconds=_MINE)
            taken = await self._store.change(Undertaking, mine, set={"due": later})
            if taken is not None:
                await self._finish(taken)
        except StoreDown as error:
            log.error("%s: the store is down in the middle of it: %s", row.id, error)
        except Exception:
            log.exception("%s: could not be finished", row.id)
        finally:
            del self._serving[str(row.id)]

    async def _finish(self, row: Undertaking) -> None:
        # The shop's backends cost what the gateway, which imports this room, should not pay.
        from actions.resolving.allowing import release
        from actions.resolving.doing import asked_again

        status, change = await asked_again(row)
        if await self._store.get(Undertaking, row.id) is None:
            # The customer was forgotten meanwhile: nothing may be written of him any more.
            return
        seen = change
        if status == PENDING and utcnow() < row.until:
            where = {"id": row.id, "status": PENDING}
            await self._store.change(Undertaking, where, set=change, inc={"attempts": 1})
            return
        if status == PENDING:
            status, change = GIVEN_UP, {"status": GIVEN_UP}
        said = dict(row.says or {})
        what = str(said.get("what") or row.tool)
        if status == CARRIED_OUT:
            text, told = str(said.get("done") or ""), f"done: {what}"
        elif status == DECLINED:
            text = str(said.get("declined") or "").replace("{why}", str(change.get("why") or ""))
            told = f"not done: {what}; {change.get('why')}"
        else:
            text, told = str(said.get("given_up") or ""), f"given up: {what}"
            if row.why or seen.get("why"):
                told += "; it may have been done: look in the shop before you do it by hand"
        await self._tell(row, text)
        await self._close(row, told, done=status == CARRIED_OUT)
        await self._store.change(
            Undertaking, {"id": row.id, "status": PENDING}, set=change, inc={"attempts": 1}
        )
        if status == DECLINED:
            await release(self._store, str(row.id))
        self._told()

    async def _tell(self, row: Undertaking, text: str) -> None:
        held = await self._store.get(Conversation, row.conversation)
        if held is None or not text:
            return
        order = await place_after_all(self._store, row.conversation)
        message = queued(
            f"{row.conversation}:done:{row.id}",
            row.conversation,
            Text(text),
            order=order,
            epoch=held.epoch,
        )
        await self._store.insert_new([message])

    async def _close(self, row: Undertaking, told: str, *, done: bool) -> None:
        """Write it down, and close the case where it was done; else a person has it."""
        turn = str(row.case or row.id.rpartition(":")[0])
        case = await self._store.get(Case, turn)
        root = case.part_of or case.id if case is not None else ""
        await note_down(
            self._store,
            f"finished:{row.id}",
            ACTED,
            row.conversation,
            case=root,
            name="The bot",
            text=told,
            details={"tool": row.tool, "ok": done},
        )
        if case is None or not done:
            return
        held = await self._store.get(Conversation, row.conversation)
        waits = held is not None and held.holder == WAITING and not case.part_of
        last = await self._store.find(
            Turn, {"conversation": row.conversation}, sort=("-seq",), limit=1
        )
        if waits and not (last and last[0].id == case.id):
            # The customer has written something since that a person has to answer.
            return
        await self._store.change(
            Case,
            {"id": case.id, "status": OPEN},
            set={
                "status": RESOLVED,
                "closed_by": "the bot",
                "resolution": redact(told),
                "resolved": utcnow(),
            },
        )
        if waits and held is not None:
            await move(self._store, row.conversation, held.epoch, BOT)
