"""Shows one thread, for as long as its lease is ours: each post in order and exactly once.

A post is queued, then sending, then posted. When its sender dies or the answer is lost,
nobody knows whether Slack took it: it is then unknown, and before anything else of the thread
goes out Slack is asked whether it has a message with our mark.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.desk.slack import plan as planning
from bot.desk.slack.blocks import bare, card, card_hash
from bot.desk.slack.card import card_of
from bot.desk.slack.client import (
    Away,
    Gone,
    RateLimited,
    Refused,
    SlackClient,
    Unsure,
    files_of,
    mark_of,
)
from bot.desk.slack.plan import CARD, FILE, HISTORY, POST, Means, prefix
from bot.desk.slack.ticks import look, tick
from bot.media.vault import AsyncVault, NotInVault
from bot.message import utcnow
from bot.store.cases import RESOLVED, Case
from bot.store.slack import (
    FAILED,
    POSTED,
    QUEUED,
    SENDING,
    UNKNOWN,
    SlackPost,
    SlackThread,
)

log = logging.getLogger(__name__)

_UNSENT = (QUEUED, SENDING, UNKNOWN)
#: What Slack says of the channel, not of the thread.
_CHANNEL = frozenset({"channel_not_found", "is_archived", "is_inactive"})
#: What Slack says of one post alone: the next may be fine.
_POST = frozenset(
    {
        *("invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"),
        *("no_text", "invalid_arguments", "invalid_metadata_format", "metadata_too_large"),
        *("invalid_metadata_schema", "too_many_attachments", "file_uploads_disabled"),
        *("storage_limit_reached", "not_allowed_token_type", "invalid_array_arg"),
    }
)
#: What Slack says of one change of a card. Workspaces may forbid changes after a while.
_UPDATE = _POST | {"edit_window_closed"}
# Clocks, ours and Slack's, may be apart by this, in seconds.
_CLOCKS = 300.0
# How often Slack is asked whether a thread is still there before something is posted to it.
_CHECK = 300.0
# How soon a thread may be begun anew again, in seconds.
_AGAIN = 10.0
# Posts of one thread before it is another one's turn.
_SHARE = 5
_SETTLED = timedelta(hours=24)
_INSTEAD = "This could not be shown in Slack. It is in the console."


class LeaseLost(Exception):
    """Another process serves this thread by now."""


class Wait(Exception):
    """Nothing goes on in this thread before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


@dataclass
class Memory:
    """What a process knows beside the store, of all threads.

    `taken` are the ts of posts that Slack took while the store was down; `checked` is when a
    thread was last seen to be there, `begun` when it was begun anew, `cool` until when a method is
    left alone, by `time.monotonic`.
    """

    taken: dict[str, str] = field(default_factory=dict)
    checked: dict[str, float] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    cool: dict[str, float] = field(default_factory=dict)


@dataclass
class Seen:
    """What is left to be watched of a thread once it has been served.

    At `later`, by `time.monotonic`, something is to be done that Slack did not take now.
    """

    rows: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    later: float = 0.0


def mark(post: SlackPost) -> str:
    """Return the mark of a post: its id may hold a customer's number, which is no one's to see."""
    return hashlib.sha256(str(post.id).encode()).hexdigest()[:32]


class Serving:
    """One thread, leased until `thread.due`. `keep` renews the lease for so many seconds."""

    def __init__(
        self,
        means: Means,
        client: SlackClient,
        thread: SlackThread,
        memory: Memory,
        *,
        lease: float,
        grace: float,
        home: str,
        vault: AsyncVault | None,
        stopping: Callable[[], bool],
        told: Callable[[], None],
        turn: Callable[[str], Awaitable[None]],
    ) -> None:
        self._means = means
        self._store = means.store
        self._client = client
        self.thread = thread
        self._memory = memory
        self._lease = lease
        self._grace = grace
        self._home = home
        self._vault = vault
        self._stopping = stopping
        self._told = told
        self._turn = turn
        self._posts = 0
        self._later = 0.0
        self._until = time.monotonic() + lease
        self.seen = Seen()

    async def serve(self) -> None:
        """Show what there is to show.

        Raises `Wait`, `LeaseLost`, and of `SlackTrouble` what is not of this thread alone.
        """
        while not self._stopping():
            case = await self._store.get(Case, self.thread.case)
            if case is None:
                await self._change(closed=True)
                return
            try:
                again = await self._once(case)
            except Gone as error:
                await self._begin_anew(error)
                again = True
            if not again:
                return

    async def _once(self, case: Case) -> bool:
        """Plan and do all there is; tell whether to look again."""
        self._later = 0.0
        cases = await planning.open_cases(self._store, str(self.thread.conversation))
        found = await planning.plan(self._means, self.thread, case, cases)
        if found.upto != self.thread.upto:
            await self._change(upto=found.upto)
        if not self.thread.ts and await self._card_was_posted():
            raise Gone("conversations.replies", "thread_not_found")
        if self.thread.ts:
            await self._renew_card(case, cases)
        moved = False
        while (head := await self._head()) is not None:
            if self._stopping():
                return False
            await self._step(head, case, cases)
            moved = True
        ticks = await look(self._means, self.thread)
        if ticks.rows and any(await self._store.insert_new(ticks.rows)):
            return True
        done = 0
        for post, reaction in ticks.todo:
            if self._is_cooling("reactions.add"):
                break
            await self._hold()
            try:
                await tick(self._client, self.thread, post, reaction)
            except RateLimited as error:
                self._cool("reactions.add", error)
                break
            done += 1
            marks = [*((post.ticks or {}).get("marks") or ()), reaction]
            post.ticks = {**(post.ticks or {}), "marks": marks}
            await self._store.change(SlackPost, {"id": post.id}, set={"ticks": post.ticks})
            self._told()
        for post in ticks.settled:
            settled = {**(post.ticks or {}), "done": True}
            await self._store.change(SlackPost, {"id": post.id}, set={"ticks": settled})
        self.seen = Seen(ticks.watching, found.waiting, self._later)
        if moved or done:
            # What came meanwhile.
            return True
        if not self._later:
            await self._close(case)
        return False

    # The lease.

    async def _change(self, **change: Any) -> None:
        """Change the thread if it is still ours: its `due` tells."""
        where = {"id": self.thread.id, "due": self.thread.due}
        changed = await self._store.change(SlackThread, where, set=change)
        if changed is None:
            raise LeaseLost(self.thread.id)
        self.thread = changed

    async def _hold(self) -> None:
        """Make sure that the lease lasts for a request; a process may have been suspended."""
        left = self._until - time.monotonic()
        if left < self._lease - self._client.timeout / 2:
            before = time.monotonic()
            until = utcnow() + timedelta(seconds=self._lease)
            await self._change(until=until, due=until)
            self._until = before + self._lease
        if self._until - time.monotonic() < self._client.timeout:
            raise LeaseLost(self.thread.id)

    async def _hold_for(self, post: SlackPost) -> None:
        """Hold the lease, and make sure that the thread of a post is still there."""
        await self._hold()
        if post.kind != CARD and not self.thread.ts:
            # Without a thread it would be posted to the channel itself.
            raise Gone("conversations.replies", "thread_not_found")

    # The thread itself.

    async def _card_was_posted(self) -> bool:
        """Tell whether there was a card: without a ts now it was deleted, and an event said so."""
        posted = await self._store.get(SlackPost, planning.post_id(self.thread, CARD))
        return posted is not None and posted.status == POSTED

    async def _begin_anew(self, error: Gone) -> None:
        """Let the case have another thread: somebody deleted this one, or its channel is gone."""
        thread = self.thread
        change: dict[str, Any] = {"lost": (thread.lost or 0) + 1, "ts": "", "card": ""}
        if error.reason in _CHANNEL:
            if thread.channel == self._home or not self._home:
                raise Refused(error.method, error.reason)
            log.error("%s: %s; its case goes to %s", thread.channel, error.reason, self._home)
            change["channel"] = self._home
        now = time.monotonic()
        if now - self._memory.begun.get(str(thread.id), -_AGAIN) < _AGAIN:
            # Somebody, or some rule, deletes whatever we post: not a race to be won.
            raise Wait(utcnow() + timedelta(seconds=_AGAIN))
        log.warning("%s: the thread is gone (%s), it is begun anew", thread.id, error.reason)
        self._memory.begun[str(thread.id)] = now
        await self._change(**change)

    async def _body(self, case: Case, cases: list[Case]) -> dict[str, Any]:
        shown = await card_of(self._store, case, self._means.people, self._means.routing, cases)
        return card(shown, self._means.people.all())

    async def _renew_card(self, case: Case, cases: list[Case]) -> None:
        body = await self._body(case, cases)
        name = card_hash(body)
        if name == self.thread.card or self._is_cooling("chat.update"):
            return
        await self._hold()
        try:
            await self._client.update(str(self.thread.channel), str(self.thread.ts), body)
        except RateLimited as error:
            self._cool("chat.update", error)
            return
        except Refused as error:
            if error.reason not in _UPDATE:
                raise
            # An old card is better than a thread that stands still behind it.
            log.error("%s: its card stays as it was: %s", self.thread.id, error)
        self._memory.checked[str(self.thread.id)] = time.monotonic()
        await self._change(card=name)
        self._told()

    # What is not words waits by itself: Slack limits each method on its own, and what a customer
    # wrote is not to wait for a card. https://docs.slack.dev/apis/web-api/rate-limits

    def _cool(self, method: str, error: RateLimited) -> None:
        log.info("%s: %s", self.thread.account, error)
        self._memory.cool[f"{self.thread.account} {method}"] = time.monotonic() + error.after
        self._is_cooling(method)

    def _is_cooling(self, method: str) -> bool:
        """Tell whether a method is left alone for now; then this thread is not done yet."""
        until = self._memory.cool.get(f"{self.thread.account} {method}", 0.0)
        if until <= time.monotonic():
            return False
        self._later = max(self._later, until)
        return True

    async def _check(self) -> None:
        """Raise `Gone` when the card was deleted while no event told us.

        Slack takes replies to a message that is not there any more, and nobody finds them.
        """
        id, ts = str(self.thread.id), str(self.thread.ts)
        if time.monotonic() - self._memory.checked.get(id, -_CHECK) < _CHECK:
            return
        await self._hold()
        try:
            answer = await self._client.call(
                "conversations.replies", channel=str(self.thread.channel), ts=ts, limit=1
            )
        except Refused as error:
            log.warning("%s: cannot tell whether the thread is still there: %s", id, error)
            self._memory.checked[id] = time.monotonic()
            return
        root = next((m for m in answer.get("messages") or () if m.get("ts") == ts), None)
        if root is None or root.get("subtype") == "tombstone":
            raise Gone("conversations.replies", "thread_not_found")
        self._memory.checked[id] = time.monotonic()

    async def _close(self, case: Case) -> None:
        if case.status != RESOLVED:
            return
        ended = case.resolved or case.at
        rated = bool(case.rating) or not self._means.routing.rate
        settled = not self.seen.rows and not self.seen.files and rated
        if settled or utcnow() - ended > _SETTLED:
            await self._change(closed=True)
            self._memory.checked.pop(str(self.thread.id), None)
            self._memory.begun.pop(str(self.thread.id), None)

    # Posts.

    async def _head(self) -> SlackPost | None:
        """Return the first post that is not there yet."""
        where = {"thread": self.thread.id, "status": {"$in": _UNSENT}}
        while True:
            found = await self._store.find(SlackPost, where, sort=("order", "id"), limit=1)
            if not found:
                return None
            if found[0].id.startswith(prefix(self.thread)):
                return found[0]
            # Of the thread before this one, which was deleted.
            await self._record(found[0], FAILED, reason="its thread was deleted")

    async def _step(self, head: SlackPost, case: Case, cases: list[Case]) -> None:
        if head.id in self._memory.taken:
            await self._posted(head, self._memory.taken[head.id])
            return
        if head.status == SENDING:
            # Its sender is dead, or was too slow: the lease is ours.
            due = (head.tried or utcnow()) + timedelta(seconds=self._grace)
            await self._record(head, UNKNOWN, due=due)
            return
        if head.due > utcnow():
            raise Wait(head.due)
        await self._hold_for(head)
        if head.status == UNKNOWN:
            await self._settle(head)
            return
        body = await self._ready(head, case, cases)
        if body is None:
            return
        if head.kind != CARD and self._posts >= _SHARE:
            # Others have waited meanwhile, among them perhaps the first word of an urgent case.
            raise Wait(utcnow())
        self._posts += 1
        await self._turn(str(self.thread.channel))
        await self._hold_for(head)
        claimed = await self._store.change(
            SlackPost,
            {"id": head.id, "status": QUEUED},
            set={"status": SENDING, "tried": utcnow(), "body": body},
            inc={"attempts": 1},
        )
        if claimed is None:
            return
        if self._until - time.monotonic() < self._client.timeout:
            # Suspended in between: another process may be about to post it.
            await self._record(claimed, QUEUED)
            raise LeaseLost(self.thread.id)
        await self._send(claimed)

    async def _ready(self, head: SlackPost, case: Case, cases: list[Case]) -> dict[str, Any] | None:
        """Return the body of a post as it is to be sent; what precedes sending is harmless.

        None when the post has become another one.
        """
        body = dict(head.body or {})
        if head.kind == CARD:
            made = await self._body(case, cases)
            return {**body, "card": bare(made) if body.get("bare") else made}
        await self._check()
        if head.kind == HISTORY and body.get("previous"):
            body["text"] = await self._linked(body)
        if head.kind == FILE:
            try:
                body["file"] = await self._uploaded(body)
            except (NotInVault, Refused) as error:
                if isinstance(error, Refused) and error.reason not in _POST:
                    raise
                await self._record(head, QUEUED, kind=POST, body={"text": _INSTEAD})
                return None
        return body

    async def _linked(self, body: dict[str, Any]) -> str:
        """Return the words of the history behind a link to the case before."""
        channel, ts = body["previous"]
        try:
            answer = await self._client.call("chat.getPermalink", channel=channel, message_ts=ts)
            link = str(answer.get("permalink") or "")
        except (Gone, Refused):
            link = ""
        words = f"<{link}|An earlier case of this conversation>" if link else ""
        return "\n".join(part for part in (words, str(body.get("text") or "")) if part) or (
            "There was an earlier case of this conversation."
        )

    async def _uploaded(self, body: dict[str, Any]) -> str:
        if self._vault is None:
            raise NotInVault("no vault was given")
        data = await self._vault.get(str(body["key"]))
        await self._hold()
        return await self._client.begin_upload(str(body["filename"]), data)

    async def _send(self, post: SlackPost) -> None:
        thread, client = self.thread, self._client
        body = dict(post.body or {})
        try:
            if post.kind == FILE:
                await client.finish_upload(
                    str(body["file"]),
                    str(body["title"]),
                    str(thread.channel),
                    str(thread.ts),
                )
                ts = ""
            elif post.kind == CARD:
                ts = await client.post(str(thread.channel), body["card"], mark=mark(post))
            else:
                said = {k: v for k, v in body.items() if k in ("text", "blocks", "reply_broadcast")}
                ts = await client.post(
                    str(thread.channel), said, thread=str(thread.ts), mark=mark(post)
                )
        except (RateLimited, Away, Gone) as error:
            if error.reason == "file_not_found":
                # The upload is not known any more: it is made again, in a while.
                due = utcnow() + timedelta(seconds=self._grace)
                await self._record(post, QUEUED, due=due)
                return
            await self._record(post, QUEUED)
            raise
        except Refused as error:
            await self._refused(post, error)
        except Unsure as error:
            log.warning("%s: not known whether it was posted: %s", mark(post), error)
            due = utcnow() + timedelta(seconds=self._grace)
            await self._record(post, UNKNOWN, due=due)
        else:
            await self._posted(post, ts)

    async def _posted(self, post: SlackPost, ts: str) -> None:
        self._memory.taken[str(post.id)] = ts
        if post.kind == CARD:
            # The thread first: a card that is posted, of a thread without ts, was deleted.
            body = (post.body or {}).get("card") or {}
            self._memory.checked[str(self.thread.id)] = time.monotonic()
            await self._change(ts=ts, card=card_hash(body))
            await self._record(
                post, POSTED, ts=ts, body={k: post.body[k] for k in ("first", "after")}
            )
        else:
            await self._record(post, POSTED, ts=ts)
        del self._memory.taken[str(post.id)]
        self._told()

    async def _refused(self, post: SlackPost, error: Refused) -> None:
        if error.reason not in _POST:
            await self._record(post, QUEUED)
            raise error
        log.error("%s: Slack does not take it: %s", mark(post), error)
        if post.kind == CARD or (post.body or {}).get("text") == _INSTEAD:
            if post.kind == CARD:
                # Nothing can be shown without it: then with as little in it as there can be.
                if post.body.get("bare"):
                    await self._record(post, QUEUED)
                    raise error
                await self._record(post, QUEUED, body={**post.body, "bare": True})
                return
            await self._record(post, FAILED, reason=error.reason)
            return
        await self._record(post, QUEUED, body={"text": _INSTEAD}, kind=POST)

    async def _settle(self, head: SlackPost) -> None:
        """Ask Slack whether it has a post whose answer never came."""
        since = (head.tried or head.due).timestamp() - _CLOCKS
        thread = "" if head.kind == CARD else str(self.thread.ts)
        found = await self._client.messages(
            str(self.thread.channel), thread=thread, since=max(since, 0.0)
        )
        if head.kind == FILE:
            ts = files_of(found).get(str((head.body or {}).get("file") or ""))
        else:
            wanted = mark(head)
            ts = next((str(m["ts"]) for m in found if mark_of(m) == wanted), None)
        if ts is None:
            await self._record(head, QUEUED, due=utcnow())
        else:
            await self._posted(head, ts)

    async def _record(self, post: SlackPost, status: str, **more: Any) -> None:
        """Write what became of a post, unless somebody else has moved it on."""
        where = {"id": post.id, "status": post.status}
        await self._store.change(SlackPost, where, set={"status": status, **more})
