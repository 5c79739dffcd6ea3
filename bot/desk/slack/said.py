"""What agents write in our threads, edit and delete there: the events that become deeds.

https://docs.slack.dev/reference/events/message and its subtypes.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.desk.deeds import deed_of
from bot.desk.people import People
from bot.desk.slack.words import from_slack, mentioned
from bot.desk.slack.workspace import SLACKBOT, Workspace
from bot.store import AsyncStore
from bot.store.deeds import DONE, PENDING, Deed
from bot.store.slack import SlackPost, SlackThread

log = logging.getLogger(__name__)

#: The kind of a card's post, see `bot.desk.slack.plan`.
CARD = "card"
_WRITTEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
#: Of https://docs.slack.dev/reference/objects/file-object what it takes to fetch it.
_FILE = ("id", "name", "mimetype", "size", "url_private_download")
# Slack gives up an event after this long, in seconds, and a little more.
_RETRIES = 900.0
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")


class NotYet(Exception):
    """It cannot be taken now; Slack is to send it again."""


class Said:
    """Turns message events of one account into deeds."""

    def __init__(
        self,
        account: str,
        store: AsyncStore,
        people: People,
        workspace: Workspace,
        wish: Callable[[Deed], Awaitable[bool]],
    ) -> None:
        self._account = account
        self._store = store
        self._people = people
        self._workspace = workspace
        self._wish = wish

    async def take(self, event: Mapping[str, Any], arrived: int) -> None:
        """Keep what an event means, if it means something to us; `arrived` is its place.

        Raises StoreDown and NotYet: then it must not be acknowledged.
        """
        subtype = str(event.get("subtype") or "")
        message: Mapping[str, Any] = event.get("message") or {}
        if subtype == "message_deleted":
            await self._deleted(event, str(event.get("deleted_ts") or ""), arrived)
        elif subtype == "message_changed" and message.get("subtype") == "tombstone":
            # So Slack tells of a deleted message that has replies.
            await self._deleted(event, str(message.get("ts") or ""), arrived)
        elif subtype == "message_changed":
            await self._edited(event, message, arrived)
        elif subtype in _WRITTEN:
            await self._written(event, arrived)

    async def _written(self, event: Mapping[str, Any], arrived: int) -> None:
        thread = await self._ours(event, str(event.get("channel") or ""))
        if thread is None:
            return
        text = await self._words(event)
        files = [self._file(file) for file in event.get("files") or () if file.get("id")]
        if text or files:
            ts = str(event["ts"])
            await self._keep(event, self._id(thread, ts), "write", thread, arrived, ts, text, files)

    async def _edited(
        self, event: Mapping[str, Any], message: Mapping[str, Any], arrived: int
    ) -> None:
        edited = str((message.get("edited") or {}).get("ts") or "")
        before: Mapping[str, Any] = event.get("previous_message") or {}
        if not edited or message.get("text") == before.get("text"):
            # An unfurled link, a reply to the thread, a reaction of Slack's own.
            return
        thread = await self._ours(message, str(event.get("channel") or ""))
        if thread is None:
            return
        text = await self._words(message)
        if text == await self._words(before):
            return
        ts = str(message["ts"])
        of = self._id(thread, ts)
        first = await self._store.get(Deed, of)
        if _is_void(first):
            return
        if first is None and _may_come(ts):
            # What it was before it was changed shall never go out: it is this from the beginning.
            files = [self._file(file) for file in message.get("files") or () if file.get("id")]
            await self._keep(message, of, "write", thread, arrived, ts, text, files)
            return
        await self._keep(message, f"{of}:edit:{edited}", "edit", thread, arrived, ts, text, of=of)

    async def _deleted(self, event: Mapping[str, Any], ts: str, arrived: int) -> None:
        channel = str(event.get("channel") or "")
        if not ts or not channel:
            return
        for root in await self._store.find(SlackThread, {"channel": channel, "ts": ts}):
            if root.account == self._account:
                log.warning("slack %s: the thread %s was deleted", self._account, root.id)
                where = {"id": root.id, "ts": ts}
                await self._store.change(SlackThread, where, set={"ts": ""})
                return
        before: Mapping[str, Any] = event.get("previous_message") or {}
        thread = await self._ours({**before, "ts": ts}, channel)
        if thread is not None:
            of = self._id(thread, ts)
            first = await self._store.get(Deed, of)
            if _is_void(first):
                return
            if first is None and _may_come(ts):
                # Done already: nothing is to come of it, and when it arrives it is there.
                await self._keep(before, of, "write", thread, arrived, ts, status=DONE)
                return
            await self._keep(before, f"{of}:del", "delete", thread, arrived, ts, of=of)

    async def _ours(self, message: Mapping[str, Any], channel: str) -> SlackThread | None:
        """Return the thread of ours in which a person of ours wrote a message, else None."""
        user, ts = str(message.get("user") or ""), str(message.get("ts") or "")
        root = str(message.get("thread_ts") or "")
        if not (user and ts and root and channel) or root == ts:
            return None
        if message.get("bot_id") or user in (self._workspace.bot_user, SLACKBOT):
            return None
        thread = await self._thread(channel, root)
        if thread is None:
            await self._unsettled(message, channel)
            return None
        home = await self._workspace.home()
        if not home:
            raise NotYet("it is not known yet which workspace is ours")
        if user == self._workspace.bot_user:
            return None
        teams = (message.get(key) for key in ("team", "user_team", "source_team"))
        if self._workspace.is_foreign(home, *teams):
            log.warning("slack %s: %s: somebody of another company wrote", self._account, thread.id)
            return None
        return thread

    async def _thread(self, channel: str, root: str) -> SlackThread | None:
        """Return the thread whose card is, or was until somebody deleted it, `root`."""
        found = await self._store.find(SlackThread, {"channel": channel, "ts": root})
        if not found:
            cards = await self._store.find(SlackPost, {"ts": root})
            ids = [card.thread for card in cards if card.kind == CARD]
            found = await self._store.find(SlackThread, {"id": {"$in": ids}}) if ids else []
        ours = (t for t in found if t.account == self._account and t.channel == channel)
        return next(ours, None)

    async def _unsettled(self, message: Mapping[str, Any], channel: str) -> None:
        """Refuse for now what answers a message of ours whose ts is still to be recorded."""
        parent = message.get("parent_user_id")
        if parent and parent == self._workspace.bot_user:
            where = {"channel": channel, "ts": ""}
            if any(not row.closed for row in await self._store.find(SlackThread, where)):
                raise NotYet("a thread of that channel is being posted")

    async def _words(self, message: Mapping[str, Any]) -> str:
        text = str(message.get("text") or "")
        users = sorted(mentioned(text))
        called = await asyncio.gather(*(self._called(user) for user in users))
        names = dict(zip(users, called, strict=True))
        return from_slack(text, lambda user: names.get(user, ""))

    async def _called(self, user: str) -> str:
        known = self._people.by_slack(user)
        return known.name if known.id != f"slack:{user}" else await self._workspace.name(user)

    def _file(self, file: Mapping[str, Any]) -> dict[str, Any]:
        kept = {key: file[key] for key in _FILE if file.get(key) is not None}
        return {**kept, "account": self._account}

    def _id(self, thread: SlackThread, ts: str) -> str:
        return f"slack:{self._account}:{thread.channel}:{ts}"

    async def _keep(
        self,
        message: Mapping[str, Any],
        id: str,
        kind: str,
        thread: SlackThread,
        arrived: int,
        ts: str,
        text: str = "",
        files: list[dict[str, Any]] | None = None,
        of: str = "",
        status: str = PENDING,
    ) -> None:
        user = str(message["user"])
        person = await self._workspace.person(self._people, user)
        root = str(message.get("thread_ts") or thread.ts)
        args = {"ts": ts, "channel": thread.channel, "thread": root, "user": user}
        await self._wish(
            deed_of(
                *(person, "slack", id, kind, thread.conversation, arrived),
                text=text,
                args={**args, "of": of} if of else args,
                files=files or (),
                status=status,
            )
        )


def _may_come(ts: str) -> bool:
    """Tell whether the event of a message that is not there yet may still come.

    Slack sends again for some minutes what was not taken, and promises no order:
    https://docs.slack.dev/apis/events-api#retries
    """
    return bool(_TS.fullmatch(ts)) and time.time() - float(ts) < _RETRIES


def _is_void(written: Deed | None) -> bool:
    """Tell whether a message was deleted before it arrived."""
    return written is not None and not written.text and not written.files
