"""Makes the files of a message into words before the message is answered.

A file is fetched and kept once: its row is the one that would be made after the turn. What a
model made of it is kept with the row, so that a turn which is taken again pays nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.llm.masking import parts_of_name
from bot.media.vault import AsyncVault, NotInVault
from bot.message import Album, Content, Media, Sensed, decode, plain, utcnow
from bot.senses.contract import FileRefused, NotSensed, Piece, Sense, TooLate
from bot.store import AsyncStore, StoreDown
from bot.store.files import KEPT, REFUSED, StoredFile, wanted
from bot.store.messages import Message

log = logging.getLogger(__name__)

#: Of one message, so many files are made into words.
MOST = 4
#: So often a model is asked about one file: it may be what its worker dies of.
TRIES = 2
#: Seconds that a model may take over one file, whatever its own times are.
_MODEL_SECONDS = 45.0
_POLL = 0.05
_SLOWEST_POLL = 0.4


class Senses:
    """What a turn has of pictures and recordings. `eyes` and `ears` are None where not configured.

    `wait_seconds` is how long a message waits for its files, `fetch` makes who fetches them look.
    """

    def __init__(
        self,
        store: AsyncStore,
        vault: AsyncVault,
        eyes: Sense | None,
        ears: Sense | None,
        *,
        wait_seconds: float,
        fetch: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._eyes = eyes
        self._ears = ears
        self._wait = wait_seconds
        self._fetch = fetch

    async def close(self) -> None:
        """Let go of connections."""
        for sense in (self._eyes, self._ears):
            if sense is not None:
                await sense.close()

    async def sensed(
        self, messages: Sequence[Message], content: Content, *, pictures: bool = True
    ) -> Content:
        """Return a content whose files say what is in them, as far as that can be found out.

        `messages` are those that the content was made of, the parts of an album each.
        Whatever fails is noted with the file, and the content goes on without. Raises
        StoreDown.
        """
        items = content.items if isinstance(content, Album) else (content,)
        files = [item for item in items if isinstance(item, Media)]
        chosen = [item for item in files if self._for(item, pictures) is not None][:MOST]
        if not chosen:
            return content
        rows = {_key(row.media): row for message in messages for row in wanted(message)}
        mine = [(item, rows[_key_of(item)]) for item in chosen if _key_of(item) in rows]
        if not mine:
            return content
        await self._store.insert_new([row for _, row in mine])
        self._fetch()
        end = time.monotonic() + self._wait
        by_id = {message.id: message for message in messages}
        made = await asyncio.gather(
            *(self.read(by_id[row.message], item, row.id, end) for item, row in mine)
        )
        found = {
            _key_of(item): result for (item, _), result in zip(mine, made, strict=True) if result
        }

        def told(item: Media) -> Media:
            result = found.get(_key_of(item))
            return item if result is None else replace(item, sensed=(result,))

        if isinstance(content, Album):
            return Album(tuple(told(item) for item in content.items))
        return told(files[0])

    async def read(
        self, message: Message, media: Media, file: str, end: float | None = None
    ) -> Sensed | None:
        """Return what is in one file of a message, None where no sense is for it.

        `file` is the `_id` of its row, `end` the time of `time.monotonic` until which it is
        waited for. Raises StoreDown.
        """
        sense = self._for(media, True)
        if sense is None:
            return None
        kind: Any = "spoken" if sense is self._ears else "seen"
        try:
            row = await self._kept(file, end or time.monotonic() + self._wait)
            if row.sensed:
                return Sensed(**{**row.sensed, "numbers": tuple(row.sensed.get("numbers") or ())})
            tried = await self._store.change(StoredFile, {"id": file}, inc={"sense_tries": 1})
            if tried is None or tried.sense_tries > TRIES:
                raise FileRefused("a model was asked about it often enough")
            result = await self._asked(sense, message, media, row)
        except NotSensed as error:
            log.warning("%s: not made into words: %s", file, error)
            result = Sensed(kind, failed=error.code)
            if not error.final:
                return result
        except StoreDown:
            raise
        except Exception as error:
            # A bug of ours or a library's: the customer is answered all the same.
            log.exception("%s: could not be made into words", file)
            return Sensed(kind, failed=NotSensed.code if error else "")
        kept = {"sensed": plain(result), "sensed_at": utcnow()}
        await self._store.change(StoredFile, {"id": file}, set=kept)
        return result

    def _for(self, media: Media, pictures: bool) -> Sense | None:
        if media.type in ("voice", "audio"):
            return self._ears
        picture = media.type == "image" or (
            media.type == "document" and media.mime.startswith("image/")
        )
        return self._eyes if picture and pictures else None

    async def _kept(self, file: str, end: float) -> StoredFile:
        """Wait until a file is kept. Raises FileRefused, TooLate."""
        pause = _POLL
        while True:
            row = await self._store.get(StoredFile, file)
            if row is None or row.status == REFUSED:
                raise FileRefused("the file was not kept: " + (row.reason if row else "it is gone"))
            if row.status == KEPT:
                return row
            left = end - time.monotonic()
            if left <= 0:
                raise TooLate("the file was not fetched in time")
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, _SLOWEST_POLL)

    async def _asked(self, sense: Sense, message: Message, media: Media, row: StoredFile) -> Sensed:
        try:
            data = await self._vault.get(row.key)
        except NotInVault:
            raise FileRefused("it is not in the vault any more") from None
        piece = Piece(
            data,
            row.mime,
            message.conversation,
            caption=media.caption,
            known=parts_of_name((message.profile or {}).get("name")),
        )
        work = asyncio.ensure_future(sense.read(piece))
        try:
            # Not `wait_for`: in Python 3.10 it may swallow the cancellation of its caller.
            await asyncio.wait({work}, timeout=_MODEL_SECONDS)
            if not work.done():
                raise TooLate("the model did not come to an end")
            return work.result()
        finally:
            work.cancel()


def _key(media: dict[str, Any]) -> tuple[str, str]:
    found = decode(media)
    return _key_of(found) if isinstance(found, Media) else ("", "")


def _key_of(media: Media) -> tuple[str, str]:
    # The words with it may have been changed since.
    return media.ref, media.url
