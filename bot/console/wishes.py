"""What agents want done: a deed in the store, and its result as soon as there is one."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.console.guard import Refused
from bot.desk.console_files import ConsoleFiles
from bot.desk.contract import KINDS, Person
from bot.desk.deeds import deed_of, wish
from bot.message import clean
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.deeds import PENDING, Deed
from bot.store.messages import arrival

#: How long a request waits for its result, and between its own looks, in seconds.
PATIENCE = 15.0
_LOOK = 1.0
_TEXT = 20_000
_FILES = 10
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DEEPEST = 6
_LONGEST = 200
_SAFE = 2**53


class Wishes:
    """Puts deeds into the store and waits for what became of them."""

    def __init__(self, store: AsyncStore, files: ConsoleFiles, ring: Callable[[str], None]) -> None:
        self._store = store
        self._files = files
        self._ring = ring
        self._waiting: set[asyncio.Event] = set()

    def changed(self) -> None:
        """Have all who wait look at once."""
        for event in self._waiting:
            event.set()

    async def wish(self, person: Person, asked: Mapping[str, Any]) -> Deed:
        """Keep a deed and return it, with its result if that comes in time. Raises Refused.

        The same `id` from the same agent is the same deed.
        """
        deed = self._deed(person, asked)
        if deed.conversation:
            if await self._store.get(Conversation, deed.conversation) is None:
                raise Refused(404, "there is no such conversation")
        elif deed.kind != "find":
            raise Refused(400, "conversation: say which one")
        if not await wish(self._store, deed):
            before = await self._store.get(Deed, deed.id)
            if before is not None and _what(before) != _what(deed):
                raise Refused(409, "id: was used for something else, make a new one")
        self._ring("desk")
        return await self._settled(deed)

    async def result(self, person: Person, id: str) -> Deed:
        """Return a deed of an agent's own. Raises Refused when there is none."""
        ours = f"console:{person.id}:"
        found = None
        if id.startswith(ours) and _UUID.fullmatch(id[len(ours) :]):
            found = await self._store.get(Deed, id)
        if found is None:
            raise Refused(404, "there is no such deed of yours")
        return found

    async def _settled(self, deed: Deed) -> Deed:
        event = asyncio.Event()
        self._waiting.add(event)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        try:
            while True:
                event.clear()
                now = await self._store.get(Deed, deed.id)
                left = end - loop.time()
                if now is not None and (now.status != PENDING or left <= 0):
                    return now
                await _wait(event, min(_LOOK, max(left, 0.0)))
        finally:
            self._waiting.discard(event)

    def _deed(self, person: Person, asked: Mapping[str, Any]) -> Deed:
        id, kind = _text(asked, "id", 36).lower(), _text(asked, "kind", 32)
        if not _UUID.fullmatch(id):
            raise Refused(400, "id: should be a UUID that the page made for this deed")
        if kind not in KINDS:
            raise Refused(400, f"kind: should be one of {', '.join(sorted(KINDS))}")
        args = asked.get("args") or {}
        if not isinstance(args, dict):
            raise Refused(400, "args: should be an object")
        return deed_of(
            *(person, "console", f"console:{person.id}:{id}", kind),
            *(_text(asked, "conversation", 1000), arrival()),
            text=_text(asked, "text", _TEXT),
            args=plain_args(args),
            files=self._checked(person, asked.get("files") or []),
        )

    def _checked(self, person: Person, files: Any) -> list[dict[str, Any]]:
        if not isinstance(files, list) or len(files) > _FILES:
            raise Refused(400, f"files: should be a list of at most {_FILES}")
        checked = []
        for file in files:
            ref = file.get("ref") if isinstance(file, dict) else None
            if not isinstance(ref, str) or not self._files.owns(person.id, clean(ref)):
                raise Refused(400, "files: one of them was not attached by you here")
            size = file.get("size")
            checked.append(
                {
                    "ref": ref,
                    "account": person.id,
                    "name": _text(file, "name", 200),
                    "mime": _text(file, "mime", 200),
                    "size": size if type(size) is int and 0 <= size <= self._files.most else 0,
                }
            )
        return checked


def plain_args(value: Any, depth: int = 0) -> Any:
    """Return what any store can keep of a JSON value. Raises Refused for what none can."""
    if depth > _DEEPEST:
        raise Refused(400, "args: nested too deep")
    if isinstance(value, str):
        if len(value) > _TEXT:
            raise Refused(400, "args: a text is too long")
        return clean(value)
    if isinstance(value, (bool, type(None))):
        return value
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or abs(value) > _SAFE:
            raise Refused(400, "args: a number is too large")
        return value
    if len(value) > _LONGEST:
        raise Refused(400, "args: too many values")
    if isinstance(value, list):
        return [plain_args(item, depth + 1) for item in value]
    for name in value:
        if not name or len(name) > _LONGEST or name.startswith("$") or "." in name:
            raise Refused(400, "args: a name is empty, too long, or holds $ or a dot")
    return {clean(name): plain_args(item, depth + 1) for name, item in value.items()}


def told(deed: Deed) -> dict[str, Any]:
    """Return a deed as the page reads it; `result` is a `Done` once it is not pending."""
    return {"id": deed.id, "kind": deed.kind, "status": deed.status, "result": deed.result}


def _what(deed: Deed) -> Sequence[Any]:
    # The desk keeps there what it settled, see `bot.desk.deeds`.
    args = {name: value for name, value in (deed.args or {}).items() if name != "plan"}
    return deed.kind, deed.conversation, deed.text, args, deed.files or []


def _text(asked: Mapping[str, Any], name: str, most: int) -> str:
    value = asked.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(400, f"{name}: should be a text")
    if len(value) > most:
        raise Refused(400, f"{name}: is longer than {most} characters")
    return clean(value)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    # Not wait_for: until Python 3.12 it can swallow a cancellation that comes with the event.
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
