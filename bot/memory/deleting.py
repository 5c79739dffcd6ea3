"""What there is of a person, deleted: it can be done again, and then finds what is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from bson import ObjectId
from mongoengine import Document

from bot.media.vault import AsyncVault
from bot.memory.letters import unread_letters
from bot.memory.scope import Scope
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.consents import Consent
from bot.store.customers import Customer, LinkCode, LinkTry, Merge
from bot.store.dead_letters import DeadLetter
from bot.store.deeds import Deed
from bot.store.files import StoredFile
from bot.store.gaps import Gap
from bot.store.journal import Entry
from bot.store.lessons import Lesson
from bot.store.memory import Fact, Forgetting, Quiet
from bot.store.messages import PENDING, Message
from bot.store.proofs import FAILED, NOBODY, Challenge, Miss, Proof, ProofTry
from bot.store.reviews import Review
from bot.store.spending import Spending
from bot.store.steps import Step, Undertaking
from bot.store.turns import Turn

_PAGE = 200
#: What has a conversation, and by which field it is of a time.
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


class Deleting:
    """Deletes for one process.

    `lessons` deletes what was to be learned from conversations, `bot.learning.lessons.forget`.
    """

    def __init__(
        self,
        store: AsyncStore,
        vault: AsyncVault,
        lessons: Callable[[AsyncStore, Collection[str]], Awaitable[int]] | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._lessons = lessons

    async def files(self, scope: Scope, renew: Callable[[], Awaitable[None]]) -> None:
        """Delete files, but not the bytes that others have sent as well.

        `renew` is called before each: storage may take long.
        """
        for file in await self._store.find(StoredFile, {"conversation": scope.address}):
            if not scope.has(file.at):
                continue
            await renew()
            await self._store.delete(DeadLetter, {"ref": file.id})
            key = str(file.key or "")
            if key:
                same = await self._store.find(StoredFile, {"key": key}, limit=2)
                if all(other.id == file.id for other in same):
                    await self._vault.delete(key)
            await self._store.delete(StoredFile, {"id": file.id})

    async def letters(self, scope: Scope) -> None:
        """Delete dead letters: of messages by their ids, of requests that tell the address."""
        skip = 0
        while True:
            rows = await self._store.find(
                Message, {"conversation": scope.address}, sort=("arrived",), limit=_PAGE, skip=skip
            )
            if rows:
                ids = [row.id for row in rows if scope.has(row.arrived)]
                if ids:
                    await self._store.delete(DeadLetter, {"ref": {"$in": ids}})
            if len(rows) < _PAGE:
                break
            skip += _PAGE
        for letter in await unread_letters(self._store, scope.address):
            if scope.has(letter.at):
                await self._store.delete(DeadLetter, {"id": letter.id})

    async def rows(self, row: Forgetting, scope: Scope) -> None:
        """Delete what hangs off the conversation, its messages last.

        But not what came after the wish and nobody has read yet.
        """
        store, here = self._store, {"conversation": scope.address}
        if self._lessons is not None and not scope.until:
            # Another one that is alike comes to stand in the inbox.
            await self._lessons(store, [scope.address])
        for cls, at in _HANGING:
            end = {at: {"$lte": scope.end(at)}} if scope.until else {}
            await store.delete(cls, {**here, **end})
        if scope.until:
            await self._each(Turn, here, lambda turn: scope.has(turn.at))
            await self._each(Message, here, lambda one: scope.has(one.arrived))
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

    async def person(self, row: Forgetting) -> None:
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
