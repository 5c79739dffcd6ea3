"""Forgetting a person everywhere, wherever the process that does it may die.

A `Forgetting` names the addresses. One process at a time works on it, one address after the
other: it waits until nobody else has the conversation or a part of it in hand, keeps it leased
under the forgetting's own name, and deletes what is there, what hangs off other things first.
The conversation itself goes last: with it the address is done, and who writes from it then is
met for the first time. Begun again anywhere, it deletes what is left.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from bson import ObjectId
from mongoengine import Document

from bot.consent import ConsentRules, keep_out, kept_out, record, verdict
from bot.media.vault import AsyncVault
from bot.memory.letters import unread_letters
from bot.message import utcnow
from bot.process import is_dead, me
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.consents import Consent
from bot.store.conversations import BOT, Conversation
from bot.store.customers import Customer, LinkCode, LinkTry, Merge
from bot.store.dead_letters import DeadLetter
from bot.store.deeds import PENDING as WISHED
from bot.store.deeds import Deed
from bot.store.files import REFUSED, WANTED, StoredFile
from bot.store.gaps import Gap
from bot.store.journal import Entry
from bot.store.lessons import Lesson
from bot.store.memory import (
    ASKED,
    CUSTOMER,
    FORGOTTEN,
    GONE,
    Fact,
    Forgetting,
    Quiet,
)
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
from bot.store.proofs import FAILED, NOBODY, Challenge, Miss, Proof, ProofTry
from bot.store.reviews import Review
from bot.store.slack import SlackPost, SlackThread
from bot.store.spending import Spending
from bot.store.steps import Step, Undertaking
from bot.store.turns import Turn

log = logging.getLogger(__name__)

_PAGE = 200
#: How long a conversation is leased, and a forgetting claimed, without being renewed.
LEASE = timedelta(minutes=5)
# Seconds after which what is held is renewed.
_RENEW = 30.0
#: In `Forgetting.done`: the customers themselves are gone, the conversations are what is left.
_PERSON = "person"
_BEGAN = datetime(1970, 1, 1, tzinfo=timezone.utc)
# A customer who asked for it is told so before all is gone; but no provider is waited for longer.
_LAST_WORDS = timedelta(seconds=60)
# Slack that cannot be reached is tried again for so long.
_SLACK_PATIENCE = timedelta(hours=24)


class Busy(Exception):
    """Somebody has a part of it in hand; to be tried again soon. The text says what."""


class Overtaken(Exception):
    """Another process works on it."""


class SlackAway(Exception):
    """Slack cannot be reached now."""


class Unposts(Protocol):
    """Takes posts back from where agents see them."""

    async def delete(self, account: str, channel: str, ts: str) -> bool:
        """Delete a message; False when it may not be. Raises SlackAway when not now."""

    async def delete_file(self, account: str, file: str) -> bool:
        """Delete a file; the same."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """An address of a forgetting: all of it, or with `until` what was before that."""

    address: str
    until: int = 0


class Eraser:
    """Does forgettings for one process. Without `slack` posts stay where they are.

    `lessons` deletes what was to be learned from conversations, `bot.learning.lessons.forget`.
    By `rules` a STOP counts that nobody has read yet.
    """

    def __init__(
        self,
        store: AsyncStore,
        vault: AsyncVault,
        slack: Unposts | None = None,
        lessons: Callable[[AsyncStore, Collection[str]], Awaitable[int]] | None = None,
        rules: ConsentRules | None = None,
    ) -> None:
        self._lessons = lessons
        self._rules = rules
        self._store = store
        self._vault = vault
        self._slack = slack
        self._renewed = time.monotonic()

    async def due(self) -> list[ObjectId]:
        """Return what is to be done or to be gone on with now."""
        where = {"status": {"$in": [ASKED, GONE]}}
        rows = await self._store.find(Forgetting, where, sort=("due",), limit=_PAGE)
        now = utcnow()
        return [r.id for r in rows if r.due <= now or is_dead(str(r.owner or ""))]

    async def work(self, id: ObjectId) -> Forgetting:
        """Forget, from wherever it had got to; return the row as it is then.

        Raises Busy, Overtaken, SlackAway and StoreDown: then it is to be gone on with.
        """
        row = await self._claim(id)
        if row is None:
            raise Overtaken(str(id))
        if row.status == FORGOTTEN:
            return row
        try:
            if row.status == ASKED:
                await self._erase(row)
                # From here on the row itself tells nobody's address.
                bare = {"status": GONE, "members": [], "held": {}, "done": []}
                row = await self._change(row, **bare)
            await self._store.scrub()
            return await self._change(row, status=FORGOTTEN, finished=utcnow(), owner="")
        except (Busy, SlackAway):
            await self._change(row, owner="", due=utcnow() + timedelta(seconds=1))
            raise

    async def _erase(self, row: Forgetting) -> None:
        scopes = [_Scope(m["address"], int(m.get("until") or 0)) for m in row.members or []]
        done = list(row.done or [])
        left = [scope for scope in scopes if scope.address not in done]
        whole = []
        for scope in [scope for scope in left if not scope.until]:
            if await self._hold(row, scope.address):
                whole.append(scope)
            else:
                # It was deleted, and that was not noted down any more.
                left.remove(scope)
        if _PERSON not in done:
            for scope in left:
                await self._quiet(row, scope)
            for scope in whole:
                # Who waits for a person without a case would be given one.
                mine = {"id": scope.address, "lease_owner": _name(row)}
                await self._store.change(Conversation, mine, set={"holder": BOT})
            for scope in left:
                await self._unpost(row, scope)
                await self._files(row, scope)
                await self._letters(scope)
                await self._rows(row, scope)
            await self._person(row)
            done.append(_PERSON)
            await self._change(row, done=done)
        for scope in whole:
            # What a model or a round was at meanwhile, which had read it before.
            await self._rows(row, scope)
            # The last of it: who writes from there now is met for the first time. But who wanted
            # no messages gets none.
            talk = await self._store.get(Conversation, scope.address)
            if talk is not None and talk.lease_owner == _name(row):
                await keep_out(self._store, talk)
            await self._store.delete(Conversation, {"id": scope.address, "lease_owner": _name(row)})
            done.append(scope.address)
            await self._change(row, done=done)

    async def _claim(self, id: ObjectId) -> Forgetting | None:
        row = await self._store.get(Forgetting, id)
        if row is None or row.status == FORGOTTEN:
            return row
        taken = row.owner not in ("", me()) and not is_dead(str(row.owner))
        if taken and row.due > utcnow():
            return None
        where = {"id": id, "owner": row.owner, "due": row.due}
        return await self._store.change(Forgetting, where, set=_mine())

    async def _change(self, row: Forgetting, **fields: Any) -> Forgetting:
        changed = await self._store.change(
            Forgetting, {"id": row.id, "owner": me()}, set={"due": utcnow() + LEASE, **fields}
        )
        if changed is None:
            raise Overtaken(str(row.id))
        return changed

    async def _hold(self, row: Forgetting, address: str) -> bool:
        """Lease a conversation; False when it was erased before. Raises Busy.

        What was written before the wish is not to be answered any more.
        """
        name = _name(row)
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
            await self._change(row, held=row.held)
        return True

    async def _stopped(self, message: Message, rules: ConsentRules) -> None:
        """Let a message count for consent, which is all that is left of it."""
        said = from_message(message)
        talk = await self._store.get(Conversation, message.conversation)
        wish = verdict(said, talk, rules) if talk is not None else None
        if wish is not None and wish.state:
            await record(self._store, wish, said)

    async def _renew(self, row: Forgetting) -> None:
        """Keep what is held, now and then: Slack and files may take long."""
        if time.monotonic() < self._renewed + _RENEW:
            return
        self._renewed = time.monotonic()
        await self._change(row)
        until = {"lease_until": utcnow() + LEASE}
        for address in row.held or {}:
            mine = {"id": address, "lease_owner": _name(row)}
            await self._store.change(Conversation, mine, set=until)

    async def _quiet(self, row: Forgetting, scope: _Scope) -> None:
        """See that nobody has a part of it in hand. Raises Busy."""
        store, here = self._store, {"conversation": scope.address}
        going = {**here, "direction": "out", "status": {"$in": [QUEUED, HELD, SENDING, UNKNOWN]}}
        asked_now = row.by == CUSTOMER and utcnow() - row.at < _LAST_WORDS
        for out in await store.find(Message, going):
            if scope.until and out.arrived > scope.until:
                continue
            if out.status == SENDING and not _free(out.owner, out.due):
                raise Busy("a message is being sent")
            if asked_now and out.status != HELD:
                raise Busy("the customer is being told")
            same = {"id": out.id, "status": out.status}
            if await store.change(Message, same, set={"status": DROPPED}) is None:
                raise Busy("a message is being sent")
        for deed in await store.find(Deed, {**here, "status": WISHED}):
            if scope.until and deed.arrived > scope.until:
                continue
            if deed.owner and not _free(deed.owner, deed.due):
                raise Busy("an agent's wish is being done")
            same = {"id": deed.id, "status": WISHED, "owner": deed.owner or ""}
            if await store.change(Deed, same, set={"status": "refused"}) is None:
                raise Busy("an agent's wish is being done")
        for file in await store.find(StoredFile, here):
            if file.status != WANTED or (scope.until and _micro(file.at) > scope.until):
                continue
            if file.owner and not _free(file.owner, file.due):
                raise Busy("a file is being fetched")
            same = {"id": file.id, "status": WANTED, "owner": file.owner or ""}
            if await store.change(StoredFile, same, set={"status": REFUSED}) is None:
                raise Busy("a file is being fetched")
        for thread in await store.find(SlackThread, here):
            if scope.until and _micro(thread.at) > scope.until:
                continue
            mine = _name(row)
            if thread.owner and thread.owner != mine and not _free(thread.owner, thread.until):
                raise Busy("Slack is being written to")
            same = {"id": thread.id, "closed": thread.closed, "due": thread.due}
            far = utcnow() + LEASE
            lease = {"owner": mine, "until": far, "due": far, "closed": True}
            if await store.change(SlackThread, same, set=lease) is None:
                raise Busy("Slack is being written to")

    async def _unpost(self, row: Forgetting, scope: _Scope) -> None:
        """Take back what Slack shows. Raises SlackAway."""
        store = self._store
        threads = await store.find(SlackThread, {"conversation": scope.address})
        for thread in threads:
            if scope.until and _micro(thread.at) > scope.until:
                continue
            # The card last: Slack then hides the thread.
            places = {"thread": thread.id}
            left = 0
            for post in await store.find(SlackPost, places, sort=("-order",)):
                await self._renew(row)
                gone = await self._unposted(row, thread, str(post.ts or ""))
                file = str((post.body or {}).get("file") or "")
                if file:
                    gone = await self._unposted(row, thread, file, file=True) and gone
                left += not gone
                await store.delete(SlackPost, {"id": post.id})
            left += not await self._unposted(row, thread, str(thread.ts or ""))
            await store.delete(SlackThread, {"id": thread.id})
            if left:
                await self._counted(row, "left", left)

    async def _unposted(
        self, row: Forgetting, thread: SlackThread, name: str, *, file: bool = False
    ) -> bool:
        if not name:
            return True
        if self._slack is None:
            return False
        try:
            if file:
                return await self._slack.delete_file(str(thread.account), name)
            return await self._slack.delete(str(thread.account), str(thread.channel), name)
        except SlackAway:
            if utcnow() - row.at > _SLACK_PATIENCE:
                return False
            raise

    async def _counted(self, row: Forgetting, what: str, n: int) -> None:
        fresh = await self._store.get(Forgetting, row.id) or row
        counts = dict(fresh.counts or {})
        await self._change(row, counts={**counts, what: int(counts.get(what) or 0) + n})

    async def _files(self, row: Forgetting, scope: _Scope) -> None:
        """Delete files, but not the bytes that others have sent as well."""
        for file in await self._store.find(StoredFile, {"conversation": scope.address}):
            if scope.until and _micro(file.at) > scope.until:
                continue
            await self._renew(row)
            await self._store.delete(DeadLetter, {"ref": file.id})
            key = str(file.key or "")
            if key:
                same = await self._store.find(StoredFile, {"key": key}, limit=2)
                if all(other.id == file.id for other in same):
                    await self._vault.delete(key)
            await self._store.delete(StoredFile, {"id": file.id})

    async def _letters(self, scope: _Scope) -> None:
        """Delete dead letters: of messages by their ids, of requests that tell the address."""
        skip = 0
        while True:
            rows = await self._store.find(
                Message, {"conversation": scope.address}, sort=("arrived",), limit=_PAGE, skip=skip
            )
            if rows:
                ids = [row.id for row in rows if not scope.until or row.arrived <= scope.until]
                if ids:
                    await self._store.delete(DeadLetter, {"ref": {"$in": ids}})
            if len(rows) < _PAGE:
                break
            skip += _PAGE
        for letter in await unread_letters(self._store, scope.address):
            if not scope.until or _micro(letter.at) <= scope.until:
                await self._store.delete(DeadLetter, {"id": letter.id})

    async def _rows(self, row: Forgetting, scope: _Scope) -> None:
        """Delete what hangs off the conversation, its messages last.

        But not what came after the wish and nobody has read yet.
        """
        store, here = self._store, {"conversation": scope.address}
        if self._lessons is not None and not scope.until:
            # Another one that is alike comes to stand in the inbox.
            await self._lessons(store, [scope.address])
        for cls, at in _HANGING:
            end = {at: {"$lte": _end(at, scope.until)}} if scope.until else {}
            await store.delete(cls, {**here, **end})
        if scope.until:
            until = _end("at", scope.until)
            await self._each(Turn, here, lambda turn: turn.at <= until)
            await self._each(Message, here, lambda one: one.arrived <= scope.until)
            return
        await store.delete(Turn, here)
        await store.delete(LinkCode, here)
        await store.delete(LinkCode, {"used_by": scope.address})
        await store.delete(LinkTry, here)
        await store.delete(Quiet, {"id": scope.address})
        spent = f"conversation:{scope.address}:"
        await store.delete(Spending, {"id": {"$gte": spent, "$lt": f"{spent[:-1]};"}})
        await self._each(
            Message,
            here,
            lambda one: (
                not (one.direction == "in" and one.status == PENDING and one.arrived > row.cutoff)
            ),
        )

    async def _each(self, cls: type[Document], where: Mapping[str, Any], gone: Any) -> None:
        rows = await self._store.find(cls, where)
        ids = [row.id for row in rows if gone(row)]
        for start in range(0, len(ids), _PAGE):
            await self._store.delete(cls, {"id": {"$in": ids[start : start + _PAGE]}})

    async def _person(self, row: Forgetting) -> None:
        """Delete who it was: what is known, merges, the customers themselves."""
        ids = [ObjectId(one["customer"]) for one in row.members or []]
        if not ids:
            return
        await self._store.delete(Fact, {"customer": {"$in": ids}})
        texts = [str(id) for id in ids]
        await self._store.delete(Proof, {"customer": {"$in": texts}})
        await self._store.delete(Miss, {"person": {"$in": texts}})
        await self._disown(texts)
        for side in ("one", "other"):
            await self._store.delete(Merge, {side: {"$in": ids}})
        await self._parted({one["address"] for one in row.members or [] if not one.get("until")})
        # Who began anew has the same id and is younger.
        await self._store.delete(Customer, {"id": {"$in": ids}, "created": {"$lte": row.at}})

    async def _disown(self, customers: Sequence[str]) -> None:
        """Leave of codes and guesses at them that there were some, for as long as that counts.

        Or else who has guessed as often as he may has himself forgotten, and guesses on.
        """
        for code in await self._store.find(Challenge, {"customer": {"$in": list(customers)}}):
            unknown = {"customer": NOBODY, "person": NOBODY, "hashed": NOBODY, "letter": None}
            ended = {"used_by": NOBODY, "status": FAILED, "owner": "", "reason": ""}
            await self._store.change(Challenge, {"id": code.id}, set={**unknown, **ended})
        for guess in await self._store.find(ProofTry, {"person": {"$in": list(customers)}}):
            await self._store.change(ProofTry, {"id": guess.id}, set={"person": NOBODY})

    async def _parted(self, addresses: Collection[str]) -> None:
        """Take addresses out of what joined others, with whom they had been one at the time."""
        skip = 0
        while True:
            page = await self._store.find(Merge, {}, sort=("at",), limit=_PAGE, skip=skip)
            for one in page:
                named = list(one.addresses or ())
                if not set(named).isdisjoint(addresses):
                    rest = [address for address in named if address not in addresses]
                    await self._store.change(Merge, {"id": one.id}, set={"addresses": rest})
            if len(page) < _PAGE:
                return
            skip += _PAGE


_HANGING: Sequence[tuple[type[Document], str]] = (
    (Gap, "at"),
    (Lesson, "at"),
    (Review, "at"),
    (Deed, "arrived"),
    (Entry, "arrived"),
    (Case, "at"),
    (Consent, "at"),
    (Fact, "at"),
    (Step, "at"),
    (Undertaking, "at"),
)


def _name(row: Forgetting) -> str:
    """Return whose the lease of a conversation is: whoever goes on with it has it too."""
    return f"forgetting/{row.id}"


def _mine() -> dict[str, Any]:
    return {"owner": me(), "due": utcnow() + LEASE}


def _free(owner: str | None, until: datetime | None) -> bool:
    return not owner or is_dead(owner) or (until or _BEGAN) <= utcnow()


def _micro(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _end(field: str, micros: int) -> Any:
    return micros if field == "arrived" else datetime.fromtimestamp(micros / 1e6, timezone.utc)
