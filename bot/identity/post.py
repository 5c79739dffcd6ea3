"""Sends the codes that were asked for, each once, and keeps none of them.

A challenge is queued, then sending (claimed by one process), then handing (the mail is going
over), then sent. A process that dies while sending has sent nothing: another does it. One
that dies while handing may have: nobody sends that again, the customer can ask for another.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from bot import mail
from bot.identity.reaching import MAIL, SMS
from bot.message import Address, Text, encode, utcnow
from bot.process import is_dead, me
from bot.rounds import Rounds
from bot.settings import Limits, Mail
from bot.store import AsyncStore, StoreDown
from bot.store.messages import UNSENT as MESSAGE_UNSENT
from bot.store.messages import Message, queued
from bot.store.proofs import FAILED, HANDING, HELD, QUEUED, SENDING, SENT, Challenge

log = logging.getLogger(__name__)

_PAGE = 50
_AT_ONCE = 4
#: What is left of a text that had a code in it.
WIPED = "…"


class Post(Rounds):
    """Sends for one worker process; any number may run against one store."""

    def __init__(self, store: AsyncStore, server: Mail, sms: str, limits: Limits) -> None:
        super().__init__(limits)
        self._store = store
        self._server = server
        self._sms = sms

    async def _round(self) -> None:
        waiting = {"status": {"$in": (HELD, QUEUED, SENDING, HANDING)}}
        rows = await self._store.find(Challenge, waiting, sort=("due",), limit=_PAGE)
        for row in rows:
            if len(self._serving) >= _AT_ONCE or self._stopping:
                return
            if row.id not in self._serving and (row.due <= utcnow() or is_dead(row.owner or "")):
                task = asyncio.create_task(self._serve(row), name=f"code {row.id}")
                self._serving[row.id] = task

    async def _serve(self, row: Challenge) -> None:
        try:
            if row.status == HANDING:
                await self._handed(row)
            elif row.until <= utcnow():
                await self._end(row, FAILED, "nobody sent it in time")
            elif row.status != HELD:
                await self._send(row)
        except StoreDown as error:
            log.error("%s: the store is down in the middle of it: %s", row.id, error)
        except Exception:
            log.exception("%s: a code could not be sent", row.id)
        finally:
            del self._serving[row.id]

    async def _send(self, row: Challenge) -> None:
        claim = timedelta(seconds=3 * self._server.timeout_seconds + 5)
        mine = await self._store.change(
            Challenge,
            {"id": row.id, "status": row.status, "due": row.due},
            set={"status": SENDING, "owner": me(), "due": utcnow() + claim},
            inc={"attempts": 1},
        )
        if mine is None:
            return
        letter = mine.letter
        if not letter:
            await self._end(mine, FAILED, "it was forgotten")
        elif mine.way == SMS:
            await self._text(mine, letter["to"], letter["body"])
        elif mine.way == MAIL and self._server.url:
            await self._mail(mine, letter)
        else:
            await self._end(mine, FAILED, f"nothing here sends by {mine.way}")

    async def _mail(self, row: Challenge, letter: dict[str, str]) -> None:
        def handing() -> None:
            where = {"id": row.id, "status": SENDING, "due": row.due}
            if self._store.sync.change(Challenge, where, set={"status": HANDING}) is None:
                raise _NotMine

        try:
            await asyncio.to_thread(
                mail.send,
                self._server,
                letter["to"],
                letter["subject"],
                letter["body"],
                str(row.id),
                handing,
            )
        except _NotMine:
            return
        except mail.MailLater as error:
            if row.attempts >= self._limits.send_attempts:
                await self._end(row, FAILED, str(error))
                return
            wait = min(
                self._limits.retry_base_seconds * 2.0 ** (row.attempts - 1),
                self._limits.retry_cap_seconds,
            )
            log.warning("%s: a code waits %.0f s: %s", row.id, wait, error)
            due = utcnow() + timedelta(seconds=wait)
            await self._change(row, status=QUEUED, owner="", due=due, reason=str(error))
        except mail.MailTrouble as error:
            log.error("%s: a code was not sent: %s", row.id, error)
            await self._end(row, FAILED, str(error))
        else:
            await self._end(row, SENT)

    async def _text(self, row: Challenge, to: str, words: str) -> None:
        if not self._sms:
            await self._end(row, FAILED, "nothing here sends by sms")
            return
        address = Address("sms", self._sms, to)
        # Before all that may wait there; the same row when it is done again.
        await self._store.insert_new([queued(_row_id(row), address.key, Text(words), order=0)])
        await self._change(row, status=HANDING, owner="", letter=None, due=utcnow())
        self.wake.set()

    async def _handed(self, row: Challenge) -> None:
        if row.way != SMS:
            # Its sender died or fell silent with the mail half over.
            await self._end(row, FAILED, "not known whether it was sent")
            return
        text = await self._store.get(Message, _row_id(row))
        if text is not None and text.status in MESSAGE_UNSENT:
            await self._change(row, due=utcnow() + timedelta(seconds=self._limits.poll_seconds))
            return
        if text is not None:
            # The code in it is not to stay.
            await self._store.change(Message, {"id": text.id}, set={"content": encode(Text(WIPED))})
        gone = text is None or text.status in ("failed", "dropped")
        await self._end(row, FAILED if gone else SENT, "the text was not sent" if gone else "")

    async def _end(self, row: Challenge, status: str, reason: str = "") -> None:
        await self._change(row, status=status, owner="", letter=None, reason=reason)

    async def _change(self, row: Challenge, **change: object) -> None:
        # Whoever took it over has moved `due` on.
        await self._store.change(Challenge, {"id": row.id, "due": row.due}, set=change)


class _NotMine(Exception):
    """Another process has taken the challenge over meanwhile."""


def _row_id(row: Challenge) -> str:
    return f"proof:{row.id}"
