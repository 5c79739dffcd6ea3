"""What was said on the phones, both directions, kept in memory and bounded.

An entry is one message on a phone, and `Entry.content` says what it is: an encoded content
of `bot.message` (``{"kind": "text", "text": …}``), for what customers say and for what the
bot sends alike, with the words as they stand on the screen. A `Media.url` is
``/control/media/ID`` for a file of the sandbox's store, else the address the bot gave.

What the vocabulary has no word for stands beside it, and is optional:

- `buttons`: rows of buttons below the message, where the content's options do not say it
  all. A button has ``title`` and one of ``payload``, ``url``, ``text`` (a reply keyboard: it
  is typed for the customer) or ``ask`` (``location``, ``phone``); with ``quick`` it stands
  above the composer until the next message; ``image`` is its icon's URL;
- `menu`: ``{"label", "sections": [{"title", "rows": [{"id", "title", "description"}]}]}``,
  a list that opens; where it is left out it is made of a `Menu`;
- `keyboard`: rows of buttons in place of the phone's keyboard; [] takes it away, None
  leaves it as it is;
- `styled`: for a text of the content, by its path (``text``, ``caption``,
  ``cards.0.text``), ``{"words", "marks": [{"start", "end", "style", "url"}]}``, offsets in
  code points and styles as `connectors.markup.Mark` has them. `bot.sandbox.formatting`
  makes it of Telegram's entities; for WhatsApp it is made here;
- `header`, `footer`; `agent`, the person's name a message came from; `album`, the same for
  files that arrived as one; `quote`, the id of the message it answers; `referral`, how the
  customer came; `silent`: an entry that is no bubble of its own but a line between them
  (blocked, number changed, opted out).

What happens to it later changes the entry, by the verbs of `Ledger`: `settle` (its status,
with the reason of a failure), `react` (an emoji of either side, "" takes it off), `edit`,
`delete`. `typing`, `toast` and what did not reach the phone (`miss`) are shown and not
kept. Every change is told to the pages that listen, as ``{"event": "message", "message":
…}`` with the whole entry.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from bot.message import Content, Option, Typing, encode, utcnow
from bot.sandbox import formatting
from bot.sandbox.errors import BadRequest

KEEP = 10_000
# A page that does not keep up is cut off and starts again from the list of messages.
_BACKLOG = 2_000

Status = Literal["pending", "sent", "delivered", "read", "failed"]
Direction = Literal["in", "out"]

_STEPS: dict[Status, int] = {"pending": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}
_MEDIA_TYPES = ("image", "audio", "voice", "video", "document", "sticker")


@dataclass(slots=True)
class Entry:
    """One message on a phone; the module's text says what its fields hold.

    `direction` is ``in`` for what the customer says, ``out`` for what the bot does.
    `status` of an ``in`` entry is ``pending`` until the gateway took its webhook,
    then ``delivered``, then ``read`` when the bot says so; of an ``out`` entry it is
    what the phone did with it, ``failed`` with a `reason` and the provider's `code`.
    `at` is the phone's time. `native` is the provider's own object; it never leaves the
    process. `kind` is the provider's word, or the content's.

    `text`, `image`, `file` and `location` say the same as the content and are filled from
    it; a stand-in that sets them alone has a content made of them.
    """

    channel: str
    account: str
    user: str
    id: str
    direction: Direction
    kind: str = ""
    text: str = ""
    buttons: list[list[dict[str, Any]]] = field(default_factory=list)
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
    content: dict[str, Any] = field(default_factory=dict)
    keyboard: list[list[dict[str, Any]]] | None = None
    styled: dict[str, Any] = field(default_factory=dict)
    agent: str = ""
    album: str = ""
    referral: dict[str, Any] | None = None
    silent: bool = False
    reactions: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    code: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the entry as JSON values, without `native`."""
        values = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name != "native"
        }
        content = self.content or _content(self)
        derived = _derived(content)
        filled = {k: v for k, v in derived.items() if v and not values[k]}
        styled = self.styled
        if not styled and self.channel == "whatsapp":
            styled = formatting.styled(content, formatting.whatsapp)
        reactions = dict(self.reactions)
        if self.reaction and self.reaction not in reactions.values():
            reactions["in" if self.direction == "out" else "out"] = self.reaction
        return {
            **values,
            **filled,
            "content": content,
            "styled": styled,
            "reactions": reactions,
            "at": self.at.isoformat(timespec="milliseconds"),
        }

    def options(self) -> list[Option]:
        """Return everything on it that can be pressed and has a payload."""
        shown = self.plain()
        rows = [b for row in shown["buttons"] for b in row if b.get("payload") is not None]
        found = [Option(str(b["title"]), str(b["payload"])) for b in rows]
        for section in (shown["menu"] or {}).get("sections", []):
            for row in section["rows"]:
                description = str(row.get("description") or "")
                found.append(Option(str(row["title"]), str(row["id"]), description))
        for card in shown["content"].get("cards", ()):
            options = card.get("options", ())
            found += [Option(o["title"], o["payload"]) for o in options if not o.get("url")]
        return found


def _content(entry: Entry) -> dict[str, Any]:
    """Return the content of an entry that has only the older fields."""
    if entry.kind == "choice":
        return {
            "kind": "choice",
            "payload": entry.payload,
            "title": entry.text,
            "of": entry.quote,
        }
    if entry.location:
        return {"kind": "location", "name": "", "address": "", **entry.location}
    if entry.image or entry.file:
        file = entry.file or {"url": entry.image}
        type_ = entry.kind if entry.kind in _MEDIA_TYPES else "image" if entry.image else "document"
        return {
            "kind": "media",
            "type": type_,
            "url": file["url"],
            "filename": file.get("name", ""),
            "size": file.get("size", 0),
            "caption": entry.text,
        }
    return {"kind": "text", "text": entry.text}


def _derived(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the older fields, buttons and menu of a content."""
    kind = content["kind"]
    found: dict[str, Any] = {
        "kind": kind,
        "text": content.get("text") or content.get("caption") or "",
    }
    if kind == "media":
        if content["type"] in ("image", "sticker"):
            found["image"] = content["url"]
        else:
            name = content.get("filename") or content["type"]
            found["file"] = {"name": name, "url": content["url"], "size": content.get("size", 0)}
    elif kind == "location":
        found["location"] = {k: v for k, v in content.items() if k != "kind"}
    elif kind == "choice":
        found["text"], found["payload"] = content.get("title", ""), content["payload"]
    elif kind == "contact":
        found["text"] = " ".join([content["name"], *content.get("phones", ())]).strip()
    elif kind == "menu":
        sections = [
            {
                "title": s["title"],
                "rows": [
                    {
                        "id": o["payload"],
                        "title": o["title"],
                        "description": o.get("description", ""),
                    }
                    for o in s["options"]
                ],
            }
            for s in content["sections"]
        ]
        found["menu"] = {"label": content.get("button") or "Choose", "sections": sections}
    elif kind == "choices":
        found["buttons"] = [
            [{"title": o["title"], **({"url": u} if u else {"payload": o["payload"]})}]
            for o in content["options"]
            for u in [o.get("url")]
        ]
    return found


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

    def settle(self, entry: Entry, status: Status, reason: str = "", code: str = "") -> bool:
        """Move an entry's status forwards; whether it moved. What is read cannot fail."""
        if _STEPS[status] <= _STEPS[entry.status] or (status, entry.status) == ("failed", "read"):
            return False
        entry.status, entry.reason, entry.code = status, reason, code
        self.changed(entry)
        return True

    def miss(self, entry: Entry, reason: str, code: str = "") -> None:
        """Show those who look on a message that did not reach the phone, and why.

        It is not kept: the phone has not got it.
        """
        self._seq += 1
        missed = replace(entry, seq=self._seq, status="failed", reason=reason, code=code)
        self.tell({"event": "message", "message": missed.plain()})

    def react(self, entry: Entry, direction: Direction, emoji: str) -> None:
        """Put an emoji of the customer (``in``) or the bot (``out``) on a message, "" takes off."""
        entry.reactions = {k: v for k, v in entry.reactions.items() if k != direction}
        if emoji:
            entry.reactions[direction] = emoji
        entry.reaction = emoji
        self.changed(entry)

    def edit(self, entry: Entry, content: Content, styled: Mapping[str, Any] | None = None) -> None:
        """Put another content in the place of an entry's."""
        entry.content = encode(content)
        entry.text = str(entry.content.get("text") or entry.content.get("caption") or "")
        entry.styled = dict(styled or {})
        entry.edited = True
        self.changed(entry)

    def delete(self, entry: Entry) -> None:
        """Show that a message was taken back."""
        entry.deleted = True
        self.changed(entry)

    def typing(self, channel: str, account: str, user: str, agent: str = "") -> None:
        """Show that the bot, or the person `agent`, is writing."""
        who = {"channel": channel, "account": account, "user": user, "agent": agent}
        self.tell({"event": Typing.kind, **who})

    def toast(self, channel: str, account: str, user: str, text: str) -> None:
        """Show a passing word on a phone."""
        who = {"channel": channel, "account": account, "user": user}
        self.tell({"event": "toast", **who, "text": text})

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

    def pressable(
        self, channel: str, account: str, user: str, payload: str, of: str = ""
    ) -> tuple[Entry, Option]:
        """Return the bot's message with an option of that payload: `of`, or the newest.

        Raises BadRequest when this phone has none.
        """
        for entry in reversed(self.select(channel, account, user)):
            if entry.direction != "out" or entry.deleted or (of and entry.id != of):
                continue
            for option in entry.options():
                if option.payload == payload:
                    return entry, option
        raise BadRequest("no message on this phone has such a button")

    def own(self, channel: str, account: str, user: str, id_: str) -> Entry:
        """Return a message of this phone, whoever wrote it. Raises BadRequest."""
        entry = self.get(channel, account, id_)
        if entry is None or entry.user != user or entry.deleted:
            raise BadRequest(f"no message {id_[:80]!r} on this phone")
        return entry

    def clear(self, channel: str = "", account: str = "", user: str = "") -> int:
        """Forget the selected entries and return how many there were."""
        gone = self.select(channel, account, user)
        for entry in gone:
            del self._entries[entry.channel, entry.account, entry.id]
        self.tell({"event": "cleared", "channel": channel, "account": account, "user": user})
        return len(gone)

    def move(self, channel: str, account: str, user: str, to: str) -> None:
        """A customer has a new address: the phone keeps what was said under the old one."""
        for entry in self.select(channel, account, user):
            entry.user = to

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
