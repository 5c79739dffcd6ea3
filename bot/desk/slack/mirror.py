"""Shows the desk in Slack: finds the cases and threads that have work, and serves them.

Any number of processes may run it against one store. A thread is served by one of them at a
time: its lease is its `due`, which is compared when it is set, and lies ahead while somebody
has it. What is watched in memory is only how a process notices that there is work; each thread
is looked at once in a while even so.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.slack.client import Away, RateLimited, SlackClient, SlackTrouble
from bot.desk.slack.plan import Means
from bot.desk.slack.serving import LeaseLost, Memory, Serving, Wait
from bot.desk.templates import Approved
from bot.media.vault import AsyncVault
from bot.message import Address, utcnow
from bot.perception.contract import PRIORITIES
from bot.process import is_dead, me
from bot.rounds import Rounds
from bot.settings import Limits, SlackAccount
from bot.store import AsyncStore, StoreDown
from bot.store.cases import OPEN, Case
from bot.store.conversations import Conversation
from bot.store.files import WANTED, StoredFile
from bot.store.journal import Entry
from bot.store.messages import Message
from bot.store.slack import QUEUED, SENDING, UNKNOWN, SlackPost, SlackThread
from connectors.base import Capabilities

log = logging.getLogger(__name__)

_PAGE = 500
_PAGES = 20
# Threads at once for each account; Slack takes about one post a second and channel.
_AT_ONCE = 8
# Rows are news for this long: they may reach the store a little after their own time.
_NEWS = timedelta(seconds=60)
# What nothing tells of (a customer's new name, a row that came very late) is seen this often.
_LOOK_AGAIN = 60.0
_CLOSING = timedelta(minutes=1)
_LONGEST_PAUSE = 60.0
_LONGEST_WAIT = 3600.0
_GRACE = 2.0
_LOG_EVERY = 60.0


class Mirror(Rounds):
    """Shows cases in Slack for one worker process.

    `clients` are by the accounts' names. `vault` has the customers' files. `templates` are
    offered where the answering window is closed; `can` is what channels can do, by name.
    `told` is called after each change in Slack. What is cut off when it stops is taken up by the
    next process, which asks Slack what became of it.
    """

    finish_seconds = 3.0

    def __init__(
        self,
        store: AsyncStore,
        clients: Mapping[str, SlackClient],
        accounts: Sequence[SlackAccount],
        routing: Routing,
        people: People,
        limits: Limits,
        *,
        vault: AsyncVault | None = None,
        told: Callable[[], None] = lambda: None,
        templates: Sequence[Approved] = (),
        can: Mapping[str, Capabilities] | None = None,
        pace: float = 1.0,
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._clients = dict(clients)
        self._accounts = [account for account in accounts if account.account in clients]
        self._vault = vault
        self._told = told
        self._means = Means(store, routing, people, tuple(templates), dict(can or {}))
        self._memory = Memory()
        self._pace = pace
        # When the next post of a channel may go, and who waits for it, the first first.
        self._next: dict[str, float] = {}
        self._queues: dict[str, asyncio.Lock] = {}
        self._busy: Counter[str] = Counter()
        # Until when an account is left alone, how often it failed in a row, when that was logged.
        self._paused: dict[str, float] = {}
        self._failed: Counter[str] = Counter()
        self._logged: dict[str, float] = {}
        # When a thread was last served here, and what of it may still move on.
        self._looked: dict[str, float] = {}
        self._rows: dict[str, dict[str, str]] = {}
        self._files: dict[str, tuple[str, ...]] = {}
        # The newest line that a thread is to be served for, by thread; what was news before.
        self._wanting: dict[str, int] = {}
        self._known: set[str] = set()
        self._paces: Counter[str] = Counter()

    async def _round(self) -> None:
        if not self._accounts or self._stopping:
            return
        threads = [
            thread
            for thread in await self._pages(SlackThread, {"closed": False}, ("due",))
            if thread.account in self._clients
        ]
        cases = await self._pages(Case, {"status": OPEN}, ("at",))
        threads += await self._new_threads(cases, threads)
        self._forget({str(thread.id) for thread in threads})
        if not threads:
            return
        await self._notice(threads)
        # Cards before further posts, and of them the most urgent first.
        ranks = {c.id: PRIORITIES.index(c.priority) for c in cases if c.priority in PRIORITIES}
        threads.sort(key=lambda t: (bool(t.ts), -ranks.get(t.case, 0) if not t.ts else 0))
        for thread in threads:
            if self._has_work(thread):
                self._start(thread)

    async def _pages(
        self, cls: type[Any], where: dict[str, Any], sort: tuple[str, ...]
    ) -> list[Any]:
        found: list[Any] = []
        for page in range(_PAGES):
            rows = await self._store.find(cls, where, sort=sort, limit=_PAGE, skip=page * _PAGE)
            found += rows
            if len(rows) < _PAGE:
                break
        return found

    # Threads for cases.

    async def _new_threads(
        self, cases: Sequence[Case], threads: Sequence[SlackThread]
    ) -> list[SlackThread]:
        """See that each open case has a thread, or is part of one that has; return new ones."""
        open_ids = {case.id for case in cases}
        main = {str(t.conversation): t for t in threads if t.case in open_ids}
        with_thread = {t.case for t in threads}
        made: list[SlackThread] = []
        for case in cases:
            if case.id in with_thread:
                continue
            thread = main.get(str(case.conversation))
            if thread is not None:
                await self._join(case, thread)
            elif not await self._is_left_to(case, open_ids):
                thread = await self._thread_for(case)
                main[str(case.conversation)] = thread
                made.append(thread)
        return made

    async def _is_left_to(self, case: Case, open_ids: set[str]) -> bool:
        """Tell whether a case is shown with another one, which is open or was until just now.

        Those of a conversation are closed one after the other.
        """
        if not case.part_of or case.part_of in open_ids:
            return bool(case.part_of)
        main = await self._store.get(Case, case.part_of)
        return (
            main is not None and main.resolved is not None and utcnow() - main.resolved < _CLOSING
        )

    async def _join(self, case: Case, thread: SlackThread) -> None:
        if case.part_of == thread.case:
            return
        self._wanting[str(thread.id)] = max(self._wanting.get(str(thread.id), 0), _ALWAYS)
        await self._store.change(
            Case, {"id": case.id, "status": OPEN}, set={"part_of": thread.case}
        )

    async def _thread_for(self, case: Case) -> SlackThread:
        account, channel = await self._place(case)
        id, now = f"{account.account}:{case.id}", utcnow()
        new = SlackThread(
            id=id,
            case=case.id,
            conversation=case.conversation,
            account=account.account,
            channel=channel,
            at=now,
            until=now,
            due=now,
        )
        await self._store.insert_new([new])
        # One of a case that was opened again.
        await self._store.change(SlackThread, {"id": id, "closed": True}, set={"closed": False})
        return await self._store.get(SlackThread, id) or new

    async def _place(self, case: Case) -> tuple[SlackAccount, str]:
        """Return where a case goes: the account, and the id of the channel."""
        routing = self._means.routing
        route = routing.named(str(case.to)) if case.to else None
        if route is None:
            held = await self._store.get(Conversation, case.conversation)
            route = routing.route(
                topic=str(case.topic),
                language=str(case.language or (held.language if held else "") or ""),
                channel=Address.parse(str(case.conversation)).channel,
                priority=str(case.priority),
            )
        own = [account for account in self._accounts if account.channel == route.slack]
        account = (own or self._accounts)[0]
        return account, route.slack or account.channel

    # Who has work.

    def _forget(self, ids: set[str]) -> None:
        for kept in (self._looked, self._rows, self._files, self._wanting):
            for id in [id for id in kept if id not in ids]:
                del kept[id]

    async def _notice(self, threads: Sequence[SlackThread]) -> None:
        """Find out, by few queries for all threads together, which of them have work."""
        talks: dict[str, list[SlackThread]] = {}
        for thread in threads:
            talks.setdefault(str(thread.conversation), []).append(thread)
        since = int((utcnow() - _NEWS).timestamp() * 1_000_000)
        where = {"conversation": {"$in": sorted(talks)}, "arrived": {"$gt": since}}
        news = await self._store.find(Message, where)
        news += await self._store.find(Entry, where)
        for row in news:
            if row.id not in self._known:
                for thread in talks[row.conversation]:
                    id = str(thread.id)
                    self._wanting[id] = max(self._wanting.get(id, 0), row.arrived)
        self._known = {row.id for row in news}
        where = {
            "thread": {"$in": sorted(str(t.id) for t in threads)},
            "status": {"$in": (QUEUED, SENDING, UNKNOWN)},
        }
        for post in await self._store.find(SlackPost, where, limit=_PAGE):
            self._wanting[str(post.thread)] = _ALWAYS
        await self._notice_changes()

    async def _notice_changes(self) -> None:
        watched = {row: id for id, rows in self._rows.items() for row in rows}
        if watched:
            for row in await self._store.find(Message, {"id": {"$in": sorted(watched)}}):
                id = watched[row.id]
                if self._rows[id][row.id] != row.status:
                    self._wanting[id] = _ALWAYS
        files = {file: id for id, waiting in self._files.items() for file in waiting}
        if files:
            for file in await self._store.find(StoredFile, {"id": {"$in": sorted(files)}}):
                if file.status != WANTED:
                    self._wanting[files[file.id]] = _ALWAYS

    def _has_work(self, thread: SlackThread) -> bool:
        id, account = str(thread.id), str(thread.account)
        if id in self._serving or self._busy[account] >= _AT_ONCE or self._stopping:
            return False
        now = time.monotonic()
        if self._paused.get(account, 0.0) > now or not _free(thread):
            return False
        wanted = self._wanting.get(id)
        if wanted is not None and wanted <= (thread.upto or 0):
            # Another process was faster.
            del self._wanting[id]
            wanted = None
        looked = self._looked.get(id)
        return (
            wanted is not None
            or not thread.ts
            or bool(thread.owner)
            or looked is None
            or now - looked > _LOOK_AGAIN
        )

    # Serving.

    def _start(self, thread: SlackThread) -> None:
        self._busy[str(thread.account)] += 1
        self._serving[str(thread.id)] = asyncio.create_task(
            self._serve(thread), name=f"slack {thread.account}"
        )

    async def _serve(self, thread: SlackThread) -> None:
        id, account = str(thread.id), str(thread.account)
        try:
            await self._leased(thread)
        except StoreDown as error:
            log.error("%s: the store is down in the middle of it: %s", account, error)
        except LeaseLost:
            log.info("%s: another process goes on with a thread", account)
        except Exception:
            log.exception("%s: a thread could not be shown", account)
        finally:
            self._busy[account] -= 1
            del self._serving[id]
            if self._wanting:
                self.wake.set()

    async def _leased(self, thread: SlackThread) -> None:
        client = self._clients[str(thread.account)]
        lease = max(self._limits.lease_seconds, 2.5 * client.timeout)
        until = max(utcnow() + timedelta(seconds=lease), thread.due + timedelta(milliseconds=1))
        leased = await self._store.change(
            SlackThread,
            {"id": thread.id, "due": thread.due},
            set={"owner": me(), "until": until, "due": until},
        )
        if leased is None:
            return
        id = str(thread.id)
        self._wanting.pop(id, None)
        grace = self._limits.unsure_grace_seconds
        home = next(a.channel for a in self._accounts if a.account == thread.account)
        serving = Serving(
            self._means,
            client,
            leased,
            self._memory,
            lease=lease,
            grace=_GRACE if grace is None else grace,
            home=home,
            vault=self._vault,
            stopping=lambda: self._stopping or self._is_paused(str(thread.account)),
            told=self._told,
            turn=self._turn,
        )
        due = utcnow()
        try:
            await serving.serve()
            self._failed[str(thread.account)] = 0
            self._paces[id] = 0
        except Wait as wait:
            due = wait.until
            self._wanting[id] = _ALWAYS
        except SlackTrouble as trouble:
            due = self._trouble(leased, trouble)
            self._wanting[id] = _ALWAYS
        except asyncio.CancelledError:
            raise
        except LeaseLost:
            raise
        except Exception:
            due = self._later(id)
            self._wanting[id] = _ALWAYS
            await self._release(serving.thread, due)
            raise
        later = serving.seen.later
        self._looked[id] = later - _LOOK_AGAIN if later else time.monotonic()
        self._rows[id], self._files[id] = serving.seen.rows, serving.seen.files
        if self._is_paused(str(thread.account)) and due <= utcnow():
            self._wanting[id] = _ALWAYS
        await self._release(serving.thread, due)

    async def _release(self, thread: SlackThread, due: datetime) -> None:
        where = {"id": thread.id, "due": thread.due}
        await self._store.change(SlackThread, where, set={"owner": "", "due": due, "until": due})

    async def _turn(self, channel: str) -> None:
        """Wait until a channel takes another post.

        https://docs.slack.dev/apis/web-api/rate-limits: chat.postMessage, one a second and channel.
        """
        async with self._queues.setdefault(channel, asyncio.Lock()):
            await asyncio.sleep(max(0.0, self._next.get(channel, 0.0) - time.monotonic()))
            self._next[channel] = time.monotonic() + self._pace

    def _is_paused(self, account: str) -> bool:
        return self._paused.get(account, 0.0) > time.monotonic()

    def _trouble(self, thread: SlackThread, trouble: SlackTrouble) -> datetime:
        """Note what Slack's answer means for the account; return when the thread goes on."""
        account = str(thread.account)
        if isinstance(trouble, RateLimited):
            after = min(trouble.after, _LONGEST_WAIT)
            self._paused[account] = time.monotonic() + after
            log.info("%s: %s", account, trouble)
            return utcnow() + timedelta(seconds=after)
        now = time.monotonic()
        if now - self._logged.get(account, -_LOG_EVERY) >= _LOG_EVERY:
            self._logged[account] = now
            log.error("%s: %s: %s; trying again", account, type(trouble).__name__, trouble)
        if isinstance(trouble, Away):
            self._failed[account] += 1
            pause = self._backoff(self._failed[account])
            self._paused[account] = now + pause
            return utcnow() + timedelta(seconds=pause)
        return self._later(str(thread.id))

    def _later(self, id: str) -> datetime:
        self._paces[id] += 1
        return utcnow() + timedelta(seconds=self._backoff(self._paces[id]))

    def _backoff(self, failures: int) -> float:
        """Return seconds to wait: doubling, capped, with jitter in the upper half."""
        limits = self._limits
        doubled = limits.retry_base_seconds * 2.0 ** min(max(failures - 1, 0), 32)
        full = min(doubled, limits.retry_cap_seconds, _LONGEST_PAUSE)
        return full * random.uniform(0.5, 1.0)  # noqa: S311


#: Later than any line: what is wanted is more than showing new ones.
_ALWAYS = 2**62


def _free(thread: SlackThread) -> bool:
    """Tell whether nobody serves a thread and it is due; not for those served here.

    A lease of our own is one whose end did not reach the store.
    """
    if thread.owner:
        return thread.owner == me() or is_dead(thread.owner) or thread.due <= utcnow()
    due: datetime = thread.due
    return due <= utcnow()
