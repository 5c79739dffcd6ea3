"""The sandbox's Slack workspace: its people, channels, messages, files and open modals.

Objects have the shapes of https://docs.slack.dev/reference/objects and
https://docs.slack.dev/reference/events/message.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox import slack_words
from bot.sandbox.media import MediaStore, dimensions
from bot.sandbox.slack_objects import (
    APP,
    BOT,
    BOT_NAME,
    BOT_USER,
    CHANNELS,
    DIRECT,
    DOMAIN,
    MEMBERS,
    TEAM,
    bot_profile,
    new_id,
)

KEEP = 5_000
KEEP_FILES = 500

Json = dict[str, Any]
Tell = Callable[[Json], None]

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(slots=True)
class SlackFile:
    """A file of the workspace; the sandbox's store has the bytes, as long as it keeps them."""

    id: str
    name: str
    title: str
    user: str
    mime: str
    extension: str
    size: int
    dimensions: tuple[int, int] | None
    stored: str
    created: int
    shares: dict[str, list[Json]] = field(default_factory=dict)


@dataclass(slots=True)
class Message:
    """One message. `thread_ts` is "" for a root; `user` is "" under a name of its own."""

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str = ""
    bot: bool = False
    blocks: list[Json] = field(default_factory=list)
    files: list[SlackFile] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: Json | None = None
    deleted: bool = False
    ephemeral_for: str = ""
    broadcast: bool = False
    username: str = ""
    metadata: Json | None = None
    client_msg_id: str = ""

    @property
    def name(self) -> str:
        """Who wrote it, as the channel shows it."""
        return self.username or MEMBERS.get(self.user, BOT_NAME)


class Workspace:
    """The workspace. `tell` hears what changed; `base_url` is that of the sandbox."""

    def __init__(self, media: MediaStore, tell: Tell, base_url: Callable[[], str]) -> None:
        self._media = media
        self._tell = tell
        self._base_url = base_url
        self._messages: OrderedDict[tuple[str, str, str], Message] = OrderedDict()
        self._files: OrderedDict[str, SlackFile] = OrderedDict()
        self._last = 0

    # -- names --------------------------------------------------------------------

    def ts(self) -> str:
        """Return a time stamp that no other message has: seconds, a dot, six digits."""
        self._last = max(time.time_ns() // 1000, self._last + 1)
        return f"{self._last // 10**6}.{self._last % 10**6:06d}"

    def channel(self, named: str) -> str:
        """Return the id of a channel by id, ``#name`` or, for direct messages, user; "" if none."""
        if named in CHANNELS or named in DIRECT:
            return named
        if named in MEMBERS:
            return f"D{named[1:]}"
        bare = named.removeprefix("#")
        return next((id_ for id_, name in CHANNELS.items() if name == bare), "")

    def encoded(self, typed: str) -> str:
        """Return a text as a client sends it."""
        full = {name: id_ for id_, name in self.names().items()}
        # Clients offer people by what they are called for short, too.
        short = {name.split()[0]: id_ for name, id_ in full.items()}
        return slack_words.encoded(typed, {**short, **full})

    def names(self) -> dict[str, str]:
        """Return everybody's name by id, the bot's too."""
        return {**MEMBERS, BOT_USER: BOT_NAME}

    # -- messages -----------------------------------------------------------------

    def add(self, message: Message) -> Message:
        """Keep a new message, dropping the oldest beyond the bound."""
        self._messages[message.channel, message.ts, message.ephemeral_for] = message
        for file in message.files:
            share: Json = {"ts": message.ts, "channel_name": CHANNELS.get(message.channel, "")}
            if message.thread_ts:
                share["thread_ts"] = message.thread_ts
            file.shares.setdefault(message.channel, []).append(share)
        while len(self._messages) > KEEP:
            self._gone(self._messages.popitem(last=False)[1])
        self.changed(message)
        return message

    def get(self, channel: str, ts: str) -> Message | None:
        """Return a message that all can see and nobody deleted, None when there is none."""
        found = self._messages.get((channel, ts, ""))
        return None if found is None or found.deleted else found

    def ephemeral(self, channel: str, ts: str, user: str) -> Message | None:
        """Return a message only `user` can see."""
        return self._messages.get((channel, ts, user)) if user else None

    def changed(self, message: Message) -> None:
        """Tell those who look on that a message is new or changed."""
        self._tell({"what": "message", "message": self.plain(message)})

    def drop(self, message: Message) -> None:
        """Take a message only one could see away."""
        self._messages.pop((message.channel, message.ts, message.ephemeral_for), None)
        self._gone(message)

    def _gone(self, message: Message) -> None:
        self._tell({"what": "gone", "channel": message.channel, "ts": message.ts})

    def roots(self, channel: str) -> list[Message]:
        """Return what stands in a channel, the oldest first."""
        return [
            m
            for m in self._messages.values()
            if m.channel == channel
            and not (m.ephemeral_for or m.deleted)
            and (not m.thread_ts or m.broadcast)
        ]

    def replies(self, channel: str, ts: str) -> list[Message]:
        """Return the answers in a thread, the oldest first, without its root."""
        return [
            m
            for m in self._messages.values()
            if (m.channel, m.thread_ts) == (channel, ts) and not (m.ephemeral_for or m.deleted)
        ]

    def tombstone(self, channel: str, ts: str) -> Json | None:
        """Return what stands for a deleted root that has answers, None when nothing does."""
        found = self._messages.get((channel, ts, ""))
        if found is None or not found.deleted or not self.replies(channel, ts):
            return None
        return {
            "type": "message",
            "subtype": "tombstone",
            "text": "This message was deleted.",
            "user": "USLACKBOT",
            "hidden": True,
            "ts": ts,
            **self._thread(found),
        }

    def native(self, message: Message, *, metadata: bool = False) -> Json:
        """Return a message as the Web API and events have it."""
        made: Json = {"type": "message", "text": message.text, "ts": message.ts}
        if message.username:
            made |= {"subtype": "bot_message", "username": message.username}
        else:
            made |= {"user": message.user, "team": TEAM}
        if message.bot:
            made |= {"bot_id": BOT, "app_id": APP}
            if not message.username:
                made["bot_profile"] = bot_profile()
        if message.client_msg_id:
            made["client_msg_id"] = message.client_msg_id
        blocks = message.blocks or ([] if message.bot else slack_words.rich_text(message.text))
        if blocks:
            made["blocks"] = blocks
        if message.files:
            made["files"] = [self.file_object(f) for f in message.files]
            made |= {"upload": False, "display_as_bot": False}
        if message.broadcast:
            made |= {"subtype": "thread_broadcast"}
        if message.edited:
            made["edited"] = message.edited
        if message.metadata and metadata:
            made["metadata"] = message.metadata
        if message.reactions:
            made["reactions"] = [
                {"name": name, "users": users, "count": len(users)}
                for name, users in message.reactions.items()
            ]
        return {**made, **self._thread(message)}

    def _thread(self, message: Message) -> Json:
        if message.thread_ts:
            root = self._messages.get((message.channel, message.thread_ts, ""))
            parent = {"parent_user_id": root.user} if root and root.user else {}
            return {"thread_ts": message.thread_ts, **parent}
        replies = [] if message.ephemeral_for else self.replies(message.channel, message.ts)
        if not replies:
            return {}
        users = list(OrderedDict.fromkeys(r.user for r in replies if r.user))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(users),
            "latest_reply": replies[-1].ts,
            "reply_users": users[:5],
            "is_locked": False,
            "subscribed": False,
        }

    def plain(self, message: Message) -> Json:
        """Return a message as the control API has it."""
        return {
            "channel": message.channel,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "user": message.user or BOT_USER,
            "name": message.name,
            "bot": message.bot,
            "text": message.text,
            "blocks": message.blocks,
            "files": [
                {
                    "id": f.id,
                    "name": f.name,
                    "mimetype": f.mime,
                    "size": f.size,
                    "url": f"/control/slack/files/{f.id}",
                }
                for f in message.files
            ],
            "reactions": [{"name": n, "users": u} for n, u in message.reactions.items()],
            "edited": message.edited is not None,
            "deleted": message.deleted,
            "ephemeral_for": message.ephemeral_for,
            "broadcast": message.broadcast,
        }

    def all(self) -> Sequence[Message]:
        """Return every message, in the order in which they came."""
        return list(self._messages.values())

    # -- files --------------------------------------------------------------------

    def keep_file(self, data: bytes, name: str, user: str, id_: str = "") -> SlackFile:
        """Keep a file's bytes under a new id, or under `id_`."""
        file = self._media.put(data, name)
        name = name or f"file.{file.extension}"
        made = SlackFile(
            id=id_ or new_id("F"),
            name=name,
            title=name,
            user=user,
            mime=file.mime,
            extension=file.extension,
            size=len(data),
            dimensions=dimensions(data),
            stored=file.id,
            created=int(time.time()),
        )
        self._files[made.id] = made
        while len(self._files) > KEEP_FILES:
            self._files.popitem(last=False)
        return made

    def drop_file(self, file: SlackFile) -> None:
        """Let a file go."""
        self._files.pop(file.id, None)

    def file(self, id_: str) -> SlackFile | None:
        """Return a file, None when there is none or it was dropped."""
        return self._files.get(id_)

    def data(self, file: SlackFile) -> bytes | None:
        """Return a file's bytes, None when the store had to let them go."""
        stored = self._media.get(file.stored)
        return None if stored is None else stored.data

    def file_object(self, file: SlackFile, *, shares: bool = False) -> Json:
        """Return a file: https://docs.slack.dev/reference/objects/file-object."""
        slug = _NOT_A_NAME.sub("_", file.name).lower() or "file"
        private = f"{self._base_url()}/slack/files/{TEAM}-{file.id}"
        made: Json = {
            "id": file.id,
            "created": file.created,
            "timestamp": file.created,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mime,
            "filetype": file.extension,
            "pretty_type": file.extension.upper(),
            "user": file.user,
            "user_team": TEAM,
            "editable": False,
            "size": file.size,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": True,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{private}/{slug}",
            "url_private_download": f"{private}/download/{slug}",
            "media_display_type": "audio" if file.mime.startswith("audio/") else "unknown",
            "permalink": f"https://{DOMAIN}.slack.com/files/{file.user}/{file.id}/{slug}",
            "has_rich_preview": False,
            "file_access": "visible",
        }
        if file.dimensions:
            made |= dict(zip(("original_w", "original_h"), file.dimensions, strict=True))
        if shares:
            rooms = {c: s for c, s in file.shares.items() if c in CHANNELS}
            made["shares"] = {"public": rooms} if rooms else {}
            made |= {"channels": list(rooms), "groups": [], "ims": []}
        return made
