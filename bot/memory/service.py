"""Memory as a turn needs it: what is known before it, what is remembered after it."""

from __future__ import annotations

from typing import Any

from bot.identity.people import gather
from bot.memory.file import MemoryRules
from bot.memory.keeping import customer_at, recall
from bot.memory.noticing import Notices
from bot.message import clean
from bot.perception.escalation import Escalation
from bot.store import AsyncStore
from bot.store.turns import Turn


class Memories:
    """For one worker process. `summed` says that a model sums conversations up."""

    def __init__(
        self,
        store: AsyncStore,
        rules: MemoryRules,
        escalation: Escalation | None,
        *,
        summed: bool = False,
    ) -> None:
        self._store = store
        self._notices = Notices(store, rules, escalation, summed and rules.summary_after > 0)

    async def known(self, conversation: str) -> dict[str, Any]:
        """Return what is known of who writes there, encoded. Raises StoreDown."""
        member = await customer_at(self._store, conversation)
        if member is None:
            return {}
        found = await gather(self._store, member)
        return (await recall(self._store, found, here=clean(conversation))).encode()

    async def notice(self, turn: Turn) -> None:
        """Remember what a committed turn tells; again, nothing more. Raises StoreDown."""
        await self._notices.of(turn)
