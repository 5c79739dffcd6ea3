"""What was said on the phones, both directions, kept in memory and bounded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.message import utcnow

KEEP = 10_000
# A page that does not keep up is cut off and starts again from the list of messages.
_BACKLOG = 2_000

Status = Literal["pending", "sent", "delivered", "read"]


@dataclass(slots=True)
class Entry:
    """One message on a phone.

    `direction` is ``in`` for what the customer says, ``out`` for what the bot does.
    `status` of an ``in`` entry is ``pending`` until the gateway took its webhook,
    then ``delivered``, then ``read`` when the bot says so; of an ``out`` entry it is
    what the phone did with it. `buttons` are rows of ``{title, payload | url | text}``.
    `native` is the provider's own object; it never leaves the process.
    """

    channel: str
    account: str
    user: str
    id: str
    direction: Literal["in", "out"]
    kind: str
    text: str = ""
    buttons: list[list[dict[str, str]]] = field(default_factory=list)
    menu: dict[str, Any] | None = None
    image: str = ""
    file: dict[str, Any] | None = None
    location: dict[str, Any] | None = None
    header: str = ""
    footer: str = ""
    quote: str = ""
    payload: str = ""
    reaction: str = ""
    status: Status = "delivered"
    edited: bool = False
    deleted: bool = False
    at: datetime = field(default_factory=utcnow)
    seq: int = 0
    native: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return the entry as JSON values, without `native`."""
        values = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name != "native"
        }
        return {**values, "at": self.at.isoformat(timespec="milliseconds")}


class Ledger:
    """The last `keep` messages of all phones, and those who want to hear of changes."""

    def __init__(self, keep: int = KEEP) -> None:
        self._keep = keep
        self._entries: OrderedDict[tuple[str, str, str], Entry] = OrderedDict()
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._seq = 0

    def add(self, entry: Entry) -> Entry:
        """Keep a new entry, dropping the oldest beyond the bound."""
        self._seq += 1
        entry.seq = self._seq
        self._entries[entry.channel, entry.account, entry.id] = entry
        while len(self._entries) > self._keep:
            self._entries.popitem(last=False)
        self.tell({"event": "message", "message": entry.plain()})
        return entry

    def changed(self, entry: Entry) -> None:
        """Tell the listeners that an entry changed."""
        self.tell({"event": "message", "message": entry.plain()})

    def get(self, channel: str, account: str, id_: str) -> Entry | None:
        """Return one entry, None when there is none or it was dropped."""
        return self._entries.get((channel, account, id_))

    def select(self, channel: str = "", account: str = "", user: str = "") -> list[Entry]:
        """Return the entries in order; an empty argument matches everything."""
        return [
            e
            for e in self._entries.values()
            if (not channel or e.channel == channel)
            and (not account or e.account == account)
            and (not user or e.user == user)
        ]

    def clear(self, channel: str = "", account: str = "", user: str = "") -> int:
        """Forget the selected entries and return how many there were."""
        gone = self.select(channel, account, user)
        for entry in gone:
            del self._entries[entry.channel, entry.account, entry.id]
        self.tell({"event": "cleared", "channel": channel, "account": account, "user": user})
        return len(gone)

    def tell(self, event: dict[str, Any]) -> None:
        """Pass an event to every listener."""
        for queue in list(self._listeners):
            if queue.full():
                self._listeners.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[dict[str, Any] | None]]:
        """Give a queue of events; None in it means that the listener fell behind and is cut off."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
