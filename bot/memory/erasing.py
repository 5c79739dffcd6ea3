"""Forgetting a person everywhere, wherever the process that does it may die.

A `Forgetting` names the addresses. One process at a time works on it, one address after the
other: it waits until nobody else has the conversation or a part of it in hand, keeps it leased
under the forgetting's own name, and deletes what is there, what hangs off other things first.
The conversation itself goes last: with it the address is done, and who writes from it then is
met for the first time. Begun again anywhere, it deletes what is left.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from bson import ObjectId

from bot.consent import ConsentRules, keep_out
from bot.media.vault import AsyncVault
from bot.memory.deleting import Deleting
from bot.memory.quieting import Busy, Quieting
from bot.memory.scope import LEASE, Scope, name_of
from bot.message import utcnow
from bot.process import is_dead, me
from bot.store import AsyncStore
from bot.store.conversations import BOT, Conversation
from bot.store.memory import ASKED, FORGOTTEN, GONE, Forgetting
from bot.store.slack import SlackPost, SlackThread

_PAGE = 200
# Seconds after which what is held is renewed.
_RENEW = 30.0
#: In `Forgetting.done`: the customers themselves are gone, the conversations are what is left.
_PERSON = "person"
# Slack that cannot be reached is tried again for so long.
_SLACK_PATIENCE = timedelta(hours=24)


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
        self._store = store
        self._quieting = Quieting(store, rules)
        self._deleting = Deleting(store, vault, lessons)
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
        scopes = [Scope(m["address"], int(m.get("until") or 0)) for m in row.members or []]
        done = list(row.done or [])
        left = [scope for scope in scopes if scope.address not in done]
        whole = []
        for scope in [scope for scope in left if not scope.until]:
            if await self._quieting.hold(row, scope.address, self._change):
                whole.append(scope)
            else:
                # It was deleted, and that was not noted down any more.
                left.remove(scope)
        if _PERSON not in done:
            for scope in left:
                await self._quieting.quiet(row, scope)
            for scope in whole:
                # Who waits for a person without a case would be given one.
                mine = {"id": scope.address, "lease_owner": name_of(row)}
                await self._store.change(Conversation, mine, set={"holder": BOT})
            for scope in left:
                await self._unpost(row, scope)
                await self._deleting.files(scope, partial(self._renew, row))
                await self._deleting.letters(scope)
                await self._deleting.rows(row, scope)
            await self._deleting.person(row)
            done.append(_PERSON)
            await self._change(row, done=done)
        for scope in whole:
            # What a model or a round was at meanwhile, which had read it before.
            await self._deleting.rows(row, scope)
            # The last of it: who writes from there now is met for the first time. But who wanted
            # no messages gets none.
            talk = await self._store.get(Conversation, scope.address)
            if talk is not None and talk.lease_owner == name_of(row):
                await keep_out(self._store, talk)
            mine = {"id": scope.address, "lease_owner": name_of(row)}
            await self._store.delete(Conversation, mine)
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
        mine = {"owner": me(), "due": utcnow() + LEASE}
        return await self._store.change(Forgetting, where, set=mine)

    async def _change(self, row: Forgetting, **fields: Any) -> Forgetting:
        changed = await self._store.change(
            Forgetting, {"id": row.id, "owner": me()}, set={"due": utcnow() + LEASE, **fields}
        )
        if changed is None:
            raise Overtaken(str(row.id))
        return changed

    async def _renew(self, row: Forgetting) -> None:
        """Keep what is held, now and then: Slack and files may take long."""
        if time.monotonic() < self._renewed + _RENEW:
            return
        self._renewed = time.monotonic()
        await self._change(row)
        until = {"lease_until": utcnow() + LEASE}
        for address in row.held or {}:
            mine = {"id": address, "lease_owner": name_of(row)}
            await self._store.change(Conversation, mine, set=until)

    async def _unpost(self, row: Forgetting, scope: Scope) -> None:
        """Take back what Slack shows. Raises SlackAway."""
        store = self._store
        threads = await store.find(SlackThread, {"conversation": scope.address})
        for thread in threads:
            if not scope.has(thread.at):
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
