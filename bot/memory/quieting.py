"""Nobody else at work on what is to be forgotten: it is waited for, held, and told to end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone

from bot.consent import ConsentRules, kept_out, record, verdict
from bot.memory.scope import LEASE, Scope, name_of
from bot.message import utcnow
from bot.process import is_dead
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.deeds import PENDING as WISHED
from bot.store.deeds import Deed
from bot.store.files import REFUSED, WANTED, StoredFile
from bot.store.memory import CUSTOMER, Forgetting
from bot.store.messages import (
    DONE,
    DROPPED,
    HELD,
    PENDING,
    QUEUED,
    SENDING,
    UNKNOWN,
    Message,
    from_message,
)
from bot.store.slack import SlackThread

_BEGAN = datetime(1970, 1, 1, tzinfo=timezone.utc)
# A customer who asked for it is told so before all is gone; but no provider is waited for longer.
_LAST_WORDS = timedelta(seconds=60)


class Busy(Exception):
    """Somebody has a part of it in hand; to be tried again soon. The text says what."""


class Quieting:
    """Sees to it for one process. By `rules` a STOP counts that nobody has read yet."""

    def __init__(self, store: AsyncStore, rules: ConsentRules | None = None) -> None:
        self._store = store
        self._rules = rules

    async def hold(
        self, row: Forgetting, address: str, note: Callable[..., Awaitable[Forgetting]]
    ) -> bool:
        """Lease a conversation; False when it was erased before. Raises Busy.

        What was written before the wish is not to be answered any more. `note` changes the row.
        """
        name = name_of(row)
        held_before = (row.held or {}).get(address)
        talk = await self._store.get(Conversation, address)
        if talk is None and not held_before:
            now = utcnow()
            talk = Conversation(
                id=address,
                created=now,
                lease_owner=name,
                lease_until=now + LEASE,
                lease_epoch=1,
                **await kept_out(self._store, address),
            )
            await self._store.insert_new([talk])
            talk = await self._store.get(Conversation, address)
        where = {"conversation": address, "direction": "in", "status": PENDING}
        unread = await self._store.find(Message, where)
        for message in sorted(unread, key=lambda one: int(one.arrived)):
            if message.arrived <= row.cutoff:
                if talk is not None and self._rules is not None:
                    await self._stopped(message, self._rules)
                undone = {"id": message.id, "status": PENDING}
                await self._store.change(Message, undone, set={"status": DONE})
        if talk is None:
            return False
        if talk.lease_owner != name:
            if talk.created > row.at:
                return False
            leased = talk.lease_owner and talk.lease_until > utcnow()
            if leased and not is_dead(talk.lease_owner):
                raise Busy("a worker is answering the customer")
        mine = {"lease_owner": name, "lease_until": utcnow() + LEASE}
        same = {
            "id": address,
            "lease_owner": talk.lease_owner,
            "lease_until": talk.lease_until,
            "lease_epoch": talk.lease_epoch,
        }
        if await self._store.change(Conversation, same, set=mine, inc={"lease_epoch": 1}) is None:
            raise Busy("a worker is answering the customer")
        if not held_before:
            row.held = {**(row.held or {}), address: utcnow().timestamp()}
            await note(row, held=row.held)
        return True

    async def _stopped(self, message: Message, rules: ConsentRules) -> None:
        """Let a message count for consent, which is all that is left of it."""
        said = from_message(message)
        talk = await self._store.get(Conversation, message.conversation)
        wish = verdict(said, talk, rules) if talk is not None else None
        if wish is not None and wish.state:
            await record(self._store, wish, said)

    async def quiet(self, row: Forgetting, scope: Scope) -> None:
        """See that nobody has a part of it in hand. Raises Busy."""
        store, here = self._store, {"conversation": scope.address}
        going = {**here, "direction": "out", "status": {"$in": [QUEUED, HELD, SENDING, UNKNOWN]}}
        asked_now = row.by == CUSTOMER and utcnow() - row.at < _LAST_WORDS
        for out in await store.find(Message, going):
            if not scope.has(out.arrived):
                continue
            if out.status == SENDING and not _free(out.owner, out.due):
                raise Busy("a message is being sent")
            if asked_now and out.status != HELD:
                raise Busy("the customer is being told")
            same = {"id": out.id, "status": out.status}
            if await store.change(Message, same, set={"status": DROPPED}) is None:
                raise Busy("a message is being sent")
        for deed in await store.find(Deed, {**here, "status": WISHED}):
            if not scope.has(deed.arrived):
                continue
            if deed.owner and not _free(deed.owner, deed.due):
                raise Busy("an agent's wish is being done")
            same = {"id": deed.id, "status": WISHED, "owner": deed.owner or ""}
            if await store.change(Deed, same, set={"status": "refused"}) is None:
                raise Busy("an agent's wish is being done")
        for file in await store.find(StoredFile, here):
            if file.status != WANTED or not scope.has(file.at):
                continue
            if file.owner and not _free(file.owner, file.due):
                raise Busy("a file is being fetched")
            same = {"id": file.id, "status": WANTED, "owner": file.owner or ""}
            if await store.change(StoredFile, same, set={"status": REFUSED}) is None:
                raise Busy("a file is being fetched")
        for thread in await store.find(SlackThread, here):
            if not scope.has(thread.at):
                continue
            mine = name_of(row)
            if thread.owner and thread.owner != mine and not _free(thread.owner, thread.until):
                raise Busy("Slack is being written to")
            same = {"id": thread.id, "closed": thread.closed, "due": thread.due}
            far = utcnow() + LEASE
            lease = {"owner": mine, "until": far, "due": far, "closed": True}
            if await store.change(SlackThread, same, set=lease) is None:
                raise Busy("Slack is being written to")


def _free(owner: str | None, until: datetime | None) -> bool:
    return not owner or is_dead(owner) or (until or _BEGAN) <= utcnow()
